/* base_test.c - buffers, encodings, slices and random text: at their limits. */
#include "tap.h"

#include "base/buffer.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/file.h"
#include "base/quantity.h"
#include "base/random.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct lst_slice slice(const char *text)
{
    return lst_slice_make(text, strlen(text));
}

static void test_buffer(void)
{
    struct lst_buffer buffer;

    lst_buffer_init(&buffer, 10);
    lst_buffer_append_string(&buffer, "12345");
    lst_buffer_append_number(&buffer, 6789);
    CHECK(lst_buffer_status(&buffer) == 0, "a buffer takes what fits");
    lst_buffer_append_byte(&buffer, '0');
    CHECK_TEXT(buffer.bytes, buffer.length, "1234567890", "up to its limit");
    CHECK(lst_buffer_status(&buffer) == 0, "and the limit itself");
    lst_buffer_append_byte(&buffer, '1');
    CHECK(lst_buffer_status(&buffer) == LST_ERR_TOO_LARGE && buffer.length == 10,
          "one more byte is too much");
    lst_buffer_append(&buffer, lst_slice_make(NULL, 0));
    CHECK(lst_buffer_status(&buffer) == LST_ERR_TOO_LARGE, "it remembers that");
    lst_buffer_clear(&buffer);
    lst_buffer_append_number(&buffer, 0);
    CHECK_TEXT(buffer.bytes, buffer.length, "0", "until it is cleared");
    lst_buffer_release(&buffer);
    lst_buffer_init(&buffer, 100000);
    lst_buffer_append_number(&buffer, UINT64_MAX);
    lst_buffer_append_format(&buffer, "-%s-%d", "x", 7);
    CHECK_TEXT(buffer.bytes, buffer.length, "18446744073709551615-x-7", "numbers and formats");
    for (int i = 0; i < 10000; i++) {
        lst_buffer_append_byte(&buffer, 'x');
    }
    CHECK(lst_buffer_status(&buffer) == 0 && buffer.length == 10024 && buffer.bytes[10023] == 'x',
          "it grows");
    lst_buffer_release(&buffer);
}

static void test_hex(void)
{
    char text[8];
    uint8_t bytes[4];

    lst_hex_encode("\x00\x9f\xff\x10", 4, text);
    CHECK_TEXT(text, 8, "009fff10", "hex is lower-case");
    CHECK(lst_hex_decode(slice("009FfF10"), bytes, 4) && memcmp(bytes, "\0\x9f\xff\x10", 4) == 0,
          "either case is read");
    CHECK(!lst_hex_decode(slice("009fff1"), bytes, 4) &&
              !lst_hex_decode(slice("009fff1g"), bytes, 4) &&
              !lst_hex_decode(slice("009fff1000"), bytes, 4),
          "nothing but so many digits is");
}

static void test_base64(void)
{
    /* RFC 4648 section 10 */
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    static const char *const wrong[] = {"Zg=",  "Zg",   "Zg==Zg==", "Z===", "Zm8",
                                        "Zg=a", "Z g=", "Zg\n=",    "_g==", "Zm9v"};
    char text[16];
    char bytes[16];
    bool ok = true;

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        size_t length = strlen(pairs[i][0]);
        size_t encoded = strlen(pairs[i][1]);
        lst_base64_encode(pairs[i][0], length, text);
        ok = ok && LST_BASE64_LENGTH(length) == encoded && memcmp(text, pairs[i][1], encoded) == 0;
        ok = ok && lst_base64_decode(slice(pairs[i][1]), bytes, length) &&
             memcmp(bytes, pairs[i][0], length) == 0;
    }
    CHECK(ok, "base64 as in RFC 4648");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        CHECK(!lst_base64_decode(slice(wrong[i]), bytes, 1), "not one byte, case %zu", i);
    }
    CHECK(!lst_base64_decode(slice("Zh=="), bytes, 1), "bits behind the end must be zero");
}

static void test_utf8(void)
{
    static const char *const good[] = {"",
                                       "plain",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc2",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "a\xe2\x82",
                                      "\xe2\x28\xa1",
                                      "\xff"};

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        CHECK(lst_slice_is_utf8(slice(good[i])), "well-formed UTF-8, case %zu", i);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK(!lst_slice_is_utf8(slice(bad[i])), "ill-formed UTF-8, case %zu", i);
    }
    CHECK(lst_slice_is_utf8(lst_slice_make("a\0b", 3)), "NUL is a character");
}

