/* complete.h - completing a multipart upload: the list of parts, and what it is held against. */
#ifndef LST_S3_COMPLETE_H
#define LST_S3_COMPLETE_H

#include "s3/upload_checksum.h"

#define LST_COMPLETE_DOCUMENT_MAX                                                                  \
    (4 * 1024 * 1024) /* bytes: 10,000 parts, each with a checksum                                 \
                       */

/* One <Part>. */
struct lst_listed_part {
    uint32_t number;
    uint8_t etag_length; /* 0: it is longer than any part's, which it then is not */
    uint8_t checksum_length;
    enum lst_checksum_kind kind; /* NONE: it was not given */
    char etag[LST_ETAG_MAX];     /* without quotes */
    char checksum[LST_CHECKSUM_TEXT_MAX];
    bool is_there; /* and so large, once it was looked for */
    uint64_t size;
};

/* What is wrong with a document besides its shape. */
enum lst_parts_problem {
    LST_PARTS_FINE,
    LST_PARTS_NUMBER_TOO_SMALL,
    LST_PARTS_NUMBER_TOO_LARGE,
    LST_PARTS_NOT_ASCENDING,
    LST_PARTS_BAD_CHECKSUM, /* more than one of a part, or one that is too long */
};

struct lst_parts_list {
    struct lst_listed_part *parts; /* owned */
    size_t count;
    size_t capacity;
    enum lst_parts_problem problem;
    char culprit[24]; /* the number that was read last, as text */
    size_t culprit_length;
};

/* Read a <CompleteMultipartUpload> document. LST_ERR_MALFORMED: see ret_list->problem;
 * LST_ERR_NO_MEMORY. The list, all zero before, is to be released either way. */
LST_MUST_CHECK int lst_parts_list_parse(struct lst_slice document, struct lst_parts_list *ret_list);

/* The same. False, having answered, if it can't be read or has no part. */
bool lst_parts_list_read(struct lst_s3_exchange *exchange, struct lst_slice document,
                         struct lst_slice upload, struct lst_parts_list *ret_list);
void lst_parts_list_release(struct lst_parts_list *list);

struct lst_completion {
    struct lst_upload_name name;
    struct lst_parts_list list;
    struct lst_completed_part *parts; /* the same, as the store wants them */
    uint32_t culprit;                 /* the number of the part that is wrong */
    bool is_retry;                    /* the upload is gone: completed already, or never there */
    size_t next;                      /* while the parts are looked at: in the list */
    struct lst_upload_sum sum;
    enum lst_checksum_kind kind; /* of the object */
    char checksum[LST_CHECKSUM_TEXT_MAX];
    size_t checksum_length;
    struct lst_field field; /* the same, to be kept with the object */
};

/*
 * Hold the list against the upload: its parts, their ETags and checksums, and the checksum of the
 * whole that is declared. Sets kind and checksum, or is_retry. False, having answered, if it does
 * not fit.
 */
bool lst_completion_check(struct lst_s3_exchange *exchange, struct lst_completion *completion);

/* False, having answered with ConditionalRequestConflict, if the key has changed since the upload
 * was created in the very way that the condition is about, so that it can't be held any more. */
bool lst_completion_check_change(struct lst_s3_exchange *exchange,
                                 const struct lst_completion *completion,
                                 const struct lst_write_condition *condition);

/* InvalidPart, or EntityTooSmall, of completion->culprit. */
void lst_completion_fail_part(struct lst_s3_exchange *exchange,
                              const struct lst_completion *completion, bool is_small);

#endif
