/* uppy_complete.c - the end of an upload in parts: complete, or given up. */
#include "api/call.h"
#include "api/uppy.h"
#include "s3/xml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { ETAG_TEXT_MAX = 128, SIZE_TEXT = 24, DOCUMENT_MAX = 2 * 1024 * 1024 };

/* ---- Giving it up */

static void give_up(struct lst_api_exchange *exchange, const struct lst_uppy_upload *upload,
                    void (*done)(struct lst_api_exchange *exchange,
                                 const struct lst_call_answer *answer))
{
    const struct lst_field query = {LST_SLICE("uploadId"), upload->name.upload};

    (void)lst_call(exchange,
                   &(struct lst_call_request){.method = LST_SLICE("DELETE"),
                                              .bucket = upload->name.bucket,
                                              .key = upload->name.key,
                                              .query = &query,
                                              .query_count = 1},
                   done);
}

static void given_up(struct lst_api_exchange *exchange, const struct lst_call_answer *answer)
{
    if (answer->status != 204) {
        lst_call_fail(exchange, answer);
    } else if (exchange->place == LST_API_UPPY) {
        lst_api_answer(exchange, 200, json_object());
    } else {
        lst_api_answer_nothing(exchange);
    }
}

void lst_uppy_give_up(struct lst_api_exchange *exchange, const struct lst_uppy_upload *upload)
{
    give_up(exchange, upload, given_up);
}

void lst_uppy_abort(struct lst_api_exchange *exchange)
{
    const struct lst_uppy_upload *upload = lst_uppy_find_named(exchange, NULL, NULL);

    if (upload != NULL) {
        lst_uppy_give_up(exchange, upload);
    }
}

/* Whether or not it could be removed, the answer is why it had to be. */
static void has_given_up(struct lst_api_exchange *exchange, const struct lst_call_answer *answer)
{
    const struct lst_uppy_upload *upload = exchange->work;

    (void)answer;
    lst_api_fail(exchange, upload->status, upload->code, "%s", upload->message);
}

/* By which the status of the upload says why nothing came of it. */
static void record_refusal(const struct lst_api_exchange *exchange,
                           const struct lst_uppy_upload *upload)
{
    const struct lst_use_outcome outcome = {
        .use = {.user = lst_slice_of(lst_passage_user_name(&exchange->bearer.passage)),
                .id = upload->ticket.text,
                .method = LST_SLICE("POST"),
                .bucket = upload->name.bucket,
                .key = upload->name.key,
                .peer = exchange->request->peer,
                .now_ms = exchange->request->received_ms,
                .expires_ms = upload->ticket.expires * 1000,
                .is_write = true},
        .http_status = upload->status,
        .reason = lst_slice_of(upload->message),
    };

    lst_ledger_settle(exchange->api->options.ledger, &outcome);
}

void lst_uppy_refuse(struct lst_api_exchange *exchange, struct lst_uppy_upload *upload, int status,
                     const char *code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(upload->message, sizeof(upload->message), format, arguments);
    va_end(arguments);
    upload->status = status;
    upload->code = code;
    record_refusal(exchange, upload);
    give_up(exchange, upload, has_given_up);
}

/* The fewest bytes that the object may have. */
static uint64_t size_min(const struct lst_uppy_upload *upload)
{
    return upload->size < 0 ? (uint64_t)upload->profile->min_size : lst_uppy_size_max(upload);
}

bool lst_uppy_check_size(struct lst_api_exchange *exchange, struct lst_uppy_upload *upload,
                         uint64_t size)
{
    uint64_t most = lst_uppy_size_max(upload);
    uint64_t least = size_min(upload);
    bool is_too_large = size > most;

    if (size >= least && size <= most) {
        return true;
    }
    lst_uppy_refuse(exchange, upload, 400, is_too_large ? "EntityTooLarge" : "EntityTooSmall",
                    "The file has %llu bytes, and %s %llu: the upload is given up",
                    (unsigned long long)size,
                    is_too_large ? "it may have at most" : "it must have at least",
                    (unsigned long long)(is_too_large ? most : least));
    return false;
}

