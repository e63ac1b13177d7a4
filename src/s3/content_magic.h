/* content_magic.h - what libmagic says of some bytes. */
#ifndef LST_S3_CONTENT_MAGIC_H
#define LST_S3_CONTENT_MAGIC_H

#include "s3/content.h"

#define LST_CONTENT_REPORTS_MAX 8

/* Media types, the likeliest first, without those that say nothing: application/octet-stream,
 * application/x-empty. */
struct lst_content_reports {
    struct lst_slice types[LST_CONTENT_REPORTS_MAX];
    size_t count;
    char text[1024]; /* that the slices point into */
};

/* Load libmagic, unless it is loaded. LST_ERR_NO_LIBRARY; *ret_reason (NULL: not wanted) then says
 * why, as in base/library.h. */
LST_MUST_CHECK int lst_content_load(const char **ret_reason);

/*
 * bytes: at most LST_CONTENT_WINDOW of them. Takes 10 to 500 microseconds for a usual file, and up
 * to 50 ms for one that is made to be slow. LST_ERR_NO_MEMORY; LST_ERR_NO_LIBRARY: libmagic
 * cannot be loaded; LST_ERR_IO: it has no database.
 */
LST_MUST_CHECK int lst_content_pool_look(struct lst_content_pool *pool, struct lst_slice bytes,
                                         struct lst_content_reports *ret_reports);

#endif
