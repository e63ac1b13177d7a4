/*
 * ledger_row.h - the rows of the ledger as bytes, and back. Internal to this folder.
 *
 * docs/on-disk-format.md, "ledger.mdb", is the specification. An id is always meant together with
 * its user: the "name" of both is user, a byte 0, id.
 */
#ifndef LST_GATE_LEDGER_ROW_H
#define LST_GATE_LEDGER_ROW_H

#include "gate/ledger.h"
#include "gate/users.h"

#define LST_LEDGER_NAME_MAX     (LST_USER_NAME_MAX + 1 + LST_LEDGER_ID_MAX)
#define LST_LEDGER_KEY_MAX      (1 + LST_LEDGER_NAME_MAX + 1 + 8)
#define LST_LEDGER_STATE_LENGTH (8 + 1 + 12 * 8)
#define LST_LEDGER_USE_MAX      (1 + 7 * 8 + 2 + 1 + 7 * 2 + 16 + 255 + 1024 + 64 + 128 + 256 + 512)

enum lst_ledger_row_kind {
    LST_LEDGER_ROW_ID = 'U',         /* name: the state of an id */
    LST_LEDGER_ROW_USE = 'N',        /* name, 0, slot (1): one of the last uses */
    LST_LEDGER_ROW_OPEN = 'O',       /* name, 0, sequence (8): a write that is not settled */
    LST_LEDGER_ROW_EXPIRY = 'X',     /* expires_ms (8), name: empty */
    LST_LEDGER_ROW_REVOKED = 'L',    /* generation (8): the name that was revoked then */
    LST_LEDGER_ROW_GENERATION = 'G', /* nothing: the last generation (8) */
    LST_LEDGER_ROW_FORGOTTEN = 'F',  /* nothing: ms (8) up to which counts may have been swept */
};

struct lst_ledger_key {
    size_t length;
    char bytes[LST_LEDGER_KEY_MAX];
};

static inline struct lst_slice lst_ledger_key_slice(const struct lst_ledger_key *key)
{
    return lst_slice_make(key->bytes, key->length);
}

/* The state of an id: the value of its row. */
struct lst_ledger_state {
    uint64_t revision; /* random, of each write: a row that begins with it has not changed since */
    struct lst_ledger_summary summary;
    uint64_t sequence;   /* the last that was given to a reservation */
    uint64_t recorded;   /* uses that were ever put into the slots */
    uint64_t generation; /* of its revocation; 0: not revoked */
};

/* user is a user's name and id 1 to LST_LEDGER_ID_MAX printable ASCII characters. */
bool lst_ledger_name_is_valid(struct lst_slice user, struct lst_slice id);

/* The name of a valid user and id. */
void lst_ledger_name(struct lst_slice user, struct lst_slice id, struct lst_ledger_key *ret_name);

/* Take a name apart. False if it is none. */
bool lst_ledger_name_split(struct lst_slice name, struct lst_slice *ret_user,
                           struct lst_slice *ret_id);

/* Keys of the kinds above; number is the slot, sequence, time or generation, where there is one. */
void lst_ledger_row_key(enum lst_ledger_row_kind kind, struct lst_slice name, uint64_t number,
                        struct lst_ledger_key *ret_key);

void lst_ledger_number_write(uint64_t number, char ret_bytes[8]);
uint64_t lst_ledger_number_read(const char bytes[8]);

void lst_ledger_state_write(const struct lst_ledger_state *state,
                            char ret_bytes[LST_LEDGER_STATE_LENGTH]);

/* LST_ERR_CORRUPT. */
LST_MUST_CHECK int lst_ledger_state_read(struct lst_slice row, struct lst_ledger_state *ret_state);

/* Cuts what is too long. Gives the length. order: which of the recorded uses it is, from 0 on. */
size_t lst_ledger_use_write(const struct lst_use_outcome *outcome, uint64_t order,
                            char ret_bytes[LST_LEDGER_USE_MAX]);

/* The outcome's texts point into the row; its user and id are left empty. LST_ERR_CORRUPT. */
LST_MUST_CHECK int lst_ledger_use_read(struct lst_slice row, struct lst_use_outcome *ret_outcome,
                                       uint64_t *ret_order);

/* Bring an outcome into the bounds of a row: texts are cut, numbers that no row has become 0. */
void lst_ledger_use_cut(struct lst_use_outcome *outcome);

#endif
