/* lmdb_view.c - snapshots of LMDB, each for the time of one call. */
#include "index/engine.h"
#include "index/guard.h"

#include <stdlib.h>

static struct lst_view *take_idle(struct lst_index *index)
{
    struct lst_view *view = atomic_exchange(&index->spare_view, NULL);

    if (view != NULL) {
        return view;
    }
    pthread_mutex_lock(&index->readers_lock);
    view = index->idle_views;
    if (view != NULL) {
        index->idle_views = view->next_idle;
    }
    pthread_mutex_unlock(&index->readers_lock);
    return view;
}

static void close_cursors(struct lst_view *view)
{
    if (view->cursor != NULL) {
        mdb_cursor_close(view->cursor);
    }
    if (view->probe != NULL) {
        mdb_cursor_close(view->probe);
    }
    view->cursor = view->probe = NULL;
}

void lst_view_spoil(struct lst_view *view)
{
    close_cursors(view);
    view->is_spoiled = true;
}

static void free_view(struct lst_view *view)
{
    close_cursors(view);
    mdb_txn_abort(view->transaction);
    free(view);
}

void lst_view_free_all(struct lst_index *index)
{
    struct lst_view *view;

    while ((view = take_idle(index)) != NULL) {
        free_view(view);
    }
}

static int look_at_header(void *environment)
{
    MDB_envinfo state;

    return lst_index_error(mdb_env_info(environment, &state));
}

static int new_view(struct lst_index *index, struct lst_view **ret_view)
{
    struct lst_view *view;
    bool ended;
    int code;
    /* What follows allocates, and takes a lock. So whether the header can be read is seen before.
     */
    int status = lst_guard_read(index, look_at_header, index->environment, &ended);

    if (status != LST_OK) {
        return status;
    }
    view = calloc(1, sizeof(*view));
    if (view == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    code = mdb_txn_begin(index->environment, NULL, MDB_RDONLY, &view->transaction);
    if (code != 0) {
        free(view);
        return lst_index_error(code);
    }
    *ret_view = view;
    return LST_OK;
}

static int renew(void *transaction)
{
    return lst_index_error(mdb_txn_renew(transaction));
}

int lst_view_take(struct lst_index *index, struct lst_view **ret_view)
{
    struct lst_view *view;
    int status;

    if (atomic_load(&index->has_failed)) {
        return LST_ERR_ENDING;
    }
    view = take_idle(index);
    if (view == NULL) {
        status = new_view(index, &view);
        if (status != LST_OK) {
            return status;
        }
    } else {
        bool ended;
        status = lst_guard_read(index, renew, view->transaction, &ended);
        if (status != LST_OK) {
            free_view(view);
            return status;
        }
    }
    view->cursor_is_renewed = false;
    view->probe_is_renewed = false;
    *ret_view = view;
    return LST_OK;
}

void lst_view_give_back(struct lst_index *index, struct lst_view *view)
{
    struct lst_view *none = NULL;

    if (view->is_spoiled) {
        free_view(view);
        return;
    }
    mdb_txn_reset(view->transaction);
    if (atomic_compare_exchange_strong(&index->spare_view, &none, view)) {
        return;
    }
    pthread_mutex_lock(&index->readers_lock);
    view->next_idle = index->idle_views;
    index->idle_views = view;
    pthread_mutex_unlock(&index->readers_lock);
}

static int renew_cursor(struct lst_index *index, struct lst_view *view, MDB_cursor **cursor,
                        bool *is_renewed)
{
    int code = 0;

    if (*cursor == NULL) {
        code = mdb_cursor_open(view->transaction, index->table, cursor);
    } else if (!*is_renewed) {
        code = mdb_cursor_renew(view->transaction, *cursor);
    }
    *is_renewed = code == 0;
    return lst_index_error(code);
}

int lst_view_prepare_cursor(struct lst_index *index, struct lst_view *view)
{
    return renew_cursor(index, view, &view->cursor, &view->cursor_is_renewed);
}

int lst_view_prepare_probe(struct lst_index *index, struct lst_view *view)
{
    return renew_cursor(index, view, &view->probe, &view->probe_is_renewed);
}
