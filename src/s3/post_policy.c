/* post_policy.c - a form held against its policy, in S3's words. */
#include "s3/post_form.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    CONDITION_SHOWN_MAX = 1024, /* bytes */
    STRINGS_MAX = 3,
    FAULT_TEXT_MAX = 128, /* bytes: around what a fault quotes of the document */
};

/* Take the next string out of JSON, with its escapes. False if there is none. */
static bool next_string(struct lst_slice *rest, struct lst_slice *ret_string)
{
    size_t start = lst_slice_find(*rest, '"') + 1;
    size_t end = start;

    while (end < rest->length && rest->bytes[end] != '"') {
        end += rest->bytes[end] == '\\' ? 2 : 1;
    }
    if (end >= rest->length) {
        return false;
    }
    *ret_string = lst_slice_make(rest->bytes + start, end - start);
    *rest = lst_slice_after(*rest, end + 1);
    return true;
}

/* As S3 shows every condition, however it was written: ["eq", "$key", "cat.jpg"]. */
static void write_condition(struct lst_buffer *text, struct lst_slice condition)
{
    struct lst_slice strings[STRINGS_MAX];
    size_t count = 0;

    while (count < STRINGS_MAX && next_string(&condition, &strings[count])) {
        count++;
    }
    lst_buffer_append_string(text, count == STRINGS_MAX ? "[\"" : "[\"eq\", \"$");
    for (size_t i = 0; i < count; i++) {
        lst_buffer_append_string(text, i > 0 ? "\", \"" : "");
        lst_buffer_append(text, lst_slice_first(strings[i], CONDITION_SHOWN_MAX / STRINGS_MAX));
    }
    lst_buffer_append_string(text, "\"]");
}

static void write_lower(struct lst_buffer *text, struct lst_slice name)
{
    name = lst_slice_first(name, CONDITION_SHOWN_MAX);
    for (size_t i = 0; i < name.length; i++) {
        char byte = name.bytes[i];
        lst_buffer_append_byte(text,
                               (char)(byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte));
    }
}

/* The policy is none: S3's words for why. */
static void fail_document(struct lst_s3_exchange *exchange, struct lst_slice fault)
{
    char message[CONDITION_SHOWN_MAX];

    (void)snprintf(message, sizeof(message), "Invalid Policy: %.*s",
                   fault.length < sizeof(message) - 32 ? (int)fault.length
                                                       : (int)sizeof(message) - 32,
                   fault.bytes);
    lst_s3_fail_with(exchange, LST_S3_INVALID_POLICY, message, NULL, 0);
}

static void fail_policy(struct lst_s3_exchange *exchange, int code, struct lst_slice condition)
{
    struct lst_buffer text;

    if (code == LST_REFUSED_POLICY_MALFORMED) {
        fail_document(exchange, condition);
        return;
    }
    if (code != LST_REFUSED_POLICY_CONDITION && code != LST_REFUSED_POLICY_EXTRA_FIELD) {
        lst_s3_fail_code(exchange, code);
        return;
    }
    lst_buffer_init(&text, 2 * (size_t)CONDITION_SHOWN_MAX);
    lst_buffer_append_string(&text, lst_refusal(code, exchange->passage.auth.kind)->text);
    lst_buffer_append_string(&text, ": ");
    if (code == LST_REFUSED_POLICY_CONDITION) {
        write_condition(&text, condition);
    } else {
        write_lower(&text, condition);
    }
    lst_buffer_append_byte(&text, '\0');
    lst_s3_fail_with(exchange, LST_S3_ACCESS_DENIED,
                     lst_buffer_status(&text) == LST_OK ? text.bytes : NULL, NULL, 0);
    lst_buffer_release(&text);
}

bool lst_post_check_policy(struct lst_s3_exchange *exchange)
{
    const struct lst_auth *auth = &exchange->passage.auth;
    struct lst_post *post = exchange->post;
    uint64_t limit = exchange->s3->options.body_max;
    size_t capacity = auth->policy.length / 4 * 3 + FAULT_TEXT_MAX;
    char *scratch = malloc(capacity);
    struct lst_policy_limits limits;
    struct lst_slice condition = {NULL, 0};
    int status;

    if (scratch == NULL) {
        lst_s3_fail(exchange, LST_S3_SLOW_DOWN);
        return false;
    }
    status = lst_policy_check(auth, post->fields, post->field_count, exchange->target.bucket,
                              exchange->passage.now, scratch, capacity, &limits, &condition);
    if (status != LST_OK) {
        fail_policy(exchange, status, condition);
    } else {
        exchange->form_expires = limits.expires_at;
        post->size_min = limits.has_length_range ? limits.length_min : 0;
        post->size_max =
            limits.has_length_range && limits.length_max < limit ? limits.length_max : limit;
    }
    free(scratch);
    return status == LST_OK;
}
