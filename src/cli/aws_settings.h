/*
 * aws_settings.h - credentials, region and endpoint, found where every AWS tool finds them.
 *
 * Credentials, the first of:
 *   1. AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, unless a profile was named
 *      on the command line, which goes before them as in botocore;
 *   2. the profile in AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials);
 *   3. the profile in AWS_CONFIG_FILE (~/.aws/config).
 * The profile is the one named on the command line, or AWS_PROFILE, or AWS_DEFAULT_PROFILE, or
 * "default".
 *
 * Region: AWS_REGION, AWS_DEFAULT_REGION, the profile's. Endpoint: AWS_ENDPOINT_URL_S3,
 * AWS_ENDPOINT_URL, the endpoint_url for s3 in the profile's services section, the profile's.
 * Where a profile has a setting in both files, the credentials file's is taken.
 */
#ifndef LST_CLI_AWS_SETTINGS_H
#define LST_CLI_AWS_SETTINGS_H

#include "cli/aws_files.h"

/* Empty text: not given. Holds secrets: wipe it. */
struct lst_aws_settings {
    struct lst_credentials credentials;
    char region[LST_REGION_MAX + 1];
    char endpoint_url[LST_URL_MAX];
    char addressing_style[16];
};

/*
 * Find all of it; credentials must be there. profile: as named on the command line, or NULL. False
 * when something is missing or not usable, which has been reported in the name of the command, with
 * what to do.
 */
LST_MUST_CHECK bool lst_aws_settings_load(const char *command, const char *profile,
                                          struct lst_aws_settings *ret_settings);

/* The same without credentials, which need not be there: for who has something else to show. */
LST_MUST_CHECK bool lst_aws_settings_load_endpoint(const char *command, const char *profile,
                                                   struct lst_aws_settings *ret_settings);

/*
 * The credentials that belong to an access key id: those of the environment, or of any profile; of
 * this one alone if profile is not NULL. *ret_found says whether there are any. False when a file
 * is not usable, which has been reported.
 */
LST_MUST_CHECK bool lst_aws_credentials_find(const char *command, const char *profile,
                                             const char *access_key_id,
                                             struct lst_credentials *ret_credentials,
                                             bool *ret_found);

/* When temporary credentials end, in seconds since 1970; false if they don't say. */
LST_MUST_CHECK bool lst_credentials_expiry(const struct lst_credentials *credentials,
                                           int64_t *ret_time);

#endif
