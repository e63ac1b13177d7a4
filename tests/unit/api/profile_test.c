/* profile_test.c - profiles: what can be written in one, and what is said about mistakes. */
#include "api/profile.h"

#include "tap.h"

#include <stdlib.h>

static char problem[LST_PROBLEM_MAX];
static struct lst_profile profile;

static int parse(const char *text, const char *name)
{
    problem[0] = '\0';
    return lst_profile_parse(lst_slice_of(text), lst_slice_of(name), problem, &profile);
}

/* A good profile with these fields added. */
static int parse_with(const char *fields)
{
    char text[8192];

    snprintf(text, sizeof(text), "{\"bucket\":\"photos\",\"key\":\"a/{uuid}\"%s%s}",
             fields[0] == '\0' ? "" : ",", fields);
    return parse(text, "p");
}

static void test_refused(const char *fields, const char *wanted)
{
    CHECK(parse_with(fields) == LST_ERR_MALFORMED, "refused: %s", fields);
    CHECK_TEXT(problem, strlen(problem), wanted, wanted);
}

static void test_whole(void)
{
    static const char text[] =
        "{\"name\":\"avatars\",\"remote\":\"\",\"bucket\":\"photos\",\"key\":\"a/{user}/"
        "{uuid}.{ext}\","
        "\"types\":[\"image/*\",\"application/pdf\"],\"min_size\":1,\"max_size\":5497558138880,"
        "\"upload_expires\":60,\"link_expires\":604800,\"replace\":true,\"check_content\":true,"
        "\"webhook\":{\"url\":\"https://app.example/hook?x=1\",\"secret\":\"0123456789abcdef\"},"
        "\"approve\":{\"url\":\"https://app.example/ask\",\"secret\":\"0123456789secret\","
        "\"seconds\":20}}";
    json_t *json;
    char *dumped;

    CHECK(parse(text, "") == LST_OK, "a whole profile is read (%s)", problem);
    CHECK(strcmp(profile.name, "avatars") == 0 && strcmp(profile.bucket, "photos") == 0 &&
              strcmp(profile.key, "a/{user}/{uuid}.{ext}") == 0 &&
              strcmp(profile.types, "image/*,application/pdf") == 0,
          "its texts are right");
    CHECK(profile.min_size == 1 && profile.max_size == 5497558138880 &&
              profile.upload_expires == 60 && profile.link_expires == 604800 && profile.replace &&
              profile.check_content,
          "and its numbers");
    json = lst_profile_to_json(&profile, true);
    dumped = json_dumps(json, JSON_COMPACT);
    CHECK_TEXT(dumped, strlen(dumped), text, "it can be written as it was");
    free(dumped);
    json_decref(json);
    json = lst_profile_to_json(&profile, false);
    dumped = json_dumps(json, JSON_COMPACT);
    CHECK(strstr(dumped, "https://app.example") != NULL && strstr(dumped, "0123456789") == NULL &&
              strstr(dumped, "secret") == NULL,
          "without its secret too");
    free(dumped);
    json_decref(json);
    lst_profile_release(&profile);
    CHECK(profile.webhook_secret[0] == '\0' && profile.approve_secret[0] == '\0',
          "the secrets are gone when it is released");
}

static void test_defaults(void)
{
    json_t *json;

    CHECK(parse_with("") == LST_OK, "bucket and key are enough");
    CHECK(strcmp(profile.name, "p") == 0 && profile.remote[0] == '\0' && profile.types[0] == '\0' &&
              profile.min_size == 0 && profile.max_size == 5368709120 &&
              profile.upload_expires == 900 && profile.link_expires == 3600 && !profile.replace &&
              !profile.check_content && profile.webhook_url[0] == '\0',
          "all else has a default");
    json = lst_profile_to_json(&profile, true);
    CHECK(json_object_get(json, "webhook") == NULL &&
              json_is_array(json_object_get(json, "types")) &&
              json_integer_value(json_object_get(json, "max_size")) == 5368709120,
          "which is shown");
    json_decref(json);
    CHECK(parse_with("\"webhook\":null") == LST_OK, "null is as nothing");
}

