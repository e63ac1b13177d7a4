/* row_name.c - keys of rows, the ids of versions, and the states of buckets. */
#include "store/row.h"

#include "base/encoding.h"

enum {
    NUMBER_SIZE = 8,
    /* In an escaped key, behind a byte 00: it was one of the key; or it is the end. */
    ESCAPED = 0xFF,
    END = 0x00,
};

/* ---- States */

enum { STATE_FORMAT = 1, FORMAT_AT = LST_INDEX_EPOCH, VERSIONING_AT, DELETING_AT };

void lst_bucket_state_encode(const struct lst_bucket_state *state,
                             char ret_bytes[LST_BUCKET_STATE_SIZE])
{
    lst_row_number_encode(state->epoch, ret_bytes);
    ret_bytes[FORMAT_AT] = STATE_FORMAT;
    ret_bytes[VERSIONING_AT] = (char)state->versioning;
    ret_bytes[DELETING_AT] = (char)state->is_deleting;
}

int lst_bucket_state_decode(struct lst_slice value, struct lst_bucket_state *ret_state)
{
    if (value.length != LST_BUCKET_STATE_SIZE || value.bytes[FORMAT_AT] != STATE_FORMAT ||
        (uint8_t)value.bytes[VERSIONING_AT] > LST_VERSIONING_SUSPENDED ||
        (uint8_t)value.bytes[DELETING_AT] > 1) {
        return LST_ERR_CORRUPT;
    }
    ret_state->versioning = (enum lst_versioning)value.bytes[VERSIONING_AT];
    ret_state->is_deleting = value.bytes[DELETING_AT] != 0;
    return lst_row_number_decode(lst_slice_first(value, LST_INDEX_EPOCH), &ret_state->epoch);
}

/* ---- Names */

void lst_row_name_append(struct lst_row_name *name, struct lst_slice bytes)
{
    struct lst_slice fitting = lst_slice_first(bytes, sizeof(name->bytes) - name->length);

    if (fitting.length > 0 && fitting.bytes != NULL) {
        memcpy(name->bytes + name->length, fitting.bytes, fitting.length);
        name->length += fitting.length;
    }
}

void lst_row_name_make(struct lst_row_name *name, char kind, struct lst_slice rest)
{
    name->bytes[0] = kind;
    name->length = 1;
    lst_row_name_append(name, rest);
}

void lst_row_name_make_escaped_prefix(struct lst_row_name *name, char kind, struct lst_slice prefix)
{
    static const char escaped[2] = {0, (char)ESCAPED};

    name->bytes[0] = kind;
    name->length = 1;
    for (;;) {
        struct lst_slice plain = lst_slice_first(prefix, lst_slice_find(prefix, '\0'));
        lst_row_name_append(name, plain);
        if (plain.length == prefix.length) {
            return;
        }
        lst_row_name_append(name, lst_slice_make(escaped, sizeof(escaped)));
        prefix = lst_slice_after(prefix, plain.length + 1);
    }
}

void lst_row_name_make_escaped(struct lst_row_name *name, char kind, struct lst_slice key)
{
    static const char end[2] = {0, END};

    lst_row_name_make_escaped_prefix(name, kind, key);
    lst_row_name_append(name, lst_slice_make(end, sizeof(end)));
}

void lst_row_name_make_version(struct lst_row_name *name, struct lst_slice key, uint64_t order)
{
    char inverted[NUMBER_SIZE];

    lst_row_number_encode(~order, inverted);
    lst_row_name_make_escaped(name, LST_ROW_VERSION, key);
    lst_row_name_append(name, lst_slice_make(inverted, sizeof(inverted)));
}

void lst_row_name_make_setting(struct lst_row_name *name, struct lst_slice setting)
{
    lst_row_name_make_escaped(name, LST_ROW_SETTING, lst_slice_make(NULL, 0));
    lst_row_name_append(name, setting);
}

void lst_row_name_make_upload(struct lst_row_name *name, char kind, struct lst_slice key,
                              struct lst_slice upload_id)
{
    lst_row_name_make_escaped(name, kind, key);
    lst_row_name_append(name, upload_id);
}

void lst_row_name_make_part(struct lst_row_name *name, struct lst_slice key,
                            struct lst_slice upload_id, uint32_t number)
{
    char encoded[NUMBER_SIZE];

    lst_row_number_encode(number, encoded);
    lst_row_name_make_upload(name, LST_ROW_PART, key, upload_id);
    lst_row_name_append(name, lst_slice_make(encoded + NUMBER_SIZE - LST_ROW_PART_NUMBER_SIZE,
                                             LST_ROW_PART_NUMBER_SIZE));
}

void lst_row_name_make_blob(struct lst_row_name *name, char kind, struct lst_slice key,
                            struct lst_blob_id id)
{
    char bytes[LST_ROW_BLOB_ID_SIZE];

    lst_row_blob_id_encode(id, bytes);
    lst_row_name_make_escaped(name, kind, key);
    lst_row_name_append(name, lst_slice_make(bytes, sizeof(bytes)));
}

/* ---- Names taken apart */

static uint64_t get_number(const char *bytes, size_t size)
{
    uint64_t number = 0;

    for (size_t i = 0; i < size; i++) {
        number = number << 8 | (uint8_t)bytes[i];
    }
    return number;
}

