/*
 * cors.h - Cross-Origin Resource Sharing (Fetch Standard, "CORS protocol").
 *
 * Works from the first start, for every origin: a presigned URL carries its own authority, and
 * cookies are never used, so an origin that may use a link gains nothing that the link does not
 * give. Credentials are never allowed.
 *
 * A bucket that has CORS rules of its own (PutBucketCors) decides for itself, by them alone: see
 * s3/cors.h. What is said here is for all others.
 */
#ifndef LST_SERVER_CORS_H
#define LST_SERVER_CORS_H

#include "http/request.h"
#include "http/response.h"
#include "s3/s3.h"

struct lst_cors {
    const struct lst_slice *origins; /* "https://app.example.com"; "*" is any, "none" is none */
    size_t origin_count;
};

bool lst_cors_allows(const struct lst_cors *cors, struct lst_slice origin);

/* True if the request is a preflight, or an OPTIONS that would like to be one: it is to be answered
 * by lst_cors_preflight(), before any signature is looked at. */
bool lst_cors_is_preflight(const struct lst_http_request *request);

/* Answer a preflight: 200 with what is allowed; 400 BadRequest or 403 AccessForbidden as S3.
 * *ret_error: S3's code, "" if it was allowed. */
void lst_cors_preflight(const struct lst_cors *cors, const struct lst_s3 *s3,
                        const struct lst_http_request *request,
                        struct lst_http_response *ret_response, const char **ret_error);

/* Add to an answer, also to an error, what a browser needs to show it to the page. */
void lst_cors_decorate(const struct lst_cors *cors, const struct lst_s3 *s3,
                       const struct lst_http_request *request, struct lst_http_response *response);

#endif
