/* json_test.c - reading JSON: what is malformed costs no more than what is not. */
#include "access/json.h"

#include "tap.h"

#include <stdlib.h>

enum { STRINGS = 100000 };

/* ["x","x", ... and no end: all that was read is given up, from the first on. */
static void test_malformed_at_its_end(void)
{
    size_t length = 1 + (size_t)STRINGS * 4;
    char *text = malloc(length);
    json_error_t error;
    json_t *json = NULL;

    text[0] = '[';
    for (size_t i = 0; i < STRINGS; i++) {
        memcpy(text + 1 + 4 * i, "\"x\",", 4);
    }
    CHECK(lst_json_load(lst_slice_make(text, length), 0, &json, &error) == LST_ERR_MALFORMED &&
              json == NULL && error.position > STRINGS,
          "a long list without an end is malformed");
    text[length - 1] = ']';
    CHECK(lst_json_load(lst_slice_make(text, length), 0, &json, &error) == LST_OK &&
              json_array_size(json) == STRINGS,
          "with one it is read");
    json_decref(json);
    free(text);
}

static void test_small(void)
{
    static const char *const malformed[] = {"",   "{", "[1,", "{\"a\":1,\"a\":2}", "\"\\u0000\"",
                                            "nul"};
    json_error_t error;
    json_t *json = NULL;

    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        CHECK(lst_json_load(lst_slice_of(malformed[i]), JSON_REJECT_DUPLICATES, &json, &error) ==
                      LST_ERR_MALFORMED &&
                  json == NULL,
              "malformed: %s", malformed[i]);
    }
    CHECK(lst_json_read(LST_SLICE("{"), &json) == LST_ERR_CORRUPT, "what was stored is damaged");
    CHECK(lst_json_read(LST_SLICE("{\"a\":[1,2.5,{\"b\":null}]}"), &json) == LST_OK, "or read");
    json_decref(json);
}

int main(void)
{
    test_malformed_at_its_end();
    test_small();
    return tap_done();
}
