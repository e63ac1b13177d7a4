/*
 * names.h - the headers and query parameters that are asked for by name, each with a number.
 *
 * A request is read once, each of its names is given its number then, and from then on nobody
 * compares names: request.h.
 */
#ifndef LST_HTTP_NAMES_H
#define LST_HTTP_NAMES_H

#include "base/slice.h"

/* By their length, then by the alphabet: look-ups go by the length. "Tagging" is none, but what a
 * form's field of that name is. */
/* clang-format off */
#define LST_HEADER_LIST(X)                                                                         \
    X(VIA, "Via")                                                                                  \
    X(DATE, "Date")                                                                                \
    X(HOST, "Host")                                                                                \
    X(RANGE, "Range")                                                                              \
    X(ACCEPT, "Accept")                                                                            \
    X(EXPECT, "Expect")                                                                            \
    X(ORIGIN, "Origin")                                                                            \
    X(EXPIRES, "Expires")                                                                          \
    X(TAGGING, "Tagging")                                                                          \
    X(IF_MATCH, "If-Match")                                                                        \
    X(IF_RANGE, "If-Range")                                                                        \
    X(FORWARDED, "Forwarded")                                                                      \
    X(AMZ_ACL, "x-amz-acl")                                                                        \
    X(X_REAL_IP, "X-Real-IP")                                                                      \
    X(CONNECTION, "Connection")                                                                    \
    X(AMZ_DATE, "x-amz-date")                                                                      \
    X(CONTENT_MD5, "Content-MD5")                                                                  \
    X(CONTENT_TYPE, "Content-Type")                                                                \
    X(AUTHORIZATION, "Authorization")                                                              \
    X(CACHE_CONTROL, "Cache-Control")                                                              \
    X(IF_NONE_MATCH, "If-None-Match")                                                              \
    X(AMZ_TAGGING, "x-amz-tagging")                                                                \
    X(AMZ_TRAILER, "x-amz-trailer")                                                                \
    X(CONTENT_LENGTH, "Content-Length")                                                            \
    X(IDEMPOTENCY_KEY, "Idempotency-Key")                                                          \
    X(AMZ_MAX_PARTS, "x-amz-max-parts")                                                            \
    X(X_FORWARDED_FOR, "X-Forwarded-For")                                                          \
    X(X_ORIGINAL_HOST, "X-Original-Host")                                                          \
    X(CONTENT_ENCODING, "Content-Encoding")                                                        \
    X(CONTENT_LANGUAGE, "Content-Language")                                                        \
    X(X_FORWARDED_HOST, "X-Forwarded-Host")                                                        \
    X(IF_MODIFIED_SINCE, "If-Modified-Since")                                                      \
    X(TRANSFER_ENCODING, "Transfer-Encoding")                                                      \
    X(AMZ_COPY_SOURCE, "x-amz-copy-source")                                                        \
    X(X_FORWARDED_PROTO, "X-Forwarded-Proto")                                                      \
    X(CONTENT_DISPOSITION, "Content-Disposition")                                                  \
    X(IF_UNMODIFIED_SINCE, "If-Unmodified-Since")                                                  \
    X(AMZ_CHECKSUM_MODE, "x-amz-checksum-mode")                                                    \
    X(AMZ_CHECKSUM_SHA1, "x-amz-checksum-sha1")                                                    \
    X(AMZ_CHECKSUM_TYPE, "x-amz-checksum-type")                                                    \
    X(AMZ_REQUEST_ROUTE, "x-amz-request-route")                                                    \
    X(AMZ_STORAGE_CLASS, "x-amz-storage-class")                                                    \
    X(AMZ_CHECKSUM_CRC32, "x-amz-checksum-crc32")                                                  \
    X(AMZ_CONTENT_SHA256, "x-amz-content-sha256")                                                  \
    X(AMZ_MP_OBJECT_SIZE, "x-amz-mp-object-size")                                                  \
    X(AMZ_SECURITY_TOKEN, "x-amz-security-token")                                                  \
    X(AMZ_CHECKSUM_CRC32C, "x-amz-checksum-crc32c")                                                \
    X(AMZ_CHECKSUM_SHA256, "x-amz-checksum-sha256")                                                \
    X(AMZ_COPY_SOURCE_RANGE, "x-amz-copy-source-range")                                            \
    X(AMZ_OBJECT_ATTRIBUTES, "x-amz-object-attributes")                                            \
    X(AMZ_TAGGING_DIRECTIVE, "x-amz-tagging-directive")                                            \
    X(AMZ_CHECKSUM_ALGORITHM, "x-amz-checksum-algorithm")                                          \
    X(AMZ_CHECKSUM_CRC64NVME, "x-amz-checksum-crc64nvme")                                          \
    X(AMZ_METADATA_DIRECTIVE, "x-amz-metadata-directive")                                          \
    X(AMZ_PART_NUMBER_MARKER, "x-amz-part-number-marker")                                          \
    X(AMZ_COPY_SOURCE_IF_MATCH, "x-amz-copy-source-if-match")                                      \
    X(AMZ_DECODED_CONTENT_LENGTH, "x-amz-decoded-content-length")                                  \
    X(AMZ_SDK_CHECKSUM_ALGORITHM, "x-amz-sdk-checksum-algorithm")                                  \
    X(ACCESS_CONTROL_REQUEST_METHOD, "Access-Control-Request-Method")                              \
    X(ACCESS_CONTROL_REQUEST_HEADERS, "Access-Control-Request-Headers")                            \
    X(AMZ_COPY_SOURCE_IF_NONE_MATCH, "x-amz-copy-source-if-none-match")                            \
    X(AMZ_BYPASS_GOVERNANCE_RETENTION, "x-amz-bypass-governance-retention")                        \
    X(AMZ_COPY_SOURCE_IF_MODIFIED_SINCE, "x-amz-copy-source-if-modified-since")                    \
    X(AMZ_COPY_SOURCE_IF_UNMODIFIED_SINCE, "x-amz-copy-source-if-unmodified-since")

