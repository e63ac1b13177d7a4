/* message_fuzz.c - queries, ranges and conditions that mean harm. The first line is the header, the
 * rest the query. */
#include "http/conditions.h"
#include "http/range.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void try_range(struct lst_slice text)
{
    static const uint64_t sizes[] = {0, 1, 10, UINT64_MAX};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        uint64_t first = 0;
        uint64_t last = 0;
        if (lst_range_parse(text, sizes[i], &first, &last) == LST_RANGE_PART) {
            must(first <= last && last < sizes[i]);
        }
    }
}

static void try_conditions(struct lst_slice text)
{
    static const char *const names[] = {"If-Match", "If-None-Match", "If-Modified-Since",
                                        "If-Unmodified-Since", "If-Range"};
    const char *condition = NULL;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct lst_field header = {lst_slice_make(names[i], strlen(names[i])), text};
        struct lst_http_request request = {.message = {.headers = &header, .header_count = 1}};
        enum lst_verdict verdict =
            lst_conditions_check(&request, LST_SLICE("abc"), 1448190000, &condition);
        must((verdict == LST_CONDITIONS_FAILED) == (condition != NULL));
        condition = NULL;
        (void)lst_conditions_range_counts(&request, LST_SLICE("abc"), 1448190000);
    }
}

static void try_query(struct lst_slice query)
{
    struct lst_http_request request = {.query = query};
    struct lst_slice rest = query;
    struct lst_slice after;
    struct lst_field raw;
    size_t total = 0;

    while (lst_http_next_parameter(&rest, &raw)) {
        total += raw.name.length + raw.value.length;
        if (lst_http_name_starts_with(raw.name, LST_SLICE("x-amz-"), &after)) {
            must(after.length < raw.name.length);
        }
        if (lst_http_name_is(raw.name, LST_SLICE("acl"))) {
            must(lst_http_find_parameter(&request, LST_SLICE("acl"), NULL));
        }
    }
    must(total <= query.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct lst_slice input = lst_slice_make(bytes, size);
    struct lst_slice line = lst_slice_first(input, lst_slice_find(input, '\n'));

    try_range(line);
    try_conditions(line);
    try_query(lst_slice_after(input, line.length + 1));
    return 0;
}
