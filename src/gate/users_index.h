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

/* All rows of a kind, in the order of their names. value: empty if the row is damaged. A code other
 * than 0 from take() ends the walk, and is returned. */
LST_MUST_CHECK int lst_users_walk(struct lst_users *users, char kind,
                                  int (*take)(void *context, struct lst_slice name,
                                              struct lst_slice value, bool is_damaged),
                                  void *context);

/* What can be shown of the name of a damaged row, which may be damaged, too: '?' stands for what no
 * name has. ret_text: room for so many bytes and a NUL. */
void lst_users_show_name(struct lst_slice name, size_t most, char *ret_text);

/* Delete a row that can't be read, and the rows of another kind whose value is its name. name: at
 * most LST_ACCESS_KEY_ID_MAX bytes. LST_ERR_CONFLICT: one of those was changed meanwhile, or the
 * row is not damaged, or not there. */
LST_MUST_CHECK int lst_users_drop_damaged(struct lst_users *users, char kind, struct lst_slice name,
                                          char naming_kind);

#endif
