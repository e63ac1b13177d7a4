/* json.h - JSON that was stored. */
#ifndef LST_ACCESS_JSON_H
#define LST_ACCESS_JSON_H

#include "base/error.h"
#include "base/slice.h"

#include <jansson.h>

/* Parse it; the caller's to json_decref(). LST_ERR_NO_MEMORY; LST_ERR_CORRUPT: it is no JSON. What
 * can't be read for want of memory must not be taken for damaged. */
LST_MUST_CHECK int lst_json_read(struct lst_slice text, json_t **ret_json);

/* Whether it was only memory that jansson lacked. */
bool lst_json_is_out_of_memory(const json_error_t *error);

#endif
