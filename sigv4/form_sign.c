/* form_sign.c - write and sign the policy document of a POST form. */
#include "hash.h"
#include "key.h"
#include "writer.h"

static const struct lst_slice algorithm = {"AWS4-HMAC-SHA256", sizeof("AWS4-HMAC-SHA256") - 1};

/* Bytes of a credential: see lst_credential(). */
#define CREDENTIAL_MAX 320

/* Bytes of a policy's fixed parts: names, brackets, times, two numbers. */
#define POLICY_FIXED 512

/* Bytes around the field and the value of a condition. */
#define CONDITION_FIXED 32

/* The most that a byte can become when it is escaped: \u001f. */
#define ESCAPED_MAX 6

/* A JSON string, RFC 8259, section 7; '$' for the fields of list conditions. */
static void put_string(struct lst_internal_writer *writer, const char *prefix,
                       struct lst_slice text)
{
    static const char digits[] = "0123456789abcdef";

    lst_internal_put_char(writer, '"');
    lst_internal_put(writer, lst_slice_of(prefix));
    for (size_t i = 0; i < text.length; i++) {
        char byte = text.bytes[i];

        if (byte == '"' || byte == '\\') {
            lst_internal_put_char(writer, '\\');
            lst_internal_put_char(writer, byte);
        } else if ((unsigned char)byte < ' ') {
            lst_internal_put(writer, LST_SLICE("\\u00"));
            lst_internal_put_char(writer, digits[(unsigned char)byte >> 4]);
            lst_internal_put_char(writer, digits[byte & 15]);
        } else {
            lst_internal_put_char(writer, byte);
        }
    }
    lst_internal_put_char(writer, '"');
}

static void put_exact(struct lst_internal_writer *writer, struct lst_slice field,
                      struct lst_slice value)
{
    lst_internal_put_char(writer, '{');
    put_string(writer, "", field);
    lst_internal_put(writer, LST_SLICE(": "));
    put_string(writer, "", value);
    lst_internal_put(writer, LST_SLICE("}, "));
}

static void put_condition(struct lst_internal_writer *writer, const struct lst_condition *condition)
{
    if (condition->match == LST_MATCH_EXACT) {
        put_exact(writer, condition->field, condition->value);
        return;
    }
    lst_internal_put(writer, LST_SLICE("[\"starts-with\", "));
    put_string(writer, "$", condition->field);
    lst_internal_put(writer, LST_SLICE(", "));
    put_string(writer, "", condition->value);
    lst_internal_put(writer, LST_SLICE("], "));
}

/* "20151230T120000Z" as "2015-12-30T12:00:00Z". */
static void put_expiration(struct lst_internal_writer *writer, const char time[16])
{
    static const char shape[] = "0000-00-00T00:00:00Z";
    size_t taken = 0;

    for (size_t i = 0; i < sizeof(shape) - 1; i++) {
        bool added = shape[i] == '-' || shape[i] == ':';

        lst_internal_put_char(writer, added ? shape[i] : time[taken++]);
    }
}

static void put_document(struct lst_internal_writer *writer, const struct lst_form *form,
                         struct lst_slice credential, const char date[16], const char end[16])
{
    lst_internal_put(writer, LST_SLICE("{\"expiration\": \""));
    put_expiration(writer, end);
    lst_internal_put(writer, LST_SLICE("\", \"conditions\": ["));
    put_exact(writer, LST_SLICE("bucket"), form->bucket);
    for (size_t i = 0; i < form->condition_count; i++) {
        put_condition(writer, &form->conditions[i]);
    }
    if (form->length_min > 0 || form->length_max > 0) {
        lst_internal_put(writer, LST_SLICE("[\"content-length-range\", "));
        lst_internal_put_decimal(writer, form->length_min);
        lst_internal_put(writer, LST_SLICE(", "));
        lst_internal_put_decimal(writer, form->length_max);
        lst_internal_put(writer, LST_SLICE("], "));
    }
    if (!lst_internal_is_empty(form->session_token)) {
        put_exact(writer, LST_SLICE("x-amz-security-token"), form->session_token);
    }
    put_exact(writer, LST_SLICE("x-amz-algorithm"), algorithm);
    put_exact(writer, LST_SLICE("x-amz-credential"), credential);
    lst_internal_put(writer, LST_SLICE("{\"x-amz-date\": "));
    put_string(writer, "", (struct lst_slice){date, 16});
    lst_internal_put(writer, LST_SLICE("}]}"));
}

/* The fields that the library names itself: a second condition on one could only contradict it. */
static bool is_own_field(struct lst_slice field)
{
    static const char *const names[] = {
        "bucket",          "x-amz-algorithm",      "x-amz-credential", "x-amz-date",
        "x-amz-signature", "x-amz-security-token", "policy",           "file"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (lst_internal_equal_ignoring_case(field, lst_slice_of(names[i]))) {
            return true;
        }
    }
    return false;
}

static bool is_complete(const struct lst_form *form)
{
    bool has_key = false;

    for (size_t i = 0; i < form->condition_count; i++) {
        struct lst_slice field = form->conditions[i].field;

        if (field.length == 0 || field.bytes[0] == '$' || is_own_field(field)) {
            return false;
        }
        has_key = has_key || lst_internal_equal_ignoring_case(field, LST_SLICE("key"));
    }
    return has_key && form->bucket.length > 0 && form->access_key_id.length > 0 &&
           form->expires > 0 && form->expires <= INT64_MAX - form->time &&
           form->length_min <= form->length_max;
}

/* The base64 of what stands at the start of the buffer, in place; it must fit. */
static size_t encode_in_place(char *buffer, size_t capacity, size_t length)
{
    char *moved = buffer + capacity - length;

    /* From the far end the text is never overtaken by its encoding. */
    memmove(moved, buffer, length);
    lst_internal_base64_encode((const uint8_t *)moved, length, buffer);
    return lst_internal_base64_length(length);
}

LST_PUBLIC int lst_sign_form(const struct lst_form *form, const struct lst_key *key, char *policy,
                             size_t capacity, size_t *ret_length,
                             char ret_signature[LST_SIGNATURE_LENGTH])
{
    struct lst_internal_writer writer = lst_internal_writer_to(policy, capacity / 4 * 3);
    char credential[CREDENTIAL_MAX];
    char date[16];
    char end[16];
    size_t length;

    if (form->time < 0 || !is_complete(form) || lst_format_time(form->time, date) != LST_OK ||
        lst_format_time(form->time + form->expires, end) != LST_OK ||
        memcmp(date, key->scope, 8) != 0) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    if (lst_credential(form->access_key_id, key, credential, sizeof(credential), &length) !=
        LST_OK) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    put_document(&writer, form, (struct lst_slice){credential, length}, date, end);
    if (writer.overflow) {
        return LST_ERR_BUFFER_TOO_SMALL;
    }
    length = encode_in_place(policy, capacity, writer.length);
    lst_internal_hmac_hex(key, (struct lst_slice){policy, length}, ret_signature);
    *ret_length = length;
    return LST_OK;
}

LST_PUBLIC size_t lst_sign_form_bound(const struct lst_form *form, const struct lst_key *key)
{
    size_t text = form->bucket.length + form->session_token.length + form->access_key_id.length +
                  key->scope_length;
    size_t fixed = POLICY_FIXED + form->condition_count * CONDITION_FIXED;

    for (size_t i = 0; i < form->condition_count; i++) {
        text += form->conditions[i].field.length + form->conditions[i].value.length;
    }
    return lst_internal_base64_length(fixed + ESCAPED_MAX * text);
}
