/*
 * user_record.h - a user as the bytes of one index value, and back. Internal to this folder.
 *
 * 16 hex digits of the revision, a line feed, and a JSON object: docs/on-disk-format.md. The
 * revision is random and new with every write, so that a write can require it unchanged.
 */
#ifndef LST_GATE_USER_RECORD_H
#define LST_GATE_USER_RECORD_H

#include "gate/users.h"

enum { LST_USER_REVISION_LENGTH = 16 };

/* The revision as it stands at the front of the record. */
void lst_user_revision_text(uint64_t revision, char ret_text[LST_USER_REVISION_LENGTH]);

/* Append the record. It holds secrets: wipe the buffer. LST_ERR_NO_MEMORY, _TOO_LARGE. */
LST_MUST_CHECK int lst_user_record_write(const struct lst_user *user, struct lst_buffer *buffer);

/* Read a record. LST_ERR_CORRUPT, _NO_MEMORY. */
LST_MUST_CHECK int lst_user_record_read(struct lst_slice name, struct lst_slice record,
                                        struct lst_user *ret_user);

#endif
