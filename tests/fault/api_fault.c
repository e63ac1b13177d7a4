/*
 * api_fault.c - the API below HTTP, with each of its calls failing in turn: profiles, remotes,
 * links, answers with an Idempotency-Key, messages for webhooks. What was answered with success is
 * so and stays so; of what failed nothing half-written shows; the next operation works.
 *
 * Tokens, users and the ledger itself: gate_fault.c.
 */
#include "turn.h"

#include "api/api.h"
#include "api/delivery.h"
#include "api/exchange.h"
#include "api/idempotency.h"
#include "api/job.h"
#include "api/jobs.h"
#include "api/link.h"
#include "api/profiles.h"
#include "api/remote.h"
#include "api/webhook.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "gate/tokens.h"

#include <arpa/inet.h>
#include <ftw.h>
#include <jansson.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOST   "127.0.0.1:9000"
#define DAY_MS INT64_C(86400000)

static char folder[] = "api-fault-XXXXXX";
static char files[64]; /* with a profile as a file */
static char token[LST_TOKEN_TEXT_LENGTH + 1];
static int port; /* of the receiver */

static struct lst_store *store;
static struct lst_users *users;
static struct lst_gate *gate;
static struct lst_ledger *ledger;
static struct lst_s3 *s3;
static struct lst_api *api;
static struct lst_profiles *profiles;
static struct lst_jobs *jobs;
static uint8_t job_id[LST_JOB_ID_SIZE]; /* of the last message that was put */

static struct lst_index *rows(void)
{
    return lst_ledger_index(ledger);
}

/* How many rows begin with this letter, of all messages, or of the last one alone; -1: they can't
 * be counted. */
static int count_once(char letter, bool of_last)
{
    struct lst_index_reader *reader;
    struct lst_slice key;
    struct lst_slice value;
    struct lst_job job;
    int count = 0;
    int status = lst_index_read_begin(rows(), &reader);

    if (status != 0) {
        return -1;
    }
    status = lst_index_seek(reader, LST_LEDGER_PARTITION, lst_slice_make(&letter, 1), &key, &value);
    while (status == 0 && key.bytes[0] == letter) {
        count += !of_last || (lst_job_read(key, value, &job) == 0 &&
                              memcmp(job.id, job_id, sizeof(job_id)) == 0);
        status = lst_index_next(reader, &key, &value);
    }
    lst_index_read_end(reader);
    return status == 0 || status == LST_ERR_NOT_FOUND ? count : -1;
}

/* The same of two letters. A reading has no snapshot, and a message that is tried again gets
 * another key. So they are counted again, until nothing was written meanwhile. */
static void count_both(const char letters[2], bool of_last, int ret_counts[2])
{
    for (int i = 0; i < 1000; i++) {
        uint64_t version = lst_index_version(rows(), LST_LEDGER_PARTITION);

        ret_counts[0] = count_once(letters[0], of_last);
        ret_counts[1] = count_once(letters[1], of_last);
        if (version == lst_index_version(rows(), LST_LEDGER_PARTITION)) {
            return;
        }
    }
    ret_counts[0] = ret_counts[1] = -1;
}

static int count_rows(char letter)
{
    int counts[2];

    count_both((char[]){letter, letter}, false, counts);
    return counts[0];
}

/* Remove all rows that begin with this letter. */
static bool remove_rows(char letter)
{
    struct lst_index_change change = {.kind = LST_INDEX_DELETE};
    struct lst_index_reader *reader;
    struct lst_slice key;
    struct lst_slice value;
    char copy[LST_INDEX_KEY_MAX];
    int status = 0;

    while (status == 0 && count_rows(letter) > 0) {
        status = lst_index_read_begin(rows(), &reader);
        if (status != 0) {
            return false;
        }
        status =
            lst_index_seek(reader, LST_LEDGER_PARTITION, lst_slice_make(&letter, 1), &key, &value);
        if (status == 0) {
            memcpy(copy, key.bytes, key.length);
            change.key = lst_slice_make(copy, key.length);
        }
        lst_index_read_end(reader);
        status = status == 0 ? lst_index_apply(rows(), LST_LEDGER_PARTITION, &change, 1) : status;
    }
    return count_rows(letter) == 0;
}

static bool is_well(bool worked)
{
    (void)worked;
    return true;
}

/* ---- A receiver of webhooks: it answers as it is told, and counts */

static atomic_int receiver_status = 200;
static atomic_int received;

