/* errors.c - S3's error codes. */
#include "s3/errors.h"

#include <string.h>

static const struct lst_s3_error_row rows[LST_S3_ERROR_COUNT] = {
#define ERROR_ROW(name, code, status, text) [LST_S3_##name] = {code, status, text},
    LST_S3_ERROR_TABLE(ERROR_ROW)
#undef ERROR_ROW
};

const struct lst_s3_error_row *lst_s3_error_row(enum lst_s3_error error)
{
    return &rows[error < LST_S3_ERROR_COUNT ? error : LST_S3_INTERNAL_ERROR];
}

enum lst_s3_error lst_s3_error_of(int code)
{
    static const struct {
        int code;
        enum lst_s3_error error;
    } known[] = {
        {LST_ERR_BUCKET_NOT_FOUND, LST_S3_NO_SUCH_BUCKET},
        {LST_ERR_BUCKET_EXISTS, LST_S3_BUCKET_ALREADY_EXISTS},
        {LST_ERR_BUCKET_NOT_EMPTY, LST_S3_BUCKET_NOT_EMPTY},
        {LST_ERR_BUCKET_NAME, LST_S3_INVALID_BUCKET_NAME},
        {LST_ERR_KEY_NOT_FOUND, LST_S3_NO_SUCH_KEY},
        {LST_ERR_VERSION_NOT_FOUND, LST_S3_NO_SUCH_VERSION},
        {LST_ERR_UPLOAD_NOT_FOUND, LST_S3_NO_SUCH_UPLOAD},
        {LST_ERR_DELETE_MARKER, LST_S3_METHOD_NOT_ALLOWED},
        {LST_ERR_KEY_TOO_LONG, LST_S3_KEY_TOO_LONG},
        {LST_ERR_KEY_NOT_UTF8, LST_S3_INVALID_URI},
        {LST_ERR_PRECONDITION, LST_S3_PRECONDITION_FAILED},
        {LST_ERR_CONFLICT, LST_S3_OPERATION_ABORTED},
        {LST_ERR_RANGE, LST_S3_INVALID_RANGE},
        {LST_ERR_BAD_DIGEST, LST_S3_BAD_DIGEST},
        {LST_ERR_INVALID_DIGEST, LST_S3_INVALID_DIGEST},
        {LST_ERR_TOO_LARGE, LST_S3_ENTITY_TOO_LARGE},
        {LST_ERR_NO_SPACE, LST_S3_INSUFFICIENT_STORAGE},
        {LST_ERR_NO_MEMORY, LST_S3_SLOW_DOWN},
        {LST_ERR_TOO_MANY_FILES, LST_S3_SLOW_DOWN},
        {LST_ERR_CROWDED, LST_S3_SLOW_DOWN},
        {LST_ERR_CLOSED, LST_S3_SERVICE_UNAVAILABLE},
        {LST_ERR_UNKNOWN, LST_S3_OUTCOME_UNKNOWN},
        {LST_ERR_ENDING, LST_S3_SERVICE_UNAVAILABLE},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].code == code) {
            return known[i].error;
        }
    }
    return LST_S3_INTERNAL_ERROR;
}

enum lst_s3_error lst_s3_error_named(const char *code)
{
    for (unsigned i = 0; i < LST_S3_ERROR_COUNT; i++) {
        if (strcmp(rows[i].code, code) == 0) {
            return (enum lst_s3_error)i;
        }
    }
    return LST_S3_INTERNAL_ERROR;
}
