/* bucket.c - whether the bucket is there that a link or an upload is for. */
#include "api/exchange.h"

static int see(void *context, const struct lst_bucket *bucket)
{
    (void)context;
    (void)bucket;
    return LST_OK;
}

bool lst_api_check_bucket(struct lst_api_exchange *exchange, struct lst_slice bucket)
{
    int status = lst_store_bucket(exchange->api->options.store, bucket, see, NULL);

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
