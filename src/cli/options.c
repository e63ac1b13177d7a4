/* options.c - table-driven options, the help made from them, and messages to the user. */
#include "cli/options.h"

#include "base/quantity.h"
#include "base/slice.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    OPTION_ROW = 256, /* getopt's value of row 0: above every character */
    OPTION_HELP = OPTION_ROW + LST_OPTIONS_MAX,
    OPTION_VERSION,
    HELP_WIDTH = 80,
    HELP_COLUMN = 27,
    MESSAGE_MAX = 2048, /* bytes; a longer one is cut */
};

void lst_report(const char *command, const char *format, ...)
{
    va_list arguments;

    fflush(stdout);
    fprintf(stderr, "latchstring%s%s: ", command[0] != '\0' ? " " : "", command);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

void lst_print_safely(struct lst_slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char byte = (unsigned char)text.bytes[i];
        unsigned char next = i + 1 < text.length ? (unsigned char)text.bytes[i + 1] : 0;
        bool is_c1 = byte == 0xc2 && next >= 0x80 && next < 0xa0; /* U+0080 to U+009F */

        if (is_c1) {
            printf("%%%02X%%%02X", byte, next);
            i++;
        } else {
            printf(byte < ' ' || byte == 0x7f ? "%%%02X" : "%c", byte);
        }
    }
}

