/* remote_head.c - a HEAD request to a remote. */
#include "api/remote_head.h"

#include "api/curl_load.h"
#include "api/sign.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { CONNECT_MS = 5000, WHOLE_MS = 15000, LIFE = 60 };

static atomic_int under_way;
static atomic_bool is_cancelled;

void lst_remote_heads_cancel(bool is_on)
{
    atomic_store(&is_cancelled, is_on);
}

/* Called once a second, whatever the remote does. Other than 0 ends the request. */
static int look_whether_cancelled(void *context, curl_off_t download_total, curl_off_t downloaded,
                                  curl_off_t upload_total, curl_off_t uploaded)
{
    (void)context;
    (void)download_total;
    (void)downloaded;
    (void)upload_total;
    (void)uploaded;
    return atomic_load(&is_cancelled) ? 1 : 0;
}

static void copy(struct lst_slice text, char *out, size_t size)
{
    (void)snprintf(out, size, "%.*s", (int)text.length, text.bytes);
}

static size_t take_header(char *bytes, size_t size, size_t count, void *context)
{
    struct lst_remote_head *head = context;
    struct lst_slice line =
        lst_slice_first(lst_slice_make(bytes, size * count),
                        lst_slice_find(lst_slice_make(bytes, size * count), '\r'));
    size_t colon = lst_slice_find(line, ':');
    struct lst_slice name = lst_slice_first(line, colon);
    struct lst_slice value = lst_slice_trim(lst_slice_after(line, colon + 1));

    if (colon == line.length) {
        return size * count;
    }
    if (lst_slice_equal_ignoring_case(name, LST_SLICE("ETag"))) {
        if (value.length >= 2 && value.bytes[0] == '"') {
            value = lst_slice_make(value.bytes + 1, value.length - 2);
        }
        copy(value, head->uploaded.etag, sizeof(head->uploaded.etag));
    } else if (lst_slice_equal_ignoring_case(name, LST_SLICE("Content-Type"))) {
        copy(value, head->uploaded.type, sizeof(head->uploaded.type));
    } else if (lst_slice_equal_ignoring_case(name, LST_SLICE("Content-Length"))) {
        (void)lst_slice_to_number(value, INT64_MAX, &head->uploaded.size);
    } else if (lst_slice_equal_ignoring_case(name, LST_SLICE("x-amz-meta-latch-upload")) ||
               (lst_slice_equal_ignoring_case(name, LST_SLICE("x-latch-id")) &&
                head->ticket[0] == '\0')) {
        copy(value, head->ticket, sizeof(head->ticket));
    }
    return size * count;
}

static bool set_options(CURL *easy, struct lst_remote_head *head, char problem[CURL_ERROR_SIZE])
{
    return curl_easy_setopt(easy, CURLOPT_URL, head->url.bytes) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOBODY, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, look_whether_cancelled) == CURLE_OK &&
           /* A name that is looked up too slowly must not hold up the thread. */
           curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)WHOLE_MS) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT, "latchstring") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, head) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, problem) == CURLE_OK;
}

static void *ask(void *context)
{
    struct lst_remote_head *head = context;
    CURL *easy = lst_curl_load(NULL) == LST_OK ? curl_easy_init() : NULL;
    char problem[CURL_ERROR_SIZE] = "";
    CURLcode result = CURLE_OUT_OF_MEMORY;
    long status = 0;

    if (easy != NULL && set_options(easy, head, problem)) {
        result = curl_easy_perform(easy);
        (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    }
    head->http_status = result == CURLE_OK ? (int)status : 0;
    if (result != CURLE_OK) {
        /* Never curl's own text, which may have the URL in it, and with it a signature. */
        (void)snprintf(head->problem, sizeof(head->problem), "%s", curl_easy_strerror(result));
    }
    curl_easy_cleanup(easy);
    (void)atomic_fetch_sub(&under_way, 1);
    lst_waiting_end(&head->exchange->waiting, head->go_on);
    return NULL;
}

static bool start(struct lst_remote_head *head)
{
    pthread_t thread;

    if (atomic_fetch_add(&under_way, 1) >= LST_REMOTE_HEADS_MAX) {
        (void)atomic_fetch_sub(&under_way, 1);
        return false;
    }
    lst_waiting_begin(&head->exchange->waiting);
    if (pthread_create(&thread, NULL, ask, head) != 0) {
        lst_waiting_cancel(&head->exchange->waiting);
        (void)atomic_fetch_sub(&under_way, 1);
        return false;
    }
    (void)pthread_detach(thread);
    return true;
}

bool lst_remote_head(struct lst_api_exchange *exchange, const struct lst_remote *remote,
                     struct lst_slice bucket, struct lst_slice key, struct lst_remote_head *head,
                     void (*go_on)(void *exchange))
{
    int status;

    memset(head, 0, sizeof(*head));
    head->exchange = exchange;
    head->go_on = go_on;
    lst_buffer_init(&head->url, LST_API_URL_MAX);
    status = lst_remote_sign(remote,
                             (struct lst_signing){.method = LST_SLICE("HEAD"),
                                                  .bucket = bucket,
                                                  .key = key,
                                                  .time = lst_api_now(exchange),
                                                  .expires = LIFE},
                             &head->url);
    lst_buffer_append_byte(&head->url, '\0');
    if (status == LST_OK) {
        status = lst_buffer_status(&head->url);
    }
    if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
        return false;
    }
    if (!start(head)) {
        lst_http_response_add_number(&exchange->response, "Retry-After", 1);
        lst_api_fail(exchange, 503, "SlowDown",
                     "Too many questions to remotes are under way: try again in a second");
        return false;
    }
    return true;
}

void lst_remote_head_release(struct lst_remote_head *head)
{
    lst_buffer_release(&head->url);
}
