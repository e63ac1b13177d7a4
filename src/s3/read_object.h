/* read_object.h - opening the object that a request names, for GetObject and its like. */
#ifndef LST_S3_READ_OBJECT_H
#define LST_S3_READ_OBJECT_H

#include "s3/exchange.h"

/* Open the version that the request names, or the current one. False, having answered: with what a
 * delete marker is answered with, if one is there. */
bool lst_read_object(struct lst_s3_exchange *exchange, bool with_body,
                     struct lst_object *ret_object);

#endif
