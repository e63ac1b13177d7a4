/* clock.c - the clock, and dates as S3 and HTTP write them. */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static const char *const day_names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const month_names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

int64_t lst_clock_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

uint64_t lst_clock_monotonic_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static void put_number(char *out, int digits, int number)
{
    for (int i = digits - 1; i >= 0; i--) {
        out[i] = (char)('0' + number % 10);
        number /= 10;
    }
}

static struct tm broken_down(int64_t time)
{
    time_t seconds = (time_t)time;
    struct tm parts = {0};

    (void)gmtime_r(&seconds, &parts);
    return parts;
}

int64_t lst_clock_whole_seconds(int64_t time_ms)
{
    return time_ms / 1000 + (time_ms % 1000 > 0);
}

void lst_clock_format_iso8601(int64_t time_ms, char ret_text[LST_ISO8601_LENGTH])
{
    struct tm parts = broken_down(time_ms / 1000);

    memcpy(ret_text, "0000-00-00T00:00:00.000Z", LST_ISO8601_LENGTH);
    put_number(ret_text, 4, parts.tm_year + 1900);
    put_number(ret_text + 5, 2, parts.tm_mon + 1);
    put_number(ret_text + 8, 2, parts.tm_mday);
    put_number(ret_text + 11, 2, parts.tm_hour);
    put_number(ret_text + 14, 2, parts.tm_min);
    put_number(ret_text + 17, 2, parts.tm_sec);
    put_number(ret_text + 20, 3, (int)(time_ms % 1000));
}

void lst_clock_format_http(int64_t time, char ret_text[LST_HTTP_DATE_LENGTH])
{
    struct tm parts = broken_down(time);

    memcpy(ret_text, "Sun, 00 Jan 0000 00:00:00 GMT", LST_HTTP_DATE_LENGTH);
    memcpy(ret_text, day_names[parts.tm_wday], 3);
    put_number(ret_text + 5, 2, parts.tm_mday);
    memcpy(ret_text + 8, month_names[parts.tm_mon], 3);
    put_number(ret_text + 12, 4, parts.tm_year + 1900);
    put_number(ret_text + 17, 2, parts.tm_hour);
    put_number(ret_text + 20, 2, parts.tm_min);
    put_number(ret_text + 23, 2, parts.tm_sec);
}

/* Exactly this many digits at the front of *text, which moves on; -1 if there are not. */
static int take_number(struct lst_slice *text, size_t digits)
{
    uint64_t number;

    if (text->length < digits ||
        !lst_slice_to_number(lst_slice_first(*text, digits), 9999, &number)) {
        return -1;
    }
    *text = lst_slice_after(*text, digits);
    return (int)number;
}

static bool take(struct lst_slice *text, const char *literal)
{
    struct lst_slice expected = lst_slice_make(literal, strlen(literal));

    if (!lst_slice_starts_with(*text, expected)) {
        return false;
    }
    *text = lst_slice_after(*text, expected.length);
    return true;
}

/* Which of the names stands at the front of *text, which moves on; -1 if none. */
static int take_name(struct lst_slice *text, const char *const *names, int count)
{
    for (int i = 0; i < count; i++) {
        if (take(text, names[i])) {
            return i;
        }
    }
    return -1;
}

static bool to_seconds(struct tm parts, int64_t *ret_time)
{
    struct tm normal = parts;
    time_t seconds;

    if (parts.tm_mon < 0 || parts.tm_mday < 1 || parts.tm_hour < 0 || parts.tm_hour > 23 ||
        parts.tm_min < 0 || parts.tm_min > 59 || parts.tm_sec < 0 || parts.tm_sec > 59) {
        return false;
    }
    seconds = timegm(&normal);
    /* timegm turns February 30 into March 2: what comes back changed was no date. */
    if (normal.tm_mday != parts.tm_mday) {
        return false;
    }
    *ret_time = (int64_t)seconds;
    return true;
}

static bool take_clock(struct lst_slice *text, struct tm *parts)
{
    parts->tm_hour = take_number(text, 2);
    if (!take(text, ":")) {
        return false;
    }
    parts->tm_min = take_number(text, 2);
    if (!take(text, ":")) {
        return false;
    }
    parts->tm_sec = take_number(text, 2);
    return true;
}

