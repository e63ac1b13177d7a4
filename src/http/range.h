/* range.h - the Range header of a GET or HEAD: RFC 9110 section 14, as far as S3 goes with it. */
#ifndef LST_HTTP_RANGE_H
#define LST_HTTP_RANGE_H

#include "base/slice.h"

enum lst_range {
    LST_RANGE_WHOLE,         /* answer with everything (200) */
    LST_RANGE_PART,          /* answer with a part (206) */
    LST_RANGE_UNSATISFIABLE, /* no byte of it is there (416) */
};

/*
 * What does the header ask of size bytes? "bytes=2-5", "bytes=2-", "bytes=-3"; both ends are
 * counted. S3 serves one range: several, another unit, and what is malformed, a space in it for
 * one, are as if the header were absent, as RFC 9110 section 14.2 allows; so is a suffix of
 * nothing. ret_first and ret_last are set for PART alone.
 */
enum lst_range lst_range_parse(struct lst_slice header, uint64_t size, uint64_t *ret_first,
                               uint64_t *ret_last);

#endif
