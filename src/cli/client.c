/* client.c - HTTP requests to a server, by libcurl. */
#include "cli/client.h"

#include "api/curl_load.h"
#include "base/error.h"
#include "cli/link.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    CONNECT_SECONDS = 15,
    CALL_SECONDS = 60,
    STALLED_SECONDS = 120,
    SEND_BUFFER = 512 * 1024,
    HEADER_MAX = 16 * 1024,
    HOST_SHOWN_MAX = LST_HOST_MAX + 16,
};

struct lst_client {
    CURL *curl;
    char error[CURL_ERROR_SIZE]; /* libcurl's own words, for a moment */
};

/* One request on its way. */
struct transfer {
    const struct lst_client_request *request;
    struct lst_client_answer *answer;
    uint64_t offset; /* in the file: how far it was read */
    bool is_short;   /* the file had fewer bytes than it should */
    int read_error;  /* errno */
    bool is_stopped;
};

int lst_client_open(struct lst_client **ret_client, const char **ret_reason)
{
    struct lst_client *client = calloc(1, sizeof(*client));
    int status;

    if (client == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    status = lst_curl_load(ret_reason);
    if (status == LST_OK) {
        client->curl = curl_easy_init();
        status = client->curl == NULL ? LST_ERR_NO_MEMORY : LST_OK;
    }
    if (status != LST_OK) {
        free(client);
        return status;
    }
    *ret_client = client;
    return LST_OK;
}

void lst_client_close(struct lst_client *client)
{
    if (client != NULL) {
        curl_easy_cleanup(client->curl);
        free(client);
    }
}

/* ---- What libcurl calls */

static size_t take_answer(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;

    lst_buffer_append(&transfer->answer->body, lst_slice_make(bytes, size * count));
    return lst_buffer_status(&transfer->answer->body) == LST_OK ? size * count : 0;
}

static size_t read_file(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    uint64_t wanted = transfer->request->file_size - transfer->offset;
    ssize_t length;

    wanted = wanted < size * count ? wanted : size * count;
    if (wanted == 0) {
        return 0;
    }
    do {
        length = pread(transfer->request->file, bytes, (size_t)wanted, (off_t)transfer->offset);
    } while (length < 0 && errno == EINTR);
    if (length <= 0) {
        transfer->is_short = length == 0;
        transfer->read_error = length < 0 ? errno : 0;
        return CURL_READFUNC_ABORT;
    }
    transfer->offset += (uint64_t)length;
    return (size_t)length;
}

/* When a kept connection turns out to be closed, the request is sent again on another. */
static int seek_file(void *context, curl_off_t offset, int origin)
{
    struct transfer *transfer = context;

    if (origin != SEEK_SET || offset < 0) {
        return CURL_SEEKFUNC_FAIL;
    }
    transfer->offset = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

static int show_progress(void *context, curl_off_t total_in, curl_off_t in, curl_off_t total_out,
                         curl_off_t out)
{
    struct transfer *transfer = context;

    (void)total_in;
    (void)in;
    (void)total_out;
    transfer->is_stopped =
        !transfer->request->progress(transfer->request->context, out > 0 ? (uint64_t)out : 0);
    return transfer->is_stopped ? 1 : 0;
}

/* ---- What goes wrong, for people */

static const char *authorities(void)
{
    const char *path = getenv("AWS_CA_BUNDLE");

    if (path == NULL || path[0] == '\0') {
        path = getenv("SSL_CERT_FILE");
    }
    return path != NULL && path[0] != '\0' ? path : NULL;
}

/* "https://files.example.com": of the URL what may be shown. */
static void show_host(const char *url, char ret_text[HOST_SHOWN_MAX])
{
    struct lst_link link;

    if (lst_link_parse(lst_slice_of(url), &link)) {
        (void)snprintf(ret_text, HOST_SHOWN_MAX, "%.*s://%s", (int)link.scheme.length,
                       link.scheme.bytes, link.host);
    } else {
        (void)snprintf(ret_text, HOST_SHOWN_MAX, "the server");
    }
}

static void explain_file(const struct transfer *transfer, char *problem)
{
    if (transfer->is_short) {
        (void)lst_problem(problem,
                          "the file became shorter while it was sent: try again when nobody writes "
                          "to it");
    } else {
        (void)lst_problem(problem, "cannot read the file: %s", strerror(transfer->read_error));
    }
}

static void explain_connect(struct lst_client *client, const char *host, char *problem)
{
    long number = 0;

    (void)curl_easy_getinfo(client->curl, CURLINFO_OS_ERRNO, &number);
    (void)lst_problem(problem,
                      "cannot connect to %s%s%s: is the server running, and is the address right?",
                      host, number > 0 ? ": " : "", number > 0 ? strerror((int)number) : "");
}

static void explain(struct lst_client *client, const struct transfer *transfer, CURLcode code)
{
    char *problem = transfer->answer->problem;
    const char *said = client->error[0] != '\0' ? client->error : curl_easy_strerror(code);
    char host[HOST_SHOWN_MAX];

    show_host(transfer->request->url, host);
    if (transfer->is_short || transfer->read_error != 0) {
        explain_file(transfer, problem);
        return;
    }
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        (void)lst_problem(problem, "there is no host of the name in %s: check the endpoint", host);
        break;
    case CURLE_COULDNT_CONNECT:
        explain_connect(client, host, problem);
        break;
    case CURLE_OPERATION_TIMEDOUT:
        (void)lst_problem(problem, "%s takes too long to answer: try again, or check the endpoint",
                          host);
        break;
    case CURLE_PEER_FAILED_VERIFICATION:
        (void)lst_problem(
            problem,
            "the certificate of %s can't be trusted (%s): if it is by an authority of "
            "your own, name that one's file in AWS_CA_BUNDLE",
            host, said);
        break;
    case CURLE_SSL_CACERT_BADFILE:
        (void)lst_problem(problem,
                          "cannot read the certificates in '%s': correct AWS_CA_BUNDLE or "
                          "SSL_CERT_FILE",
                          authorities() != NULL ? authorities() : "/etc/ssl/certs");
        break;
    case CURLE_WRITE_ERROR:
        (void)lst_problem(problem, "%s answers with more than %zu bytes: check the endpoint", host,
                          transfer->request->answer_max);
        break;
    case CURLE_GOT_NOTHING:
        (void)lst_problem(problem,
                          "%s closed the connection without an answer: if the server speaks HTTPS, "
                          "write https:// for http://",
                          host);
        break;
    case CURLE_SSL_CONNECT_ERROR:
        (void)lst_problem(problem,
                          "no TLS connection with %s (%s): if the server speaks plain HTTP, write "
                          "http:// for https://",
                          host, said);
        break;
    default:
        (void)lst_problem(problem, "the request to %s failed: %s", host, said);
        break;
    }
}

/* ---- Sending */

/* Headers hold secrets. */
static void free_headers(struct curl_slist *headers)
{
    for (struct curl_slist *header = headers; header != NULL; header = header->next) {
        lst_wipe(header->data, strlen(header->data));
    }
    curl_slist_free_all(headers);
}

/* NULL: no memory, or a header that is too long. */
static struct curl_slist *make_headers(const struct lst_client_request *request)
{
    struct curl_slist *headers = NULL;
    struct lst_buffer line;

    lst_buffer_init(&line, HEADER_MAX);
    for (size_t i = 0; i <= request->header_count; i++) {
        struct curl_slist *longer = NULL;

        lst_buffer_clear(&line);
        if (i < request->header_count) {
            lst_buffer_append(&line, request->headers[i].name);
            lst_buffer_append_string(&line, ": ");
            lst_buffer_append(&line, request->headers[i].value);
        } else {
            lst_buffer_append_string(&line, "Accept:"); /* libcurl's own is left away */
        }
        lst_buffer_append_byte(&line, '\0');
        if (lst_buffer_status(&line) == LST_OK) {
            longer = curl_slist_append(headers, line.bytes);
            lst_wipe(line.bytes, line.length);
        }
        if (longer == NULL) {
            free_headers(headers);
            headers = NULL;
            break;
        }
        headers = longer;
    }
    lst_buffer_release(&line);
    return headers;
}

#define SET(option, value) ok = ok && curl_easy_setopt(curl, (option), (value)) == CURLE_OK

/* Whom it is sent to. */
static bool set_server(CURL *curl, const struct lst_client_request *request)
{
    bool ok = true;

    SET(CURLOPT_URL, request->url);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (authorities() != NULL) {
        SET(CURLOPT_CAINFO, authorities());
    }
    SET(CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    return ok;
}

static bool set_put(CURL *curl, struct transfer *transfer)
{
    bool ok = true;

    SET(CURLOPT_UPLOAD, 1L);
    SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)transfer->request->file_size);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, (long)SEND_BUFFER);
    SET(CURLOPT_READFUNCTION, read_file);
    SET(CURLOPT_READDATA, transfer);
    SET(CURLOPT_SEEKFUNCTION, seek_file);
    SET(CURLOPT_SEEKDATA, transfer);
    SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
    SET(CURLOPT_LOW_SPEED_TIME, (long)STALLED_SECONDS);
    return ok;
}

