/* tagging.c - the tags of objects and of buckets: put, get, delete. */
#include "s3/document.h"
#include "s3/setting.h"
#include "s3/tags.h"
#include "s3/xml.h"

static const struct lst_slice setting_name = {"tagging", 7};

static void release_set(void *work)
{
    lst_tag_set_release(work);
}

/* ---- Objects */

static struct lst_object_name object_name(struct lst_s3_exchange *exchange)
{
    struct lst_object_name name = {.bucket = exchange->target.bucket, .key = exchange->target.key};

    (void)lst_s3_parameter(exchange, LST_PARAMETER_VERSION_ID, &name.version);
    return name;
}

static void set_object_tags(struct lst_s3_exchange *exchange, const struct lst_field *tags,
                            size_t count, void (*answer)(struct lst_s3_exchange *exchange))
{
    struct lst_object_name name = object_name(exchange);
    int status = lst_object_set_tags(exchange->s3->options.store, &name, tags, count,
                                     lst_s3_write_begin(exchange, answer));

    if (status != LST_OK) {
        lst_s3_write_refused(exchange, status);
    }
}

static void read_object_tags(struct lst_s3_exchange *exchange, struct lst_slice document)
{
    struct lst_tag_set *set = lst_document_work(exchange);

    if (lst_tags_parse_xml(exchange, document, LST_STORE_TAGS_MAX, set)) {
        set_object_tags(exchange, set->list, set->count, lst_s3_answer_done);
    }
}

void lst_put_object_tagging(struct lst_s3_exchange *exchange)
{
    static const struct lst_document_plan plan = {
        .limit = LST_TAGS_DOCUMENT_MAX,
        .length_required = true,
        .work_size = sizeof(struct lst_tag_set),
        .release_work = release_set,
        .read = read_object_tags,
    };

    if (lst_s3_check_version(exchange)) {
        lst_document_begin(exchange, &plan);
    }
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
    if (lst_s3_check_version(exchange)) {
        set_object_tags(exchange, NULL, 0, lst_s3_answer_gone);
    }
}

/* ---- Buckets: the document, as this file writes it, is the bucket's setting */

static void read_bucket_tags(struct lst_s3_exchange *exchange, struct lst_slice document)
{
    struct lst_tag_set *set = lst_document_work(exchange);
    struct lst_buffer written;

    if (!lst_tags_parse_xml(exchange, document, LST_BUCKET_TAGS_MAX, set)) {
        return;
    }
    lst_buffer_init(&written, LST_STORE_SETTING_MAX);
    lst_tags_write_xml(&written, set->list, set->count);
    if (lst_buffer_status(&written) != LST_OK) {
        lst_s3_fail_code(exchange, lst_buffer_status(&written));
    } else if (set->count == 0) {
        lst_setting_delete(exchange, setting_name); /* an empty set is none, as in S3 */
    } else {
        lst_setting_put(exchange, setting_name, lst_buffer_slice(&written), lst_s3_answer_gone);
    }
    lst_buffer_release(&written);
}

void lst_put_bucket_tagging(struct lst_s3_exchange *exchange)
{
    static const struct lst_document_plan plan = {
        .limit = LST_TAGS_DOCUMENT_MAX,
        .length_required = true,
        .work_size = sizeof(struct lst_tag_set),
        .release_work = release_set,
        .read = read_bucket_tags,
    };

    lst_document_begin(exchange, &plan);
}

void lst_get_bucket_tagging(struct lst_s3_exchange *exchange)
{
    lst_setting_get(exchange, setting_name, LST_S3_NO_SUCH_TAG_SET);
}

void lst_delete_bucket_tagging(struct lst_s3_exchange *exchange)
{
    lst_setting_delete(exchange, setting_name);
}
