/* ready_made.h - policies that most users want, by name. */
#ifndef LST_ACCESS_READY_MADE_H
#define LST_ACCESS_READY_MADE_H

#include "base/buffer.h"
#include "base/error.h"

/* "readonly, writeonly, readwrite, full": for help and errors. */
extern const char lst_ready_made_names[];

/*
 * Append the JSON of a ready-made policy. bucket: what it is limited to; every bucket if empty.
 *   readonly   get and list objects
 *   writeonly  put objects, and nothing else: not even read what was put
 *   readwrite  get, list, put and delete objects
 *   full       everything, buckets too
 * LST_ERR_NOT_FOUND: there is none of that name. LST_ERR_BUCKET_NAME. LST_ERR_NO_MEMORY.
 */
LST_MUST_CHECK int lst_ready_made_policy(struct lst_slice name, struct lst_slice bucket,
                                         struct lst_buffer *ret_json);

#endif
