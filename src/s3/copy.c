/* copy.c - a copy under way. */
#include "s3/copy.h"

#include "base/encoding.h"
#include "s3/xml.h"

#include <stdlib.h>

enum { ATTEMPTS_MAX = 8 };

void lst_copying_free(struct lst_copying *copying)
{
    if (copying != NULL) {
        lst_tag_set_release(&copying->tags);
        free(copying);
    }
}

struct lst_copying *lst_copying_make(struct lst_s3_exchange *exchange)
{
    struct lst_copying *copying = calloc(1, sizeof(*copying));

    if (copying == NULL) {
        lst_s3_fail_code(exchange, LST_ERR_NO_MEMORY);
        return NULL;
    }
    if (!lst_copy_source_read(exchange, &copying->source)) {
        lst_copying_free(copying);
        return NULL;
    }
    return copying;
}

/* ---- The checksum */

void lst_copying_keep_checksum(struct lst_copying *copying, enum lst_checksum_kind kind,
                               struct lst_slice text)
{
    text = lst_slice_first(text, sizeof(copying->checksum));
    copying->kind = kind;
    copying->checksum_length = text.length;
    if (text.length > 0) {
        memcpy(copying->checksum, text.bytes, text.length);
    }
}

static void look(void *context, struct lst_slice bytes)
{
    struct lst_copying *copying = context;

    lst_checksum_update(&copying->sum, bytes);
}

static int keep_computed(void *context, struct lst_put *put)
{
    struct lst_copying *copying = context;
    size_t size = lst_checksum_size(copying->kind);
    uint8_t digest[LST_CHECKSUM_SIZE_MAX];

    lst_checksum_digest(&copying->sum, digest);
    lst_base64_encode(digest, size, copying->checksum);
    copying->checksum_length = LST_BASE64_LENGTH(size);
    return lst_put_add_field(put, lst_slice_of(lst_checksum_header(copying->kind)),
                             lst_slice_make(copying->checksum, copying->checksum_length));
}

void lst_copying_compute_checksum(struct lst_copying *copying, enum lst_checksum_kind kind)
{
    copying->kind = kind;
    copying->checksum_length = 0;
    lst_checksum_init(&copying->sum, kind);
    copying->copy.look = look;
    copying->copy.finish = keep_computed;
}

/* ---- Copying */

/* False, having answered, if there is nothing to copy, or it may not be. */
static bool begin(struct lst_s3_exchange *exchange, struct lst_copying *copying,
                  struct lst_put **ret_put)
{
    copying->copy = (struct lst_copy){.source = &copying->object, .context = copying};
    copying->kind = LST_CHECKSUM_NONE;
    copying->checksum_length = 0;
    if (!lst_copy_source_open(exchange, &copying->source, &copying->object)) {
        return false;
    }
    copying->source_version = copying->object.version;
    copying->copy.length = copying->object.size;
    if (!copying->begin(exchange, copying, ret_put)) {
        lst_object_close(&copying->object);
        return false;
    }
    return true;
}

bool lst_copying_copy(struct lst_s3_exchange *exchange, struct lst_copying *copying)
{
    int status = LST_ERR_CONFLICT;
    struct lst_put *put;

    for (unsigned i = 0; i < ATTEMPTS_MAX && status == LST_ERR_CONFLICT; i++) {
        if (!begin(exchange, copying, &put)) {
            return false;
        }
        lst_put_copy(put, &copying->copy, lst_s3_write(exchange));
        status = lst_s3_write_wait(exchange, LST_OK);
    }
    if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
    }
    return status == LST_OK;
}

void lst_copying_answer(struct lst_s3_exchange *exchange, const struct lst_copying *copying,
                        const char *root, bool with_type)
{
    struct lst_http_response *response = lst_s3_answer_begin(exchange, 200);
    struct lst_slice checksum = lst_slice_make(copying->checksum, copying->checksum_length);
    struct lst_buffer *body = &response->body;

    if (copying->source_version.length > 0) {
        lst_http_response_add(response, "x-amz-copy-source-version-id",
                              lst_version_id_slice(&copying->source_version));
    }
    lst_s3_answer_version(exchange, &exchange->write.version);
    lst_xml_begin(body, root);
    lst_xml_modified(body, exchange->write.modified_ms);
    lst_xml_etag(body, lst_slice_make(exchange->write.etag, exchange->write.etag_length));
    if (checksum.length > 0) {
        lst_xml_text(body, lst_checksum_element(copying->kind), checksum);
        if (with_type) {
            lst_xml_string(body, "ChecksumType", lst_checksum_type(checksum));
        }
    }
    lst_xml_close(body, root);
    lst_s3_answer_xml(exchange);
}
