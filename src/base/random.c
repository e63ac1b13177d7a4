/* random.c - random bytes from the kernel. */
#include "base/random.h"

#include <stdlib.h>
#include <sys/random.h>

void lst_random_bytes(void *ret_bytes, size_t length)
{
    uint8_t *out = ret_bytes;

    while (length > 0) {
        /* Up to 256 bytes are never interrupted; anything but success means that there is no random
         * source at all. */
        size_t piece = length < 256 ? length : 256;
        if (getrandom(out, piece, 0) != (ssize_t)piece) {
            abort();
        }
        out += piece;
        length -= piece;
    }
}

void lst_random_text(struct lst_slice alphabet, char *ret_text, size_t length)
{
    size_t count = alphabet.length < 64 ? alphabet.length : 64;

    for (size_t i = 0; i < length;) {
        uint8_t byte;
        lst_random_bytes(&byte, 1);
        byte &= 63;
        /* A byte beyond the alphabet is thrown away: a remainder would favour its first characters.
         */
        if (byte < count) {
            ret_text[i++] = alphabet.bytes[byte];
        }
    }
}
