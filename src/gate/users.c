/* users.c - the directory of users: reading it. */
#include "gate/users_index.h"

#include "base/file.h"
#include "index/complete.h"

#include <stdio.h>
#include <stdlib.h>

enum { USERS_SIZE_MAX = 256 * 1024 * 1024 };

struct lst_slice lst_users_key(char kind, struct lst_slice name, char ret_bytes[LST_USERS_KEY_MAX])
{
    ret_bytes[0] = kind;
    if (name.length > 0) {
        memcpy(ret_bytes + 1, name.bytes, name.length);
    }
    return lst_slice_make(ret_bytes, name.length + 1);
}

int lst_users_open(const char *folder, bool read_only, struct lst_users **ret_users)
{
    struct lst_index_options options = {
        .size_max = USERS_SIZE_MAX, .read_only = read_only, .has_secrets = true};
    struct lst_users *users = calloc(1, sizeof(*users));
    char *path = NULL;
    int status = LST_OK;

    if (users == NULL || asprintf(&path, "%s/users.mdb", folder) < 0) {
        free(users);
        return LST_ERR_NO_MEMORY;
    }
    if (!read_only) {
        status = lst_folder_make(folder);
    }
    if (status == LST_OK) {
        options.path = path;
        status = lst_index_open(&options, &users->index);
    }
    free(path);
    if (status != LST_OK) {
        free(users);
        return status;
    }
    *ret_users = users;
    return LST_OK;
}

void lst_users_close(struct lst_users *users)
{
    if (users != NULL) {
        lst_index_close(users->index);
        free(users);
    }
}

bool lst_users_have_failed(const struct lst_users *users)
{
    return lst_index_has_failed(users->index);
}

int lst_users_mark_complete(struct lst_users *users)
{
    return lst_index_mark_complete(users->index);
}

uint64_t lst_users_version(const struct lst_users *users)
{
    return lst_index_version(users->index, LST_USERS_PARTITION);
}

static int read_user(struct lst_index_reader *reader, struct lst_slice name,
                     struct lst_user *ret_user)
{
    char bytes[LST_USERS_KEY_MAX];
    struct lst_slice record;
    int status;

    if (!lst_user_name_is_valid(name)) {
        return LST_ERR_USER_NOT_FOUND;
    }
    status = lst_index_get(reader, LST_USERS_PARTITION,
                           lst_users_key(LST_USERS_KIND_USER, name, bytes), &record);
    if (status != LST_OK) {
        return status == LST_ERR_NOT_FOUND ? LST_ERR_USER_NOT_FOUND : status;
    }
    return lst_user_record_read(name, record, ret_user);
}

int lst_users_find(struct lst_users *users, struct lst_slice name, struct lst_user *ret_user)
{
    struct lst_index_reader *reader;
    int status = lst_index_read_begin(users->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    status = read_user(reader, name, ret_user);
    lst_index_read_end(reader);
    return status;
}

static bool has_key(const struct lst_user *user, struct lst_slice access_key_id)
{
    for (size_t i = 0; i < user->key_count; i++) {
        if (lst_slice_equal(lst_slice_of(user->keys[i].access_key_id), access_key_id)) {
            return true;
        }
    }
    return false;
}

/*
 * The row of a key names its user. Both are written in one batch, which may come between the two
 * readings: so if they don't fit, and the key has another user by now, all is read again.
 */
static int read_user_of_key(struct lst_index_reader *reader, struct lst_slice key,
                            struct lst_slice access_key_id, struct lst_user *ret_user)
{
    struct lst_slice name = lst_slice_make(NULL, 0);
    struct lst_slice last;
    bool is_first = true;

    for (;; is_first = false) {
        int status = lst_index_get(reader, LST_USERS_PARTITION, key, &last);
        if (status != LST_OK) {
            return status == LST_ERR_NOT_FOUND ? LST_ERR_USER_NOT_FOUND : status;
        }
        if (!is_first && lst_slice_equal(name, last)) {
            return LST_ERR_CORRUPT;
        }
        name = last;
        status = read_user(reader, name, ret_user);
        if (status == LST_OK && !has_key(ret_user, access_key_id)) {
            lst_user_release(ret_user);
            status = LST_ERR_USER_NOT_FOUND;
        }
        if (status != LST_ERR_USER_NOT_FOUND) {
            return status;
        }
    }
}

int lst_users_find_key(struct lst_users *users, struct lst_slice access_key_id,
                       struct lst_user *ret_user)
{
    char bytes[LST_USERS_KEY_MAX];
    struct lst_index_reader *reader;
    int status;

    if (access_key_id.length == 0 || access_key_id.length > LST_ACCESS_KEY_ID_MAX) {
        return LST_ERR_USER_NOT_FOUND;
    }
    status = lst_index_read_begin(users->index, &reader);
    if (status != LST_OK) {
        return status;
    }
    status = read_user_of_key(reader, lst_users_key(LST_USERS_KIND_KEY, access_key_id, bytes),
                              access_key_id, ret_user);
    lst_index_read_end(reader);
    return status;
}

/* ---- All of them */

int lst_users_walk(struct lst_users *users, char kind,
                   int (*take)(void *context, struct lst_slice name, struct lst_slice value,
                               bool is_damaged),
                   void *context)
{
    struct lst_index_reader *reader;
    struct lst_slice key;
    struct lst_slice value;
    int taken = LST_OK;
    int status = lst_index_read_begin(users->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    status = lst_index_seek(reader, LST_USERS_PARTITION, lst_slice_make(&kind, 1), &key, &value);
    while ((status == LST_OK || lst_index_is_damaged_row(status, key)) && key.bytes[0] == kind) {
        bool is_damaged = status != LST_OK;
        taken =
            take(context, lst_slice_after(key, 1), is_damaged ? LST_SLICE("") : value, is_damaged);
        if (taken != LST_OK) {
            break;
        }
        status = lst_index_next(reader, &key, &value);
    }
    if (taken != LST_OK) {
        status = taken;
    } else if (status == LST_ERR_NOT_FOUND || lst_index_is_damaged_row(status, key)) {
        status = LST_OK; /* a damaged row behind them is none of theirs */
    }
    lst_index_read_end(reader);
    return status;
}

void lst_users_show_name(struct lst_slice name, size_t most, char *ret_text)
{
    name = lst_slice_first(name, most);
    for (size_t i = 0; i < name.length; i++) {
        struct lst_slice byte = lst_slice_make(name.bytes + i, 1);
        ret_text[i] = lst_user_name_is_valid(byte) ? name.bytes[i] : '?';
    }
    ret_text[name.length] = '\0';
}

struct list {
    int (*visit)(void *context, const struct lst_user *user);
    void *context;
};

static int take_user(void *context, struct lst_slice name, struct lst_slice value, bool is_damaged)
{
    const struct list *list = context;
    struct lst_user user;
    int status = is_damaged ? LST_ERR_CORRUPT : lst_user_record_read(name, value, &user);

    if (status == LST_ERR_CORRUPT) {
        user = (struct lst_user){.is_damaged = true};
        lst_users_show_name(name, LST_USER_NAME_MAX, user.name);
    } else if (status != LST_OK) {
        return status;
    }
    status = list->visit(list->context, &user);
    lst_user_release(&user);
    return status;
}

int lst_users_list(struct lst_users *users,
                   int (*visit)(void *context, const struct lst_user *user), void *context)
{
    struct list list = {visit, context};

    return lst_users_walk(users, LST_USERS_KIND_USER, take_user, &list);
}
