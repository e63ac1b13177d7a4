/* users_change.c - the directory of users: changing it. Every change is one batch whose
 * preconditions make it fail if somebody else was faster. */
#include "gate/users_index.h"

#include "base/clock.h"
#include "base/encoding.h"
#include "base/random.h"
#include "gate/tokens.h"

enum {
    CHANGES_MAX = 2 + 2 * 2 * LST_USER_KEYS_MAX, /* the user, old keys, new keys */
    REPEATS_MAX = 100,
};

/* A batch in the making, with the memory that its slices point to. */
struct change {
    struct lst_index_change changes[CHANGES_MAX];
    char keys[CHANGES_MAX][LST_USERS_KEY_MAX];
    size_t count;
    char old_revision[LST_USER_REVISION_LENGTH];
    struct lst_buffer record;
};

static void add_change(struct change *change, enum lst_index_change_kind kind, char row_kind,
                       const char *name, struct lst_slice value)
{
    struct lst_slice key = lst_users_key(row_kind, lst_slice_of(name), change->keys[change->count]);

    change->changes[change->count++] =
        (struct lst_index_change){.kind = kind, .key = key, .value = value};
}

static const struct lst_user_key *find_key(const struct lst_user *user, const char *access_key_id)
{
    for (size_t i = 0; user != NULL && i < user->key_count; i++) {
        if (strcmp(user->keys[i].access_key_id, access_key_id) == 0) {
            return &user->keys[i];
        }
    }
    return NULL;
}

static int check_user(const struct lst_user *user)
{
    struct lst_access_policy *policy;
    int status;

    if (!lst_user_name_is_valid(
            lst_slice_make(user->name, strnlen(user->name, sizeof(user->name)))) ||
        user->key_count > LST_USER_KEYS_MAX) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    for (size_t i = 0; i < user->key_count; i++) {
        if (!lst_user_key_is_valid(&user->keys[i]) ||
            find_key(user, user->keys[i].access_key_id) != &user->keys[i]) {
            return LST_ERR_INVALID_ARGUMENT;
        }
    }
    if (user->policy != NULL) {
        status = lst_access_policy_parse(lst_slice_of(user->policy), &policy, NULL);
        if (status != LST_OK) {
            return status;
        }
        lst_access_policy_free(policy);
    }
    return LST_OK;
}

/*
 * Take the user of that name from the old record (NULL: there is none) to the new one (NULL: remove
 * it).
 * LST_ERR_EXISTS: a row that must be absent is there; LST_ERR_CONFLICT: the old record is not what
 * is stored.
 */
static int apply(struct lst_users *users, const char *name, const struct lst_user *old_user,
                 const struct lst_user *new_user)
{
    struct change change = {.count = 0};
    int status = LST_OK;

    lst_buffer_init(&change.record, LST_INDEX_VALUE_MAX);
    if (old_user == NULL) {
        add_change(&change, LST_INDEX_REQUIRE_ABSENT, LST_USERS_KIND_USER, name, LST_SLICE(""));
    } else {
        lst_user_revision_text(old_user->revision, change.old_revision);
        add_change(&change, LST_INDEX_REQUIRE_PREFIX, LST_USERS_KIND_USER, name,
                   lst_slice_make(change.old_revision, sizeof(change.old_revision)));
    }
    for (size_t i = 0; old_user != NULL && i < old_user->key_count; i++) {
        if (find_key(new_user, old_user->keys[i].access_key_id) == NULL) {
            add_change(&change, LST_INDEX_DELETE, LST_USERS_KIND_KEY,
                       old_user->keys[i].access_key_id, LST_SLICE(""));
        }
    }
    for (size_t i = 0; new_user != NULL && i < new_user->key_count; i++) {
        const char *access_key_id = new_user->keys[i].access_key_id;
        if (find_key(old_user, access_key_id) == NULL) {
            add_change(&change, LST_INDEX_REQUIRE_ABSENT, LST_USERS_KIND_KEY, access_key_id,
                       LST_SLICE(""));
            add_change(&change, LST_INDEX_PUT, LST_USERS_KIND_KEY, access_key_id,
                       lst_slice_of(name));
        }
    }
    if (new_user != NULL) {
        status = lst_user_record_write(new_user, &change.record);
        add_change(&change, LST_INDEX_PUT, LST_USERS_KIND_USER, name,
                   lst_buffer_slice(&change.record));
    } else {
        add_change(&change, LST_INDEX_DELETE, LST_USERS_KIND_USER, name, LST_SLICE(""));
    }
    if (status == LST_OK) {
        status = lst_index_apply(users->index, LST_USERS_PARTITION, change.changes, change.count);
    }
    if (change.record.bytes != NULL) {
        lst_wipe(change.record.bytes, change.record.capacity);
    }
    lst_buffer_release(&change.record);
    return status;
}