static void answer_one(int connection)
{
    char text[8192];
    size_t length = 0;
    ssize_t got = 1;
    const char *end = NULL;
    size_t wanted = sizeof(text) - 1;

    while (got > 0 && length < wanted) {
        got = recv(connection, text + length, wanted - length, 0);
        length += got > 0 ? (size_t)got : 0;
        text[length] = '\0';
        end = strstr(text, "\r\n\r\n");
        if (end != NULL) {
            const char *size = strcasestr(text, "content-length:");
            wanted = (size_t)(end + 4 - text) + (size == NULL ? 0 : strtoul(size + 15, NULL, 10));
        }
    }
    if (length >= wanted) {
        (void)snprintf(text, sizeof(text),
                       "HTTP/1.1 %d X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                       atomic_load(&receiver_status));
        atomic_fetch_add(&received, 1);
        (void)!send(connection, text, strlen(text), MSG_NOSIGNAL);
    }
    close(connection);
}

static void *receive(void *context)
{
    int listener = *(int *)context;
    int connection;

    while ((connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        answer_one(connection);
    }
    return NULL;
}

static int listener;
static pthread_t receiver;

static bool start_receiver(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);

    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0 ||
        listen(listener, 20) != 0) {
        return false;
    }
    port = ntohs(address.sin_port);
    return pthread_create(&receiver, NULL, receive, &listener) == 0;
}

/* ---- Profiles */

static int add_profile(const char *name, int size, bool replace)
{
    struct lst_profile profile;
    char problem[LST_PROBLEM_MAX];
    char text[400];
    int status;

    (void)snprintf(text, sizeof(text),
                   "{\"bucket\":\"photos\",\"key\":\"up/{uuid}\",\"max_size\":%d,\"webhook\":"
                   "{\"url\":\"http://127.0.0.1:%d/x\",\"secret\":\"0123456789abcdef\"}}",
                   size, port);
    status = lst_profile_parse(lst_slice_of(text), lst_slice_of(name), problem, &profile);
    if (status == 0) {
        status = lst_profiles_add(profiles, &profile, replace);
        lst_profile_release(&profile);
    }
    return status;
}

/* Its max_size, or the code. */
static int64_t size_of(const char *name)
{
    const struct lst_profile *profile;
    int status = lst_profiles_find(profiles, lst_slice_of(name), &profile);
    int64_t size;

    if (status != 0) {
        return status;
    }
    size = strcmp(profile->webhook_secret, "0123456789abcdef") == 0 ? profile->max_size : -1;
    lst_profile_unref(profile);
    return size;
}

static bool without_profile(void)
{
    int status = lst_profiles_remove(profiles, LST_SLICE("new"));

    return status == 0 || status == LST_ERR_NOT_FOUND;
}

static bool with_profile(void)
{
    return add_profile("new", 10, true) == 0 && size_of("new") == 10;
}

static int add_new_profile(void)
{
    return add_profile("new", 10, false);
}

static bool is_profile_added(bool worked)
{
    int64_t size = size_of("new");

    return size == 10 || (size == LST_ERR_NOT_FOUND && !worked && add_new_profile() == 0);
}

static int replace_profile(void)
{
    return add_profile("new", 20, true);
}

static bool is_profile_replaced(bool worked)
{
    int64_t size = size_of("new");

    return size == 20 || (size == 10 && !worked);
}

static int remove_profile(void)
{
    return lst_profiles_remove(profiles, LST_SLICE("new"));
}

static bool is_profile_removed(bool worked)
{
    int64_t size = size_of("new");

    return size == LST_ERR_NOT_FOUND || (size == 10 && !worked);
}

/* After a change: what the cache has is held against the row. */
static int find_profile(void)
{
    int64_t size = size_of("new");

    return size < 0 ? (int)size : size == 10 ? 0 : LST_ERR_CORRUPT;
}

static int listed;

static int count_profile(void *context, const struct lst_profile *profile, bool is_file)
{
    (void)is_file;
    (*(int *)context)++;
    return profile->bucket[0] == '\0' ? LST_ERR_CORRUPT : 0;
}

static int list_profiles(void)
{
    listed = 0;
    return lst_profiles_list(profiles, count_profile, &listed);
}

static bool are_profiles_listed(bool worked)
{
    return !worked || listed == 2; /* new and hooked */
}

/* With the files, too. */
static int open_profiles(void)
{
    char problem[LST_PROBLEM_MAX] = "";
    struct lst_profiles *others = NULL;
    const struct lst_profile *profile;
    int status = lst_profiles_open(rows(), files, problem, &others);

    if (status == 0) {
        status = lst_profiles_find(others, LST_SLICE("of-a-file"), &profile);
        lst_profile_unref(status == 0 ? profile : NULL);
        lst_profiles_close(others);
    }
    return status;
}

/* ---- Remotes */

static struct lst_remote make_remote(const char *secret)
{
    struct lst_remote remote = {.name = "aws",
                                .endpoint = "https://s3.example.com",
                                .region = "us-east-1",
                                .access_key_id = "KEY"};

