/* webhook.c - `latchstring webhook`: messages for the receivers of a running server's profiles. */
#include "base/slice.h"
#include "cli/client_api.h"
#include "cli/command.h"
#include "cli/directory.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    PAGE = 1000,
    NAME_MAX_BYTES = 200, /* of a profile's name, or a message's id */
};

/* The options of all of these commands, parsed; what is left is one name or more. False:
 * *ret_status is the exit status. */
static bool begin(const struct lst_usage *usage, int argument_count, char **arguments,
                  const char *what, struct lst_operands *operands, int *ret_status)
{
    if (!lst_options_parse(usage, argument_count, arguments, operands, ret_status)) {
        return false;
    }
    *ret_status = LST_EXIT_OK;
    if (operands->count == 0) {
        *ret_status = lst_usage_error(usage, "which %s?", what);
    }
    for (size_t i = 0; *ret_status == LST_EXIT_OK && i < operands->count; i++) {
        if (!lst_client_is_name(lst_slice_of(operands->values[i]), NAME_MAX_BYTES)) {
            *ret_status = lst_usage_error(usage, "'%s' is no %s", operands->values[i], what);
        }
    }
    return *ret_status == LST_EXIT_OK;
}

/* ---- list */

static void print_row(const json_t *delivery)
{
    const json_t *status = json_object_get(delivery, "last_status");
    const char *next = lst_client_text(delivery, "next_attempt_at");
    char number[24];

    lst_client_print_column(lst_client_text(delivery, "id"), 48);
    lst_client_print_column(lst_client_text(delivery, "event"), 15);
    lst_client_print_column(lst_client_text(delivery, "at"), 20);
    (void)snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
                   json_integer_value(json_object_get(delivery, "attempts")));
    lst_client_print_column(number, 5);
    lst_client_print_column(next[0] == '\0' ? "given up" : next, 20);
    if (status != NULL) {
        printf("answered %" JSON_INTEGER_FORMAT, json_integer_value(status));
    } else {
        (void)lst_client_print(lst_client_text(delivery, "last_problem"));
    }
    printf("\n");
}

static int list(struct lst_client_api *api, const char *profile, const char *state, bool json)
{
    char path[LST_CLIENT_API_PATH_MAX];

    (void)snprintf(path, sizeof(path), "deliveries?profile=%s&limit=%d%s%s", profile, PAGE,
                   state == NULL ? "" : "&state=", state == NULL ? "" : state);
    return lst_client_api_list(api, path, "deliveries",
                               "ID                                               EVENT           "
                               "AT                   TRIED NEXT                 LAST ANSWER\n",
                               print_row, json);
}

static int command_list(int argument_count, char **arguments)
{
    struct lst_client_options server = {0};
    const char *state = NULL;
    bool json = false;
    const struct lst_option options[] = {
        {"state", "STATE", "show one state only: waiting or given_up", .text = &state},
        LST_CLIENT_OPTIONS(server),
        {.help = "Output"},
        {"json", NULL, "print a JSON array", .flag = &json},
    };
    const struct lst_usage usage = {
        .command = "webhook list",
        .synopsis = "[OPTION]... PROFILE",
        .summary = "List the messages that are waiting for a profile's webhook, and those that "
                   "were given up within the last week: event, time, number of attempts, and the "
                   "receiver's last answer.",
        LST_OPTIONS(options)};
    struct lst_client_api api = {0};
    struct lst_operands operands;
    int status;

    if (!begin(&usage, argument_count, arguments, "profile", &operands, &status)) {
        return status;
    }
    if (operands.count > 1) {
        return lst_usage_error(&usage, "unexpected '%s': one profile at a time",
                               operands.values[1]);
    }
    if (state != NULL && strcmp(state, "waiting") != 0 && strcmp(state, "given_up") != 0) {
        return lst_usage_error(&usage, "--state must be waiting or given_up, not '%s'", state);
    }
    status = lst_client_api_connect(&usage, &server, &api);
    if (status == LST_EXIT_OK) {
        status = list(&api, operands.values[0], state, json);
    }
    lst_client_api_close(&api);
    return status;
}

/* ---- retry */

static int retry(struct lst_client_api *api, const char *id, json_t *list)
{
    char path[LST_CLIENT_API_PATH_MAX];
    struct lst_client_api_answer answer;

    (void)snprintf(path, sizeof(path), "deliveries/%s/retry", id);
    lst_client_api_call(api, "POST", path, NULL, &answer);
    if (answer.outcome != LST_CLIENT_API_DONE) {
        return lst_client_api_report(api, &answer);
    }
    if (list != NULL) {
        (void)json_array_append(list, answer.json);
    } else {
        printf("Message %s is sent again.\n", id);
    }
    json_decref(answer.json);
    return LST_EXIT_OK;
}

