/*
 * aws_files.h - what one profile says in the two files that all AWS tools share.
 *
 * They are read as botocore reads them: a line that is indented deeper than the name before it goes
 * on with that name; '#' and ';' begin a comment only at the start of a line, so a secret may hold
 * them; names are compared without case, profiles with it.
 */
#ifndef LST_CLI_AWS_FILES_H
#define LST_CLI_AWS_FILES_H

#include "latchstring.h"

#define LST_PROFILE_NAME_MAX 41 /* bytes: what inih keeps of "[profile NAME]" */
#define LST_TOKEN_MAX        8192
#define LST_URL_MAX          1024

/* Text that ends in NUL; empty means not given. It holds secrets: wipe it. */
struct lst_credentials {
    char access_key_id[LST_ACCESS_KEY_ID_MAX + 1];
    char secret[LST_SECRET_MAX + 1];
    char session_token[LST_TOKEN_MAX + 1];
    char expires_at[64]; /* as written: see lst_credentials_expiry() */
};

enum lst_aws_file {
    LST_AWS_CREDENTIALS_FILE, /* ~/.aws/credentials: sections are [NAME] */
    LST_AWS_CONFIG_FILE,      /* ~/.aws/config: [profile NAME], [default] and [services NAME] */
};

/* One profile of one file. Empty text: not given. */
struct lst_aws_profile {
    bool found;
    struct lst_credentials credentials;
    char region[LST_REGION_MAX + 1];
    char endpoint_url[LST_URL_MAX];
    char services[LST_PROFILE_NAME_MAX + 1]; /* the name of its [services NAME] section */
    char addressing_style[16];               /* of its s3 section: "path", "virtual", "auto" */
    char other_source[32]; /* a setting that gets credentials elsewhere: "role_arn" */
    bool ignore_endpoint_url;
};

/* Why a file could not be used, for a message. */
struct lst_aws_file_problem {
    int line;             /* of the first line that is not understood, or 0 */
    const char *too_long; /* the setting whose value is longer than its limit, or NULL */
};

/*
 * Read one profile from a file. A file or a profile that is not there is no failure: found is then
 * false. LST_ERR_MALFORMED, with *ret_problem; LST_ERR_PERMISSION, LST_ERR_IO, LST_ERR_TOO_LARGE
 * (above a megabyte), LST_ERR_NO_MEMORY.
 */
LST_MUST_CHECK int lst_aws_profile_read(const char *path, enum lst_aws_file kind, const char *name,
                                        struct lst_aws_profile *ret_profile,
                                        struct lst_aws_file_problem *ret_problem);

/* The endpoint_url that a [services NAME] section of the config file has for s3, or an empty text.
 * Errors as above. */
LST_MUST_CHECK int lst_services_read(const char *path, const char *name,
                                     char ret_endpoint_url[LST_URL_MAX],
                                     struct lst_aws_file_problem *ret_problem);

/* The name of the profile in this file that has this access key id, or an empty text. Errors as
 * above. */
LST_MUST_CHECK int lst_aws_profile_find(const char *path, enum lst_aws_file kind,
                                        const char *access_key_id,
                                        char ret_name[LST_PROFILE_NAME_MAX + 1],
                                        struct lst_aws_file_problem *ret_problem);

#endif
