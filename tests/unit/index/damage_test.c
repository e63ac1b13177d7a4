/*
 * damage_test.c - a row that changed on the disk is an error of its own reading, and of no other.
 *
 * The file is changed while nobody has it open: wherever some bytes stand in it, one of them gets
 * another value. Or it is changed, or cut, while it is in use: then a read meets a page that makes
 * no sense, or is not there.
 */
#include "index_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { PARTITION = 7 };

/* Change a byte of each copy of the text in the file, so far from its beginning. Gives how many
 * there were. */
static size_t damage_file_at(const char *path, const char *text, long offset)
{
    size_t length = strlen(text);
    size_t count = 0;
    FILE *file = fopen(path, "r+b");
    struct stat state;
    char *bytes;

    if (file == NULL || fstat(fileno(file), &state) != 0) {
        CHECK(false, "the index file is opened");
        exit(tap_done());
    }
    bytes = malloc((size_t)state.st_size);
    if (bytes == NULL || fread(bytes, 1, (size_t)state.st_size, file) != (size_t)state.st_size) {
        CHECK(false, "the index file is read");
        exit(tap_done());
    }
    for (size_t i = 0; i + length <= (size_t)state.st_size; i++) {
        if (memcmp(bytes + i, text, length) == 0) {
            (void)fseek(file, (long)i + offset, SEEK_SET);
            (void)fputc(bytes[(long)i + offset] ^ 0x20, file);
            count++;
        }
    }
    free(bytes);
    (void)fclose(file);
    return count;
}

static size_t damage_file(const char *path, const char *text)
{
    return damage_file_at(path, text, (long)strlen(text) / 2);
}

static void reopen_damaged_at(struct fixture *fixture, const char *text, long offset)
{
    lst_index_close(fixture->index);
    CHECK(damage_file_at(fixture->path, text, offset) > 0, "%s stands in the file", text);
    if (fixture_start(fixture, 0) != LST_OK) {
        CHECK(false, "the index with a damaged row is opened");
        exit(tap_done());
    }
}

static void reopen_damaged(struct fixture *fixture, const char *text)
{
    reopen_damaged_at(fixture, text, (long)strlen(text) / 2);
}

static int get(struct fixture *fixture, struct lst_slice key, struct lst_slice *ret_value)
{
    struct lst_index_reader *reader;
    int status = lst_index_read_begin(fixture->index, &reader);

    *ret_value = slice("");
    if (status == LST_OK) {
        status = lst_index_get(reader, PARTITION, key, ret_value);
        lst_index_read_end(reader);
    }
    return status;
}

static struct fixture open_filled(void)
{
    struct fixture fixture = fixture_open(0);
    int status = LST_OK;

    for (char letter = 'a'; letter <= 'e' && status == LST_OK; letter++) {
        char key[16];
        char value[16];
        (void)snprintf(key, sizeof(key), "key-%c-name", letter);
        (void)snprintf(value, sizeof(value), "value-%c-bytes", letter);
        status = fixture_put(&fixture, PARTITION, slice(key), slice(value));
    }
    CHECK(status == LST_OK, "five rows are put");
    return fixture;
}

/* Which rows a cursor sees, and in which state: "aB" is a whole one and a damaged one. */
static void walk(struct fixture *fixture, char *ret_seen, int end)
{
    struct lst_index_reader *reader;
    struct lst_slice key;
    struct lst_slice value;
    int status = lst_index_read_begin(fixture->index, &reader);

    if (status != LST_OK) {
        return;
    }
    status = lst_index_seek(reader, PARTITION, slice(""), &key, &value);
    for (; status == LST_OK || lst_index_is_damaged_row(status, key);
         status = lst_index_next(reader, &key, &value)) {
        *ret_seen++ = (char)(key.bytes[4] - (status == LST_OK ? 0 : 'a' - 'A'));
    }
    *ret_seen = '\0';
    CHECK(status == end, "the walk ends with %d", status);
    lst_index_read_end(reader);
}

/* Whether no whole row that a cursor gives from this key on is before it, and it comes to an end.
 */
