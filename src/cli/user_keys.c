/* user_keys.c - `latchstring user add|rotate-key`: the commands that give out access keys. */
#include "cli/directory.h"
#include "cli/user_internal.h"

#include <stdio.h>
#include <stdlib.h>

/* Fill the secret from standard input: one line. */
static int read_secret(const struct lst_usage *usage, struct lst_user_key *key)
{
    struct lst_buffer content;
    struct lst_slice line;
    int status;

    lst_buffer_init(&content, LST_SECRET_MAX + 2);
    /* All of it at once: a buffer that grows leaves copies of the secret behind. */
    (void)lst_buffer_reserve(&content, LST_SECRET_MAX + 2);
    status = lst_directory_read_input(&content);
    line = lst_buffer_slice(&content);
    if (line.length > 0 && line.bytes[line.length - 1] == '\n') {
        line.length--;
    }
    if (line.length > 0 && line.bytes[line.length - 1] == '\r') {
        line.length--;
    }
    if (status == LST_OK && line.length <= LST_SECRET_MAX) {
        memcpy(key->secret, line.bytes, line.length);
        key->secret[line.length] = '\0';
    }
    if (content.bytes != NULL) {
        lst_wipe(content.bytes, content.capacity);
    }
    lst_buffer_release(&content);
    if (status != LST_OK && status != LST_ERR_TOO_LARGE) {
        lst_report(usage->command, "cannot read the secret from standard input: %s",
                   lst_error_text(status));
        return LST_EXIT_FAILED;
    }
    return LST_EXIT_OK;
}

/* A key as the options want it: made up, or given. access_key_id may be NULL. */
static int make_key(const struct lst_usage *usage, const char *access_key_id,
                    bool secret_from_stdin, struct lst_user_key *ret_key)
{
    int status;

    if ((access_key_id != NULL) != secret_from_stdin) {
        return lst_usage_error(usage, "--access-key and --secret-key-stdin go together; without "
                                      "them a key is made up");
    }
    lst_user_key_generate(ret_key);
    if (access_key_id == NULL) {
        return LST_EXIT_OK;
    }
    if (strlen(access_key_id) <= LST_ACCESS_KEY_ID_MAX) {
        snprintf(ret_key->access_key_id, sizeof(ret_key->access_key_id), "%s", access_key_id);
    } else {
        ret_key->access_key_id[0] = '\0';
    }
    /* The secret that was made up is one that can be: so it is the id that can't. */
    if (!lst_user_key_is_valid(ret_key)) {
        return lst_usage_error(usage, /* it is not shown: somebody may have given the secret */
                               "--access-key: an access key id has 3 to %d letters, digits and "
                               "_ - .",
                               LST_ACCESS_KEY_ID_MAX);
    }
    lst_wipe(ret_key->secret, sizeof(ret_key->secret));
    status = read_secret(usage, ret_key);
    if (status == LST_EXIT_OK && !lst_user_key_is_valid(ret_key)) {
        lst_report(usage->command,
                   "that can't be a secret key: it must have 8 to %d printable characters, "
                   "without spaces",
                   LST_SECRET_MAX);
        status = LST_EXIT_FAILED;
    }
    return status;
}

/* Show a key, this once. A secret that was given is not shown again. */
static int print_key(const struct lst_usage *usage, const struct lst_user *user,
                     const struct lst_user_key *key, bool is_given, bool json)
{
    if (json) {
        return lst_directory_print(
            usage, json_pack("{s:s, s:s, s:s, s:s*}", "name", user->name, "canonical_id",
                             user->canonical_id, "access_key_id", key->access_key_id,
                             "secret_access_key", is_given ? NULL : key->secret));
    }
    printf("  Access key id      %s\n", key->access_key_id);
    if (is_given) {
        printf("  Secret access key  as given\n");
    } else {
        printf("  Secret access key  %s\n", key->secret);
        printf("The secret is shown now and never again.\n");
    }
    return LST_EXIT_OK;
}

