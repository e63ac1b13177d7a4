/* place.c - where a request goes: s3://BUCKET/KEY and an endpoint, as scheme, host and path. */
#include "cli/place.h"

#include "base/slice.h"
#include "cli/link.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

/* The domains of AWS's partitions, by how their regions' names begin; the first that fits. */
static const struct {
    const char *region;
    const char *domain;
} partitions[] = {
    {"cn-", "amazonaws.com.cn"},   {"eusc-", "amazonaws.eu"},      {"us-iso-", "c2s.ic.gov"},
    {"us-isob-", "sc2s.sgov.gov"}, {"us-isof-", "csp.hci.ic.gov"}, {"eu-isoe-", "cloud.adc-e.uk"},
    {"", "amazonaws.com"},
};

#define REGION_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

enum { PARTITION_COUNT = sizeof(partitions) / sizeof(partitions[0]) };

bool lst_host_is_aws(struct lst_slice host)
{
    host = lst_slice_first(host, lst_slice_find(host, ':'));
    for (size_t i = 0; i < PARTITION_COUNT; i++) {
        struct lst_slice domain = lst_slice_of(partitions[i].domain);

        if (host.length > domain.length + 1 && host.bytes[host.length - domain.length - 1] == '.' &&
            lst_slice_equal_ignoring_case(lst_slice_after(host, host.length - domain.length),
                                          domain)) {
            return true;
        }
    }
    return false;
}

static bool split_uri(const struct lst_usage *usage, const char *uri, struct lst_place *place)
{
    struct lst_slice rest = lst_slice_of(uri);

    if (lst_slice_starts_with(rest, LST_SLICE("s3://"))) {
        rest = lst_slice_after(rest, 5);
    } else if (lst_slice_find_slice(rest, LST_SLICE("://")) < rest.length) {
        (void)lst_usage_error(usage, "'%s' is not of the form s3://BUCKET/KEY", uri);
        return false;
    }
    (void)lst_slice_split(&rest, '/', &place->bucket);
    place->key = rest;
    return true;
}

bool lst_place_bucket(const struct lst_usage *usage, struct lst_slice bucket)
{
    bool ok = bucket.length >= 3 && bucket.length <= LST_BUCKET_MAX;

    if (lst_slice_starts_with(bucket, LST_SLICE("arn:")) ||
        (bucket.length > 6 &&
         lst_slice_equal(lst_slice_after(bucket, bucket.length - 6), LST_SLICE("--x-s3")))) {
        (void)lst_usage_error(usage,
                              "access points and directory buckets are signed in another way, "
                              "which latchstring does not know; give a general purpose bucket");
        return false;
    }
    for (size_t i = 0; i < bucket.length; i++) {
        char byte = bucket.bytes[i];

        ok = ok && (isalnum((unsigned char)byte) || byte == '.' || byte == '-' || byte == '_');
    }
    if (!ok) {
        (void)lst_usage_error(usage,
                              "'%.*s' is not a bucket's name: 3 to 63 lower-case letters, digits, "
                              "dots and hyphens",
                              (int)bucket.length, bucket.bytes);
    }
    return ok;
}

/* Can the bucket's name stand before a host name? Over https no dots: certificates for
 * *.s3.amazonaws.com don't cover them. */
static bool fits_host(struct lst_slice bucket, bool dots)
{
    for (size_t i = 0; i < bucket.length; i++) {
        char byte = bucket.bytes[i];

        if (byte == '_' || isupper((unsigned char)byte) || (byte == '.' && !dots)) {
            return false;
        }
    }
    return bucket.length <= 63;
}

static bool is_address(const char *host)
{
    return host[0] == '[' || host[strspn(host, "0123456789.")] == ':' ||
           host[strspn(host, "0123456789.")] == '\0';
}

