/*
 * percent_fuzz.c - any bytes, percent-encoded and decoded: they come back, within the bounds, and
 * decoding any text gives no more than its length. Times and dates are read from the same bytes.
 */
#include "dates.h"
#include "latchstring.h"

#include <stdlib.h>
#include <string.h>

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void check_round_trip(struct lst_slice text, bool keep_slash, char *encoded, char *decoded)
{
    size_t encoded_length = 0;
    size_t decoded_length = 0;

    require(lst_percent_encode(text, keep_slash, encoded, 3 * text.length, &encoded_length) ==
            LST_OK);
    for (size_t i = 0; i < encoded_length; i++) {
        require(encoded[i] > ' ' && encoded[i] < 0x7f && encoded[i] != '+');
    }
    require(lst_percent_decode((struct lst_slice){encoded, encoded_length}, true, decoded,
                               text.length, &decoded_length) == LST_OK);
    require(decoded_length == text.length &&
            (text.length == 0 || memcmp(decoded, text.bytes, text.length) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct lst_slice text = {(const char *)bytes, size};
    char *encoded = malloc(3 * size + 1);
    char *decoded = malloc(size + 1);
    char formatted[16];
    size_t length = 0;
    int64_t time = 0;
    int error;

    require(encoded != NULL && decoded != NULL);
    check_round_trip(text, false, encoded, decoded);
    check_round_trip(text, true, encoded, decoded);
    error = lst_percent_decode(text, false, decoded, size, &length);
    require(error == LST_REFUSED_TARGET_MALFORMED || (error == LST_OK && length <= size));
    if (lst_parse_time(text, &time) == LST_OK) {
        require(lst_format_time(time, formatted) == LST_OK && memcmp(formatted, bytes, 16) == 0);
    }
    if (lst_internal_parse_http_date(text, &time)) {
        require(lst_format_time(time, formatted) == LST_OK);
    }
    free(encoded);
    free(decoded);
    return 0;
}
