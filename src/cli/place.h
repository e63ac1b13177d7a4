/* place.h - where a request goes: s3://BUCKET/KEY and an endpoint, as scheme, host and path. */
#ifndef LST_CLI_PLACE_H
#define LST_CLI_PLACE_H

#include "cli/aws_files.h"
#include "cli/options.h"

#define LST_BUCKET_MAX 255 /* bytes; AWS made names longer than 63 until 2018 */
#define LST_KEY_MAX    1024

enum lst_addressing {
    LST_ADDRESSING_AUTO = 0, /* AWS: virtual-host where the bucket's name allows; others: path */
    LST_ADDRESSING_PATH,
    LST_ADDRESSING_VIRTUAL,        /* virtual-host where bucket and host allow, else path */
    LST_ADDRESSING_VIRTUAL_ALWAYS, /* a mistake where they don't */
};

/* What is asked for. */
struct lst_place_request {
    const char *uri;          /* "s3://BUCKET/KEY"; "s3://" may be missing, and so may the key */
    const char *endpoint_url; /* empty for AWS */
    const char *region;
    enum lst_addressing addressing;
};

struct lst_place {
    const char *scheme;                      /* "https" or "http" */
    char host[LST_URL_MAX + LST_BUCKET_MAX]; /* with the port, unless it is the scheme's own */
    char root[LST_URL_MAX + LST_BUCKET_MAX]; /* of the path, before the key, raw and without its
                                              * first slash: "", "bucket/" or "prefix/bucket/" */
    struct lst_slice bucket;                 /* these point into the URI */
    struct lst_slice key;
    bool is_aws; /* so AWS's limits hold */
};

/* False, with the mistake reported, when there is no such place. Warns of what will hardly work. */
LST_MUST_CHECK bool lst_place_find(const struct lst_usage *usage,
                                   const struct lst_place_request *request,
                                   struct lst_place *ret_place);

/* As a profile's addressing_style says it; empty or unknown: AUTO. */
enum lst_addressing lst_addressing_of(const char *configured);

/*
 * Decide on the region, in place: the one that was given on the command line (may be NULL), or what
 * is there, or us-east-1. False, with the mistake reported, if it can't be one.
 */
LST_MUST_CHECK bool lst_place_region(const struct lst_usage *usage, const char *given,
                                     char region[LST_REGION_MAX + 1]);

/* False, with the mistake reported, if no bucket can have this name. */
LST_MUST_CHECK bool lst_place_bucket(const struct lst_usage *usage, struct lst_slice bucket);

/* True if the host is one of AWS's. */
bool lst_host_is_aws(struct lst_slice host);

#endif
