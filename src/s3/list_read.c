/* list_read.c - the parameters of ListObjects and ListObjectsV2. */
#include "s3/list.h"

#include <stdio.h>
#include <stdlib.h>

static void free_listing(void *work)
{
    struct lst_listing *listing = work;

    lst_buffer_release(&listing->contents);
    lst_buffer_release(&listing->prefixes);
    free(listing);
}

struct lst_listing *lst_listing_read(struct lst_s3_exchange *exchange)
{
    struct lst_listing *listing = calloc(1, sizeof(*listing));
    struct lst_slice value;

    if (listing == NULL) {
        return NULL;
    }
    exchange->work = listing;
    exchange->free_work = free_listing;
    lst_buffer_init(&listing->contents, LST_RESPONSE_BODY_MAX);
    lst_buffer_init(&listing->prefixes, LST_RESPONSE_BODY_MAX);
    /* Any other type is none. */
    listing->is_v2 = lst_s3_parameter(exchange, LST_PARAMETER_LIST_TYPE, &value) &&
                     lst_slice_equal(value, LST_SLICE("2"));
    listing->has_prefix = lst_s3_parameter(exchange, LST_PARAMETER_PREFIX, &listing->prefix);
    listing->has_delimiter =
        lst_s3_parameter(exchange, LST_PARAMETER_DELIMITER, &listing->delimiter);
    listing->has_encoding =
        lst_s3_parameter(exchange, LST_PARAMETER_ENCODING_TYPE, &listing->encoding);
    (void)lst_s3_parameter(exchange, LST_PARAMETER_MAX_KEYS, &listing->max_keys_text);
    listing->max_keys = LST_LIST_KEYS_MAX;
    listing->is_negative =
        listing->max_keys_text.length > 1 && listing->max_keys_text.bytes[0] == '-';
    (void)lst_slice_to_number(lst_slice_after(listing->max_keys_text, listing->is_negative ? 1 : 0),
                              INT32_MAX, &listing->max_keys);
    if (listing->is_v2) {
        listing->has_start_after =
            lst_s3_parameter(exchange, LST_PARAMETER_START_AFTER, &listing->start_after);
        listing->has_token =
            lst_s3_parameter(exchange, LST_PARAMETER_CONTINUATION_TOKEN, &listing->token);
        (void)lst_s3_parameter(exchange, LST_PARAMETER_FETCH_OWNER, &value);
        listing->with_owner = lst_slice_equal_ignoring_case(value, LST_SLICE("true"));
    } else {
        (void)lst_s3_parameter(exchange, LST_PARAMETER_MARKER, &listing->marker);
        listing->with_owner = true;
    }
    return listing;
}

bool lst_listing_check(struct lst_s3_exchange *exchange, const struct lst_listing *listing)
{
    struct lst_slice text = listing->max_keys_text;
    uint64_t number;

    if (text.length == 0 || lst_slice_to_number(lst_slice_after(text, listing->is_negative ? 1 : 0),
                                                INT32_MAX, &number)) {
        return true;
    }
    lst_s3_fail_argument(exchange, "Provided max-keys not an integer or within integer range",
                         "max-keys", text);
    return false;
}

static bool check_encoding(struct lst_s3_exchange *exchange, struct lst_listing *listing)
{
    if (!listing->has_encoding) {
        return true;
    }
    listing->url_encoded = lst_slice_equal_ignoring_case(listing->encoding, LST_SLICE("url"));
    if (!listing->url_encoded) {
        lst_s3_fail_argument(exchange, "Invalid Encoding Method specified in Request",
                             "encoding-type", listing->encoding);
    }
    return listing->url_encoded;
}

/* Where the page begins. */
static bool choose_place(struct lst_s3_exchange *exchange, struct lst_listing *listing)
{
    size_t length;

    listing->after = listing->is_v2 ? listing->start_after : listing->marker;
    if (!listing->has_token) {
        return true;
    }
    if (!lst_token_read(listing->token, listing->place, &length)) {
        lst_s3_fail_token(exchange);
        return false;
    }
    listing->after = lst_slice_make(listing->place, length);
    return true;
}

bool lst_listing_check_page(struct lst_s3_exchange *exchange, struct lst_listing *listing)
{
    char text[24];

    if (!check_encoding(exchange, listing) || !choose_place(exchange, listing)) {
        return false;
    }
    if (listing->is_negative && listing->max_keys > 0) {
        /* S3 shows the number, and not how it was written. */
        (void)snprintf(text, sizeof(text), "-%llu", (unsigned long long)listing->max_keys);
        lst_s3_fail_argument(exchange,
                             "Argument maxKeys must be an integer between 0 and 2147483647",
                             "maxKeys", lst_slice_of(text));
        return false;
    }
    if (listing->max_keys > LST_LIST_KEYS_MAX) {
        listing->max_keys = LST_LIST_KEYS_MAX;
    }
    return true;
}
