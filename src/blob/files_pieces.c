/*
 * files_pieces.c - work that takes the kernel long, in pieces.
 *
 * Where a worker shares its core with the threads here, it waits until they leave it. Within one
 * system call that is hardly before its end: most servers' kernels don't interrupt it for another
 * thread, or only when their clock ticks, every 4 ms. To hand 8 MiB to the disk takes 2 ms, to free
 * 64 MiB of the page cache 5. So these threads do it in pieces of some 0.1 ms, and let others have
 * the core after each.
 */
#include "blob/files.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    START_PIECE = 256 * 1024,
    FREE_PIECE = 1024 * 1024,
};

void lst_blob_start_writing(int file, uint64_t from, uint64_t to)
{
    while (from < to) {
        uint64_t length = to - from < START_PIECE ? to - from : START_PIECE;

        (void)sync_file_range(file, (off_t)from, (off_t)length, SYNC_FILE_RANGE_WRITE);
        (void)sched_yield();
        from += length;
    }
}

void lst_blob_free_pages(int file)
{
    struct stat state;

    if (fstat(file, &state) != 0 || state.st_nlink > 1) {
        return;
    }
    for (off_t from = 0; from < state.st_size; from += FREE_PIECE) {
        (void)posix_fadvise(file, from, FREE_PIECE, POSIX_FADV_DONTNEED);
        (void)sched_yield();
    }
}

void lst_blob_free_file(int file)
{
    struct stat state;

    if (fstat(file, &state) == 0 && state.st_nlink == 0) {
        while (state.st_size > FREE_PIECE && ftruncate(file, state.st_size - FREE_PIECE) == 0) {
            state.st_size -= FREE_PIECE;
            (void)sched_yield();
        }
    }
    (void)close(file);
}
