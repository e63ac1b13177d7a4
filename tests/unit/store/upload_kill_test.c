/* upload_kill_test.c - a process is killed in the middle of uploads, completions and copies: the
 * parts and objects it has acknowledged are there, whole, and nothing else is left. */
#include "upload_fixture.h"

#include <signal.h>
#include <sys/wait.h>

enum { KILLS = 12, WRITERS = 8, KEYS = 6 };

enum event {
    WILL_CHANGE, /* the key is about to get this version */
    HAS_CHANGED,
    HAS_PART, /* of an upload that will be of this version */
};

struct message {
    enum event event;
    uint32_t writer;
    uint32_t key;
    uint32_t version; /* 0: deleted */
    struct upload upload;
};

/* What was heard of each key, and of the upload that each writer has in progress. */
static struct {
    uint32_t acknowledged;
    uint32_t begun;
    bool is_begun;
} known[WRITERS][KEYS];
static struct message uploads[WRITERS];

/* Two parts for some: a full one, of bytes that are cheap to make, and a rest. */
static size_t first_size(uint32_t version)
{
    return version % 16 == 1 ? PART : 0;
}

static char *make_body(uint32_t writer, uint32_t version, size_t *ret_size)
{
    size_t first = first_size(version);
    size_t rest = version % 3 == 0 ? 9000 + (version * 977) % 30000 : (version * 131) % 4000;
    char *tail = fixture_bytes(rest, (uint64_t)writer << 32 | version);
    char *body = malloc(first + rest + 1);

    memset(body, (int)(version & 0xFF), first);
    memcpy(body + first, tail, rest);
    free(tail);
    *ret_size = first + rest;
    return body;
}

/* ---- The child */

struct writer {
    struct fixture *fixture;
    int out;
    uint32_t number;
    uint32_t version;
    uint32_t now[KEYS];
};

static void say(const struct writer *writer, enum event event, uint32_t key, uint32_t version,
                const struct upload *upload)
{
    struct message message = {
        .event = event, .writer = writer->number, .key = key, .version = version};

    if (upload != NULL) {
        message.upload = *upload;
    }
    if (write(writer->out, &message, sizeof(message)) != (ssize_t)sizeof(message)) {
        _exit(3);
    }
}

static int do_upload(struct writer *writer, uint32_t key, const char *name, uint32_t version)
{
    struct upload upload;
    size_t first = first_size(version);
    size_t size;
    char *body = make_body(writer->number, version, &size);
    int status = upload_begin(writer->fixture, &upload, "kill", name);

    if (status == 0 && first > 0) {
        status = upload_part(writer->fixture, &upload, 1, body, first);
    }
    if (status == 0) {
        status = upload_part(writer->fixture, &upload, 2, body + first, size - first);
    }
    free(body);
    if (status == 0) {
        say(writer, HAS_PART, key, version, &upload);
        say(writer, WILL_CHANGE, key, version, NULL);
        status = upload_complete(writer->fixture, &upload);
    }
    return status;
}

static int do_copy(struct writer *writer, uint32_t key, const char *name, uint32_t from)
{
    struct lst_store_write write;
    char source[40];

    (void)snprintf(source, sizeof(source), "w%u/k%u", writer->number, from);
    say(writer, WILL_CHANGE, key, writer->now[from], NULL);
    return copy_object(writer->fixture, "kill", source, name, &write);
}

static void *write_forever(void *argument)
{
    struct writer *writer = argument;

    for (uint32_t version = writer->version;; version++) {
        uint32_t key = (version * 7) % KEYS;
        uint32_t from = (version / 2) % KEYS;
        uint32_t new_version = version;
        char name[40];
        int status;
        (void)snprintf(name, sizeof(name), "w%u/k%u", writer->number, key);
        if (version % 13 == 0) {
            new_version = 0;
            say(writer, WILL_CHANGE, key, 0, NULL);
            status = fixture_delete(writer->fixture, "kill", name);
        } else if (version % 3 == 0 && writer->now[from] != 0) {
            new_version = writer->now[from];
            status = do_copy(writer, key, name, from);
        } else {
            status = do_upload(writer, key, name, version);
        }
        if (status != 0) {
            _exit(4);
        }
        say(writer, HAS_CHANGED, key, new_version, NULL);
        writer->now[key] = new_version;
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
        writers[i] = (struct writer){fixture, out, i, version, {0}};
        for (uint32_t j = 0; j < KEYS; j++) {
            writers[i].now[j] = known[i][j].acknowledged;
        }
        pthread_create(&thread, NULL, write_forever, &writers[i]);
    }
    for (;;) {
        (void)pause();
    }
}

