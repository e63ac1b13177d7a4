/* policy.c - check the fields of a POST form against its policy document. */
#include "form.h"
#include "policy_json.h"

/*
 * The conditions are read once; which fields they covered is kept as a bit for each field. The
 * first condition that does not hold is remembered, but the rest must still be well formed.
 */
struct check {
    const struct lst_field *fields;
    size_t field_count;
    struct lst_slice bucket;
    struct lst_policy_limits limits;
    uint64_t covered[(LST_INTERNAL_FORM_FIELDS_MAX + 63) / 64];
    bool bucket_covered;
    bool is_v2;
    bool has_expiration;
    bool has_conditions;
    bool failed;
    struct lst_slice failed_condition; /* as it stands in the document */
    const char *fault;                 /* what is wrong with the document; NULL: it is no JSON */
    struct lst_slice fault_value;      /* what the fault's text shows, or empty */
    const char *fault_end;             /* what follows it */
};

static struct lst_slice skip_space(struct lst_slice json)
{
    while (json.length > 0 && lst_internal_is(json.bytes[0], LST_INTERNAL_SPACE)) {
        json = lst_internal_skip(json, 1);
    }
    return json;
}

/* One condition that names a field. */
struct condition {
    struct lst_internal_json_text field; /* without the '$' */
    struct lst_internal_json_text value;
    enum lst_match match;
};

/* A Content-Type with commas is a list, each of which must begin as the condition says. */
static bool every_item_starts_with(struct lst_internal_json_text prefix, struct lst_slice list)
{
    for (;;) {
        size_t length = lst_internal_find(list, ',');
        struct lst_slice item = lst_internal_trim(lst_internal_first(list, length));
        size_t taken;

        if (!lst_internal_json_text_is_prefix(prefix, item, false, &taken)) {
            return false;
        }
        if (length == list.length) {
            return true;
        }
        list = lst_internal_skip(list, length + 1);
    }
}

static bool holds(const struct condition *condition, struct lst_field field)
{
    size_t taken;

    if (condition->match == LST_MATCH_EXACT) {
        return lst_internal_json_text_equals(condition->value, field.value, false);
    }
    if (lst_internal_equal_ignoring_case(field.name, LST_SLICE("content-type"))) {
        return every_item_starts_with(condition->value, field.value);
    }
    return lst_internal_json_text_is_prefix(condition->value, field.value, false, &taken);
}

/* Every field of that name must fulfil the condition, and there must be one. */
static bool apply(struct check *check, const struct condition *condition)
{
    const struct lst_field bucket = {LST_SLICE("bucket"), check->bucket};
    bool found = false;
    bool right = true;

    if (lst_internal_json_text_equals(condition->field, bucket.name, true)) {
        check->bucket_covered = true;
        found = true;
        right = holds(condition, bucket);
    }
    for (size_t i = 0; i < check->field_count; i++) {
        if (lst_internal_json_text_equals(condition->field, check->fields[i].name, true)) {
            check->covered[i / 64] |= (uint64_t)1 << (i % 64);
            found = true;
            right = right && holds(condition, check->fields[i]);
        }
    }
    return found && right;
}

static bool set_fault(struct check *check, const char *fault)
{
    check->fault = fault;
    return false;
}

static bool set_fault_with(struct check *check, const char *fault, struct lst_slice value,
                           const char *end)
{
    check->fault_value = value;
    check->fault_end = end;
    return set_fault(check, fault);
}

/* {"field": "value"}, after the brace. */
static bool take_pair(struct check *check, struct lst_slice *json, struct condition *ret_condition)
{
    static const char one[] = "Invalid Simple-Condition: Simple-Conditions must have exactly one "
                              "property specified.";
    struct lst_slice field;
    struct lst_slice value;

    if (lst_internal_json_take(json, '}')) {
        return set_fault(check, one);
    }
    if (!lst_internal_json_take_string(json, &field) || !lst_internal_json_take(json, ':')) {
        return false;
    }
    if (!lst_internal_json_take_string(json, &value)) {
        return lst_internal_starts_with(skip_space(*json), LST_SLICE("null"))
                   ? false
                   : set_fault(check, "Invalid Simple-Condition: value must be a string.");
    }
    if (!lst_internal_json_take(json, '}')) {
        return lst_internal_json_take(json, ',') ? set_fault(check, one) : false;
    }
    ret_condition->field = lst_internal_json_text(field);
    ret_condition->value = lst_internal_json_text(value);
    ret_condition->match = LST_MATCH_EXACT;
    return true;
}