/* What is sent, for how long at most, and where the answer goes. */
static bool set_message(CURL *curl, struct transfer *transfer)
{
    const struct lst_client_request *request = transfer->request;
    bool ok = true;

    if (strcmp(request->method, "PUT") == 0) {
        ok = set_put(curl, transfer);
    } else {
        SET(CURLOPT_TIMEOUT, (long)CALL_SECONDS);
        if (strcmp(request->method, "POST") == 0) {
            SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.length);
            SET(CURLOPT_POSTFIELDS, request->body.bytes);
        } else if (strcmp(request->method, "GET") != 0) {
            SET(CURLOPT_CUSTOMREQUEST, request->method);
        }
    }
    if (request->progress != NULL) {
        SET(CURLOPT_NOPROGRESS, 0L);
        SET(CURLOPT_XFERINFOFUNCTION, show_progress);
        SET(CURLOPT_XFERINFODATA, transfer);
    }
    SET(CURLOPT_WRITEFUNCTION, take_answer);
    SET(CURLOPT_WRITEDATA, transfer);
    SET(CURLOPT_USERAGENT, "latchstring/" LST_VERSION);
    return ok;
}

static bool set_options(struct lst_client *client, struct transfer *transfer,
                        struct curl_slist *headers)
{
    CURL *curl = client->curl;
    bool ok = true;

