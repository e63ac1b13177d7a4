/* remove_key.c - what deleting does to one key. */
#include "store/remove.h"

#include "base/clock.h"

#include <stdlib.h>

/* ---- Versions that are named */

static bool is_dropped(const struct lst_key_removal *removal, uint64_t order)
{
    for (size_t i = 0; i < removal->dropped_count; i++) {
        if (removal->dropped[i] == order) {
            return true;
        }
    }
    return false;
}

static int remember_dropped(struct lst_key_removal *removal, uint64_t order)
{
    if (removal->dropped_count == removal->dropped_capacity) {
        size_t capacity = removal->dropped_capacity == 0 ? 8 : 2 * removal->dropped_capacity;
        uint64_t *dropped = realloc(removal->dropped, capacity * sizeof(*dropped));
        if (dropped == NULL) {
            return LST_ERR_NO_MEMORY;
        }
        removal->dropped = dropped;
        removal->dropped_capacity = capacity;
    }
    removal->dropped[removal->dropped_count++] = order;
    return LST_OK;
}

static bool is_marker(const struct lst_found_row *found)
{
    struct lst_object_row row;

    return found->kind == LST_ROW_MARKER ||
           (found->kind == LST_ROW_VERSION && lst_object_row_decode(found->value, &row) == LST_OK &&
            row.form == LST_FORM_MARKER);
}

/* Whether the deletion's condition holds of what it is about to delete; if not, its status says
 * so. */
static bool check_condition(struct lst_deletion *deletion, const struct lst_found_row *found)
{
    if (deletion->if_match.length == 0) {
        return true;
    }
    if (found->kind == 0 || is_marker(found)) {
        deletion->status = LST_ERR_KEY_NOT_FOUND;
    } else if (!lst_found_row_matches(found, deletion->if_match)) {
        deletion->status = LST_ERR_PRECONDITION;
    }
    return deletion->status == LST_OK;
}

static int remove_version(struct lst_key_removal *removal, const struct lst_found_row *head,
                          struct lst_deletion *deletion)
{
    struct lst_version version;
    struct lst_found_row found;
    int status;

    deletion->status = lst_version_parse(deletion->version, &version);
    if (deletion->status != LST_OK) {
        return LST_OK;
    }
    lst_version_format(version, &deletion->version_id);
    if (removal->place.key.length == 0 || removal->place.key.length > LST_STORE_KEY_MAX) {
        return LST_OK; /* nothing has such a key */
    }
    status = lst_version_read(&removal->place, head, version, &found);
    if (status != LST_OK || !check_condition(deletion, &found) || found.kind == 0) {
        return status;
    }
    deletion->is_marker = is_marker(&found);
    if (found.kind != LST_ROW_VERSION) {
        removal->drops_head = true;
        return LST_OK;
    }
    if (is_dropped(removal, found.version.order)) {
        return LST_OK; /* it was named twice */
    }
    lst_version_drop(removal->changes, &removal->place, &found);
    return remember_dropped(removal, found.version.order);
}

/* ---- The head */

