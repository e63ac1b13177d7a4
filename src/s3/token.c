/* token.c - continuation tokens: the base64 of a version and a key. */
#include "s3/token.h"

#include "base/encoding.h"

enum { VERSION = 1, RAW_MAX = LST_TOKEN_PLACE_MAX + 1 };

void lst_token_write(struct lst_buffer *buffer, struct lst_slice place)
{
    struct lst_slice kept = lst_slice_first(place, LST_TOKEN_PLACE_MAX);
    size_t length = LST_BASE64_LENGTH(kept.length + 1);
    char *room = lst_buffer_reserve(buffer, length);
    char raw[RAW_MAX];

    if (room != NULL) {
        raw[0] = VERSION;
        memcpy(raw + 1, kept.bytes, kept.length);
        lst_base64_encode(raw, kept.length + 1, room);
        buffer->length += length;
    }
}

bool lst_token_read(struct lst_slice token, char ret_place[LST_TOKEN_PLACE_MAX], size_t *ret_length)
{
    size_t padding = 0;
    size_t length;
    char raw[RAW_MAX + 2];

    while (padding < 2 && padding < token.length &&
           token.bytes[token.length - 1 - padding] == '=') {
        padding++;
    }
    length = token.length / 4 * 3 - padding;
    if (token.length < 4 || length > RAW_MAX || !lst_base64_decode(token, raw, length) ||
        length < 2 || raw[0] != VERSION) {
        return false;
    }
    memcpy(ret_place, raw + 1, length - 1);
    *ret_length = length - 1;
    return true;
}
