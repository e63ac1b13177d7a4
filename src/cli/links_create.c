/* links_create.c - `latchstring link create` */
#include "base/slice.h"
#include "cli/client_api.h"
#include "cli/directory.h"
#include "cli/links_internal.h"
#include "cli/links_terms.h"
#include "cli/place.h"

#include <ctype.h>
#include <stdio.h>

struct creation {
    const struct lst_usage *usage;
    struct lst_client_options server;
    struct lst_links_terms terms;
    const char *method;
    bool folder;
    bool stable;
    bool want_short;
    bool json;
};

/* "s3://photos/cat.jpg" in its two parts. */
static bool take_object(const struct lst_usage *usage, const char *uri,
                        struct lst_slice *ret_bucket, struct lst_slice *ret_key)
{
    struct lst_slice rest = lst_slice_of(uri);

    if (lst_slice_starts_with(rest, LST_SLICE("s3://"))) {
        rest = lst_slice_after(rest, 5);
    }
    (void)lst_slice_split(&rest, '/', ret_bucket);
    *ret_key = rest;
    if (ret_bucket->length == 0 || ret_key->length == 0 || ret_key->length > LST_KEY_MAX ||
        lst_slice_find_slice(*ret_bucket, LST_SLICE(":")) < ret_bucket->length ||
        !lst_slice_is_utf8(*ret_key)) {
        (void)lst_usage_error(usage, "'%s' is not of the form s3://BUCKET/KEY", uri);
        return false;
    }
    return lst_place_bucket(usage, *ret_bucket);
}

static bool take_method(const struct creation *creation, char ret_method[8])
{
    const char *given = creation->method != NULL ? creation->method : "GET";
    size_t length = strlen(given);

    for (size_t i = 0; i <= length && i < 7; i++) {
        ret_method[i] = (char)toupper((unsigned char)given[i]);
        ret_method[i + 1] = '\0';
    }
    if (strcmp(ret_method, "GET") != 0 && strcmp(ret_method, "HEAD") != 0 &&
        strcmp(ret_method, "PUT") != 0) {
        (void)lst_usage_error(creation->usage, "--method must be GET, HEAD or PUT, not '%s'",
                              given);
        return false;
    }
    if (creation->want_short && strcmp(ret_method, "PUT") == 0) {
        (void)lst_usage_error(creation->usage,
                              "a link for PUT has no short URL: leave --short away");
        return false;
    }
    if (strcmp(ret_method, "GET") != 0 &&
        (creation->terms.head || creation->terms.filename != NULL || creation->terms.is_inline ||
         creation->terms.password_stdin || creation->folder || creation->stable)) {
        (void)lst_usage_error(creation->usage,
                              "--head, --filename, --inline, --password-stdin, --folder and "
                              "--stable go with a link for GET only");
        return false;
    }
    return true;
}

static int print_link(const struct creation *creation, json_t *link)
{
    const char *url = lst_client_text(link, creation->want_short ? "short_url" : "url");

    if (url[0] == '\0') { /* a password, or a folder, is the short link's alone */
        url = lst_client_text(link, "short_url");
    }

    if (url[0] == '\0') {
        json_decref(link);
        lst_report(creation->usage->command, "the server made a link and gave no URL for it");
        return LST_EXIT_FAILED;
    }
    if (!creation->json) {
        (void)lst_client_print(url);
        printf("\n");
        json_decref(link);
        return LST_EXIT_OK;
    }
    return lst_directory_print(creation->usage, link);
}

static int create(struct creation *creation, struct lst_client_api *api, const char *uri)
{
    struct lst_client_api_answer answer;
    json_t *request;
    struct lst_slice bucket;
    struct lst_slice key;
    char method[8];
    int status;

    if (!lst_links_terms_check(creation->usage, &creation->terms) ||
        !take_method(creation, method) || !take_object(creation->usage, uri, &bucket, &key)) {
        return LST_EXIT_USAGE;
    }
    status = lst_client_api_connect(creation->usage, &creation->server, api);
    if (status != LST_EXIT_OK) {
        return status;
    }
    request = lst_links_terms_request(&creation->terms, method, bucket, key);
    if (creation->folder) {
        (void)json_object_set_new(request, "folder", json_true());
    }
    if (creation->stable) {
        (void)json_object_set_new(request, "stable", json_true());
    }
    lst_client_api_call(api, "POST", "links", request, &answer);
    return answer.outcome == LST_CLIENT_API_DONE ? print_link(creation, answer.json)
                                                 : lst_client_api_report(api, &answer);
}

int lst_links_command_create(int argument_count, char **arguments)
{
    struct creation creation = {0};
    const struct lst_option options[] = {
        LST_LINKS_TERMS_OPTIONS(creation.terms),
        {"method", "METHOD", "method that the link allows: GET (the default), HEAD or PUT",
         .text = &creation.method},
        {"folder", NULL,
         "link to a folder: KEY ends with a slash, and a page lists the files under it",
         .flag = &creation.folder},
        {"stable", NULL,
         "give everybody the same URL for a quarter of its lifetime, so that browsers can cache "
         "it; it can't be revoked",
         .flag = &creation.stable},
        LST_CLIENT_OPTIONS(creation.server),
        {.help = "Output"},
        {"short", NULL, "print the short URL, which redirects, instead of the presigned one",
         .flag = &creation.want_short},
        {"json", NULL, "print JSON, with both URLs and the link's id", .flag = &creation.json},
    };
    const struct lst_usage usage = {
        .command = "link create",
        .synopsis = "[OPTION]... s3://BUCKET/KEY",
        .summary = "Create a link to one object, which need not exist yet, or to a folder. Prints "
                   "the presigned URL, which programs can use as it is; for a folder or with a "
                   "password, prints the short URL.",
        .examples =
            "  latchstring link create s3://photos/cat.jpg --expires 2d\n"
            "  latchstring link create s3://photos/cat.jpg --max-uses 1 --short\n"
            "  latchstring link create s3://photos/new.jpg --method PUT --ip 203.0.113.0/24\n",
        LST_OPTIONS(options)};
    struct lst_client_api api = {0};
    struct lst_operands operands;
    int status;

    if (!lst_options_parse(&usage, argument_count, arguments, &operands, &status)) {
        return status;
    }
    if (operands.count != 1) {
        return lst_usage_error(&usage, "give one object, as s3://BUCKET/KEY");
    }
    creation.usage = &usage;
    status = create(&creation, &api, operands.values[0]);
    lst_links_terms_release(&creation.terms);
    lst_client_api_close(&api);
    return status;
}
