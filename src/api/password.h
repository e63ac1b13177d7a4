/*
 * password.h - passwords of links, kept as yescrypt hashes (crypt(5)): salted, slow, and hungry for
 * memory on purpose.
 *
 * One hashing takes some tens of milliseconds and 16 MiB, so two at a time are made; others wait.
 * It is done on a thread that may wait, between lst_password_enter() and lst_password_leave(),
 * which bound how many such threads there are.
 */
#ifndef LST_API_PASSWORD_H
#define LST_API_PASSWORD_H

#include "base/error.h"
#include "base/slice.h"

#define LST_PASSWORD_HASH_MAX    383 /* bytes of a hash, as text */
#define LST_PASSWORD_AT_ONCE_MAX 2   /* hashings, in the process */
#define LST_PASSWORD_WAITING_MAX 32  /* threads that hash, or wait for that */
#define LST_PASSWORD_MAKING_MAX                                                                    \
    4 /* the same when a new password is to be hashed: who opens a                                 \
       * link goes before who makes many */

/* False: `most` are under way, the caller should come again later. From any thread. */
LST_MUST_CHECK bool lst_password_enter(int most);
void lst_password_leave(void);

/* Hash. The password has 1 to 511 bytes, none of them NUL. Ends in NUL. LST_ERR_INVALID_ARGUMENT,
 * _NO_MEMORY, _IO (no random bytes). */
LST_MUST_CHECK int lst_password_hash(struct lst_slice password,
                                     char ret_hash[LST_PASSWORD_HASH_MAX + 1]);

/* Is it the password that was hashed? Compared in constant time. LST_OK, LST_REFUSED_SIGNATURE if
 * it is another one; errors as above. */
LST_MUST_CHECK int lst_password_check(struct lst_slice password, struct lst_slice hash);

#endif