/* Likewise. */
#define LST_PARAMETER_LIST(X)                                                                      \
    X(ID, "id")                                                                                    \
    X(ACL, "acl")                                                                                  \
    X(ZIP, "zip")                                                                                  \
    X(ABAC, "abac")                                                                                \
    X(CORS, "cors")                                                                                \
    X(FILE, "file")                                                                                \
    X(PASS, "pass")                                                                                \
    X(AFTER, "after")                                                                              \
    X(LIMIT, "limit")                                                                              \
    X(STATE, "state")                                                                              \
    X(DELETE, "delete")                                                                            \
    X(MARKER, "marker")                                                                            \
    X(POLICY, "policy")                                                                            \
    X(PREFIX, "prefix")                                                                            \
    X(SELECT, "select")                                                                            \
    X(LOGGING, "logging")                                                                          \
    X(METRICS, "metrics")                                                                          \
    X(PROFILE, "profile")                                                                          \
    X(RESTORE, "restore")                                                                          \
    X(SESSION, "session")                                                                          \
    X(TAGGING, "tagging")                                                                          \
    X(TORRENT, "torrent")                                                                          \
    X(UPLOADS, "uploads")                                                                          \
    X(WEBSITE, "website")                                                                          \
    X(LOCATION, "location")                                                                        \
    X(MAX_KEYS, "max-keys")                                                                        \
    X(UPLOAD_ID, "uploadId")                                                                       \
    X(VERSIONS, "versions")                                                                        \
    X(ANALYTICS, "analytics")                                                                      \
    X(DELIMITER, "delimiter")                                                                      \
    X(INVENTORY, "inventory")                                                                      \
    X(LIFECYCLE, "lifecycle")                                                                      \
    X(LIST_TYPE, "list-type")                                                                      \
    X(MAX_PARTS, "max-parts")                                                                      \
    X(RETENTION, "retention")                                                                      \
    X(SIGNATURE, "Signature")                                                                      \
    X(VERSION_ID, "versionId")                                                                     \
    X(ACCELERATE, "accelerate")                                                                    \
    X(ANNOTATION, "annotation")                                                                    \
    X(ATTRIBUTES, "attributes")                                                                    \
    X(ENCRYPTION, "encryption")                                                                    \
    X(KEY_MARKER, "key-marker")                                                                    \
    X(LEGAL_HOLD, "legal-hold")                                                                    \
    X(PART_NUMBER, "partNumber")                                                                   \
    X(VERSIONING, "versioning")                                                                    \
    X(AMZ_DATE, "X-Amz-Date")                                                                      \
    X(FETCH_OWNER, "fetch-owner")                                                                  \
    X(MAX_BUCKETS, "max-buckets")                                                                  \
    X(MAX_UPLOADS, "max-uploads")                                                                  \
    X(OBJECT_LOCK, "object-lock")                                                                  \
    X(REPLICATION, "replication")                                                                  \
    X(START_AFTER, "start-after")                                                                  \
    X(NOTIFICATION, "notification")                                                                \
    X(POLICY_STATUS, "policyStatus")                                                               \
    X(RENAME_OBJECT, "renameObject")                                                               \
    X(LATCH_HEAD, "x-latch-head")                                                                  \
    X(ACCESS_KEY_ID, "access_key_id")                                                              \
    X(BUCKET_REGION, "bucket-region")                                                              \
    X(ENCODING_TYPE, "encoding-type")                                                              \
    X(METADATA_TABLE, "metadataTable")                                                             \
    X(AMZ_EXPIRES, "X-Amz-Expires")                                                                \
    X(ANNOTATION_NAME, "annotationName")                                                           \
    X(REQUEST_PAYMENT, "requestPayment")                                                           \
    X(AMZ_ALGORITHM, "X-Amz-Algorithm")                                                            \
    X(AMZ_SIGNATURE, "X-Amz-Signature")                                                            \
    X(RESPONSE_EXPIRES, "response-expires")                                                        \
    X(UPLOAD_ID_MARKER, "upload-id-marker")                                                        \
    X(AMZ_CREDENTIAL, "X-Amz-Credential")                                                          \
    X(OWNERSHIP_CONTROLS, "ownershipControls")                                                     \
    X(PUBLIC_ACCESS_BLOCK, "publicAccessBlock")                                                    \
    X(VERSION_ID_MARKER, "version-id-marker")                                                      \
    X(CONTINUATION_TOKEN, "continuation-token")                                                    \
    X(PART_NUMBER_MARKER, "part-number-marker")                                                    \
    X(INTELLIGENT_TIERING, "intelligent-tiering")                                                  \
    X(AMZ_SIGNED_HEADERS, "X-Amz-SignedHeaders")                                                   \
    X(METADATA_JOURNAL_TABLE, "metadataJournalTable")                                              \
    X(METADATA_CONFIGURATION, "metadataConfiguration")                                             \
    X(RESPONSE_CONTENT_TYPE, "response-content-type")                                              \
    X(METADATA_INVENTORY_TABLE, "metadataInventoryTable")                                          \
    X(RESPONSE_CACHE_CONTROL, "response-cache-control")                                            \
    X(RESPONSE_CONTENT_ENCODING, "response-content-encoding")                                      \
    X(RESPONSE_CONTENT_LANGUAGE, "response-content-language")                                      \
    X(RESPONSE_CONTENT_DISPOSITION, "response-content-disposition")
