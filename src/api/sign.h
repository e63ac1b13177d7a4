/* sign.h - presigned URLs for objects of this server's own store. */
#ifndef LST_API_SIGN_H
#define LST_API_SIGN_H

#include "api/exchange.h"

/* Append a URL, signed with the bearer's key. bearer: whose right it is. signing: method, bucket,
 * key, query, headers, time and expires are taken, all else is filled in. Errors of lst_key_init()
 * and lst_presign(); LST_ERR_NO_MEMORY. */
LST_MUST_CHECK int lst_api_sign(const struct lst_api_exchange *exchange,
                                const struct lst_bearer *bearer, struct lst_signing signing,
                                struct lst_buffer *out);

#endif
