/* policy_warnings.h - what a policy says that is allowed and hardly meant. */
#ifndef LST_CLI_POLICY_WARNINGS_H
#define LST_CLI_POLICY_WARNINGS_H

#include "cli/directory.h"

#define LST_POLICY_QUOTED_MAX 100 /* bytes of a policy's own text that are shown */

/* A policy's own text as it may be shown: it could act on a terminal. */
void lst_policy_quote(const char *text, char ret_quoted[LST_POLICY_QUOTED_MAX + 1]);

/* Of one thing, or an array of them, as IAM writes them: the one at that place, or NULL. */
json_t *lst_policy_item(json_t *one_or_many, size_t i);

/* Warn of actions that can't apply to the resources of the statement, and of names that no bucket
 * can have. number: the statement's, from 1 on. The policy was checked. */
void lst_policy_warn_of_resources(const struct lst_usage *usage, size_t number, json_t *statement);

#endif