/* ".123456": the milliseconds of a fraction of any length; *text moves on. */
static bool take_fraction(struct lst_slice *text, int *ret_ms)
{
    int ms = 0;
    int scale = 100;
    size_t digits = 0;

    if (!take(text, ".")) {
        *ret_ms = 0;
        return true;
    }
    while (digits < text->length && text->bytes[digits] >= '0' && text->bytes[digits] <= '9') {
        ms += (text->bytes[digits] - '0') * scale;
        scale /= 10;
        digits++;
    }
    *text = lst_slice_after(*text, digits);
    *ret_ms = ms;
    return digits > 0;
}

bool lst_clock_parse_iso8601(struct lst_slice text, int64_t *ret_time_ms)
{
    struct tm parts = {0};
    int64_t seconds;
    int ms = 0;

    parts.tm_year = take_number(&text, 4) - 1900;
    if (!take(&text, "-")) {
        return false;
    }
    parts.tm_mon = take_number(&text, 2) - 1;
    if (!take(&text, "-")) {
        return false;
    }
    parts.tm_mday = take_number(&text, 2);
    if (text.length > 0 && (!take(&text, "T") || !take_clock(&text, &parts) ||
                            !take_fraction(&text, &ms) || !take(&text, "Z"))) {
        return false;
    }
    if (text.length != 0 || parts.tm_year < 70 || parts.tm_mon > 11 ||
        !to_seconds(parts, &seconds)) {
        return false;
    }
    *ret_time_ms = seconds * 1000 + ms;
    return true;
}

/* "06 Nov 1994 08:49:37 GMT" */
static bool parse_imf(struct lst_slice text, struct tm *parts)
{
    parts->tm_mday = take_number(&text, 2);
    if (!take(&text, " ")) {
        return false;
    }
    parts->tm_mon = take_name(&text, month_names, 12);
    if (!take(&text, " ")) {
        return false;
    }
    parts->tm_year = take_number(&text, 4) - 1900;
    return take(&text, " ") && take_clock(&text, parts) && take(&text, " GMT") && text.length == 0;
}

/* "06-Nov-94 08:49:37 GMT", after the day's name and its comma */
static bool parse_rfc850(struct lst_slice text, struct tm *parts)
{
    parts->tm_mday = take_number(&text, 2);
    if (!take(&text, "-")) {
        return false;
    }
    parts->tm_mon = take_name(&text, month_names, 12);
    if (!take(&text, "-")) {
        return false;
    }
    parts->tm_year = take_number(&text, 2);
    if (parts->tm_year >= 0 && parts->tm_year < 70) {
        parts->tm_year += 100;
    }
    return take(&text, " ") && take_clock(&text, parts) && take(&text, " GMT") && text.length == 0;
}

/* "Nov  6 08:49:37 1994", after the day's name and a space */
static bool parse_asctime(struct lst_slice text, struct tm *parts)
{
    parts->tm_mon = take_name(&text, month_names, 12);
    if (!take(&text, " ")) {
        return false;
    }
    parts->tm_mday = take(&text, " ") ? take_number(&text, 1) : take_number(&text, 2);
    if (!take(&text, " ") || !take_clock(&text, parts) || !take(&text, " ")) {
        return false;
    }
    parts->tm_year = take_number(&text, 4) - 1900;
    return text.length == 0;
}

bool lst_clock_parse_http(struct lst_slice text, int64_t *ret_time)
{
    size_t comma = lst_slice_find(text, ',');
    struct tm parts = {0};
    bool ok;

    if (comma == text.length) {
        ok = take_name(&text, day_names, 7) >= 0 && take(&text, " ") && parse_asctime(text, &parts);
    } else {
        struct lst_slice date = lst_slice_after(text, comma + 1);
        struct tm obsolete = {0};
        if (!take(&date, " ")) {
            return false;
        }
        ok = parse_imf(date, &parts);
        if (!ok) {
            ok = parse_rfc850(date, &obsolete);
            parts = obsolete;
        }
    }
    return ok && parts.tm_year >= 70 && to_seconds(parts, ret_time);
}
