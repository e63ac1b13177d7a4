/*
 * damage_seed_test.c - whatever a disk does to the files of users and of uses, nobody is let in who
 * should not be, nothing crashes or hangs, and the check names what is wrong.
 *
 * A folder with users, tokens, links that were used up, and revoked ones is made once. Each seed
 * damages one file of a copy of it, in a process of its own. Then everything is asked for, and
 * something is written. LST_SEED=N runs one seed alone. LST_FULL=1: 1,000 seeds.
 */
#include "gate_scene.h"

#include "damage.h"
#include "gate/ledger.h"
#include "gate/tokens.h"
#include "index/index.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

enum {
    SEEDS = 100,
    SEEDS_FULL = 1000,
    AT_ONCE = 4,
    SECONDS = 120, /* nothing takes so long but what hangs */
    USERS = 24,
    TOKENS = 24,
    IDS = 60,
    POLICY_SIZE = 1500,
    BIG_POLICY_SIZE = 9000, /* has pages of its own */
};

/* ---- What is stored: all follows from a number */

static struct lst_user users[USERS];
static struct lst_token tokens[TOKENS];
static char token_texts[TOKENS][LST_TOKEN_TEXT_LENGTH];
static struct lst_ledger_summary summaries[IDS];

/* A third of the users may not sign, for two reasons. */
static bool may_sign(int i)
{
    return i % 3 != 1;
}

static void make_user(int i, struct lst_user *ret_user)
{
    size_t size = i % 8 == 7 ? BIG_POLICY_SIZE : POLICY_SIZE;

    *ret_user = (struct lst_user){.key_count = 1};
    (void)snprintf(ret_user->name, sizeof(ret_user->name), "user-%02d", i);
    (void)snprintf(ret_user->keys[0].access_key_id, sizeof(ret_user->keys[0].access_key_id),
                   "KEY%02d", i);
    (void)snprintf(ret_user->keys[0].secret, sizeof(ret_user->keys[0].secret), SCENE_SECRET "-%02d",
                   i);
    ret_user->keys[0].active = i % 6 != 4;
    ret_user->policy = malloc(size + 256);
    (void)snprintf(ret_user->policy, size + 256,
                   "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                   "\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::bucket-%02d/%0*d\"}]}",
                   i, (int)size, i);
}

/* A new user is never disabled. */
static bool disable(struct lst_users *directory, int i)
{
    struct lst_user user;
    char name[LST_USER_NAME_MAX];
    bool ok;

    (void)snprintf(name, sizeof(name), "user-%02d", i);
    if (lst_users_find(directory, lst_slice_of(name), &user) != LST_OK) {
        return false;
    }
    user.enabled = i % 6 != 1;
    ok = lst_users_change(directory, &user) == LST_OK;
    lst_user_release(&user);
    return ok;
}

static bool add_users(struct lst_users *directory)
{
    bool ok = true;

    for (int i = 0; i < USERS && ok; i++) {
        struct lst_user user;
        make_user(i, &user);
        ok = lst_users_add(directory, &user) == LST_OK && disable(directory, i) &&
             lst_users_find(directory, lst_slice_of(user.name), &users[i]) == LST_OK;
        lst_user_release(&user);
    }
    for (int i = 0; i < TOKENS && ok; i++) {
        struct lst_token *token = &tokens[i];
        *token = (struct lst_token){.may = LST_MAY_UPLOAD, .created = SCENE_NOW};
        (void)snprintf(token->name, sizeof(token->name), "token-%02d", i);
        (void)snprintf(token->user, sizeof(token->user), "user-%02d", i % USERS);
        (void)snprintf(token->profiles, sizeof(token->profiles), "profile-%02d", i);
        ok = lst_tokens_create(directory, token, token_texts[i]) == LST_OK;
        if (ok && i % 3 == 0) {
            ok = lst_tokens_revoke(directory, lst_slice_of(token->id), SCENE_NOW) == LST_OK;
            token->revoked = SCENE_NOW;
        }
    }
    return ok;
}

/* ---- Uses of links */

struct waiter {
    struct lst_reservation reservation;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_done;
    int status;
};

static void wake_waiter(struct lst_reservation *reservation, int status)
{
    struct waiter *waiter = reservation->context;

    pthread_mutex_lock(&waiter->lock);
    waiter->is_done = true;
    waiter->status = status;
    pthread_cond_signal(&waiter->wake);
    pthread_mutex_unlock(&waiter->lock);
}

