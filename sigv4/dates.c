/* dates.c - "20130524T000000Z" and the dates of HTTP, without libc's clock and locale. */
#include "dates.h"
#include "text.h"

#define SECONDS_PER_DAY 86400
#define TIME_MAX        INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

struct civil {
    unsigned year;
    unsigned month; /* 1 to 12 */
    unsigned day;   /* 1 to 31 */
    unsigned hour;
    unsigned minute;
    unsigned second;
};

/*
 * Days are counted from 0000-03-01 in eras of 400 years, so that the leap day is a year's last:
 * the days before the n-th month after February are then (153 n + 2) / 5.
 */
#define DAYS_PER_ERA   146097
#define DAYS_TO_1970   719468
#define DAYS_PER_YEAR4 1461

static int64_t days_of(const struct civil *civil)
{
    unsigned year = civil->month <= 2 ? civil->year - 1 : civil->year;
    unsigned month = (civil->month + 9) % 12;
    unsigned year_of_era = year % 400;
    unsigned day_of_year = (153 * month + 2) / 5 + civil->day - 1;
    unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return (int64_t)(year / 400) * DAYS_PER_ERA + day_of_era - DAYS_TO_1970;
}

/*
 * The reverse. Every quotient by 36524.25, 365.25 and 30.6 is taken of four times, four times and
 * 2141 * 2^-16 times the number, which makes them exact for all days in question (Neri and
 * Schneider, "Euclidean affine functions and their application to calendar algorithms", 2022).
 */
static void civil_of_days(unsigned days, struct civil *ret_civil)
{
    unsigned shifted = 4 * (days + DAYS_TO_1970) + 3;
    unsigned century = shifted / DAYS_PER_ERA;
    unsigned day_of_century = shifted % DAYS_PER_ERA / 4;
    unsigned year_of_century = (4 * day_of_century + 3) / DAYS_PER_YEAR4;
    unsigned day_of_year = (4 * day_of_century + 3) % DAYS_PER_YEAR4 / 4;
    unsigned month = 2141 * day_of_year + 197913;
    bool is_next_year = day_of_year >= 306;

    ret_civil->year = 100 * century + year_of_century + (is_next_year ? 1 : 0);
    ret_civil->month = (month >> 16) - (is_next_year ? 12 : 0);
    ret_civil->day = (month & 0xffff) / 2141 + 1;
}

static unsigned days_of_month(unsigned year, unsigned month)
{
    static const unsigned char days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month == 2 && leap ? 29 : days[month - 1];
}

static bool time_of(const struct civil *civil, int64_t *ret_time)
{
    if (civil->year < 1970 || civil->month < 1 || civil->month > 12 || civil->day < 1 ||
        civil->day > days_of_month(civil->year, civil->month) || civil->hour > 23 ||
        civil->minute > 59 || civil->second > 59) {
        return false;
    }
    *ret_time = days_of(civil) * SECONDS_PER_DAY +
                (int64_t)(civil->hour * 3600 + civil->minute * 60 + civil->second);
    return true;
}

static void put_two_digits(char *out, unsigned number)
{
    out[0] = (char)('0' + number / 10);
    out[1] = (char)('0' + number % 10);
}

LST_PUBLIC int lst_format_time(int64_t time, char ret_text[16])
{
    struct civil civil;
    unsigned second;

    if (time < 0 || time > TIME_MAX) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    civil_of_days((unsigned)(time / SECONDS_PER_DAY), &civil);
    second = (unsigned)(time % SECONDS_PER_DAY);
    put_two_digits(ret_text, civil.year / 100);
    put_two_digits(ret_text + 2, civil.year % 100);
    put_two_digits(ret_text + 4, civil.month);
    put_two_digits(ret_text + 6, civil.day);
    ret_text[8] = 'T';
    put_two_digits(ret_text + 9, second / 3600);
    put_two_digits(ret_text + 11, second / 60 % 60);
    put_two_digits(ret_text + 13, second % 60);
    ret_text[15] = 'Z';
    return LST_OK;
}

/* The number that stands at an offset, digits only. */
static bool number_at(struct lst_slice text, size_t offset, size_t digits, unsigned *ret_number)
{
    unsigned number = 0;

    for (size_t i = offset; i < offset + digits; i++) {
        unsigned digit = (unsigned)(unsigned char)text.bytes[i] - '0';

        if (digit > 9) {
            return false;
        }
        number = number * 10 + digit;
    }
    *ret_number = number;
    return true;
}

LST_PUBLIC int lst_parse_time(struct lst_slice text, int64_t *ret_time)
{
    struct civil civil = {0};

    if (text.length != LST_INTERNAL_TIME_LENGTH || text.bytes[8] != 'T' || text.bytes[15] != 'Z' ||
        !number_at(text, 0, 4, &civil.year) || !number_at(text, 4, 2, &civil.month) ||
        !number_at(text, 6, 2, &civil.day) || !number_at(text, 9, 2, &civil.hour) ||
        !number_at(text, 11, 2, &civil.minute) || !number_at(text, 13, 2, &civil.second) ||
        !time_of(&civil, ret_time)) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    return LST_OK;
}

static bool month_of_name(struct lst_slice name, unsigned *ret_month)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (unsigned month = 0; month < 12; month++) {
        if (memcmp(names + 3 * (size_t)month, name.bytes, 3) == 0) {
            *ret_month = month + 1;
            return true;
        }
    }
    return false;
}

/* The bytes of a date that are the same in every date: "___, __ ___ ____ __:__:__ ". */
static bool has_shape_of_date(struct lst_slice text)
{
    static const char shape[] = "???, ?? ??? ???? ??:??:?? ";

    for (size_t i = 0; i < sizeof(shape) - 1; i++) {
        if (shape[i] != '?' && shape[i] != text.bytes[i]) {
            return false;
        }
    }
    return true;
}

bool lst_internal_parse_http_date(struct lst_slice text, int64_t *ret_time)
{
    struct civil civil = {0};
    struct lst_slice zone;

    if (text.length < 29 || !has_shape_of_date(text)) {
        return false;
    }
    zone = lst_internal_skip(text, 26);
    if (!lst_internal_equal(zone, LST_SLICE("GMT")) &&
        !lst_internal_equal(zone, LST_SLICE("+0000"))) {
        return false;
    }
    return number_at(text, 5, 2, &civil.day) &&
           month_of_name(lst_internal_skip(text, 8), &civil.month) &&
           number_at(text, 12, 4, &civil.year) && number_at(text, 17, 2, &civil.hour) &&
           number_at(text, 20, 2, &civil.minute) && number_at(text, 23, 2, &civil.second) &&
           time_of(&civil, ret_time);
}
