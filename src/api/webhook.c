/* webhook.c - the signature of a webhook's message, and when it is sent again. */
#include "api/webhook.h"

#include "base/encoding.h"

#include <nettle/hmac.h>
#include <stdio.h>

void lst_webhook_sign(struct lst_slice secret, int64_t time, struct lst_slice body,
                      char ret_text[LST_WEBHOOK_SIGNATURE_MAX])
{
    struct hmac_sha256_ctx context;
    uint8_t mac[SHA256_DIGEST_SIZE];
    char hex[2 * SHA256_DIGEST_SIZE];
    char start[24];
    int length = snprintf(start, sizeof(start), "%lld.", (long long)time);

    hmac_sha256_set_key(&context, secret.length, (const uint8_t *)secret.bytes);
    hmac_sha256_update(&context, (size_t)length, (const uint8_t *)start);
    hmac_sha256_update(&context, body.length, (const uint8_t *)body.bytes);
    hmac_sha256_digest(&context, sizeof(mac), mac);
    lst_wipe(&context, sizeof(context));
    lst_hex_encode(mac, sizeof(mac), hex);
    (void)snprintf(ret_text, LST_WEBHOOK_SIGNATURE_MAX, "t=%lld,v1=%.*s", (long long)time,
                   (int)sizeof(hex), hex);
}

int64_t lst_webhook_pause_ms(uint32_t attempts)
{
    int64_t pause_ms = 1000;

    for (uint32_t i = 1; i < attempts && pause_ms < LST_WEBHOOK_PAUSE_MAX_MS; i++) {
        pause_ms *= 2;
    }
    return pause_ms < LST_WEBHOOK_PAUSE_MAX_MS ? pause_ms : LST_WEBHOOK_PAUSE_MAX_MS;
}

int64_t lst_webhook_next_ms(int64_t created_ms, int64_t now_ms, uint32_t attempts)
{
    int64_t next_ms = now_ms + lst_webhook_pause_ms(attempts);

    return next_ms - created_ms > LST_WEBHOOK_LIFE_MS ? -1 : next_ms;
}

struct lst_slice lst_webhook_origin(struct lst_slice url)
{
    size_t start = lst_slice_find_slice(url, LST_SLICE("://")) + 3;
    struct lst_slice rest = lst_slice_after(url, start);
    size_t slash = lst_slice_find(rest, '/');
    size_t question = lst_slice_find(rest, '?');

    return lst_slice_first(url, start + (slash < question ? slash : question));
}
