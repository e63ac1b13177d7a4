/* webhook.c - how a webhook's message is signed, and when it is tried again. */
#include "api/webhook.h"

#include "base/encoding.h"
#include "latchstring.h"

#include <nettle/hmac.h>
#include <stdio.h>

enum { FIRST_DELAY_MS = 1000, DELAY_MAX_MS = 60 * 60 * 1000, DOUBLINGS_MAX = 12 };

void lst_webhook_sign(struct lst_slice secret, int64_t now, struct lst_slice body,
                      char ret_value[LST_WEBHOOK_SIGNATURE_MAX])
{
    struct hmac_sha256_ctx context;
    uint8_t digest[SHA256_DIGEST_SIZE];
    char hex[2 * SHA256_DIGEST_SIZE];
    int length;

    length = snprintf(ret_value, LST_WEBHOOK_SIGNATURE_MAX, "%lld.", (long long)now);
    hmac_sha256_set_key(&context, secret.length, (const uint8_t *)secret.bytes);
    hmac_sha256_update(&context, (size_t)length, (const uint8_t *)ret_value);
    hmac_sha256_update(&context, body.length, (const uint8_t *)body.bytes);
    hmac_sha256_digest(&context, sizeof(digest), digest);
    lst_wipe(&context, sizeof(context));
    lst_hex_encode(digest, sizeof(digest), hex);
    (void)snprintf(ret_value, LST_WEBHOOK_SIGNATURE_MAX, "t=%lld,v1=%.*s", (long long)now,
                   (int)sizeof(hex), hex);
}

int64_t lst_webhook_delay_ms(int64_t attempts)
{
    int64_t delay = FIRST_DELAY_MS;

    for (int64_t i = 1; i < attempts && i < DOUBLINGS_MAX; i++) {
        delay *= 2;
    }
    return delay < DELAY_MAX_MS ? delay : DELAY_MAX_MS;
}
