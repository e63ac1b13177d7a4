/* policy_build.h - what the two halves of the policy parser share. Internal to this folder. */
#ifndef LST_ACCESS_POLICY_BUILD_H
#define LST_ACCESS_POLICY_BUILD_H

#include "access/pattern.h"
#include "access/policy_model.h"

#include <jansson.h>

struct lst_policy_builder {
    struct lst_access_policy *policy;
    bool has_variables;         /* the Version has them: 2012-10-17 */
    size_t statement_number;    /* from 1; 0 outside any statement */
    const char *statement_id;   /* its Sid, or NULL */
    struct lst_buffer *problem; /* the caller's, or NULL */
};

/*
 * Say what is wrong, as one sentence: where it is, before, quoted in double quotes (NULL for none),
 * after. Gives LST_ERR_POLICY.
 */
int lst_policy_problem(struct lst_policy_builder *builder, const char *before, const char *quoted,
                       const char *after);

/* Add a value to the policy. 0 or LST_ERR_NO_MEMORY, _TOO_LARGE. */
LST_MUST_CHECK int lst_policy_add_value(struct lst_policy_builder *builder,
                                        const struct lst_value *value);

/* Compile text, add it as a value. syntax: of pattern.h; variables only if the Version has them. */
LST_MUST_CHECK int lst_policy_add_pattern(struct lst_policy_builder *builder,
                                          struct lst_slice source, unsigned syntax);

/* How many values the policy has so far. */
uint32_t lst_policy_value_count(const struct lst_policy_builder *builder);

/* Compile the "Condition" of one statement: appends to the policy's conditions. */
LST_MUST_CHECK int lst_policy_add_conditions(struct lst_policy_builder *builder, json_t *block,
                                             struct lst_policy_statement *statement);

/* IAM writes one thing or an array of them: the one at that place, or NULL after the last. */
static inline json_t *lst_policy_item(json_t *one_or_many, size_t index)
{
    if (json_is_array(one_or_many)) {
        return json_array_get(one_or_many, index);
    }
    return index == 0 ? one_or_many : NULL;
}

#endif
