/* get_fields.h - the headers that an object was put with, given back. */
#ifndef LST_S3_GET_FIELDS_H
#define LST_S3_GET_FIELDS_H

#include "s3/exchange.h"

/*
 * Add them to the answer, with what the response-* parameters put in their place, and a
 * Content-Type in any case. What can't be sent is left out, for an object may have been stored with
 * what is refused today; x-amz-missing-meta counts it. False, having answered, if
 * response-content-type is not one media type.
 */
bool lst_get_add_fields(struct lst_s3_exchange *exchange, const struct lst_object *object);

#endif