/* clang-format on */

#define LST_NAME_NUMBER(number, text) LST_HEADER_##number,
enum lst_header {
    LST_HEADER_OTHER = 0, /* one that nobody asks for by name */
    LST_HEADER_LIST(LST_NAME_NUMBER) LST_HEADERS_KNOWN,
};
#undef LST_NAME_NUMBER

#define LST_NAME_NUMBER(number, text) LST_PARAMETER_##number,
enum lst_parameter {
    LST_PARAMETER_OTHER = 0,
    LST_PARAMETER_LIST(LST_NAME_NUMBER) LST_PARAMETERS_KNOWN,
};
#undef LST_NAME_NUMBER

/* What a name begins with, in any case. */
enum lst_name_family {
    LST_FAMILY_NONE = 0,
    LST_FAMILY_X,        /* "x-", and none of the following */
    LST_FAMILY_AMZ,      /* "x-amz-", and not "x-amz-meta-" */
    LST_FAMILY_META,     /* "x-amz-meta-" */
    LST_FAMILY_LATCH,    /* "x-latch-" */
    LST_FAMILY_RESPONSE, /* "response-" */
    LST_FAMILIES,        /* their number */
};

/* The number of a header's name, in any case. */
enum lst_header lst_header_number(struct lst_slice name);

/* The number of a parameter's name, decoded; case counts, as it does in S3. */
enum lst_parameter lst_parameter_number(struct lst_slice name);

enum lst_name_family lst_name_family(struct lst_slice name);

/* What stands behind the family's beginning; the whole name for NONE. */
struct lst_slice lst_name_after_family(struct lst_slice name, enum lst_name_family family);

/* The name as it is usually written; empty for OTHER. Ends in NUL. */
struct lst_slice lst_header_name(enum lst_header number);
struct lst_slice lst_parameter_name(enum lst_parameter number);

#endif
