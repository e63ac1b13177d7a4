/* upload_object.c - the object that an upload has led to, which knows the upload's ticket. */
#include "api/upload_object.h"

#include <stdio.h>

static void copy(struct lst_slice text, char *out, size_t size)
{
    (void)snprintf(out, size, "%.*s", (int)text.length, text.length == 0 ? "" : text.bytes);
}

int lst_uploaded_find(struct lst_store *store, const struct lst_ticket *ticket,
                      struct lst_uploaded *ret_uploaded)
{
    struct lst_object object;
    int status = lst_object_open(
        store, &(struct lst_object_name){.bucket = ticket->bucket, .key = ticket->key}, false,
        &object);

    if (status == LST_ERR_BUCKET_NOT_FOUND || status == LST_ERR_KEY_NOT_FOUND) {
        return LST_ERR_NOT_FOUND;
    }
    if (status != LST_OK) {
        return status;
    }
    if (lst_slice_equal(lst_field_value(object.fields, object.field_count, LST_SLICE("x-latch-id")),
                        ticket->text)) {
        ret_uploaded->size = object.size;
        ret_uploaded->modified_ms = object.modified_ms;
        copy(object.etag, ret_uploaded->etag, sizeof(ret_uploaded->etag));
        copy(lst_field_value(object.fields, object.field_count, LST_SLICE("content-type")),
             ret_uploaded->type, sizeof(ret_uploaded->type));
    } else {
        status = LST_ERR_NOT_FOUND;
    }
    lst_object_close(&object);
    return status;
}
