/*
 * webhook.h - a message to a receiver of webhooks: its signature, and when it is sent again.
 *
 * docs/uploads.md, "Webhooks", is what receivers are told of it.
 */
#ifndef LST_API_WEBHOOK_H
#define LST_API_WEBHOOK_H

#include "base/slice.h"

#define LST_WEBHOOK_SIGNATURE_MAX 96 /* bytes of a signature's text, its NUL included */
#define LST_WEBHOOK_LIFE_MS       INT64_C(259200000) /* three days */
#define LST_WEBHOOK_PAUSE_MAX_MS  INT64_C(3600000)   /* an hour */

/*
 * The value of the header Latchstring-Signature: "t=TIME,v1=HEX", where HEX is the HMAC-SHA256 of
 * TIME, '.' and the body, under the secret. time: seconds since 1970, not negative.
 */
void lst_webhook_sign(struct lst_slice secret, int64_t time, struct lst_slice body,
                      char ret_text[LST_WEBHOOK_SIGNATURE_MAX]);

/* How long to wait after so many attempts (at least 1) have failed, in milliseconds: 1 s, 2 s, 4 s,
 * ..., LST_WEBHOOK_PAUSE_MAX_MS. */
int64_t lst_webhook_pause_ms(uint32_t attempts);

/* When to try again what failed now, for the attempts-th time: in milliseconds; or -1: never, since
 * that would be more than LST_WEBHOOK_LIFE_MS after it was created. */
int64_t lst_webhook_next_ms(int64_t created_ms, int64_t now_ms, uint32_t attempts);

/* Of a URL that a profile has, scheme, host and port as they stand there: "https://app.example".
 * The rest may be a secret. */
struct lst_slice lst_webhook_origin(struct lst_slice url);

#endif
