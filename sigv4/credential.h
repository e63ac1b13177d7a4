/* credential.h - take a credential apart, and check its scope. */
#ifndef LST_SIGV4_CREDENTIAL_H
#define LST_SIGV4_CREDENTIAL_H

#include "latchstring.h"

/*
 * Fill in the access key id, day, region and service from a credential, encoded as in a query if
 * auth->kind says so. LST_REFUSED_CREDENTIAL: it has not the five parts that it must have; all but
 * the access key id are empty then. A wrong terminator is another rule's matter: it goes to
 * *ret_scope_error.
 */
LST_MUST_CHECK int lst_internal_parse_credential(struct lst_auth *auth, struct lst_slice text,
                                                 int *ret_scope_error);

/*
 * Rule 3: LST_REFUSED_SCOPE_DATE, _REGION or _SERVICE. day: the day of auth->time.
 */
LST_MUST_CHECK int lst_internal_check_scope(const struct lst_auth *auth, const char day[8],
                                            const struct lst_rules *rules);

#endif