int lst_usage_error(const struct lst_usage *usage, const char *format, ...)
{
    char text[MESSAGE_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    lst_report(usage->command, "%s", text);
    fprintf(stderr, "Try 'latchstring%s%s --help'.\n", usage->command[0] != '\0' ? " " : "",
            usage->command);
    return LST_EXIT_USAGE;
}

/* Print text in words that stay between two columns; the cursor stands at the first of them. */
static void print_wrapped(const char *text, int indent)
{
    int column = indent;

    while (*text != '\0') {
        int length = (int)strcspn(text, " ");

        if (column > indent && column + 1 + length > HELP_WIDTH) {
            printf("\n%*s", indent, "");
            column = indent;
        }
        column += printf("%s%.*s", column > indent ? " " : "", length, text);
        text += length;
        text += strspn(text, " ");
    }
    printf("\n");
}

static void print_option(const char *name, const char *value_name, const char *help)
{
    int width = printf("  --%s%s%s", name, value_name != NULL ? " " : "",
                       value_name != NULL ? value_name : "");

    if (width > HELP_COLUMN - 2) {
        printf("\n%*s", HELP_COLUMN, "");
    } else {
        printf("%*s", HELP_COLUMN - width, "");
    }
    print_wrapped(help, HELP_COLUMN);
}

void lst_usage_print(const struct lst_usage *usage)
{
    bool under_heading = usage->option_count > 0 && usage->options[0].name == NULL;

    printf("Usage: latchstring%s%s %s\n\n", usage->command[0] != '\0' ? " " : "", usage->command,
           usage->synopsis);
    print_wrapped(usage->summary, 0);
    printf("%s", under_heading ? "" : "\nOptions:\n");
    for (size_t i = 0; i < usage->option_count; i++) {
        const struct lst_option *option = &usage->options[i];

        if (option->name == NULL) {
            printf("\n%s:\n", option->help);
        } else {
            print_option(option->name, option->value_name, option->help);
        }
    }
    printf("%s", under_heading ? "\nGeneral:\n" : "");
    print_option("help", NULL, "show this and exit (also -h)");
    print_option("version", NULL, "show the version and exit");
    if (usage->examples != NULL) {
        printf("\nExamples:\n%s", usage->examples);
    }
}

/* The getopt_long() form of the table, with the two options that every command has. */
static void fill_long_options(const struct lst_usage *usage, struct option *ret_options)
{
    size_t count = 0;

    for (size_t i = 0; i < usage->option_count && i < LST_OPTIONS_MAX; i++) {
        const struct lst_option *option = &usage->options[i];

        if (option->name != NULL) {
            ret_options[count++] = (struct option){
                option->name, option->flag != NULL ? no_argument : required_argument, NULL,
                OPTION_ROW + (int)i};
        }
    }
    ret_options[count++] = (struct option){"help", no_argument, NULL, OPTION_HELP};
    ret_options[count++] = (struct option){"version", no_argument, NULL, OPTION_VERSION};
    ret_options[count] = (struct option){0};
}

/* Levenshtein distance of two short names; anything long is far. */
static size_t name_distance(const char *a, const char *b)
{
    enum { LENGTH_MAX = 40 };
    size_t row[LENGTH_MAX + 1];
    size_t a_length = strlen(a);
    size_t b_length = strlen(b);

    if (a_length > LENGTH_MAX || b_length > LENGTH_MAX) {
        return LENGTH_MAX;
    }
    for (size_t j = 0; j <= b_length; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1] ? 1 : 0);

            best = row[j] + 1 < best ? row[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[b_length];
}

const char *lst_nearest(const char *given, const char *const *names, size_t count)
{
    size_t length = strlen(given);
    size_t best = length / 3 + 1; /* a third of it mistyped: no more can be meant */
    const char *nearest = NULL;

    for (size_t i = 0; i < count; i++) {
        bool begins = length >= 3 && strncmp(given, names[i], length) == 0;
        size_t distance = begins ? 1 : name_distance(given, names[i]);

        if (distance < best || (distance == best && nearest == NULL)) {
            best = distance;
            nearest = names[i];
        }
    }
    return nearest;
}

/* NULL if other programs have no such option either. */
static const char *advice_on(const struct lst_usage *usage, const char *name)
{
    const struct lst_option_elsewhere *row = usage->elsewhere;

    while (row != NULL && row->name != NULL) {
        if (strcmp(row->name, name) == 0) {
            return row->advice;
        }
        row++;
    }
    return NULL;
}

static int report_short_option(const struct lst_usage *usage, char letter)
{
    const char *advice = advice_on(usage, (const char[]){letter, '\0'});

    if (advice != NULL) {
        return lst_usage_error(usage, "unknown option '-%c'; %s", letter, advice);
    }
    return lst_usage_error(usage, "unknown option '-%c'; options begin with two dashes", letter);
}

/* Say which option getopt_long() stumbled over. given: the argument as typed. */
static int report_bad_option(const struct lst_usage *usage, const char *given)
{
    const char *names[LST_OPTIONS_MAX + 2] = {"help", "version"};
    size_t count = 2;
    char name[64];
    const char *nearest;

    if (optopt > 0 && optopt < OPTION_ROW) {
        return report_short_option(usage, (char)optopt);
    }
    if (optopt >= OPTION_ROW) {
        return lst_usage_error(usage, "option '%.*s' takes no value", (int)strcspn(given, "="),
                               given);
    }
    for (size_t i = 0; i < usage->option_count && count < LST_OPTIONS_MAX + 2; i++) {
        if (usage->options[i].name != NULL) {
            names[count++] = usage->options[i].name;
        }
    }
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(given + 2, "="), given + 2);
    if (advice_on(usage, name) != NULL) {
        return lst_usage_error(usage, "unknown option '--%s'; %s", name, advice_on(usage, name));
    }
    nearest = lst_nearest(name, names, count);
    if (nearest == NULL) {
        return lst_usage_error(usage, "unknown option '--%s'", name);
    }
    return lst_usage_error(usage, "unknown option '--%s'; did you mean '--%s'?", name, nearest);
}

/* Store one value. False if the option was repeated too often. */
static bool take_value(const struct lst_option *option, const char *value)
{
    if (option->flag != NULL) {
        *option->flag = true;
    } else if (option->text != NULL) {
        *option->text = value;
    } else if (option->list->count < LST_OPTION_REPEATS_MAX) {
        option->list->values[option->list->count++] = value;
    } else {
        return false;
    }
    return true;
}

