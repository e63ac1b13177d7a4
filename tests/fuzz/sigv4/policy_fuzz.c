/* policy_fuzz.c - any bytes as a policy document, as JSON and as what stands for base64. */
#include "latchstring.h"
#include "text.h"

#include <stdlib.h>

static const struct lst_field fields[] = {
    {{"key", 3}, {"user/a b", 8}},
    {{"Content-Type", 12}, {"image/png,image/gif", 19}},
    {{"x-ignore-a", 10}, {"", 0}},
};

static void check(struct lst_slice policy, size_t capacity)
{
    char *scratch = malloc(capacity == 0 ? 1 : capacity);
    struct lst_policy_limits limits = {.expires_at = -1};
    struct lst_slice condition = {NULL, 0};
    struct lst_auth auth;
    int error;

    memset(&auth, 0, sizeof(auth));
    auth.policy = policy;
    error = lst_policy_check(&auth, fields, sizeof(fields) / sizeof(fields[0]), LST_SLICE("b"), 0,
                             scratch, capacity, &limits, &condition);
    if ((error == LST_OK) != (limits.expires_at >= 0) ||
        (error == LST_REFUSED_POLICY_CONDITION || error == LST_REFUSED_POLICY_EXTRA_FIELD ||
         error == LST_REFUSED_POLICY_MALFORMED) != (condition.length > 0)) {
        abort();
    }
    if (error == LST_REFUSED_POLICY_CONDITION &&
        (condition.bytes < scratch || condition.bytes + condition.length > scratch + capacity)) {
        abort();
    }
    free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    size_t length = lst_internal_base64_length(size);
    char *text = malloc(length + 1);

    if (text == NULL) {
        return 0;
    }
    lst_internal_base64_encode(bytes, size, text);
    check((struct lst_slice){text, length}, length / 4 * 3);
    check((struct lst_slice){(const char *)bytes, size}, size / 4 * 3);
    free(text);
    return 0;
}
