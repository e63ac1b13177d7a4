/* template.c - from a template to the key of a new object. */
#include "api/template.h"

#include "base/clock.h"
#include "base/random.h"
#include "http/disposition.h"

#include <stdio.h>

enum {
    VARIABLE_NAME_MAX = 64,
    EXTENSION_MAX = 16,
    MAIN_TYPE_MAX = 64,
};

static bool is_letter_or_digit(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9');
}

static char lower_case(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

static bool is_variable_name(struct lst_slice name)
{
    if (name.bytes == NULL || name.length == 0 || name.length > VARIABLE_NAME_MAX) {
        return false;
    }
    for (size_t i = 0; i < name.length; i++) {
        if (!is_letter_or_digit(name.bytes[i]) && name.bytes[i] != '_' && name.bytes[i] != '-') {
            return false;
        }
    }
    return true;
}

/* A template is read piece by piece: text, or a variable. */
struct piece {
    struct lst_slice text; /* or the variable's name */
    bool is_variable;
};

/* The next piece; false at the end, or where a brace is wrong: *rest is then not empty. */
static bool take_piece(struct lst_slice *rest, struct piece *ret_piece)
{
    size_t open = lst_slice_find(*rest, '{');
    size_t close = lst_slice_find(*rest, '}');

    if (rest->length == 0 || close < open) {
        return false;
    }
    if (open > 0) {
        *ret_piece = (struct piece){.text = lst_slice_first(*rest, open)};
        *rest = lst_slice_after(*rest, open);
        return true;
    }
    ret_piece->text = lst_slice_after(lst_slice_first(*rest, close), 1);
    ret_piece->is_variable = true;
    if (close == rest->length || !is_variable_name(ret_piece->text)) {
        return false;
    }
    *rest = lst_slice_after(*rest, close + 1);
    return true;
}

static bool has_dot_part(struct lst_slice key)
{
    struct lst_slice rest = key;
    struct lst_slice part;

    while (lst_slice_split(&rest, '/', &part)) {
        if (lst_slice_equal(part, LST_SLICE(".")) || lst_slice_equal(part, LST_SLICE(".."))) {
            return true;
        }
    }
    return false;
}

static bool has_control_character(struct lst_slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        if ((unsigned char)text.bytes[i] < 0x20 || text.bytes[i] == 0x7f) {
            return true;
        }
    }
    return false;
}

int lst_template_check(struct lst_slice template, char problem[LST_PROBLEM_MAX])
{
    struct lst_slice rest = template;
    struct piece piece;

    if (template.length == 0 || template.length > LST_TEMPLATE_MAX) {
        return lst_problem(problem, "key: a template of 1 to %d bytes is needed", LST_TEMPLATE_MAX);
    }
    if (!lst_slice_is_utf8(template) || has_control_character(template)) {
        return lst_problem(problem, "key: there is a control character in it, or it is not UTF-8");
    }
    if (template.bytes[0] == '/') {
        return lst_problem(problem, "key: it begins with a '/', which keys don't");
    }
    if (has_dot_part(template)) {
        return lst_problem(problem, "key: \".\" and \"..\" can't stand between slashes");
    }
    while (take_piece(&rest, &piece)) {
    }
    if (rest.length > 0) {
        return lst_problem(
            problem,
            "key: at '%.*s': braces must hold a variable, such as {uuid}, whose name "
            "has 1 to %d letters, digits, '_' and '-'",
            rest.length > 40 ? 40 : (int)rest.length, rest.bytes, VARIABLE_NAME_MAX);
    }
    return LST_OK;
}

/* ---- The variables that are always there: each gives NULL, or a problem */

static const char *append_uuid(const struct lst_template_facts *facts, struct lst_buffer *out)
{
    uint8_t bytes[16];

    (void)facts;
    lst_random_bytes(bytes, sizeof(bytes));
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40); /* the version */
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80); /* the variant */
    for (size_t i = 0; i < sizeof(bytes); i++) {
        lst_buffer_append_format(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                                 bytes[i]);
    }
    return NULL;
}

/* The part of a filename after its last '/' or '\', without dots before it and spaces around it. */
static struct lst_slice last_part(struct lst_slice filename)
{
    size_t start = filename.length;

    while (start > 0 && filename.bytes[start - 1] != '/' && filename.bytes[start - 1] != '\\') {
        start--;
    }
    filename = lst_slice_trim(lst_slice_after(filename, start));
    while (filename.length > 0 && filename.bytes[0] == '.') {
        filename = lst_slice_after(filename, 1);
    }
    return filename;
}

/* Of "a.JPG": "JPG". Empty if there is none that can be used. */
static struct lst_slice extension_of(struct lst_slice name)
{
    size_t start = name.length;

