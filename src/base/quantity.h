/*
 * quantity.h - durations and sizes as people write them: "90m", "2d", "5MB", "16KiB".
 *
 * Wherever a setting, an option or a file asks for seconds or bytes, these two read it, so that
 * every place takes the same words. Upper and lower case are the same.
 */
#ifndef LST_BASE_QUANTITY_H
#define LST_BASE_QUANTITY_H

#include "base/slice.h"

/* What to tell somebody whose value was refused. */
#define LST_DURATION_EXAMPLES_MAX 64 /* bytes, with the NUL */
#define LST_SIZE_EXAMPLES         "5000000, 5MB (the same) or 5MiB (5242880)"

/*
 * Seconds: digits, then s, m, h, d, w or nothing (seconds). False if it is anything else, or more
 * than maximum; *ret_seconds is then untouched.
 */
LST_MUST_CHECK bool lst_duration_parse(struct lst_slice text, uint64_t maximum,
                                       uint64_t *ret_seconds);

/* Durations from minimum to maximum, as examples: "3600, 90m, 12h, 2d or 1w". The largest of what
 * is in store, five at most; "" if none fits. */
void lst_duration_examples(uint64_t minimum, uint64_t maximum,
                           char ret_text[LST_DURATION_EXAMPLES_MAX]);

/*
 * Bytes: digits, then B or nothing, kB, MB, GB, TB (powers of 1,000), KiB, MiB, GiB, TiB (powers of
 * 1,024). A bare K, M, G or T means different things to different people and is refused. False if
 * it is anything else, or more than maximum; *ret_bytes is then untouched.
 */
LST_MUST_CHECK bool lst_size_parse(struct lst_slice text, uint64_t maximum, uint64_t *ret_bytes);

#endif
