/* link_form.c - the body that opens a short link. */
#include "api/link_form.h"

#include "access/json.h"
#include "http/request.h"

/* Copy. False if it does not fit. */
static bool take(struct lst_slice password, char *out, size_t capacity, size_t *ret_length)
{
    if (password.length > capacity) {
        return false;
    }
    memcpy(out, password.bytes, password.length);
    *ret_length = password.length;
    return true;
}

static int read_json(struct lst_slice body, char *out, size_t capacity, size_t *ret_length)
{
    json_error_t error;
    json_t *json;
    const json_t *password;
    int status = lst_json_load(body, JSON_REJECT_DUPLICATES, &json, &error);
    bool is_good;

    if (status != LST_OK) {
        return status;
    }
    password = json_object_get(json, "password");
    is_good = json_object_size(json) == 1 && json_is_string(password) &&
              take(lst_slice_make(json_string_value(password), json_string_length(password)), out,
                   capacity, ret_length);

    json_decref(json);
    return is_good ? LST_OK : LST_ERR_MALFORMED;
}

static int read_form(struct lst_slice body, char *out, size_t capacity, size_t *ret_length)
{
    struct lst_field raw;
    size_t length = 0;
    size_t count = 0;

    while (lst_http_next_parameter(&body, &raw)) {
        if (!lst_http_name_is(raw.name, LST_SLICE("password"))) {
            continue;
        }
        if (++count > 1 || lst_percent_decode(raw.value, true, out, capacity, &length) != LST_OK) {
            return LST_ERR_MALFORMED;
        }
    }
    *ret_length = length;
    return LST_OK;
}

int lst_link_form_read(struct lst_slice type, struct lst_slice body, char *out, size_t capacity,
                       size_t *ret_length)
{
    return lst_slice_starts_with_ignoring_case(type, LST_SLICE("application/json"))
               ? read_json(body, out, capacity, ret_length)
               : read_form(body, out, capacity, ret_length);
}
