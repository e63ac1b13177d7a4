/* delivery_test.c - POST /-/api/profiles/NAME/test-webhook: does the receiver understand? */
#include "access/json.h"
#include "api/delivery.h"
#include "api/jobs.h"
#include "api/profiles.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "base/random.h"

#include <stdlib.h>

enum { NS_PER_MS = 1000000 };

struct test {
    struct lst_api_exchange *exchange;
    const struct lst_profile *profile; /* has the URL and the secret */
    char *body;
    uint64_t began_ns;
    uint64_t ended_ns;
    struct lst_question question;
};

static void free_test(void *work)
{
    struct test *test = work;

    lst_profile_unref(test->profile);
    lst_buffer_release(&test->question.answer);
    free(test->body);
    free(test);
}

static void answer(void *owner)
{
    struct lst_api_exchange *exchange = owner;
    const struct test *test = exchange->work;
    int status = test->question.http_status;
    json_t *json =
        json_pack("{s:b, s:I}", "delivered", status >= 200 && status <= 299, "milliseconds",
                  (json_int_t)((test->ended_ns - test->began_ns) / NS_PER_MS));

    if (status != 0) {
        lst_api_json_set(&json, "status", json_integer(status));
    } else {
        lst_api_json_set(&json, "problem", json_string(test->question.problem));
    }
    lst_api_answer(exchange, 200, json);
}

static void is_answered(struct lst_question *question)
{
    struct test *test = question->context;

    test->ended_ns = lst_clock_monotonic_ns();
    lst_waiting_end(&test->exchange->waiting, answer);
}

static char *make_body(const struct lst_api_exchange *exchange, const struct lst_profile *profile)
{
    uint8_t id[LST_JOB_ID_SIZE];
    char hex[2 * LST_JOB_ID_SIZE];
    json_t *json;
    char *text;

    lst_random_bytes(id, sizeof(id));
    lst_hex_encode(id, sizeof(id), hex);
    json = json_pack("{s:s%, s:s, s:o, s:s}", "id", hex, sizeof(hex), "event", "webhook.test", "at",
                     lst_api_json_time(lst_api_now(exchange)), "profile", profile->name);
    text = lst_json_dump(json, JSON_COMPACT);
    json_decref(json);
    return text;
}

/* False, having answered, if there is no such profile, or nobody whom it would tell. */
static bool find_profile(struct lst_api_exchange *exchange, const struct lst_profile **ret_profile)
{
    int status = LST_ERR_NOT_FOUND;

    if (lst_bearer_may_use(&exchange->bearer, exchange->name)) {
        status = lst_profiles_find(exchange->api->profiles, exchange->name, ret_profile);
    }
    if (status == LST_ERR_NOT_FOUND) {
        lst_api_fail(exchange, 404, "NoSuchProfile",
                     "There is no profile of this name for you: see `latchstring profile list`");
    } else if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
    } else if ((*ret_profile)->webhook_url[0] == '\0') {
        lst_profile_unref(*ret_profile);
        lst_api_fail(exchange, 409, "NoWebhook",
                     "The profile has no webhook: give it one with `latchstring profile set`");
        return false;
    }
    return status == LST_OK;
}

static void ask(struct test *test)
{
    struct lst_api_exchange *exchange = test->exchange;
    int status;

    test->question = (struct lst_question){.url = test->profile->webhook_url,
                                           .secret = test->profile->webhook_secret,
                                           .body = lst_slice_of(test->body),
                                           .seconds = LST_JOBS_SECONDS,
                                           .done = is_answered,
                                           .context = test};
    test->began_ns = lst_clock_monotonic_ns();
    lst_waiting_begin(&exchange->waiting);
    status = lst_jobs_ask(exchange->api->jobs, &test->question);
    if (status == LST_OK) {
        return;
    }
    lst_waiting_cancel(&exchange->waiting);
    if (status == LST_ERR_TOO_LARGE) {
        lst_http_response_add_number(&exchange->response, "Retry-After", 1);
        lst_api_fail(exchange, 503, "SlowDown",
                     "Too many receivers are asked at this moment: try again in a second");
    } else {
        lst_api_fail_code(exchange, status);
    }
}

void lst_webhooks_test(struct lst_api_exchange *exchange)
{
    const struct lst_profile *profile = NULL;
    struct test *test;

    if (!find_profile(exchange, &profile)) {
        return;
    }
    test = calloc(1, sizeof(*test));
    if (test != NULL) {
        test->exchange = exchange;
        test->profile = profile;
        test->body = make_body(exchange, profile);
        exchange->work = test;
        exchange->free_work = free_test;
    } else {
        lst_profile_unref(profile);
    }
    if (test == NULL || test->body == NULL) {
        lst_api_fail_code(exchange, LST_ERR_NO_MEMORY);
        return;
    }
    ask(test);
}
