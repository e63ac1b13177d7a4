/* tokens.c - bearer tokens in the index of the users. */
#include "gate/tokens.h"

#include "access/json.h"
#include "base/encoding.h"
#include "base/random.h"
#include "gate/users_index.h"

#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>

static const char prefix[] = "lst_";

enum { PREFIX = sizeof(prefix) - 1 };

static const struct {
    const char *name;
    unsigned may;
} roles[] = {
    {"upload", LST_MAY_UPLOAD},
    {"link", LST_MAY_LINK},
    {"backend", LST_MAY_UPLOAD | LST_MAY_LINK | LST_MAY_DELEGATE},
    {"admin", LST_MAY_UPLOAD | LST_MAY_LINK | LST_MAY_DELEGATE | LST_MAY_ADMINISTER},
};

unsigned lst_token_role(struct lst_slice name)
{
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        if (lst_slice_equal(name, lst_slice_of(roles[i].name))) {
            return roles[i].may;
        }
    }
    return 0;
}

const char *lst_token_role_name(unsigned may)
{
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        if (roles[i].may == may) {
            return roles[i].name;
        }
    }
    return "-";
}

static void hash_of(struct lst_slice secret, uint8_t ret_hash[32])
{
    struct sha256_ctx context;

    sha256_init(&context);
    sha256_update(&context, secret.length, (const uint8_t *)secret.bytes);
    sha256_digest(&context, 32, ret_hash);
    lst_wipe(&context, sizeof(context));
}

bool lst_token_id(struct lst_slice text, struct lst_slice *ret_id)
{
    if (text.length != LST_TOKEN_TEXT_LENGTH ||
        !lst_slice_starts_with(text, lst_slice_make(prefix, PREFIX)) ||
        text.bytes[PREFIX + LST_TOKEN_ID_LENGTH] != '_') {
        return false;
    }
    *ret_id = lst_slice_make(text.bytes + PREFIX, LST_TOKEN_ID_LENGTH);
    return true;
}

bool lst_token_fits(const struct lst_token *token, struct lst_slice text)
{
    uint8_t hash[32];

    hash_of(lst_slice_after(text, text.length - LST_TOKEN_SECRET_LENGTH), hash);
    return lst_equal_secret(lst_slice_make((const char *)hash, sizeof(hash)),
                            lst_slice_make((const char *)token->hash, sizeof(token->hash)));
}

/* ---- Records */

static json_t *to_json(const struct lst_token *token)
{
    char hash[64];

    lst_hex_encode(token->hash, sizeof(token->hash), hash);
    return json_pack("{s:s, s:s%, s:i, s:s, s:s, s:I, s:I, s:I}", "name", token->name, "sha256",
                     hash, (int)sizeof(hash), "may", (int)token->may, "user", token->user,
                     "profiles", token->profiles, "created", (json_int_t)token->created, "expires",
                     (json_int_t)token->expires, "revoked", (json_int_t)token->revoked);
}

static bool copy(const char *text, char *ret_text, size_t size)
{
    size_t length = strlen(text);

    if (length >= size) {
        return false;
    }
    memcpy(ret_text, text, length + 1);
    return true;
}

static int read_record(struct lst_slice id, struct lst_slice record, struct lst_token *ret_token)
{
    json_t *json;
    const char *name;
    const char *hash;
    const char *user;
    const char *profiles;
    int may;
    json_int_t created;
    json_int_t expires;
    json_int_t revoked;
    bool is_good;
    int status;

    memset(ret_token, 0, sizeof(*ret_token));
    status = lst_json_read(record, &json);
    if (status != LST_OK) {
        return status;
    }
    is_good = id.length == LST_TOKEN_ID_LENGTH &&
              json_unpack(json, "{s:s, s:s, s:i, s:s, s:s, s:I, s:I, s:I}", "name", &name, "sha256",
                          &hash, "may", &may, "user", &user, "profiles", &profiles, "created",
                          &created, "expires", &expires, "revoked", &revoked) == 0 &&
              copy(name, ret_token->name, sizeof(ret_token->name)) &&
              copy(user, ret_token->user, sizeof(ret_token->user)) &&
              copy(profiles, ret_token->profiles, sizeof(ret_token->profiles)) &&
              lst_hex_decode(lst_slice_of(hash), ret_token->hash, sizeof(ret_token->hash));
    if (is_good) {
        memcpy(ret_token->id, id.bytes, id.length);
        ret_token->may = (unsigned)may;
        ret_token->created = created;
        ret_token->expires = expires;
        ret_token->revoked = revoked;
    }
    json_decref(json);
    if (is_good) {
        return LST_OK;
    }
    return lst_json_ran_out() ? LST_ERR_NO_MEMORY : LST_ERR_CORRUPT;
}

