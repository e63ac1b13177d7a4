/* upload_note.c - what an upload's id does not say of it. */
#include "api/upload_note.h"

#include "access/json.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    TIME = LST_NOTE_TIME,
    NOTE_KEY = 1 + LST_TICKET_MAX,
    EXPIRY_KEY = LST_NOTE_EXPIRY_KEY_MAX,
    SWEPT_MAX = 200, /* of one batch */
    FOUND_MAX = 200, /* uploads of one ticket in one sweep */
    ENOUGH = 1,      /* what a visit gives to end a walk early */
};

void lst_upload_note_check(struct lst_fields *fields, json_t *metadata)
{
    char where[sizeof("metadata.") + 64];
    const char *name;
    json_t *value;
    size_t length;

    json_object_foreach(metadata, name, value)
    {
        if (!json_is_string(value)) {
            (void)snprintf(where, sizeof(where), "metadata.%.64s", name);
            lst_fields_refuse(fields, where, "a string is needed");
        }
    }
    length = metadata == NULL ? 0 : json_dumpb(metadata, NULL, 0, JSON_COMPACT);
    if (length > LST_UPLOAD_METADATA_MAX) {
        lst_fields_refuse(fields, "metadata", "it may have %d bytes of JSON in all",
                          LST_UPLOAD_METADATA_MAX);
    }
}

/* ---- Writing */

static void set_object(json_t **note, const char *name, json_t *object)
{
    if (object != NULL && json_object_size(object) > 0) {
        lst_api_json_set(note, name, json_incref(object));
    }
}

/* Where its parts are. Without an id: in any upload of the key that was begun with its ticket. */
static json_t *make_parts(const struct lst_upload *upload)
{
    json_t *parts = json_pack("{s:s, s:s%}", "bucket", upload->profile->bucket, "key",
                              upload->key.bytes, upload->key.length);

    if (upload->store_id.length > 0) {
        lst_api_json_set(&parts, "id", lst_api_json_slice(upload->store_id));
    }
    return parts;
}

static json_t *make_note(const struct lst_upload *upload)
{
    json_t *note = json_object();

    set_object(&note, "vars", upload->variables);
    set_object(&note, "metadata", upload->metadata);
    if (upload->profile != NULL && upload->profile->approve_url[0] != '\0') {
        lst_api_json_set(&note, "approve", json_true());
    }
    if (upload->part_size > 0) {
        lst_api_json_set(&note, "size", json_integer(upload->size));
        lst_api_json_set(&note, "part_size", json_integer(upload->part_size));
        lst_api_json_set(&note, "part_count", json_integer(upload->part_count));
    }
    if (upload->is_in_parts) {
        lst_api_json_set(&note, "parts", make_parts(upload));
    }
    return note;
}

static void add_rows(struct lst_changes *changes, const struct lst_upload *upload, const char *text)
{
    struct lst_slice ticket = lst_slice_first(lst_buffer_slice(&upload->id), upload->ticket_length);
    char key[NOTE_KEY] = "v";
    char expiry[EXPIRY_KEY + 12];
    int64_t until = upload->expires + LST_UPLOAD_NOTE_SECONDS;

    memcpy(key + 1, ticket.bytes, ticket.length);
    (void)lst_changes_add(changes, LST_INDEX_PUT, lst_slice_make(key, 1 + ticket.length),
                          lst_changes_copy(changes, lst_slice_of(text)));
    (void)snprintf(expiry, sizeof(expiry), "w%0*lld", TIME, (long long)until);
    memcpy(expiry + 1 + TIME, ticket.bytes, ticket.length);
    (void)lst_changes_add(changes, LST_INDEX_PUT, lst_slice_make(expiry, 1 + TIME + ticket.length),
                          LST_SLICE(""));
}

int lst_upload_note_add(const struct lst_upload *upload, struct lst_changes *changes)
{
    json_t *note = make_note(upload);
    char *text = NULL;
    int status = LST_ERR_NO_MEMORY;

    if (note != NULL && json_object_size(note) == 0) {
        status = LST_OK;
    } else if (note != NULL) {
        text = lst_json_dump(note, JSON_COMPACT);
    }
    if (text != NULL) {
        add_rows(changes, upload, text);
        status = lst_changes_status(changes);
    }
    free(text);
    json_decref(note);
    return status;
}

