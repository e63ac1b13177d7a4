/* policy_actions.c - actions of a policy for which no operation of S3 asks: often slips of the pen.
 *
 * They are no mistake: AWS has actions that nothing here needs, and policies are carried over. But
 * an Allow with a slip allows nothing, and a Deny with one denies nothing. */
#include "access/json.h"
#include "access/pattern.h"
#include "cli/policy_warnings.h"
#include "s3/operations.h"

#include <stdio.h>
#include <string.h>

enum { NAMES_MAX = 512 };

struct known_actions {
    const char *names[NAMES_MAX];
    size_t count;
    char versions[NAMES_MAX][LST_ACTION_MAX + 1]; /* that names point to */
};

static void add(struct known_actions *known, const char *name)
{
    if (known->count < NAMES_MAX) {
        known->names[known->count++] = name;
    }
}

static void list_known(struct known_actions *known)
{
    for (size_t i = 0; i < lst_operation_count; i++) {
        const struct lst_operation *operation = &lst_operations[i];

        if (operation->action == NULL) {
            continue; /* DeleteObjects: for each key what DeleteObject needs */
        }
        add(known, operation->action);
        if (operation->level == LST_LEVEL_OBJECT && known->count < NAMES_MAX) {
            struct lst_slice version =
                lst_operation_version_action(operation->action, known->versions[known->count]);
            add(known, version.bytes);
        }
    }
}

static bool is_known(const struct known_actions *known, struct lst_slice action)
{
    struct lst_buffer pattern;
    struct lst_slice variable;
    bool is = false;

    lst_buffer_init(&pattern, LST_ACCESS_POLICY_MAX);
    if (lst_pattern_compile(action, LST_PATTERN_WILDCARDS | LST_PATTERN_LOWER_CASE, &pattern,
                            &variable) != LST_OK) {
        is = true; /* no memory: nothing is said */
    }
    for (size_t i = 0; i < known->count && !is; i++) {
        is = lst_pattern_matches(lst_buffer_slice(&pattern), lst_slice_of(known->names[i]),
                                 LST_SLICE(""), true);
    }
    lst_buffer_release(&pattern);
    return is;
}

void lst_policy_quote(const char *text, char ret_quoted[LST_POLICY_QUOTED_MAX + 1])
{
    size_t length = strlen(text) < LST_POLICY_QUOTED_MAX ? strlen(text) : LST_POLICY_QUOTED_MAX;

    for (size_t i = 0; i < length; i++) {
        ret_quoted[i] = text[i];
        if (text[i] < ' ' || text[i] > '~') {
            ret_quoted[i] = '?';
        }
    }
    ret_quoted[length] = '\0';
}

/* ListObjects is no action: the one that it needs is s3:ListBucket. NULL: there is no operation of
 * that name. */
static const char *action_of_operation(const char *action)
{
    const char *colon = strchr(action, ':');
    const char *name = colon == NULL ? action : colon + 1;

    for (size_t i = 0; i < lst_operation_count; i++) {
        if (strcasecmp(lst_operations[i].name, name) == 0) {
            return lst_operations[i].action == NULL ? "s3:DeleteObject" : lst_operations[i].action;
        }
    }
    return NULL;
}

static void warn(const struct lst_usage *usage, const struct known_actions *known, size_t number,
                 const json_t *statement, const char *action)
{
    const char *id = json_string_value(json_object_get(statement, "Sid"));
    const char *nearest = action_of_operation(action);
    char shown_action[LST_POLICY_QUOTED_MAX + 1];
    char shown_id[LST_POLICY_QUOTED_MAX + 1];

    if (nearest == NULL && strpbrk(action, "*?") == NULL) {
        nearest = lst_nearest(action, known->names, known->count);
    }
    lst_policy_quote(action, shown_action);
    lst_policy_quote(id == NULL ? "" : id, shown_id);
    lst_report(usage->command,
               "warning: statement %zu%s%s%s: no operation of S3 that this server knows needs the "
               "action \"%s\"%s%s%s",
               number, id == NULL ? "" : " (Sid \"", shown_id, id == NULL ? "" : "\")",
               shown_action, nearest == NULL ? "" : "; did you mean ",
               nearest == NULL ? "" : nearest, nearest == NULL ? "" : "?");
}

json_t *lst_policy_item(json_t *one_or_many, size_t i)
{
    if (json_is_array(one_or_many)) {
        return json_array_get(one_or_many, i);
    }
    return i == 0 ? one_or_many : NULL;
}

static void look_at(const struct lst_usage *usage, const struct known_actions *known, size_t number,
                    json_t *statement)
{
    static const char *const elements[] = {"Action", "NotAction"};

    for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]); i++) {
        json_t *actions = json_object_get(statement, elements[i]);
        json_t *action;

        for (size_t j = 0; (action = lst_policy_item(actions, j)) != NULL; j++) {
            if (!is_known(known, lst_slice_of(json_string_value(action)))) {
                warn(usage, known, number, statement, json_string_value(action));
            }
        }
    }
}

void lst_directory_warn_of_policy(const struct lst_usage *usage, const char *policy)
{
    static struct known_actions known;
    json_t *document;
    json_t *statement;

    if (lst_json_read(lst_slice_of(policy), &document) != LST_OK) {
        return; /* it was parsed just before: there is no memory */
    }
    known.count = 0;
    list_known(&known);
    for (size_t i = 0;
         (statement = lst_policy_item(json_object_get(document, "Statement"), i)) != NULL; i++) {
        look_at(usage, &known, i + 1, statement);
        lst_policy_warn_of_resources(usage, i + 1, statement);
    }
    json_decref(document);
}
