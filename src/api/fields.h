/*
 * fields.h - reading a JSON object that a caller wrote, strictly.
 *
 * A field is asked for by name, with what its value must be. The first problem is remembered, all
 * that is asked for afterwards is not looked at, and lst_fields_end() gives it: check once, at the
 * end. It also refuses a field that nobody asked for, since a misspelt limit would be no limit.
 *
 *     struct lst_fields fields;
 *     struct lst_slice name = {0};
 *     int64_t size = 0;
 *
 *     lst_fields_begin(&fields, object, NULL);
 *     lst_fields_text(&fields, "filename", LST_FIELD_REQUIRED, 1, 255, &name);
 *     lst_fields_integer(&fields, "size", LST_FIELD_OPTIONAL, 0, 1000000, &size);
 *     if (lst_fields_end(&fields) != LST_OK) {
 *         // fields.problem: "size: a number is needed"
 *     }
 */
#ifndef LST_API_FIELDS_H
#define LST_API_FIELDS_H

#include "base/error.h"
#include "base/slice.h"

#include <jansson.h>

#define LST_PROBLEM_MAX 512 /* bytes of a problem's text, its NUL included */
#define LST_FIELDS_MAX  32  /* names that can be asked for */

/*
 * Say what is wrong, in one sentence without a full stop at its end. What comes from a caller may
 * be in it: control characters and what is not UTF-8 become '?', and what is too long is cut. Gives
 * LST_ERR_MALFORMED, so that it can be returned.
 */
int lst_problem(char problem[LST_PROBLEM_MAX], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

enum lst_field_need {
    LST_FIELD_OPTIONAL,
    LST_FIELD_REQUIRED,
};

/* Its members are not the caller's, but for the problem. It owns nothing. */
struct lst_fields {
    json_t *object;
    const char *inside; /* the object's own name, to be shown before a field's; NULL: it has none */
    const char *names[LST_FIELDS_MAX]; /* asked for so far */
    size_t count;
    bool is_missing;               /* the problem is that a field is missing */
    char problem[LST_PROBLEM_MAX]; /* "" while there is none */
};

/* The object and `inside` (such as "webhook", may be NULL) are the caller's until the end. What is
 * not a JSON object is a problem. */
void lst_fields_begin(struct lst_fields *fields, json_t *object, const char *inside);

/*
 * Ask for a field. True if it is there and is as it must be: then its value is set, which is left
 * alone otherwise, so it can be set to a default before. null is as if it were not there.
 *
 * Names are constants. Texts and lists are the object's and live as long; a text ends in NUL. It
 * may have any characters, of minimum to maximum bytes of UTF-8; a list has at most maximum
 * entries.
 */
bool lst_fields_text(struct lst_fields *fields, const char *name, enum lst_field_need need,
                     size_t minimum, size_t maximum, struct lst_slice *ret_text);
/* Whatever it is: for a value that may be of several types. Can be asked for again, by its type. */
bool lst_fields_value(struct lst_fields *fields, const char *name, enum lst_field_need need,
                      json_t **ret_value);
bool lst_fields_integer(struct lst_fields *fields, const char *name, enum lst_field_need need,
                        int64_t minimum, int64_t maximum, int64_t *ret_number);
bool lst_fields_boolean(struct lst_fields *fields, const char *name, enum lst_field_need need,
                        bool *ret_boolean);
bool lst_fields_list(struct lst_fields *fields, const char *name, enum lst_field_need need,
                     size_t maximum, json_t **ret_list);
bool lst_fields_object(struct lst_fields *fields, const char *name, enum lst_field_need need,
                       json_t **ret_object);

/* A problem of one's own with the value of a field: "NAME: ...". Nothing if there is one already.
 */
void lst_fields_refuse(struct lst_fields *fields, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* LST_OK, or LST_ERR_MALFORMED with fields->problem: also if there is a field that was not asked
 * for. */
LST_MUST_CHECK int lst_fields_end(struct lst_fields *fields);

#endif