/* ---- Completing */

/* The parts that are listed: as a document for the store, and how large they are together. */
struct listing {
    struct lst_buffer document;
    uint64_t
        *sizes; /* one more than each part's that is there, by its number; 0: none, or listed */
    uint64_t size;
    uint64_t size_there; /* of all parts that have arrived */
};

static int note_size(void *context, const struct lst_part *part)
{
    struct listing *listing = context;

    listing->sizes[part->number] = part->size + 1;
    listing->size_there += part->size;
    return LST_OK;
}

/* False, having answered, if it has not arrived or is listed twice: then the list is wrong, and
 * nothing is known of the file. The upload stays. */
static bool add_part(struct lst_api_exchange *exchange, struct listing *listing, int64_t number,
                     struct lst_slice etag)
{
    if (listing->sizes[number] == 0) {
        lst_api_fail(exchange, 400, "InvalidPart",
                     "parts: part %lld has not arrived, or is listed twice", (long long)number);
        return false;
    }
    lst_xml_open(&listing->document, "Part");
    lst_xml_number(&listing->document, "PartNumber", (uint64_t)number);
    lst_xml_text(&listing->document, "ETag", etag);
    lst_xml_close(&listing->document, "Part");
    listing->size += listing->sizes[number] - 1;
    listing->sizes[number] = 0;
    return true;
}

/* False, having answered, if it is no part. */
static bool read_part(struct lst_api_exchange *exchange, json_t *part, struct listing *listing)
{
    struct lst_slice etag = LST_SLICE("");
    struct lst_fields fields;
    int64_t number = 0;
    bool is_uppy = exchange->place == LST_API_UPPY;

    lst_fields_begin(&fields, part, "parts");
    lst_fields_integer(&fields, is_uppy ? "PartNumber" : "number", LST_FIELD_REQUIRED, 1,
                       LST_PART_NUMBER_MAX, &number);
    lst_fields_text(&fields, is_uppy ? "ETag" : "etag", LST_FIELD_REQUIRED, 1, ETAG_TEXT_MAX,
                    &etag);
    if (lst_fields_end(&fields) != LST_OK) {
        lst_api_fail(exchange, 400, "InvalidArgument", "%s", fields.problem);
        return false;
    }
    return add_part(exchange, listing, number, etag);
}

/* The same of the whole list. */
static bool read_parts(struct lst_api_exchange *exchange, const struct lst_uppy_upload *upload,
                       struct listing *listing)
{
    struct lst_fields fields;
    json_t *parts = NULL;
    bool is_truncated;
    int complete_status;
    int status;

    lst_fields_begin(&fields, exchange->input, NULL);
    lst_fields_list(&fields, "parts", LST_FIELD_REQUIRED, LST_PART_NUMBER_MAX, &parts);
    if (parts != NULL && json_array_size(parts) == 0) {
        lst_fields_refuse(&fields, "parts", "there must be one at least");
    }
    if (lst_fields_end(&fields) != LST_OK) {
        lst_api_fail(exchange, 400, "InvalidArgument", "%s", fields.problem);
        return false;
    }
    status = lst_upload_parts(exchange->api->options.store, &upload->name, 0, LST_PART_NUMBER_MAX,
                              note_size, listing, &is_truncated);
    if (status != LST_OK) {
        complete_status = lst_uppy_answer_complete(exchange, upload);
        if (complete_status != LST_OK) {
            lst_uppy_fail_code(exchange,
                               complete_status == LST_ERR_NOT_FOUND ? status : complete_status);
        }
        return false;
    }
    lst_xml_open(&listing->document, "CompleteMultipartUpload");
    for (size_t i = 0; i < json_array_size(parts); i++) {
        if (!read_part(exchange, json_array_get(parts, i), listing)) {
            return false;
        }
    }
    lst_xml_close(&listing->document, "CompleteMultipartUpload");
    status = lst_buffer_status(&listing->document);
    if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
    }
    return status == LST_OK;
}

