/* policy_resources.c - statements of a policy that can't apply: their actions are about objects,
 * and their resources are buckets, or the other way round; or a bucket can't have that name.
 *
 * They are no mistake to AWS, which stores them. But an Allow that can't apply allows nothing, and
 * who wrote it looks for the reason elsewhere. */
#include "access/json.h"
#include "cli/policy_warnings.h"
#include "s3/operations.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

#define ARN_PREFIX "arn:aws:s3:::"

/* What the resources of a statement name. */
struct named {
    bool buckets;
    bool objects;
    char example[LST_POLICY_QUOTED_MAX + 1]; /* one of them */
};

/* "bucket", "bucket/key", or a pattern that may be either. */
static void add_resource(struct named *named, const char *name)
{
    bool has_slash = strchr(name, '/') != NULL;

    named->objects |= has_slash || strpbrk(name, "*?") != NULL;
    named->buckets |= !has_slash;
}

static void warn_of_name(const struct lst_usage *usage, size_t number, const char *name)
{
    size_t length = strcspn(name, "/");
    char shown[LST_POLICY_QUOTED_MAX + 1];
    char bucket[LST_POLICY_QUOTED_MAX + 1];

    if (strcspn(name, "*?$") < length ||
        lst_bucket_name_check(lst_slice_make(name, length)) == LST_OK) {
        return;
    }
    (void)snprintf(bucket, sizeof(bucket), "%.*s", (int)length, name);
    lst_policy_quote(bucket, shown);
    lst_report(usage->command,
               "warning: statement %zu can't apply to \"%s\": no bucket can have that name", number,
               shown);
}

static struct named look_at_resources(const struct lst_usage *usage, size_t number,
                                      json_t *resources)
{
    struct named named = {.example = ""};
    json_t *resource;

    for (size_t i = 0; (resource = lst_policy_item(resources, i)) != NULL; i++) {
        const char *text = json_string_value(resource);
        if (strncmp(text, ARN_PREFIX, sizeof(ARN_PREFIX) - 1) != 0) {
            named.buckets = named.objects = true; /* "*" */
            continue;
        }
        text += sizeof(ARN_PREFIX) - 1;
        add_resource(&named, text);
        warn_of_name(usage, number, text);
        if (named.example[0] == '\0') {
            lst_policy_quote(text, named.example);
        }
    }
    return named;
}

/* The row of an operation that needs the action; NULL: none, or the action is a pattern. */
static const struct lst_operation *operation_of(const char *action)
{
    for (size_t i = 0; i < lst_operation_count; i++) {
        const char *needed = lst_operations[i].action;

        if (needed != NULL && strcasecmp(needed, action) == 0) {
            return &lst_operations[i];
        }
    }
    return NULL;
}

static void look_at_action(const struct lst_usage *usage, size_t number, const char *action,
                           const struct named *named)
{
    const struct lst_operation *operation = operation_of(action);
    size_t bucket = strcspn(named->example, "/");

    if (operation == NULL) {
        return;
    }
    if (operation->level == LST_LEVEL_OBJECT && !named->objects) {
        lst_report(usage->command,
                   "warning: statement %zu: %s is about objects, and no Resource names any: write "
                   "\"" ARN_PREFIX "%s/*\"",
                   number, operation->action, named->example);
    } else if (operation->level == LST_LEVEL_BUCKET && !named->buckets) {
        lst_report(usage->command,
                   "warning: statement %zu: %s is about a bucket, and no Resource names one: write "
                   "\"" ARN_PREFIX "%.*s\"",
                   number, operation->action, (int)bucket, named->example);
    }
}

void lst_policy_warn_of_resources(const struct lst_usage *usage, size_t number, json_t *statement)
{
    json_t *resources = json_object_get(statement, "Resource");
    json_t *actions = json_object_get(statement, "Action");
    struct named named;
    json_t *action;

    if (resources == NULL) {
        return; /* NotResource: all others */
    }
    named = look_at_resources(usage, number, resources);
    for (size_t i = 0; (action = lst_policy_item(actions, i)) != NULL; i++) {
        look_at_action(usage, number, json_string_value(action), &named);
    }
}
