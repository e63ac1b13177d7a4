/* policy_parse.c - from JSON to the compiled form of a policy: the document and its statements. */
#include "access/policy_build.h"

#include "access/json.h"

#include <stdlib.h>

enum {
    STATEMENTS_MAX = 100,
    QUOTED_MAX = 100, /* bytes of the policy's own text that a problem shows */
    ARN_FIELDS = 5,   /* arn:partition:service:region:account: */
    BUFFERS_MAX = 1024 * 1024,
};

/* Quote the policy's own text, fit to be shown: shortened at a character's border, control
 * characters as '?', and, where it is not UTF-8 (JSON that could not be read), all but ASCII. */
static void append_quoted(struct lst_buffer *buffer, const char *text)
{
    struct lst_slice all = lst_slice_of(text);
    struct lst_slice shown = lst_slice_first(all, QUOTED_MAX);
    bool is_utf8 = lst_slice_is_utf8(all);

    while (is_utf8 && !lst_slice_is_utf8(shown)) {
        shown.length--;
    }
    lst_buffer_append_byte(buffer, '"');
    for (size_t i = 0; i < shown.length; i++) {
        uint8_t byte = (uint8_t)shown.bytes[i];
        bool can_show = byte >= ' ' && byte != 0x7F && (is_utf8 || byte < 0x80);
        lst_buffer_append_byte(buffer, can_show ? shown.bytes[i] : '?');
    }
    lst_buffer_append_string(buffer, shown.length < all.length ? "...\"" : "\"");
}

int lst_policy_problem(struct lst_policy_builder *builder, const char *before, const char *quoted,
                       const char *after)
{
    struct lst_buffer *problem = builder->problem;

    if (problem == NULL) {
        return LST_ERR_POLICY;
    }
    lst_buffer_clear(problem);
    if (builder->statement_number > 0) {
        lst_buffer_append_string(problem, "Statement ");
        lst_buffer_append_number(problem, builder->statement_number);
        if (builder->statement_id != NULL) {
            lst_buffer_append_string(problem, " (Sid ");
            append_quoted(problem, builder->statement_id);
            lst_buffer_append_string(problem, ")");
        }
        lst_buffer_append_string(problem, ": ");
    }
    lst_buffer_append_string(problem, before);
    if (quoted != NULL) {
        append_quoted(problem, quoted);
    }
    lst_buffer_append_string(problem, after);
    return LST_ERR_POLICY;
}

uint32_t lst_policy_value_count(const struct lst_policy_builder *builder)
{
    return (uint32_t)(builder->policy->values.length / sizeof(struct lst_value));
}

int lst_policy_add_value(struct lst_policy_builder *builder, const struct lst_value *value)
{
    lst_buffer_append(&builder->policy->values, lst_slice_make(value, sizeof(*value)));
    return lst_buffer_status(&builder->policy->values);
}

int lst_policy_add_pattern(struct lst_policy_builder *builder, struct lst_slice source,
                           unsigned syntax)
{
    struct lst_buffer *text = &builder->policy->text;
    struct lst_value value = {0};
    struct lst_slice variable = {0};
    int status;

    /* In the older Version "${" means itself; nobody means that, so it is refused. */
    if ((syntax & LST_PATTERN_VARIABLES) != 0 && !builder->has_variables &&
        lst_slice_find_slice(source, LST_SLICE("${")) < source.length) {
        return lst_policy_problem(builder, "policy variables need \"Version\": \"2012-10-17\"",
                                  NULL, " at the top of the policy");
    }
    value.as.pattern.offset = (uint32_t)text->length;
    status = lst_pattern_compile(source, syntax, text, &variable);
    if (status == LST_ERR_POLICY) {
        return lst_policy_problem(builder, "unknown policy variable in ", variable.bytes,
                                  "; there are ${aws:username}, ${*}, ${?} and ${$}");
    }
    if (status != LST_OK) {
        return status;
    }
    value.as.pattern.length = (uint32_t)text->length - value.as.pattern.offset;
    return lst_policy_add_value(builder, &value);
}

static int add_action(struct lst_policy_builder *builder, struct lst_slice action)
{
    if (!lst_slice_starts_with_ignoring_case(action, LST_SLICE("s3:")) &&
        !lst_slice_equal(action, LST_SLICE("*"))) {
        return lst_policy_problem(builder, "the action ", action.bytes,
                                  " is not one of S3; write \"s3:GetObject\", \"s3:*\" or \"*\"");
    }
    return lst_policy_add_pattern(builder, action, LST_PATTERN_WILDCARDS | LST_PATTERN_LOWER_CASE);
}

/* True if a field of an ARN, with wildcards, can be this text. */
static bool field_fits(struct lst_slice field, struct lst_slice text)
{
    char bytes[64];
    struct lst_buffer compiled;
    struct lst_slice variable;
    bool fits;

    if (field.length > sizeof(bytes)) {
        return false;
    }
    lst_buffer_init(&compiled, sizeof(bytes));
    fits = lst_pattern_compile(field, LST_PATTERN_WILDCARDS, &compiled, &variable) == LST_OK &&
           lst_pattern_matches(lst_buffer_slice(&compiled), text, LST_SLICE(""), false);
    lst_buffer_release(&compiled);
    return fits;
}

