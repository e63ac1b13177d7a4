/*
 * ticket.h - an upload's id, which says all that there is to know of it, so that nothing has to be
 * written when one is created.
 *
 * A ticket reads PROFILE~CREATED~EXPIRES~OWNER~USER~NONCE~MAC: times in seconds; for which client
 * it is, if it is for one alone; 8 bytes of an HMAC of the name of the user who signs; 12 drawn
 * bytes; and the first 16 bytes of HMAC-SHA256 over all that stands before them, bucket and key, in
 * base64url. It is the x-latch-id of the upload's URL, and kept with the object. The id that
 * callers see is the ticket, '~', and BUCKET/KEY in base64url.
 */
#ifndef LST_API_TICKET_H
#define LST_API_TICKET_H

#include "base/buffer.h"
#include "base/error.h"

#define LST_TICKET_SECRET_SIZE 32
#define LST_TICKET_MAX         256  /* bytes */
#define LST_TICKET_OWNER_MAX   16   /* bytes, of base64url */
#define LST_UPLOAD_ID_MAX      2048 /* bytes */

struct lst_ticket {
    struct lst_slice text;    /* the ticket; into the id */
    struct lst_slice profile; /* into the id */
    struct lst_slice owner;   /* likewise; empty: whoever may use the profile */
    struct lst_slice user;    /* whose key signs its URL: no one else's upload is this one */
    int64_t created;
    int64_t expires;
    char place[1024 + 256];  /* BUCKET/KEY */
    struct lst_slice bucket; /* into place */
    struct lst_slice key;
};

/* Append the id of a new upload, which is described by profile, owner, user, bucket, key, created
 * and expires; its first *ret_ticket_length bytes are the ticket. LST_ERR_NO_MEMORY, _TOO_LARGE: of
 * the buffer. */
LST_MUST_CHECK int lst_ticket_make(const uint8_t secret[LST_TICKET_SECRET_SIZE],
                                   const struct lst_ticket *upload, struct lst_buffer *id,
                                   size_t *ret_ticket_length);

/* Take an id apart. LST_ERR_NOT_FOUND: it is none that was made with this secret for this user.
 * user: valid as long as the ticket. */
LST_MUST_CHECK int lst_ticket_read(const uint8_t secret[LST_TICKET_SECRET_SIZE],
                                   struct lst_slice user, struct lst_slice id,
                                   struct lst_ticket *ret_ticket);

/* Take a ticket apart that was found at this bucket and key. LST_ERR_NOT_FOUND: it is none that was
 * made with this secret for them; LST_ERR_PERMISSION: it is one, of another user. */
LST_MUST_CHECK int lst_ticket_read_at(const uint8_t secret[LST_TICKET_SECRET_SIZE],
                                      struct lst_slice user, struct lst_slice ticket,
                                      struct lst_slice bucket, struct lst_slice key,
                                      struct lst_ticket *ret_ticket);

/* Append the upload's id. */
void lst_ticket_append_id(const struct lst_ticket *ticket, struct lst_buffer *out);

#endif
