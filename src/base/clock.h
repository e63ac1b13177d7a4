/*
 * clock.h - the clock, and dates as S3 and HTTP write them.
 *
 * A time is milliseconds since 1970-01-01T00:00:00Z where the name says _ms, else seconds.
 */
#ifndef LST_BASE_CLOCK_H
#define LST_BASE_CLOCK_H

#include "base/slice.h"

/* Now, by the system's clock. */
int64_t lst_clock_now_ms(void);

/*
 * The first whole second that is not before time_ms. S3 shows times of objects in whole seconds.
 * Rounded down, an object would seem older than the file that it was just made from, and `aws s3
 * sync` would send it again.
 */
int64_t lst_clock_whole_seconds(int64_t time_ms);

/* Nanoseconds of a clock that never goes back: for durations only. */
uint64_t lst_clock_monotonic_ns(void);

#define LST_ISO8601_LENGTH   24 /* "2026-11-23T19:18:00.000Z" */
#define LST_HTTP_DATE_LENGTH 29 /* "Mon, 23 Nov 2026 19:18:00 GMT" */

/* As S3's XML writes times. No NUL. The year must be 1970 to 9999. */
void lst_clock_format_iso8601(int64_t time_ms, char ret_text[LST_ISO8601_LENGTH]);

/* As HTTP headers write times: IMF-fixdate of RFC 9110 section 5.6.7. No NUL. */
void lst_clock_format_http(int64_t time, char ret_text[LST_HTTP_DATE_LENGTH]);

/* "YYYY-MM-DD", with an optional "Thh:mm:ss[.fraction]Z". False if it is anything else. */
LST_MUST_CHECK bool lst_clock_parse_iso8601(struct lst_slice text, int64_t *ret_time_ms);

/* IMF-fixdate, or the obsolete RFC 850 and asctime forms that RFC 9110 asks recipients to accept.
 */
LST_MUST_CHECK bool lst_clock_parse_http(struct lst_slice text, int64_t *ret_time);

#endif
