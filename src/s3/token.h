/* token.h - continuation tokens: where a listing goes on, as opaque text. */
#ifndef LST_S3_TOKEN_H
#define LST_S3_TOKEN_H

#include "base/buffer.h"

#define LST_TOKEN_PLACE_MAX 1024 /* bytes: of a key */

/* Append the token for "after this key". */
void lst_token_write(struct lst_buffer *buffer, struct lst_slice place);

/* The place of a token; false if it is not one that lst_token_write() made. */
LST_MUST_CHECK bool lst_token_read(struct lst_slice token, char ret_place[LST_TOKEN_PLACE_MAX],
                                   size_t *ret_length);

#endif
