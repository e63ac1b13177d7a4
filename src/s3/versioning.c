/* versioning.c - PutBucketVersioning and GetBucketVersioning. */
#include "s3/document.h"
#include "s3/xml.h"
#include "s3/xml_read.h"

enum { DOCUMENT_MAX = 4096 /* bytes */ };

struct request {
    bool has_status;
    enum lst_versioning versioning;
    bool wants_mfa; /* MfaDelete: needs a device of AWS */
};

static int visit(void *context, const char *path, struct lst_slice text)
{
    struct request *request = context;

    if (strcmp(path, "VersioningConfiguration") == 0) {
        return LST_OK;
    }
    if (strcmp(path, "VersioningConfiguration/MfaDelete") == 0) {
        request->wants_mfa = lst_slice_equal(text, LST_SLICE("Enabled"));
        return LST_OK;
    }
    if (strcmp(path, "VersioningConfiguration/Status") != 0) {
        return LST_ERR_MALFORMED;
    }
    request->has_status = true;
    if (lst_slice_equal(text, LST_SLICE("Enabled"))) {
        request->versioning = LST_VERSIONING_ENABLED;
    } else if (lst_slice_equal(text, LST_SLICE("Suspended"))) {
        request->versioning = LST_VERSIONING_SUSPENDED;
    } else {
        return LST_ERR_MALFORMED;
    }
    return LST_OK;
}

/* False, having answered, if the document asks for nothing that can be done. */
static bool read_request(struct lst_s3_exchange *exchange, struct lst_slice document,
                         struct request *request)
{
    int status = lst_xml_read(document, DOCUMENT_MAX, visit, request);

    if (status == LST_ERR_MALFORMED) {
        lst_s3_fail(exchange, LST_S3_MALFORMED_XML);
    } else if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
    } else if (request->wants_mfa) {
        lst_s3_fail_not_implemented(exchange, "setting", LST_SLICE("MfaDelete"));
    } else if (!request->has_status) {
        lst_s3_fail(exchange, LST_S3_ILLEGAL_VERSIONING);
    } else {
        return true;
    }
    return false;
}

void lst_put_bucket_versioning(struct lst_s3_exchange *exchange)
{
    static const struct lst_document_plan plan = {.limit = DOCUMENT_MAX, .length_required = true};
    struct request request = {.has_status = false};
    struct lst_buffer document;

    if (lst_document_read(exchange, &plan, &document) &&
        read_request(exchange, lst_buffer_slice(&document), &request) &&
        lst_s3_has_written(exchange, lst_bucket_set_versioning(
                                         exchange->s3->options.store, exchange->target.bucket,
                                         request.versioning, lst_s3_write(exchange)))) {
        lst_s3_answer_done(exchange);
    }
    lst_buffer_release(&document);
}

void lst_get_bucket_versioning(struct lst_s3_exchange *exchange)
{
    enum lst_versioning versioning;
    int status =
        lst_bucket_versioning(exchange->s3->options.store, exchange->target.bucket, &versioning);
    struct lst_buffer *body;

    if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
        return;
    }
    body = &lst_s3_answer_begin(exchange, 200)->body;
    lst_xml_begin(body, "VersioningConfiguration");
    if (versioning != LST_VERSIONING_NEVER) {
        lst_xml_string(body, "Status",
                       versioning == LST_VERSIONING_ENABLED ? "Enabled" : "Suspended");
    }
    lst_xml_close(body, "VersioningConfiguration");
    lst_s3_answer_xml(exchange);
}
