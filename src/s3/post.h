/*
 * post.h - PostObject: an object that comes in a form, as browsers send it.
 *
 * "POST Object" and "Browser-Based Uploads Using POST" of the Amazon S3 API Reference. The form is
 * read as it comes. What stands before the file is kept; at the file's first byte its signature,
 * its policy and the signer's rights are looked at. From then on the exchange is that of a
 * PutObject whose headers are the form's fields: whatever PutObject can do, a form can.
 */
#ifndef LST_S3_POST_H
#define LST_S3_POST_H

#include "s3/exchange.h"

#define LST_POST_FORM_MAX 20480 /* bytes of the whole body but the file, as S3 */

/* Pieces of the request's body, and its end; both may answer the exchange. */
void lst_post_take(struct lst_s3_exchange *exchange, struct lst_slice bytes);
void lst_post_end(struct lst_s3_exchange *exchange);

/* At its end: was the form one, and the file as large as it must be? False, having answered, if
 * not.
 */
bool lst_post_is_whole(struct lst_s3_exchange *exchange);

/* Make the answer, which has PutObject's headers already, what the form asks for. etag: in quotes.
 */
void lst_post_answer(struct lst_s3_exchange *exchange, struct lst_slice etag);

/* NULL does nothing. */
void lst_post_free(struct lst_post *post);

#endif
