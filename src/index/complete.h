/*
 * complete.h - the indexes of a data folder, which belong together.
 *
 * An index that is opened for writing is made if it is not there. If it was there and somebody lost
 * it, that must not happen: without the users nobody could sign any more, and without the ledger
 * links that are used up would work again. So when a server has all of its indexes open, each of
 * them gets a mark that says so. One that is missing beside another with the mark was lost.
 */
#ifndef LST_INDEX_COMPLETE_H
#define LST_INDEX_COMPLETE_H

#include "index/index.h"

/* Put the mark, unless it is there: one row, in a partition that nobody else uses. All indexes of
 * the folder must have been opened. A full disk is no failure; the next start tries again. Codes of
 * lst_index_apply() and lst_index_read_begin(). */
LST_MUST_CHECK int lst_index_mark_complete(struct lst_index *index);

/* Whether the index in this file has the mark. Opens it for reading, so this process must not have
 * it open. False also if it is not there, or can't be read. */
bool lst_index_is_complete(const char *path);

#endif
