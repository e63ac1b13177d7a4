/* jobs_transfer.c - one signed message on its way to a receiver: what libcurl is told of it. */
#include "api/jobs_state.h"

#include "api/curl_load.h"
#include "api/webhook.h"

#include <stdio.h>

/* The answer's headers and body: counted, and of a question the body is kept. */
static size_t receive(struct lst_transfer *transfer, const char *bytes, size_t length,
                      struct lst_buffer *out)
{
    transfer->received += length;
    transfer->is_cut = transfer->received > LST_JOBS_ANSWER_MAX;
    if (transfer->is_cut) {
        return 0;
    }
    if (out != NULL) {
        lst_buffer_append(out, lst_slice_make(bytes, length));
    }
    return length;
}

static size_t receive_header(char *bytes, size_t size, size_t count, void *context)
{
    return receive(context, bytes, size * count, NULL);
}

static size_t receive_body(char *bytes, size_t size, size_t count, void *context)
{
    struct lst_transfer *transfer = context;

    return receive(transfer, bytes, size * count,
                   transfer->question == NULL ? NULL : &transfer->question->answer);
}

static bool add_header(struct lst_transfer *transfer, const char *text)
{
    struct curl_slist *headers = curl_slist_append(transfer->headers, text);

    if (headers != NULL) {
        transfer->headers = headers;
    }
    return headers != NULL;
}

static bool add_headers(struct lst_transfer *transfer, const struct lst_message *message,
                        int64_t now_ms)
{
    char signature[LST_WEBHOOK_SIGNATURE_MAX];
    char header[LST_WEBHOOK_SIGNATURE_MAX + 32];

    lst_webhook_sign(lst_slice_of(message->secret), now_ms / 1000, message->body, signature);
    (void)snprintf(header, sizeof(header), "Latchstring-Signature: %s", signature);
    return add_header(transfer, header) && add_header(transfer, "Content-Type: application/json");
}

/* libcurl copies the URL; the body and the headers stay ours. */
static bool set_options(struct lst_transfer *transfer, const struct lst_message *message)
{
    CURL *easy = transfer->easy;
    CURLcode codes[] = {
        curl_easy_setopt(easy, CURLOPT_URL, message->url),
        curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https"),
        curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L),
        curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1),
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)message->body.length),
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, message->body.bytes),
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers),
        curl_easy_setopt(easy, CURLOPT_USERAGENT, "Latchstring/" LST_VERSION),
        curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)LST_JOBS_CONNECT_SECONDS),
        curl_easy_setopt(easy, CURLOPT_TIMEOUT, message->seconds),
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive_body),
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer),
        curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, receive_header),
        curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer),
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L),
        /* A name that is looked up too slowly must not hold up the thread. */
        curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L),
        curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer),
    };
    bool done = true;

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        done = done && codes[i] == CURLE_OK;
    }
    return done;
}

/* libcurl, and what its transfers share. */
static int have_transfers(struct lst_jobs *jobs)
{
    const char *reason;
    int status;

    if (jobs->transfers != NULL) {
        return LST_OK;
    }
    status = lst_curl_load(&reason);
    if (status != LST_OK) {
        if (!jobs->lacks_curl) {
            lst_jobs_report(jobs,
                            "webhooks and questions cannot be sent, because libcurl cannot be "
                            "loaded (%s): install it (in Debian: libcurl4); they are sent then",
                            reason);
            jobs->lacks_curl = true;
        }
        return status;
    }
    jobs->transfers = curl_multi_init();
    return jobs->transfers == NULL ? LST_ERR_NO_MEMORY : LST_OK;
}

int lst_transfer_begin(struct lst_jobs *jobs, struct lst_transfer *transfer,
                       const struct lst_message *message, int64_t now_ms)
{
    int status = have_transfers(jobs);

    if (status != LST_OK) {
        return status;
    }
    transfer->easy = curl_easy_init();
    if (transfer->easy == NULL || !add_headers(transfer, message, now_ms) ||
        !set_options(transfer, message) ||
        curl_multi_add_handle(jobs->transfers, transfer->easy) != CURLM_OK) {
        curl_easy_cleanup(transfer->easy);
        curl_slist_free_all(transfer->headers);
        return LST_ERR_NO_MEMORY;
    }
    return LST_OK;
}

void lst_transfer_end(struct lst_jobs *jobs, struct lst_transfer *transfer)
{
    (void)curl_multi_remove_handle(jobs->transfers, transfer->easy);
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
}

CURLcode lst_transfer_result(const struct lst_transfer *transfer, CURLcode code, long *ret_status)
{
    *ret_status = 0;
    if (code != CURLE_OK && !transfer->is_cut) {
        return code;
    }
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, ret_status);
    return CURLE_OK;
}
