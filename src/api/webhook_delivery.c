/* webhook_delivery.c - one message, sent to its receiver by HTTP. */
#include "api/profiles.h"
#include "api/webhook.h"
#include "api/webhooks_state.h"
#include "base/clock.h"

#include <stdio.h>

enum {
    CONNECT_MS = 5000,
    WHOLE_MS = 15000,
    BODY_MAX = 16 * 1024,
    ANSWER_MAX = 64 * 1024, /* bytes of an answer, which is not looked at, but read */
    HEADER_MAX = 160,
};

static size_t take_answer(char *bytes, size_t size, size_t count, void *context)
{
    struct lst_delivery *delivery = context;

    (void)bytes;
    delivery->answered += size * count;
    return delivery->answered <= ANSWER_MAX ? size * count : 0;
}

static bool add_header(struct lst_delivery *delivery, const char *line)
{
    struct curl_slist *headers = curl_slist_append(delivery->headers, line);

    if (headers != NULL) {
        delivery->headers = headers;
    }
    return headers != NULL;
}

static bool add_headers(struct lst_delivery *delivery, const struct lst_profile *profile)
{
    char signature[LST_WEBHOOK_SIGNATURE_MAX];
    char line[HEADER_MAX];

    lst_webhook_sign(lst_slice_of(profile->webhook_secret), lst_clock_now_ms() / 1000,
                     lst_buffer_slice(&delivery->body), signature);
    (void)snprintf(line, sizeof(line), "Latchstring-Signature: %s", signature);
    return add_header(delivery, line) && add_header(delivery, "Content-Type: application/json") &&
           add_header(delivery, "Expect:");
}

/* The text is in delivery->body, which is not copied. */
static bool set_options(struct lst_delivery *delivery, const char *url)
{
    CURL *easy = delivery->easy;

    return curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)WHOLE_MS) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT, "latchstring") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDS, delivery->body.bytes) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)delivery->body.length) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTPHEADER, delivery->headers) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_answer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, delivery) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, delivery->problem) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, delivery) == CURLE_OK;
}

bool lst_delivery_begin(struct lst_webhooks *webhooks, struct lst_delivery *delivery,
                        bool *ret_is_unwanted)
{
    const struct lst_profile *profile;
    struct lst_slice name =
        lst_slice_of(json_string_value(json_object_get(delivery->row, "profile")));
    int status = lst_profiles_find(webhooks->api->profiles, name, &profile);
    bool is_begun = false;

    lst_buffer_init(&delivery->body, BODY_MAX);
    delivery->answered = 0;
    (void)snprintf(delivery->problem, sizeof(delivery->problem), "%s",
                   lst_error_text(status == LST_OK ? LST_ERR_NO_MEMORY : status));
    *ret_is_unwanted =
        status == LST_ERR_NOT_FOUND || (status == LST_OK && profile->webhook_url[0] == '\0');
    if (status == LST_OK && !*ret_is_unwanted) {
        delivery->easy = curl_easy_init();
        is_begun = delivery->easy != NULL &&
                   lst_message_write(webhooks->api, delivery->key + 1 + LST_MESSAGE_DUE_LENGTH,
                                     delivery->row, &delivery->body) == LST_OK &&
                   add_headers(delivery, profile) && set_options(delivery, profile->webhook_url) &&
                   curl_multi_add_handle(webhooks->multi, delivery->easy) == CURLM_OK;
    }
    if (status == LST_OK) {
        lst_profile_unref(profile);
    }
    return is_begun;
}

bool lst_delivery_is_taken(struct lst_delivery *delivery, CURLcode result)
{
    long status = 0;

    if (result != CURLE_OK) {
        if (delivery->problem[0] == '\0') {
            (void)snprintf(delivery->problem, sizeof(delivery->problem), "%s",
                           curl_easy_strerror(result));
        }
        return false;
    }
    (void)curl_easy_getinfo(delivery->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)snprintf(delivery->problem, sizeof(delivery->problem), "it was answered with %ld",
                   status);
    return status >= 200 && status < 300;
}

void lst_delivery_end(struct lst_webhooks *webhooks, struct lst_delivery *delivery)
{
    if (delivery->easy != NULL) {
        (void)curl_multi_remove_handle(webhooks->multi, delivery->easy);
        curl_easy_cleanup(delivery->easy);
    }
    curl_slist_free_all(delivery->headers);
    lst_buffer_release(&delivery->body);
    json_decref(delivery->row);
    delivery->easy = NULL;
    delivery->headers = NULL;
    delivery->row = NULL;
}
