/* link_page.c - the pages of short links. */
#include "api/link_page.h"

#include "api/html.h"
#include "base/encoding.h"

#include <nettle/sha2.h>

static const char style[] =
    ":root{color-scheme:light dark}"
    "body{margin:0;padding:1.5rem 1rem;font:1rem/1.5 system-ui,sans-serif;"
    "color:CanvasText;background:Canvas}"
    "main{max-width:40rem;margin:0 auto}"
    "h1{font-size:1.25rem;overflow-wrap:anywhere;margin:0 0 .5rem}"
    "p{margin:.5rem 0}"
    "form{margin:1.25rem 0}"
    "label{display:block;margin-bottom:.25rem}"
    "input{display:block;box-sizing:border-box;width:100%;max-width:24rem;font:inherit;"
    "padding:.5rem;margin-bottom:1rem}"
    "button{font:inherit;font-weight:600;padding:.625rem 1.5rem;min-height:2.75rem;cursor:pointer}"
    "ul{list-style:none;padding:0}"
    "li{padding:.5rem 0;border-top:1px solid GrayText;overflow-wrap:anywhere}"
    "small{display:block}";

/* ---- Headers */

void lst_link_page_headers(struct lst_api_exchange *exchange)
{
    struct lst_http_response *response = &exchange->response;

    lst_http_response_add(response, "Referrer-Policy", LST_SLICE("no-referrer"));
    lst_http_response_add(response, "X-Robots-Tag", LST_SLICE("noindex, nofollow"));
    lst_http_response_add(response, "Vary", LST_SLICE("Accept"));
}

/* "https://host" of a URL; empty if it has a character that means something in a policy. */
static struct lst_slice origin_of(struct lst_slice url)
{
    size_t scheme = lst_slice_find_slice(url, LST_SLICE("://"));
    struct lst_slice host = lst_slice_after(url, scheme + 3);
    size_t length = lst_slice_find(host, '/');

    for (size_t i = 0; i < length && host.bytes != NULL; i++) {
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]",
                   host.bytes[i]) == NULL) {
            return LST_SLICE("");
        }
    }
    return length == 0 || scheme == url.length ? LST_SLICE("")
                                               : lst_slice_first(url, scheme + 3 + length);
}

/* A browser holds a form's redirect against form-action too. */
static void add_policy(struct lst_http_response *response, struct lst_slice target)
{
    struct lst_slice origin = origin_of(target);
    struct sha256_ctx context;
    uint8_t digest[SHA256_DIGEST_SIZE];
    char hash[LST_BASE64_LENGTH(SHA256_DIGEST_SIZE)];
    struct lst_buffer policy;

    sha256_init(&context);
    sha256_update(&context, sizeof(style) - 1, (const uint8_t *)style);
    sha256_digest(&context, sizeof(digest), digest);
    lst_base64_encode(digest, sizeof(digest), hash);
    lst_buffer_init(&policy, LST_RESPONSE_HEADERS_MAX);
    lst_buffer_append_format(&policy,
                             "default-src 'none'; style-src 'sha256-%.*s'; form-action 'self'%s",
                             (int)sizeof(hash), hash, origin.length == 0 ? "" : " ");
    lst_buffer_append(&policy, origin);
    lst_buffer_append_string(&policy, "; base-uri 'none'; frame-ancestors 'none'");
    if (lst_buffer_status(&policy) == LST_OK) {
        lst_http_response_add(response, "Content-Security-Policy", lst_buffer_slice(&policy));
    } else {
        response->headers.status = lst_buffer_status(&policy); /* no page without all of it */
    }
    lst_http_response_add(response, "X-Frame-Options", LST_SLICE("DENY"));
    lst_buffer_release(&policy);
}

/* ---- Its frame */

void lst_link_page_begin(struct lst_api_exchange *exchange, struct lst_slice title,
                         struct lst_slice target)
{
    struct lst_buffer *page = &exchange->response.body;

    add_policy(&exchange->response, target);
    lst_buffer_append_string(
        page, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
              "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
              "<meta name=\"robots\" content=\"noindex, nofollow\">\n<title>");
    lst_html_text(page, title);
    lst_buffer_append_string(page, "</title>\n<style>");
    lst_buffer_append_string(page, style);
    lst_buffer_append_string(page, "</style>\n</head>\n<body>\n<main>\n<h1><bdi>");
    lst_html_text(page, title);
    lst_buffer_append_string(page, "</bdi></h1>\n");
}

