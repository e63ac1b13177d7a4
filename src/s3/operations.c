/* operations.c - the table of S3's operations. */
#include "s3/operations.h"

#include <stdio.h>

/* An operation of S3 that is not implemented. */
#define MISSING(name, method, level, parameter, second, header, action)                            \
    {                                                                                              \
        name, method, LST_LEVEL_##level, parameter, second, header, action, NULL, NULL             \
    }
#define MISSING_OF_BUCKET(name, method, parameter, action)                                         \
    MISSING(name, method, BUCKET, parameter, NULL, NULL, action)
#define MISSING_OF_OBJECT(name, method, parameter, action)                                         \
    MISSING(name, method, OBJECT, parameter, NULL, NULL, action)

/* One that is. */
#define OF_BUCKET(name, method, parameter, action, begin)                                          \
    {                                                                                              \
        name, method, LST_LEVEL_BUCKET, parameter, NULL, NULL, action, NULL, begin                 \
    }
#define OF_OBJECT(name, method, parameter, action, begin)                                          \
    {                                                                                              \
        name, method, LST_LEVEL_OBJECT, parameter, NULL, NULL, action, NULL, begin                 \
    }

/*
 * Rows without a sub-resource come first, because most requests have none; of the rows for one
 * sub-resource those that ask for more come first. ListDirectoryBuckets is not here: only its host
 * tells it from ListBuckets. GetObjectPart and HeadObjectPart are GetObject and HeadObject with a
 * partNumber.
 */
