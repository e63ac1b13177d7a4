/* cache_test.c - files of blobs stay open for the next reader, and for no longer than the blob. */
#include "tap.h"

#include "blob/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_MAX = 256, KEPT = FILES_MAX / 8 };

static char folder[] = "blob-cache-test-XXXXXX";
static char real_folder[4096];
static struct lst_blobs *blobs;

/* ---- Help */

static void wake(struct lst_blob_seal *seal, int status)
{
    (void)status; /* what was not sealed is missed at once */
    (void)sem_post(seal->context);
}

static struct lst_blob_id seal(struct lst_blob_writer *writer)
{
    struct lst_blob_id id = lst_blob_writer_id(writer);
    sem_t done;
    struct lst_blob_seal seal = {.done = wake, .context = &done};

    (void)sem_init(&done, 0, 0);
    lst_blob_seal_submit(writer, &seal);
    while (sem_wait(&done) != 0) {
    }
    (void)sem_destroy(&done);
    return id;
}

static struct lst_blob_id make(const char *content)
{
    struct lst_blob_writer *writer;

    if (lst_blob_create(blobs, 0, &writer) != 0) {
        return (struct lst_blob_id){0, 0};
    }
    lst_ignore_status(lst_blob_append(writer, lst_slice_make(content, strlen(content))));
    return seal(writer);
}

static struct lst_blob_reader *open_blob(struct lst_blob_id id)
{
    struct lst_blob_reader *reader = NULL;

    return lst_blob_open(blobs, id, &reader) == 0 ? reader : NULL;
}

static bool gives(struct lst_blob_reader *reader, const char *content)
{
    char bytes[100];
    size_t length = 0;

    return reader != NULL && lst_blob_size(reader) == strlen(content) &&
           lst_blob_read(reader, 0, bytes, sizeof(bytes), &length) == 0 &&
           length == strlen(content) && memcmp(bytes, content, length) == 0;
}

static bool holds(struct lst_blob_id id, const char *content)
{
    struct lst_blob_reader *reader = open_blob(id);
    bool is_same = gives(reader, content);

    lst_blob_close(reader);
    return is_same;
}

/* How many files of the folder this process has open: those that are there, or those that are gone.
 */
static int count_open(bool deleted)
{
    DIR *list = opendir("/proc/self/fd");
    struct dirent *entry;
    int count = 0;

    while (list != NULL && (entry = readdir(list)) != NULL) {
        char path[512];
        char target[4096];
        struct stat state;
        ssize_t length;

        (void)snprintf(path, sizeof(path), "/proc/self/fd/%s", entry->d_name);
        length = readlink(path, target, sizeof(target) - 1);
        if (length > 0 && stat(path, &state) == 0 && S_ISREG(state.st_mode)) {
            target[length] = '\0';
            count += strncmp(target, real_folder, strlen(real_folder)) == 0 &&
                     strstr(target, "/lock") == NULL && (state.st_nlink == 0) == deleted;
        }
    }
    if (list != NULL) {
        closedir(list);
    }
    return count;
}

static const char *path_of(struct lst_blob_id id)
{
    static char path[sizeof(folder) + 2 * LST_BLOB_PATH_SIZE];
    char name[LST_BLOB_PATH_SIZE];

    lst_blob_path(id, "", name);
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static bool write_file(const char *path, const char *content)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    bool is_done = file >= 0 && write(file, content, strlen(content)) == (ssize_t)strlen(content);

    return file >= 0 && close(file) == 0 && is_done;
}

/* ---- Tests */

static void test_kept(void)
{
    struct lst_blob_id id = make("kept");
    struct lst_blob_reader *first = open_blob(id);
    struct lst_blob_reader *second = open_blob(id);
    struct lst_blob_reader *once = NULL;
    int file = lst_blob_file(first);

    CHECK(gives(first, "kept") && gives(second, "kept") && count_open(false) == 1 &&
              lst_blob_file(second) == file,
          "two that read the same blob share a descriptor");
    CHECK(lst_blob_open_once(blobs, id, &once) == 0 && gives(once, "kept") &&
              count_open(false) == 2,
          "who reads it once has one of their own");
    lst_blob_close(once);
    lst_blob_close(first);
    CHECK(gives(second, "kept") && count_open(false) == 1, "one of them stops reading");
    lst_blob_close(second);
    CHECK(count_open(false) == 1, "it stays open when nobody reads");
    first = open_blob(id);
    CHECK(gives(first, "kept") && count_open(false) == 1, "and the next one has it");
    lst_blob_close(first);
    CHECK(lst_blobs_spare_files(blobs) && count_open(false) == 0 && !lst_blobs_spare_files(blobs),
          "who lacks descriptors gets it");
    CHECK(lst_blob_open_once(blobs, id, &once) == 0, "it is read once");
    lst_blob_close(once);
    CHECK(count_open(false) == 0 && holds(id, "kept"), "that is no reason to keep it");
    (void)lst_blobs_spare_files(blobs);
}