    (void)snprintf(remote.secret, sizeof(remote.secret), "%s", secret);
    return remote;
}

static int add_remote_of(const char *secret, bool overwrite)
{
    struct lst_remote remote = make_remote(secret);

    return lst_remotes_add(rows(), &remote, overwrite);
}

/* The first letter of its secret; 0: it is not there; '?': that can't be said. */
static char remote_state(void)
{
    struct lst_remote remote = {0};
    int status = lst_remotes_find(rows(), LST_SLICE("aws"), &remote);
    char letter = remote.secret[0];

    lst_remote_release(&remote);
    return status == 0 ? letter : status == LST_ERR_NOT_FOUND ? '\0' : '?';
}

static bool without_remote(void)
{
    int status = lst_remotes_remove(rows(), LST_SLICE("aws"));

    return status == 0 || status == LST_ERR_NOT_FOUND;
}

static bool with_remote(void)
{
    return add_remote_of("old", true) == 0;
}

static int add_remote(void)
{
    return add_remote_of("new", false);
}

static bool is_remote_added(bool worked)
{
    char state = remote_state();

    return state == 'n' || (state == '\0' && !worked);
}

static int replace_remote(void)
{
    return add_remote_of("new", true);
}

static bool is_remote_replaced(bool worked)
{
    char state = remote_state();

    return state == 'n' || (state == 'o' && !worked);
}

static int remove_remote(void)
{
    return lst_remotes_remove(rows(), LST_SLICE("aws"));
}

static bool is_remote_removed(bool worked)
{
    char state = remote_state();

    return state == '\0' || (state == 'o' && !worked);
}

static int find_remote(void)
{
    struct lst_remote remote = {0};
    int status = lst_remotes_find(rows(), LST_SLICE("aws"), &remote);

    if (status == 0 && strcmp(remote.secret, "old") != 0) {
        status = LST_ERR_CORRUPT;
    }
    lst_remote_release(&remote);
    return status;
}

static int count_remote(void *context, const struct lst_remote *remote)
{
    *(int *)context += strcmp(remote->secret, "old") == 0 ? 1 : 0;
    return 0;
}

static int list_remotes(void)
{
    listed = 0;
    return lst_remotes_list(rows(), count_remote, &listed);
}

static bool is_remote_listed(bool worked)
{
    return !worked || listed == 1;
}

/* ---- Calls of the API */

struct answer {
    int status;
    json_t *json;
};

static struct answer last;

static void wake(void *context)
{
    (void)sem_post(context);
}

static void take_answer(struct lst_http_response *response)
{
    uint32_t kinds = fault_pause();

    json_decref(last.json);
    last.status = response->status;
    last.json = response->body.length == 0
                    ? NULL
                    : json_loadb(response->body.bytes, response->body.length, 0, NULL);
    fault_resume(kinds);
}

static void drive(const struct lst_http_request *request, struct lst_slice body)
{
    struct lst_api_exchange *exchange;
    enum lst_s3_state state;
    sem_t woken;

    last.status = 503;
    if (sem_init(&woken, 0, 0) != 0) {
        return;
    }
    exchange = lst_api_begin(api, request, wake, &woken);
    if (exchange == NULL) { /* no memory: the connection is closed */
        json_decref(last.json);
        last = (struct answer){.status = 503};
        (void)sem_destroy(&woken);
        return;
    }
    for (bool is_sent = false; (state = lst_api_state(exchange)) != LST_S3_RESPOND;) {
        if (state == LST_S3_PENDING) {
            (void)sem_wait(&woken);
        } else if (!is_sent) {
            lst_api_body(exchange, body);
            lst_api_end(exchange);
            is_sent = true;
        }
    }
    take_answer(lst_api_response(exchange));
    lst_api_free(exchange);
    (void)sem_destroy(&woken);
}

