/* scrub.c - read every row and every body against its checksum, slowly. */
#include "store/scrub.h"

#include "base/clock.h"
#include "store/check.h"

#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    /* A row costs at least this many bytes: a disk reads no less. */
    ROW_COST = 4096,
    /* The place is saved after so many rows. */
    SAVE_ROWS = 4096,
    /* Damaged objects that are reported in one pass; fsck names all. */
    REPORTS_MAX = 100,
    SHOWN_MAX = 200,
    NUMBERS = 5,
    RETRY_MS = 60 * 60 * 1000,
    IO_CLASS_IDLE = 3,
    IO_CLASS_SHIFT = 13,
    IO_WHO_PROCESS = 1,
};

/* A pass begins a week after the last one began. */
#define INTERVAL_MS (INT64_C(7) * 24 * 60 * 60 * 1000)

/* ---- The place */

static const char row_name = LST_ROW_SCRUB;

static bool parse_place(struct lst_slice value, struct lst_scrub_place *place)
{
    uint64_t numbers[NUMBERS];
    size_t length;

    for (int i = 0; i < NUMBERS; i++) {
        if (lst_row_number_decode(lst_slice_first(value, 8), &numbers[i]) != LST_OK) {
            return false;
        }
        value = lst_slice_after(value, 8);
    }
    length = value.length > 0 ? (uint8_t)value.bytes[0] : sizeof(place->bucket) + 1;
    value = lst_slice_after(value, 1);
    if (length > sizeof(place->bucket) || length > value.length ||
        value.length - length > LST_ROW_NAME_MAX) {
        return false;
    }
    place->started_ms = (int64_t)numbers[0];
    place->finished_ms = (int64_t)numbers[1];
    place->rows = numbers[2];
    place->bytes = numbers[3];
    place->damaged = numbers[4];
    place->bucket_length = length;
    if (length > 0) {
        memcpy(place->bucket, value.bytes, length);
    }
    value = lst_slice_after(value, length);
    lst_row_name_make(&place->row, value.length > 0 ? value.bytes[0] : 0,
                      lst_slice_after(value, 1));
    if (value.length == 0) {
        place->row.length = 0;
    }
    place->is_over = place->finished_ms >= place->started_ms;
    return true;
}

