/* users_test.c - the directory of users, also when several processes change it at once. */
#include "gate/users_index.h"

#include "tap.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];

static struct lst_users *open_users(void)
{
    struct lst_users *users = NULL;

    if (lst_users_open(folder, false, &users) != LST_OK) {
        CHECK(false, "the users can be opened");
        exit(1);
    }
    return users;
}

static int add_user(struct lst_users *users, const char *name, const char *access_key_id,
                    const char *policy)
{
    struct lst_user user = {.key_count = 1};
    int status;

    snprintf(user.name, sizeof(user.name), "%s", name);
    lst_user_key_generate(&user.keys[0]);
    if (access_key_id != NULL) {
        snprintf(user.keys[0].access_key_id, sizeof(user.keys[0].access_key_id), "%s",
                 access_key_id);
    }
    user.policy = policy == NULL ? NULL : strdup(policy);
    status = lst_users_add(users, &user);
    lst_user_release(&user);
    return status;
}

static void test_add_and_find(struct lst_users *users)
{
    static const char policy[] = "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\","
                                 "\"Action\":\"*\",\"Resource\":\"*\"}}";
    uint64_t version = lst_users_version(users);
    struct lst_user user;

    CHECK(lst_users_find(users, LST_SLICE("alice"), &user) == LST_ERR_USER_NOT_FOUND,
          "who was not added is not found");
    CHECK(add_user(users, "alice", "ALICE1", policy) == LST_OK, "a user can be added");
    CHECK(lst_users_version(users) != version, "which changes the version");
    CHECK(lst_users_find(users, LST_SLICE("alice"), &user) == LST_OK, "and is then found");
    CHECK(strcmp(user.name, "alice") == 0 && strcmp(user.display_name, "alice") == 0 &&
              user.enabled && !user.is_root && user.created_ms > 0 && user.key_count == 1 &&
              user.keys[0].active && strlen(user.keys[0].secret) == 40 &&
              strcmp(user.policy, policy) == 0,
          "as it was added");
    CHECK(strlen(user.canonical_id) == 64 && strspn(user.canonical_id, "0123456789abcdef") == 64,
          "with a canonical id of 64 hex digits");
    lst_user_release(&user);
    CHECK(lst_users_find_key(users, LST_SLICE("ALICE1"), &user) == LST_OK &&
              strcmp(user.name, "alice") == 0,
          "also by its access key id");
    lst_user_release(&user);
    CHECK(lst_users_find_key(users, LST_SLICE("alice"), &user) == LST_ERR_USER_NOT_FOUND,
          "but its name is no access key id");
    CHECK(add_user(users, "alice", "ALICE2", NULL) == LST_ERR_USER_EXISTS, "a name is taken once");
    CHECK(add_user(users, "bob", "ALICE1", NULL) == LST_ERR_KEY_ID_EXISTS,
          "an access key id is taken once");
    CHECK(lst_users_find(users, LST_SLICE("bob"), &user) == LST_ERR_USER_NOT_FOUND,
          "and nothing of the one that failed is left");
    CHECK(add_user(users, "carol", NULL, "{}") == LST_ERR_POLICY, "a bad policy is refused");
}

static void test_names_and_keys(struct lst_users *users)
{
    static const char *const names[] = {"", "a b", "a/b", "a\"b", "root", "\xC3\xA9"};
    struct lst_user_key key;
    char long_name[LST_USER_NAME_MAX + 2];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        CHECK(add_user(users, names[i], NULL, NULL) == LST_ERR_INVALID_ARGUMENT,
              "'%s' can't be a name", names[i]);
    }
    memset(long_name, 'x', sizeof(long_name));
    CHECK(lst_user_name_is_valid(lst_slice_make(long_name, LST_USER_NAME_MAX)) &&
              !lst_user_name_is_valid(lst_slice_make(long_name, LST_USER_NAME_MAX + 1)),
          "a name has at most %d characters", LST_USER_NAME_MAX);
    CHECK(lst_user_name_is_valid(LST_SLICE("Alice+=,.@_-9")), "names are as in IAM");
    lst_user_key_generate(&key);
    CHECK(strlen(key.access_key_id) == 20 && strncmp(key.access_key_id, "LST", 3) == 0 &&
              strlen(key.secret) == 40 && key.active && lst_user_key_is_valid(&key),
          "a key that is made up has the usual form");
    snprintf(key.access_key_id, sizeof(key.access_key_id), "AK/ID");
    CHECK(!lst_user_key_is_valid(&key), "no '/' in an access key id: a scope could not be split");
    snprintf(key.access_key_id, sizeof(key.access_key_id), "AKID");
    snprintf(key.secret, sizeof(key.secret), "trailing space ");
    CHECK(!lst_user_key_is_valid(&key), "no white space in a secret");
}

