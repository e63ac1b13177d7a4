/* signing.h - what a request to sign is made of, put in order once for both URL and signature. */
#ifndef LST_SIGV4_SIGNING_H
#define LST_SIGV4_SIGNING_H

#include "key.h"
#include "query.h"

/* The parameters that the library adds, in canonical order. */
enum lst_internal_own {
    LST_INTERNAL_OWN_ALGORITHM = 0,
    LST_INTERNAL_OWN_CREDENTIAL,
    LST_INTERNAL_OWN_DATE,
    LST_INTERNAL_OWN_EXPIRES,
    LST_INTERNAL_OWN_TOKEN, /* left out if there is none */
    LST_INTERNAL_OWN_SIGNED_HEADERS,
    LST_INTERNAL_OWN_COUNT,
};

/*
 * A checked request, with its parameters and headers in order. It points into itself and into what
 * was handed in: it can't be copied.
 */
struct lst_internal_plan {
    const struct lst_signing *signing;
    const struct lst_key *key;
    struct lst_slice payload_hash;
    char time[16];
    size_t own_count;   /* parameters that the library adds; they come first in parameters */
    size_t query_count; /* with the library's own */
    size_t header_count;
    struct lst_internal_parameter parameters[LST_INTERNAL_OWN_COUNT + LST_PARAMETERS_MAX]; /* raw */
    uint8_t query_order[LST_INTERNAL_OWN_COUNT + LST_PARAMETERS_MAX];
    struct lst_field headers[LST_SIGNED_HEADERS_MAX]; /* in canonical order */
    /* What the URL holds already in canonical form; empty: nothing. */
    struct lst_slice path;
    struct lst_slice own_parameters;
};

/* LST_ERR_INVALID_ARGUMENT: as lst_presign() and lst_sign_header() say. */
LST_MUST_CHECK int lst_internal_plan_init(struct lst_internal_plan *plan,
                                          const struct lst_signing *signing,
                                          const struct lst_key *key, enum lst_auth_kind kind);

/* "examplebucket.s3.amazonaws.com" */
void lst_internal_put_host(struct lst_internal_writer *writer, const struct lst_signing *signing);

/* "/bucket/key", encoded */
void lst_internal_put_path(struct lst_internal_writer *writer, const struct lst_signing *signing);

/* "host;range;x-amz-date"; encoded: with "%3B" for ';', as in a URL */
void lst_internal_put_header_names(struct lst_internal_writer *writer,
                                   const struct lst_internal_plan *plan, bool encoded);

/* "X-Amz-Date=20130524T000000Z" */
void lst_internal_put_own_parameter(struct lst_internal_writer *writer,
                                    const struct lst_internal_plan *plan,
                                    enum lst_internal_own which);

/* All parameters in canonical order. */
void lst_internal_put_planned_query(struct lst_internal_writer *writer,
                                    const struct lst_internal_plan *plan);

/* "name:value\n" for each signed header */
void lst_internal_put_planned_headers(struct lst_internal_writer *writer,
                                      const struct lst_internal_plan *plan);

#endif