/* What `user add` was asked for. */
struct addition {
    const char *data;
    const char *policy;
    const char *bucket;
    const char *access_key_id;
    bool secret_from_stdin;
    bool make;
    bool json;
};

static int add_user(const struct lst_usage *usage, const struct addition *addition,
                    struct lst_user *user)
{
    struct lst_users *users;
    int status;

    if (addition->policy != NULL) {
        status = lst_directory_policy(usage, addition->policy, addition->bucket, &user->policy);
        if (status != LST_EXIT_OK) {
            return status;
        }
    }
    status = make_key(usage, addition->access_key_id, addition->secret_from_stdin, &user->keys[0]);
    if (status != LST_EXIT_OK) {
        return status;
    }
    user->key_count = 1;
    status = lst_directory_open(usage, addition->data,
                                addition->make ? LST_DIRECTORY_MAKE : LST_DIRECTORY_ASK, &users);
    if (status != LST_EXIT_OK) {
        return status;
    }
    status = lst_users_add(users, user);
    lst_users_close(users);
    if (status != LST_OK) {
        return lst_directory_report(usage, user->name, status);
    }
    if (!addition->json) {
        printf("User %s is added.\n", user->name);
    }
    status =
        print_key(usage, user, &user->keys[0], addition->access_key_id != NULL, addition->json);
    lst_directory_warn_of_bucket(usage, lst_directory_folder(addition->data), addition->bucket,
                                 "until it is made, the policy allows nothing");
    if (user->policy != NULL) {
        lst_directory_warn_of_policy(usage, user->policy);
    }
    if (user->policy == NULL && !addition->json) {
        printf("It may do nothing yet. Next: latchstring policy set %s readwrite --bucket BUCKET\n",
               user->name);
    }
    return status;
}

/* What can be told to be wrong before anything is read. */
static int check_addition(const struct lst_usage *usage, const struct addition *addition,
                          const char *name)
{
    if (addition->bucket != NULL && addition->policy == NULL) {
        return lst_usage_error(usage, "--bucket goes with --policy");
    }
    if (addition->policy != NULL && strcmp(addition->policy, "-") == 0 &&
        addition->secret_from_stdin) {
        return lst_usage_error(usage, "the policy and the secret can't both come from standard "
                                      "input; put the policy into a file");
    }
    if (strcmp(name, LST_ROOT_USER) == 0) {
        return lst_usage_error(usage, "the name 'root' is the server's own; choose another one");
    }
    if (!lst_user_name_is_valid(lst_slice_of(name))) {
        return lst_usage_error(usage,
                               "'%s' can't be a name: it must have 1 to %d letters, digits and "
                               "+ = , . @ _ -",
                               name, LST_USER_NAME_MAX);
    }
    return LST_EXIT_OK;
}

int lst_user_command_add(int argument_count, char **arguments)
{
    struct addition addition = {0};
    const struct lst_option options[] = {
        {"policy", "POLICY",
         "what the user may do: a file with a JSON policy, '-' for standard "
         "input, or readonly, writeonly, readwrite or full; default: nothing",
         .text = &addition.policy},
        {"bucket", "BUCKET", "limit a ready-made policy to this bucket", .text = &addition.bucket},
        {"access-key", "ID", "use this access key ID instead of generating one",
         .text = &addition.access_key_id},
        {"secret-key-stdin", NULL, "read the secret of --access-key from standard input",
         .flag = &addition.secret_from_stdin},
        {"data", "DIR", LST_DATA_HELP, .text = &addition.data},
        {"make", NULL, LST_MAKE_HELP, .flag = &addition.make},
        {"json", NULL, "print JSON", .flag = &addition.json},
    };
    const struct lst_usage usage = {
        .command = "user add",
        .synopsis = "[OPTION]... NAME",
        .summary = "Add a user and print its access key. The secret can't be shown again.",
        .examples = "  latchstring user add alice --policy readwrite --bucket photos\n"
                    "  latchstring user add app --policy app.json --access-key APP "
                    "--secret-key-stdin < secret\n",
        LST_OPTIONS(options)};
    struct lst_user user = {.enabled = true};
    const char *name;
    int status;

    name = lst_directory_name(&usage, argument_count, arguments, &status);
    if (name == NULL) {
        return status;
    }
    status = check_addition(&usage, &addition, name);
    if (status != LST_EXIT_OK) {
        return status;
    }
    memcpy(user.name, name, strlen(name) + 1);
    status = add_user(&usage, &addition, &user);
    lst_user_release(&user);
    return status;
}

