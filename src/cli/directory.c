/* directory.c - what the commands `user` and `policy` share. */
#include "cli/directory.h"

#include "access/ready_made.h"
#include "base/clock.h"
#include "base/file.h"
#include "cli/json.h"
#include "server/damage.h"
#include "store/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { REPEATS_MAX = 100 };

static bool is_there(const char *folder)
{
    char *path;
    bool found;

    if (asprintf(&path, "%s/users.mdb", folder) < 0) {
        return false;
    }
    found = access(path, F_OK) == 0 || errno != ENOENT;
    free(path);
    return found;
}

bool lst_directory_may_make(const struct lst_usage *usage, const char *folder,
                            enum lst_directory_mode mode)
{
    char answer[16] = "";

    if (mode == LST_DIRECTORY_MAKE) {
        return true;
    }
    if (mode == LST_DIRECTORY_ASK && isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1) {
        (void)fprintf(stderr, "There is no store in '%s'. Make one? [y/N] ", folder);
        if (fgets(answer, sizeof(answer), stdin) != NULL &&
            (strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0)) {
            return true;
        }
    }
    lst_report(usage->command,
               "there is no store in '%s'; give the server's data directory with --data DIR%s",
               folder, mode == LST_DIRECTORY_ASK ? ", or --make to make a new one" : "");
    return false;
}

int lst_directory_damaged(const char *command, const char *folder, const char *name, int status)
{
    struct lst_buffer text;

    lst_buffer_init(&text, 8192);
    lst_damage_text(folder, name, status, &text);
    lst_report(command, "%.*s", (int)text.length, text.length > 0 ? text.bytes : "");
    lst_buffer_release(&text);
    return LST_EXIT_FAILED;
}

const char *lst_directory_folder(const char *data)
{
    const char *folder = data != NULL ? data : getenv("LATCHSTRING_DATA");

    return folder == NULL || folder[0] == '\0' ? "data" : folder;
}

bool lst_directory_named(const struct lst_usage *usage, const char *data, const char **ret_folder)
{
    if (data != NULL && data[0] == '\0') {
        (void)lst_usage_error(usage, "--data: the name of the folder is empty");
        return false;
    }
    *ret_folder = lst_directory_folder(data);
    return true;
}

static int see_bucket(void *context, const struct lst_bucket *bucket)
{
    (void)context;
    (void)bucket;
    return LST_OK;
}

/* Whether the store has this bucket; true also if that can't be told. */
static bool bucket_is_there(const char *folder, const char *name)
{
    const struct lst_store_options options = {.path = folder, .read_only = true};
    struct lst_store *store;
    int status = lst_store_open(&options, NULL, &store);

    if (status != LST_OK) {
        return status != LST_ERR_NOT_FOUND;
    }
    status = lst_store_bucket(store, lst_slice_of(name), see_bucket, NULL);
    lst_store_close(store);
    return status != LST_ERR_BUCKET_NOT_FOUND;
}

void lst_directory_warn_of_bucket(const struct lst_usage *usage, const char *folder,
                                  const char *bucket, const char *consequence)
{
    if (bucket != NULL && !bucket_is_there(folder, bucket)) {
        lst_report(usage->command, "warning: there is no bucket '%s' yet; %s", bucket, consequence);
    }
}

const char *lst_directory_error_text(int status)
{
    return status == LST_ERR_PERMISSION
               ? "permission denied by the file system: run the command as root, or as the user "
                 "who runs the server"
               : lst_error_text(status);
}

int lst_directory_open(const struct lst_usage *usage, const char *data,
                       enum lst_directory_mode mode, struct lst_users **ret_users)
{
    const char *folder;
    int status;

    if (!lst_directory_named(usage, data, &folder)) {
        return LST_EXIT_USAGE;
    }
    if (!is_there(folder)) {
        if (lst_damage_is_there(folder, "users.mdb")) {
            return lst_directory_damaged(usage->command, folder, "users.mdb", LST_ERR_CORRUPT);
        }
        if (!lst_directory_may_make(usage, folder, mode)) {
            return LST_EXIT_FAILED;
        }
    }
    status = lst_users_open(folder, mode == LST_DIRECTORY_READ, ret_users);
    if (lst_damage_is_meant(status)) {
        return lst_directory_damaged(usage->command, folder, "users.mdb", status);
    }
    if (status != LST_OK) {
        lst_report(usage->command, "cannot open the users in '%s': %s", folder,
                   lst_directory_error_text(status));
        return LST_EXIT_FAILED;
    }
    return LST_EXIT_OK;
}

