/* clock_test.c - dates as S3 and HTTP write them, and what is no date. */
#include "tap.h"

#include "base/clock.h"

static struct lst_slice slice(const char *text)
{
    return lst_slice_make(text, strlen(text));
}

static void test_iso8601(void)
{
    static const struct {
        const char *text;
        int64_t time_ms;
    } good[] = {
        {"1970-01-01", 0},
        {"2024-02-29T23:59:59.999Z", INT64_C(1709251199999)},
        {"2026-11-23T19:18:00Z", INT64_C(1795461480000)},
        {"2026-11-23T19:18:00.5Z", INT64_C(1795461480500)},
        {"2026-11-23T19:18:00.123456789Z", INT64_C(1795461480123)},
    };
    static const char *const bad[] = {
        "",           "2023-02-29",           "2026-13-01",           "2026-00-01",
        "2026-01-32", "2026-01-00",           "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
        "1969-12-31", "2026-01-01T00:00:60Z", "2026-01-01T00:00:00",  "2026-01-01T00:00:00.Z",
        "2026-1-1",   "2026-01-01 ",          "2026-01-01T00:00Z",    "26-01-01"};
    char text[LST_ISO8601_LENGTH];
    int64_t time_ms;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        CHECK(lst_clock_parse_iso8601(slice(good[i].text), &time_ms) && time_ms == good[i].time_ms,
              "%s is read", good[i].text);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK(!lst_clock_parse_iso8601(slice(bad[i]), &time_ms), "'%s' is no date", bad[i]);
    }
    lst_clock_format_iso8601(INT64_C(1709251199999), text);
    CHECK_TEXT(text, sizeof(text), "2024-02-29T23:59:59.999Z", "a time is written");
    CHECK(lst_clock_whole_seconds(1000) == 1 && lst_clock_whole_seconds(1001) == 2 &&
              lst_clock_whole_seconds(1999) == 2 && lst_clock_whole_seconds(0) == 0,
          "whole seconds are rounded up");
}

static void test_http(void)
{
    /* RFC 9110 section 5.6.7 */
    static const char *const same[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
                                       "Sunday, 06-Nov-94 08:49:37 GMT",
                                       "Sun Nov  6 08:49:37 1994"};
    static const char *const bad[] = {"",
                                      "Sun, 06 Nov 1994 08:49:37",
                                      "Sun, 06 Nov 1994 08:49:37 UTC",
                                      "Sun, 31 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 25:49:37 GMT",
                                      "Sun, 6 Nov 1994 08:49:37 GMT",
                                      "Xxx Nov  6 08:49:37 1994",
                                      "Sun, 06 Nov 1960 08:49:37 GMT",
                                      "784111777"};
    char text[LST_HTTP_DATE_LENGTH];
    int64_t time;

    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        CHECK(lst_clock_parse_http(slice(same[i]), &time) && time == 784111777, "%s is read",
              same[i]);
    }
    CHECK(lst_clock_parse_http(slice("Monday, 23-Nov-26 19:18:00 GMT"), &time) &&
              time == 1795461480,
          "two digits of a year below 70 are of this century");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK(!lst_clock_parse_http(slice(bad[i]), &time), "'%s' is no date", bad[i]);
    }
    lst_clock_format_http(784111777, text);
    CHECK_TEXT(text, sizeof(text), "Sun, 06 Nov 1994 08:49:37 GMT", "a time is written");
}

int main(void)
{
    test_iso8601();
    test_http();
    CHECK(lst_clock_now_ms() > INT64_C(1700000000000), "the clock goes");
    CHECK(lst_clock_monotonic_ns() <= lst_clock_monotonic_ns(), "and never back");
    return tap_done();
}
