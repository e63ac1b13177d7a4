/* copy_parts.c - the parts of an object get a second name each. */
#include "store/copy.h"
#include "store/parts.h"

#include <stdlib.h>

/* Parts whose blobs are sealed, and whose rows are put, together. */
enum { GROUP_SIZE = 64 };

/* Blobs being sealed. */
struct group {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    size_t open_count;
    int status;
    struct lst_blob_seal seals[GROUP_SIZE];
    struct lst_blob_id blobs[GROUP_SIZE];
    size_t count;
    struct lst_changes changes; /* the rows of parts and blobs */
};

static void sealed(struct lst_blob_seal *seal, int status)
{
    struct group *group = seal->context;

    pthread_mutex_lock(&group->lock);
    if (group->status == LST_OK) {
        group->status = status;
    }
    if (--group->open_count == 0) {
        pthread_cond_signal(&group->wake);
    }
    pthread_mutex_unlock(&group->lock);
}

static void submit_seal(struct group *group, struct lst_blob_writer *writer)
{
    struct lst_blob_seal *seal = &group->seals[group->count];

    group->blobs[group->count++] = lst_blob_writer_id(writer);
    *seal = (struct lst_blob_seal){.done = sealed, .context = group};
    pthread_mutex_lock(&group->lock);
    group->open_count++;
    pthread_mutex_unlock(&group->lock);
    lst_blob_seal_submit(writer, seal);
}

static int wait_for_seals(struct group *group)
{
    int status;

    pthread_mutex_lock(&group->lock);
    while (group->open_count > 0) {
        pthread_cond_wait(&group->wake, &group->lock);
    }
    status = group->status;
    pthread_mutex_unlock(&group->lock);
    return status;
}

/* ---- One part */

static void add_row(struct group *group, struct lst_slice key, struct lst_slice upload_id,
                    uint32_t number, const struct lst_object_row *row)
{
    struct lst_buffer value;
    struct lst_row_name name;
    char owner[LST_ROW_OWNER_MAX];

    lst_buffer_init(&value, LST_INDEX_VALUE_MAX);
    lst_object_row_encode(&value, row);
    if (lst_buffer_status(&value) != LST_OK) {
        group->changes.status = lst_buffer_status(&value);
    }
    lst_row_name_make_part(&name, key, upload_id, number);
    (void)lst_changes_add(&group->changes, LST_INDEX_PUT, lst_row_name_slice(&name),
                          lst_changes_copy(&group->changes, lst_buffer_slice(&value)));
    if (row->blob.generation != 0) {
        lst_changes_add_blob(
            &group->changes, LST_INDEX_PUT, LST_ROW_BLOB, key, row->blob,
            lst_changes_copy(&group->changes,
                             lst_row_owner_make(lst_row_name_slice(&name), owner)));
    }
    lst_buffer_release(&value);
}

