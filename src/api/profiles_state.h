/* profiles_state.h - what the profiles of a server are made of: for profiles*.c alone. */
#ifndef LST_API_PROFILES_STATE_H
#define LST_API_PROFILES_STATE_H

#include "api/profiles.h"

#include <pthread.h>
#include <stdatomic.h>

#define LST_PROFILES_CHAINS 64 /* of the cache's hash table */

/* A profile that is shared: by the cache, or the list of files, and by all who have found it. */
struct lst_snapshot {
    struct lst_profile profile; /* first: lst_profile_unref() is given its address */
    atomic_size_t references;
    uint64_t version; /* of the index, when the row was last seen to be this text */
    char *text;       /* the row; NULL of a file */
    size_t text_length;
    struct lst_snapshot *next; /* in the chain */
};

struct lst_profiles {
    struct lst_index *index;
    struct lst_snapshot **files; /* in the order of their names; not changed after the opening */
    size_t file_count;
    pthread_mutex_t lock; /* of the cache */
    struct lst_snapshot *chains[LST_PROFILES_CHAINS];
};

/* Read a profile; with one reference. is_row: keep the text, to see when it changes. Errors of
 * lst_profile_parse(). */
LST_MUST_CHECK int lst_snapshot_make(struct lst_slice text, struct lst_slice name, bool is_row,
                                     char problem[LST_PROBLEM_MAX],
                                     struct lst_snapshot **ret_snapshot);
void lst_snapshot_unref(struct lst_snapshot *snapshot);

/* Fill files. What was read before an error is there, to be released. */
LST_MUST_CHECK int lst_profiles_read_folder(struct lst_profiles *profiles, const char *folder,
                                            char problem[LST_PROBLEM_MAX]);

/* NULL: there is no such file. */
struct lst_snapshot *lst_profiles_find_file(const struct lst_profiles *profiles,
                                            struct lst_slice name);

#endif
