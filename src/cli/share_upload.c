/* share_upload.c - put the file there, whole or not at all. */
#include "base/clock.h"
#include "cli/share.h"
#include "cli/share_bar.h"
#include "s3/xml_read.h"

#include <signal.h>
#include <stdio.h>

enum {
    URL_LIFE = 900, /* seconds in which the upload must begin */
    ANSWER_MAX = 64 * 1024,
    HEADERS_MAX = 2,
    ERROR_TEXT_MAX = 400,
    XML_TEXT_MAX = 16 * 1024,
};

struct upload {
    struct lst_share *share;
    struct lst_field headers[HEADERS_MAX];
    size_t header_count;
    struct lst_buffer url; /* ends in NUL */
    struct lst_share_bar bar;
    uint64_t sent;
};

/* ---- Interruption */

static volatile sig_atomic_t interrupted_by;
static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
enum { SIGNAL_COUNT = sizeof(signals) / sizeof(signals[0]) };

static void interrupt(int number)
{
    interrupted_by = number;
}

/* The second one ends the process on the spot. What is ignored (nohup) stays ignored. */
static void catch_signals(struct sigaction old[SIGNAL_COUNT])
{
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};

    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        (void)sigaction(signals[i], NULL, &old[i]);
        if (old[i].sa_handler != SIG_IGN) {
            (void)sigaction(signals[i], &action, NULL);
        }
    }
}

static void release_signals(const struct sigaction old[SIGNAL_COUNT])
{
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        (void)sigaction(signals[i], &old[i], NULL);
    }
}

/* The server drops what has not come whole. */
static int end_interrupted(const struct upload *upload)
{
    struct lst_share *share = upload->share;

    if (upload->sent < (uint64_t)share->size) {
        lst_report(share->usage->command, "interrupted: nothing is stored");
    } else {
        lst_report(share->usage->command,
                   "interrupted at the last moment: the file may be stored as %s, without a link",
                   share->uri);
    }
    lst_client_api_close(&share->api);
    (void)raise(interrupted_by); /* its usual action again: shells look for this */
    return LST_EXIT_FAILED;
}

static bool show(void *context, uint64_t sent)
{
    struct upload *upload = context;

    upload->sent = sent;
    lst_share_bar_show(&upload->bar, sent);
    return interrupted_by == 0;
}

/* ---- The URL */

/* Who has only a token asks the server for a URL; it works once. */
static int ask_for_url(struct upload *upload)
{
    struct lst_share *share = upload->share;
    struct lst_links_terms terms = {.expires_seconds = URL_LIFE, .uses = 1};
    struct lst_client_api_answer answer;

    lst_client_api_call(
        &share->api, "POST", "links",
        lst_links_terms_request(&terms, "PUT", share->place.bucket, share->place.key), &answer);
    if (answer.outcome != LST_CLIENT_API_DONE) {
        return lst_client_api_report(&share->api, &answer);
    }
    lst_buffer_append_string(&upload->url, lst_client_text(answer.json, "url"));
    json_decref(answer.json);
    return LST_EXIT_OK;
}

static int sign_url(struct upload *upload)
{
    struct lst_signing signing = {.method = LST_SLICE("PUT"),
                                  .headers = upload->headers,
                                  .header_count = upload->header_count,
                                  .time = lst_clock_now_ms() / 1000,
                                  .expires = URL_LIFE};
    int status = lst_share_presign(upload->share, signing, &upload->url);

    if (status != LST_OK) {
        lst_report(upload->share->usage->command, "cannot sign the upload: %s",
                   lst_error_text(status));
        return LST_EXIT_FAILED;
    }
    return LST_EXIT_OK;
}

static int make_url(struct upload *upload)
{
    struct lst_share *share = upload->share;
    int status;

    upload->headers[upload->header_count++] =
        (struct lst_field){LST_SLICE("Content-Type"), lst_slice_of(share->type)};
    if (!share->replace) {
        upload->headers[upload->header_count++] =
            (struct lst_field){LST_SLICE("If-None-Match"), LST_SLICE("*")};
    }
    status = share->api.token[0] != '\0' ? ask_for_url(upload) : sign_url(upload);
    lst_buffer_append_byte(&upload->url, '\0');
    if (status == LST_EXIT_OK && lst_buffer_status(&upload->url) != LST_OK) {
        lst_report(share->usage->command, "the URL to send it to is too long");
        status = LST_EXIT_FAILED;
    }
    return status;
}

