/* template_test.c - where uploads go: keys from templates, and what callers can't do with them. */
#include "api/template.h"

#include "tap.h"

#define NOW 1795460280 /* 2026-11-23T19:18:00Z */

static char problem[LST_PROBLEM_MAX];
static struct lst_buffer key;

static int expand(const char *template, const char *filename, const char *type, const char *vars)
{
    struct lst_template_facts facts = {.filename = lst_slice_of(filename),
                                       .type = lst_slice_of(type),
                                       .variables = json_loads(vars, 0, NULL),
                                       .now = NOW};
    int status;

    lst_buffer_clear(&key);
    lst_buffer_append_string(&key, "=");
    problem[0] = '\0';
    status = lst_template_expand(lst_slice_of(template), &facts, &key, problem);
    json_decref(facts.variables);
    return status;
}

static void test_key(const char *template, const char *filename, const char *type, const char *vars,
                     const char *wanted)
{
    int status = expand(template, filename, type, vars);

    CHECK(status == LST_OK, "%s: is expanded (%s)", template, problem);
    CHECK(key.length > 0 && key.bytes[0] == '=', "is appended");
    CHECK_TEXT(key.bytes + 1, key.length - 1, wanted, wanted);
}

static void test_refused(const char *template, const char *filename, const char *type,
                         const char *vars, const char *wanted)
{
    CHECK(expand(template, filename, type, vars) == LST_ERR_MALFORMED && key.length == 1,
          "refused, nothing appended: %s %s", template, vars);
    CHECK_TEXT(problem, strlen(problem), wanted, wanted);
}

static void test_checked(const char *template, const char *part)
{
    CHECK(lst_template_check(lst_slice_of(template), problem) == LST_ERR_MALFORMED &&
              strncmp(problem, "key: ", 5) == 0 && strstr(problem, part) != NULL,
          "no template: %s (%s)", template, problem);
}

static void test_uuid(void)
{
    char first[37];
    bool is_right = true;

    CHECK(expand("{uuid}", "", "", "{}") == LST_OK && key.length == 37, "a UUID has 36 characters");
    memcpy(first, key.bytes + 1, 36);
    for (size_t i = 0; i < 36; i++) {
        is_right = is_right && strchr(i == 8 || i == 13 || i == 18 || i == 23 ? "-"
                                      : i == 14                               ? "4"
                                      : i == 19                               ? "89ab"
                                                                              : "0123456789abcdef",
                                      first[i]) != NULL;
    }
    CHECK(is_right, "of version 4");
    CHECK(expand("{uuid}", "", "", "{}") == LST_OK && memcmp(first, key.bytes + 1, 36) != 0,
          "and another one each time");
}

static void test_extensions(void)
{
    test_key("x.{ext}", "me.JPG", "image/png", "{}", "x.jpg");
    test_key("x.{ext}", "a.tar.gz", "", "{}", "x.gz");
    test_key("x.{ext}", "me", "image/png", "{}", "x.png");
    test_key("x.{ext}", "me", "IMAGE/JPEG; q=1", "{}", "x.jpg");
    test_key("x.{ext}", "a.b/me", "text/plain;charset=utf-8", "{}", "x.txt");
    test_key("x.{ext}", ".htaccess", "", "{}", "x.bin");
    test_key("x.{ext}", "a.", "image/webp", "{}", "x.webp");
    test_key("x.{ext}", "a.j pg", "", "{}", "x.bin");
    test_key("x.{ext}", "a.12345678901234567", "", "{}", "x.bin");
    test_key("x.{ext}", "a.1234567890123456", "", "{}", "x.1234567890123456");
    test_key("x.{ext}", "a.j\xc3\xa9", "what/ever", "{}", "x.bin");
    test_key("x.{ext}", "", "", "{}", "x.bin");
}

static void test_filenames(void)
{
    char filename[400];
    char wanted[200];

    test_key("f/{filename}", "a b.JPG", "", "{}", "f/a b.JPG");
    test_key("f/{filename}", "../../etc/passwd", "", "{}", "f/passwd");
    test_key("f/{filename}", "C:\\Users\\me\\cat.png", "", "{}", "f/cat.png");
    test_key("f/{filename}", "..", "", "{}", "f/file");
    test_key("f/{filename}", "a/", "", "{}", "f/file");
    test_key("f/{filename}", "...htaccess", "", "{}", "f/htaccess");
    test_key("f/{filename}", "\x01..htaccess", "", "{}", "f/file.htaccess");
    test_key("f/{filename}", "\x01.jpg", "", "{}", "f/file.jpg");
    test_key("f/{filename}", " a\nb\x7f\xc2\x85.txt ", "", "{}", "f/ab.txt");
    test_key("f/{filename}", "\xe2\x80\xaegpj.exe", "", "{}", "f/gpj.exe");
    test_key("f/{filename}", "\xe7\x8c\xab.png", "", "{}", "f/\xe7\x8c\xab.png");
    for (size_t i = 0; i < 300; i += 3) {
        memcpy(filename + i, "\xe7\x8c\xab", 4);
    }
    memcpy(filename + 300, ".jpeg", 6);
    snprintf(wanted, sizeof(wanted), "f/%.123s.jpeg", filename);
    test_key("f/{filename}", filename, "", "{}", wanted);
    test_refused("f/{filename}", "", "", "{}",
                 "filename: it is missing, and the key is made from it");
    test_refused("f/{filename}", "\xff.jpg", "", "{}", "filename: it is not UTF-8");
}