/* 0, a code of trouble, or LST_ERR_CORRUPT: it was refused as if the caller were wrong. */
static int ask(const char *method, const char *target, const char *body, const char *once)
{
    static char authorization[LST_TOKEN_TEXT_LENGTH + 16];
    static struct lst_http_room room;
    static char text[LST_TARGET_MAX];
    struct lst_field headers[3] = {
        {LST_SLICE("Host"), LST_SLICE(HOST)},
        {LST_SLICE("Authorization"), {NULL, 0}},
        {LST_SLICE("Idempotency-Key"), lst_slice_of(once)},
    };
    struct lst_slice whole = lst_slice_of(target);
    size_t path = lst_slice_find(whole, '?');
    struct lst_http_request request = {
        .message = {.method = lst_slice_of(method),
                    .target = whole,
                    .headers = headers,
                    .header_count = once == NULL ? 2 : 3},
        .path = lst_slice_first(whole, path),
        .query = lst_slice_after(whole, path + 1),
        .host = LST_SLICE(HOST),
        .peer = LST_SLICE("192.0.2.1"),
        .has_content_length = body != NULL,
        .content_length = body == NULL ? 0 : strlen(body),
        .received_ms = lst_clock_now_ms(),
    };

    memcpy(request.id, "0123456789ABCDEF", LST_REQUEST_ID_LENGTH);
    (void)snprintf(authorization, sizeof(authorization), "Bearer %s", token);
    headers[1].value = lst_slice_of(authorization);
    lst_http_request_read(&request, &room, text, false);
    drive(&request, body == NULL ? lst_slice_make("", 0) : lst_slice_of(body));
    if (last.status >= 200 && last.status <= 299) {
        return 0;
    }
    return last.status == 500 || last.status == 503 ? LST_ERR_IO : LST_ERR_CORRUPT;
}

static const char *text_of(const char *name)
{
    const char *text = json_string_value(json_object_get(last.json, name));

    return text == NULL ? "" : text;
}

/* ---- Links */

static char link_id[LST_LINK_ID_LENGTH + 1];

static bool without_links(void)
{
    return remove_rows('l') && remove_rows('o');
}

static int make_link(void)
{
    int status =
        ask("POST", "/-/api/links", "{\"bucket\":\"photos\",\"key\":\"a\",\"max_uses\":3}", NULL);

    if (status == 0) {
        (void)snprintf(link_id, sizeof(link_id), "%s", text_of("id"));
    }
    return status;
}

static int show_link(void)
{
    char target[100];

    (void)snprintf(target, sizeof(target), "/-/api/links/%s", link_id);
    return ask("GET", target, NULL, NULL);
}

/* Its row and the owner's, or neither. */
static bool is_link_made(bool worked)
{
    int links = count_rows('l');

    return links == count_rows('o') && links <= 1 &&
           (links == 1 ? !worked || show_link() == 0 : !worked) && make_link() == 0;
}

static bool with_link(void)
{
    return without_links() && make_link() == 0;
}

static bool is_shown(bool worked)
{
    return !worked || (strcmp(text_of("id"), link_id) == 0 && strcmp(text_of("key"), "a") == 0 &&
                       strcmp(text_of("state"), "") != 0);
}

static bool with_two_links(void)
{
    return with_link() && make_link() == 0;
}

static int list_links(void)
{
    return ask("GET", "/-/api/links?limit=10", NULL, NULL);
}

static bool are_links_listed(bool worked)
{
    return !worked || json_array_size(json_object_get(last.json, "links")) == 2;
}

static int revoke_link(void)
{
    char target[100];

    (void)snprintf(target, sizeof(target), "/-/api/links/%s", link_id);
    return ask("DELETE", target, NULL, NULL);
}

static bool is_link_revoked(bool worked)
{
    return show_link() == 0 && (!worked || strcmp(text_of("state"), "revoked") == 0);
}

/* ---- Forgetting */

static int64_t sweep_ms;
static char position[LST_LINK_ID_LENGTH + 1];

static bool with_old_rows(void)
{
    static int number;
    char once[32];

    (void)snprintf(once, sizeof(once), "swept-%d", ++number);
    sweep_ms = lst_clock_now_ms() + 1000 * DAY_MS;
    position[0] = '\0';
    return with_two_links() &&
           ask("POST", "/-/api/uploads", "{\"profile\":\"hooked\"}", once) == 0 &&
           count_rows('i') == count_rows('x');
}

static int sweep_rows(void)
{
    return lst_ledger_sweep(ledger, sweep_ms);
}

/* A link and its owner's row go together, an answer and its time too; the next sweep goes on. */
static bool is_all_swept(bool worked)
{
    bool is_even = count_rows('l') == count_rows('o') && count_rows('i') == count_rows('x');

    if (!worked) {
        return is_even && (sweep_rows() == 0 || sweep_rows() == 0) && count_rows('l') == 0 &&
               count_rows('i') == 0;
    }
    return is_even && count_rows('l') == 0 && count_rows('i') == 0;
}

/* ---- Answers with an Idempotency-Key */

static char once_key[32];
static char upload_id[200];

static bool new_key(void)
{
    static int number;

    (void)snprintf(once_key, sizeof(once_key), "once-%d", ++number);
    upload_id[0] = '\0';
    return true;
}

static int make_upload(void)
{
    int status = ask("POST", "/-/api/uploads", "{\"profile\":\"hooked\"}", once_key);

    if (status == 0) {
        (void)snprintf(upload_id, sizeof(upload_id), "%s", text_of("id"));
    }
    return status;
}

