/* fields.c - reading a JSON object that a caller wrote, strictly. */
#include "api/fields.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* The length of the character (of UTF-8) that the text begins with; 0 if it begins with none. */
static size_t character_length(struct lst_slice text)
{
    for (size_t length = 1; length <= 4 && length <= text.length; length++) {
        if (lst_slice_is_utf8(lst_slice_first(text, length))) {
            return length;
        }
    }
    return 0;
}

static void clean(char *text)
{
    struct lst_slice rest = lst_slice_of(text);

    while (rest.length > 0) {
        size_t length = character_length(rest);
        char *character = text + (rest.bytes - text);

        if (length == 0 ||
            (length == 1 && ((unsigned char)*character < 0x20 || *character == 0x7f))) {
            *character = '?';
            length = 1;
        }
        rest = lst_slice_after(rest, length);
    }
}

int lst_problem(char problem[LST_PROBLEM_MAX], const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(problem, LST_PROBLEM_MAX, format, arguments);
    va_end(arguments);
    clean(problem);
    return LST_ERR_MALFORMED;
}

static void set_problem(struct lst_fields *fields, const char *name, const char *text)
{
    if (fields->inside != NULL) {
        lst_problem(fields->problem, "%s.%s: %s", fields->inside, name, text);
    } else {
        lst_problem(fields->problem, "%s: %s", name, text);
    }
}

void lst_fields_refuse(struct lst_fields *fields, const char *name, const char *format, ...)
{
    char text[LST_PROBLEM_MAX];
    va_list arguments;

    if (fields->problem[0] != '\0') {
        return;
    }
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    set_problem(fields, name, text);
}

void lst_fields_begin(struct lst_fields *fields, json_t *object, const char *inside)
{
    *fields = (struct lst_fields){.object = object, .inside = inside};
    if (!json_is_object(object)) {
        lst_problem(fields->problem, "%s%sa JSON object is needed", inside == NULL ? "" : inside,
                    inside == NULL ? "" : ": ");
    }
}

static bool is_known(const struct lst_fields *fields, const char *name)
{
    for (size_t i = 0; i < fields->count; i++) {
        if (strcmp(fields->names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* The value of a field, or NULL if there is nothing to look at. */
static json_t *ask(struct lst_fields *fields, const char *name, enum lst_field_need need)
{
    json_t *value;

    if (!is_known(fields, name) && fields->count < LST_FIELDS_MAX) {
        fields->names[fields->count++] = name;
    }
    if (fields->problem[0] != '\0') {
        return NULL;
    }
    value = json_object_get(fields->object, name);
    if (!json_is_null(value) && value != NULL) {
        return value;
    }
    if (need == LST_FIELD_REQUIRED) {
        lst_fields_refuse(fields, name, "it is missing");
        fields->is_missing = true;
    }
    return NULL;
}

bool lst_fields_value(struct lst_fields *fields, const char *name, enum lst_field_need need,
                      json_t **ret_value)
{
    json_t *value = ask(fields, name, need);

    if (value != NULL) {
        *ret_value = value;
    }
    return value != NULL;
}

bool lst_fields_text(struct lst_fields *fields, const char *name, enum lst_field_need need,
                     size_t minimum, size_t maximum, struct lst_slice *ret_text)
{
    json_t *value = ask(fields, name, need);
    size_t length;

    if (value == NULL) {
        return false;
    }
    length = json_string_length(value);
    if (!json_is_string(value)) {
        lst_fields_refuse(fields, name, "a string is needed");
    } else if (length < minimum && length == 0) {
        lst_fields_refuse(fields, name, "it is empty");
    } else if (length < minimum || length > maximum) {
        lst_fields_refuse(fields, name, "%zu to %zu bytes are allowed, it has %zu", minimum,
                          maximum, length);
    } else {
        *ret_text = lst_slice_make(json_string_value(value), length);
        return true;
    }
    return false;
}

bool lst_fields_integer(struct lst_fields *fields, const char *name, enum lst_field_need need,
                        int64_t minimum, int64_t maximum, int64_t *ret_number)
{
    json_t *value = ask(fields, name, need);
    int64_t number;

    if (value == NULL) {
        return false;
    }
    number = json_integer_value(value);
    if (!json_is_integer(value)) {
        lst_fields_refuse(fields, name, "a %snumber is needed",
                          json_is_real(value) ? "whole " : "");
    } else if (number < minimum || number > maximum) {
        lst_fields_refuse(fields, name,
                          "a number from %" PRId64 " to %" PRId64 " is needed, not %" PRId64,
                          minimum, maximum, number);
    } else {
        *ret_number = number;
        return true;
    }
    return false;
}

bool lst_fields_boolean(struct lst_fields *fields, const char *name, enum lst_field_need need,
                        bool *ret_boolean)
{
    json_t *value = ask(fields, name, need);

    if (value == NULL) {
        return false;
    }
    if (!json_is_boolean(value)) {
        lst_fields_refuse(fields, name, "true or false is needed");
        return false;
    }
    *ret_boolean = json_is_true(value);
    return true;
}

bool lst_fields_list(struct lst_fields *fields, const char *name, enum lst_field_need need,
                     size_t maximum, json_t **ret_list)
{
    json_t *value = ask(fields, name, need);

    if (value == NULL) {
        return false;
    }
    if (!json_is_array(value)) {
        lst_fields_refuse(fields, name, "a list is needed");
    } else if (json_array_size(value) > maximum) {
        lst_fields_refuse(fields, name, "at most %zu entries are allowed", maximum);
    } else {
        *ret_list = value;
        return true;
    }
    return false;
}

bool lst_fields_object(struct lst_fields *fields, const char *name, enum lst_field_need need,
                       json_t **ret_object)
{
    json_t *value = ask(fields, name, need);

    if (value == NULL) {
        return false;
    }
    if (!json_is_object(value)) {
        lst_fields_refuse(fields, name, "a JSON object is needed");
        return false;
    }
    *ret_object = value;
    return true;
}

static void refuse_unknown(struct lst_fields *fields, const char *name)
{
    char text[LST_PROBLEM_MAX];
    char shown[65]; /* so much of the name that the rest has room */

    snprintf(shown, sizeof(shown), "%s", name);
    snprintf(text, sizeof(text), "there is no such field; %s ",
             fields->count == 1 ? "the only one is" : "the fields are");
    for (size_t i = 0; i < fields->count; i++) {
        size_t length = strlen(text);

        snprintf(text + length, sizeof(text) - length, "%s%s", i == 0 ? "" : ", ",
                 fields->names[i]);
    }
    set_problem(fields, shown, text);
}

int lst_fields_end(struct lst_fields *fields)
{
    const char *name;
    json_t *value;

    /* A field that is missing may be there under a wrong name: that is the better hint. */
    if (fields->problem[0] == '\0' || fields->is_missing) {
        json_object_foreach(fields->object, name, value)
        {
            if (!is_known(fields, name)) {
                refuse_unknown(fields, name);
                break;
            }
        }
    }
    return fields->problem[0] == '\0' ? LST_OK : LST_ERR_MALFORMED;
}