static void test_change(struct lst_users *users)
{
    struct lst_user first;
    struct lst_user second;
    struct lst_user found;

    CHECK(add_user(users, "dave", "DAVE1", NULL) == LST_OK &&
              lst_users_find(users, LST_SLICE("dave"), &first) == LST_OK &&
              lst_users_find(users, LST_SLICE("dave"), &second) == LST_OK,
          "two look at the same user");
    lst_user_key_generate(&first.keys[1]);
    snprintf(first.keys[1].access_key_id, sizeof(first.keys[1].access_key_id), "DAVE2");
    first.key_count = 2;
    CHECK(lst_users_change(users, &first) == LST_OK, "the first one changes it");
    second.enabled = false;
    CHECK(lst_users_change(users, &second) == LST_ERR_CONFLICT,
          "the second one is told, and overwrites nothing");
    CHECK(lst_users_find_key(users, LST_SLICE("DAVE2"), &found) == LST_OK && found.key_count == 2 &&
              found.enabled,
          "the first one's change is there");
    found.keys[0] = found.keys[1];
    found.key_count = 1;
    CHECK(lst_users_change(users, &found) == LST_OK, "a key can be taken away");
    lst_user_release(&found);
    CHECK(lst_users_find_key(users, LST_SLICE("DAVE1"), &found) == LST_ERR_USER_NOT_FOUND,
          "and is then unknown");
    CHECK(lst_users_find_key(users, LST_SLICE("DAVE2"), &found) == LST_OK, "the other one stays");
    snprintf(found.keys[0].access_key_id, sizeof(found.keys[0].access_key_id), "ALICE1");
    CHECK(lst_users_change(users, &found) == LST_ERR_KEY_ID_EXISTS,
          "nobody can take another's access key id");
    lst_user_release(&found);
    CHECK(add_user(users, "erin", "DAVE1", NULL) == LST_OK, "a removed id is free again");
    CHECK(lst_users_drop_damaged(users, LST_USERS_KIND_USER, LST_SLICE("dave"),
                                 LST_USERS_KIND_KEY) == LST_ERR_CONFLICT &&
              lst_users_drop_damaged(users, LST_USERS_KIND_USER, LST_SLICE("nobody"),
                                     LST_USERS_KIND_KEY) == LST_ERR_CONFLICT,
          "what is not damaged, any more perhaps, is not dropped as damaged");
    CHECK(lst_users_remove(users, LST_SLICE("dave")) == LST_OK, "a user can be removed");
    CHECK(lst_users_remove(users, LST_SLICE("dave")) == LST_ERR_USER_NOT_FOUND, "once");
    CHECK(lst_users_find_key(users, LST_SLICE("DAVE2"), &found) == LST_ERR_USER_NOT_FOUND,
          "its keys go with it");
    CHECK(lst_users_change(users, &first) == LST_ERR_USER_NOT_FOUND,
          "it can't be changed any more");
    CHECK(add_user(users, "dave", "DAVE1b", NULL) == LST_OK &&
              lst_users_change(users, &first) == LST_ERR_CONFLICT,
          "nor mistaken for a later user of the same name");
    lst_user_release(&first);
    lst_user_release(&second);
}

static void test_root(struct lst_users *users)
{
    struct lst_user_key key;
    struct lst_user user;
    char canonical_id[LST_CANONICAL_ID_LENGTH + 1];
    uint64_t version;

    lst_user_key_generate(&key);
    CHECK(lst_users_set_root(users, &key) == LST_OK &&
              lst_users_find(users, LST_SLICE(LST_ROOT_USER), &user) == LST_OK && user.is_root &&
              user.enabled && user.key_count == 1 && strcmp(user.keys[0].secret, key.secret) == 0,
          "the root user is made with its key");
    memcpy(canonical_id, user.canonical_id, sizeof(canonical_id));
    lst_user_release(&user);
    version = lst_users_version(users);
    CHECK(lst_users_set_root(users, &key) == LST_OK && lst_users_version(users) == version,
          "the same key again changes nothing");
    snprintf(key.secret, sizeof(key.secret), "another secret is here"); /* spaces: not valid */
    CHECK(lst_users_set_root(users, &key) == LST_ERR_INVALID_ARGUMENT, "a bad key is refused");
    snprintf(key.secret, sizeof(key.secret), "another-secret");
    CHECK(lst_users_set_root(users, &key) == LST_OK &&
              lst_users_find(users, LST_SLICE(LST_ROOT_USER), &user) == LST_OK &&
              user.key_count == 1 && strcmp(user.keys[0].secret, "another-secret") == 0 &&
              strcmp(user.canonical_id, canonical_id) == 0,
          "another secret replaces it; the canonical id stays");
    lst_user_release(&user);
    snprintf(key.access_key_id, sizeof(key.access_key_id), "ALICE1");
    CHECK(lst_users_set_root(users, &key) == LST_ERR_KEY_ID_EXISTS,
          "root can't take another user's access key id");
    CHECK(lst_users_remove(users, LST_SLICE(LST_ROOT_USER)) == LST_ERR_INVALID_ARGUMENT,
          "the root user can't be removed");
}

