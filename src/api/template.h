/*
 * template.h - from a template to the key of a new object: avatars/{user}/{uuid}.{ext}
 *
 * The server's template decides where an upload goes; what the caller sends only fills its
 * variables in, cleaned, so that nobody gets out of the folder that was meant for him.
 *
 * {uuid}: made up: a random UUID (RFC 9562, version 4), in lower case.
 *
 * {ext}: the filename's extension, without the dot and in lower case, if that is 1 to 16 letters
 * and digits; else the usual one of the media type; else "bin".
 *
 * {filename}: the last part of the filename: no folders (of '/' or '\'), no control characters, no
 * dots at its start, at most 128 bytes, of which the extension is kept. "file" if nothing is left.
 *
 * {date}: the day, in UTC, as 2026/11/23.
 *
 * {type}: what stands before the '/' of the media type, "image"; "application" if none is told.
 *
 * {NAME}: any other of 1 to 64 letters, digits, '_' and '-': a variable that the caller gives.
 *
 * A variable's value has 1 to 128 bytes of UTF-8, no '/' and '\', no control characters and no
 * marks that change the direction of text, and is neither "." nor "..". A brace that is no
 * variable's can't be in a template, nor can a part between slashes be "." or "..": clients take
 * these out of URLs.
 */
#ifndef LST_API_TEMPLATE_H
#define LST_API_TEMPLATE_H

#include "api/fields.h"
#include "base/buffer.h"

#define LST_TEMPLATE_MAX          1024 /* bytes of a template, and of the key that it gives */
#define LST_TEMPLATE_VARIABLE_MAX 128  /* bytes of a variable's value, and of {filename} */

/* Can keys be made from it? LST_ERR_MALFORMED: the problem says what is wrong. */
LST_MUST_CHECK int lst_template_check(struct lst_slice template, char problem[LST_PROBLEM_MAX]);

/* Has it this variable, which the caller gives? Those that are filled in without him are none. */
bool lst_template_has_variable(struct lst_slice template, struct lst_slice name);

/* Is each of these (an object; NULL: none) a variable of the template? One that nothing is made of
 * is a mistake. LST_ERR_MALFORMED: the problem names it, and those that there are. */
LST_MUST_CHECK int lst_template_check_variables(struct lst_slice template, json_t *variables,
                                                char problem[LST_PROBLEM_MAX]);

/* What the caller tells of an upload. */
struct lst_template_facts {
    struct lst_slice filename; /* may be empty */
    struct lst_slice type;     /* with or without parameters; may be empty */
    json_t *variables;         /* an object of texts; NULL: none. Not changed */
    int64_t now;               /* seconds since 1970 */
};

/*
 * Append the key. LST_ERR_MALFORMED: something is missing, is not as it must be, is not used by the
 * template, or the key would be too long; the problem names the field ("vars.user: it is missing").
 * LST_ERR_NO_MEMORY, _TOO_LARGE: of the buffer. Nothing is appended then.
 */
LST_MUST_CHECK int lst_template_expand(struct lst_slice template,
                                       const struct lst_template_facts *facts,
                                       struct lst_buffer *out, char problem[LST_PROBLEM_MAX]);

/* The usual extension of a media type, which has no parameters; empty if none is known. */
struct lst_slice lst_template_extension(struct lst_slice type);

/* The reverse: the first media type whose usual extension it is, in any case. */
struct lst_slice lst_template_type(struct lst_slice extension);

#endif
