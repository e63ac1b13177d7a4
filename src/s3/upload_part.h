/* upload_part.h - what UploadPart and UploadPartCopy share. */
#ifndef LST_S3_UPLOAD_PART_H
#define LST_S3_UPLOAD_PART_H

#include "s3/upload_checksum.h"

/* Read uploadId and partNumber, and look at the upload. False, having answered, if there is none,
 * or the number can be no part's. */
bool lst_upload_part_read(struct lst_s3_exchange *exchange, struct lst_part_options *ret_options,
                          struct lst_upload_checksum *ret_agreed);

/* Answer that the part can't be begun: with a code of lst_put_begin_part(). */
void lst_upload_part_fail(struct lst_s3_exchange *exchange, const struct lst_part_options *options,
                          int status);

/* Read a partNumber parameter. False, having answered, if it can be no part's. */
bool lst_part_number_read(struct lst_s3_exchange *exchange, struct lst_slice text,
                          uint32_t *ret_number);

#endif
