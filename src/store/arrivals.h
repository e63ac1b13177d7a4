/*
 * arrivals.h - bytes of parts that are on their way into an upload whose parts are limited.
 *
 * Parts arrive at the same time, and none of them is in the index before it is whole. So the limit
 * has to count those on their way too, or any number of them could fill the disk together.
 */
#ifndef LST_STORE_ARRIVALS_H
#define LST_STORE_ARRIVALS_H

#include "store/row.h"

#include <pthread.h>

/* A part on its way. */
struct lst_arrival {
    struct lst_arrival *next;
    struct lst_arrival *previous;
    char upload_id[LST_ROW_UPLOAD_ID_SIZE];
    uint64_t size; /* bytes that it may become */
};

struct lst_arrivals {
    pthread_mutex_t lock;
    struct lst_arrival *first;
};

void lst_arrivals_init(struct lst_arrivals *arrivals);
/* There must be none. */
void lst_arrivals_release(struct lst_arrivals *arrivals);

/* Count a part. Gives the bytes of all that are on their way into its upload, itself included. Who
 * holds them against what the upload has must read that afterwards: so a part that ends meanwhile
 * is counted twice at most, and never passed over. */
uint64_t lst_arrivals_add(struct lst_arrivals *arrivals, struct lst_arrival *arrival);

void lst_arrivals_remove(struct lst_arrivals *arrivals, struct lst_arrival *arrival);

#endif
