/* usage.c - how much is in a bucket: what its row says, and what a count gives. */
#include "store/usage.h"

#include "store/ranges.h"

static void add_usage(struct lst_usage *sum, const struct lst_usage *usage)
{
    for (size_t i = 0; i < LST_USAGE_COUNT; i++) {
        sum->numbers[i] += usage->numbers[i];
    }
}

int lst_usage_read(struct lst_index_reader *reader, uint64_t partition, struct lst_usage *ret_usage)
{
    struct lst_route route = {.length = 0};
    struct lst_usage sum = {0};
    int status;

    do {
        struct lst_usage usage = {0};
        struct lst_slice value;
        status =
            lst_index_get_own(reader, partition, lst_route_slice(&route), LST_ROW_USAGE, &value);
        if (status == LST_OK) {
            status = lst_usage_decode(value, &usage);
        }
        if (status != LST_OK && status != LST_ERR_NOT_FOUND) {
            return status;
        }
        add_usage(&sum, &usage);
        status = lst_route_next(reader, partition, &route);
    } while (status == LST_OK);
    *ret_usage = sum;
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

int lst_usage_count(struct lst_index_reader *reader, uint64_t partition, struct lst_slice from,
                    const struct lst_slice *to, struct lst_usage *ret_usage)
{
    static const char kinds[] = {LST_ROW_OBJECT, LST_ROW_MARKER, LST_ROW_VERSION, LST_ROW_UPLOAD};
    struct lst_usage usage = {0};

    for (size_t i = 0; i < sizeof(kinds); i++) {
        struct lst_slice kind = lst_slice_make(&kinds[i], 1);
        struct lst_row_name start;
        struct lst_slice name;
        struct lst_slice value;
        int status;

        lst_row_name_make(&start, kinds[i], from);
        status = lst_index_seek(reader, partition, lst_row_name_slice(&start), &name, &value);
        while ((status = lst_store_walk(reader, kind, status, &name, &value)) == LST_OK) {
            if (to != NULL && lst_slice_compare(lst_slice_after(name, 1), *to) >= 0) {
                status = LST_ERR_NOT_FOUND;
                break;
            }
            lst_usage_add_row(&usage, kinds[i], lst_object_row_size(value), 1);
            status = lst_index_next(reader, &name, &value);
        }
        if (status != LST_ERR_NOT_FOUND) {
            return status;
        }
    }
    *ret_usage = usage;
    return LST_OK;
}

/* ---- For the layers above */

struct usage_visit {
    struct lst_index_reader *reader;
    int (*visit)(void *context, const struct lst_bucket_usage *usage);
    void *context;
};

/* What was never below zero is not shown so, whatever the row says. */
static uint64_t shown(int64_t number)
{
    return number < 0 ? 0 : (uint64_t)number;
}

static int show_bucket(void *context, const struct lst_bucket_row *row)
{
    const struct usage_visit *visit = context;
    struct lst_usage usage;
    int status =
        row->status != LST_OK ? row->status : lst_usage_read(visit->reader, row->partition, &usage);

    if (status == LST_ERR_CORRUPT || status == LST_ERR_FORMAT) {
        return visit->visit(visit->context, &(struct lst_bucket_usage){.bucket = row->bucket.name,
                                                                       .is_damaged = true});
    }
    if (status != LST_OK) {
        return status;
    }
    return visit->visit(visit->context, &(struct lst_bucket_usage){
                                            .bucket = row->bucket.name,
                                            .objects = shown(usage.numbers[LST_USAGE_OBJECTS]),
                                            .versions = shown(usage.numbers[LST_USAGE_VERSIONS]),
                                            .bytes = shown(usage.numbers[LST_USAGE_BYTES]),
                                            .uploads = shown(usage.numbers[LST_USAGE_UPLOADS])});
}

int lst_store_usage(struct lst_store *store,
                    int (*visit)(void *context, const struct lst_bucket_usage *usage),
                    void *context)
{
    struct lst_slice nothing = lst_slice_make(NULL, 0);
    struct usage_visit each = {.visit = visit, .context = context};
    struct lst_index_reader *buckets;
    int status = lst_index_read_begin(store->index, &buckets);

    if (status != LST_OK) {
        return status;
    }
    /* A reader of its own: the walk over the buckets needs its cursor. */
    status = lst_index_read_begin(store->index, &each.reader);
    if (status == LST_OK) {
        status = lst_store_each_bucket(buckets, nothing, nothing, show_bucket, &each);
        lst_index_read_end(each.reader);
    }
    lst_index_read_end(buckets);
    return status;
}

/* ---- Counting anew */

/* LST_ERR_CONFLICT: somebody wrote meanwhile. */
static int put_usage(struct lst_store *store, uint64_t partition, struct lst_slice route,
                     struct lst_slice before, const struct lst_usage *usage)
{
    static const char usage_name = LST_ROW_USAGE;
    char bytes[8 * LST_USAGE_COUNT];
    struct lst_slice name = lst_slice_make(&usage_name, 1);
    struct lst_index_change changes[2] = {
        {.kind = before.bytes == NULL ? LST_INDEX_REQUIRE_ABSENT : LST_INDEX_REQUIRE_PREFIX,
         .key = name,
         .value = before},
        {.kind = LST_INDEX_PUT, .key = name, .value = lst_slice_make(bytes, sizeof(bytes))},
    };

    lst_usage_encode(usage, bytes);
    return lst_index_apply_to(store->index, partition, route, changes, 2);
}

/* A range; goes on to the next one. LST_ERR_NOT_FOUND: that was the last. */
static int recount_range(struct lst_store *store, uint64_t partition, struct lst_route *route)
{
    struct lst_route next = *route;
    struct lst_slice low = lst_route_slice(&next);
    struct lst_index_reader *reader;
    struct lst_usage usage;
    struct lst_slice value = {NULL, 0};
    char before[LST_INDEX_ADD_MAX];
    int more = LST_ERR_NOT_FOUND;
    int status = lst_index_read_begin(store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    status = lst_index_get_own(reader, partition, lst_route_slice(route), LST_ROW_USAGE, &value);
    value = lst_slice_first(value, sizeof(before));
    if (value.length > 0) {
        memcpy(before, value.bytes, value.length);
    }
    value.bytes = status == LST_ERR_NOT_FOUND ? NULL : before;
    if (status == LST_OK || status == LST_ERR_NOT_FOUND || status == LST_ERR_CORRUPT) {
        more = lst_route_next(reader, partition, &next);
        low = lst_route_slice(&next);
        status = more == LST_OK || more == LST_ERR_NOT_FOUND
                     ? lst_usage_count(reader, partition, lst_route_slice(route),
                                       more == LST_OK ? &low : NULL, &usage)
                     : more;
    }
    lst_index_read_end(reader);
    if (status == LST_OK) {
        status = put_usage(store, partition, lst_route_slice(route), value, &usage);
    }
    *route = next;
    return status == LST_OK ? more : status;
}

static int recount_bucket(void *context, const struct lst_bucket_row *row)
{
    struct lst_route route = {.length = 0};
    int status = row->status;

    while (status == LST_OK) {
        status = recount_range(context, row->partition, &route);
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

int lst_store_recount(struct lst_store *store)
{
    struct lst_slice nothing = lst_slice_make(NULL, 0);
    struct lst_index_reader *reader;
    int status =
        store->read_only ? LST_ERR_PERMISSION : lst_index_read_begin(store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    status = lst_store_each_bucket(reader, nothing, nothing, recount_bucket, store);
    lst_index_read_end(reader);
    return status;
}
