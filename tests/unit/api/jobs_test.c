/* jobs_test.c - messages that nobody takes: put off, given up, dropped; and the clock set back. */
#include "api/delivery.h"
#include "api/jobs.h"
#include "api/webhook.h"
#include "base/clock.h"
#include "gate/ledger.h"

#include "tap.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define SECRET "a secret that nobody may see"

static struct lst_ledger *ledger;
static struct lst_profiles *profiles;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char reports[4096];
static char last_profile[LST_PROFILE_NAME_MAX + 1]; /* that count_rows() found */

static void report(const char *text)
{
    pthread_mutex_lock(&lock);
    (void)strncat(reports, text, sizeof(reports) - strlen(reports) - 2);
    (void)strncat(reports, "\n", 2);
    pthread_mutex_unlock(&lock);
}

static bool is_reported(const char *text)
{
    bool is;

    pthread_mutex_lock(&lock);
    is = strstr(reports, text) != NULL;
    pthread_mutex_unlock(&lock);
    return is;
}

/* A port at which nobody listens: bound, so that nobody else takes it. */
static int closed_port(int *ret_socket)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);

    *ret_socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(*ret_socket, (struct sockaddr *)&address, length) != 0 ||
        getsockname(*ret_socket, (struct sockaddr *)&address, &length) != 0) {
        return 0;
    }
    return ntohs(address.sin_port);
}

static void add_profile(const char *name, int port)
{
    struct lst_profile profile;
    char problem[LST_PROBLEM_MAX];
    char text[512];

    (void)snprintf(text, sizeof(text),
                   "{\"bucket\":\"jobs\",\"key\":\"{uuid}\",\"webhook\":{\"url\":"
                   "\"http://127.0.0.1:%d/hidden\",\"secret\":\"" SECRET "\"}}",
                   port);
    CHECK(lst_profile_parse(lst_slice_of(text), lst_slice_of(name), problem, &profile) == LST_OK &&
              lst_profiles_add(profiles, &profile, true) == LST_OK,
          "profile %s", name);
    lst_profile_release(&profile);
}

static void put(const char *profile, int64_t created_ms, int64_t due_ms, uint8_t number)
{
    struct lst_job job = {.profile = lst_slice_of(profile),
                          .due_ms = due_ms,
                          .id = {number},
                          .created_ms = created_ms};
    char key[LST_JOB_KEY_MAX];
    char value[LST_JOB_HEAD_LENGTH + 2];
    struct lst_index_change change = {.kind = LST_INDEX_PUT};

    change.key = lst_slice_make(key, lst_job_key(&job, key));
    lst_job_head(&job, value);
    memcpy(value + LST_JOB_HEAD_LENGTH, "{}", 2);
    change.value = lst_slice_make(value, sizeof(value));
    CHECK(lst_index_apply(lst_ledger_index(ledger), LST_LEDGER_PARTITION, &change, 1) == LST_OK,
          "a message for %s", profile);
}

/* How many rows of a kind there are, and the last of them. */
static size_t count_rows(const char *kind, struct lst_job *ret_job)
{
    struct lst_index_reader *reader;
    struct lst_slice key;
    struct lst_slice value;
    size_t count = 0;
    int status = lst_index_read_begin(lst_ledger_index(ledger), &reader);

    if (status != LST_OK) {
        return 0;
    }
    status = lst_index_seek(reader, LST_LEDGER_PARTITION, lst_slice_of(kind), &key, &value);
    while (status == LST_OK && key.bytes[0] == kind[0]) {
        if (lst_job_read(key, value, ret_job) == LST_OK) {
            count++;
            (void)snprintf(last_profile, sizeof(last_profile), "%.*s", (int)ret_job->profile.length,
                           ret_job->profile.bytes);
        }
        status = lst_index_next(reader, &key, &value);
    }
    lst_index_read_end(reader);
    return count;
}

static void pause_ms(long milliseconds)
{
    const struct timespec time = {.tv_sec = milliseconds / 1000,
                                  .tv_nsec = milliseconds % 1000 * 1000000};

    (void)nanosleep(&time, NULL);
}

