/* arrivals.c - bytes of parts that are on their way. */
#include "store/arrivals.h"

void lst_arrivals_init(struct lst_arrivals *arrivals)
{
    *arrivals = (struct lst_arrivals){.first = NULL};
    pthread_mutex_init(&arrivals->lock, NULL);
}

void lst_arrivals_release(struct lst_arrivals *arrivals)
{
    pthread_mutex_destroy(&arrivals->lock);
}

/* There are no more of them than connections, so a list will do. */
uint64_t lst_arrivals_add(struct lst_arrivals *arrivals, struct lst_arrival *arrival)
{
    uint64_t size = 0;

    pthread_mutex_lock(&arrivals->lock);
    arrival->previous = NULL;
    arrival->next = arrivals->first;
    if (arrivals->first != NULL) {
        arrivals->first->previous = arrival;
    }
    arrivals->first = arrival;
    for (const struct lst_arrival *one = arrivals->first; one != NULL; one = one->next) {
        if (memcmp(one->upload_id, arrival->upload_id, sizeof(one->upload_id)) == 0) {
            size += one->size; /* each is LST_STORE_SIZE_MAX at most: the sum can't overflow */
        }
    }
    pthread_mutex_unlock(&arrivals->lock);
    return size;
}

void lst_arrivals_remove(struct lst_arrivals *arrivals, struct lst_arrival *arrival)
{
    pthread_mutex_lock(&arrivals->lock);
    if (arrival->next != NULL) {
        arrival->next->previous = arrival->previous;
    }
    if (arrival->previous != NULL) {
        arrival->previous->next = arrival->next;
    } else {
        arrivals->first = arrival->next;
    }
    pthread_mutex_unlock(&arrivals->lock);
}
