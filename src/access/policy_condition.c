/* policy_condition.c - from JSON to the compiled form of a policy: the Condition block. */
#include "access/policy_build.h"

#include "base/clock.h"

/* What a condition key holds, and so which operators can ask about it. */
enum kind {
    KIND_TEXT = 1,
    KIND_NUMBER = 2,
    KIND_TIME = 4,
    KIND_BOOL = 8,
    KIND_ADDRESS = 16,
};

struct operator_row {
    const char *name;
    unsigned kinds; /* of the keys it can ask about */
    uint8_t comparison;
    bool negated;
    bool has_wildcards;
};

/* "IAM JSON policy elements: Condition operators". */
static const struct operator_row operators[] = {
    {"StringEquals", KIND_TEXT, LST_COMPARE_TEXT, false, false},
    {"StringNotEquals", KIND_TEXT, LST_COMPARE_TEXT, true, false},
    {"StringEqualsIgnoreCase", KIND_TEXT, LST_COMPARE_TEXT_IGNORING_CASE, false, false},
    {"StringNotEqualsIgnoreCase", KIND_TEXT, LST_COMPARE_TEXT_IGNORING_CASE, true, false},
    {"StringLike", KIND_TEXT, LST_COMPARE_TEXT, false, true},
    {"StringNotLike", KIND_TEXT, LST_COMPARE_TEXT, true, true},
    {"NumericEquals", KIND_NUMBER, LST_COMPARE_EQUAL, false, false},
    {"NumericNotEquals", KIND_NUMBER, LST_COMPARE_EQUAL, true, false},
    {"NumericLessThan", KIND_NUMBER, LST_COMPARE_LESS, false, false},
    {"NumericLessThanEquals", KIND_NUMBER, LST_COMPARE_LESS_OR_EQUAL, false, false},
    {"NumericGreaterThan", KIND_NUMBER, LST_COMPARE_GREATER, false, false},
    {"NumericGreaterThanEquals", KIND_NUMBER, LST_COMPARE_GREATER_OR_EQUAL, false, false},
    {"DateEquals", KIND_TIME, LST_COMPARE_EQUAL, false, false},
    {"DateNotEquals", KIND_TIME, LST_COMPARE_EQUAL, true, false},
    {"DateLessThan", KIND_TIME, LST_COMPARE_LESS, false, false},
    {"DateLessThanEquals", KIND_TIME, LST_COMPARE_LESS_OR_EQUAL, false, false},
    {"DateGreaterThan", KIND_TIME, LST_COMPARE_GREATER, false, false},
    {"DateGreaterThanEquals", KIND_TIME, LST_COMPARE_GREATER_OR_EQUAL, false, false},
    {"Bool", KIND_BOOL, LST_COMPARE_BOOL, false, false},
    {"IpAddress", KIND_ADDRESS, LST_COMPARE_ADDRESS, false, false},
    {"NotIpAddress", KIND_ADDRESS, LST_COMPARE_ADDRESS, true, false},
    {"Null", ~0U, LST_COMPARE_ABSENT, false, false},
};

static const struct {
    struct lst_slice name;
    uint8_t fact;
    unsigned kinds;
    const char *advice;
} keys[] = {
    {{"aws:SourceIp", 12}, LST_FACT_SOURCE_IP, KIND_ADDRESS, "IpAddress or NotIpAddress"},
    {{"aws:CurrentTime", 15}, LST_FACT_CURRENT_TIME, KIND_TIME, "a Date... operator"},
    {{"aws:EpochTime", 13},
     LST_FACT_EPOCH_TIME,
     KIND_TIME | KIND_NUMBER,
     "a Date... or Numeric... operator"},
    {{"aws:SecureTransport", 19}, LST_FACT_SECURE_TRANSPORT, KIND_BOOL, "Bool"},
    {{"aws:username", 12}, LST_FACT_USER_NAME, KIND_TEXT, "a String... operator"},
    {{"s3:prefix", 9}, LST_FACT_PREFIX, KIND_TEXT, "a String... operator"},
    {{"s3:delimiter", 12}, LST_FACT_DELIMITER, KIND_TEXT, "a String... operator"},
    {{"s3:max-keys", 11}, LST_FACT_MAX_KEYS, KIND_NUMBER, "a Numeric... operator"},
    {{"s3:signatureAge", 15}, LST_FACT_SIGNATURE_AGE, KIND_NUMBER, "a Numeric... operator"},
    {{"s3:authType", 11}, LST_FACT_AUTH_TYPE, KIND_TEXT, "a String... operator"},
    {{"s3:signatureversion", 19}, LST_FACT_SIGNATURE_VERSION, KIND_TEXT, "a String... operator"},
};

