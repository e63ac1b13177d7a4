/* gate_fault.c - users, tokens and the ledger, with each of their calls failing in turn: what was
 * answered with success is so, what failed is as it was or as it was to be, and a revoked id is
 * never let through. */
#include "turn.h"

#include "base/clock.h"
#include "base/file.h"
#include "gate/ledger.h"
#include "gate/tokens.h"
#include "gate/users_index.h"

#include <ftw.h>
#include <pthread.h>
#include <unistd.h>

static char folder[] = "gate-fault-XXXXXX";
static struct lst_users *users;
static struct lst_ledger *ledger;

static struct lst_slice of(const char *text)
{
    return lst_slice_make(text, strlen(text));
}

/* ---- Users */

#define POLICY                                                                                     \
    "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\","            \
    "\"Resource\":\"*\"}}"

static void fill_key(struct lst_user_key *key, const char *id)
{
    memset(key, 0, sizeof(*key));
    (void)snprintf(key->access_key_id, sizeof(key->access_key_id), "%s", id);
    (void)snprintf(key->secret, sizeof(key->secret), "a secret of %s", "nobody");
    memset(key->secret, 'x', 20);
    key->active = true;
}

static int add_user(const char *name, const char *key_id)
{
    struct lst_user user = {.key_count = 1};
    int status;

    (void)snprintf(user.name, sizeof(user.name), "%s", name);
    fill_key(&user.keys[0], key_id);
    user.policy = malloc(sizeof(POLICY));
    if (user.policy == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    memcpy(user.policy, POLICY, sizeof(POLICY));
    status = lst_users_add(users, &user);
    lst_user_release(&user);
    return status;
}

/* Whose the key is: '\0' nobody's, '?' it can't be said, else the first letter of the name. */
static char owner_of(const char *key_id)
{
    struct lst_user user;
    int status = lst_users_find_key(users, of(key_id), &user);
    char letter;

    if (status != 0) {
        return status == LST_ERR_USER_NOT_FOUND ? '\0' : '?';
    }
    letter = user.name[0];
    lst_user_release(&user);
    return letter;
}

/* 1 whole, 0 not there, -1 something else. */
static int state_of(const char *name, const char *key_id)
{
    struct lst_user user;
    int status = lst_users_find(users, of(name), &user);
    bool is_whole;

    if (status != 0) {
        return status == LST_ERR_USER_NOT_FOUND ? 0 : -1;
    }
    is_whole = user.policy != NULL && strcmp(user.policy, POLICY) == 0 && user.key_count == 1 &&
               strcmp(user.keys[0].access_key_id, key_id) == 0 && user.enabled;
    lst_user_release(&user);
    return is_whole ? 1 : -1;
}

static bool without_user(void)
{
    int status = lst_users_remove(users, of("alice"));

    return status == 0 || status == LST_ERR_USER_NOT_FOUND;
}

static bool with_user(void)
{
    return without_user() && add_user("alice", "KEY-1") == 0;
}

static int add_alice(void)
{
    return add_user("alice", "KEY-1");
}

static bool is_added(bool worked)
{
    int state = state_of("alice", "KEY-1");

    return state >= 0 && (state == 1 || !worked) && owner_of("KEY-1") == (state == 1 ? 'a' : '\0');
}

static int change(void)
{
    struct lst_user user;
    int status = lst_users_find(users, of("alice"), &user);

    if (status == 0) {
        fill_key(&user.keys[0], "KEY-2");
        status = lst_users_change(users, &user);
        lst_user_release(&user);
    }
    return status;
}

static bool is_changed(bool worked)
{
    bool is_new =
        owner_of("KEY-2") == 'a' && owner_of("KEY-1") == '\0' && state_of("alice", "KEY-2") == 1;
    bool is_old =
        owner_of("KEY-1") == 'a' && owner_of("KEY-2") == '\0' && state_of("alice", "KEY-1") == 1;

    return worked ? is_new : is_new || is_old;
}

static int remove_alice(void)
{
    return lst_users_remove(users, of("alice"));
}

static bool is_removed(bool worked)
{
    int state = state_of("alice", "KEY-1");

    return state >= 0 && (state == 0 || !worked) && owner_of("KEY-1") == (state == 1 ? 'a' : '\0');
}

static int set_root(const char *key_id)
{
    struct lst_user_key key;

    fill_key(&key, key_id);
    return lst_users_set_root(users, &key);
}

static bool with_root(void)
{
    return set_root("ROOT-1") == 0;
}

static int change_root(void)
{
    return set_root("ROOT-2");
}

static bool is_root_changed(bool worked)
{
    bool is_new = owner_of("ROOT-2") == 'r' && owner_of("ROOT-1") == '\0';
    bool is_old = owner_of("ROOT-1") == 'r' && owner_of("ROOT-2") == '\0';

    return worked ? is_new : is_new || is_old;
}

static int count_user(void *context, const struct lst_user *user)
{
    (*(int *)context)++;
    return user->name[0] == '\0' ? LST_ERR_CORRUPT : 0;
}

static int listed;

static int list_users(void)
{
    listed = 0;
    return lst_users_list(users, count_user, &listed);
}

static bool all_are_listed(bool worked)
{
    return !worked || listed == 2;
}

static int look_up(void)
{
    struct lst_user user;
    int status = lst_users_find_key(users, of("KEY-1"), &user);

    if (status == 0) {
        if (user.policy == NULL || strcmp(user.policy, POLICY) != 0) {
            status = LST_ERR_CORRUPT;
        }
        lst_user_release(&user);
    }
    return status;
}

static bool is_well(bool worked)
{
    (void)worked;
    return true;
}

/* ---- Tokens */

static char token_text[LST_TOKEN_TEXT_LENGTH];

static int make_token(void)
{
    struct lst_token token = {.name = "phone", .user = "alice", .may = LST_MAY_UPLOAD};

    return lst_tokens_create(users, &token, token_text);
}

static bool without_token(void)
{
    int status = lst_tokens_revoke(users, of("phone"), 1);

    return status == 0 || status == LST_ERR_NOT_FOUND;
}

static bool with_token(void)
{
    return without_token() && make_token() == 0;
}

/* The same one every time: revoked ones are listed, too. */
static bool with_same_token(void)
{
    struct lst_token token;

    return lst_tokens_find(users, of("phone"), &token) == 0 || make_token() == 0;
}

static bool is_made(bool worked)
{
    struct lst_token token;
    int status = lst_tokens_find(users, of("phone"), &token);

    if (status != 0) {
        return status == LST_ERR_NOT_FOUND && !worked;
    }
    return token.revoked == 0 &&
           (!worked || lst_token_fits(&token, lst_slice_make(token_text, sizeof(token_text))));
}

static int find_token(void)
{
    struct lst_token token;

    return lst_tokens_find(users, of("phone"), &token);
}

static int revoke_token(void)
{
    return lst_tokens_revoke(users, of("phone"), 99);
}

/* By its id it is found still, and says whether it was revoked; the name is free just then. */
static bool is_token_revoked(bool worked)
{
    struct lst_token token;
    struct lst_slice id;
    bool has_name = find_token() == 0;

    return lst_token_id(lst_slice_make(token_text, sizeof(token_text)), &id) &&
           lst_tokens_find(users, id, &token) == 0 && (token.revoked == 0) == has_name &&
           (!worked || token.revoked == 99);
}

static int count_token(void *context, const struct lst_token *token)
{
    *(int *)context += token->revoked == 0 ? 1 : 0;
    return 0;
}

static int list_tokens(void)
{
    listed = 0;
    return lst_tokens_list(users, count_token, &listed);
}

static bool one_is_listed(bool worked)
{
    return !worked || listed == 1;
}

/* ---- The ledger */

enum { LIMIT = 3, IDS_MAX = 4000 };

static char id[32];
static int id_number;
static char revoked_ids[IDS_MAX][32]; /* whose revocation was answered with success */
static int revoked_count;

static struct lst_use make_use(uint64_t limit, bool is_write)
{
    int64_t now_ms = lst_clock_now_ms();

    return (struct lst_use){.user = LST_SLICE("alice"),
                            .id = of(id),
                            .method = LST_SLICE("PUT"),
                            .bucket = LST_SLICE("photos"),
                            .key = LST_SLICE("a/b.jpg"),
                            .peer = LST_SLICE("203.0.113.9"),
                            .limit = limit,
                            .now_ms = now_ms,
                            .expires_ms = now_ms + 60000,
                            .is_write = is_write};
}

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

static int reserve(struct lst_use use, uint64_t *ret_sequence)
{
    struct waiter waiter = {.reservation = {.use = use, .done = wake_waiter},
                            .lock = PTHREAD_MUTEX_INITIALIZER,
                            .wake = PTHREAD_COND_INITIALIZER};

    waiter.reservation.context = &waiter;
    lst_ledger_reserve(ledger, &waiter.reservation);
    pthread_mutex_lock(&waiter.lock);
    while (!waiter.is_done) {
        pthread_cond_wait(&waiter.wake, &waiter.lock);
    }
    pthread_mutex_unlock(&waiter.lock);
    *ret_sequence = waiter.reservation.sequence;
    return waiter.status;
}

static void settle(struct lst_use use, uint64_t sequence, int http_status)
{
    lst_ledger_settle(ledger, &(struct lst_use_outcome){.use = use,
                                                        .sequence = sequence,
                                                        .http_status = http_status,
                                                        .size = 10,
                                                        .etag = LST_SLICE("e")});
    lst_ledger_flush(ledger);
}

static bool new_id(void)
{
    (void)snprintf(id, sizeof(id), "id-%d", ++id_number);
    return true;
}

static int reserve_one(void)
{
    uint64_t sequence;

    return reserve(make_use(LIMIT, false), &sequence);
}

/* Not one use more than allowed; and if the first was refused cleanly, not one less. */
static bool is_counted(bool worked)
{
    int count = worked ? 1 : 0;
    uint64_t sequence;
    int status;

    while ((status = reserve(make_use(LIMIT, false), &sequence)) == 0) {
        count++;
    }
    return status == LST_ERR_TOO_LARGE && (count == LIMIT || (count == LIMIT - 1 && !worked));
}

static uint64_t open_sequence;

static bool with_write(void)
{
    return new_id() && reserve(make_use(LIMIT, true), &open_sequence) == 0;
}

static int settle_success(void)
{
    settle(make_use(LIMIT, true), open_sequence, 200);
    return 0;
}

static int settle_failure(void)
{
    settle(make_use(LIMIT, true), open_sequence, 500);
    return 0;
}

static int see_open(void *context, const struct lst_use_outcome *outcome)
{
    *(bool *)context |= lst_slice_equal(outcome->use.id, of(id));
    return 0;
}

/* Recorded, or open still, so that the next start sees to it: the one or the other. */
static bool is_settled(uint64_t used)
{
    struct lst_ledger_summary summary;
    bool is_open = false;
    int status = lst_ledger_find(ledger, LST_SLICE("alice"), of(id), &summary);

    if (status != 0 || lst_ledger_open_uses(ledger, see_open, &is_open) != 0) {
        return false;
    }
    return is_open ? summary.used == 1 && summary.succeeded + summary.failed == 0
                   : summary.used == used && summary.succeeded + summary.failed == 1;
}

static bool is_success_settled(bool worked)
{
    (void)worked;
    return is_settled(1);
}

static bool is_failure_settled(bool worked)
{
    (void)worked;
    return is_settled(0);
}

static int revoke_id(void)
{
    return lst_ledger_revoke(ledger, LST_SLICE("alice"), of(id), 0);
}

static bool is_revoked(bool worked)
{
    int status = lst_ledger_check(ledger, LST_SLICE("alice"), of(id), 0);

    if (worked && revoked_count < IDS_MAX) {
        memcpy(revoked_ids[revoked_count++], id, sizeof(id));
    }
    return worked ? status == LST_ERR_CLOSED
                  : (status == 0 || status == LST_ERR_CLOSED) && revoke_id() == 0 &&
                        lst_ledger_check(ledger, LST_SLICE("alice"), of(id), 0) == LST_ERR_CLOSED;
}

/* What the filter does not have yet. */
static bool with_revoked(void)
{
    return new_id() && revoke_id() == 0;
}

static int check_revoked(void)
{
    int status = lst_ledger_check(ledger, LST_SLICE("alice"), of(id), 0);

    return status == LST_ERR_CLOSED ? 0 : status == 0 ? LST_ERR_CORRUPT : status;
}

static int reserve_revoked(void)
{
    uint64_t sequence;
    int status = reserve(make_use(LIMIT, false), &sequence);

    return status == LST_ERR_CLOSED ? 0 : status == 0 ? LST_ERR_CORRUPT : status;
}

static bool with_history(void)
{
    bool done = new_id();

    for (int i = 0; i < LIMIT && done; i++) {
        uint64_t sequence;
        done = reserve(make_use(LIMIT, true), &sequence) == 0;
        settle(make_use(LIMIT, true), sequence, 200);
    }
    return done;
}

static int count_use(void *context, const struct lst_use_outcome *outcome)
{
    *(int *)context += outcome->http_status == 200 ? 1 : 0;
    return 0;
}

static int list_uses(void)
{
    listed = 0;
    return lst_ledger_uses(ledger, LST_SLICE("alice"), of(id), count_use, &listed);
}

static bool are_uses_listed(bool worked)
{
    return !worked || listed == LIMIT;
}

/* Long after it expired. */
static int sweep(void)
{
    return lst_ledger_sweep(ledger, lst_clock_now_ms() + 10 * (int64_t)86400000);
}

static bool is_swept(bool worked)
{
    struct lst_ledger_summary summary;
    int status = lst_ledger_find(ledger, LST_SLICE("alice"), of(id), &summary);

    if (!worked && status == 0) {
        return summary.used == LIMIT && sweep() == 0 &&
               lst_ledger_find(ledger, LST_SLICE("alice"), of(id), &summary) == LST_ERR_NOT_FOUND;
    }
    return status == LST_ERR_NOT_FOUND;
}

/* One for all turns: it is not settled. */
static bool with_open_use(void)
{
    static bool is_made;

    is_made = is_made || with_write();
    return is_made;
}

static bool has_open;

static int list_open(void)
{
    has_open = false;
    return lst_ledger_open_uses(ledger, see_open, &has_open);
}

static bool is_open_listed(bool worked)
{
    return !worked || has_open;
}

static struct lst_ledger_summary found;

static int find_id(void)
{
    found = (struct lst_ledger_summary){0};
    return lst_ledger_find(ledger, LST_SLICE("alice"), of(id), &found);
}

static bool is_id_found(bool worked)
{
    return !worked || found.used == LIMIT;
}

/* ---- A small file, such as that of root's key */

static char file_path[200];

static bool with_file(void)
{
    (void)snprintf(file_path, sizeof(file_path), "%s/file", folder);
    return lst_file_write(file_path, LST_SLICE("the old content"), 0600) == 0;
}

static int write_file(void)
{
    return lst_file_write(file_path, LST_SLICE("a new content"), 0600);
}

static int read_file(struct lst_slice *ret_content)
{
    static struct lst_buffer content;
    int status;

    lst_buffer_release(&content);
    lst_buffer_init(&content, 100);
    status = lst_file_read(file_path, &content);
    *ret_content = lst_buffer_slice(&content);
    return status;
}

/* Old or new, and whole; and nothing beside it that the next one would stumble over. */
static bool is_written(bool worked)
{
    struct lst_slice content;
    bool is_right = read_file(&content) == 0 &&
                    (lst_slice_equal(content, LST_SLICE("a new content")) ||
                     (!worked && lst_slice_equal(content, LST_SLICE("the old content"))));

    return is_right && with_file();
}

static int read_whole_file(void)
{
    struct lst_slice content;
    int status = read_file(&content);

    return status == 0 && !lst_slice_equal(content, LST_SLICE("the old content")) ? LST_ERR_CORRUPT
                                                                                  : status;
}

/* ---- Opening */

static void close_all(void)
{
    lst_ledger_close(ledger);
    lst_users_close(users);
    ledger = NULL;
    users = NULL;
}

static bool is_closed(void)
{
    bool done = with_user() && with_revoked();

    close_all();
    return done;
}

static int open_both(void)
{
    int status = lst_users_open(folder, false, &users);

    return status == 0 ? lst_ledger_open(folder, false, &ledger) : status;
}

/* Nothing is known of what was revoked: all of it is read with the first question. */
static bool has_just_opened(void)
{
    static bool has_revoked; /* once: each one more is one more row to read */

    has_revoked = has_revoked || with_revoked();
    close_all();
    return has_revoked && open_both() == 0;
}

/* What could not be opened can be opened next time, and nothing is lost. */
static bool is_opened(bool worked)
{
    if (!worked) {
        close_all();
    }
    return (worked || open_both() == 0) && state_of("alice", "KEY-1") == 1 && check_revoked() == 0;
}

static const struct turn turns[] = {
    {"asking for a revoked id first of all", has_just_opened, check_revoked, is_well},
    {"adding a user", without_user, add_alice, is_added},
    {"changing a user's key", with_user, change, is_changed},
    {"removing a user", with_user, remove_alice, is_removed},
    {"changing root's key", with_root, change_root, is_root_changed},
    {"listing the users", with_user, list_users, all_are_listed},
    {"finding a user by a key", with_user, look_up, is_well},
    {"listing the tokens", with_same_token, list_tokens, one_is_listed},
    {"making a token", without_token, make_token, is_made},
    {"finding a token", with_same_token, find_token, is_well},
    {"revoking a token", with_token, revoke_token, is_token_revoked},
    {"reserving a use", new_id, reserve_one, is_counted},
    {"settling a use", with_write, settle_success, is_success_settled},
    {"giving back a use", with_write, settle_failure, is_failure_settled},
    {"revoking an id", new_id, revoke_id, is_revoked},
    {"asking for a revoked id", with_revoked, check_revoked, is_well},
    {"reserving a use of a revoked id", with_revoked, reserve_revoked, is_well},
    {"listing the uses of an id", with_history, list_uses, are_uses_listed},
    {"listing the open uses", with_open_use, list_open, is_open_listed},
    {"finding an id", with_history, find_id, is_id_found},
    {"writing a file", with_file, write_file, is_written},
    {"reading a file", with_file, read_whole_file, is_well},
    {"sweeping", with_history, sweep, is_swept},
    {"opening", is_closed, open_both, is_opened},
};

static void open_all(void)
{
    if (lst_users_open(folder, false, &users) != 0 ||
        lst_ledger_open(folder, false, &ledger) != 0) {
        CHECK(false, "users and ledger are opened");
        exit(tap_done());
    }
    lst_ledger_set_life(ledger, 60000);
}

static void revive(void)
{
    if (ledger == NULL || users == NULL) {
        return; /* they were being opened */
    }
    if (lst_index_has_failed(lst_ledger_index(ledger)) || lst_index_has_failed(users->index)) {
        close_all();
        open_all();
    }
}

static int remove_one(const char *path, const struct stat *state, int kind, struct FTW *where)
{
    (void)state;
    (void)kind;
    (void)where;
    return remove(path);
}

/* What this program is about. */
static const char here[] = "/gate/ledger /gate/tokens /gate/user /base/file.c";
/* Damaged rows: protocol/test_damaged_rows.py. */
static const char unreached[] = "lst_users_drop_damaged read_damaged drop_damaged";

int main(void)
{
    int lost = 0;

    /* In memory where that can be: no sync is waited for. */
    if (access("/dev/shm", W_OK) == 0 && chdir("/dev/shm") != 0) {
        return 1;
    }
    if (mkdtemp(folder) == NULL) {
        return 1;
    }
    open_all();
    turn_revive = revive;
    CHECK(with_root(), "root has a key");
    for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
        turn_test(&turns[i]);
    }
    close_all();
    open_all();
    for (int i = 0; i < revoked_count; i++) {
        lost +=
            lst_ledger_check(ledger, LST_SLICE("alice"), of(revoked_ids[i]), 0) == LST_ERR_CLOSED
                ? 0
                : 1;
    }
    CHECK(lost == 0 && revoked_count > 0,
          "after a new start all %d ids are revoked of which that was said", revoked_count);
    CHECK(fault_never_at(FAULT_ALL, here, unreached) == 0,
          "every call has failed, wherever it is made");
    close_all();
    (void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return tap_done();
}
