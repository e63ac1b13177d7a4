/* user_record.c - a user as the bytes of one index value, and back. */
#include "gate/user_record.h"

#include "access/json.h"
#include "base/encoding.h"

#include <jansson.h>
#include <stdlib.h>

enum { ROOM_FOR_KEYS = 4096 };

void lst_user_release(struct lst_user *user)
{
    lst_wipe(user->keys, sizeof(user->keys));
    user->key_count = 0;
    free(user->policy);
    user->policy = NULL;
}

void lst_user_revision_text(uint64_t revision, char ret_text[LST_USER_REVISION_LENGTH])
{
    uint8_t bytes[8];

    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(revision >> (8 * (7 - i)));
    }
    lst_hex_encode(bytes, sizeof(bytes), ret_text);
}

static bool read_revision(struct lst_slice record, uint64_t *ret_revision)
{
    uint8_t bytes[8];
    uint64_t revision = 0;

    if (record.length < LST_USER_REVISION_LENGTH + 1 ||
        record.bytes[LST_USER_REVISION_LENGTH] != '\n' ||
        !lst_hex_decode(lst_slice_first(record, LST_USER_REVISION_LENGTH), bytes, sizeof(bytes))) {
        return false;
    }
    for (size_t i = 0; i < sizeof(bytes); i++) {
        revision = revision << 8 | bytes[i];
    }
    *ret_revision = revision;
    return true;
}

static json_t *keys_to_json(const struct lst_user *user)
{
    json_t *keys = json_array();

    for (size_t i = 0; i < user->key_count; i++) {
        const struct lst_user_key *key = &user->keys[i];
        json_t *object =
            json_pack("{s:s, s:s, s:I, s:b}", "id", key->access_key_id, "secret", key->secret,
                      "created_ms", (json_int_t)key->created_ms, "active", key->active ? 1 : 0);
        if (json_array_append_new(keys, object) != 0) {
            json_decref(keys);
            return NULL;
        }
    }
    return keys;
}

/* jansson's own copies of the secrets, overwritten before they are freed. */
static void free_document(json_t *document)
{
    json_t *keys = json_object_get(document, "keys");
    json_t *key;
    size_t i;

    json_array_foreach(keys, i, key)
    {
        json_t *secret = json_object_get(key, "secret");
        if (json_is_string(secret)) {
            lst_wipe((char *)json_string_value(secret), json_string_length(secret));
        }
    }
    json_decref(document);
}

static int append_json(const char *bytes, size_t length, void *buffer)
{
    lst_buffer_append(buffer, lst_slice_make(bytes, length));
    return 0;
}

int lst_user_record_write(const struct lst_user *user, struct lst_buffer *buffer)
{
    char revision[LST_USER_REVISION_LENGTH];
    json_t *document =
        json_pack("{s:s, s:s, s:I, s:b, s:b, s:o*, s:s*}", "canonical_id", user->canonical_id,
                  "display_name", user->display_name, "created_ms", (json_int_t)user->created_ms,
                  "enabled", user->enabled ? 1 : 0, "root", user->is_root ? 1 : 0, "keys",
                  keys_to_json(user), "policy", user->policy);
    bool is_whole = document != NULL && json_object_get(document, "keys") != NULL &&
                    (user->policy == NULL || json_object_get(document, "policy") != NULL);

    /* Room for all of it at once: a buffer that grows leaves copies of the secrets behind. */
    (void)lst_buffer_reserve(buffer, ROOM_FOR_KEYS + 2 * lst_slice_of(user->policy).length);
    lst_user_revision_text(user->revision, revision);
    lst_buffer_append(buffer, lst_slice_make(revision, sizeof(revision)));
    lst_buffer_append_byte(buffer, '\n');
    if (is_whole) {
        is_whole = json_dump_callback(document, append_json, buffer, JSON_COMPACT) == 0;
    }
    free_document(document);
    return is_whole ? lst_buffer_status(buffer) : LST_ERR_NO_MEMORY;
}

/* Copy a member that is text of at most size - 1 bytes. */
static bool read_text(json_t *object, const char *name, char *ret_text, size_t size)
{
    json_t *member = json_object_get(object, name);

    if (!json_is_string(member) || json_string_length(member) >= size) {
        return false;
    }
    memcpy(ret_text, json_string_value(member), json_string_length(member) + 1);
    return true;
}

static bool read_time(json_t *object, int64_t *ret_time_ms)
{
    json_t *member = json_object_get(object, "created_ms");

    *ret_time_ms = json_integer_value(member);
    return json_is_integer(member);
}

static bool read_bool(json_t *object, const char *name, bool *ret_truth)
{
    json_t *member = json_object_get(object, name);

    *ret_truth = json_is_true(member);
    return json_is_boolean(member);
}

static bool read_keys(json_t *keys, struct lst_user *user)
{
    json_t *object;
    size_t i;

    if (!json_is_array(keys) || json_array_size(keys) > LST_USER_KEYS_MAX) {
        return false;
    }
    json_array_foreach(keys, i, object)
    {
        struct lst_user_key *key = &user->keys[i];
        if (!read_text(object, "id", key->access_key_id, sizeof(key->access_key_id)) ||
            !read_text(object, "secret", key->secret, sizeof(key->secret)) ||
            !read_time(object, &key->created_ms) || !read_bool(object, "active", &key->active)) {
            return false;
        }
        user->key_count++;
    }
    return true;
}

static int read_document(json_t *document, struct lst_user *user)
{
    json_t *policy = json_object_get(document, "policy");

    if (!read_text(document, "canonical_id", user->canonical_id, sizeof(user->canonical_id)) ||
        !read_text(document, "display_name", user->display_name, sizeof(user->display_name)) ||
        !read_time(document, &user->created_ms) ||
        !read_bool(document, "enabled", &user->enabled) ||
        !read_bool(document, "root", &user->is_root) ||
        !read_keys(json_object_get(document, "keys"), user) ||
        (policy != NULL && !json_is_string(policy))) {
        return LST_ERR_CORRUPT;
    }
    if (policy != NULL) {
        user->policy = lst_slice_to_string(
            lst_slice_make(json_string_value(policy), json_string_length(policy)));
        return user->policy != NULL ? LST_OK : LST_ERR_NO_MEMORY;
    }
    return LST_OK;
}

int lst_user_record_read(struct lst_slice name, struct lst_slice record, struct lst_user *ret_user)
{
    struct lst_slice text = lst_slice_after(record, LST_USER_REVISION_LENGTH + 1);
    struct lst_user user = {0};
    json_t *document;
    int status;

    if (!read_revision(record, &user.revision) || name.length > LST_USER_NAME_MAX) {
        return LST_ERR_CORRUPT;
    }
    memcpy(user.name, name.bytes, name.length);
    status = lst_json_read(text, &document);
    if (status != LST_OK) {
        return status;
    }
    status = read_document(document, &user);
    free_document(document);
    if (status != LST_OK) {
        lst_user_release(&user);
        return status;
    }
    *ret_user = user;
    lst_wipe(user.keys, sizeof(user.keys));
    return LST_OK;
}