static void test_names(void)
{
    CHECK(parse("{\"bucket\":\"photos\",\"key\":\"a\"}", "") == LST_ERR_MALFORMED &&
              strcmp(problem, "name: it is missing") == 0,
          "a profile says its name");
    test_refused("\"name\":\"q\"", "name: it is 'q' here, and must be 'p'");
    CHECK(parse_with("\"name\":\"p\"") == LST_OK, "its name may be said again");
    CHECK(lst_profile_name_is_valid(LST_SLICE("a-b_c.D9")), "letters, digits and marks");
    CHECK(!lst_profile_name_is_valid(LST_SLICE("")) &&
              !lst_profile_name_is_valid(LST_SLICE(".a")) &&
              !lst_profile_name_is_valid(LST_SLICE("a/b")) &&
              !lst_profile_name_is_valid(LST_SLICE("a,b")) &&
              !lst_profile_name_is_valid(lst_slice_make(
                  "0123456789012345678901234567890123456789012345678901234567890123x", 65)),
          "and nothing else");
}

static void test_types(void)
{
    const char *none = "types: entry 1 is no media type, such as image/png or image/*";

    CHECK(parse_with("\"types\":[\"image/*\",\"text/plain\"]") == LST_OK, "types are read");
    CHECK(lst_profile_allows_type(&profile, LST_SLICE("image/png")) &&
              lst_profile_allows_type(&profile, LST_SLICE("Text/Plain; charset=utf-8")),
          "and allow what fits");
    CHECK(!lst_profile_allows_type(&profile, LST_SLICE("text/html")) &&
              !lst_profile_allows_type(&profile, LST_SLICE("")) &&
              !lst_profile_allows_type(&profile, LST_SLICE("imagex/png")),
          "and nothing else");
    CHECK(parse_with("\"types\":[\"*/*\"]") == LST_OK &&
              lst_profile_allows_type(&profile, LST_SLICE("a/b")),
          "*/* allows all");
    CHECK(parse_with("\"types\":[]") == LST_OK &&
              lst_profile_allows_type(&profile, LST_SLICE("a/b")) &&
              lst_profile_allows_type(&profile, LST_SLICE("")),
          "no types allow all, and none");
    test_refused("\"types\":[\"image\"]", none);
    test_refused("\"types\":[\"image/p*\"]", none);
    test_refused("\"types\":[\"*/png\"]", none);
    test_refused("\"types\":[\"im*/*\"]", none);
    test_refused("\"types\":[\"image/png,image/gif\"]", none);
    test_refused("\"types\":[\" image/png\"]", none);
    test_refused("\"types\":[\"\"]", none);
    test_refused("\"types\":[7]", none);
    test_refused("\"types\":[\"a/b\",\"c\"]",
                 "types: entry 2 is no media type, such as image/png or image/*");
    test_refused("\"types\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]",
                 "types: at most 16 entries are allowed");
}

static void test_longest_types(void)
{
    char fields[4096] = "\"types\":[";
    char type[130];
    size_t length = strlen(fields);

    memset(type, 'a', 127);
    memcpy(type, "x/", 2);
    type[127] = '\0';
    for (int i = 0; i < 16; i++) {
        length += (size_t)snprintf(fields + length, sizeof(fields) - length, "%s\"%s\"",
                                   i == 0 ? "" : ",", type);
    }
    snprintf(fields + length, sizeof(fields) - length, "]");
    CHECK(parse_with(fields) == LST_OK && strlen(profile.types) == 16 * 127 + 15,
          "16 types of 127 bytes fit (%s)", problem);
    snprintf(fields, sizeof(fields), "\"types\":[\"%sa\"]", type);
    CHECK(parse_with(fields) == LST_ERR_MALFORMED, "one of 128 does not");
}

static void test_places(void)
{
    CHECK(parse("{\"bucket\":\"Old_Bucket\",\"key\":\"a\",\"remote\":\"aws\"}", "p") == LST_OK,
          "a remote may have older names of buckets");
    CHECK(parse("{\"bucket\":\"Old_Bucket\",\"key\":\"a\"}", "p") == LST_ERR_MALFORMED &&
              strcmp(problem, "bucket: it is not a bucket's name") == 0,
          "this server does not");
    CHECK(parse("{\"bucket\":\"a/b\",\"key\":\"a\",\"remote\":\"aws\"}", "p") == LST_ERR_MALFORMED,
          "a slash is in no bucket's name");
    CHECK(parse("{\"bucket\":\"photos\",\"key\":\"a\",\"remote\":\"a b\"}", "p") ==
                  LST_ERR_MALFORMED &&
              strcmp(problem, "remote: it is not the name of a remote") == 0,
          "nor a space in a remote's");
    CHECK(parse("{\"bucket\":\"photos\",\"key\":\"a/../b\"}", "p") == LST_ERR_MALFORMED &&
              strcmp(problem, "key: \".\" and \"..\" can't stand between slashes") == 0,
          "the template is checked (%s)", problem);
    CHECK(parse("{\"bucket\":\"photos\"}", "p") == LST_ERR_MALFORMED &&
              strcmp(problem, "key: it is missing") == 0,
          "and must be there");
}

