/* setting.h - a document that a bucket has or has not: its tags, its CORS configuration. It is kept
 * as it is to be given back. */
#ifndef LST_S3_SETTING_H
#define LST_S3_SETTING_H

#include "s3/exchange.h"

/* Write it, and wait for that; value: NULL for none. False, having answered, if that failed. */
bool lst_setting_set(struct lst_s3_exchange *exchange, struct lst_slice name,
                     const struct lst_slice *value);

/* Each answers the exchange. absent: the error where there is none. */
void lst_setting_get(struct lst_s3_exchange *exchange, struct lst_slice name,
                     enum lst_s3_error absent);
void lst_setting_delete(struct lst_s3_exchange *exchange, struct lst_slice name);

#endif
