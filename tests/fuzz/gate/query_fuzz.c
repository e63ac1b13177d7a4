/* query_fuzz.c - what the server reads of a query is what the library signs of it: the same
 * parameters, the same bytes, the same verdict on bad escapes. */
#include "http/request.h"
#include "query.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static struct lst_slice decode(struct lst_slice raw, char *room, size_t size)
{
    size_t length = 0;

    must(lst_percent_decode(raw, true, room, size, &length) == LST_OK);
    return lst_slice_make(room, length);
}

static void compare(const struct lst_http_parameter *here,
                    const struct lst_internal_parameter *there, char *room, size_t size)
{
    must(lst_slice_equal(here->raw.name, there->name));
    must(lst_slice_equal(here->raw.value, there->value));
    if (!here->is_malformed) {
        must(lst_slice_equal(here->text.name, decode(there->name, room, size)));
        must(lst_slice_equal(here->text.value, decode(there->value, room, size)));
    }
    must((here->number == LST_PARAMETER_AMZ_SIGNATURE) ==
         lst_internal_query_text_is(there->name, LST_SLICE("X-Amz-Signature")));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct lst_http_room room;
    struct lst_internal_parameter parameters[LST_PARAMETERS_MAX];
    struct lst_http_request request = {.query = lst_slice_make(bytes, size)};
    char *text = malloc(size + 1);
    char *other = malloc(size + 1);
    bool is_malformed = false;
    size_t count = 0;
    int status;

    must(text != NULL && other != NULL);
    lst_http_request_read(&request, &room, text, false);
    status = lst_internal_split_query(request.query, parameters, &count);
    if (status == LST_REFUSED_TOO_MANY_PARAMETERS) {
        must(request.has_repeated && request.parameter_count == LST_PARAMETERS_MAX);
        count = 0;
    } else {
        must(request.parameter_count == count);
        for (size_t i = 0; i < count; i++) {
            compare(&room.parameters[i], &parameters[i], other, size);
            is_malformed = is_malformed || room.parameters[i].is_malformed;
        }
        must(is_malformed == (status == LST_REFUSED_TARGET_MALFORMED));
    }
    free(text);
    free(other);
    return 0;
}
