/*
 * constraints.h - the x-latch- parameters of a request, enforced: see access/constraints.h.
 *
 * docs/constraints.md says what each means, and what is answered when one does not hold.
 */
#ifndef LST_S3_CONSTRAINTS_H
#define LST_S3_CONSTRAINTS_H

#include "access/constraints.h"
#include "s3/receive.h"
#include "s3/upload_checksum.h"

/* Read those of the query, which the signature covers, as exchange->constraints, and hold them
 * against what is known before the body. False if the exchange has been answered. */
bool lst_s3_constrain(struct lst_s3_exchange *exchange);

/* The same for the fields of a form, which its policy covers. */
bool lst_s3_constrain_form(struct lst_s3_exchange *exchange, const struct lst_field *fields,
                           size_t field_count);

/* After lst_receive_prepare(): hold the declared length against x-latch-length, and make ready to
 * look at the content, of an object or of part 1, if x-latch-sniff asks for it, of the request or
 * of the upload. False, having answered, if it can't be accepted. */
bool lst_s3_constrain_object(struct lst_s3_exchange *exchange, struct lst_receiving *receiving);
bool lst_s3_constrain_part(struct lst_s3_exchange *exchange, uint32_t number,
                           const struct lst_upload_checksum *agreed,
                           struct lst_receiving *receiving);

/* Of an upload that was created with x-latch-sniff: may a part of this number be a copy? May it be
 * completed, beginning with this part? False, having answered, if not. */
bool lst_s3_constrain_copied_part(struct lst_s3_exchange *exchange, uint32_t number,
                                  const struct lst_upload_checksum *agreed);
bool lst_s3_constrain_parts(struct lst_s3_exchange *exchange, uint32_t first,
                            const struct lst_upload_checksum *agreed);

/* Is it the object that x-latch-etag names? False, having answered, if not. */
bool lst_s3_constrain_etag(struct lst_s3_exchange *exchange, struct lst_slice etag);

#endif