static int share_part(struct lst_copying *copying, struct group *group, uint32_t number)
{
    struct lst_store *store = copying->put->store;
    struct lst_slice id = lst_slice_make(copying->put->upload_id, sizeof(copying->put->upload_id));
    struct lst_blob_writer *writer;
    struct lst_index_reader *reader;
    struct lst_object_row row;
    int status = lst_index_read_begin(store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    status = lst_part_read(reader, copying->partition, copying->key,
                           lst_row_parts_upload(copying->parts), number, &row);
    if (status == LST_OK && row.blob.generation != 0) {
        status = lst_blob_link(store->blobs, row.blob, &writer);
        if (status == LST_OK) {
            row.blob = lst_blob_writer_id(writer);
            submit_seal(group, writer);
        }
    }
    if (status == LST_OK) {
        lst_store_stamp(store, row.stamp);
        add_row(group, copying->put->key, id, number, &row);
    }
    lst_index_read_end(reader);
    return status == LST_ERR_NOT_FOUND ? LST_ERR_CONFLICT : status;
}

/* ---- All of them */

/* Blobs that no row names. */
static int delete_blobs(struct lst_store *store, const struct group *group)
{
    int status = LST_OK;

    for (size_t i = 0; i < group->count; i++) {
        int one = lst_store_delete_blob(store, group->blobs[i]);
        status = status == LST_OK ? one : status;
    }
    return status;
}

static int share_group(struct lst_copying *copying, struct group *group, uint32_t first,
                       uint32_t end)
{
    struct lst_store *store = copying->put->store;
    int status = LST_OK;
    int sealing;

    group->count = 0;
    for (uint32_t i = first; i < end && status == LST_OK; i++) {
        status = share_part(copying, group, lst_row_parts_at(copying->parts, i).number);
    }
    sealing = wait_for_seals(group);
    status = status == LST_OK ? sealing : status;
    status = status == LST_OK ? lst_changes_status(&group->changes) : status;
    if (status == LST_OK) {
        status = lst_index_apply_to(store->index, copying->put->partition,
                                    lst_changes_route(&group->changes), group->changes.list,
                                    group->changes.count);
    }
    lst_changes_release(&group->changes);
    if (status == LST_ERR_UNKNOWN) {
        lst_blobs_leave_unclean(store->blobs); /* a row may name them */
    } else if (status != LST_OK) {
        /* What can't be deleted now is looked for at the next opening. The code stays the first
         * failure's: that is what the caller can do something about. */
        lst_ignore_status(delete_blobs(store, group));
    }
    return status;
}

static int share_all(struct lst_copying *copying)
{
    uint32_t count = lst_row_parts_count(copying->parts);
    struct group *group = calloc(1, sizeof(*group));
    int status = LST_OK;

    if (group == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    pthread_mutex_init(&group->lock, NULL);
    pthread_cond_init(&group->wake, NULL);
    for (uint32_t i = 0; i < count && status == LST_OK; i += GROUP_SIZE) {
        status = share_group(copying, group, i, count - i < GROUP_SIZE ? count : i + GROUP_SIZE);
    }
    pthread_cond_destroy(&group->wake);
    pthread_mutex_destroy(&group->lock);
    free(group);
    return status;
}

/* With the object, the upload is no longer one that was left. */
static int add_object_with_parts(struct lst_put *put, struct lst_index_reader *reader)
{
    int status = lst_put_add_object(put, reader);

    if (status == LST_OK) {
        lst_changes_add_upload(&put->changes, LST_INDEX_DELETE, LST_ROW_LEFT, put->key,
                               lst_slice_make(put->upload_id, sizeof(put->upload_id)));
    }
    return status;
}

/* A new upload id, pinned and left. */
static int begin_upload(struct lst_put *put)
{
    struct lst_slice id = lst_slice_make(put->upload_id, sizeof(put->upload_id));
    struct lst_row_name name;
    int status;

    lst_upload_id_make(put->store, put->upload_id);
    status = lst_pins_add(&put->store->pins, id);
    if (status != LST_OK) {
        return status;
    }
    put->is_pinned = true;
    put->add_changes = add_object_with_parts;
    lst_row_name_make_upload(&name, LST_ROW_LEFT, put->key, id);
    return lst_index_apply_to(
        put->store->index, put->partition, lst_row_name_route(&name),
        &(struct lst_index_change){.kind = LST_INDEX_PUT, .key = lst_row_name_slice(&name)}, 1);
}

/* The source's list of parts, under the new id. */
static int take_list(struct lst_copying *copying)
{
    struct lst_put *put = copying->put;
    struct lst_buffer list;
    int status;

    lst_buffer_init(&list, copying->parts.length);
    lst_buffer_append(&list, lst_slice_make(put->upload_id, sizeof(put->upload_id)));
    lst_buffer_append(&list, lst_slice_after(copying->parts, sizeof(put->upload_id)));
    status = lst_buffer_status(&list);
    put->rest.parts = lst_changes_copy(&put->copies, lst_buffer_slice(&list));
    lst_buffer_release(&list);
    return status == LST_OK ? lst_changes_status(&put->copies) : status;
}

int lst_copy_share_parts(struct lst_copying *copying)
{
    int status = begin_upload(copying->put);

    if (status == LST_OK) {
        status = take_list(copying);
    }
    return status == LST_OK ? share_all(copying) : status;
}