/* A resource is "*", or an ARN of which only the last part has a meaning here. */
static int add_resource(struct lst_policy_builder *builder, struct lst_slice resource)
{
    const unsigned syntax = LST_PATTERN_WILDCARDS | LST_PATTERN_VARIABLES;
    struct lst_slice fields[ARN_FIELDS];
    struct lst_slice rest = resource;

    if (lst_slice_equal(resource, LST_SLICE("*"))) {
        return lst_policy_add_pattern(builder, resource, syntax);
    }
    for (size_t i = 0; i < ARN_FIELDS; i++) {
        if (!lst_slice_split(&rest, ':', &fields[i]) || rest.bytes == NULL ||
            (i == 0 && !lst_slice_equal(fields[0], LST_SLICE("arn")))) {
            return lst_policy_problem(builder, "the resource ", resource.bytes,
                                      " is not an ARN; write \"arn:aws:s3:::BUCKET/KEY\" or \"*\"");
        }
    }
    if (fields[1].length == 0 || !field_fits(fields[2], LST_SLICE("s3"))) {
        return lst_policy_problem(builder, "the resource ", resource.bytes,
                                  " is not one of S3; write \"arn:aws:s3:::BUCKET/KEY\" or \"*\"");
    }
    if (!field_fits(fields[3], LST_SLICE("")) || !field_fits(fields[4], LST_SLICE(""))) {
        return lst_policy_problem(builder, "the resource ", resource.bytes,
                                  " has a region or account, which buckets don't have; write "
                                  "\"arn:aws:s3:::BUCKET/KEY\"");
    }
    if (rest.length == 0) {
        return lst_policy_problem(builder, "the resource ", resource.bytes,
                                  " names no bucket; write \"arn:aws:s3:::BUCKET/KEY\" or \"*\"");
    }
    return lst_policy_add_pattern(builder, rest, syntax);
}

/* "Action", "NotAction", "Resource" or "NotResource": a string, or an array of them. */
static int add_list(struct lst_policy_builder *builder, const char *name, json_t *list,
                    int (*add)(struct lst_policy_builder *, struct lst_slice),
                    struct lst_value_range *ret_range)
{
    struct lst_value_range range = {.first = lst_policy_value_count(builder)};
    json_t *item;

    for (size_t i = 0; (item = lst_policy_item(list, i)) != NULL; i++) {
        int status;
        if (!json_is_string(item)) {
            break;
        }
        status = add(builder, lst_slice_make(json_string_value(item), json_string_length(item)));
        if (status != LST_OK) {
            return status;
        }
        range.count++;
    }
    if (range.count == 0 || item != NULL) {
        return lst_policy_problem(builder, "", name, " must be a string or an array of strings");
    }
    *ret_range = range;
    return LST_OK;
}

/* One of a pair like "Action" and "NotAction": exactly one must be there. */
static int add_either(struct lst_policy_builder *builder, json_t *object, const char *name,
                      const char *not_name,
                      int (*add)(struct lst_policy_builder *, struct lst_slice), bool *ret_negated,
                      struct lst_value_range *ret_range)
{
    json_t *plain = json_object_get(object, name);
    json_t *negated = json_object_get(object, not_name);

    if (plain != NULL && negated != NULL) {
        return lst_policy_problem(builder, "there can't be both ", name, " and its Not... form");
    }
    if (plain == NULL && negated == NULL) {
        return lst_policy_problem(builder, "there is no ", name, " and no Not... form of it");
    }
    *ret_negated = negated != NULL;
    return plain != NULL ? add_list(builder, name, plain, add, ret_range)
                         : add_list(builder, not_name, negated, add, ret_range);
}

static int check_elements(struct lst_policy_builder *builder, json_t *object,
                          const char *const *known, size_t known_count)
{
    const char *name;
    json_t *value;

    json_object_foreach(object, name, value)
    {
        size_t i = 0;
        while (i < known_count && strcmp(name, known[i]) != 0) {
            i++;
        }
        if (strcmp(name, "Principal") == 0 || strcmp(name, "NotPrincipal") == 0) {
            return lst_policy_problem(builder, "a user's policy has no ", name,
                                      ": it speaks of the user it is set for; leave it out");
        }
        if (i == known_count) {
            return lst_policy_problem(builder, "unknown element ", name,
                                      " (names are case-sensitive)");
        }
        if ((strcmp(name, "Sid") == 0 || strcmp(name, "Id") == 0) && !json_is_string(value)) {
            return lst_policy_problem(builder, "", name, " must be a string");
        }
    }
    return LST_OK;
}

