/* policy_decide.c - what a policy says about one request: "Policy evaluation logic" of the IAM User
 * Guide. */
#include "access/pattern.h"
#include "access/policy_model.h"

enum {
    RESOURCE_MAX = 63 + 1 + 1024, /* the longest bucket name, '/', the longest key */
};

/* A question with what is worked out once for all statements. */
struct inquiry {
    const struct lst_access_policy *policy;
    const struct lst_access_question *question;
    struct lst_slice resource; /* "bucket" or "bucket/key"; of any key "bucket/" */
    struct lst_address source_ip;
    bool has_source_ip;
    bool is_source_ip_unknown; /* it was said, and is no address */
};

/* One fact, in the form in which it is compared. */
struct evidence {
    bool is_present;
    struct lst_slice text;
    int64_t number;
};

static bool any_pattern_matches(const struct inquiry *inquiry, struct lst_value_range range,
                                struct lst_slice text, bool ignore_case)
{
    const struct lst_value *values = (const void *)inquiry->policy->values.bytes;

    for (uint32_t i = 0; i < range.count; i++) {
        const struct lst_value *value = &values[range.first + i];
        struct lst_slice pattern = lst_slice_make(
            inquiry->policy->text.bytes + value->as.pattern.offset, value->as.pattern.length);
        if (lst_pattern_matches(pattern, text, inquiry->question->user_name, ignore_case)) {
            return true;
        }
    }
    return false;
}

static struct evidence text_evidence(bool is_present, struct lst_slice text)
{
    return (struct evidence){.is_present = is_present, .text = text};
}

static struct evidence number_evidence(bool is_present, int64_t number)
{
    return (struct evidence){.is_present = is_present, .number = number};
}

static struct evidence find_evidence(const struct inquiry *inquiry,
                                     const struct lst_policy_condition *condition)
{
    const struct lst_access_question *question = inquiry->question;

    switch ((enum lst_fact)condition->fact) {
    case LST_FACT_SOURCE_IP:
        return number_evidence(inquiry->has_source_ip, 0);
    case LST_FACT_CURRENT_TIME:
    case LST_FACT_EPOCH_TIME:
        return number_evidence(true, question->now);
    case LST_FACT_SECURE_TRANSPORT:
        return number_evidence(true, question->secure ? 1 : 0);
    case LST_FACT_USER_NAME:
        return text_evidence(question->user_name.length > 0, question->user_name);
    case LST_FACT_PREFIX:
        return text_evidence(question->has_prefix, question->prefix);
    case LST_FACT_DELIMITER:
        return text_evidence(question->has_delimiter, question->delimiter);
    case LST_FACT_MAX_KEYS:
        return number_evidence(question->has_max_keys, question->max_keys);
    case LST_FACT_SIGNATURE_AGE:
        return number_evidence(question->has_signature_age, question->signature_age_ms);
    case LST_FACT_AUTH_TYPE:
        return text_evidence(question->auth_type.length > 0, question->auth_type);
    case LST_FACT_SIGNATURE_VERSION:
        return text_evidence(question->signature_version.length > 0, question->signature_version);
    }
    return (struct evidence){0};
}

/* One value of a condition that is not about text. */
static bool value_holds(const struct inquiry *inquiry, const struct lst_policy_condition *condition,
                        const struct lst_value *value, const struct evidence *evidence)
{
    int64_t number = evidence->number;

    switch ((enum lst_comparison)condition->comparison) {
    case LST_COMPARE_EQUAL:
        return number == value->as.number;
    case LST_COMPARE_LESS:
        return number < value->as.number;
    case LST_COMPARE_LESS_OR_EQUAL:
        return number <= value->as.number;
    case LST_COMPARE_GREATER:
        return number > value->as.number;
    case LST_COMPARE_GREATER_OR_EQUAL:
        return number >= value->as.number;
    case LST_COMPARE_BOOL:
        return (number != 0) == value->as.truth;
    case LST_COMPARE_ADDRESS:
        return lst_network_contains(&value->as.network, &inquiry->source_ip);
    case LST_COMPARE_ABSENT:
        return value->as.truth == !evidence->is_present;
    case LST_COMPARE_TEXT:
    case LST_COMPARE_TEXT_IGNORING_CASE:
        break;
    }
    return false;
}

/*
 * Several values: any of them must fit, or, for a negated operator, none of them. An absent key
 * fits nothing, so negated operators hold; with ...IfExists it holds either way.
 */
