/*
 * slow_disk.c - a library to preload: a file system in user space, or of a network, that hangs.
 *
 * While the file that SLOW_DISK names is there, reading bodies waits, and none is in the page
 * cache. Such file systems do not know RWF_NOWAIT. SLOW_DISK.log gets a line for each that waits.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

static int hangs(void)
{
    return access(getenv("SLOW_DISK"), F_OK) == 0;
}

static int is_body(int file)
{
    char link[64];
    char path[4096];
    ssize_t length;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
    length = readlink(link, path, sizeof(path) - 1);
    path[length > 0 ? length : 0] = '\0';
    return strstr(path, "/blobs/") != NULL;
}

static void wait_for(int file)
{
    char path[4096];
    int log;

    if (!is_body(file) || !hangs()) {
        return;
    }
    snprintf(path, sizeof(path), "%s.log", getenv("SLOW_DISK"));
    log = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (log < 0 || write(log, "\n", 1) != 1) {
        abort();
    }
    close(log);
    while (hangs()) {
        usleep(10000);
    }
}

ssize_t preadv2(int file, const struct iovec *parts, int count, off_t at, int flags)
{
    ssize_t (*next)(int, const struct iovec *, int, off_t, int) =
        (ssize_t(*)(int, const struct iovec *, int, off_t, int))dlsym(RTLD_NEXT, "preadv2");

    if ((flags & RWF_NOWAIT) != 0) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return next(file, parts, count, at, flags);
}

ssize_t preadv64v2(int file, const struct iovec *parts, int count, off_t at, int flags)
{
    return preadv2(file, parts, count, at, flags);
}

int mincore(void *map, size_t length, unsigned char *pages)
{
    int (*next)(void *, size_t, unsigned char *) =
        (int (*)(void *, size_t, unsigned char *))dlsym(RTLD_NEXT, "mincore");
    int status = next(map, length, pages);

    if (status == 0 && hangs()) {
        memset(pages, 0, (length + 4095) / 4096);
    }
    return status;
}

ssize_t pread(int file, void *bytes, size_t length, off_t at)
{
    ssize_t (*next)(int, void *, size_t, off_t) =
        (ssize_t(*)(int, void *, size_t, off_t))dlsym(RTLD_NEXT, "pread");

    wait_for(file);
    return next(file, bytes, length, at);
}

ssize_t pread64(int file, void *bytes, size_t length, off_t at)
{
    return pread(file, bytes, length, at);
}

ssize_t sendfile(int socket, int file, off_t *at, size_t length)
{
    ssize_t (*next)(int, int, off_t *, size_t) =
        (ssize_t(*)(int, int, off_t *, size_t))dlsym(RTLD_NEXT, "sendfile");

    wait_for(file);
    return next(socket, file, at, length);
}

ssize_t sendfile64(int socket, int file, off_t *at, size_t length)
{
    return sendfile(socket, file, at, length);
}
