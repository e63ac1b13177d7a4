/* copy_object.c - CopyObject. */
#include "s3/copy.h"
#include "s3/upload_checksum.h"
#include "s3/write_condition.h"

/* False, having answered, if the directive is neither COPY nor REPLACE. */
static bool read_directive(struct lst_s3_exchange *exchange, enum lst_header option,
                           const char *message, bool *ret_replace)
{
    struct lst_slice value;

    *ret_replace = false;
    if (!lst_s3_option(exchange, option, &value) || lst_slice_equal(value, LST_SLICE("COPY"))) {
        return true;
    }
    *ret_replace = lst_slice_equal(value, LST_SLICE("REPLACE"));
    if (!*ret_replace) {
        lst_s3_fail_argument(exchange, message, lst_header_name(option).bytes, value);
    }
    return *ret_replace;
}

static bool is_onto_itself(const struct lst_s3_exchange *exchange,
                           const struct lst_copying *copying)
{
    const struct lst_object_name *name = &copying->source.name;

    return name->version.length == 0 && lst_slice_equal(name->bucket, exchange->target.bucket) &&
           lst_slice_equal(name->key, exchange->target.key);
}

/* False, having answered, if the copy would be what is there already. */
static bool check_change(struct lst_s3_exchange *exchange, const struct lst_copying *copying)
{
    struct lst_slice value;

    if (!is_onto_itself(exchange, copying) || copying->replaces_fields ||
        lst_s3_option(exchange, LST_HEADER_AMZ_STORAGE_CLASS, &value) ||
        lst_s3_option(exchange, LST_HEADER_AMZ_CHECKSUM_ALGORITHM, &value)) {
        return true;
    }
    lst_s3_fail_with(exchange, LST_S3_INVALID_REQUEST,
                     "This copy request is illegal because it is trying to copy an object to "
                     "itself without changing the object's metadata, storage class, website "
                     "redirect location or encryption attributes.",
                     NULL, 0);
    return false;
}

/*
 * The checksum that is asked for; else of the kind that the source has, and of all the bytes, for
 * the copy is one piece. It is computed only where it is not known: that takes the time of reading
 * everything.
 */
static void choose_checksum(struct lst_s3_exchange *exchange, struct lst_copying *copying)
{
    const struct lst_object *object = &copying->object;
    struct lst_slice algorithm;
    struct lst_slice text;
    enum lst_checksum_kind known =
        lst_checksum_of_fields(object->fields, object->field_count, &text);
    enum lst_checksum_kind wanted = known;
    bool is_whole = lst_slice_find(text, '-') == text.length;

    if (lst_s3_option(exchange, LST_HEADER_AMZ_CHECKSUM_ALGORITHM, &algorithm)) {
        wanted = lst_checksum_of_name(algorithm);
    }
    if (wanted != known || !is_whole) {
        lst_copying_compute_checksum(copying, wanted);
    } else {
        lst_copying_keep_checksum(copying, known, text);
    }
}

/* The source's fields, unless they are replaced, and the checksum if it is known. */
static void choose_fields(struct lst_copying *copying)
{
    const struct lst_object *object = &copying->object;
    struct lst_put_fields *fields = &copying->fields;

    fields->count = copying->own_count;
    for (size_t i = 0; i < object->field_count && !copying->replaces_fields; i++) {
        if (lst_checksum_of_header(object->fields[i].name) == LST_CHECKSUM_NONE) {
            fields->list[fields->count++] = object->fields[i];
        }
    }
    if (copying->checksum_length > 0 && fields->count < LST_STORE_FIELDS_MAX) {
        fields->list[fields->count++] = (struct lst_field){
            lst_slice_of(lst_checksum_header(copying->kind)),
            lst_slice_make(copying->checksum, copying->checksum_length),
        };
    }
}

/* False, having answered, if the source has tags, and the signer may not read or write them. */
static bool check_tags(struct lst_s3_exchange *exchange, const struct lst_copying *copying)
{
    if (copying->replaces_tags || copying->object.tag_count == 0) {
        return true;
    }
    if (lst_copy_source_allows(exchange, &copying->source, "s3:GetObjectTagging",
                               "s3:GetObjectVersionTagging") &&
        lst_s3_is_allowed(exchange, "s3:PutObjectTagging", exchange->target.key)) {
        return true;
    }
    lst_s3_set_reason(exchange,
                      "the source has tags, which user %s may not read there or write here "
                      "(s3:GetObjectTagging, s3:PutObjectTagging)",
                      lst_passage_user_name(&exchange->passage));
    lst_s3_fail(exchange, LST_S3_ACCESS_DENIED);
    return false;
}

static bool begin_copy(struct lst_s3_exchange *exchange, struct lst_copying *copying,
                       struct lst_put **ret_put)
{
    const struct lst_object *object = &copying->object;
    struct lst_put_options options = {
        .bucket = exchange->target.bucket,
        .key = exchange->target.key,
        .fields = copying->fields.list,
        .tags = copying->replaces_tags ? copying->tags.list : object->tags,
        .tag_count = copying->replaces_tags ? copying->tags.count : object->tag_count,
        .size_known = true,
        .size = object->size,
        .condition = copying->condition,
    };
    int status;

    if (!lst_copy_size_check(exchange, object->size) || !check_tags(exchange, copying)) {
        return false;
    }
    choose_checksum(exchange, copying);
    choose_fields(copying);
    options.field_count = copying->fields.count;
    status = lst_put_begin(exchange->s3->options.store, &options, ret_put);
    if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
    }
    return status == LST_OK;
}

/* Read what is asked for of the copy. False, having answered. */
static bool read_request(struct lst_s3_exchange *exchange, struct lst_copying *copying)
{
    struct lst_slice algorithm;

    if (lst_s3_option(exchange, LST_HEADER_AMZ_CHECKSUM_ALGORITHM, &algorithm) &&
        lst_checksum_of_name(algorithm) == LST_CHECKSUM_NONE) {
        lst_upload_checksum_fail_algorithm(exchange);
        return false;
    }
    if (!read_directive(exchange, LST_HEADER_AMZ_METADATA_DIRECTIVE, "Unknown metadata directive.",
                        &copying->replaces_fields) ||
        !read_directive(exchange, LST_HEADER_AMZ_TAGGING_DIRECTIVE, "Unknown tagging directive.",
                        &copying->replaces_tags) ||
        !lst_write_condition_read(exchange, &copying->condition) ||
        !lst_put_check_class_and_acl(exchange) || !check_change(exchange, copying)) {
        return false;
    }
    if (copying->replaces_fields && !lst_put_fields_read(exchange, &copying->fields)) {
        return false;
    }
    copying->own_count = copying->fields.count;
    return !copying->replaces_tags || lst_put_tags_read(exchange, &copying->tags);
}

void lst_copy_object(struct lst_s3_exchange *exchange)
{
    struct lst_copying *copying = lst_copying_make(exchange);

    if (copying != NULL && read_request(exchange, copying)) {
        copying->begin = begin_copy;
        if (lst_copying_copy(exchange, copying)) {
            lst_copying_answer(exchange, copying, "CopyObjectResult", true);
        }
    }
    lst_copying_free(copying);
}