/* ---- The parent */

static int listen_and_kill(int in, pid_t child, unsigned after)
{
    struct message message;
    unsigned count = 0;
    int acknowledged = 0;

    while (read(in, &message, sizeof(message)) == (ssize_t)sizeof(message)) {
        switch (message.event) {
        case HAS_PART:
            uploads[message.writer] = message;
            break;
        case WILL_CHANGE:
            known[message.writer][message.key].begun = message.version;
            known[message.writer][message.key].is_begun = true;
            break;
        case HAS_CHANGED:
            known[message.writer][message.key].acknowledged = message.version;
            known[message.writer][message.key].is_begun = false;
            if (uploads[message.writer].version == message.version) {
                uploads[message.writer].version = 0;
            }
            acknowledged++;
            break;
        }
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
        if (open_object(fixture, "kill", key, &object) == LST_ERR_KEY_NOT_FOUND) {
            return true;
        }
        lst_object_close(&object);
        return false;
    }
    body = make_body(writer, version, &size);
    has = upload_holds(fixture, "kill", key, body, size);
    free(body);
    return has;
}

/* An upload whose parts were acknowledged can be completed, if it was not already. */
static bool complete_uploads(struct fixture *fixture)
{
    bool ok = true;

    for (uint32_t i = 0; i < WRITERS; i++) {
        struct message *message = &uploads[i];
        if (message->version == 0) {
            continue;
        }
        for (size_t j = 0; j < message->upload.part_count; j++) {
            message->upload.parts[j].etag.bytes = message->upload.etags[j];
        }
        if (upload_complete(fixture, &message->upload) != 0) {
            printf("# writer %u: version %u can't be completed\n", i, message->version);
            ok = false;
        }
        known[i][message->key].acknowledged = message->version;
        known[i][message->key].is_begun = false;
        message->version = 0;
    }
    return ok;
}

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

static int give_up(void *context, const struct lst_upload_entry *entry)
{
    struct upload *upload = context;

    memcpy(upload->id, entry->upload.id.bytes, sizeof(upload->id));
    (void)snprintf(upload->key, sizeof(upload->key), "%.*s", (int)entry->upload.key.length,
                   entry->upload.key.bytes);
    return 0;
}

/* Give up all uploads that are left, and delete all objects. */
static bool clean_up(struct fixture *fixture)
{
    struct lst_upload_list_options options = {.bucket = slice("kill"), .max_entries = 1};
    bool ok = true;
    bool truncated;

    for (;;) {
        struct upload upload = {.bucket = "kill"};
        ok = ok &&
             lst_store_list_uploads(fixture->store, &options, give_up, &upload, &truncated) == 0;
        if (!ok || upload.id[0] == '\0') {
            break;
        }
        ok = upload_abort(fixture, &upload) == 0;
    }
    for (uint32_t i = 0; i < WRITERS * KEYS; i++) {
        char key[40];
        (void)snprintf(key, sizeof(key), "w%u/k%u", i / KEYS, i % KEYS);
        ok = ok && fixture_delete(fixture, "kill", key) == 0;
    }
    return ok && fixture_wait_blob_files(fixture, 0) && fixture_is_clean(fixture, 0);
}

int main(void)
{
    struct fixture fixture = fixture_open();
    uint64_t random = 7;
    bool ok = true;
    int acknowledged = 0;

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
        acknowledged += listen_and_kill(pipes[0], child, 20 + (unsigned)(random >> 40) % 400);
        waitpid(child, &result, 0);
        close(pipes[0]);
        ok = ok && WIFSIGNALED(result) && WTERMSIG(result) == SIGKILL;
        ok = ok && fixture_start(&fixture) == 0;
        ok = ok && complete_uploads(&fixture) && all_as_known(&fixture, &objects) &&
             fixture_is_clean(&fixture, objects) && !fixture_has_unfinished(&fixture);
        if (i + 1 < KILLS || !ok) {
            lst_store_close(fixture.store);
        }
    }
    CHECK(ok, "after each of %d kills all %d acknowledged changes are there, and nothing else",
          KILLS, acknowledged);
    CHECK(acknowledged > 300, "enough was written for that to mean something");
    if (ok) {
        CHECK(clean_up(&fixture), "nothing is left when all is given up and deleted");
        lst_store_close(fixture.store);
    }
    fixture_remove(&fixture);
    return tap_done();
}
