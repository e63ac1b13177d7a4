/* damage.c - what users are told of an index file that is damaged. */
#include "server/damage.h"

#include "index/complete.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

const char *const lst_index_files[] = {"index.mdb", "ledger.mdb", "users.mdb", NULL};

/* Whether this file is not there, and another one of the folder says that it was. */
static bool is_lost(const char *folder, const char *name)
{
    bool found = false;

    for (size_t i = 0; lst_index_files[i] != NULL && !found; i++) {
        char *path;
        if (strcmp(lst_index_files[i], name) != 0 &&
            asprintf(&path, "%s/%s", folder, lst_index_files[i]) >= 0) {
            found = lst_index_is_complete(path);
            free(path);
        }
    }
    return found;
}

static int examine(const char *folder, const char *name, char text[LST_INDEX_DAMAGE_MAX])
{
    char *path;
    int status;

    if (asprintf(&path, "%s/%s", folder, name) < 0) {
        return LST_ERR_NO_MEMORY;
    }
    status = lst_index_examine(path, text);
    free(path);
    return status;
}

bool lst_damage_lacks_bodies(const char *folder)
{
    struct stat about;
    char *bodies;
    char *index;
    bool lacks = false;

    if (asprintf(&bodies, "%s/blobs", folder) < 0) {
        return false; /* opening it will say what is wrong */
    }
    if (stat(bodies, &about) != 0 && errno == ENOENT &&
        asprintf(&index, "%s/index.mdb", folder) >= 0) {
        lacks = lst_index_is_complete(index);
        free(index);
    }
    free(bodies);
    return lacks;
}

bool lst_damage_is_there(const char *folder, const char *name)
{
    char text[LST_INDEX_DAMAGE_MAX];
    int status = examine(folder, name, text);

    return status == LST_ERR_CORRUPT || (status == LST_ERR_NOT_FOUND && is_lost(folder, name));
}

static void add_format(const char *folder, const char *name, struct lst_buffer *out)
{
    lst_buffer_append_format(
        out,
        "%s/%s was written by another version of Latchstring, in a format that "
        "this one does not read. Nothing was changed. Go on with that "
        "version, or see docs/operations.md, \"A folder of another version\"",
        folder, name);
}

void lst_damage_text(const char *folder, const char *name, int status, struct lst_buffer *out)
{
    char text[LST_INDEX_DAMAGE_MAX];

    if (status == LST_ERR_FORMAT) {
        add_format(folder, name, out);
        return;
    }
    status = examine(folder, name, text);
    if (status == LST_ERR_NOT_FOUND && (strcmp(name, "blobs") == 0 || is_lost(folder, name))) {
        lst_buffer_append_format(out,
                                 "%s/%s is missing, and it was there before: restore the data "
                                 "folder from a backup. Without one, see docs/operations.md, \"A "
                                 "file that is missing\"",
                                 folder, name);
        return;
    }
    lst_buffer_append_format(out, "%s/%s is damaged: it ", folder, name);
    if (status == LST_ERR_CORRUPT) {
        lst_buffer_append_string(out, text);
    } else if (status == LST_ERR_NOT_FOUND) {
        lst_buffer_append_format(out, "is missing, and there are bodies in %s/blobs", folder);
    } else {
        lst_buffer_append_string(out, "is not what Latchstring writes");
    }
    lst_buffer_append_string(out, ". Keep it, and restore the data folder from a backup: see "
                                  "docs/operations.md, \"A damaged data folder\"");
}
