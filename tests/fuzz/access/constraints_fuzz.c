/* constraints_fuzz.c - x-latch- parameters: lines of "name=value", then held against the last
 * value. */
#include "access/constraints.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lst_constraints constraints = {.given = 0};
    struct lst_slice rest = lst_slice_make(data, size);
    struct lst_slice value = {NULL, 0};
    struct lst_slice line;

    while (lst_slice_split(&rest, '\n', &line)) {
        size_t equals = lst_slice_find(line, '=');
        unsigned before = constraints.given;
        const char *problem = NULL;

        value = lst_slice_after(line, equals + 1);
        int status =
            lst_constraints_read(&constraints, lst_slice_first(line, equals), value, &problem);
        must((status == LST_ERR_MALFORMED) == (problem != NULL));
        must(status != LST_OK || constraints.given != before);
        if (status == LST_ERR_MALFORMED) {
            return 0;
        }
    }
    must(!constraints.has_length || constraints.length_min <= constraints.length_max);
    must(constraints.network_count <= LST_CONSTRAINT_NETWORKS_MAX);
    (void)lst_constraints_allow_type(&constraints, value);
    (void)lst_constraints_allow_address(&constraints, value);
    return 0;
}
