/* connection_send.c - the body of an answer: from memory, from files, from streams. */
#include "server/connection.h"

#include "server/tls.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#define PROBE_BOTH (128 * 1024)    /* bytes: of as many, the last is asked for too */
#define WARM_UP    (1024UL * 1024) /* bytes that are read ahead at once */
#define PIECE      (64UL * 1024)   /* bytes: of a read for warming up */
#define PAGE_LEAST 4096            /* bytes of a page, on any system */

static size_t smaller(uint64_t a, size_t b)
{
    return a < b ? (size_t)a : b;
}

static void count_sent(struct lst_connection *connection, uint64_t length)
{
    connection->answer_left -= length;
    connection->exchange->sent += length;
    connection->turn_left -= smaller(length, connection->turn_left);
}

/* ---- Memory */

static enum lst_step send_bytes(struct lst_connection *connection, const char *bytes, size_t length)
{
    struct iovec part = {(char *)bytes, length};
    ssize_t sent = lst_connection_send(connection, &part, 1, false);

    if (sent < 0) {
        return connection->may_write ? LST_STEP_RESET : LST_STEP_WAIT;
    }
    count_sent(connection, (uint64_t)sent);
    return LST_STEP_ON;
}

/* Bytes of the body that may go now. */
static size_t piece_of(const struct lst_connection *connection)
{
    return connection->tls == NULL ? connection->turn_left
                                   : smaller(connection->turn_left, lst_tls_piece(connection));
}

/* ---- The disk */

static void end_job(struct lst_connection *connection, bool has_failed)
{
    connection->disk_failed = has_failed;
    lst_worker_wake(connection->worker, connection);
}

/* On another thread: into the page cache. */
static void warm_file(void *owner)
{
    struct lst_connection *connection = owner;
    uint64_t left = smaller(connection->file_left, WARM_UP);
    uint64_t at = connection->file_at;
    char scratch[PIECE];
    ssize_t length = 1;

    while (left > 0 && length > 0) {
        length = pread(connection->file, scratch, smaller(left, sizeof(scratch)), (off_t)at);
        if (length > 0) {
            at += (uint64_t)length;
            left -= (uint64_t)length;
            (void)sched_yield(); /* to a worker that shares this core */
        }
    }
    end_job(connection, length <= 0);
}

/* On another thread: the next piece of a stream, to be sent. */
static void read_stream(void *owner)
{
    struct lst_connection *connection = owner;
    const struct lst_http_stream *stream = &lst_exchange_response(connection->exchange)->stream;
    size_t size = smaller(connection->answer_left, LST_WORKER_STREAM);
    char *bytes = malloc(size);
    size_t length = 0;

    if (bytes == NULL || stream->read(stream->context, bytes, size, &length) != LST_OK ||
        length == 0) {
        free(bytes);
        end_job(connection, true);
        return;
    }
    connection->piece = (struct lst_unsent){.bytes = bytes, .length = length};
    end_job(connection, false);
}

static enum lst_step ask_disk(struct lst_connection *connection, void (*run)(void *owner))
{
    connection->job = (struct lst_pool_job){.run = run, .owner = connection};
    connection->waits_for_disk = true;
    connection->state = LST_CONNECTION_WAITS;
    if (lst_pool_submit(&connection->worker->engine->disk, &connection->job) != LST_OK) {
        run(connection); /* there is no thread: others wait */
    }
    return LST_STEP_WAIT;
}

enum lst_step lst_connection_resume_answer(struct lst_connection *connection)
{
    struct lst_unsent piece = connection->piece;

    connection->waits_for_disk = false;
    if (connection->disk_failed) { /* what was sent before that arrives */
        return LST_STEP_CLOSE;
    }
    if (piece.bytes == NULL) {
        connection->file_is_warm = true;
        return LST_STEP_ON;
    }
    connection->piece = (struct lst_unsent){NULL, 0, 0};
    count_sent(connection, piece.length);
    if (connection->tls != NULL) {
        return lst_tls_send_all(connection, &piece);
    }
    connection->unsent = piece; /* which is empty while the disk is waited for */
    return LST_STEP_ON;
}

