/*
 * link_folder.c - a short link to a folder: the page that lists it, and the way to each file. All
 * files at once are link_zip.c's.
 *
 * Each file's own link goes through the short link again, `?file=NAME`, and so it is good as long
 * as that is. If the link has a password, the page's links carry a pass: until when it is good, and
 * a code that only this server can make.
 */
#include "api/html.h"
#include "api/link_page.h"
#include "base/clock.h"
#include "base/encoding.h"

#include <nettle/hmac.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    PAGE_MAX = 200, /* files on a page */
    KEY_MAX = 1024,
    PASS_LIFE = 3600, /* seconds */
    CODE_BYTES = 16,
    CODE = 2 * CODE_BYTES,
    PASS_MAX = 24 + CODE,
};

/* ---- The pass */

static void make_code(const struct lst_link_opening *opening, int64_t expires, char ret_code[CODE])
{
    const struct lst_api *api = opening->exchange->api;
    struct hmac_sha256_ctx context;
    uint8_t digest[CODE_BYTES];
    char text[64 + LST_LINK_ID_LENGTH];

    (void)snprintf(text, sizeof(text), "folder pass:%s:%lld", opening->link.id, (long long)expires);
    hmac_sha256_set_key(&context, sizeof(api->secret), api->secret);
    hmac_sha256_update(&context, strlen(text), (const uint8_t *)text);
    hmac_sha256_digest(&context, sizeof(digest), digest);
    lst_hex_encode(digest, sizeof(digest), ret_code);
    lst_wipe(&context, sizeof(context));
}

static void make_pass(const struct lst_link_opening *opening, char ret_pass[PASS_MAX + 1])
{
    int64_t expires = lst_api_now(opening->exchange) + PASS_LIFE;
    char code[CODE];

    make_code(opening, expires, code);
    (void)snprintf(ret_pass, PASS_MAX + 1, "%lld-%.*s", (long long)expires, CODE, code);
}

bool lst_link_has_pass(const struct lst_link_opening *opening)
{
    char *pass = NULL;
    char *end = NULL;
    long long expires;
    char code[CODE];
    bool is_good;

    /* Without it the password is asked for. */
    if (lst_api_parameter_read(opening->exchange, LST_PARAMETER_PASS, &pass) != LST_OK) {
        return false;
    }
    expires = pass == NULL ? 0 : strtoll(pass, &end, 10);
    is_good = opening->link.folder && pass != NULL && *end == '-' &&
              expires > lst_api_now(opening->exchange);

    if (is_good) {
        make_code(opening, expires, code);
        is_good = lst_equal_secret(lst_slice_of(end + 1), lst_slice_make(code, CODE));
    }
    free(pass);
    return is_good;
}

/* ---- One file */

static void open_file(struct lst_link_opening *opening, const char *name)
{
    struct lst_link *link = &opening->link;
    struct lst_slice folder = link->key;
    size_t length = strlen(name);
    struct lst_object_name wanted = {.bucket = link->bucket};
    struct lst_object object;
    char key[KEY_MAX];
    int status = LST_ERR_KEY_NOT_FOUND;

    if (length > 0 && folder.length + length <= sizeof(key)) {
        memcpy(key, folder.bytes, folder.length);
        memcpy(key + folder.length, name, length);
        wanted.key = lst_slice_make(key, folder.length + length);
        status = lst_object_open(opening->exchange->api->options.store, &wanted, false, &object);
    }
    if (status == LST_ERR_KEY_NOT_FOUND || status == LST_ERR_BUCKET_NOT_FOUND ||
        status == LST_ERR_DELETE_MARKER) {
        lst_link_refuse(opening->exchange, 404, "NoSuchKey", "The file is not there.");
        return;
    }
    if (status != LST_OK) {
        lst_api_fail_code(opening->exchange, status);
        return;
    }
    lst_object_close(&object);
    link->key = wanted.key;
    lst_link_redirect(opening);
    link->key = folder;
}

/* ---- The list */

