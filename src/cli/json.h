/* json.h - what the commands' --json output is made of. */
#ifndef LST_CLI_JSON_H
#define LST_CLI_JSON_H

#include "latchstring.h"

#include <jansson.h>

/* A string; bytes that are not UTF-8 become U+FFFD. Never NULL unless there is no memory. */
json_t *lst_json_text(struct lst_slice text);

/* "2013-05-24T00:00:00Z"; null outside the years 1970 to 9999. */
json_t *lst_json_time(int64_t time);

/* Print on standard output, in one line or in several, and free. False if there was no memory for
 * it: then nothing is printed. */
LST_MUST_CHECK bool lst_json_print(json_t *value, bool one_line);

#endif
