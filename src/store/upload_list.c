/* upload_list.c - list the uploads in progress of a bucket. */
#include "base/encoding.h"
#include "store/list.h"
#include "store/parts.h"

struct listing {
    const struct lst_upload_list_options *options;
    struct lst_list_scope scope;
    struct lst_index_reader *reader;
    uint64_t partition;
    int (*visit)(void *context, const struct lst_upload_entry *entry);
    void *context;
    size_t count;
    bool is_truncated;
};

/* Behind the upload that was listed last, of a key that has more of them. */
static bool start_behind_upload(const struct lst_upload_list_options *options,
                                struct lst_row_name *ret_start)
{
    char id[LST_ROW_UPLOAD_ID_SIZE];

    if (!lst_hex_decode(options->after_upload, id, sizeof(id))) {
        return false;
    }
    lst_row_name_make_upload(ret_start, LST_ROW_UPLOAD, options->after_key,
                             lst_slice_make(id, sizeof(id)));
    lst_row_name_append(ret_start, lst_slice_make("", 1));
    return true;
}

/* Where to begin. False: nothing can be listed. */
static bool make_start(const struct listing *listing, struct lst_row_name *ret_start)
{
    const struct lst_upload_list_options *options = listing->options;
    struct lst_slice after = options->after_key;
    struct lst_slice passed;

    if (options->prefix.length > LST_STORE_KEY_MAX || after.length > LST_STORE_KEY_MAX) {
        return false;
    }
    if (after.length == 0 || lst_slice_compare(after, options->prefix) < 0) {
        lst_row_name_make_escaped_prefix(ret_start, LST_ROW_UPLOAD, options->prefix);
        return true;
    }
    if (!lst_slice_starts_with(after, options->prefix)) {
        return false; /* behind all that begin with the prefix */
    }
    /* A common prefix that `after` is in has been listed. */
    if (lst_list_common_prefix(&listing->scope, after, &passed)) {
        lst_row_name_make_escaped_prefix(ret_start, LST_ROW_UPLOAD, passed);
        return lst_list_pass(ret_start);
    }
    if (start_behind_upload(options, ret_start)) {
        return true;
    }
    lst_row_name_make_escaped(ret_start, LST_ROW_UPLOAD, after);
    return lst_list_pass(ret_start);
}

static int show_upload(struct listing *listing, struct lst_slice key, struct lst_slice id,
                       struct lst_slice value)
{
    char text[LST_UPLOAD_ID_LENGTH] = {0};
    struct lst_object_row row;
    struct lst_upload_entry entry = {
        .upload = {.key = key, .id = lst_slice_make(text, sizeof(text))}};
    int status = lst_object_row_decode_head(value, &row);

    if (status != LST_OK) {
        return status;
    }
    lst_hex_encode(id.bytes, id.length, text);
    entry.upload.created_ms = row.modified_ms;
    entry.upload.note = row.note;
    return listing->visit(listing->context, &entry);
}

/* Show the entry that the row belongs to and move on to the next; *ret_name and *ret_value are the
 * cursor's before and after. LST_ERR_NOT_FOUND: there is none. */
static int show_and_move(struct listing *listing, struct lst_slice key, struct lst_slice id,
                         struct lst_slice *ret_name, struct lst_slice *ret_value)
{
    struct lst_upload_entry entry = {.is_prefix = true};
    struct lst_row_name behind;
    int status;

    listing->count++;
    if (!lst_list_common_prefix(&listing->scope, key, &entry.upload.key)) {
        status = show_upload(listing, key, id, *ret_value);
        return status == LST_OK ? lst_index_next(listing->reader, ret_name, ret_value) : status;
    }
    status = listing->visit(listing->context, &entry);
    lst_row_name_make_escaped_prefix(&behind, LST_ROW_UPLOAD, entry.upload.key);
    if (status != LST_OK || !lst_list_pass(&behind)) {
        return status == LST_OK ? LST_ERR_NOT_FOUND : status;
    }
    return lst_index_seek(listing->reader, listing->partition, lst_row_name_slice(&behind),
                          ret_name, ret_value);
}

static int list(struct listing *listing)
{
    const struct lst_upload_list_options *options = listing->options;
    struct lst_row_name start;
    struct lst_row_name range;
    struct lst_slice name;
    struct lst_slice value;
    int status;

    if (options->max_entries == 0 || !make_start(listing, &start)) {
        return LST_OK;
    }
    status = lst_index_seek(listing->reader, listing->partition, lst_row_name_slice(&start), &name,
                            &value);
    lst_row_name_make_escaped_prefix(&range, LST_ROW_UPLOAD, options->prefix);
    while ((status = lst_store_walk(listing->reader, lst_row_name_slice(&range), status, &name,
                                    &value)) == LST_OK) {
        struct lst_key_room room;
        struct lst_slice key;
        struct lst_slice id;
        status = lst_row_name_split(name, LST_ROW_UPLOAD_ID_SIZE, &room, &key, &id);
        if (status != LST_OK) {
            return status;
        }
        if (listing->count == options->max_entries) {
            listing->is_truncated = true;
            return LST_OK;
        }
        status = show_and_move(listing, key, id, &name, &value);
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

int lst_store_list_uploads(struct lst_store *store, const struct lst_upload_list_options *options,
                           int (*visit)(void *context, const struct lst_upload_entry *entry),
                           void *context, bool *ret_truncated)
{
    struct listing listing = {.options = options,
                              .scope = {options->prefix, options->delimiter},
                              .visit = visit,
                              .context = context};
    int status = lst_store_read_bucket(store, options->bucket, &listing.reader, &listing.partition);

    if (status != LST_OK) {
        return status;
    }
    lst_index_read_heads(listing.reader);
    status = list(&listing);
    lst_index_read_end(listing.reader);
    if (status == LST_OK) {
        *ret_truncated = listing.is_truncated;
    }
    return status;
}