static bool condition_holds(const struct inquiry *inquiry,
                            const struct lst_policy_condition *condition, bool is_deny)
{
    const struct lst_value *values = (const void *)inquiry->policy->values.bytes;
    const struct evidence evidence = find_evidence(inquiry, condition);
    bool fits = false;

    if (condition->fact == LST_FACT_SOURCE_IP && inquiry->is_source_ip_unknown) {
        return is_deny; /* nobody knows if it fits: no Allow counts then, and every Deny does */
    }
    if (!evidence.is_present && condition->comparison != LST_COMPARE_ABSENT) {
        return condition->if_exists || condition->negated;
    }
    if (condition->comparison == LST_COMPARE_TEXT ||
        condition->comparison == LST_COMPARE_TEXT_IGNORING_CASE) {
        fits = any_pattern_matches(inquiry, condition->values, evidence.text,
                                   condition->comparison == LST_COMPARE_TEXT_IGNORING_CASE);
    } else {
        for (uint32_t i = 0; i < condition->values.count && !fits; i++) {
            fits = value_holds(inquiry, condition, &values[condition->values.first + i], &evidence);
        }
    }
    return fits != condition->negated;
}

/* Of any key, a statement about all resources but some may well be about one of its. */
static bool is_about_resource(const struct inquiry *inquiry,
                              const struct lst_policy_statement *statement)
{
    const struct lst_value *values = (const void *)inquiry->policy->values.bytes;

    if (!inquiry->question->any_key) {
        return any_pattern_matches(inquiry, statement->resources, inquiry->resource, false) !=
               statement->not_resource;
    }
    for (uint32_t i = 0; i < statement->resources.count; i++) {
        const struct lst_value *value = &values[statement->resources.first + i];

        if (lst_pattern_may_begin(
                lst_slice_make(inquiry->policy->text.bytes + value->as.pattern.offset,
                               value->as.pattern.length),
                inquiry->resource)) {
            return true;
        }
    }
    return statement->not_resource;
}

static bool statement_applies(const struct inquiry *inquiry,
                              const struct lst_policy_statement *statement)
{
    const struct lst_policy_condition *conditions = (const void *)inquiry->policy->conditions.bytes;

    if (any_pattern_matches(inquiry, statement->actions, inquiry->question->action, true) ==
            statement->not_action ||
        !is_about_resource(inquiry, statement)) {
        return false;
    }
    for (uint32_t i = 0; i < statement->condition_count; i++) {
        if (!condition_holds(inquiry, &conditions[statement->first_condition + i],
                             statement->deny)) {
            return false;
        }
    }
    return true;
}

enum lst_access_decision lst_access_policy_decide(const struct lst_access_policy *policy,
                                                  const struct lst_access_question *question)
{
    const struct lst_policy_statement *statements = (const void *)policy->statements.bytes;
    struct inquiry inquiry = {.policy = policy, .question = question};
    enum lst_access_decision decision = LST_ACCESS_NO_MATCH;
    char resource[RESOURCE_MAX];

    /* No bucket or key is that long: better refused than cut. */
    if (question->bucket.length + 1 + question->key.length > sizeof(resource)) {
        return LST_ACCESS_DENY;
    }
    inquiry.resource = question->bucket;
    if (question->key.length > 0 || question->any_key) {
        if (question->bucket.length > 0) {
            memcpy(resource, question->bucket.bytes, question->bucket.length);
        }
        resource[question->bucket.length] = '/';
        if (question->key.length > 0) {
            memcpy(resource + question->bucket.length + 1, question->key.bytes,
                   question->key.length);
        }
        inquiry.resource =
            lst_slice_make(resource, question->bucket.length + 1 + question->key.length);
    }
    if (policy->conditions.length > 0) {
        inquiry.has_source_ip = lst_address_parse(question->source_ip, &inquiry.source_ip);
        inquiry.is_source_ip_unknown = question->source_ip.length > 0 && !inquiry.has_source_ip;
    }
    for (size_t i = 0; i < policy->statement_count; i++) {
        /* One Allow is as good as many; a Deny is looked for to the end, and is about some key
         * at most when any is asked for. */
        if ((statements[i].deny ? !question->any_key : decision == LST_ACCESS_NO_MATCH) &&
            statement_applies(&inquiry, &statements[i])) {
            if (statements[i].deny) {
                return LST_ACCESS_DENY;
            }
            decision = LST_ACCESS_ALLOW;
        }
    }
    return decision;
}