static void test_deleted(void)
{
    struct lst_blob_id id = make("deleted");
    struct lst_blob_id other = make("other");
    struct lst_blob_reader *reader = NULL;
    uint64_t deletions = 0;

    CHECK(holds(id, "deleted") && holds(other, "other") && count_open(false) == 2,
          "two blobs are open, and nobody reads them");
    CHECK(lst_blob_delete(blobs, id) == 0 && count_open(true) == 0 && count_open(false) == 1,
          "one is deleted: its file is closed");
    CHECK(open_blob(id) == NULL, "it can't be opened any more");
    reader = open_blob(other);
    CHECK(lst_blob_delete(blobs, other) == 0 && gives(reader, "other") && count_open(true) == 1 &&
              open_blob(other) == NULL,
          "the other is deleted while somebody reads it, who reads on");
    lst_blob_close(reader);
    CHECK(count_open(true) == 0 && count_open(false) == 0, "then its file is closed, too");

    id = make("raced");
    CHECK(lst_blob_cache_take(&blobs->cache, id, &deletions) == NULL &&
              lst_blob_open_once(blobs, id, &reader) == 0,
          "a file is opened");
    CHECK(lst_blob_delete(blobs, id) == 0, "and deleted before it can be kept");
    lst_blob_cache_keep(&blobs->cache, reader, deletions);
    CHECK(gives(reader, "raced") && open_blob(id) == NULL, "so nobody else gets it");
    lst_blob_close(reader);
    CHECK(count_open(true) == 0, "and it is not kept");
}

/* Of two that open the same file at once, one has it for themselves. */
static void test_opened_twice(void)
{
    struct lst_blob_id id = make("twice");
    struct lst_blob_reader *first = NULL;
    struct lst_blob_reader *second = NULL;
    uint64_t deletions = 0;

    (void)lst_blob_cache_take(&blobs->cache, id, &deletions);
    CHECK(lst_blob_open_once(blobs, id, &first) == 0 && lst_blob_open_once(blobs, id, &second) == 0,
          "two open a file at the same time");
    lst_blob_cache_keep(&blobs->cache, first, deletions);
    lst_blob_cache_keep(&blobs->cache, second, deletions);
    lst_blob_close(second);
    CHECK(gives(first, "twice") && count_open(false) == 1, "the second does not take the first's");
    lst_blob_close(first);
    CHECK(count_open(false) == 1 && lst_blob_delete(blobs, id) == 0 && count_open(true) == 0,
          "one is kept, and goes with the blob");
}

/* Somebody mends or damages the folder beside the running server. */
static void test_changed_by_others(void)
{
    struct lst_blob_id id = make("as it was");
    struct lst_blob_reader *reader;
    char aside[sizeof(folder) + 2 * LST_BLOB_PATH_SIZE];

    (void)snprintf(aside, sizeof(aside), "%s/aside", folder);
    CHECK(holds(id, "as it was") && truncate(path_of(id), 2) == 0 && holds(id, "as"),
          "a file that was cut short is seen to be short");
    CHECK(rename(path_of(id), aside) == 0 && open_blob(id) == NULL, "one that was moved is missed");
    CHECK(write_file(path_of(id), "mended") && holds(id, "mended"),
          "one that was put there is read");
    CHECK(write_file(aside, "better") && rename(aside, path_of(id)) == 0 && holds(id, "better"),
          "also in the place of another one, as long");
    CHECK(count_open(true) == 0, "the one that was replaced is closed");
    reader = open_blob(id);
    CHECK(unlink(path_of(id)) == 0 && open_blob(id) == NULL && gives(reader, "better"),
          "one that was removed is missed; who has it reads on");
    lst_blob_close(reader);
    CHECK(count_open(true) == 0, "and closes it");
    CHECK(lst_blob_delete(blobs, id) == 0, "it can still be deleted");
}

static void test_linked(void)
{
    struct lst_blob_id id = make("linked");
    struct lst_blob_writer *writer = NULL;
    struct lst_blob_id copy;

    CHECK(holds(id, "linked") && lst_blob_link(blobs, id, &writer) == 0, "an open one is copied");
    copy = seal(writer);
    CHECK(holds(id, "linked") && holds(copy, "linked") && count_open(false) == 2,
          "both can be read, from a descriptor each");
    CHECK(lst_blob_delete(blobs, id) == 0 && count_open(false) == 1 && holds(copy, "linked"),
          "the first goes, with its descriptor");
    CHECK(lst_blob_delete(blobs, copy) == 0 && count_open(false) == 0 && count_open(true) == 0,
          "and the copy with its own");
}

