/* cors_match.c - the rules of a CORSConfiguration, parsed once, and the one that fits a request. */
#include "s3/cors.h"
#include "s3/xml_read.h"

#include <stdlib.h>

enum {
    TEXT_MAX = 4096,      /* bytes of one element */
    LIST_MAX = 64 * 1024, /* bytes of a header's list */
    HEADERS_MAX = 64,     /* requested headers that are looked at: one bit for each */
};

/* An element that counts, or the end of a rule. */
struct item {
    enum item_kind { ORIGIN, METHOD, HEADER, EXPOSED, MAX_AGE, RULE_END } kind;
    uint32_t offset; /* of its text */
    uint32_t length;
};

struct lst_cors_rules {
    struct lst_buffer text;
    struct lst_buffer items; /* of struct item */
};

/* What a request asks, taken apart once for all rules. */
struct search {
    const struct lst_cors_question *question;
    struct lst_slice headers[HEADERS_MAX]; /* the requested ones */
    unsigned header_count;
};

bool lst_cors_is_header_name(struct lst_slice name, bool may_have_wildcard)
{
    for (size_t i = 0; i < name.length; i++) {
        unsigned char byte = (unsigned char)name.bytes[i];
        if (byte <= 0x20 || byte >= 0x7F || strchr("\"(),/:;<=>?@[\\]{}", byte) != NULL ||
            (byte == '*' && !may_have_wildcard)) {
            return false;
        }
    }
    return name.length > 0;
}

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

static void append_to_list(struct lst_buffer *list, struct lst_slice text)
{
    if (list->length > 0) {
        lst_buffer_append_string(list, ", ");
    }
    lst_buffer_append(list, text);
}

/* ---- Reading */

static int visit(void *context, const char *path, struct lst_slice text)
{
    static const char *const names[] = {"AllowedOrigin", "AllowedMethod", "AllowedHeader",
                                        "ExposeHeader",  "MaxAgeSeconds", "CORSRule"};
    struct lst_cors_rules *rules = context;
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct item item = {(enum item_kind)i, (uint32_t)rules->text.length, (uint32_t)text.length};

        if (strcmp(name, names[i]) == 0) {
            lst_buffer_append(&rules->text, text);
            lst_buffer_append(&rules->items, lst_slice_make((const char *)&item, sizeof(item)));
        }
    }
    return lst_buffer_status(&rules->text) == LST_OK ? lst_buffer_status(&rules->items)
                                                     : lst_buffer_status(&rules->text);
}

void lst_cors_rules_free(struct lst_cors_rules *rules)
{
    if (rules != NULL) {
        lst_buffer_release(&rules->text);
        lst_buffer_release(&rules->items);
        free(rules);
    }
}