const struct lst_operation lst_operations[] = {
    {"CopyObject", "PUT", LST_LEVEL_OBJECT, NULL, NULL, "x-amz-copy-source", "s3:PutObject", NULL,
     lst_copy_object},
    MISSING("WriteGetObjectResponse", "POST", BUCKET, NULL, NULL, "x-amz-request-route",
            "s3:WriteGetObjectResponse"),
    {"DeleteObject", "DELETE", LST_LEVEL_OBJECT, NULL, NULL, NULL, "s3:DeleteObject", NULL,
     lst_delete_object},
    {"GetObject", "GET", LST_LEVEL_OBJECT, NULL, NULL, NULL, "s3:GetObject", NULL, lst_get_object},
    {"HeadObject", "HEAD", LST_LEVEL_OBJECT, NULL, NULL, NULL, "s3:GetObject", NULL,
     lst_get_object},
    {"PutObject", "PUT", LST_LEVEL_OBJECT, NULL, NULL, NULL, "s3:PutObject", NULL, lst_put_object},
    {"CreateBucket", "PUT", LST_LEVEL_BUCKET, NULL, NULL, NULL, "s3:CreateBucket", NULL,
     lst_create_bucket},
    {"DeleteBucket", "DELETE", LST_LEVEL_BUCKET, NULL, NULL, NULL, "s3:DeleteBucket", NULL,
     lst_delete_bucket},
    {"HeadBucket", "HEAD", LST_LEVEL_BUCKET, NULL, NULL, NULL, "s3:ListBucket", NULL,
     lst_head_bucket},
    {"ListObjects", "GET", LST_LEVEL_BUCKET, NULL, NULL, NULL, "s3:ListBucket", lst_ask_list,
     lst_list_objects},
    {"PostObject", "POST", LST_LEVEL_BUCKET, NULL, NULL, NULL, "s3:PutObject", NULL,
     lst_post_object},
    {"ListBuckets", "GET", LST_LEVEL_SERVICE, NULL, NULL, NULL, "s3:ListAllMyBuckets", NULL,
     lst_list_buckets},
    OF_OBJECT("GetObjectAcl", "GET", "acl", "s3:GetObjectAcl", lst_get_acl),
    OF_OBJECT("PutObjectAcl", "PUT", "acl", "s3:PutObjectAcl", lst_put_acl),
    MISSING("GetObjectAnnotation", "GET", OBJECT, "annotation", "annotationName", NULL,
            "s3:GetObjectAnnotation"),
    MISSING_OF_OBJECT("DeleteObjectAnnotation", "DELETE", "annotation",
                      "s3:DeleteObjectAnnotation"),
    MISSING_OF_OBJECT("ListObjectAnnotations", "GET", "annotation", "s3:ListObjectAnnotations"),
    MISSING_OF_OBJECT("PutObjectAnnotation", "PUT", "annotation", "s3:PutObjectAnnotation"),
    {"GetObjectAttributes", "GET", LST_LEVEL_OBJECT, "attributes", NULL, NULL,
     "s3:GetObjectAttributes", NULL, lst_get_object_attributes},
    MISSING_OF_OBJECT("UpdateObjectEncryption", "PUT", "encryption", "s3:UpdateObjectEncryption"),
    OF_OBJECT("GetObjectLegalHold", "GET", "legal-hold", "s3:GetObjectLegalHold", lst_answer_probe),
    MISSING_OF_OBJECT("PutObjectLegalHold", "PUT", "legal-hold", "s3:PutObjectLegalHold"),
    {"GetObjectPart", "GET", LST_LEVEL_OBJECT, "partNumber", NULL, NULL, "s3:GetObject", NULL,
     lst_get_object},
    {"HeadObjectPart", "HEAD", LST_LEVEL_OBJECT, "partNumber", NULL, NULL, "s3:GetObject", NULL,
     lst_get_object},
    MISSING_OF_OBJECT("RenameObject", "PUT", "renameObject", "s3:RenameObject"),
    MISSING_OF_OBJECT("RestoreObject", "POST", "restore", "s3:RestoreObject"),
    OF_OBJECT("GetObjectRetention", "GET", "retention", "s3:GetObjectRetention", lst_answer_probe),
    MISSING_OF_OBJECT("PutObjectRetention", "PUT", "retention", "s3:PutObjectRetention"),
    MISSING_OF_OBJECT("SelectObjectContent", "POST", "select", "s3:GetObject"),
    OF_OBJECT("DeleteObjectTagging", "DELETE", "tagging", "s3:DeleteObjectTagging",
              lst_delete_object_tagging),
    OF_OBJECT("GetObjectTagging", "GET", "tagging", "s3:GetObjectTagging", lst_get_object_tagging),
    OF_OBJECT("PutObjectTagging", "PUT", "tagging", "s3:PutObjectTagging", lst_put_object_tagging),
    MISSING_OF_OBJECT("GetObjectTorrent", "GET", "torrent", "s3:GetObjectTorrent"),
    {"UploadPartCopy", "PUT", LST_LEVEL_OBJECT, "uploadId", "partNumber", "x-amz-copy-source",
     "s3:PutObject", NULL, lst_copy_part},
    {"UploadPart", "PUT", LST_LEVEL_OBJECT, "uploadId", "partNumber", NULL, "s3:PutObject", NULL,
     lst_upload_part},
    {"AbortMultipartUpload", "DELETE", LST_LEVEL_OBJECT, "uploadId", NULL, NULL,
     "s3:AbortMultipartUpload", NULL, lst_abort_upload},
    {"CompleteMultipartUpload", "POST", LST_LEVEL_OBJECT, "uploadId", NULL, NULL, "s3:PutObject",
     NULL, lst_complete_upload},
    {"ListParts", "GET", LST_LEVEL_OBJECT, "uploadId", NULL, NULL, "s3:ListMultipartUploadParts",
     NULL, lst_list_parts},
    {"CreateMultipartUpload", "POST", LST_LEVEL_OBJECT, "uploads", NULL, NULL, "s3:PutObject", NULL,
     lst_create_upload},
    MISSING_OF_BUCKET("GetBucketAbac", "GET", "abac", "s3:GetBucketAbac"),
    MISSING_OF_BUCKET("PutBucketAbac", "PUT", "abac", "s3:PutBucketAbac"),
    OF_BUCKET("GetBucketAccelerateConfiguration", "GET", "accelerate",
              "s3:GetAccelerateConfiguration", lst_answer_probe),
    MISSING_OF_BUCKET("PutBucketAccelerateConfiguration", "PUT", "accelerate",
                      "s3:PutAccelerateConfiguration"),
    OF_BUCKET("GetBucketAcl", "GET", "acl", "s3:GetBucketAcl", lst_get_acl),
    OF_BUCKET("PutBucketAcl", "PUT", "acl", "s3:PutBucketAcl", lst_put_acl),
    MISSING("DeleteBucketAnalyticsConfiguration", "DELETE", BUCKET, "analytics", "id", NULL,
            "s3:PutAnalyticsConfiguration"),
    MISSING("GetBucketAnalyticsConfiguration", "GET", BUCKET, "analytics", "id", NULL,
            "s3:GetAnalyticsConfiguration"),
    MISSING("PutBucketAnalyticsConfiguration", "PUT", BUCKET, "analytics", "id", NULL,
            "s3:PutAnalyticsConfiguration"),
    MISSING_OF_BUCKET("ListBucketAnalyticsConfigurations", "GET", "analytics",
                      "s3:GetAnalyticsConfiguration"),
    OF_BUCKET("DeleteBucketCors", "DELETE", "cors", "s3:PutBucketCORS", lst_delete_bucket_cors),
    OF_BUCKET("GetBucketCors", "GET", "cors", "s3:GetBucketCORS", lst_get_bucket_cors),
    OF_BUCKET("PutBucketCors", "PUT", "cors", "s3:PutBucketCORS", lst_put_bucket_cors),
    {"DeleteObjects", "POST", LST_LEVEL_BUCKET, "delete", NULL, NULL, NULL, NULL,
     lst_delete_objects},
    OF_BUCKET("DeleteBucketEncryption", "DELETE", "encryption", "s3:PutEncryptionConfiguration",
              lst_delete_unset),
    OF_BUCKET("GetBucketEncryption", "GET", "encryption", "s3:GetEncryptionConfiguration",
              lst_answer_probe),
    MISSING_OF_BUCKET("PutBucketEncryption", "PUT", "encryption", "s3:PutEncryptionConfiguration"),
    MISSING("DeleteBucketIntelligentTieringConfiguration", "DELETE", BUCKET, "intelligent-tiering",
            "id", NULL, "s3:PutIntelligentTieringConfiguration"),
    MISSING("GetBucketIntelligentTieringConfiguration", "GET", BUCKET, "intelligent-tiering", "id",
            NULL, "s3:GetIntelligentTieringConfiguration"),
    MISSING("PutBucketIntelligentTieringConfiguration", "PUT", BUCKET, "intelligent-tiering", "id",
            NULL, "s3:PutIntelligentTieringConfiguration"),
    MISSING_OF_BUCKET("ListBucketIntelligentTieringConfigurations", "GET", "intelligent-tiering",
                      "s3:GetIntelligentTieringConfiguration"),
    MISSING("DeleteBucketInventoryConfiguration", "DELETE", BUCKET, "inventory", "id", NULL,
            "s3:PutInventoryConfiguration"),
    MISSING("GetBucketInventoryConfiguration", "GET", BUCKET, "inventory", "id", NULL,
            "s3:GetInventoryConfiguration"),
    MISSING("PutBucketInventoryConfiguration", "PUT", BUCKET, "inventory", "id", NULL,
            "s3:PutInventoryConfiguration"),
    MISSING_OF_BUCKET("ListBucketInventoryConfigurations", "GET", "inventory",
                      "s3:GetInventoryConfiguration"),
    OF_BUCKET("DeleteBucketLifecycle", "DELETE", "lifecycle", "s3:PutLifecycleConfiguration",
              lst_delete_unset),
    OF_BUCKET("GetBucketLifecycleConfiguration", "GET", "lifecycle", "s3:GetLifecycleConfiguration",
              lst_answer_probe),
    MISSING_OF_BUCKET("PutBucketLifecycleConfiguration", "PUT", "lifecycle",
                      "s3:PutLifecycleConfiguration"),
    {"ListObjectsV2", "GET", LST_LEVEL_BUCKET, "list-type", NULL, NULL, "s3:ListBucket",
     lst_ask_list, lst_list_objects},
    {"GetBucketLocation", "GET", LST_LEVEL_BUCKET, "location", NULL, NULL, "s3:GetBucketLocation",
     NULL, lst_get_bucket_location},
    OF_BUCKET("GetBucketLogging", "GET", "logging", "s3:GetBucketLogging", lst_answer_probe),
    MISSING_OF_BUCKET("PutBucketLogging", "PUT", "logging", "s3:PutBucketLogging"),
    MISSING_OF_BUCKET("CreateBucketMetadataConfiguration", "POST", "metadataConfiguration",
                      "s3:CreateBucketMetadataConfiguration"),
    MISSING_OF_BUCKET("DeleteBucketMetadataConfiguration", "DELETE", "metadataConfiguration",
                      "s3:DeleteBucketMetadataConfiguration"),
    MISSING_OF_BUCKET("GetBucketMetadataConfiguration", "GET", "metadataConfiguration",
                      "s3:GetBucketMetadataConfiguration"),
    MISSING_OF_BUCKET("UpdateBucketMetadataInventoryTableConfiguration", "PUT",
                      "metadataInventoryTable",
                      "s3:UpdateBucketMetadataInventoryTableConfiguration"),
    MISSING_OF_BUCKET("UpdateBucketMetadataJournalTableConfiguration", "PUT",
                      "metadataJournalTable", "s3:UpdateBucketMetadataJournalTableConfiguration"),
    MISSING_OF_BUCKET("CreateBucketMetadataTableConfiguration", "POST", "metadataTable",
                      "s3:CreateBucketMetadataTableConfiguration"),
    MISSING_OF_BUCKET("DeleteBucketMetadataTableConfiguration", "DELETE", "metadataTable",
                      "s3:DeleteBucketMetadataTableConfiguration"),
    MISSING_OF_BUCKET("GetBucketMetadataTableConfiguration", "GET", "metadataTable",
                      "s3:GetBucketMetadataTableConfiguration"),
    MISSING("DeleteBucketMetricsConfiguration", "DELETE", BUCKET, "metrics", "id", NULL,
            "s3:PutMetricsConfiguration"),
    MISSING("GetBucketMetricsConfiguration", "GET", BUCKET, "metrics", "id", NULL,
            "s3:GetMetricsConfiguration"),
    MISSING("PutBucketMetricsConfiguration", "PUT", BUCKET, "metrics", "id", NULL,
            "s3:PutMetricsConfiguration"),
    MISSING_OF_BUCKET("ListBucketMetricsConfigurations", "GET", "metrics",
                      "s3:GetMetricsConfiguration"),
    OF_BUCKET("GetBucketNotificationConfiguration", "GET", "notification",
              "s3:GetBucketNotification", lst_answer_probe),
    MISSING_OF_BUCKET("PutBucketNotificationConfiguration", "PUT", "notification",
                      "s3:PutBucketNotification"),
    OF_BUCKET("GetObjectLockConfiguration", "GET", "object-lock",
              "s3:GetBucketObjectLockConfiguration", lst_answer_probe),
    MISSING_OF_BUCKET("PutObjectLockConfiguration", "PUT", "object-lock",
                      "s3:PutBucketObjectLockConfiguration"),
    MISSING_OF_BUCKET("DeleteBucketOwnershipControls", "DELETE", "ownershipControls",
                      "s3:PutBucketOwnershipControls"),
    OF_BUCKET("GetBucketOwnershipControls", "GET", "ownershipControls",
              "s3:GetBucketOwnershipControls", lst_answer_probe),
    MISSING_OF_BUCKET("PutBucketOwnershipControls", "PUT", "ownershipControls",
                      "s3:PutBucketOwnershipControls"),
    OF_BUCKET("DeleteBucketPolicy", "DELETE", "policy", "s3:DeleteBucketPolicy", lst_delete_unset),
    OF_BUCKET("GetBucketPolicy", "GET", "policy", "s3:GetBucketPolicy", lst_answer_probe),
    MISSING_OF_BUCKET("PutBucketPolicy", "PUT", "policy", "s3:PutBucketPolicy"),
    OF_BUCKET("GetBucketPolicyStatus", "GET", "policyStatus", "s3:GetBucketPolicyStatus",
              lst_answer_probe),
    OF_BUCKET("DeletePublicAccessBlock", "DELETE", "publicAccessBlock",
              "s3:PutBucketPublicAccessBlock", lst_delete_unset),
    OF_BUCKET("GetPublicAccessBlock", "GET", "publicAccessBlock", "s3:GetBucketPublicAccessBlock",
              lst_answer_probe),
    MISSING_OF_BUCKET("PutPublicAccessBlock", "PUT", "publicAccessBlock",
                      "s3:PutBucketPublicAccessBlock"),
    OF_BUCKET("DeleteBucketReplication", "DELETE", "replication", "s3:PutReplicationConfiguration",
              lst_delete_unset),
    OF_BUCKET("GetBucketReplication", "GET", "replication", "s3:GetReplicationConfiguration",
              lst_answer_probe),
    MISSING_OF_BUCKET("PutBucketReplication", "PUT", "replication",
                      "s3:PutReplicationConfiguration"),
    OF_BUCKET("GetBucketRequestPayment", "GET", "requestPayment", "s3:GetBucketRequestPayment",
              lst_answer_probe),
    MISSING_OF_BUCKET("PutBucketRequestPayment", "PUT", "requestPayment",
                      "s3:PutBucketRequestPayment"),
    MISSING_OF_BUCKET("CreateSession", "GET", "session", "s3:CreateSession"),
    OF_BUCKET("DeleteBucketTagging", "DELETE", "tagging", "s3:PutBucketTagging",
              lst_delete_bucket_tagging),
    OF_BUCKET("GetBucketTagging", "GET", "tagging", "s3:GetBucketTagging", lst_get_bucket_tagging),
    OF_BUCKET("PutBucketTagging", "PUT", "tagging", "s3:PutBucketTagging", lst_put_bucket_tagging),
    {"ListMultipartUploads", "GET", LST_LEVEL_BUCKET, "uploads", NULL, NULL,
     "s3:ListBucketMultipartUploads", NULL, lst_list_uploads},
    OF_BUCKET("GetBucketVersioning", "GET", "versioning", "s3:GetBucketVersioning",
              lst_get_bucket_versioning),
    OF_BUCKET("PutBucketVersioning", "PUT", "versioning", "s3:PutBucketVersioning",
              lst_put_bucket_versioning),
    {"ListObjectVersions", "GET", LST_LEVEL_BUCKET, "versions", NULL, NULL, "s3:ListBucketVersions",
     lst_ask_list, lst_list_object_versions},
    OF_BUCKET("DeleteBucketWebsite", "DELETE", "website", "s3:DeleteBucketWebsite",
              lst_delete_unset),
    OF_BUCKET("GetBucketWebsite", "GET", "website", "s3:GetBucketWebsite", lst_answer_probe),
    MISSING_OF_BUCKET("PutBucketWebsite", "PUT", "website", "s3:PutBucketWebsite"),
};

const size_t lst_operation_count = sizeof(lst_operations) / sizeof(lst_operations[0]);

struct lst_slice lst_operation_version_action(const char *action, char ret_text[LST_ACTION_MAX + 1])
{
    const char *object = strstr(action, "Object");
    size_t length;

    if (object == NULL || strcmp(action, "s3:PutObject") == 0) {
        return lst_slice_of(action);
    }
    object += strlen("Object");
    length = (size_t)snprintf(ret_text, LST_ACTION_MAX + 1, "%.*sVersion%s", (int)(object - action),
                              action, object);
    return lst_slice_make(ret_text, length < LST_ACTION_MAX ? length : LST_ACTION_MAX);
}
