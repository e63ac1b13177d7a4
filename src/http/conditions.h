/*
 * conditions.h - conditional requests: RFC 9110 section 13, whose order of precedence is also S3's.
 *
 * Entity tags may come without their quotes, as S3 accepts them.
 */
#ifndef LST_HTTP_CONDITIONS_H
#define LST_HTTP_CONDITIONS_H

#include "http/request.h"

enum lst_verdict {
    LST_CONDITIONS_HOLD,
    LST_CONDITIONS_NOT_MODIFIED, /* 304 */
    LST_CONDITIONS_FAILED,       /* 412 */
};

/* The conditions of a request, as text; with a NULL pointer those that it has not. */
struct lst_conditions {
    struct lst_slice match;
    struct lst_slice none_match;
    struct lst_slice unmodified_since;
    struct lst_slice modified_since;
};

struct lst_conditions lst_conditions_of(const struct lst_http_request *request);

/*
 * Do the conditions let a GET or HEAD of this entity pass?
 *
 *   If-Match that fits passes, whatever If-Unmodified-Since says; one that does not is FAILED.
 *   If-None-Match that fits is NOT_MODIFIED; one that does not passes, whatever If-Modified-Since
 *   says.
 *
 * etag: without quotes. modified: seconds since 1970; dates in headers have no fractions. A date
 * that can't be read is as if it were absent. *ret_condition, on FAILED: the name of the header
 * that failed, a constant.
 */
enum lst_verdict lst_conditions_hold(const struct lst_conditions *conditions,
                                     const struct lst_http_request *request, struct lst_slice etag,
                                     int64_t modified, const char **ret_condition);

/* The same of the conditions in the request's headers. */
enum lst_verdict lst_conditions_check(const struct lst_http_request *request, struct lst_slice etag,
                                      int64_t modified, const char **ret_condition);

/* True if an If-Modified-Since of that date lets the request pass: it was modified later, or the
 * date lies in the future, when S3 takes no notice of it (RFC 7232 section 3.3). */
bool lst_conditions_modified_since(const struct lst_http_request *request, int64_t date,
                                   int64_t modified);

/*
 * True if a Range header counts: If-Range is absent, or its entity tag or date is exactly this
 * entity's (RFC 9110 section 13.1.5).
 */
bool lst_conditions_range_counts(const struct lst_http_request *request, struct lst_slice etag,
                                 int64_t modified);

/* True if a list of entity tags, as in If-Match, is "*" or has this one. weak: W/ tags fit too, as
 * in If-None-Match. */
bool lst_etag_list_has(struct lst_slice list, struct lst_slice etag, bool weak);

#endif
