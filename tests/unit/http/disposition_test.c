/* disposition_test.c - file names in Content-Disposition, against RFC 6266 and RFC 8187. */
#include "http/disposition.h"
#include "tap.h"

#include "base/error.h"

static struct lst_slice slice_of(const char *text)
{
    return lst_slice_make(text, strlen(text));
}

static const struct {
    const char *name;
    const char *value;
} good[] = {
    {"a.jpg", "attachment; filename=\"a.jpg\""},
    {"a b;c=d.jpg", "attachment; filename=\"a b;c=d.jpg\""},
    {"\xe2\x82\xac rates.txt",
     "attachment; filename=\"_ rates.txt\"; filename*=UTF-8''%E2%82%AC%20rates.txt"},
    {"\xf0\x9f\x98\x80.png", "attachment; filename=\"_.png\"; filename*=UTF-8''%F0%9F%98%80.png"},
    {"50%.txt", "attachment; filename=\"50_.txt\"; filename*=UTF-8''50%25.txt"},
    {"\"x\".txt", "attachment; filename=\"_x_.txt\"; filename*=UTF-8''%22x%22.txt"},
    {"'*\xc3\xa9!#$&+-.^_`|~",
     "attachment; filename=\"'*_!#$&+-.^_`|~\"; filename*=UTF-8''%27%2A%C3%A9!#$&+-.^_`|~"},
    {"\xc2\xa0.txt", "attachment; filename=\"_.txt\"; filename*=UTF-8''%C2%A0.txt"},
};

static const char *const bad[] = {
    "",     "a/b",  "a\\b",     "a\r\nX: y",           "\x7f",
    "\xff", "\xc3", "\xc2\x85", "\xe2\x80\xaegpj.exe", "\xe2\x81\xa6x",
};

static void test_good(void)
{
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct lst_buffer buffer;

        lst_buffer_init(&buffer, 4096);
        CHECK(lst_disposition_attachment(slice_of(good[i].name), &buffer) == 0, "accepted: %s",
              good[i].name);
        CHECK_TEXT(buffer.bytes, buffer.length, good[i].value, good[i].name);
        lst_buffer_release(&buffer);
    }
}

static void refuse(struct lst_slice name, const char *what)
{
    struct lst_buffer buffer;

    lst_buffer_init(&buffer, 4096);
    CHECK(lst_disposition_attachment(name, &buffer) == LST_ERR_MALFORMED && buffer.length == 0,
          "refused, nothing appended: %s", what);
    lst_buffer_release(&buffer);
}

static void test_bad(void)
{
    static char long_name[LST_FILENAME_MAX + 1];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char what[32];

        (void)snprintf(what, sizeof what, "bad name %zu", i);
        refuse(slice_of(bad[i]), what);
    }
    refuse(lst_slice_make("a\0b", 3), "a NUL inside");
    memset(long_name, 'a', sizeof long_name);
    refuse(lst_slice_make(long_name, sizeof long_name), "one byte too long");
    CHECK(lst_filename_is_valid(lst_slice_make(long_name, LST_FILENAME_MAX)), "the longest name");
}

int main(void)
{
    test_good();
    test_bad();
    return tap_done();
}
