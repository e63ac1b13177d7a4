/* index_test.c - batches are atomic, ordered and durable; readers keep copies. */
#include "index_fixture.h"

#include <pthread.h>
#include <sys/wait.h>

static void test_batches(void)
{
    struct fixture fixture = fixture_open(0);
    struct lst_index_change changes[3] = {
        {.kind = LST_INDEX_PUT, .key = slice("a"), .value = slice("1")},
        {.kind = LST_INDEX_REQUIRE_ABSENT, .key = slice("b"), .value = slice("")},
        {.kind = LST_INDEX_PUT, .key = slice("b"), .value = slice("22")},
    };

    CHECK(lst_index_apply(fixture.index, 1, changes, 3) == 0, "a batch is applied");
    CHECK(fixture_has(&fixture, 1, "a", "1") && fixture_has(&fixture, 1, "b", "22"),
          "all of it is there");
    CHECK(fixture_has(&fixture, 2, "a", NULL), "in its own partition only");
    changes[0].value = slice("changed");
    CHECK(lst_index_apply(fixture.index, 1, changes, 3) == LST_ERR_EXISTS,
          "a batch whose key should be absent fails");
    CHECK(fixture_has(&fixture, 1, "a", "1"), "and leaves no trace");
    changes[1] = (struct lst_index_change){
        .kind = LST_INDEX_REQUIRE_PRESENT, .key = slice("c"), .value = slice("")};
    CHECK(lst_index_apply(fixture.index, 1, changes, 3) == LST_ERR_NOT_FOUND,
          "a batch whose key should be present fails");
    changes[1] = (struct lst_index_change){
        .kind = LST_INDEX_REQUIRE_PREFIX, .key = slice("b"), .value = slice("2x")};
    CHECK(lst_index_apply(fixture.index, 1, changes, 3) == LST_ERR_CONFLICT,
          "a batch whose value should be another fails");
    changes[1].value = slice("2");
    CHECK(lst_index_apply(fixture.index, 1, changes, 3) == 0 &&
              fixture_has(&fixture, 1, "a", "changed"),
          "one whose value begins as it should is applied");
    changes[0] =
        (struct lst_index_change){.kind = LST_INDEX_DELETE, .key = slice("a"), .value = slice("")};
    CHECK(lst_index_apply(fixture.index, 1, changes, 1) == 0 && fixture_has(&fixture, 1, "a", NULL),
          "a key is deleted");
    CHECK(lst_index_apply(fixture.index, 1, changes, 1) == 0, "deleting what is not there is fine");
    lst_index_close(fixture.index);
    CHECK(fixture_start(&fixture, 0) == 0 && fixture_has(&fixture, 1, "b", "22"),
          "what was written is there after opening again");
    fixture_close(&fixture);
}

static void test_limits(void)
{
    static char bytes[LST_INDEX_VALUE_MAX + 1];
    struct fixture fixture = fixture_open(0);
    struct lst_index_reader *reader;
    struct lst_slice value;

    memset(bytes, 'k', sizeof(bytes));
    CHECK(fixture_put(&fixture, 1, lst_slice_make(bytes, LST_INDEX_KEY_MAX + 1), slice("")) ==
              LST_ERR_TOO_LARGE,
          "a key of 1,401 bytes is too long");
    CHECK(fixture_put(&fixture, 1, slice(""), slice("")) == LST_ERR_TOO_LARGE,
          "an empty key is none");
    CHECK(fixture_put(&fixture, 1, slice("k"), lst_slice_make(bytes, sizeof(bytes))) ==
              LST_ERR_TOO_LARGE,
          "a value over 256 KiB is too large");
    CHECK(lst_index_apply(fixture.index, 1,
                          &(struct lst_index_change){.kind = LST_INDEX_PUT,
                                                     .key = slice("k"),
                                                     .value = slice("value"),
                                                     .head_length = 6},
                          1) == LST_ERR_TOO_LARGE,
          "a head is not longer than its value");
    CHECK(fixture_put(&fixture, 1, lst_slice_make(bytes, LST_INDEX_KEY_MAX),
                      lst_slice_make(bytes, LST_INDEX_VALUE_MAX)) == 0,
          "the longest key takes the largest value");
    CHECK(lst_index_read_begin(fixture.index, &reader) == 0, "a snapshot is begun");
    CHECK(lst_index_get(reader, 1, lst_slice_make(bytes, LST_INDEX_KEY_MAX), &value) == 0 &&
              value.length == LST_INDEX_VALUE_MAX,
          "and gives it back");
    lst_index_read_end(reader);
    fixture_close(&fixture);
}

