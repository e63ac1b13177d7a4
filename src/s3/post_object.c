/* post_object.c - PostObject: the form as it comes in, and the file in it. */
#include "s3/body.h"
#include "s3/constraints.h"
#include "s3/post_form.h"
#include "s3/use.h"

#include <stdio.h>
#include <stdlib.h>

/* What an event gives to end the reading, when the exchange has been answered. */
enum { ANSWERED = LST_ERR_CLOSED };

static bool is_answered(struct lst_s3_exchange *exchange)
{
    return lst_waiting_is_answered(&exchange->waiting);
}

static void fail_fields_too_large(struct lst_s3_exchange *exchange)
{
    char most[24];

    (void)snprintf(most, sizeof(most), "%d", LST_POST_FORM_MAX);
    lst_s3_fail_about(exchange, LST_S3_POST_FIELDS_TOO_LARGE, NULL, "MaxPostPreDataLengthBytes",
                      lst_slice_of(most));
}

static int give_up(struct lst_s3_exchange *exchange, enum lst_s3_error error)
{
    if (error == LST_S3_POST_FIELDS_TOO_LARGE) {
        fail_fields_too_large(exchange);
    } else {
        lst_s3_fail(exchange, error);
    }
    return ANSWERED;
}

/* ---- Size */

static void fail_size(struct lst_s3_exchange *exchange, enum lst_s3_error error, uint64_t proposed,
                      const char *limit_name, uint64_t limit)
{
    char proposed_text[24];
    char limit_text[24];

    (void)snprintf(proposed_text, sizeof(proposed_text), "%llu", (unsigned long long)proposed);
    (void)snprintf(limit_text, sizeof(limit_text), "%llu", (unsigned long long)limit);
    struct lst_field details[] = {
        {LST_SLICE("ProposedSize"), lst_slice_of(proposed_text)},
        {lst_slice_of(limit_name), lst_slice_of(limit_text)},
    };
    lst_s3_fail_with(exchange, error, NULL, details, 2);
}

/* The file's size if nothing comes after it but the last delimiter. */
static uint64_t propose_size(const struct lst_s3_exchange *exchange)
{
    const struct lst_post *post = exchange->post;
    uint64_t around = post->reader.position + post->reader.delimiter_length + strlen("--\r\n");
    uint64_t length = exchange->request->content_length;

    return length > around ? length - around : 0;
}

static int fail_too_large(struct lst_s3_exchange *exchange, uint64_t proposed)
{
    fail_size(exchange, LST_S3_ENTITY_TOO_LARGE, proposed, "MaxSizeAllowed",
              exchange->post->size_max);
    return ANSWERED;
}

/* ---- The file */

/* Every name once: of two keys nobody could say which the policy's author meant. */
static bool check_fields(struct lst_s3_exchange *exchange)
{
    const struct lst_post *post = exchange->post;
    struct lst_slice key = lst_post_field(post, "key");

    for (size_t i = 0; i < post->field_count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (lst_slice_equal_ignoring_case(post->fields[i].name, post->fields[j].name)) {
                lst_s3_fail_field(exchange, "A form field is given more than once.",
                                  &post->fields[i]);
                return false;
            }
        }
    }
    if (key.bytes == NULL) {
        lst_s3_fail_argument(exchange,
                             "Bucket POST must contain a field named 'key'.  If it is specified, "
                             "please check the order of the fields.",
                             "key", key);
    } else if (key.length == 0) {
        lst_s3_fail_argument(exchange, "User key must have a length greater than 0.", "key", key);
    }
    return key.length > 0;
}

/* Who signed the form, and may he do this? */
static bool authenticate(struct lst_s3_exchange *exchange)
{
    const struct lst_post *post = exchange->post;
    int status = lst_gate_authenticate_form(
        exchange->s3->options.gate, exchange->request, post->fields, post->field_count,
        exchange->request->received_ms / 1000, &exchange->passage);

    if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
    }
    return status == LST_OK;
}

/* The file must fit both, the policy's range and x-latch-length. */
static void narrow_size(struct lst_s3_exchange *exchange)
{
    const struct lst_constraints *constraints = exchange->constraints;
    struct lst_post *post = exchange->post;

    if (constraints == NULL || !constraints->has_length) {
        return;
    }
    if (constraints->length_min > post->size_min) {
        post->size_min = constraints->length_min;
    }
    if (constraints->length_max < post->size_max) {
        post->size_max = constraints->length_max;
    }
}

static int begin_file(struct lst_s3_exchange *exchange, const struct lst_form_part *part)
{
    struct lst_post *post = exchange->post;
    int status;

    post->has_file = true;
    post->in_file = true;
    if (post->reader.position > LST_POST_FORM_MAX) {
        return give_up(exchange, LST_S3_POST_FIELDS_TOO_LARGE);
    }
    /* Of a file without any name the variable stays, as at S3; of one with an empty name not. */
    status = part->has_filename ? lst_post_expand(post, part->filename) : LST_OK;
    if (status != LST_OK) {
        return give_up(exchange, status == LST_ERR_TOO_LARGE ? LST_S3_POST_FIELDS_TOO_LARGE
                                                             : LST_S3_SLOW_DOWN);
    }
    if (!check_fields(exchange)) {
        return ANSWERED;
    }
    exchange->target.key = lst_post_field(post, "key");
    exchange->target.level = LST_LEVEL_OBJECT;
    if (!authenticate(exchange) || !lst_post_check_policy(exchange) ||
        !lst_s3_authorise(exchange)) {
        return ANSWERED;
    }
    post->size_proposed = propose_size(exchange);
    if (post->size_proposed > post->size_max &&
        post->size_proposed - post->size_max > LST_POST_FORM_MAX) {
        /* Certain already, whatever comes after the file. */
        return fail_too_large(exchange, post->size_proposed);
    }
    if (!lst_post_make_put(exchange) ||
        !lst_s3_constrain_form(exchange, post->fields, post->field_count) ||
        !lst_s3_check_options(exchange) || !lst_s3_use_note(exchange)) {
        return ANSWERED;
    }
    narrow_size(exchange);
    lst_running_begin(exchange, lst_put_object);
    return is_answered(exchange) ? ANSWERED : LST_OK;
}

