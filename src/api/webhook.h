/*
 * webhook.h - one message to an application that an upload has come to its end: what it says, how
 * it is signed, and when it is tried again.
 *
 * It is sent by POST, as JSON, with the header
 *
 *     Latchstring-Signature:
 * t=1795460280,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd
 *
 * v1 is HMAC-SHA256, in hex, of the seconds in t, a '.' and the body, with the profile's secret.
 */
#ifndef LST_API_WEBHOOK_H
#define LST_API_WEBHOOK_H

#include "base/buffer.h"
#include "base/error.h"

#define LST_WEBHOOK_SIGNATURE_MAX 96 /* bytes of the header's value, its NUL included */
#define LST_WEBHOOK_LIFE_MS       (INT64_C(3) * 24 * 60 * 60 * 1000)

/* The header's value. */
void lst_webhook_sign(struct lst_slice secret, int64_t now, struct lst_slice body,
                      char ret_value[LST_WEBHOOK_SIGNATURE_MAX]);

/* When to try again after `attempts` (1 or more) that failed: 1, 2, 4 seconds later and so on, up
 * to an hour; milliseconds. */
int64_t lst_webhook_delay_ms(int64_t attempts);

#endif
