/* provider.c - where the bucket stands in a URL: the host names of those who speak S3. */
#include "cli/provider.h"

#include "base/slice.h"
#include "cli/place.h"

#include <ctype.h>

/*
 * From their documentations. Labels from left to right: '?' is the region, also after a literal
 * beginning ("sos-?"); '*' any one label, as an account. What stands before them is the bucket; if
 * nothing does, the path begins with it. The first that fits counts.
 */
static const struct shape {
    const char *host;
    const char *provider;
    const char *prefix; /* of the path, before the bucket; NULL: none */
} shapes[] = {
    {"?.digitaloceanspaces.com", "DigitalOcean Spaces", NULL},
    {"?.cdn.digitaloceanspaces.com", "DigitalOcean Spaces", NULL},
    {"*.eu.r2.cloudflarestorage.com", "Cloudflare R2", NULL},
    {"*.fedramp.r2.cloudflarestorage.com", "Cloudflare R2", NULL},
    {"*.r2.cloudflarestorage.com", "Cloudflare R2", NULL},
    {"s3.?.backblazeb2.com", "Backblaze B2", NULL},
    {"s3.?.wasabisys.com", "Wasabi", NULL},
    {"s3.wasabisys.com", "Wasabi", NULL},
    {"s3.?.scw.cloud", "Scaleway", NULL},
    {"?.linodeobjects.com", "Akamai (Linode)", NULL},
    {"storage.googleapis.com", "Google Cloud Storage", NULL},
    {"s3.?.io.cloud.ovh.net", "OVHcloud", NULL},
    {"s3.?.io.cloud.ovh.us", "OVHcloud", NULL},
    {"s3.?.perf.cloud.ovh.net", "OVHcloud", NULL},
    {"s3.?.cloud.ovh.net", "OVHcloud", NULL},
    {"?.your-objectstorage.com", "Hetzner", NULL},
    {"?.vultrobjects.com", "Vultr", NULL},
    {"sos-?.exo.io", "Exoscale", NULL},
    {"objects-?.dream.io", "DreamHost", NULL},
    {"s3.?.cloud-object-storage.appdomain.cloud", "IBM Cloud", NULL},
    {"*.compat.objectstorage.?.oraclecloud.com", "Oracle Cloud", NULL},
    {"s3.oss-?.aliyuncs.com", "Alibaba Cloud", NULL},
    {"oss-?.aliyuncs.com", "Alibaba Cloud", NULL},
    {"cos.?.myqcloud.com", "Tencent Cloud", NULL},
    {"storage.yandexcloud.net", "Yandex Cloud", NULL},
    {"gateway.storjshare.io", "Storj", NULL},
    {"gateway.?.storjshare.io", "Storj", NULL},
    {"fly.storage.tigris.dev", "Tigris", NULL},
    {"t3.storage.dev", "Tigris", NULL},
    {"s3.filebase.com", "Filebase", NULL},
    {"*.storage.supabase.co", "Supabase", "/storage/v1/s3"},
    {"*.supabase.co", "Supabase", "/storage/v1/s3"},
};
enum { SHAPE_COUNT = sizeof(shapes) / sizeof(shapes[0]) };

/* Take the last label off; false if there is none left. */
static bool take_last(struct lst_slice *name, struct lst_slice *ret_label)
{
    size_t start = name->length;

    if (name->length == 0) {
        return false;
    }
    while (start > 0 && name->bytes[start - 1] != '.') {
        start--;
    }
    *ret_label = lst_slice_after(*name, start);
    *name = lst_slice_first(*name, start > 0 ? start - 1 : 0);
    return true;
}

static bool label_fits(struct lst_slice pattern, struct lst_slice label, struct lst_slice *region)
{
    size_t mark = lst_slice_find(pattern, '?');

    if (lst_slice_equal(pattern, LST_SLICE("*"))) {
        return label.length > 0;
    }
    if (mark == pattern.length) {
        return lst_slice_equal(pattern, label);
    }
    if (label.length <= mark || !lst_slice_starts_with(label, lst_slice_first(pattern, mark))) {
        return false;
    }
    *region = lst_slice_after(label, mark);
    return true;
}

