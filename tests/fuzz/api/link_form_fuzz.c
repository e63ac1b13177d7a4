/*
 * link_form_fuzz.c - any bytes as the body that opens a link: a password comes out whole, or not at
 * all, and reads the same when it is sent again.
 *
 * Input: a line with the Content-Type, and the body.
 */
#include "api/link_form.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PASSWORD_MAX = 200, PREFIX = sizeof("password=") - 1 };

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lst_slice input = lst_slice_make(data, size);
    struct lst_slice type = lst_slice_first(input, lst_slice_find(input, '\n'));
    struct lst_slice body = lst_slice_after(input, type.length + 1);
    char password[PASSWORD_MAX];
    char again[PASSWORD_MAX];
    char form[PREFIX + 3 * PASSWORD_MAX] = "password=";
    size_t length = SIZE_MAX;
    size_t form_length;
    size_t again_length;
    int status;

    if (body.length == 0) {
        return 0;
    }
    status = lst_link_form_read(type, body, password, sizeof(password), &length);
    require(status == LST_OK || status == LST_ERR_MALFORMED);
    require((status == LST_OK) == (length <= sizeof(password)));
    if (status != LST_OK) {
        return 0;
    }
    require(lst_percent_encode(lst_slice_make(password, length), false, form + PREFIX,
                               sizeof(form) - PREFIX, &form_length) == LST_OK);
    require(lst_link_form_read(LST_SLICE("application/x-www-form-urlencoded"),
                               lst_slice_make(form, PREFIX + form_length), again, sizeof(again),
                               &again_length) == LST_OK);
    require(lst_slice_equal(lst_slice_make(password, length), lst_slice_make(again, again_length)));
    return 0;
}
