/* text_test.c - times, percent-encoding, hexadecimal, base64, decimals, secrets. */
#include "dates.h"
#include "latchstring.h"
#include "scan.h"
#include "tap.h"

#include <time.h>

static void check_times(void)
{
    char text[16];
    int64_t time = 0;
    bool all_same = true;

    for (int64_t second = 0; second <= INT64_C(253402300799); second += 7890127) {
        time_t clock = (time_t)second;
        struct tm tm;
        char want[17];

        gmtime_r(&clock, &tm);
        strftime(want, sizeof(want), "%Y%m%dT%H%M%SZ", &tm);
        all_same = all_same && lst_format_time(second, text) == LST_OK &&
                   memcmp(text, want, 16) == 0 &&
                   lst_parse_time((struct lst_slice){text, 16}, &time) == LST_OK && time == second;
    }
    CHECK(all_same, "32,000 times of eight thousand years are libc's, and come back");
    CHECK(lst_format_time(-1, text) == LST_ERR_INVALID_ARGUMENT &&
              lst_format_time(INT64_C(253402300800), text) == LST_ERR_INVALID_ARGUMENT &&
              lst_format_time(INT64_MIN, text) == LST_ERR_INVALID_ARGUMENT,
          "times outside 1970 to 9999 have no text");
}

static void check_malformed_times(void)
{
    static const char *const wrong[] = {
        "20130524T000000",  "20130524T000000ZZ", "20130524t000000Z", "20130524 000000Z",
        "2013052aT000000Z", "20130024T000000Z",  "20131324T000000Z", "20130500T000000Z",
        "20130230T000000Z", "20130229T000000Z",  "20130524T240000Z", "20130524T006000Z",
        "20130524T000060Z", "19691231T235959Z",  "20130524T0000-1Z", ""};
    int64_t time = 77;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        CHECK(lst_parse_time(lst_slice_of(wrong[i]), &time) == LST_ERR_INVALID_ARGUMENT &&
                  time == 77,
              "\"%s\" is no time", wrong[i]);
    }
    CHECK(lst_parse_time(LST_SLICE("20120229T235959Z"), &time) == LST_OK && time == 1330559999,
          "a leap day is one");
}

static void check_http_dates(void)
{
    static const char *const wrong[] = {"Fri, 24 May 2013 00:00:00 UTC",
                                        "Fri, 24 May 2013 00:00:00",
                                        "24 May 2013 00:00:00 GMT",
                                        "Fri, 24 Foo 2013 00:00:00 GMT",
                                        "Fri, 31 Apr 2013 00:00:00 GMT",
                                        "Friday, 24-May-13 00:00:00 GMT",
                                        ""};
    int64_t time = 0;

    CHECK(lst_internal_parse_http_date(LST_SLICE("Fri, 24 May 2013 00:00:01 GMT"), &time) &&
              time == 1369353601,
          "a date of HTTP is read");
    CHECK(lst_internal_parse_http_date(LST_SLICE("Tue, 31 Dec 2013 23:59:59 +0000"), &time) &&
              time == 1388534399,
          "a date of a mail too");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        CHECK(!lst_internal_parse_http_date(lst_slice_of(wrong[i]), &time), "\"%s\" is none",
              wrong[i]);
    }
}

static bool is_bare(int byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           (byte >= '0' && byte <= '9') || (byte != 0 && strchr("-._~", byte) != NULL);
}

static void check_encoding(void)
{
    char raw[256];
    char want[769];
    char out[768];
    size_t want_length = 0;
    size_t length = 0;
    bool every_place = true;

    for (int i = 0; i < 256; i++) {
        raw[i] = (char)i;
        want_length += (size_t)snprintf(want + want_length, sizeof(want) - want_length,
                                        is_bare(i) ? "%c" : "%%%02X", i);
    }
    CHECK(lst_percent_encode((struct lst_slice){raw, 256}, false, out, sizeof(out), &length) ==
                  LST_OK &&
              length == want_length && memcmp(out, want, length) == 0,
          "all bytes are encoded but A-Z a-z 0-9 - . _ ~");
    CHECK(lst_percent_decode((struct lst_slice){out, length}, true, out, sizeof(out), &length) ==
                  LST_OK &&
              length == 256 && memcmp(out, raw, 256) == 0,
          "and come back, in place too");
    /* A byte to encode at every place of texts that are read 8, 16 and 64 bytes at a time. */
    for (size_t size = 1; size < 140; size++) {
        for (size_t at = 0; at < size; at++) {
            memset(raw, 'a', size);
            raw[at] = '/';
            every_place =
                every_place &&
                lst_percent_encode((struct lst_slice){raw, size}, false, out, sizeof(out),
                                   &length) == LST_OK &&
                length == size + 2 && memcmp(out + at, "%2F", 3) == 0 &&
                out[length - 1] == (at == size - 1 ? 'F' : 'a') &&
                lst_internal_bare_run((struct lst_slice){raw, size}, LST_INTERNAL_UNRESERVED) == at;
        }
    }
    CHECK(every_place, "wherever it stands");
    CHECK(lst_percent_encode(LST_SLICE("a/b c"), true, out, 7, &length) == LST_OK && length == 7 &&
              memcmp(out, "a/b%20c", 7) == 0,
          "a path keeps its slashes, and the buffer may be just enough");
    CHECK(lst_percent_encode(LST_SLICE("a/b c"), true, out, 6, &length) == LST_ERR_BUFFER_TOO_SMALL,
          "one byte less is too small");
    CHECK(lst_percent_encode(LST_SLICE(""), true, NULL, 0, &length) == LST_OK && length == 0,
          "nothing gives nothing");
}

