/* content_fuzz.c - a declared type, a line, and content of it: in pieces, with the same answer as
 * in one. */
#include "s3/content.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct lst_content_pool *pool;

static int check(const struct lst_content_plan *plan, struct lst_slice content, size_t piece)
{
    struct lst_content_check *checking;
    int status;

    if (lst_content_begin(pool, plan, &checking) != LST_OK) {
        abort();
    }
    do {
        status = lst_content_take(checking, lst_slice_first(content, piece));
        content = lst_slice_after(content, piece);
    } while (status == LST_OK && content.length > 0);
    if (status == LST_OK) {
        status = lst_content_end(checking);
    }
    /* Who is refused is told why. */
    if (status == LST_ERR_MALFORMED && (lst_content_refusal(checking).message[0] == '\0' ||
                                        lst_content_refusal(checking).detected[0] == '\0')) {
        abort();
    }
    lst_content_free(checking);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct lst_slice rest = lst_slice_make(bytes, size);
    struct lst_content_plan plan = {.types = LST_SLICE("image/*,application/pdf")};

    if (pool == NULL && lst_content_pool_open(&pool) != LST_OK) {
        abort();
    }
    (void)lst_slice_split(&rest, '\n', &plan.declared);
    plan.is_part = plan.declared.length == 0;
    if (check(&plan, rest, SIZE_MAX) != check(&plan, rest, 13)) {
        abort();
    }
    return 0;
}
