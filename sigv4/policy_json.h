/*
 * policy_json.h - read the JSON of a policy document without allocating.
 *
 * RFC 8259, and the two further escapes, \$ and \v, that the Amazon S3 API Reference allows in
 * "POST Policy", "Character Escaping".
 *
 * A policy has a fixed shape, so this is no tree: the reader asks for the next thing that must come
 * and is told whether it is there. Nothing nests deeper than that shape, whatever the text says.
 * Strings stay as they were written; they are unescaped while they are compared.
 */
#ifndef LST_SIGV4_POLICY_JSON_H
#define LST_SIGV4_POLICY_JSON_H

#include "text.h"

/* Take one of { } [ ] : , after any white space. False, and nothing taken, if another byte comes.
 */
bool lst_internal_json_take(struct lst_slice *json, char token);

/*
 * Take a string. *ret_string: what stands between the quotes, escapes and all, checked: no control
 * characters, no unknown escapes, no lone surrogates. False if no such string comes.
 */
bool lst_internal_json_take_string(struct lst_slice *json, struct lst_slice *ret_string);

/* Take a number that is an integer from 0 to UINT64_MAX; no sign, fraction, exponent. */
bool lst_internal_json_take_integer(struct lst_slice *json, uint64_t *ret_value);

/* True if only white space is left. */
bool lst_internal_json_is_done(struct lst_slice json);

/* A string that is being unescaped, byte by byte, as UTF-8. */
struct lst_internal_json_text {
    struct lst_slice string; /* from lst_internal_json_take_string() */
    unsigned char pending[4];
    uint8_t pending_count; /* the last bytes of pending are still to come */
};

static inline struct lst_internal_json_text lst_internal_json_text(struct lst_slice string)
{
    struct lst_internal_json_text text = {string, {0}, 0};

    return text;
}

/* The next byte, or -1 at the end. */
int lst_internal_json_text_next(struct lst_internal_json_text *text);

/*
 * True if the value begins with what is left of the text. fold: ASCII letters in either case.
 * *ret_length: how many bytes of the value that took.
 */
bool lst_internal_json_text_is_prefix(struct lst_internal_json_text text, struct lst_slice value,
                                      bool fold, size_t *ret_length);

/* True if the value is what is left of the text. */
bool lst_internal_json_text_equals(struct lst_internal_json_text text, struct lst_slice value,
                                   bool fold);

#endif
