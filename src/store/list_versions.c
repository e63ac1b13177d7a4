/*
 * list_versions.c - list the versions and delete markers of a bucket.
 *
 * The rows of current versions, objects and markers, are two runs in the order of their keys; the
 * smaller of the two next keys is the next one. Each is followed by the versions of that key that
 * are not current, newest first.
 */
#include "store/head.h"
#include "store/list.h"

/* The next row of one of the two runs. */
struct run {
    char kind;
    bool is_over;
    struct lst_row_name name;
    struct lst_slice value;
};

struct listing {
    const struct lst_version_list_options *options;
    struct lst_list_scope scope;
    struct lst_index_reader *reader;
    uint64_t partition;
    int (*visit)(void *context, const struct lst_version_entry *entry);
    void *context;
    struct run objects;
    struct run markers;
    size_t count;
    bool is_truncated; /* it is over, too */
};

static struct lst_slice run_key(const struct run *run)
{
    return lst_slice_after(lst_row_name_slice(&run->name), 1);
}

/* Move to the first row that is not less than this name (which may be the run's own). */
static int seek(struct listing *listing, struct run *run, const struct lst_row_name *start)
{
    struct lst_row_name range;
    struct lst_slice name;
    int status = lst_index_seek(listing->reader, listing->partition, lst_row_name_slice(start),
                                &name, &run->value);

    lst_row_name_make(&range, run->kind, listing->scope.prefix);
    status =
        lst_store_walk(listing->reader, lst_row_name_slice(&range), status, &name, &run->value);
    if (status == LST_ERR_NOT_FOUND) {
        run->is_over = true;
        return LST_OK;
    }
    if (status != LST_OK) {
        return status;
    }
    run->is_over = false;
    lst_row_name_make(&run->name, name.bytes[0], lst_slice_after(name, 1));
    return LST_OK;
}

/* ---- Showing */

static int show(struct listing *listing, const struct lst_version_entry *entry)
{
    if (listing->count == listing->options->max_entries) {
        listing->is_truncated = true;
        return LST_OK;
    }
    listing->count++;
    return listing->visit(listing->context, entry);
}

static int show_row(struct listing *listing, struct lst_slice key, struct lst_slice value,
                    bool is_latest)
{
    struct lst_version_entry entry = {.is_latest = is_latest, .key = key};
    struct lst_object_row row;
    int status = lst_object_row_decode(value, &row);

    if (status != LST_OK || row.form == LST_FORM_UPLOAD) {
        return LST_ERR_CORRUPT;
    }
    entry.is_marker = row.form == LST_FORM_MARKER;
    lst_version_format(row.version, &entry.version);
    entry.size = row.size;
    entry.modified_ms = row.modified_ms;
    entry.etag = row.etag;
    entry.fields = row.fields;
    entry.field_count = row.field_count;
    return show(listing, &entry);
}

