/* settings.c - what is set of a bucket: its versioning, and the settings of the layers above. */
#include "store/head.h"
#include "store/ranges.h"

#include <stdlib.h>

enum { UNKNOWN_TRIES = 10 };

/* A change of a setting, until it is committed. */
struct setting_write {
    struct lst_store *store;
    uint64_t partition;
    struct lst_store_write *write;
    bool is_versioning;
    enum lst_versioning versioning;
    struct lst_route range; /* the one whose state is being set */
    struct lst_state_change change;
    int tries;
    unsigned repeats;
    bool is_removal;
    struct lst_slice name; /* points behind the struct, as does the value */
    struct lst_slice value;
    struct lst_changes changes;
    struct lst_index_batch batch;
    char text[];
};

/* ---- Reading */

int lst_bucket_versioning(struct lst_store *store, struct lst_slice bucket,
                          enum lst_versioning *ret_versioning)
{
    struct lst_bucket_state state;
    struct lst_index_reader *reader;
    uint64_t partition;
    int status = lst_store_read_bucket(store, bucket, &reader, &partition);

    if (status != LST_OK) {
        return status;
    }
    status = lst_head_read_any_state(reader, partition, lst_slice_make(NULL, 0), &state);
    lst_index_read_end(reader);
    if (status == LST_OK) {
        *ret_versioning = state.versioning;
    }
    return status;
}

int lst_bucket_setting(struct lst_store *store, struct lst_slice bucket, struct lst_slice name,
                       struct lst_buffer *value)
{
    struct lst_index_reader *reader;
    struct lst_row_name row;
    struct lst_slice found;
    uint64_t partition;
    int status = lst_store_read_bucket(store, bucket, &reader, &partition);

    if (status != LST_OK) {
        return status;
    }
    lst_row_name_make_setting(&row, name);
    status = lst_index_get(reader, partition, lst_row_name_slice(&row), &found);
    if (status == LST_OK) {
        lst_buffer_append(value, found);
        status = lst_buffer_status(value);
    }
    lst_index_read_end(reader);
    return status;
}

/* ---- Writing */

static void finish(struct setting_write *setting, int status)
{
    struct lst_store *store = setting->store;
    struct lst_store_write *write = setting->write;

    if (status != LST_OK && setting->range.length > 0) {
        lst_store_sweep_later(store); /* the housekeeper sees to it that all ranges have the same */
    }
    lst_changes_release(&setting->changes);
    free(setting);
    lst_store_end_write(store, write, status);
}

static void committed(struct lst_index_batch *batch, int status, size_t failed_change);

static int add_changes(struct setting_write *setting, struct lst_index_reader *reader)
{
    struct lst_changes *changes = &setting->changes;
    struct lst_bucket_state state;
    struct lst_row_name row;
    int status;

    lst_row_name_make_setting(&row, setting->name);
    status = lst_head_read_state(reader, setting->partition, lst_row_name_route(&row), &state);
    if (status != LST_OK) {
        return status;
    }
    lst_changes_release(changes);
    lst_head_require_state(changes, &state);
    (void)lst_changes_add(changes, setting->is_removal ? LST_INDEX_DELETE : LST_INDEX_PUT,
                          lst_row_name_slice(&row), setting->value);
    return lst_changes_status(changes);
}

/* The versioning goes from range to range, the first one first. Those that have it are passed over.
 * LST_ERR_NOT_FOUND: all have it. */
static int add_versioning(struct setting_write *setting, struct lst_index_reader *reader)
{
    struct lst_state_wish wish = {.has_versioning = true, .versioning = setting->versioning};
    struct lst_bucket_state state;
    int status =
        lst_head_read_state(reader, setting->partition, lst_route_slice(&setting->range), &state);

    while (status == LST_OK) {
        status = lst_state_change_make(reader, setting->partition, lst_route_slice(&setting->range),
                                       setting->range.length == 0 ? &wish : NULL, &setting->change);
        if (status != LST_OK || setting->change.is_needed) {
            return status;
        }
        status = lst_route_next(reader, setting->partition, &setting->range);
    }
    return status;
}

