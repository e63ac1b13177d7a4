/* refusal_advice.c - what to do about a refusal. */
#include "s3/refusal_advice.h"

#include "base/clock.h"
#include "gate/bearer.h"

#include <stdlib.h>

enum {
    MINUTE = 60,
    HOUR = 3600,
    DAY = 86400,
    SLACK = 120,       /* seconds by which two clocks differ anyway */
    SECRET_LENGTH = 40 /* of AWS's secrets and of ours */
};

/* ---- Clocks */

static void append_time(struct lst_buffer *out, int64_t time)
{
    char text[LST_ISO8601_LENGTH];

    lst_clock_format_iso8601(time * 1000, text);
    lst_buffer_append_format(out, "%.19sZ", text);
}

/* "3 hours" */
static void append_span(struct lst_buffer *out, int64_t seconds)
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {{DAY, "day"}, {HOUR, "hour"}, {MINUTE, "minute"}, {1, "second"}};
    size_t i = 0;

    while (units[i].seconds > 1 && seconds < 2 * units[i].seconds && seconds != units[i].seconds) {
        i++;
    }
    seconds = (seconds + units[i].seconds / 2) / units[i].seconds;
    lst_buffer_append_format(out, "%lld %s%s", (long long)seconds, units[i].name,
                             seconds == 1 ? "" : "s");
}

/* A clock that is right, in another time zone than UTC: off by whole or half hours. */
static bool is_time_zone(int64_t seconds)
{
    return seconds > HOUR - SLACK && seconds < DAY && (seconds + SLACK) % (HOUR / 2) < 2 * SLACK;
}

static void append_clock(struct lst_buffer *out, int64_t seconds)
{
    lst_buffer_append_string(
        out, is_time_zone(seconds)
                 ? " A difference of whole or half hours comes from a signer that takes its local "
                   "time for UTC."
                 : " Set the clock of the machine that signs (NTP).");
}

static void advise_on_expiry(const struct lst_auth *auth, int64_t now, struct lst_buffer *out)
{
    int64_t end = auth->time + auth->expires;

    if (auth->kind != LST_AUTH_QUERY) {
        return;
    }
    lst_buffer_append_string(out, "The URL was valid for ");
    append_span(out, auth->expires);
    lst_buffer_append_string(out, ", until ");
    append_time(out, end);
    lst_buffer_append_string(out, ", and by this server's clock that was ");
    append_span(out, now - end > 0 ? now - end : 1);
    lst_buffer_append_string(out, " ago: sign a new one, for a longer time if need be. If it was "
                                  "signed just now, the signer's clock or time zone is wrong.");
}

static void advise_on_clock(const struct lst_auth *auth, int64_t now, struct lst_buffer *out)
{
    int64_t ahead = auth->time - now;
    int64_t seconds = ahead > 0 ? ahead : -ahead;

    lst_buffer_append_string(out, "By its date the request was signed at ");
    append_time(out, auth->time);
    lst_buffer_append_string(out, ", ");
    append_span(out, seconds);
    lst_buffer_append_format(out, " %s this server's clock.", ahead > 0 ? "ahead of" : "behind");
    append_clock(out, seconds);
}

/* ---- Keys and tokens */

static bool is_token(struct lst_slice text)
{
    return lst_slice_starts_with(text, LST_SLICE("lst_")) ||
           lst_slice_starts_with(text, LST_SLICE(LST_CLIENT_PREFIX));
}

#define TOKEN_ADVICE                                                                               \
    "An API token was sent. It opens the API under /-/api/, and no bucket: ask the API for a URL " \
    "(POST /-/api/uploads or /-/api/links), or sign the request with an access key "               \
    "('latchstring user add')."

/* What stands in the Authorization header, behind "Bearer " if that is there. */
static bool has_token(const struct lst_http_request *request)
{
    struct lst_slice header = lst_slice_trim(lst_http_header(request, LST_HEADER_AUTHORIZATION));

    if (lst_slice_starts_with_ignoring_case(header, LST_SLICE("Bearer "))) {
        header = lst_slice_trim(lst_slice_after(header, sizeof("Bearer ") - 1));
    }
    return is_token(header);
}

