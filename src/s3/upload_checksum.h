/*
 * upload_checksum.h - what was agreed of a multipart upload when it was created: its checksum, and
 * what comes of its parts; whether its content is checked; and how large its parts may be together.
 *
 * "Checking object integrity for multipart uploads" of the Amazon S3 User Guide. FULL_OBJECT is the
 * checksum of all bytes, computed from those of the parts, which only CRCs allow. COMPOSITE is the
 * checksum of the parts' checksums. An upload that was created without one has a CRC64NVME of the
 * full object if all its parts have theirs.
 */
#ifndef LST_S3_UPLOAD_CHECKSUM_H
#define LST_S3_UPLOAD_CHECKSUM_H

#include "s3/checksum.h"
#include "s3/exchange.h"
#include "store/upload.h"

#define LST_SNIFFED_TYPE_MAX                                                                       \
    255 /* bytes of the Content-Type of an upload whose content is checked */

/* As agreed. */
struct lst_upload_checksum {
    enum lst_checksum_kind kind;
    bool is_composite;
    bool is_declared; /* by the client */

    /* What the key was when the upload was created, which conditions of its completion ask. */
    bool key_existed;
    int64_t created_ms;

    /* x-latch-sniff: part 1 must be there, and be what this Content-Type says; whoever sends it. */
    bool is_sniffed;
    char type[LST_SNIFFED_TYPE_MAX + 1]; /* of the upload that was seen; "" if it has none */

    uint64_t total_max; /* x-latch-total: bytes of all its parts together; 0: no limit */
};

/* Read x-amz-checksum-algorithm and x-amz-checksum-type of CreateMultipartUpload. False, having
 * answered, if they do not go together. */
bool lst_upload_checksum_read(struct lst_s3_exchange *exchange,
                              struct lst_upload_checksum *ret_checksum);

/* InvalidRequest: x-amz-checksum-algorithm is none of S3's. */
void lst_upload_checksum_fail_algorithm(struct lst_s3_exchange *exchange);

const char *lst_upload_checksum_type(const struct lst_upload_checksum *checksum);

/* As the upload's note: "CRC32 COMPOSITE", nothing if none was declared, and, each after a space,
 * "over" if the key existed, "sniff" if the content is checked, and "total" and the most bytes that
 * all parts may have together, if they are limited. */
size_t lst_upload_checksum_write_note(const struct lst_upload_checksum *checksum,
                                      char ret_note[LST_UPLOAD_NOTE_MAX]);
struct lst_upload_checksum lst_upload_checksum_of_note(struct lst_slice note);

/* That of the exchange's upload. Codes of lst_upload_see(). */
LST_MUST_CHECK int lst_upload_checksum_see(struct lst_s3_exchange *exchange,
                                           const struct lst_upload_name *name,
                                           struct lst_upload_checksum *ret_checksum);

/* Bucket, key and the uploadId parameter. */
struct lst_upload_name lst_upload_name_of(struct lst_s3_exchange *exchange);

/* ---- Summing up the parts */

struct lst_upload_sum {
    struct lst_upload_checksum agreed;
    bool is_missing; /* a part has no checksum of the kind: there is none of the whole */
    uint32_t parts;
    uint8_t combined[LST_CHECKSUM_SIZE_MAX]; /* of a full object */
    struct lst_checksum running;             /* of a composite */
};

void lst_upload_sum_begin(struct lst_upload_sum *sum, const struct lst_upload_checksum *agreed);
void lst_upload_sum_add(struct lst_upload_sum *sum, const struct lst_part *part);

/* The text to be kept with the object; 0 if there is none. */
size_t lst_upload_sum_end(struct lst_upload_sum *sum, char ret_text[LST_CHECKSUM_TEXT_MAX]);

#endif
