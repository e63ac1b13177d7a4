/* complete.c - the mark of an index beside which all others are. */
#include "index/complete.h"

#define PARTITION ((UINT64_C(1) << 63) - 1)
#define NAME      LST_SLICE("complete")

static int find_mark(struct lst_index *index, bool *ret_is_there)
{
    struct lst_index_reader *reader;
    struct lst_slice value;
    int status = lst_index_read_begin(index, &reader);

    if (status == LST_OK) {
        status = lst_index_get(reader, PARTITION, NAME, &value);
        lst_index_read_end(reader);
        *ret_is_there = status == LST_OK;
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

int lst_index_mark_complete(struct lst_index *index)
{
    const struct lst_index_change change = {.kind = LST_INDEX_PUT, .key = NAME};
    bool is_there = false;
    int status = find_mark(index, &is_there);

    if (status == LST_OK && !is_there) {
        status = lst_index_apply(index, PARTITION, &change, 1);
    }
    return status == LST_ERR_NO_SPACE ? LST_OK : status;
}

bool lst_index_is_complete(const char *path)
{
    const struct lst_index_options options = {.path = path, .read_only = true};
    struct lst_index *index;
    bool is_there = false;

    if (lst_index_open(&options, &index) != LST_OK) {
        return false;
    }
    if (find_mark(index, &is_there) != LST_OK) {
        is_there = false;
    }
    lst_index_close(index);
    return is_there;
}
