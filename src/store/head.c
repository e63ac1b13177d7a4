/* head.c - the current version of a key, and what becomes of it when another comes. */
#include "store/head.h"

#include "base/random.h"
#include "store/ranges.h"

static const struct lst_slice nothing = {NULL, 0};

/* ---- The bucket's state */

int lst_head_read_any_state(struct lst_index_reader *reader, uint64_t partition,
                            struct lst_slice route, struct lst_bucket_state *ret_state)
{
    int status = lst_range_state(reader, partition, route, ret_state);

    return status == LST_ERR_NOT_FOUND ? LST_ERR_BUCKET_NOT_FOUND : status;
}

int lst_head_read_state(struct lst_index_reader *reader, uint64_t partition, struct lst_slice route,
                        struct lst_bucket_state *ret_state)
{
    int status = lst_head_read_any_state(reader, partition, route, ret_state);

    return status == LST_OK && ret_state->is_deleting ? LST_ERR_BUCKET_NOT_FOUND : status;
}

int lst_head_read_key_state(const struct lst_key_place *place, bool writes,
                            struct lst_bucket_state *ret_state)
{
    struct lst_row_name name;

    lst_row_name_make_escaped(&name, LST_ROW_OBJECT, place->key);
    return writes ? lst_head_read_state(place->reader, place->partition, lst_row_name_route(&name),
                                        ret_state)
                  : lst_head_read_any_state(place->reader, place->partition,
                                            lst_row_name_route(&name), ret_state);
}

void lst_head_require_state(struct lst_changes *changes, const struct lst_bucket_state *state)
{
    char bytes[LST_BUCKET_STATE_SIZE];

    lst_bucket_state_encode(state, bytes);
    lst_changes_add_own(changes, LST_INDEX_REQUIRE_PREFIX, LST_ROW_STATE,
                        lst_changes_copy(changes, lst_slice_make(bytes, sizeof(bytes))));
}

/* ---- Reading */

void lst_found_row_name(const struct lst_found_row *found, struct lst_slice key,
                        struct lst_row_name *ret_name)
{
    if (found->kind == LST_ROW_VERSION) {
        lst_row_name_make_version(ret_name, key, found->version.order);
    } else {
        lst_row_name_make_escaped(ret_name, found->kind, key);
    }
}

int lst_found_row_read(struct lst_index_reader *reader, uint64_t partition,
                       const struct lst_row_name *name, struct lst_found_row *ret_found)
{
    struct lst_slice value;
    int status = lst_index_get(reader, partition, lst_row_name_slice(name), &value);

    if (status != LST_OK && (status != LST_ERR_CORRUPT || value.bytes == NULL)) {
        return status;
    }
    *ret_found = lst_found_row_make(name->bytes[0], status, value);
    return status == LST_OK ? lst_object_row_check_format(value) : LST_OK;
}

struct lst_found_row lst_found_row_make(char kind, int status, struct lst_slice value)
{
    struct lst_found_row found = {.kind = kind, .value = value};

    found.is_damaged = status != LST_OK;
    found.version = lst_object_row_peek(value);
    found.size = lst_object_row_size(value);
    if (found.is_damaged) {
        found.value = lst_slice_first(value, LST_ROW_STAMP_SIZE);
    }
    return found;
}

static int read_current(const struct lst_key_place *place, char kind,
                        struct lst_found_row *ret_found)
{
    struct lst_row_name name;

    lst_row_name_make_escaped(&name, kind, place->key);
    return lst_found_row_read(place->reader, place->partition, &name, ret_found);
}

int lst_head_read(const struct lst_key_place *place, struct lst_found_row *ret_head)
{
    int status = read_current(place, LST_ROW_OBJECT, ret_head);

    if (status == LST_ERR_NOT_FOUND) {
        status = read_current(place, LST_ROW_MARKER, ret_head);
    }
    if (status == LST_ERR_NOT_FOUND) {
        *ret_head = (struct lst_found_row){0};
        return LST_OK;
    }
    return status;
}

int lst_head_confirm(const struct lst_key_place *place, const struct lst_found_row *head)
{
    struct lst_found_row now;
    int status = lst_head_read(place, &now);

    if (status == LST_OK && (now.kind != head->kind ||
                             !lst_slice_equal(lst_slice_first(now.value, LST_ROW_STAMP_SIZE),
                                              lst_slice_first(head->value, LST_ROW_STAMP_SIZE)))) {
        return LST_ERR_CONFLICT;
    }
    return status;
}

