/* upload_fixture.h - the plain verbs that tests of uploads and copies need. */
#ifndef LST_TESTS_UPLOAD_FIXTURE_H
#define LST_TESTS_UPLOAD_FIXTURE_H

#include "store_fixture.h"

#include "store/upload.h"

#include <nettle/md5.h>

enum { PART = LST_PART_SIZE_MIN };

/* An upload, and what its parts were acknowledged with. */
struct upload {
    char bucket[64];
    char key[LST_STORE_KEY_MAX + 1];
    char id[LST_UPLOAD_ID_LENGTH];
    size_t part_count;
    struct lst_completed_part parts[16]; /* to be listed */
    char etags[16][LST_ETAG_MAX];
    uint64_t total_max; /* bytes of all parts; 0: no limit */
    uint32_t culprit;
    struct lst_store_write write; /* of the last operation */
};

static inline struct lst_upload_name upload_name(const struct upload *upload)
{
    return (struct lst_upload_name){slice(upload->bucket), slice(upload->key),
                                    lst_slice_make(upload->id, sizeof(upload->id))};
}

static inline int upload_begin(struct fixture *fixture, struct upload *upload, const char *bucket,
                               const char *key)
{
    struct lst_field field = {slice("content-type"), slice("video/x")};
    struct lst_field tag = {slice("kind"), slice("film")};
    struct lst_upload_options options = {.bucket = slice(bucket),
                                         .key = slice(key),
                                         .fields = &field,
                                         .field_count = 1,
                                         .tags = &tag,
                                         .tag_count = 1,
                                         .note = slice("crc32")};
    struct waiter waiter;
    int status;

    *upload = (struct upload){0};
    (void)snprintf(upload->bucket, sizeof(upload->bucket), "%s", bucket);
    (void)snprintf(upload->key, sizeof(upload->key), "%s", key);
    upload->write = waiter_write(&waiter);
    status = lst_upload_create(fixture->store, &options, upload->id, &upload->write);
    return status == 0 ? waiter_wait(&waiter) : status;
}

/* Put a part of this number and add it to the list. */
static inline int upload_part(struct fixture *fixture, struct upload *upload, uint32_t number,
                              const char *bytes, size_t size)
{
    struct lst_part_options options = {.name = upload_name(upload),
                                       .number = number,
                                       .size_known = upload->total_max > 0,
                                       .size = size,
                                       .total_max = upload->total_max};
    struct waiter waiter;
    struct lst_put *put;
    int status = lst_put_begin_part(fixture->store, &options, &put);

    upload->write = waiter_write(&waiter);
    if (status != 0) {
        return status;
    }
    status = lst_put_write(put, lst_slice_make(bytes, size));
    if (status != 0) {
        lst_put_abort(put);
        return status;
    }
    lst_put_commit(put, &upload->write);
    status = waiter_wait(&waiter);
    if (status == 0) {
        char *etag = upload->etags[upload->part_count];
        memcpy(etag, upload->write.etag, sizeof(upload->write.etag));
        upload->parts[upload->part_count++] =
            (struct lst_completed_part){number, lst_slice_make(etag, upload->write.etag_length)};
    }
    return status;
}

static inline int upload_complete_if(struct fixture *fixture, struct upload *upload,
                                     struct lst_write_condition condition)
{
    struct lst_field checksum = {slice("x-amz-checksum-crc32"), slice("AAAAAA==")};
    struct lst_complete_options options = {.name = upload_name(upload),
                                           .parts = upload->parts,
                                           .part_count = upload->part_count,
                                           .fields = &checksum,
                                           .field_count = 1,
                                           .condition = condition};
    struct waiter waiter;
    int status;

    upload->write = waiter_write(&waiter);
    upload->culprit = 0;
    status = lst_upload_complete(fixture->store, &options, &upload->culprit, &upload->write);
    return status == 0 ? waiter_wait(&waiter) : status;
}

static inline int upload_complete(struct fixture *fixture, struct upload *upload)
{
    return upload_complete_if(fixture, upload, (struct lst_write_condition){0});
}

static inline int upload_abort(struct fixture *fixture, struct upload *upload)
{
    struct lst_upload_name name = upload_name(upload);
    struct waiter waiter;
    int status;

    upload->write = waiter_write(&waiter);
    status = lst_upload_abort(fixture->store, &name, &upload->write);
    return status == 0 ? waiter_wait(&waiter) : status;
}

/* An object of these bytes in parts of PART bytes, and a last one of what is left. */
static inline int upload_whole(struct fixture *fixture, struct upload *upload, const char *bucket,
                               const char *key, const char *bytes, size_t size)
{
    int status = upload_begin(fixture, upload, bucket, key);

    for (size_t at = 0; status == 0 && (at < size || at == 0); at += PART) {
        status = upload_part(fixture, upload, (uint32_t)(at / PART) + 1, bytes + at,
                             size - at < PART ? size - at : PART);
    }
    return status == 0 ? upload_complete(fixture, upload) : status;
}

/* Whether a stream gives these bytes and then ends; closes it. */
static inline bool stream_gives(struct lst_object_stream *stream, const char *bytes, size_t size)
{
    static const size_t capacities[] = {70000, 1, 4096, 1000000};
    char *piece = malloc(1000000);
    size_t total = 0;
    size_t length = 1;
    bool same = true;

    for (size_t i = 0; same && length > 0; i++) {
        same = lst_object_stream_read(stream, piece, capacities[i % 4], &length) == 0 &&
               length <= size - total && (length == 0 || memcmp(piece, bytes + total, length) == 0);
        total += same ? length : 0;
    }
    free(piece);
    lst_object_stream_close(stream);
    return same && total == size;
}

static inline int open_object(struct fixture *fixture, const char *bucket, const char *key,
                              struct lst_object *ret_object)
{
    return lst_object_open(fixture->store,
                           &(struct lst_object_name){slice(bucket), slice(key), {NULL, 0}}, true,
                           ret_object);
}

/* Whether an object has this body, as a stream gives it. */
static inline bool upload_holds(struct fixture *fixture, const char *bucket, const char *key,
                                const char *bytes, size_t size)
{
    struct lst_object_stream *stream;
    struct lst_object object;
    bool holds;

    if (open_object(fixture, bucket, key, &object) != 0) {
        return false;
    }
    holds = object.size == size && lst_object_stream_open(&object, 0, size, &stream) == 0;
    lst_object_close(&object);
    return holds && stream_gives(stream, bytes, size);
}

/* Copy a range of an object into a put; the write is filled. */
static inline int copy_into(struct fixture *fixture, struct lst_put *put, const char *bucket,
                            const char *key, uint64_t first, uint64_t length,
                            struct lst_store_write *write)
{
    struct lst_object object;
    struct lst_copy copy = {.source = &object, .first = first, .length = length};
    struct waiter waiter;
    int status = open_object(fixture, bucket, key, &object);

    if (status != 0) {
        lst_put_abort(put);
        return status;
    }
    copy.length = length == UINT64_MAX ? object.size : length;
    *write = waiter_write(&waiter);
    lst_put_copy(put, &copy, write);
    return waiter_wait(&waiter);
}

/* Copy a whole object. */
static inline int copy_object(struct fixture *fixture, const char *bucket, const char *from,
                              const char *to, struct lst_store_write *write)
{
    struct lst_put_options options = {.bucket = slice(bucket), .key = slice(to)};
    struct lst_put *put;
    int status = lst_put_begin(fixture->store, &options, &put);

    return status == 0 ? copy_into(fixture, put, bucket, from, 0, UINT64_MAX, write) : status;
}

#endif
