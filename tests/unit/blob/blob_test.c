/* blob_test.c - blobs are whole or not there, also after an end without a close. */
#include "tap.h"

#include "blob/blob.h"

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "blob-test-XXXXXX";

static struct lst_slice slice(const char *text)
{
    return lst_slice_make(text, strlen(text));
}

/* ---- Waiting for seals */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static int done_count;
static int failed_count;
static int last_status;

static void count_done(struct lst_blob_seal *seal, int status)
{
    (void)seal;
    pthread_mutex_lock(&lock);
    done_count++;
    failed_count += status == 0 ? 0 : 1;
    last_status = status;
    pthread_cond_signal(&wake);
    pthread_mutex_unlock(&lock);
}

static bool wait_done(int count)
{
    bool all_good;

    pthread_mutex_lock(&lock);
    while (done_count < count) {
        pthread_cond_wait(&wake, &lock);
    }
    all_good = failed_count == 0;
    done_count = 0;
    failed_count = 0;
    pthread_mutex_unlock(&lock);
    return all_good;
}

static int make(struct lst_blobs *blobs, const char *content, struct lst_blob_id *ret_id)
{
    struct lst_blob_seal seal = {.done = count_done};
    struct lst_blob_writer *writer;
    int status = lst_blob_create(blobs, 0, &writer);

    if (status != 0) {
        return status;
    }
    *ret_id = lst_blob_writer_id(writer);
    status = lst_blob_append(writer, slice(content));
    if (status != 0) {
        lst_blob_discard(writer);
        return status;
    }
    lst_blob_seal_submit(writer, &seal);
    return wait_done(1) ? 0 : LST_ERR_IO;
}

static bool holds(struct lst_blobs *blobs, struct lst_blob_id id, const char *content)
{
    struct lst_blob_reader *reader;
    char bytes[100];
    size_t length = 0;
    bool is_same;

    if (lst_blob_open(blobs, id, &reader) != 0) {
        return false;
    }
    is_same = lst_blob_size(reader) == strlen(content) &&
              lst_blob_read(reader, 0, bytes, sizeof(bytes), &length) == 0 &&
              lst_slice_equal(lst_slice_make(bytes, length), slice(content));
    lst_blob_close(reader);
    return is_same;
}

static int count_blob(void *context, struct lst_blob_id id, uint64_t size)
{
    (void)id;
    (void)size;
    ++*(int *)context;
    return 0;
}

static int walk(struct lst_blobs *blobs)
{
    int count = 0;

    return lst_blobs_walk(blobs, count_blob, &count) == 0 ? count : -1;
}

static struct lst_blobs *open_blobs(void)
{
    struct lst_blobs *blobs = NULL;

    if (lst_blobs_open(folder, false, &blobs) != 0) {
        CHECK(false, "the blobs are opened");
        exit(tap_done());
    }
    return blobs;
}

/* ---- Tests */

static void test_one(void)
{
    struct lst_blobs *blobs = open_blobs();
    struct lst_blob_writer *writer;
    struct lst_blob_reader *reader;
    struct lst_blob_id id;
    struct lst_blob_id other;
    char bytes[10];
    size_t length;
    int file;

    CHECK(make(blobs, "content", &id) == 0 && holds(blobs, id, "content"), "a blob is made");
    CHECK(make(blobs, "", &other) == 0 && holds(blobs, other, ""), "so is an empty one");
    CHECK(other.generation == id.generation && other.number > id.number, "ids grow");
    CHECK(lst_blob_create(blobs, 1000, &writer) == 0, "another one is begun");
    other = lst_blob_writer_id(writer);
    CHECK(lst_blob_append(writer, slice("half")) == 0 && !holds(blobs, other, "half"),
          "it can't be read before its seal");
    lst_blob_discard(writer);
    CHECK(walk(blobs) == 2, "nothing is left of it");
    CHECK(lst_blob_open(blobs, id, &reader) == 0, "a blob is opened");
    CHECK(lst_blob_read(reader, 3, bytes, 2, &length) == 0 && length == 2 &&
              memcmp(bytes, "te", 2) == 0,
          "a part of it is read");
    CHECK(lst_blob_read(reader, 7, bytes, 2, &length) == 0 && length == 0, "up to its end");
    CHECK(lst_blob_delete(blobs, id) == 0 && !holds(blobs, id, "content"), "it is deleted");
    CHECK(lst_blob_read(reader, 0, bytes, 7, &length) == 0 && length == 7,
          "who had it open can read on");
    file = lst_blob_file(reader);
    CHECK(file >= 0 && pread(file, bytes, 7, 0) == 7 && memcmp(bytes, "content", 7) == 0,
          "also from its file");
    lst_blob_close(reader);
    CHECK(lst_blob_delete(blobs, id) == 0, "deleting again is fine");
    CHECK(lst_blob_create(blobs, UINT64_MAX / 2, &writer) == LST_ERR_NO_SPACE,
          "what the disk has no room for is refused before it is written");
    lst_blobs_close(blobs);
}

