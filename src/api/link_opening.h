/*
 * link_opening.h - a short link on its way: what the files that open it have in common.
 *
 * In order: the link is found; whether it may be opened now is settled (link_check.c); a password
 * is asked for and checked (link_unlock.c); a use is counted where the store that has the object
 * can't (link_use.c); whoever opens it is sent on to the object, or shown a folder (link_folder.c).
 * GET never spends a use: chats, mail scanners and browsers fetch links before anybody has seen
 * them.
 */
#ifndef LST_API_LINK_OPENING_H
#define LST_API_LINK_OPENING_H

#include "api/link.h"

#define LST_LINK_ATTEMPTS 4 /* accounts on which a wrong password is counted */

/* What the other side reads. */
enum lst_link_reader {
    LST_LINK_PERSON,  /* a browser: pages */
    LST_LINK_PROGRAM, /* asks for JSON */
    LST_LINK_ANY,     /* says nothing: sentences, and pages where nothing else would do */
};

struct lst_link_attempt {
    char id[LST_LEDGER_ID_MAX + 1]; /* of the account */
    struct lst_reservation reservation;
    bool is_reserved; /* and not settled */
};

/* An exchange's work. */
struct lst_link_opening {
    struct lst_api_exchange *exchange;
    struct lst_link link;
    enum lst_link_reader reader;
    bool is_post;
    uint64_t used;     /* so often */
    bool is_kept_here; /* see lst_link_is_kept_here() */
    bool has_size;     /* the object is here, and is there */
    uint64_t size;     /* bytes */

    char password[LST_LEDGER_ID_MAX]; /* as it was given; wiped */
    size_t password_length;
    struct lst_link_attempt attempts[LST_LINK_ATTEMPTS];
    size_t attempt; /* the one that is under way */
    int status;     /* of what it waited for */

    struct lst_reservation use;
    struct lst_ledger *use_ledger; /* while that is to be settled there; else NULL */
};

/* Find the link that the exchange names, and everything that is known about it before anybody is
 * let in. NULL: it can't be opened now, and the exchange has been answered. */
struct lst_link_opening *lst_link_open(struct lst_api_exchange *exchange);

/* Is its object there? False: no, and the exchange has been answered. If there is a password, it is
 * asked only of those who know that. */
bool lst_link_check_object(struct lst_link_opening *opening);

/* POST: read the password, if the body has one. False: the exchange has been answered. */
bool lst_link_read_password(struct lst_link_opening *opening);

/* Check it; then go on: lst_link_enter(). Answers the exchange, now or later. */
void lst_link_unlock(struct lst_link_opening *opening);

/* Whoever is there may come in: redirect to the object, or show the folder. */
void lst_link_enter(struct lst_link_opening *opening);

/* Redirect to a freshly signed URL, and record that. POST: 303, or JSON. */
void lst_link_redirect(struct lst_link_opening *opening);

/* link_folder.c: list what is in the folder, or redirect to one of its files. */
void lst_link_folder(struct lst_link_opening *opening);

/* link_zip.c: send all files of the folder as one ZIP archive. */
void lst_link_zip(struct lst_link_opening *opening);

/* Is the query's `pass` one that lst_link_folder() has given out for this link, and not too old? */
bool lst_link_has_pass(const struct lst_link_opening *opening);

/* The ledger's account on which this link's uses are counted. */
struct lst_use lst_link_use_of(const struct lst_link_opening *opening);

/* Refuse, in whatever way the other side reads. text: a sentence, without an end of line. */
void lst_link_refuse(struct lst_api_exchange *exchange, int status, const char *code,
                     const char *text);

/* What the other side reads, from its Accept header. */
enum lst_link_reader lst_link_reader(struct lst_slice accept);

#endif