/* A number, or a string that is one; *ret_is_number is false for another string. */
static bool take_bound(struct lst_slice *json, uint64_t *ret_bound, bool *ret_is_number)
{
    struct lst_slice string;
    struct lst_slice digits;

    *ret_is_number = true;
    if (lst_internal_json_take_integer(json, ret_bound)) {
        return true;
    }
    if (!lst_internal_json_take_string(json, &string)) {
        return false;
    }
    digits = string;
    *ret_is_number =
        lst_internal_json_take_integer(&digits, ret_bound) && lst_internal_json_is_done(digits);
    return true;
}

/* The rest of ["content-length-range", 1, 1048576]; of several ranges what all of them allow. The
 * bounds may be strings; one that is no number can't be kept. *ret_holds: it can. */
static bool take_range(struct check *check, struct lst_slice *json, bool *ret_holds)
{
    static const char count[] = "Invalid content-length-range: wrong number of arguments.";
    struct lst_policy_limits *limits = &check->limits;
    uint64_t least = 0;
    uint64_t most = 0;
    bool least_is_number;
    bool most_is_number;

    if (!take_bound(json, &least, &least_is_number)) {
        return false;
    }
    if (!lst_internal_json_take(json, ',')) {
        return lst_internal_json_take(json, ']') ? set_fault(check, count) : false;
    }
    if (!take_bound(json, &most, &most_is_number) || !lst_internal_json_take(json, ']')) {
        return lst_internal_json_take(json, ',') ? set_fault(check, count) : false;
    }
    *ret_holds = least_is_number && most_is_number;
    if (!*ret_holds) {
        return true;
    }
    if (!limits->has_length_range || least > limits->length_min) {
        limits->length_min = least;
    }
    if (!limits->has_length_range || most < limits->length_max) {
        limits->length_max = most;
    }
    limits->has_length_range = true;
    return true;
}

/* The rest of ["eq", "$field", "value"] or ["starts-with", "$field", "value"]. *ret_names: the
 * field is named as it must be, with a '$'; else the condition can't hold. */
static bool take_match(struct check *check, struct lst_slice *json, struct lst_slice name,
                       struct condition *ret_condition, bool *ret_names)
{
    struct lst_internal_json_text operation = lst_internal_json_text(name);
    struct lst_slice field;
    struct lst_slice value;

    if (lst_internal_json_text_equals(operation, LST_SLICE("eq"), true)) {
        ret_condition->match = LST_MATCH_EXACT;
    } else if (lst_internal_json_text_equals(operation, LST_SLICE("starts-with"), true)) {
        ret_condition->match = LST_MATCH_STARTS_WITH;
    } else {
        return set_fault_with(check, "Invalid Condition: unknown operation '", name, "'.");
    }
    if (!lst_internal_json_take_string(json, &field)) {
        return false;
    }
    if (!lst_internal_json_take(json, ',')) {
        return set_fault_with(check, "Invalid ", name, ": wrong number of arguments.");
    }
    if (!lst_internal_json_take_string(json, &value) || !lst_internal_json_take(json, ']')) {
        return lst_internal_json_take(json, ',')
                   ? set_fault_with(check, "Invalid ", name, ": wrong number of arguments.")
                   : false;
    }
    ret_condition->field = lst_internal_json_text(field);
    ret_condition->value = lst_internal_json_text(value);
    *ret_names = lst_internal_json_text_next(&ret_condition->field) == '$';
    return true;
}