static bool none_is_before(struct fixture *fixture, struct lst_slice start)
{
    struct lst_index_reader *reader;
    struct lst_slice key;
    struct lst_slice value;
    bool is_right = true;
    int count = 0;
    int status = lst_index_read_begin(fixture->index, &reader);

    if (status != LST_OK) {
        return false;
    }
    status = lst_index_seek(reader, PARTITION, start, &key, &value);
    while ((status == LST_OK || lst_index_is_damaged_row(status, key)) && count < 100) {
        is_right = is_right && (status != LST_OK || lst_slice_compare(key, start) >= 0);
        status = lst_index_next(reader, &key, &value);
        count++;
    }
    lst_index_read_end(reader);
    return is_right && count < 100;
}

static void test_value(void)
{
    struct fixture fixture = open_filled();
    struct lst_slice value;
    char seen[16];

    reopen_damaged(&fixture, "value-c-bytes");
    CHECK(get(&fixture, slice("key-c-name"), &value) == LST_ERR_CORRUPT && value.length == 13,
          "a changed value is damage, and is shown as it is");
    CHECK(get(&fixture, slice("key-b-name"), &value) == LST_OK &&
              get(&fixture, slice("key-d-name"), &value) == LST_OK,
          "its neighbours are whole");
    walk(&fixture, seen, LST_ERR_NOT_FOUND);
    CHECK(strcmp(seen, "abCde") == 0, "a cursor stops at it, and can go on: %s", seen);
    CHECK(fixture_put(&fixture, PARTITION, slice("key-c-name"), slice("new")) == LST_OK &&
              get(&fixture, slice("key-c-name"), &value) == LST_OK,
          "it can be written anew");
    fixture_close(&fixture);
}

static void test_key(void)
{
    struct fixture fixture = open_filled();
    struct lst_slice value;
    char seen[16];

    reopen_damaged(&fixture, "key-c-name");
    CHECK(get(&fixture, slice("key-C-name"), &value) != LST_OK, "a changed key is no row");
    walk(&fixture, seen, LST_ERR_NOT_FOUND);
    CHECK(strlen(seen) == 5 && strpbrk(seen, "abde") != NULL && strchr(seen, 'c') == NULL,
          "and a walk does not show it as one: %s", seen);
    fixture_close(&fixture);
}

/* LMDB halves the rows of a page, so one whose key has become larger sends who looks for a later
 * one to before that. */
static void test_nothing_before_what_is_sought(void)
{
    for (char changed = 'A'; changed <= 'E'; changed++) {
        struct fixture fixture = fixture_open(0);
        char text[] = {'-', changed, '-', '\0'};
        int status = LST_OK;

        for (char letter = 'A'; letter <= 'E' && status == LST_OK; letter++) {
            char key[] = {'k', 'e', 'y', '-', letter, '-', 'x', '\0'};
            status = fixture_put(&fixture, PARTITION, slice(key), slice("value"));
        }
        CHECK(status == LST_OK, "five rows are put");
        reopen_damaged(&fixture, text);
        for (char letter = 'A'; letter <= 'E'; letter++) {
            char key[] = {'k', 'e', 'y', '-', letter, '-', 'x', '\0'};
            CHECK(none_is_before(&fixture, slice(key)),
                  "with %c changed, who looks for %s is given no row before it", changed, key);
        }
        fixture_close(&fixture);
    }
}

static void test_requirements(void)
{
    struct fixture fixture = open_filled();
    struct lst_index_change changes[2] = {
        {.kind = LST_INDEX_REQUIRE_PREFIX, .key = slice("key-c-name"), .value = slice("value")},
        {.kind = LST_INDEX_DELETE, .key = slice("key-c-name")},
    };
    struct lst_slice value;

    reopen_damaged(&fixture, "value-c-bytes");
    changes[0].value = slice("valve");
    CHECK(lst_index_apply(fixture.index, PARTITION, changes, 2) == LST_ERR_CONFLICT,
          "who requires something else of a damaged row does not change it");
    changes[0].value = slice("value");
    CHECK(lst_index_apply(fixture.index, PARTITION, changes, 2) == LST_OK &&
              get(&fixture, slice("key-c-name"), &value) == LST_ERR_NOT_FOUND,
          "who requires what stands there deletes it");
    fixture_close(&fixture);
}