/* What was answered once is answered again. */
static bool is_made_once(bool worked)
{
    char first[sizeof(upload_id)];

    memcpy(first, upload_id, sizeof(first));
    if (count_rows('i') != count_rows('x') || make_upload() != 0) {
        return false;
    }
    if (!worked) {
        memcpy(first, upload_id, sizeof(first));
        if (make_upload() != 0) {
            return false;
        }
    }
    return first[0] != '\0' && strcmp(first, upload_id) == 0;
}

static bool with_made(void)
{
    return new_key() && make_upload() == 0;
}

/* ---- Messages that are written with the use that they tell of */

static char upload_key[200];
static char ticket[sizeof(upload_id)]; /* its id but for the place */
static uint64_t sequence;
static bool was_revived; /* see revive() */
static int job_count;    /* of before: the receiver takes none, so they stay */
static struct lst_use use;

struct waiter {
    struct lst_reservation reservation;
    sem_t done;
    int status;
};

static void is_reserved(struct lst_reservation *reservation, int status)
{
    struct waiter *waiter = reservation->context;

    waiter->status = status;
    (void)sem_post(&waiter->done);
}

/* An upload whose URL is being used. */
static bool with_use(void)
{
    struct waiter waiter = {.status = 0};
    bool done = with_made();

    was_revived = false;
    job_count = count_rows('j');
    (void)snprintf(ticket, sizeof(ticket), "%s", upload_id);
    if (strrchr(ticket, '~') != NULL) {
        *strrchr(ticket, '~') = '\0';
    }
    (void)snprintf(upload_key, sizeof(upload_key), "%s", text_of("key"));
    if (!done || sem_init(&waiter.done, 0, 0) != 0) {
        return false;
    }
    use = (struct lst_use){.user = LST_SLICE("root"),
                           .id = lst_slice_of(ticket),
                           .method = LST_SLICE("PUT"),
                           .bucket = LST_SLICE("photos"),
                           .key = lst_slice_of(upload_key),
                           .peer = LST_SLICE("192.0.2.1"),
                           .limit = 1,
                           .now_ms = lst_clock_now_ms(),
                           .expires_ms = lst_clock_now_ms() + 600000,
                           .is_write = true};
    waiter.reservation = (struct lst_reservation){.use = use, .done = is_reserved};
    waiter.reservation.context = &waiter;
    lst_ledger_reserve(ledger, &waiter.reservation);
    (void)sem_wait(&waiter.done);
    (void)sem_destroy(&waiter.done);
    sequence = waiter.reservation.sequence;
    return waiter.status == 0;
}

static int settle_use(void)
{
    lst_ledger_settle(ledger, &(struct lst_use_outcome){.use = use,
                                                        .sequence = sequence,
                                                        .http_status = 200,
                                                        .size = 10,
                                                        .etag = LST_SLICE("0123456789abcdef"),
                                                        .ended_ms = lst_clock_now_ms()});
    lst_ledger_flush(ledger);
    return 0;
}

static int see_open(void *context, const struct lst_use_outcome *outcome)
{
    *(bool *)context |= lst_slice_equal(outcome->use.id, lst_slice_of(ticket));
    return 0;
}

static bool is_use_open(void)
{
    bool is_open = false;

    return lst_ledger_open_uses(ledger, see_open, &is_open) != 0 || is_open;
}

/* Both or neither at any time; and soon both, without a new start. After a sync that failed a new
 * start sees to it: here there is no object to be told of, if the message was not written. */
static bool is_told(bool worked)
{
    int told;

    (void)worked;
    for (int i = 0; i < 1000 && is_use_open(); i++) {
        (void)usleep(10000);
    }
    told = count_rows('j') - job_count;
    return !is_use_open() && (told == 1 || (told == 0 && was_revived));
}

/* ---- Sending again what was given up */

static bool put_job(const char *profile, bool is_given_up, int64_t created_ms)
{
    struct lst_job job = {.profile = lst_slice_of(profile),
                          .is_given_up = is_given_up,
                          .due_ms = lst_clock_now_ms(),
                          .created_ms = created_ms};
    char key[LST_JOB_KEY_MAX];
    char value[LST_JOB_HEAD_LENGTH + 100];
    struct lst_index_change change = {.kind = LST_INDEX_PUT};
    int length;

    job_id[0]++;
    job_id[1] = (uint8_t)(job_id[1] + (job_id[0] == 0 ? 1 : 0));
    memcpy(job.id, job_id, sizeof(job.id));
    change.key = lst_slice_make(key, lst_job_key(&job, key));
    lst_job_head(&job, value);
    length = snprintf(value + LST_JOB_HEAD_LENGTH, 100,
                      "{\"event\":\"upload.complete\",\"at\":\"x\",\"upload\":{\"id\":\"1\","
                      "\"key\":\"k\",\"status\":\"complete\"}}");
    change.value = lst_slice_make(value, LST_JOB_HEAD_LENGTH + (size_t)length);
    return lst_index_apply(rows(), LST_LEDGER_PARTITION, &change, 1) == 0;
}

