/*
 * error.h - the error codes of everything above the signing library.
 *
 * One table: they go on where enum lst_error of latchstring.h ends, so a function of the server
 * side may give either kind, and 0 is always success. What S3 answers for a code is decided in s3/,
 * not here.
 */
#ifndef LST_BASE_ERROR_H
#define LST_BASE_ERROR_H

#include "latchstring.h"

/* code, value, text for people (a log line, a command's error) */
#define LST_ERROR_TABLE(X)                                                                         \
    X(LST_ERR_NO_MEMORY, -200, "out of memory")                                                    \
    X(LST_ERR_IO, -201, "the disk or file system reported an error")                               \
    X(LST_ERR_NO_SPACE, -202, "the disk is full")                                                  \
    X(LST_ERR_TOO_LARGE, -203, "larger than the limit")                                            \
    X(LST_ERR_NOT_FOUND, -204, "not found")                                                        \
    X(LST_ERR_EXISTS, -205, "exists already")                                                      \
    X(LST_ERR_CONFLICT, -206, "something else changed it at the same time")                        \
    X(LST_ERR_CORRUPT, -207, "the stored data is damaged")                                         \
    X(LST_ERR_MALFORMED, -208, "malformed")                                                        \
    X(LST_ERR_CLOSED, -209, "shutting down")                                                       \
    X(LST_ERR_TOO_MANY_FILES, -210, "too many open files")                                         \
    X(LST_ERR_PERMISSION, -211, "permission denied by the file system")                            \
    X(LST_ERR_LOCKED, -212, "in use by another process")                                           \
    X(LST_ERR_UNKNOWN, -213,                                                                       \
      "the disk failed while the change was synced: it may or may not have happened")              \
    X(LST_ERR_ENDING, -214,                                                                        \
      "a sync of the disk failed; nothing is read or written until a restart")                     \
    X(LST_ERR_NOT_APPROVED, -215, "whoever has to approve it has not")                             \
    X(LST_ERR_IS_FOLDER, -216, "it is a folder, and a file is needed")                             \
    X(LST_ERR_NOT_FOLDER, -217, "it is a file, and a folder is needed")                            \
    X(LST_ERR_CROWDED, -218, "too much of it is under way already")                                \
    X(LST_ERR_NO_LIBRARY, -219,                                                                    \
      "a library cannot be loaded: install libmagic.so.1 and libcurl.so.4")                        \
    X(LST_ERR_BUCKET_NOT_FOUND, -220, "the bucket does not exist")                                 \
    X(LST_ERR_BUCKET_EXISTS, -221, "the bucket exists already")                                    \
    X(LST_ERR_BUCKET_NOT_EMPTY, -222, "the bucket is not empty")                                   \
    X(LST_ERR_BUCKET_NAME, -223, "not a valid bucket name")                                        \
    X(LST_ERR_KEY_NOT_FOUND, -224, "the object does not exist")                                    \
    X(LST_ERR_KEY_TOO_LONG, -225, "the key is longer than 1024 bytes")                             \
    X(LST_ERR_KEY_NOT_UTF8, -226, "the key is not valid UTF-8")                                    \
    X(LST_ERR_PRECONDITION, -227, "a condition of the request does not hold")                      \
    X(LST_ERR_NOT_MODIFIED, -228, "not modified")                                                  \
    X(LST_ERR_RANGE, -229, "the range is not satisfiable")                                         \
    X(LST_ERR_BAD_DIGEST, -230, "the body does not match its declared checksum")                   \
    X(LST_ERR_INVALID_DIGEST, -231, "the declared checksum is not valid")                          \
    X(LST_ERR_VERSION_NOT_FOUND, -232, "the object has no such version")                           \
    X(LST_ERR_VERSION_MALFORMED, -233, "not a version id")                                         \
    X(LST_ERR_DELETE_MARKER, -234, "the version is a delete marker")                               \
    X(LST_ERR_UPLOAD_NOT_FOUND, -235, "the multipart upload does not exist")                       \
    X(LST_ERR_PART_INVALID, -236, "a part is missing, or is not the one that was meant")           \
    X(LST_ERR_PART_ORDER, -237, "the parts are not in ascending order")                            \
    X(LST_ERR_PART_TOO_SMALL, -238, "a part other than the last is too small")                     \
    X(LST_ERR_USER_NOT_FOUND, -240, "no such user")                                                \
    X(LST_ERR_USER_EXISTS, -241, "the user exists already")                                        \
    X(LST_ERR_KEY_ID_EXISTS, -242, "the access key id is in use already")                          \
    X(LST_ERR_POLICY, -243, "not a valid policy")                                                  \
    X(LST_ERR_FORMAT, -250, "it has the format of another version of Latchstring")

enum lst_server_error {
#define LST_ERROR_ROW(code, value, text) code = (value),
    LST_ERROR_TABLE(LST_ERROR_ROW)
#undef LST_ERROR_ROW
};

/* The text of any code, of this table or of the library's; a constant, never NULL. */
const char *lst_error_text(int code);

/* Say that a failure of a call that must be checked changes nothing here; a comment beside it says
 * why. */
static inline void lst_ignore_status(int status)
{
    (void)status;
}

/* The code for an errno value: ENOSPC and EDQUOT are NO_SPACE, EMFILE and ENFILE TOO_MANY_FILES,
 * and so on; else IO. */
int lst_error_from_errno(int number);

#endif
