/* strange.c - an engine in memory that does what an index may do, and LMDB does not. */
#include "strange.h"

#include "base/buffer.h"
#include "index/index.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A row, with its key and its value behind it. */
struct row {
    uint64_t partition;
    struct lst_slice key;
    struct lst_slice value;
    size_t head_length; /* 0: it has no head */
    char bytes[];
};

enum {
    PARTITIONS_MAX = 2000,
    DELAY_NS = 1000000,
    LOG_BATCH_MAX = 64 * 1024 * 1024,
    BORDERS_MAX = 40,
    OWN_SHIFT = 48, /* the rows that are a range's own stand in a partition of their own */
    LOST_MAX = 1000,
};

/* Where a range begins; its number, which is never 0. */
struct border {
    uint64_t partition;
    uint64_t range;
    struct lst_slice route;
    char bytes[];
};

/* What is in a file, so to say: it stays when the index is closed. */
struct content {
    struct content *next;
    char *path;
    struct row **rows; /* in their order */
    size_t count;
    size_t capacity;
    struct {
        uint64_t partition;
        uint64_t version;
    } versions[PARTITIONS_MAX];
    bool has_ranges;
    size_t border_count;
    struct border *borders[BORDERS_MAX];
    off_t log_end; /* up to which its log was read; see strange.keeps_logs */
};

struct lst_index {
    struct content *content;
    bool read_only;
    int log;              /* open while it is; -1: there is none */
    pthread_mutex_t lock; /* of the content and of what follows */
    pthread_cond_t wake;
    pthread_t committer;
    struct lst_index_batch *first_waiting;
    struct lst_index_batch **last_waiting;
    bool stopping;
    struct lst_index_statistics statistics;
};

/* Memory that was given to a reader. */
struct piece {
    struct piece *next;
    char bytes[];
};

struct lst_index_reader {
    struct lst_index *index;
    struct piece *values; /* of gets: until the end */
    struct piece *moved;  /* key and value of the scan: until it goes on */
    bool is_scanning;
    bool gives_heads;
    uint64_t partition;
    size_t at_length; /* the scan goes on behind this key */
    char at[LST_INDEX_KEY_MAX + 1];
};

static struct content *contents;
static pthread_mutex_t contents_lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local bool is_in_between;

struct strange strange = {.yields = 4, .loses_notifications = 3, .reorders = 2, .splits = 10};

/* ---- Chance */

static atomic_uint_fast64_t random_state = 1;

void strange_seed(uint64_t seed)
{
    atomic_store(&random_state, seed * UINT64_C(0x9E3779B97F4A7C15) + 1);
}