int lst_scrub_load(struct lst_store *store, struct lst_scrub_place *ret_place)
{
    struct lst_index_reader *reader;
    struct lst_slice value;
    int status = lst_index_read_begin(store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    *ret_place = (struct lst_scrub_place){.is_over = true};
    status = lst_index_get(reader, LST_STORE_PARTITION, lst_slice_make(&row_name, 1), &value);
    if (status == LST_OK && !parse_place(value, ret_place)) {
        *ret_place = (struct lst_scrub_place){.is_over = true};
    }
    lst_index_read_end(reader);
    return status == LST_ERR_NOT_FOUND || status == LST_ERR_CORRUPT ? LST_OK : status;
}

/* What can't be saved is read once more. */
static void save(struct lst_store *store, const struct lst_scrub_place *place)
{
    const uint64_t numbers[NUMBERS] = {(uint64_t)place->started_ms, (uint64_t)place->finished_ms,
                                       place->rows, place->bytes, place->damaged};
    struct lst_index_change change = {.kind = LST_INDEX_PUT, .key = lst_slice_make(&row_name, 1)};
    struct lst_buffer value;

    lst_buffer_init(&value, 8 * NUMBERS + 1 + LST_BUCKET_NAME_MAX + LST_ROW_NAME_MAX);
    for (int i = 0; i < NUMBERS; i++) {
        char number[8];
        lst_row_number_encode(numbers[i], number);
        lst_buffer_append(&value, lst_slice_make(number, sizeof(number)));
    }
    lst_buffer_append_byte(&value, (char)(uint8_t)place->bucket_length);
    lst_buffer_append(&value, lst_slice_make(place->bucket, place->bucket_length));
    lst_buffer_append(&value, lst_row_name_slice(&place->row));
    if (lst_buffer_status(&value) == LST_OK) {
        change.value = lst_buffer_slice(&value);
        lst_ignore_status(lst_index_apply(store->index, LST_STORE_PARTITION, &change, 1));
    }
    lst_buffer_release(&value);
}

/* ---- A pass */

struct pass {
    struct lst_store *store;
    struct lst_scrub_place *place;
    const struct lst_scrub_pace *pace;
    uint64_t reports;
    uint64_t unsaved; /* rows */
    bool is_stopped;
};

static void publish(struct lst_store *store, const struct lst_scrub_place *place)
{
    pthread_mutex_lock(&store->lock);
    store->scrubbed.rows = place->rows;
    store->scrubbed.bytes = place->bytes;
    store->scrubbed.damaged = place->damaged;
    store->scrubbed.finished_ms = place->finished_ms;
    pthread_mutex_unlock(&store->lock);
}

/* As text for a line of a log. */
static void show(struct lst_slice key, char out[SHOWN_MAX + 1])
{
    size_t length = key.length < SHOWN_MAX ? key.length : SHOWN_MAX;

    for (size_t i = 0; i < length; i++) {
        out[i] = key.bytes[i] >= ' ' && key.bytes[i] <= '~' ? key.bytes[i] : '?';
    }
    out[length] = '\0';
}

static void report(void *context, const struct lst_store_fault *fault)
{
    struct pass *pass = context;
    char bucket[SHOWN_MAX + 1];
    char key[SHOWN_MAX + 1];
    char text[4 * SHOWN_MAX];

    pass->place->damaged++;
    pass->reports++;
    if (pass->store->report == NULL || pass->reports > REPORTS_MAX) {
        return;
    }
    show(fault->bucket, bucket);
    show(fault->key, key);
    (void)snprintf(text, sizeof(text), "the scrubber found damage: %s/%s: %s%s", bucket, key,
                   fault->text,
                   pass->reports == REPORTS_MAX ? ". There is more: run latchstring fsck" : "");
    pass->store->report(text);
}

static bool spend(void *context, uint64_t bytes)
{
    struct pass *pass = context;

    pass->place->bytes += bytes;
    publish(pass->store, pass->place);
    pass->is_stopped = pass->is_stopped || !pass->pace->spend(pass->pace->context, bytes);
    return !pass->is_stopped;
}

/* Rows are held against each other one by one: what fsck keeps until the end is not kept. */
static void forget(struct lst_check *check)
{
    check->known.count = check->blobs.count = check->used.count = 0;
    check->uploads.count = check->parts.count = check->unfinished.count = 0;
}

/* Behind this row the pass goes on. Its name ends in a 0x00 that was added, but for the first. */
static void keep_place(struct pass *pass, const struct lst_check *check)
{
    struct lst_slice name = lst_buffer_slice(&check->row_name);

    pass->place->bucket_length = check->bucket.length;
    memcpy(pass->place->bucket, check->bucket_name, check->bucket.length);
    pass->place->row.length = 0;
    if (name.length > 0) {
        lst_row_name_make(&pass->place->row, name.bytes[0], lst_slice_after(name, 1));
    }
}

static int scrub_bucket(struct pass *pass, struct lst_check *check)
{
    int status = LST_OK;

    while (status == LST_OK && !pass->is_stopped) {
        struct lst_buffer *value = &check->row_value;
        lst_buffer_clear(value);
        status = lst_check_step(check);
        forget(check);
        if (pass->is_stopped) {
            break; /* within a body: it is read again */
        }
        keep_place(pass, check);
        if (status == LST_OK) {
            pass->place->rows++;
            (void)spend(pass, ROW_COST + lst_buffer_slice(value).length);
        }
        if (++pass->unsaved >= SAVE_ROWS) {
            save(pass->store, pass->place);
            pass->unsaved = 0;
        }
    }
    return status == LST_ERR_NOT_FOUND || pass->is_stopped ? LST_OK : status;
}

/* To the bucket that the pass is in. LST_ERR_BUCKET_NOT_FOUND: it is gone. */
static int return_to_bucket(struct pass *pass, struct lst_check *check)
{
    struct lst_index_reader *reader;
    int status = lst_index_read_begin(pass->store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    memcpy(check->bucket_name, pass->place->bucket, pass->place->bucket_length);
    check->bucket = lst_slice_make(check->bucket_name, pass->place->bucket_length);
    status = lst_store_partition(reader, check->bucket, &check->partition);
    lst_index_read_end(reader);
    if (status == LST_OK) {
        lst_buffer_clear(&check->row_name);
        lst_buffer_append(&check->row_name, lst_row_name_slice(&pass->place->row));
    }
    return status;
}

static int scrub_buckets(struct pass *pass, struct lst_check *check)
{
    int status =
        pass->place->bucket_length > 0 ? return_to_bucket(pass, check) : LST_ERR_BUCKET_NOT_FOUND;

    if (status == LST_OK) {
        status = scrub_bucket(pass, check);
    }
    status = status == LST_ERR_BUCKET_NOT_FOUND || status == LST_ERR_CORRUPT ? LST_OK : status;
    while (status == LST_OK && !pass->is_stopped) {
        bool is_there = false;
        status = lst_check_next_bucket(check, &is_there);
        if (status != LST_OK || !is_there) {
            pass->place->is_over = status == LST_OK;
            break;
        }
        lst_buffer_clear(&check->row_name);
        if (check->has_partition) {
            status = scrub_bucket(pass, check);
        } else {
            lst_check_report(check, lst_slice_make(NULL, 0),
                             check->is_of_later ? LST_CHECK_LATER
                                                : "the bucket's own row is damaged");
        }
    }
    return status;
}

int lst_scrub_go_on(struct lst_store *store, struct lst_scrub_place *place,
                    const struct lst_scrub_pace *pace)
{
    struct pass pass = {.store = store, .place = place, .pace = pace};
    struct lst_check check;
    int status;

    if (place->is_over) {
        *place = (struct lst_scrub_place){.started_ms = pace->now_ms(pace->context),
                                          .finished_ms = place->finished_ms};
    }
    lst_check_init(&check, store, report, &pass);
    check.spend = spend;
    check.spend_context = &pass;
    status = scrub_buckets(&pass, &check);
    lst_check_release(&check);
    if (place->is_over) {
        int64_t now_ms = pace->now_ms(pace->context);
        place->finished_ms = now_ms > place->started_ms ? now_ms : place->started_ms;
        place->bucket_length = 0;
        place->row.length = 0;
    }
    publish(store, place);
    save(store, place);
    return status;
}

/* ---- The thread */

/* Wait until then, or until the store closes: false. */
static bool wait_until(struct lst_store *store, uint64_t when_ns)
{
    struct timespec time = {.tv_sec = (time_t)(when_ns / 1000000000U),
                            .tv_nsec = (long)(when_ns % 1000000000U)};
    bool is_stopping;

    pthread_mutex_lock(&store->lock);
    while (!store->stopping && lst_clock_monotonic_ns() < when_ns) {
        (void)pthread_cond_timedwait(&store->scrub_wake, &store->lock, &time);
    }
    is_stopping = store->stopping;
    pthread_mutex_unlock(&store->lock);
    return !is_stopping;
}

static bool wait_ms(struct lst_store *store, uint64_t milliseconds)
{
    return wait_until(store, lst_clock_monotonic_ns() + milliseconds * 1000000U);
}

struct budget {
    struct lst_store *store;
    uint64_t next_ns; /* when all that was read may have been read */
};

static int64_t read_clock(void *context)
{
    (void)context;
    return lst_clock_now_ms();
}

static bool spend_budget(void *context, uint64_t bytes)
{
    struct budget *budget = context;
    uint64_t now = lst_clock_monotonic_ns();

    budget->next_ns = budget->next_ns > now ? budget->next_ns : now;
    budget->next_ns +=
        bytes * 1000U / budget->store->scrub_rate * 1000000U +
        bytes * 1000U % budget->store->scrub_rate * 1000000U / budget->store->scrub_rate;
    return wait_until(budget->store, budget->next_ns);
}

/* Milliseconds until a pass is to begin, or to go on. A clock that went back does not put it off.
 */
static uint64_t time_left(const struct lst_scrub_place *place)
{
    int64_t now = lst_clock_now_ms();

    if (!place->is_over || place->started_ms == 0 || place->started_ms > now ||
        now - place->started_ms >= INTERVAL_MS) {
        return 0;
    }
    return (uint64_t)(place->started_ms + INTERVAL_MS - now);
}

static void *run_scrubber(void *argument)
{
    struct lst_store *store = argument;
    struct budget budget = {.store = store};
    const struct lst_scrub_pace pace = {spend_budget, read_clock, &budget};
    struct lst_scrub_place place = {.is_over = true};
    bool goes_on = true;
    int status = LST_OK;

    /* Others' reads go first, where the kernel heeds that. */
    (void)syscall(SYS_ioprio_set, IO_WHO_PROCESS, 0, IO_CLASS_IDLE << IO_CLASS_SHIFT);
    while (goes_on && lst_scrub_load(store, &place) != LST_OK) {
        goes_on = wait_ms(store, RETRY_MS);
    }
    publish(store, &place); /* what was found before is known at once */
    goes_on = goes_on && wait_ms(store, store->scrub_delay_ms);
    while (goes_on && wait_ms(store, status == LST_OK ? time_left(&place) : RETRY_MS)) {
        status = lst_scrub_go_on(store, &place, &pace);
        goes_on = !lst_store_has_failed(store);
    }
    return NULL;
}

int lst_store_scrub(struct lst_store *store, uint64_t bytes_per_second, uint64_t delay_ms)
{
    int code;

    store->scrub_rate = bytes_per_second;
    store->scrub_delay_ms = delay_ms;
    if (bytes_per_second == 0 || store->read_only || store->is_scrubbing) {
        return LST_OK;
    }
    code = pthread_create(&store->scrubber, NULL, run_scrubber, store);
    store->is_scrubbing = code == 0;
    return code == 0 ? LST_OK : lst_error_from_errno(code);
}

void lst_scrub_end(struct lst_store *store)
{
    if (store->is_scrubbing) {
        pthread_mutex_lock(&store->lock);
        pthread_cond_signal(&store->scrub_wake);
        pthread_mutex_unlock(&store->lock);
        pthread_join(store->scrubber, NULL);
        store->is_scrubbing = false;
    }
}
