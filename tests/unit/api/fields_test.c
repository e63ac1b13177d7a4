/* fields_test.c - what a caller is told about the JSON that he sent. */
#include "api/fields.h"

#include "tap.h"

static struct lst_fields fields;
static json_t *object;

static void begin(const char *text, const char *inside)
{
    json_decref(object);
    object = json_loads(text, JSON_DECODE_ANY, NULL);
    lst_fields_begin(&fields, object, inside);
}

/* As an operation would ask. */
static int ask(const char *text)
{
    struct lst_slice name = {0};
    int64_t size = 0;
    bool replace = false;
    json_t *value = NULL;

    begin(text, NULL);
    lst_fields_text(&fields, "filename", LST_FIELD_REQUIRED, 1, 10, &name);
    lst_fields_integer(&fields, "size", LST_FIELD_OPTIONAL, 1, 1000, &size);
    lst_fields_boolean(&fields, "replace", LST_FIELD_OPTIONAL, &replace);
    lst_fields_list(&fields, "types", LST_FIELD_OPTIONAL, 2, &value);
    lst_fields_object(&fields, "vars", LST_FIELD_OPTIONAL, &value);
    return lst_fields_end(&fields);
}

static void test_problem(const char *text, const char *problem)
{
    CHECK(ask(text) == LST_ERR_MALFORMED, "refused: %s", text);
    CHECK_TEXT(fields.problem, strlen(fields.problem), problem, problem);
}

static void test_values(void)
{
    struct lst_slice text = {0};
    int64_t number = 7;
    bool flag = false;
    json_t *list = NULL;
    json_t *inner = NULL;

    begin("{\"a\":\"x\\u00e9\",\"b\":-3,\"c\":true,\"d\":[1],\"e\":{},\"f\":null}", NULL);
    CHECK(lst_fields_text(&fields, "a", LST_FIELD_REQUIRED, 1, 3, &text), "a text is there");
    CHECK_TEXT(text.bytes, text.length, "x\xc3\xa9", "and is UTF-8");
    CHECK(lst_fields_integer(&fields, "b", LST_FIELD_REQUIRED, -3, 0, &number) && number == -3,
          "a number is there");
    CHECK(lst_fields_boolean(&fields, "c", LST_FIELD_REQUIRED, &flag) && flag, "a boolean is");
    CHECK(lst_fields_list(&fields, "d", LST_FIELD_REQUIRED, 1, &list) && json_array_size(list) == 1,
          "a list is");
    CHECK(lst_fields_object(&fields, "e", LST_FIELD_REQUIRED, &inner) && inner != NULL,
          "an object is");
    CHECK(!lst_fields_integer(&fields, "f", LST_FIELD_OPTIONAL, 0, 9, &number) && number == -3,
          "null is as if it were not there");
    CHECK(!lst_fields_integer(&fields, "g", LST_FIELD_OPTIONAL, 0, 9, &number) && number == -3,
          "what is not there leaves the default");
    CHECK(lst_fields_end(&fields) == LST_OK && fields.problem[0] == '\0', "all is well");
}

static void test_own_problem(void)
{
    begin("{\"url\":\"x\"}", "webhook");
    lst_fields_refuse(&fields, "url", "%s is needed", "a URL");
    lst_fields_refuse(&fields, "url", "something else");
    CHECK(lst_fields_end(&fields) == LST_ERR_MALFORMED, "one's own problem counts");
    CHECK_TEXT(fields.problem, strlen(fields.problem), "webhook.url: a URL is needed",
               "the first is told, with the object's name");
    begin("[]", "webhook");
    CHECK(lst_fields_end(&fields) == LST_ERR_MALFORMED, "a list is no object");
    CHECK_TEXT(fields.problem, strlen(fields.problem), "webhook: a JSON object is needed",
               "and that is told");
}

static void test_cut(void)
{
    char problem[LST_PROBLEM_MAX];
    char name[1000];

    for (size_t i = 0; i + 2 < sizeof(name); i += 2) {
        memcpy(name + i, "\xc3\xa9", 3);
    }
    lst_problem(problem, "x%s", name);
    CHECK(strlen(problem) == LST_PROBLEM_MAX - 1 && lst_slice_is_utf8(lst_slice_of(problem)),
          "a long text is cut, and stays UTF-8");
    lst_problem(problem, "a\nb\x1b\xff\x7f");
    CHECK_TEXT(problem, strlen(problem), "a?b???", "control characters are not repeated");
    begin("{}", NULL);
    json_object_set_new(object, name, json_null());
    lst_fields_text(&fields, "filename", LST_FIELD_OPTIONAL, 1, 10, &(struct lst_slice){0});
    CHECK(lst_fields_end(&fields) == LST_ERR_MALFORMED, "a long unknown name is refused");
    CHECK(strstr(fields.problem, "the only one is filename") != NULL,
          "and leaves room for the names that there are");
}

int main(void)
{
    CHECK(ask("{\"filename\":\"a.jpg\",\"size\":1000,\"replace\":true,\"types\":[1,2],\"vars\":{}"
              "}") == LST_OK,
          "a whole object is read");
    CHECK(ask("{\"filename\":\"a.jpg\"}") == LST_OK, "so is the smallest");
    test_values();
    test_problem("{\"filename\":\"a\",\"size\":\"1\"}", "size: a number is needed");
    test_problem("{\"filename\":\"a\",\"size\":1.0}", "size: a whole number is needed");
    test_problem("{\"filename\":\"a\",\"size\":1001}",
                 "size: a number from 1 to 1000 is needed, not 1001");
    test_problem("{\"filename\":\"a\",\"size\":0}",
                 "size: a number from 1 to 1000 is needed, not 0");
    test_problem("{\"filename\":1}", "filename: a string is needed");
    test_problem("{\"filename\":\"\"}", "filename: it is empty");
    test_problem("{\"filename\":\"01234567890\"}",
                 "filename: 1 to 10 bytes are allowed, it has 11");
    test_problem("{\"filename\":\"a\",\"replace\":1}", "replace: true or false is needed");
    test_problem("{\"filename\":\"a\",\"types\":{}}", "types: a list is needed");
    test_problem("{\"filename\":\"a\",\"types\":[1,2,3]}", "types: at most 2 entries are allowed");
    test_problem("{\"filename\":\"a\",\"vars\":[]}", "vars: a JSON object is needed");
    test_problem("{}", "filename: it is missing");
    test_problem("{\"filename\":null}", "filename: it is missing");
    test_problem("{\"filenam\":\"a\"}",
                 "filenam: there is no such field; the fields are filename, size, "
                 "replace, types, vars");
    test_problem(
        "{\"filename\":\"a\",\"Size\":1}",
        "Size: there is no such field; the fields are filename, size, replace, types, vars");
    test_problem("3", "a JSON object is needed");
    test_own_problem();
    test_cut();
    json_decref(object);
    return tap_done();
}
