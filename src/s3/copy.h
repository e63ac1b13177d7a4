/* copy.h - what CopyObject and UploadPartCopy share: a copy under way. */
#ifndef LST_S3_COPY_H
#define LST_S3_COPY_H

#include "s3/checksum.h"
#include "s3/copy_source.h"
#include "s3/put_fields.h"

struct lst_copying {
    struct lst_copy_source source;
    struct lst_object object; /* the store's, once the copy has begun */
    struct lst_version_id source_version;
    struct lst_copy copy;

    /* Of the copy: known from the source, or computed of its bytes. */
    enum lst_checksum_kind kind;
    struct lst_checksum sum;
    char checksum[LST_CHECKSUM_TEXT_MAX];
    size_t checksum_length;

    /* Of CopyObject. */
    struct lst_put_fields fields;
    struct lst_tag_set tags;
    struct lst_write_condition condition;
    bool replaces_fields;
    size_t own_count; /* of fields: those of the request */
    bool replaces_tags;

    /* Look at the object, which is open, decide upon copy.first, copy.length and the checksum, and
     * begin the put. False, having answered. */
    bool (*begin)(struct lst_s3_exchange *exchange, struct lst_copying *copying,
                  struct lst_put **ret_put);
};

/* A copy whose source was read. NULL: the exchange has been answered. */
struct lst_copying *lst_copying_make(struct lst_s3_exchange *exchange);

/* NULL does nothing. */
void lst_copying_free(struct lst_copying *copying);

/* Open the source and copy it, again if it goes away meanwhile: another may be in its place. Waits.
 * False, having answered, if that can't be. */
bool lst_copying_copy(struct lst_s3_exchange *exchange, struct lst_copying *copying);

/* The copy has this checksum, which is known already; or the one that is to be computed. */
void lst_copying_keep_checksum(struct lst_copying *copying, enum lst_checksum_kind kind,
                               struct lst_slice text);
void lst_copying_compute_checksum(struct lst_copying *copying, enum lst_checksum_kind kind);

/* Answer with a document of that root: LastModified, ETag, checksum; and the source's version. */
void lst_copying_answer(struct lst_s3_exchange *exchange, const struct lst_copying *copying,
                        const char *root, bool with_type);

#endif
