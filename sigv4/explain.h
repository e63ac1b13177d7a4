/*
 * explain.h - the search for the single change that would have made a signature right, or for the
 * two that happen together: who uses a URL with another method leaves out the headers of its own.
 *
 * Each group of candidates is a function that tries them in turn, the likeliest first, and stops at
 * the first that fits. What a candidate costs is one canonical request, hashed, and one HMAC.
 */
#ifndef LST_SIGV4_EXPLAIN_H
#define LST_SIGV4_EXPLAIN_H

#include "canonical.h"

/* Candidates of one search; what is left after that many is not tried. */
#define LST_INTERNAL_CANDIDATES_MAX 100

/* Names of hosts and of regions that are tried, of each that the caller gave. */
#define LST_INTERNAL_HINTS_MAX 12

/* Room to write another target, or another host, into. */
#define LST_INTERNAL_SCRATCH_SIZE (LST_TARGET_MAX + 512)

struct lst_internal_search {
    const struct lst_request *request;
    const struct lst_auth *auth;
    struct lst_slice secret;
    const struct lst_hints *hints;
    struct lst_slice path;  /* of the request's target */
    struct lst_slice query; /* of the request's target */
    struct lst_slice host;  /* that the signature was checked for */
    struct lst_key key;     /* that the signature was checked with */
    unsigned candidates;    /* tried so far */
    struct lst_explanation explanation;
    char scratch[LST_INTERNAL_SCRATCH_SIZE];
};

/* True if the signature is right for the request with this variation; counts as a candidate. */
bool lst_internal_search_fits(struct lst_internal_search *search,
                              const struct lst_internal_variation *variation);

/* The same for another target, as it would be on the wire. */
bool lst_internal_search_fits_target(struct lst_internal_search *search, struct lst_slice target,
                                     const struct lst_internal_variation *variation);

/* The same with another signing key: of another secret, day, region or service. */
bool lst_internal_search_fits_key(struct lst_internal_search *search, struct lst_slice secret,
                                  struct lst_slice day, struct lst_slice region,
                                  struct lst_slice service);

/*
 * What was found, as one sentence. Returns true, so that it can end a group. In the pattern, '@'
 * stands for "URL" or "request", and each '#' for the next of the values, quoted and shortened.
 */
bool lst_internal_search_found(struct lst_internal_search *search, enum lst_near_miss miss,
                               const char *pattern, const struct lst_slice *values);

/* The value of the request's first header of this name; empty if there is none. */
struct lst_slice lst_internal_search_header(const struct lst_internal_search *search,
                                            struct lst_slice name);

/* The value, as sent, of the first parameter of this name; bytes is NULL if there is none. */
struct lst_slice lst_internal_search_parameter(const struct lst_internal_search *search,
                                               struct lst_slice name);

/*
 * True for a host that clients outside can hardly have called: an address, a name without a dot
 * (localhost, a container, an upstream of a proxy) or of a private domain.
 */
bool lst_internal_is_inner_host(struct lst_slice host);

/* The groups. True: found, and explained. */
bool lst_internal_explain_method(struct lst_internal_search *search);
bool lst_internal_explain_host(struct lst_internal_search *search);
bool lst_internal_explain_style(struct lst_internal_search *search);
bool lst_internal_explain_spoilt(struct lst_internal_search *search);
bool lst_internal_explain_path(struct lst_internal_search *search);
bool lst_internal_explain_plus(struct lst_internal_search *search);
bool lst_internal_explain_header_encoding(struct lst_internal_search *search);
bool lst_internal_explain_guessed_headers(struct lst_internal_search *search);
bool lst_internal_explain_method_and_headers(struct lst_internal_search *search);
bool lst_internal_explain_altered_headers(struct lst_internal_search *search);
bool lst_internal_explain_checksum(struct lst_internal_search *search);
bool lst_internal_explain_payload(struct lst_internal_search *search);
bool lst_internal_explain_parameters(struct lst_internal_search *search);
bool lst_internal_explain_expires(struct lst_internal_search *search);
bool lst_internal_explain_secret(struct lst_internal_search *search);
bool lst_internal_explain_scope(struct lst_internal_search *search);

#endif
