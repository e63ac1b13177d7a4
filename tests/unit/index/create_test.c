/* create_test.c - a new index file appears whole, whoever makes it and however many do. */
#include "index_fixture.h"

#include <dirent.h>
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

int main(void)
{
    test_many_make_it();
    test_where_it_cannot_be();
    return tap_done();
}
