/* bucket.h - what the operations on buckets share. */
#ifndef LST_S3_BUCKET_H
#define LST_S3_BUCKET_H

#include "s3/exchange.h"

/* What is known of a bucket, copied. */
struct lst_bucket_sight {
    char region[LST_REGION_MAX]; /* the LocationConstraint; not NUL-terminated */
    size_t region_length;
    char owner[64]; /* canonical id; not NUL-terminated */
    size_t owner_length;
};

/* Look at the exchange's bucket. LST_ERR_BUCKET_NOT_FOUND. */
LST_MUST_CHECK int lst_bucket_see(struct lst_s3_exchange *exchange,
                                  struct lst_bucket_sight *ret_sight);

/* The region of a bucket that was made with this LocationConstraint: the server's if it is empty,
 * us-east-1 if that has none. */
struct lst_slice lst_bucket_region(const struct lst_s3_exchange *exchange,
                                   struct lst_slice constraint);

/* A name that a region of AWS could have, or "EU". */
bool lst_bucket_is_region(struct lst_slice name);

/* A region that AWS has, as of 2026. */
bool lst_bucket_is_aws_region(struct lst_slice name);

/* Add x-amz-bucket-arn, of the exchange's bucket. */
void lst_bucket_add_arn(struct lst_s3_exchange *exchange);

#endif
