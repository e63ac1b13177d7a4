/* upload_object.h - the object that an upload has led to. */
#ifndef LST_API_UPLOAD_OBJECT_H
#define LST_API_UPLOAD_OBJECT_H

#include "api/ticket.h"
#include "store/store.h"

struct lst_uploaded {
    uint64_t size; /* bytes */
    int64_t modified_ms;
    char etag[129];
    char type[257]; /* its Content-Type; "" if it has none */
};

/* Is the object that is there the one of this upload? LST_ERR_NOT_FOUND: it is not, or there is
 * none. Or the store's errors. */
LST_MUST_CHECK int lst_uploaded_find(struct lst_store *store, const struct lst_ticket *ticket,
                                     struct lst_uploaded *ret_uploaded);

#endif
