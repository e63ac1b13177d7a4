/* presign.h - what the two kinds of `latchstring presign`, a URL and a form, have in common. */
#ifndef LST_CLI_PRESIGN_H
#define LST_CLI_PRESIGN_H

#include "cli/aws_settings.h"
#include "cli/place.h"

#define LST_PRESIGN_FIELDS_MAX (LST_OPTION_REPEATS_MAX + 1)

/* The options as given; NULL or empty when not. */
struct lst_presign_options {
    const char *expires_in;
    const char *endpoint_url;
    const char *region;
    const char *profile;
    const char *method;
    const char *date;
    const char *content_type;
    const char *max_size;
    const char *min_size;
    const char *key_prefix;
    struct lst_option_list headers;
    struct lst_option_list query;
    struct lst_option_list fields;
    struct lst_option_list starts_with;
    bool path_style;
    bool virtual_host;
    bool batch;
    bool json;
    bool post;
};

/* All that is needed to sign, checked. Holds secrets: wipe it. */
struct lst_presign {
    const struct lst_usage *usage;
    const struct lst_presign_options *options;
    struct lst_aws_settings settings;
    struct lst_place place;
    struct lst_key key;
    int64_t time;
    int64_t expires; /* seconds */
};

/* Print a presigned URL, or one for each key on standard input. Gives the exit status. */
LST_MUST_CHECK int lst_presign_urls(const struct lst_presign *presign);

/* Print an upload form. Gives the exit status. */
LST_MUST_CHECK int lst_presign_form(const struct lst_presign *presign);

/* Warn if temporary credentials end before the thing ("URL") that they sign at `time`, and that is
 * to live for `expires` seconds: it ends with them. */
void lst_presign_warn(const char *command, const struct lst_credentials *credentials, int64_t time,
                      int64_t expires, const char *thing);

/*
 * Split "name=value" or "name: value" at its first separator; the value is trimmed after a colon
 * and empty without an equals sign. False, with the mistake reported, when there is no name.
 */
LST_MUST_CHECK bool lst_presign_split(const struct lst_usage *usage, const char *option,
                                      const char *given, char separator,
                                      struct lst_field *ret_field);

#endif
