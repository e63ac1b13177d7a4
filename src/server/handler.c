/* handler.c - S3 and the upload API, as the server drives them. */
#include "server/handler.h"

#include "api/api.h"

/* One table of functions for a kind of exchange. */
#define HANDLER(name)                                                                              \
    static enum lst_s3_state name##_state(void *handled)                                           \
    {                                                                                              \
        return lst_##name##_state(handled);                                                        \
    }                                                                                              \
    static void name##_body(void *handled, struct lst_slice bytes)                                 \
    {                                                                                              \
        lst_##name##_body(handled, bytes);                                                         \
    }                                                                                              \
    static void name##_end(void *handled)                                                          \
    {                                                                                              \
        lst_##name##_end(handled);                                                                 \
    }                                                                                              \
    static struct lst_http_response *name##_response(void *handled)                                \
    {                                                                                              \
        return lst_##name##_response(handled);                                                     \
    }                                                                                              \
    static void name##_record(const void *handled, struct lst_s3_record *ret_record)               \
    {                                                                                              \
        lst_##name##_record(handled, ret_record);                                                  \
    }                                                                                              \
    static void name##_free(void *handled)                                                         \
    {                                                                                              \
        lst_##name##_free(handled);                                                                \
    }                                                                                              \
    const struct lst_handler lst_handler_##name = {name##_state,    name##_body,   name##_end,     \
                                                   name##_response, name##_record, name##_free};

HANDLER(s3)
HANDLER(api)