static void test_copies(void)
{
    struct fixture fixture = fixture_open(0);
    struct lst_index_reader *reader;
    struct lst_slice before = {NULL, 0};
    struct lst_slice value;
    bool always = true;
    uint64_t version;

    CHECK(fixture_put(&fixture, 1, slice("a"), slice("before")) == 0, "a key is put");
    version = lst_index_version(fixture.index, 1);
    CHECK(lst_index_read_begin(fixture.index, &reader) == 0 &&
              lst_index_get(reader, 1, slice("a"), &before) == 0,
          "it is read");
    CHECK(lst_index_version(fixture.index, 1) == version, "reading changes no version");
    CHECK(fixture_put(&fixture, 1, slice("a"), slice("after!")) == 0, "the key is changed");
    CHECK(lst_index_version(fixture.index, 1) != version, "writing does");
    CHECK(lst_index_get(reader, 1, slice("a"), &value) == 0 &&
              lst_slice_equal(value, slice("after!")),
          "the same reader sees what is there now");
    for (int i = 0; i < 1000; i++) {
        always = always && lst_index_get(reader, 1, slice("a"), &value) == 0;
    }
    CHECK(always, "it can read as often as it likes");
    CHECK(lst_slice_equal(before, slice("before")), "what it read stays as it was");
    lst_index_read_end(reader);
    fixture_close(&fixture);
}

/* ---- Scans */

enum { ROWS = 600, LARGE = 100 * 1000 };

static struct lst_slice make_key(int number, char ret_key[16])
{
    (void)snprintf(ret_key, 16, "key-%04d", number);
    return slice(ret_key);
}

/* Rows, some of them large, in one batch; or the deletion of all but the last. */
static int change_rows(struct fixture *fixture, bool deletes)
{
    static struct lst_index_change changes[ROWS];
    static char keys[ROWS][16];
    static char large[LARGE];

    for (int i = 0; i < ROWS; i++) {
        struct lst_slice key = make_key(i, keys[i]);
        changes[i] = (struct lst_index_change){
            .kind = deletes ? LST_INDEX_DELETE : LST_INDEX_PUT,
            .key = key,
            .value = i % 100 == 50 ? lst_slice_make(large, sizeof(large)) : key};
    }
    return lst_index_apply(fixture->index, 1, changes, deletes ? ROWS - 1 : ROWS);
}

static void test_scan(void)
{
    struct fixture fixture = fixture_open(0);
    struct lst_index_reader *reader = NULL;
    struct lst_slice key;
    struct lst_slice value;
    struct lst_slice other;
    bool is_right = true;
    char wanted[16];
    int found = 0;
    int status;

    CHECK(change_rows(&fixture, false) == LST_OK &&
              lst_index_read_begin(fixture.index, &reader) == LST_OK,
          "there are rows");
    status = lst_index_seek(reader, 1, slice("key-"), &key, &value);
    for (; status == LST_OK; status = lst_index_next(reader, &key, &value)) {
        is_right = is_right && lst_index_get(reader, 1, slice("key-0007"), &other) == LST_OK &&
                   lst_slice_equal(key, make_key(found, wanted)) &&
                   (found % 100 == 50 ? value.length == LARGE : lst_slice_equal(value, key));
        found++;
    }
    CHECK(status == LST_ERR_NOT_FOUND && found == ROWS, "a scan finds them all: %d", found);
    CHECK(is_right, "as they are, and a get between two of them changes nothing");
    CHECK(lst_index_next(reader, &key, &value) == LST_ERR_NOT_FOUND, "and no more");
    lst_index_read_end(reader);
    fixture_close(&fixture);
}

/* A row may be read ahead, but not all of them. */
static void test_scan_among_changes(void)
{
    struct fixture fixture = fixture_open(0);
    struct lst_index_reader *reader = NULL;
    struct lst_slice key;
    struct lst_slice value;
    int found = 0;

    CHECK(change_rows(&fixture, false) == LST_OK &&
              lst_index_read_begin(fixture.index, &reader) == LST_OK &&
              lst_index_seek(reader, 1, slice("key-"), &key, &value) == LST_OK &&
              lst_index_next(reader, &key, &value) == LST_OK,
          "a scan is under way");
    CHECK(change_rows(&fixture, true) == LST_OK &&
              fixture_put(&fixture, 1, slice("key-9999"), slice("y")) == LST_OK,
          "all rows but one are deleted, and one is put");
    while (lst_index_next(reader, &key, &value) == LST_OK) {
        found++;
    }
    CHECK(found >= 2 && found < ROWS / 2 && lst_slice_equal(key, slice("")),
          "both are seen, and few of those that are gone: %d", found);
    CHECK(lst_index_seek(reader, 1, slice("key-"), &key, &value) == LST_OK &&
              lst_slice_equal(key, slice("key-0599")) &&
              lst_index_next(reader, &key, &value) == LST_OK &&
              lst_slice_equal(key, slice("key-9999")) &&
              lst_index_next(reader, &key, &value) == LST_ERR_NOT_FOUND,
          "the next scan sees what is there");
    lst_index_read_end(reader);
    fixture_close(&fixture);
}

