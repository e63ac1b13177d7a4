/* document_fuzz.c - XML documents that mean harm: the first byte chooses how deep they are read. */
#include "s3/xml.h"
#include "s3/xml_read.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

struct seen {
    struct lst_buffer text;
    size_t elements;
    size_t most;
};

static int visit(void *context, const char *path, struct lst_slice text)
{
    struct seen *seen = context;
    size_t depth = 1;

    for (const char *at = path; *at != '\0'; at++) {
        depth += *at == '/' ? 1 : 0;
    }
    if (depth > LST_XML_DEPTH_MAX || text.length > 4096) {
        abort();
    }
    /* What was read can be written, and is then well-formed. */
    lst_xml_text(&seen->text, "T", text);
    return ++seen->elements > seen->most ? LST_ERR_TOO_LARGE : LST_OK;
}

static int ignore(void *context, const char *path, struct lst_slice text)
{
    (void)context;
    (void)path;
    (void)text;
    return LST_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct seen seen = {.most = size == 0 ? 0 : bytes[0]};
    struct lst_slice input = lst_slice_make(bytes, size);
    int status;

    lst_buffer_init(&seen.text, 1 << 20);
    lst_xml_open(&seen.text, "R");
    status = lst_xml_read(lst_slice_after(input, 1), 4096, visit, &seen);
    if (status != LST_OK && status != LST_ERR_MALFORMED && status != LST_ERR_TOO_LARGE) {
        abort();
    }
    lst_xml_close(&seen.text, "R");
    if (lst_buffer_status(&seen.text) == LST_OK &&
        lst_xml_read(lst_buffer_slice(&seen.text), 4096, ignore, NULL) != LST_OK) {
        abort();
    }
    lst_buffer_release(&seen.text);
    return 0;
}