/* Act on what getopt_long() gave. True to go on; else the command is done, with *ret_status. */
static bool take_option(const struct lst_usage *usage, int found, const char *given,
                        int *ret_status)
{
    const struct lst_option *option;

    switch (found) {
    case 'h':
    case OPTION_HELP:
        lst_usage_print(usage);
        *ret_status = LST_EXIT_OK;
        return false;
    case OPTION_VERSION:
        printf("latchstring %s\n", LST_VERSION);
        *ret_status = LST_EXIT_OK;
        return false;
    case ':':
        *ret_status = lst_usage_error(usage, "option '%s' needs a value", given);
        return false;
    case '?':
        *ret_status = report_bad_option(usage, given);
        return false;
    default:
        option = &usage->options[found - OPTION_ROW];
        /* getopt_long() takes "--secret-key S" for --secret-key-stdin, and S for an operand that
         * an error would show: a flag is only taken when it is spelled out. */
        if (option->flag != NULL && strcmp(given + 2, option->name) != 0) {
            *ret_status = lst_usage_error(usage, "unknown option '%s'; did you mean '--%s'?", given,
                                          option->name);
            return false;
        }
        if (!take_value(option, optarg)) {
            *ret_status = lst_usage_error(usage, "option '--%s' is given more than %d times",
                                          option->name, LST_OPTION_REPEATS_MAX);
            return false;
        }
        return true;
    }
}

bool lst_options_parse(const struct lst_usage *usage, int argument_count, char **arguments,
                       struct lst_operands *ret_operands, int *ret_status)
{
    struct option long_options[LST_OPTIONS_MAX + 3];

    fill_long_options(usage, long_options);
    optind = 0; /* begin afresh: a command within a command parses its own */
    opterr = 0;
    for (;;) {
        int found = getopt_long(argument_count, arguments, ":h", long_options, NULL);

        if (found == -1) {
            break;
        }
        if (!take_option(usage, found, arguments[optind - 1], ret_status)) {
            return false;
        }
    }
    ret_operands->values = arguments + optind;
    ret_operands->count = (size_t)(argument_count - optind);
    return true;
}

bool lst_option_number(const struct lst_usage *usage, const char *name, const char *text,
                       uint64_t minimum, uint64_t maximum, uint64_t *ret_number)
{
    uint64_t number;

    if (!lst_slice_to_number(lst_slice_of(text), maximum, &number) || number < minimum) {
        (void)lst_usage_error(usage, "--%s must be a number from %llu to %llu, not '%s'", name,
                              (unsigned long long)minimum, (unsigned long long)maximum, text);
        return false;
    }
    *ret_number = number;
    return true;
}

/* The words in which a limit is shown, so that it can be typed back. */
static bool report_quantity(const struct lst_usage *usage, const char *name, const char *text,
                            const char *what, const char *examples, uint64_t minimum,
                            uint64_t maximum, const char *unit)
{
    (void)lst_usage_error(usage, "--%s must be a %s from %llu to %llu %s, such as %s; it is '%s'",
                          name, what, (unsigned long long)minimum, (unsigned long long)maximum,
                          unit, examples, text);
    return false;
}

bool lst_option_duration(const struct lst_usage *usage, const char *name, const char *text,
                         uint64_t minimum, uint64_t maximum, uint64_t *ret_seconds)
{
    uint64_t seconds;

    if (!lst_duration_parse(lst_slice_of(text), maximum, &seconds) || seconds < minimum) {
        char examples[LST_DURATION_EXAMPLES_MAX];

        lst_duration_examples(minimum, maximum, examples);
        return report_quantity(usage, name, text, "duration", examples, minimum, maximum,
                               "seconds");
    }
    *ret_seconds = seconds;
    return true;
}

bool lst_option_size(const struct lst_usage *usage, const char *name, const char *text,
                     uint64_t minimum, uint64_t maximum, uint64_t *ret_bytes)
{
    uint64_t bytes;

    if (!lst_size_parse(lst_slice_of(text), maximum, &bytes) || bytes < minimum) {
        return report_quantity(usage, name, text, "size", LST_SIZE_EXAMPLES, minimum, maximum,
                               "bytes");
    }
    *ret_bytes = bytes;
    return true;
}
