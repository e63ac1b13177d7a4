/* write_condition.h - If-Match and If-None-Match of a write: PutObject, CompleteMultipartUpload,
 * CopyObject. "Conditional writes" of the Amazon S3 User Guide. */
#ifndef LST_S3_WRITE_CONDITION_H
#define LST_S3_WRITE_CONDITION_H

#include "s3/exchange.h"

/* False, having answered with 501, if one of these conditions is there, as a header or in a signed
 * query: to pass over one would be to write, or delete, what the client wanted kept. */
bool lst_write_condition_refuse(struct lst_s3_exchange *exchange, const enum lst_header *headers,
                                size_t count);

/* May the signer read the object? The answer to If-Match says whether an ETag is the object's, so
 * S3 asks for s3:GetObject. False if not; the reason is set, and nothing is answered. */
bool lst_write_condition_check_read(struct lst_s3_exchange *exchange, struct lst_slice key,
                                    bool is_version);

/* False, having answered, if they ask for what S3 does not do (If-None-Match of an ETag, both, or a
 * condition about dates), or if the signer may not use If-Match. The condition's slices are valid
 * as long as the request. */
bool lst_write_condition_read(struct lst_s3_exchange *exchange,
                              struct lst_write_condition *ret_condition);

#endif