struct names {
    char text[256];
    size_t limit;
};

static int note_name(void *context, const struct lst_user *user)
{
    struct names *names = context;

    size_t length = strlen(names->text);

    snprintf(names->text + length, sizeof(names->text) - length, "%s ", user->name);
    return --names->limit == 0 ? LST_ERR_CLOSED : LST_OK;
}

static void test_list(struct lst_users *users)
{
    struct names names = {.limit = 100};

    CHECK(lst_users_list(users, note_name, &names) == LST_OK, "users can be listed");
    CHECK_TEXT(names.text, strlen(names.text), "alice dave erin root ", "all, in order");
    names = (struct names){.limit = 2};
    CHECK(lst_users_list(users, note_name, &names) == LST_ERR_CLOSED &&
              strcmp(names.text, "alice dave ") == 0,
          "until the visitor has had enough");
}

/* Each process adds users of its own and counts a shared one up, in its display name. */
static void change_much(int process, int rounds)
{
    struct lst_users *users = open_users();

    for (int i = 0; i < rounds; i++) {
        struct lst_user user;
        char name[32];
        int status;
        snprintf(name, sizeof(name), "p%d-%d", process, i);
        if (add_user(users, name, NULL, NULL) != LST_OK) {
            _exit(2);
        }
        do {
            if (lst_users_find(users, LST_SLICE("counter"), &user) != LST_OK) {
                _exit(3);
            }
            snprintf(user.display_name, sizeof(user.display_name), "%d",
                     (int)strtol(user.display_name, NULL, 10) + 1);
            status = lst_users_change(users, &user);
            lst_user_release(&user);
        } while (status == LST_ERR_CONFLICT);
        if (status != LST_OK) {
            _exit(4);
        }
    }
    lst_users_close(users);
    _exit(0);
}

static int count_user(void *context, const struct lst_user *user)
{
    *(int *)context += user->name[0] == 'p' ? 1 : 0;
    return LST_OK;
}

static void test_processes(void)
{
    enum { PROCESSES = 3, ROUNDS = 30 };
    pid_t children[PROCESSES];
    struct lst_users *users = open_users();
    struct lst_user user;
    bool all_fine = true;
    int added = 0;

    CHECK(add_user(users, "counter", NULL, NULL) == LST_OK, "a user for all to change");
    lst_users_close(users);
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            change_much(i, ROUNDS);
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        all_fine = waitpid(children[i], &status, 0) == children[i] && status == 0 && all_fine;
    }
    CHECK(all_fine, "%d processes change users at the same time", PROCESSES);
    users = open_users();
    CHECK(lst_users_list(users, count_user, &added) == LST_OK && added == PROCESSES * ROUNDS,
          "every user that was added is there: %d", added);
    CHECK(lst_users_find(users, LST_SLICE("counter"), &user) == LST_OK &&
              (int)strtol(user.display_name, NULL, 10) == PROCESSES * ROUNDS,
          "no change was lost: %s", user.display_name);
    lst_user_release(&user);
    lst_users_close(users);
}

static void test_file(void)
{
    struct lst_users *users;
    struct stat state;
    char path[128];

    snprintf(path, sizeof(path), "%s/users.mdb", folder);
    CHECK(stat(path, &state) == 0 && (state.st_mode & 0777) == 0600,
          "the file can be read by its owner alone");
    CHECK(lst_users_open(folder, true, &users) == LST_OK, "it can be opened for reading only");
    struct lst_user user;
    CHECK(lst_users_find(users, LST_SLICE("alice"), &user) == LST_OK, "and then read");
    lst_user_release(&user);
    CHECK(add_user(users, "zoe", NULL, NULL) != LST_OK, "but not changed");
    lst_users_close(users);
    CHECK(lst_users_open("/nonexistent/folder", true, &users) == LST_ERR_NOT_FOUND,
          "a folder that is not there is an error");
}

static void remove_folder(void)
{
    static const char *const files[] = {"users.mdb", "users.mdb-lock"};
    char path[128];

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
        unlink(path);
    }
    rmdir(folder);
}

int main(void)
{
    struct lst_users *users;

    snprintf(folder, sizeof(folder), "/tmp/lst-users-%d", (int)getpid());
    users = open_users();
    test_add_and_find(users);
    test_names_and_keys(users);
    test_change(users);
    test_root(users);
    test_list(users);
    lst_users_close(users);
    test_processes();
    test_file();
    remove_folder();
    return tap_done();
}
