/* share.c - `latchstring share`: put a file into a bucket, and get a link to it. */
#include "cli/share.h"

#include "cli/command.h"
#include "cli/directory.h"
#include "cli/json.h"
#include "cli/share_bar.h"
#include "cli/share_code.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TARGET_VARIABLE "LATCHSTRING_SHARE"

struct output {
    bool full; /* the presigned URL, also where there is a short one */
    bool json;
    bool code;
    bool no_code;
};

/* ---- What is shown */

static bool fits_terminal(unsigned columns)
{
    struct winsize size = {0};

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 ||
           size.ws_col >= columns;
}

static void print_code(const struct lst_share *share, const struct output *output, const char *url)
{
    bool is_wanted = output->code || (!output->no_code && isatty(STDOUT_FILENO) == 1);
    const char *reason;
    unsigned columns;

    if (!is_wanted) {
        return;
    }
    if (lst_share_code_load(&reason) != LST_OK) {
        lst_report(share->usage->command,
                   "no QR code: cannot load libqrencode (%s): install it (in Debian: "
                   "libqrencode4)",
                   reason);
        return;
    }
    columns = lst_share_code_width(url);
    if (!output->code && !fits_terminal(columns)) {
        lst_report(share->usage->command,
                   "its QR code needs %u columns: widen the terminal, or see --qr", columns);
    } else if (!lst_share_code_print(url)) {
        lst_report(share->usage->command, "the link is too long for a QR code");
    }
}

static int print_json(const struct lst_share *share, const struct lst_share_link *link)
{
    json_t *json =
        json_pack("{s:o, s:o, s:I, s:s, s:s}", "bucket", lst_json_text(share->place.bucket), "key",
                  lst_json_text(share->place.key), "size", (json_int_t)share->size, "type",
                  share->type, "expires_at", link->expires_at);

    if (link->url[0] != '\0') {
        (void)json_object_set_new(json, "url", json_string(link->url));
    }

    if (link->id[0] != '\0') {
        (void)json_object_set_new(json, "id", json_string(link->id));
    }
    if (link->short_url[0] != '\0') {
        (void)json_object_set_new(json, "short_url", json_string(link->short_url));
    }
    return lst_directory_print(share->usage, json);
}

static int print_link(const struct lst_share *share, const struct output *output,
                      const struct lst_share_link *link)
{
    const char *url = !output->full && link->short_url[0] != '\0' ? link->short_url : link->url;
    char amount[LST_SHARE_AMOUNT_MAX];

    if (output->json) {
        return print_json(share, link);
    }
    (void)lst_client_print(url);
    printf("\n");
    print_code(share, output, url);
    if (isatty(STDERR_FILENO) == 1) {
        lst_share_amount((uint64_t)share->size, amount);
        lst_report(share->usage->command, "%s, %s, %s, until %s", share->uri, amount, share->type,
                   link->expires_at);
    }
    return LST_EXIT_OK;
}

/* ---- All of it */

static int share_file(struct lst_share *share, const struct output *output, const char *target)
{
    struct lst_share_link link;
    int status = lst_share_open(share);

    if (status == LST_EXIT_OK) {
        status = lst_client_api_open(share->usage, &share->server, &share->api);
    }
    if (status == LST_EXIT_OK) {
        status = lst_share_place(share, target);
    }
    if (status == LST_EXIT_OK) {
        status = lst_share_ask(share);
    }
    if (status == LST_EXIT_OK) {
        status = lst_share_upload(share);
    }
    if (status == LST_EXIT_OK) {
        status = lst_share_make_link(share, &link);
    }
    return status == LST_EXIT_OK ? print_link(share, output, &link) : status;
}

static int check(struct lst_share *share, const struct output *output, const char *target)
{
    if (target == NULL || target[0] == '\0') {
        return lst_usage_error(share->usage,
                               "where to? Name a bucket, as s3://photos, or set " TARGET_VARIABLE
                               " to one");
    }
    if (output->full && share->terms.password_stdin) {
        return lst_usage_error(share->usage,
                               "choose one of --full and --password-stdin: a presigned URL asks "
                               "nobody for a password");
    }
    if (output->code && output->no_code) {
        return lst_usage_error(share->usage, "choose one of --qr and --no-qr");
    }
    if (output->code && output->json) {
        return lst_usage_error(share->usage, "choose one of --qr and --json");
    }
    return lst_links_terms_check(share->usage, &share->terms) ? LST_EXIT_OK : LST_EXIT_USAGE;
}

int lst_command_share(int argument_count, char **arguments)
{
    struct lst_share share = {.file = -1};
    struct output output = {0};
    const struct lst_option options[] = {
        LST_LINKS_TERMS_OPTIONS(share.terms),
        {.help = "The object"},
        {"content-type", "TYPE", "media type (default: detected from content and name)",
         .text = &share.content_type},
        {"replace", NULL,
         "replace an existing object; without this, an existing object is an error",
         .flag = &share.replace},
        LST_CLIENT_OPTIONS(share.server),
        {.help = "Output"},
        {"full", NULL, "print the presigned URL even if there is a short one",
         .flag = &output.full},
        {"qr", NULL, "print the QR code even if standard output is not a terminal",
         .flag = &output.code},
        {"no-qr", NULL, "don't print the QR code", .flag = &output.no_code},
        {"json", NULL, "print JSON: the URLs, the bucket and the key", .flag = &output.json},
    };
    const struct lst_usage usage = {
        .command = "share",
        .synopsis = "[OPTION]... FILE [s3://BUCKET[/FOLDER/|/KEY]]",
        .summary = "Upload a file to a bucket and print a link to it; on a terminal, also its QR "
                   "code. Without KEY, the file gets a key that can't be guessed. " TARGET_VARIABLE
                   " can name the bucket.",
        .examples = "  latchstring share holiday.jpg s3://photos\n"
                    "  latchstring share report.pdf s3://papers/2026/ --max-uses 1 --expires 2d\n",
        LST_OPTIONS(options)};
    struct lst_operands operands;
    const char *target;
    int status;

    if (!lst_options_parse(&usage, argument_count, arguments, &operands, &status)) {
        return status;
    }
    if (operands.count < 1 || operands.count > 2) {
        return lst_usage_error(&usage, operands.count == 0 ? "which file?"
                                                           : "one file at a time, and one place");
    }
    share.usage = &usage;
    share.path = operands.values[0];
    target = operands.count == 2 ? operands.values[1] : getenv(TARGET_VARIABLE);
    status = check(&share, &output, target);
    if (status == LST_EXIT_OK) {
        status = share_file(&share, &output, target);
    }
    lst_links_terms_release(&share.terms);
    if (share.file >= 0) {
        (void)close(share.file);
    }
    lst_client_api_close(&share.api);
    return status;
}
