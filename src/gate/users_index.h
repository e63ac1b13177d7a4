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

struct lst_users {
    struct lst_index *index;
};

/* The index key of a row. name: at most LST_ACCESS_KEY_ID_MAX bytes. */
struct lst_slice lst_users_key(char kind, struct lst_slice name, char ret_bytes[LST_USERS_KEY_MAX]);

#endif