    while (start > 0 && is_letter_or_digit(name.bytes[start - 1])) {
        start--;
    }
    if (start < 2 || name.bytes[start - 1] != '.' || name.length - start > EXTENSION_MAX) {
        return lst_slice_make("", 0);
    }
    return lst_slice_after(name, start);
}

static struct lst_slice media_type(struct lst_slice type)
{
    return lst_slice_trim(lst_slice_first(type, lst_slice_find(type, ';')));
}

static const char *append_extension(const struct lst_template_facts *facts, struct lst_buffer *out)
{
    struct lst_slice extension = extension_of(last_part(facts->filename));

    if (extension.length == 0) {
        extension = lst_template_extension(media_type(facts->type));
    }
    if (extension.length == 0) {
        extension = LST_SLICE("bin");
    }
    for (size_t i = 0; i < extension.length; i++) {
        lst_buffer_append_byte(out, lower_case(extension.bytes[i]));
    }
    return NULL;
}

/*
 * Append the characters of the text that a filename may have, as many as fit into maximum bytes,
 * and no dots and spaces at the start.
 */
static void append_clean(struct lst_buffer *out, struct lst_slice text, size_t maximum)
{
    size_t before = out->length;

    while (text.length > 0) {
        size_t length = 1;
        bool is_first = out->length == before;

        while (length < text.length && ((unsigned char)text.bytes[length] & 0xc0) == 0x80) {
            length++;
        }
        if (out->length - before + length > maximum) {
            break;
        }
        if (lst_filename_is_valid(lst_slice_first(text, length)) &&
            !(is_first && (text.bytes[0] == '.' || text.bytes[0] == ' '))) {
            lst_buffer_append(out, lst_slice_first(text, length));
        }
        text = lst_slice_after(text, length);
    }
}

static const char *append_filename(const struct lst_template_facts *facts, struct lst_buffer *out)
{
    struct lst_slice name = last_part(facts->filename);
    size_t ending = extension_of(name).length; /* with the dot */
    size_t before = out->length;

    if (facts->filename.length == 0) {
        return "filename: it is missing, and the key is made from it";
    }
    if (!lst_slice_is_utf8(facts->filename)) {
        return "filename: it is not UTF-8";
    }
    ending += ending > 0;
    append_clean(out, lst_slice_first(name, name.length - ending),
                 LST_TEMPLATE_VARIABLE_MAX - ending);
    if (out->length == before) {
        lst_buffer_append_string(out, "file");
    }
    lst_buffer_append(out, lst_slice_after(name, name.length - ending));
    return NULL;
}

static const char *append_date(const struct lst_template_facts *facts, struct lst_buffer *out)
{
    char text[LST_ISO8601_LENGTH];

    lst_clock_format_iso8601(facts->now * 1000, text);
    lst_buffer_append_format(out, "%.4s/%.2s/%.2s", text, text + 5, text + 8);
    return NULL;
}

static const char *append_main_type(const struct lst_template_facts *facts, struct lst_buffer *out)
{
    static const char problem[] = "type: a media type such as image/png is needed";
    struct lst_slice type = media_type(facts->type);
    struct lst_slice main_type = lst_slice_first(type, lst_slice_find(type, '/'));

    if (type.length == 0) {
        main_type = LST_SLICE("application");
    } else if (main_type.length == type.length || main_type.length == 0 ||
               main_type.length > MAIN_TYPE_MAX) {
        return problem;
    }
    for (size_t i = 0; i < main_type.length; i++) {
        if (!is_letter_or_digit(main_type.bytes[i]) && main_type.bytes[i] != '-') {
            return problem;
        }
        lst_buffer_append_byte(out, lower_case(main_type.bytes[i]));
    }
    return NULL;
}

struct built_in {
    const char *name;
    const char *(*append)(const struct lst_template_facts *facts, struct lst_buffer *out);
};

static const struct built_in built_ins[] = {
    {"uuid", append_uuid}, {"ext", append_extension},  {"filename", append_filename},
    {"date", append_date}, {"type", append_main_type},
};

static const struct built_in *find_built_in(struct lst_slice name)
{
    for (size_t i = 0; i < sizeof(built_ins) / sizeof(built_ins[0]); i++) {
        if (lst_slice_equal(name, lst_slice_of(built_ins[i].name))) {
            return &built_ins[i];
        }
    }
    return NULL;
}

/* ---- The caller's variables */

static int append_variable(const struct lst_template_facts *facts, struct lst_slice name,
                           struct lst_buffer *out, char problem[LST_PROBLEM_MAX])
{
    char name_text[VARIABLE_NAME_MAX + 1];
    struct lst_slice value;
    const json_t *json;