/* ---- Many writers */

enum { WRITERS = 64, WRITES = 20 };

struct counter {
    struct fixture *fixture;
    int number;
    int wins;
};

static void *write_many(void *argument)
{
    struct counter *counter = argument;

    for (int i = 0; i < WRITES; i++) {
        char own[32];
        char shared[32];
        (void)snprintf(own, sizeof(own), "own-%d-%d", counter->number, i);
        (void)snprintf(shared, sizeof(shared), "shared-%d", i);
        struct lst_index_change changes[] = {
            {.kind = LST_INDEX_REQUIRE_ABSENT, .key = slice(shared), .value = slice("")},
            {.kind = LST_INDEX_PUT, .key = slice(shared), .value = slice(own)},
        };
        int status = lst_index_apply(counter->fixture->index, 1, changes, 2);
        counter->wins += status == 0 ? 1 : 0;
        if (fixture_put(counter->fixture, 1, slice(own), slice("x")) != 0 ||
            (status != 0 && status != LST_ERR_EXISTS)) {
            counter->wins = -1000000;
        }
    }
    return NULL;
}

static void test_many_writers(void)
{
    struct fixture fixture = fixture_open(0);
    struct counter counters[WRITERS];
    pthread_t threads[WRITERS];
    struct lst_index_statistics statistics;
    int wins = 0;

    for (int i = 0; i < WRITERS; i++) {
        counters[i] = (struct counter){&fixture, i, 0};
        pthread_create(&threads[i], NULL, write_many, &counters[i]);
    }
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
        wins += counters[i].wins;
    }
    lst_index_statistics(fixture.index, &statistics);
    CHECK(wins == WRITES, "of 64 writers that need a key to be absent exactly one wins, each time");
    CHECK(statistics.batches == 2 * WRITERS * WRITES, "all batches are counted");
    CHECK(statistics.commits * 8 < statistics.batches, "%d batches take %d commits",
          (int)statistics.batches, (int)statistics.commits);
    fixture_close(&fixture);
}

/* ---- Numbers */

static int add(struct fixture *fixture, const char *numbers, size_t length)
{
    struct lst_index_change change = {
        .kind = LST_INDEX_ADD, .key = slice("sum"), .value = lst_slice_make(numbers, length)};

    return lst_index_apply(fixture->index, 1, &change, 1);
}

static void *add_many(void *argument)
{
    static const char numbers[16] = {0, 0, 0, 0, 0, 0, 0, 3, -1, -1, -1, -1, -1, -1, -1, -1};
    struct counter *counter = argument;

    for (int i = 0; i < WRITES; i++) {
        counter->wins += add(counter->fixture, numbers, sizeof(numbers)) == LST_OK ? 1 : 0;
    }
    return NULL;
}

/* What stands at the key: numbers, as text. */
static void read_sums(struct fixture *fixture, char *out)
{
    struct lst_index_reader *reader;
    struct lst_slice value;

    *out = '\0';
    if (lst_index_read_begin(fixture->index, &reader) != LST_OK) {
        return;
    }
    if (lst_index_get(reader, 1, slice("sum"), &value) == LST_OK) {
        for (size_t at = 0; at + 8 <= value.length; at += 8) {
            uint64_t number = 0;
            for (size_t i = 0; i < 8; i++) {
                number = number << 8 | (uint8_t)value.bytes[at + i];
            }
            out += sprintf(out, "%lld ", (long long)number);
        }
    }
    lst_index_read_end(reader);
}