/* A value with a head: scans of heads don't see what happens behind it, and see all else. */
static void test_heads(void)
{
    static const char *const damages[] = {"HEAD-of-c", "REST-of-c"};

    for (size_t i = 0; i < 2; i++) {
        struct fixture fixture = open_filled();
        struct lst_index_change change = {.kind = LST_INDEX_PUT,
                                          .key = slice("key-c-name"),
                                          .value = slice("HEAD-of-c,REST-of-c"),
                                          .head_length = 10};
        struct lst_index_reader *reader;
        struct lst_slice key;
        struct lst_slice value;
        int status;

        CHECK(lst_index_apply(fixture.index, PARTITION, &change, 1) == LST_OK, "a head is put");
        CHECK(get(&fixture, slice("key-c-name"), &value) == LST_OK, "the value is read");
        reopen_damaged(&fixture, damages[i]);
        CHECK(get(&fixture, slice("key-c-name"), &value) == LST_ERR_CORRUPT,
              "who reads all is told of %s", damages[i]);
        if (lst_index_read_begin(fixture.index, &reader) != LST_OK) {
            CHECK(false, "a reading begins");
            break;
        }
        lst_index_read_heads(reader);
        status = lst_index_seek(reader, PARTITION, slice("key-b-name"), &key, &value);
        CHECK(status == LST_OK && lst_slice_starts_with(value, slice("value-b")),
              "what has no head is given whole");
        status = lst_index_next(reader, &key, &value);
        CHECK(lst_slice_equal(key, slice("key-c-name")) &&
                  (i == 0 ? status == LST_ERR_CORRUPT
                          : status == LST_OK && lst_slice_equal(value, slice("HEAD-of-c,"))),
              "who reads heads is told of what is in them");
        lst_index_read_end(reader);
        CHECK(lst_index_read_begin(fixture.index, &reader) == LST_OK &&
                  lst_index_seek(reader, PARTITION, slice("key-c-name"), &key, &value) ==
                      LST_ERR_CORRUPT,
              "another reading gives all again");
        lst_index_read_end(reader);
        fixture_close(&fixture);
    }
}

static void test_long_key(void)
{
    struct fixture fixture = open_filled();
    char key[1200];
    struct lst_slice value;
    char seen[16];

    memset(key, 'k', sizeof(key));
    memcpy(key, "key-f", 5);
    CHECK(fixture_put(&fixture, PARTITION, lst_slice_make(key, sizeof(key)),
                      slice("value-f-bytes")) == LST_OK,
          "a long key is put");
    reopen_damaged(&fixture, "value-f-bytes");
    CHECK(get(&fixture, lst_slice_make(key, sizeof(key)), &value) == LST_ERR_CORRUPT,
          "damage at the end of a long key is found");
    walk(&fixture, seen, LST_ERR_NOT_FOUND);
    CHECK(strcmp(seen, "abcdeF") == 0, "by a cursor, too: %s", seen);
    CHECK(fixture_put(&fixture, PARTITION, lst_slice_make(key, sizeof(key)), slice("")) == LST_OK,
          "it can be written anew");
    reopen_damaged(&fixture, "key-fkkkkkkkk");
    walk(&fixture, seen, LST_ERR_CORRUPT);
    CHECK(strncmp(seen, "abcde", 5) == 0,
          "a long key whose beginning changed ends a walk with an error: %s", seen);
    fixture_close(&fixture);
}

/* A key that is longer than a row's: it goes on in a space of its own, with what stands behind. */
enum { LONG_START = 480 };
struct long_key {
    char bytes[LONG_START + 16];
};

static struct lst_slice long_key(struct long_key *key, char letter, const char *rest)
{
    memset(key->bytes, 'k', LONG_START);
    memcpy(key->bytes, "key-", 4);
    key->bytes[4] = letter;
    memcpy(key->bytes + LONG_START, rest, strlen(rest));
    return lst_slice_make(key->bytes, LONG_START + strlen(rest));
}

static void put_long(struct fixture *fixture, char letter, const char *rest, int end)
{
    struct long_key key;
    int status = fixture_put(fixture, PARTITION, long_key(&key, letter, rest), slice("value"));

    CHECK(status == end, "a put of a long key, %c...%s, gives %d", letter, rest, status);
}

static int get_long(struct fixture *fixture, char letter, const char *rest)
{
    struct long_key key;
    struct lst_slice value;

    return get(fixture, long_key(&key, letter, rest), &value);
}