/* In waves, because each that is being written is an open file; more of them than a folder takes.
 */
enum { WAVE = 400, WAVES = 3 };

static bool seal_wave(struct lst_blobs *blobs, struct lst_blob_id ids[WAVE])
{
    static struct lst_blob_seal seals[WAVE];
    struct lst_blob_writer *writer;

    for (int i = 0; i < WAVE; i++) {
        if (lst_blob_create(blobs, 0, &writer) != 0 ||
            lst_blob_append(writer, slice("many")) != 0) {
            return false;
        }
        ids[i] = lst_blob_writer_id(writer);
        seals[i].done = count_done;
        lst_blob_seal_submit(writer, &seals[i]);
    }
    return wait_done(WAVE);
}

static void test_many(void)
{
    static struct lst_blob_id ids[WAVES][WAVE];
    struct lst_blobs *blobs = open_blobs();
    struct lst_blobs_statistics statistics;
    bool all = true;
    int before = walk(blobs);

    for (int i = 0; i < WAVES; i++) {
        all = all && seal_wave(blobs, ids[i]);
    }
    CHECK(all, "many blobs are sealed");
    lst_blobs_statistics(blobs, &statistics);
    CHECK(statistics.sealed == WAVES * WAVE && statistics.syncs < WAVES * WAVE / 10,
          "%d with %d syncs", (int)statistics.sealed, (int)statistics.syncs);
    CHECK(walk(blobs) == before + WAVES * WAVE, "the walk finds them all");
    for (int i = 0; i < WAVES * WAVE; i++) {
        struct lst_blob_id id = ids[i / WAVE][i % WAVE];
        all = all && holds(blobs, id, "many") && lst_blob_delete(blobs, id) == 0;
    }
    CHECK(all && walk(blobs) == before, "all are read and deleted");
    lst_blobs_close(blobs);
}

static struct lst_blob_id live;
static int asked;

static int find_live(void *context, struct lst_blob_id id, bool *ret_is_live)
{
    (void)context;
    asked++;
    *ret_is_live = id.generation == live.generation && id.number == live.number;
    return 0;
}

/* In a child: two blobs are sealed, one is half written, and the process ends on the spot. */
static void leave_uncleanly(int out)
{
    struct lst_blobs *blobs = open_blobs();
    struct lst_blob_writer *writer;
    struct lst_blob_id orphan;
    struct lst_blob_id kept;
    bool ok = make(blobs, "orphan", &orphan) == 0 && make(blobs, "kept", &kept) == 0 &&
              lst_blob_create(blobs, 0, &writer) == 0 && lst_blob_append(writer, slice("h")) == 0 &&
              write(out, &kept, sizeof(kept)) == (ssize_t)sizeof(kept);

    (void)raise(ok ? SIGKILL : SIGTERM);
}

static int find_fails(void *context, struct lst_blob_id id, bool *ret_is_live)
{
    (void)context;
    (void)id;
    (void)ret_is_live;
    return LST_ERR_NOT_FOUND;
}

static int visit_fails(void *context, struct lst_blob_id id, uint64_t size)
{
    (void)context;
    (void)id;
    (void)size;
    return LST_ERR_NOT_FOUND;
}

static void test_recovery(void)
{
    struct lst_blobs *blobs;
    struct lst_blobs *second;
    struct lst_blob_id id;
    uint64_t removed = 99;
    int pipes[2];
    int result;
    int before;
    pid_t child;

    blobs = open_blobs();
    before = walk(blobs);
    CHECK(lst_blobs_recover(blobs, find_live, NULL, &removed) == 0 && removed == 0 && asked == 0,
          "after a close there is nothing to recover, and nobody is asked");
    lst_blobs_close(blobs);
    CHECK(pipe(pipes) == 0, "a pipe");
    child = fork();
    if (child == 0) {
        leave_uncleanly(pipes[1]);
    }
    waitpid(child, &result, 0);
    CHECK(WIFSIGNALED(result) && WTERMSIG(result) == SIGKILL &&
              read(pipes[0], &live, sizeof(live)) == (ssize_t)sizeof(live),
          "a process dies with a blob half written");
    close(pipes[0]);
    close(pipes[1]);
    blobs = open_blobs();
    CHECK(lst_blobs_recover(blobs, find_fails, NULL, &removed) == LST_ERR_NOT_FOUND,
          "a recovery that can't ask about a blob gives the code, whichever it is");
    CHECK(lst_blobs_walk(blobs, visit_fails, NULL) == LST_ERR_NOT_FOUND, "a walk does so, too");
    CHECK(lst_blobs_recover(blobs, find_live, NULL, &removed) == 0 && removed <= 2,
          "the half one and the one that nobody knows are removed, then or before");
    CHECK(holds(blobs, live, "kept") && walk(blobs) == before + 1, "the others are kept");
    CHECK(make(blobs, "new", &id) == 0 && id.generation > live.generation,
          "new ids come after the old ones");
    fflush(stdout);
    child = fork();
    if (child == 0) {
        _exit(lst_blobs_open(folder, false, &second) == LST_ERR_LOCKED ? 0 : 1);
    }
    waitpid(child, &result, 0);
    CHECK(WIFEXITED(result) && WEXITSTATUS(result) == 0, "a second process is locked out");
    CHECK(lst_blobs_open(folder, true, &second) == 0 && holds(second, live, "kept"),
          "but may look");
    lst_blobs_close(second);
    lst_blobs_close(blobs);
}

