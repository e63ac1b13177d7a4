/*
 * syncfs.c - preloaded into the server under test: a syncfs() that the recorder sees.
 *
 * The kernel answers syncfs() on a FUSE mount itself, so it would be in no recording. Here it
 * becomes a sync of the file for marks, which the recorder takes as a sync of everything. The
 * server knows that syncfs() does nothing on FUSE and goes without, so it is told that this is
 * ext4, unless LST_POWER_FUSE is set.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

int syncfs(int descriptor);

/* With LST_POWER_LIE set no sync does anything: a test of the test. */
static int is_lying(void)
{
    return getenv("LST_POWER_LIE") != NULL;
}

int fsync(int descriptor)
{
    return is_lying() ? 0 : (int)syscall(SYS_fsync, descriptor);
}

int fdatasync(int descriptor)
{
    return is_lying() ? 0 : (int)syscall(SYS_fdatasync, descriptor);
}

int fstatfs(int descriptor, struct statfs *ret_state)
{
    int result = (int)syscall(SYS_fstatfs, descriptor, ret_state);

    if (getenv("LST_POWER_FUSE") == NULL) {
        ret_state->f_type = 0xEF53;
    }
    return result;
}

int syncfs(int descriptor)
{
    const char *path = getenv("LST_POWER_MARKS");
    int file;
    int result;

    (void)descriptor;
    if (is_lying()) {
        return 0;
    }
    file = path == NULL ? -1 : open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) {
        return -1;
    }
    result = fsync(file);
    close(file);
    return result;
}