static void test_variables(void)
{
    const char *bad[] = {"a/b", "a\\\\b", "..", ".", "a\\nb", "\\u202eb", "\\u0085"};
    char vars[200];
    char longest[129];

    test_key("avatars/{user}/{album-1}.{ext}", "a.jpg", "",
             "{\"user\":\"42\",\"album-1\":\"\xc3\xa9 {x}\"}", "avatars/42/\xc3\xa9 {x}.jpg");
    test_key("{user}{user}", "", "", "{\"user\":\"4\"}", "44");
    memset(longest, 'a', 128);
    longest[128] = '\0';
    snprintf(vars, sizeof(vars), "{\"user\":\"%s\"}", longest);
    test_key("{user}", "", "", vars, longest);
    snprintf(vars, sizeof(vars), "{\"user\":\"%sa\"}", longest);
    test_refused("{user}", "", "", vars, "vars.user: 1 to 128 bytes are allowed, it has 129");
    test_refused("{user}", "", "", "{\"user\":\"\"}",
                 "vars.user: 1 to 128 bytes are allowed, it has 0");
    test_refused("{user}", "", "", "{}", "vars.user: it is missing, and the key is made from it");
    test_refused("{user}", "", "", "{\"user\":42}", "vars.user: a string is needed");
    test_refused("{user}", "", "", "[]", "vars: a JSON object is needed");
    test_refused("a/{user}/{b}", "", "", "{\"usr\":\"1\"}",
                 "vars.usr: the key has no such variable; it has user, b");
    test_refused("a", "", "", "{\"user\":\"1\"}",
                 "vars.user: the key has no such variable; it has none");
    test_refused("{uuid}", "", "", "{\"uuid\":\"1\"}",
                 "vars.uuid: the key has no such variable; it has none");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(vars, sizeof(vars), "{\"user\":\"%s\"}", bad[i]);
        test_refused("x{user}", "", "", vars,
                     "vars.user: slashes, control characters and marks of direction are not "
                     "allowed, nor \".\" and \"..\"");
    }
}

static void test_long(void)
{
    char template[1100];
    char wanted[1100];

    memset(template, 'k', sizeof(template));
    memcpy(template + 1018, "{user}", 7);
    memset(wanted, 'k', sizeof(wanted));
    memcpy(wanted + 1018, "123456", 7);
    test_key(template, "", "", "{\"user\":\"123456\"}", wanted);
    test_refused(
        template, "", "", "{\"user\":\"1234567\"}",
        "key: it would have 1025 bytes, and 1024 are the most a key can have; shorter vars "
        "or a shorter filename help");
    memset(template, 'k', sizeof(template));
    template[1025] = '\0';
    test_checked(template, "1 to 1024 bytes");
}

int main(void)
{
    lst_buffer_init(&key, 4096);
    test_key("plain/key.txt", "a.jpg", "image/png", "{}", "plain/key.txt");
    test_key("{date}/{type}/x", "", "image/png", "{}", "2026/11/23/image/x");
    test_key("{type}", "", "", "{}", "application");
    test_key("{type}", "", " Video/MP4; a=b", "{}", "video");
    test_refused("{type}", "", "image", "{}", "type: a media type such as image/png is needed");
    test_refused("{type}", "", "../x", "{}", "type: a media type such as image/png is needed");
    test_uuid();
    test_extensions();
    test_filenames();
    test_variables();
    test_refused("a/.{x}", "", "", "{\"x\":\".\"}",
                 "vars.x: slashes, control characters and marks of direction are not allowed, nor "
                 "\".\" and \"..\"");
    test_key("a/.{x}", "", "", "{\"x\":\"..\\u00e9\"}", "a/...\xc3\xa9");
    test_long();
    test_checked("", "1 to 1024 bytes");
    test_checked("a{", "at '{'");
    test_checked("a}", "at 'a}'");
    test_checked("a{b", "at '{b'");
    test_checked("{}", "at '{}'");
    test_checked("{a{b}}", "at '{a{b}}'");
    test_checked("{a b}", "at '{a b}'");
    test_checked("{a}}", "at '}'");
    test_checked("/a", "begins with a '/'");
    test_checked("a/../b", "\"..\"");
    test_checked("a/.", "\"..\"");
    test_checked("a\nb", "control character");
    test_checked("a\xff", "UTF-8");
    CHECK(lst_template_check(LST_SLICE("a/{user}/.well-known/..x/{uuid}.{ext}"), problem) == LST_OK,
          "a template may have names that begin with dots");
    lst_buffer_release(&key);
    return tap_done();
}
