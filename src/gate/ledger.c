/* ledger.c - the ledger of uses: opening and looking at it. */
#include "gate/ledger_state.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const uint64_t size_max = 16ULL << 30; /* bytes that the file can grow to */

static int open_index(const char *folder, bool read_only, struct lst_index **ret_index)
{
    struct lst_index_options options = {
        .size_max = size_max, .read_only = read_only, .has_secrets = true};
    char *path;
    int status = read_only ? LST_OK : lst_folder_make(folder);

    if (status != LST_OK) {
        return status;
    }
    if (asprintf(&path, "%s/ledger.mdb", folder) < 0) {
        return LST_ERR_NO_MEMORY;
    }
    options.path = path;
    status = lst_index_open(&options, ret_index);
    free(path);
    return status;
}

static void make_locks(struct lst_ledger *ledger)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&ledger->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_cond_init(&ledger->flushed, NULL);
    pthread_mutex_init(&ledger->lock, NULL);
    pthread_mutex_init(&ledger->filter_lock, NULL);
    pthread_mutex_init(&ledger->hook_lock, NULL);
}

static void free_ledger(struct lst_ledger *ledger)
{
    lst_index_close(ledger->index);
    pthread_mutex_destroy(&ledger->hook_lock);
    pthread_mutex_destroy(&ledger->filter_lock);
    pthread_mutex_destroy(&ledger->lock);
    pthread_cond_destroy(&ledger->flushed);
    pthread_cond_destroy(&ledger->wake);
    free(ledger->spare);
    free(ledger);
}

