/* webhook_test.c - a webhook's signature, and when a message is sent again. */
#include "api/webhook.h"
#include "tap.h"

int main(void)
{
    char value[LST_WEBHOOK_SIGNATURE_MAX];
    static const int64_t delays[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600};

    /* printf '%s' '1795460280.{"a":1}' | openssl dgst -sha256 -hmac 'a secret' */
    lst_webhook_sign(LST_SLICE("a secret"), 1795460280, LST_SLICE("{\"a\":1}"), value);
    CHECK_TEXT(value, strlen(value),
               "t=1795460280,v1=9969ec7490cb5b7147850aa05c62f88299939b7019244f7d8a42e51e06bc3a71",
               "the header is as documented");
    for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
        CHECK(lst_webhook_delay_ms((int64_t)i + 1) == delays[i] * 1000,
              "after %zu failures: %lld s", i + 1, (long long)delays[i]);
    }
    CHECK(lst_webhook_delay_ms(1000000) == 3600000, "never more than an hour");
    return tap_done();
}
