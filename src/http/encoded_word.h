/*
 * encoded_word.h - text in header values that is not ASCII: the encoded words of RFC 2047.
 *
 * S3 keeps user metadata as text. It decodes the encoded words that a header brings, and gives back
 * what is not printable ASCII as one encoded word: in form Q if most characters are ASCII, in form
 * B if not. Recorded answers show both.
 */
#ifndef LST_HTTP_ENCODED_WORD_H
#define LST_HTTP_ENCODED_WORD_H

#include "base/slice.h"

/* Bytes that an encoded word of so much text needs at most. */
#define LST_ENCODED_WORD_FRAME         12 /* of "=?UTF-8?Q?" and what ends it */
#define LST_ENCODED_WORD_BOUND(length) (3 * (length) + LST_ENCODED_WORD_FRAME)

/* Can the text not stand in a header as it is? True of control characters other than a tab, and of
 * bytes that are not ASCII. */
bool lst_encoded_word_is_needed(struct lst_slice text);

/* Write text, which is UTF-8, as one encoded word. Gives its length; room for the bound. */
size_t lst_encoded_word_write(struct lst_slice text, char *ret_word);

/*
 * Decode the encoded words of a value, in UTF-8, US-ASCII or ISO-8859-1, to UTF-8. White space
 * between two of them goes; all else stays, words that are malformed too. Bytes that are not
 * well-formed in their character set become U+FFFD. Room for LST_ENCODED_WORD_BOUND(value.length).
 * False if no word could be decoded: the value stands for itself.
 */
bool lst_encoded_words_decode(struct lst_slice value, char *ret_text, size_t *ret_length);

#endif
