/* share_link.c - the server's API, if it has one, and the link in the end. */
#include "base/clock.h"
#include "cli/presign.h"
#include "cli/share.h"
#include "http/disposition.h"

#include <stdio.h>

enum { EXPIRES_USUAL = 3600, DISPOSITION_MAX = 2048, PATH_MAX_LENGTH = LST_URL_MAX + LST_KEY_MAX };

/* ---- Is it one of ours? */

/* Without the API, a limit would be a promise that nobody keeps. */
static int check_terms(const struct lst_share *share)
{
    char names[LST_LINKS_TERMS_NAMES_MAX];

    lst_links_terms_enforced(&share->terms, names);
    if (names[0] != '\0') {
        lst_report(
            share->usage->command,
            "%s is not a Latchstring server, so that %s can't be enforced: its presigned URLs "
            "work for everybody, as often as they like, until they expire. Nothing was sent; "
            "leave it away to share so",
            share->place.host, names);
        return LST_EXIT_FAILED;
    }
    if (share->terms.expires_seconds > LST_EXPIRES_MAX) {
        return lst_usage_error(share->usage,
                               "--expires: a presigned URL lives %d days at most, except where the "
                               "server is Latchstring's",
                               LST_EXPIRES_MAX / 86400);
    }
    return LST_EXIT_OK;
}

/* Another store answers this question with an error of its own. A redirect, or a proxy that can't
 * reach its server, may hide one of ours. */
static bool is_another_store(const struct lst_client_api_answer *answer)
{
    bool is_hidden = (answer->status >= 300 && answer->status < 400) ||
                     (answer->status >= 502 && answer->status <= 504);

    return answer->outcome == LST_CLIENT_API_FOREIGN && !is_hidden;
}

/* Would the server make the link? Asked before a byte is sent, as an upload may take long. */
static int try_link(struct lst_share *share)
{
    json_t *request =
        lst_links_terms_request(&share->terms, "GET", share->place.bucket, share->place.key);
    struct lst_client_api_answer answer;

    (void)json_object_set_new(request, "dry_run", json_true());
    lst_client_api_call(&share->api, "POST", "links", request, &answer);
    json_decref(answer.json);
    return answer.outcome == LST_CLIENT_API_DONE ? LST_EXIT_OK
                                                 : lst_client_api_report(&share->api, &answer);
}

int lst_share_ask(struct lst_share *share)
{
    struct lst_client_api_answer answer;
    int status;

    if (share->api.host[0] != '\0') {
        lst_client_api_call(&share->api, "GET", "links?limit=1", NULL, &answer);
        json_decref(answer.json);
        if (answer.outcome == LST_CLIENT_API_DONE) {
            share->is_latchstring = true;
            return try_link(share);
        }
        if (!is_another_store(&answer)) {
            return lst_client_api_report(&share->api, &answer);
        }
        if (share->api.token[0] != '\0') {
            lst_report(
                share->usage->command,
                "warning: %s is not a Latchstring server: the token is of no use there, keys "
                "are needed",
                share->api.base);
        }
    }
    status = lst_client_api_take_keys(&share->api);
    return status == LST_EXIT_OK ? check_terms(share) : status;
}

/* ---- A presigned URL, signed here */

static int sign(const struct lst_share *share, struct lst_signing *signing, struct lst_buffer *out)
{
    const struct lst_credentials *credentials = &share->api.settings.credentials;
    struct lst_key key;
    size_t bound;
    size_t length = 0;
    char *text;
    int status = lst_key_init(&key, lst_slice_of(credentials->secret), signing->time,
                              lst_slice_of(share->api.settings.region), LST_SLICE("s3"));

    if (status == LST_OK) {
        bound = lst_presign_bound(signing, &key);
        text = lst_buffer_reserve(out, bound);
        status = text == NULL ? lst_buffer_status(out)
                              : lst_presign(signing, &key, text, bound, &length);
        out->length += length;
    }
    lst_wipe(&key, sizeof(key));
    return status;
}

int lst_share_presign(const struct lst_share *share, struct lst_signing signing,
                      struct lst_buffer *out)
{
    const struct lst_credentials *credentials = &share->api.settings.credentials;
    struct lst_buffer path;
    int status;