static int add_statement(struct lst_policy_builder *builder, json_t *object)
{
    static const char *const known[] = {"Sid",      "Effect",      "Action",   "NotAction",
                                        "Resource", "NotResource", "Condition"};
    struct lst_policy_statement statement = {0};
    json_t *condition = json_object_get(object, "Condition");
    const char *effect = json_string_value(json_object_get(object, "Effect"));
    int status;

    builder->statement_number++;
    builder->statement_id = json_string_value(json_object_get(object, "Sid"));
    if (!json_is_object(object)) {
        return lst_policy_problem(builder, "it must be a JSON object", NULL, "");
    }
    status = check_elements(builder, object, known, sizeof(known) / sizeof(known[0]));
    if (status != LST_OK) {
        return status;
    }
    if (effect == NULL || (strcmp(effect, "Allow") != 0 && strcmp(effect, "Deny") != 0)) {
        return lst_policy_problem(builder, "", "Effect", " must be \"Allow\" or \"Deny\"");
    }
    statement.deny = strcmp(effect, "Deny") == 0;
    status = add_either(builder, object, "Action", "NotAction", add_action, &statement.not_action,
                        &statement.actions);
    if (status == LST_OK) {
        status = add_either(builder, object, "Resource", "NotResource", add_resource,
                            &statement.not_resource, &statement.resources);
    }
    if (status == LST_OK && condition != NULL) {
        status = lst_policy_add_conditions(builder, condition, &statement);
    }
    if (status != LST_OK) {
        return status;
    }
    lst_buffer_append(&builder->policy->statements, lst_slice_make(&statement, sizeof(statement)));
    builder->policy->statement_count++;
    return lst_buffer_status(&builder->policy->statements);
}

static int add_document(struct lst_policy_builder *builder, json_t *document)
{
    static const char *const known[] = {"Version", "Id", "Statement"};
    json_t *version = json_object_get(document, "Version");
    json_t *statements = json_object_get(document, "Statement");
    json_t *statement;
    int status = check_elements(builder, document, known, sizeof(known) / sizeof(known[0]));

    if (status != LST_OK) {
        return status;
    }
    builder->has_variables =
        json_is_string(version) && strcmp(json_string_value(version), "2012-10-17") == 0;
    if (version != NULL && !builder->has_variables &&
        (!json_is_string(version) || strcmp(json_string_value(version), "2008-10-17") != 0)) {
        return lst_policy_problem(builder, "", "Version",
                                  " must be \"2012-10-17\" (or, for old policies, \"2008-10-17\")");
    }
    if (statements == NULL || (json_is_array(statements) && json_array_size(statements) == 0)) {
        return lst_policy_problem(builder, "there is no ", "Statement", "");
    }
    if (json_array_size(statements) > STATEMENTS_MAX) {
        return lst_policy_problem(builder, "there are more than 100 statements", NULL, "");
    }
    for (size_t i = 0; (statement = lst_policy_item(statements, i)) != NULL; i++) {
        status = add_statement(builder, statement);
        if (status != LST_OK) {
            return status;
        }
    }
    return LST_OK;
}

static int parse_json(struct lst_policy_builder *builder, struct lst_slice text,
                      json_t **ret_document)
{
    json_t *document;
    json_error_t error;
    char place[80];
    int status;

    if (text.length > LST_ACCESS_POLICY_MAX) {
        return lst_policy_problem(builder, "the policy is larger than 20 KiB", NULL, "");
    }
    status = lst_json_load(text, JSON_REJECT_DUPLICATES, &document, &error);
    if (status == LST_ERR_NO_MEMORY) {
        return status;
    }
    if (status != LST_OK) {
        snprintf(place, sizeof(place), " at line %d, column %d", error.line, error.column);
        return lst_policy_problem(builder, "not valid JSON: ", error.text, place);
    }
    if (!json_is_object(document)) {
        json_decref(document);
        return lst_policy_problem(builder, "a policy must be a JSON object", NULL, "");
    }
    *ret_document = document;
    return LST_OK;
}

int lst_access_policy_parse(struct lst_slice json, struct lst_access_policy **ret_policy,
                            struct lst_buffer *ret_problem)
{
    struct lst_policy_builder builder = {.problem = ret_problem};
    struct lst_access_policy *policy = calloc(1, sizeof(*policy));
    json_t *document = NULL;
    int status;

    if (policy == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    builder.policy = policy;
    lst_buffer_init(&policy->text, BUFFERS_MAX);
    lst_buffer_init(&policy->values, BUFFERS_MAX);
    lst_buffer_init(&policy->conditions, BUFFERS_MAX);
    lst_buffer_init(&policy->statements, BUFFERS_MAX);
    status = parse_json(&builder, json, &document);
    if (status == LST_OK) {
        status = add_document(&builder, document);
        json_decref(document);
    }
    if (status != LST_OK) {
        lst_access_policy_free(policy);
        return status;
    }
    *ret_policy = policy;
    return LST_OK;
}

void lst_access_policy_free(struct lst_access_policy *policy)
{
    if (policy == NULL) {
        return;
    }
    lst_buffer_release(&policy->text);
    lst_buffer_release(&policy->values);
    lst_buffer_release(&policy->conditions);
    lst_buffer_release(&policy->statements);
    free(policy);
}