static void test_full(void)
{
    struct lst_blobs *blobs = open_blobs();
    struct rlimit before;
    struct rlimit small;
    struct lst_blob_writer *writer;
    struct lst_blob_seal seal = {.done = count_done};
    static char bytes[300000];
    int files = walk(blobs);
    int status;

    (void)signal(SIGXFSZ, SIG_IGN);
    (void)getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 50000;
    (void)setrlimit(RLIMIT_FSIZE, &small);
    CHECK(lst_blob_create(blobs, 0, &writer) == 0, "a blob is begun on a disk with little room");
    status = lst_blob_append(writer, lst_slice_make(bytes, sizeof(bytes)));
    CHECK(status == LST_ERR_NO_SPACE, "it says when the disk is full");
    lst_blob_discard(writer);
    (void)setrlimit(RLIMIT_FSIZE, &before);
    CHECK(walk(blobs) == files, "nothing is left of it");
    (void)setrlimit(RLIMIT_FSIZE, &small);
    CHECK(lst_blob_create(blobs, 0, &writer) == 0 &&
              lst_blob_append(writer, lst_slice_make(bytes, sizeof(bytes))) == LST_ERR_NO_SPACE,
          "another fails likewise");
    (void)setrlimit(RLIMIT_FSIZE, &before);
    CHECK(lst_blob_append(writer, slice("more")) == LST_ERR_NO_SPACE,
          "it stays failed when there is room again");
    lst_blob_seal_submit(writer, &seal);
    CHECK(!wait_done(1) && walk(blobs) == files, "and is not sealed");
    lst_blobs_close(blobs);
}

/* More than may gather their bytes in memory before they write them: the others write at once. */
enum { GATHERING = 100, PIECE = 100001, PIECES = 4 };

static bool holds_pieces(struct lst_blobs *blobs, struct lst_blob_id id, char letter)
{
    static char bytes[PIECE * PIECES];
    struct lst_blob_reader *reader;
    size_t at = 0;
    size_t length;
    bool ok = lst_blob_open(blobs, id, &reader) == 0;

    if (!ok) {
        return false;
    }
    do {
        ok = lst_blob_read(reader, at, bytes + at, sizeof(bytes) - at, &length) == 0;
        at += length;
    } while (ok && length > 0 && at < sizeof(bytes));
    ok = ok && lst_blob_size(reader) == sizeof(bytes) && at == sizeof(bytes);
    for (size_t i = 0; ok && i < sizeof(bytes); i++) {
        ok = bytes[i] == (char)(letter + (char)(i / PIECE));
    }
    lst_blob_close(reader);
    return ok;
}

static void test_gathering(void)
{
    static char piece[PIECE];
    static struct lst_blob_writer *writers[GATHERING];
    struct lst_blobs *blobs = open_blobs();
    struct lst_blob_id ids[GATHERING];
    bool ok = true;

    for (int i = 0; i < GATHERING; i++) {
        ok = ok && lst_blob_create(blobs, PIECE * PIECES, &writers[i]) == 0;
    }
    for (int j = 0; j < PIECES; j++) {
        for (int i = 0; i < GATHERING; i++) {
            memset(piece, 'A' + i % 20 + j, sizeof(piece));
            ok = ok && lst_blob_append(writers[i], lst_slice_make(piece, sizeof(piece))) == 0;
        }
    }
    for (int i = 0; i < GATHERING; i++) {
        struct lst_blob_seal seal = {.done = count_done};
        ids[i] = lst_blob_writer_id(writers[i]);
        lst_blob_seal_submit(writers[i], &seal);
        ok = wait_done(1) && ok;
    }
    CHECK(ok, "many are written at once, piece by piece");
    for (int i = 0; i < GATHERING; i++) {
        ok = ok && holds_pieces(blobs, ids[i], (char)('A' + i % 20));
    }
    CHECK(ok, "each has its own bytes, in order");
    lst_blobs_close(blobs);
}

