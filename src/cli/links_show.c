/* links_show.c - `latchstring link list|show|revoke` */
#include "api/api.h"
#include "base/slice.h"
#include "cli/client_api.h"
#include "cli/directory.h"
#include "cli/links_internal.h"

#include <ctype.h>
#include <stdio.h>

enum { PAGE = 1000, ID_MAX = 512, KEY_ID_MAX = 128, USES_TEXT_MAX = 64 };

/* ---- Which link */

/* The id in a link's URL, a short one or a presigned one; empty if there is none. */
static struct lst_slice id_in_url(struct lst_slice url)
{
    struct lst_link link;
    struct lst_slice id;
    size_t at;

    if (!lst_link_parse(url, &link)) {
        return LST_SLICE("");
    }
    at = lst_slice_find_slice(link.path, LST_SLICE(LST_LINKS_PATH));
    id = at < link.path.length ? lst_slice_after(link.path, at + sizeof(LST_LINKS_PATH) - 1)
                               : lst_link_parameter(&link, "x-latch-id");
    return id.bytes != NULL ? id : LST_SLICE("");
}

/* Take an id, or a link's URL. */
static bool take_id(const struct lst_usage *usage, const char *given, char ret_id[ID_MAX + 1])
{
    struct lst_slice id = lst_slice_of(given);

    if (lst_slice_find_slice(id, LST_SLICE("://")) < id.length) {
        id = id_in_url(id);
    }
    if (!lst_client_is_name(id, ID_MAX)) {
        /* What was given may be a URL with a signature in it: it is not shown. */
        (void)lst_usage_error(usage, "that is no link: give its id, or its URL; `latchstring link "
                                     "list` shows the ids");
        return false;
    }
    memcpy(ret_id, id.bytes, id.length);
    ret_id[id.length] = '\0';
    return true;
}

static int report(const struct lst_client_api *api, const struct lst_client_api_answer *answer,
                  const char *id)
{
    if (strcmp(answer->code, "NoSuchLink") != 0) {
        return lst_client_api_report(api, answer);
    }
    lst_report(api->usage->command,
               "you have no link '%s' at %s; `latchstring link list` shows those that you have", id,
               api->base);
    return LST_EXIT_FAILED;
}

static void call(struct lst_client_api *api, const char *method, const char *id,
                 struct lst_client_api_answer *answer)
{
    char path[LST_CLIENT_API_PATH_MAX];

    (void)snprintf(path, sizeof(path), "links/%s", id);
    lst_client_api_call(api, method, path, NULL, answer);
}

/* ---- Printing */

static long long number(const json_t *object, const char *name)
{
    return (long long)json_integer_value(json_object_get(object, name));
}

/* "2/3", or "2" of any number. */
static void uses_text(const json_t *link, char ret_text[USES_TEXT_MAX])
{
    if (number(link, "max_uses") > 0) {
        (void)snprintf(ret_text, USES_TEXT_MAX, "%lld/%lld", number(link, "used"),
                       number(link, "max_uses"));
    } else {
        (void)snprintf(ret_text, USES_TEXT_MAX, "%lld", number(link, "used"));
    }
}

static void print_object(const json_t *link)
{
    printf("s3://");
    (void)lst_client_print(lst_client_text(link, "bucket"));
    printf("/");
    (void)lst_client_print(lst_client_text(link, "key"));
    printf("\n");
}

static void print_row(const json_t *link)
{
    char uses[USES_TEXT_MAX];

    uses_text(link, uses);
    lst_client_print_column(lst_client_text(link, "id"), 24);
    lst_client_print_column(lst_client_text(link, "state"), 7);
    lst_client_print_column(uses, 7);
    lst_client_print_column(lst_client_text(link, "expires_at"), 20);
    lst_client_print_column(lst_client_text(link, "method"), 6);
    print_object(link);
}

static void print_line(const json_t *link, const char *label, const char *name)
{
    if (lst_client_text(link, name)[0] != '\0') {
        printf("%-12s", label);
        (void)lst_client_print(lst_client_text(link, name));
        printf("\n");
    }
}

static void print_use(const json_t *use)
{
    const char *reason = lst_client_text(use, "reason");
    char text[32];

    lst_client_print_column(lst_client_text(use, "at"), 20);
    lst_client_print_column(lst_client_text(use, "from"), 15);
    lst_client_print_column(lst_client_text(use, "method"), 6);
    (void)snprintf(text, sizeof(text), "%lld", number(use, "status"));
    lst_client_print_column(text, 6);
    (void)snprintf(text, sizeof(text), "%lld", number(use, "bytes"));
    if (reason[0] != '\0') {
        lst_client_print_column(text, 10);
        (void)lst_client_print(reason);
    } else {
        (void)lst_client_print(text);
    }
    printf("\n");
}