/* A condition that is a list, after its bracket. */
static bool take_list(struct check *check, struct lst_slice *json, bool *ret_holds)
{
    struct condition condition;
    struct lst_slice name;
    bool names = false;

    if (!lst_internal_json_take_string(json, &name)) {
        return lst_internal_json_take(json, ']')
                   ? set_fault(check, "Invalid Condition: missing operation identifier.")
                   : false;
    }
    if (!lst_internal_json_take(json, ',')) {
        return lst_internal_json_take(json, ']')
                   ? set_fault_with(check, "Invalid ", name, ": wrong number of arguments.")
                   : false;
    }
    if (lst_internal_json_text_equals(lst_internal_json_text(name),
                                      LST_SLICE("content-length-range"), true)) {
        return take_range(check, json, ret_holds);
    }
    if (!take_match(check, json, name, &condition, &names)) {
        return false;
    }
    *ret_holds = names && apply(check, &condition);
    return true;
}

/* One condition, in either form. False if it is malformed. */
static bool take_condition(struct check *check, struct lst_slice *json)
{
    struct condition condition;
    const char *start;
    bool holds = false;

    if (lst_internal_json_take(json, '{')) {
        start = json->bytes - 1;
        if (!take_pair(check, json, &condition)) {
            return false;
        }
        holds = apply(check, &condition);
    } else {
        if (!lst_internal_json_take(json, '[')) {
            return set_fault(check, "Invalid condition test: must be a List or Object.");
        }
        start = json->bytes - 1;
        if (!take_list(check, json, &holds)) {
            return false;
        }
    }
    if (!holds && !check->failed) {
        check->failed = true;
        check->failed_condition = (struct lst_slice){start, (size_t)(json->bytes - start)};
    }
    return true;
}

static bool take_conditions(struct check *check, struct lst_slice *json)
{
    if (check->has_conditions) {
        return false;
    }
    if (!lst_internal_json_take(json, '[')) {
        return set_fault(check, "Invalid 'conditions' value: must be a List.");
    }
    check->has_conditions = true;
    if (lst_internal_json_take(json, ']')) {
        return true;
    }
    do {
        if (!take_condition(check, json)) {
            return false;
        }
    } while (lst_internal_json_take(json, ','));
    return lst_internal_json_take(json, ']');
}

static bool bad_expiration(struct check *check, struct lst_slice value)
{
    return set_fault_with(check, "Invalid 'expiration' value: '", value, "'");
}

/* "2015-12-30T12:00:00.000Z"; the fraction may be absent, and is of no weight. */
static bool take_expiration(struct check *check, struct lst_slice *json)
{
    static const char shape[] = "0000-00-00T00:00:00";
    struct lst_internal_json_text text;
    struct lst_slice string;
    char compact[16];
    size_t length = 0;
    int byte;

    if (check->has_expiration || !lst_internal_json_take_string(json, &string)) {
        return false;
    }
    check->has_expiration = true;
    text = lst_internal_json_text(string);
    for (size_t i = 0; i < sizeof(shape) - 1; i++) {
        byte = lst_internal_json_text_next(&text);
        if (shape[i] != '0' && byte != shape[i]) {
            return bad_expiration(check, string);
        }
        if (shape[i] == '0' || shape[i] == 'T') {
            compact[length++] = (char)byte;
        }
    }
    byte = lst_internal_json_text_next(&text);
    if (byte == '.') {
        do {
            byte = lst_internal_json_text_next(&text);
        } while (byte >= '0' && byte <= '9');
    }
    compact[length] = (char)byte;
    return (lst_internal_json_text_next(&text) < 0 &&
            lst_parse_time((struct lst_slice){compact, sizeof(compact)},
                           &check->limits.expires_at) == LST_OK) ||
           bad_expiration(check, string);
}

static bool take_document(struct check *check, struct lst_slice json)
{
    if (!lst_internal_json_take(&json, '{')) {
        return false;
    }
    do {
        struct lst_slice name;
        bool right =
            lst_internal_json_take_string(&json, &name) && lst_internal_json_take(&json, ':');

        if (right && lst_internal_json_text_equals(lst_internal_json_text(name),
                                                   LST_SLICE("expiration"), false)) {
            right = take_expiration(check, &json);
        } else if (right && lst_internal_json_text_equals(lst_internal_json_text(name),
                                                          LST_SLICE("conditions"), false)) {
            right = take_conditions(check, &json);
        } else if (right) {
            right = set_fault_with(check, "Unexpected: '", name, "'");
        }
        if (!right) {
            return false;
        }
    } while (lst_internal_json_take(&json, ','));
    if (!lst_internal_json_take(&json, '}') || !lst_internal_json_is_done(json)) {
        return false;
    }
    if (!check->has_expiration) {
        return set_fault(check, "Policy missing expiration.");
    }
    return check->has_conditions || set_fault(check, "Policy missing conditions.");
}