/* Does the host end so? *ret_before is what stands before it, without the dot. */
static bool shape_fits(const struct shape *shape, struct lst_slice host,
                       struct lst_slice *ret_before, struct lst_slice *ret_region)
{
    struct lst_slice pattern = lst_slice_of(shape->host);
    struct lst_slice wanted;
    struct lst_slice label;

    *ret_region = LST_SLICE("");
    while (take_last(&pattern, &wanted)) {
        if (!take_last(&host, &label) || !label_fits(wanted, label, ret_region)) {
            return false;
        }
    }
    *ret_before = host;
    return true;
}

static void read_path(struct lst_slice path, struct lst_reading *reading)
{
    struct lst_slice rest = lst_slice_after(path, 1);

    reading->bucket = lst_slice_first(rest, lst_slice_find(rest, '/'));
    reading->key = lst_slice_after(rest, reading->bucket.length + 1);
}

static void read_host(struct lst_slice bucket, struct lst_slice path, struct lst_reading *reading)
{
    reading->virtual_host = true;
    reading->bucket = bucket;
    reading->key = lst_slice_after(path, 1);
}

static bool read_shape(struct lst_slice host, struct lst_slice path, struct lst_reading *reading)
{
    struct lst_slice before;

    for (size_t i = 0; i < SHAPE_COUNT; i++) {
        struct lst_slice prefix = lst_slice_of(shapes[i].prefix);

        if (!shape_fits(&shapes[i], host, &before, &reading->host_region)) {
            continue;
        }
        reading->provider = shapes[i].provider;
        reading->certain = true;
        if (prefix.length > 0 && lst_slice_starts_with(path, prefix)) {
            path = lst_slice_after(path, prefix.length);
        }
        if (before.length > 0) {
            read_host(before, path, reading);
        } else {
            read_path(path, reading);
        }
        return true;
    }
    return false;
}

/* AWS's own names: "bucket.s3.eu-west-1.amazonaws.com", "bucket.s3-accelerate.amazonaws.com". The
 * last ".s3" counts: a bucket may be called so. */
static void read_aws(struct lst_slice host, struct lst_slice path, struct lst_reading *reading)
{
    size_t at = host.length;

    for (size_t i = 0; i + 4 < host.length; i++) {
        struct lst_slice rest = lst_slice_after(host, i);

        if (lst_slice_starts_with(rest, LST_SLICE(".s3.")) ||
            lst_slice_starts_with(rest, LST_SLICE(".s3-"))) {
            at = i;
        }
    }
    reading->provider = "Amazon S3";
    reading->certain = true;
    if (at < host.length) {
        read_host(lst_slice_first(host, at), path, reading);
    } else {
        read_path(path, reading);
    }
}

/* An address, or a name of one label: no bucket can stand in it. */
static bool has_no_bucket(struct lst_slice host)
{
    bool digits = true;

    for (size_t i = 0; i < host.length; i++) {
        digits = digits && (isdigit((unsigned char)host.bytes[i]) || host.bytes[i] == '.');
    }
    return digits || host.bytes[0] == '[' || lst_slice_find(host, '.') == host.length;
}

void lst_reading_of(const struct lst_link *link, struct lst_reading *ret_reading)
{
    struct lst_slice host = lst_slice_of(link->host);
    struct lst_reading reading = {.provider = NULL};

    if (host.bytes[0] != '[') {
        host = lst_slice_first(host, lst_slice_find(host, ':'));
    }
    if (lst_host_is_aws(host)) {
        read_aws(host, link->path, &reading);
    } else if (!read_shape(host, link->path, &reading)) {
        reading.certain = has_no_bucket(host);
        read_path(link->path, &reading);
        reading.other_bucket = lst_slice_first(host, lst_slice_find(host, '.'));
        reading.other_key = lst_slice_after(link->path, 1);
    }
    *ret_reading = reading;
}
