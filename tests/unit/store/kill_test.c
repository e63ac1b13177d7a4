/* kill_test.c - a process is killed in the middle of many writes, again and again: what it has
 * acknowledged is there, whole, and nothing is half there. */
#include "store_fixture.h"

#include <signal.h>
#include <sys/wait.h>

enum {
    KILLS = 15,
    WRITERS = 12,
    KEYS = 40, /* of each writer */
};

/* What a writer says: before it puts this version of its key, and after it was acknowledged. */
struct message {
    uint32_t writer;
    uint32_t key;
    uint32_t version; /* 0: deleted */
    uint32_t is_done;
};

/* Of each key: the last version that was acknowledged, and the one begun after it, if any. */
static struct {
    uint32_t acknowledged;
    uint32_t begun;
    bool is_begun;
} known[WRITERS][KEYS];

/* A body that follows from what it is: small ones, and large ones for every third. */
static char *make_body(uint32_t writer, uint32_t key, uint32_t version, size_t *ret_size)
{
    *ret_size = version % 3 == 0 ? 9000 + (version * 977) % 30000 : (version * 131) % 4000;
    return fixture_bytes(*ret_size, (uint64_t)writer << 40 | (uint64_t)key << 32 | version);
}

struct writer {
    struct fixture *fixture;
    int out;
    uint32_t number;
    uint32_t version;
};

static void *write_forever(void *argument)
{
    struct writer *writer = argument;

    for (uint32_t version = writer->version;; version++) {
        struct message message = {writer->number, (version * 7) % KEYS,
                                  version % 11 == 0 ? 0 : version, 0};
        char key[40];
        size_t size;
        char *body = make_body(message.writer, message.key, version, &size);
        int status;
        (void)snprintf(key, sizeof(key), "w%u/k%u", message.writer, message.key);
        if (write(writer->out, &message, sizeof(message)) != (ssize_t)sizeof(message)) {
            _exit(3);
        }
        status = message.version == 0 ? fixture_delete(writer->fixture, "kill", key)
                                      : fixture_put(writer->fixture, "kill", key, body, size);
        message.is_done = 1;
        if (status != 0 ||
            write(writer->out, &message, sizeof(message)) != (ssize_t)sizeof(message)) {
            _exit(4);
        }
        free(body);
    }
}

static void run_child(struct fixture *fixture, int out, uint32_t version)
{
    struct writer writers[WRITERS];
    pthread_t thread;

    if (fixture_start(fixture) != 0) {
        _exit(2);
    }
    for (uint32_t i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){fixture, out, i, version};
        pthread_create(&thread, NULL, write_forever, &writers[i]);
    }
    for (;;) {
        (void)pause();
    }
}

/* Take in all messages; the child is killed after a while. Gives how many were acknowledged. */
static int listen_and_kill(int in, pid_t child, unsigned after)
{
    struct message message;
    unsigned count = 0;
    int acknowledged = 0;

    while (read(in, &message, sizeof(message)) == (ssize_t)sizeof(message)) {
        if (message.is_done) {
            known[message.writer][message.key].acknowledged = message.version;
            acknowledged++;
        } else {
            known[message.writer][message.key].begun = message.version;
        }
        known[message.writer][message.key].is_begun = !message.is_done;
        if (++count == after) {
            kill(child, SIGKILL);
        }
    }
    return acknowledged;
}

static bool has_version(struct fixture *fixture, uint32_t writer, uint32_t number, uint32_t version)
{
    struct lst_object object;
    char key[40];
    size_t size;
    char *body;
    bool has;

    (void)snprintf(key, sizeof(key), "w%u/k%u", writer, number);
    if (version == 0) {
        if (lst_object_open(fixture->store,
                            &(struct lst_object_name){slice("kill"), slice(key), {NULL, 0}}, false,
                            &object) == LST_ERR_KEY_NOT_FOUND) {
            return true;
        }
        lst_object_close(&object);
        return false;
    }
    body = make_body(writer, number, version, &size);
    has = fixture_holds(fixture, "kill", key, body, size);
    free(body);
    return has;
}

/* Each key is as acknowledged, or as begun after that; from here on that is what is known. */
static bool all_as_known(struct fixture *fixture, uint64_t *ret_objects)
{
    bool ok = true;

    *ret_objects = 0;
    for (uint32_t i = 0; i < WRITERS; i++) {
        for (uint32_t j = 0; j < KEYS; j++) {
            if (known[i][j].is_begun && has_version(fixture, i, j, known[i][j].begun)) {
                known[i][j].acknowledged = known[i][j].begun;
            }
            known[i][j].is_begun = false;
            if (!has_version(fixture, i, j, known[i][j].acknowledged)) {
                printf("# w%u/k%u is not at version %u\n", i, j, known[i][j].acknowledged);
                ok = false;
            }
            *ret_objects += known[i][j].acknowledged != 0 ? 1 : 0;
        }
    }
    return ok;
}

int main(void)
{
    struct fixture fixture = fixture_open();
    uint64_t random = 99;
    bool ok = true;
    int acknowledged = 0;
    int unclean = 0;

    CHECK(fixture_make_bucket(&fixture, "kill") == 0, "a bucket is made");
    lst_store_close(fixture.store);
    fflush(stdout);
    for (uint32_t i = 0; i < KILLS && ok; i++) {
        uint64_t objects = 0;
        int result;
        int pipes[2];
        pid_t child;
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        ok = pipe(pipes) == 0;
        child = fork();
        if (child == 0) {
            close(pipes[0]);
            run_child(&fixture, pipes[1], 1 + i * 1000000);
        }
        close(pipes[1]);
        acknowledged += listen_and_kill(pipes[0], child, 20 + (unsigned)(random >> 40) % 2000);
        waitpid(child, &result, 0);
        close(pipes[0]);
        ok = ok && WIFSIGNALED(result) && WTERMSIG(result) == SIGKILL;
        ok = ok && fixture_start(&fixture) == 0;
        unclean += ok && fixture.recovery.was_unclean ? 1 : 0;
        ok = ok && all_as_known(&fixture, &objects) && fixture_is_clean(&fixture, objects);
        ok = ok && !fixture_has_unfinished(&fixture);
        lst_store_close(fixture.store);
    }
    CHECK(ok, "after each of %d kills all %d acknowledged writes are there, and nothing else",
          KILLS, acknowledged);
    CHECK(unclean == KILLS, "each time the opening says that the end was unclean");
    CHECK(acknowledged > 1000, "enough was written for that to mean something");
    fixture_remove(&fixture);
    return tap_done();
}