    lst_buffer_init(&path, PATH_MAX_LENGTH);
    lst_buffer_append_string(&path, share->place.root);
    lst_buffer_append(&path, share->place.key);
    signing.scheme = lst_slice_of(share->place.scheme);
    signing.host = lst_slice_of(share->place.host);
    signing.key = lst_buffer_slice(&path);
    signing.access_key_id = lst_slice_of(credentials->access_key_id);
    signing.session_token = lst_slice_of(credentials->session_token);
    status = lst_buffer_status(&path);
    if (status == LST_OK) {
        status = sign(share, &signing, out);
    }
    lst_buffer_release(&path);
    return status;
}

/* ---- The link */

/* What is there now is private, and of no use to anybody else: it stays. */
static int report_stored(const struct lst_share *share)
{
    lst_report(share->usage->command,
               "the file is stored, but has no link: make one with `latchstring link create '%s'`",
               share->uri);
    return LST_EXIT_FAILED;
}

static int take_link(const struct lst_share *share, const json_t *json, struct lst_share_link *link)
{
    const char *url = lst_client_text(json, "url");
    const char *short_url = lst_client_text(json, "short_url");

    if ((url[0] == '\0' && short_url[0] == '\0') || strlen(url) >= sizeof(link->url) ||
        strlen(short_url) >= sizeof(link->short_url)) {
        lst_report(share->usage->command, "the server has made a link that is none");
        return report_stored(share);
    }
    memcpy(link->url, url, strlen(url) + 1);
    memcpy(link->short_url, short_url, strlen(short_url) + 1);
    (void)snprintf(link->id, sizeof(link->id), "%s", lst_client_text(json, "id"));
    (void)snprintf(link->expires_at, sizeof(link->expires_at), "%s",
                   lst_client_text(json, "expires_at"));
    return LST_EXIT_OK;
}

static int ask_for_link(struct lst_share *share, struct lst_share_link *link)
{
    struct lst_client_api_answer answer;
    int status;

    lst_client_api_call(
        &share->api, "POST", "links",
        lst_links_terms_request(&share->terms, "GET", share->place.bucket, share->place.key),
        &answer);
    if (answer.outcome != LST_CLIENT_API_DONE) {
        (void)lst_client_api_report(&share->api, &answer);
        return report_stored(share);
    }
    status = take_link(share, answer.json, link);
    json_decref(answer.json);
    return status;
}

static int presign_link(const struct lst_share *share, struct lst_share_link *link)
{
    const struct lst_links_terms *terms = &share->terms;
    int64_t now = lst_clock_now_ms() / 1000;
    int64_t life = terms->expires_seconds > 0 ? (int64_t)terms->expires_seconds : EXPIRES_USUAL;
    char time[LST_ISO8601_LENGTH];
    struct lst_field query = {.name = LST_SLICE("response-content-disposition")};
    struct lst_signing signing = {
        .method = LST_SLICE("GET"), .query = &query, .time = now, .expires = life};
    struct lst_buffer disposition;
    struct lst_buffer url;
    int status = LST_OK;

    lst_buffer_init(&disposition, DISPOSITION_MAX);
    lst_buffer_init(&url, LST_SHARE_URL_MAX);
    if (terms->filename != NULL || terms->is_inline) {
        status = lst_disposition_format(
            terms->is_inline ? "inline" : "attachment",
            lst_slice_of(terms->filename == NULL ? "" : terms->filename), &disposition);
        query.value = lst_buffer_slice(&disposition);
        signing.query_count = 1;
    }
    if (status == LST_OK) {
        status = lst_share_presign(share, signing, &url);
    }
    if (status == LST_OK) {
        memcpy(link->url, url.bytes, url.length);
        link->url[url.length] = '\0';
        lst_clock_format_iso8601((now + life) * 1000, time);
        (void)snprintf(link->expires_at, sizeof(link->expires_at), "%.19sZ", time);
        lst_presign_warn(share->usage->command, &share->api.settings.credentials, now, life, "URL");
    } else {
        lst_report(share->usage->command, "cannot sign the link: %s", lst_error_text(status));
    }
    lst_buffer_release(&disposition);
    lst_buffer_release(&url);
    return status == LST_OK ? LST_EXIT_OK : report_stored(share);
}

int lst_share_make_link(struct lst_share *share, struct lst_share_link *ret_link)
{
    memset(ret_link, 0, sizeof(*ret_link));
    return share->is_latchstring ? ask_for_link(share, ret_link) : presign_link(share, ret_link);
}
