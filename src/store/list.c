/* list.c - list the keys of a bucket, with prefix and delimiter. */
#include "store/list.h"

struct listing {
    const struct lst_list_options *options;
    struct lst_list_scope scope;
    struct lst_index_reader *reader;
    uint64_t partition;
    int (*visit)(void *context, const struct lst_list_entry *entry);
    void *context;
    size_t count;
    bool is_truncated;
};

bool lst_list_common_prefix(const struct lst_list_scope *scope, struct lst_slice key,
                            struct lst_slice *ret_prefix)
{
    struct lst_slice rest = lst_slice_after(key, scope->prefix.length);
    size_t at;

    if (scope->delimiter.length == 0) {
        return false;
    }
    at = lst_slice_find_slice(rest, scope->delimiter);
    if (at == rest.length) {
        return false;
    }
    *ret_prefix = lst_slice_first(key, scope->prefix.length + at + scope->delimiter.length);
    return true;
}

bool lst_list_pass(struct lst_row_name *name)
{
    while (name->length > 1 && (uint8_t)name->bytes[name->length - 1] == 0xFF) {
        name->length--;
    }
    if (name->length == 1) {
        return false;
    }
    name->bytes[name->length - 1]++;
    return true;
}

bool lst_list_start(const struct lst_list_scope *scope, char kind, struct lst_slice after,
                    struct lst_row_name *ret_start)
{
    struct lst_slice passed;

    if (scope->prefix.length > LST_STORE_KEY_MAX) {
        return false;
    }
    if (after.length == 0 || lst_slice_compare(after, scope->prefix) < 0) {
        lst_row_name_make_escaped_prefix(ret_start, kind, scope->prefix);
        return true;
    }
    if (!lst_slice_starts_with(after, scope->prefix)) {
        return false; /* behind all that begin with the prefix */
    }
    /* A common prefix that `after` is in has been listed. */
    if (lst_list_common_prefix(scope, after, &passed) && passed.length <= LST_STORE_KEY_MAX) {
        lst_row_name_make_escaped_prefix(ret_start, kind, passed);
        return lst_list_pass(ret_start);
    }
    if (after.length > LST_STORE_KEY_MAX) { /* no key has it for its beginning */
        after = lst_slice_first(after, LST_STORE_KEY_MAX + 1);
        lst_row_name_make_escaped_prefix(ret_start, kind, after);
        return true;
    }
    lst_row_name_make_escaped(ret_start, kind, after);
    return lst_list_pass(ret_start);
}

static int show(struct listing *listing, const struct lst_list_entry *entry)
{
    listing->count++;
    return listing->visit(listing->context, entry);
}

static int show_object(struct listing *listing, struct lst_slice key, struct lst_slice value)
{
    struct lst_object_row row;
    struct lst_list_entry entry = {.key = key};
    int status = lst_object_row_decode_head(value, &row);

    if (status != LST_OK) {
        return status;
    }
    entry.size = row.size;
    entry.modified_ms = row.modified_ms;
    entry.etag = row.etag;
    entry.fields = row.fields;
    entry.field_count = row.field_count;
    return show(listing, &entry);
}

/* Show the entry that the key belongs to and move on to the next; *ret_key and *ret_value are the
 * cursor's before and after. LST_ERR_NOT_FOUND: there is none. */
static int show_and_move(struct listing *listing, struct lst_slice *ret_key,
                         struct lst_slice *ret_value)
{
    struct lst_list_entry entry = {.is_prefix = true};
    struct lst_key_room room;
    struct lst_row_name behind;
    struct lst_slice key;
    int status = lst_row_name_split_key(*ret_key, &room, &key);

    if (status != LST_OK) {
        return status;
    }
    if (!lst_list_common_prefix(&listing->scope, key, &entry.key)) {
        status = show_object(listing, key, *ret_value);
        return status == LST_OK ? lst_index_next(listing->reader, ret_key, ret_value) : status;
    }
    lst_row_name_make_escaped_prefix(&behind, LST_ROW_OBJECT, entry.key);
    if (!lst_list_pass(&behind)) {
        status = show(listing, &entry);
        return status == LST_OK ? LST_ERR_NOT_FOUND : status;
    }
    status = show(listing, &entry);
    if (status != LST_OK) {
        return status;
    }
    return lst_index_seek(listing->reader, listing->partition, lst_row_name_slice(&behind), ret_key,
                          ret_value);
}

static int list(struct listing *listing)
{
    const struct lst_list_options *options = listing->options;
    struct lst_row_name start;
    struct lst_row_name range;
    struct lst_slice key;
    struct lst_slice value;
    int status;

    if (options->max_entries == 0 ||
        !lst_list_start(&listing->scope, LST_ROW_OBJECT, options->after, &start)) {
        return LST_OK;
    }
    status = lst_index_seek(listing->reader, listing->partition, lst_row_name_slice(&start), &key,
                            &value);
    lst_row_name_make_escaped_prefix(&range, LST_ROW_OBJECT, options->prefix);
    while ((status = lst_store_walk(listing->reader, lst_row_name_slice(&range), status, &key,
                                    &value)) == LST_OK) {
        if (listing->count == options->max_entries) {
            listing->is_truncated = true;
            return LST_OK;
        }
        status = show_and_move(listing, &key, &value);
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

int lst_store_list(struct lst_store *store, const struct lst_list_options *options,
                   int (*visit)(void *context, const struct lst_list_entry *entry), void *context,
                   bool *ret_truncated)
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