/* Of a version that is not current; LST_ERR_NOT_FOUND. */
static int read_version(const struct lst_key_place *place, uint64_t order,
                        struct lst_found_row *ret_found)
{
    struct lst_row_name name;
    int status;

    lst_row_name_make_version(&name, place->key, order);
    status = lst_found_row_read(place->reader, place->partition, &name, ret_found);
    if (status == LST_OK) {
        /* If the row is damaged, its name still tells where it stands. */
        ret_found->version.order = order;
    }
    return status;
}

/* Where the null version is among those that are not current; LST_ERR_NOT_FOUND. */
static int read_null_order(const struct lst_key_place *place, uint64_t *ret_order)
{
    struct lst_row_name name;
    struct lst_slice value;
    int status;

    lst_row_name_make_escaped(&name, LST_ROW_NULL, place->key);
    status = lst_index_get(place->reader, place->partition, lst_row_name_slice(&name), &value);
    return status == LST_OK ? lst_row_number_decode(value, ret_order) : status;
}

int lst_version_read(const struct lst_key_place *place, const struct lst_found_row *head,
                     struct lst_version version, struct lst_found_row *ret_found)
{
    uint64_t order = version.order;
    int status = LST_OK;

    if (head->kind != 0 && head->version.random == version.random &&
        (lst_version_is_null(version) || head->version.order == version.order)) {
        *ret_found = *head;
        return LST_OK;
    }
    if (lst_version_is_null(version)) {
        status = read_null_order(place, &order);
    }
    if (status == LST_OK) {
        status = read_version(place, order, ret_found);
    }
    if (status == LST_OK && ret_found->is_damaged) {
        ret_found->version.random = version.random; /* no other of the key has its order */
    }
    if (status == LST_ERR_NOT_FOUND ||
        (status == LST_OK && ret_found->version.random != version.random)) {
        *ret_found = (struct lst_found_row){0};
        return lst_head_confirm(place, head);
    }
    return status;
}

/* ---- Conditions */

bool lst_found_row_matches(const struct lst_found_row *found, struct lst_slice etag)
{
    struct lst_object_row row;

    if (found->kind == 0 || lst_object_row_decode(found->value, &row) != LST_OK ||
        row.form != LST_FORM_OBJECT) {
        return false;
    }
    return lst_slice_equal(etag, row.etag) || lst_slice_equal(etag, lst_slice_make("*", 1));
}

int lst_head_check(const struct lst_found_row *head, const struct lst_write_condition *condition)
{
    bool is_object = head->kind == LST_ROW_OBJECT;

    if (is_object && condition->only_if_absent) {
        return LST_ERR_PRECONDITION;
    }
    if (condition->if_match.length == 0) {
        return LST_OK;
    }
    if (!is_object) {
        return LST_ERR_KEY_NOT_FOUND;
    }
    return lst_found_row_matches(head, condition->if_match) ? LST_OK : LST_ERR_PRECONDITION;
}

/* ---- Steps */

void lst_head_require(struct lst_changes *changes, const struct lst_key_place *place,
                      const struct lst_found_row *found)
{
    struct lst_row_name name;

    if (found->kind == 0) {
        lst_changes_add_row(changes, LST_INDEX_REQUIRE_ABSENT, LST_ROW_OBJECT, place->key, nothing);
        lst_changes_add_row(changes, LST_INDEX_REQUIRE_ABSENT, LST_ROW_MARKER, place->key, nothing);
        return;
    }
    lst_found_row_name(found, place->key, &name);
    lst_changes_require_value(changes, lst_row_name_slice(&name), found->value);
}

static void delete_found(struct lst_changes *changes, const struct lst_key_place *place,
                         const struct lst_found_row *found)
{
    struct lst_row_name name;

    lst_found_row_name(found, place->key, &name);
    (void)lst_changes_add(changes, LST_INDEX_DELETE, lst_row_name_slice(&name), nothing);
}

void lst_head_drop(struct lst_changes *changes, const struct lst_key_place *place,
                   const struct lst_found_row *head, char next_kind)
{
    if (head->kind == 0) {
        return;
    }
    lst_changes_let_go(changes, place->key, head->value);
    lst_changes_count(changes, head->kind, head->size, -1);
    if (head->kind != next_kind) {
        delete_found(changes, place, head);
    }
}

