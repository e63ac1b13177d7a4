/* refusal_advice.h - what to do about a refusal whose message, which is AWS's, does not say it. */
#ifndef LST_S3_REFUSAL_ADVICE_H
#define LST_S3_REFUSAL_ADVICE_H

#include "s3/exchange.h"

/* Append sentences: the cause first, then what to do. Nothing if the message says it all. They hold
 * no secret, signature or token. */
void lst_s3_refusal_advice(const struct lst_s3_exchange *exchange, int code,
                           struct lst_buffer *out);

/* The access key id for errors and logs: "***" if nobody has it and it looks like a token, or like
 * a secret in the wrong place. Valid as long as the passage. */
const char *lst_s3_shown_key_id(const struct lst_passage *passage);

/* The same for a bucket that is not there: it was meant to be the one in the host name, which this
 * server does not know for one of its own. */
void lst_s3_style_advice(const struct lst_s3_exchange *exchange, struct lst_buffer *out);

#endif
