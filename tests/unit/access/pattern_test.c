/* pattern_test.c - wildcards and policy variables. */
#include "access/pattern.h"

#include "tap.h"

#include <stdlib.h>

enum { ALL = LST_PATTERN_WILDCARDS | LST_PATTERN_VARIABLES };

static bool matches(const char *source, const char *text, unsigned syntax)
{
    struct lst_buffer compiled;
    struct lst_slice variable;
    bool fits;

    lst_buffer_init(&compiled, 4096);
    fits = lst_pattern_compile(lst_slice_of(source), syntax, &compiled, &variable) == LST_OK &&
           lst_pattern_matches(lst_buffer_slice(&compiled), lst_slice_of(text), LST_SLICE("ali*e"),
                               (syntax & LST_PATTERN_LOWER_CASE) != 0);
    lst_buffer_release(&compiled);
    return fits;
}

static void test_table(void)
{
    static const struct {
        const char *pattern;
        const char *text;
        bool want;
    } rows[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"*", "anything/at/all", true},
        {"**", "a", true},
        {"?", "", false},
        {"?", "a", true},
        {"?", "ab", false},
        {"?", "\xC3\xA9", true}, /* é is one character */
        {"??", "\xC3\xA9", false},
        {"a*c", "abc", true},
        {"a*c", "abcd", false},
        {"a*c", "acbc", true},
        {"a*b*c", "a--b--b--c", true},
        {"a*b*c", "a--c--b", false},
        {"*.jpg", "a.jpg.jpg", true},
        {"*.jpg", "a.jpeg", false},
        {"*a?c*", "xxaacabc", true},
        {"photos/*", "photos/", true},
        {"photos/*", "photos", false},
        {"photos/*", "photos/a/b", true},
        {"Photos", "photos", false},
        {"${*}", "*", true},
        {"${*}", "x", false},
        {"${?}${$}", "?$", true},
        {"home/${aws:username}/*", "home/ali*e/x", true},
        {"home/${aws:username}/*", "home/aliXXe/x", false}, /* a name is never a wildcard */
        {"home/${AWS:UserName}", "home/ali*e", true},
        {"*${aws:username}", "ali*ali*e", true},
        {"*${aws:username}", "ali*ali*", false},
        {"${aws:username}${aws:username}", "ali*eali*e", true},
        {"$aws", "$aws", true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK(matches(rows[i].pattern, rows[i].text, ALL) == rows[i].want, "'%s' %s '%s'",
              rows[i].pattern, rows[i].want ? "matches" : "does not match", rows[i].text);
    }
    CHECK(matches("a*", "a*", 0) && !matches("a*", "ab", 0), "without wildcards '*' is itself");
    CHECK(matches("s3:Get*", "S3:gETobject", ALL | LST_PATTERN_LOWER_CASE), "case can be ignored");
}

static void test_unknown_variables(void)
{
    static const char *const sources[] = {"${aws:userid}", "${", "x${}", "${aws:username",
                                          "${aws:username, 'x'}"};

    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        struct lst_buffer compiled;
        struct lst_slice variable = {0};
        lst_buffer_init(&compiled, 4096);
        CHECK(lst_pattern_compile(lst_slice_of(sources[i]), ALL, &compiled, &variable) ==
                      LST_ERR_POLICY &&
                  variable.bytes[0] == '$',
              "'%s' is refused, and pointed at", sources[i]);
        lst_buffer_release(&compiled);
    }
}

/* A recursive matcher would take longer than the universe has, and so than the test may take. */
static void test_worst_case(void)
{
    static const char pattern[] = "*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b";
    char text[1025];

    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    CHECK(!matches(pattern, text, ALL), "a pattern that almost matches everywhere does not match");
}

int main(void)
{
    test_table();
    test_unknown_variables();
    test_worst_case();
    return tap_done();
}