/* ---- The answer */

/* An S3 error. */
struct refusal {
    char code[ERROR_TEXT_MAX];
    char message[ERROR_TEXT_MAX];
};

static int take_element(void *context, const char *path, struct lst_slice text)
{
    struct refusal *refusal = context;
    char *into = strcmp(path, "Error/Code") == 0      ? refusal->code
                 : strcmp(path, "Error/Message") == 0 ? refusal->message
                                                      : NULL;

    if (into != NULL) {
        (void)snprintf(into, ERROR_TEXT_MAX, "%.*s", (int)text.length,
                       text.length == 0 ? "" : text.bytes);
    }
    return LST_OK;
}

static int report_refusal(const struct lst_share *share, const struct lst_client_answer *answer)
{
    const char *command = share->usage->command;
    const char *host = share->place.host;
    struct refusal refusal = {0};
    char text[LST_PROBLEM_MAX];

    if (lst_xml_read(lst_buffer_slice(&answer->body), XML_TEXT_MAX, take_element, &refusal) !=
        LST_OK) {
        refusal = (struct refusal){0};
    }
    if (answer->status == 412) {
        lst_report(command, "%s is there already: give --replace to put this file into its place",
                   share->uri);
    } else if (strcmp(refusal.code, "NoSuchBucket") == 0) {
        lst_report(command, "there is no bucket '%.*s' at %s: name another, or make it first",
                   (int)share->place.bucket.length, share->place.bucket.bytes, host);
    } else if (answer->status == 501 && !share->replace) {
        lst_report(command,
                   "%s can't promise that nothing is replaced: give --replace to go without that",
                   host);
    } else if (refusal.code[0] != '\0') {
        (void)lst_problem(text, "%s refuses to store it: %s (%s)", host, refusal.message,
                          refusal.code);
        lst_report(command, "%s", text);
    } else {
        lst_report(command,
                   "%s does not answer as a store does (HTTP status %ld): check the "
                   "endpoint",
                   host, answer->status);
    }
    return LST_EXIT_FAILED;
}

/* ---- All of it */

static int send_file(struct upload *upload)
{
    struct lst_share *share = upload->share;
    struct lst_client_request request = {.method = "PUT",
                                         .url = upload->url.bytes,
                                         .headers = upload->headers,
                                         .header_count = upload->header_count,
                                         .file = share->file,
                                         .file_size = (uint64_t)share->size,
                                         .answer_max = ANSWER_MAX,
                                         .progress = show,
                                         .context = upload};
    struct lst_client_answer answer;
    struct sigaction old[SIGNAL_COUNT];
    enum lst_client_outcome outcome;
    int status = LST_EXIT_FAILED;

    lst_share_bar_begin(&upload->bar, (uint64_t)share->size, true);
    catch_signals(old);
    outcome = lst_client_send(share->api.client, &request, &answer);
    release_signals(old);
    lst_share_bar_end(&upload->bar);
    if (outcome == LST_CLIENT_ANSWERED && answer.status == 200) {
        upload->sent = (uint64_t)share->size;
    }
    if (interrupted_by != 0) {
        status = end_interrupted(upload);
    } else if (outcome == LST_CLIENT_FAILED) {
        lst_report(share->usage->command, "%s", answer.problem);
    } else if (answer.status == 200) {
        status = LST_EXIT_OK;
    } else {
        status = report_refusal(share, &answer);
    }
    lst_buffer_release(&answer.body);
    return status;
}

int lst_share_upload(struct lst_share *share)
{
    struct upload upload = {.share = share};
    int status;

    lst_buffer_init(&upload.url, LST_SHARE_URL_MAX);
    status = make_url(&upload);
    if (status == LST_EXIT_OK) {
        status = send_file(&upload);
    }
    lst_buffer_release(&upload.url);
    return status;
}
