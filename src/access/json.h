/* json.h - parsing JSON, with no doubt about what is malformed. */
#ifndef LST_ACCESS_JSON_H
#define LST_ACCESS_JSON_H

#include "base/error.h"
#include "base/slice.h"

#include <jansson.h>

/*
 * As json_loadb(); *ret_json is the caller's to json_decref(), NULL on failure. LST_ERR_NO_MEMORY;
 * LST_ERR_MALFORMED: ret_error says where. jansson itself does not tell the two apart, and what
 * can't be read for want of memory must not be taken for damaged, or refused.
 */
LST_MUST_CHECK int lst_json_load(struct lst_slice text, size_t flags, json_t **ret_json,
                                 json_error_t *ret_error);

/* The same of what was stored: LST_ERR_NO_MEMORY, _CORRUPT. */
LST_MUST_CHECK int lst_json_read(struct lst_slice text, json_t **ret_json);

/*
 * As json_dumps(): a new text that free() frees. NULL: there is no memory, or json is NULL. jansson
 * itself leaves out the name of a member when there is no memory for it just then, and goes on.
 */
char *lst_json_dump(const json_t *json, size_t flags);

/* Whether jansson lacked memory on this thread since its last lst_json_load(): for what follows
 * one, such as json_unpack(). */
bool lst_json_ran_out(void);

#endif
