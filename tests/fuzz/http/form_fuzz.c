/*
 * form_fuzz.c - any bytes as a form: whole and in pieces it must be read alike, and what is found
 * must stand in it.
 *
 * Input: a byte (the size of the pieces), a line with the Content-Type, and the body.
 */
#include "http/form.h"

#include <stdlib.h>

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* A digest of all events that does not depend on how the data was cut. */
struct trace {
    uint64_t hash;
    uint64_t data; /* bytes */
    unsigned open; /* fields that have begun and not ended */
    unsigned count;
};

static void mix(struct trace *trace, struct lst_slice bytes)
{
    for (size_t i = 0; i < bytes.length; i++) {
        trace->hash = (trace->hash ^ (uint8_t)bytes.bytes[i]) * UINT64_C(1099511628211);
    }
}

static int on_begin(void *context, const struct lst_form_part *part)
{
    struct trace *trace = context;

    require(trace->open == 0);
    require(part->name.length + part->filename.length + part->content_type.length <=
            LST_FORM_HEAD_MAX);
    trace->open++;
    trace->count++;
    mix(trace, part->name);
    mix(trace, LST_SLICE("|"));
    mix(trace, part->filename);
    mix(trace, LST_SLICE("|"));
    mix(trace, part->content_type);
    mix(trace, LST_SLICE("|"));
    return LST_OK;
}

static int on_data(void *context, struct lst_slice bytes)
{
    struct trace *trace = context;

    require(trace->open == 1 && bytes.length > 0);
    trace->data += bytes.length;
    mix(trace, bytes);
    return LST_OK;
}

static int on_end(void *context)
{
    struct trace *trace = context;

    require(trace->open == 1);
    trace->open--;
    mix(trace, LST_SLICE(";"));
    return LST_OK;
}

static int read_form(struct lst_slice type, struct lst_slice body, size_t piece,
                     struct trace *trace)
{
    static const struct lst_form_events events = {on_begin, on_data, on_end};
    struct lst_form_reader reader;
    int status = lst_form_reader_init(&reader, type, &events, trace);

    while (status == LST_OK && body.length > 0) {
        status = lst_form_reader_take(&reader, lst_slice_first(body, piece));
        body = lst_slice_after(body, piece);
    }
    return status != LST_OK ? status : lst_form_reader_end(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct lst_slice input = lst_slice_make(bytes, size);
    struct lst_slice rest = lst_slice_after(input, 1);
    struct lst_slice type = lst_slice_first(rest, lst_slice_find(rest, '\n'));
    struct lst_slice body = lst_slice_after(rest, type.length + 1);
    struct trace whole = {.hash = 1};
    struct trace cut = {.hash = 1};
    size_t piece = size > 0 && bytes[0] > 0 ? bytes[0] : 1;
    int status = read_form(type, body, body.length + 1, &whole);

    require(status == LST_OK || status == LST_ERR_MALFORMED || status == LST_ERR_TOO_LARGE);
    require(read_form(type, body, piece, &cut) == status);
    require(whole.data + whole.count <= body.length);
    require(whole.hash == cut.hash && whole.data == cut.data && whole.count == cut.count);
    require(status != LST_OK || whole.open == 0);
    return 0;
}
