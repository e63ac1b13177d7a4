/*
 * users_index.h - how users lie in their index. Internal to this folder.
 *
 * Partition 0 has four kinds of rows: 'u' and a user's name, with the record of user_record.h; 'k'
 * and an access key id, with the name of the user whose it is; 't' and a token's id, with its
 * record; 'n' and the name of a token that was not revoked, with its id.
 */
#ifndef LST_GATE_USERS_INDEX_H
#define LST_GATE_USERS_INDEX_H

#include "gate/user_record.h"
#include "gate/users.h"
#include "index/index.h"

#define LST_USERS_PARTITION       0
#define LST_USERS_KIND_USER       'u'
#define LST_USERS_KIND_KEY        'k'
#define LST_USERS_KIND_TOKEN      't'
#define LST_USERS_KIND_TOKEN_NAME 'n'
#define LST_USERS_KEY_MAX         (1 + LST_ACCESS_KEY_ID_MAX)

#define LST_USERS_NAMING_MAX 16 /* rows that name one that is dropped */

struct lst_users {
    struct lst_index *index;
};

/* A batch that drops a row which can't be read, with the memory that its slices point to. */
struct lst_users_drop {
    struct lst_index_change changes[2 * LST_USERS_NAMING_MAX + 1];
    size_t count;
    char keys[LST_USERS_NAMING_MAX][LST_USERS_KEY_MAX];
    char key[LST_USERS_KEY_MAX];
    char name[LST_USERS_KEY_MAX];
};

/* The index key of a row. name: at most LST_ACCESS_KEY_ID_MAX bytes. */
struct lst_slice lst_users_key(char kind, struct lst_slice name, char ret_bytes[LST_USERS_KEY_MAX]);

/* What a walk through the rows of one kind comes to, which is over at this status and key: a
 * damaged row behind them is none of theirs. */
LST_MUST_CHECK static inline int lst_users_end(int status, struct lst_slice key)
{
    return status == LST_ERR_NOT_FOUND || lst_index_is_damaged_row(status, key) ? LST_OK : status;
}

/* Delete a row that can't be read, and the rows of another kind whose value is its name. name: at
 * most LST_ACCESS_KEY_ID_MAX bytes. LST_ERR_CONFLICT, _NOT_FOUND: one of those was changed
 * meanwhile. */
LST_MUST_CHECK int lst_users_drop_damaged(struct lst_users *users, char kind, struct lst_slice name,
                                          char naming_kind);

#endif
