/* remotes.c - the remotes in the ledger's index. */
#include "api/remote.h"

#include "access/json.h"
#include "gate/ledger.h"

#include <stdlib.h>

enum { KEY_MAX = 1 + LST_PROFILE_NAME_MAX };

static struct lst_slice make_key(struct lst_slice name, char key[KEY_MAX])
{
    key[0] = 'r';
    memcpy(key + 1, name.bytes, name.length);
    return lst_slice_make(key, 1 + name.length);
}

static int parse(struct lst_slice row, struct lst_remote *ret_remote)
{
    char problem[LST_PROBLEM_MAX];
    json_t *json;
    int status = lst_json_read(row, &json);

    if (status == LST_OK) {
        status = lst_remote_from_json(json, problem, ret_remote);
    }
    json_decref(json);
    return status == LST_ERR_MALFORMED ? LST_ERR_CORRUPT : status;
}

int lst_remotes_find(struct lst_index *index, struct lst_slice name, struct lst_remote *ret_remote)
{
    char key[KEY_MAX];
    struct lst_index_reader *reader;
    struct lst_slice row;
    int status;

    if (!lst_profile_name_is_valid(name)) {
        return LST_ERR_NOT_FOUND;
    }
    status = lst_index_read_begin(index, &reader);
    if (status != LST_OK) {
        return status;
    }
    status = lst_index_get(reader, LST_LEDGER_PARTITION, make_key(name, key), &row);
    if (status == LST_OK) {
        status = parse(row, ret_remote);
    }
    lst_index_read_end(reader);
    return status;
}

int lst_remotes_add(struct lst_index *index, const struct lst_remote *remote, bool overwrite)
{
    struct lst_index_change changes[2];
    char key[KEY_MAX];
    json_t *json = lst_remote_to_json(remote, true);
    char *text = lst_json_dump(json, JSON_COMPACT);
    int status;

    json_decref(json);
    if (text == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    changes[0] = (struct lst_index_change){.kind = LST_INDEX_PUT,
                                           .key = make_key(lst_slice_of(remote->name), key),
                                           .value = lst_slice_of(text)};
    changes[1] = (struct lst_index_change){
        .kind = LST_INDEX_REQUIRE_ABSENT, .key = changes[0].key, .value = LST_SLICE("")};
    status = lst_index_apply(index, LST_LEDGER_PARTITION, changes, overwrite ? 1 : 2);
    lst_wipe(text, strlen(text));
    free(text);
    return status;
}

int lst_remotes_remove(struct lst_index *index, struct lst_slice name)
{
    struct lst_index_change changes[2];
    char key[KEY_MAX];

    if (!lst_profile_name_is_valid(name)) {
        return LST_ERR_NOT_FOUND;
    }
    changes[0] = (struct lst_index_change){
        .kind = LST_INDEX_REQUIRE_PRESENT, .key = make_key(name, key), .value = LST_SLICE("")};
    changes[1] = (struct lst_index_change){
        .kind = LST_INDEX_DELETE, .key = changes[0].key, .value = LST_SLICE("")};
    return lst_index_apply(index, LST_LEDGER_PARTITION, changes, 2);
}

int lst_remotes_list(struct lst_index *index, lst_remotes_visit *visit, void *context)
{
    struct lst_index_reader *reader;
    struct lst_slice key;
    struct lst_slice row;
    struct lst_remote remote;
    int found;
    int status = lst_index_read_begin(index, &reader);

    if (status != LST_OK) {
        return status;
    }
    found = lst_index_seek(reader, LST_LEDGER_PARTITION, LST_SLICE("r"), &key, &row);
    while (found == LST_OK && status == LST_OK && key.bytes[0] == 'r') {
        status = parse(row, &remote);
        if (status == LST_OK) {
            status = visit(context, &remote);
            lst_remote_release(&remote);
        }
        found = lst_index_next(reader, &key, &row);
    }
    lst_index_read_end(reader);
    return status == LST_OK && found != LST_OK && found != LST_ERR_NOT_FOUND ? found : status;
}