void lst_head_move(struct lst_changes *changes, const struct lst_key_place *place,
                   const struct lst_found_row *head, char next_kind)
{
    struct lst_row_name name;
    char order[8];

    if (head->kind == 0) {
        return;
    }
    lst_changes_count(changes, head->kind, head->size, -1);
    lst_changes_count(changes, LST_ROW_VERSION, lst_object_row_size(head->value), 1);
    lst_row_name_make_version(&name, place->key, head->version.order);
    (void)lst_changes_add(changes, LST_INDEX_PUT, lst_row_name_slice(&name),
                          lst_changes_copy(changes, head->value));
    if (lst_version_is_null(head->version)) {
        lst_row_number_encode(head->version.order, order);
        lst_changes_add_row(changes, LST_INDEX_PUT, LST_ROW_NULL, place->key,
                            lst_changes_copy(changes, lst_slice_make(order, sizeof(order))));
    }
    if (head->kind != next_kind) {
        delete_found(changes, place, head);
    }
}

/* The row of a version that is not current, and what says that it is the null one. */
static void delete_version(struct lst_changes *changes, const struct lst_key_place *place,
                           const struct lst_found_row *found)
{
    delete_found(changes, place, found);
    lst_changes_count(changes, LST_ROW_VERSION, found->size, -1);
    if (lst_version_is_null(found->version)) {
        lst_changes_add_row(changes, LST_INDEX_DELETE, LST_ROW_NULL, place->key, nothing);
    }
}

void lst_version_drop(struct lst_changes *changes, const struct lst_key_place *place,
                      const struct lst_found_row *found)
{
    lst_head_require(changes, place, found);
    lst_changes_let_go(changes, place->key, found->value);
    delete_version(changes, place, found);
}

void lst_version_promote(struct lst_changes *changes, const struct lst_key_place *place,
                         const struct lst_found_row *found, char kind)
{
    lst_head_require(changes, place, found);
    delete_version(changes, place, found);
    lst_changes_count(changes, kind, lst_object_row_size(found->value), 1);
    lst_changes_add_row(changes, LST_INDEX_PUT, kind, place->key,
                        lst_changes_copy(changes, found->value));
}

int lst_version_drop_null(struct lst_changes *changes, const struct lst_key_place *place)
{
    struct lst_found_row found;
    uint64_t order;
    int status = read_null_order(place, &order);

    if (status == LST_OK) {
        status = read_version(place, order, &found);
    }
    if (status == LST_OK) {
        lst_version_drop(changes, place, &found);
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

/* ---- A new version */

int lst_head_retire(struct lst_changes *changes, const struct lst_key_place *place,
                    enum lst_versioning versioning, const struct lst_found_row *head,
                    char next_kind)
{
    if (versioning == LST_VERSIONING_ENABLED ||
        (versioning == LST_VERSIONING_SUSPENDED && !lst_version_is_null(head->version))) {
        lst_head_move(changes, place, head, next_kind);
    } else {
        lst_head_drop(changes, place, head, next_kind);
    }
    /* If the head was the null version there is no other. */
    return versioning == LST_VERSIONING_SUSPENDED ? lst_version_drop_null(changes, place) : LST_OK;
}

struct lst_version lst_head_new_version(struct lst_store *store, enum lst_versioning versioning,
                                        const struct lst_found_row *head)
{
    struct lst_version version = {.order = lst_store_next_order(store, head->version.order)};

    while (versioning == LST_VERSIONING_ENABLED && version.random == 0) {
        lst_random_bytes(&version.random, sizeof(version.random));
    }
    return version;
}

int lst_head_replace(struct lst_changes *changes, const struct lst_key_place *place,
                     const struct lst_write_condition *condition, struct lst_version *ret_version,
                     struct lst_version_id *ret_id)
{
    struct lst_bucket_state state;
    struct lst_found_row head;
    int status = lst_head_read_key_state(place, true, &state);

    if (status == LST_OK) {
        status = lst_head_read(place, &head);
    }
    if (status == LST_OK) {
        status = lst_head_check(&head, condition);
    }
    if (status != LST_OK) {
        return status;
    }
    lst_head_require_state(changes, &state);
    lst_head_require(changes, place, &head);
    status = lst_head_retire(changes, place, state.versioning, &head, LST_ROW_OBJECT);
    *ret_version = lst_head_new_version(place->store, state.versioning, &head);
    ret_id->length = 0;
    if (state.versioning != LST_VERSIONING_NEVER) {
        lst_version_format(*ret_version, ret_id);
    }
    return status;
}
