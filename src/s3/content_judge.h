/* content_judge.h - does the beginning of some content agree with a media type? Pure. */
#ifndef LST_S3_CONTENT_JUDGE_H
#define LST_S3_CONTENT_JUDGE_H

#include "s3/content_magic.h"
#include "s3/content_types.h"

/* What the content is seen to be. */
struct lst_content_sight {
    struct lst_slice head;                     /* its first LST_CONTENT_WINDOW bytes, or all */
    const struct lst_content_reports *reports; /* libmagic's, of these bytes */
};

/* The one type to name to people: libmagic's first, or text/plain, or application/octet-stream. */
struct lst_slice lst_content_detected(const struct lst_content_sight *sight);

/* True if the content may be of the type, which is no SVG's. False: *ret_culprit is what it is, or
 * has within it. */
bool lst_content_agrees(const struct lst_content_sight *sight, struct lst_slice type,
                        struct lst_slice *ret_culprit);

#endif
