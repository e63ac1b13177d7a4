/* list_read.c - the parameters of ListObjects and ListObjectsV2. */
#include "s3/list.h"

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
    listing->is_v2 = lst_s3_parameter(exchange, "list-type", &listing->list_type);
    listing->has_prefix = lst_s3_parameter(exchange, "prefix", &listing->prefix);
    listing->has_delimiter = lst_s3_parameter(exchange, "delimiter", &listing->delimiter);
    listing->has_encoding = lst_s3_parameter(exchange, "encoding-type", &listing->encoding);
    (void)lst_s3_parameter(exchange, "max-keys", &listing->max_keys_text);
    listing->max_keys = LST_LIST_KEYS_MAX;
    (void)lst_slice_to_number(listing->max_keys_text, INT32_MAX, &listing->max_keys);
    if (listing->is_v2) {
        listing->has_start_after = lst_s3_parameter(exchange, "start-after", &listing->start_after);
        listing->has_token = lst_s3_parameter(exchange, "continuation-token", &listing->token);
        (void)lst_s3_parameter(exchange, "fetch-owner", &value);
        listing->with_owner = lst_slice_equal_ignoring_case(value, LST_SLICE("true"));
    } else {
        (void)lst_s3_parameter(exchange, "marker", &listing->marker);
        listing->with_owner = true;
    }
    return listing;
}

static bool check_max_keys(struct lst_s3_exchange *exchange, const struct lst_listing *listing)
{
    struct lst_slice text = listing->max_keys_text;
    bool is_negative = text.length > 1 && text.bytes[0] == '-';
    uint64_t number;

    if (text.length == 0) {
        return true;
    }
    if (lst_slice_to_number(lst_slice_after(text, is_negative ? 1 : 0), INT32_MAX, &number)) {
        if (!is_negative || number == 0) {
            return true;
        }
        lst_s3_fail_argument(exchange,
                             "Argument maxKeys must be an integer between 0 and 2147483647",
                             "maxKeys", text);
        return false;
    }
    lst_s3_fail_argument(exchange, "Provided max-keys not an integer or within integer range",
                         "max-keys", text);
    return false;
}

bool lst_listing_check(struct lst_s3_exchange *exchange, struct lst_listing *listing)
{
    size_t length;

    if (listing->is_v2 && !lst_slice_equal(listing->list_type, LST_SLICE("2"))) {
        lst_s3_fail_argument(exchange, "Incorrect List Type specified", "list-type",
                             listing->list_type);
        return false;
    }
    if (listing->has_encoding) {
        listing->url_encoded = lst_slice_equal_ignoring_case(listing->encoding, LST_SLICE("url"));
        if (!listing->url_encoded) {
            lst_s3_fail_argument(exchange, "Invalid Encoding Method specified in Request",
                                 "encoding-type", listing->encoding);
            return false;
        }
    }
    if (!check_max_keys(exchange, listing)) {
        return false;
    }
    if (listing->max_keys > LST_LIST_KEYS_MAX) {
        listing->max_keys = LST_LIST_KEYS_MAX;
    }
    listing->after = listing->is_v2 ? listing->start_after : listing->marker;
    if (listing->has_token) {
        if (!lst_token_read(listing->token, listing->place, &length)) {
            lst_s3_fail_argument(exchange, "The continuation token provided is incorrect",
                                 "continuation-token", listing->token);
            return false;
        }
        listing->after = lst_slice_make(listing->place, length);
    }
    return true;
}
