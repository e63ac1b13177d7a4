/* cors_match.c - find the rule of a CORSConfiguration that fits a request. */
#include "s3/cors.h"
#include "s3/xml_read.h"

enum {
    TEXT_MAX = 4096,      /* bytes of one element */
    LIST_MAX = 64 * 1024, /* bytes of a header's list */
    HEADERS_MAX = 64,     /* requested headers that are looked at: one bit for each */
    FOUND = 1,            /* ends the reading; errors are negative */
};

struct search {
    const struct lst_cors_question *question;
    struct lst_cors_rule *rule; /* the one that is being read */
    uint64_t wanted;            /* a bit for each requested header */
    uint64_t allowed;
    bool origin_fits;
    bool method_fits;
};

/* One '*' stands for any run of characters. */
static bool fits(struct lst_slice pattern, struct lst_slice text, bool ignore_case)
{
    bool (*starts_with)(struct lst_slice, struct lst_slice) =
        ignore_case ? lst_slice_starts_with_ignoring_case : lst_slice_starts_with;
    size_t star = lst_slice_find(pattern, '*');
    struct lst_slice tail = lst_slice_after(pattern, star + 1);

    if (star == pattern.length) {
        return text.length == pattern.length && starts_with(text, pattern);
    }
    return text.length >= pattern.length - 1 && starts_with(text, lst_slice_first(pattern, star)) &&
           starts_with(lst_slice_after(text, text.length - tail.length), tail);
}

/* The bits of the requested headers that the pattern fits; all of them for NULL. */
static uint64_t header_bits(struct lst_slice headers, const struct lst_slice *pattern)
{
    struct lst_slice rest = headers;
    struct lst_slice name;
    uint64_t bits = 0;

    for (unsigned i = 0; i < HEADERS_MAX && lst_slice_split(&rest, ',', &name); i++) {
        name = lst_slice_trim(name);
        if (name.length > 0 && (pattern == NULL || fits(*pattern, name, true))) {
            bits |= UINT64_C(1) << i;
        }
    }
    return bits;
}

static void append_to_list(struct lst_buffer *list, struct lst_slice text)
{
    if (list->length > 0) {
        lst_buffer_append_string(list, ", ");
    }
    lst_buffer_append(list, text);
}

static int end_rule(struct search *search)
{
    struct lst_cors_rule *rule = search->rule;

    if (search->origin_fits && search->method_fits && (search->wanted & ~search->allowed) == 0) {
        return FOUND;
    }
    search->origin_fits = false;
    search->method_fits = false;
    search->allowed = 0;
    rule->any_origin = false;
    lst_buffer_clear(&rule->methods);
    lst_buffer_clear(&rule->exposed);
    lst_buffer_clear(&rule->max_age);
    return LST_OK;
}

static int visit(void *context, const char *path, struct lst_slice text)
{
    static const struct lst_slice any = {"*", 1};
    struct search *search = context;
    const struct lst_cors_question *question = search->question;
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;

    if (strcmp(name, "CORSRule") == 0) {
        return end_rule(search);
    }
    if (strcmp(name, "AllowedOrigin") == 0 && !search->origin_fits) {
        search->origin_fits = fits(text, question->origin, false);
        search->rule->any_origin = lst_slice_equal(text, any);
    } else if (strcmp(name, "AllowedMethod") == 0) {
        search->method_fits = search->method_fits || lst_slice_equal(text, question->method);
        append_to_list(&search->rule->methods, text);
    } else if (strcmp(name, "AllowedHeader") == 0) {
        search->allowed |= header_bits(question->headers, &text);
    } else if (strcmp(name, "ExposeHeader") == 0) {
        append_to_list(&search->rule->exposed, text);
    } else if (strcmp(name, "MaxAgeSeconds") == 0) {
        lst_buffer_append(&search->rule->max_age, text);
    }
    return LST_OK;
}

void lst_cors_rule_release(struct lst_cors_rule *rule)
{
    lst_buffer_release(&rule->methods);
    lst_buffer_release(&rule->exposed);
    lst_buffer_release(&rule->max_age);
}

int lst_cors_match(struct lst_slice document, const struct lst_cors_question *question,
                   struct lst_cors_rule *ret_rule)
{
    struct search search = {.question = question, .rule = ret_rule};
    struct lst_slice rest = question->headers;
    struct lst_slice name;
    unsigned count = 0;
    int status;

    *ret_rule = (struct lst_cors_rule){.any_origin = false};
    lst_buffer_init(&ret_rule->methods, LIST_MAX);
    lst_buffer_init(&ret_rule->exposed, LIST_MAX);
    lst_buffer_init(&ret_rule->max_age, TEXT_MAX);
    while (lst_slice_split(&rest, ',', &name)) {
        count++;
    }
    if (count > HEADERS_MAX) {
        return LST_ERR_NOT_FOUND;
    }
    search.wanted = header_bits(question->headers, NULL);
    status = lst_xml_read(document, TEXT_MAX, visit, &search);
    return status == FOUND ? LST_OK : status == LST_OK ? LST_ERR_NOT_FOUND : status;
}
