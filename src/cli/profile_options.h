/*
 * profile_options.h - what `profile add` and `profile set` have in common: the options that say
 * what may be uploaded, and how they become a profile's JSON.
 */
#ifndef LST_CLI_PROFILE_OPTIONS_H
#define LST_CLI_PROFILE_OPTIONS_H

#include "cli/profile_internal.h"

#define LST_PROFILE_SECRET_VARIABLE  "LATCHSTRING_WEBHOOK_SECRET"
#define LST_PROFILE_APPROVE_VARIABLE "LATCHSTRING_APPROVE_SECRET"

/* Secrets that were made here, and that nobody knows yet. */
struct lst_profile_made {
    bool webhook;
    bool approve;
};

/* As given; NULL, empty or false when not. */
struct lst_profile_options {
    const char *bucket;
    const char *key;
    const char *remote;
    struct lst_option_list types;
    const char *min_size;
    const char *max_size;
    const char *upload_expires;
    const char *link_expires;
    const char *webhook;
    const char *approve;
    const char *approve_timeout;
    bool replace;
    bool check_content;
};

/* Rows of a command's table. */
#define LST_PROFILE_OPTIONS(given)                                                                 \
    {.help = "Where uploads go"},                                                                  \
        {"bucket", "BUCKET", "bucket for the uploads", .text = &(given).bucket},                   \
        {"key", "TEMPLATE",                                                                        \
         "template for the key, with {uuid}, {ext}, {filename}, {date}, {type}, and {NAME} for a " \
         "variable from the caller's vars",                                                        \
         .text = &(given).key},                                                                    \
        {"remote", "NAME", "the remote that has the bucket; default: this server",                 \
         .text = &(given).remote},                                                                 \
        {"replace", NULL, "let an upload replace an existing object", .flag = &(given).replace},   \
        {.help = "What may be uploaded"},                                                          \
        {"type", "TYPE",                                                                           \
         "allowed media type, such as image/png or 'image/*'; may be repeated; default: any",      \
         .list = &(given).types},                                                                  \
        {"min-size", "SIZE", "such as 16KiB; default: 0", .text = &(given).min_size},              \
        {"max-size", "SIZE", "such as 5MB; default: 5GiB", .text = &(given).max_size},             \
        {"check-content", NULL, "refuse content that does not match its declared type",            \
         .flag = &(given).check_content},                                                          \
        {.help = "Lifetimes"},                                                                     \
        {"upload-expires", "DURATION", "lifetime of an upload URL, up to 7d; default: 15m",        \
         .text = &(given).upload_expires},                                                         \
        {"link-expires", "DURATION", "lifetime of a link to the object, up to 7d; default: 1h",    \
         .text = &(given).link_expires},                                                           \
        {.help = "Your application"},                                                              \
        {"webhook", "URL", "send a signed message about each upload to this URL",                  \
         .text = &(given).webhook},                                                                \
        {"approve", "URL",                                                                         \
         "send a signed question to this URL before an upload becomes visible; without a yes it "  \
         "is refused",                                                                             \
         .text = &(given).approve},                                                                \
    {                                                                                              \
        "approve-timeout", "DURATION", "time to wait for the answer, up to 60s; default: 10s",     \
            .text = &(given).approve_timeout                                                       \
    }

/* Whether any of them was given. */
bool lst_profile_options_given(const struct lst_profile_options *given);

/* Put those that were given into a profile's document. Reports what is wrong and gives an exit
 * status. */
LST_MUST_CHECK int lst_profile_options_apply(const struct lst_usage *usage,
                                             const struct lst_profile_options *given,
                                             json_t *document);

/* Set a field. Takes the value. False, reported, if there is no memory: nothing that limits may get
 * lost. */
LST_MUST_CHECK bool lst_profile_set_field(const struct lst_usage *usage, json_t *document,
                                          const char *name, json_t *value);

/*
 * The secrets of a document's webhook and approve, for what it has without one: of the environment,
 * else new ones, as *ret_made then says. Reports, gives an exit status.
 */
LST_MUST_CHECK int lst_profile_options_secrets(const struct lst_usage *usage, json_t *document,
                                               struct lst_profile_made *ret_made);

/* Say what was stored, and the secrets that were made here. Gives an exit status. */
LST_MUST_CHECK int lst_profile_options_print(const struct lst_usage *usage,
                                             const struct lst_profile *profile, const char *what,
                                             const struct lst_profile_made *made, bool json);

/*
 * Check what a profile refers to: LST_EXIT_FAILED, reported, if its remote is not there. A bucket
 * that is not there yet is a warning: it may be made later.
 */
LST_MUST_CHECK int lst_profile_options_check(const struct lst_usage *usage,
                                             const struct lst_profile_rows *rows,
                                             const struct lst_profile *profile);

#endif
