/* uploads.h - the operations on uploads: see docs/uploads.md. Each is an lst_api_route's begin().
 */
#ifndef LST_API_UPLOADS_H
#define LST_API_UPLOADS_H

#include "api/exchange.h"
#include "api/remote.h"

void lst_uploads_create(struct lst_api_exchange *exchange);
void lst_uploads_show(struct lst_api_exchange *exchange);

/* A token for one client, one profile and some hours; see gate/bearer.h. */
void lst_client_tokens_create(struct lst_api_exchange *exchange);

/* {"url":..., "expires_at":...}: a URL to fetch the object with this ETag (without quotes), and no
 * other that may take its place, signed by the caller's user; or for the remote where it is (NULL:
 * here), which does not look at the ETag. NULL: it can't be made. */
json_t *lst_uploads_object(const struct lst_api_exchange *exchange, const struct lst_remote *remote,
                           struct lst_slice bucket, struct lst_slice key, struct lst_slice etag,
                           int64_t life);

#endif
