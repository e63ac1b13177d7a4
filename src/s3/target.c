/* target.c - what a request's host and path name. */
#include "base/error.h"
#include "http/host.h"
#include "s3/routes.h"

/* Decode a part of the path into *scratch, which moves on. */
static int decode(struct lst_slice raw, char **scratch, struct lst_slice *ret_text)
{
    size_t length;

    if (lst_percent_decode(raw, false, *scratch, raw.length, &length) != LST_OK) {
        return LST_ERR_MALFORMED;
    }
    *ret_text = lst_slice_make(*scratch, length);
    *scratch += length;
    return LST_OK;
}

/* What S3 asks of a key. */
static int check_names(const struct lst_target *target)
{
    if (target->key.length > 1024) {
        return LST_ERR_KEY_TOO_LONG;
    }
    return lst_slice_is_utf8(target->key) && lst_slice_is_utf8(target->bucket)
               ? LST_OK
               : LST_ERR_KEY_NOT_UTF8;
}

int lst_target_of(struct lst_slice bucket, struct lst_slice key, struct lst_target *ret_target)
{
    *ret_target = (struct lst_target){.level = key.length > 0 ? LST_LEVEL_OBJECT : LST_LEVEL_BUCKET,
                                      .bucket = bucket,
                                      .key = key};
    return check_names(ret_target);
}

int lst_target_decode(struct lst_slice path, struct lst_slice host, const struct lst_slice *domains,
                      size_t domain_count, char *scratch, struct lst_target *ret_target)
{
    struct lst_target target = {.bucket = lst_host_bucket(host, domains, domain_count)};
    struct lst_slice rest = lst_slice_after(path, 1);
    int status = LST_OK;

    if (path.length == 0 || path.bytes[0] != '/') {
        return LST_ERR_MALFORMED;
    }
    target.is_virtual_host = target.bucket.length > 0;
    if (!target.is_virtual_host) {
        /* The bucket ends at the first slash that was sent as one: %2F would be part of its name.
         */
        struct lst_slice bucket = lst_slice_first(rest, lst_slice_find(rest, '/'));
        status = decode(bucket, &scratch, &target.bucket);
        rest = lst_slice_after(rest, bucket.length + 1);
    }
    if (status == LST_OK) {
        status = decode(rest, &scratch, &target.key);
    }
    if (status != LST_OK) {
        return status;
    }
    status = check_names(&target);
    if (status != LST_OK) {
        *ret_target = status == LST_ERR_KEY_TOO_LONG ? target /* whose length the error tells */
                                                     : *ret_target;
        return status;
    }
    target.level = target.key.length > 0                         ? LST_LEVEL_OBJECT
                   : target.bucket.length > 0 || path.length > 1 ? LST_LEVEL_BUCKET
                                                                 : LST_LEVEL_SERVICE;
    *ret_target = target;
    return LST_OK;
}