/* Where long keys go on only one row says. Whoever made it anew would lose all of them. */
static void test_continuation(void)
{
    struct fixture fixture = open_filled();
    struct long_key key;

    put_long(&fixture, 'f', "first", LST_OK);
    reopen_damaged(&fixture, "key-fkkkkkkkk");
    CHECK(get_long(&fixture, 'f', "first") == LST_ERR_CORRUPT, "the way to a long key is damaged");
    put_long(&fixture, 'f', "second", LST_ERR_CORRUPT);
    CHECK(get_long(&fixture, 'f', "first") == LST_ERR_CORRUPT,
          "after a put of its neighbour it is not taken for one that is not there");
    CHECK(fixture_delete(&fixture, PARTITION, long_key(&key, 'f', "first")) == LST_ERR_CORRUPT,
          "it can't be deleted, and nobody is told that it was");
    put_long(&fixture, 'g', "first", LST_OK);
    fixture_close(&fixture);
}

/* Which number the next continuation gets, a row says, too: none may be given out twice. */
static void test_next_space(void)
{
    struct fixture fixture = open_filled();
    struct long_key key;
    struct lst_slice value;

    put_long(&fixture, 'f', "first", LST_OK);
    reopen_damaged(&fixture, "next-space");
    put_long(&fixture, 'g', "first", LST_ERR_CORRUPT);
    put_long(&fixture, 'f', "second", LST_OK);
    CHECK(fixture_delete(&fixture, PARTITION, long_key(&key, 'f', "first")) == LST_OK &&
              get(&fixture, long_key(&key, 'f', "second"), &value) == LST_OK,
          "keys that go on where others did are put and deleted");
    fixture_close(&fixture);
}

/* The first row behind a long beginning has changed, and seems to stand elsewhere: those behind it
 * are still there. */
static void test_space_is_not_empty(void)
{
    struct fixture fixture = open_filled();
    struct long_key key;

    put_long(&fixture, 'f', "a-rest", LST_OK);
    put_long(&fixture, 'f', "m-rest", LST_OK);
    put_long(&fixture, 'f', "z-rest", LST_OK);
    reopen_damaged_at(&fixture, "a-rest", -8); /* the number of the space, before it */
    CHECK(fixture_delete(&fixture, PARTITION, long_key(&key, 'f', "z-rest")) == LST_OK,
          "the last key is deleted");
    CHECK(get_long(&fixture, 'f', "m-rest") == LST_OK, "the one in the middle is still there");
    CHECK(get_long(&fixture, 'f', "a-rest") == LST_ERR_CORRUPT, "the first one is damaged");
    fixture_close(&fixture);
}

static void test_format(void)
{
    struct fixture fixture = open_filled();
    struct lst_index_options options = {.path = fixture.path};

    lst_index_close(fixture.index);
    CHECK(damage_file(fixture.path, "latchstring index 4") > 0, "the format stands in the file");
    CHECK(lst_index_open(&options, &fixture.index) == LST_ERR_CORRUPT, "no format is damage");
    fixture.index = NULL;
    fixture_close(&fixture);
}

static int get_strictly(struct fixture *fixture, const char *key)
{
    struct lst_index_reader *reader;
    struct lst_slice value;
    int status = lst_index_read_begin(fixture->index, &reader);

    if (status == LST_OK) {
        lst_index_read_strictly(reader);
        status = lst_index_get(reader, PARTITION, slice(key), &value);
        lst_index_read_end(reader);
    }
    return status;
}

/* Of a row whose key and value changed nobody knows whose it was. */
static void test_strict(void)
{
    struct fixture fixture = open_filled();
    struct lst_slice value;

    lst_index_close(fixture.index);
    CHECK(damage_file(fixture.path, "key-c-name") > 0 &&
              damage_file(fixture.path, "value-c-bytes") > 0 &&
              fixture_start(&fixture, 0) == LST_OK,
          "a row changes, its key and its value");
    CHECK(get_strictly(&fixture, "key-c-name") == LST_ERR_CORRUPT,
          "who reads strictly is not told that it is not there");
    CHECK(get(&fixture, slice("key-c-name"), &value) == LST_ERR_NOT_FOUND,
          "everybody else is, with the next use of the reader");
    CHECK(get_strictly(&fixture, "key-b-nothing") == LST_ERR_CORRUPT &&
              get_strictly(&fixture, "key-d-nothing") == LST_ERR_NOT_FOUND &&
              get_strictly(&fixture, "key-d-name") == LST_OK,
          "it may be one of what would stand beside it, and no other");
    fixture_close(&fixture);
}