static bool with_given_up(void)
{
    return remove_rows('g') && put_job("hooked", true, lst_clock_now_ms()) &&
           put_job("hooked", true, lst_clock_now_ms());
}

static char delivery_id[200];

/* Two of them, on two pages. */
static int list_deliveries(void)
{
    char target[200];
    int status = ask("GET", "/-/api/deliveries?profile=hooked&state=given_up&limit=1", NULL, NULL);

    if (status == 0) {
        (void)snprintf(target, sizeof(target),
                       "/-/api/deliveries?profile=hooked&state=given_up&after=%s", text_of("next"));
        status = ask("GET", target, NULL, NULL);
    }
    return status;
}

static bool are_deliveries_listed(bool worked)
{
    const json_t *all = json_object_get(last.json, "deliveries");
    const json_t *upload = json_object_get(json_array_get(all, 0), "upload");

    return !worked || (json_array_size(all) == 1 &&
                       json_is_string(json_object_get(json_array_get(all, 0), "id")) &&
                       json_is_string(json_object_get(json_array_get(all, 0), "event")) &&
                       json_is_string(json_object_get(upload, "key")) &&
                       json_is_string(json_object_get(upload, "status")));
}

static bool with_delivery(void)
{
    char hex[2 * LST_JOB_ID_SIZE];

    if (!with_given_up()) {
        return false;
    }
    lst_hex_encode(job_id, sizeof(job_id), hex);
    (void)snprintf(delivery_id, sizeof(delivery_id), "/-/api/deliveries/hooked~%.*s/retry",
                   (int)sizeof(hex), hex);
    return true;
}

static int retry_delivery(void)
{
    return ask("POST", delivery_id, NULL, NULL);
}

/* It waits, or it is given up: one row, never none and never two. */
static bool is_retried(bool worked)
{
    int counts[2];

    count_both((const char[]){LST_JOB_ROW[0], LST_JOB_GIVEN_UP_ROW[0]}, true, counts);
    return counts[0] + counts[1] == 1 && (!worked || counts[0] == 1);
}

static bool with_old_delivery(void)
{
    sweep_ms = lst_clock_now_ms() + 10 * DAY_MS;
    return with_given_up() && put_job("hooked", true, lst_clock_now_ms());
}

static bool is_delivery_swept(bool worked)
{
    return (worked || sweep_rows() == 0) && count_rows('g') == 0;
}

/* ---- Sending messages */

static void report(const char *text)
{
    (void)text;
}

static int open_jobs(void)
{
    const struct lst_jobs_options options = {
        .index = rows(), .profiles = profiles, .report = report, .rest_ms = 10};

    return lst_jobs_open(&options, &jobs);
}

static uint64_t jobs_wanted; /* how many come to an end */
static int jobs_left;        /* rows that are no messages, and stay */

static bool with_job(int status, const char *profile, int64_t created_ms)
{
    atomic_store(&receiver_status, status);
    atomic_store(&received, 0);
    jobs_wanted = 1;
    jobs_left = 0;
    return remove_rows('j') && remove_rows('g') && put_job(profile, false, created_ms);
}

static bool with_new_job(void)
{
    return with_job(200, "hooked", lst_clock_now_ms());
}

static bool with_old_job(void)
{
    return with_job(500, "hooked", lst_clock_now_ms() - 10 * DAY_MS);
}

static bool with_lost_job(void)
{
    bool done = with_job(200, "nobody", lst_clock_now_ms());

    jobs_wanted = 2;
    return done && put_job("hooked", false, lst_clock_now_ms());
}

/* Behind a row that is no message. */
static bool with_hidden_job(void)
{
    const struct lst_index_change stray = {
        .kind = LST_INDEX_PUT, .key = LST_SLICE("jgone"), .value = LST_SLICE("stray")};
    bool done = with_new_job();

    jobs_left = 1;
    return done && lst_index_apply(rows(), LST_LEDGER_PARTITION, &stray, 1) == 0;
}

/* The jobs are opened, and have a while in which their calls fail. */
static int send_jobs(void)
{
    struct lst_jobs_statistics statistics = {.delivered = 0};
    int status = open_jobs();

    for (int i = 0; i < 3000 && status == 0 && !fault_has_fired() &&
                    statistics.delivered + statistics.given_up < jobs_wanted;
         i++) {
        (void)usleep(1000);
        lst_jobs_statistics(jobs, &statistics);
    }
    return status;
}

