/* settings.c - what is set of a bucket: its versioning, and the settings of the layers above. */
#include "store/head.h"

#include <stdlib.h>

/* A change of a setting, until it is committed. */
struct setting_write {
    struct lst_store *store;
    uint64_t partition;
    struct lst_store_write *write;
    bool is_versioning;
    enum lst_versioning versioning;
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
    status = lst_head_read_any_state(reader, partition, &state);
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

    lst_changes_release(&setting->changes);
    free(setting);
    lst_store_end_write(store, write, status);
}

static void committed(struct lst_index_batch *batch, int status, size_t failed_change);

static int add_changes(struct setting_write *setting, struct lst_index_reader *reader)
{
    struct lst_changes *changes = &setting->changes;
    struct lst_bucket_state state;
    int status = lst_head_read_state(reader, setting->partition, &state);

    if (status != LST_OK) {
        return status;
    }
    lst_changes_release(changes);
    lst_head_require_state(changes, state);
    if (setting->is_versioning) {
        state.versioning = setting->versioning;
        lst_changes_add_own(changes, LST_INDEX_PUT, LST_ROW_STATE, lst_bucket_state_text(state));
    } else {
        struct lst_row_name row;
        lst_row_name_make_setting(&row, setting->name);
        (void)lst_changes_add(changes, setting->is_removal ? LST_INDEX_DELETE : LST_INDEX_PUT,
                              lst_row_name_slice(&row), setting->value);
    }
    return lst_changes_status(changes);
}

static void submit(struct setting_write *setting)
{
    struct lst_index_reader *reader;
    int status = lst_index_read_begin(setting->store->index, &reader);

    if (status == LST_OK) {
        status = add_changes(setting, reader);
        lst_index_read_end(reader);
    }
    if (status != LST_OK) {
        finish(setting, status);
        return;
    }
    setting->batch = (struct lst_index_batch){.partition = setting->partition,
                                              .changes = setting->changes.list,
                                              .change_count = setting->changes.count,
                                              .done = committed,
                                              .context = setting};
    lst_index_submit(setting->store->index, &setting->batch);
}

static void committed(struct lst_index_batch *batch, int status, size_t failed_change)
{
    struct setting_write *setting = batch->context;

    (void)failed_change;
    if (status == LST_ERR_CONFLICT) {
        submit(setting); /* the bucket's state has changed meanwhile: again, over what it is now */
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