static void test_numbers(void)
{
    static const char three[24] = {[7] = 1, [15] = 2, [23] = 5};
    struct fixture fixture = fixture_open(0);
    struct counter counters[WRITERS];
    pthread_t threads[WRITERS];
    char expected[64];
    char sums[128];
    int wins = 0;

    for (int i = 0; i < WRITERS; i++) {
        counters[i] = (struct counter){&fixture, i, 0};
        pthread_create(&threads[i], NULL, add_many, &counters[i]);
    }
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
        wins += counters[i].wins;
    }
    read_sums(&fixture, sums);
    (void)sprintf(expected, "%d %d ", 3 * wins, -wins);
    CHECK(wins == WRITERS * WRITES && strcmp(sums, expected) == 0,
          "what 64 writers add is the sum of all: %s", sums);
    CHECK(add(&fixture, three, sizeof(three)) == LST_OK && add(&fixture, three, 8) == LST_OK,
          "more numbers and fewer are added");
    read_sums(&fixture, sums);
    (void)sprintf(expected, "%d %d 5 ", 3 * wins + 2, 2 - wins);
    CHECK(strcmp(sums, expected) == 0, "those that are missing count as 0: %s", sums);
    CHECK(add(&fixture, three, 7) == LST_ERR_MALFORMED, "half a number is none");
    fixture_close(&fixture);
}

/* ---- Full, and another process */

static void test_full(void)
{
    static char bytes[100000];
    struct fixture fixture = fixture_open(1024 * 1024);
    int status = 0;
    int count = 0;

    CHECK(fixture_put(&fixture, 1, slice("first"), slice("1")) == 0, "a small index takes a key");
    while (status == 0 && count < 100) {
        char key[16];
        (void)snprintf(key, sizeof(key), "k%d", count++);
        status = fixture_put(&fixture, 1, slice(key), lst_slice_make(bytes, sizeof(bytes)));
    }
    CHECK(status == LST_ERR_NO_SPACE && count > 3, "once it is full, it says so");
    CHECK(fixture_has(&fixture, 1, "first", "1"), "it can still be read");
    CHECK(fixture_put(&fixture, 1, slice("small"), slice("2")) == 0, "what fits is still taken");
    CHECK(fixture_delete(&fixture, 1, slice("k0")) == 0, "a key is deleted");
    status = LST_ERR_NO_SPACE;
    for (int i = 0; i < 4 && status != 0; i++) {
        /* LMDB uses freed pages again two commits later. */
        (void)fixture_delete(&fixture, 1, slice("k1"));
        status = fixture_put(&fixture, 1, slice("k0"), lst_slice_make(bytes, 50000));
    }
    CHECK(status == 0, "then there is room again");
    fixture_close(&fixture);
}

static void test_other_process(void)
{
    struct fixture fixture = fixture_open(0);
    int result = 0;
    uint64_t version;
    pid_t child;

    CHECK(fixture_put(&fixture, 1, slice("mine"), slice("1")) == 0, "one process writes");
    lst_index_close(fixture.index);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        struct fixture other = fixture;
        int status = fixture_start(&other, 0);
        /* Until it is killed, a reader of this process is open: nobody ends it. */
        struct lst_index_reader *reader;
        if (status == 0) {
            status = lst_index_read_begin(other.index, &reader);
        }
        if (status == 0) {
            status = fixture_put(&other, 1, slice("theirs"), slice("2"));
        }
        _exit(status == 0 ? 0 : 1);
    }
    CHECK(fixture_start(&fixture, 0) == 0, "the index is open");
    version = lst_index_version(fixture.index, 1);
    waitpid(child, &result, 0);
    CHECK(WIFEXITED(result) && WEXITSTATUS(result) == 0, "while another process writes to it");
    CHECK(lst_index_version(fixture.index, 1) >= version &&
              fixture_has(&fixture, 1, "theirs", "2") && fixture_has(&fixture, 1, "mine", "1"),
          "what it wrote is seen");
    fixture_close(&fixture);
}

static void test_open(void)
{
    struct lst_index_options options = {.path = "no-such-folder/index", .read_only = true};
    struct lst_index *index;
    char path[] = "index-test-XXXXXX";
    int file = mkstemp(path);

    CHECK(lst_index_open(&options, &index) == LST_ERR_NOT_FOUND, "an index may not be there");
    if (file >= 0) {
        char junk[8192];
        memset(junk, 'j', sizeof(junk));
        CHECK(write(file, junk, sizeof(junk)) == (ssize_t)sizeof(junk), "a file of something else");
        close(file);
        options = (struct lst_index_options){.path = path};
        CHECK(lst_index_open(&options, &index) == LST_ERR_CORRUPT, "is not taken for an index");
        (void)unlink(path);
        (void)unlink(strcat(strcpy(junk, path), "-lock"));
    }
}

int main(void)
{
    test_batches();
    test_limits();
    test_copies();
    test_scan();
    test_scan_among_changes();
    test_many_writers();
    test_numbers();
    test_full();
    test_other_process();
    test_open();
    return tap_done();
}