/* The fault's text, in the scratch, over the document, which is not needed any more. */
static struct lst_slice write_fault(const struct check *check, char *scratch, size_t capacity)
{
    const char *before = check->fault == NULL ? "Invalid JSON." : check->fault;
    struct lst_slice end = lst_slice_of(check->fault_end == NULL ? "" : check->fault_end);
    struct lst_slice value = check->fault_value;
    size_t length = strlen(before);

    if (length + value.length + end.length > capacity) {
        return lst_slice_of("Invalid JSON.");
    }
    if (value.length > 0) {
        memmove(scratch + length, value.bytes, value.length);
    }
    memcpy(scratch, before, length);
    length += value.length;
    memcpy(scratch + length, end.bytes, end.length);
    return (struct lst_slice){scratch, length + end.length};
}

/* These need no condition: the file, the policy, its signature, and what is to be ignored. */
static bool is_exempt(struct lst_slice name, bool is_v2)
{
    const struct lst_slice ignored = LST_SLICE("x-ignore-");

    return lst_internal_equal_ignoring_case(name, LST_SLICE("policy")) ||
           lst_internal_equal_ignoring_case(name, LST_SLICE("file")) ||
           lst_internal_equal_ignoring_case(name, is_v2 ? LST_SLICE("signature")
                                                        : LST_SLICE("x-amz-signature")) ||
           (is_v2 && lst_internal_equal_ignoring_case(name, LST_SLICE("AWSAccessKeyId"))) ||
           (name.length >= ignored.length &&
            lst_internal_equal_ignoring_case(lst_internal_first(name, ignored.length), ignored));
}

/* The name of a field that no condition covers; S3 counts the bucket as one. Empty if there is
 * none. */
static struct lst_slice find_extra_field(const struct check *check)
{
    for (size_t i = 0; i < check->field_count; i++) {
        bool covered = (check->covered[i / 64] >> (i % 64) & 1) != 0;

        if (!covered && !is_exempt(check->fields[i].name, check->is_v2)) {
            return check->fields[i].name;
        }
    }
    return check->bucket_covered ? (struct lst_slice){NULL, 0} : LST_SLICE("bucket");
}

LST_PUBLIC int lst_policy_check(const struct lst_auth *auth, const struct lst_field *fields,
                                size_t field_count, struct lst_slice bucket, int64_t now,
                                char *scratch, size_t capacity,
                                struct lst_policy_limits *ret_limits,
                                struct lst_slice *ret_condition)
{
    struct check check = {.fields = fields,
                          .field_count = field_count,
                          .bucket = bucket,
                          .is_v2 = auth->kind == LST_AUTH_V2_FORM};
    struct lst_slice extra;
    size_t size;

    if (field_count > LST_INTERNAL_FORM_FIELDS_MAX) {
        return LST_REFUSED_TOO_MANY_PARAMETERS;
    }
    if (auth->policy.length > LST_INTERNAL_POLICY_MAX) {
        *ret_condition = lst_slice_of("Invalid JSON.");
        return LST_REFUSED_POLICY_MALFORMED;
    }
    if (capacity < auth->policy.length / 4 * 3) {
        return LST_ERR_BUFFER_TOO_SMALL;
    }
    if (!lst_internal_base64_decode(auth->policy, (uint8_t *)scratch, capacity, &size) ||
        !take_document(&check, (struct lst_slice){scratch, size})) {
        *ret_condition = write_fault(&check, scratch, capacity);
        return LST_REFUSED_POLICY_MALFORMED;
    }
    if (now > check.limits.expires_at) {
        return LST_REFUSED_POLICY_EXPIRED;
    }
    if (check.failed) {
        *ret_condition = check.failed_condition;
        return LST_REFUSED_POLICY_CONDITION;
    }
    extra = find_extra_field(&check);
    if (!lst_internal_is_empty(extra)) {
        *ret_condition = extra;
        return LST_REFUSED_POLICY_EXTRA_FIELD;
    }
    *ret_limits = check.limits;
    return LST_OK;
}
