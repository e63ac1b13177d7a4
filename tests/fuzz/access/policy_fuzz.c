/* policy_fuzz.c - any bytes as a policy; what is accepted is asked a few questions. */
#include "access/policy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void ask(const struct lst_access_policy *policy)
{
    static const struct lst_access_question questions[] = {
        {.action = {"s3:ListAllMyBuckets", 19}},
        {.action = {"s3:GetObject", 12},
         .bucket = {"photos", 6},
         .key = {"home/alice/\xC3\xA9.jpg", 17},
         .user_name = {"alice", 5},
         .source_ip = {"203.0.113.7", 11},
         .now = 1769860800,
         .secure = true,
         .has_signature_age = true,
         .signature_age_ms = 60000,
         .auth_type = {"REST-QUERY-STRING", 17},
         .signature_version = {"AWS4-HMAC-SHA256", 16}},
        {.action = {"s3:ListBucket", 13},
         .bucket = {"photos", 6},
         .user_name = {"a*?", 3},
         .source_ip = {"2001:db8::1", 11},
         .has_prefix = true,
         .prefix = {"home/\xFF\xFE\x80", 8},
         .has_delimiter = true,
         .delimiter = {"/", 1},
         .has_max_keys = true,
         .max_keys = -1},
    };

    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
        if (lst_access_policy_decide(policy, &questions[i]) > LST_ACCESS_DENY) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct lst_access_policy *policy = NULL;
    struct lst_buffer problem;
    int status;

    lst_buffer_init(&problem, 4096);
    status = lst_access_policy_parse(lst_slice_make(bytes, size), &policy, &problem);
    if (status == LST_OK) {
        ask(policy);
        lst_access_policy_free(policy);
    } else if (status != LST_ERR_POLICY || problem.length == 0 ||
               !lst_slice_is_utf8(lst_buffer_slice(&problem))) {
        abort(); /* a refusal must come with a sentence that can be shown */
    }
    lst_buffer_release(&problem);
    return 0;
}
