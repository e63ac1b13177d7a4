/*
 * multipart.h - an upload in parts for clients that are not Uppy: docs/uploads.md, "In parts".
 *
 * POST /-/api/uploads with "method":"MULTIPART" begins one, and says by which plan it is to be
 * sent: how large each part is but for the last, and how many there are at most. The plan is noted
 * (api/upload_note.h) and holds whatever the profile says later. Everything else is as Uppy has it:
 * api/uppy.h. The functions are an lst_api_route's begin(), but for the first.
 */
#ifndef LST_API_MULTIPART_H
#define LST_API_MULTIPART_H

#include "api/upload.h"
#include "api/uppy.h"

#define LST_MULTIPART_PART_MIN (8 * 1024 * 1024) /* bytes of a part, but for the last */
#define LST_MULTIPART_FIRST    10                /* parts whose URLs are in the first answer */
#define LST_MULTIPART_SIGN_MAX 100               /* parts whose URLs one call gives */

/* Begin what is asked for, whose fields are set and not yet prepared. The caller's upload is used
 * up: it need not be released, and must not be. */
void lst_multipart_create(struct lst_api_exchange *exchange, const struct lst_upload *wanted);

/* The same in steps, for a call for many: prepare a new creation, which takes over what is wanted;
 * and once the store has created it, the answer, a new reference. False, having called
 * lst_api_fail(), if it is refused; NULL without memory. */
bool lst_multipart_prepare(struct lst_api_exchange *exchange, const struct lst_upload *wanted,
                           struct lst_uppy_creation *creation);
json_t *lst_multipart_answer(const struct lst_api_exchange *exchange,
                             const struct lst_uppy_creation *creation);

void lst_multipart_list(struct lst_api_exchange *exchange);
void lst_multipart_sign(struct lst_api_exchange *exchange);
void lst_multipart_complete(struct lst_api_exchange *exchange);
void lst_multipart_abort(struct lst_api_exchange *exchange);

/* Set part_size and part_count of a prepared upload. */
void lst_multipart_plan(struct lst_upload *upload);

#endif
