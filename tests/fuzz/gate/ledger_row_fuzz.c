/* ledger_row_fuzz.c - rows of the ledger: any bytes are read or refused; what is read is written
 * back as it was. */
#include "gate/ledger_row.h"

#include <stdlib.h>

static void check(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void try_state(struct lst_slice row)
{
    char again[LST_LEDGER_STATE_LENGTH];
    struct lst_ledger_state state;

    if (lst_ledger_state_read(row, &state) == LST_OK) {
        lst_ledger_state_write(&state, again);
        check(lst_slice_equal(row, lst_slice_make(again, sizeof(again))));
    }
}

static void try_use(struct lst_slice row)
{
    char again[LST_LEDGER_USE_MAX];
    struct lst_use_outcome outcome;
    uint64_t order;

    if (lst_ledger_use_read(row, &outcome, &order) == LST_OK) {
        size_t length = lst_ledger_use_write(&outcome, order, again);
        check(lst_slice_equal(row, lst_slice_make(again, length)));
    }
}

static void try_name(struct lst_slice row)
{
    struct lst_ledger_key name;
    struct lst_slice user;
    struct lst_slice id;

    if (lst_ledger_name_split(row, &user, &id)) {
        lst_ledger_name(user, id, &name);
        check(lst_slice_equal(row, lst_ledger_key_slice(&name)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct lst_slice row = lst_slice_make(bytes, length);

    try_state(row);
    try_use(row);
    try_name(row);
    return 0;
}