static void make_id(int i, char ret_id[16])
{
    (void)snprintf(ret_id, 16, "link-%02d-%c", i, 'a' + i % 26);
}

static int reserve(struct lst_ledger *ledger, const char *id)
{
    struct waiter waiter = {.reservation = {.use = {.user = LST_SLICE("alice"),
                                                    .id = lst_slice_of(id),
                                                    .method = LST_SLICE("GET"),
                                                    .bucket = LST_SLICE("photos"),
                                                    .key = LST_SLICE("a/b.jpg"),
                                                    .peer = LST_SLICE("203.0.113.9"),
                                                    .limit = 1,
                                                    .now_ms = SCENE_NOW * 1000,
                                                    .expires_ms = 0},
                                            .done = wake_waiter},
                            .lock = PTHREAD_MUTEX_INITIALIZER,
                            .wake = PTHREAD_COND_INITIALIZER};

    waiter.reservation.context = &waiter;
    lst_ledger_reserve(ledger, &waiter.reservation);
    pthread_mutex_lock(&waiter.lock);
    while (!waiter.is_done) {
        pthread_cond_wait(&waiter.wake, &waiter.lock);
    }
    pthread_mutex_unlock(&waiter.lock);
    return waiter.status;
}

static bool is_revoked(int i)
{
    return i % 3 == 0;
}

/* Each is used up, or revoked. */
static bool use_links(struct lst_ledger *ledger)
{
    char id[16];
    bool ok = true;

    for (int i = 0; i < IDS && ok; i++) {
        make_id(i, id);
        ok = is_revoked(i)
                 ? lst_ledger_revoke(ledger, LST_SLICE("alice"), lst_slice_of(id), 0) == LST_OK
                 : reserve(ledger, id) == LST_OK;
        ok = ok &&
             lst_ledger_find(ledger, LST_SLICE("alice"), lst_slice_of(id), &summaries[i]) == LST_OK;
    }
    return ok;
}

static bool fill(const char *folder)
{
    struct lst_users *directory = NULL;
    struct lst_ledger *ledger = NULL;
    bool ok = lst_users_open(folder, false, &directory) == LST_OK &&
              lst_ledger_open(folder, false, &ledger) == LST_OK && add_users(directory) &&
              use_links(ledger);

    lst_users_close(directory);
    lst_ledger_close(ledger);
    return ok;
}

/* ---- What is found */

static bool show;

enum end { WELL = 10, NOT_OPENED, LOUD, BAD };

static uint64_t current_seed;
static enum end result = WELL;

static void fail(const char *what, const char *whose)
{
    printf("# LST_SEED=%llu: %s: %s\n", (unsigned long long)current_seed, what, whose);
    (void)fflush(stdout);
    result = BAD;
}

static void show_fault(void *context, const struct lst_index_fault *fault)
{
    (void)context;
    if (show) {
        printf("# %s: %.*s\n", fault->text, (int)fault->key.length, fault->key.bytes);
    }
}

/* Faults that the check finds in a file. Both that it finds some, and that it can't read the file,
 * is what `fsck` reports. */
static bool is_named(const char *folder, const char *name)
{
    char path[100];
    struct lst_index_options options = {.path = path, .read_only = true};
    struct lst_index_verify verify = {.with_rows = true, .report = show_fault};
    struct lst_index *index;
    int status;

    (void)snprintf(path, sizeof(path), "%.60s/%s", folder, name);
    status = lst_index_open(&options, &index);
    if (status == LST_OK) {
        status = lst_index_verify(index, &verify);
        lst_index_close(index);
    }
    return status != LST_OK || verify.faults > 0;
}

static bool same_key(const struct lst_user_key *a, const struct lst_user_key *b)
{
    return strcmp(a->access_key_id, b->access_key_id) == 0 && strcmp(a->secret, b->secret) == 0 &&
           a->active == b->active;
}

static bool same_user(const struct lst_user *a, const struct lst_user *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->canonical_id, b->canonical_id) == 0 &&
           a->enabled == b->enabled && a->is_root == b->is_root && a->key_count == b->key_count &&
           same_key(&a->keys[0], &b->keys[0]) && a->policy != NULL && b->policy != NULL &&
           strcmp(a->policy, b->policy) == 0;
}