static void test_limits(void)
{
    enum { MANY = 3 * KEPT };
    static struct lst_blob_reader *readers[MANY];
    struct lst_blob_id ids[MANY];
    int taken[FILES_MAX];
    struct lst_blob_writer *writer;
    int count = 0;
    bool all = true;

    for (int i = 0; i < MANY; i++) {
        ids[i] = make("one of many");
        all = all && holds(ids[i], "one of many") && holds(ids[0], "one of many");
    }
    CHECK(all && count_open(false) == KEPT, "an eighth of what the process may open is kept");
    CHECK(blobs->cache.newest->id.number == ids[0].number &&
              blobs->cache.oldest->id.number == ids[MANY - KEPT + 1].number,
          "those that were read last, and the one that is read again and again");
    for (int i = 0; i < MANY; i++) {
        readers[i] = open_blob(ids[i]);
        all = all && readers[i] != NULL;
    }
    CHECK(all && count_open(false) == MANY, "more can be read at the same time");
    for (int i = 0; i < MANY; i++) {
        all = all && gives(readers[i], "one of many");
        lst_blob_close(readers[i]);
    }
    CHECK(all && count_open(false) == KEPT, "then as many are kept as before");

    while (count < FILES_MAX && (taken[count] = dup(0)) >= 0) {
        count++;
    }
    CHECK(lst_blob_create(blobs, 0, &writer) == 0 && count_open(false) == 1,
          "without a free descriptor a new blob gets one that was kept");
    while (count < FILES_MAX && (taken[count] = dup(0)) >= 0) {
        count++;
    }
    CHECK(lst_blob_open(blobs, ids[0], &readers[0]) == LST_ERR_TOO_MANY_FILES,
          "when none is left, that is told");
    lst_blob_discard(writer);
    CHECK(holds(ids[0], "one of many") && holds(ids[1], "one of many"),
          "with one free descriptor one after the other is read");
    while (count > 0) {
        close(taken[--count]);
    }
    CHECK(count_open(false) == 1, "of which the last is kept");
    for (int i = 0; i < MANY; i++) {
        all = all && lst_blob_delete(blobs, ids[i]) == 0;
    }
    CHECK(all && count_open(false) == 0 && count_open(true) == 0, "all are deleted");
}

/* ---- Threads */

enum { THREADS = 4, TURNS = 1000, SHARED = 8 };
static struct lst_blob_id shared[SHARED];

static void *read_and_delete(void *argument)
{
    unsigned random = *(unsigned *)argument;
    bool all = true;

    for (int i = 0; i < TURNS; i++) {
        struct lst_blob_id id;
        struct lst_blob_reader *reader;

        random = random * 1103515245 + 12345;
        id = shared[(random >> 16) % SHARED];
        reader = open_blob(id);
        all = all && (reader == NULL || gives(reader, "shared"));
        if ((random >> 20) % 64 == 0) {
            all = all && lst_blob_delete(blobs, id) == 0;
        } else if ((random >> 20) % 64 == 1) {
            (void)lst_blobs_spare_files(blobs);
        }
        lst_blob_close(reader);
    }
    return all ? argument : NULL;
}

static void test_threads(void)
{
    unsigned seeds[THREADS] = {1, 2, 3, 4};
    pthread_t threads[THREADS];
    bool all = true;

    for (int i = 0; i < SHARED; i++) {
        shared[i] = make("shared");
    }
    for (int i = 0; i < THREADS; i++) {
        all = all && pthread_create(&threads[i], NULL, read_and_delete, &seeds[i]) == 0;
    }
    for (int i = 0; i < THREADS; i++) {
        void *result = NULL;
        all = pthread_join(threads[i], &result) == 0 && result != NULL && all;
    }
    CHECK(all, "several threads read blobs and delete them at the same time");
    for (int i = 0; i < SHARED; i++) {
        all = all && lst_blob_delete(blobs, shared[i]) == 0;
    }
    CHECK(all && count_open(true) == 0 && count_open(false) == 0 && blobs->cache.idle == 0,
          "and nothing is open in the end");
}

/* Beside a server, as its commands do: the server may delete what this one would keep. */
static void test_read_only(void)
{
    struct lst_blob_id id = make("beside");
    struct lst_blobs *writing = blobs;
    struct lst_blobs *reading;

    CHECK(lst_blobs_open(folder, true, &reading) == 0, "a reader opens the folder as well");
    blobs = reading;
    CHECK(holds(id, "beside") && holds(id, "beside") && count_open(false) == 0,
          "it keeps nothing open");
    lst_blobs_close(reading);
    blobs = writing;
    CHECK(holds(id, "beside") && count_open(false) == 1, "the server does");
}

static int remove_one(const char *path, const struct stat *state, int type, struct FTW *where)
{
    (void)state;
    (void)type;
    (void)where;
    return remove(path);
}

int main(void)
{
    struct rlimit limit = {FILES_MAX, FILES_MAX};

    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || mkdtemp(folder) == NULL ||
        realpath(folder, real_folder) == NULL || lst_blobs_open(folder, false, &blobs) != 0) {
        CHECK(false, "the blobs are opened");
        return tap_done();
    }
    test_kept();
    test_deleted();
    test_opened_twice();
    test_changed_by_others();
    test_linked();
    test_limits();
    test_threads();
    test_read_only();
    lst_blobs_close(blobs);
    CHECK(count_open(false) == 0, "the end closes all");
    (void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return tap_done();
}
