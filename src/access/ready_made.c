/* ready_made.c - policies that most users want, by name. */
#include "access/ready_made.h"

#define READ  "\"s3:GetObject\", \"s3:ListBucket\", \"s3:GetBucketLocation\""
#define WRITE "\"s3:PutObject\", \"s3:AbortMultipartUpload\""

const char lst_ready_made_names[] = "readonly, writeonly, readwrite, full";

static const struct {
    const char *name;
    const char *actions;
    bool lists_buckets;
} policies[] = {
    {"readonly", READ, true},
    {"writeonly", WRITE, false},
    {"readwrite",
     READ ", " WRITE ", \"s3:DeleteObject\", \"s3:ListBucketMultipartUploads\", "
          "\"s3:ListMultipartUploadParts\"",
     true},
    {"full", "\"s3:*\"", false},
};

/* Only what can stand in the JSON and in an ARN as itself; the store has the full rules. */
static bool is_bucket_name(struct lst_slice name)
{
    for (size_t i = 0; i < name.length; i++) {
        char byte = name.bytes[i];
        if (!((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' ||
              byte == '.')) {
            return false;
        }
    }
    return name.length >= 3 && name.length <= 63;
}

int lst_ready_made_policy(struct lst_slice name, struct lst_slice bucket,
                          struct lst_buffer *ret_json)
{
    size_t row = 0;

    while (row < sizeof(policies) / sizeof(policies[0]) &&
           !lst_slice_equal(name, lst_slice_of(policies[row].name))) {
        row++;
    }
    if (row == sizeof(policies) / sizeof(policies[0])) {
        return LST_ERR_NOT_FOUND;
    }
    if (bucket.length > 0 && !is_bucket_name(bucket)) {
        return LST_ERR_BUCKET_NAME;
    }
    lst_buffer_append_format(
        ret_json,
        "{\n"
        "  \"Version\": \"2012-10-17\",\n"
        "  \"Statement\": [\n"
        "    {\n"
        "      \"Effect\": \"Allow\",\n"
        "      \"Action\": [%s%s],\n",
        policies[row].actions,
        bucket.length == 0 && policies[row].lists_buckets ? ", \"s3:ListAllMyBuckets\"" : "");
    if (bucket.length == 0) {
        lst_buffer_append_string(ret_json, "      \"Resource\": \"*\"\n");
    } else {
        lst_buffer_append_format(
            ret_json, "      \"Resource\": [\"arn:aws:s3:::%.*s\", \"arn:aws:s3:::%.*s/*\"]\n",
            (int)bucket.length, bucket.bytes, (int)bucket.length, bucket.bytes);
    }
    lst_buffer_append_string(ret_json, "    }\n  ]\n}\n");
    return lst_buffer_status(ret_json);
}
