/*
 * content.h - is the content of an upload what its type says? (x-latch-sniff)
 *
 * Asked of the first LST_CONTENT_WINDOW bytes as they come in, so that a wrong upload is refused
 * before most of it has been sent, and always before anything of it is visible. An SVG or other XML
 * is read to its end, because it may carry script anywhere: see content_svg.h.
 *
 * What counts as agreeing:
 * - images, audio, video, fonts, PDF, archives and office documents must be recognised by libmagic
 *   as what is declared, or a synonym of it (image/jpg, audio/x-wav), or what it is made of (a
 *   .docx is a ZIP); and nothing else that programs run or browsers show may be found in them.
 * - SVG and other XML must be well-formed, and nothing in it may run in a browser.
 * - text/..., JSON and the like must be text, and no HTML or SVG unless that is declared.
 * - application/octet-stream claims nothing, so it is always true.
 * - Of other types, which nobody can recognise, only something that is recognised is refused.
 * - What is no media type, or one behind which browsers look for another (unknown/unknown, a
 *   wildcard, multipart/...), is refused whatever the content.
 *
 * It is a check against mistakes and common tricks, not a proof: a file may be built to be valid
 * as two things at once in ways that no look at its beginning shows.
 */
#ifndef LST_S3_CONTENT_H
#define LST_S3_CONTENT_H

#include "base/error.h"
#include "base/slice.h"

#define LST_CONTENT_WINDOW       8192 /* bytes that are looked at */
#define LST_CONTENT_DETECTED_MAX 128  /* with the NUL */

/* libmagic's handles, made when they are first needed: a process that checks nothing does not load
 * the database. For any number of threads. */
struct lst_content_pool;

LST_MUST_CHECK int lst_content_pool_open(struct lst_content_pool **ret_pool);

/* Nothing may be in use any more. NULL does nothing. */
void lst_content_pool_close(struct lst_content_pool *pool);

struct lst_content_plan {
    struct lst_slice declared; /* the Content-Type; empty if there is none */
    struct lst_slice types;    /* if none is declared, what it may be: as in x-latch-type;
                                * empty: anything */
    bool is_part;              /* a part of an upload: SVG and XML can't be read to their end,
                                * and are refused */
};

struct lst_content_check;

/* The pool and the plan's slices must live as long as the check. LST_ERR_NO_MEMORY. */
LST_MUST_CHECK int lst_content_begin(struct lst_content_pool *pool,
                                     const struct lst_content_plan *plan,
                                     struct lst_content_check **ret_check);

/*
 * The next bytes, and that there are no more. LST_ERR_MALFORMED: refused, lst_content_refusal()
 * says why; LST_ERR_NO_MEMORY; LST_ERR_IO: libmagic's database can't be loaded. After a failure the
 * check is only to be freed.
 */
LST_MUST_CHECK int lst_content_take(struct lst_content_check *check, struct lst_slice bytes);
LST_MUST_CHECK int lst_content_end(struct lst_content_check *check);

struct lst_content_refusal {
    const char *message;  /* a sentence */
    const char *detected; /* a media type, or "application/octet-stream" if it is no known one */
};

/* After LST_ERR_MALFORMED; valid as long as the check. */
struct lst_content_refusal lst_content_refusal(const struct lst_content_check *check);

/* NULL does nothing. */
void lst_content_free(struct lst_content_check *check);

#endif
