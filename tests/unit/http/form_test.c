/* form_test.c - reading forms: as browsers send them, in pieces of any size, and malformed ones. */
#include "http/form.h"

#include "tap.h"

#include <stdlib.h>

#define TYPE "multipart/form-data; boundary=AaB03x"

/* What the reader found, as text: "name|filename|type|data;". */
struct found {
    struct lst_form_reader reader;
    char text[8192];
    size_t length;
    uint64_t first_position; /* of the first field's first byte */
    int stop_at_data;        /* a code to end the reading with */
};

static struct lst_slice slice_of(const char *text)
{
    return lst_slice_make(text, strlen(text));
}

static void note(struct found *found, struct lst_slice text)
{
    if (text.length > sizeof(found->text) - 1 - found->length) {
        abort();
    }
    if (text.length > 0) {
        memcpy(found->text + found->length, text.bytes, text.length);
    }
    found->length += text.length;
}

static int on_begin(void *context, const struct lst_form_part *part)
{
    struct found *found = context;

    found->first_position = found->length == 0 ? found->reader.position : found->first_position;
    note(found, part->name);
    note(found, LST_SLICE("|"));
    note(found, part->has_filename ? part->filename : LST_SLICE("-"));
    note(found, LST_SLICE("|"));
    note(found, part->content_type);
    note(found, LST_SLICE("|"));
    return LST_OK;
}

static int on_data(void *context, struct lst_slice bytes)
{
    struct found *found = context;

    note(found, bytes);
    return bytes.length == 0 ? LST_ERR_IO : found->stop_at_data;
}

static int on_end(void *context)
{
    note(context, LST_SLICE(";"));
    return LST_OK;
}

static const struct lst_form_events events = {on_begin, on_data, on_end};

/* Read a body in pieces, each in memory of its own. */
static int read_form(const char *type, struct lst_slice body, size_t piece, struct found *found)
{
    int status;

    memset(found, 0, sizeof(*found));
    status = lst_form_reader_init(&found->reader, slice_of(type), &events, found);
    while (status == LST_OK && body.length > 0) {
        struct lst_slice part = lst_slice_first(body, piece);
        char *copy = malloc(part.length);

        memcpy(copy, part.bytes, part.length);
        status = lst_form_reader_take(&found->reader, lst_slice_make(copy, part.length));
        free(copy);
        body = lst_slice_after(body, part.length);
    }
    found->text[found->length] = '\0';
    return status != LST_OK ? status : lst_form_reader_end(&found->reader);
}

static void check_text(const char *type, const char *body, const char *expected, const char *what)
{
    struct found found;

    for (size_t piece = strlen(body); piece > 0; piece = piece > 9 ? 9 : piece - 1) {
        int status = read_form(type, slice_of(body), piece, &found);

        if (status != LST_OK || strcmp(found.text, expected) != 0) {
            CHECK(false, "%s, in pieces of %zu", what, piece);
            printf("#  got: %d %s\n# want: %s\n", status, found.text, expected);
            return;
        }
    }
    CHECK(true, "%s", what);
}

#define HEAD(parameters) "--AaB03x\r\nContent-Disposition: form-data; " parameters "\r\n\r\n"
#define END              "\r\n--AaB03x--\r\n"

static void check_forms(void)
{
    check_text(TYPE, HEAD("name=\"a\"") "1\r\n" HEAD("name=\"b\"") "2" END, "a|-||1;b|-||2;",
               "two fields");
    check_text(TYPE, HEAD("name=\"a\"") END, "a|-||;", "an empty field");
    check_text(TYPE, "--AaB03x--\r\n", "", "no field at all");
    check_text(TYPE, HEAD("name=\"a\"") "1\r\n--AaB03x--", "a|-||1;", "no line end at the end");
    check_text(TYPE, HEAD("name=\"a\"") "1" END "--AaB03x\r\nwhatever", "a|-||1;", "an epilogue");
    check_text(TYPE, "a preamble\r\n" HEAD("name=\"a\"") "1" END, "a|-||1;", "a preamble");
    check_text(TYPE, HEAD("name=\"a\"") "\r\n\r\r\n-\r\n--\r\n--AaB03y\r\n--AaB03" END,
               "a|-||\r\n\r\r\n-\r\n--\r\n--AaB03y\r\n--AaB03;", "what is nearly a delimiter");
    check_text(TYPE,
               HEAD("name=\"a\"") "1\r\n--AaB03x \t\r\nContent-Disposition: form-data; "
                                  "name=b\r\n\r\n2" END,
               "a|-||1;b|-||2;", "white space behind a delimiter");
    check_text("Multipart/Form-Data ; charset=utf-8; BOUNDARY=\"a b'()+_,-./:=?c\";",
               "--a b'()+_,-./:=?c\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n"
               "--a b'()+_,-./:=?c--",
               "a|-||1;", "all that a boundary can have");
}

static void check_heads(void)
{
    check_text(TYPE,
               "--AaB03x\r\ncontent-disposition:form-data;name=\"file\";filename=\"cat.jpg\"\r\n"
               "Content-Type: image/jpeg\r\nX-Other: 1\r\n\r\nJ" END,
               "file|cat.jpg|image/jpeg|J;", "a file");
    check_text(TYPE, HEAD("name=file; filename=\"\"") END, "file|||;", "a file without a name");
    check_text(TYPE, HEAD("name=\"a\\\"b\\\\c\"; filename=\"C:\\dir\\x;y.txt\"") END,
               "a\"b\\c|C:\\dir\\x;y.txt||;", "escapes, and a path that has none");
    check_text(TYPE, HEAD("filename=\"a=b\"; name=\"\"; filename*=UTF-8''x") END, "|a=b||;",
               "in another order, with what forms should not have");
    check_text("multipart/form-data; charset=\"utf-8\"; boundary=\"AaB03x\"",
               HEAD("name=\"\xC3\xBC\"") END, "\xC3\xBC|-||;", "a boundary in quotes, and UTF-8");
}

