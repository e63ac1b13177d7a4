/* webhook_test.c - how a webhook's message is signed, when it is sent again, and its row. */
#include "api/job.h"
#include "api/webhook.h"

#include "tap.h"

static void test_signature(void)
{
    char text[LST_WEBHOOK_SIGNATURE_MAX];

    /* printf '1795460280.{"event":"upload.complete"}' | openssl dgst -sha256 -hmac 0123456789abcdef
     */
    lst_webhook_sign(LST_SLICE("0123456789abcdef"), 1795460280,
                     LST_SLICE("{\"event\":\"upload.complete\"}"), text);
    CHECK_TEXT(text, strlen(text),
               "t=1795460280,v1=7882df1ce6f027165eb66da222f6da1246081444db478d4c025b40be9e8018b4",
               "as openssl has it");
    lst_webhook_sign(LST_SLICE("0123456789abcdef"), INT64_MAX, LST_SLICE(""), text);
    CHECK(strlen(text) == strlen("t=9223372036854775807,v1=") + 64, "there is room for any time");
}

static void test_pauses(void)
{
    static const int64_t seconds[] = {1,   2,   4,   8,    16,   32,   64,
                                      128, 256, 512, 1024, 2048, 3600, 3600};
    int64_t now_ms = 0;
    uint32_t attempts = 0;

    for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
        CHECK(lst_webhook_pause_ms((uint32_t)i + 1) == seconds[i] * 1000,
              "%lld seconds after attempt %zu", (long long)seconds[i], i + 1);
    }
    CHECK(lst_webhook_pause_ms(UINT32_MAX) == 3600000, "never more than an hour");
    while (lst_webhook_next_ms(0, now_ms, attempts + 1) >= 0) {
        now_ms = lst_webhook_next_ms(0, now_ms, ++attempts);
    }
    CHECK(now_ms > INT64_C(71) * 3600000 && now_ms <= INT64_C(72) * 3600000,
          "the last attempt is at the end of the third day");
    CHECK(attempts == 82, "after %u that failed", attempts);
}

static void test_origin(void)
{
    static const char *const urls[][2] = {
        {"https://app.example/hook/secret", "https://app.example"},
        {"http://app.example:8080?key=secret", "http://app.example:8080"},
        {"http://[::1]:80/x", "http://[::1]:80"},
        {"https://app.example", "https://app.example"},
    };

    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct lst_slice origin = lst_webhook_origin(lst_slice_of(urls[i][0]));
        CHECK_TEXT(origin.bytes, origin.length, urls[i][1], urls[i][1]);
    }
}

static void test_row(void)
{
    struct lst_job job = {.profile = LST_SLICE("avatars"),
                          .due_ms = 1795460280123,
                          .id = "0123456789abcde",
                          .created_ms = 1795460000000,
                          .attempts = 300,
                          .last_ms = 1795460270000,
                          .last_status = 503,
                          .last_problem = 28,
                          .body = LST_SLICE("{}")};
    struct lst_job later = job;
    struct lst_job found;
    char key[LST_JOB_KEY_MAX];
    char later_key[LST_JOB_KEY_MAX];
    char value[LST_JOB_HEAD_LENGTH + 2] = "";
    size_t length = lst_job_key(&job, key);

    lst_job_head(&job, value);
    memcpy(value + LST_JOB_HEAD_LENGTH, "{}", 2);
    CHECK(lst_job_read(lst_slice_make(key, length), lst_slice_make(value, sizeof(value)), &found) ==
                  LST_OK &&
              lst_slice_equal(found.profile, job.profile) && found.due_ms == job.due_ms &&
              memcmp(found.id, job.id, sizeof(job.id)) == 0 && found.created_ms == job.created_ms &&
              found.attempts == 300 && found.last_ms == job.last_ms && found.last_status == 503 &&
              found.last_problem == 28 && !found.is_given_up &&
              lst_slice_equal(found.body, job.body),
          "a row is read as it was written");
    later.due_ms = job.due_ms + 1;
    memset(later.id, 0, sizeof(later.id));
    CHECK(lst_job_key(&later, later_key) == length && memcmp(key, later_key, length) < 0,
          "rows of a profile are in the order in which they are due");
    CHECK(lst_job_read(lst_slice_make(key, 20), lst_slice_make(value, sizeof(value)), &found) ==
                  LST_ERR_CORRUPT &&
              lst_job_read(lst_slice_make(key, length), lst_slice_make(value, 5), &found) ==
                  LST_ERR_CORRUPT,
          "rows that are too short are no rows");
    job.is_given_up = true;
    CHECK(lst_job_key(&job, later_key) == length && later_key[0] == 'g' &&
              memcmp(later_key + 1, key + 1, length - 1) == 0,
          "what was given up stands elsewhere");
    value[0] = 3;
    CHECK(lst_job_read(lst_slice_make(key, length), lst_slice_make(value, sizeof(value)), &found) ==
              LST_ERR_CORRUPT,
          "so are those of a format to come");
}

int main(void)
{
    test_signature();
    test_pauses();
    test_origin();
    test_row();
    return tap_done();
}
