/* fsck.c - `latchstring fsck`: hold the index against the stored bodies. */
#include "cli/command.h"
#include "cli/directory.h"
#include "cli/json.h"
#include "cli/options.h"
#include "index/index.h"
#include "server/damage.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct checking {
    bool json;
    json_t *faults;   /* an array, with --json */
    const char *file; /* the other index that is looked at */
};

static void print_fault(void *context, const struct lst_store_fault *fault)
{
    struct checking *checking = context;
    json_t *object;

    if (!checking->json && fault->bucket.length == 0) {
        printf("index.mdb: %s\n", fault->text);
        return;
    }
    if (!checking->json) {
        lst_print_safely(fault->bucket);
        printf("/");
        lst_print_safely(fault->key);
        printf(": %s\n", fault->text);
        return;
    }
    object = json_object();
    json_object_set_new(object, "bucket", lst_json_text(fault->bucket));
    json_object_set_new(object, "key", lst_json_text(fault->key));
    json_object_set_new(object, "fault", json_string(fault->text));
    json_array_append_new(checking->faults, object);
}

/* A fault of an index beside the store's: of users and tokens, or of links and profiles. */
static void print_other(void *context, const struct lst_index_fault *fault)
{
    struct checking *checking = context;
    char key[41] = "";

    if (fault->has_place) {
        for (size_t i = 0; i < fault->key.length && i < sizeof(key) - 1; i++) {
            char byte = fault->key.bytes[i];
            key[i] = byte >= ' ' && byte <= '~' ? byte : '?';
        }
        lst_report("fsck", "  %s '%s': %s", fault->is_row ? "at" : "a page, from", key,
                   fault->text);
    } else {
        lst_report("fsck", "  %s", fault->text);
    }
    if (checking->json) {
        json_array_append_new(checking->faults, json_pack("{s:s, s:s, s:s}", "file", checking->file,
                                                          "key", key, "fault", fault->text));
    }
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static int print_census(const struct checking *checking, const struct lst_store_census *census,
                        bool is_clean)
{
    json_t *object;

    if (!checking->json) {
        printf("%llu bucket%s, %llu object%s, %llu byte%s, %llu unreferenced blob%s: %s\n",
               (unsigned long long)census->buckets, plural(census->buckets),
               (unsigned long long)census->objects, plural(census->objects),
               (unsigned long long)census->bytes, plural(census->bytes),
               (unsigned long long)census->orphan_blobs, plural(census->orphan_blobs),
               is_clean ? "clean" : "damaged");
        if (census->unfinished_uploads > 0 || census->unfinished_parts > 0) {
            printf("%llu unfinished multipart uploads; %llu parts of such hold %llu bytes, which "
                   "are freed when the uploads are completed or aborted\n",
                   (unsigned long long)census->unfinished_uploads,
                   (unsigned long long)census->unfinished_parts,
                   (unsigned long long)census->unfinished_bytes);
        }
        return LST_EXIT_OK;
    }
    object = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:O}", "buckets", (json_int_t)census->buckets,
        "objects", (json_int_t)census->objects, "bytes", (json_int_t)census->bytes,
        "unreferenced_blobs", (json_int_t)census->orphan_blobs, "unfinished_uploads",
        (json_int_t)census->unfinished_uploads, "unfinished_parts",
        (json_int_t)census->unfinished_parts, "unfinished_bytes",
        (json_int_t)census->unfinished_bytes, "clean", is_clean, "faults", checking->faults);
    if (!lst_json_print(object, false)) {
        lst_report("fsck", "out of memory");
        return LST_EXIT_FAILED;
    }
    return LST_EXIT_OK;
}

/* Whether all pages and rows of the other index files are whole; those that are not are named on
 * standard error. */