static void check_refused(void)
{
    static const char *const types[] = {
        "", "multipart/mixed; boundary=a", "multipart/form-data",
        "multipart/form-data; boundary=", "multipart/form-data; boundary=\"a",
        "multipart/form-data; boundary=\"a \"", "multipart/form-data; boundary=a; boundary=b",
        "multipart/form-data boundary=a", "multipart/form-data; boundary=\"a\\\"b\"",
        "multipart/form-data; boundary", "multipart/form-data; =a",
        /* 71 characters: one too many */
        ("multipart/form-data; boundary=1234567890123456789012345678901234567890"
         "1234567890123456789012345678901")};
    static const char *const bodies[] = {
        "",
        "name=a",
        HEAD("name=\"a\""),
        HEAD("name=\"a\"") "1\r\n--AaB03x",
        HEAD("name=\"a\"") "1\r\n--AaB03x-",
        HEAD("name=\"a\"") "1\r\n--AaB03x-x",
        HEAD("name=\"a\"") "1\r\n--AaB03xy\r\n",
        HEAD("name=\"a\"") "1\r\n--AaB03x\n",
        HEAD("name=\"a\"") "1\r\n--AaB03x\rx",
        HEAD("") END,
        HEAD("filename=\"a\"") END,
        HEAD("name=\"a\"; name=\"b\"") END,
        HEAD("name=\"a\"; filename=b; filename=c") END,
        HEAD("name=\"a") END,
        HEAD("name") END,
        HEAD("name=\"a\"x") END,
        "--AaB03x\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\n" END,
        "--AaB03x\r\nContent-Disposition form-data; name=\"a\"\r\n\r\n" END,
        "--AaB03x\r\n: form-data; name=\"a\"\r\n\r\n" END,
        "--AaB03x\r\nContent-Disposition: form-data; name=\"a\"\n\r\n" END,
        "--AaB03x\r\nContent-Disposition: form-data; name=\"a\"\rX\r\n\r\n" END,
        "--AaB03x\r\nContent-Disposition: form-data;\r\n name=\"a\"\r\n\r\n" END,
        "--AaB03x\r\n\r\n1" END,
        "--AaB03x\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; "
        "name=b\r\n\r\n" END,
    };
    struct found found;

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        CHECK(read_form(types[i], LST_SLICE("--a--"), 10, &found) == LST_ERR_MALFORMED,
              "the type '%s'", types[i]);
    }
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct lst_slice body = slice_of(bodies[i]);

        CHECK(read_form(TYPE, body, 1000, &found) == LST_ERR_MALFORMED &&
                  read_form(TYPE, body, 1, &found) == LST_ERR_MALFORMED,
              "malformed form %zu", i);
    }
}

static void check_limits(void)
{
    static char body[LST_FORM_HEAD_MAX + 256];
    static const char start[] = "--AaB03x\r\nContent-Disposition: form-data; name=\"a\"\r\nX: ";
    const size_t own = sizeof(start) - 1 - strlen("--AaB03x\r\n") + 4; /* with the line ends */
    struct found found;

    for (size_t extra = 0; extra < 2; extra++) {
        size_t length = sizeof(start) - 1;
        memcpy(body, start, length);
        memset(body + length, 'x', LST_FORM_HEAD_MAX - own + extra);
        length += LST_FORM_HEAD_MAX - own + extra;
        memcpy(body + length, "\r\n\r\n1" END, sizeof("\r\n\r\n1" END) - 1);
        length += sizeof("\r\n\r\n1" END) - 1;
        CHECK(read_form(TYPE, lst_slice_make(body, length), 100, &found) ==
                  (extra == 0 ? LST_OK : LST_ERR_TOO_LARGE),
              "a head of %zu bytes", LST_FORM_HEAD_MAX + extra);
    }
    CHECK(lst_form_reader_take(&found.reader, LST_SLICE("more")) == LST_ERR_TOO_LARGE &&
              lst_form_reader_end(&found.reader) == LST_ERR_TOO_LARGE,
          "a failure stays");
}

static void check_events(void)
{
    struct found found;
    struct lst_slice body = LST_SLICE(HEAD("name=\"a\"") "1" END);

    CHECK(read_form(TYPE, body, 3, &found) == LST_OK &&
              found.first_position == sizeof(HEAD("name=\"a\"")) - 1,
          "begin() knows where the field's bytes begin");
    memset(&found, 0, sizeof(found));
    found.stop_at_data = LST_ERR_NO_SPACE;
    CHECK(lst_form_reader_init(&found.reader, LST_SLICE(TYPE), &events, &found) == LST_OK &&
              lst_form_reader_take(&found.reader, body) == LST_ERR_NO_SPACE &&
              lst_form_reader_take(&found.reader, body) == LST_ERR_NO_SPACE &&
              strcmp(found.text, "a|-||1") == 0,
          "what an event gives ends it");
}

int main(void)
{
    check_forms();
    check_heads();
    check_refused();
    check_limits();
    check_events();
    return tap_done();
}
