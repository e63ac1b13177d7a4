/* explain.c - the command `latchstring explain`: its options, and its input. */
#include "cli/explain.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/slice.h"
#include "cli/command.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum { METHOD_MAX = 32, INPUT_LINE_MAX = LST_TARGET_MAX + LST_HOST_MAX + 64 };

struct explain_options {
    const char *method;
    const char *profile;
    const char *date;
    struct lst_option_list headers;
    bool secret_key_stdin;
    bool json;
};

/* Memory for what is read and kept. */
struct input {
    char method[METHOD_MAX];
    char url[INPUT_LINE_MAX + 1];
    char secret[LST_SECRET_MAX + 1];
};

/* A line of standard input without its end; false if there is none or it is too long. */
static bool read_line(char *text, size_t capacity, struct lst_slice *ret_line)
{
    size_t length;

    if (capacity > INT32_MAX || fgets(text, (int)capacity, stdin) == NULL) {
        return false;
    }
    length = strlen(text);
    if (length > 0 && text[length - 1] != '\n' && !feof(stdin)) {
        return false;
    }
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r')) {
        length--;
    }
    *ret_line = lst_slice_make(text, length);
    return length > 0;
}

static bool take_url(const struct lst_usage *usage, const char *given, struct input *input,
                     struct lst_question *question)
{
    question->url = lst_slice_of(given);
    if (strcmp(given, "-") == 0 && !read_line(input->url, sizeof(input->url), &question->url)) {
        (void)lst_usage_error(usage,
                              "there is no URL on standard input (one line of at most %d "
                              "bytes)",
                              INPUT_LINE_MAX - 1);
        return false;
    }
    question->url = lst_slice_trim(question->url);
    if (!lst_link_parse(question->url, &question->link)) {
        (void)lst_usage_error(usage, "that is not a URL: give all of it, from https:// on, in "
                                     "single quotes");
        return false;
    }
    return true;
}

static bool take_method(const struct lst_usage *usage, const char *given, struct input *input,
                        struct lst_question *question)
{
    size_t length = given != NULL ? strlen(given) : 0;

    if (given == NULL) {
        return true;
    }
    for (size_t i = 0; i < length && i < METHOD_MAX; i++) {
        input->method[i] = (char)toupper((unsigned char)given[i]);
    }
    if (length == 0 || length >= METHOD_MAX) {
        (void)lst_usage_error(usage, "'%s' is not an HTTP method", given);
        return false;
    }
    question->method = lst_slice_make(input->method, length);
    return true;
}

/* The headers given, and the Host that goes with the URL. */
static bool take_headers(const struct lst_usage *usage, const struct lst_option_list *given,
                         struct lst_question *question)
{
    bool has_host = false;

    for (size_t i = 0; i < given->count; i++) {
        struct lst_slice rest = lst_slice_of(given->values[i]);
        struct lst_field *header = &question->headers[question->header_count];
        size_t colon = lst_slice_find(rest, ':');

        if (colon == 0 || colon == rest.length) {
            (void)lst_usage_error(usage, "--header '%s' must be of the form 'Name: value'",
                                  given->values[i]);
            return false;
        }
        header->name = lst_slice_first(rest, colon);
        header->value = lst_slice_trim(lst_slice_after(rest, colon + 1));
        has_host = has_host || lst_slice_equal_ignoring_case(header->name, LST_SLICE("host"));
        question->header_count++;
    }
    if (!has_host) {
        question->headers[question->header_count++] =
            (struct lst_field){LST_SLICE("Host"), lst_slice_of(question->link.host)};
    }
    return true;
}

static bool take_time(const struct lst_usage *usage, const char *given,
                      struct lst_question *question)
{
    question->now = lst_clock_now_ms() / 1000;
    if (given != NULL && lst_parse_time(lst_slice_of(given), &question->now) != LST_OK) {
        (void)lst_usage_error(usage,
                              "--date must be a time in UTC of the form 20130524T000000Z, "
                              "not '%s'",
                              given);
        return false;
    }
    return true;
}

static int explain_url(const struct lst_usage *usage, const struct explain_options *options,
                       const char *url, struct input *input)
{
    struct lst_question question = {.usage = usage, .profile = options->profile};
    struct lst_answer answer;

    if (!take_url(usage, url, input, &question) ||
        !take_method(usage, options->method, input, &question) ||
        !take_headers(usage, &options->headers, &question) ||
        !take_time(usage, options->date, &question)) {
        return LST_EXIT_USAGE;
    }
    if (options->secret_key_stdin &&
        !read_line(input->secret, sizeof(input->secret), &question.secret)) {
        return lst_usage_error(usage,
                               "there is no secret access key on standard input (one line "
                               "of at most %d bytes%s)",
                               LST_SECRET_MAX - 1, strcmp(url, "-") == 0 ? ", after the URL" : "");
    }
    if (!lst_explain_link(&question, &answer)) {
        return LST_EXIT_FAILED;
    }
    if (!options->json) {
        lst_answer_print(&answer, &question);
    } else if (!lst_answer_print_json(&answer, &question)) {
        lst_report(usage->command, "%s", lst_error_text(LST_ERR_NO_MEMORY));
        return LST_EXIT_FAILED;
    }
    return lst_answer_status(&answer);
}

int lst_command_explain(int argument_count, char **arguments)
{
    struct explain_options given = {0};
    const struct lst_option options[] = {
        {"method", "METHOD",
         "method that the URL will be used with (default: the one it was signed for)",
         .text = &given.method},
        {"header", "'NAME: VALUE'", "header that will be sent with the request; may be repeated",
         .list = &given.headers},
        {"profile", "NAME",
         "check the signature with this profile in ~/.aws (default: keys in the environment or any "
         "profile, matched by access key ID)",
         .text = &given.profile},
        {"secret-key-stdin", NULL,
         "check the signature with a secret access key, read from standard input",
         .flag = &given.secret_key_stdin},
        {"date", "TIME", "check for this time, such as 20130524T000000Z (default: now)",
         .text = &given.date},
        {"json", NULL, "print JSON", .flag = &given.json},
    };
    const struct lst_usage usage = {
        .command = "explain",
        .synopsis = "[OPTION]... URL",
        .summary =
            "Show what a presigned URL allows: who signed it, for what, and when it is valid. If "
            "the signer's secret is known, also check the signature and, if it is wrong, say what "
            "would make it right. Nothing is sent to any server. If URL is -, it is read from "
            "standard input, which keeps it out of the shell's history. The exit status is 0 if "
            "the URL would be accepted, 1 if it would be refused, 2 for a mistake in the command, "
            "and 3 if nothing looks wrong but the signature could not be checked.",
        .examples = "  latchstring explain 'https://photos.s3.amazonaws.com/cat.jpg?X-Amz-...'\n"
                    "  latchstring explain --method PUT --header 'Content-Type: image/jpeg' URL\n"
                    "  latchstring explain --json - < url.txt\n",
        LST_OPTIONS(options),
    };
    struct lst_operands operands;
    struct input input = {0};
    int status;

    if (!lst_options_parse(&usage, argument_count, arguments, &operands, &status)) {
        return status;
    }
    if (operands.count != 1) {
        return lst_usage_error(&usage, "give one URL, in single quotes: the shell takes '&' for "
                                       "the end of a command");
    }
    status = explain_url(&usage, &given, operands.values[0], &input);
    lst_wipe(&input, sizeof(input));
    return status;
}
