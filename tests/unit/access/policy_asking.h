/* policy_asking.h - what the tests of policies share: a question, and ways to ask it. */
#ifndef LST_TESTS_POLICY_ASKING_H
#define LST_TESTS_POLICY_ASKING_H

#include "access/policy.h"

#include "tap.h"

/* A request that has every fact; tests change what they are about. */
static inline struct lst_access_question ordinary_question(void)
{
    return (struct lst_access_question){
        .action = LST_SLICE("s3:GetObject"),
        .bucket = LST_SLICE("photos"),
        .key = LST_SLICE("2026/cat.jpg"),
        .user_name = LST_SLICE("alice"),
        .source_ip = LST_SLICE("203.0.113.7"),
        .now = 1769860800, /* 2026-01-31T12:00:00Z */
        .secure = true,
        .has_prefix = true,
        .prefix = LST_SLICE("home/alice/"),
        .has_delimiter = true,
        .delimiter = LST_SLICE("/"),
        .has_max_keys = true,
        .max_keys = 10,
        .has_signature_age = true,
        .signature_age_ms = 60000,
        .auth_type = LST_SLICE("REST-QUERY-STRING"),
        .signature_version = LST_SLICE("AWS4-HMAC-SHA256"),
    };
}

/* Decide, or 'e' if the policy is refused: 'A'llow, 'D'eny, '-' for neither. */
static inline char decide(const char *json, const struct lst_access_question *question)
{
    struct lst_access_policy *policy;
    struct lst_buffer problem;
    char answer = 'e';

    lst_buffer_init(&problem, 4096);
    if (lst_access_policy_parse(lst_slice_of(json), &policy, &problem) == LST_OK) {
        answer = "-AD"[lst_access_policy_decide(policy, question)];
        lst_access_policy_free(policy);
    } else {
        printf("# %.*s\n", (int)problem.length, problem.bytes);
    }
    lst_buffer_release(&problem);
    return answer;
}

/* A policy of one Allow statement with these elements. */
static inline char decide_elements(const char *elements, const struct lst_access_question *question)
{
    char json[4096];

    snprintf(json, sizeof(json),
             "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",%s}}", elements);
    return decide(json, question);
}

#endif
