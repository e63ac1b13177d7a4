/*
 * scrub.h - inside the store: read every row and every body against its checksum, slowly, again and
 * again, so that what rots is known while there is still a copy.
 *
 * A pass goes through the buckets in the order of their names. Its place is a row of the index, so
 * that the next process goes on there.
 */
#ifndef LST_STORE_SCRUB_H
#define LST_STORE_SCRUB_H

#include "store/state.h"

/* Where a pass is, and what it has found. */
struct lst_scrub_place {
    int64_t started_ms;  /* the pass; 0: none was ever begun */
    int64_t finished_ms; /* the last one that came to its end; 0: none */
    uint64_t rows;       /* of this pass, as the two below */
    uint64_t bytes;
    uint64_t damaged;
    /* Behind which row of which bucket it goes on; empty: at the beginning, or it is over. */
    size_t bucket_length;
    char bucket[LST_BUCKET_NAME_MAX];
    struct lst_row_name row;
    bool is_over;
};

/* How a pass is slowed, and ended early. */
struct lst_scrub_pace {
    /* So many bytes were read. False: stop here. */
    bool (*spend)(void *context, uint64_t bytes);
    int64_t (*now_ms)(void *context);
    void *context;
};

/* The place that was saved last; one of which nothing was begun if there is none, or if its row is
 * damaged. */
LST_MUST_CHECK int lst_scrub_load(struct lst_store *store, struct lst_scrub_place *ret_place);

/*
 * Go on from a place up to the end of the pass, or until `spend` says to stop; the place is saved
 * now and then, and where it stops. store->report() is told of each damaged object. LST_OK: the
 * pass is over (place->is_over), or was stopped.
 */
LST_MUST_CHECK int lst_scrub_go_on(struct lst_store *store, struct lst_scrub_place *place,
                                   const struct lst_scrub_pace *pace);

/* End the thread, if there is one. */
void lst_scrub_end(struct lst_store *store);

#endif
