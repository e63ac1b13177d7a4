/* usage.c - `latchstring usage`: how much is in each bucket. */
#include "cli/command.h"
#include "cli/directory.h"
#include "cli/json.h"
#include "cli/options.h"
#include "server/damage.h"
#include "store/store.h"

#include <stdio.h>

struct listing {
    bool json;
    bool is_damaged; /* the counts of a bucket are */
    json_t *buckets; /* an array, with --json */
};

/* Nobody knows the numbers: each is null in JSON, a dash in text. */
static int print_damaged(struct listing *listing, const struct lst_bucket_usage *usage)
{
    json_t *object;

    listing->is_damaged = true;
    lst_report("usage",
               "the counts of the bucket '%.*s' are damaged: 'latchstring fsck' says what to do",
               (int)usage->bucket.length, usage->bucket.bytes);
    if (!listing->json) {
        printf("%-40.*s %12s %12s %16s %8s\n", (int)usage->bucket.length, usage->bucket.bytes, "-",
               "-", "-", "-");
        return LST_OK;
    }
    object = json_pack("{s:o, s:n, s:n, s:n, s:n}", "bucket", lst_json_text(usage->bucket),
                       "objects", "versions", "bytes", "uploads");
    return json_array_append_new(listing->buckets, object) == 0 ? LST_OK : LST_ERR_NO_MEMORY;
}

static int print_bucket(void *context, const struct lst_bucket_usage *usage)
{
    struct listing *listing = context;
    json_t *object;

    if (usage->is_damaged) {
        return print_damaged(listing, usage);
    }
    if (!listing->json) {
        printf("%-40.*s %12llu %12llu %16llu %8llu\n", (int)usage->bucket.length,
               usage->bucket.bytes, (unsigned long long)usage->objects,
               (unsigned long long)usage->versions, (unsigned long long)usage->bytes,
               (unsigned long long)usage->uploads);
        return LST_OK;
    }
    object =
        json_pack("{s:o, s:I, s:I, s:I, s:I}", "bucket", lst_json_text(usage->bucket), "objects",
                  (json_int_t)usage->objects, "versions", (json_int_t)usage->versions, "bytes",
                  (json_int_t)usage->bytes, "uploads", (json_int_t)usage->uploads);
    return json_array_append_new(listing->buckets, object) == 0 ? LST_OK : LST_ERR_NO_MEMORY;
}

static int list(struct lst_store *store, bool json, bool *ret_is_damaged)
{
    struct listing listing = {.json = json, .buckets = json_array()};
    int status;

    if (!json) {
        printf("%-40s %12s %12s %16s %8s\n", "bucket", "objects", "versions", "bytes", "uploads");
    }
    status = lst_store_usage(store, print_bucket, &listing);
    if (status == LST_OK && json && !lst_json_print(json_incref(listing.buckets), false)) {
        status = LST_ERR_NO_MEMORY;
    }
    json_decref(listing.buckets);
    *ret_is_damaged = listing.is_damaged;
    return status;
}

static void report_failure(const char *folder, int status)
{
    if (lst_damage_is_meant(status)) {
        (void)lst_directory_damaged("usage", folder, "index.mdb", status);
    } else if (status == LST_ERR_NOT_FOUND) {
        lst_report("usage", "there is no data folder %s: name it with --data", folder);
    } else {
        lst_report("usage", "can't read %s: %s", folder, lst_directory_error_text(status));
    }
}

static int open_and_list(const char *folder, bool json)
{
    const struct lst_store_options options = {.path = folder, .read_only = true};
    struct lst_store_recovery recovery;
    struct lst_store *store;
    bool is_damaged = false;
    int status = lst_store_open(&options, &recovery, &store);

    if (status == LST_OK) {
        status = list(store, json, &is_damaged);
        lst_store_close(store);
    }
    if (status != LST_OK) {
        report_failure(folder, status);
    }
    return status == LST_OK && !is_damaged ? LST_EXIT_OK : LST_EXIT_FAILED;
}

int lst_command_usage(int argument_count, char **arguments)
{
    const char *data = NULL;
    const char *folder;
    bool json = false;
    const struct lst_option options[] = {
        {"data", "DIR", LST_DATA_HELP, .text = &data},
        {"json", NULL, "print JSON", .flag = &json},
    };
    const struct lst_usage usage = {
        .command = "usage",
        .synopsis = "[OPTION]...",
        .summary = "Show how much is in each bucket: objects; versions of them, delete markers "
                   "included; bytes of the bodies of all versions; multipart uploads in progress. "
                   "The numbers are kept with every change, so this is quick at any size, and "
                   "works beside a running server.",
        .examples = "  latchstring usage --data /srv/latchstring\n",
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
    if (!lst_directory_named(&usage, data, &folder)) {
        return LST_EXIT_USAGE;
    }
    return open_and_list(folder, json);
}
