/*
 * options.h - options from one table: parsed with getopt_long(), and shown by --help.
 *
 *     struct lst_option_list headers = {0};
 *     const char *region = NULL;
 *     bool json = false;
 *     const struct lst_option options[] = {
 *         {.help = "Where to"}, // a heading
 *         {"region", "NAME", "region to sign for", .text = &region},
 *         {"header", "'NAME: VALUE'", "a header to sign; may be repeated", .list = &headers},
 *         {"json", NULL, "print JSON", .flag = &json},
 *     };
 *     const struct lst_usage usage = {
 *         .command = "presign",
 *         .synopsis = "[OPTION]... s3://BUCKET/KEY",
 *         .summary = "Make a presigned URL.",
 *         .examples = "  latchstring presign s3://photos/cat.jpg\n",
 *         LST_OPTIONS(options),
 *     };
 *     struct lst_operands operands;
 *     int status;
 *     if (!lst_options_parse(&usage, argument_count, arguments, &operands, &status)) {
 *         return status;
 *     }
 *
 * --help (-h) and --version are there for every command and are not in its table. Options and
 * operands may be mixed; what follows "--" is operands.
 *
 * Never make an option that takes a secret: arguments can be read by every process on the machine.
 */
#ifndef LST_CLI_OPTIONS_H
#define LST_CLI_OPTIONS_H

#include "latchstring.h"

enum lst_exit {
    LST_EXIT_OK = 0,
    LST_EXIT_FAILED = 1, /* refused, or it went wrong: the message says why */
    LST_EXIT_USAGE = 2,  /* the command line is not valid */
};

#define LST_OPTIONS_MAX        64  /* rows of one table */
#define LST_OPTION_REPEATS_MAX 128 /* times that one option may be repeated */

/* The values of an option that may be repeated, in their order. They point into the arguments. */
struct lst_option_list {
    const char *values[LST_OPTION_REPEATS_MAX];
    size_t count;
};

/* One row. Exactly one of flag, text and list is set; none for a heading, which has only help. */
struct lst_option {
    const char *name;       /* "expires-in", without the dashes */
    const char *value_name; /* "SECONDS", as --help shows it; NULL for a flag */
    const char *help;       /* what it does and its default; wrapped when shown */
    bool *flag;             /* set to true when the option is given */
    const char **text;      /* set to the value; the last one wins. Left alone when not given */
    struct lst_option_list *list; /* the value is added */
};

/* An option that other programs have, and what to write instead. */
struct lst_option_elsewhere {
    const char *name; /* "port", or "p" for -p */
    const char *advice;
};

/* What a command takes. All but options may be asked of every command. */
struct lst_usage {
    const char *command;  /* "presign", or "user add" */
    const char *synopsis; /* what follows the command: "[OPTION]... s3://BUCKET/KEY" */
    const char *summary;  /* a sentence or a few; wrapped when shown */
    const char *examples; /* whole lines, indented by two, shown as they are */
    const struct lst_option *options;
    size_t option_count;
    const struct lst_option_elsewhere *elsewhere; /* ends with a name that is NULL; may be NULL */
};
#define LST_OPTIONS(table) .options = (table), .option_count = sizeof(table) / sizeof((table)[0])

/* What is left when the options are taken out, in its order. */
struct lst_operands {
    char **values; /* into the (permuted) arguments */
    size_t count;
};

/*
 * Parse. False if the command is done already: after --help or --version, or after a mistake that
 * has been reported. It then returns *ret_status.
 */
LST_MUST_CHECK bool lst_options_parse(const struct lst_usage *usage, int argument_count,
                                      char **arguments, struct lst_operands *ret_operands,
                                      int *ret_status);

/*
 * The value of a numeric option. False, with the mistake reported, when it is not a decimal number
 * from minimum to maximum; the command then returns LST_EXIT_USAGE.
 */
LST_MUST_CHECK bool lst_option_number(const struct lst_usage *usage, const char *name,
                                      const char *text, uint64_t minimum, uint64_t maximum,
                                      uint64_t *ret_number);

/* The same for a duration, in seconds, and for a size, in bytes, as base/quantity.h reads them. */
LST_MUST_CHECK bool lst_option_duration(const struct lst_usage *usage, const char *name,
                                        const char *text, uint64_t minimum, uint64_t maximum,
                                        uint64_t *ret_seconds);
LST_MUST_CHECK bool lst_option_size(const struct lst_usage *usage, const char *name,
                                    const char *text, uint64_t minimum, uint64_t maximum,
                                    uint64_t *ret_bytes);

/* Print what --help prints, on standard output. */
void lst_usage_print(const struct lst_usage *usage);

/* A line on standard error: "latchstring presign: ...". The text says what is wrong and what to do
 * next; no newline at its end. */
void lst_report(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Print text that may come from a stranger, on standard output: a byte that could act on a
 * terminal, or begin a line, as %XX. */
void lst_print_safely(struct lst_slice text);

/* The same for a command line that is not valid, with a pointer to --help. Gives
 * LST_EXIT_USAGE, so that it can be returned. */
int lst_usage_error(const struct lst_usage *usage, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The name among these that the user may have meant, or NULL. */
const char *lst_nearest(const char *given, const char *const *names, size_t count);

#endif
