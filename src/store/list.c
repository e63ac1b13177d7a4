/* list.c - list the keys of a bucket, with prefix and delimiter. */
#include "store/state.h"

struct listing {
    const struct lst_list_options *options;
    struct lst_index_reader *reader;
    uint64_t partition;
    int (*visit)(void *context, const struct lst_list_entry *entry);
    void *context;
    size_t count;
    bool is_truncated;
};

/* The common prefix that a key belongs to: up to the first delimiter behind the listing's prefix;
 * false if it has none. */
static bool common_prefix(const struct lst_list_options *options, struct lst_slice key,
                          struct lst_slice *ret_prefix)
{
    struct lst_slice rest = lst_slice_after(key, options->prefix.length);
    size_t at;

    if (options->delimiter.length == 0) {
        return false;
    }
    at = lst_slice_find_slice(rest, options->delimiter);
    if (at == rest.length) {
        return false;
    }
    *ret_prefix = lst_slice_first(key, options->prefix.length + at + options->delimiter.length);
    return true;
}

/* Make the name that is less than no key with this prefix, and not greater than any key behind
 * them. False: no key can be behind them. */
static bool name_behind_prefix(struct lst_row_name *name, struct lst_slice prefix)
{
    lst_row_name_make(name, LST_ROW_OBJECT, prefix);
    while (name->length > 1 && (uint8_t)name->bytes[name->length - 1] == 0xFF) {
        name->length--;
    }
    if (name->length == 1) {
        return false;
    }
    name->bytes[name->length - 1]++;
    return true;
}

/* Where to begin. False: nothing can be listed. */
static bool make_start(const struct lst_list_options *options, struct lst_row_name *ret_start)
{
    struct lst_slice passed;

    if (options->prefix.length > LST_STORE_KEY_MAX) {
        return false;
    }
    if (options->after.length == 0 || lst_slice_compare(options->after, options->prefix) < 0) {
        lst_row_name_make(ret_start, LST_ROW_OBJECT, options->prefix);
        return true;
    }
    if (!lst_slice_starts_with(options->after, options->prefix)) {
        return false; /* behind all that begin with the prefix */
    }
    /* A common prefix that `after` is in has been listed. */
    if (common_prefix(options, options->after, &passed) && passed.length <= LST_STORE_KEY_MAX) {
        return name_behind_prefix(ret_start, passed);
    }
    lst_row_name_make(ret_start, LST_ROW_OBJECT, options->after);
    if (ret_start->length < sizeof(ret_start->bytes)) {
        ret_start->bytes[ret_start->length++] = '\0';
    }
    return true;
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
    int status = lst_object_row_decode(value, &row);

    if (status != LST_OK) {
        return status;
    }
    entry.size = row.size;
    entry.modified_ms = row.modified_ms;
    entry.etag = row.etag;
    return show(listing, &entry);
}

/* Show the entry that the key belongs to and move on to the next; *ret_key and *ret_value are the
 * cursor's before and after. LST_ERR_NOT_FOUND: there is none. */
static int show_and_move(struct listing *listing, struct lst_slice *ret_key,
                         struct lst_slice *ret_value)
{
    struct lst_list_entry entry = {.is_prefix = true};
    struct lst_slice key = lst_slice_after(*ret_key, 1);
    struct lst_row_name behind;
    int status;

    if (!common_prefix(listing->options, key, &entry.key)) {
        status = show_object(listing, key, *ret_value);
        return status == LST_OK ? lst_index_next(listing->reader, ret_key, ret_value) : status;
    }
    if (!name_behind_prefix(&behind, entry.key)) {
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
    struct lst_slice key;
    struct lst_slice value;
    int status;

    if (options->max_entries == 0 || !make_start(options, &start)) {
        return LST_OK;
    }
    status = lst_index_seek(listing->reader, listing->partition, lst_row_name_slice(&start), &key,
                            &value);
    while (status == LST_OK && key.bytes[0] == LST_ROW_OBJECT &&
           lst_slice_starts_with(lst_slice_after(key, 1), options->prefix)) {
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
    struct listing listing = {.options = options, .visit = visit, .context = context};
    int status = lst_store_read_bucket(store, options->bucket, &listing.reader, &listing.partition);

    if (status != LST_OK) {
        return status;
    }
    status = list(&listing);
    lst_index_read_end(listing.reader);
    if (status == LST_OK) {
        *ret_truncated = listing.is_truncated;
    }
    return status;
}
