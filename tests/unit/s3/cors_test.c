/* cors_test.c - which rule of a CORS configuration fits a request. */
#include "s3/cors_cache.h"
#include "tap.h"

#define RULE(content) "<CORSRule>" content "</CORSRule>"
#define ORIGIN(text)  "<AllowedOrigin>" text "</AllowedOrigin>"
#define METHOD(text)  "<AllowedMethod>" text "</AllowedMethod>"
#define HEADER(text)  "<AllowedHeader>" text "</AllowedHeader>"

static const char document[] = "<CORSConfiguration>" RULE(
    ORIGIN("https://a.example") METHOD("PUT") METHOD("GET") HEADER("x-amz-*")
        HEADER("Content-Type") "<ExposeHeader>ETag</ExposeHeader>"
                               "<MaxAgeSeconds>60</MaxAgeSeconds>")
    RULE(METHOD("POST") ORIGIN("https://first.example") ORIGIN("http://*.b.example"))
        RULE(ORIGIN("*") METHOD("GET") HEADER("a*")) "</CORSConfiguration>";

/* The methods of the rule that fits; "" if none does. */
static const char *ask(const char *origin, const char *method, const char *headers)
{
    static char methods[64];
    struct lst_cors_question question = {lst_slice_of(origin), lst_slice_of(method),
                                         lst_slice_of(headers)};
    struct lst_cors_rule rule = {.any_origin = false};
    struct lst_cors_cache *cache;
    int status = lst_cors_cache_open(&cache);

    /* Twice: parsed, and found again. */
    for (int i = 0; i < 2 && status == LST_OK; i++) {
        lst_cors_rule_release(&rule);
        status = lst_cors_cache_match(cache, lst_slice_of(document), &question, &rule);
    }
    lst_cors_cache_close(cache);

    snprintf(methods, sizeof(methods), "%.*s%s", (int)rule.methods.length,
             rule.methods.bytes == NULL ? "" : rule.methods.bytes, rule.any_origin ? " any" : "");
    lst_cors_rule_release(&rule);
    return status == LST_OK ? methods : status == LST_ERR_NOT_FOUND ? "" : "an error";
}

int main(void)
{
    static const struct {
        const char *origin;
        const char *method;
        const char *headers;
        const char *methods;
    } cases[] = {
        {"https://a.example", "PUT", "", "PUT, GET"},
        {"https://a.example", "GET", "content-type,X-AMZ-DATE", "PUT, GET"},
        {"https://a.example", "GET", "x-amz-", "PUT, GET"},
        {"https://a.example", "PUT", "content-type,accept", ""},
        {"https://a.example", "GET", "accept", "GET any"},
        {"https://a.example", "DELETE", "", ""},
        {"https://A.example", "PUT", "", ""},
        {"http://x.b.example", "POST", "", "POST"},
        {"http://x.b.example", "POST", "accept", ""},
        {"https://x.b.example", "POST", "", ""},
        {"http://b.example", "POST", "", ""},
        {"https://first.example", "POST", "", "POST"},
        {"https://anything", "GET", "", "GET any"},
        {"https://anything", "GET", "b", ""},
        {"https://anything", "get", "", ""},
        {"https://anything", "GET", " , ,", "GET any"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *methods = ask(cases[i].origin, cases[i].method, cases[i].headers);
        CHECK(strcmp(methods, cases[i].methods) == 0, "%s %s [%s]: '%s'", cases[i].method,
              cases[i].origin, cases[i].headers, methods);
    }
    return tap_done();
}
