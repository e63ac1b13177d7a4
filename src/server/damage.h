/* damage.h - what users are told of an index file that is damaged. */
#ifndef LST_SERVER_DAMAGE_H
#define LST_SERVER_DAMAGE_H

#include "base/buffer.h"
#include "base/error.h"

/* The names of the index files in a data folder; NULL ends them. */
extern const char *const lst_index_files[];

/* Whether FOLDER/NAME is damaged in a way that shows before it is opened, or is missing though it
 * was there (index/complete.h). This process must not have any index of the folder open. */
bool lst_damage_is_there(const char *folder, const char *name);

/* Whether the folder of bodies, FOLDER/blobs, is missing though there was one. As above. */
bool lst_damage_lacks_bodies(const char *folder);

/* Whether this is what an opening gives of a file that can't be used as it is: LST_ERR_CORRUPT,
 * LST_ERR_FORMAT. */
static inline bool lst_damage_is_meant(int status)
{
    return status == LST_ERR_CORRUPT || status == LST_ERR_FORMAT;
}

/* What such a status, or damage that is there before (LST_ERR_CORRUPT), means for FOLDER/NAME,
 * which may be "blobs", and what to do: a sentence or two. */
void lst_damage_text(const char *folder, const char *name, int status, struct lst_buffer *out);

#endif
