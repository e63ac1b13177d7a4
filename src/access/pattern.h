/*
 * pattern.h - text with wildcards and policy variables, compiled and matched.
 *
 * "Using wildcards in Action and Resource" and "IAM policy elements: Variables and tags" of the IAM
 * User Guide. '*' stands for any run of characters, also an empty one, '?' for exactly one
 * character (of UTF-8), ${aws:username} for the asking user's name, and ${*}, ${?} and ${$} for
 * these three characters themselves.
 *
 * A compiled pattern is the text itself, where bytes that UTF-8 never uses stand for the special
 * parts: so it is never longer than its source, and needs no memory of its own.
 */
#ifndef LST_ACCESS_PATTERN_H
#define LST_ACCESS_PATTERN_H

#include "base/buffer.h"
#include "base/error.h"

#define LST_PATTERN_ANY_RUN   0xFF
#define LST_PATTERN_ANY_ONE   0xFE
#define LST_PATTERN_USER_NAME 0xFD

/* What is special in the source text; or-ed together. */
enum lst_pattern_syntax {
    LST_PATTERN_WILDCARDS = 1,
    LST_PATTERN_VARIABLES = 2,
    LST_PATTERN_LOWER_CASE = 4, /* make it lower-case, to be matched ignoring case */
};

/*
 * Append the compiled form of source, which must be valid UTF-8, to the buffer. LST_ERR_POLICY: a
 * variable that does not exist, or one that is not closed; then *ret_variable is the text from its
 * '$' on.
 */
LST_MUST_CHECK int lst_pattern_compile(struct lst_slice source, unsigned syntax,
                                       struct lst_buffer *compiled, struct lst_slice *ret_variable);

/*
 * True if the whole text fits. ignore_case: of ASCII letters; the pattern must then be lower-case.
 * Iterative, no memory. The worst case, a text that almost fits at every place, costs the product
 * of both lengths; a pattern with one '*' at its end costs one comparison.
 */
bool lst_pattern_matches(struct lst_slice pattern, struct lst_slice text,
                         struct lst_slice user_name, bool ignore_case);

/* Could a text that begins with this one fit? May be true although none does: it looks no further
 * than to the first wildcard or variable. */
bool lst_pattern_may_begin(struct lst_slice pattern, struct lst_slice beginning);

#endif