/* ---- Finding */

static int get(struct lst_index_reader *reader, char kind, struct lst_slice name,
               struct lst_slice *ret_value)
{
    char bytes[LST_USERS_KEY_MAX];

    if (name.length == 0 || name.length > LST_TOKEN_NAME_MAX) {
        return LST_ERR_NOT_FOUND;
    }
    return lst_index_get(reader, LST_USERS_PARTITION, lst_users_key(kind, name, bytes), ret_value);
}

/* The record of a token, and its id: of length 0 if that can't be told. */
static int find_record(struct lst_index_reader *reader, struct lst_slice id_or_name,
                       struct lst_slice *ret_id, struct lst_slice *ret_record)
{
    int status = get(reader, LST_USERS_KIND_TOKEN, id_or_name, ret_record);

    *ret_id = id_or_name;
    if (status == LST_ERR_NOT_FOUND) {
        status = get(reader, LST_USERS_KIND_TOKEN_NAME, id_or_name, ret_id);
        if (status != LST_OK) {
            *ret_id = lst_slice_make(NULL, 0);
            return status;
        }
        status = get(reader, LST_USERS_KIND_TOKEN, *ret_id, ret_record);
    }
    return status;
}

static int find(struct lst_index_reader *reader, struct lst_slice id_or_name,
                struct lst_token *ret_token)
{
    struct lst_slice id;
    struct lst_slice record;
    int status = find_record(reader, id_or_name, &id, &record);

    return status != LST_OK ? status : read_record(id, record, ret_token);
}