static void fill_in(struct lst_user *user)
{
    uint8_t random[LST_CANONICAL_ID_LENGTH / 2];

    if (user->canonical_id[0] == '\0') {
        lst_random_bytes(random, sizeof(random));
        lst_hex_encode(random, sizeof(random), user->canonical_id);
        user->canonical_id[LST_CANONICAL_ID_LENGTH] = '\0';
    }
    if (user->display_name[0] == '\0') {
        memcpy(user->display_name, user->name, sizeof(user->display_name));
    }
    if (user->created_ms == 0) {
        user->created_ms = lst_clock_now_ms();
    }
    for (size_t i = 0; i < user->key_count; i++) {
        if (user->keys[i].created_ms == 0) {
            user->keys[i].created_ms = user->created_ms;
        }
    }
}

/* Never 0, so that a struct that did not come from the index fits no record. */
static uint64_t new_revision(void)
{
    uint64_t revision;

    lst_random_bytes(&revision, sizeof(revision));
    return revision | 1;
}

static int add(struct lst_users *users, struct lst_user *user)
{
    struct lst_user found;
    int status = check_user(user);

    if (status != LST_OK) {
        return status;
    }
    fill_in(user);
    user->revision = new_revision();
    status = apply(users, user->name, NULL, user);
    if (status != LST_ERR_EXISTS) {
        return status;
    }
    status = lst_users_find(users, lst_slice_of(user->name), &found);
    if (status == LST_OK) {
        lst_user_release(&found);
        return LST_ERR_USER_EXISTS;
    }
    return status == LST_ERR_USER_NOT_FOUND ? LST_ERR_KEY_ID_EXISTS : status;
}

/* A token says by name who signs: it must not become that of another person of this name. */
static int revoke_tokens(struct lst_users *users, struct lst_slice name)
{
    return lst_tokens_revoke_of(users, name, lst_clock_now_ms() / 1000);
}

int lst_users_add(struct lst_users *users, struct lst_user *user)
{
    struct lst_slice name = lst_slice_make(user->name, strnlen(user->name, sizeof(user->name)));
    struct lst_user found;
    int status;

    if (!lst_user_name_is_valid(name) || lst_slice_equal(name, LST_SLICE(LST_ROOT_USER))) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    status = lst_users_find(users, name, &found);
    if (status == LST_OK) {
        lst_user_release(&found);
        return LST_ERR_USER_EXISTS;
    }
    if (status == LST_ERR_USER_NOT_FOUND) { /* of one who was removed, if that was cut short */
        status = revoke_tokens(users, name);
    }
    if (status != LST_OK) {
        return status;
    }
    user->enabled = true;
    user->is_root = false;
    return add(users, user);
}

int lst_users_change(struct lst_users *users, const struct lst_user *user)
{
    struct lst_user old_user;
    struct lst_user new_user;
    int status = check_user(user);

    if (status == LST_OK) {
        status = lst_users_find(users, lst_slice_of(user->name), &old_user);
    }
    if (status != LST_OK) {
        return status;
    }
    if (old_user.revision != user->revision) {
        status = LST_ERR_CONFLICT;
    } else {
        new_user = *user;
        new_user.is_root = old_user.is_root;
        new_user.revision = new_revision();
        status = apply(users, old_user.name, &old_user, &new_user);
        lst_wipe(new_user.keys, sizeof(new_user.keys));
    }
    lst_user_release(&old_user);
    return status == LST_ERR_EXISTS ? LST_ERR_KEY_ID_EXISTS : status;
}

/* ---- What can't be read */

enum { NAMING_MAX = 16 /* rows that name one that is dropped */ };

/* A batch that drops a row, with the memory that its slices point to. */
struct drop {
    struct lst_index_change changes[2 * NAMING_MAX + 2];
    size_t count;
    size_t naming_count;
    char keys[NAMING_MAX][LST_USERS_KEY_MAX];
    char key[LST_USERS_KEY_MAX];
    char value[LST_USER_REVISION_LENGTH]; /* what the row begins with */
    char naming_kind;
    struct lst_slice name;
};

/* The row goes; what it begins with must be as it was read. */
static void add_drop(struct drop *drop, struct lst_slice key, struct lst_slice value)
{
    drop->changes[drop->count++] =
        (struct lst_index_change){.kind = LST_INDEX_REQUIRE_PREFIX, .key = key, .value = value};
    drop->changes[drop->count++] =
        (struct lst_index_change){.kind = LST_INDEX_DELETE, .key = key, .value = LST_SLICE("")};
}