static int remove_one(const char *path, const struct stat *state, int kind, struct FTW *where)
{
    (void)state;
    (void)kind;
    (void)where;
    return remove(path);
}

/* The codes for "not found" say that a source is not there; a client would be told 404. */
static int count_files(void)
{
    int count = 0;

    for (int file = 0; file < 200; file++) {
        count += fcntl(file, F_GETFD) >= 0;
    }
    return count;
}

/* Of large blobs another thread has some set out for the disk, while they are discarded or sealed,
 * and the engine is closed. */
static void test_large(void)
{
    enum { BLOBS = 2, SIZE = 9 * 1024 * 1024, STEP = 256 * 1024 };
    static char bytes[STEP];
    int before = count_files();
    struct lst_blobs *blobs = open_blobs();
    struct lst_blob_seal seals[BLOBS];
    bool ok = true;

    for (int i = 0; i < BLOBS; i++) {
        struct lst_blob_writer *writer;

        ok = ok && lst_blob_create(blobs, SIZE, &writer) == 0;
        for (int done = 0; ok && done < SIZE; done += STEP) {
            ok = lst_blob_append(writer, lst_slice_make(bytes, STEP)) == 0;
        }
        if (ok && i % 2 == 0) {
            lst_blob_discard(writer);
        } else if (ok) {
            seals[i] = (struct lst_blob_seal){.done = count_done};
            lst_blob_seal_submit(writer, &seals[i]);
        }
    }
    CHECK(ok && wait_done(1), "large blobs are written; one is dropped, and one sealed");
    lst_blobs_close(blobs);
    CHECK(count_files() == before, "and no file is left open: %d, %d before", count_files(),
          before);
}

/* Pages of a large blob are dropped before it is deleted, piece by piece: neither who reads it nor
 * another name for its bytes notices. */
static void test_large_deletion(void)
{
    enum { SIZE = 5 * 1024 * 1024 + 1 };
    char *bytes = calloc(1, SIZE + 1);
    char *read = malloc(SIZE);
    struct lst_blobs *blobs = open_blobs();
    struct lst_blob_seal seal = {.done = count_done};
    struct lst_blob_reader *reader = NULL;
    struct lst_blob_id first = {0};
    struct lst_blob_id second = {0};
    struct lst_blob_writer *link = NULL;
    size_t length = 0;

    memset(bytes, 'x', SIZE);
    bytes[SIZE - 1] = 'y';
    CHECK(make(blobs, bytes, &first) == 0 && lst_blob_link(blobs, first, &link) == 0,
          "a large blob, and another name for its bytes");
    lst_blob_discard(link);
    CHECK(lst_blob_link(blobs, first, &link) == 0, "one that is given up takes no bytes with it");
    second = lst_blob_writer_id(link);
    lst_blob_seal_submit(link, &seal);
    CHECK(wait_done(1) && lst_blob_delete(blobs, first) == 0 &&
              lst_blob_open(blobs, first, &reader) == LST_ERR_NOT_FOUND,
          "the first is deleted");
    CHECK(lst_blob_open(blobs, second, &reader) == 0 && lst_blob_size(reader) == SIZE,
          "the second is there, and is opened");
    CHECK(lst_blob_delete(blobs, second) == 0, "it is deleted while it is read");
    CHECK(lst_blob_read(reader, 0, read, SIZE, &length) == 0 && length == SIZE &&
              memcmp(read, bytes, SIZE) == 0,
          "and read to the end: %zu bytes", length);
    lst_blob_close(reader);
    lst_blobs_close(blobs);
    free(bytes);
    free(read);
}

static void test_folder_is_gone(void)
{
    struct lst_blobs *blobs = open_blobs();
    struct lst_blob_writer *writer;
    struct lst_blob_seal seal = {.done = count_done};

    CHECK(lst_blob_create(blobs, 0, &writer) == 0, "a blob is begun");
    (void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    lst_blob_seal_submit(writer, &seal);
    CHECK(!wait_done(1) && last_status == LST_ERR_IO,
          "a blob whose file is gone is not sealed; that is an I/O error: %d", last_status);
    CHECK(lst_blob_create(blobs, 0, &writer) == LST_ERR_IO, "nor is one begun without a folder");
    lst_blobs_close(blobs);
}

int main(void)
{
    if (mkdtemp(folder) == NULL) {
        CHECK(false, "a folder is made");
        return tap_done();
    }
    test_one();
    test_many();
    test_recovery();
    test_full();
    test_gathering();
    test_large();
    test_large_deletion();
    test_folder_is_gone();
    return tap_done();
}
