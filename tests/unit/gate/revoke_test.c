/* revoke_test.c - what one process changes about a user holds for the very next request in another.
 */
#include "gate_scene.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

#define ALLOW(action)                                                                              \
    "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"" action "\","   \
    "\"Resource\":\"*\"}}"

/* The other process: the same program, run with a command. Gives its exit status. */
static int act(const char *folder, const char *command)
{
    struct lst_users *users;
    struct lst_user user;
    int status;

    if (lst_users_open(folder, false, &users) != LST_OK) {
        return 2;
    }
    if (strcmp(command, "remove") == 0) {
        status = lst_users_remove(users, LST_SLICE("alice"));
        lst_users_close(users);
        return status == LST_OK ? 0 : 3;
    }
    if (lst_users_find(users, LST_SLICE("alice"), &user) != LST_OK) {
        return 4;
    }
    if (strcmp(command, "disable") == 0 || strcmp(command, "enable") == 0) {
        user.enabled = command[0] == 'e';
    } else if (strcmp(command, "deactivate") == 0 || strcmp(command, "activate") == 0) {
        user.keys[0].active = command[0] == 'a';
    } else if (strcmp(command, "rotate") == 0) {
        lst_user_key_generate(&user.keys[0]);
    } else {
        free(user.policy);
        user.policy =
            strdup(strcmp(command, "restrict") == 0 ? ALLOW("s3:ListBucket") : ALLOW("*"));
    }
    status = lst_users_change(users, &user);
    lst_user_release(&user);
    lst_users_close(users);
    return status == LST_OK ? 0 : 5;
}

static bool run_in_another_process(const char *command)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        execl("/proc/self/exe", "revoke_test", scene_folder, command, (char *)NULL);
        _exit(9);
    }
    return waitpid(child, &status, 0) == child && status == 0;
}

static int authorise(const struct scene_request *request)
{
    struct lst_passage passage;
    struct lst_access_question question = {.action = LST_SLICE("s3:GetObject"),
                                           .bucket = LST_SLICE("photos"),
                                           .key = LST_SLICE("cat.jpg")};
    int status = lst_gate_authenticate(scene_gate, &request->http, SCENE_NOW, &passage);

    if (status == LST_OK) {
        status = lst_gate_authorise(scene_gate, &passage, &question);
    }
    lst_passage_release(&passage);
    return status;
}

static void test_next_request(void)
{
    static const struct {
        const char *command;
        int want;
    } steps[] = {
        {"disable", LST_REFUSED_ACCESS_KEY_INACTIVE},    {"enable", LST_OK},
        {"deactivate", LST_REFUSED_ACCESS_KEY_INACTIVE}, {"activate", LST_OK},
        {"restrict", LST_REFUSED_NOT_ALLOWED},           {"free", LST_OK},
        {"rotate", LST_REFUSED_ACCESS_KEY_UNKNOWN},
    };
    struct scene_request request;

    scene_presign(&request, &(struct scene_signing){0});
    CHECK(authorise(&request) == LST_OK && authorise(&request) == LST_OK, "a URL works");
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        CHECK(run_in_another_process(steps[i].command), "another process: %s", steps[i].command);
        CHECK(authorise(&request) == steps[i].want, "the next use of the URL gives %d",
              steps[i].want);
    }
    CHECK(run_in_another_process("remove"), "another process: remove");
    CHECK(authorise(&request) == LST_REFUSED_ACCESS_KEY_UNKNOWN, "nothing is left to try");
    CHECK(scene_add("alice", ALLOW("*")) == LST_OK && authorise(&request) == LST_OK,
          "a user who is added with the same key is known at once");
}

/* A snapshot in use survives the user's removal. */
static void test_passage_in_flight(void)
{
    struct scene_request request;
    struct lst_passage passage;

    scene_presign(&request, &(struct scene_signing){0});
    CHECK(lst_gate_authenticate(scene_gate, &request.http, SCENE_NOW, &passage) == LST_OK &&
              run_in_another_process("disable") &&
              authorise(&request) == LST_REFUSED_ACCESS_KEY_INACTIVE,
          "a user is disabled while a request is under way");
    CHECK(strcmp(lst_passage_user_name(&passage), "alice") == 0,
          "that request still knows whose it is");
    lst_passage_release(&passage);
    CHECK(run_in_another_process("enable"), "another process: enable");
}

static atomic_bool stop;
static atomic_int wrong;

static void *use_often(void *argument)
{
    struct scene_request request;

    (void)argument;
    scene_presign(&request, &(struct scene_signing){.user = "steady"});
    while (!atomic_load(&stop)) {
        if (authorise(&request) != LST_OK) {
            atomic_fetch_add(&wrong, 1);
        }
    }
    return NULL;
}

/* Threads use one user's URLs while another user is switched off and on: the one is never refused,
 * the other always at once. */
static void test_threads(void)
{
    enum { THREADS = 4, ROUNDS = 25 };
    pthread_t threads[THREADS];
    struct scene_request request;
    struct lst_user user;
    int late = 0;

    scene_presign(&request, &(struct scene_signing){0});
    CHECK(scene_add("steady", ALLOW("*")) == LST_OK, "a user for the threads");
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, use_often, NULL);
    }
    for (int i = 0; i < 2 * ROUNDS; i++) {
        if (lst_users_find(scene_users, LST_SLICE("alice"), &user) != LST_OK) {
            break;
        }
        user.enabled = !user.enabled;
        if (lst_users_change(scene_users, &user) != LST_OK ||
            (authorise(&request) == LST_OK) != user.enabled) {
            late++;
        }
        lst_user_release(&user);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK(late == 0, "each of %d changes holds at once", 2 * ROUNDS);
    CHECK(atomic_load(&wrong) == 0, "and no other user's request is refused meanwhile");
}

int main(int argument_count, char **arguments)
{
    if (argument_count == 3) {
        return act(arguments[1], arguments[2]);
    }
    scene_open(NULL, 0);
    CHECK(scene_add("alice", ALLOW("*")) == LST_OK, "a user");
    test_next_request();
    test_passage_in_flight();
    test_threads();
    scene_close();
    return tap_done();
}
