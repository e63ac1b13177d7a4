/* copy_source.c - where a copy comes from. */
#include "s3/copy_source.h"

#include "base/clock.h"
#include "http/conditions.h"

/* ---- The header */

/* Decode into *room, of which so much is left. */
static int decode(struct lst_slice raw, char **room, size_t *left, struct lst_slice *ret_text)
{
    size_t length;

    if (lst_percent_decode(raw, true, *room, *left, &length) != LST_OK) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    *ret_text = lst_slice_make(*room, length);
    *room += length;
    *left -= length;
    return LST_OK;
}

static int check_name(const struct lst_object_name *name, bool has_version)
{
    if (name->key.length == 0) {
        return LST_ERR_MALFORMED;
    }
    if (lst_bucket_name_check(name->bucket) != LST_OK) {
        return LST_ERR_BUCKET_NAME;
    }
    if (name->key.length > LST_STORE_KEY_MAX) {
        return LST_ERR_KEY_TOO_LONG;
    }
    if (!lst_slice_is_utf8(name->key)) {
        return LST_ERR_KEY_NOT_UTF8;
    }
    return has_version && name->version.length == 0 ? LST_ERR_VERSION_MALFORMED : LST_OK;
}

/* The path of a whole URL, which S3 takes as well; else the text as it is. */
static struct lst_slice after_authority(struct lst_slice text)
{
    struct lst_slice rest;

    if (lst_slice_starts_with_ignoring_case(text, LST_SLICE("http://"))) {
        rest = lst_slice_after(text, strlen("http://"));
    } else if (lst_slice_starts_with_ignoring_case(text, LST_SLICE("https://"))) {
        rest = lst_slice_after(text, strlen("https://"));
    } else {
        return text;
    }
    return lst_slice_after(rest, lst_slice_find(rest, '/'));
}

int lst_copy_source_parse(struct lst_slice header, struct lst_copy_source *ret_source)
{
    struct lst_slice separator = LST_SLICE("?versionId=");
    struct lst_slice path = lst_slice_trim(header);
    size_t end = lst_slice_find_slice(path, separator);
    bool has_version = end < path.length;
    struct lst_slice version = lst_slice_after(path, end + separator.length);
    struct lst_object_name name = {.version = {NULL, 0}};
    char *room = ret_source->text;
    size_t left = sizeof(ret_source->text);
    size_t slash;
    int status;

    path = after_authority(lst_slice_first(path, end));
    /* Some clients encode the slashes too: in front, and between bucket and key. */
    status = decode(path, &room, &left, &name.key);
    if (status != LST_OK) {
        return status;
    }
    if (name.key.length > 0 && name.key.bytes[0] == '/') {
        name.key = lst_slice_after(name.key, 1);
    }
    slash = lst_slice_find(name.key, '/');
    if (slash == name.key.length) {
        return LST_ERR_MALFORMED;
    }
    name.bucket = lst_slice_first(name.key, slash);
    name.key = lst_slice_after(name.key, slash + 1);
    if (has_version) {
        status = decode(version, &room, &left, &name.version);
    }
    if (status == LST_OK) {
        status = check_name(&name, has_version);
    }
    ret_source->name = name;
    return status;
}

static void fail_source(struct lst_s3_exchange *exchange, int status, struct lst_slice header)
{
    const char *message;

    switch (status) {
    case LST_ERR_MALFORMED:
        message = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey";
        break;
    case LST_ERR_BUCKET_NAME:
        message = "Invalid copy source bucket name";
        break;
    case LST_ERR_INVALID_ARGUMENT:
        message = "Invalid copy source encoding";
        break;
    case LST_ERR_VERSION_MALFORMED:
        lst_s3_fail_argument(exchange, "Version id cannot be the empty string", "versionId",
                             lst_slice_make("", 0));
        return;
    default:
        message = "Invalid copy source object key";
        break;
    }
    lst_s3_fail_argument(exchange, message, "x-amz-copy-source", header);
}

bool lst_copy_source_allows(struct lst_s3_exchange *exchange, const struct lst_copy_source *source,
                            const char *action, const char *action_of_version)
{
    struct lst_access_question question = {
        .action = lst_slice_of(source->name.version.length > 0 ? action_of_version : action),
        .bucket = source->name.bucket,
        .key = source->name.key,
    };

    if (lst_gate_authorise(exchange->s3->options.gate, &exchange->passage, &question) == LST_OK) {
        return true;
    }
    lst_s3_set_reason(exchange, "the policies of user %s do not allow %.*s of the copy's source",
                      lst_passage_user_name(&exchange->passage), (int)question.action.length,
                      question.action.bytes);
    return false;
}

