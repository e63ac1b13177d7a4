/* xml_read.c - reading small XML documents. */
#include "s3/xml_read.h"

#include "base/fiber.h"

#include <expat.h>

enum { PATH_MAX_BYTES = 256 };

struct reader {
    XML_Parser parser;
    int (*visit)(void *context, const char *path, struct lst_slice text);
    void *context;
    int status;
    unsigned depth;
    char path[PATH_MAX_BYTES]; /* ends in NUL */
    size_t path_length;
    struct lst_buffer text; /* since the last start of an element */
};

static void stop(struct reader *reader, int status)
{
    if (reader->status == LST_OK) {
        reader->status = status;
    }
    (void)XML_StopParser(reader->parser, XML_FALSE);
}

static void start_element(void *user, const XML_Char *name, const XML_Char **attributes)
{
    struct reader *reader = user;
    const char *colon = strrchr(name, ':');
    const char *local = colon == NULL ? name : colon + 1;
    size_t length = strlen(local);
    size_t slash = reader->path_length > 0 ? 1 : 0;

    (void)attributes;
    if (++reader->depth > LST_XML_DEPTH_MAX ||
        reader->path_length + slash + length >= sizeof(reader->path)) {
        stop(reader, LST_ERR_MALFORMED);
        return;
    }
    if (slash > 0) {
        reader->path[reader->path_length++] = '/';
    }
    memcpy(reader->path + reader->path_length, local, length + 1);
    reader->path_length += length;
    lst_buffer_clear(&reader->text);
}

static void end_element(void *user, const XML_Char *name)
{
    struct reader *reader = user;
    const char *slash;
    int status;

    (void)name;
    if (reader->status != LST_OK) {
        return;
    }
    status = lst_buffer_status(&reader->text);
    if (status == LST_OK) {
        status = reader->visit(reader->context, reader->path, lst_buffer_slice(&reader->text));
    } else if (status == LST_ERR_TOO_LARGE) {
        status = LST_ERR_MALFORMED;
    }
    if (status != LST_OK) {
        stop(reader, status);
        return;
    }
    slash = strrchr(reader->path, '/');
    reader->path_length = slash == NULL ? 0 : (size_t)(slash - reader->path);
    reader->path[reader->path_length] = '\0';
    reader->depth--;
    lst_buffer_clear(&reader->text);
}

static void take_text(void *user, const XML_Char *text, int length)
{
    struct reader *reader = user;

    lst_buffer_append(&reader->text, lst_slice_make(text, (size_t)length));
}

static void refuse_doctype(void *user, const XML_Char *name, const XML_Char *system_id,
                           const XML_Char *public_id, int has_internal_subset)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_internal_subset;
    stop(user, LST_ERR_MALFORMED);
}

struct reading {
    struct reader reader;
    struct lst_slice document;
};

static void parse(void *context)
{
    struct reading *reading = context;
    struct reader *reader = &reading->reader;
    struct lst_slice document = reading->document;

    XML_SetUserData(reader->parser, reader);
    XML_SetElementHandler(reader->parser, start_element, end_element);
    XML_SetCharacterDataHandler(reader->parser, take_text);
    XML_SetStartDoctypeDeclHandler(reader->parser, refuse_doctype);
    enum XML_Status parsed =
        XML_Parse(reader->parser, document.bytes, (int)document.length, XML_TRUE);
    if (reader->status == LST_OK && parsed != XML_STATUS_OK) {
        reader->status = XML_GetErrorCode(reader->parser) == XML_ERROR_NO_MEMORY
                             ? LST_ERR_NO_MEMORY
                             : LST_ERR_MALFORMED;
    }
}

int lst_xml_read(struct lst_slice document, size_t text_max,
                 int (*visit)(void *context, const char *path, struct lst_slice text),
                 void *context)
{
    struct reading reading = {.reader = {.visit = visit, .context = context}, .document = document};
    struct reader *reader = &reading.reader;

    if (document.length > INT32_MAX) {
        return LST_ERR_MALFORMED;
    }
    reader->parser = XML_ParserCreate(NULL);
    if (reader->parser == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    lst_buffer_init(&reader->text, text_max);
    lst_fiber_aside(parse, &reading); /* how much of a stack the parser wants is its own affair */
    XML_ParserFree(reader->parser);
    lst_buffer_release(&reader->text);
    return reader->status;
}
