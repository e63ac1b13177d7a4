/* bucket.c - names of buckets, looking at buckets, and asking for one to be made or deleted. */
#include "store/state.h"

#include <stdlib.h>

enum { BUCKET_NAME_MIN = 3 };

static bool is_name_character(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9') ||
           character == '-' || character == '.';
}

static bool is_letter_or_digit(char character)
{
    return is_name_character(character) && character != '-' && character != '.';
}

static bool starts_with(struct lst_slice name, const char *prefix)
{
    return lst_slice_starts_with(name, lst_slice_make(prefix, strlen(prefix)));
}

static bool ends_with(struct lst_slice name, const char *suffix)
{
    size_t length = strlen(suffix);

    return name.length >= length && memcmp(name.bytes + name.length - length, suffix, length) == 0;
}

/* Four groups of one to three digits: formatted as an IPv4 address. */
static bool is_address(struct lst_slice name)
{
    struct lst_slice rest = name;
    struct lst_slice group;
    size_t groups = 0;

    while (lst_slice_split(&rest, '.', &group)) {
        uint64_t number;
        if (group.length > 3 || !lst_slice_to_number(group, 999, &number)) {
            return false;
        }
        groups++;
    }
    return groups == 4;
}

/* Amazon S3 User Guide, "General purpose bucket naming rules". */
static bool has_reserved_affix(struct lst_slice name)
{
    static const char *const prefixes[] = {"xn--", "sthree-", "amzn-s3-demo-"};
    static const char *const suffixes[] = {"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"};

    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (starts_with(name, prefixes[i])) {
            return true;
        }
    }
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        if (ends_with(name, suffixes[i])) {
            return true;
        }
    }
    return false;
}

int lst_bucket_name_check(struct lst_slice name)
{
    if (name.length < BUCKET_NAME_MIN || name.length > LST_BUCKET_NAME_MAX ||
        !is_letter_or_digit(name.bytes[0]) || !is_letter_or_digit(name.bytes[name.length - 1])) {
        return LST_ERR_BUCKET_NAME;
    }
    for (size_t i = 0; i < name.length; i++) {
        if (!is_name_character(name.bytes[i]) ||
            (name.bytes[i] == '.' && name.bytes[i + 1] == '.')) {
            return LST_ERR_BUCKET_NAME;
        }
    }
    return is_address(name) || has_reserved_affix(name) ? LST_ERR_BUCKET_NAME : LST_OK;
}

/* ---- Looking */

static int read_row(struct lst_index_reader *reader, struct lst_slice bucket,
                    struct lst_bucket_row *ret_row)
{
    struct lst_row_name name;
    struct lst_slice value;
    int status;

    if (bucket.length > LST_BUCKET_NAME_MAX) {
        return LST_ERR_BUCKET_NOT_FOUND;
    }
    lst_row_name_make(&name, LST_ROW_BUCKET, bucket);
    status = lst_index_get(reader, LST_STORE_PARTITION, lst_row_name_slice(&name), &value);
    if (status != LST_OK) {
        return status == LST_ERR_NOT_FOUND ? LST_ERR_BUCKET_NOT_FOUND : status;
    }
    status = lst_bucket_row_decode(value, ret_row);
    if (status == LST_OK) {
        ret_row->bucket.name = bucket;
    }
    return status;
}

int lst_store_partition(struct lst_index_reader *reader, struct lst_slice bucket,
                        uint64_t *ret_partition)
{
    struct lst_bucket_row row;
    int status = read_row(reader, bucket, &row);

    if (status == LST_OK) {
        *ret_partition = row.partition;
    }
    return status;
}

