/* tagging.c - the tags of objects and of buckets: put, get, delete. */
#include "s3/document.h"
#include "s3/setting.h"
#include "s3/tags.h"
#include "s3/xml.h"

static const struct lst_slice setting_name = {"tagging", 7};

static const struct lst_document_plan document_plan = {.limit = LST_TAGS_DOCUMENT_MAX,
                                                       .length_required = true};

/* ---- Objects */

static struct lst_object_name object_name(struct lst_s3_exchange *exchange)
{
    struct lst_object_name name = {.bucket = exchange->target.bucket, .key = exchange->target.key};

    (void)lst_s3_parameter(exchange, LST_PARAMETER_VERSION_ID, &name.version);
    return name;
}

/* False, having answered, if that failed. */
static bool set_object_tags(struct lst_s3_exchange *exchange, const struct lst_field *tags,
                            size_t count)
{
    struct lst_object_name name = object_name(exchange);

    return lst_s3_has_written(exchange, lst_object_set_tags(exchange->s3->options.store, &name,
                                                            tags, count, lst_s3_write(exchange)));
}

void lst_put_object_tagging(struct lst_s3_exchange *exchange)
{
    struct lst_tag_set set = {.count = 0};
    struct lst_buffer document;

    if (!lst_s3_check_version(exchange)) {
        return;
    }
    if (lst_document_read(exchange, &document_plan, &document) &&
        lst_tags_parse_xml(exchange, lst_buffer_slice(&document), LST_STORE_TAGS_MAX, &set) &&
        set_object_tags(exchange, set.list, set.count)) {
        lst_s3_answer_done(exchange);
    }
    lst_tag_set_release(&set);
    lst_buffer_release(&document);
}

void lst_get_object_tagging(struct lst_s3_exchange *exchange)
{
    struct lst_object_name name;
    struct lst_object object;
    struct lst_buffer *body;
    int status;

    if (!lst_s3_check_version(exchange)) {
        return;
    }
    name = object_name(exchange);
    status = lst_object_open(exchange->s3->options.store, &name, false, &object);
    if (status != LST_OK) {
        /* S3 has 405 for a delete marker here even if it is not named. */
        lst_s3_fail_code(exchange, status == LST_ERR_KEY_NOT_FOUND && object.is_marker
                                       ? LST_ERR_DELETE_MARKER
                                       : status);
        return;
    }
    body = &lst_s3_answer_begin(exchange, 200)->body;
    lst_s3_answer_version(exchange, &object.version);
    lst_tags_write_xml(body, object.tags, object.tag_count);
    lst_object_close(&object);
    lst_s3_answer_xml(exchange);
}

void lst_delete_object_tagging(struct lst_s3_exchange *exchange)
{
    if (lst_s3_check_version(exchange) && set_object_tags(exchange, NULL, 0)) {
        lst_s3_answer_gone(exchange);
    }
}

/* ---- Buckets: the document, as this file writes it, is the bucket's setting */

/* False, having answered, if that failed. */
static bool set_bucket_tags(struct lst_s3_exchange *exchange, const struct lst_tag_set *set)
{
    struct lst_buffer written;
    struct lst_slice value;
    bool is_set = false;

    lst_buffer_init(&written, LST_STORE_SETTING_MAX);
    lst_tags_write_xml(&written, set->list, set->count);
    value = lst_buffer_slice(&written);
    if (lst_buffer_status(&written) != LST_OK) {
        lst_s3_fail_code(exchange, lst_buffer_status(&written));
    } else { /* an empty set is none, as in S3 */
        is_set = lst_setting_set(exchange, setting_name, set->count == 0 ? NULL : &value);
    }
    lst_buffer_release(&written);
    return is_set;
}

void lst_put_bucket_tagging(struct lst_s3_exchange *exchange)
{
    struct lst_tag_set set = {.count = 0};
    struct lst_buffer document;

    if (lst_document_read(exchange, &document_plan, &document) &&
        lst_tags_parse_xml(exchange, lst_buffer_slice(&document), LST_BUCKET_TAGS_MAX, &set) &&
        set_bucket_tags(exchange, &set)) {
        lst_s3_answer_gone(exchange);
    }
    lst_tag_set_release(&set);
    lst_buffer_release(&document);
}

void lst_get_bucket_tagging(struct lst_s3_exchange *exchange)
{
    lst_setting_get(exchange, setting_name, LST_S3_NO_SUCH_TAG_SET);
}

void lst_delete_bucket_tagging(struct lst_s3_exchange *exchange)
{
    lst_setting_delete(exchange, setting_name);
}
