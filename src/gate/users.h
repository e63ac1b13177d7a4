/*
 * users.h - the directory of users: names, keys, policies, kept in the data folder.
 *
 * Its own small index (DIR/users.mdb, mode 0600), so that a command can change it while a server
 * runs on it: the server sees the change with the next request. Secrets stand in it in the clear,
 * because SigV4 needs them to compute signatures; the file's mode protects them. See
 * docs/security.md.
 */
#ifndef LST_GATE_USERS_H
#define LST_GATE_USERS_H

#include "access/policy.h"
#include "base/buffer.h"
#include "base/error.h"

#define LST_USER_NAME_MAX       64 /* letters, digits and + = , . @ _ - as IAM */
#define LST_USER_KEYS_MAX       4
#define LST_CANONICAL_ID_LENGTH 64
#define LST_ROOT_USER           "root"

struct lst_users;

struct lst_user_key {
    char access_key_id[LST_ACCESS_KEY_ID_MAX + 1];
    char secret[LST_SECRET_MAX + 1];
    int64_t created_ms;
    bool active;
};

/* A user, whole, in memory of its own. */
struct lst_user {
    char name[LST_USER_NAME_MAX + 1];
    char canonical_id[LST_CANONICAL_ID_LENGTH +
                      1]; /* hex digits; the owner's ID wherever S3 shows one */
    char display_name[LST_USER_NAME_MAX + 1];
    int64_t created_ms;
    bool enabled;
    bool is_root; /* may do everything; has no policy */
    struct lst_user_key keys[LST_USER_KEYS_MAX];
    size_t key_count;
    char *policy;      /* JSON text, ends in NUL; NULL if none. Owned */
    bool is_damaged;   /* shown by lst_users_list() alone: nothing but the name can be read */
    uint64_t revision; /* of the stored record; how lst_users_change() notices other changes */
};

/* Wipe the secrets and free what it owns (not the struct). */
void lst_user_release(struct lst_user *user);

/* folder: the data folder. It and the file are made if need be, unless read_only. */
LST_MUST_CHECK int lst_users_open(const char *folder, bool read_only, struct lst_users **ret_users);
void lst_users_close(struct lst_users *users);

/* Whether a sync has failed: see lst_index_has_failed(). */
bool lst_users_have_failed(const struct lst_users *users);

/* Say that all other indexes of the folder are there: see index/complete.h. */
LST_MUST_CHECK int lst_users_mark_complete(struct lst_users *users);

/* Changes whenever any process has changed any user; some nanoseconds. */
uint64_t lst_users_version(const struct lst_users *users);

/* Copies, to be released. LST_ERR_USER_NOT_FOUND. */
LST_MUST_CHECK int lst_users_find(struct lst_users *users, struct lst_slice name,
                                  struct lst_user *ret_user);
LST_MUST_CHECK int lst_users_find_key(struct lst_users *users, struct lst_slice access_key_id,
                                      struct lst_user *ret_user);

/* In the order of their names, those whose rows are damaged among them (is_damaged). A code other
 * than 0 from visit() ends it. */
LST_MUST_CHECK int lst_users_list(struct lst_users *users,
                                  int (*visit)(void *context, const struct lst_user *user),
                                  void *context);

/*
 * Add: name, keys[0] (if key_count is 1), policy are taken; canonical_id, display_name, created_ms
 * are filled in where they are empty. LST_ERR_USER_EXISTS, _KEY_ID_EXISTS, _POLICY;
 * LST_ERR_INVALID_ARGUMENT: the name (LST_ROOT_USER is taken), or a key that
 * lst_user_key_is_valid() refuses.
 */
LST_MUST_CHECK int lst_users_add(struct lst_users *users, struct lst_user *user);

/*
 * Replace a user's record by a changed copy of what lst_users_find() gave (same name).
 * LST_ERR_USER_NOT_FOUND, _KEY_ID_EXISTS, _POLICY, _INVALID_ARGUMENT as above, and LST_ERR_CONFLICT
 * if somebody changed it since it was found: find it again and repeat.
 */
LST_MUST_CHECK int lst_users_change(struct lst_users *users, const struct lst_user *user);

/* Revokes the user's tokens too: another user may get the name. A user whose row is damaged can be
 * removed as well. LST_ERR_USER_NOT_FOUND. LST_ERR_INVALID_ARGUMENT: the root user can't be
 * removed. */
LST_MUST_CHECK int lst_users_remove(struct lst_users *users, struct lst_slice name);

/*
 * Give the root user this key and no other; made if it is not there yet. Writes nothing if it is so
 * already. For the start of a server. LST_ERR_KEY_ID_EXISTS: another user has that access key id.
 * LST_ERR_INVALID_ARGUMENT: see lst_user_key_is_valid().
 */
LST_MUST_CHECK int lst_users_set_root(struct lst_users *users, const struct lst_user_key *key);

/* 1 to LST_USER_NAME_MAX of the characters above. */
bool lst_user_name_is_valid(struct lst_slice name);

/*
 * Access key id: 3 to LST_ACCESS_KEY_ID_MAX letters, digits and _ - . (what a credential scope can
 * hold). Secret: 8 to LST_SECRET_MAX printable ASCII characters, no spaces.
 */
bool lst_user_key_is_valid(const struct lst_user_key *key);

/*
 * Make up an access key id (20 characters, "LST" first) and a secret (40 characters) of AWS's
 * lengths. Letters and digits only: a secret with '/' or '+' in it breaks in too many hands.
 */
void lst_user_key_generate(struct lst_user_key *ret_key);

/* Whether its id looks like one of those. */
bool lst_user_key_is_generated(const struct lst_user_key *key);

#endif