static void print_link(const json_t *link)
{
    const json_t *uses = json_object_get(link, "uses");
    char text[USES_TEXT_MAX];

    print_line(link, "Id", "id");
    print_line(link, "State", "state");
    printf("%-12s", "Object");
    print_object(link);
    print_line(link, "Method", "method");
    if (json_is_true(json_object_get(link, "head"))) {
        printf("%-12sis let through too\n", "HEAD");
    }
    print_line(link, "Made", "created_at");
    print_line(link, "Not before", "not_before");
    print_line(link, "Expires", "expires_at");
    print_line(link, "Revoked", "revoked_at");
    print_line(link, "From", "ip");
    print_line(link, "Saved as", "filename");
    print_line(link, "Disposition", "disposition");
    if (json_is_true(json_object_get(link, "password"))) {
        printf("%-12sis needed\n", "Password");
    }
    if (json_is_true(json_object_get(link, "stable"))) {
        printf("%-12sthe same for everybody, for a while\n", "URL");
    }
    uses_text(link, text);
    printf("%-12s%s\n", "Used", text);
    if (json_array_size(uses) > 0) {
        printf("\n%-20s %-15s %-6s %-6s %-10s %s\n", "WHEN", "FROM", "METHOD", "STATUS", "BYTES",
               "WHY");
    }
    for (size_t i = 0; i < json_array_size(uses); i++) {
        print_use(json_array_get(uses, i));
    }
}

/* ---- list */

static int list(struct lst_client_api *api, bool json)
{
    char path[LST_CLIENT_API_PATH_MAX];

    (void)snprintf(path, sizeof(path), "links?limit=%d", PAGE);
    return lst_client_api_list(api, path, "links",
                               "ID                       STATE   USES    EXPIRES              "
                               "METHOD OBJECT\n",
                               print_row, json);
}

int lst_links_command_list(int argument_count, char **arguments)
{
    struct lst_client_options server = {0};
    bool json = false;
    const struct lst_option options[] = {
        LST_CLIENT_OPTIONS(server),
        {.help = "Output"},
        {"json", NULL, "print a JSON array", .flag = &json},
    };
    const struct lst_usage usage = {
        .command = "link list",
        .synopsis = "[OPTION]...",
        .summary = "List your links, oldest first. Administrators see the links of all users.",
        LST_OPTIONS(options)};
    struct lst_client_api api = {0};
    struct lst_operands operands;
    int status;

    if (!lst_options_parse(&usage, argument_count, arguments, &operands, &status)) {
        return status;
    }
    if (operands.count > 0) {
        return lst_usage_error(&usage, "unexpected '%s'", operands.values[0]);
    }
    status = lst_client_api_connect(&usage, &server, &api);
    if (status == LST_EXIT_OK) {
        status = list(&api, json);
    }
    lst_client_api_close(&api);
    return status;
}

/* ---- show */

static int show(struct lst_client_api *api, const char *id, bool json)
{
    struct lst_client_api_answer answer;

    call(api, "GET", id, &answer);
    if (answer.outcome != LST_CLIENT_API_DONE) {
        return report(api, &answer, id);
    }
    if (json) {
        return lst_directory_print(api->usage, answer.json);
    }
    print_link(answer.json);
    json_decref(answer.json);
    return LST_EXIT_OK;
}

int lst_links_command_show(int argument_count, char **arguments)
{
    struct lst_client_options server = {0};
    bool json = false;
    const struct lst_option options[] = {
        LST_CLIENT_OPTIONS(server),
        {.help = "Output"},
        {"json", NULL, "print JSON", .flag = &json},
    };
    const struct lst_usage usage = {
        .command = "link show",
        .synopsis = "[OPTION]... LINK",
        .summary = "Show a link, given by its ID or URL: its limits, its state, and its last 100 "
                   "uses with time, address and HTTP status.",
        LST_OPTIONS(options)};
    struct lst_client_api api = {0};
    struct lst_operands operands;
    char id[ID_MAX + 1];
    int status;

    if (!lst_options_parse(&usage, argument_count, arguments, &operands, &status)) {
        return status;
    }
    if (operands.count != 1) {
        return lst_usage_error(&usage, "give one link, by its id or its URL");
    }
    if (!take_id(&usage, operands.values[0], id)) {
        return LST_EXIT_USAGE;
    }
    status = lst_client_api_connect(&usage, &server, &api);
    if (status == LST_EXIT_OK) {
        status = show(&api, id, json);
    }
    lst_client_api_close(&api);
    return status;
}