static void check_decoding(void)
{
    static const char *const wrong[] = {"%", "a%", "a%4", "%g0", "%0g", "%%41", "%4%31"};
    char out[64];
    size_t length = 0;

    CHECK(lst_percent_decode(LST_SLICE("a+%2b%C3%a9"), true, out, sizeof(out), &length) == LST_OK,
          "a query is decoded");
    CHECK_TEXT(out, length, "a +\xc3\xa9", "with '+' as a space");
    CHECK(lst_percent_decode(LST_SLICE("a+%2b"), false, out, sizeof(out), &length) == LST_OK,
          "a path is decoded");
    CHECK_TEXT(out, length, "a++", "with '+' as itself");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        CHECK(lst_percent_decode(lst_slice_of(wrong[i]), true, out, sizeof(out), &length) ==
                  LST_REFUSED_TARGET_MALFORMED,
              "\"%s\" is malformed", wrong[i]);
    }
}

static void check_base64(void)
{
    static const char *const texts[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    static const char *const wrong[] = {
        "Zg=", "Zg", "Z===", "Zh==", "Zm9=", "Zm9v\n", "Zg==Zg==", "Zm-_", "===="};
    char out[16];
    uint8_t bytes[16];
    size_t size = 0;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        size_t length = strlen(texts[i][0]);

        lst_internal_base64_encode((const uint8_t *)texts[i][0], length, out);
        CHECK_TEXT(out, lst_internal_base64_length(length), texts[i][1], "RFC 4648, encoded");
        CHECK(lst_internal_base64_decode(lst_slice_of(texts[i][1]), bytes, length, &size) &&
                  size == length && memcmp(bytes, texts[i][0], size) == 0,
              "\"%s\" decoded", texts[i][1]);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        CHECK(!lst_internal_base64_decode(lst_slice_of(wrong[i]), bytes, sizeof(bytes), &size),
              "\"%s\" is no base64", wrong[i]);
    }
    CHECK(!lst_internal_base64_decode(LST_SLICE("Zm9vYmFy"), bytes, 5, &size),
          "what does not fit is not decoded");
}

static void check_numbers(void)
{
    uint64_t value = 0;
    char hex[6];

    CHECK(lst_internal_parse_decimal(LST_SLICE("18446744073709551615"), &value) &&
              value == UINT64_MAX && lst_internal_parse_decimal(LST_SLICE("007"), &value) &&
              value == 7,
          "numbers are read up to the largest");
    CHECK(!lst_internal_parse_decimal(LST_SLICE("18446744073709551616"), &value) &&
              !lst_internal_parse_decimal(LST_SLICE(""), &value) &&
              !lst_internal_parse_decimal(LST_SLICE("-1"), &value) &&
              !lst_internal_parse_decimal(LST_SLICE("1 "), &value),
          "nothing else is a number");
    lst_internal_hex_encode((const uint8_t *)"\x0f\xa9\x90", 3, hex);
    CHECK_TEXT(hex, 6, "0fa990", "hexadecimal is lower-case");
}

static void check_secrets(void)
{
    CHECK(lst_equal_secret(LST_SLICE("abc"), LST_SLICE("abc")) &&
              lst_equal_secret(LST_SLICE(""), LST_SLICE("")) &&
              !lst_equal_secret(LST_SLICE("abc"), LST_SLICE("abd")) &&
              !lst_equal_secret(LST_SLICE("abc"), LST_SLICE("xbc")) &&
              !lst_equal_secret(LST_SLICE("abc"), LST_SLICE("ab")),
          "secrets are equal only if all bytes are");
}

int main(void)
{
    check_times();
    check_malformed_times();
    check_http_dates();
    check_encoding();
    check_decoding();
    check_base64();
    check_numbers();
    check_secrets();
    return tap_done();
}
