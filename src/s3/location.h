/* location.h - the address of an object, as answers tell it. */
#ifndef LST_S3_LOCATION_H
#define LST_S3_LOCATION_H

#include "s3/exchange.h"

/* Append the URL of the exchange's target, as the client would call it: all but letters, digits and
 * "-._~" is percent-encoded, the slashes of the key too, as S3 does. */
void lst_location_write(struct lst_buffer *url, const struct lst_s3_exchange *exchange);

/* Append text, percent-encoded in the same way. */
void lst_location_encode(struct lst_buffer *url, struct lst_slice text);

#endif
