/*
 * list_versions.c - list the versions and delete markers of a bucket.
 *
 * The rows of current versions, objects and markers, are two runs in the order of their keys; the
 * smaller of the two next keys is the next one. Each is followed by the versions of that key that
 * are not current, newest first. These are a third run, in the same order.
 *
 * A key is in one of the runs, and may go to the other between two readings, and back; a version
 * may become current, or no longer be it. So what was read one after another counts if nothing was
 * committed meanwhile. The next keys of both runs are two readings; the versions of a key are read
 * again if its head has changed.
 */
#include "store/head.h"
#include "store/list.h"

enum {
    /* Rows of versions that are read before they are shown. */
    SOME_BYTES = 64 * 1024,
    SOME_BYTES_MAX = SOME_BYTES + LST_INDEX_VALUE_MAX + 1024,
    /* To find a key and read its versions while nothing is committed; then one after the other. */
    ATTEMPTS = 3,
};

/* One of the two runs, and the next row of it that was found. */
struct run {
    char kind;
    bool is_sought; /* what is below `from` is what was found from there on */
    bool has_ended; /* no row can be behind what was shown */
    bool is_over;   /* there is none */
    bool goes_on;   /* what is sought stands right behind what was found */
    struct lst_index_reader *reader;
    struct lst_row_name from; /* the name is not less than this */
    struct lst_row_name name;
    struct lst_buffer value;
};

/* The run of versions that are not current, and where it is. */
struct older {
    struct lst_index_reader *reader;
    bool is_sought;        /* else nothing is known */
    int status;            /* of the reading */
    struct lst_slice name; /* the reader's */
    struct lst_slice value;
};

struct listing {
    const struct lst_version_list_options *options;
    struct lst_list_scope scope;
    struct lst_store *store;
    struct lst_index_reader *reader;
    uint64_t partition;
    int (*visit)(void *context, const struct lst_version_entry *entry);
    void *context;
    struct run objects;
    struct run markers;
    struct older older;
    uint64_t version;       /* of the partition, before the runs were sought */
    struct lst_buffer rows; /* of some versions of a key: the length of each, and its value */
    size_t count;
    bool is_truncated; /* it is over, too */
};

/* Escaped, which keeps their order. */
static struct lst_slice run_key(const struct run *run)
{
    return lst_slice_after(lst_row_name_slice(&run->name), 1);
}