/* The number of the last commit, in one of the two headers: LMDB would go on with the other one,
 * which is that of the commit before. */
static void test_last_commit(void)
{
    struct fixture fixture = open_filled();
    char text[LST_INDEX_DAMAGE_MAX] = "";
    uint64_t numbers[2] = {0, 0};
    int file = open(fixture.path, O_RDWR | O_CLOEXEC);
    off_t at;

    lst_index_close(fixture.index);
    for (int i = 0; i < 2; i++) {
        CHECK(pread(file, &numbers[i], sizeof(numbers[i]), i * 4096 + 16 + 128) == 8,
              "a header is read");
    }
    CHECK(numbers[0] + 1 == numbers[1] || numbers[1] + 1 == numbers[0],
          "they have numbers that follow each other: %llu, %llu", (unsigned long long)numbers[0],
          (unsigned long long)numbers[1]);
    at = (numbers[1] > numbers[0] ? 4096 : 0) + 16 + 128;
    numbers[0] = (numbers[1] > numbers[0] ? numbers[1] : numbers[0]) & ~UINT64_C(4);
    CHECK(pwrite(file, &numbers[0], sizeof(numbers[0]), at) == 8, "the last one loses a bit");
    close(file);
    CHECK(lst_index_examine(fixture.path, text) == LST_ERR_CORRUPT &&
              fixture_start(&fixture, 0) == LST_ERR_CORRUPT,
          "the last commit is not lost in silence: %s", text);
    fixture.index = NULL;
    fixture_close(&fixture);
}

/* ---- While it is in use */

enum { PAGE = 4096, OTHERS_END = 7, LAST_WORDS = 8, REFUSED = 9 };

/* Change the flags of the row of a key, where LMDB says what kind it is. */
static bool change_flags(const char *path, const char *key)
{
    static char bytes[1 << 20];
    int file = open(path, O_RDWR | O_CLOEXEC);
    ssize_t size = pread(file, bytes, sizeof(bytes), 0);
    size_t length = strlen(key);

    for (ssize_t i = 16; i + (ssize_t)length <= size; i++) {
        if (memcmp(bytes + i, key, length) == 0) {
            /* Before the key: its space (8 bytes), its length and its flags (2 each). */
            bytes[i - 12] |= 0x04;
        }
    }
    size = pwrite(file, bytes, (size_t)size, 0) == size ? size : -1;
    close(file);
    return size > 0;
}

/* Write this over each page but the headers. */
static void overwrite_pages(const char *path, int byte, size_t first, size_t length)
{
    char bytes[PAGE];
    struct stat state;
    int file = open(path, O_RDWR | O_CLOEXEC);

    memset(bytes, byte, sizeof(bytes));
    for (off_t page = 2; fstat(file, &state) == 0 && (page + 1) * PAGE <= state.st_size; page++) {
        CHECK(pwrite(file, bytes, length, page * PAGE + (off_t)first) == (ssize_t)length,
              "a page is overwritten");
    }
    close(file);
}

/* Each way to read gives an error, or what is there, and goes on. */
static void read_all(struct fixture *fixture, const char *what)
{
    struct lst_index_statistics statistics;
    struct lst_index_reader *reader;
    struct lst_slice key;
    struct lst_slice value;
    int status;

    for (int i = 0; i < 3; i++) {
        CHECK(get(fixture, slice("key-c-name"), &value) == LST_ERR_CORRUPT, "%s: a get", what);
        if (lst_index_read_begin(fixture->index, &reader) != LST_OK) {
            CHECK(false, "%s: a reading is begun", what);
            return;
        }
        status = lst_index_seek(reader, PARTITION, slice("key-c"), &key, &value);
        CHECK(status == LST_ERR_CORRUPT, "%s: a seek gives %d", what, status);
        status = lst_index_next(reader, &key, &value);
        CHECK(status != LST_OK, "%s: a next gives %d", what, status);
        status = lst_index_get(reader, PARTITION, slice("key-c-name"), &value);
        CHECK(status == LST_ERR_CORRUPT, "%s: a get by the same reader gives %d", what, status);
        lst_index_read_end(reader);
        (void)lst_index_version(fixture->index, PARTITION);
        lst_index_statistics(fixture->index, &statistics);
    }
}

