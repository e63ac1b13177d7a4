/* arrival.h - is the object that is there the one that an upload brought? */
#ifndef LST_API_ARRIVAL_H
#define LST_API_ARRIVAL_H

#include "api/ticket.h"
#include "store/store.h"

/* Open it, without its body, to be closed. LST_ERR_NOT_FOUND: there is none, or it is another one;
 * else the codes of lst_object_open(). */
LST_MUST_CHECK int lst_arrival_open(struct lst_store *store, const struct lst_ticket *ticket,
                                    struct lst_object *ret_object);

/* One of its headers; empty if it has none of that name. */
struct lst_slice lst_arrival_field(const struct lst_object *object, const char *name);

#endif