    curl_easy_reset(curl); /* but for its connections */
    SET(CURLOPT_ERRORBUFFER, client->error);
    SET(CURLOPT_HTTPHEADER, headers);
    return ok && set_server(curl, transfer->request) && set_message(curl, transfer);
}

#undef SET

enum lst_client_outcome lst_client_send(struct lst_client *client,
                                        const struct lst_client_request *request,
                                        struct lst_client_answer *ret_answer)
{
    struct transfer transfer = {.request = request, .answer = ret_answer};
    struct curl_slist *headers = make_headers(request);
    CURLcode code = CURLE_OUT_OF_MEMORY;

    ret_answer->status = 0;
    ret_answer->problem[0] = '\0';
    lst_buffer_init(&ret_answer->body, request->answer_max);
    client->error[0] = '\0';
    if (headers != NULL && set_options(client, &transfer, headers)) {
        code = curl_easy_perform(client->curl);
    }
    (void)curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &ret_answer->status);
    if (code == CURLE_SEND_ERROR && ret_answer->status >= 400) {
        code = CURLE_OK; /* refused before all was sent: the answer says why */
    }
    if (code != CURLE_OK && !transfer.is_stopped) {
        explain(client, &transfer, code);
    }
    curl_easy_reset(client->curl); /* it keeps copies of what it was given */
    free_headers(headers);
    if (transfer.is_stopped) {
        return LST_CLIENT_STOPPED;
    }
    return code == CURLE_OK ? LST_CLIENT_ANSWERED : LST_CLIENT_FAILED;
}
