/*
 * errors.h - S3's error codes, each with its HTTP status and text.
 *
 * From "Error responses" of the Amazon S3 API Reference, with the texts that S3 sends. The codes of
 * refused signatures are not here: lst_refusal() of latchstring.h has them.
 */
#ifndef LST_S3_ERRORS_H
#define LST_S3_ERRORS_H

#include "base/error.h"

/* name, S3's code, HTTP status, text */
#define LST_S3_ERROR_TABLE(X)                                                                      \
    X(ACCESS_DENIED, "AccessDenied", 403, "Access Denied")                                         \
    X(ACCESS_FORBIDDEN, "AccessForbidden", 403, "CORSResponse: This CORS request is not allowed.") \
    X(ACL_NOT_SUPPORTED, "AccessControlListNotSupported", 400, "The bucket does not allow ACLs")   \
    X(BAD_DIGEST, "BadDigest", 400,                                                                \
      "The Content-MD5 you specified did not match what we "                                       \
      "received.")                                                                                 \
    X(BAD_REQUEST, "BadRequest", 400, "Bad Request")                                               \
    X(BUCKET_ALREADY_EXISTS, "BucketAlreadyExists", 409,                                           \
      "The requested bucket name is not "                                                          \
      "available. The bucket namespace is shared by all users of the system. Please select a "     \
      "different name and try again.")                                                             \
    X(BUCKET_ALREADY_OWNED, "BucketAlreadyOwnedByYou", 409,                                        \
      "Your previous request to create the "                                                       \
      "named bucket succeeded and you already own it.")                                            \
    X(BUCKET_NOT_EMPTY, "BucketNotEmpty", 409, "The bucket you tried to delete is not empty")      \
    X(CONDITIONAL_CONFLICT, "ConditionalRequestConflict", 409,                                     \
      "The conditional request cannot succeed due to a conflicting operation against this "        \
      "resource.")                                                                                 \
    X(ENTITY_TOO_LARGE, "EntityTooLarge", 400,                                                     \
      "Your proposed upload exceeds the maximum allowed "                                          \
      "size")                                                                                      \
    X(ENTITY_TOO_SMALL, "EntityTooSmall", 400,                                                     \
      "Your proposed upload is smaller than the minimum "                                          \
      "allowed size")                                                                              \
    X(ILLEGAL_VERSIONING, "IllegalVersioningConfigurationException", 400,                          \
      "The Versioning element must be specified")                                                  \
    X(ILLEGAL_LOCATION, "IllegalLocationConstraintException", 400,                                 \
      "The unspecified location "                                                                  \
      "constraint is incompatible for the region specific endpoint this request was sent to.")     \
    X(INCOMPLETE_BODY, "IncompleteBody", 400,                                                      \
      "You did not provide the number of bytes specified "                                         \
      "by the Content-Length HTTP header")                                                         \
    X(INSUFFICIENT_STORAGE, "InsufficientStorage", 507,                                            \
      "The disk of this server is full. Nothing "                                                  \
      "was stored.")                                                                               \
    X(INTERNAL_ERROR, "InternalError", 500, "We encountered an internal error. Please try again.") \
    X(INVALID_ARGUMENT, "InvalidArgument", 400, "Invalid Argument")                                \
    X(INVALID_BUCKET_ACL, "InvalidBucketAclWithObjectOwnership", 400,                              \
      "Bucket cannot have ACLs "                                                                   \
      "set with ObjectOwnership's BucketOwnerEnforced setting")                                    \
    X(INVALID_BUCKET_NAME, "InvalidBucketName", 400, "The specified bucket is not valid.")         \
    X(INVALID_CHUNK_SIZE, "InvalidChunkSizeError", 403,                                            \
      "Only the last chunk is allowed to have a size less than 8192 bytes")                        \
    X(INVALID_DIGEST, "InvalidDigest", 400, "The Content-MD5 you specified was invalid.")          \
    X(INVALID_LOCATION, "InvalidLocationConstraint", 400,                                          \
      "The specified location-constraint is "                                                      \
      "not valid")                                                                                 \
    X(INVALID_PART, "InvalidPart", 400,                                                            \
      "One or more of the specified parts could not be found.  "                                   \
      "The part may not have been uploaded, or the specified entity tag may not match the part's " \
      "entity tag.")                                                                               \
    X(INVALID_PART_NUMBER, "InvalidPartNumber", 416,                                               \
      "The requested partnumber is not satisfiable")                                               \
    X(INVALID_PART_ORDER, "InvalidPartOrder", 400,                                                 \
      "The list of parts was not in ascending order. Parts "                                       \
      "must be ordered by part number.")                                                           \
    X(INVALID_POLICY, "InvalidPolicyDocument", 400, "Invalid Policy: Invalid JSON.")               \
    X(INVALID_RANGE, "InvalidRange", 416, "The requested range is not satisfiable")                \
    X(INVALID_REQUEST, "InvalidRequest", 400, "Invalid Request")                                   \
    X(INVALID_STORAGE_CLASS, "InvalidStorageClass", 400,                                           \
      "The storage class you specified is not "                                                    \
      "valid")                                                                                     \
    X(INVALID_TAG, "InvalidTag", 400, "The tag provided was not a valid tag.")                     \
    X(INVALID_URI, "InvalidURI", 400, "Couldn't parse the specified URI.")                         \
    X(KEY_TOO_LONG, "KeyTooLongError", 400, "Your key is too long")                                \
    X(MALFORMED_ACL, "MalformedACLError", 400,                                                     \
      "The XML you provided was not well-formed or did not "                                       \
      "validate against our published schema")                                                     \
    X(MALFORMED_POST, "MalformedPOSTRequest", 400,                                                 \
      "The body of your POST request is not well-formed "                                          \
      "multipart/form-data.")                                                                      \
    X(MALFORMED_TRAILER, "MalformedTrailerError", 400,                                             \
      "The request contained trailing data that "                                                  \
      "was not well-formed or did not conform to our published schema.")                           \
    X(KEY_MISSING, "UserKeyMustBeSpecified", 400, "User key must be specified.")                   \
    X(MALFORMED_XML, "MalformedXML", 400,                                                          \
      "The XML you provided was not well-formed or did not "                                       \
      "validate against our published schema")                                                     \
    X(MESSAGE_TOO_LONG, "MaxMessageLengthExceeded", 400, "Your request was too big.")              \
    X(METADATA_TOO_LARGE, "MetadataTooLarge", 400,                                                 \
      "Your metadata headers exceed the maximum "                                                  \
      "allowed metadata size")                                                                     \
    X(METHOD_NOT_ALLOWED, "MethodNotAllowed", 405,                                                 \
      "The specified method is not allowed against "                                               \
      "this resource.")                                                                            \
    X(MISSING_BODY, "MissingRequestBodyError", 400, "Request Body is empty")                       \
    X(MISSING_CONTENT_LENGTH, "MissingContentLength", 411,                                         \
      "You must provide the Content-Length "                                                       \
      "HTTP header.")                                                                              \
    X(MISSING_HEADER, "MissingSecurityHeader", 400, "Your request was missing a required header")  \
    X(NOT_FOUND, "NotFound", 404, "There is nothing at this address.")                             \
    X(NOT_IMPLEMENTED, "NotImplemented", 501,                                                      \
      "A header you provided implies functionality that "                                          \
      "is not implemented")                                                                        \
    X(NO_SUCH_BUCKET, "NoSuchBucket", 404, "The specified bucket does not exist")                  \
    X(NO_SUCH_KEY, "NoSuchKey", 404, "The specified key does not exist.")                          \
    X(NO_SUCH_CORS, "NoSuchCORSConfiguration", 404, "The CORS configuration does not exist")       \
    X(NO_SUCH_TAG_SET, "NoSuchTagSet", 404, "The TagSet does not exist")                           \
    X(NO_SUCH_UPLOAD, "NoSuchUpload", 404,                                                         \
      "The specified upload does not exist. The upload "                                           \
      "ID may be invalid, or the upload may have been aborted or completed.")                      \
    X(NO_SUCH_VERSION, "NoSuchVersion", 404, "The specified version does not exist.")              \
    X(OPERATION_ABORTED, "OperationAborted", 409,                                                  \
      "A conflicting conditional operation is "                                                    \
      "currently in progress against this resource. Please try again.")                            \
    X(POST_FIELDS_TOO_LARGE, "MaxPostPreDataLengthExceeded", 400,                                  \
      "Your POST request fields preceeding the upload file was too large.")                        \
    X(PRECONDITION_FAILED, "PreconditionFailed", 412,                                              \
      "At least one of the pre-conditions you "                                                    \
      "specified did not hold")                                                                    \
    X(REQUEST_HEADERS_TOO_LARGE, "RequestHeaderSectionTooLarge", 400,                              \
      "Your request header "                                                                       \
      "section exceeds the maximum allowed size.")                                                 \
    X(REQUEST_TIMEOUT, "RequestTimeout", 400,                                                      \
      "Your socket connection to the server was not read "                                         \
      "from or written to within the timeout period.")                                             \
    X(SERVICE_UNAVAILABLE, "ServiceUnavailable", 503, "Service is unable to handle request.")      \
    X(OUTCOME_UNKNOWN, "ServiceUnavailable", 503,                                                  \
      "The disk failed while the change was synced. The change may or may not have happened: "     \
      "send the request again in a moment, or look first.")                                        \
    X(SHA256_MISMATCH, "XAmzContentSHA256Mismatch", 400,                                           \
      "The provided 'x-amz-content-sha256' "                                                       \
      "header does not match what was computed.")                                                  \
    X(SLOW_DOWN, "SlowDown", 503, "Please reduce your request rate.")                              \
    X(UNEXPECTED_CONTENT, "UnexpectedContent", 400, "This request does not support content")

enum lst_s3_error {
#define LST_S3_ERROR_NAME(name, code, status, text) LST_S3_##name,
    LST_S3_ERROR_TABLE(LST_S3_ERROR_NAME)
#undef LST_S3_ERROR_NAME
        LST_S3_ERROR_COUNT
};

struct lst_s3_error_row {
    const char *code;
    int status;
    const char *text;
};

/* The table's row; all pointers are to constants. */
const struct lst_s3_error_row *lst_s3_error_row(enum lst_s3_error error);

/* The error that S3 has for a code of base/error.h; LST_S3_INTERNAL_ERROR for one that a client
 * can't cause. */
enum lst_s3_error lst_s3_error_of(int code);

/* The error of that S3 code; LST_S3_INTERNAL_ERROR if the table has none. */
enum lst_s3_error lst_s3_error_named(const char *code);

#endif
