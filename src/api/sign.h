/* sign.h - presigned URLs for objects of this server's own store, and of remotes. */
#ifndef LST_API_SIGN_H
#define LST_API_SIGN_H

#include "api/exchange.h"
#include "api/remote.h"

/* Append a URL, signed with the bearer's key. bearer: whose right it is. signing: method, bucket,
 * key, query, headers, time and expires are taken, all else is filled in. Errors of lst_key_init()
 * and lst_presign(); LST_ERR_NO_MEMORY. */
LST_MUST_CHECK int lst_api_sign(const struct lst_api_exchange *exchange,
                                const struct lst_bearer *bearer, struct lst_signing signing,
                                struct lst_buffer *out);

/* The same for an object of a remote, with the remote's key. NULL: of this server's own store. */
LST_MUST_CHECK int lst_api_sign_for(const struct lst_api_exchange *exchange,
                                    const struct lst_bearer *bearer,
                                    const struct lst_remote *remote, struct lst_signing signing,
                                    struct lst_buffer *out);

/* For a remote alone, whoever asks. */
LST_MUST_CHECK int lst_remote_sign(const struct lst_remote *remote, struct lst_signing signing,
                                   struct lst_buffer *out);

/* The key for a day and the access key id with which a place is signed for; wipe the key. Both are
 * valid as long as the bearer and the remote. Errors of lst_key_init(). */
LST_MUST_CHECK int lst_api_signing_key(const struct lst_api_exchange *exchange,
                                       const struct lst_remote *remote, int64_t now,
                                       struct lst_key *ret_key,
                                       struct lst_slice *ret_access_key_id);

/* Append "https://host/bucket/", or, at a remote of virtual style, "https://bucket.host/". */
void lst_api_bucket_url(const struct lst_api_exchange *exchange, const struct lst_remote *remote,
                        struct lst_slice bucket, struct lst_buffer *out);

#endif