static void on_other_fault(int number)
{
    (void)number;
    _exit(OTHERS_END);
}

static void say_last_words(const char *path)
{
    (void)path;
    _exit(LAST_WORDS);
}

/* Run in a process of its own: its exit status. */
static int run_apart(void (*run)(const char *path))
{
    char path[64];
    int state = 0;
    pid_t child;

    (void)fflush(stdout);
    child = fork();

    if (child == 0) {
        (void)signal(SIGBUS, on_other_fault);
        (void)signal(SIGSEGV, on_other_fault);
        (void)snprintf(path, sizeof(path), "index-apart-%d", (int)getpid());
        run(path);
        _exit(0);
    }
    (void)waitpid(child, &state, 0);
    for (int i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof(path), "index-apart-%d%s", (int)child, i == 0 ? "" : "-lock");
        (void)unlink(path);
    }
    return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

static struct fixture open_apart(const char *path)
{
    struct fixture fixture = {0};

    (void)snprintf(fixture.path, sizeof(fixture.path), "%s", path);
    if (fixture_start(&fixture, 0) != LST_OK ||
        fixture_put(&fixture, PARTITION, slice("key-c-name"), slice("value")) != LST_OK) {
        _exit(1);
    }
    return fixture;
}

/* A put whose pages are not there any more. */
static void put_in_cut_file(const char *path)
{
    struct fixture fixture = open_apart(path);
    struct lst_slice value;

    if (truncate(path, 2L * PAGE) != 0 ||
        get(&fixture, slice("key-c-name"), &value) != LST_ERR_CORRUPT) {
        _exit(1);
    }
    (void)fixture_put(&fixture, PARTITION, slice("key-c-name"), slice("other"));
}

/* A put on a row that LMDB takes for one of another kind: it would follow a pointer to nothing. */
static void put_on_nonsense(const char *path)
{
    struct fixture fixture = open_apart(path);

    lst_index_at_end(say_last_words);
    if (!change_flags(path, "key-c-name")) {
        _exit(1);
    }
    if (fixture_put(&fixture, PARTITION, slice("key-c-name"), slice("other")) == LST_ERR_CORRUPT) {
        _exit(REFUSED);
    }
}

/* A fault that has nothing to do with an index. */
static void fault_elsewhere(const char *path)
{
    struct fixture fixture = open_apart(path);
    int file = open(path, O_RDWR | O_CLOEXEC);
    char *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 1000L * PAGE);
    volatile char byte;

    (void)fixture;
    if (map == MAP_FAILED) {
        _exit(1);
    }
    byte = map[0];
    (void)byte;
}

static void test_changes(void)
{
    CHECK(run_apart(put_in_cut_file) == OTHERS_END,
          "a change in a file that was cut ends the process, by the handler that was there");
    CHECK(run_apart(put_on_nonsense) == REFUSED,
          "a change of a page that makes no sense is refused");
    CHECK(run_apart(fault_elsewhere) == OTHERS_END, "a fault elsewhere is handed on");
}

static void test_in_use(void)
{
    struct fixture fixture = open_filled();

    CHECK(change_flags(fixture.path, "key-c-name"), "the flags of a row are changed");
    read_all(&fixture, "a row of a kind that is not used");
    fixture_close(&fixture);

    fixture = open_filled();
    overwrite_pages(fixture.path, 0xff, 0, PAGE);
    read_all(&fixture, "pages of ones");
    overwrite_pages(fixture.path, 0, 0, PAGE);
    read_all(&fixture, "pages of zeros");
    overwrite_pages(fixture.path, 0x01, 10, 2);
    read_all(&fixture, "empty pages that say that they are branches");
    CHECK(truncate(fixture.path, 2L * PAGE) == 0, "the file is cut");
    read_all(&fixture, "pages that are not there");
    fixture_close(&fixture);
}

int main(void)
{
    test_changes();
    test_in_use();
    test_value();
    test_key();
    test_nothing_before_what_is_sought();
    test_requirements();
    test_heads();
    test_long_key();
    test_continuation();
    test_next_space();
    test_space_is_not_empty();
    test_format();
    test_last_commit();
    test_strict();
    return tap_done();
}
