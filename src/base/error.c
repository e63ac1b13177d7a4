/* error.c - the table of texts. */
#include "base/error.h"

#include <errno.h>

const char *lst_error_text(int code)
{
    switch (code) {
    case LST_OK:
        return "success";
#define LST_ERROR_ROW(name, value, text)                                                           \
    case name:                                                                                     \
        return text;
        LST_ERROR_TABLE(LST_ERROR_ROW)
#undef LST_ERROR_ROW
    case LST_ERR_BUFFER_TOO_SMALL:
        return "a buffer is too small";
    case LST_ERR_INVALID_ARGUMENT:
        return "an invalid argument";
    default:
        return "an unknown error";
    }
}

int lst_error_from_errno(int number)
{
    switch (number) {
    case ENOMEM:
        return LST_ERR_NO_MEMORY;
    case ENOSPC:
    case EDQUOT:
        return LST_ERR_NO_SPACE;
    case EMFILE:
    case ENFILE:
        return LST_ERR_TOO_MANY_FILES;
    case ENOENT:
        return LST_ERR_NOT_FOUND;
    case EEXIST:
        return LST_ERR_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS:
        return LST_ERR_PERMISSION;
    case EISDIR:
        return LST_ERR_IS_FOLDER;
    case ENOTDIR:
        return LST_ERR_NOT_FOLDER;
    case EFBIG:
        return LST_ERR_TOO_LARGE;
    default:
        return LST_ERR_IO;
    }
}