struct listing {
    struct lst_link_opening *opening;
    struct lst_buffer *page; /* NULL: for a program */
    json_t *files;
    char pass[PASS_MAX + 1]; /* empty: none is needed */
    char last[KEY_MAX];      /* of the names that were shown */
    size_t last_length;
    size_t count;
};

static void append_address(const struct listing *listing, struct lst_buffer *out,
                           const char *parameter, struct lst_slice name, const char *separator)
{
    lst_buffer_append_format(out, "?%s=", parameter);
    lst_html_query_value(out, name);
    if (listing->pass[0] != '\0') {
        lst_buffer_append_format(out, "%spass=%s", separator, listing->pass);
    }
}

static int add_to_page(struct listing *listing, struct lst_slice name,
                       const struct lst_list_entry *entry)
{
    struct lst_buffer *page = listing->page;

    lst_buffer_append_string(page, "<li><a href=\"");
    append_address(listing, page, "file", name, "&amp;");
    lst_buffer_append_string(page, "\"><bdi>");
    lst_html_text(page, name);
    lst_buffer_append_string(page, "</bdi></a><small>");
    lst_html_size(page, entry->size);
    lst_buffer_append_string(page, ", ");
    lst_html_time(page, lst_clock_whole_seconds(entry->modified_ms));
    lst_buffer_append_string(page, "</small></li>\n");
    return lst_buffer_status(page);
}

/* "https://host/-/l/ID?file=NAME" */
static json_t *json_address(const struct listing *listing, const char *parameter,
                            struct lst_slice value)
{
    struct lst_buffer url;
    json_t *json = NULL;

    lst_buffer_init(&url, LST_API_URL_MAX);
    lst_api_base_url(listing->opening->exchange, &url);
    lst_buffer_append_string(&url, LST_LINKS_PATH);
    lst_buffer_append_string(&url, listing->opening->link.id);
    append_address(listing, &url, parameter, value, "&");
    if (lst_buffer_status(&url) == LST_OK) {
        json = lst_api_json_slice(lst_buffer_slice(&url));
    }
    lst_buffer_release(&url);
    return json;
}

static int add_to_json(struct listing *listing, struct lst_slice name,
                       const struct lst_list_entry *entry)
{
    json_t *file = json_pack("{s:o, s:I, s:o, s:o}", "name", lst_api_json_slice(name), "size",
                             (json_int_t)entry->size, "modified_at",
                             lst_api_json_time(lst_clock_whole_seconds(entry->modified_ms)), "url",
                             json_address(listing, "file", name));

    return json_array_append_new(listing->files, file) == 0 ? LST_OK : LST_ERR_NO_MEMORY;
}

static int add_file(void *context, const struct lst_list_entry *entry)
{
    struct listing *listing = context;
    struct lst_slice name = lst_slice_after(entry->key, listing->opening->link.key.length);

    if (name.length == 0 || name.bytes == NULL || name.length > sizeof(listing->last)) {
        return LST_OK; /* what stands for the folder itself */
    }
    memcpy(listing->last, name.bytes, name.length);
    listing->last_length = name.length;
    listing->count++;
    return listing->page != NULL ? add_to_page(listing, name, entry)
                                 : add_to_json(listing, name, entry);
}

static int list(struct listing *listing, bool *ret_truncated)
{
    const struct lst_link *link = &listing->opening->link;
    char *after;
    size_t length;
    char start[2 * KEY_MAX];
    struct lst_list_options options = {
        .bucket = link->bucket, .prefix = link->key, .max_entries = PAGE_MAX};
    int status = lst_api_parameter_read(listing->opening->exchange, LST_PARAMETER_AFTER, &after);

    if (status != LST_OK) {
        return status;
    }
    length = after == NULL ? 0 : strlen(after);
    if (length > 0 && link->key.length + length <= sizeof(start)) {
        memcpy(start, link->key.bytes, link->key.length);
        memcpy(start + link->key.length, after, length);
        options.after = lst_slice_make(start, link->key.length + length);
    }
    free(after);
    return lst_store_list(listing->opening->exchange->api->options.store, &options, add_file,
                          listing, ret_truncated);
}