int lst_cors_rules_parse(struct lst_slice document, struct lst_cors_rules **ret_rules)
{
    struct lst_cors_rules *rules = calloc(1, sizeof(*rules));
    int status;

    if (rules == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    lst_buffer_init(&rules->text, document.length);
    lst_buffer_init(&rules->items, document.length * sizeof(struct item));
    status = lst_xml_read(document, TEXT_MAX, visit, rules);
    if (status != LST_OK) {
        lst_cors_rules_free(rules);
        return status;
    }
    *ret_rules = rules;
    return LST_OK;
}

/* ---- Searching */

/* The elements of one kind of a rule, one after the other, from *at on. */
static bool next(const struct lst_cors_rules *rules, enum item_kind kind, size_t end, size_t *at,
                 struct lst_slice *ret_text)
{
    const struct item *items = (const void *)rules->items.bytes;

    while (*at < end) {
        const struct item *item = &items[(*at)++];

        if (item->kind == kind) {
            *ret_text = lst_slice_make(rules->text.bytes + item->offset, item->length);
            return true;
        }
    }
    return false;
}

static bool fits_origin(const struct lst_cors_rules *rules, size_t begin, size_t end,
                        struct lst_slice origin, struct lst_slice *ret_pattern)
{
    while (next(rules, ORIGIN, end, &begin, ret_pattern)) {
        if (fits(*ret_pattern, origin, false)) {
            return true;
        }
    }
    return false;
}

static bool fits_method(const struct lst_cors_rules *rules, size_t begin, size_t end,
                        struct lst_slice method)
{
    struct lst_slice allowed;

    while (next(rules, METHOD, end, &begin, &allowed)) {
        if (lst_slice_equal(allowed, method)) {
            return true;
        }
    }
    return false;
}

static bool fits_headers(const struct lst_cors_rules *rules, size_t begin, size_t end,
                         const struct search *search)
{
    uint64_t wanted = search->header_count == HEADERS_MAX
                          ? UINT64_MAX
                          : (UINT64_C(1) << search->header_count) - 1;
    struct lst_slice pattern;

    while (wanted != 0 && next(rules, HEADER, end, &begin, &pattern)) {
        for (unsigned i = 0; i < search->header_count; i++) {
            if ((wanted & UINT64_C(1) << i) != 0 && fits(pattern, search->headers[i], true)) {
                wanted &= ~(UINT64_C(1) << i);
            }
        }
    }
    return wanted == 0;
}

/* LST_ERR_NO_MEMORY. What is longer than a list may be is left out. */
static int take_rule(const struct lst_cors_rules *rules, size_t begin, size_t end,
                     struct lst_cors_rule *rule)
{
    struct lst_slice text;
    size_t at = begin;

    while (next(rules, METHOD, end, &at, &text)) {
        append_to_list(&rule->methods, text);
    }
    at = begin;
    while (next(rules, EXPOSED, end, &at, &text)) {
        append_to_list(&rule->exposed, text);
    }
    at = begin;
    if (next(rules, MAX_AGE, end, &at, &text)) { /* the first, if a rule has two */
        lst_buffer_append(&rule->max_age, text);
    }
    return lst_buffer_status(&rule->methods) == LST_ERR_NO_MEMORY ||
                   lst_buffer_status(&rule->exposed) == LST_ERR_NO_MEMORY ||
                   lst_buffer_status(&rule->max_age) == LST_ERR_NO_MEMORY
               ? LST_ERR_NO_MEMORY
               : LST_OK;
}

/* False if there are more headers than are looked at. */
static bool split_headers(struct search *search)
{
    struct lst_slice rest = search->question->headers;
    struct lst_slice name;
    unsigned count = 0;

    while (lst_slice_split(&rest, ',', &name)) {
        if (count++ == HEADERS_MAX) {
            return false;
        }
        name = lst_slice_trim(name);
        if (name.length > 0) {
            search->headers[search->header_count++] = name;
        }
    }
    return true;
}

void lst_cors_rule_release(struct lst_cors_rule *rule)
{
    lst_buffer_release(&rule->methods);
    lst_buffer_release(&rule->exposed);
    lst_buffer_release(&rule->max_age);
}

int lst_cors_rules_match(const struct lst_cors_rules *rules,
                         const struct lst_cors_question *question, struct lst_cors_rule *ret_rule)
{
    const struct item *items = (const void *)rules->items.bytes;
    size_t count = rules->items.length / sizeof(*items);
    struct search search = {.question = question};
    struct lst_slice pattern;
    size_t begin = 0;

    *ret_rule = (struct lst_cors_rule){.any_origin = false};
    lst_buffer_init(&ret_rule->methods, LIST_MAX);
    lst_buffer_init(&ret_rule->exposed, LIST_MAX);
    lst_buffer_init(&ret_rule->max_age, TEXT_MAX);
    if (!split_headers(&search)) {
        return LST_ERR_NOT_FOUND;
    }
    for (size_t end = 0; end < count; end++) {
        if (items[end].kind != RULE_END) {
            continue;
        }
        if (fits_origin(rules, begin, end, question->origin, &pattern) &&
            fits_method(rules, begin, end, question->method) &&
            fits_headers(rules, begin, end, &search)) {
            ret_rule->any_origin = lst_slice_equal(pattern, LST_SLICE("*"));
            return take_rule(rules, begin, end, ret_rule);
        }
        begin = end + 1;
    }
    return LST_ERR_NOT_FOUND;
}
