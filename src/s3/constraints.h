/*
 * constraints.h - the x-latch- parameters of a request, enforced: see access/constraints.h.
 *
 * docs/constraints.md says what each means, and what is answered when one does not hold.
 */
#ifndef LST_S3_CONSTRAINTS_H
#define LST_S3_CONSTRAINTS_H

#include "access/constraints.h"
#include "s3/receive.h"

/* Which constraints an operation can hold. */
enum lst_constraint_use lst_s3_constraint_use(const struct lst_operation *operation);

/* Read those of the query, which the signature covers, as exchange->constraints, and hold them
 * against what is known before the body. False if the exchange has been answered. */
bool lst_s3_constrain(struct lst_s3_exchange *exchange);

/* The same for the fields of a form, which its policy covers. */
bool lst_s3_constrain_form(struct lst_s3_exchange *exchange, const struct lst_field *fields,
                           size_t field_count);

/* After lst_receive(): hold the declared length against x-latch-length, and make ready to look at
 * the content, of an object or of a part, if x-latch-sniff asks for it. False, having answered, if
 * it can't be accepted. */
bool lst_s3_constrain_object(struct lst_s3_exchange *exchange);
bool lst_s3_constrain_part(struct lst_s3_exchange *exchange, uint32_t number);

#endif
