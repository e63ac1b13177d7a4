/*
 * upload_note.h - what an upload's id does not say of it: variables and metadata, which come back
 * in its status and in webhooks; the plan of an upload in parts, and where its parts are; and that
 * it has to be approved, in case its profile is gone when it comes.
 *
 * A note is written, in the batch that also keeps an Idempotency-Key's answer, only if there is
 * something to note. It is kept until LST_UPLOAD_NOTE_SECONDS after the upload has expired. Rows:
 * 'v' and the ticket, with JSON; and 'w', the second until which it is kept (12 digits) and the
 * ticket, for the sweep.
 */
#ifndef LST_API_UPLOAD_NOTE_H
#define LST_API_UPLOAD_NOTE_H

#include "api/fields.h"
#include "api/upload.h"
#include "store/changes.h"
#include "store/upload.h"

#define LST_UPLOAD_METADATA_MAX 4096           /* bytes of JSON */
#define LST_UPLOAD_NOTE_SECONDS (24 * 60 * 60) /* after the upload has expired */

/* Metadata are texts, and few. */
void lst_upload_note_check(struct lst_fields *fields, json_t *metadata);

/* Add the rows of a prepared upload's note to a batch, if it has any. LST_ERR_NO_MEMORY. */
LST_MUST_CHECK int lst_upload_note_add(const struct lst_upload *upload,
                                       struct lst_changes *changes);

/* The note of a ticket, a new reference; NULL if there is none. Errors of the index;
 * LST_ERR_CORRUPT. */
LST_MUST_CHECK int lst_upload_note_find(struct lst_index *index, struct lst_slice ticket,
                                        json_t **ret_note);

/* Copy from a note (NULL: none) what callers and webhooks see of it. As lst_api_json_set(). */
void lst_upload_note_show(json_t *note, json_t **json);

/* A number that is in a note; otherwise what to take. */
int64_t lst_upload_note_number(const json_t *note, const char *name, int64_t otherwise);

/* Let go of an upload in parts, in the store, without waiting for it. Errors of
 * lst_upload_abort(); LST_ERR_NO_MEMORY. */
LST_MUST_CHECK int lst_upload_note_give_up(struct lst_store *store,
                                           const struct lst_upload_name *name);

/*
 * Add to a sweep of the ledger the notes that were kept long enough at `now` (seconds): see struct
 * lst_ledger_hook. An upload in parts that nobody has completed by then is given up, in the store:
 * its URLs have long expired. A note whose parts can't be given up stays. Each call looks at some
 * notes, and goes on where the one before stopped, so that those that stay don't hide the others:
 * position is the caller's to keep, all zero at first. Errors of the index, LST_ERR_NO_MEMORY.
 */
LST_MUST_CHECK int lst_upload_note_sweep(struct lst_index *index, struct lst_store *store,
                                         int64_t now, struct lst_note_position *position,
                                         struct lst_ledger_changes *more);

#endif
