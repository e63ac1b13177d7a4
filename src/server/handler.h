/*
 * handler.h - what answers a request that this server does not answer itself: S3, or the upload
 * API. Both are driven in the same way (see s3/s3.h).
 */
#ifndef LST_SERVER_HANDLER_H
#define LST_SERVER_HANDLER_H

#include "s3/s3.h"

struct lst_handler {
    enum lst_s3_state (*state)(void *handled);
    void (*body)(void *handled, struct lst_slice bytes);
    void (*end)(void *handled);
    struct lst_http_response *(*response)(void *handled);
    void (*record)(const void *handled, struct lst_s3_record *ret_record);
    void (*free)(void *handled);
};

extern const struct lst_handler lst_handler_s3;
extern const struct lst_handler lst_handler_api;

#endif