/* Are these bytes, WARM_UP at most, in the page cache? For file systems that can't be asked by
 * RWF_NOWAIT, such as NFS and those in user space: there a read can take seconds. */
static bool is_cached(int file, off_t at, size_t size)
{
    unsigned char pages[WARM_UP / PAGE_LEAST + 1];
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t before = (size_t)at % page;
    size_t count = (before + size + page - 1) / page;
    void *map = mmap(NULL, before + size, PROT_READ, MAP_SHARED, file, at - (off_t)before);
    bool is_there = map != MAP_FAILED && mincore(map, before + size, pages) == 0;

    for (size_t i = 0; i < count && is_there; i++) {
        is_there = (pages[i] & 1) != 0;
    }
    if (map != MAP_FAILED) {
        (void)munmap(map, before + size);
    }
    return is_there;
}

/* Whether sending so many bytes would wait for the disk. */
static bool is_cold(struct lst_connection *connection, size_t size)
{
    char byte;
    struct iovec part = {&byte, 1};
    off_t at = (off_t)connection->file_at;

    if (connection->file_is_warm) {
        connection->file_is_warm = false;
        return false;
    }
    if (preadv2(connection->file, &part, 1, at, RWF_NOWAIT) < 0) {
        return errno == EAGAIN || (errno == EOPNOTSUPP && !is_cached(connection->file, at, size));
    }
    return size >= PROBE_BOTH &&
           preadv2(connection->file, &part, 1, at + (off_t)size - 1, RWF_NOWAIT) < 0 &&
           errno == EAGAIN;
}

/* ---- Files */

static enum lst_step send_file(struct lst_connection *connection)
{
    size_t size = smaller(connection->file_left, piece_of(connection));
    off_t at = (off_t)connection->file_at;
    ssize_t length;

    if (size > WARM_UP) {
        size = WARM_UP;
    }
    if (is_cold(connection, size)) {
        return ask_disk(connection, warm_file);
    }
    if (connection->tls != NULL) {
        enum lst_step step;
        uint64_t before = connection->answer_left;

        length = pread(connection->file, connection->worker->block, size, at);
        step = length <= 0 ? LST_STEP_CLOSE
                           : send_bytes(connection, connection->worker->block, (size_t)length);
        connection->file_at += before - connection->answer_left;
        connection->file_left -= before - connection->answer_left;
        return step;
    }
    do {
        length = sendfile(connection->socket, connection->file, &at, size);
    } while (length < 0 && errno == EINTR);
    if (length < 0 && errno == EAGAIN) {
        connection->may_write = false;
        return LST_STEP_WAIT;
    }
    if (length <= 0) { /* the client is gone, or the file is shorter than it was */
        return length < 0 ? LST_STEP_RESET : LST_STEP_CLOSE;
    }
    connection->heard_ns = connection->worker->now_ns;
    connection->file_at += (uint64_t)length;
    connection->file_left -= (uint64_t)length;
    count_sent(connection, (uint64_t)length);
    return LST_STEP_ON;
}

/* The next of the files that it is in; what is in none is read on another thread. */
static enum lst_step send_stream(struct lst_connection *connection,
                                 const struct lst_http_stream *stream)
{
    int status = stream->file == NULL
                     ? LST_ERR_NOT_FOUND
                     : stream->file(stream->context, connection->answer_left, &connection->file,
                                    &connection->file_at, &connection->file_left);

    if (status == LST_ERR_NOT_FOUND) {
        return ask_disk(connection, read_stream);
    }
    return status == LST_OK && connection->file_left > 0 ? LST_STEP_ON : LST_STEP_CLOSE;
}

enum lst_step lst_connection_send_body(struct lst_connection *connection,
                                       const struct lst_http_response *response)
{
    if (connection->file_left > 0) {
        return send_file(connection);
    }
    switch (response->kind) {
    case LST_BODY_BYTES:
        return send_bytes(connection,
                          response->body.bytes + (response->body.length - connection->answer_left),
                          smaller(connection->answer_left, piece_of(connection)));
    case LST_BODY_STREAM:
        return send_stream(connection, &response->stream);
    case LST_BODY_FILE:
    case LST_BODY_NONE:
    case LST_BODY_LENGTH:
        break;
    }
    return LST_STEP_RESET;
}