static bool check_others(struct checking *checking, const char *folder)
{
    bool is_whole = true;

    for (size_t i = 0; lst_index_files[i] != NULL; i++) {
        struct lst_index_verify verify = {
            .with_rows = true, .report = print_other, .context = checking};
        struct lst_index_options options = {.read_only = true};
        struct lst_index *index;
        char *path;
        int status;
        if (strcmp(lst_index_files[i], "index.mdb") == 0 ||
            asprintf(&path, "%s/%s", folder, lst_index_files[i]) < 0) {
            continue;
        }
        options.path = path;
        checking->file = lst_index_files[i];
        status = lst_index_open(&options, &index);
        if (status == LST_OK) {
            status = lst_index_verify(index, &verify);
            lst_index_close(index);
        }
        if (lst_damage_is_meant(status)) {
            (void)lst_directory_damaged("fsck", folder, lst_index_files[i], status);
            is_whole = false;
        } else if (status != LST_OK && status != LST_ERR_NOT_FOUND) {
            lst_report("fsck", "can't check %s: %s", path, lst_error_text(status));
            is_whole = false;
        } else if (verify.faults > 0) {
            lst_report("fsck",
                       "%s is damaged: restore the data folder from a backup, or make "
                       "anew what is named above",
                       path);
            is_whole = false;
        }
        free(path);
    }
    return is_whole;
}

/* Each index file of the folder, and whether there are bodies, before any is opened. */
static bool report_damage(const char *folder)
{
    bool found = false;

    for (size_t i = 0; lst_index_files[i] != NULL; i++) {
        if (lst_damage_is_there(folder, lst_index_files[i])) {
            (void)lst_directory_damaged("fsck", folder, lst_index_files[i], LST_ERR_CORRUPT);
            found = true;
        }
    }
    if (!found && lst_damage_lacks_bodies(folder)) {
        (void)lst_directory_damaged("fsck", folder, "blobs", LST_ERR_CORRUPT);
        found = true;
    }
    return found;
}

static void report_failure(const char *folder, int status)
{
    if (status == LST_ERR_NOT_FOUND) {
        lst_report("fsck", "there is no data folder %s: name it with --data", folder);
    } else if (lst_damage_is_meant(status)) {
        (void)lst_directory_damaged("fsck", folder, "index.mdb", status);
    } else {
        lst_report("fsck", "can't open %s: %s", folder, lst_directory_error_text(status));
    }
}

static int check(const char *folder, bool json)
{
    const struct lst_store_options options = {.path = folder, .read_only = true};
    struct checking checking = {.json = json, .faults = json_array()};
    struct lst_store_recovery recovery;
    struct lst_store_census census;
    struct lst_store *store;
    int result = LST_EXIT_FAILED;
    bool are_whole;
    bool is_open;
    int status;

    if (report_damage(folder)) {
        json_decref(checking.faults);
        return LST_EXIT_FAILED;
    }
    status = lst_store_open(&options, &recovery, &store);
    is_open = status == LST_OK;
    if (!is_open) {
        report_failure(folder, status);
    } else {
        status = lst_store_check(store, print_fault, &checking, &census);
        lst_store_close(store);
    }
    are_whole = check_others(&checking, folder);
    if (is_open && status != LST_OK) {
        lst_report("fsck", "can't check %s to the end: %s", folder, lst_error_text(status));
    } else if (is_open) {
        bool is_clean = census.faults == 0 && are_whole;
        if (print_census(&checking, &census, is_clean) == LST_EXIT_OK && is_clean) {
            result = LST_EXIT_OK;
        }
    }
    json_decref(checking.faults);
    return result;
}

/* Open it to change it. As the server would, it puts right what was left undone. NULL: it can't,
 * and says why. */
static struct lst_store *open_alone(const char *folder, struct lst_store_recovery *ret_recovery)
{
    const struct lst_store_options options = {.path = folder};
    struct lst_store *store;
    int status;

    if (report_damage(folder)) {
        return NULL;
    }
    status = lst_store_open(&options, ret_recovery, &store);
    if (status == LST_OK) {
        return store;
    }
    if (status == LST_ERR_LOCKED) {
        lst_report("fsck", "%s is in use by a server: stop it first", folder);
    } else {
        report_failure(folder, status);
    }
    return NULL;
}

/* As JSON: nothing was deleted, and why. */
static void print_refusal(json_t *faults)
{
    if (!lst_json_print(json_pack("{s:b, s:O}", "clean", 0, "faults", faults), false)) {
        lst_report("fsck", "out of memory");
    }
}

