/*
 * gate.c - what the gate adds to a check of the signature.
 *
 * Each round times, in turn: lst_parse() with lst_verify() and a key at hand; the same request
 * through lst_gate_authenticate(), whose identity and signing key are cached; a decision on a
 * policy of two statements; and a request by an access key that does not exist. Then two threads at
 * once, to see what they cost each other. Prints medians, and exits with 1 if the gate adds more
 * than its target.
 */
#include "gate/gate.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ROUNDS       31
#define REPETITIONS  4000
#define ADDED_TARGET 300.0 /* nanoseconds */
#define NOW          INT64_C(1769860800)

static const char policy[] =
    "{\"Version\":\"2012-10-17\",\"Statement\":["
    "{\"Effect\":\"Allow\",\"Action\":[\"s3:GetObject\",\"s3:PutObject\",\"s3:ListBucket\"],"
    "\"Resource\":[\"arn:aws:s3:::photos\",\"arn:aws:s3:::photos/*\"]},"
    "{\"Effect\":\"Deny\",\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::photos/*\","
    "\"Condition\":{\"NumericGreaterThan\":{\"s3:signatureAge\":\"600000\"},"
    "\"NotIpAddress\":{\"aws:SourceIp\":\"203.0.113.0/24\"}}}]}";

static const struct lst_slice secret = {"correct-horse-battery-staple", 28};

/* A presigned GET. */
struct scene {
    struct lst_http_request request;
    struct lst_field host;
    struct lst_key key;
    char url[2048];
};

static struct lst_users *users;
static struct lst_gate *gate;
static struct scene known;
static struct scene unknown;

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "bench/gate: %s failed\n", what);
    exit(2);
}

static void presign(struct scene *scene, struct lst_slice access_key_id)
{
    struct lst_signing signing = {.method = LST_SLICE("GET"),
                                  .scheme = LST_SLICE("http"),
                                  .host = LST_SLICE("localhost:9000"),
                                  .bucket = LST_SLICE("photos"),
                                  .key = LST_SLICE("2026/01/31/IMG_4711.jpg"),
                                  .access_key_id = access_key_id,
                                  .time = NOW,
                                  .expires = 3600};
    size_t start = strlen("http://") + signing.host.length;
    size_t length;

    if (lst_key_init(&scene->key, secret, NOW, LST_SLICE("eu-west-1"), LST_SLICE("s3")) != 0 ||
        lst_presign(&signing, &scene->key, scene->url, sizeof(scene->url), &length) != 0) {
        fail("presigning");
    }
    scene->host = (struct lst_field){LST_SLICE("Host"), signing.host};
    scene->request.message = (struct lst_request){
        .method = signing.method,
        .target = lst_slice_make(scene->url + start, length - start),
        .headers = &scene->host,
        .header_count = 1,
    };
    scene->request.host = signing.host;
    scene->request.peer = LST_SLICE("203.0.113.7");
}

static void open_gate(const char *folder)
{
    struct lst_user user = {.name = "alice", .key_count = 1};
    struct lst_gate_options options = {0};

    memcpy(user.keys[0].access_key_id, "AKIDALICE", sizeof("AKIDALICE"));
    memcpy(user.keys[0].secret, secret.bytes, secret.length);
    user.keys[0].active = true;
    user.policy = strdup(policy);
    if (lst_users_open(folder, false, &users) != 0 || lst_users_add(users, &user) != 0) {
        fail("adding a user");
    }
    lst_user_release(&user);
    options.users = users;
    if (lst_gate_open(&options, &gate) != 0) {
        fail("opening the gate");
    }
}

static void check_only(void)
{
    struct lst_rules rules = {0};
    struct lst_auth auth;

    if (lst_parse(&known.request.message, &rules, NOW, &auth) != 0 ||
        lst_verify(&known.request.message, &auth, &known.key) != 0) {
        fail("checking");
    }
}

static void authenticate(void)
{
    struct lst_passage passage;

    if (lst_gate_authenticate(gate, &known.request, NOW, &passage) != 0) {
        fail("authenticating");
    }
    lst_passage_release(&passage);
}

static void authenticate_unknown(void)
{
    struct lst_passage passage;

    if (lst_gate_authenticate(gate, &unknown.request, NOW, &passage) !=
        LST_REFUSED_ACCESS_KEY_UNKNOWN) {
        fail("refusing");
    }
    lst_passage_release(&passage);
}

static struct lst_passage open_passage;

static void authorise(void)
{
    static const struct lst_access_question question = {.action = {"s3:GetObject", 12},
                                                        .bucket = {"photos", 6},
                                                        .key = {"2026/01/31/IMG_4711.jpg", 23}};

    if (lst_gate_authorise(gate, &open_passage, &question) != 0) {
        fail("authorising");
    }
}

/* Nanoseconds for one call. */
static double measure(void (*work)(void))
{
    uint64_t began = lst_clock_monotonic_ns();

    for (int i = 0; i < REPETITIONS; i++) {
        work();
    }
    return (double)(lst_clock_monotonic_ns() - began) / REPETITIONS;
}

static int compare(const void *a, const void *b)
{
    double difference = *(const double *)a - *(const double *)b;

    return (difference > 0) - (difference < 0);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof(*values), compare);
    return values[ROUNDS / 2];
}

static void *measure_in_thread(void *ret_time)
{
    double times[ROUNDS];

    for (int round = 0; round < ROUNDS; round++) {
        times[round] = measure(authenticate);
    }
    *(double *)ret_time = median(times);
    return NULL;
}

static double measure_two_threads(void)
{
    pthread_t threads[2];
    double times[2];

    for (int i = 0; i < 2; i++) {
        if (pthread_create(&threads[i], NULL, measure_in_thread, &times[i]) != 0) {
            fail("starting a thread");
        }
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    return (times[0] + times[1]) / 2;
}

static double measure_rounds(void)
{
    double plain[ROUNDS];
    double gated[ROUNDS];
    double added[ROUNDS];
    double decided[ROUNDS];
    double refused[ROUNDS];
    double result;

    for (int round = 0; round < ROUNDS; round++) {
        plain[round] = measure(check_only);
        gated[round] = measure(authenticate);
        added[round] = gated[round] - plain[round];
        decided[round] = measure(authorise);
        refused[round] = measure(authenticate_unknown);
    }
    result = median(added);
    printf("parse and verify            %6.0f ns\n", median(plain));
    printf("authenticate                %6.0f ns\n", median(gated));
    printf("  added by the gate         %6.0f ns (target: at most %.0f)\n", result, ADDED_TARGET);
    printf("authorise                   %6.0f ns\n", median(decided));
    printf("refuse an unknown key       %6.0f ns\n", median(refused));
    return result;
}

static void remove_folder(const char *folder)
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
    char folder[64];
    double added;

    snprintf(folder, sizeof(folder), "/tmp/lst-bench-gate-%d", (int)getpid());
    open_gate(folder);
    presign(&known, LST_SLICE("AKIDALICE"));
    presign(&unknown, LST_SLICE("AKIDNOBODY"));
    if (lst_gate_authenticate(gate, &known.request, NOW, &open_passage) != 0) {
        fail("authenticating");
    }
    added = measure_rounds();
    printf("authenticate, two threads   %6.0f ns\n", measure_two_threads());
    lst_passage_release(&open_passage);
    lst_gate_close(gate);
    lst_users_close(users);
    remove_folder(folder);
    return added <= ADDED_TARGET ? 0 : 1;
}