    snprintf(name_text, sizeof(name_text), "%.*s", (int)name.length, name.bytes);
    json = json_object_get(facts->variables, name_text);
    if (json == NULL) {
        return lst_problem(problem, "vars.%s: it is missing, and the key is made from it",
                           name_text);
    }
    if (!json_is_string(json)) {
        return lst_problem(problem, "vars.%s: a string is needed", name_text);
    }
    value = lst_slice_make(json_string_value(json), json_string_length(json));
    if (value.length == 0 || value.length > LST_TEMPLATE_VARIABLE_MAX) {
        return lst_problem(problem, "vars.%s: 1 to %d bytes are allowed, it has %zu", name_text,
                           LST_TEMPLATE_VARIABLE_MAX, value.length);
    }
    if (!lst_filename_is_valid(value) || has_dot_part(value)) {
        return lst_problem(problem,
                           "vars.%s: slashes, control characters and marks of direction are not "
                           "allowed, nor \".\" and \"..\"",
                           name_text);
    }
    lst_buffer_append(out, value);
    return LST_OK;
}

bool lst_template_has_variable(struct lst_slice template, struct lst_slice name)
{
    struct piece piece;

    while (find_built_in(name) == NULL && take_piece(&template, &piece)) {
        if (piece.is_variable && lst_slice_equal(piece.text, name)) {
            return true;
        }
    }
    return false;
}

/* The template's variables, for a problem. */
static void list_variables(struct lst_slice template, struct lst_buffer *all)
{
    struct piece piece;

    while (take_piece(&template, &piece)) {
        if (piece.is_variable && find_built_in(piece.text) == NULL) {
            lst_buffer_append_string(all, all->length == 0 ? "" : ", ");
            lst_buffer_append(all, piece.text);
        }
    }
}

int lst_template_check_variables(struct lst_slice template, json_t *variables,
                                 char problem[LST_PROBLEM_MAX])
{
    const char *name;
    json_t *value;

    if (variables != NULL && !json_is_object(variables)) {
        return lst_problem(problem, "vars: a JSON object is needed");
    }
    json_object_foreach(variables, name, value)
    {
        struct lst_buffer all;

        if (lst_template_has_variable(template, lst_slice_of(name))) {
            continue;
        }
        lst_buffer_init(&all, LST_TEMPLATE_MAX * 2);
        list_variables(template, &all);
        lst_problem(problem, "vars.%.64s: the key has no such variable; it has %.*s", name,
                    all.length == 0 ? 4 : (int)all.length, all.length == 0 ? "none" : all.bytes);
        lst_buffer_release(&all);
        return LST_ERR_MALFORMED;
    }
    return LST_OK;
}

static int append_piece(const struct piece *piece, const struct lst_template_facts *facts,
                        struct lst_buffer *out, char problem[LST_PROBLEM_MAX])
{
    const struct built_in *built_in;
    const char *wrong;

    if (!piece->is_variable) {
        lst_buffer_append(out, piece->text);
        return LST_OK;
    }
    built_in = find_built_in(piece->text);
    if (built_in == NULL) {
        return append_variable(facts, piece->text, out, problem);
    }
    wrong = built_in->append(facts, out);
    return wrong == NULL ? LST_OK : lst_problem(problem, "%s", wrong);
}

static int check_key(struct lst_slice key, char problem[LST_PROBLEM_MAX])
{
    if (key.length > LST_TEMPLATE_MAX) {
        return lst_problem(problem,
                           "key: it would have %zu bytes, and %d are the most a key can "
                           "have; shorter vars or a shorter filename help",
                           key.length, LST_TEMPLATE_MAX);
    }
    if (has_dot_part(key)) {
        return lst_problem(problem, "key: a part of it between slashes would be \".\" or \"..\"");
    }
    return LST_OK;
}

int lst_template_expand(struct lst_slice template, const struct lst_template_facts *facts,
                        struct lst_buffer *out, char problem[LST_PROBLEM_MAX])
{
    struct lst_slice rest = template;
    struct piece piece;
    size_t before = out->length;
    int status = lst_template_check(template, problem);

    if (status == LST_OK) {
        status = lst_template_check_variables(template, facts->variables, problem);
    }
    while (status == LST_OK && take_piece(&rest, &piece)) {
        status = append_piece(&piece, facts, out, problem);
    }
    if (status == LST_OK) {
        status = lst_buffer_status(out);
    }
    if (status == LST_OK) {
        status = check_key(lst_slice_after(lst_buffer_slice(out), before), problem);
    }
    if (status != LST_OK) {
        out->length = before;
    }
    return status;
}
