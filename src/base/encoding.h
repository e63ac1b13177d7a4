/* encoding.h - hexadecimal and base64 (RFC 4648). Percent-encoding is in latchstring.h. */
#ifndef LST_BASE_ENCODING_H
#define LST_BASE_ENCODING_H

#include "base/slice.h"

/* Lower-case hex: 2 digits for each byte of input, no NUL. */
void lst_hex_encode(const void *bytes, size_t length, char *ret_text);

/* Exactly 2 * length hex digits of either case. False if the text is anything else; the output is
 * then unspecified. */
LST_MUST_CHECK bool lst_hex_decode(struct lst_slice text, void *ret_bytes, size_t length);

/* Base64 with padding: 4 * ceil(length / 3) characters, no NUL. */
void lst_base64_encode(const void *bytes, size_t length, char *ret_text);
#define LST_BASE64_LENGTH(length) (((length) + 2) / 3 * 4)

/* Exactly the padded base64 of length bytes. False if the text is anything else. */
LST_MUST_CHECK bool lst_base64_decode(struct lst_slice text, void *ret_bytes, size_t length);

/* Base64 for URLs (RFC 4648 section 5), without padding. No NUL. Gives the length of the text. */
size_t lst_base64url_encode(const void *bytes, size_t length, char *ret_text);
#define LST_BASE64URL_LENGTH(length) (((length)*4 + 2) / 3)

/* The reverse: at most LST_BASE64URL_BYTES(text.length) bytes. False if the text is anything else;
 * the output is then unspecified. */
LST_MUST_CHECK bool lst_base64url_decode(struct lst_slice text, void *ret_bytes,
                                         size_t *ret_length);
#define LST_BASE64URL_BYTES(length) ((length)*3 / 4)

#endif