/* Show the versions of a key that are not current, from this name on. */
static int show_older(struct listing *listing, struct lst_slice key,
                      const struct lst_row_name *start)
{
    struct lst_row_name all;
    struct lst_slice name;
    struct lst_slice value;
    int status = lst_index_seek(listing->reader, listing->partition, lst_row_name_slice(start),
                                &name, &value);

    lst_row_name_make_escaped(&all, LST_ROW_VERSION, key);
    while ((status = lst_store_walk(listing->reader, lst_row_name_slice(&all), status, &name,
                                    &value)) == LST_OK) {
        status = show_row(listing, key, value, false);
        if (status != LST_OK || listing->is_truncated) {
            return status;
        }
        status = lst_index_next(listing->reader, &name, &value);
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

static int show_key(struct listing *listing, struct run *run)
{
    struct lst_row_name older;
    int status = show_row(listing, run_key(run), run->value, true);

    if (status == LST_OK && !listing->is_truncated) {
        lst_row_name_make_escaped(&older, LST_ROW_VERSION, run_key(run));
        status = show_older(listing, run_key(run), &older);
    }
    if (status != LST_OK || listing->is_truncated) {
        return status;
    }
    lst_row_name_append(&run->name, lst_slice_make("", 1));
    return seek(listing, run, &run->name);
}

static int pass_prefix(struct listing *listing, struct run *run, struct lst_slice prefix)
{
    struct lst_row_name behind;

    if (run->is_over || !lst_slice_starts_with(run_key(run), prefix)) {
        return LST_OK;
    }
    lst_row_name_make(&behind, run->kind, prefix);
    if (!lst_list_pass(&behind)) {
        run->is_over = true;
        return LST_OK;
    }
    return seek(listing, run, &behind);
}

/* Show the common prefix that the run's key belongs to, and go behind it in both. */
static int show_prefix(struct listing *listing, struct lst_slice prefix)
{
    struct lst_row_name copy; /* the prefix is part of a key that is passed */
    struct lst_version_entry entry = {.is_prefix = true};
    int status;

    lst_row_name_make(&copy, LST_ROW_OBJECT, prefix);
    entry.key = lst_slice_after(lst_row_name_slice(&copy), 1);
    status = show(listing, &entry);
    if (status == LST_OK && !listing->is_truncated) {
        status = pass_prefix(listing, &listing->objects, entry.key);
    }
    if (status == LST_OK && !listing->is_truncated) {
        status = pass_prefix(listing, &listing->markers, entry.key);
    }
    return status;
}

static struct run *next_run(struct listing *listing)
{
    if (listing->objects.is_over || listing->markers.is_over) {
        return listing->objects.is_over ? &listing->markers : &listing->objects;
    }
    return lst_slice_compare(run_key(&listing->objects), run_key(&listing->markers)) <= 0
               ? &listing->objects
               : &listing->markers;
}

/* ---- Where to begin */

/* Show what is left of the key that the listing goes on in the midst of: what is older than the
 * version. If that was the null version and is gone, nobody knows what is older; then all. */
static int show_rest_of_key(struct listing *listing, struct lst_version version)
{
    struct lst_key_place place = {.reader = listing->reader,
                                  .partition = listing->partition,
                                  .key = listing->options->after_key};
    struct lst_found_row head;
    struct lst_row_name start;
    int status = lst_head_read(&place, &head);

    if (status == LST_OK && lst_version_is_null(version)) {
        struct lst_found_row found;
        status = lst_version_read(&place, &head, version, &found);
        version.order = status == LST_OK && found.kind != 0 ? found.version.order : UINT64_MAX;
    }
    if (status == LST_OK && head.kind != 0 && head.version.order < version.order) {
        status = show_row(listing, place.key, head.value, true);
    }
    if (status != LST_OK || listing->is_truncated || version.order == 0) {
        return status;
    }
    lst_row_name_make_version(&start, place.key, version.order - 1);
    return show_older(listing, place.key, &start);
}

/* Whether the listing goes on in the midst of a key: one that it has, and not as part of a common
 * prefix. */
static bool is_amidst_key(const struct listing *listing)
{
    struct lst_slice key = listing->options->after_key;
    struct lst_slice passed;

    return listing->options->after_version.length > 0 && key.length > 0 &&
           key.length <= LST_STORE_KEY_MAX && lst_slice_starts_with(key, listing->scope.prefix) &&
           !lst_list_common_prefix(&listing->scope, key, &passed);
}

static int begin(struct listing *listing)
{
    const struct lst_version_list_options *options = listing->options;
    struct run *runs[2] = {&listing->objects, &listing->markers};
    struct lst_version version = {0};
    int status = LST_OK;

    if (options->after_version.length > 0) {
        status = lst_version_parse(options->after_version, &version);
    }
    if (status == LST_OK && options->max_entries > 0 && is_amidst_key(listing)) {
        status = show_rest_of_key(listing, version);
    }
    for (size_t i = 0; i < 2 && status == LST_OK; i++) {
        struct lst_row_name start;
        if (lst_list_start(&listing->scope, runs[i]->kind, options->after_key, &start)) {
            status = seek(listing, runs[i], &start);
        } else {
            runs[i]->is_over = true;
        }
    }
    return status;
}

static int list(struct listing *listing)
{
    int status = begin(listing);

    while (status == LST_OK && !listing->is_truncated && listing->options->max_entries > 0) {
        struct run *run = next_run(listing);
        struct lst_slice prefix;
        if (run->is_over) {
            return LST_OK;
        }
        if (lst_list_common_prefix(&listing->scope, run_key(run), &prefix)) {
            status = show_prefix(listing, prefix);
        } else {
            status = show_key(listing, run);
        }
    }
    return status;
}

int lst_store_list_versions(struct lst_store *store, const struct lst_version_list_options *options,
                            int (*visit)(void *context, const struct lst_version_entry *entry),
                            void *context, bool *ret_truncated)
{
    struct listing listing = {.options = options,
                              .scope = {options->prefix, options->delimiter},
                              .visit = visit,
                              .context = context,
                              .objects.kind = LST_ROW_OBJECT,
                              .markers.kind = LST_ROW_MARKER};
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
