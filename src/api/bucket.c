/* bucket.c - whether the bucket is there that a link or an upload is for. */
#include "api/exchange.h"
#include "api/profiles.h"

#include <stdio.h>

static int see(void *context, const struct lst_bucket *bucket)
{
    (void)context;
    (void)bucket;
    return LST_OK;
}

bool lst_api_check_bucket(struct lst_api_exchange *exchange, struct lst_slice bucket)
{
    int status;

    if (lst_bucket_name_check(bucket) != LST_OK) { /* so it can't be created, either */
        lst_api_fail(exchange, 400, "InvalidArgument",
                     "bucket: '%.*s' can't be a bucket's name: it must have 3 to 63 lower-case "
                     "letters, digits, dots and hyphens",
                     (int)bucket.length, bucket.bytes);
        return false;
    }
    status = lst_store_bucket(exchange->api->options.store, bucket, see, NULL);
    if (status == LST_ERR_BUCKET_NOT_FOUND) {
        lst_api_fail(exchange, 404, "NoSuchBucket",
                     "bucket: there is no bucket '%.*s' here: create it first, with any "
                     "S3 client (CreateBucket) or with `latchstring serve --buckets %.*s`",
                     (int)bucket.length, bucket.bytes, (int)bucket.length, bucket.bytes);
    } else if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
    }
    return status == LST_OK;
}

/* ---- The buckets of all profiles */

enum { WARNINGS_MAX = 20, WARNING_MAX = 1024 };

struct check {
    const struct lst_api *api;
    unsigned count; /* of warnings */
};

static int check_profile(void *context, const struct lst_profile *profile, bool is_file)
{
    struct check *check = context;
    char text[WARNING_MAX];

    (void)is_file;
    if (profile->remote[0] != '\0' ||
        lst_store_bucket(check->api->options.store, lst_slice_of(profile->bucket), see, NULL) !=
            LST_ERR_BUCKET_NOT_FOUND) {
        return LST_OK;
    }
    (void)snprintf(text, sizeof(text),
                   "warning: the profile '%s' puts its uploads into the bucket '%s', which does "
                   "not exist: they will be refused. Make it with any S3 client, or start with "
                   "--buckets %s",
                   profile->name, profile->bucket, profile->bucket);
    check->api->options.report(text);
    return ++check->count == WARNINGS_MAX ? 1 : LST_OK;
}

void lst_api_check_profiles(const struct lst_api *api)
{
    struct check check = {.api = api};

    if (api->options.report != NULL) {
        /* What can't be read is said where it is needed. */
        lst_ignore_status(lst_profiles_list(api->profiles, check_profile, &check));
    }
}
