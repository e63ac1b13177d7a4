/*
 * tokens.h - bearer tokens: how an application's backend shows to the upload API who it is.
 *
 * A token reads lst_<id>_<secret>. It is made on the command line and kept with the users
 * (DIR/users.mdb); of the secret only its SHA-256 is stored, so it is shown once, when it is made.
 * What the API signs for its holder is signed with the key of the token's user, and may do what
 * that user may: a token dies with its user, and sleeps while the user is disabled.
 *
 * Times are seconds since 1970.
 */
#ifndef LST_GATE_TOKENS_H
#define LST_GATE_TOKENS_H

#include "gate/users.h"

#define LST_TOKEN_ID_LENGTH     16 /* a-z and 0-9 */
#define LST_TOKEN_SECRET_LENGTH 43 /* letters and digits: 256 bits */
#define LST_TOKEN_TEXT_LENGTH   (4 + LST_TOKEN_ID_LENGTH + 1 + LST_TOKEN_SECRET_LENGTH)
#define LST_TOKEN_NAME_MAX      LST_USER_NAME_MAX
#define LST_TOKEN_PROFILES_MAX  1024 /* bytes of names with commas between them */

/* What the holder may ask of the API. */
enum lst_may {
    LST_MAY_UPLOAD = 1,     /* make uploads, and look after them */
    LST_MAY_LINK = 2,       /* make links, look at its own, revoke them */
    LST_MAY_DELEGATE = 4,   /* make client tokens */
    LST_MAY_ADMINISTER = 8, /* everybody's links */
};

struct lst_token {
    char id[LST_TOKEN_ID_LENGTH + 1];
    char name[LST_TOKEN_NAME_MAX + 1]; /* as a user's; unique among those not revoked */
    uint8_t hash[32];                  /* SHA-256 of the secret. Whoever has it can make client
                                        * tokens: never to be shown, and wiped */
    unsigned may;                      /* bits of enum lst_may */
    char user[LST_USER_NAME_MAX + 1];  /* whose key signs */
    char profiles[LST_TOKEN_PROFILES_MAX + 1]; /* names with commas between them; empty: all */
    int64_t created;
    int64_t expires; /* the first second in which it is refused; 0: never */
    int64_t revoked; /* when; 0: it is not */
    bool is_damaged; /* shown by lst_tokens_list() alone: nothing but the id can be read */
};

/* The role of that name as bits of enum lst_may: upload (1), link (2), backend (7), admin (15).
 * 0: there is no such role. */
unsigned lst_token_role(struct lst_slice name);

/* The name of the role with just these rights; "-" if there is none. */
const char *lst_token_role_name(unsigned may);

/*
 * Make a token. name, may, user, profiles, created and expires are taken, all else is filled in.
 * ret_text, which no NUL ends: what the holder sends; wipe it. LST_ERR_EXISTS: a token has that
 * name; LST_ERR_USER_NOT_FOUND; LST_ERR_INVALID_ARGUMENT: the name (see lst_user_name_is_valid()),
 * or no right at all.
 */
LST_MUST_CHECK int lst_tokens_create(struct lst_users *users, struct lst_token *token,
                                     char ret_text[LST_TOKEN_TEXT_LENGTH]);

/* A copy, by id or by name (of those not revoked); wipe it. LST_ERR_NOT_FOUND. */
LST_MUST_CHECK int lst_tokens_find(struct lst_users *users, struct lst_slice id_or_name,
                                   struct lst_token *ret_token);

/* All, the revoked ones and those whose rows are damaged (is_damaged) too, in the order of their
 * ids. A code other than 0 from visit() ends it, and is returned. */
LST_MUST_CHECK int lst_tokens_list(struct lst_users *users,
                                   int (*visit)(void *context, const struct lst_token *token),
                                   void *context);

/*
 * Refuse the token, and every client token made from it, from the next request on, in every
 * process. The record stays; the name is free again. One that is revoked already keeps its time. Of
 * one whose row is damaged, which is refused anyway, the record goes (LST_ERR_CONFLICT: somebody
 * changed it at the same time).
 * LST_ERR_NOT_FOUND.
 */
LST_MUST_CHECK int lst_tokens_revoke(struct lst_users *users, struct lst_slice id_or_name,
                                     int64_t now);

/* The same of all tokens of the user, who need not be there. */
LST_MUST_CHECK int lst_tokens_revoke_of(struct lst_users *users, struct lst_slice user,
                                        int64_t now);

/* The id in a token's text (pointing into it); false if it is no such text. */
bool lst_token_id(struct lst_slice text, struct lst_slice *ret_id);

/* Is it this token's text? In constant time; text: one for which lst_token_id() was true. */
bool lst_token_fits(const struct lst_token *token, struct lst_slice text);

#endif
