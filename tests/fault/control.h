/*
 * control.h - the memory by which a program under test is told from outside which of its calls is
 * to fail: a file that both have mapped.
 */
#ifndef LST_TESTS_FAULT_CONTROL_H
#define LST_TESTS_FAULT_CONTROL_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Map the file that the environment variable names, of so many bytes. Without the variable: what is
 * the program's own. Ends the program if it can't be mapped. */
static inline void *control_map(const char *variable, void *own, size_t size)
{
    const char *path = getenv(variable);
    int file = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    void *map =
        file < 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);

    if (path == NULL) {
        return own;
    }
    if (map == MAP_FAILED) {
        perror(path);
        abort();
    }
    (void)close(file);
    return map;
}

#endif
