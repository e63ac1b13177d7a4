/* beside_test.c - a look at a store beside the process that writes to it: fsck on a running server
 * finds nothing wrong. */
#include "store_fixture.h"

#include <signal.h>
#include <sys/wait.h>

enum { WRITERS = 4, CHECKS = 3 };

static void *write_forever(void *argument)
{
    struct fixture *fixture = argument;
    char *bytes = fixture_bytes(30000, 1);

    for (size_t i = 0;; i++) {
        char key[20];
        (void)snprintf(key, sizeof(key), "k%zu", i * 7 % 50);
        int status = i % 5 == 0 ? fixture_delete(fixture, "busy", key)
                                : fixture_put(fixture, "busy", key, bytes + i % 9,
                                              i % 2 == 0 ? 20000 : 3000);
        if (status != 0) {
            _exit(1);
        }
    }
}

static void run_writer(struct fixture *fixture, int out)
{
    pthread_t thread;

    if (fixture_start(fixture) != 0 || write(out, "r", 1) != 1) {
        _exit(1);
    }
    for (int i = 0; i < WRITERS; i++) {
        pthread_create(&thread, NULL, write_forever, fixture);
    }
    for (;;) {
        (void)pause();
    }
}

int main(void)
{
    struct fixture fixture = fixture_open();
    struct lst_store_options options = {.path = fixture.folder, .read_only = true};
    struct lst_store_census census = {0};
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    struct lst_put_options put_options = {.bucket = slice("busy"), .key = slice("k")};
    struct lst_put *put;
    bool ok = true;
    int result;
    int pipes[2];
    char ready;
    pid_t child;

    CHECK(fixture_make_bucket(&fixture, "busy") == 0, "a bucket is made");
    lst_store_close(fixture.store);
    CHECK(pipe(pipes) == 0, "a pipe");
    fflush(stdout);
    child = fork();
    if (child == 0) {
        run_writer(&fixture, pipes[1]);
    }
    CHECK(read(pipes[0], &ready, 1) == 1, "another process writes");
    CHECK(fixture_start(&fixture) == LST_ERR_LOCKED, "the store can't be opened for writing");
    CHECK(lst_store_open(&options, NULL, &fixture.store) == 0, "but for reading");
    for (int i = 0, waited = 0; i < CHECKS && ok && waited < 1000; waited++) {
        ok = lst_store_check(fixture.store, fixture_show_fault, NULL, &census) == 0 &&
             census.faults == 0 && census.orphan_blobs == 0;
        /* The first may come before anything is written. */
        i += census.objects > 20 ? 1 : 0;
        (void)usleep(10000);
    }
    CHECK(ok, "the check finds nothing wrong, whatever is written meanwhile");
    CHECK(census.buckets == 1 && census.objects > 20, "though it has looked at something");
    CHECK(lst_put_begin(fixture.store, &put_options, &put) == LST_ERR_PERMISSION &&
              lst_store_delete(fixture.store, slice("busy"), NULL, 0, &write) ==
                  LST_ERR_PERMISSION &&
              lst_store_bucket_delete(fixture.store, slice("busy"), &write) == LST_ERR_PERMISSION,
          "whoever may only read can't write");
    CHECK(kill(child, 0) == 0 && waitpid(child, &result, WNOHANG) == 0,
          "the other process was not disturbed");
    kill(child, SIGKILL);
    waitpid(child, &result, 0);
    lst_store_close(fixture.store);
    options.path = "no-such-folder";
    CHECK(lst_store_open(&options, NULL, &fixture.store) == LST_ERR_NOT_FOUND,
          "a store that is not there is not made");
    fixture_remove(&fixture);
    return tap_done();
}
