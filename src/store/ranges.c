/* ranges.c - what is kept for each range of a bucket, and is of the whole bucket. */
#include "store/ranges.h"

int lst_route_next(struct lst_index_reader *reader, uint64_t partition, struct lst_route *route)
{
    struct lst_slice low;
    int status = lst_index_next_range(reader, partition, lst_route_slice(route), &low);

    if (status == LST_OK && low.length > sizeof(route->bytes)) {
        status = LST_ERR_CORRUPT;
    }
    if (status == LST_OK) {
        memcpy(route->bytes, low.bytes, low.length);
        route->length = low.length;
    }
    return status;
}

int lst_route_advance(struct lst_store *store, uint64_t partition, struct lst_route *route)
{
    struct lst_index_reader *reader;
    int status = lst_index_read_begin(store->index, &reader);

    if (status == LST_OK) {
        status = lst_route_next(reader, partition, route);
        lst_index_read_end(reader);
    }
    return status;
}

int lst_range_state(struct lst_index_reader *reader, uint64_t partition, struct lst_slice route,
                    struct lst_bucket_state *ret_state)
{
    struct lst_slice value;
    int status = lst_index_get_own(reader, partition, route, LST_ROW_STATE, &value);

    return status == LST_OK ? lst_bucket_state_decode(value, ret_state) : status;
}

int lst_state_change_make(struct lst_index_reader *reader, uint64_t partition,
                          struct lst_slice route, const struct lst_state_wish *wish,
                          struct lst_state_change *ret_change)
{
    static const char name = LST_ROW_STATE;
    struct lst_slice key = lst_slice_make(&name, 1);
    struct lst_bucket_state state = {0};
    struct lst_bucket_state wanted;
    /* The range first: if it does not change any more, what the other says is not older. */
    int found = lst_range_state(reader, partition, route, &state);
    int status = found == LST_ERR_NOT_FOUND ? LST_OK : found;

    wanted = state;
    if (status == LST_OK && wish == NULL) {
        status = lst_range_state(reader, partition, lst_slice_make(NULL, 0), &wanted);
        status = status == LST_ERR_NOT_FOUND ? LST_ERR_BUCKET_NOT_FOUND : status;
    }
    if (status != LST_OK) {
        return status;
    }
    if (wish != NULL && wish->has_versioning) {
        wanted.versioning = wish->versioning;
    }
    if (wish != NULL && wish->has_deleting) {
        wanted.is_deleting = wish->is_deleting;
    }
    ret_change->is_needed = found == LST_ERR_NOT_FOUND || state.versioning != wanted.versioning ||
                            state.is_deleting != wanted.is_deleting;
    lst_bucket_state_encode(&state, ret_change->before);
    wanted.epoch = state.epoch;
    lst_bucket_state_encode(&wanted, ret_change->after);
    ret_change->changes[0] = (struct lst_index_change){
        .kind = LST_INDEX_REQUIRE_PREFIX,
        .key = key,
        .value = lst_slice_make(ret_change->before, LST_BUCKET_STATE_SIZE)};
    if (found == LST_ERR_NOT_FOUND) {
        ret_change->changes[0] =
            (struct lst_index_change){.kind = LST_INDEX_REQUIRE_ABSENT, .key = key};
    }
    ret_change->changes[1] = (struct lst_index_change){
        .kind = LST_INDEX_PUT,
        .key = key,
        .value = lst_slice_make(ret_change->after, LST_BUCKET_STATE_SIZE)};
    return LST_OK;
}

static int set_range(struct lst_store *store, uint64_t partition, struct lst_slice route,
                     const struct lst_state_wish *wish)
{
    struct lst_state_change change = {.is_needed = false};
    struct lst_index_reader *reader;
    unsigned repeats = 0;
    int status;

    do {
        status = lst_index_read_begin(store->index, &reader);
        if (status != LST_OK) {
            return status;
        }
        status = lst_state_change_make(reader, partition, route, wish, &change);
        lst_index_read_end(reader);
        if (status == LST_OK && change.is_needed) {
            status = lst_index_apply_to(store->index, partition, route, change.changes, 2);
        }
    } while (lst_store_repeats(&status, &repeats));
    return status;
}

int lst_ranges_set_state(struct lst_store *store, uint64_t partition,
                         const struct lst_state_wish *wish)
{
    struct lst_route route = {.length = 0};
    int status = wish == NULL ? LST_OK : set_range(store, partition, lst_route_slice(&route), wish);

    while (status == LST_OK && (status = lst_route_advance(store, partition, &route)) == LST_OK) {
        status = set_range(store, partition, lst_route_slice(&route), NULL);
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}
