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
        struct lst_http_room room;
        enum lst_verdict verdict;

        lst_http_request_read(&request, &room, NULL, false);
        verdict = lst_conditions_check(&request, LST_SLICE("abc"), 1448190000, &condition);
        must((verdict == LST_CONDITIONS_FAILED) == (condition != NULL));
        condition = NULL;
        (void)lst_conditions_range_counts(&request, LST_SLICE("abc"), 1448190000);
    }
}

static void try_parameter(const struct lst_http_request *request, size_t place)
{
    const struct lst_http_parameter *parameter = &request->room->parameters[place];
    struct lst_slice after;
    size_t at = place;

    must(parameter->text.name.length <= parameter->raw.name.length);
    must(parameter->text.value.length <= parameter->raw.value.length);
    must(parameter->text.value.bytes != NULL);
    must(parameter->number == (uint8_t)lst_parameter_number(parameter->text.name));
    must(lst_http_name_is(parameter->raw.name, LST_SLICE("acl")) ==
         (parameter->number == LST_PARAMETER_ACL));
    must(parameter->number == LST_PARAMETER_OTHER || request->has_repeated ||
         lst_http_parameter(request, (enum lst_parameter)parameter->number) == parameter);
    must(lst_http_next_option(request, (enum lst_name_family)parameter->family, &at) == parameter);
    if (lst_http_name_starts_with(parameter->raw.name, LST_SLICE("x-amz-"), &after)) {
        must(parameter->family == LST_FAMILY_AMZ || parameter->family == LST_FAMILY_META);
        must(after.length < parameter->raw.name.length);
    }
}

static void try_query(struct lst_slice query)
{
    static struct lst_http_room room;
    struct lst_http_request request = {.query = query};
    char *text = malloc(query.length + 1);
    struct lst_slice rest = query;
    struct lst_field raw;
    size_t total = 0;
    size_t count = 0;

    must(text != NULL);
    text[query.length] = 'x'; /* not to be written to */
    lst_http_request_read(&request, &room, text, false);
    must(text[query.length] == 'x');
    while (lst_http_next_parameter(&rest, &raw)) {
        total += raw.name.length + raw.value.length;
        must(count >= request.parameter_count ||
             (lst_slice_equal(raw.name, room.parameters[count].raw.name) &&
              lst_slice_equal(raw.value, room.parameters[count].raw.value)));
        count++;
    }
    must(total <= query.length);
    must(count == request.parameter_count || count > LST_PARAMETERS_MAX);
    must(request.parameter_count <= LST_PARAMETERS_MAX);
    must(count <= LST_PARAMETERS_MAX || request.has_repeated);
    for (size_t i = 0; i < request.parameter_count; i++) {
        try_parameter(&request, i);
    }
    free(text);
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