/* ---- Reading */

int lst_upload_note_find(struct lst_index *index, struct lst_slice ticket, json_t **ret_note)
{
    char key[NOTE_KEY] = "v";
    struct lst_index_reader *reader;
    struct lst_slice row;
    int status;

    *ret_note = NULL;
    if (ticket.length > LST_TICKET_MAX) {
        return LST_OK;
    }
    memcpy(key + 1, ticket.bytes, ticket.length);
    status = lst_index_read_begin(index, &reader);
    if (status != LST_OK) {
        return status;
    }
    status =
        lst_index_get(reader, LST_LEDGER_PARTITION, lst_slice_make(key, 1 + ticket.length), &row);
    if (status == LST_OK) {
        status = lst_json_read(row, ret_note);
    }
    lst_index_read_end(reader);
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

void lst_upload_note_show(json_t *note, json_t **json)
{
    set_object(json, "vars", json_object_get(note, "vars"));
    set_object(json, "metadata", json_object_get(note, "metadata"));
}

int64_t lst_upload_note_number(const json_t *note, const char *name, int64_t otherwise)
{
    const json_t *number = json_object_get(note, name);

    return json_is_integer(number) ? json_integer_value(number) : otherwise;
}

/* ---- Forgetting */

/* Nobody waits for it. */
static void given_up(struct lst_store_write *write, int status)
{
    (void)status; /* the next sweep looks whether it could be done */
    free(write);
}

int lst_upload_note_give_up(struct lst_store *store, const struct lst_upload_name *name)
{
    struct lst_store_write *write = calloc(1, sizeof(*write));
    int status;

    if (write == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    write->done = given_up;
    status = lst_upload_abort(store, name, write);
    if (status != LST_OK) {
        free(write);
    }
    return status;
}

/* The uploads of a key that were begun with a ticket, some at a time. */
struct search {
    struct lst_store *store;
    struct lst_slice bucket;
    struct lst_slice key;
    struct lst_slice ticket;
    char ids[FOUND_MAX][LST_UPLOAD_ID_LENGTH];
    size_t count;
    bool is_begun_with_it;
};

static int see(void *context, const struct lst_open_upload *upload)
{
    struct search *search = context;

    search->is_begun_with_it = lst_slice_equal(
        lst_field_value(upload->fields, upload->field_count, LST_SLICE("x-latch-id")),
        search->ticket);
    return LST_OK;
}

static int add_found(void *context, const struct lst_upload_entry *entry)
{
    struct search *search = context;
    const struct lst_upload_name name = {search->bucket, search->key, entry->upload.id};
    int status;

    if (!lst_slice_equal(entry->upload.key, search->key) || search->count == FOUND_MAX) {
        return ENOUGH; /* those of the key itself come first */
    }
    search->is_begun_with_it = false;
    status = lst_upload_see(search->store, &name, see, search);
    if (status == LST_OK && search->is_begun_with_it) {
        memcpy(search->ids[search->count++], entry->upload.id.bytes, LST_UPLOAD_ID_LENGTH);
    }
    return status == LST_ERR_UPLOAD_NOT_FOUND ? LST_OK : status;
}

/* Abort those that a client began with a URL, which may be used often. LST_ERR_UPLOAD_NOT_FOUND:
 * there are none. */
static int abort_uploads(struct search *search)
{
    struct lst_upload_list_options options = {
        .bucket = search->bucket, .prefix = search->key, .max_entries = SIZE_MAX};
    bool is_truncated;
    int status = lst_store_list_uploads(search->store, &options, add_found, search, &is_truncated);

    if (status != LST_OK && status != ENOUGH) {
        return status;
    }
    for (size_t i = 0; i < search->count; i++) {
        const struct lst_upload_name name = {search->bucket, search->key,
                                             lst_slice_make(search->ids[i], LST_UPLOAD_ID_LENGTH)};

        lst_ignore_status(
            lst_upload_note_give_up(search->store, &name)); /* the next sweep finds it again */
    }
    return search->count > 0 ? LST_OK : LST_ERR_UPLOAD_NOT_FOUND;
}

/*
 * Let go of the parts of an upload that was not completed. False while they may be there: the note
 * says what the next sweep has to let go of, so it stays until then. A note that can't be read
 * names no parts.
 */
static bool give_up(struct lst_store *store, struct lst_slice ticket, struct lst_slice row)
{
    json_t *note = NULL;
    const char *bucket;
    const char *key;
    const char *id = NULL;
    int status = lst_json_read(row, &note);

    if (status == LST_ERR_NO_MEMORY) {
        return false;
    }
    if (status != LST_OK || json_unpack(note, "{s:{s:s, s:s, s?s}}", "parts", "bucket", &bucket,
                                        "key", &key, "id", &id) != 0) {
        status = LST_ERR_UPLOAD_NOT_FOUND;
    } else if (id != NULL) {
        const struct lst_upload_name name = {lst_slice_of(bucket), lst_slice_of(key),
                                             lst_slice_of(id)};
        status = lst_upload_note_give_up(store, &name);
    } else {
        struct search search = {.store = store,
                                .bucket = lst_slice_of(bucket),
                                .key = lst_slice_of(key),
                                .ticket = ticket};
        status = abort_uploads(&search);
    }
    json_decref(note);
    return status == LST_ERR_UPLOAD_NOT_FOUND || status == LST_ERR_BUCKET_NOT_FOUND;
}

/* No ticket is ever made twice, so nothing can be written anew under its key. */
static int forget(struct lst_index_reader *reader, struct lst_store *store,
                  struct lst_slice expiry_key, struct lst_ledger_changes *more)
{
    struct lst_slice ticket = lst_slice_after(expiry_key, 1 + TIME);
    char bytes[NOTE_KEY] = "v";
    struct lst_slice key = lst_slice_make(bytes, 1 + ticket.length);
    struct lst_slice row;
    int status;

    memcpy(bytes + 1, ticket.bytes, ticket.length);
    status = lst_index_get(reader, LST_LEDGER_PARTITION, key, &row);
    if (status == LST_ERR_CORRUPT && row.bytes != NULL) {
        return LST_OK; /* it stays: somebody should look at it */
    }
    if (status == LST_OK && !give_up(store, ticket, row)) {
        return LST_OK;
    }
    if (status == LST_OK || status == LST_ERR_NOT_FOUND) {
        status = lst_ledger_changes_delete(more, expiry_key);
    }
    return status == LST_OK ? lst_ledger_changes_delete(more, key) : status;
}

/* False: it is no row of a note's expiry, and stays: somebody should look at it. */
static bool is_expiry(struct lst_slice key)
{
    return key.length > 1 + TIME && key.length <= EXPIRY_KEY;
}

/* From the position on, which then is behind what was seen; at the end it is the first again. */
static int sweep_some(struct lst_index_reader *reader, struct lst_store *store,
                      const char now[TIME + 1], struct lst_note_position *position,
                      struct lst_ledger_changes *more)
{
    struct lst_slice start =
        position->length == 0 ? LST_SLICE("w") : lst_slice_make(position->bytes, position->length);
    struct lst_slice key;
    struct lst_slice value;
    int status = lst_index_seek(reader, LST_LEDGER_PARTITION, start, &key, &value);

    status = lst_index_pass_damaged(reader, status, &key, &value);
    for (size_t count = 0; status == LST_OK && count < SWEPT_MAX; count++) {
        if (key.bytes[0] != 'w' || (is_expiry(key) && memcmp(key.bytes + 1, now, TIME) >= 0)) {
            status = LST_ERR_NOT_FOUND;
            break;
        }
        if (is_expiry(key)) {
            memcpy(position->bytes, key.bytes, key.length);
            position->length = key.length;
            status = forget(reader, store, key, more);
        }
        if (status == LST_OK) {
            status = lst_index_next(reader, &key, &value);
            status = lst_index_pass_damaged(reader, status, &key, &value);
        }
    }
    if (status == LST_ERR_NOT_FOUND) {
        position->length = 0;
        return LST_OK;
    }
    return status;
}

int lst_upload_note_sweep(struct lst_index *index, struct lst_store *store, int64_t now,
                          struct lst_note_position *position, struct lst_ledger_changes *more)
{
    struct lst_index_reader *reader;
    char text[TIME + 12];
    int status = lst_index_read_begin(index, &reader);

    if (status != LST_OK) {
        return status;
    }
    (void)snprintf(text, sizeof(text), "%0*lld", TIME, (long long)now);
    status = sweep_some(reader, store, text, position, more);
    lst_index_read_end(reader);
    return status;
}
