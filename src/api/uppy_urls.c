/* uppy_urls.c - the URLs that Uppy sends to. */
#include "api/sign.h"
#include "api/uppy.h"
#include "s3/content_types.h"

#include <stdio.h>

enum { PART_FIELDS_MAX = 6, NUMBER_TEXT = 24, LENGTH_TEXT = 32 };

int64_t lst_uppy_url_life(const struct lst_api_exchange *exchange,
                          const struct lst_uppy_upload *upload, int64_t asked_for)
{
    int64_t life = lst_upload_url_life(exchange, upload->profile);
    int64_t left = upload->ticket.expires - lst_api_now(exchange);

    life = life < left ? life : left;
    return asked_for != 0 && asked_for < life ? asked_for : life;
}

json_t *lst_uppy_url(const struct lst_api_exchange *exchange, struct lst_signing signing)
{
    struct lst_buffer url;
    json_t *json = NULL;

    signing.time = lst_api_now(exchange);
    lst_buffer_init(&url, LST_API_URL_MAX);
    if (lst_api_sign(exchange, &exchange->bearer, signing, &url) == LST_OK) {
        json = lst_api_json_slice(lst_buffer_slice(&url));
    }
    lst_buffer_release(&url);
    return json;
}

/* What the first part must be: what the upload was said to be, or else what it may be. */
static struct lst_slice content_of(const struct lst_uppy_upload *upload)
{
    if (upload->type[0] != '\0') {
        return lst_content_essence(lst_slice_of(upload->type));
    }
    return upload->profile->types[0] != '\0' ? lst_slice_of(upload->profile->types)
                                             : LST_SLICE("application/octet-stream");
}

json_t *lst_uppy_part_url(const struct lst_api_exchange *exchange,
                          const struct lst_uppy_upload *upload, uint32_t number, uint64_t left,
                          int64_t life)
{
    char number_text[NUMBER_TEXT];
    char length_text[LENGTH_TEXT];
    struct lst_field query[PART_FIELDS_MAX] = {
        {LST_SLICE("partNumber"), {number_text, 0}},
        {LST_SLICE("uploadId"), upload->name.upload},
        {LST_SLICE("x-latch-id"), upload->ticket.text},
        {LST_SLICE("x-latch-length"), {length_text, 0}},
        {LST_SLICE("x-latch-type"), content_of(upload)},
        {LST_SLICE("x-latch-sniff"), LST_SLICE("1")},
    };

    if (upload->part_size > 0 && left > (uint64_t)upload->part_size) {
        left = (uint64_t)upload->part_size;
    }
    query[0].value.length = (size_t)snprintf(number_text, sizeof(number_text), "%u", number);
    query[3].value.length =
        (size_t)snprintf(length_text, sizeof(length_text), "0-%llu", (unsigned long long)left);
    return lst_uppy_url(
        exchange, (struct lst_signing){.method = LST_SLICE("PUT"),
                                       .bucket = upload->name.bucket,
                                       .key = upload->name.key,
                                       .query = query,
                                       .query_count = number == 1 && upload->profile->check_content
                                                          ? PART_FIELDS_MAX
                                                          : PART_FIELDS_MAX - 2,
                                       .expires = life});
}

uint64_t lst_uppy_size_max(const struct lst_uppy_upload *upload)
{
    return (uint64_t)(upload->size < 0 ? upload->profile->max_size : upload->size);
}

uint32_t lst_uppy_number_max(const struct lst_uppy_upload *upload)
{
    uint64_t most = lst_uppy_size_max(upload);
    uint64_t count = upload->part_count > 0 ? (uint64_t)upload->part_count
                                            : (most + LST_PART_SIZE_MIN - 1) / LST_PART_SIZE_MIN;

    return count == 0 ? 1 : count > LST_PART_NUMBER_MAX ? LST_PART_NUMBER_MAX : (uint32_t)count;
}

bool lst_uppy_check_number(struct lst_api_exchange *exchange, struct lst_uppy_upload *upload,
                           uint32_t number)
{
    uint32_t most = lst_uppy_number_max(upload);

    if (number <= most) {
        return true;
    }
    if (upload->part_count > 0) {
        lst_api_fail(exchange, 400, "InvalidArgument",
                     "The number of a part can't be above %u: that is how many this upload's plan "
                     "has",
                     most);
    } else { /* so the client sends a file that is too large */
        lst_uppy_refuse(exchange, upload, 400, "EntityTooLarge",
                        "The file may have %llu bytes at most, for which no part above %u is "
                        "needed: the upload is given up",
                        (unsigned long long)lst_uppy_size_max(upload), most);
    }
    return false;
}

bool lst_uppy_part_left(struct lst_api_exchange *exchange, struct lst_uppy_upload *upload,
                        uint32_t number, uint64_t *ret_left)
{
    uint64_t most = lst_uppy_size_max(upload);
    uint64_t size = 0;
    int status = lst_uppy_size(exchange, upload, number, &size);

    if (status != LST_OK) {
        lst_uppy_fail_code(exchange, status);
    } else if (size >= most) {
        lst_uppy_refuse(exchange, upload, 400, "EntityTooLarge",
                        "The file may have %llu bytes at most: the upload is given up",
                        (unsigned long long)most);
        status = LST_ERR_TOO_LARGE;
    } else {
        *ret_left = most - size;
    }
    return status == LST_OK;
}

void lst_uppy_location(const struct lst_api_exchange *exchange,
                       const struct lst_uppy_upload *upload, struct lst_buffer *out)
{
    struct lst_slice key = upload->name.key;
    char *room;
    size_t length;

    lst_api_base_url(exchange, out);
    if (out->length > 0 && out->bytes[out->length - 1] != '/') {
        lst_buffer_append_byte(out, '/');
    }
    lst_buffer_append(out, upload->name.bucket);
    lst_buffer_append_byte(out, '/');
    room = lst_buffer_reserve(out, 3 * key.length);
    if (room != NULL && lst_percent_encode(key, true, room, 3 * key.length, &length) == LST_OK) {
        out->length += length;
    }
}