static void show_page(struct listing *listing)
{
    struct lst_api_exchange *exchange = listing->opening->exchange;
    struct lst_buffer *page = &exchange->response.body;
    bool is_truncated = false;
    int status;

    listing->page = page;
    lst_link_page_begin(exchange, lst_link_shown_name(&listing->opening->link), LST_SLICE(""));
    lst_buffer_append_string(page, "<p>This link works until ");
    lst_html_time(page, listing->opening->link.expires);
    lst_buffer_append_string(page, ".</p>\n<ul>\n");
    status = list(listing, &is_truncated);
    lst_buffer_append_string(page, "</ul>\n");
    if (listing->count == 0) {
        lst_buffer_append_string(page, "<p>There are no files here.</p>\n");
    } else {
        lst_buffer_append_string(page, "<p><a download href=\"");
        append_address(listing, page, "zip", LST_SLICE("1"), "&amp;");
        lst_buffer_append_string(page, "\">Download all files (ZIP)</a></p>\n");
    }
    if (is_truncated) {
        lst_buffer_append_string(page, "<p><a rel=\"next\" href=\"");
        append_address(listing, page, "after", lst_slice_make(listing->last, listing->last_length),
                       "&amp;");
        lst_buffer_append_string(page, "\">More files</a></p>\n");
    }
    if (status != LST_OK) {
        lst_http_response_remove(&exchange->response, "Content-Security-Policy");
        lst_api_fail_code(exchange, status);
        return;
    }
    lst_link_page_end(exchange, 200);
}

static void show_json(struct listing *listing)
{
    struct lst_api_exchange *exchange = listing->opening->exchange;
    bool is_truncated = false;
    json_t *answer;
    int status;

    listing->files = json_array();
    status = list(listing, &is_truncated);
    answer = json_pack("{s:o, s:o, s:o}", "files", listing->files, "next",
                       is_truncated
                           ? lst_api_json_slice(lst_slice_make(listing->last, listing->last_length))
                           : json_null(),
                       "zip_url", json_address(listing, "zip", LST_SLICE("1")));
    if (status != LST_OK) {
        json_decref(answer);
        lst_api_fail_code(exchange, status);
        return;
    }
    lst_link_page_headers(exchange);
    lst_api_answer(exchange, 200, answer);
}

/* ?zip=1 asks for the archive, ?zip=0 for the list, as an address without it does. False: it is
 * neither, and the exchange has been answered. */
static bool read_zip(struct lst_link_opening *opening, bool *ret_is_wanted)
{
    struct lst_api_exchange *exchange = opening->exchange;
    char *text = NULL;
    bool is_known;

    if (!lst_api_parameter(exchange, LST_PARAMETER_ZIP, &text)) {
        return false;
    }
    *ret_is_wanted = text != NULL && strcmp(text, "1") == 0;
    is_known = text == NULL || *ret_is_wanted || strcmp(text, "0") == 0;
    free(text);
    if (!is_known) {
        lst_link_refuse(exchange, 400, "InvalidArgument",
                        "The address is wrong: zip must be 1 (all files as one ZIP archive) or 0 "
                        "(the list of files).");
    }
    return is_known;
}

void lst_link_folder(struct lst_link_opening *opening)
{
    struct lst_api_exchange *exchange = opening->exchange;
    bool wants_zip = false;
    char *name = NULL;
    struct listing listing = {.opening = opening};

    if (!opening->is_post && !read_zip(opening, &wants_zip)) {
        return;
    }
    if (wants_zip) {
        lst_link_zip(opening);
        return;
    }
    if (!opening->is_post && !lst_api_parameter(exchange, LST_PARAMETER_FILE, &name)) {
        return;
    }
    if (name != NULL) {
        open_file(opening, name);
        free(name);
        return;
    }
    if (opening->link.password.length > 0) {
        make_pass(opening, listing.pass);
    }
    if (opening->reader == LST_LINK_PROGRAM) {
        show_json(&listing);
    } else {
        show_page(&listing);
    }
}
