/* cors_fuzz.c - a question (origin, method, headers: a line each) to a CORS configuration (the
 * rest). */
#include "s3/cors.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct lst_slice rest = lst_slice_make(bytes, size);
    struct lst_cors_question question = {.origin = {NULL, 0}};
    struct lst_cors_rule rule = {.any_origin = false};
    struct lst_cors_rules *rules = NULL;
    int status;

    (void)(lst_slice_split(&rest, '\n', &question.origin) &&
           lst_slice_split(&rest, '\n', &question.method) &&
           lst_slice_split(&rest, '\n', &question.headers));
    status = lst_cors_rules_parse(rest, &rules);
    if (status == LST_OK) {
        status = lst_cors_rules_match(rules, &question, &rule);
    }
    lst_cors_rules_free(rules);
    if (status != LST_OK && status != LST_ERR_NOT_FOUND && status != LST_ERR_MALFORMED) {
        abort();
    }
    /* A rule that fits names the method that was asked for. */
    if (status == LST_OK &&
        lst_slice_find_slice(lst_buffer_slice(&rule.methods), question.method) ==
            rule.methods.length &&
        question.method.length > 0) {
        abort();
    }
    lst_cors_rule_release(&rule);
    return 0;
}
