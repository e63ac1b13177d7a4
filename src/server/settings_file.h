/*
 * settings_file.h - files of "name = value" lines, as inih takes them, without its surprises.
 *
 * inih's defaults cut lines at 200 bytes and end a value at " ;", which an access key's secret or a
 * URL may well contain. Here a line may have LST_SETTINGS_LINE_MAX bytes, and only a line that
 * begins with # or ; is a comment.
 */
#ifndef LST_SERVER_SETTINGS_FILE_H
#define LST_SERVER_SETTINGS_FILE_H

#include "latchstring.h"

#define LST_SETTINGS_LINE_MAX (16 * 1024) /* bytes; what is beyond is cut */

/* Give the next line of content as inih is to read it: trimmed, or another one. May be NULL. */
typedef struct lst_slice lst_settings_line(void *user, struct lst_slice line);

/* A setting; text is valid during the call only. False if the line is wrong. */
typedef bool lst_settings_take(void *user, const char *section, const char *name,
                               const char *value);

/*
 * Read the settings of a file's content. 0; LST_ERR_MALFORMED with the number of the first line
 * that is wrong, or is no such line, in *ret_line; LST_ERR_NO_MEMORY. After a wrong line reading
 * goes on.
 */
LST_MUST_CHECK int lst_settings_read(struct lst_slice content, lst_settings_line *prepare,
                                     lst_settings_take *take, void *user, int *ret_line);

#endif