/* Put together a key that has bytes 00; *rest: what stands behind its end. */
static int unescape(struct lst_slice *rest, struct lst_key_room *room, struct lst_slice *ret_key)
{
    size_t length = 0;

    for (;;) {
        struct lst_slice plain = lst_slice_first(*rest, lst_slice_find(*rest, '\0'));
        bool is_escaped;
        if (plain.length + 2 > rest->length || plain.length > sizeof(room->bytes) - length) {
            return LST_ERR_CORRUPT;
        }
        memcpy(room->bytes + length, plain.bytes, plain.length);
        length += plain.length;
        is_escaped = (uint8_t)rest->bytes[plain.length + 1] == ESCAPED;
        if (!is_escaped && rest->bytes[plain.length + 1] != END) {
            return LST_ERR_CORRUPT;
        }
        *rest = lst_slice_after(*rest, plain.length + 2);
        if (!is_escaped) {
            *ret_key = lst_slice_make(room->bytes, length);
            return LST_OK;
        }
        if (length == sizeof(room->bytes)) {
            return LST_ERR_CORRUPT;
        }
        room->bytes[length++] = '\0';
    }
}

int lst_row_name_split(struct lst_slice name, size_t suffix_size, struct lst_key_room *room,
                       struct lst_slice *ret_key, struct lst_slice *ret_suffix)
{
    struct lst_slice rest = lst_slice_after(name, 1);
    struct lst_slice key = lst_slice_first(rest, lst_slice_find(rest, '\0'));
    int status = LST_OK;

    if (rest.bytes == NULL) {
        return LST_ERR_CORRUPT;
    }
    if (key.length + 1 < rest.length && rest.bytes[key.length + 1] == END) {
        rest = lst_slice_after(rest, key.length + 2); /* nearly all have no byte 00 */
    } else {
        status = unescape(&rest, room, &key);
    }
    if (status != LST_OK || rest.length != suffix_size || key.length == 0 ||
        key.length > LST_STORE_KEY_MAX) {
        return LST_ERR_CORRUPT;
    }
    *ret_key = key;
    *ret_suffix = rest;
    return LST_OK;
}

int lst_row_name_split_key(struct lst_slice name, struct lst_key_room *room,
                           struct lst_slice *ret_key)
{
    struct lst_slice nothing;

    return lst_row_name_split(name, 0, room, ret_key, &nothing);
}

int lst_row_name_split_version(struct lst_slice name, struct lst_key_room *room,
                               struct lst_slice *ret_key, uint64_t *ret_order)
{
    struct lst_slice inverted;
    int status = lst_row_name_split(name, NUMBER_SIZE, room, ret_key, &inverted);

    if (status == LST_OK) {
        *ret_order = ~get_number(inverted.bytes, NUMBER_SIZE);
    }
    return status;
}

int lst_row_name_split_part(struct lst_slice name, struct lst_key_room *room,
                            struct lst_slice *ret_key, struct lst_slice *ret_upload_id,
                            uint32_t *ret_number)
{
    struct lst_slice rest;
    int status = lst_row_name_split(name, LST_ROW_UPLOAD_ID_SIZE + LST_ROW_PART_NUMBER_SIZE, room,
                                    ret_key, &rest);

    if (status == LST_OK) {
        *ret_upload_id = lst_slice_first(rest, LST_ROW_UPLOAD_ID_SIZE);
        *ret_number =
            (uint32_t)get_number(rest.bytes + LST_ROW_UPLOAD_ID_SIZE, LST_ROW_PART_NUMBER_SIZE);
    }
    return status;
}

int lst_row_name_split_blob(struct lst_slice name, struct lst_key_room *room,
                            struct lst_slice *ret_key, struct lst_blob_id *ret_id)
{
    struct lst_slice bytes;
    int status = lst_row_name_split(name, LST_ROW_BLOB_ID_SIZE, room, ret_key, &bytes);

    return status == LST_OK ? lst_row_blob_id_decode(bytes, ret_id) : status;
}

struct lst_slice lst_row_owner_make(struct lst_slice name, char ret_owner[LST_ROW_OWNER_MAX])
{
    size_t length = name.bytes[0] == LST_ROW_PART ? LST_ROW_OWNER_MAX : 1;

    ret_owner[0] = name.bytes[0];
    memcpy(ret_owner + 1, name.bytes + name.length - (length - 1), length - 1);
    return lst_slice_make(ret_owner, length);
}

/* ---- Versions */

static const struct lst_slice null_id = {"null", 4};

void lst_version_format(struct lst_version version, struct lst_version_id *ret_id)
{
    char bytes[2 * NUMBER_SIZE];

    if (lst_version_is_null(version)) {
        memcpy(ret_id->text, null_id.bytes, null_id.length);
        ret_id->length = null_id.length;
        return;
    }
    lst_row_number_encode(version.order, bytes);
    lst_row_number_encode(version.random, bytes + NUMBER_SIZE);
    lst_hex_encode(bytes, sizeof(bytes), ret_id->text);
    ret_id->length = LST_VERSION_ID_LENGTH;
}

int lst_version_parse(struct lst_slice text, struct lst_version *ret_version)
{
    struct lst_version version = {0};
    struct lst_version_id id;
    char bytes[2 * NUMBER_SIZE];

    if (lst_slice_equal(text, null_id)) {
        *ret_version = version;
        return LST_OK;
    }
    if (!lst_hex_decode(text, bytes, sizeof(bytes))) {
        return LST_ERR_VERSION_MALFORMED;
    }
    version.order = get_number(bytes, NUMBER_SIZE);
    version.random = get_number(bytes + NUMBER_SIZE, NUMBER_SIZE);
    /* Only what format() gives: no upper case, no id of a null version in digits. */
    lst_version_format(version, &id);
    if (!lst_slice_equal(lst_version_id_slice(&id), text)) {
        return LST_ERR_VERSION_MALFORMED;
    }
    *ret_version = version;
    return LST_OK;
}