/* Then, with nothing failing and without being opened again, they do what is left. */
static bool end_jobs(bool worked, char letter, int wanted)
{
    bool is_done = false;

    if (!worked && open_jobs() != 0) {
        return false;
    }
    for (int i = 0; i < 1000 && !is_done; i++) {
        is_done = count_rows('j') == jobs_left;
        (void)usleep(is_done ? 0 : 5000);
    }
    lst_jobs_close(jobs);
    jobs = NULL;
    return is_done && count_rows(letter) == wanted;
}

static bool is_sent(bool worked)
{
    return end_jobs(worked, 'g', 0) && atomic_load(&received) >= 1;
}

static bool is_given_up(bool worked)
{
    return end_jobs(worked, 'g', 1);
}

/* The one whose profile is gone is dropped, the other is sent. */
static bool is_dropped(bool worked)
{
    return end_jobs(worked, 'g', 0) && atomic_load(&received) >= 1;
}

/* ---- Opening */

static int open_api(void)
{
    struct lst_api_options options = {.store = store,
                                      .gate = gate,
                                      .ledger = ledger,
                                      .s3 = s3,
                                      .region = LST_SLICE("us-east-1"),
                                      .expires_max = 604800,
                                      .profile_folder = files,
                                      .report = report};
    char problem[LST_API_PROBLEM_MAX];

    return lst_api_open(&options, problem, &api);
}

/* As on the first start, where there is no secret yet. */
static bool is_api_new(void)
{
    lst_api_close(api);
    api = NULL;
    return remove_rows('k');
}

static bool is_api_open(bool worked)
{
    return (worked || open_api() == 0) && new_key() && make_upload() == 0 && count_rows('k') == 1;
}

/* With a use that a crash left open. */
static bool is_api_closed(void)
{
    bool done = with_use();

    lst_api_close(api);
    api = NULL;
    return done;
}

static bool is_use_settled(bool worked)
{
    if (!worked && open_api() != 0) {
        return false;
    }
    for (int i = 0; i < 1000 && is_use_open(); i++) {
        (void)usleep(10000);
    }
    return !is_use_open();
}

static const struct turn turns[] = {
    {"adding a profile", without_profile, add_new_profile, is_profile_added},
    {"replacing a profile", with_profile, replace_profile, is_profile_replaced},
    {"removing a profile", with_profile, remove_profile, is_profile_removed},
    {"finding a profile", with_profile, find_profile, is_well},
    {"listing the profiles", with_profile, list_profiles, are_profiles_listed},
    {"opening the profiles", with_profile, open_profiles, is_well},
    {"adding a remote", without_remote, add_remote, is_remote_added},
    {"replacing a remote", with_remote, replace_remote, is_remote_replaced},
    {"removing a remote", with_remote, remove_remote, is_remote_removed},
    {"finding a remote", with_remote, find_remote, is_well},
    {"listing the remotes", with_remote, list_remotes, is_remote_listed},
    {"sending a message", with_new_job, send_jobs, is_sent},
    {"giving a message up", with_old_job, send_jobs, is_given_up},
    {"dropping a message", with_lost_job, send_jobs, is_dropped},
    {"a message behind a row that is none", with_hidden_job, send_jobs, is_sent},
};

static const struct turn api_turns[] = {
    {"making a link", without_links, make_link, is_link_made},
    {"showing a link", with_link, show_link, is_shown},
    {"listing the links", with_two_links, list_links, are_links_listed},
    {"revoking a link", with_link, revoke_link, is_link_revoked},
    {"making an upload once", new_key, make_upload, is_made_once},
    {"making an upload again", with_made, make_upload, is_made_once},
    {"an upload that is told of", with_use, settle_use, is_told},
    {"listing deliveries", with_given_up, list_deliveries, are_deliveries_listed},
    {"sending a delivery again", with_delivery, retry_delivery, is_retried},
    {"forgetting links and answers", with_old_rows, sweep_rows, is_all_swept},
    {"forgetting deliveries", with_old_delivery, sweep_rows, is_delivery_swept},
    {"opening the API for the first time", is_api_new, open_api, is_api_open},
    {"opening the API after a crash", is_api_closed, open_api, is_use_settled},
};

/* ---- All of it */