int lst_ledger_open(const char *folder, bool read_only, struct lst_ledger **ret_ledger)
{
    struct lst_ledger *ledger = calloc(1, sizeof(*ledger));
    int status;

    if (ledger == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    make_locks(ledger);
    ledger->read_only = read_only;
    status = open_index(folder, read_only, &ledger->index);
    if (status == LST_OK) {
        atomic_init(&ledger->filter_version,
                    ~lst_index_version(ledger->index, LST_LEDGER_PARTITION));
    }
    if (status == LST_OK && !read_only) {
        status = lst_ledger_thread_start(ledger);
    }
    if (status != LST_OK) {
        free_ledger(ledger);
        return status;
    }
    *ret_ledger = ledger;
    return LST_OK;
}

void lst_ledger_close(struct lst_ledger *ledger)
{
    if (ledger == NULL) {
        return;
    }
    if (!ledger->read_only) {
        lst_ledger_thread_stop(ledger);
    }
    free_ledger(ledger);
}

void lst_ledger_set_life(struct lst_ledger *ledger, int64_t life_ms)
{
    atomic_store(&ledger->life_ms, life_ms);
}

struct lst_index *lst_ledger_index(struct lst_ledger *ledger)
{
    return ledger->index;
}

void lst_ledger_on_settled(struct lst_ledger *ledger, const struct lst_ledger_hook *hook)
{
    pthread_mutex_lock(&ledger->hook_lock);
    ledger->hook = *hook;
    pthread_mutex_unlock(&ledger->hook_lock);
}

bool lst_ledger_admits(const struct lst_ledger *ledger, const struct lst_use *use)
{
    const struct lst_ledger_hook *hook = &ledger->hook;

    return hook->admits == NULL || hook->admits(hook->context, use);
}

void lst_ledger_statistics(struct lst_ledger *ledger, struct lst_ledger_statistics *ret_statistics)
{
    pthread_mutex_lock(&ledger->lock);
    *ret_statistics = ledger->statistics;
    pthread_mutex_unlock(&ledger->lock);
}

int lst_ledger_find(struct lst_ledger *ledger, struct lst_slice user, struct lst_slice id,
                    struct lst_ledger_summary *ret_summary)
{
    struct lst_ledger_key name;
    struct lst_ledger_state state;
    struct lst_index_reader *reader;
    int status;

    if (!lst_ledger_name_is_valid(user, id)) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    lst_ledger_name(user, id, &name);
    status = lst_index_read_begin(ledger->index, &reader);
    if (status != LST_OK) {
        return status;
    }
    lst_index_read_strictly(reader); /* what is not found is not revoked */
    status = lst_ledger_state_get(reader, lst_ledger_key_slice(&name), &state);
    lst_index_read_end(reader);
    if (status == LST_OK) {
        *ret_summary = state.summary;
    }
    return status;
}

/* Visit the use of an id that is the order-th of those that were recorded. One that a later use has
 * replaced, since the state was read, is passed over. LST_ERR_NOT_FOUND: it has no row. */
static int visit_use(struct lst_index_reader *reader, struct lst_slice name, uint64_t order,
                     lst_ledger_visit *visit, void *context)
{
    struct lst_use_outcome outcome;
    struct lst_ledger_key key;
    struct lst_slice row;
    uint64_t found_order = 0;
    int status;

    lst_ledger_row_key(LST_LEDGER_ROW_USE, name, order % LST_LEDGER_USES_MAX, &key);
    status = lst_index_get(reader, LST_LEDGER_PARTITION, lst_ledger_key_slice(&key), &row);
    if (status == LST_OK) {
        status = lst_ledger_use_read(row, &outcome, &found_order);
    }
    if (status == LST_OK && found_order > order) {
        return LST_OK;
    }
    if (status != LST_OK || found_order != order ||
        !lst_ledger_name_split(name, &outcome.use.user, &outcome.use.id)) {
        return status == LST_OK ? LST_ERR_CORRUPT : status;
    }
    return visit(context, &outcome);
}

/* A use has no row: unless the id was forgotten meanwhile, that is damage. */
static int explain_lack(struct lst_index_reader *reader, struct lst_slice name)
{
    struct lst_ledger_state state;
    int status = lst_ledger_state_get(reader, name, &state);

    return status == LST_OK ? LST_ERR_CORRUPT : status;
}

int lst_ledger_uses(struct lst_ledger *ledger, struct lst_slice user, struct lst_slice id,
                    lst_ledger_visit *visit, void *context)
{
    struct lst_ledger_key name;
    struct lst_ledger_state state = {.recorded = 0};
    struct lst_index_reader *reader;
    uint64_t order;
    int status;

    if (!lst_ledger_name_is_valid(user, id)) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    lst_ledger_name(user, id, &name);
    status = lst_index_read_begin(ledger->index, &reader);
    if (status != LST_OK) {
        return status;
    }
    status = lst_ledger_state_get(reader, lst_ledger_key_slice(&name), &state);
    order = state.recorded > LST_LEDGER_USES_MAX ? state.recorded - LST_LEDGER_USES_MAX : 0;
    for (; status == LST_OK && order < state.recorded; order++) {
        status = visit_use(reader, lst_ledger_key_slice(&name), order, visit, context);
        if (status == LST_ERR_NOT_FOUND) {
            status = explain_lack(reader, lst_ledger_key_slice(&name));
        }
    }
    lst_index_read_end(reader);
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

static int visit_open_use(struct lst_slice key, struct lst_slice row, lst_ledger_visit *visit,
                          void *context)
{
    struct lst_use_outcome outcome;
    struct lst_slice name;
    uint64_t order;
    int status = lst_ledger_use_read(row, &outcome, &order);

    if (status != LST_OK || key.length < 1 + 9) {
        return LST_ERR_CORRUPT;
    }
    name = lst_slice_make(key.bytes + 1, key.length - 1 - 9);
    if (!lst_ledger_name_split(name, &outcome.use.user, &outcome.use.id)) {
        return LST_ERR_CORRUPT;
    }
    return visit(context, &outcome);
}

int lst_ledger_open_uses(struct lst_ledger *ledger, lst_ledger_visit *visit, void *context)
{
    static const char first = LST_LEDGER_ROW_OPEN;
    struct lst_index_reader *reader;
    struct lst_slice key;
    struct lst_slice row;
    int visit_status = LST_OK;
    int status = lst_index_read_begin(ledger->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    status = lst_index_seek(reader, LST_LEDGER_PARTITION, lst_slice_make(&first, 1), &key, &row);
    while (status == LST_OK && visit_status == LST_OK && key.bytes[0] == first) {
        visit_status = visit_open_use(key, row, visit, context);
        if (visit_status == LST_OK) {
            status = lst_index_next(reader, &key, &row);
        }
    }
    lst_index_read_end(reader);
    if (visit_status != LST_OK) {
        return visit_status;
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}