struct rotation {
    const struct lst_usage *usage;
    struct lst_user_key key;
    bool keep_old;
    struct lst_user user; /* as stored; without secrets and policy */
};

static int replace_key(void *context, struct lst_user *user)
{
    struct rotation *rotation = context;

    if (!rotation->keep_old) {
        lst_wipe(user->keys, sizeof(user->keys));
        user->key_count = 0;
    }
    if (user->key_count == LST_USER_KEYS_MAX) {
        lst_report(rotation->usage->command,
                   "user '%s' has %d keys already, the most there can be; remove one with "
                   "'latchstring user key remove %s KEY-ID'",
                   user->name, LST_USER_KEYS_MAX, user->name);
        return LST_EXIT_FAILED;
    }
    user->keys[user->key_count++] = rotation->key;
    memcpy(rotation->user.name, user->name, sizeof(user->name));
    memcpy(rotation->user.canonical_id, user->canonical_id, sizeof(user->canonical_id));
    return LST_EXIT_OK;
}

static int rotate(struct rotation *rotation, const char *data, const char *name, bool is_given,
                  bool json)
{
    int status = lst_directory_change(rotation->usage, data, name, replace_key, rotation);

    if (status != LST_EXIT_OK) {
        return status;
    }
    if (!json) {
        printf("User %s has a new key. %s\n", name,
               rotation->keep_old
                   ? "The old ones go on working; end one with 'latchstring user key remove'."
                   : "The old ones are gone: every URL signed with them is refused from now on.");
    }
    return print_key(rotation->usage, &rotation->user, &rotation->key, is_given, json);
}

int lst_user_command_rotate_key(int argument_count, char **arguments)
{
    const char *data = NULL;
    const char *access_key_id = NULL;
    bool secret_from_stdin = false;
    bool json = false;
    struct rotation rotation = {0};
    const struct lst_option options[] = {
        {"keep-old", NULL, "keep the old keys working; a user can have up to 4 keys",
         .flag = &rotation.keep_old},
        {"access-key", "ID", "use this access key ID instead of generating one",
         .text = &access_key_id},
        {"secret-key-stdin", NULL, "read the secret of --access-key from standard input",
         .flag = &secret_from_stdin},
        {"data", "DIR", LST_DATA_HELP, .text = &data},
        {"json", NULL, "print JSON", .flag = &json},
    };
    const struct lst_usage usage = {
        .command = "user rotate-key",
        .synopsis = "[OPTION]... NAME",
        .summary =
            "Give a user a new access key and print it. The secret can't be shown again. Without "
            "--keep-old, the old keys and all URLs signed with them stop working at once.",
        LST_OPTIONS(options)};
    const char *name;
    int status;

    name = lst_directory_name(&usage, argument_count, arguments, &status);
    if (name == NULL) {
        return status;
    }
    if (strcmp(name, LST_ROOT_USER) == 0) {
        lst_report(usage.command,
                   "the root user's key is set when the server starts: change "
                   "LATCHSTRING_ACCESS_KEY and LATCHSTRING_SECRET_KEY, or remove root-credentials "
                   "from the data directory to have a new key made, and start it again");
        return LST_EXIT_FAILED;
    }
    rotation.usage = &usage;
    status = make_key(&usage, access_key_id, secret_from_stdin, &rotation.key);
    if (status == LST_EXIT_OK) {
        status = rotate(&rotation, data, name, access_key_id != NULL, json);
    }
    lst_wipe(&rotation.key, sizeof(rotation.key));
    return status;
}
