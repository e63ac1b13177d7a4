/*
 * tags.h - the tags of objects and buckets, as clients send them.
 *
 * "Categorizing your objects using tags" of the Amazon S3 User Guide: at most 10 on an object and
 * 50 on a bucket, keys of 1 to 128 characters and values of up to 256, none twice.
 */
#ifndef LST_S3_TAGS_H
#define LST_S3_TAGS_H

#include "s3/exchange.h"

enum {
    LST_BUCKET_TAGS_MAX = 50,
    LST_TAGS_DOCUMENT_MAX = 128 * 1024, /* bytes of XML: the longest tags, escaped */
};

/* Tags, with the memory for their text. All zero is none. */
struct lst_tag_set {
    struct lst_field list[LST_BUCKET_TAGS_MAX];
    size_t count;
    struct lst_buffer text; /* what the list points into */
};
void lst_tag_set_release(struct lst_tag_set *set);

/* Read an x-amz-tagging header: "key=value&key=value", percent-encoded. False, having answered, if
 * it is not one. The set is to be released either way. */
LST_MUST_CHECK bool lst_tags_parse_header(struct lst_s3_exchange *exchange, struct lst_slice header,
                                          struct lst_tag_set *ret_set);

/* Read a <Tagging> document of at most `most` tags: LST_STORE_TAGS_MAX or LST_BUCKET_TAGS_MAX. The
 * rest as above. */
LST_MUST_CHECK bool lst_tags_parse_xml(struct lst_s3_exchange *exchange, struct lst_slice document,
                                       size_t most, struct lst_tag_set *ret_set);

/* Append a <Tagging> document, from its declaration on. */
void lst_tags_write_xml(struct lst_buffer *body, const struct lst_field *tags, size_t count);

#endif
