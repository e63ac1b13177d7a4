/*
 * upload.h - an upload on its way: what is asked for, held against its profile, and what the client
 * is to send.
 *
 * Whoever makes one (POST uploads, and what Uppy calls) fills in what was asked for, prepares it,
 * and then takes the URL or the form.
 */
#ifndef LST_API_UPLOAD_H
#define LST_API_UPLOAD_H

#include "api/profiles.h"
#include "api/remote.h"
#include "api/ticket.h"
#include "api/upload_object.h"
#include "api/uploads.h"

#define LST_UPLOAD_FILENAME_MAX 1024 /* bytes */
#define LST_UPLOAD_TYPE_MAX     255
#define LST_UPLOAD_LIMITS_MAX   4

struct lst_upload {
    /* What is asked for: the caller's, and kept until the release. */
    struct lst_slice profile_name;
    struct lst_slice filename; /* empty: not told */
    struct lst_slice type;     /* likewise */
    int64_t size;              /* bytes; -1: not told */
    json_t *variables;         /* an object; NULL: none */
    json_t *metadata;          /* an object of texts, to be shown again; NULL: none */
    bool type_comes_later;     /* the client tells it with the file: any that the profile allows */
    int64_t life;              /* seconds that it is open; 0: as long as a URL of the profile */

    /* What comes of it. */
    const struct lst_profile *profile;
    struct lst_remote *remote; /* NULL: it goes into this server's store */
    struct lst_buffer key;
    struct lst_buffer id;
    size_t ticket_length; /* the id's first bytes are the ticket */
    json_t *merged;       /* owned: the variables, with those of a client token */
    int64_t part_size;    /* of an upload in parts that follows a plan: api/multipart.h; 0: none */
    int64_t part_count;
    bool is_in_parts;          /* the caller's: what there is of it is to be removed in the end */
    struct lst_slice store_id; /* of an upload in parts, once it is created: the store's; the
                                * caller's memory. Empty: its client creates it, perhaps often */
    int64_t created;
    int64_t expires;
};

/* The x-latch- parameters of an upload's URL or form; they point into this struct, into the upload
 * and into its profile. */
struct lst_upload_limits {
    struct lst_field fields[LST_UPLOAD_LIMITS_MAX];
    size_t count;
    char length[48];
};

/* Nothing asked for yet. */
void lst_upload_init(struct lst_upload *upload, int64_t now);
void lst_upload_release(struct lst_upload *upload);

/*
 * Find the profile, hold what is asked for against it, make the key, ask whether the caller's user
 * may write there, and make the id. False: no; the exchange has been answered. Nothing is written.
 */
bool lst_upload_prepare(struct lst_api_exchange *exchange, struct lst_upload *upload);

/* May the caller go on with this upload? It must be of a profile that he may use; and if it was
 * made with a client's token, that must have been for the same user and variables as his. */
bool lst_upload_is_own(const struct lst_api_exchange *exchange, const struct lst_ticket *ticket);

/* Seconds that a URL for an upload of this profile lives, at most. */
int64_t lst_upload_url_life(const struct lst_api_exchange *exchange,
                            const struct lst_profile *profile);

/* Will the place where it goes enforce x-latch- constraints? */
bool lst_upload_is_constrained(const struct lst_upload *upload);

/* Add to an answer what of the profile the remote will not see to, if it does not see to all of it.
 * As lst_api_json_set(). */
void lst_upload_tell_not_enforced(const struct lst_upload *upload, bool is_form, json_t **json);

/* What its URL says that the store must see to. */
void lst_upload_limit(const struct lst_upload *upload, struct lst_upload_limits *ret_limits);

/* Answer with status 201 or 200 and the JSON, whose reference it takes, once what is to be noted of
 * the upload (api/upload_note.h) is durable. As lst_idempotency_answer(). */
void lst_upload_answer(struct lst_api_exchange *exchange, const struct lst_upload *upload,
                       int status, json_t *json);

/* {"method":"PUT", "url", "headers", "expires_at"}. NULL: it can't be made. */
json_t *lst_upload_put(const struct lst_api_exchange *exchange, const struct lst_upload *upload);

/* {"method":"POST", "url", "fields", "expires_at"}: a form as POST Object has it (Amazon S3 API
 * Reference, "Browser-Based Uploads Using POST"); the file comes last, in the field "file". The url
 * ends in '/'. NULL: it can't be made. */
json_t *lst_upload_form(const struct lst_api_exchange *exchange, const struct lst_upload *upload);

/* ---- What came of it */

/* Answer with the state of an upload. uploaded: of one that is complete; is_there: its object is
 * still the upload's own, and may be fetched; reason: why it was refused, or "". remote: where it
 * is; NULL: here. */
void lst_uploads_answer(struct lst_api_exchange *exchange, const struct lst_ticket *ticket,
                        const char *state, const struct lst_uploaded *uploaded, bool is_there,
                        const char *reason, const struct lst_remote *remote);

/* "pending", or "expired": of an upload that has not come. */
const char *lst_uploads_open_state(const struct lst_api_exchange *exchange,
                                   const struct lst_ticket *ticket);

/* Ask the remote of this name for the upload of exchange->name, and answer. */
void lst_uploads_ask_remote(struct lst_api_exchange *exchange, struct lst_slice name);

#endif
