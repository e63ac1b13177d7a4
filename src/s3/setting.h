/* setting.h - a document that a bucket has or has not: its tags, its CORS configuration. It is kept
 * as it is to be given back. */
#ifndef LST_S3_SETTING_H
#define LST_S3_SETTING_H

#include "s3/exchange.h"

/* Each answers the exchange. answer: of S3's settings some are answered with 200, some with 204.
 * absent: the error where there is none. */
void lst_setting_put(struct lst_s3_exchange *exchange, struct lst_slice name,
                     struct lst_slice value, void (*answer)(struct lst_s3_exchange *exchange));
void lst_setting_get(struct lst_s3_exchange *exchange, struct lst_slice name,
                     enum lst_s3_error absent);
void lst_setting_delete(struct lst_s3_exchange *exchange, struct lst_slice name);

#endif