static bool happens(unsigned one_in)
{
    uint64_t number = atomic_fetch_add(&random_state, UINT64_C(0x9E3779B97F4A7C15));

    number = (number ^ number >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    number = (number ^ number >> 27) * UINT64_C(0x94D049BB133111EB);
    return one_in > 0 && (number >> 33) % one_in == 0;
}

static size_t choose(size_t count)
{
    uint64_t number = atomic_fetch_add(&random_state, UINT64_C(0x9E3779B97F4A7C15));

    number = (number ^ number >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    return (size_t)((number ^ number >> 31) % count);
}

/* A read may wait, and others go on meanwhile. */
static void wait_a_little(void)
{
    if (happens(strange.yields)) {
        (void)sched_yield();
    }
    if (happens(strange.delays)) {
        struct timespec time = {.tv_nsec = DELAY_NS};
        (void)nanosleep(&time, NULL);
    }
    if (!is_in_between && strange.between != NULL &&
        pthread_equal(strange.thread, pthread_self())) {
        is_in_between = true;
        strange.between(strange.context);
        is_in_between = false;
    }
}

/* ---- Rows */

static int compare(uint64_t partition, struct lst_slice key, const struct row *row)
{
    if (partition != row->partition) {
        return partition < row->partition ? -1 : 1;
    }
    return lst_slice_compare(key, row->key);
}

/* Where the first row is that is not less. */
static size_t find(const struct content *content, uint64_t partition, struct lst_slice key)
{
    size_t low = 0;
    size_t high = content->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(partition, key, content->rows[middle]) > 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static const struct row *get(const struct content *content, uint64_t partition,
                             struct lst_slice key)
{
    size_t at = find(content, partition, key);

    return at < content->count && compare(partition, key, content->rows[at]) == 0
               ? content->rows[at]
               : NULL;
}

static void delete_row(struct content *content, uint64_t partition, struct lst_slice key)
{
    size_t at = find(content, partition, key);

    if (at < content->count && compare(partition, key, content->rows[at]) == 0) {
        free(content->rows[at]);
        content->count--;
        memmove(&content->rows[at], &content->rows[at + 1],
                (content->count - at) * sizeof(struct row *));
    }
}

static void put_row(struct content *content, uint64_t partition, struct lst_slice key,
                    struct lst_slice value, size_t head_length)
{
    struct row *row = malloc(sizeof(*row) + key.length + value.length);
    size_t at;

    *row = (struct row){partition, lst_slice_make(row->bytes, key.length),
                        lst_slice_make(row->bytes + key.length, value.length), head_length};
    memcpy(row->bytes, key.bytes, key.length);
    if (value.length > 0) {
        memcpy(row->bytes + key.length, value.bytes, value.length);
    }
    delete_row(content, partition, key);
    if (content->count == content->capacity) {
        content->capacity = content->capacity == 0 ? 64 : 2 * content->capacity;
        content->rows = realloc(content->rows, content->capacity * sizeof(struct row *));
    }
    at = find(content, partition, key);
    memmove(&content->rows[at + 1], &content->rows[at],
            (content->count - at) * sizeof(struct row *));
    content->rows[at] = row;
    content->count++;
}

/* ---- Ranges */

/* The number of the one that has this route; 0: the first. */
static uint64_t range_of(const struct content *content, uint64_t partition, struct lst_slice route)
{
    const struct border *last = NULL;

    for (size_t i = 0; i < content->border_count; i++) {
        const struct border *border = content->borders[i];
        if (border->partition == partition && lst_slice_compare(border->route, route) <= 0 &&
            (last == NULL || lst_slice_compare(border->route, last->route) > 0)) {
            last = border;
        }
    }
    return last == NULL ? 0 : last->range;
}

static const struct border *next_border(const struct content *content, uint64_t partition,
                                        struct lst_slice route)
{
    const struct border *next = NULL;

    for (size_t i = 0; i < content->border_count; i++) {
        const struct border *border = content->borders[i];
        if (border->partition == partition && lst_slice_compare(border->route, route) > 0 &&
            (next == NULL || lst_slice_compare(border->route, next->route) < 0)) {
            next = border;
        }
    }
    return next;
}

/* Where a row stands: one of a range's own has no route. */
static uint64_t home(uint64_t partition, uint64_t range, struct lst_slice key)
{
    return key.length == 1 ? partition | range << OWN_SHIFT : partition;
}

/* Put a state with a higher epoch. */
static void raise_epoch(struct content *content, uint64_t home, struct lst_slice state)
{
    static const char name = LST_INDEX_RANGE_ROW;
    char bytes[256];

    if (state.length > sizeof(bytes) || state.length < LST_INDEX_EPOCH) {
        abort();
    }
    memcpy(bytes, state.bytes, state.length);
    for (size_t i = LST_INDEX_EPOCH; i-- > 0 && ++bytes[i] == 0;) {
    }
    put_row(content, home, lst_slice_make(&name, 1), lst_slice_make(bytes, state.length), 0);
}

/* With the lock held. */
static bool split(struct content *content, uint64_t partition, struct lst_slice route)
{
    static const char name = LST_INDEX_RANGE_ROW;
    struct lst_slice key = lst_slice_make(&name, 1);
    uint64_t before = range_of(content, partition, route);
    const struct row *state = get(content, home(partition, before, key), key);
    struct border *border;

    for (size_t i = 0; i < content->border_count; i++) {
        if (content->borders[i]->partition == partition &&
            lst_slice_equal(content->borders[i]->route, route)) {
            return false;
        }
    }
    if (route.length == 0 || content->border_count == BORDERS_MAX) {
        return false;
    }
    border = malloc(sizeof(*border) + route.length);
    *border = (struct border){partition, content->border_count + 1,
                              lst_slice_make(border->bytes, route.length)};
    memcpy(border->bytes, route.bytes, route.length);
    content->borders[content->border_count++] = border;
    if (state != NULL) {
        raise_epoch(content, home(partition, border->range, key), state->value);
        state = get(content, home(partition, before, key), key);
        raise_epoch(content, home(partition, before, key), state->value);
    }
    atomic_fetch_add(&strange.split_count, 1);
    return true;
}

/* Cut at the key of any row of the partition. */
static void split_anywhere(struct content *content, uint64_t partition)
{
    size_t first = find(content, partition, lst_slice_make(NULL, 0));
    size_t end = find(content, partition + 1, lst_slice_make(NULL, 0));
    struct lst_slice route;
    size_t length = 0;

    if (first == end) {
        return;
    }
    route = lst_slice_after(content->rows[first + choose(end - first)]->key, 1);
    while (length < route.length && !(route.bytes[length] == 0 && length + 1 < route.length &&
                                      route.bytes[length + 1] == 0)) {
        length++;
    }
    (void)split(content, partition, lst_slice_first(route, length));
}

/* Whether the batch is within one range. One that never was is a fault of its maker: it requires
 * the state that its range has. */
static bool is_together(const struct content *content, const struct lst_index_batch *batch,
                        uint64_t range)
{
    bool is_current = false;
    bool is_together = true;

    for (size_t i = 0; i < batch->change_count && content->has_ranges; i++) {
        const struct lst_index_change *change = &batch->changes[i];
        if (change->key.length > 1) {
            is_together = is_together && range_of(content, batch->partition,
                                                  lst_slice_after(change->key, 1)) == range;
        } else if (change->key.bytes[0] == LST_INDEX_RANGE_ROW &&
                   change->kind == LST_INDEX_REQUIRE_PREFIX) {
            const struct row *row =
                get(content, home(batch->partition, range, change->key), change->key);
            is_current = row != NULL && lst_slice_starts_with(row->value, change->value);
        }
    }
    if (!is_together && (is_current || atomic_fetch_add(&strange.moved_count, 1) > LOST_MAX)) {
        (void)fprintf(stderr, "a batch is not within one range\n");
        abort();
    }
    return is_together;
}

/* How often something changed in a partition. */
static uint64_t *version_of(struct content *content, uint64_t partition)
{
    size_t at = 0;

    while (content->versions[at].version > 0 && content->versions[at].partition != partition) {
        if (++at == PARTITIONS_MAX) {
            abort();
        }
    }
    content->versions[at].partition = partition;
    content->versions[at].version += content->versions[at].version == 0;
    return &content->versions[at].version;
}

/* ---- The log: batches, one behind another. Each is a head and its changes; one that was cut off,
 * since its writer was killed, was never there. */

struct log_batch {
    uint64_t partition;
    uint64_t size; /* of the changes */
};
struct log_change {
    uint32_t is_put;
    uint32_t key_length;
    uint32_t value_length;
    uint32_t head_length;
};

static void replay(struct content *content, const struct log_batch *batch, const char *bytes)
{
    struct log_change change;

    for (size_t at = 0; at < batch->size;) {
        const char *key = bytes + at + sizeof(change);
        memcpy(&change, bytes + at, sizeof(change));
        if (change.is_put != 0) {
            put_row(content, batch->partition, lst_slice_make(key, change.key_length),
                    lst_slice_make(key + change.key_length, change.value_length),
                    change.head_length);
        } else {
            delete_row(content, batch->partition, lst_slice_make(key, change.key_length));
        }
        at += sizeof(change) + change.key_length + change.value_length;
    }
    ++*version_of(content, batch->partition);
}

/* Take in what other processes have written. */
static void catch_up(struct lst_index *index)
{
    struct content *content = index->content;
    struct log_batch batch;
    struct stat about;

    while (index->log >= 0 && fstat(index->log, &about) == 0 && about.st_size > content->log_end &&
           pread(index->log, &batch, sizeof(batch), content->log_end) == (ssize_t)sizeof(batch) &&
           about.st_size - content->log_end >= (off_t)(sizeof(batch) + batch.size)) {
        char *bytes = malloc(batch.size + 1);
        if (pread(index->log, bytes, batch.size, content->log_end + (off_t)sizeof(batch)) !=
            (ssize_t)batch.size) {
            abort();
        }
        replay(content, &batch, bytes);
        free(bytes);
        content->log_end += (off_t)(sizeof(batch) + batch.size);
    }
}

static void append_row(struct lst_buffer *out, const struct content *content, uint64_t partition,
                       struct lst_slice key)
{
    const struct row *row = get(content, partition, key);
    struct log_change change = {row != NULL, (uint32_t)key.length,
                                row != NULL ? (uint32_t)row->value.length : 0,
                                row != NULL ? (uint32_t)row->head_length : 0};

    lst_buffer_append(out, lst_slice_make((const char *)&change, sizeof(change)));
    lst_buffer_append(out, key);
    if (row != NULL) {
        lst_buffer_append(out, row->value);
    }
}

/* What the rows of a batch that was applied are now. */
static void write_log(struct lst_index *index, const struct lst_index_batch *applied)
{
    struct log_batch batch = {.partition = applied->partition};
    struct lst_buffer out;

    lst_buffer_init(&out, LOG_BATCH_MAX);
    lst_buffer_append(&out, lst_slice_make((const char *)&batch, sizeof(batch)));
    for (size_t i = 0; i < applied->change_count; i++) {
        const struct lst_index_change *change = &applied->changes[i];
        if (change->kind == LST_INDEX_PUT || change->kind == LST_INDEX_ADD ||
            change->kind == LST_INDEX_DELETE) {
            append_row(&out, index->content, applied->partition, change->key);
        }
    }
    batch.size = out.length - sizeof(batch);
    if (lst_buffer_status(&out) != LST_OK || ftruncate(index->log, index->content->log_end) != 0) {
        abort();
    }
    memcpy(out.bytes, &batch, sizeof(batch));
    if (pwrite(index->log, out.bytes, out.length, index->content->log_end) != (ssize_t)out.length) {
        abort();
    }
    index->content->log_end += (off_t)out.length;
    lst_buffer_release(&out);
}

/* ---- Open and close */

static struct content *find_content(const char *path, bool make)
{
    struct content *content;

    pthread_mutex_lock(&contents_lock);
    content = contents;
    while (content != NULL && strcmp(content->path, path) != 0) {
        content = content->next;
    }
    if (content == NULL && make) {
        content = calloc(1, sizeof(*content));
        content->path = strdup(path);
        content->next = contents;
        contents = content;
    }
    pthread_mutex_unlock(&contents_lock);
    return content;
}

void strange_forget(void)
{
    while (contents != NULL) {
        struct content *next = contents->next;
        for (size_t i = 0; i < contents->count; i++) {
            free(contents->rows[i]);
        }
        for (size_t i = 0; i < contents->border_count; i++) {
            free(contents->borders[i]);
        }
        free(contents->rows);
        free(contents->path);
        free(contents);
        contents = next;
    }
}

/* Others look whether an index has a file. */
static bool make_file(const char *path)
{
    FILE *file = fopen(path, "ae");

    return file != NULL && fclose(file) == 0;
}

static void *commit_all(void *argument);

int lst_index_open(const struct lst_index_options *options, struct lst_index **ret_index)
{
    bool is_new = strange.keeps_logs && options->read_only && access(options->path, F_OK) != 0;
    struct content *content =
        is_new ? NULL : find_content(options->path, strange.keeps_logs || !options->read_only);
    struct lst_index *index;

    if (content == NULL || !make_file(options->path)) {
        return LST_ERR_NOT_FOUND;
    }
    index = calloc(1, sizeof(*index));
    index->content = content;
    content->has_ranges = options->has_ranges && !strange.keeps_logs;
    index->read_only = options->read_only;
    index->log = strange.keeps_logs ? open(options->path, O_RDWR | O_CLOEXEC) : -1;
    index->last_waiting = &index->first_waiting;
    pthread_mutex_init(&index->lock, NULL);
    pthread_cond_init(&index->wake, NULL);
    if (!index->read_only && pthread_create(&index->committer, NULL, commit_all, index) != 0) {
        abort();
    }
    *ret_index = index;
    return LST_OK;
}

void lst_index_close(struct lst_index *index)
{
    if (index == NULL) {
        return;
    }
    if (!index->read_only) {
        pthread_mutex_lock(&index->lock);
        index->stopping = true;
        pthread_cond_signal(&index->wake);
        pthread_mutex_unlock(&index->lock);
        pthread_join(index->committer, NULL);
    }
    pthread_cond_destroy(&index->wake);
    pthread_mutex_destroy(&index->lock);
    if (index->log >= 0) {
        close(index->log);
    }
    free(index);
}

bool lst_index_has_failed(const struct lst_index *index)
{
    (void)index;
    return false;
}

/* There are no pages, and so nothing is wrong with them. */
int lst_index_verify(struct lst_index *index, struct lst_index_verify *verify)
{
    (void)index;
    verify->pages = verify->rows = verify->faults = 0;
    return LST_OK;
}

void lst_index_statistics(struct lst_index *index, struct lst_index_statistics *ret_statistics)
{
    pthread_mutex_lock(&index->lock);
    catch_up(index);
    *ret_statistics = index->statistics;
    ret_statistics->entries = index->content->count;
    pthread_mutex_unlock(&index->lock);
}

/* What changes elsewhere is not told. A message that something has changed may be lost; then nobody
 * knows whether something has. */
uint64_t lst_index_version(struct lst_index *index, uint64_t partition)
{
    static atomic_uint_fast64_t unknown;
    uint64_t version;

    pthread_mutex_lock(&index->lock);
    catch_up(index);
    version = *version_of(index->content, partition);
    pthread_mutex_unlock(&index->lock);
    return happens(strange.loses_notifications) ? UINT64_MAX - atomic_fetch_add(&unknown, 1)
                                                : version;
}

/* ---- Reading: every copy is memory of its own, as long as the interface says, and no longer */

int lst_index_read_begin(struct lst_index *index, struct lst_index_reader **ret_reader)
{
    *ret_reader = calloc(1, sizeof(**ret_reader));
    (*ret_reader)->index = index;
    return LST_OK;
}

void lst_index_read_heads(struct lst_index_reader *reader)
{
    reader->gives_heads = true;
}

/* It knows no damage. */
void lst_index_read_strictly(struct lst_index_reader *reader)
{
    (void)reader;
}

static void free_pieces(struct piece **pieces)
{
    while (*pieces != NULL) {
        struct piece *next = (*pieces)->next;
        free(*pieces);
        *pieces = next;
    }
}

void lst_index_read_end(struct lst_index_reader *reader)
{
    if (reader != NULL) {
        free_pieces(&reader->values);
        free_pieces(&reader->moved);
        free(reader);
    }
}

static struct lst_slice copy(struct piece **pieces, struct lst_slice slice)
{
    struct piece *piece = malloc(sizeof(*piece) + slice.length);

    piece->next = *pieces;
    *pieces = piece;
    if (slice.length > 0) {
        memcpy(piece->bytes, slice.bytes, slice.length);
    }
    return lst_slice_make(piece->bytes, slice.length);
}

int lst_index_get(struct lst_index_reader *reader, uint64_t partition, struct lst_slice key,
                  struct lst_slice *ret_value)
{
    const struct row *row;

    *ret_value = lst_slice_make(NULL, 0);
    wait_a_little();
    pthread_mutex_lock(&reader->index->lock);
    catch_up(reader->index);
    row = get(reader->index->content, partition, key);
    if (row != NULL) {
        *ret_value = copy(&reader->values, row->value);
    }
    pthread_mutex_unlock(&reader->index->lock);
    return row != NULL ? LST_OK : LST_ERR_NOT_FOUND;
}

int lst_index_get_own(struct lst_index_reader *reader, uint64_t partition, struct lst_slice route,
                      char name, struct lst_slice *ret_value)
{
    const struct content *content = reader->index->content;
    struct lst_slice key = lst_slice_make(&name, 1);
    const struct row *row;

    *ret_value = lst_slice_make(NULL, 0);
    wait_a_little();
    pthread_mutex_lock(&reader->index->lock);
    catch_up(reader->index);
    row = get(content, home(partition, range_of(content, partition, route), key), key);
    if (row != NULL) {
        *ret_value = copy(&reader->values, row->value);
    }
    pthread_mutex_unlock(&reader->index->lock);
    return row != NULL ? LST_OK : LST_ERR_NOT_FOUND;
}

int lst_index_next_range(struct lst_index_reader *reader, uint64_t partition,
                         struct lst_slice route, struct lst_slice *ret_low)
{
    const struct border *next;

    *ret_low = lst_slice_make(NULL, 0);
    wait_a_little();
    pthread_mutex_lock(&reader->index->lock);
    next = next_border(reader->index->content, partition, route);
    if (next != NULL) {
        *ret_low = copy(&reader->values, next->route);
    }
    pthread_mutex_unlock(&reader->index->lock);
    return next != NULL ? LST_OK : LST_ERR_NOT_FOUND;
}

bool strange_split(struct lst_index *index, uint64_t partition, const char *border)
{
    bool is_new;

    pthread_mutex_lock(&index->lock);
    is_new = split(index->content, partition, lst_slice_make(border, strlen(border)));
    pthread_mutex_unlock(&index->lock);
    return is_new;
}

/* The first row that is not less than where the scan is. Each is read by itself, as if a range
 * ended before it. */
static int give_row(struct lst_index_reader *reader, struct lst_slice *ret_key,
                    struct lst_slice *ret_value)
{
    struct lst_index *index = reader->index;
    size_t at;

    *ret_key = *ret_value = lst_slice_make(NULL, 0);
    wait_a_little();
    free_pieces(&reader->moved);
    pthread_mutex_lock(&index->lock);
    catch_up(index);
    at = find(index->content, reader->partition, lst_slice_make(reader->at, reader->at_length));
    reader->is_scanning =
        at < index->content->count && index->content->rows[at]->partition == reader->partition;
    if (reader->is_scanning) {
        const struct row *row = index->content->rows[at];
        *ret_key = copy(&reader->moved, row->key);
        *ret_value = copy(&reader->moved, reader->gives_heads && row->head_length > 0
                                              ? lst_slice_first(row->value, row->head_length)
                                              : row->value);
        memcpy(reader->at, row->key.bytes, row->key.length);
        reader->at[row->key.length] = '\0'; /* the next one that could be */
        reader->at_length = row->key.length + 1;
    }
    pthread_mutex_unlock(&index->lock);
    return reader->is_scanning ? LST_OK : LST_ERR_NOT_FOUND;
}

int lst_index_seek(struct lst_index_reader *reader, uint64_t partition, struct lst_slice key,
                   struct lst_slice *ret_key, struct lst_slice *ret_value)
{
    key = lst_slice_first(key, sizeof(reader->at));
    if (key.length > 0) {
        memmove(reader->at, key.bytes, key.length);
    }
    reader->at_length = key.length;
    reader->partition = partition;
    return give_row(reader, ret_key, ret_value);
}

int lst_index_next(struct lst_index_reader *reader, struct lst_slice *ret_key,
                   struct lst_slice *ret_value)
{
    *ret_key = *ret_value = lst_slice_make(NULL, 0);
    return reader->is_scanning ? give_row(reader, ret_key, ret_value) : LST_ERR_NOT_FOUND;
}

/* ---- Writing */

static int check_one(const struct content *content, uint64_t partition,
                     const struct lst_index_change *change)
{
    const struct row *row = get(content, partition, change->key);

    if (change->key.length == 0 || change->key.length > LST_INDEX_KEY_MAX ||
        change->value.length > LST_INDEX_VALUE_MAX || change->head_length > change->value.length) {
        return LST_ERR_TOO_LARGE;
    }
    switch (change->kind) {
    case LST_INDEX_REQUIRE_ABSENT:
        return row == NULL ? LST_OK : LST_ERR_EXISTS;
    case LST_INDEX_REQUIRE_PRESENT:
        return row != NULL ? LST_OK : LST_ERR_NOT_FOUND;
    case LST_INDEX_REQUIRE_PREFIX:
        return row != NULL && lst_slice_starts_with(row->value, change->value) ? LST_OK
                                                                               : LST_ERR_CONFLICT;
    case LST_INDEX_ADD:
        return change->value.length % 8 != 0              ? LST_ERR_MALFORMED
               : change->value.length > LST_INDEX_ADD_MAX ? LST_ERR_TOO_LARGE
                                                          : LST_OK;
    default:
        return LST_OK;
    }
}

/* Add numbers, from their last bytes on. */
static void add_row(struct content *content, uint64_t partition, struct lst_slice key,
                    struct lst_slice numbers)
{
    const struct row *row = get(content, partition, key);
    unsigned char sums[LST_INDEX_ADD_MAX] = {0};
    size_t length = numbers.length;
    unsigned carry = 0;

    if (row != NULL) {
        memcpy(sums, row->value.bytes, row->value.length);
        length = row->value.length > length ? row->value.length : length;
    }
    for (size_t at = numbers.length; at-- > 0;) {
        unsigned sum = sums[at] + (unsigned char)numbers.bytes[at] + carry;
        sums[at] = (unsigned char)sum;
        carry = at % 8 == 0 ? 0 : sum >> 8;
    }
    put_row(content, partition, key, lst_slice_make((const char *)sums, length), 0);
}

static int apply(struct content *content, const struct lst_index_batch *batch, size_t *ret_failed)
{
    uint64_t range = range_of(content, batch->partition, batch->route);

    if (!is_together(content, batch, range)) {
        *ret_failed = 0;
        return LST_ERR_CONFLICT;
    }
    for (size_t i = 0; i < batch->change_count; i++) {
        int status = check_one(content, home(batch->partition, range, batch->changes[i].key),
                               &batch->changes[i]);
        if (status != LST_OK) {
            *ret_failed = i;
            return status;
        }
    }
    for (size_t i = 0; i < batch->change_count; i++) {
        const struct lst_index_change *change = &batch->changes[i];
        uint64_t place = home(batch->partition, range, change->key);
        if (change->kind == LST_INDEX_PUT) {
            put_row(content, place, change->key, change->value, change->head_length);
        } else if (change->kind == LST_INDEX_ADD) {
            add_row(content, place, change->key, change->value);
        } else if (change->kind == LST_INDEX_DELETE) {
            delete_row(content, place, change->key);
        }
    }
    ++*version_of(content, batch->partition);
    if (content->has_ranges && happens(strange.splits)) {
        split_anywhere(content, batch->partition);
    }
    return LST_OK;
}

/* Apply a batch to what all processes see. */
static int apply_for_all(struct lst_index *index, const struct lst_index_batch *batch,
                         size_t *ret_failed)
{
    int status;

    if (index->log < 0) {
        return apply(index->content, batch, ret_failed);
    }
    if (flock(index->log, LOCK_EX) != 0) {
        abort();
    }
    catch_up(index);
    status = apply(index->content, batch, ret_failed);
    if (status == LST_OK) {
        write_log(index, batch);
    }
    (void)flock(index->log, LOCK_UN);
    return status;
}

/* What becomes of a batch that is applied, or not, need not be known. */
static int commit_one(struct lst_index *index, struct lst_index_batch *batch, size_t *ret_failed)
{
    bool is_armed =
        strange.armed_by == NULL ? strange.is_armed : access(strange.armed_by, F_OK) == 0;
    bool is_unknown = is_armed && happens(strange.unknown_outcomes);
    int status;

    if (is_unknown) {
        atomic_fetch_add(&strange.unknown_count, 1);
        if (happens(2)) {
            return LST_ERR_UNKNOWN;
        }
    }
    status = apply_for_all(index, batch, ret_failed);
    index->statistics.batches++;
    return is_unknown ? LST_ERR_UNKNOWN : status;
}

/* Any of those that wait, but the first of its partition. */
static struct lst_index_batch *take_waiting(struct lst_index *index)
{
    struct lst_index_batch **link = &index->first_waiting;
    struct lst_index_batch *batch;

    for (struct lst_index_batch **other = &(*link)->next; *other != NULL; other = &(*other)->next) {
        const struct lst_index_batch *before = index->first_waiting;
        while (before != *other && before->partition != (*other)->partition) {
            before = before->next;
        }
        if (before == *other && happens(strange.reorders)) {
            link = other;
        }
    }
    batch = *link;
    *link = batch->next;
    if (index->last_waiting == &batch->next) {
        index->last_waiting = link;
    }
    return batch;
}

static void *commit_all(void *argument)
{
    struct lst_index *index = argument;

    pthread_mutex_lock(&index->lock);
    while (index->first_waiting != NULL || !index->stopping) {
        struct lst_index_batch *batch;
        size_t failed = 0;
        int status;
        if (index->first_waiting == NULL) {
            pthread_cond_wait(&index->wake, &index->lock);
            continue;
        }
        batch = take_waiting(index);
        status = commit_one(index, batch, &failed);
        pthread_mutex_unlock(&index->lock);
        batch->done(batch, status, failed);
        pthread_mutex_lock(&index->lock);
    }
    pthread_mutex_unlock(&index->lock);
    return NULL;
}

void lst_index_submit(struct lst_index *index, struct lst_index_batch *batch)
{
    if (index->read_only) {
        batch->done(batch, LST_ERR_PERMISSION, 0);
        return;
    }
    pthread_mutex_lock(&index->lock);
    batch->next = NULL;
    *index->last_waiting = batch;
    index->last_waiting = &batch->next;
    pthread_cond_signal(&index->wake);
    pthread_mutex_unlock(&index->lock);
}

struct applying {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_done;
    int status;
};

static void applied(struct lst_index_batch *batch, int status, size_t failed_change)
{
    struct applying *applying = batch->context;

    (void)failed_change;
    pthread_mutex_lock(&applying->lock);
    applying->is_done = true;
    applying->status = status;
    pthread_cond_signal(&applying->wake);
    pthread_mutex_unlock(&applying->lock);
}

int lst_index_apply(struct lst_index *index, uint64_t partition,
                    const struct lst_index_change *changes, size_t change_count)
{
    return lst_index_apply_to(index, partition, lst_slice_make(NULL, 0), changes, change_count);
}

int lst_index_apply_to(struct lst_index *index, uint64_t partition, struct lst_slice route,
                       const struct lst_index_change *changes, size_t change_count)
{
    struct applying applying = {.is_done = false};
    struct lst_index_batch batch = {.partition = partition,
                                    .route = route,
                                    .changes = changes,
                                    .change_count = change_count,
                                    .done = applied,
                                    .context = &applying};

    pthread_mutex_init(&applying.lock, NULL);
    pthread_cond_init(&applying.wake, NULL);
    lst_index_submit(index, &batch);
    pthread_mutex_lock(&applying.lock);
    while (!applying.is_done) {
        pthread_cond_wait(&applying.wake, &applying.lock);
    }
    pthread_mutex_unlock(&applying.lock);
    pthread_cond_destroy(&applying.wake);
    pthread_mutex_destroy(&applying.lock);
    return applying.status;
}

/* ---- Of files, which it has none of */

int lst_index_examine(const char *path, char ret_text[LST_INDEX_DAMAGE_MAX])
{
    (void)ret_text;
    if (strange.keeps_logs) {
        return access(path, F_OK) == 0 ? LST_OK : LST_ERR_NOT_FOUND;
    }
    return find_content(path, false) == NULL ? LST_ERR_NOT_FOUND : LST_OK;
}

void lst_index_at_end(void (*say)(const char *path))
{
    (void)say;
}
