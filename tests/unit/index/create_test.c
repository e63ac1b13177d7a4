/* create_test.c - a new index file appears whole, whoever makes it and however many do. */
#include "index_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { PROCESSES = 8 };

static int files_in(const char *path)
{
    DIR *folder = opendir(path);
    int count = 0;

    while (folder != NULL && readdir(folder) != NULL) {
        count++;
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return count - 2; /* "." and ".." */
}

/* In a process of its own: open, add a row, close. */
static int add_row(const char *path, int number)
{
    struct fixture fixture = {0};
    char key[2] = {(char)('a' + number)};

    (void)snprintf(fixture.path, sizeof(fixture.path), "%s", path);
    if (fixture_start(&fixture, 0) != 0 ||
        fixture_put(&fixture, 1, slice(key), slice("there")) != 0) {
        return 1;
    }
    lst_index_close(fixture.index);
    return 0;
}

static void test_many_make_it(void)
{
    char folder[] = "create-test-XXXXXX";
    struct fixture fixture = {0};
    struct stat state;
    bool all = mkdtemp(folder) != NULL;

    (void)snprintf(fixture.path, sizeof(fixture.path), "%s/index", folder);
    (void)fflush(stdout);
    for (int i = 0; i < PROCESSES; i++) {
        if (fork() == 0) {
            _exit(add_row(fixture.path, i));
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        all = wait(&status) > 0 && status == 0 && all;
    }
    CHECK(all, "many processes make and open one index at a time");
    CHECK(files_in(folder) == 2, "one file and its lock are left");
    CHECK(stat(fixture.path, &state) == 0 && (state.st_mode & 0777) == 0600,
          "only its owner can read it");
    CHECK(fixture_start(&fixture, 0) == 0, "it opens");
    for (int i = 0; i < PROCESSES; i++) {
        char key[2] = {(char)('a' + i)};
        all = all && fixture_has(&fixture, 1, key, "there");
    }
    CHECK(all, "what each of them wrote is there");
    fixture_close(&fixture);
    (void)rmdir(folder);
}

static void test_where_it_cannot_be(void)
{
    struct fixture fixture = {.path = "no-such-folder/index"};

    CHECK(fixture_start(&fixture, 0) == LST_ERR_NOT_FOUND, "in no folder none is made");
}

/* ---- What a crash in the first start left */

static int make_file(const char *folder, const char *name)
{
    char path[96];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static bool is_there(const char *folder, const char *name, bool remove_it)
{
    char path[96];
    struct stat state;
    bool found;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    found = lstat(path, &state) == 0;
    if (found && remove_it) {
        (void)remove(path);
    }
    return found;
}

static void test_left(void)
{
    static const char *const kept[] = {"index.backup",          "index.making.short",
                                       "index.making.toolong1", "index.making.with-a",
                                       "other.making.AbC123",   "index.making.Folder",
                                       "index.making.SymLnk",   "index.making.Locked"};
    char folder[] = "create-test-XXXXXX";
    struct fixture fixture = {0};
    char path[96];
    int locked;

    CHECK(mkdtemp(folder) != NULL, "a folder");
    (void)snprintf(fixture.path, sizeof(fixture.path), "%s/index", folder);
    for (size_t i = 0; i < 5; i++) {
        close(make_file(folder, kept[i]));
    }
    (void)snprintf(path, sizeof(path), "%s/%s", folder, kept[5]);
    (void)mkdir(path, 0700);
    (void)snprintf(path, sizeof(path), "%s/%s", folder, kept[6]);
    (void)!symlink("index.backup", path);
    locked = make_file(folder, kept[7]);
    (void)flock(locked, LOCK_EX);
    close(make_file(folder, "index.making.AbC123"));
    CHECK(fixture_start(&fixture, 0) == 0, "an index is made beside one that was begun");
    CHECK(!is_there(folder, "index.making.AbC123", true), "which is deleted");
    close(make_file(folder, "index.making.zZ9900"));
    lst_index_close(fixture.index);
    CHECK(fixture_start(&fixture, 0) == 0 && !is_there(folder, "index.making.zZ9900", true),
          "as is one beside an index that is there");
    close(locked);
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        CHECK(is_there(folder, kept[i], true), "but not %s", kept[i]);
    }
    fixture_close(&fixture);
    (void)rmdir(folder);
}

/* ---- A damaged tree */

/* A file whose header counts more pages than there are, and whose tree of rows is a branch that
 * refers to itself in every node: looked through to its full depth, it would take for ever. */
static void test_circle(void)
{
    enum { PAGE = 4096, NODES = 100 };
    static unsigned char page[PAGE];
    struct fixture fixture = fixture_open(0);
    uint64_t words[3] = {2, 9, UINT64_MAX}; /* the root, the last page, an empty tree */
    uint16_t offset;
    char text[LST_INDEX_DAMAGE_MAX] = "";
    int file;

    CHECK(fixture_put(&fixture, 1, slice("a"), slice("1")) == 0, "a row");
    lst_index_close(fixture.index);
    file = open(fixture.path, O_RDWR | O_CLOEXEC);
    for (int i = 0; i < 2; i++) {
        /* Behind the header of 16 bytes: magic, version, address, size (24), the tree of free
         * pages (48), the tree of rows, whose root is its last number. */
        CHECK(pwrite(file, &words[0], 8, (off_t)i * PAGE + 16 + 24 + 48 + 40) == 8 &&
                  pwrite(file, &words[1], 8, (off_t)i * PAGE + 16 + 24 + 48 + 48) == 8 &&
                  pwrite(file, &words[2], 8, (off_t)i * PAGE + 16 + 24 + 40) == 8,
              "header %d is changed", i);
    }
    page[10] = 1; /* a branch */
    offset = 16 + 2 * NODES;
    memcpy(page + 12, &offset, sizeof(offset));
    for (size_t i = 0; i < NODES; i++) {
        offset = (uint16_t)(2000 + 8 * i);
        memcpy(page + 16 + 2 * i, &offset, sizeof(offset));
        page[offset] = 2; /* the page itself */
    }
    CHECK(pwrite(file, page, PAGE, 2 * PAGE) == PAGE && ftruncate(file, 5 * PAGE) == 0,
          "and so is the root");
    close(file);
    CHECK(lst_index_examine(fixture.path, text) == LST_ERR_CORRUPT &&
              strstr(text, "circle") != NULL,
          "pages that refer to each other in a circle are damage: %s", text);
    CHECK(fixture_start(&fixture, 0) == LST_ERR_CORRUPT, "and are not opened");
    fixture.index = NULL;
    fixture_close(&fixture);
}

int main(void)
{
    test_left();
    test_circle();
    test_many_make_it();
    test_where_it_cannot_be();
    return tap_done();
}
