/* copy_source.h - where a copy comes from: x-amz-copy-source and what goes with it. */
#ifndef LST_S3_COPY_SOURCE_H
#define LST_S3_COPY_SOURCE_H

#include "s3/exchange.h"

#define LST_COPY_SIZE_MAX 5368709120U /* bytes that one copy may take: 5 GiB, as S3 */

struct lst_copy_source {
    struct lst_object_name name;
    char text[3 * 1024]; /* what the name points into: bucket, key and version, decoded */
};

/*
 * Take "[/]bucket/key[?versionId=id]", or a URL with such a path, apart, which is percent-encoded,
 * with plus signs for spaces. LST_ERR_MALFORMED: no bucket and key. LST_ERR_BUCKET_NAME,
 * LST_ERR_INVALID_ARGUMENT (a bad escape), LST_ERR_KEY_TOO_LONG, LST_ERR_KEY_NOT_UTF8,
 * LST_ERR_VERSION_MALFORMED (an empty one).
 */
LST_MUST_CHECK int lst_copy_source_parse(struct lst_slice header,
                                         struct lst_copy_source *ret_source);

/* Read the header, and ask whether the signer may read what it names. False, having answered. */
bool lst_copy_source_read(struct lst_s3_exchange *exchange, struct lst_copy_source *ret_source);

/* Open it, with its body, and look whether the conditions x-amz-copy-source-if-* hold. False,
 * having answered; the object is then not open. */
bool lst_copy_source_open(struct lst_s3_exchange *exchange, const struct lst_copy_source *source,
                          struct lst_object *ret_object);

/* False, having answered, if it is more than one copy may take. */
bool lst_copy_size_check(struct lst_s3_exchange *exchange, uint64_t size);

/* May the signer do this to the source? */
bool lst_copy_source_allows(struct lst_s3_exchange *exchange, const struct lst_copy_source *source,
                            const char *action, const char *action_of_version);

#endif