static void test_webhook(const char *url, bool is_right)
{
    char fields[4096];

    snprintf(fields, sizeof(fields), "\"webhook\":{\"url\":\"%s\",\"secret\":\"0123456789abcdef\"}",
             url);
    CHECK(parse_with(fields) == (is_right ? LST_OK : LST_ERR_MALFORMED), "webhook %s is %s", url,
          is_right ? "taken" : "refused");
}

int main(void)
{
    test_whole();
    test_defaults();
    test_names();
    test_types();
    test_longest_types();
    test_places();
    test_refused("\"min_size\":-1", "min_size: a number from 0 to 5497558138880 is needed, not -1");
    test_refused("\"max_size\":5497558138881",
                 "max_size: a number from 0 to 5497558138880 is needed, not 5497558138881");
    test_refused("\"min_size\":2,\"max_size\":1", "min_size: it is larger than max_size");
    test_refused("\"upload_expires\":0",
                 "upload_expires: a number from 1 to 604800 is needed, not 0");
    test_refused("\"link_expires\":604801",
                 "link_expires: a number from 1 to 604800 is needed, not 604801");
    test_refused("\"replace\":\"yes\"", "replace: true or false is needed");
    test_refused(
        "\"maxsize\":1",
        "maxsize: there is no such field; the fields are name, remote, bucket, key, types, "
        "min_size, max_size, upload_expires, link_expires, replace, check_content, webhook, "
        "approve");
    test_refused("\"webhook\":\"https://a\"", "webhook: a JSON object is needed");
    test_refused("\"webhook\":{}", "webhook.url: it is missing");
    test_refused("\"remote\":\"r\",\"webhook\":{\"url\":\"https://a\",\"secret\":"
                 "\"0123456789abcdef\"}",
                 "webhook: what comes to a remote is not seen here");
    test_refused("\"webhook\":{\"url\":\"https://a\"}", "webhook.secret: it is missing");
    test_refused("\"approve\":{\"url\":\"https://a\"}", "approve.secret: it is missing");
    test_refused("\"remote\":\"r\",\"approve\":{\"url\":\"https://a\",\"secret\":"
                 "\"0123456789abcdef\"}",
                 "approve: what comes to a remote is not seen here");
    test_refused("\"approve\":{\"url\":\"https://a\",\"secret\":\"0123456789abcdef\","
                 "\"seconds\":61}",
                 "approve.seconds: a number from 1 to 60 is needed, not 61");
    test_refused("\"webhook\":{\"url\":\"https://a\",\"secret\":\"short\"}",
                 "webhook.secret: 16 to 256 bytes are allowed, it has 5");
    test_refused("\"webhook\":{\"url\":\"https://a\",\"secret\":\"0123456789abcdef\",\"x\":1}",
                 "webhook.x: there is no such field; the fields are url, secret");
    test_webhook("https://a.example", true);
    test_webhook("HTTP://127.0.0.1:8080/x?y=z@w", true);
    test_webhook("http://[::1]:80/", true);
    test_webhook("ftp://a.example", false);
    test_webhook("https://", false);
    test_webhook("https:///x", false);
    test_webhook("https://?x", false);
    test_webhook("https://:80/", false);
    test_webhook("https://u:p@a.example/", false);
    test_webhook("https://a.example/#x", false);
    test_webhook("https://a b/", false);
    test_webhook("https://a\\r\\nb/", false);
    test_webhook("https://\\u00e9/", false);
    CHECK(parse("{\"webhook\":{\"secret\":\"0123456789abcdef}", "p") == LST_ERR_MALFORMED &&
              strstr(problem, "line 1") != NULL && strstr(problem, "0123") == NULL,
          "what is not JSON is told without quoting it (%s)", problem);
    CHECK(parse("{\"key\":\"a\",\"key\":\"b\"}", "p") == LST_ERR_MALFORMED &&
              strstr(problem, "already") != NULL,
          "a field can't be there twice");
    CHECK(parse("[]", "p") == LST_ERR_MALFORMED && strcmp(problem, "a JSON object is needed") == 0,
          "a list is no profile");
    CHECK(parse("", "p") == LST_ERR_MALFORMED, "nor is nothing");
    return tap_done();
}