static const struct operator_row *find_operator(struct lst_slice name, bool *ret_if_exists)
{
    static const char suffix[] = {'I', 'f', 'E', 'x', 'i', 's', 't', 's'};
    struct lst_slice base = name;

    *ret_if_exists = name.length > sizeof(suffix) &&
                     memcmp(name.bytes + name.length - sizeof(suffix), suffix, sizeof(suffix)) == 0;
    if (*ret_if_exists) {
        base.length -= sizeof(suffix);
    }
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        if (lst_slice_equal(base, lst_slice_of(operators[i].name))) {
            bool is_null = operators[i].comparison == LST_COMPARE_ABSENT;
            return is_null && *ret_if_exists ? NULL : &operators[i];
        }
    }
    return NULL;
}

/* An integer as JSON or as text; IAM's policies have both. */
static bool read_number(json_t *item, int64_t *ret_number)
{
    struct lst_slice text = lst_slice_make(json_string_value(item), json_string_length(item));
    bool is_negative = text.length > 0 && text.bytes[0] == '-';
    uint64_t number;

    if (json_is_integer(item)) {
        *ret_number = json_integer_value(item);
        return true;
    }
    if (!lst_slice_to_number(lst_slice_after(text, is_negative ? 1 : 0), INT64_MAX, &number)) {
        return false;
    }
    *ret_number = is_negative ? -(int64_t)number : (int64_t)number;
    return true;
}

/* In seconds, as fine as the clock of a request is: an ISO 8601 date, or seconds since 1970. */
static bool read_time(json_t *item, int64_t *ret_time)
{
    struct lst_slice text = lst_slice_make(json_string_value(item), json_string_length(item));
    int64_t time_ms;

    if (text.length > 0 && lst_clock_parse_iso8601(text, &time_ms)) {
        *ret_time = time_ms / 1000;
        return true;
    }
    return read_number(item, ret_time);
}

static bool read_bool(json_t *item, bool *ret_truth)
{
    struct lst_slice text = lst_slice_make(json_string_value(item), json_string_length(item));

    *ret_truth = json_is_true(item) || lst_slice_equal_ignoring_case(text, LST_SLICE("true"));
    return *ret_truth || json_is_false(item) ||
           lst_slice_equal_ignoring_case(text, LST_SLICE("false"));
}

static int add_text(struct lst_policy_builder *builder, const struct operator_row *operator,
                    json_t * item)
{
    unsigned syntax = LST_PATTERN_VARIABLES;

    if (!json_is_string(item)) {
        return lst_policy_problem(builder, "a value of ", operator->name, " must be a string");
    }
    if (operator->has_wildcards) {
        syntax |= LST_PATTERN_WILDCARDS;
    }
    if (operator->comparison == LST_COMPARE_TEXT_IGNORING_CASE) {
        syntax |= LST_PATTERN_LOWER_CASE;
    }
    return lst_policy_add_pattern(
        builder, lst_slice_make(json_string_value(item), json_string_length(item)), syntax);
}