static void submit(struct setting_write *setting)
{
    struct lst_index_reader *reader;
    int status = lst_index_read_begin(setting->store->index, &reader);

    if (status == LST_OK) {
        status =
            setting->is_versioning ? add_versioning(setting, reader) : add_changes(setting, reader);
        lst_index_read_end(reader);
        if (setting->is_versioning && status == LST_ERR_NOT_FOUND) {
            finish(setting, LST_OK);
            return;
        }
    }
    if (status != LST_OK) {
        finish(setting, status);
        return;
    }
    setting->batch = (struct lst_index_batch){.partition = setting->partition,
                                              .route = lst_changes_route(&setting->changes),
                                              .changes = setting->changes.list,
                                              .change_count = setting->changes.count,
                                              .done = committed,
                                              .context = setting};
    if (setting->is_versioning) {
        setting->batch.route = lst_route_slice(&setting->range);
        setting->batch.changes = setting->change.changes;
        setting->batch.change_count = 2;
    }
    lst_index_submit(setting->store->index, &setting->batch);
}

/* Whether a range has its versioning nobody knows: look again. What is half done is not left if
 * that can be helped. */
static bool is_to_be_seen(struct setting_write *setting, int status)
{
    return setting->is_versioning && status == LST_ERR_UNKNOWN &&
           !lst_store_has_failed(setting->store) && setting->tries++ < UNKNOWN_TRIES;
}

static void committed(struct lst_index_batch *batch, int status, size_t failed_change)
{
    struct setting_write *setting = batch->context;

    (void)failed_change;
    setting->repeats = status == LST_OK ? 0 : setting->repeats;
    if (lst_store_repeats(&status, &setting->repeats) ||
        (status == LST_OK && setting->is_versioning) || is_to_be_seen(setting, status)) {
        submit(setting); /* the bucket's state has changed meanwhile: again; or on to the others */
    } else {
        finish(setting, status);
    }
}

/* Begin one, with room for so much text. */
static int begin(struct lst_store *store, struct lst_slice bucket, size_t text_length,
                 struct lst_store_write *write, struct setting_write **ret_setting)
{
    struct lst_index_reader *reader;
    struct setting_write *setting;
    uint64_t partition;
    int status = store->read_only ? LST_ERR_PERMISSION
                                  : lst_store_read_bucket(store, bucket, &reader, &partition);

    if (status != LST_OK) {
        return status;
    }
    lst_index_read_end(reader);
    setting = calloc(1, sizeof(*setting) + text_length);
    if (setting == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    setting->store = store;
    setting->partition = partition;
    setting->write = write;
    *ret_setting = setting;
    return LST_OK;
}

int lst_bucket_set_versioning(struct lst_store *store, struct lst_slice bucket,
                              enum lst_versioning versioning, struct lst_store_write *write)
{
    struct setting_write *setting;
    int status = versioning == LST_VERSIONING_NEVER ? LST_ERR_INVALID_ARGUMENT
                                                    : begin(store, bucket, 0, write, &setting);

    if (status != LST_OK) {
        return status;
    }
    setting->is_versioning = true;
    setting->versioning = versioning;
    lst_store_begin_write(store);
    submit(setting);
    return LST_OK;
}

int lst_bucket_set_setting(struct lst_store *store, struct lst_slice bucket, struct lst_slice name,
                           const struct lst_slice *value, struct lst_store_write *write)
{
    size_t length = value == NULL ? 0 : value->length;
    struct setting_write *setting;
    int status;

    if (length > LST_STORE_SETTING_MAX || name.length > LST_SETTING_NAME_MAX) {
        return LST_ERR_TOO_LARGE;
    }
    status = begin(store, bucket, name.length + length, write, &setting);
    if (status != LST_OK) {
        return status;
    }
    memcpy(setting->text, name.bytes, name.length);
    if (length > 0) {
        memcpy(setting->text + name.length, value->bytes, length);
    }
    setting->name = lst_slice_make(setting->text, name.length);
    setting->value = lst_slice_make(setting->text + name.length, length);
    setting->is_removal = value == NULL;
    lst_store_begin_write(store);
    submit(setting);
    return LST_OK;
}