int lst_tokens_find(struct lst_users *users, struct lst_slice id_or_name,
                    struct lst_token *ret_token)
{
    struct lst_index_reader *reader;
    int status = lst_index_read_begin(users->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    status = find(reader, id_or_name, ret_token);
    lst_index_read_end(reader);
    return status;
}

struct list {
    int (*visit)(void *context, const struct lst_token *token);
    void *context;
};

static int take_token(void *context, struct lst_slice id, struct lst_slice record, bool is_damaged)
{
    const struct list *list = context;
    struct lst_token token;
    int status = is_damaged ? LST_ERR_CORRUPT : read_record(id, record, &token);

    if (status == LST_ERR_CORRUPT) {
        token = (struct lst_token){.is_damaged = true};
        lst_users_show_name(id, LST_TOKEN_ID_LENGTH, token.id);
    } else if (status != LST_OK) {
        return status;
    }
    return list->visit(list->context, &token);
}

int lst_tokens_list(struct lst_users *users,
                    int (*visit)(void *context, const struct lst_token *token), void *context)
{
    struct list list = {visit, context};

    return lst_users_walk(users, LST_USERS_KIND_TOKEN, take_token, &list);
}

/* ---- Changing */

static int apply(struct lst_users *users, const struct lst_token *token, bool is_new)
{
    char id[LST_USERS_KEY_MAX];
    char name[LST_USERS_KEY_MAX];
    struct lst_slice id_row = lst_users_key(LST_USERS_KIND_TOKEN, lst_slice_of(token->id), id);
    struct lst_slice name_row =
        lst_users_key(LST_USERS_KIND_TOKEN_NAME, lst_slice_of(token->name), name);
    json_t *json = to_json(token);
    char *record = lst_json_dump(json, JSON_COMPACT);
    int status;

    json_decref(json);
    if (record == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    struct lst_index_change creation[] = {
        {.kind = LST_INDEX_REQUIRE_ABSENT, .key = name_row, .value = LST_SLICE("")},
        {.kind = LST_INDEX_PUT, .key = name_row, .value = lst_slice_of(token->id)},
        {.kind = LST_INDEX_PUT, .key = id_row, .value = lst_slice_of(record)},
    };
    struct lst_index_change revocation[] = {
        {.kind = LST_INDEX_REQUIRE_PREFIX, .key = name_row, .value = lst_slice_of(token->id)},
        {.kind = LST_INDEX_DELETE, .key = name_row, .value = LST_SLICE("")},
        {.kind = LST_INDEX_PUT, .key = id_row, .value = lst_slice_of(record)},
    };
    status = lst_index_apply(users->index, LST_USERS_PARTITION, is_new ? creation : revocation, 3);
    free(record);
    return status;
}

int lst_tokens_create(struct lst_users *users, struct lst_token *token,
                      char ret_text[LST_TOKEN_TEXT_LENGTH])
{
    static const struct lst_slice id_alphabet = {"abcdefghijklmnopqrstuvwxyz0123456789", 36};
    static const struct lst_slice secret_alphabet = {
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 62};
    char *secret = ret_text + PREFIX + LST_TOKEN_ID_LENGTH + 1;
    struct lst_user user;
    int status;

    if (!lst_user_name_is_valid(lst_slice_of(token->name)) || token->may == 0) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    status = lst_users_find(users, lst_slice_of(token->user), &user);
    if (status != LST_OK) {
        return status;
    }
    lst_user_release(&user);
    lst_random_text(id_alphabet, token->id, LST_TOKEN_ID_LENGTH);
    token->id[LST_TOKEN_ID_LENGTH] = '\0';
    memcpy(ret_text, prefix, PREFIX);
    memcpy(ret_text + PREFIX, token->id, LST_TOKEN_ID_LENGTH);
    ret_text[PREFIX + LST_TOKEN_ID_LENGTH] = '_';
    lst_random_text(secret_alphabet, secret, LST_TOKEN_SECRET_LENGTH);
    hash_of(lst_slice_make(secret, LST_TOKEN_SECRET_LENGTH), token->hash);
    token->revoked = 0;
    return apply(users, token, true);
}

/* Of a token whose record can't be read nobody can say that it is revoked: so the record goes. */
static int drop_damaged(struct lst_users *users, struct lst_slice id_or_name)
{
    char bytes[LST_TOKEN_ID_LENGTH];
    struct lst_index_reader *reader;
    struct lst_slice id;
    struct lst_slice record;
    int status = lst_index_read_begin(users->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    status = find_record(reader, id_or_name, &id, &record);
    id = lst_slice_first(id, sizeof(bytes));
    if (id.length > 0) {
        memcpy(bytes, id.bytes, id.length);
    }
    lst_index_read_end(reader);
    if (status != LST_ERR_CORRUPT || id.length == 0) {
        return status;
    }
    return lst_users_drop_damaged(users, LST_USERS_KIND_TOKEN, lst_slice_make(bytes, id.length),
                                  LST_USERS_KIND_TOKEN_NAME);
}

int lst_tokens_revoke(struct lst_users *users, struct lst_slice id_or_name, int64_t now)
{
    struct lst_token token;
    int status = lst_tokens_find(users, id_or_name, &token);

    if (status == LST_ERR_CORRUPT) {
        return drop_damaged(users, id_or_name);
    }
    if (status != LST_OK || token.revoked != 0) {
        return status;
    }
    token.revoked = now;
    status = apply(users, &token, false);
    /* Somebody else has revoked it meanwhile. */
    return status == LST_ERR_CONFLICT ? LST_OK : status;
}

/* Some tokens of a user that are not revoked. */
struct found {
    struct lst_slice user;
    size_t count;
    char ids[64][LST_TOKEN_ID_LENGTH];
};

/* LST_ERR_TOO_LARGE: there may be more. */
static int collect(void *context, const struct lst_token *token)
{
    struct found *found = context;

    if (token->revoked != 0 || !lst_slice_equal(lst_slice_of(token->user), found->user)) {
        return LST_OK;
    }
    if (found->count == sizeof(found->ids) / sizeof(found->ids[0])) {
        return LST_ERR_TOO_LARGE;
    }
    memcpy(found->ids[found->count++], token->id, LST_TOKEN_ID_LENGTH);
    return LST_OK;
}

int lst_tokens_revoke_of(struct lst_users *users, struct lst_slice user, int64_t now)
{
    struct found found = {.user = user};
    bool has_more;
    int status;

    do {
        found.count = 0;
        status = lst_tokens_list(users, collect, &found);
        has_more = status == LST_ERR_TOO_LARGE;
        status = has_more ? LST_OK : status;
        for (size_t i = 0; status == LST_OK && i < found.count; i++) {
            status =
                lst_tokens_revoke(users, lst_slice_make(found.ids[i], LST_TOKEN_ID_LENGTH), now);
        }
    } while (status == LST_OK && has_more);
    return status;
}
