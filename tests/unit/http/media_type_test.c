/* media_type_test.c - what is exactly one media type, against RFC 9110 section 8.3.1. */
#include "http/media_type.h"
#include "tap.h"

static struct lst_slice slice_of(const char *text)
{
    return lst_slice_make(text, strlen(text));
}

static void test_types(void)
{
    static const struct {
        const char *text;
        const char *essence; /* NULL: it is none */
    } cases[] = {
        {"image/png", "image/png"},
        {"  Image/PNG\t", "Image/PNG"},
        {"image/svg+xml", "image/svg+xml"},
        {"application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.text"},
        {"text/html;charset=utf-8", "text/html"},
        {"text/html ; charset=\"utf-8\" ;x=y", "text/html"},
        {"video/mp4; codecs=\"avc1.42E01E, mp4a.40.2\"", "video/mp4"},
        {"text/plain; a=\"\\\"\"", "text/plain"},
        {"text/plain; a=\"\"", "text/plain"},
        {"image/png;", "image/png"},
        {"image/png; ;a=b; ", "image/png"},
        {"multipart/form-data; boundary=x", "multipart/form-data"},
        {"image/png,text/html", NULL},
        {"image/png, text/html", NULL},
        {"image/png;,text/html", NULL},
        {"image/png; ,text/html", NULL},
        {"image/png;a=b,text/html", NULL},
        {"image/png;a=\"b\",text/html", NULL},
        {"image/png;a=\"b\"text/html", NULL},
        {"image/png;a=\"b,text/html", NULL},
        {"image/png;a=\"b\\\",text/html", NULL},
        {"image/png text/html", NULL},
        {"image/png;text/html", NULL},
        {"image/png;a", NULL},
        {"image/png;a=", NULL},
        {"image/png;a =b", NULL},
        {"image/png;a= b", NULL},
        {"image/png;=b", NULL},
        {"image/png\n", NULL},
        {"image/png;a=\"\x01\"", NULL},
        {"image/png;a=\"\\\x7f\"", NULL},
        {"image/p\xc3\xa4", NULL},
        {"image/", NULL},
        {"/png", NULL},
        {"image", NULL},
        {"image/png/x", NULL},
        {"image/*", NULL},
        {"*/*", NULL},
        {"*", NULL},
        {",", NULL},
        {"", NULL},
        {" ", NULL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lst_slice essence = LST_SLICE("untouched");
        bool is_one = lst_media_type_parse(slice_of(cases[i].text), &essence);

        CHECK(is_one == (cases[i].essence != NULL), "'%s' is %s media type", cases[i].text,
              cases[i].essence == NULL ? "no" : "a");
        CHECK_TEXT(essence.bytes, essence.length,
                   cases[i].essence == NULL ? "untouched" : cases[i].essence, "its essence");
    }
    CHECK(!lst_media_type_parse(lst_slice_make(NULL, 0), NULL), "no text is no type");
}

static void test_ranges(void)
{
    static const struct {
        const char *range;
        bool is_valid;
        const char *in;
        const char *out;
    } cases[] = {
        {"image/png", true, "IMAGE/png", "image/pngx"},
        {"image/*", true, "Image/png", "imagex/png"},
        {"*/*", true, "text/html", NULL},
        {"image/*", true, "image/x", "image/"},
        {"image/p*", false, NULL, NULL},
        {"*/png", false, NULL, NULL},
        {"*mage/*", false, NULL, NULL},
        {"image/png,text/html", false, NULL, NULL},
        {"image/png;a=b", false, NULL, NULL},
        {"image/", false, NULL, NULL},
        {"/*", false, NULL, NULL},
        {"*", false, NULL, NULL},
        {"", false, NULL, NULL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lst_slice range = slice_of(cases[i].range);

        CHECK(lst_media_range_is_valid(range) == cases[i].is_valid, "'%s' is %s range",
              cases[i].range, cases[i].is_valid ? "a" : "no");
        if (cases[i].in != NULL) {
            CHECK(lst_media_range_has(range, slice_of(cases[i].in)), "%s has %s", cases[i].range,
                  cases[i].in);
        }
        if (cases[i].out != NULL) {
            CHECK(!lst_media_range_has(range, slice_of(cases[i].out)), "%s has no %s",
                  cases[i].range, cases[i].out);
        }
    }
}

static void test_tokens(void)
{
    CHECK(lst_http_is_token(LST_SLICE("x-amz-meta-a!#$%&'*+.^_`|~9")), "a token");
    CHECK(!lst_http_is_token(LST_SLICE("x-amz-meta-a b")), "a space is in none");
    CHECK(!lst_http_is_token(lst_slice_make("a\0b", 3)), "a NUL is in none");
    CHECK(!lst_http_is_token(LST_SLICE("a:b")), "a colon is in none");
    CHECK(!lst_http_is_token(LST_SLICE("\xc3\xa4")), "nothing but ASCII");
    CHECK(!lst_http_is_token(LST_SLICE("")), "it is not empty");
}

int main(void)
{
    test_types();
    test_ranges();
    test_tokens();
    return tap_done();
}