const char *lst_directory_name(const struct lst_usage *usage, int argument_count, char **arguments,
                               int *ret_status)
{
    struct lst_operands operands;

    if (!lst_options_parse(usage, argument_count, arguments, &operands, ret_status)) {
        return NULL;
    }
    if (operands.count == 1) {
        return operands.values[0];
    }
    *ret_status =
        operands.count == 0
            ? lst_usage_error(usage, "which user?")
            : lst_usage_error(usage, "unexpected '%s': one user at a time", operands.values[1]);
    return NULL;
}

int lst_directory_report(const struct lst_usage *usage, const char *name, int code)
{
    switch (code) {
    case LST_ERR_USER_NOT_FOUND:
        lst_report(usage->command, "there is no user '%s'; 'latchstring user list' shows all",
                   name);
        break;
    case LST_ERR_USER_EXISTS:
        lst_report(usage->command,
                   "there is a user '%s' already; choose another name, or see 'latchstring user "
                   "show %s'",
                   name, name);
        break;
    case LST_ERR_KEY_ID_EXISTS:
        lst_report(usage->command, "another user has that access key id; choose another one");
        break;
    case LST_ERR_CORRUPT:
        lst_report(usage->command,
                   "the row of user '%s' is damaged: remove the user and add it again, or restore "
                   "the data folder from a backup; 'latchstring fsck' says what else is damaged",
                   name);
        break;
    default:
        lst_report(usage->command, "user '%s': %s", name, lst_error_text(code));
    }
    return LST_EXIT_FAILED;
}

static int find(const struct lst_usage *usage, struct lst_users *users, const char *name,
                struct lst_user *ret_user)
{
    int status = lst_users_find(users, lst_slice_of(name), ret_user);

    return status == LST_OK ? LST_EXIT_OK : lst_directory_report(usage, name, status);
}

int lst_directory_find(const struct lst_usage *usage, const char *data, const char *name,
                       struct lst_user *ret_user)
{
    struct lst_users *users = NULL;
    int status = lst_directory_open(usage, data, LST_DIRECTORY_READ, &users);

    if (status == LST_EXIT_OK) {
        status = find(usage, users, name, ret_user);
        lst_users_close(users);
    }
    return status;
}

static int change(const struct lst_usage *usage, struct lst_users *users, const char *name,
                  int (*edit)(void *context, struct lst_user *user), void *context)
{
    int status = LST_ERR_CONFLICT;

    for (size_t i = 0; i < REPEATS_MAX && status == LST_ERR_CONFLICT; i++) {
        struct lst_user user;
        int edited = find(usage, users, name, &user);

        if (edited != LST_EXIT_OK) {
            return edited;
        }
        edited = edit(context, &user);
        if (edited == LST_EXIT_OK) {
            status = lst_users_change(users, &user);
        }
        lst_user_release(&user);
        if (edited != LST_EXIT_OK) {
            return edited;
        }
    }
    return status == LST_OK ? LST_EXIT_OK : lst_directory_report(usage, name, status);
}

int lst_directory_change(const struct lst_usage *usage, const char *data, const char *name,
                         int (*edit)(void *context, struct lst_user *user), void *context)
{
    struct lst_users *users = NULL;
    int status = lst_directory_open(usage, data, LST_DIRECTORY_CHANGE, &users);

    if (status == LST_EXIT_OK) {
        status = change(usage, users, name, edit, context);
        lst_users_close(users);
    }
    return status;
}

int lst_directory_read_input(struct lst_buffer *ret_content)
{
    for (;;) {
        char piece[1024];
        size_t length = fread(piece, 1, sizeof(piece), stdin);

        lst_buffer_append(ret_content, lst_slice_make(piece, length));
        lst_wipe(piece, sizeof(piece));
        if (length < sizeof(piece) || lst_buffer_status(ret_content) != LST_OK) {
            break;
        }
    }
    return ferror(stdin) ? LST_ERR_IO : lst_buffer_status(ret_content);
}