/* AWS's own host for the region. us-east-1 has the name that botocore gives it. */
static bool aws_host(const struct lst_usage *usage, const char *region, struct lst_place *place)
{
    size_t i = 0;

    if (region[0] == '-' ||
        region[strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0') {
        (void)lst_usage_error(usage,
                              "'%s' is not a region of AWS; give one as in --region "
                              "eu-west-1, or --endpoint-url for another store",
                              region);
        return false;
    }
    while (strncmp(region, partitions[i].region, strlen(partitions[i].region)) != 0) {
        i++;
    }
    place->scheme = "https";
    place->is_aws = true;
    if (strcmp(region, "us-east-1") == 0) {
        snprintf(place->host, sizeof(place->host), "s3.amazonaws.com");
    } else {
        snprintf(place->host, sizeof(place->host), "s3.%s.%s", region, partitions[i].domain);
    }
    return true;
}

/* Take the endpoint's path: what a gateway puts before the bucket. */
static bool take_prefix(struct lst_slice path, struct lst_place *place)
{
    while (path.length > 0 && path.bytes[path.length - 1] == '/') {
        path.length--;
    }
    for (size_t i = 0; i < path.length; i++) {
        unsigned char byte = (unsigned char)path.bytes[i];

        if (!isalnum(byte) && strchr("-._~/", byte) == NULL) {
            return false;
        }
    }
    snprintf(place->root, sizeof(place->root), "%.*s%s", (int)path.length, path.bytes,
             path.length > 0 ? "/" : "");
    return true;
}

static bool endpoint_host(const struct lst_usage *usage, const char *url, struct lst_place *place)
{
    struct lst_slice rest = lst_slice_of(url);
    struct lst_slice authority;
    bool https = lst_slice_starts_with_ignoring_case(rest, LST_SLICE("https://"));

    if (rest.length >= LST_URL_MAX ||
        (!https && !lst_slice_starts_with_ignoring_case(rest, LST_SLICE("http://")))) {
        (void)lst_usage_error(usage,
                              "the endpoint '%s' must begin with http:// or https://, as in "
                              "http://127.0.0.1:9000",
                              url);
        return false;
    }
    place->scheme = https ? "https" : "http";
    rest = lst_slice_after(rest, https ? 8 : 7);
    (void)lst_slice_split(&rest, '/', &authority);
    if (!lst_host_take(authority, https, place->host) || !take_prefix(rest, place)) {
        (void)lst_usage_error(usage,
                              "the endpoint '%s' must be a host, perhaps a port, and "
                              "perhaps a plain path, as in https://s3.example.com",
                              url);
        return false;
    }
    place->is_aws = lst_host_is_aws(lst_slice_of(place->host));
    return true;
}

/* Decide on the style. False, with the mistake reported, for one that can't be had. */
static bool choose_style(const struct lst_usage *usage, const struct lst_place_request *request,
                         const struct lst_place *place, bool *ret_virtual)
{
    bool custom = request->endpoint_url[0] != '\0';
    bool plain_http = place->scheme[4] != 's';
    bool possible = !is_address(place->host) && fits_host(place->bucket, plain_http);

    switch (request->addressing) {
    case LST_ADDRESSING_AUTO:
        *ret_virtual = !custom && possible;
        return true;
    case LST_ADDRESSING_PATH:
        *ret_virtual = false;
        return true;
    case LST_ADDRESSING_VIRTUAL:
        *ret_virtual = possible;
        return true;
    case LST_ADDRESSING_VIRTUAL_ALWAYS:
        break;
    }
    *ret_virtual = true;
    if (is_address(place->host) || !fits_host(place->bucket, true)) {
        (void)lst_usage_error(usage,
                              "bucket '%.*s' can't stand before the host %s; use "
                              "--path-style",
                              (int)place->bucket.length, place->bucket.bytes, place->host);
        return false;
    }
    if (!possible) {
        lst_report(usage->command,
                   "warning: few TLS certificates cover %.*s.%s, for the dots in "
                   "the bucket's name; --path-style avoids that",
                   (int)place->bucket.length, place->bucket.bytes, place->host);
    }
    return true;
}

/* Put the bucket where the style wants it. */
static void place_bucket(struct lst_place *place, bool virtual_host)
{
    char rest[sizeof(place->host)];
    char *text = virtual_host ? place->host : place->root;

    memcpy(rest, text, sizeof(rest));
    if (virtual_host) {
        snprintf(text, sizeof(place->host), "%.*s.%.*s", (int)place->bucket.length,
                 place->bucket.bytes, LST_URL_MAX, rest);
    } else {
        snprintf(text, sizeof(place->root), "%.*s%.*s/", LST_URL_MAX, rest,
                 (int)place->bucket.length, place->bucket.bytes);
    }
}

bool lst_place_find(const struct lst_usage *usage, const struct lst_place_request *request,
                    struct lst_place *ret_place)
{
    bool virtual_host;

    *ret_place = (struct lst_place){0};
    if (!split_uri(usage, request->uri, ret_place) || !lst_place_bucket(usage, ret_place->bucket) ||
        !(request->endpoint_url[0] != '\0' ? endpoint_host(usage, request->endpoint_url, ret_place)
                                           : aws_host(usage, request->region, ret_place)) ||
        !choose_style(usage, request, ret_place, &virtual_host)) {
        return false;
    }
    if (ret_place->is_aws && strcmp(ret_place->host, "s3.amazonaws.com") != 0 &&
        strstr(ret_place->host, request->region) == NULL) {
        lst_report(usage->command,
                   "warning: signing for region %s, which %s is not in; give its "
                   "region with --region",
                   request->region, ret_place->host);
    }
    place_bucket(ret_place, virtual_host);
    return true;
}

enum lst_addressing lst_addressing_of(const char *configured)
{
    if (strcasecmp(configured, "path") == 0) {
        return LST_ADDRESSING_PATH;
    }
    return strcasecmp(configured, "virtual") == 0 ? LST_ADDRESSING_VIRTUAL : LST_ADDRESSING_AUTO;
}

bool lst_place_region(const struct lst_usage *usage, const char *given,
                      char region[LST_REGION_MAX + 1])
{
    if (given == NULL && region[0] == '\0') {
        given = "us-east-1";
    }
    if (given != NULL) {
        struct lst_slice name = lst_slice_of(given);

        if (name.length == 0 || name.length > LST_REGION_MAX) {
            (void)lst_usage_error(usage, "a region's name has 1 to %d bytes", LST_REGION_MAX);
            return false;
        }
        memcpy(region, given, name.length + 1);
    }
    if (strspn(region, REGION_CHARACTERS) != strlen(region)) {
        (void)lst_usage_error(usage,
                              "the region '%s' can't be one: its name has letters, digits, '-', "
                              "'_' and '.' only",
                              region);
        return false;
    }
    return true;
}
