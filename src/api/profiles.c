/* profiles.c - the profiles of a server: rows of the ledger's index, and files. */
#include "api/profiles.h"
#include "access/json.h"

#include "api/profiles_state.h"
#include "gate/ledger.h"

#include <stdlib.h>

enum { KEY_MAX = 1 + LST_PROFILE_NAME_MAX };

void lst_snapshot_unref(struct lst_snapshot *snapshot)
{
    if (snapshot == NULL || atomic_fetch_sub(&snapshot->references, 1) != 1) {
        return;
    }
    lst_profile_release(&snapshot->profile);
    if (snapshot->text != NULL) {
        lst_wipe(snapshot->text, snapshot->text_length);
        free(snapshot->text);
    }
    free(snapshot);
}

void lst_profile_unref(const struct lst_profile *profile)
{
    lst_snapshot_unref((struct lst_snapshot *)profile);
}

int lst_snapshot_make(struct lst_slice text, struct lst_slice name, bool is_row,
                      char problem[LST_PROBLEM_MAX], struct lst_snapshot **ret_snapshot)
{
    struct lst_snapshot *snapshot = calloc(1, sizeof(*snapshot));
    int status;

    if (snapshot == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    atomic_init(&snapshot->references, 1);
    status = lst_profile_parse(text, name, problem, &snapshot->profile);
    if (status == LST_OK && is_row) {
        snapshot->text = lst_slice_to_string(text);
        snapshot->text_length = text.length;
        status = snapshot->text != NULL ? LST_OK : LST_ERR_NO_MEMORY;
    }
    if (status != LST_OK) {
        lst_snapshot_unref(snapshot);
        return status;
    }
    *ret_snapshot = snapshot;
    return LST_OK;
}

int lst_profiles_open(struct lst_index *index, const char *folder, char problem[LST_PROBLEM_MAX],
                      struct lst_profiles **ret_profiles)
{
    struct lst_profiles *profiles = calloc(1, sizeof(*profiles));
    int status = LST_OK;

    problem[0] = '\0';
    if (profiles == NULL) {
        lst_problem(problem, "%s", lst_error_text(LST_ERR_NO_MEMORY));
        return LST_ERR_NO_MEMORY;
    }
    profiles->index = index;
    pthread_mutex_init(&profiles->lock, NULL);
    if (folder != NULL && folder[0] != '\0') {
        status = lst_profiles_read_folder(profiles, folder, problem);
    }
    if (status == LST_OK) {
        *ret_profiles = profiles;
        return LST_OK;
    }
    if (problem[0] == '\0') {
        lst_problem(problem, "%.300s: %s", folder, lst_error_text(status));
    }
    lst_profiles_close(profiles);
    return status;
}

void lst_profiles_close(struct lst_profiles *profiles)
{
    if (profiles == NULL) {
        return;
    }
    for (size_t i = 0; i < profiles->file_count; i++) {
        lst_snapshot_unref(profiles->files[i]);
    }
    free(profiles->files);
    for (size_t i = 0; i < LST_PROFILES_CHAINS; i++) {
        while (profiles->chains[i] != NULL) {
            struct lst_snapshot *snapshot = profiles->chains[i];

            profiles->chains[i] = snapshot->next;
            lst_snapshot_unref(snapshot);
        }
    }
    pthread_mutex_destroy(&profiles->lock);
    free(profiles);
}

/* ---- Rows */

static struct lst_slice make_key(struct lst_slice name, char key[KEY_MAX])
{
    key[0] = 'p';
    memcpy(key + 1, name.bytes, name.length);
    return lst_slice_make(key, 1 + name.length);
}

/* Where the cache has, or would have, the profile of this name. */
static struct lst_snapshot **find_link(struct lst_profiles *profiles, struct lst_slice name)
{
    struct lst_snapshot **link;
    uint32_t hash = 0;

    for (size_t i = 0; i < name.length; i++) {
        hash = hash * 31 + (unsigned char)name.bytes[i];
    }
    link = &profiles->chains[hash % LST_PROFILES_CHAINS];
    while (*link != NULL && !lst_slice_equal(lst_slice_of((*link)->profile.name), name)) {
        link = &(*link)->next;
    }
    return link;
}

/* Put a snapshot, or none, into the place of the one that the cache has. */
static void exchange(struct lst_snapshot **link, struct lst_snapshot *snapshot)
{
    struct lst_snapshot *old = *link;
    struct lst_snapshot *next = old == NULL ? NULL : old->next;

    if (snapshot != NULL) {
        snapshot->next = next;
        *link = snapshot;
    } else {
        *link = next;
    }
    lst_snapshot_unref(old);
}

static int take_row(struct lst_snapshot **link, struct lst_slice name, struct lst_slice text)
{
    char problem[LST_PROBLEM_MAX];
    struct lst_snapshot *snapshot;
    int status;

    if (*link != NULL &&
        lst_slice_equal(text, lst_slice_make((*link)->text, (*link)->text_length))) {
        return LST_OK;
    }
    status = lst_snapshot_make(text, name, true, problem, &snapshot);
    if (status == LST_OK) {
        exchange(link, snapshot);
    }
    return status == LST_ERR_MALFORMED ? LST_ERR_CORRUPT : status;
}

/* Let the cache have what the index has, or nothing. */
static int refresh(struct lst_profiles *profiles, struct lst_snapshot **link, struct lst_slice name,
                   uint64_t version)
{
    struct lst_index_reader *reader;
    struct lst_slice text;
    char key[KEY_MAX];
    int status = lst_index_read_begin(profiles->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    status = lst_index_get(reader, LST_LEDGER_PARTITION, make_key(name, key), &text);
    if (status == LST_OK) {
        status = take_row(link, name, text);
    } else if (status == LST_ERR_NOT_FOUND && *link != NULL) {
        exchange(link, NULL);
    }
    lst_index_read_end(reader);
    if (status == LST_OK) {
        (*link)->version = version;
    }
    return status;
}

int lst_profiles_find(struct lst_profiles *profiles, struct lst_slice name,
                      const struct lst_profile **ret_profile)
{
    struct lst_snapshot *snapshot;
    struct lst_snapshot **link;
    uint64_t version;
    int status = LST_OK;

    if (!lst_profile_name_is_valid(name)) {
        return LST_ERR_NOT_FOUND;
    }
    snapshot = lst_profiles_find_file(profiles, name);
    if (snapshot != NULL) {
        atomic_fetch_add(&snapshot->references, 1);
        *ret_profile = &snapshot->profile;
        return LST_OK;
    }
    pthread_mutex_lock(&profiles->lock);
    version = lst_index_version(profiles->index, LST_LEDGER_PARTITION);
    link = find_link(profiles, name);
    if (*link == NULL || (*link)->version != version) {
        status = refresh(profiles, link, name, version);
    }
    if (status == LST_OK) {
        atomic_fetch_add(&(*link)->references, 1);
        *ret_profile = &(*link)->profile;
    }
    pthread_mutex_unlock(&profiles->lock);
    return status;
}

int lst_profiles_add(struct lst_profiles *profiles, const struct lst_profile *profile, bool replace)
{
    struct lst_slice name = lst_slice_of(profile->name);
    struct lst_index_change changes[2];
    char key[KEY_MAX];
    json_t *json;
    char *text;
    int status;

    if (lst_profiles_find_file(profiles, name) != NULL) {
        return LST_ERR_EXISTS;
    }
    json = lst_profile_to_json(profile, true);
    text = lst_json_dump(json, JSON_COMPACT);
    json_decref(json);
    if (text == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    changes[0] = (struct lst_index_change){
        .kind = LST_INDEX_PUT, .key = make_key(name, key), .value = lst_slice_of(text)};
    changes[1] = (struct lst_index_change){.kind = LST_INDEX_REQUIRE_ABSENT, .key = changes[0].key};
    status = lst_index_apply(profiles->index, LST_LEDGER_PARTITION, changes, replace ? 1 : 2);
    lst_wipe(text, strlen(text));
    free(text);
    return status;
}

int lst_profiles_remove(struct lst_profiles *profiles, struct lst_slice name)
{
    struct lst_index_change changes[2];
    char key[KEY_MAX];

    if (!lst_profile_name_is_valid(name)) {
        return LST_ERR_NOT_FOUND;
    }
    changes[0] =
        (struct lst_index_change){.kind = LST_INDEX_REQUIRE_PRESENT, .key = make_key(name, key)};
    changes[1] = (struct lst_index_change){.kind = LST_INDEX_DELETE, .key = changes[0].key};
    return lst_index_apply(profiles->index, LST_LEDGER_PARTITION, changes, 2);
}

/* ---- All */

struct listing {
    const struct lst_profiles *profiles;
    lst_profiles_visit *visit;
    void *context;
    size_t next_file;
};

/* Visit the files before this name; of that name too, if there is one, which hides the row. */
static int visit_files(struct listing *listing, const char *name, bool *ret_is_hidden)
{
    const struct lst_profiles *profiles = listing->profiles;

    while (listing->next_file < profiles->file_count) {
        const struct lst_profile *profile = &profiles->files[listing->next_file]->profile;
        int order = name == NULL ? -1 : strcmp(profile->name, name);
        int status;

        if (order > 0) {
            break;
        }
        *ret_is_hidden = order == 0;
        listing->next_file++;
        status = listing->visit(listing->context, profile, true);
        if (status != LST_OK) {
            return status;
        }
    }
    return LST_OK;
}

static int visit_row(struct listing *listing, struct lst_slice name, struct lst_slice text)
{
    char problem[LST_PROBLEM_MAX];
    struct lst_profile profile;
    bool is_hidden = false;
    int status = lst_profile_parse(text, name, problem, &profile);

    if (status != LST_OK) {
        return status == LST_ERR_MALFORMED ? LST_ERR_CORRUPT : status;
    }
    status = visit_files(listing, profile.name, &is_hidden);
    if (status == LST_OK && !is_hidden) {
        status = listing->visit(listing->context, &profile, false);
    }
    lst_profile_release(&profile);
    return status;
}

int lst_profiles_list(struct lst_profiles *profiles, lst_profiles_visit *visit, void *context)
{
    struct listing listing = {.profiles = profiles, .visit = visit, .context = context};
    struct lst_index_reader *reader;
    struct lst_slice key;
    struct lst_slice text;
    bool is_hidden;
    int found;
    int status = lst_index_read_begin(profiles->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    found = lst_index_seek(reader, LST_LEDGER_PARTITION, LST_SLICE("p"), &key, &text);
    while (found == LST_OK && status == LST_OK && key.bytes[0] == 'p') {
        status = visit_row(&listing, lst_slice_after(key, 1), text);
        found = lst_index_next(reader, &key, &text);
    }
    lst_index_read_end(reader);
    if (status == LST_OK && found != LST_OK && found != LST_ERR_NOT_FOUND) {
        status = found;
    }
    return status == LST_OK ? visit_files(&listing, NULL, &is_hidden) : status;
}
