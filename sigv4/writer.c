/* writer.c - write text piece by piece, into a buffer or into a SHA-256. */
#include "writer.h"
#include "hash.h"
#include "scan.h"

#include <nettle/sha2.h>

static const char upper_digits[] = "0123456789ABCDEF";

struct lst_internal_writer lst_internal_writer_hashing(struct sha256_ctx *hash, char *scratch,
                                                       size_t size)
{
    struct lst_internal_writer writer =
        lst_internal_writer_to(scratch, size - LST_INTERNAL_PADDING);

    writer.hash = hash;
    return writer;
}

void lst_internal_writer_digest(struct lst_internal_writer *writer, uint8_t out[32])
{
    lst_internal_sha256_finish(writer->hash, (uint8_t *)writer->out, writer->length, out);
}

int lst_internal_writer_finish(const struct lst_internal_writer *writer, size_t *ret_length)
{
    if (writer->overflow) {
        return LST_ERR_BUFFER_TOO_SMALL;
    }
    *ret_length = writer->length;
    return LST_OK;
}

/* Hash the whole blocks, and move what is left to the front. */
static void flush(struct lst_internal_writer *writer)
{
    size_t whole = writer->length / SHA256_BLOCK_SIZE * SHA256_BLOCK_SIZE;

    sha256_update(writer->hash, whole, (const uint8_t *)writer->out);
    writer->length -= whole;
    memmove(writer->out, writer->out + whole, writer->length);
}

void lst_internal_put_slowly(struct lst_internal_writer *writer, struct lst_slice text)
{
    if (writer->hash == NULL) {
        writer->overflow = true;
        writer->capacity = writer->length;
        return;
    }
    while (text.length > 0) {
        size_t room = writer->capacity - writer->length;
        size_t count = text.length < room ? text.length : room;

        lst_internal_put(writer, lst_internal_first(text, count));
        text = lst_internal_skip(text, count);
        if (text.length > 0) {
            flush(writer);
        }
    }
}

void lst_internal_put_lower(struct lst_internal_writer *writer, struct lst_slice text)
{
    size_t start = writer->length;

    if (text.length <= writer->capacity - start) {
        for (size_t i = 0; i < text.length; i++) {
            writer->out[start + i] = lst_internal_lower(text.bytes[i]);
        }
        writer->length = start + text.length;
        return;
    }
    for (size_t i = 0; i < text.length; i++) {
        lst_internal_put_char(writer, lst_internal_lower(text.bytes[i]));
    }
}

void lst_internal_put_folded(struct lst_internal_writer *writer, struct lst_slice text)
{
    bool is_first = true;

    while (text.length > 0) {
        size_t run = lst_internal_solid_run(text);

        if (run > 0) {
            if (!is_first) {
                lst_internal_put_char(writer, ' ');
            }
            is_first = false;
            lst_internal_put(writer, lst_internal_first(text, run));
        }
        text = lst_internal_skip(text, run < text.length ? run + 1 : run);
    }
}

void lst_internal_put_decimal(struct lst_internal_writer *writer, uint64_t value)
{
    char digits[20];
    size_t start = sizeof(digits);

    do {
        digits[--start] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    lst_internal_put(writer, (struct lst_slice){digits + start, sizeof(digits) - start});
}

unsigned char lst_internal_next_byte(struct lst_slice *text, enum lst_internal_origin origin)
{
    char first = text->bytes[0];

    if (first == '%' && origin != LST_INTERNAL_RAW && text->length > 2) {
        int high = lst_internal_hex_digit(text->bytes[1]);
        int low = lst_internal_hex_digit(text->bytes[2]);

        if (high >= 0 && low >= 0) {
            *text = lst_internal_skip(*text, 3);
            return (unsigned char)(high * 16 + low);
        }
    }
    *text = lst_internal_skip(*text, 1);
    return (unsigned char)(first == '+' && origin == LST_INTERNAL_WIRE_QUERY ? ' ' : first);
}

static inline char *encode_byte(char *out, unsigned char byte, enum lst_internal_class bare)
{
    if ((lst_internal_classes[byte] & bare) != 0) {
        *out++ = (char)byte;
    } else {
        *out++ = '%';
        *out++ = upper_digits[byte >> 4];
        *out++ = upper_digits[byte & 15];
    }
    return out;
}

static void put_encoded_byte(struct lst_internal_writer *writer, unsigned char byte,
                             enum lst_internal_class bare)
{
    char encoded[3];
    char *end = encode_byte(encoded, byte, bare);

    lst_internal_put(writer, (struct lst_slice){encoded, (size_t)(end - encoded)});
}

void lst_internal_put_encoded(struct lst_internal_writer *writer, struct lst_slice text,
                              enum lst_internal_origin origin, bool keep_slash)
{
    enum lst_internal_class bare = keep_slash ? LST_INTERNAL_PATH : LST_INTERNAL_UNRESERVED;

    while (text.length > 0) {
        size_t run = lst_internal_bare_run(text, bare);

        lst_internal_put(writer, lst_internal_first(text, run));
        text = lst_internal_skip(text, run);
        if (text.length > 0) {
            put_encoded_byte(writer, lst_internal_next_byte(&text, origin), bare);
        }
    }
}

void lst_internal_put_decoded(struct lst_internal_writer *writer, struct lst_slice text,
                              enum lst_internal_origin origin)
{
    while (text.length > 0) {
        size_t run = lst_internal_bare_run(text, LST_INTERNAL_UNRESERVED);

        lst_internal_put(writer, lst_internal_first(text, run));
        text = lst_internal_skip(text, run);
        if (text.length > 0) {
            lst_internal_put_char(writer, (char)lst_internal_next_byte(&text, origin));
        }
    }
}