void lst_link_page_end(struct lst_api_exchange *exchange, int status)
{
    struct lst_http_response *response = &exchange->response;

    lst_buffer_append_string(&response->body, "</main>\n</body>\n</html>\n");
    response->status = status;
    response->kind = LST_BODY_BYTES;
    lst_http_response_add(response, "Content-Type", LST_SLICE("text/html; charset=utf-8"));
    lst_link_page_headers(exchange);
    lst_api_answer_end(exchange);
}

void lst_link_page_say(struct lst_api_exchange *exchange, int status, const char *text)
{
    lst_link_page_begin(exchange, lst_slice_of(text), LST_SLICE(""));
    if (status == 403 || status == 404 || status == 410) { /* what no new try will change */
        lst_buffer_append_string(&exchange->response.body,
                                 "<p>Ask the person who sent you the link for a new one.</p>\n");
    }
    lst_link_page_end(exchange, status);
}

/* ---- The button */

struct lst_slice lst_link_shown_name(const struct lst_link *link)
{
    struct lst_slice name = link->filename.length > 0 ? link->filename : link->key;
    size_t end = name.length;

    while (end > 1 && name.bytes[end - 1] == '/') {
        end--;
    }
    for (size_t i = end; i > 0; i--) {
        if (name.bytes[i - 1] == '/') {
            return lst_slice_make(name.bytes + i, end - i);
        }
    }
    return lst_slice_first(name, end);
}

static void write_facts(struct lst_link_opening *opening, struct lst_buffer *page)
{
    const struct lst_link *link = &opening->link;
    uint64_t left = (uint64_t)link->max_uses - opening->used;

    lst_buffer_append_string(page, "<p>");
    if (opening->has_size && link->password.length == 0) {
        lst_html_size(page, opening->size);
        lst_buffer_append_string(page, ". ");
    }
    if (link->max_uses == 1) {
        lst_buffer_append_string(page, "This link can be opened once. ");
    } else if (link->max_uses > 0) {
        lst_buffer_append_format(page, "This link can be opened %llu more time%s. ",
                                 (unsigned long long)left, left == 1 ? "" : "s");
    }
    lst_buffer_append_string(page, "It works until ");
    lst_html_time(page, link->expires);
    lst_buffer_append_string(page, ".</p>\n");
}

void lst_link_page_ask(struct lst_link_opening *opening, int status, const char *problem)
{
    struct lst_api_exchange *exchange = opening->exchange;
    const struct lst_link *link = &opening->link;
    struct lst_buffer *page = &exchange->response.body;
    bool is_locked = link->password.length > 0;
    int64_t now = lst_api_now(exchange);
    struct lst_buffer url;
    int signed_status;

    lst_buffer_init(&url, LST_API_URL_MAX);
    signed_status = lst_link_sign(exchange, &exchange->bearer, link, now, 1, &url);
    if (signed_status == LST_ERR_NOT_FOUND) {
        lst_buffer_clear(&url); /* its remote is gone: whoever presses the button is told */
    } else if (signed_status != LST_OK) { /* the page would not allow where the button leads to */
        lst_buffer_release(&url);
        lst_api_fail_code(exchange, signed_status);
        return;
    }
    /* What a locked link leads to is nobody's business yet. */
    lst_link_page_begin(
        exchange, is_locked ? LST_SLICE("This link needs a password") : lst_link_shown_name(link),
        lst_buffer_slice(&url));
    lst_buffer_release(&url);
    write_facts(opening, page);
    if (problem != NULL) {
        lst_buffer_append_string(page, "<p role=\"alert\"><strong>");
        lst_html_text(page, lst_slice_of(problem));
        lst_buffer_append_string(page, "</strong></p>\n");
    }
    lst_buffer_append_string(page, "<form method=\"post\">\n");
    if (is_locked) {
        lst_buffer_append_string(page,
                                 "<label for=\"password\">Password</label>\n"
                                 "<input id=\"password\" name=\"password\" type=\"password\" "
                                 "maxlength=\"128\" autocomplete=\"off\" required autofocus>\n");
    }
    lst_buffer_append_format(page, "<button>%s</button>\n</form>\n",
                             link->folder || lst_slice_equal(link->disposition, LST_SLICE("inline"))
                                 ? "Open"
                                 : "Download");
    lst_link_page_end(exchange, status);
}