static void advise_on_scheme(const struct lst_http_request *request, struct lst_buffer *out)
{
    struct lst_slice header = lst_http_header(request, LST_HEADER_AUTHORIZATION);

    if (lst_slice_starts_with_ignoring_case(header, LST_SLICE("Bearer "))) {
        lst_buffer_append_string(out, "A bearer token was sent. S3 requests are signed with an "
                                      "access key (AWS4-HMAC-SHA256), or made by a presigned URL "
                                      "without this header.");
    } else if (lst_slice_starts_with_ignoring_case(header, LST_SLICE("Basic "))) {
        lst_buffer_append_string(out, "A user name and a password were sent. Give the access key "
                                      "and its secret to an S3 client, which signs with them, or "
                                      "use a presigned URL.");
    } else {
        lst_buffer_append_string(out, "The Authorization header must begin with AWS4-HMAC-SHA256: "
                                      "use an S3 client with Signature Version 4, or a presigned "
                                      "URL without this header.");
    }
}

static bool is_base64(struct lst_slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        char byte = text.bytes[i];

        if (!(byte >= 'a' && byte <= 'z') && !(byte >= 'A' && byte <= 'Z') &&
            !(byte >= '0' && byte <= '9') && byte != '+' && byte != '/') {
            return false;
        }
    }
    return true;
}

/* A secret in the place of the access key id. */
static bool is_secret(struct lst_slice text)
{
    return text.length == SECRET_LENGTH && is_base64(text);
}

static void advise_on_unknown_key(const char *access_key_id, struct lst_buffer *out)
{
    struct lst_slice id = lst_slice_of(access_key_id);

    if (is_token(id)) {
        lst_buffer_append_string(out, TOKEN_ADVICE);
    } else if (is_secret(id)) {
        lst_buffer_append_string(out, "The access key id looks like a secret access key: exchange "
                                      "the two where the signer reads them.");
    } else {
        lst_buffer_append_string(
            out, "No user of this server has this access key: it may be a key of AWS or of another "
                 "server, or have been removed. 'latchstring user list' shows the users.");
    }
}

/* The credential of a URL, decoded; empty if there is none, or no room. */
static struct lst_slice decode_credential(const struct lst_auth *auth, char *text, size_t capacity)
{
    size_t length = 0;

    if (auth->kind != LST_AUTH_QUERY) {
        return lst_slice_first(auth->credential, capacity);
    }
    return lst_percent_decode(auth->credential, true, text, capacity, &length) == LST_OK
               ? lst_slice_make(text, length)
               : lst_slice_make(NULL, 0);
}

enum { CREDENTIAL_MAX = LST_ACCESS_KEY_ID_MAX + LST_REGION_MAX + LST_SERVICE_MAX + 64 };

/* Does it begin with a secret, which may have slashes in it? */
static bool begins_with_secret(struct lst_slice credential)
{
    return credential.length > SECRET_LENGTH && credential.bytes[SECRET_LENGTH] == '/' &&
           lst_slice_find(credential, '/') < SECRET_LENGTH &&
           is_secret(lst_slice_first(credential, SECRET_LENGTH));
}

static void advise_on_credential(const struct lst_auth *auth, struct lst_buffer *out)
{
    char text[CREDENTIAL_MAX];
    struct lst_slice credential = decode_credential(auth, text, sizeof(text));
    struct lst_slice id = lst_slice_first(credential, lst_slice_find(credential, '/'));

    if (id.length == 0) {
        return;
    }
    if (lst_slice_trim(id).length < id.length || memchr(id.bytes, '\n', id.length) != NULL ||
        memchr(id.bytes, '\r', id.length) != NULL) {
        lst_buffer_append_string(out, "The access key id has white space or a line end around it: "
                                      "remove it where the signer reads its credentials.");
    } else if (begins_with_secret(credential)) {
        lst_buffer_append_string(out, "The access key id looks like a secret access key: exchange "
                                      "the two where the signer reads them.");
    }
}

const char *lst_s3_shown_key_id(const struct lst_passage *passage)
{
    const struct lst_auth *auth = &passage->auth;
    struct lst_slice id = lst_slice_of(auth->access_key_id);
    char text[CREDENTIAL_MAX];

    if (passage->identity == NULL &&
        (is_token(id) || is_secret(id) ||
         begins_with_secret(decode_credential(auth, text, sizeof(text))))) {
        return "***";
    }
    return auth->access_key_id;
}

