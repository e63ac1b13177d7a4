/* complete_fuzz.c - documents that complete a multipart upload: whatever is read of one can be
 * completed with. */
#include "s3/complete.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(const struct lst_parts_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct lst_listed_part *part = &list->parts[i];
        bool is_ascending = i == 0 || list->parts[i - 1].number < part->number;
        if (part->number < 1 || part->number > LST_PART_NUMBER_MAX || !is_ascending ||
            part->etag_length > sizeof(part->etag) ||
            part->checksum_length > sizeof(part->checksum) ||
            (part->kind == LST_CHECKSUM_NONE) != (part->checksum_length == 0)) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct lst_parts_list list = {.parts = NULL};
    int status = lst_parts_list_parse(lst_slice_make(bytes, size), &list);

    if (status != LST_OK && status != LST_ERR_MALFORMED) {
        abort();
    }
    if (list.culprit_length > sizeof(list.culprit) ||
        (list.problem != LST_PARTS_FINE && status != LST_ERR_MALFORMED)) {
        abort();
    }
    check(&list);
    lst_parts_list_release(&list);
    return 0;
}