/* As Uppy wants to be told of it. */
static void answer_completed(struct lst_api_exchange *exchange,
                             const struct lst_uppy_upload *upload)
{
    struct lst_buffer location;
    int status;

    lst_buffer_init(&location, LST_API_URL_MAX);
    lst_uppy_location(exchange, upload, &location);
    status = lst_buffer_status(&location);
    if (status == LST_OK) {
        lst_api_answer(exchange, 200,
                       json_pack("{s:o, s:o, s:o}", "location",
                                 lst_api_json_slice(lst_buffer_slice(&location)), "key",
                                 lst_api_json_slice(upload->name.key), "bucket",
                                 lst_api_json_slice(upload->name.bucket)));
    } else {
        lst_api_fail_code(exchange, status);
    }
    lst_buffer_release(&location);
}

static void completed(struct lst_api_exchange *exchange, const struct lst_call_answer *answer)
{
    struct lst_uppy_upload *upload = exchange->work;
    int status;

    if (answer->status == 200) {
        upload->completed(exchange, upload);
        return;
    }
    status = lst_uppy_answer_complete(exchange, upload);
    if (status == LST_OK) {
        return;
    }
    if (answer->status == 412 && status != LST_ERR_NOT_FOUND) {
        lst_uppy_fail_code(exchange, status); /* whose the object is can't be said now */
    } else if (answer->status == 412) {
        /* Another was faster, and this one can't be the object any more. */
        lst_uppy_refuse(exchange, upload, 412, answer->code,
                        "There is an object of this key already, and the profile does not replace "
                        "one: the upload is given up");
    } else {
        lst_call_fail(exchange, answer);
    }
}

static void complete(struct lst_api_exchange *exchange, const struct lst_uppy_upload *upload,
                     const struct listing *listing)
{
    char size[SIZE_TEXT];
    const struct lst_field query[] = {
        {LST_SLICE("uploadId"), upload->name.upload},
        {LST_SLICE("x-latch-id"), upload->ticket.text},
    };
    struct lst_field headers[] = {
        {LST_SLICE("x-amz-mp-object-size"), {size, 0}},
        {LST_SLICE("If-None-Match"), LST_SLICE("*")},
    };

    /* A part that has been replaced since it was looked at is not let through. */
    headers[0].value.length =
        (size_t)snprintf(size, sizeof(size), "%llu", (unsigned long long)listing->size);
    (void)lst_call(exchange,
                   &(struct lst_call_request){.method = LST_SLICE("POST"),
                                              .bucket = upload->name.bucket,
                                              .key = upload->name.key,
                                              .query = query,
                                              .query_count = 2,
                                              .headers = headers,
                                              .header_count = upload->profile->replace ? 1 : 2,
                                              .body = lst_buffer_slice(&listing->document)},
                   completed);
}

void lst_uppy_complete_parts(struct lst_api_exchange *exchange, struct lst_uppy_upload *upload)
{
    struct listing listing = {.size = 0};
    uint64_t least = size_min(upload);

    lst_buffer_init(&listing.document, DOCUMENT_MAX);
    listing.sizes = calloc(LST_PART_NUMBER_MAX + 1, sizeof(*listing.sizes));
    if (listing.sizes == NULL) {
        lst_api_fail_code(exchange, LST_ERR_NO_MEMORY);
    } else if (!read_parts(exchange, upload, &listing)) {
        /* answered */
    } else if (listing.size < least && listing.size_there > listing.size) {
        /* The list leaves out what has arrived: a slip, for which nothing is thrown away. */
        lst_api_fail(exchange, 400, "EntityTooSmall",
                     "parts: the parts that are listed have %llu bytes, and the file must have at "
                     "least %llu: list all parts that have arrived",
                     (unsigned long long)listing.size, (unsigned long long)least);
    } else if (lst_uppy_check_size(exchange, upload, listing.size)) {
        complete(exchange, upload, &listing);
    }
    free(listing.sizes);
    lst_buffer_release(&listing.document);
}

void lst_uppy_complete(struct lst_api_exchange *exchange)
{
    struct lst_uppy_upload *upload = lst_uppy_find_to_complete(exchange, answer_completed);

    if (upload != NULL) {
        lst_uppy_complete_parts(exchange, upload);
    }
}
