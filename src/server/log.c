/* log.c - the access log: memory first, a thread that writes. */
#include "server/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define WAITING_MAX  (1024 * 1024) /* bytes; what comes after is dropped */
#define WAITING_FULL (64 * 1024)   /* bytes that are written at once, without waiting */

enum { CLOSE_SECONDS = 2 }; /* for what has not been written at the end */

struct lst_log {
    char *path;
    bool json;
    bool is_on; /* it is written somewhere: never changes, so no lock is needed to ask */
    int file;
    bool stopping;
    pthread_t writer;
    pthread_mutex_t mutex; /* of file, waiting and stopping */
    pthread_cond_t more;
    struct lst_buffer waiting;
    struct lst_buffer writing; /* the writer's own, as the next */
    bool is_cut;               /* the file ends amid a line that could not be written */
    _Atomic uint64_t dropped;
};

static int open_file(const char *path)
{
    int file;

    if (strcmp(path, "-") == 0) {
        file = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    } else {
        file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    }
    return file >= 0 ? file : lst_error_from_errno(errno);
}

/* Gives how much was written. The rest is lost: there is nobody to tell, and serving goes on. */
static size_t write_all(int file, struct lst_slice bytes)
{
    size_t written = 0;

    while (written < bytes.length) {
        ssize_t length = write(file, bytes.bytes + written, bytes.length - written);

        if (length < 0 && errno == EINTR) {
            continue;
        }
        if (length <= 0) {
            break;
        }
        written += (size_t)length;
    }
    return written;
}

/* Count lines that are lost. A line that was written in part is ended before the next one. */
static void write_batch(struct lst_log *log, int file)
{
    struct lst_slice batch = lst_buffer_slice(&log->writing);
    size_t written = 0;

    if (batch.length == 0) {
        return;
    }
    if (!log->is_cut || write_all(file, LST_SLICE("\n")) == 1) {
        written = write_all(file, batch);
        log->is_cut = written > 0 && batch.bytes[written - 1] != '\n';
    }
    for (size_t i = written; i < batch.length; i++) {
        log->dropped += batch.bytes[i] == '\n' ? 1 : 0;
    }
    lst_buffer_clear(&log->writing);
}

static void wait_for_more(struct lst_log *log)
{
    struct timespec deadline;

    if (log->waiting.length >= WAITING_FULL || log->stopping) {
        return;
    }
    if (log->waiting.length == 0) { /* an idle server does not wake up every second */
        while (log->waiting.length == 0 && !log->stopping) {
            pthread_cond_wait(&log->more, &log->mutex);
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += 1;
    while (log->waiting.length < WAITING_FULL && !log->stopping) {
        if (pthread_cond_timedwait(&log->more, &log->mutex, &deadline) == ETIMEDOUT) {
            return;
        }
    }
}

static void *write_lines(void *argument)
{
    struct lst_log *log = argument;
    bool stopping = false;

    while (!stopping) {
        struct lst_buffer full;
        int file;

        pthread_mutex_lock(&log->mutex);
        wait_for_more(log);
        full = log->waiting;
        log->waiting = log->writing;
        log->writing = full;
        stopping = log->stopping;
        file = log->file;
        pthread_mutex_unlock(&log->mutex);
        write_batch(log, file);
    }
    return NULL;
}

static int start_writer(struct lst_log *log)
{
    pthread_condattr_t attributes;
    int status;

    pthread_mutex_init(&log->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&log->more, &attributes);
    pthread_condattr_destroy(&attributes);
    status = pthread_create(&log->writer, NULL, write_lines, log);
    return status == 0 ? LST_OK : LST_ERR_NO_MEMORY;
}

int lst_log_open(const struct lst_log_options *options, struct lst_log **ret_log)
{
    struct lst_log *log = calloc(1, sizeof(*log));
    int status = LST_OK;

    if (log == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    lst_buffer_init(&log->waiting, WAITING_MAX);
    lst_buffer_init(&log->writing, WAITING_MAX);
    log->json = options->json;
    log->path = strdup(options->path);
    log->file = -1;
    if (log->path == NULL) {
        status = LST_ERR_NO_MEMORY;
    } else if (strcmp(log->path, "off") != 0) {
        log->is_on = true;
        log->file = open_file(log->path);
        status = log->file < 0 ? log->file : start_writer(log);
        if (status != LST_OK && log->file >= 0) {
            close(log->file);
        }
    }
    if (status != LST_OK) {
        free(log->path);
        free(log);
        return status;
    }
    *ret_log = log;
    return LST_OK;
}

/* False if the lines can't be written: nobody reads the pipe that they go to. */
static bool join_writer(const struct lst_log *log)
{
    struct timespec deadline;

    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += CLOSE_SECONDS;
    return pthread_clockjoin_np(log->writer, NULL, CLOCK_MONOTONIC, &deadline) == 0;
}

void lst_log_close(struct lst_log *log)
{
    if (log == NULL) {
        return;
    }
    if (log->is_on) {
        pthread_mutex_lock(&log->mutex);
        log->stopping = true;
        pthread_cond_signal(&log->more);
        pthread_mutex_unlock(&log->mutex);
        if (!join_writer(log)) {
            return; /* it has the memory still, and the process ends */
        }
        close(log->file);
        pthread_cond_destroy(&log->more);
        pthread_mutex_destroy(&log->mutex);
    }
    lst_buffer_release(&log->waiting);
    lst_buffer_release(&log->writing);
    free(log->path);
    free(log);
}

void lst_log_write(struct lst_log *log, const struct lst_log_line *line)
{
    size_t before;

    if (!log->is_on) {
        return;
    }
    pthread_mutex_lock(&log->mutex);
    before = log->waiting.length;
    if (log->json) {
        lst_log_format_json(&log->waiting, line);
    } else {
        lst_log_format_text(&log->waiting, line);
    }
    if (lst_buffer_status(&log->waiting) != LST_OK) { /* whole lines, or none */
        log->waiting.length = before;
        log->waiting.status = LST_OK;
        log->dropped++;
    }
    if (before == 0 || (before < WAITING_FULL && log->waiting.length >= WAITING_FULL)) {
        pthread_cond_signal(&log->more);
    }
    pthread_mutex_unlock(&log->mutex);
}

int lst_log_reopen(struct lst_log *log)
{
    int file;
    int old;

    if (!log->is_on || strcmp(log->path, "-") == 0) {
        return LST_OK;
    }
    file = open_file(log->path);
    if (file < 0) {
        return file;
    }
    pthread_mutex_lock(&log->mutex);
    old = log->file;
    log->file = dup3(file, old, O_CLOEXEC) >= 0 ? old : file;
    pthread_mutex_unlock(&log->mutex);
    if (log->file != file) {
        close(file);
    }
    return LST_OK;
}

uint64_t lst_log_dropped(const struct lst_log *log)
{
    return log->dropped;
}
