/* arrival.c - is the object that is there the one that an upload brought? */
#include "api/arrival.h"

struct lst_slice lst_arrival_field(const struct lst_object *object, const char *name)
{
    for (size_t i = 0; i < object->field_count; i++) {
        if (lst_slice_equal_ignoring_case(object->fields[i].name, lst_slice_of(name))) {
            return object->fields[i].value;
        }
    }
    return LST_SLICE("");
}

int lst_arrival_open(struct lst_store *store, const struct lst_ticket *ticket,
                     struct lst_object *ret_object)
{
    const struct lst_object_name name = {.bucket = ticket->bucket, .key = ticket->key};
    int status = lst_object_open(store, &name, false, ret_object);

    if (status == LST_ERR_BUCKET_NOT_FOUND || status == LST_ERR_KEY_NOT_FOUND) {
        return LST_ERR_NOT_FOUND;
    }
    if (status == LST_OK &&
        !lst_slice_equal(lst_arrival_field(ret_object, "x-latch-id"), ticket->text)) {
        lst_object_close(ret_object);
        return LST_ERR_NOT_FOUND;
    }
    return status;
}