/* The newest version that is not current and stays. Kind 0: there is none. */
static int find_newest(const struct lst_key_removal *removal, struct lst_found_row *ret_found)
{
    struct lst_row_name start;
    struct lst_slice name;
    struct lst_slice value;
    int status;

    *ret_found = (struct lst_found_row){0};
    lst_row_name_make_escaped(&start, LST_ROW_VERSION, removal->place.key);
    status = lst_index_seek(removal->place.reader, removal->place.partition,
                            lst_row_name_slice(&start), &name, &value);
    while ((status == LST_OK || lst_index_is_damaged_row(status, name)) &&
           lst_slice_starts_with(name, lst_row_name_slice(&start))) {
        struct lst_key_room room;
        struct lst_slice key;
        uint64_t order;
        *ret_found = lst_found_row_make(LST_ROW_VERSION, status, value);
        status = lst_row_name_split_version(name, &room, &key, &order);
        ret_found->version.order = order;
        if (status != LST_OK || !is_dropped(removal, order)) {
            return status;
        }
        *ret_found = (struct lst_found_row){0};
        status = lst_index_next(removal->place.reader, &name, &value);
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

/* Make the newest version that is left the current one; the head is gone. */
static int drop_head(struct lst_key_removal *removal, const struct lst_found_row *head)
{
    struct lst_found_row newest;
    char kind = 0;
    int status = find_newest(removal, &newest);

    if (status != LST_OK) {
        return status;
    }
    if (newest.kind != 0) {
        kind = is_marker(&newest) ? LST_ROW_MARKER : LST_ROW_OBJECT;
    }
    lst_head_require(removal->changes, &removal->place, head);
    lst_head_drop(removal->changes, &removal->place, head, kind);
    if (kind != 0) {
        lst_version_promote(removal->changes, &removal->place, &newest, kind);
    }
    return LST_OK;
}

/* ---- Delete markers */

static int put_marker(struct lst_key_removal *removal, struct lst_version version)
{
    struct lst_object_row row = {
        .form = LST_FORM_MARKER, .version = version, .modified_ms = lst_clock_now_ms()};
    struct lst_buffer value;
    int status;

    lst_store_stamp(removal->place.store, row.stamp);
    lst_buffer_init(&value, LST_OBJECT_ROW_OVERHEAD);
    lst_object_row_encode(&value, &row);
    status = lst_buffer_status(&value);
    lst_changes_count(removal->changes, LST_ROW_MARKER, 0, 1);
    lst_changes_add_row(removal->changes, LST_INDEX_PUT, LST_ROW_MARKER, removal->place.key,
                        lst_changes_copy(removal->changes, lst_buffer_slice(&value)));
    lst_buffer_release(&value);
    return status;
}

/* The key gets a delete marker as its current version. */
static int add_marker(struct lst_key_removal *removal, const struct lst_found_row *head,
                      struct lst_version_id *ret_id)
{
    enum lst_versioning versioning = removal->state.versioning;
    struct lst_version version = lst_head_new_version(removal->place.store, versioning, head);
    int status = LST_OK;

    lst_head_require(removal->changes, &removal->place, head);
    if (!removal->drops_head) {
        status =
            lst_head_retire(removal->changes, &removal->place, versioning, head, LST_ROW_MARKER);
    } else {
        lst_head_drop(removal->changes, &removal->place, head, LST_ROW_MARKER);
        if (versioning == LST_VERSIONING_SUSPENDED) {
            status = lst_version_drop_null(removal->changes, &removal->place);
        }
    }
    lst_version_format(version, ret_id);
    return status == LST_OK ? put_marker(removal, version) : status;
}

/* ---- All of it */

/* Remove the versions that are named. *ret_deletes: the object is to be deleted, too. */
static int look_at_deletions(struct lst_key_removal *removal, const struct lst_found_row *head,
                             bool *ret_deletes)
{
    int status = LST_OK;

    *ret_deletes = false;
    removal->drops_head = false;
    removal->dropped_count = 0;
    for (size_t i = 0; i < removal->count && status == LST_OK; i++) {
        struct lst_deletion *deletion = removal->deletions[i];
        deletion->status = LST_OK;
        deletion->is_marker = false;
        deletion->version_id.length = 0;
        if (deletion->version.length > 0) {
            status = remove_version(removal, head, deletion);
        } else if (check_condition(deletion, head)) {
            *ret_deletes = true;
        }
    }
    return status;
}

static void tell_marker(struct lst_key_removal *removal, const struct lst_version_id *id)
{
    for (size_t i = 0; i < removal->count; i++) {
        struct lst_deletion *deletion = removal->deletions[i];
        if (deletion->version.length == 0 && deletion->status == LST_OK) {
            deletion->is_marker = true;
            deletion->version_id = *id;
        }
    }
}

int lst_key_remove(struct lst_key_removal *removal)
{
    bool is_key = removal->place.key.length > 0 && removal->place.key.length <= LST_STORE_KEY_MAX;
    struct lst_found_row head = {0};
    struct lst_version_id marker;
    bool deletes;
    int status = is_key ? lst_head_read(&removal->place, &head) : LST_OK;

    if (status == LST_OK) {
        status = look_at_deletions(removal, &head, &deletes);
    }
    if (status != LST_OK || !is_key) {
        return status;
    }
    if (deletes && removal->state.versioning != LST_VERSIONING_NEVER) {
        if (removal->state.is_deleting) {
            return LST_ERR_BUCKET_NOT_FOUND;
        }
        status = add_marker(removal, &head, &marker);
        tell_marker(removal, &marker);
        return status;
    }
    removal->drops_head = removal->drops_head || (deletes && head.kind != 0);
    return removal->drops_head ? drop_head(removal, &head) : LST_OK;
}
