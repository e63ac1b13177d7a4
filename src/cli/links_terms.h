/*
 * links_terms.h - how long, how often and from where a link works: the options that `link create`
 * and `share` have in common, and what the API is told.
 */
#ifndef LST_CLI_LINKS_TERMS_H
#define LST_CLI_LINKS_TERMS_H

#include "cli/options.h"

#include <jansson.h>

#define LST_LINKS_IP_MAX 1024 /* bytes of all addresses, with commas between them */

#define LST_LINKS_PASSWORD_MAX 128 /* bytes */

/* As given; NULL, empty or false when not. Rows of a command's table. Holds a secret: to be
 * released. */
struct lst_links_terms {
    const char *expires;
    const char *max_uses;
    const char *not_before;
    const char *filename;
    struct lst_option_list ip;
    bool head;
    bool is_inline;
    bool password_stdin;
    /* Set by lst_links_terms_check(). */
    uint64_t expires_seconds; /* 0: not given */
    uint64_t uses;            /* 0: any number */
    char ip_text[LST_LINKS_IP_MAX + 1];
    char password[LST_LINKS_PASSWORD_MAX + 2]; /* room for the end of its line */
};
#define LST_LINKS_TERMS_OPTIONS(terms)                                                             \
    {.help = "For how long, how often, from where"},                                               \
        {"expires", "DURATION",                                                                    \
         "how long the link works, such as 3600, 90m, 12h or 7d (default: an hour)",               \
         .text = &(terms).expires},                                                                \
        {"max-uses", "N", "number of successful uses (default: no limit)",                         \
         .text = &(terms).max_uses},                                                               \
        {"ip", "CIDR", "address or network that may use the link; may be repeated",                \
         .list = &(terms).ip},                                                                     \
        {"not-before", "TIME", "time from which the link works, such as 2026-12-01T00:00:00Z",     \
         .text = &(terms).not_before},                                                             \
        {"head", NULL,                                                                             \
         "also allow HEAD, which players and link checkers send; with --max-uses, each HEAD "      \
         "counts as a use",                                                                        \
         .flag = &(terms).head},                                                                   \
        {"password-stdin", NULL,                                                                   \
         "require a password, which is read as one line from standard input",                      \
         .flag = &(terms).password_stdin},                                                         \
        {"inline", NULL, "show it in the browser instead of saving it",                            \
         .flag = &(terms).is_inline},                                                              \
    {                                                                                              \
        "filename", "NAME", "name under which browsers save the file", .text = &(terms).filename   \
    }

/* Check, and fill in the rest; reads the password, with a prompt if standard input is a terminal.
 * False, with the mistake reported: the command line is not valid. */
LST_MUST_CHECK bool lst_links_terms_check(const struct lst_usage *usage,
                                          struct lst_links_terms *terms);

/* Wipe the password. */
void lst_links_terms_release(struct lst_links_terms *terms);

/* What the API is told to make a link for this object. To be released; NULL: no memory. */
json_t *lst_links_terms_request(const struct lst_links_terms *terms, const char *method,
                                struct lst_slice bucket, struct lst_slice key);

/* The options given that only a Latchstring server can enforce, as "--max-uses and --ip"; empty if
 * there are none. */
#define LST_LINKS_TERMS_NAMES_MAX 96
void lst_links_terms_enforced(const struct lst_links_terms *terms,
                              char ret_names[LST_LINKS_TERMS_NAMES_MAX]);

#endif