/* Everything is the same, or can't be read and is named. */
static void judge_users(struct lst_users *directory, bool named)
{
    for (int i = 0; i < USERS; i++) {
        struct lst_user user;
        for (int by_key = 0; by_key < 2; by_key++) {
            int status = by_key == 1
                             ? lst_users_find_key(
                                   directory, lst_slice_of(users[i].keys[0].access_key_id), &user)
                             : lst_users_find(directory, lst_slice_of(users[i].name), &user);
            if (status == LST_OK && !same_user(&user, &users[i])) {
                fail("another user than was stored", users[i].name);
            } else if (status != LST_OK && !named) {
                fail("the check does not name the file of a user who can't be read", users[i].name);
            }
            if (status == LST_OK) {
                lst_user_release(&user);
            }
        }
    }
    for (int i = 0; i < TOKENS; i++) {
        struct lst_token token;
        int status = lst_tokens_find(directory, lst_slice_of(tokens[i].id), &token);
        if (status == LST_OK && (token.revoked != tokens[i].revoked || token.may != tokens[i].may ||
                                 memcmp(token.hash, tokens[i].hash, sizeof(token.hash)) != 0 ||
                                 strcmp(token.user, tokens[i].user) != 0 ||
                                 strcmp(token.profiles, tokens[i].profiles) != 0)) {
            fail("another token than was stored", tokens[i].name);
        } else if (status != LST_OK && !named) {
            fail("the check does not name the file of a token that can't be read", tokens[i].name);
        }
    }
}

/* Who knocks at the gate: with the right secret, and with another's. */
static void judge_gate(bool named)
{
    for (int i = 0; i < USERS; i++) {
        char name[LST_ACCESS_KEY_ID_MAX + 1];
        struct scene_signing right = {.user = users[i].keys[0].access_key_id,
                                      .secret = users[i].keys[0].secret};
        struct scene_signing wrong = {.user = users[i].keys[0].access_key_id,
                                      .secret = users[(i + 1) % USERS].keys[0].secret};
        int status = scene_try_presigned(&right);
        if (status == LST_OK ? !may_sign(i) : may_sign(i) && !named) {
            fail("the gate lets somebody in, or does not", users[i].name);
        }
        if (scene_try_presigned(&wrong) == LST_OK) {
            fail("the gate takes another secret", users[i].name);
        }
        (void)snprintf(name, sizeof(name), "NOKEY%02d", i);
        wrong.user = name;
        if (scene_try_presigned(&wrong) == LST_OK) {
            fail("the gate lets in whom there is not", name);
        }
    }
}

static void judge_links(struct lst_ledger *ledger, bool named)
{
    char id[16];

    for (int i = 0; i < IDS; i++) {
        struct lst_ledger_summary summary;
        int status;
        make_id(i, id);
        status = lst_ledger_find(ledger, LST_SLICE("alice"), lst_slice_of(id), &summary);
        if (status == LST_OK && memcmp(&summary, &summaries[i], sizeof(summary)) != 0) {
            fail("other uses than were counted", id);
        } else if (status != LST_OK && !named) {
            fail("the check does not name the file of uses that can't be read", id);
        }
        if (is_revoked(i) &&
            lst_ledger_check(ledger, LST_SLICE("alice"), lst_slice_of(id), 0) == LST_OK) {
            fail("a revoked link is not refused", id);
        }
    }
}

/* None may be used: each is used up or revoked. */
static void use_again(struct lst_ledger *ledger)
{
    char id[16];

    for (int i = 0; i < IDS; i++) {
        make_id(i, id);
        if (reserve(ledger, id) == LST_OK) {
            fail("a link that was used up or revoked can be used", id);
        }
    }
    (void)reserve(ledger, "a-new-one");
    lst_ignore_status(lst_ledger_revoke(ledger, LST_SLICE("alice"), LST_SLICE("another"), 0));
}

static void on_bus_error(int number)
{
    (void)number;
    _exit(result == BAD ? BAD : LOUD);
}

static void say_last_words(const char *path)
{
    (void)path;
    _exit(result == BAD ? BAD : LOUD);
}

