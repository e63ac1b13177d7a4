/*
 * usage.h - inside the store: how much is in a bucket.
 *
 * A row of each range (LST_ROW_USAGE) says it. Each batch that puts or removes a row that counts
 * adds to it (lst_changes_count()), so it is true at every moment, after every power cut too.
 */
#ifndef LST_STORE_USAGE_H
#define LST_STORE_USAGE_H

#include "store/state.h"

/* What the rows say together; all 0 if there is none yet. LST_ERR_CORRUPT. */
LST_MUST_CHECK int lst_usage_read(struct lst_index_reader *reader, uint64_t partition,
                                  struct lst_usage *ret_usage);

/* Count the rows themselves, of the routes from one on, and less than another (NULL: to the end);
 * as long as it takes. They were such at one moment if no batch changed them meanwhile
 * (LST_USAGE_CHANGES, which is not counted). LST_ERR_CORRUPT: there is a damaged row among them. */
LST_MUST_CHECK int lst_usage_count(struct lst_index_reader *reader, uint64_t partition,
                                   struct lst_slice from, const struct lst_slice *to,
                                   struct lst_usage *ret_usage);

#endif
