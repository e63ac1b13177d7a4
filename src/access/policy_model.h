/*
 * policy_model.h - a policy in its compiled form: what the parser makes and the decision reads.
 *
 * Flat arrays that refer to one another by position, so that deciding follows few pointers and
 * freeing is simple. Internal to this folder.
 */
#ifndef LST_ACCESS_POLICY_MODEL_H
#define LST_ACCESS_POLICY_MODEL_H

#include "access/network.h"
#include "access/policy.h"

/* What a condition key speaks of. */
enum lst_fact {
    LST_FACT_SOURCE_IP,
    LST_FACT_CURRENT_TIME,
    LST_FACT_EPOCH_TIME,
    LST_FACT_SECURE_TRANSPORT,
    LST_FACT_USER_NAME,
    LST_FACT_PREFIX,
    LST_FACT_DELIMITER,
    LST_FACT_MAX_KEYS,
    LST_FACT_SIGNATURE_AGE,
    LST_FACT_AUTH_TYPE,
    LST_FACT_SIGNATURE_VERSION,
};

enum lst_comparison {
    LST_COMPARE_TEXT,
    LST_COMPARE_TEXT_IGNORING_CASE,
    LST_COMPARE_EQUAL, /* of numbers, and of times in seconds */
    LST_COMPARE_LESS,
    LST_COMPARE_LESS_OR_EQUAL,
    LST_COMPARE_GREATER,
    LST_COMPARE_GREATER_OR_EQUAL,
    LST_COMPARE_BOOL,
    LST_COMPARE_ADDRESS,
    LST_COMPARE_ABSENT, /* Null */
};

/* Some of the policy's values, in a row. */
struct lst_value_range {
    uint32_t first;
    uint32_t count;
};

struct lst_value {
    union {
        struct {
            uint32_t offset; /* of a compiled pattern in the policy's text */
            uint32_t length;
        } pattern;
        int64_t number; /* or a time in seconds */
        bool truth;
        struct lst_network network;
    } as;
};

struct lst_policy_condition {
    uint8_t fact;       /* enum lst_fact */
    uint8_t comparison; /* enum lst_comparison */
    bool negated;
    bool if_exists;
    struct lst_value_range values; /* patterns for text, else what the comparison says */
};

struct lst_policy_statement {
    bool deny;
    bool not_action;
    bool not_resource;
    struct lst_value_range actions;   /* patterns, lower-case */
    struct lst_value_range resources; /* patterns of what follows the ARN's fifth colon */
    uint32_t first_condition;
    uint32_t condition_count;
};

struct lst_access_policy {
    struct lst_buffer text;       /* compiled patterns, end to end */
    struct lst_buffer values;     /* array of struct lst_value */
    struct lst_buffer conditions; /* array of struct lst_policy_condition */
    struct lst_buffer statements; /* array of struct lst_policy_statement */
    size_t statement_count;
};

#endif
