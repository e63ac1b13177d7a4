/*
 * allowance.h - how often somebody may do something: a token bucket.
 *
 * `rate` a second, apart from a burst of twice as many. Zero-initialised it is full. Times are
 * milliseconds since 1970; a clock that is set back gains nothing and loses nothing.
 */
#ifndef LST_BASE_ALLOWANCE_H
#define LST_BASE_ALLOWANCE_H

#include <stdbool.h>
#include <stdint.h>

struct lst_allowance {
    int64_t at_ms; /* when it was worked out */
    uint64_t left; /* thousandths */
};

/* Take one. False: there is none left now; a second later there is. rate: 1 to 1,000,000,000. */
bool lst_allowance_take(struct lst_allowance *allowance, uint64_t rate, int64_t now_ms);

#endif