int lst_store_read_bucket(struct lst_store *store, struct lst_slice bucket,
                          struct lst_index_reader **ret_reader, uint64_t *ret_partition)
{
    struct lst_index_reader *reader;
    int status = lst_index_read_begin(store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    status = lst_store_partition(reader, bucket, ret_partition);
    if (status != LST_OK) {
        lst_index_read_end(reader);
        return status;
    }
    *ret_reader = reader;
    return LST_OK;
}

int lst_store_is_empty(struct lst_index_reader *reader, uint64_t partition, bool *ret_empty)
{
    /* In a bucket that is being deleted versions become current, and never the reverse: so these
     * come first. In another the answer may be old by now. */
    static const char kinds[] = {LST_ROW_VERSION, LST_ROW_OBJECT, LST_ROW_MARKER};
    bool empty = true;

    for (size_t i = 0; i < sizeof(kinds) && empty; i++) {
        struct lst_slice key;
        struct lst_slice value;
        struct lst_slice kind = lst_slice_make(&kinds[i], 1);
        int status = lst_index_seek(reader, partition, kind, &key, &value);
        status = lst_store_walk(reader, kind, status, &key, &value);
        if (lst_index_is_damaged_row(status, key)) {
            status = LST_OK; /* a version, or what was one */
        }
        if (status != LST_OK && status != LST_ERR_NOT_FOUND) {
            return status;
        }
        empty = status == LST_ERR_NOT_FOUND;
    }
    *ret_empty = empty;
    return LST_OK;
}

int lst_store_bucket(struct lst_store *store, struct lst_slice name,
                     int (*visit)(void *context, const struct lst_bucket *bucket), void *context)
{
    struct lst_index_reader *reader;
    struct lst_bucket_row row;
    int status = lst_index_read_begin(store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    status = read_row(reader, name, &row);
    if (status == LST_OK) {
        status = visit(context, &row.bucket);
    }
    lst_index_read_end(reader);
    return status;
}

int lst_store_each_bucket(struct lst_index_reader *reader, struct lst_slice prefix,
                          struct lst_slice after,
                          int (*visit)(void *context, const struct lst_bucket_row *row),
                          void *context)
{
    bool after_is_later = lst_slice_compare(after, prefix) >= 0;
    struct lst_row_name start;
    struct lst_slice key;
    struct lst_slice value;
    int status;

    lst_row_name_make(&start, LST_ROW_BUCKET, after_is_later ? after : prefix);
    status = lst_index_seek(reader, LST_STORE_PARTITION, lst_row_name_slice(&start), &key, &value);
    for (; status == LST_OK || lst_index_is_damaged_row(status, key);
         status = lst_index_next(reader, &key, &value)) {
        struct lst_slice name = lst_slice_after(key, 1);
        struct lst_bucket_row row = {0};
        if (key.bytes[0] != LST_ROW_BUCKET || !lst_slice_starts_with(name, prefix)) {
            return LST_OK;
        }
        if (after.length > 0 && lst_slice_compare(name, after) <= 0) {
            continue;
        }
        if (status == LST_OK) {
            status = lst_bucket_row_decode(value, &row);
        }
        row.status = status;
        row.bucket.name = name;
        status = visit(context, &row);
        if (status != LST_OK) {
            return status;
        }
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

struct plain_visit {
    int (*visit)(void *context, const struct lst_bucket *bucket);
    void *context;
};

static int visit_plainly(void *context, const struct lst_bucket_row *row)
{
    const struct plain_visit *plain = context;

    return row->status != LST_OK ? row->status : plain->visit(plain->context, &row->bucket);
}

int lst_store_buckets(struct lst_store *store, struct lst_slice prefix, struct lst_slice after,
                      int (*visit)(void *context, const struct lst_bucket *bucket), void *context)
{
    struct plain_visit plain = {visit, context};
    struct lst_index_reader *reader;
    int status = lst_index_read_begin(store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    status = lst_store_each_bucket(reader, prefix, after, visit_plainly, &plain);
    lst_index_read_end(reader);
    return status;
}

/* ---- Asking for changes */

static struct lst_slice keep(char **room, struct lst_slice slice)
{
    struct lst_slice kept = lst_slice_make(*room, slice.length);

    if (slice.length > 0) {
        memcpy(*room, slice.bytes, slice.length);
    }
    *room += slice.length;
    return kept;
}

static int submit_job(struct lst_store *store, const struct lst_bucket *bucket, bool is_delete,
                      struct lst_store_write *write)
{
    struct lst_bucket_job *job =
        malloc(sizeof(*job) + bucket->name.length + bucket->region.length + bucket->owner.length);
    char *room;

    if (job == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    room = job->text;
    job->next = NULL;
    job->write = write;
    job->is_delete = is_delete;
    job->bucket.created_ms = bucket->created_ms;
    job->bucket.name = keep(&room, bucket->name);
    job->bucket.region = keep(&room, bucket->region);
    job->bucket.owner = keep(&room, bucket->owner);
    pthread_mutex_lock(&store->lock);
    *store->last_job = job;
    store->last_job = &job->next;
    pthread_cond_signal(&store->wake);
    pthread_mutex_unlock(&store->lock);
    return LST_OK;
}

int lst_store_bucket_create(struct lst_store *store, const struct lst_bucket *bucket,
                            struct lst_store_write *write)
{
    struct lst_index_reader *reader;
    uint64_t partition;
    int status = lst_bucket_name_check(bucket->name);

    if (status != LST_OK) {
        return status;
    }
    if (store->read_only) {
        return LST_ERR_PERMISSION;
    }
    if (bucket->region.length > LST_BUCKET_TEXT_MAX || bucket->owner.length > LST_BUCKET_TEXT_MAX) {
        return LST_ERR_TOO_LARGE;
    }
    status = lst_store_read_bucket(store, bucket->name, &reader, &partition);
    if (status == LST_OK) {
        lst_index_read_end(reader);
        return LST_ERR_BUCKET_EXISTS;
    }
    return status == LST_ERR_BUCKET_NOT_FOUND ? submit_job(store, bucket, false, write) : status;
}

int lst_store_bucket_delete(struct lst_store *store, struct lst_slice name,
                            struct lst_store_write *write)
{
    struct lst_bucket bucket = {.name = name};
    struct lst_index_reader *reader;
    uint64_t partition;
    bool empty = false;
    int status;

    if (store->read_only) {
        return LST_ERR_PERMISSION;
    }
    status = lst_store_read_bucket(store, name, &reader, &partition);
    if (status != LST_OK) {
        return status;
    }
    status = lst_store_is_empty(reader, partition, &empty);
    lst_index_read_end(reader);
    if (status == LST_OK && !empty) {
        status = LST_ERR_BUCKET_NOT_EMPTY;
    }
    return status == LST_OK ? submit_job(store, &bucket, true, write) : status;
}
