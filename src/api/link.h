/*
 * link.h - a link: one object, for one action, for a limited time, under limits that travel in its
 * URL, and a record of it by which it can be found and revoked.
 *
 * Rows of the ledger's index: 'l' and the id, with the link as JSON; 'o', the owner, NUL and the
 * id, with nothing, for the owner's list. Ids sort by the time when they were made. What became of
 * a link (uses, revocation) the ledger knows, under the user who signs it and its id.
 */
#ifndef LST_API_LINK_H
#define LST_API_LINK_H

#include "api/exchange.h"

#define LST_LINK_ID_LENGTH 24 /* a-z and 0-9: 8 for the time, 16 drawn (82 bits) */

struct lst_link {
    char id[LST_LINK_ID_LENGTH + 1];
    json_t *json; /* owned; the texts that follow are in it */
    struct lst_slice owner;
    struct lst_slice user; /* who signs */
    struct lst_slice
        user_id; /* his canonical id; empty: root, or a link from before there was this */
    struct lst_slice bucket;
    struct lst_slice key;
    struct lst_slice method;
    struct lst_slice ip;          /* as x-latch-ip; empty: from anywhere */
    struct lst_slice not_before;  /* as x-latch-not-before; empty: from the beginning */
    struct lst_slice remote;      /* where the object is; empty: here */
    struct lst_slice filename;    /* to save it under; empty: as it is */
    struct lst_slice disposition; /* "inline" or "attachment"; empty: as it is */
    struct lst_slice password;    /* hashed, see password.h; empty: none is needed */
    int64_t created;
    int64_t expires;  /* the first second in which it is refused */
    int64_t max_uses; /* 0: any number */
    int64_t stable;   /* seconds for which everybody gets the same URL; 0: each URL is fresh. Such
                       * a URL has no id, so it can neither be revoked nor counted */
    bool head;        /* HEAD too */
    bool folder;      /* the key is a prefix, and a page lists what is there */
};

#define LST_LINK_WINDOW_MIN 300 /* seconds: the least `stable` */

/* Seconds after it expired a link is forgotten: lists do not show it any more, and its short URL is
 * unknown instead of expired. */
#define LST_LINK_KEPT_SECONDS (30 * 24 * 60 * 60)

/*
 * Add to a sweep of the ledger the links that are to be forgotten at `now` (seconds): see struct
 * lst_ledger_hook. position: where the last call ended, at first all zero. Errors of the index,
 * LST_ERR_NO_MEMORY.
 */
LST_MUST_CHECK int lst_link_sweep(struct lst_index *index, int64_t now,
                                  char position[LST_LINK_ID_LENGTH + 1],
                                  struct lst_ledger_changes *more);

/* A new id. */
void lst_link_make_id(int64_t now_ms, char ret_id[LST_LINK_ID_LENGTH + 1]);

/* Read its row. LST_ERR_CORRUPT, _NO_MEMORY. To be released. */
LST_MUST_CHECK int lst_link_read(struct lst_link *link, struct lst_slice id, struct lst_slice row);

/* Find. LST_ERR_NOT_FOUND, or an index's errors. To be released. */
LST_MUST_CHECK int lst_link_find(const struct lst_api *api, struct lst_slice id,
                                 struct lst_link *ret_link);
void lst_link_release(struct lst_link *link);

/* Find the link that the exchange names, if the caller may see it. False: the exchange has been
 * answered. */
bool lst_link_find_own(struct lst_api_exchange *exchange, struct lst_link *ret_link);

/* Is the passage's user the one who signs it? Another may have got his name since he was removed.
 */
bool lst_link_is_signed_by(const struct lst_link *link, const struct lst_passage *passage);

/* Does only this server see to the link's limits, since its remote does not know them? Then there
 * is no URL but the short one. LST_ERR_NOT_FOUND: there is no such remote. */
LST_MUST_CHECK int lst_link_is_kept_here(const struct lst_api *api, const struct lst_link *link,
                                         bool *ret_is_kept);

/* What its user must be allowed to do if it is a folder. */
struct lst_access_question lst_link_listing_question(const struct lst_link *link);

/* Has it a URL besides the short one? A presigned URL would bypass a password, and a folder is no
 * object. */
bool lst_link_has_url(const struct lst_link *link, bool is_kept_here);

/* Append its URL, good for `life` seconds from `now` on. Errors of lst_api_sign(). */
LST_MUST_CHECK int lst_link_sign(const struct lst_api_exchange *exchange,
                                 const struct lst_bearer *bearer, const struct lst_link *link,
                                 int64_t now, int64_t life, struct lst_buffer *out);

/*
 * "active", "not_yet", "expired", "used" or "revoked". ret_summary: what the ledger knows, all zero
 * if that is nothing. Errors of lst_ledger_find(): nobody knows then whether the link is revoked,
 * so that it must be refused.
 */
LST_MUST_CHECK int lst_link_state(const struct lst_api *api, const struct lst_link *link,
                                  int64_t now, struct lst_ledger_summary *ret_summary,
                                  const char **ret_state);

#endif
