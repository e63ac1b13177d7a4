/* log.c - write the recording. */
#include "log.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_SIZE = 1024 * 1024 };

static FILE *file;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int power_log_open(const char *path)
{
    file = fopen(path, "wbe");
    if (file == NULL || setvbuf(file, NULL, _IOFBF, BUFFER_SIZE) != 0) {
        return errno;
    }
    return 0;
}

static void write_bytes(const void *bytes, size_t length)
{
    if (length > 0 && fwrite(bytes, 1, length, file) != length) {
        perror("recorder: the recording can't be written");
        abort();
    }
}

void power_log_add(const struct power_event *event)
{
    size_t name_length = event->name == NULL ? 0 : strlen(event->name);
    size_t other_length = event->other_name == NULL ? 0 : strlen(event->other_name);
    uint32_t lengths[4] = {(uint32_t)event->kind, (uint32_t)name_length, (uint32_t)other_length,
                           (uint32_t)event->data_length};

    pthread_mutex_lock(&lock);
    write_bytes(lengths, sizeof(lengths));
    write_bytes(event->numbers, sizeof(event->numbers));
    write_bytes(event->name, name_length);
    write_bytes(event->other_name, other_length);
    write_bytes(event->data, event->data_length);
    pthread_mutex_unlock(&lock);
}

void power_log_flush(void)
{
    pthread_mutex_lock(&lock);
    if (fflush(file) != 0) {
        perror("recorder: the recording can't be written");
        abort();
    }
    pthread_mutex_unlock(&lock);
}