/* Fill the buffer from where the policy is. Reports, gives an exit status. */
static int read_policy(const struct lst_usage *usage, const char *source, const char *bucket,
                       struct lst_buffer *text)
{
    int status = lst_ready_made_policy(lst_slice_of(source), lst_slice_of(bucket), text);

    if (status == LST_OK && bucket != NULL) {
        status = lst_bucket_name_check(lst_slice_of(bucket));
    }
    if (status == LST_ERR_BUCKET_NAME) {
        return lst_usage_error(usage, "'%s' is not a bucket name", bucket);
    }
    if (status != LST_ERR_NOT_FOUND) {
        return status == LST_OK ? LST_EXIT_OK : lst_directory_report(usage, source, status);
    }
    if (bucket != NULL) {
        return lst_usage_error(usage, "--bucket goes with a ready-made policy: %s",
                               lst_ready_made_names);
    }
    status =
        strcmp(source, "-") == 0 ? lst_directory_read_input(text) : lst_file_read(source, text);
    if (status == LST_ERR_NOT_FOUND) {
        lst_report(usage->command,
                   "there is no file '%s'; name a file with a policy, '-' for standard input, or a "
                   "ready-made one: %s",
                   source, lst_ready_made_names);
    } else if (status == LST_ERR_TOO_LARGE) {
        lst_report(usage->command, "the policy in '%s' is larger than %d bytes", source,
                   LST_ACCESS_POLICY_MAX);
    } else if (status != LST_OK) {
        lst_report(usage->command, "cannot read '%s': %s", source, lst_error_text(status));
    }
    return status == LST_OK ? LST_EXIT_OK : LST_EXIT_FAILED;
}

int lst_directory_policy(const struct lst_usage *usage, const char *source, const char *bucket,
                         char **ret_policy)
{
    struct lst_access_policy *policy;
    struct lst_buffer problem;
    struct lst_buffer text;
    int exit_status;

    lst_buffer_init(&problem, 4096);
    lst_buffer_init(&text, LST_ACCESS_POLICY_MAX);
    exit_status = read_policy(usage, source, bucket, &text);
    if (exit_status == LST_EXIT_OK) {
        int status = lst_access_policy_parse(lst_buffer_slice(&text), &policy, &problem);

        if (status == LST_OK) {
            lst_access_policy_free(policy);
            *ret_policy = lst_slice_to_string(lst_buffer_slice(&text));
            status = *ret_policy != NULL ? LST_OK : LST_ERR_NO_MEMORY;
        }
        if (status != LST_OK) {
            lst_report(usage->command, "%s: %.*s", lst_error_text(status), (int)problem.length,
                       problem.length > 0 ? problem.bytes : "");
            exit_status = LST_EXIT_FAILED;
        }
    }
    lst_buffer_release(&problem);
    lst_buffer_release(&text);
    return exit_status;
}

void lst_directory_time(int64_t time_ms, char ret_text[21])
{
    char text[LST_ISO8601_LENGTH];

    lst_clock_format_iso8601(time_ms, text);
    memcpy(ret_text, text, 19);
    memcpy(ret_text + 19, "Z", 2);
}

int lst_directory_print(const struct lst_usage *usage, json_t *document)
{
    if (document == NULL || !lst_json_print(document, false)) {
        lst_report(usage->command, "out of memory");
        return LST_EXIT_FAILED;
    }
    return LST_EXIT_OK;
}

int lst_directory_list_damaged(struct lst_directory_list *list, const char *name, const char *text)
{
    list->damaged++;
    if (list->json == NULL) {
        return LST_OK;
    }
    return json_array_append_new(list->json, json_pack("{s:s, s:b}", name, text, "damaged", 1)) == 0
               ? LST_OK
               : LST_ERR_NO_MEMORY;
}

int lst_directory_list_end(const struct lst_usage *usage, struct lst_directory_list *list,
                           int status, const char *damaged)
{
    int exit_status = LST_EXIT_OK;

    if (status != LST_OK) {
        json_decref(list->json);
        lst_report(usage->command, "%s", lst_error_text(status));
        return LST_EXIT_FAILED;
    }
    if (list->json != NULL) {
        exit_status = lst_directory_print(usage, list->json);
    }
    if (list->damaged > 0) {
        lst_report(usage->command, "the rows of %zu of these %s", list->damaged, damaged);
        exit_status = LST_EXIT_FAILED;
    }
    return exit_status;
}
