/* rules.h - single rules of a check: payload hash, expiry, time, what must be signed. */
#ifndef LST_SIGV4_RULES_H
#define LST_SIGV4_RULES_H

#include "latchstring.h"

/*
 * Part of rule 2: fill in auth->payload and auth->payload_hash. LST_REFUSED_PAYLOAD_HASH: neither
 * 64 hexadecimal digits nor one of the specification's words.
 */
LST_MUST_CHECK int lst_internal_parse_payload_hash(struct lst_auth *auth, struct lst_slice text);

/* Rule 4: fill in auth->expires from the parameter, as it is in the query. LST_REFUSED_EXPIRES_*.
 */
LST_MUST_CHECK int lst_internal_parse_expires(struct lst_auth *auth, const struct lst_rules *rules,
                                              struct lst_slice value);

/* Rule 5: LST_REFUSED_EXPIRED, _NOT_YET_VALID or, for a header, _TIME_TOO_SKEWED. */
LST_MUST_CHECK int lst_internal_check_time(const struct lst_auth *auth,
                                           const struct lst_rules *rules, int64_t now);

/*
 * Rule 6: LST_REFUSED_HOST_NOT_SIGNED or _HEADERS_NOT_SIGNED, with the first such header as the
 * culprit.
 */
LST_MUST_CHECK int lst_internal_check_signed(const struct lst_request *request,
                                             struct lst_auth *auth);

#endif