static int command_retry(int argument_count, char **arguments)
{
    struct lst_client_options server = {0};
    bool json = false;
    const struct lst_option options[] = {
        LST_CLIENT_OPTIONS(server),
        {.help = "Output"},
        {"json", NULL, "print a JSON array", .flag = &json},
    };
    const struct lst_usage usage = {
        .command = "webhook retry",
        .synopsis = "[OPTION]... ID...",
        .summary = "Send messages again, now. Messages that were given up are retried for another "
                   "three days. 'latchstring webhook list' shows the IDs.",
        LST_OPTIONS(options)};
    struct lst_client_api api = {0};
    struct lst_operands operands;
    json_t *list = NULL;
    int status;

    if (!begin(&usage, argument_count, arguments, "message", &operands, &status)) {
        return status;
    }
    status = lst_client_api_connect(&usage, &server, &api);
    list = json ? json_array() : NULL;
    for (size_t i = 0; status == LST_EXIT_OK && i < operands.count; i++) {
        status = retry(&api, operands.values[i], list);
    }
    lst_client_api_close(&api);
    if (json && status == LST_EXIT_OK) {
        return lst_directory_print(&usage, list);
    }
    json_decref(list);
    return status;
}

/* ---- test */

static int test(struct lst_client_api *api, const char *profile, bool json)
{
    char path[LST_CLIENT_API_PATH_MAX];
    struct lst_client_api_answer answer;
    const json_t *status;
    bool is_delivered;

    (void)snprintf(path, sizeof(path), "profiles/%s/test-webhook", profile);
    lst_client_api_call(api, "POST", path, NULL, &answer);
    if (answer.outcome != LST_CLIENT_API_DONE) {
        return lst_client_api_report(api, &answer);
    }
    is_delivered = json_is_true(json_object_get(answer.json, "delivered"));
    status = json_object_get(answer.json, "status");
    if (json) {
        int printed = lst_directory_print(api->usage, answer.json);

        return is_delivered ? printed : LST_EXIT_FAILED;
    }
    if (is_delivered) {
        printf("The receiver accepted it: it answered %" JSON_INTEGER_FORMAT
               " after %" JSON_INTEGER_FORMAT " ms.\n",
               json_integer_value(status),
               json_integer_value(json_object_get(answer.json, "milliseconds")));
    } else if (status != NULL) {
        lst_report(api->usage->command,
                   "the receiver did not take it: it answered %" JSON_INTEGER_FORMAT
                   ", and 200 to 299 is needed",
                   json_integer_value(status));
    } else {
        lst_report(api->usage->command, "the receiver did not answer: %s",
                   lst_client_text(answer.json, "problem"));
    }
    json_decref(answer.json);
    return is_delivered ? LST_EXIT_OK : LST_EXIT_FAILED;
}

static int command_test(int argument_count, char **arguments)
{
    struct lst_client_options server = {0};
    bool json = false;
    const struct lst_option options[] = {
        LST_CLIENT_OPTIONS(server),
        {.help = "Output"},
        {"json", NULL, "print JSON", .flag = &json},
    };
    const struct lst_usage usage = {
        .command = "webhook test",
        .synopsis = "[OPTION]... PROFILE",
        .summary =
            "Make the server send one signed message of the event webhook.test to a profile's "
            "webhook, and print the receiver's answer. Fails unless the status is 200 to 299.",
        LST_OPTIONS(options)};
    struct lst_client_api api = {0};
    struct lst_operands operands;
    int status;

    if (!begin(&usage, argument_count, arguments, "profile", &operands, &status)) {
        return status;
    }
    if (operands.count > 1) {
        return lst_usage_error(&usage, "unexpected '%s': one profile at a time",
                               operands.values[1]);
    }
    status = lst_client_api_connect(&usage, &server, &api);
    if (status == LST_EXIT_OK) {
        status = test(&api, operands.values[0], json);
    }
    lst_client_api_close(&api);
    return status;
}

int lst_command_webhook(int argument_count, char **arguments)
{
    static const struct lst_command commands[] = {
        {"list", "list messages that are waiting or were given up", command_list},
        {"retry", "send messages again", command_retry},
        {"test", "send a test message and show the receiver's answer", command_test},
    };
    static const struct lst_usage usage = {
        .command = "webhook",
        .synopsis = "COMMAND [OPTION]...",
        .summary =
            "List, resend and test the messages that a running Latchstring server sends to the "
            "webhooks of upload profiles. Authenticates with the token in LATCHSTRING_TOKEN, which "
            "needs the role backend or admin, or else with the root user's AWS keys.",
        .examples = "  latchstring webhook test avatars\n"
                    "  latchstring webhook list avatars --state given_up\n"
                    "  latchstring webhook retry avatars~5c3d9e0f1a2b3c4d5e6f708192a3b4c5\n",
    };

    return lst_command_run(&usage, commands, sizeof(commands) / sizeof(commands[0]), argument_count,
                           arguments);
}