static bool wait_for(struct lst_jobs *jobs, uint64_t given_up, uint64_t failed)
{
    struct lst_jobs_statistics statistics = {.delivered = 0};

    for (int i = 0; i < 500; i++) {
        lst_jobs_statistics(jobs, &statistics);
        if (statistics.given_up >= given_up && statistics.failed >= failed) {
            return true;
        }
        pause_ms(10);
    }
    return false;
}

/* Sweep as the ledger does, at that time. */
static size_t sweep(struct lst_ledger *of, int64_t now_ms)
{
    struct lst_job job;

    CHECK(lst_ledger_sweep(of, now_ms) == LST_OK, "a sweep");
    return count_rows("g", &job);
}

static int forget(void *context, int64_t now_ms, struct lst_ledger_changes *more)
{
    (void)context;
    return lst_delivery_sweep(lst_ledger_index(ledger), now_ms, more);
}

/* What was given up is sent again by a new row; else it is forgotten after a week. */
static void test_given_up(void)
{
    const struct lst_ledger_hook hook = {.sweep = forget};
    struct lst_index_reader *reader;
    struct lst_job job;
    int64_t now_ms = lst_clock_now_ms();
    const uint8_t id[LST_JOB_ID_SIZE] = {1};
    const uint8_t other[LST_JOB_ID_SIZE] = {77};

    CHECK(lst_index_read_begin(lst_ledger_index(ledger), &reader) == LST_OK, "a reader");
    CHECK(lst_delivery_find(reader, LST_SLICE("old"), other, &job) == LST_ERR_NOT_FOUND &&
              lst_delivery_find(reader, LST_SLICE("ol"), id, &job) == LST_ERR_NOT_FOUND,
          "what is not there is not found");
    CHECK(lst_delivery_find(reader, LST_SLICE("old"), id, &job) == LST_OK && job.is_given_up,
          "what was given up is found");
    lst_delivery_renew(&job, now_ms + 5);
    CHECK(!job.is_given_up && job.attempts == 0 && job.created_ms == now_ms + 5 &&
              job.due_ms == now_ms + 5 && lst_slice_equal(job.body, LST_SLICE("{}")),
          "it begins anew");
    lst_index_read_end(reader);
    lst_ledger_on_settled(ledger, &hook);
    CHECK(sweep(ledger, now_ms + LST_DELIVERIES_KEPT_MS - 60000) == 1, "it is kept for a week");
    CHECK(sweep(ledger, now_ms + LST_DELIVERIES_KEPT_MS + 60000) == 0, "and then forgotten");
}

/* Of each profile the newest are kept. */
static void test_too_many(void)
{
    enum { MANY = LST_DELIVERIES_KEPT_MAX + 450, BATCH = 50 };
    int64_t now_ms = lst_clock_now_ms();
    static char keys[BATCH][LST_JOB_KEY_MAX];
    struct lst_index_change changes[BATCH] = {{.head_length = 0}};
    char head[LST_JOB_HEAD_LENGTH];
    struct lst_job job = {.is_given_up = true, .created_ms = now_ms};

    lst_job_head(&job, head);
    for (int i = 0; i < MANY + BATCH; i++) {
        struct lst_index_change *change = &changes[i % BATCH];

        job.profile = i < MANY ? LST_SLICE("young") : LST_SLICE("zoo");
        job.due_ms = now_ms + i;
        change->kind = LST_INDEX_PUT;
        change->key = lst_slice_make(keys[i % BATCH], lst_job_key(&job, keys[i % BATCH]));
        change->value = lst_slice_make(head, sizeof(head));
        if (i % BATCH == BATCH - 1 &&
            lst_index_apply(lst_ledger_index(ledger), LST_LEDGER_PARTITION, changes, BATCH) !=
                LST_OK) {
            CHECK(false, "rows are written");
        }
    }
    CHECK(sweep(ledger, now_ms) == LST_DELIVERIES_KEPT_MAX + BATCH,
          "the newest of a profile are kept, and those of another");
}

