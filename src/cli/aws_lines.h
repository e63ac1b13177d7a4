/*
 * aws_lines.h - lines of an AWS configuration file, handed to inih.
 *
 * inih takes every indented line for a continuation and cuts long section names short; the AWS
 * tools (Python's configparser) do neither. This reader evens that out.
 */
#ifndef LST_CLI_AWS_LINES_H
#define LST_CLI_AWS_LINES_H

#include "latchstring.h"

/*
 * Called for each setting. outer: NULL, or the name that this one stands indented under: "s3" for
 * "addressing_style" in
 *     s3 =
 *         addressing_style = path
 * section is without brackets. All text is valid during the call only.
 */
typedef void lst_aws_setting(void *user, const char *section, const char *outer, const char *name,
                             const char *value);

/*
 * Parse a whole file. LST_ERR_NOT_FOUND; LST_ERR_MALFORMED with the number of the first line that
 * is not understood in *ret_line; LST_ERR_PERMISSION, LST_ERR_IO, LST_ERR_TOO_LARGE (above a
 * megabyte), LST_ERR_NO_MEMORY.
 */
LST_MUST_CHECK int lst_aws_lines_parse(const char *path, lst_aws_setting *take, void *user,
                                       int *ret_line);

#endif