static int add_item(struct lst_policy_builder *builder, const struct operator_row *operator,
                    json_t * item)
{
    struct lst_value value = {0};
    struct lst_slice text = lst_slice_make(json_string_value(item), json_string_length(item));

    switch (operator->comparison) {
    case LST_COMPARE_TEXT:
    case LST_COMPARE_TEXT_IGNORING_CASE:
        return add_text(builder, operator, item);
    case LST_COMPARE_BOOL:
    case LST_COMPARE_ABSENT:
        if (!read_bool(item, &value.as.truth)) {
            return lst_policy_problem(builder, "a value of ", operator->name,
                                      " must be \"true\" or \"false\"");
        }
        break;
    case LST_COMPARE_ADDRESS:
        if (!lst_network_parse(text, &value.as.network)) {
            return lst_policy_problem(
                builder, "a value of ", operator->name,
                " must be an IP address or a CIDR block such as \"203.0.113.0/24\"");
        }
        break;
    default:
        if (operator->kinds == KIND_TIME && !read_time(item, &value.as.number)) {
            return lst_policy_problem(builder, "a value of ", operator->name,
                                      " must be a UTC time such as \"2026-01-31T00:00:00Z\"");
        }
        if (operator->kinds == KIND_NUMBER && !read_number(item, &value.as.number)) {
            return lst_policy_problem(builder, "a value of ", operator->name,
                                      " must be a whole number");
        }
    }
    return lst_policy_add_value(builder, &value);
}

static int add_items(struct lst_policy_builder *builder, const struct operator_row *operator,
                     json_t * items, struct lst_value_range *ret_range)
{
    struct lst_value_range range = {.first = lst_policy_value_count(builder)};
    json_t *item;

    for (size_t i = 0; (item = lst_policy_item(items, i)) != NULL; i++) {
        int status = add_item(builder, operator, item);
        if (status != LST_OK) {
            return status;
        }
        range.count++;
    }
    if (range.count == 0) {
        return lst_policy_problem(builder, "", operator->name, " has a key without values");
    }
    *ret_range = range;
    return LST_OK;
}

static int add_condition(struct lst_policy_builder *builder, const struct operator_row *operator,
                         bool if_exists, const char *key, json_t *items)
{
    struct lst_policy_condition condition = {
        .comparison = operator->comparison, .negated = operator->negated, .if_exists = if_exists};
    size_t row = 0;
    int status;

    while (row < sizeof(keys) / sizeof(keys[0]) &&
           !lst_slice_equal_ignoring_case(keys[row].name, lst_slice_of(key))) {
        row++;
    }
    if (row == sizeof(keys) / sizeof(keys[0])) {
        return lst_policy_problem(
            builder, "unknown condition key ", key,
            "; there are aws:SourceIp, aws:CurrentTime, aws:EpochTime, aws:SecureTransport, "
            "aws:username, s3:prefix, s3:delimiter, s3:max-keys, s3:signatureAge, s3:authType and "
            "s3:signatureversion");
    }
    if ((keys[row].kinds & operator->kinds) == 0) {
        char after[120];
        snprintf(after, sizeof(after), " does not fit the key %s; use %s", keys[row].name.bytes,
                 keys[row].advice);
        return lst_policy_problem(builder, "the operator ", operator->name, after);
    }
    condition.fact = keys[row].fact;
    status = add_items(builder, operator, items, &condition.values);
    if (status != LST_OK) {
        return status;
    }
    lst_buffer_append(&builder->policy->conditions, lst_slice_make(&condition, sizeof(condition)));
    return lst_buffer_status(&builder->policy->conditions);
}

int lst_policy_add_conditions(struct lst_policy_builder *builder, json_t *block,
                              struct lst_policy_statement *statement)
{
    const struct lst_buffer *conditions = &builder->policy->conditions;
    const char *operator_name;
    const char *key;
    json_t *pairs;
    json_t *items;

    if (!json_is_object(block)) {
        return lst_policy_problem(builder, "", "Condition", " must be a JSON object");
    }
    statement->first_condition =
        (uint32_t)(conditions->length / sizeof(struct lst_policy_condition));
    json_object_foreach(block, operator_name, pairs)
    {
        bool if_exists;
        const struct operator_row *operator= find_operator(lst_slice_of(operator_name), &if_exists);
        if (operator== NULL) {
            return lst_policy_problem(builder, "unknown condition operator ", operator_name, "");
        }
        if (!json_is_object(pairs) || json_object_size(pairs) == 0) {
            return lst_policy_problem(builder, "the operator ", operator_name,
                                      " must have a JSON object of condition keys");
        }
        json_object_foreach(pairs, key, items)
        {
            int status = add_condition(builder, operator, if_exists, key, items);
            if (status != LST_OK) {
                return status;
            }
            statement->condition_count++;
        }
    }
    return LST_OK;
}