/* Rows among the messages that are none: without a profile's name, and longer than any key. */
static void put_strays(void)
{
    static char long_key[400] = "j";
    struct lst_index_change changes[] = {
        {.kind = LST_INDEX_PUT, .key = LST_SLICE("j"), .value = LST_SLICE("no message")},
        {.kind = LST_INDEX_PUT, .key = LST_SLICE("jgon"), .value = LST_SLICE("no message")},
        {.kind = LST_INDEX_PUT,
         .key = lst_slice_make(long_key, sizeof(long_key)),
         .value = LST_SLICE("no message")},
    };

    memset(long_key + 1, '-', sizeof(long_key) - 1);
    CHECK(lst_index_apply(lst_ledger_index(ledger), LST_LEDGER_PARTITION, changes, 3) == LST_OK,
          "rows that are no messages, before all others");
}

static void test_failures(int port)
{
    const struct lst_jobs_options options = {
        .index = lst_ledger_index(ledger), .profiles = profiles, .report = report};
    int64_t now_ms = lst_clock_now_ms();
    struct lst_jobs *jobs = NULL;
    struct lst_job job = {.attempts = 0};
    char host[64];

    (void)snprintf(host, sizeof(host), "http://127.0.0.1:%d is given up", port);
    put("old", now_ms - LST_WEBHOOK_LIFE_MS, now_ms, 1);
    put("gone", now_ms, now_ms, 2);
    put("gone", now_ms, now_ms + 3600000, 3);
    put("young", now_ms, now_ms, 4);
    put_strays();
    CHECK(lst_jobs_open(&options, &jobs) == LST_OK, "the jobs are opened");
    CHECK(wait_for(jobs, 3, 2), "one is too old, two have no receiver any more, one is put off");
    CHECK(is_reported(host), "who did not take it is told, by host");
    CHECK(is_reported("'gone': 2 messages are dropped"), "what is dropped is counted");
    CHECK(is_reported("will be tried again"), "a failure is told at once");
    CHECK(is_reported("names no profile"), "a row that is no message is told of");
    CHECK(!is_reported("secret") && !is_reported("hidden"), "neither secret nor path is told");
    CHECK(count_rows("j", &job) == 1 && job.id[0] == 4 && job.attempts == 1 &&
              job.due_ms > now_ms && job.created_ms == now_ms && strcmp(last_profile, "young") == 0,
          "the row that is left says when to try again");
    CHECK(count_rows("g", &job) == 1 && job.id[0] == 1 && job.is_given_up && job.attempts == 1 &&
              job.last_problem == CURLE_COULDNT_CONNECT && job.due_ms >= now_ms &&
              strcmp(last_profile, "old") == 0,
          "what was given up is kept");
    put("young", now_ms, now_ms + 86400000, 5);
    lst_jobs_wake(jobs);
    CHECK(wait_for(jobs, 3, 3), "what is due tomorrow was put off before the clock was set back");
    lst_jobs_close(jobs);
    CHECK(count_rows("j", &job) == 2, "what is not delivered stays");
}

int main(void)
{
    char folder[] = "/tmp/jobs-test-XXXXXX";
    char problem[LST_PROBLEM_MAX];
    char command[64];
    int bound;
    int port = closed_port(&bound);

    if (port == 0 || mkdtemp(folder) == NULL || lst_ledger_open(folder, false, &ledger) != LST_OK ||
        lst_profiles_open(lst_ledger_index(ledger), NULL, problem, &profiles) != LST_OK) {
        tap_skip("jobs", "no port or folder for them");
        return tap_done();
    }
    add_profile("old", port);
    add_profile("young", port);
    test_failures(port);
    test_given_up();
    test_too_many();
    lst_profiles_close(profiles);
    lst_ledger_close(ledger);
    (void)close(bound);
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    CHECK(system(command) == 0, "the folder is removed");
    return tap_done();
}
