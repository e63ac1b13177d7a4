/*
 * sync_fault.c - a library to preload: lets one call of a chosen kind on chosen files fail.
 *
 * The file that SYNC_FAULT names has one line: KIND PART ERRNO [SKIP], with PART what the path of
 * the file or folder must contain; so many calls that fit go well first. While it is there, calls
 * of that kind fail; the first that does removes it, but for sync-for-good. SYNC_FAULT.log gets a
 * line for each.
 *
 *     sync           fsync(), fdatasync(), syncfs(): what was written since the last sync is
 *                    dropped, as the kernel may do, and a later sync of it succeeds
 *     sync-for-good  the same, and every later sync fails too
 *     folder         fsync() of a folder
 *     meta           the write of one of LMDB's first two pages
 *     meta-lands     the same, but the page is on the disk, and what is written back is not
 *     pages          any other write
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { UNDO_MAX = 4096 };

/* What a page of a file was before it was written to. */
struct undo {
    dev_t device;
    ino_t inode;
    off_t offset;
    size_t length;
    char *bytes;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct undo undos[UNDO_MAX];
static size_t undo_count;
static off_t landed_at = -1;

static void note(const char *kind, const char *path)
{
    char name[4096];
    char line[4200];
    int file;

    (void)snprintf(name, sizeof(name), "%s.log", getenv("SYNC_FAULT"));
    file = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file >= 0) {
        (void)!write(file, line, (size_t)snprintf(line, sizeof(line), "%s %s\n", kind, path));
        close(file);
    }
}

/* Whether a call of this kind on the file is to fail, with errno set. */
static int is_to_fail(const char *kind, int file)
{
    const char *name = getenv("SYNC_FAULT");
    char link[64];
    char path[4096] = "";
    char wanted[32];
    char part[256];
    int number;
    int skip = 0;
    FILE *rule = name == NULL ? NULL : fopen(name, "re");
    int fields;

    if (rule == NULL) {
        return 0;
    }
    fields = fscanf(rule, "%31s %255s %d %d", wanted, part, &number, &skip);
    fclose(rule);
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
    if (fields < 3 || readlink(link, path, sizeof(path) - 1) < 0 || strstr(path, part) == NULL) {
        return 0;
    }
    if (strcmp(wanted, "sync-for-good") == 0 ? strcmp(kind, "sync") != 0
                                             : strcmp(wanted, kind) != 0) {
        return 0;
    }
    if (skip > 0) {
        rule = fopen(name, "we");
        if (rule != NULL) {
            (void)fprintf(rule, "%s %s %d %d\n", wanted, part, number, skip - 1);
            fclose(rule);
        }
        return 0;
    }
    if (strcmp(wanted, kind) == 0) {
        unlink(name);
    }
    note(wanted, path);
    errno = number;
    return 1;
}

/* ---- What a failed sync drops */

static void keep(int file, off_t offset, size_t length)
{
    struct stat state;
    struct undo *undo;

    if (getenv("SYNC_FAULT") == NULL || fstat(file, &state) != 0 || !S_ISREG(state.st_mode)) {
        return;
    }
    pthread_mutex_lock(&lock);
    if (undo_count < UNDO_MAX) {
        undo = &undos[undo_count++];
        *undo = (struct undo){state.st_dev, state.st_ino, offset, length, calloc(1, length)};
        (void)!syscall(SYS_pread64, file, undo->bytes, length, offset);
    }
    pthread_mutex_unlock(&lock);
}

static void forget(int file, int drop)
{
    struct stat state;
    char path[64];
    int writable;
    int error = errno;

    if (fstat(file, &state) != 0) {
        return;
    }
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    pthread_mutex_lock(&lock);
    writable = drop ? open(path, O_WRONLY | O_CLOEXEC) : -1;
    for (size_t i = undo_count; i-- > 0;) {
        if (undos[i].device == state.st_dev && undos[i].inode == state.st_ino) {
            if (writable >= 0) {
                (void)!syscall(SYS_pwrite64, writable, undos[i].bytes, undos[i].length,
                               undos[i].offset);
            }
            free(undos[i].bytes);
            undos[i] = undos[--undo_count];
        }
    }
    if (writable >= 0) {
        close(writable);
    }
    pthread_mutex_unlock(&lock);
    errno = error;
}

/* ---- The calls */

static int is_folder(int file)
{
    struct stat state;

    return fstat(file, &state) == 0 && S_ISDIR(state.st_mode);
}

static int sync_with(long call, int file)
{
    int result;

    if (is_to_fail(is_folder(file) && call == SYS_fsync ? "folder" : "sync", file)) {
        forget(file, 1);
        return -1;
    }
    result = (int)syscall(call, file);
    forget(file, 0);
    return result;
}

int fsync(int file)
{
    return sync_with(SYS_fsync, file);
}

int fdatasync(int file)
{
    return sync_with(SYS_fdatasync, file);
}

int syncfs(int file)
{
    return sync_with(SYS_syncfs, file);
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t offset)
{
    int is_meta = offset < 8192 && length < 4096;

    if (is_meta && offset == landed_at) {
        landed_at = -1;
        return (ssize_t)length;
    }
    if (is_to_fail(is_meta ? "meta" : "pages", file)) {
        return -1;
    }
    if (is_meta && is_to_fail("meta-lands", file)) {
        int error = errno;
        (void)!syscall(SYS_pwrite64, file, bytes, length, offset);
        landed_at = offset;
        errno = error;
        return -1;
    }
    if (!is_meta) {
        keep(file, offset, length);
    }
    return syscall(SYS_pwrite64, file, bytes, length, offset);
}

ssize_t writev(int file, const struct iovec *pieces, int count)
{
    size_t length = 0;

    for (int i = 0; i < count; i++) {
        length += pieces[i].iov_len;
    }
    if (is_to_fail("pages", file)) {
        return -1;
    }
    keep(file, lseek(file, 0, SEEK_CUR), length);
    return syscall(SYS_writev, file, pieces, count);
}
