/* create_upload.c - CreateMultipartUpload and AbortMultipartUpload. */
#include "access/constraints.h"
#include "s3/put_fields.h"
#include "s3/upload_checksum.h"
#include "s3/xml.h"

#include <stdlib.h>

/* Too large for the stack of a fiber. */
struct creation {
    struct lst_upload_checksum checksum;
    struct lst_put_fields fields;
    struct lst_tag_set tags;
    char id[LST_UPLOAD_ID_LENGTH];
};

static void answer_created(struct lst_s3_exchange *exchange, const struct creation *creation)
{
    struct lst_http_response *response = lst_s3_answer_begin(exchange, 200);
    struct lst_buffer *body = &response->body;

    if (exchange->result != NULL) {
        memcpy(exchange->result->upload_id, creation->id, sizeof(creation->id));
    }
    if (creation->checksum.is_declared) {
        lst_http_response_add(response, "x-amz-checksum-algorithm",
                              lst_slice_of(lst_checksum_name(creation->checksum.kind)));
        lst_http_response_add(response, "x-amz-checksum-type",
                              lst_slice_of(lst_upload_checksum_type(&creation->checksum)));
    }
    lst_xml_begin(body, "InitiateMultipartUploadResult");
    lst_xml_text(body, "Bucket", exchange->target.bucket);
    lst_xml_text(body, "Key", exchange->target.key);
    lst_xml_text(body, "UploadId", lst_slice_make(creation->id, sizeof(creation->id)));
    lst_xml_close(body, "InitiateMultipartUploadResult");
    lst_s3_answer_xml(exchange);
}

static int key_exists(struct lst_s3_exchange *exchange, bool *ret_exists)
{
    struct lst_object_name name = {.bucket = exchange->target.bucket, .key = exchange->target.key};
    struct lst_object object;
    int status = lst_object_open(exchange->s3->options.store, &name, false, &object);

    *ret_exists = status == LST_OK;
    if (status == LST_OK) {
        lst_object_close(&object);
    }
    return status == LST_ERR_KEY_NOT_FOUND ? LST_OK : status;
}

static void create(struct lst_s3_exchange *exchange, struct creation *creation)
{
    char note[LST_UPLOAD_NOTE_MAX];
    struct lst_upload_options options = {
        .bucket = exchange->target.bucket,
        .key = exchange->target.key,
        .fields = creation->fields.list,
        .field_count = creation->fields.count,
        .tags = creation->tags.list,
        .tag_count = creation->tags.count,
    };
    int status = key_exists(exchange, &creation->checksum.key_existed);

    if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
        return;
    }
    options.note = lst_slice_make(note, lst_upload_checksum_write_note(&creation->checksum, note));
    if (lst_s3_has_written(exchange, lst_upload_create(exchange->s3->options.store, &options,
                                                       creation->id, lst_s3_write(exchange)))) {
        answer_created(exchange, creation);
    }
}

void lst_create_upload(struct lst_s3_exchange *exchange)
{
    const struct lst_constraints *constraints = exchange->constraints;
    struct creation *creation = calloc(1, sizeof(*creation));

    if (creation == NULL) {
        lst_s3_fail_code(exchange, LST_ERR_NO_MEMORY);
        return;
    }
    if (lst_put_check_class_and_acl(exchange) &&
        lst_upload_checksum_read(exchange, &creation->checksum) &&
        lst_put_tags_read(exchange, &creation->tags) &&
        lst_put_fields_read(exchange, &creation->fields)) {
        creation->checksum.is_sniffed = constraints != NULL && constraints->sniff;
        creation->checksum.total_max = constraints == NULL ? 0 : constraints->total;
        create(exchange, creation);
    }
    lst_tag_set_release(&creation->tags);
    free(creation);
}

void lst_abort_upload(struct lst_s3_exchange *exchange)
{
    struct lst_upload_name name = lst_upload_name_of(exchange);

    if (lst_s3_has_written(exchange, lst_upload_abort(exchange->s3->options.store, &name,
                                                      lst_s3_write(exchange)))) {
        lst_s3_answer_gone(exchange);
    }
}
