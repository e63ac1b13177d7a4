/* put_fields.h - what an upload's headers say of the new object, to be kept with it. */
#ifndef LST_S3_PUT_FIELDS_H
#define LST_S3_PUT_FIELDS_H

#include "http/encoded_word.h"
#include "s3/tags.h"

#define LST_METADATA_MAX 2048 /* bytes of names and values of x-amz-meta-, as S3 counts them */

struct lst_put_fields {
    struct lst_field list[LST_STORE_FIELDS_MAX]; /* valid as long as the request and this struct */
    size_t count;
    size_t metadata; /* bytes, names counted without "x-amz-meta-" */
    char names[LST_METADATA_MAX + LST_STORE_FIELDS_MAX * sizeof("x-amz-meta-")]; /* lower-case */
    size_t names_length;
    char encoding[256]; /* Content-Encoding without aws-chunked */
    char words[3 * LST_METADATA_MAX + LST_STORE_FIELDS_MAX * LST_ENCODED_WORD_FRAME];
    size_t words_length; /* of values that were decoded, or became encoded words */
};

/*
 * Content-Type and the other headers that come back with the object, and x-amz-meta-* (also from
 * the query of a presigned URL), encoded words and text that is not ASCII as S3 gives them back,
 * or as they were sent if there is no room for that.
 * There is room for one more field, the checksum. False, having answered, if they are more than an
 * object can have, or if one could not be given back in a header: a metadata name that is no token,
 * a control character, a Content-Type that is not one media type.
 */
bool lst_put_fields_read(struct lst_s3_exchange *exchange, struct lst_put_fields *ret_fields);

/* False, having answered, if there is a Content-Type and it is not exactly one media type
 * (http/media_type.h). */
bool lst_put_check_type(struct lst_s3_exchange *exchange);

/* The tags of x-amz-tagging, or of a form's document, if there are any. False, having answered, if
 * they are malformed or the signer may not tag. The set, all zero before, is to be released either
 * way. */
bool lst_put_tags_read(struct lst_s3_exchange *exchange, struct lst_tag_set *ret_tags);

/* False, having answered, if another storage class or access control list is asked for than every
 * object has: STANDARD, and the bucket owner's alone ("Bucket owner enforced"). */
bool lst_put_check_class_and_acl(struct lst_s3_exchange *exchange);

#endif
