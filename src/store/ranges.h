/*
 * ranges.h - inside the store: what is kept for each range of a bucket, and is of the whole bucket.
 *
 * The state of the bucket is what its first range says. Whoever changes it changes that first, and
 * then makes all others follow, one after another; the change is complete when all have it. Who is
 * cut short in between is followed by another: the next opening of the store, the next sweep, the
 * next change. Two who do so at the same time end with the same, since both follow the first range:
 * a range is changed only if it is as it was before the first one was looked at.
 *
 * On an engine without ranges all of this is one row.
 */
#ifndef LST_STORE_RANGES_H
#define LST_STORE_RANGES_H

#include "store/state.h"

/* A name to read the rows of a range by; the range is the one that has the route. */
struct lst_route {
    size_t length;
    char bytes[LST_ROW_NAME_MAX];
};
static inline struct lst_slice lst_route_slice(const struct lst_route *route)
{
    return lst_slice_make(route->bytes, route->length);
}

/* Go on to the next range; all zero is the first one. LST_ERR_NOT_FOUND: there is none. */
LST_MUST_CHECK int lst_route_next(struct lst_index_reader *reader, uint64_t partition,
                                  struct lst_route *route);
/* The same, with a reader of its own. */
LST_MUST_CHECK int lst_route_advance(struct lst_store *store, uint64_t partition,
                                     struct lst_route *route);

/* The state that a range has. LST_ERR_NOT_FOUND, _CORRUPT. */
LST_MUST_CHECK int lst_range_state(struct lst_index_reader *reader, uint64_t partition,
                                   struct lst_slice route, struct lst_bucket_state *ret_state);

/* What is to be put in the place of a range's state. The changes point into the struct, which must
 * stay where it is. */
struct lst_state_change {
    bool is_needed;
    struct lst_index_change changes[2];
    char before[LST_BUCKET_STATE_SIZE];
    char after[LST_BUCKET_STATE_SIZE];
};
/* What is wanted of a state. */
struct lst_state_wish {
    bool has_versioning;
    enum lst_versioning versioning;
    bool has_deleting;
    bool is_deleting;
};
/* That it be so; NULL: like the first range's. A state that is missing is made.
 * LST_ERR_BUCKET_NOT_FOUND, _CORRUPT. */
LST_MUST_CHECK int lst_state_change_make(struct lst_index_reader *reader, uint64_t partition,
                                         struct lst_slice route, const struct lst_state_wish *wish,
                                         struct lst_state_change *ret_change);

/* Have all ranges follow the first one; and, before that, the first be so, unless it is NULL. On a
 * thread that may block. LST_ERR_CORRUPT: the state of one can't be read. */
LST_MUST_CHECK int lst_ranges_set_state(struct lst_store *store, uint64_t partition,
                                        const struct lst_state_wish *wish);

#endif