static bool open_all(void)
{
    struct lst_gate_options gate_options = {.users = NULL};
    struct lst_s3_options s3_options = {.region = LST_SLICE("us-east-1")};
    struct lst_store_options options = {.path = folder};
    char problem[LST_PROBLEM_MAX];

    if (lst_store_open(&options, NULL, &store) != 0 || lst_users_open(folder, false, &users) != 0 ||
        lst_ledger_open(folder, false, &ledger) != 0 ||
        lst_profiles_open(rows(), NULL, problem, &profiles) != 0) {
        return false;
    }
    lst_ledger_set_life(ledger, 604800000);
    gate_options.users = users;
    if (lst_gate_open(&gate_options, &gate) != 0) {
        return false;
    }
    s3_options.store = store;
    s3_options.gate = gate;
    s3_options.ledger = ledger;
    return lst_s3_open(&s3_options, &s3) == 0;
}

static void close_all(void)
{
    lst_profiles_close(profiles);
    lst_s3_close(s3);
    lst_gate_close(gate);
    lst_ledger_close(ledger);
    lst_users_close(users);
    lst_store_close(store);
}

static bool has_failed(void)
{
    return lst_index_has_failed(rows()) || lst_users_have_failed(users) ||
           lst_store_has_failed(store);
}

/* What a failed sync ends is opened again, as by the next start of a server. */
static void revive(void)
{
    bool had_api = api != NULL;
    bool had_jobs = jobs != NULL;

    if (!has_failed()) {
        return;
    }
    was_revived = true;
    lst_jobs_close(jobs);
    jobs = NULL;
    lst_api_close(api);
    api = NULL;
    close_all();
    if (!open_all() || (had_jobs && open_jobs() != 0) || (had_api && open_api() != 0)) {
        CHECK(false, "all is opened again");
        exit(tap_done());
    }
}

static void wait_done(struct lst_store_write *write, int status)
{
    (void)status;
    (void)sem_post(write->context);
}

/* A user, a token, a bucket with an object, a profile, a file of a profile. */
static bool furnish(void)
{
    struct lst_user_key key = {.active = true};
    struct lst_token made = {.name = "backend", .user = "root", .may = 15};
    struct lst_bucket bucket = {.name = LST_SLICE("photos"), .owner = LST_SLICE("me")};
    struct lst_store_write write = {.done = wait_done};
    char path[100];
    sem_t done;
    FILE *file;

    lst_user_key_generate(&key);
    (void)snprintf(files, sizeof(files), "%s/profiles", folder);
    (void)snprintf(path, sizeof(path), "%s/of-a-file.json", files);
    if (sem_init(&done, 0, 0) != 0 || lst_users_set_root(users, &key) != 0 ||
        lst_tokens_create(users, &made, token) != 0 || mkdir(files, 0700) != 0) {
        return false;
    }
    write.context = &done;
    if (lst_store_bucket_create(store, &bucket, &write) != 0) {
        return false;
    }
    (void)sem_wait(&done);
    (void)sem_destroy(&done);
    file = fopen(path, "we");
    if (file == NULL || fputs("{\"bucket\":\"photos\",\"key\":\"x\"}", file) < 0 ||
        fclose(file) != 0) {
        return false;
    }
    return add_profile("hooked", 1000, true) == 0;
}

static int remove_one(const char *path, const struct stat *state, int kind, struct FTW *where)
{
    (void)state;
    (void)kind;
    (void)where;
    return remove(path);
}

/* What this program is about. */
static const char here[] = "/api/profiles /api/remotes /api/link /api/idempotency /api/job "
                           "/api/delivery /api/api.c /api/upload_events";
/* Hashing a password takes long, and webhooks that are tried and archives are not rows:
 * protocol/test_faults.py. */
static const char unreached[] =
    "lst_webhooks_test lst_jobs_ask lst_link_open begin_hashing begin_check make_archive";

int main(void)
{
    /* In memory where that can be: no sync is waited for. */
    if (access("/dev/shm", W_OK) == 0 && chdir("/dev/shm") != 0) {
        return 1;
    }
    if (mkdtemp(folder) == NULL || !start_receiver() || !open_all() || !furnish()) {
        return 1;
    }
    turn_revive = revive;
    for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
        turn_test(&turns[i]);
    }
    atomic_store(&receiver_status, 500);
    CHECK(open_api() == 0, "the API is opened");
    turn_has_threads = true;
    /* Other threads make calls at the same time, so that one of the operation's may be passed over.
     */
    for (int round = 0;
         round == 0 || (round < 5 && fault_never_at(FAULT_ALL, here, unreached) != 0); round++) {
        for (size_t i = 0; i < sizeof(api_turns) / sizeof(api_turns[0]); i++) {
            turn_test(&api_turns[i]);
        }
    }
    CHECK(fault_never_at(FAULT_ALL, here, unreached) == 0,
          "every call has failed, wherever it is made");
    lst_api_close(api);
    close_all();
    json_decref(last.json);
    (void)shutdown(listener, SHUT_RDWR);
    pthread_join(receiver, NULL);
    close(listener);
    (void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return tap_done();
}
