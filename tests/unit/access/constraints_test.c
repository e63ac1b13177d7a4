/* constraints_test.c - x-latch- parameters, read and held against facts. */
#include "access/constraints.h"
#include "tap.h"

static int read_one(struct lst_constraints *constraints, const char *name, const char *value)
{
    const char *problem = NULL;
    int status =
        lst_constraints_read(constraints, lst_slice_of(name), lst_slice_of(value), &problem);

    CHECK((problem != NULL) == (status == LST_ERR_MALFORMED), "%s=%s: a problem has words", name,
          value);
    return status;
}

static void check_values(void)
{
    static const struct {
        const char *name;
        const char *value;
        int status;
    } cases[] = {
        {"total", "1", LST_OK},
        {"total", "53687091200000", LST_OK},
        {"total", "53687091200001", LST_ERR_MALFORMED},
        {"total", "0", LST_ERR_MALFORMED},
        {"total", "", LST_ERR_MALFORMED},
        {"length", "0-0", LST_OK},
        {"length", "1-9223372036854775807", LST_OK},
        {"length", "1-9223372036854775808", LST_ERR_MALFORMED},
        {"length", "5-4", LST_ERR_MALFORMED},
        {"length", "5", LST_ERR_MALFORMED},
        {"length", "-5", LST_ERR_MALFORMED},
        {"length", "1-", LST_ERR_MALFORMED},
        {"length", " 1-2", LST_ERR_MALFORMED},
        {"length", "", LST_ERR_MALFORMED},
        {"Length", "1-2", LST_OK},
        {"type", "image/*", LST_OK},
        {"type", "image/png, image/jpeg", LST_OK},
        {"type", "*/*", LST_OK},
        {"type", "image", LST_ERR_MALFORMED},
        {"type", "image/", LST_ERR_MALFORMED},
        {"type", "image/png,", LST_ERR_MALFORMED},
        {"type", "image/png;q=1", LST_ERR_MALFORMED},
        {"type", "", LST_ERR_MALFORMED},
        {"sniff", "1", LST_OK},
        {"sniff", "0", LST_ERR_MALFORMED},
        {"sniff", "", LST_ERR_MALFORMED},
        {"head", "1", LST_OK},
        {"head", "true", LST_ERR_MALFORMED},
        {"new", "1", LST_OK},
        {"new", "0", LST_ERR_MALFORMED},
        {"not-before", "2026-11-24T08:00:00Z", LST_OK},
        {"not-before", "tomorrow", LST_ERR_MALFORMED},
        {"ip", "203.0.113.0/24,2001:db8::7", LST_OK},
        {"ip", "203.0.113.0/33", LST_ERR_MALFORMED},
        {"ip", "localhost", LST_ERR_MALFORMED},
        {"ip", "", LST_ERR_MALFORMED},
        {"ip",
         "1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,"
         "1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1",
         LST_ERR_MALFORMED},
        {"lenght", "1-2", LST_ERR_NOT_FOUND},
        {"", "1", LST_ERR_NOT_FOUND},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lst_constraints constraints = {.given = 0};
        int status = read_one(&constraints, cases[i].name, cases[i].value);

        CHECK(status == cases[i].status, "%s=%s gives %s", cases[i].name, cases[i].value,
              lst_error_text(cases[i].status));
    }
}

static void check_repeated(void)
{
    struct lst_constraints constraints = {.given = 0};

    CHECK(read_one(&constraints, "head", "1") == LST_OK, "once");
    CHECK(read_one(&constraints, "sniff", "1") == LST_OK, "another beside it");
    CHECK(read_one(&constraints, "HEAD", "1") == LST_ERR_EXISTS, "not twice");
}

static void check_types(void)
{
    static const struct {
        const char *types;
        const char *type;
        bool fits;
    } cases[] = {
        {"image/*", "image/png", true},
        {"image/*", "IMAGE/PNG; a=b", true},
        {"image/*", "image/", false},
        {"image/*", "imagex/png", false},
        {"image/*", "image", false},
        {"image/*", "", false},
        {"image/png,text/plain", "text/plain;charset=utf-8", true},
        {"image/png, text/plain", "text/html", false},
        {"image/png", "image/pngx", false},
        {"*/*", "text/html", true},
        {"*/*", "", false},
    };
    struct lst_constraints none = {.given = 0};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lst_constraints constraints = {.types = lst_slice_of(cases[i].types)};

        CHECK(lst_constraints_allow_type(&constraints, lst_slice_of(cases[i].type)) ==
                  cases[i].fits,
              "%s and '%s'", cases[i].types, cases[i].type);
    }
    CHECK(lst_constraints_allow_type(&none, LST_SLICE("text/html")), "no constraint, no limit");
}

static void check_addresses(void)
{
    struct lst_constraints constraints = {.given = 0};

    CHECK(lst_constraints_allow_address(&constraints, LST_SLICE("")), "no constraint, no limit");
    CHECK(read_one(&constraints, "ip", "203.0.113.0/24,2001:db8::/32") == LST_OK, "two networks");
    CHECK(lst_constraints_allow_address(&constraints, LST_SLICE("203.0.113.9")), "in the first");
    CHECK(lst_constraints_allow_address(&constraints, LST_SLICE("::ffff:203.0.113.9")),
          "also when it is written as IPv6");
    CHECK(lst_constraints_allow_address(&constraints, LST_SLICE("2001:db8::1")), "in the second");
    CHECK(!lst_constraints_allow_address(&constraints, LST_SLICE("203.0.114.9")), "in none");
    CHECK(!lst_constraints_allow_address(&constraints, LST_SLICE("unknown")), "no address");
}

int main(void)
{
    check_values();
    check_repeated();
    check_types();
    check_addresses();
    return tap_done();
}