static bool run_users(const char *folder)
{
    bool named = is_named(folder, "users.mdb");
    struct lst_gate_options options = {.public_hosts = NULL};
    struct lst_user user;

    if (lst_users_open(folder, false, &scene_users) != LST_OK) {
        return false;
    }
    judge_users(scene_users, named);
    options.users = scene_users;
    if (lst_gate_open(&options, &scene_gate) == LST_OK) {
        judge_gate(named);
        make_user(USERS, &user);
        lst_ignore_status(lst_users_add(scene_users, &user));
        lst_user_release(&user);
        users[3].enabled = false;
        lst_ignore_status(lst_users_change(scene_users, &users[3]));
        users[3].enabled = true;
        judge_gate(true);
        lst_gate_close(scene_gate);
    }
    lst_users_close(scene_users);
    return true;
}

static bool run_links(const char *folder)
{
    bool named = is_named(folder, "ledger.mdb");
    struct lst_ledger *ledger;

    if (lst_ledger_open(folder, false, &ledger) != LST_OK) {
        return false;
    }
    judge_links(ledger, named);
    use_again(ledger);
    judge_links(ledger, true);
    lst_ledger_close(ledger);
    return true;
}

static enum end run_seed(const char *folder, uint64_t seed)
{
    bool is_users = seed % 2 == 0;
    char path[100];
    bool is_opened;

    current_seed = seed;
    (void)signal(SIGBUS, on_bus_error);
    lst_index_at_end(say_last_words);
    (void)alarm(SECONDS);
    damage_seed(seed);
    (void)snprintf(path, sizeof(path), "%.60s/%s", folder, is_users ? "users.mdb" : "ledger.mdb");
    damage_file(path);
    is_opened = is_users ? run_users(folder) : run_links(folder);
    return result == BAD ? BAD : is_opened ? WELL : NOT_OPENED;
}

/* ---- All */

static char folder[64];
static char copies[AT_ONCE][64];
static pid_t children[AT_ONCE];
static uint64_t seeds[AT_ONCE];
static size_t ends[BAD + 1];

static void begin_seed(int place, uint64_t seed)
{
    char command[200];

    (void)snprintf(copies[place], sizeof(copies[place]), "%.40s-%d", folder, place);
    (void)snprintf(command, sizeof(command), "rm -rf %.60s && cp -r %.60s %.60s", copies[place],
                   folder, copies[place]);
    if (system(command) != 0) { /* NOLINT(cert-env33-c) */
        abort();
    }
    seeds[place] = seed;
    (void)fflush(stdout);
    children[place] = fork();
    if (children[place] == 0) {
        _exit((int)run_seed(copies[place], seed));
    }
}

static void end_seed(int place)
{
    int status = -1;
    int end;

    if (children[place] <= 0) {
        return;
    }
    (void)waitpid(children[place], &status, 0);
    children[place] = 0;
    end = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (end < WELL || end > BAD) {
        printf("# LST_SEED=%llu: ended with %#x\n", (unsigned long long)seeds[place],
               (unsigned)status);
        end = BAD;
    }
    ends[end]++;
}

int main(void)
{
    const char *one = getenv("LST_SEED");
    uint64_t first = one == NULL ? 1 : strtoull(one, NULL, 10);
    uint64_t count = one != NULL ? 1 : getenv("LST_FULL") != NULL ? SEEDS_FULL : SEEDS;
    char command[200];

    show = one != NULL;
    (void)snprintf(folder, sizeof(folder), "/tmp/lst-damage-%d", (int)getpid());
    CHECK(fill(folder), "a folder is filled with users, tokens and links");
    for (uint64_t seed = first; seed < first + count; seed++) {
        int place = (int)(seed % AT_ONCE);
        end_seed(place);
        begin_seed(place, seed);
    }
    for (int i = 0; i < AT_ONCE; i++) {
        end_seed(i);
    }
    printf("# %zu read, %zu not opened, %zu ended loudly\n", ends[WELL], ends[NOT_OPENED],
           ends[LOUD]);
    CHECK(ends[BAD] == 0,
          "after each of %d damages nobody is let in who should not be, and what is lost is named",
          (int)count);
    for (int i = 0; i < USERS; i++) {
        lst_user_release(&users[i]);
    }
    (void)snprintf(command, sizeof(command), "rm -rf %.60s %.60s-[0-9]*", folder, folder);
    CHECK(system(command) == 0, "all is removed"); /* NOLINT(cert-env33-c) */
    return tap_done();
}
