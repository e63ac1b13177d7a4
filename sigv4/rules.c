/* rules.c - single rules of a check: payload hash, expiry, time, what must be signed. */
#include "rules.h"
#include "query.h"
#include "signed_headers.h"

/* Keeps sums of times clear of overflow, whatever the caller asks for: 300,000 years. */
#define SECONDS_MAX INT64_C(10000000000000)

int lst_internal_parse_payload_hash(struct lst_auth *auth, struct lst_slice text)
{
    static const struct {
        struct lst_slice word;
        enum lst_payload payload;
    } words[] = {
        {{"UNSIGNED-PAYLOAD", 16}, LST_PAYLOAD_UNSIGNED},
        {{"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", 34}, LST_PAYLOAD_STREAM_SIGNED},
        {{"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", 42}, LST_PAYLOAD_STREAM_SIGNED_TRAILER},
        {{"STREAMING-UNSIGNED-PAYLOAD-TRAILER", 34}, LST_PAYLOAD_STREAM_UNSIGNED_TRAILER},
    };
    uint8_t digest[32];

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (lst_internal_equal(text, words[i].word)) {
            auth->payload = words[i].payload;
            auth->payload_hash = text;
            return LST_OK;
        }
    }
    if (!lst_internal_hex_decode(text, digest, sizeof(digest))) {
        return LST_REFUSED_PAYLOAD_HASH;
    }
    auth->payload = LST_PAYLOAD_SHA256;
    auth->payload_hash = text;
    auth->body_sha256 = text;
    return LST_OK;
}

int lst_internal_parse_expires(struct lst_auth *auth, const struct lst_rules *rules,
                               struct lst_slice value)
{
    int64_t limit = rules->expires_max > 0 ? rules->expires_max : LST_EXPIRES_MAX;
    char scratch[32];
    struct lst_slice text;
    uint64_t seconds;
    bool is_negative;

    if (!lst_internal_query_text(value, scratch, sizeof(scratch), &text)) {
        return LST_REFUSED_EXPIRES_FORMAT;
    }
    is_negative = text.length > 1 && text.bytes[0] == '-';
    if (is_negative) {
        text = lst_internal_skip(text, 1);
    }
    if (text.length == 0) {
        return LST_REFUSED_EXPIRES_FORMAT;
    }
    for (size_t i = 0; i < text.length; i++) {
        if (text.bytes[i] < '0' || text.bytes[i] > '9') {
            return LST_REFUSED_EXPIRES_FORMAT;
        }
    }
    if (is_negative) {
        return LST_REFUSED_EXPIRES_NEGATIVE;
    }
    if (!lst_internal_parse_decimal(text, &seconds) || seconds > SECONDS_MAX ||
        (int64_t)seconds > limit) {
        return LST_REFUSED_EXPIRES_TOO_LARGE;
    }
    auth->expires = (int64_t)seconds;
    return LST_OK;
}

int lst_internal_check_time(const struct lst_auth *auth, const struct lst_rules *rules, int64_t now)
{
    int64_t skew = rules->clock_skew > 0 ? rules->clock_skew : LST_CLOCK_SKEW;

    skew = skew < SECONDS_MAX ? skew : SECONDS_MAX;
    if (auth->kind == LST_AUTH_HEADER) {
        return now < auth->time - skew || now > auth->time + skew ? LST_REFUSED_TIME_TOO_SKEWED
                                                                  : LST_OK;
    }
    /* 0 is expired at birth, whatever the clocks say. */
    if (auth->expires == 0 || now > auth->time + auth->expires) {
        return LST_REFUSED_EXPIRED;
    }
    return now < auth->time - skew ? LST_REFUSED_NOT_YET_VALID : LST_OK;
}

int lst_internal_check_signed(const struct lst_request *request, struct lst_auth *auth)
{
    if (!lst_internal_is_signed(auth, LST_SLICE("host"))) {
        auth->culprit = LST_SLICE("host");
        return LST_REFUSED_HOST_NOT_SIGNED;
    }
    for (size_t i = 0; i < request->header_count; i++) {
        struct lst_slice name = request->headers[i].name;

        if (lst_internal_must_be_signed(auth->kind, name) && !lst_internal_is_signed(auth, name)) {
            auth->culprit = name;
            return LST_REFUSED_HEADERS_NOT_SIGNED;
        }
    }
    return LST_OK;
}