static int seek(struct listing *listing, struct run *run)
{
    struct lst_row_name range;
    struct lst_slice name;
    struct lst_slice value;
    bool goes_on = run->goes_on;
    int status;

    run->is_sought = true;
    run->is_over = true;
    run->goes_on = false;
    if (run->has_ended) {
        return LST_OK;
    }
    status = goes_on ? lst_index_next(run->reader, &name, &value)
                     : lst_index_seek(run->reader, listing->partition,
                                      lst_row_name_slice(&run->from), &name, &value);
    lst_row_name_make_escaped_prefix(&range, run->kind, listing->scope.prefix);
    status = lst_store_walk(run->reader, lst_row_name_slice(&range), status, &name, &value);
    if (status == LST_OK) {
        run->is_over = false;
        lst_row_name_make(&run->name, name.bytes[0], lst_slice_after(name, 1));
        lst_buffer_clear(&run->value);
        lst_buffer_append(&run->value, value);
        status = lst_buffer_status(&run->value);
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

static bool is_unchanged(const struct listing *listing)
{
    return lst_index_version(listing->store->index, listing->partition) == listing->version;
}

/* Find the next rows of both runs, if it is not known what they are. */
static int seek_runs(struct listing *listing)
{
    int status = listing->objects.is_sought ? LST_OK : seek(listing, &listing->objects);

    return status == LST_OK && !listing->markers.is_sought ? seek(listing, &listing->markers)
                                                           : status;
}

static void seek_again(struct listing *listing)
{
    listing->version = lst_index_version(listing->store->index, listing->partition);
    listing->objects.is_sought = listing->objects.goes_on = false;
    listing->markers.is_sought = listing->markers.goes_on = false;
    listing->older.is_sought = false;
}

/* The same, with nothing committed in between: only then no key has gone from one run to the other,
 * and perhaps back. LST_ERR_CORRUPT: something was, each of the LST_STORE_REPEATS_MAX times. */
static int seek_runs_for_certain(struct listing *listing)
{
    unsigned repeats = 0;
    int status;

    do {
        seek_again(listing);
        status = seek_runs(listing);
        if (status == LST_OK && !is_unchanged(listing)) {
            status = LST_ERR_CONFLICT;
        }
    } while (lst_store_reads_again(&status, &repeats));
    return status;
}

/* Have a run go on behind a key, or behind all that begin with a prefix. */
static void pass(struct run *run, struct lst_slice key, bool is_prefix)
{
    if (is_prefix) {
        lst_row_name_make_escaped_prefix(&run->from, run->kind, key);
    } else {
        lst_row_name_make_escaped(&run->from, run->kind, key);
    }
    run->has_ended = run->has_ended || !lst_list_pass(&run->from);
    /* Where there was none, there is none further on. */
    if (!run->is_over &&
        (run->has_ended ||
         lst_slice_compare(lst_row_name_slice(&run->name), lst_row_name_slice(&run->from)) < 0)) {
        run->goes_on = run->is_sought && !is_prefix;
        run->is_sought = false;
    }
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
    int status = lst_object_row_decode_head(value, &row);

    if (status != LST_OK || row.form == LST_FORM_UPLOAD) {
        return status != LST_OK ? status : LST_ERR_CORRUPT;
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

/* Keep a row to be shown, its head at least; *ret_order is its version's. */
static void keep_row(struct listing *listing, struct lst_slice value, uint64_t *ret_order)
{
    size_t head_length = lst_object_row_head_length(value);
    uint32_t length;

    value = head_length > 0 ? lst_slice_first(value, head_length) : value;
    length = (uint32_t)value.length;
    lst_buffer_append(&listing->rows, lst_slice_make((const char *)&length, sizeof(length)));
    lst_buffer_append(&listing->rows, value);
    *ret_order = lst_object_row_peek(value).order;
}

/* Some versions of a key that lie in listing->rows. */
struct some {
    bool has_head; /* the first is the current one */
    bool has_all;  /* there are none behind them */
    uint64_t last; /* the order of the last one */
    size_t room;   /* how many there may be */
};

static int keep_older(struct listing *listing, struct lst_slice key, struct some *some)
{
    struct lst_row_name start;
    struct lst_row_name all;
    struct lst_slice name;
    struct lst_slice value;
    int status;

    some->has_all = some->last == 0;
    if (some->has_all) {
        return LST_OK;
    }
    lst_row_name_make_version(&start, key, some->last - 1);
    lst_row_name_make_escaped(&all, LST_ROW_VERSION, key);
    status = lst_index_seek(listing->reader, listing->partition, lst_row_name_slice(&start), &name,
                            &value);
    while ((status = lst_store_walk(listing->reader, lst_row_name_slice(&all), status, &name,
                                    &value)) == LST_OK) {
        if (some->room == 0 || lst_buffer_slice(&listing->rows).length >= SOME_BYTES) {
            return LST_OK;
        }
        some->room--;
        keep_row(listing, value, &some->last);
        status = lst_index_next(listing->reader, &name, &value);
    }
    some->has_all = status == LST_ERR_NOT_FOUND;
    return some->has_all ? LST_OK : status;
}

static void seek_older(struct listing *listing, struct lst_slice all)
{
    struct older *older = &listing->older;

    if (!older->is_sought ||
        (older->status != LST_ERR_NOT_FOUND && lst_slice_compare(older->name, all) < 0)) {
        older->is_sought = true;
        older->status =
            lst_index_seek(older->reader, listing->partition, all, &older->name, &older->value);
    }
}

/* The same of all that are not current, read on where the run stands. If it can't be read there,
 * they are looked for. */
static int keep_next_older(struct listing *listing, struct lst_slice key, struct some *some)
{
    struct older *older = &listing->older;
    struct lst_row_name all;
    struct lst_slice range;

    lst_row_name_make_escaped(&all, LST_ROW_VERSION, key);
    range = lst_row_name_slice(&all);
    seek_older(listing, range);
    while (older->status == LST_OK && lst_slice_starts_with(older->name, range)) {
        if (some->room == 0 || lst_buffer_slice(&listing->rows).length >= SOME_BYTES) {
            return LST_OK;
        }
        some->room--;
        keep_row(listing, older->value, &some->last);
        older->status = lst_index_next(older->reader, &older->name, &older->value);
    }
    if (older->status != LST_OK && older->status != LST_ERR_NOT_FOUND) {
        return keep_older(listing, key, some);
    }
    some->has_all = true;
    return LST_OK;
}

/* Read versions of a key that are older than this order. LST_ERR_CONFLICT: they changed
 * meanwhile. */
static int read_some(struct listing *listing, struct lst_slice key, uint64_t below,
                     struct some *ret_some)
{
    uint64_t version = lst_index_version(listing->store->index, listing->partition);
    struct lst_key_place place = {.store = listing->store,
                                  .reader = listing->reader,
                                  .partition = listing->partition,
                                  .key = key};
    struct lst_found_row head;
    int status = lst_head_read(&place, &head);

    *ret_some =
        (struct some){.last = below, .room = listing->options->max_entries - listing->count + 1};
    lst_buffer_clear(&listing->rows);
    if (status != LST_OK) {
        return status;
    }
    ret_some->has_head = head.kind != 0 && head.version.order < below;
    if (ret_some->has_head) {
        keep_row(listing, head.value, &ret_some->last);
    }
    status = keep_older(listing, key, ret_some);
    if (status == LST_OK) {
        status = lst_buffer_status(&listing->rows);
    }
    if (status != LST_OK ||
        lst_index_version(listing->store->index, listing->partition) == version) {
        return status;
    }
    return lst_head_confirm(&place, &head);
}

static int show_some(struct listing *listing, struct lst_slice key, const struct some *some)
{
    struct lst_slice rest = lst_buffer_slice(&listing->rows);
    bool is_latest = some->has_head;
    int status = LST_OK;

    while (rest.length > 0 && status == LST_OK && !listing->is_truncated) {
        uint32_t length;
        memcpy(&length, rest.bytes, sizeof(length));
        rest = lst_slice_after(rest, sizeof(length));
        status = show_row(listing, key, lst_slice_first(rest, length), is_latest);
        rest = lst_slice_after(rest, length);
        is_latest = false;
    }
    return status;
}

/* Show the versions of a key that are older than this order. */
static int show_versions(struct listing *listing, struct lst_slice key, uint64_t below)
{
    struct some some = {.has_all = false};
    unsigned repeats = 0;
    int status = LST_OK;

    while (status == LST_OK && !some.has_all && !listing->is_truncated) {
        do {
            status = read_some(listing, key, below, &some);
        } while (lst_store_reads_again(&status, &repeats));
        if (status == LST_OK) {
            status = show_some(listing, key, &some);
        }
        below = some.last;
    }
    return status;
}

/* Show a common prefix. */
static int show_prefix(struct listing *listing, struct lst_slice prefix)
{
    return show(listing, &(struct lst_version_entry){.is_prefix = true, .key = prefix});
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

/* Where the null version is, or UINT64_MAX. */
static int find_null_order(const struct listing *listing, struct lst_slice key, uint64_t *ret_order)
{
    struct lst_key_place place = {.store = listing->store,
                                  .reader = listing->reader,
                                  .partition = listing->partition,
                                  .key = key};
    struct lst_found_row found;
    struct lst_found_row head;
    unsigned repeats = 0;
    int status;

    found.kind = 0;
    do {
        status = lst_head_read(&place, &head);
        if (status == LST_OK) {
            status = lst_version_read(&place, &head, (struct lst_version){0}, &found);
        }
    } while (lst_store_reads_again(&status, &repeats));
    *ret_order = status == LST_OK && found.kind != 0 ? found.version.order : UINT64_MAX;
    return status;
}

/* Show what is left of the key that the listing goes on in the midst of: what is older than the
 * version. If that was the null version and is gone, nobody knows what is older; then all. */
static int show_rest_of_key(struct listing *listing, struct lst_version version)
{
    struct lst_slice key = listing->options->after_key;
    int status = LST_OK;

    if (lst_version_is_null(version)) {
        status = find_null_order(listing, key, &version.order);
    }
    return status == LST_OK ? show_versions(listing, key, version.order) : status;
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
    seek_again(listing);
    for (size_t i = 0; i < 2; i++) {
        runs[i]->has_ended =
            !lst_list_start(&listing->scope, runs[i]->kind, options->after_key, &runs[i]->from);
    }
    return status;
}

/* Show the next key, or common prefix, as it was found without looking twice: as a rule nothing was
 * committed meanwhile. LST_ERR_CONFLICT: something was; nothing is shown. */
static int show_found(struct listing *listing, const struct run *run, struct lst_slice key,
                      bool is_prefix)
{
    struct some some = {.has_head = true,
                        .room = listing->options->max_entries - listing->count + 1};
    int status;

    if (is_prefix) {
        return is_unchanged(listing) ? show_prefix(listing, key) : LST_ERR_CONFLICT;
    }
    lst_buffer_clear(&listing->rows);
    keep_row(listing, lst_buffer_slice(&run->value), &some.last);
    status = keep_next_older(listing, key, &some);
    if (status == LST_OK) {
        status = lst_buffer_status(&listing->rows);
    }
    if (status == LST_OK && !is_unchanged(listing)) {
        status = LST_ERR_CONFLICT;
    }
    if (status == LST_OK) {
        status = show_some(listing, key, &some);
    }
    return status == LST_OK && !some.has_all && !listing->is_truncated
               ? show_versions(listing, key, some.last)
               : status;
}

/* LST_ERR_NOT_FOUND: there is nothing more. LST_ERR_CONFLICT: see above. */
static int show_next(struct listing *listing, bool is_certain)
{
    int status = is_certain ? seek_runs_for_certain(listing) : seek_runs(listing);
    const struct run *run = next_run(listing);
    struct lst_row_name copy; /* the runs go on */
    struct lst_key_room room;
    struct lst_slice key;
    bool is_prefix;

    if (status != LST_OK) {
        return status;
    }
    if (run->is_over) {
        return is_certain || is_unchanged(listing) ? LST_ERR_NOT_FOUND : LST_ERR_CONFLICT;
    }
    lst_row_name_make(&copy, LST_ROW_OBJECT, run_key(run));
    status = lst_row_name_split_key(lst_row_name_slice(&copy), &room, &key);
    if (status != LST_OK) {
        return status;
    }
    is_prefix = lst_list_common_prefix(&listing->scope, key, &key);
    if (!is_certain) {
        status = show_found(listing, run, key, is_prefix);
    } else if (is_prefix) {
        status = show_prefix(listing, key);
    } else {
        status = show_versions(listing, key, UINT64_MAX);
    }
    if (status == LST_OK) {
        pass(&listing->objects, key, is_prefix);
        pass(&listing->markers, key, is_prefix);
    }
    return status;
}

static int list(struct listing *listing)
{
    int status = begin(listing);

    while (status == LST_OK && !listing->is_truncated && listing->options->max_entries > 0) {
        status = LST_ERR_CONFLICT;
        for (int i = 0; i < ATTEMPTS && status == LST_ERR_CONFLICT; i++) {
            status = show_next(listing, false);
            if (status == LST_ERR_CONFLICT) {
                seek_again(listing);
            }
        }
        if (status == LST_ERR_CONFLICT) {
            status = show_next(listing, true);
        }
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

/* Each run is a scan of its own. */
static int begin_readers(struct listing *listing)
{
    struct lst_index_reader **readers[] = {&listing->objects.reader, &listing->markers.reader,
                                           &listing->older.reader};
    int status = LST_OK;

    lst_index_read_heads(listing->reader);
    for (size_t i = 0; i < 3 && status == LST_OK; i++) {
        status = lst_index_read_begin(listing->store->index, readers[i]);
        if (status == LST_OK) {
            lst_index_read_heads(*readers[i]);
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
                              .store = store,
                              .visit = visit,
                              .context = context,
                              .objects.kind = LST_ROW_OBJECT,
                              .markers.kind = LST_ROW_MARKER};
    int status = lst_store_read_bucket(store, options->bucket, &listing.reader, &listing.partition);

    if (status != LST_OK) {
        return status;
    }
    lst_buffer_init(&listing.rows, SOME_BYTES_MAX);
    lst_buffer_init(&listing.objects.value, LST_INDEX_VALUE_MAX);
    lst_buffer_init(&listing.markers.value, LST_INDEX_VALUE_MAX);
    status = begin_readers(&listing);
    if (status == LST_OK) {
        status = list(&listing);
    }
    lst_buffer_release(&listing.rows);
    lst_buffer_release(&listing.objects.value);
    lst_buffer_release(&listing.markers.value);
    lst_index_read_end(listing.objects.reader);
    lst_index_read_end(listing.markers.reader);
    lst_index_read_end(listing.older.reader);
    lst_index_read_end(listing.reader);
    if (status == LST_OK) {
        *ret_truncated = listing.is_truncated;
    }
    return status;
}
