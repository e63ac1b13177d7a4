/* conditions_test.c - conditional requests, against RFC 9110 section 13 and S3's combinations. */
#include "http/conditions.h"
#include "request.h"
#include "tap.h"

static struct lst_slice slice_of(const char *text)
{
    return lst_slice_make(text, strlen(text));
}

/* The entity of every case: its tag is "abc", and it was modified at this second. */
#define MODIFIED 1448190000
#define THEN     "Sun, 22 Nov 2015 11:00:00 GMT" /* the same second */
#define BEFORE   "Sun, 22 Nov 2015 10:59:59 GMT"
#define AFTER    "Sun, 22 Nov 2015 11:00:01 GMT"

static const struct {
    const char *if_match;
    const char *if_none_match;
    const char *if_modified_since;
    const char *if_unmodified_since;
    enum lst_verdict verdict;
    const char *condition;
} cases[] = {
    {NULL, NULL, NULL, NULL, LST_CONDITIONS_HOLD, NULL},
    {"\"abc\"", NULL, NULL, NULL, LST_CONDITIONS_HOLD, NULL},
    {"abc", NULL, NULL, NULL, LST_CONDITIONS_HOLD, NULL},
    {"*", NULL, NULL, NULL, LST_CONDITIONS_HOLD, NULL},
    {"\"x\", \"abc\"", NULL, NULL, NULL, LST_CONDITIONS_HOLD, NULL},
    {"\"x,y\",\"abc\"", NULL, NULL, NULL, LST_CONDITIONS_HOLD, NULL},
    {"\"ab\"", NULL, NULL, NULL, LST_CONDITIONS_FAILED, "If-Match"},
    {"W/\"abc\"", NULL, NULL, NULL, LST_CONDITIONS_FAILED, "If-Match"},
    {"", NULL, NULL, NULL, LST_CONDITIONS_FAILED, "If-Match"},
    {"\"abc", NULL, NULL, NULL, LST_CONDITIONS_FAILED, "If-Match"},
    {NULL, "\"abc\"", NULL, NULL, LST_CONDITIONS_NOT_MODIFIED, NULL},
    {NULL, "W/\"abc\"", NULL, NULL, LST_CONDITIONS_NOT_MODIFIED, NULL},
    {NULL, "abc", NULL, NULL, LST_CONDITIONS_NOT_MODIFIED, NULL},
    {NULL, "*", NULL, NULL, LST_CONDITIONS_NOT_MODIFIED, NULL},
    {NULL, "\"x\", W/\"y\"", NULL, NULL, LST_CONDITIONS_HOLD, NULL},
    {NULL, NULL, THEN, NULL, LST_CONDITIONS_NOT_MODIFIED, NULL},
    {NULL, NULL, AFTER, NULL, LST_CONDITIONS_NOT_MODIFIED, NULL},
    {NULL, NULL, BEFORE, NULL, LST_CONDITIONS_HOLD, NULL},
    {NULL, NULL, "yesterday", NULL, LST_CONDITIONS_HOLD, NULL},
    {NULL, NULL, NULL, THEN, LST_CONDITIONS_HOLD, NULL},
    {NULL, NULL, NULL, BEFORE, LST_CONDITIONS_FAILED, "If-Unmodified-Since"},
    {NULL, NULL, NULL, "yesterday", LST_CONDITIONS_HOLD, NULL},
    /* The combinations that S3 documents. */
    {"\"abc\"", NULL, NULL, BEFORE, LST_CONDITIONS_HOLD, NULL},
    {NULL, "\"abc\"", BEFORE, NULL, LST_CONDITIONS_NOT_MODIFIED, NULL},
    {NULL, "\"x\"", AFTER, NULL, LST_CONDITIONS_HOLD, NULL},
    {"\"x\"", "\"abc\"", NULL, NULL, LST_CONDITIONS_FAILED, "If-Match"},
};

static void add(struct lst_http_request *request, struct lst_field *headers, const char *name,
                const char *value)
{
    if (value != NULL) {
        headers[request->message.header_count++] =
            (struct lst_field){slice_of(name), slice_of(value)};
    }
}

static void test_verdicts(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lst_field headers[4];
        struct lst_http_request request = {.message = {.headers = headers},
                                           .received_ms = INT64_C(4000000000000)};
        const char *condition = NULL;

        add(&request, headers, "if-match", cases[i].if_match);
        add(&request, headers, "If-None-Match", cases[i].if_none_match);
        add(&request, headers, "IF-MODIFIED-SINCE", cases[i].if_modified_since);
        add(&request, headers, "If-Unmodified-Since", cases[i].if_unmodified_since);
        request_read(&request);
        CHECK(lst_conditions_check(&request, LST_SLICE("abc"), MODIFIED, &condition) ==
                      cases[i].verdict &&
                  (cases[i].condition == NULL
                       ? condition == NULL
                       : condition != NULL && strcmp(condition, cases[i].condition) == 0),
              "match %s, none-match %s, modified %s, unmodified %s",
              cases[i].if_match == NULL ? "-" : cases[i].if_match,
              cases[i].if_none_match == NULL ? "-" : cases[i].if_none_match,
              cases[i].if_modified_since == NULL ? "-" : cases[i].if_modified_since,
              cases[i].if_unmodified_since == NULL ? "-" : cases[i].if_unmodified_since);
    }
}

static void test_if_range(void)
{
    static const struct {
        const char *value;
        bool counts;
    } ranges[] = {
        {NULL, true}, {"\"abc\"", true}, {"\"x\"", false}, {"W/\"abc\"", false}, {"*", false},
        {THEN, true}, {BEFORE, false},   {AFTER, false},   {"", false},
    };

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        struct lst_field headers[1];
        struct lst_http_request request = {.message = {.headers = headers}};

        add(&request, headers, "If-Range", ranges[i].value);
        request_read(&request);
        CHECK(lst_conditions_range_counts(&request, LST_SLICE("abc"), MODIFIED) == ranges[i].counts,
              "If-Range: %s", ranges[i].value == NULL ? "-" : ranges[i].value);
    }
}

int main(void)
{
    test_verdicts();
    test_if_range();
    return tap_done();
}
