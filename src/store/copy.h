/* copy.h - inside the copying of objects: what its two halves, bytes and parts, share. */
#ifndef LST_STORE_COPY_H
#define LST_STORE_COPY_H

#include "base/pool.h"
#include "store/put.h"

/* A copy under way; on a copier's thread. */
struct lst_copying {
    struct lst_pool_job job;
    struct lst_put *put;
    struct lst_copy copy; /* its source is closed */
    bool shares;
    struct lst_object_stream *source; /* keeps the bytes on the disk */
    uint64_t partition;               /* of the source */
    struct lst_slice key;             /* the source's; memory of the put */
    struct lst_slice etag;  /* empty: to be computed. Memory of the put, as are the parts */
    struct lst_slice parts; /* encoded; empty: there are none */
    struct lst_blob_id blob;
};

/*
 * Give the put's object parts of its own, under a new upload id, each of which shares the bytes of
 * one of the source's. Until the object is committed they are those of an upload that was left and
 * is pinned, so that whatever goes wrong they are deleted. LST_ERR_CONFLICT: a part is gone.
 */
LST_MUST_CHECK int lst_copy_share_parts(struct lst_copying *copying);

#endif