bool lst_copy_source_read(struct lst_s3_exchange *exchange, struct lst_copy_source *ret_source)
{
    struct lst_slice header;
    int status;

    (void)lst_s3_option(exchange, LST_HEADER_AMZ_COPY_SOURCE, &header);
    status = lst_copy_source_parse(header, ret_source);
    if (status != LST_OK) {
        fail_source(exchange, status, header);
        return false;
    }
    if (!lst_copy_source_allows(exchange, ret_source, "s3:GetObject", "s3:GetObjectVersion")) {
        lst_s3_fail(exchange, LST_S3_ACCESS_DENIED);
        return false;
    }
    return true;
}

/* ---- The object */

static bool option_date(const struct lst_s3_exchange *exchange, enum lst_header name,
                        int64_t *ret_time)
{
    struct lst_slice value;

    return lst_s3_option(exchange, name, &value) && lst_clock_parse_http(value, ret_time);
}

/*
 * The condition that does not hold, NULL if none. "CopyObject": an If-Match that holds counts more
 * than If-Unmodified-Since, an If-None-Match that does not more than If-Modified-Since.
 */
static const char *failed_condition(struct lst_s3_exchange *exchange,
                                    const struct lst_object *object)
{
    int64_t modified = lst_clock_whole_seconds(object->modified_ms);
    struct lst_slice tags;
    int64_t date;

    if (lst_s3_option(exchange, LST_HEADER_AMZ_COPY_SOURCE_IF_MATCH, &tags)) {
        if (!lst_etag_list_has(tags, object->etag, false)) {
            return "x-amz-copy-source-If-Match";
        }
    } else if (option_date(exchange, LST_HEADER_AMZ_COPY_SOURCE_IF_UNMODIFIED_SINCE, &date) &&
               modified > date) {
        return "x-amz-copy-source-If-Unmodified-Since";
    }
    if (lst_s3_option(exchange, LST_HEADER_AMZ_COPY_SOURCE_IF_NONE_MATCH, &tags)) {
        return lst_etag_list_has(tags, object->etag, true) ? "x-amz-copy-source-If-None-Match"
                                                           : NULL;
    }
    return option_date(exchange, LST_HEADER_AMZ_COPY_SOURCE_IF_MODIFIED_SINCE, &date) &&
                   !lst_conditions_modified_since(exchange->request, date, modified)
               ? "x-amz-copy-source-If-Modified-Since"
               : NULL;
}

/* Whoever may not list the source's bucket is not told which keys it lacks. */
static void fail_open(struct lst_s3_exchange *exchange, const struct lst_copy_source *source,
                      int status)
{
    const struct lst_object_name *name = &source->name;
    struct lst_access_question list = {.action = LST_SLICE("s3:ListBucket"),
                                       .bucket = name->bucket};
    struct lst_field version[] = {
        {LST_SLICE("Key"), name->key},
        {LST_SLICE("VersionId"), name->version},
    };

    switch (status) {
    case LST_ERR_BUCKET_NOT_FOUND:
        lst_s3_fail_about(exchange, LST_S3_NO_SUCH_BUCKET, NULL, "BucketName", name->bucket);
        break;
    case LST_ERR_KEY_NOT_FOUND:
        if (lst_gate_authorise(exchange->s3->options.gate, &exchange->passage, &list) == LST_OK) {
            lst_s3_fail_about(exchange, LST_S3_NO_SUCH_KEY, NULL, "Key", name->key);
        } else {
            lst_s3_fail(exchange, LST_S3_ACCESS_DENIED);
        }
        break;
    case LST_ERR_VERSION_NOT_FOUND:
        lst_s3_fail_with(exchange, LST_S3_NO_SUCH_VERSION, NULL, version, 2);
        break;
    case LST_ERR_VERSION_MALFORMED:
        lst_s3_fail_argument(exchange, "Invalid version id specified", "versionId", name->version);
        break;
    case LST_ERR_DELETE_MARKER:
        lst_s3_fail_with(exchange, LST_S3_INVALID_REQUEST,
                         "The source of a copy request may not specifically refer to a delete "
                         "marker by version id.",
                         NULL, 0);
        break;
    default:
        lst_s3_fail_code(exchange, status);
        break;
    }
}

bool lst_copy_source_open(struct lst_s3_exchange *exchange, const struct lst_copy_source *source,
                          struct lst_object *ret_object)
{
    const char *condition;
    int status = lst_object_open(exchange->s3->options.store, &source->name, true, ret_object);

    if (status != LST_OK) {
        fail_open(exchange, source, status);
        return false;
    }
    condition = failed_condition(exchange, ret_object);
    if (condition != NULL) {
        lst_s3_fail_about(exchange, LST_S3_PRECONDITION_FAILED, NULL, "Condition",
                          lst_slice_of(condition));
        lst_object_close(ret_object);
    }
    return condition == NULL;
}

bool lst_copy_size_check(struct lst_s3_exchange *exchange, uint64_t size)
{
    if (size > LST_COPY_SIZE_MAX) {
        lst_s3_fail_with(exchange, LST_S3_INVALID_REQUEST,
                         "The specified copy source is larger than the maximum allowable size for "
                         "a copy source: 5368709120",
                         NULL, 0);
    }
    return size <= LST_COPY_SIZE_MAX;
}
