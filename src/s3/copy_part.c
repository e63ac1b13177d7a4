/* copy_part.c - UploadPartCopy. */
#include "s3/constraints.h"
#include "s3/copy.h"
#include "s3/upload_part.h"

#include <stdio.h>

/* "bytes=first-last", and nothing else. */
static bool parse_range(struct lst_slice text, uint64_t *ret_first, uint64_t *ret_last)
{
    struct lst_slice unit = LST_SLICE("bytes=");
    size_t dash;

    if (!lst_slice_starts_with(text, unit)) {
        return false;
    }
    text = lst_slice_after(text, unit.length);
    dash = lst_slice_find(text, '-');
    return lst_slice_to_number(lst_slice_first(text, dash), INT64_MAX, ret_first) &&
           lst_slice_to_number(lst_slice_after(text, dash + 1), INT64_MAX, ret_last) &&
           *ret_first <= *ret_last;
}

/* Which bytes of the source. False, having answered, if it does not have them. */
static bool choose_range(struct lst_s3_exchange *exchange, struct lst_copying *copying)
{
    uint64_t size = copying->object.size;
    struct lst_slice text;
    char message[128];
    uint64_t first;
    uint64_t last;

    if (!lst_s3_option(exchange, LST_HEADER_AMZ_COPY_SOURCE_RANGE, &text)) {
        return true;
    }
    if (!parse_range(text, &first, &last)) {
        lst_s3_fail_argument(exchange,
                             "The x-amz-copy-source-range value must be of the form "
                             "bytes=first-last where first and last are the zero-based offsets of "
                             "the first and last bytes to copy",
                             "x-amz-copy-source-range", text);
        return false;
    }
    if (first > size) {
        lst_s3_fail_with(exchange, LST_S3_INVALID_REQUEST,
                         "The specified copy range is invalid for the source object size", NULL, 0);
        return false;
    }
    if (last >= size) {
        (void)snprintf(message, sizeof(message),
                       "Range specified is not valid for source object of size: %llu",
                       (unsigned long long)size);
        lst_s3_fail_argument(exchange, message, "x-amz-copy-source-range", text);
        return false;
    }
    copying->copy.first = first;
    copying->copy.length = last - first + 1;
    return true;
}

/* The one that was agreed for the upload. Where none was, and all of the source is taken, which
 * costs nothing, it is not computed. */
static void choose_checksum(struct lst_copying *copying, const struct lst_upload_checksum *agreed)
{
    const struct lst_object *object = &copying->object;
    struct lst_slice text;
    enum lst_checksum_kind known =
        lst_checksum_of_fields(object->fields, object->field_count, &text);
    bool takes_all = copying->copy.length == object->size;

    if (takes_all && known == agreed->kind && lst_slice_find(text, '-') == text.length) {
        lst_copying_keep_checksum(copying, known, text);
    } else if (agreed->is_declared || !takes_all) {
        lst_copying_compute_checksum(copying, agreed->kind);
    }
}

static bool begin_copy(struct lst_s3_exchange *exchange, struct lst_copying *copying,
                       struct lst_put **ret_put)
{
    struct lst_part_options options;
    struct lst_upload_checksum agreed;
    int status;

    if (!lst_upload_part_read(exchange, &options, &agreed) ||
        !lst_s3_constrain_copied_part(exchange, options.number, &agreed) ||
        !choose_range(exchange, copying) || !lst_copy_size_check(exchange, copying->copy.length)) {
        return false;
    }
    options.size_known = true;
    options.size = copying->copy.length;
    choose_checksum(copying, &agreed);
    status = lst_put_begin_part(exchange->s3->options.store, &options, ret_put);
    if (status == LST_OK && copying->checksum_length > 0) {
        status = lst_put_add_field(*ret_put, lst_slice_of(lst_checksum_header(copying->kind)),
                                   lst_slice_make(copying->checksum, copying->checksum_length));
        if (status != LST_OK) {
            lst_put_abort(*ret_put);
        }
    }
    if (status != LST_OK) {
        lst_upload_part_fail(exchange, &options, status);
    }
    return status == LST_OK;
}

void lst_copy_part(struct lst_s3_exchange *exchange)
{
    struct lst_copying *copying = lst_copying_make(exchange);

    if (copying != NULL) {
        copying->begin = begin_copy;
        if (lst_copying_copy(exchange, copying)) {
            lst_copying_answer(exchange, copying, "CopyPartResult", false);
        }
    }
    lst_copying_free(copying);
}
