/* upload_limit_test.c - what all parts of an upload may have together, whatever arrives at once. */
#include "upload_fixture.h"

enum { LIMIT = 100000, SMALL = 1000, THREADS = 8, MIB = 1024 * 1024 };

static char *bytes;
static struct fixture fixture;

static int begin_part(const struct upload *upload, uint32_t number, uint64_t size, uint64_t most,
                      struct lst_put **ret_put)
{
    return lst_put_begin_part(fixture.store,
                              &(struct lst_part_options){.name = upload_name(upload),
                                                         .number = number,
                                                         .size_known = true,
                                                         .size = size,
                                                         .total_max = most},
                              ret_put);
}

static int end_part(struct lst_put *put, size_t size)
{
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    int status = lst_put_write(put, lst_slice_make(bytes, size));

    if (status != LST_OK) {
        lst_put_abort(put);
        return status;
    }
    lst_put_commit(put, &write);
    return waiter_wait(&waiter);
}

static int put_part(const struct upload *upload, uint32_t number, size_t size)
{
    struct lst_put *put;
    int status = begin_part(upload, number, size, LIMIT, &put);

    return status == LST_OK ? end_part(put, size) : status;
}

static int add_size(void *context, const struct lst_part *part)
{
    *(uint64_t *)context += part->size;
    return LST_OK;
}

/* Bytes of the parts that are there. */
static uint64_t total_of(const struct upload *upload)
{
    struct lst_upload_name name = upload_name(upload);
    uint64_t total = 0;
    bool is_truncated;

    return lst_upload_parts(fixture.store, &name, 0, 10000, add_size, &total, &is_truncated) == 0
               ? total
               : UINT64_MAX;
}

static void test_one_after_the_other(void)
{
    struct lst_part_options endless = {.number = 1, .total_max = LIMIT};
    struct upload upload;
    struct lst_put *put;

    CHECK(upload_begin(&fixture, &upload, "ups", "one") == 0, "an upload");
    endless.name = upload_name(&upload);
    CHECK(put_part(&upload, 1, LIMIT + 1) == LST_ERR_TOO_LARGE, "a part above the limit");
    CHECK(lst_put_begin_part(fixture.store, &endless, &put) == LST_ERR_INVALID_ARGUMENT,
          "a part without a size can't be held against a limit");
    CHECK(put_part(&upload, 2, 60000) == 0 && put_part(&upload, 9, 40000) == 0, "up to the limit");
    CHECK(put_part(&upload, 3, 1) == LST_ERR_TOO_LARGE, "and not a byte more");
    CHECK(put_part(&upload, 3, 0) == 0, "nothing is no byte");
    CHECK(put_part(&upload, 9, 40000) == 0 && put_part(&upload, 9, 40001) == LST_ERR_TOO_LARGE,
          "a part counts instead of the one that it replaces");
    CHECK(put_part(&upload, 9, 10) == 0 && put_part(&upload, 3, 39990) == 0 &&
              total_of(&upload) == LIMIT,
          "what a smaller one leaves is free again");
    fixture_reopen(&fixture);
    CHECK(put_part(&upload, 4, 1) == LST_ERR_TOO_LARGE, "and is known after a restart");
    CHECK(upload_abort(&fixture, &upload) == 0, "it is given up");
}

