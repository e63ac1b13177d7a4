/*
 * chunked_fuzz.c - any bytes as a body in chunks: whole, in pieces and in place it must be decoded
 * alike; and what is accepted, framed anew, must be decoded to the same.
 *
 * Input: a byte (the size of the pieces), and the bytes on the wire.
 */
#include "http/chunked.h"

#include <stdio.h>
#include <stdlib.h>

#define ROOM 512

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

struct outcome {
    struct lst_chunked chunked;
    enum lst_chunked_verdict verdict;
    char *data;
    size_t length;
    size_t taken;
    char room[ROOM];
};

static void begin(struct outcome *outcome, size_t most)
{
    memset(outcome, 0, sizeof(*outcome));
    outcome->data = malloc(most + 1);
    require(outcome->data != NULL);
    lst_chunked_begin(&outcome->chunked, outcome->room, sizeof(outcome->room));
}

static void decode(struct lst_slice input, size_t piece, struct outcome *outcome)
{
    begin(outcome, input.length);
    do {
        struct lst_slice part = lst_slice_first(lst_slice_after(input, outcome->taken), piece);
        struct lst_slice rest = part;
        struct lst_slice data;

        while ((outcome->verdict = lst_chunked_next(&outcome->chunked, &rest, &data)) ==
               LST_CHUNKED_DATA) {
            require(data.length > 0 && data.bytes >= part.bytes &&
                    data.bytes + data.length <= part.bytes + part.length);
            memcpy(outcome->data + outcome->length, data.bytes, data.length);
            outcome->length += data.length;
        }
        require(outcome->verdict != LST_CHUNKED_MORE || rest.length == 0);
        outcome->taken += part.length - rest.length;
    } while (outcome->verdict == LST_CHUNKED_MORE && outcome->taken < input.length);
}

static void decode_in_place(struct lst_slice input, struct outcome *outcome)
{
    begin(outcome, input.length);
    if (input.length > 0) {
        memcpy(outcome->data, input.bytes, input.length);
    }
    outcome->verdict = lst_chunked_decode(&outcome->chunked, outcome->data, input.length,
                                          &outcome->length, &outcome->taken);
}

static void compare(const struct outcome *a, const struct outcome *b)
{
    struct lst_field some[LST_CHUNKED_TRAILER_LINES_MAX];
    struct lst_field other[LST_CHUNKED_TRAILER_LINES_MAX];
    size_t count;

    require(a->verdict == b->verdict && a->length == b->length && a->taken == b->taken);
    require(memcmp(a->data, b->data, a->length) == 0);
    if (a->verdict != LST_CHUNKED_COMPLETE) {
        return;
    }
    count = lst_chunked_trailers(&a->chunked, some, LST_CHUNKED_TRAILER_LINES_MAX);
    require(lst_chunked_trailers(&b->chunked, other, LST_CHUNKED_TRAILER_LINES_MAX) == count);
    require(count <= LST_CHUNKED_TRAILER_LINES_MAX);
    for (size_t i = 0; i < count; i++) {
        require(lst_slice_equal(some[i].name, other[i].name) && some[i].name.length > 0);
        require(lst_slice_equal(some[i].value, other[i].value));
    }
}

/* One chunk for all that was found. */
static void check_framed_anew(const struct outcome *outcome)
{
    size_t capacity = outcome->length + 64;
    char *text = malloc(capacity);
    struct outcome again;
    size_t used;

    require(text != NULL);
    used = 0;
    if (outcome->length > 0) {
        used = (size_t)snprintf(text, capacity, "%zx\r\n", outcome->length);
        memcpy(text + used, outcome->data, outcome->length);
        used += outcome->length;
        used += (size_t)snprintf(text + used, capacity - used, "\r\n");
    }
    used += (size_t)snprintf(text + used, capacity - used, "0\r\n\r\n");
    decode(lst_slice_make(text, used), used, &again);
    require(again.verdict == LST_CHUNKED_COMPLETE && again.taken == used);
    require(again.length == outcome->length &&
            memcmp(again.data, outcome->data, again.length) == 0);
    free(again.data);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct lst_slice input = lst_slice_after(lst_slice_make(bytes, size), 1);
    size_t piece = size > 0 && bytes[0] > 0 ? bytes[0] : 1;
    struct outcome whole;
    struct outcome cut;
    struct outcome placed;

    decode(input, input.length + 1, &whole);
    decode(input, piece, &cut);
    decode_in_place(input, &placed);
    compare(&whole, &cut);
    compare(&whole, &placed);
    require(whole.length <= input.length && whole.taken <= input.length);
    if (whole.verdict == LST_CHUNKED_COMPLETE) {
        check_framed_anew(&whole);
    }
    free(whole.data);
    free(cut.data);
    free(placed.data);
    return 0;
}