/* Of the rows of the other kind: those that name it. */
static int take_naming(void *context, struct lst_slice name, struct lst_slice value,
                       bool is_damaged)
{
    struct drop *drop = context;

    if (!is_damaged && lst_slice_equal(value, drop->name) && drop->naming_count < NAMING_MAX &&
        name.length < LST_USERS_KEY_MAX) {
        char *bytes = drop->keys[drop->naming_count++];
        add_drop(drop, lst_users_key(drop->naming_kind, name, bytes), drop->name);
    }
    return LST_OK;
}

/* The damaged row itself: what stands there. LST_ERR_CONFLICT: it is not damaged, or not there. */
static int read_damaged(struct lst_users *users, struct lst_slice key, struct drop *drop)
{
    struct lst_index_reader *reader;
    struct lst_slice value = {NULL, 0};
    int status = lst_index_read_begin(users->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    status = lst_index_get(reader, LST_USERS_PARTITION, key, &value);
    if (status == LST_ERR_CORRUPT && value.bytes != NULL) {
        value = lst_slice_first(value, sizeof(drop->value));
        memcpy(drop->value, value.bytes, value.length);
        add_drop(drop, key, lst_slice_make(drop->value, value.length));
        status = LST_OK;
    } else if (status == LST_OK || status == LST_ERR_NOT_FOUND) {
        status = LST_ERR_CONFLICT;
    }
    lst_index_read_end(reader);
    return status;
}

int lst_users_drop_damaged(struct lst_users *users, char kind, struct lst_slice name,
                           char naming_kind)
{
    struct drop drop = {.naming_kind = naming_kind, .name = name};
    int status = read_damaged(users, lst_users_key(kind, name, drop.key), &drop);

    if (status == LST_OK) {
        status = lst_users_walk(users, naming_kind, take_naming, &drop);
    }
    if (status == LST_OK) {
        status = lst_index_apply(users->index, LST_USERS_PARTITION, drop.changes, drop.count);
    }
    return status;
}

/* ---- Removing */

int lst_users_remove(struct lst_users *users, struct lst_slice name)
{
    int status = LST_ERR_CONFLICT;

    if (lst_slice_equal(name, LST_SLICE(LST_ROOT_USER))) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    for (size_t i = 0; i < REPEATS_MAX && status == LST_ERR_CONFLICT; i++) {
        struct lst_user user;
        status = lst_users_find(users, name, &user);
        if (status == LST_OK) {
            status = apply(users, user.name, &user, NULL);
            lst_user_release(&user);
        } else if (status == LST_ERR_CORRUPT) {
            status = lst_users_drop_damaged(users, LST_USERS_KIND_USER, name, LST_USERS_KIND_KEY);
        }
    }
    return status == LST_OK ? revoke_tokens(users, name) : status;
}

/* True if the user has just this key, as it is wanted. */
static bool has_only_key(const struct lst_user *user, const struct lst_user_key *key)
{
    return user->is_root && user->enabled && user->key_count == 1 && user->keys[0].active &&
           strcmp(user->keys[0].access_key_id, key->access_key_id) == 0 &&
           strcmp(user->keys[0].secret, key->secret) == 0;
}

static int set_root_once(struct lst_users *users, const struct lst_user_key *key)
{
    struct lst_user old_user = {0};
    struct lst_user user;
    int status = lst_users_find(users, LST_SLICE(LST_ROOT_USER), &old_user);
    bool is_there = status == LST_OK;

    if (!is_there && status != LST_ERR_USER_NOT_FOUND) {
        return status;
    }
    if (is_there && has_only_key(&old_user, key)) {
        lst_user_release(&old_user);
        return LST_OK;
    }
    user = (struct lst_user){.name = LST_ROOT_USER,
                             .created_ms = old_user.created_ms,
                             .enabled = true,
                             .is_root = true,
                             .key_count = 1};
    memcpy(user.canonical_id, old_user.canonical_id, sizeof(user.canonical_id));
    user.keys[0] = *key;
    user.keys[0].active = true;
    fill_in(&user);
    if (is_there) {
        user.revision = new_revision();
        status = apply(users, user.name, &old_user, &user);
        status = status == LST_ERR_EXISTS ? LST_ERR_KEY_ID_EXISTS : status;
    } else {
        status = add(users, &user);
        status = status == LST_ERR_USER_EXISTS ? LST_ERR_CONFLICT : status;
    }
    lst_user_release(&old_user);
    lst_user_release(&user);
    return status;
}

int lst_users_set_root(struct lst_users *users, const struct lst_user_key *key)
{
    int status = LST_ERR_CONFLICT;

    if (!lst_user_key_is_valid(key)) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    for (size_t i = 0; i < REPEATS_MAX && status == LST_ERR_CONFLICT; i++) {
        status = set_root_once(users, key);
    }
    return status;
}
