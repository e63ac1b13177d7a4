/*
 * profiles.h - the profiles of a server: those that commands keep in the ledger's index, and those
 * of a folder of files.
 *
 * A row is the letter 'p' and the name, with the profile as JSON; what any process changes holds
 * for the next request. The files, NAME.json, are read once, when the profiles are opened; a file
 * hides the row of the same name.
 *
 * Threads: any may call anything.
 */
#ifndef LST_API_PROFILES_H
#define LST_API_PROFILES_H

#include "api/profile.h"
#include "index/index.h"

#define LST_PROFILES_FILES_MAX 1000

struct lst_profiles;

/*
 * index: the ledger's (lst_ledger_index()), the caller's until lst_profiles_close(). folder: NULL
 * or
 * "": none; in it, what does not end in ".json", or begins with a '.', is passed over. On failure
 * the problem says what is wrong, with the file's name: LST_ERR_MALFORMED: a profile is;
 * LST_ERR_NOT_FOUND, _PERMISSION, _IO: the folder or a file can't be read; LST_ERR_TOO_LARGE: more
 * than LST_PROFILES_FILES_MAX files; LST_ERR_NO_MEMORY.
 */
LST_MUST_CHECK int lst_profiles_open(struct lst_index *index, const char *folder,
                                     char problem[LST_PROBLEM_MAX],
                                     struct lst_profiles **ret_profiles);

/* NULL does nothing. Profiles that were found stay valid. */
void lst_profiles_close(struct lst_profiles *profiles);

/*
 * Find a profile as it is now. It stays as it is, valid, until lst_profile_unref(); it is shared,
 * do not keep it for long. Less than a microsecond while nothing in the index changes, a read from
 * the index else. LST_ERR_NOT_FOUND; LST_ERR_CORRUPT, _IO, _NO_MEMORY.
 */
LST_MUST_CHECK int lst_profiles_find(struct lst_profiles *profiles, struct lst_slice name,
                                     const struct lst_profile **ret_profile);

/* NULL does nothing. */
void lst_profile_unref(const struct lst_profile *profile);

/*
 * Store a profile in the index. LST_ERR_EXISTS: there is one of that name, and `replace` is false;
 * or it is a file's. Waits for the disk. LST_ERR_IO, _NO_SPACE, _NO_MEMORY, _CORRUPT, _PERMISSION.
 */
LST_MUST_CHECK int lst_profiles_add(struct lst_profiles *profiles,
                                    const struct lst_profile *profile, bool replace);

/* Remove one from the index. LST_ERR_NOT_FOUND: it is not there (files are not removed). Else as
 * lst_profiles_add(). */
LST_MUST_CHECK int lst_profiles_remove(struct lst_profiles *profiles, struct lst_slice name);

/*
 * Visit all, in the order of their names. A code other than 0 from visit() ends it and is the
 * result. visit() must be quick: the index is being read. LST_ERR_CORRUPT, _IO, _NO_MEMORY.
 */
typedef int lst_profiles_visit(void *context, const struct lst_profile *profile, bool is_file);
LST_MUST_CHECK int lst_profiles_list(struct lst_profiles *profiles, lst_profiles_visit *visit,
                                     void *context);

#endif
