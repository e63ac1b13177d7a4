/* receive.c - the body of a request on its way into the store. */
#include "s3/receive.h"

#include "base/fiber.h"
#include "s3/approval.h"

void lst_receive_release(struct lst_receiving *receiving)
{
    lst_put_abort(receiving->put);
    lst_content_free(receiving->content);
}

bool lst_receive_prepare(struct lst_s3_exchange *exchange, enum lst_checksum_kind checksum,
                         bool besides)
{
    struct lst_body_plan plan = {
        .limit = exchange->s3->options.body_max,
        .too_long = LST_S3_ENTITY_TOO_LARGE,
        .length_required = exchange->post == NULL, /* a form's file has none of its own */
        .checksum = checksum,
        .checksum_besides = besides,
    };

    return lst_body_prepare(exchange, &plan);
}

/* ---- Steps */

struct step {
    struct lst_s3_exchange *exchange;
    struct lst_receiving *receiving;
    bool (*run)(struct lst_s3_exchange *exchange, struct lst_receiving *receiving);
    bool result;
};

static void run_step(void *context)
{
    struct step *step = context;

    step->result = step->run(step->exchange, step->receiving);
}

bool lst_receive_step(struct lst_s3_exchange *exchange, struct lst_receiving *receiving,
                      bool (*run)(struct lst_s3_exchange *exchange,
                                  struct lst_receiving *receiving))
{
    struct step step = {.exchange = exchange, .receiving = receiving, .run = run};

    lst_fiber_aside(run_step, &step);
    return step.result;
}

/* ---- What its content is */

bool lst_receive_check_content(struct lst_s3_exchange *exchange, struct lst_receiving *receiving,
                               const struct lst_content_plan *plan)
{
    int status = lst_content_begin(exchange->s3->content, plan, &receiving->content);

    if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
    }
    return status == LST_OK;
}

/* What looks at the content are libraries that want more of a stack than a fiber has. */
struct look {
    struct lst_content_check *content;
    const struct lst_slice *bytes; /* NULL: they have all come */
    int status;
};

static void look(void *context)
{
    struct look *look = context;

    look->status = look->bytes == NULL ? lst_content_end(look->content)
                                       : lst_content_take(look->content, *look->bytes);
}

/* False, having answered, if the content is refused. bytes: NULL at the end. */
static bool accept_content(struct lst_s3_exchange *exchange, struct lst_content_check *content,
                           const struct lst_slice *bytes)
{
    struct look looking = {.content = content, .bytes = bytes};

    if (content == NULL) {
        return true;
    }
    lst_fiber_aside(look, &looking);
    if (looking.status == LST_ERR_MALFORMED) {
        struct lst_content_refusal refusal = lst_content_refusal(content);
        struct lst_field details[] = {
            {LST_SLICE("Constraint"), LST_SLICE("x-latch-sniff")},
            {LST_SLICE("Detected"), lst_slice_of(refusal.detected)},
        };
        lst_s3_fail_with(exchange, LST_S3_ACCESS_DENIED, refusal.message, details, 2);
    } else if (looking.status != LST_OK) {
        lst_s3_fail_code(exchange, looking.status);
    }
    return looking.status == LST_OK;
}

/* ---- Its bytes */

bool lst_receive_piece(struct lst_s3_exchange *exchange, struct lst_receiving *receiving,
                       struct lst_slice piece)
{
    int status;

    if (!accept_content(exchange, receiving->content, &piece)) {
        return false;
    }
    status = lst_put_write(receiving->put, piece);
    if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
    }
    return status == LST_OK;
}

static int keep_checksums(struct lst_s3_exchange *exchange, struct lst_put *put)
{
    struct lst_slice text;
    enum lst_checksum_kind kind = lst_body_checksum(exchange->body, &text);
    int status = LST_OK;

    if (kind != LST_CHECKSUM_NONE) {
        status = lst_put_add_field(put, lst_slice_of(lst_checksum_header(kind)), text);
    }
    kind = lst_body_second_checksum(exchange->body, &text);
    if (kind != LST_CHECKSUM_NONE && status == LST_OK) {
        status = lst_put_add_field(put, lst_slice_of(lst_checksum_header(kind)), text);
    }
    return status;
}

bool lst_receive_end(struct lst_s3_exchange *exchange, struct lst_receiving *receiving)
{
    uint8_t md5[16];
    int status;

    if (!lst_body_is_whole(exchange) || !accept_content(exchange, receiving->content, NULL)) {
        return false;
    }
    lst_put_digest(receiving->put, md5);
    if (!lst_body_check_md5(exchange, md5)) {
        return false;
    }
    status = keep_checksums(exchange, receiving->put);
    if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
    }
    return status == LST_OK;
}

static bool begin_commit(struct lst_s3_exchange *exchange, struct lst_receiving *receiving)
{
    struct lst_put *put = receiving->put;

    receiving->put = NULL;
    lst_put_commit(put, lst_approval_write(exchange));
    return true;
}

bool lst_receive_commit(struct lst_s3_exchange *exchange, struct lst_receiving *receiving)
{
    (void)lst_receive_step(exchange, receiving, begin_commit);
    return lst_s3_has_written(exchange, LST_OK);
}

void lst_receive_answer(struct lst_s3_exchange *exchange)
{
    struct lst_http_response *response = &exchange->response;
    struct lst_slice checksum;
    enum lst_checksum_kind kind = lst_body_checksum(exchange->body, &checksum);

    lst_s3_answer_etag(exchange, lst_slice_make(exchange->write.etag, exchange->write.etag_length));
    /* S3 does not name the null version here, which is what a suspended bucket gets. */
    if (!lst_slice_equal(lst_version_id_slice(&exchange->write.version), LST_SLICE("null"))) {
        lst_s3_answer_version(exchange, &exchange->write.version);
    }
    if (kind != LST_CHECKSUM_NONE) {
        lst_http_response_add(response, lst_checksum_header(kind), checksum);
    }
    response->kind = LST_BODY_BYTES;
}