/* ---- The rest */

static void advise_on_headers(const struct lst_s3_exchange *exchange, struct lst_buffer *out)
{
    char names[512];
    size_t length = 0;

    lst_headers_not_signed(&exchange->request->message, &exchange->passage.auth, names,
                           sizeof(names), &length);
    lst_buffer_append_format(out,
                             "The client sent '%.*s', which is not signed: leave it out, or sign "
                             "it too, by giving it as a parameter when the request is signed.",
                             (int)length, names);
}

void lst_s3_refusal_advice(const struct lst_s3_exchange *exchange, int code, struct lst_buffer *out)
{
    const struct lst_auth *auth = &exchange->passage.auth;
    const struct lst_rules *rules = exchange->s3->rules;
    bool is_query = auth->kind == LST_AUTH_QUERY;

    if (code == LST_REFUSED_SIGNED_TWICE) {
        lst_buffer_append_string(out, "A presigned URL is all the authorization that there is: "
                                      "send it without the Authorization header, which HTTP "
                                      "clients add if it is among their defaults.");
    } else if (has_token(exchange->request)) {
        lst_buffer_append_string(out, TOKEN_ADVICE);
    } else if (code == LST_REFUSED_NOT_SIGNED) {
        lst_buffer_append_string(out, "The request is not signed, and nothing here is public: use "
                                      "a presigned URL, whole, or an S3 client with an access "
                                      "key.");
    } else if (code == LST_REFUSED_UNKNOWN_SCHEME) {
        advise_on_scheme(exchange->request, out);
    } else if (code == LST_REFUSED_ACCESS_KEY_UNKNOWN) {
        advise_on_unknown_key(auth->access_key_id, out);
    } else if (code == LST_REFUSED_CREDENTIAL || code == LST_REFUSED_SCOPE_DATE ||
               code == LST_REFUSED_SCOPE_TERMINATOR) {
        advise_on_credential(auth, out);
    } else if (code == LST_REFUSED_TOKEN_INVALID) {
        lst_buffer_append_format(
            out,
            "The %s has a session token (X-Amz-Security-Token), and this server gives out none: "
            "sign with an access key alone. AWS_SESSION_TOKEN may be left over in the environment.",
            is_query ? "URL" : "request");
    } else if (code == LST_REFUSED_SCOPE_REGION) {
        lst_buffer_append_format(out,
                                 "Sign for the region '%.*s', which this server is set to: "
                                 "region_name in boto3, AWS_REGION in the environment.",
                                 (int)rules->region.length, rules->region.bytes);
    } else if (code == LST_REFUSED_EXPIRED) {
        advise_on_expiry(auth, exchange->passage.now, out);
    } else if (code == LST_REFUSED_NOT_YET_VALID || code == LST_REFUSED_TIME_TOO_SKEWED) {
        advise_on_clock(auth, exchange->passage.now, out);
    } else if (code == LST_REFUSED_HEADERS_NOT_SIGNED) {
        advise_on_headers(exchange, out);
    }
}

/* ---- Style */

static int see_bucket(void *context, const struct lst_bucket *bucket)
{
    (void)context;
    (void)bucket;
    return LST_OK;
}

void lst_s3_style_advice(const struct lst_s3_exchange *exchange, struct lst_buffer *out)
{
    struct lst_slice host = exchange->passage.host;
    struct lst_slice label = lst_slice_first(host, lst_slice_find(host, '.'));
    struct lst_slice domain = lst_slice_after(host, label.length + 1);

    domain = lst_slice_first(domain, lst_slice_find(domain, ':'));
    if (exchange->passage.identity == NULL || exchange->target.is_virtual_host ||
        domain.length == 0 ||
        lst_store_bucket(exchange->s3->options.store, label, see_bucket, NULL) != LST_OK) {
        return;
    }
    lst_buffer_append_format(
        out,
        "The bucket was looked for in the path, but stands in the host: '%.*s'. Sign and send in "
        "path style (boto3: s3={'addressing_style': 'path'}), or start the server with --domain "
        "%.*s.",
        (int)host.length, host.bytes, (int)domain.length, domain.bytes);
}