static int take_file(struct lst_s3_exchange *exchange, struct lst_slice bytes)
{
    struct lst_post *post = exchange->post;

    if (bytes.length > post->size_max - post->size) {
        uint64_t least = post->size + bytes.length;
        return fail_too_large(exchange, post->size_proposed > least ? post->size_proposed : least);
    }
    post->size += bytes.length;
    lst_running_feed(exchange, bytes);
    return is_answered(exchange) ? ANSWERED : LST_OK;
}

/* ---- What the reader finds */

static int on_begin(void *context, const struct lst_form_part *part)
{
    struct lst_s3_exchange *exchange = context;
    struct lst_post *post = exchange->post;

    if (post->has_file) {
        return LST_OK;
    }
    if (lst_slice_equal_ignoring_case(part->name, LST_SLICE("file"))) {
        return begin_file(exchange, part);
    }
    return lst_post_add_field(post, part->name) ? LST_OK
                                                : give_up(exchange, LST_S3_POST_FIELDS_TOO_LARGE);
}

static int on_data(void *context, struct lst_slice bytes)
{
    struct lst_s3_exchange *exchange = context;
    struct lst_post *post = exchange->post;

    if (post->has_file) {
        return post->in_file ? take_file(exchange, bytes) : LST_OK;
    }
    return lst_post_add_value(post, bytes) ? LST_OK
                                           : give_up(exchange, LST_S3_POST_FIELDS_TOO_LARGE);
}

static int on_end(void *context)
{
    struct lst_s3_exchange *exchange = context;

    exchange->post->in_file = false;
    return LST_OK;
}

/* ---- The body */

void lst_post_take(struct lst_s3_exchange *exchange, struct lst_slice bytes)
{
    struct lst_post *post = exchange->post;
    int status;

    post->received += bytes.length;
    status = lst_form_reader_take(&post->reader, bytes);
    if (is_answered(exchange)) {
        return;
    }
    if (status != LST_OK) {
        lst_s3_fail(exchange, LST_S3_MALFORMED_POST);
    } else if (post->received - post->size > LST_POST_FORM_MAX) {
        fail_fields_too_large(exchange);
    }
}

bool lst_post_is_whole(struct lst_s3_exchange *exchange)
{
    struct lst_post *post = exchange->post;

    if (lst_form_reader_end(&post->reader) != LST_OK) {
        lst_s3_fail(exchange, LST_S3_MALFORMED_POST);
    } else if (!post->has_file) {
        lst_s3_fail_argument(exchange, "POST requires exactly one file upload per request.", "file",
                             LST_SLICE("0"));
    } else if (post->size < post->size_min) {
        fail_size(exchange, LST_S3_ENTITY_TOO_SMALL, post->size, "MinSizeAllowed", post->size_min);
    } else {
        return true;
    }
    return false;
}

void lst_post_end(struct lst_s3_exchange *exchange)
{
    if (exchange->running.fiber != NULL) {
        lst_running_end(exchange);
    } else { /* no file has begun */
        (void)lst_post_is_whole(exchange);
    }
}

static bool check_head(struct lst_s3_exchange *exchange)
{
    const struct lst_http_request *request = exchange->request;
    uint64_t limit = exchange->s3->options.body_max;
    struct lst_slice type = lst_http_header(request, LST_HEADER_CONTENT_TYPE);

    if (!lst_slice_starts_with_ignoring_case(type, LST_SLICE("multipart/form-data"))) {
        lst_s3_fail_about(exchange, LST_S3_PRECONDITION_FAILED, NULL, "Condition",
                          LST_SLICE("Bucket POST must be of the enclosure-type "
                                    "multipart/form-data"));
    } else if (exchange->passage.auth.kind != LST_AUTH_NONE) {
        /* A form has its own signature, over its policy. */
        lst_s3_fail_code(exchange, LST_REFUSED_SIGNED_TWICE);
    } else if (!request->has_content_length || request->is_chunked) {
        lst_body_fail_length(exchange);
    } else if (request->content_length > limit &&
               request->content_length - limit > LST_POST_FORM_MAX) {
        fail_size(exchange, LST_S3_ENTITY_TOO_LARGE, request->content_length, "MaxSizeAllowed",
                  limit);
    }
    return !is_answered(exchange);
}

void lst_post_object(struct lst_s3_exchange *exchange)
{
    static const struct lst_form_events events = {
        .begin = on_begin, .data = on_data, .end = on_end};
    struct lst_slice type = lst_http_header(exchange->request, LST_HEADER_CONTENT_TYPE);
    struct lst_post *post;

    if (!check_head(exchange)) {
        return;
    }
    post = malloc(sizeof(*post));
    if (post == NULL) {
        lst_s3_fail(exchange, LST_S3_SLOW_DOWN);
        return;
    }
    memset(post, 0, offsetof(struct lst_post, text));
    lst_buffer_init(&post->expanded, 2 * (size_t)LST_POST_FORM_MAX);
    exchange->post = post;
    if (lst_form_reader_init(&post->reader, type, &events, exchange) != LST_OK) {
        lst_s3_fail(exchange, LST_S3_MALFORMED_POST);
    }
}

void lst_post_free(struct lst_post *post)
{
    if (post != NULL) {
        lst_buffer_release(&post->expanded);
        free(post);
    }
}