static void test_slices(void)
{
    struct lst_slice rest = slice("a,,b");
    struct lst_slice part;
    uint64_t number = 5;

    CHECK(lst_slice_compare(slice("a"), slice("ab")) < 0 &&
              lst_slice_compare(slice("b"), slice("ab")) > 0 &&
              lst_slice_compare(slice("\xff"), slice("a")) > 0 &&
              lst_slice_compare(slice(""), lst_slice_make(NULL, 0)) == 0,
          "byte order, the shorter first");
    CHECK(lst_slice_split(&rest, ',', &part) && lst_slice_equal(part, slice("a")) &&
              lst_slice_split(&rest, ',', &part) && part.length == 0 &&
              lst_slice_split(&rest, ',', &part) && lst_slice_equal(part, slice("b")) &&
              !lst_slice_split(&rest, ',', &part),
          "a list is split");
    CHECK(lst_slice_to_number(slice("18446744073709551615"), UINT64_MAX, &number) &&
              number == UINT64_MAX,
          "the largest number is read");
    CHECK(!lst_slice_to_number(slice("18446744073709551616"), UINT64_MAX, &number) &&
              !lst_slice_to_number(slice("101"), 100, &number) &&
              !lst_slice_to_number(slice(""), 100, &number) &&
              !lst_slice_to_number(slice("+1"), 100, &number) &&
              !lst_slice_to_number(slice(" 1"), 100, &number) && number == UINT64_MAX,
          "larger ones, and what is no number, are not");
    CHECK(lst_slice_find_slice(slice("abcabd"), slice("abd")) == 3 &&
              lst_slice_find_slice(slice("abc"), slice("abd")) == 3 &&
              lst_slice_find_slice(slice("abc"), slice("")) == 0,
          "a slice is found in another");
    part = lst_slice_trim(slice(" \tx y\t "));
    CHECK(lst_slice_equal(part, slice("x y")), "spaces and tabs at the ends go");
    CHECK(lst_slice_equal_ignoring_case(slice("Content-MD5"), slice("content-md5")) &&
              !lst_slice_equal_ignoring_case(slice("a@"), slice("a`")),
          "ASCII letters are equal in either case, other characters are not");
}

static void test_files(void)
{
    char folder[] = "base-test-XXXXXX";
    char path[64];
    struct lst_buffer content;
    struct stat state;

    if (mkdtemp(folder) == NULL) {
        CHECK(false, "a folder is made");
        return;
    }
    (void)snprintf(path, sizeof(path), "%s/file", folder);
    lst_buffer_init(&content, 7);
    CHECK(lst_file_read(path, &content) == LST_ERR_NOT_FOUND, "a file is not there");
    CHECK(lst_file_write(path, slice("secret"), 0600) == 0 && stat(path, &state) == 0 &&
              (state.st_mode & 0777) == 0600,
          "it is written, for its owner alone");
    CHECK(lst_file_write(path, slice("another"), 0600) == 0, "and again");
    CHECK(lst_file_read(path, &content) == 0, "it is read");
    CHECK_TEXT(content.bytes, content.length, "another", "and has what was written last");
    lst_buffer_clear(&content);
    CHECK(lst_file_write(path, slice("12345678"), 0600) == 0 &&
              lst_file_read(path, &content) == LST_ERR_TOO_LARGE,
          "a file beyond the buffer's limit is too large");
    lst_buffer_release(&content);
    CHECK(lst_folder_make(folder) == 0, "a folder that is there is fine");
    CHECK(unlink(path) == 0 && rmdir(folder) == 0, "no temporary file is left");
}

static void test_random(void)
{
    char text[2000];
    bool seen[256] = {false};
    bool ok = true;

    lst_random_text(slice("abc"), text, sizeof(text));
    for (size_t i = 0; i < sizeof(text); i++) {
        seen[(uint8_t)text[i]] = true;
        ok = ok && text[i] >= 'a' && text[i] <= 'c';
    }
    CHECK(ok && seen['a'] && seen['b'] && seen['c'], "random text is of its alphabet, all of it");
}