static void test_room(void)
{
    const uint64_t most = 100 * MIB;
    struct lst_put *first;
    struct lst_put *again;
    struct lst_put *third;
    struct upload upload;
    struct upload other;

    CHECK(upload_begin(&fixture, &upload, "ups", "room") == 0 &&
              upload_begin(&fixture, &other, "ups", "room") == 0,
          "two uploads");
    CHECK(begin_part(&upload, 1, most, most, &first) == 0, "a part of all that may be");
    CHECK(begin_part(&upload, 1, most, most, &again) == 0, "once more, while the first hangs");
    CHECK(begin_part(&upload, 1, most, most, &third) == LST_ERR_CROWDED, "but not again and again");
    CHECK(begin_part(&upload, 2, 1, most, &third) == LST_ERR_CROWDED, "nor another");
    CHECK(begin_part(&other, 1, most, most, &third) == 0, "another upload has room of its own");
    lst_put_abort(third);
    lst_put_abort(first);
    CHECK(begin_part(&upload, 2, LST_UPLOAD_ROOM, most, &third) == 0, "when one has ended");
    CHECK(begin_part(&upload, 3, 1, most, &first) == LST_ERR_CROWDED, "it is taken again");
    lst_put_abort(again);
    lst_put_abort(third);
    CHECK(upload_abort(&fixture, &upload) == 0 && upload_abort(&fixture, &other) == 0, "given up");
}

/* ---- At the same time */

struct sender {
    struct lst_put *put;
    int status;
};

static void *send_end(void *argument)
{
    struct sender *sender = argument;

    sender->status = end_part(sender->put, LIMIT / 4);
    return NULL;
}

static void test_all_at_once(void)
{
    struct sender senders[THREADS];
    pthread_t threads[THREADS];
    struct upload upload;
    int done = 0;
    int refused = 0;
    bool ok;

    CHECK(upload_begin(&fixture, &upload, "ups", "all") == 0, "an upload");
    ok = true;
    for (uint32_t i = 0; i < THREADS; i++) {
        ok = ok && begin_part(&upload, i + 1, LIMIT / 4, LIMIT, &senders[i].put) == 0;
    }
    CHECK(ok, "eight parts on their way, of which four fit");
    for (int i = 0; i < THREADS && ok; i++) {
        pthread_create(&threads[i], NULL, send_end, &senders[i]);
    }
    for (int i = 0; i < THREADS && ok; i++) {
        pthread_join(threads[i], NULL);
        done += senders[i].status == 0;
        refused += senders[i].status == LST_ERR_TOO_LARGE;
    }
    CHECK(done == 4 && refused == 4 && total_of(&upload) == LIMIT, "four are there, four refused");
    CHECK(upload_abort(&fixture, &upload) == 0, "given up");
}

struct replacer {
    const struct upload *upload;
    uint32_t number;
    int wrong;
};

static void *replace_one(void *argument)
{
    struct replacer *racer = argument;

    for (int i = 0; i < 20; i++) {
        int status = put_part(racer->upload, racer->number, i % 2 == 0 ? SMALL : SMALL * 2);
        racer->wrong += status != 0;
    }
    return NULL;
}

static void test_replacing_at_once(void)
{
    struct replacer racers[THREADS];
    pthread_t threads[THREADS];
    struct upload upload;
    int wrong = 0;

    CHECK(upload_begin(&fixture, &upload, "ups", "again") == 0, "an upload");
    for (uint32_t i = 0; i < THREADS; i++) {
        racers[i].upload = &upload;
        racers[i].number = i / 2 + 1; /* two for each number */
        racers[i].wrong = 0;
        pthread_create(&threads[i], NULL, replace_one, &racers[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        wrong += racers[i].wrong;
    }
    CHECK(wrong == 0, "parts within the limit are all taken");
    CHECK(put_part(&upload, 100, LIMIT - (size_t)total_of(&upload)) == 0 &&
              total_of(&upload) == LIMIT && put_part(&upload, 101, 1) == LST_ERR_TOO_LARGE,
          "and what is left was counted rightly");
    CHECK(upload_abort(&fixture, &upload) == 0, "given up");
}

int main(void)
{
    bytes = fixture_bytes(LIMIT + 1, 5);
    fixture = fixture_open();
    CHECK(fixture_make_bucket(&fixture, "ups") == 0, "a bucket");
    test_one_after_the_other();
    test_room();
    test_all_at_once();
    test_replacing_at_once();
    fixture_close(&fixture);
    free(bytes);
    return tap_done();
}