/* ---- revoke */

/* The access key that signed a URL with an id of its own; empty if that is no such URL. */
static void take_key(const char *given, char ret_key[KEY_ID_MAX + 1])
{
    struct lst_slice credential = {0};
    struct lst_link link;
    size_t length = 0;

    if (lst_link_parse(lst_slice_of(given), &link) &&
        lst_link_parameter(&link, "x-latch-id").length > 0) {
        credential = lst_link_parameter(&link, "X-Amz-Credential");
    }
    while (length < credential.length && (isalnum((unsigned char)credential.bytes[length]) != 0 ||
                                          strchr("-._", credential.bytes[length]) != NULL)) {
        length++;
    }
    length = length <= KEY_ID_MAX ? length : 0;
    memcpy(ret_key, length == 0 ? "" : credential.bytes, length);
    ret_key[length] = '\0';
}

/* What is to be revoked. */
struct target {
    char id[ID_MAX + 1];
    char key[KEY_ID_MAX + 1]; /* of who signed; empty: the caller */
    bool is_signed;           /* an id that was chosen by who signed */
};

static int revoke_signed(struct lst_client_api *api, const struct target *target)
{
    char path[LST_CLIENT_API_PATH_MAX];
    struct lst_client_api_answer answer;

    (void)snprintf(path, sizeof(path), "ids/%s%s%s", target->id,
                   target->key[0] == '\0' ? "" : "?access_key_id=", target->key);
    lst_client_api_call(api, "DELETE", path, NULL, &answer);
    json_decref(answer.json);
    if (answer.outcome != LST_CLIENT_API_DONE) {
        return lst_client_api_report(api, &answer);
    }
    printf("Every URL with the x-latch-id %s is refused from now on.\n", target->id);
    return LST_EXIT_OK;
}

static int revoke(struct lst_client_api *api, const struct target *target)
{
    struct lst_client_api_answer answer;

    if (target->is_signed) {
        return revoke_signed(api, target);
    }
    call(api, "DELETE", target->id, &answer);
    json_decref(answer.json);
    if (answer.outcome == LST_CLIENT_API_DONE) {
        printf("Link %s is revoked.\n", target->id);
        return LST_EXIT_OK;
    }
    if (strcmp(answer.code, "NoSuchLink") != 0) {
        return lst_client_api_report(api, &answer);
    }
    if (target->key[0] != '\0') {
        return revoke_signed(api, target);
    }
    lst_report(api->usage->command,
               "you have no link '%s' at %s. If you signed URLs with this x-latch-id yourself, add "
               "--signed; `latchstring link list` shows your links",
               target->id, api->base);
    return LST_EXIT_FAILED;
}

int lst_links_command_revoke(int argument_count, char **arguments)
{
    struct lst_client_options server = {0};
    struct target target = {.is_signed = false};
    const struct lst_option options[] = {
        LST_CLIENT_OPTIONS(server),
        {.help = "What is revoked"},
        {"signed", NULL, "LINK is the x-latch-id of URLs that you signed yourself",
         .flag = &target.is_signed},
    };
    const struct lst_usage usage = {
        .command = "link revoke",
        .synopsis = "[OPTION]... LINK",
        .summary = "Revoke a link, given by its ID or URL. Its presigned URL and its short URL "
                   "stop working at once. If you give a URL that you signed elsewhere with an "
                   "x-latch-id, every URL with that id is refused.",
        LST_OPTIONS(options)};
    struct lst_client_api api = {0};
    struct lst_operands operands;
    int status;

    if (!lst_options_parse(&usage, argument_count, arguments, &operands, &status)) {
        return status;
    }
    if (operands.count != 1) {
        return lst_usage_error(&usage, "give one link, by its id or its URL");
    }
    if (!take_id(&usage, operands.values[0], target.id)) {
        return LST_EXIT_USAGE;
    }
    take_key(operands.values[0], target.key);
    status = lst_client_api_connect(&usage, &server, &api);
    if (status == LST_EXIT_OK) {
        status = revoke(&api, &target);
    }
    lst_client_api_close(&api);
    return status;
}
