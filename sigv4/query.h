/* query.h - the parameters of a query: taken apart, compared and put in canonical order. */
#ifndef LST_SIGV4_QUERY_H
#define LST_SIGV4_QUERY_H

#include "writer.h"

/* Part a target at its first '?'. */
void lst_internal_split_target(struct lst_slice target, struct lst_slice *ret_path,
                               struct lst_slice *ret_query);

/* A parameter as it came. */
struct lst_internal_parameter {
    struct lst_slice name;  /* still encoded */
    struct lst_slice value; /* still encoded */
    struct lst_slice text;  /* both, with what stands between them */
    bool name_is_bare;      /* nothing in the name is encoded, or would be */
    bool is_canonical;      /* the text is what the canonical query has */
};

/*
 * Part a query at '&' into names and values. "k" and "k=" are the same; empty parts, as between
 * "&&", are no parameters. LST_REFUSED_TOO_MANY_PARAMETERS: more than LST_PARAMETERS_MAX.
 * LST_REFUSED_TARGET_MALFORMED: a '%' that two hex digits do not follow; the parameters are there
 * nevertheless.
 */
LST_MUST_CHECK int lst_internal_split_query(
    struct lst_slice query, struct lst_internal_parameter parameters[LST_PARAMETERS_MAX],
    size_t *ret_count);

/* True if the text from a query, decoded, is this one, which has no '%', '+' or space. */
bool lst_internal_query_text_is(struct lst_slice text, struct lst_slice decoded);

/*
 * Decode text from a query, into scratch if there is anything to decode: the result points into
 * either. False if it does not fit.
 */
LST_MUST_CHECK bool lst_internal_query_text(struct lst_slice text, char *scratch, size_t capacity,
                                            struct lst_slice *ret_decoded);

/*
 * Put parameters into canonical order: by encoded name, then by encoded value; equal ones keep
 * their order. order gets the indexes; the first `sorted` parameters must be in order already.
 * count is at most 255.
 */
void lst_internal_sort_query(const struct lst_internal_parameter *parameters, size_t count,
                             size_t sorted, enum lst_internal_origin origin, uint8_t *order);

/*
 * If the query without its signature is canonical as it was sent, as SDKs send it: how many bytes
 * stand before "&X-Amz-Signature". Otherwise 0.
 */
size_t lst_internal_canonical_length(struct lst_slice query,
                                     const struct lst_internal_parameter *parameters, size_t count);

/* "name=value", encoded. */
void lst_internal_put_parameter(struct lst_internal_writer *writer,
                                const struct lst_internal_parameter *parameter,
                                enum lst_internal_origin origin);

#endif
