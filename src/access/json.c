/* json.c - JSON that was stored. */
#include "access/json.h"

bool lst_json_is_out_of_memory(const json_error_t *error)
{
    /* jansson says nothing at all when it could not even begin. */
    return error->text[0] == '\0' || json_error_code(error) == json_error_out_of_memory;
}

int lst_json_read(struct lst_slice text, json_t **ret_json)
{
    json_error_t error;

    *ret_json = json_loadb(text.length == 0 ? "" : text.bytes, text.length, 0, &error);
    if (*ret_json != NULL) {
        return LST_OK;
    }
    return lst_json_is_out_of_memory(&error) ? LST_ERR_NO_MEMORY : LST_ERR_CORRUPT;
}
