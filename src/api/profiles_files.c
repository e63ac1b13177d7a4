/* profiles_files.c - the profiles in a folder of files. */
#include "api/profiles_state.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static int compare_files(const void *left, const void *right)
{
    const struct lst_snapshot *const *a = left;
    const struct lst_snapshot *const *b = right;

    return strcmp((*a)->profile.name, (*b)->profile.name);
}

struct lst_snapshot *lst_profiles_find_file(const struct lst_profiles *profiles,
                                            struct lst_slice name)
{
    for (size_t low = 0, high = profiles->file_count; low < high;) {
        size_t middle = low + (high - low) / 2;
        int order = lst_slice_compare(name, lst_slice_of(profiles->files[middle]->profile.name));

        if (order == 0) {
            return profiles->files[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

/* Of "NAME.json": NAME. Empty for files that are passed over. */
static struct lst_slice name_of_file(const char *file_name)
{
    static const struct lst_slice ending = {".json", 5};
    struct lst_slice name = lst_slice_of(file_name);

    if (name.length <= ending.length || name.bytes[0] == '.' ||
        !lst_slice_equal(lst_slice_after(name, name.length - ending.length), ending)) {
        return lst_slice_make("", 0);
    }
    return lst_slice_first(name, name.length - ending.length);
}

static int read_file(const char *path, struct lst_slice name, char problem[LST_PROBLEM_MAX],
                     struct lst_snapshot **ret_snapshot)
{
    char inside[LST_PROBLEM_MAX] = "";
    struct lst_buffer text;
    int status;

    lst_buffer_init(&text, LST_PROFILE_DOCUMENT_MAX);
    status = lst_file_read(path, &text);
    if (status == LST_OK) {
        status = lst_snapshot_make(lst_buffer_slice(&text), name, false, inside, ret_snapshot);
    }
    if (status != LST_OK) {
        lst_problem(problem, "%.300s: %s", path,
                    status == LST_ERR_MALFORMED ? inside : lst_error_text(status));
    }
    if (text.bytes != NULL) {
        lst_wipe(text.bytes, text.capacity);
    }
    lst_buffer_release(&text);
    return status;
}

static int add_file(struct lst_profiles *profiles, const char *folder, const char *file_name,
                    char problem[LST_PROBLEM_MAX])
{
    struct lst_slice name = name_of_file(file_name);
    struct lst_snapshot *snapshot = NULL;
    char *path;
    int status;

    if (name.length == 0) {
        return LST_OK;
    }
    if (profiles->file_count == LST_PROFILES_FILES_MAX) {
        lst_problem(problem, "%.300s: there are more than %d profiles in it", folder,
                    LST_PROFILES_FILES_MAX);
        return LST_ERR_TOO_LARGE;
    }
    if (asprintf(&path, "%s/%s", folder, file_name) < 0) {
        return LST_ERR_NO_MEMORY;
    }
    status = read_file(path, name, problem, &snapshot);
    free(path);
    if (status == LST_OK) {
        profiles->files[profiles->file_count++] = snapshot;
    }
    return status;
}

int lst_profiles_read_folder(struct lst_profiles *profiles, const char *folder,
                             char problem[LST_PROBLEM_MAX])
{
    DIR *directory = opendir(folder);
    int status = LST_OK;

    if (directory == NULL) {
        status = lst_error_from_errno(errno);
        lst_problem(problem, "%.300s: the folder of profiles can't be read: %s", folder,
                    lst_error_text(status));
        return status;
    }
    profiles->files = calloc(LST_PROFILES_FILES_MAX, sizeof(struct lst_snapshot *));
    if (profiles->files == NULL) {
        status = LST_ERR_NO_MEMORY;
    }
    while (status == LST_OK) {
        const struct dirent *entry;

        errno = 0;
        entry = readdir(directory); /* NOLINT(concurrency-mt-unsafe): a stream of our own */
        if (entry == NULL) {
            status = errno == 0 ? LST_OK : lst_error_from_errno(errno);
            break;
        }
        status = add_file(profiles, folder, entry->d_name, problem);
    }
    closedir(directory);
    if (status == LST_OK && profiles->file_count > 1) {
        qsort(profiles->files, profiles->file_count, sizeof(struct lst_snapshot *), compare_files);
    }
    return status;
}
