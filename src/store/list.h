/* list.h - inside the store: what all listings with prefix and delimiter share. */
#ifndef LST_STORE_LIST_H
#define LST_STORE_LIST_H

#include "store/state.h"

/* What is listed. */
struct lst_list_scope {
    struct lst_slice prefix;
    struct lst_slice delimiter; /* empty for none */
};

/* The common prefix that a key, which begins with the scope's, belongs to: up to the first
 * delimiter behind that; false if it has none. */
bool lst_list_common_prefix(const struct lst_list_scope *scope, struct lst_slice key,
                            struct lst_slice *ret_prefix);

/* Make a name the one that is greater than all that begin with it, and not greater than any behind
 * them. False: no row of this kind can be behind them. */
bool lst_list_pass(struct lst_row_name *name);

/* Where to begin among the rows of a kind, of which each key has one, to list what comes after this
 * key or common prefix. False: nothing can be listed. */
bool lst_list_start(const struct lst_list_scope *scope, char kind, struct lst_slice after,
                    struct lst_row_name *ret_start);

#endif