/* Delete what no object has. */
static int reclaim(const char *folder, bool json)
{
    struct checking checking = {.json = json, .faults = json_array()};
    struct lst_store_recovery recovery = {0};
    struct lst_store *store = open_alone(folder, &recovery);
    uint64_t count = 0;
    int status;

    if (store == NULL) {
        json_decref(checking.faults);
        return LST_EXIT_FAILED;
    }
    status = lst_store_reclaim(store, print_fault, &checking, &count);
    lst_store_close(store);
    if (json && status == LST_ERR_CORRUPT) {
        print_refusal(checking.faults);
    }
    json_decref(checking.faults);
    if (status == LST_ERR_CORRUPT) {
        lst_report("fsck", "nothing was deleted: something else is wrong, and what seems to be "
                           "nobody's may be of that. Run 'latchstring fsck', do as it says, then "
                           "reclaim");
    } else if (status != LST_OK) {
        lst_report("fsck", "can't delete what no object has in %s: %s", folder,
                   lst_error_text(status));
    } else if (!json) {
        count += recovery.blobs_removed;
        printf("%llu bod%s of no object deleted\n", (unsigned long long)count,
               count == 1 ? "y" : "ies");
    }
    return status == LST_OK ? LST_EXIT_OK : LST_EXIT_FAILED;
}

/* Count what is in each bucket anew. */
static int recount(const char *folder)
{
    struct lst_store_recovery recovery;
    struct lst_store *store = open_alone(folder, &recovery);
    int status;

    if (store == NULL) {
        return LST_EXIT_FAILED;
    }
    status = lst_store_recount(store);
    lst_store_close(store);
    if (status == LST_ERR_CORRUPT) {
        lst_report("fsck", "can't count: there are damaged rows. Run 'latchstring fsck', do as it "
                           "says, then count");
    } else if (status != LST_OK) {
        lst_report("fsck", "can't count what is in %s: %s", folder, lst_error_text(status));
    }
    return status == LST_OK ? LST_EXIT_OK : LST_EXIT_FAILED;
}

/* Whether there is a data folder: one that is not there must not be made. */
static bool is_there(const char *folder)
{
    char *path;
    bool is;

    if (asprintf(&path, "%s/index.mdb", folder) < 0) {
        return false;
    }
    is = access(path, F_OK) == 0;
    free(path);
    return is;
}

/* One of the two: count anew, or reclaim. */
static int mend_and_check(const char *folder, bool json, bool counts, bool reclaims)
{
    if (!is_there(folder)) {
        report_failure(folder, LST_ERR_NOT_FOUND);
        return LST_EXIT_FAILED;
    }
    if ((counts && recount(folder) != LST_EXIT_OK) ||
        (reclaims && reclaim(folder, json) != LST_EXIT_OK)) {
        return LST_EXIT_FAILED;
    }
    return check(folder, json);
}

int lst_command_fsck(int argument_count, char **arguments)
{
    const char *data = NULL;
    const char *folder;
    bool json = false;
    bool count = false;
    bool reclaims = false;
    const struct lst_option options[] = {
        {"data", "DIR", LST_DATA_HELP, .text = &data},
        {"recount", NULL,
         "first count anew what is in each bucket; for counts that the check found wrong. The "
         "server must not run",
         .flag = &count},
        {"reclaim", NULL,
         "first delete the bodies that no object has, which damaged rows and crashes leave. "
         "Deletes "
         "nothing while anything else is wrong. The server must not run",
         .flag = &reclaims},
        {"json", NULL, "print JSON", .flag = &json},
    };
    const struct lst_usage usage = {
        .command = "fsck",
        .synopsis = "[OPTION]...",
        .summary = "Check the stored data: every object in the index has its body, every body has "
                   "the MD5 of its ETag, no body is left without an object, and the counts of "
                   "each bucket are right. Changes nothing without --recount "
                   "and --reclaim, and can run beside a running server. Exit status: 0 if "
                   "everything is in order, "
                   "1 if something is wrong or can't be read.",
        .examples = "  latchstring fsck --data /srv/latchstring\n",
        LST_OPTIONS(options),
    };
    struct lst_operands operands;
    int status;

    if (!lst_options_parse(&usage, argument_count, arguments, &operands, &status)) {
        return status;
    }
    if (operands.count > 0) {
        return lst_usage_error(&usage, "what is '%s'? The folder is named with --data",
                               operands.values[0]);
    }
    if (count && reclaims) {
        return lst_usage_error(&usage,
                               "--recount and --reclaim can't be given together: counts that "
                               "are wrong may say that rows were lost, and the bodies "
                               "without objects be theirs. Run 'latchstring fsck', and do as "
                               "it says");
    }
    if (!lst_directory_named(&usage, data, &folder)) {
        return LST_EXIT_USAGE;
    }
    return count || reclaims ? mend_and_check(folder, json, count, reclaims) : check(folder, json);
}