static void test_errors(void)
{
    CHECK(strcmp(lst_error_text(LST_ERR_NO_SPACE), "the disk is full") == 0, "an error has a text");
    CHECK(lst_error_text(-9999) != NULL, "so has one that nobody knows");
}

/* -1: refused. */
static bool proposes(uint64_t minimum, uint64_t maximum, const char *wanted)
{
    char text[LST_DURATION_EXAMPLES_MAX];

    lst_duration_examples(minimum, maximum, text);
    return strcmp(text, wanted) == 0;
}

static int64_t duration(const char *text, uint64_t maximum)
{
    uint64_t seconds = 7;

    if (!lst_duration_parse(slice(text), maximum, &seconds)) {
        CHECK(seconds == 7, "a duration that is refused leaves the result alone");
        return -1;
    }
    return (int64_t)seconds;
}

static int64_t size_of(const char *text, uint64_t maximum)
{
    uint64_t bytes = 7;

    if (!lst_size_parse(slice(text), maximum, &bytes)) {
        CHECK(bytes == 7, "a size that is refused leaves the result alone");
        return -1;
    }
    return (int64_t)bytes;
}

static void test_quantities(void)
{
    static const char *const no_durations[] = {"",    "s",    "-1",  "+1",  "1.5h", "1h30m", " 1h",
                                               "1 h", "0x10", "1hh", "1ms", "1y",   "1,000", "h1"};
    static const char *const no_sizes[] = {"",    "MB",   "-1",   "5M", "5k",   "1.5MB",
                                           "5Mi", "5 MB", "5MBB", "5m", "0x10", "5PB"};

    CHECK(proposes(1, 315360000, "3600, 90m, 12h, 2d or 1w") &&
              proposes(1, 3600, "10, 30s, 15m or 3600") && proposes(1, 60, "10 or 30s") &&
              proposes(60, 604799, "15m, 3600, 90m, 12h or 2d") && proposes(86401, 172800, "2d") &&
              proposes(1, 9, "") && proposes(0, UINT64_MAX, "3600, 90m, 12h, 2d or 1w"),
          "durations that are proposed are within the limits");
    CHECK(duration("3600", 4000) == 3600 && duration("90s", 90) == 90 &&
              duration("90m", 5400) == 5400 && duration("12h", 43200) == 43200 &&
              duration("2d", 172800) == 172800 && duration("1W", 604800) == 604800 &&
              duration("0", 0) == 0,
          "durations in every unit");
    CHECK(duration("2d", 172799) == -1 && duration("18446744073709551615w", UINT64_MAX) == -1 &&
              duration("99999999999999999999", UINT64_MAX) == -1,
          "a duration beyond its maximum, or beyond every number");
    for (size_t i = 0; i < sizeof(no_durations) / sizeof(no_durations[0]); i++) {
        CHECK(duration(no_durations[i], UINT64_MAX) == -1, "'%s' is no duration", no_durations[i]);
    }
    CHECK(size_of("5000000", 5000000) == 5000000 && size_of("5B", 5) == 5 &&
              size_of("5MB", 5000000) == 5000000 && size_of("5mib", 5242880) == 5242880 &&
              size_of("1kB", 1000) == 1000 && size_of("1KiB", 1024) == 1024 &&
              size_of("2GiB", UINT64_MAX) == INT64_C(2) << 30 &&
              size_of("1TB", UINT64_MAX) == INT64_C(1000000000000) &&
              size_of("1TiB", UINT64_MAX) == INT64_C(1) << 40,
          "sizes in every unit");
    CHECK(size_of("5MB", 4999999) == -1 && size_of("18446744073709551615TiB", UINT64_MAX) == -1,
          "a size beyond its maximum, or beyond every number");
    for (size_t i = 0; i < sizeof(no_sizes) / sizeof(no_sizes[0]); i++) {
        CHECK(size_of(no_sizes[i], UINT64_MAX) == -1, "'%s' is no size", no_sizes[i]);
    }
}

int main(void)
{
    test_quantities();
    test_buffer();
    test_hex();
    test_base64();
    test_utf8();
    test_slices();
    test_files();
    test_random();
    test_errors();
    return tap_done();
}
