/*
 * template_fuzz.c - keys from templates: whatever a caller sends, it stays in its folder.
 *
 * Input: the template, the filename and the type, each on a line of its own, then vars as JSON.
 */
#include "api/template.h"

#include <stdio.h>
#include <stdlib.h>

static void need(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "template_fuzz: %s\n", what);
        abort();
    }
}

static size_t count(struct lst_slice text, struct lst_slice what)
{
    size_t found = 0;

    for (size_t i = lst_slice_find_slice(text, what); i < text.length;
         i = lst_slice_find_slice(text, what)) {
        text = lst_slice_after(text, i + what.length);
        found++;
    }
    return found;
}

static void check_key(struct lst_slice key, struct lst_slice template)
{
    struct lst_slice rest = key;
    struct lst_slice part;

    need(key.length > 0 && key.length <= LST_TEMPLATE_MAX, "a key has 1 to 1024 bytes");
    need(lst_slice_is_utf8(key), "a key is UTF-8");
    for (size_t i = 0; i < key.length; i++) {
        need((unsigned char)key.bytes[i] >= 0x20 && key.bytes[i] != 0x7f, "no control character");
    }
    while (lst_slice_split(&rest, '/', &part)) {
        need(!lst_slice_equal(part, LST_SLICE(".")) && !lst_slice_equal(part, LST_SLICE("..")),
             "no part that clients take out");
    }
    need(count(key, LST_SLICE("/")) ==
             count(template, LST_SLICE("/")) + 2 * count(template, LST_SLICE("{date}")),
         "slashes are the template's");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lst_slice rest = lst_slice_make(data, size);
    struct lst_slice template = {0};
    struct lst_template_facts facts = {.now = 1795460280};
    char problem[LST_PROBLEM_MAX] = "";
    struct lst_buffer key;
    bool is_template;
    int status;

    if (!lst_slice_split(&rest, '\n', &template) ||
        !lst_slice_split(&rest, '\n', &facts.filename) ||
        !lst_slice_split(&rest, '\n', &facts.type)) {
        return 0;
    }
    facts.variables = rest.length == 0 ? NULL : json_loadb(rest.bytes, rest.length, 0, NULL);
    lst_buffer_init(&key, 64 * 1024);
    is_template = lst_template_check(template, problem) == LST_OK;
    need(is_template || problem[0] != '\0', "a refusal says why");
    problem[0] = '\0';
    status = lst_template_expand(template, &facts, &key, problem);
    if (status == LST_OK) {
        need(is_template, "only a template gives a key");
        check_key(lst_buffer_slice(&key), template);
    } else {
        need(key.length == 0, "a failure appends nothing");
        need(status != LST_ERR_MALFORMED || problem[0] != '\0', "a refusal says why");
        need(lst_slice_is_utf8(lst_slice_of(problem)), "in UTF-8");
    }
    lst_buffer_release(&key);
    json_decref(facts.variables);
    return 0;
}
