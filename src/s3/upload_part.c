/* upload_part.c - UploadPart. */
#include "s3/upload_part.h"

#include "s3/constraints.h"

#include <stdio.h>

bool lst_part_number_read(struct lst_s3_exchange *exchange, struct lst_slice text,
                          uint32_t *ret_number)
{
    uint64_t number;

    if (lst_slice_to_number(text, LST_PART_NUMBER_MAX, &number) && number > 0) {
        *ret_number = (uint32_t)number;
        return true;
    }
    lst_s3_fail_argument(exchange, "Part number must be an integer between 1 and 10000, inclusive",
                         "partNumber", text);
    return false;
}

bool lst_upload_part_read(struct lst_s3_exchange *exchange, struct lst_part_options *ret_options,
                          struct lst_upload_checksum *ret_agreed)
{
    struct lst_part_options options = {.name = lst_upload_name_of(exchange)};
    struct lst_slice text;
    int status;

    (void)lst_s3_parameter(exchange, LST_PARAMETER_PART_NUMBER, &text);
    if (!lst_part_number_read(exchange, text, &options.number)) {
        return false;
    }
    status = lst_upload_checksum_see(exchange, &options.name, ret_agreed);
    if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
        return false;
    }
    options.total_max = ret_agreed->total_max;
    *ret_options = options;
    return true;
}

void lst_upload_part_fail(struct lst_s3_exchange *exchange, const struct lst_part_options *options,
                          int status)
{
    char proposed[24];
    char most[24];

    if (status == LST_ERR_CROWDED) {
        lst_s3_set_reason(exchange,
                          "x-latch-total: parts that are still on their way take the room");
        lst_s3_fail_about(exchange, LST_S3_SLOW_DOWN,
                          "Other parts of this upload are still on their way, and together with "
                          "them it would be too large: try again when they have arrived",
                          "Constraint", LST_SLICE("x-latch-total"));
        return;
    }
    if (status != LST_ERR_TOO_LARGE || options->total_max == 0) {
        lst_s3_fail_code(exchange, status);
        return;
    }
    (void)snprintf(proposed, sizeof(proposed), "%llu", (unsigned long long)options->size);
    (void)snprintf(most, sizeof(most), "%llu", (unsigned long long)options->total_max);
    struct lst_field details[] = {
        {LST_SLICE("ProposedSize"), lst_slice_of(proposed)},
        {LST_SLICE("MaxSizeAllowed"), lst_slice_of(most)},
        {LST_SLICE("Constraint"), LST_SLICE("x-latch-total")},
    };
    lst_s3_set_reason(exchange,
                      "x-latch-total: with another %s bytes all parts would have more than %s",
                      proposed, most);
    lst_s3_fail_with(exchange, LST_S3_ENTITY_TOO_LARGE,
                     "With this part all parts of the upload together would be larger than they "
                     "may be",
                     details, 3);
}

static void answer_part(struct lst_s3_exchange *exchange)
{
    (void)lst_s3_answer_begin(exchange, 200);
    lst_receive_answer(exchange);
    lst_s3_answer_end(exchange);
}

/* False, having answered, if the part comes with another checksum than was agreed, or without the
 * one that a composite is made of. */
static bool check_checksum(struct lst_s3_exchange *exchange,
                           const struct lst_upload_checksum *agreed)
{
    enum lst_checksum_kind declared = lst_body_declared(exchange->body);
    char message[128];

    if (!agreed->is_declared || declared == agreed->kind ||
        (declared == LST_CHECKSUM_NONE && !agreed->is_composite)) {
        return true;
    }
    (void)snprintf(message, sizeof(message),
                   "Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum "
                   "Type: %s",
                   lst_checksum_word(agreed->kind), lst_checksum_word(declared));
    lst_s3_fail_with(exchange, LST_S3_INVALID_REQUEST, message, NULL, 0);
    return false;
}

/* What the head asks for, up to a put that waits for the body. False if the exchange has been
 * answered. */
static bool begin_part(struct lst_s3_exchange *exchange, struct lst_receiving *receiving)
{
    struct lst_part_options options;
    struct lst_upload_checksum agreed;
    int status;

    if (!lst_upload_part_read(exchange, &options, &agreed) ||
        !lst_receive_prepare(exchange, agreed.kind, !agreed.is_declared) ||
        !check_checksum(exchange, &agreed) ||
        !lst_s3_constrain_part(exchange, options.number, &agreed, receiving)) {
        return false;
    }
    options.size_known = lst_body_length(exchange->body, &options.size);
    status = lst_put_begin_part(exchange->s3->options.store, &options, &receiving->put);
    if (status != LST_OK) {
        lst_upload_part_fail(exchange, &options, status);
    }
    return status == LST_OK;
}

void lst_upload_part(struct lst_s3_exchange *exchange)
{
    struct lst_receiving receiving = {.put = NULL};
    struct lst_slice piece;
    bool goes_on = lst_receive_step(exchange, &receiving, begin_part);

    while (goes_on && lst_body_next(exchange, &piece)) {
        goes_on = lst_receive_piece(exchange, &receiving, piece);
    }
    if (goes_on && lst_receive_step(exchange, &receiving, lst_receive_end) &&
        lst_receive_commit(exchange, &receiving)) {
        answer_part(exchange);
    }
    lst_receive_release(&receiving);
}
