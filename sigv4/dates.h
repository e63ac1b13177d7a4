/* dates.h - the two forms of a time that requests carry. */
#ifndef LST_SIGV4_DATES_H
#define LST_SIGV4_DATES_H

#include "latchstring.h"

#define LST_INTERNAL_TIME_LENGTH 16 /* "20130524T000000Z" */

/*
 * "Fri, 24 May 2013 00:00:00 GMT" (RFC 9110, 5.6.7, IMF-fixdate), or with "+0000" for "GMT" (RFC
 * 5322). The name of the day is not checked. False if it is neither, or no such date.
 */
bool lst_internal_parse_http_date(struct lst_slice text, int64_t *ret_time);

#endif
