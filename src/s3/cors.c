/* cors.c - the CORS rules of a bucket: put, get, delete, and the answer to a browser. */
#include "s3/cors.h"

#include "s3/cors_cache.h"
#include "s3/document.h"
#include "s3/setting.h"
#include "s3/xml.h"
#include "s3/xml_read.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    TEXT_MAX = 4096,         /* bytes of one element */
    ID_CHARACTERS_MAX = 255, /* as S3 */
};

static const struct lst_slice setting_name = {"cors", 4};

/* A configuration that is being read: checked, and written again in our own words. */
struct configuration {
    struct lst_buffer written;
    struct lst_buffer rule; /* the elements of the rule that is being read */
    size_t rule_count;
    bool has_origin;
    bool has_method;
    char message[256]; /* what is wrong with it, if S3 has words for that */
};

/* ---- Reading */

static int refuse(struct configuration *configuration, const char *before, struct lst_slice text,
                  const char *after)
{
    (void)snprintf(configuration->message, sizeof(configuration->message), "%s%.*s%s", before,
                   text.length < 100 ? (int)text.length : 100, text.bytes == NULL ? "" : text.bytes,
                   after);
    return LST_ERR_INVALID_ARGUMENT;
}

static bool has_two_wildcards(struct lst_slice text)
{
    size_t star = lst_slice_find(text, '*');
    struct lst_slice rest = lst_slice_after(text, star + 1);

    return star < text.length && lst_slice_find(rest, '*') < rest.length;
}

static bool is_method(struct lst_slice text)
{
    static const char *const methods[] = {"GET", "PUT", "POST", "DELETE", "HEAD"};

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (lst_slice_equal(text, lst_slice_of(methods[i]))) {
            return true;
        }
    }
    return false;
}

static const char too_many[] = "\" can not have more than one wildcard.";
static const char invalid_character[] = "\" contains invalid character.";

static int check_allowed_header(struct configuration *configuration, struct lst_slice text)
{
    if (has_two_wildcards(text)) {
        return refuse(configuration, "AllowedHeader \"", text, too_many);
    }
    return lst_cors_is_header_name(text, true)
               ? LST_OK
               : refuse(configuration, "AllowedHeader \"", text, invalid_character);
}

static int check_exposed_header(struct configuration *configuration, struct lst_slice text)
{
    if (lst_slice_find(text, '*') < text.length) {
        return refuse(configuration, "ExposeHeader \"", text,
                      "\" contains wildcard. We currently do not support wildcard for "
                      "ExposeHeader.");
    }
    return lst_cors_is_header_name(text, false)
               ? LST_OK
               : refuse(configuration, "ExposeHeader \"", text, invalid_character);
}

static int check_element(struct configuration *configuration, const char *name,
                         struct lst_slice text)
{
    uint64_t number;

    if (strcmp(name, "AllowedOrigin") == 0) {
        configuration->has_origin = true;
        return has_two_wildcards(text) ? refuse(configuration, "AllowedOrigin \"", text, too_many)
                                       : LST_OK;
    }
    if (strcmp(name, "AllowedMethod") == 0) {
        configuration->has_method = true;
        return is_method(text) ? LST_OK
                               : refuse(configuration,
                                        "Found unsupported HTTP method in CORS config. Unsupported "
                                        "method is ",
                                        text, "");
    }
    if (strcmp(name, "AllowedHeader") == 0) {
        return check_allowed_header(configuration, text);
    }
    if (strcmp(name, "ExposeHeader") == 0) {
        return check_exposed_header(configuration, text);
    }
    if (strcmp(name, "MaxAgeSeconds") == 0) {
        return lst_slice_to_number(text, INT32_MAX, &number) ? LST_OK : LST_ERR_MALFORMED;
    }
    return strcmp(name, "ID") == 0 && text.length <= ID_CHARACTERS_MAX ? LST_OK : LST_ERR_MALFORMED;
}

static int end_rule(struct configuration *configuration)
{
    struct lst_buffer *written = &configuration->written;

    configuration->rule_count++;
    if (!configuration->has_origin || !configuration->has_method ||
        configuration->rule_count > LST_CORS_RULES_MAX) {
        return LST_ERR_MALFORMED;
    }
    lst_xml_open(written, "CORSRule");
    lst_buffer_append(written, lst_buffer_slice(&configuration->rule));
    lst_xml_close(written, "CORSRule");
    lst_buffer_clear(&configuration->rule);
    configuration->has_origin = false;
    configuration->has_method = false;
    return lst_buffer_status(written);
}

static int visit(void *context, const char *path, struct lst_slice text)
{
    static const char prefix[] = "CORSConfiguration/CORSRule";
    struct configuration *configuration = context;
    const char *name;
    int status;

    if (strcmp(path, "CORSConfiguration") == 0) {
        return configuration->rule_count > 0 ? LST_OK : LST_ERR_MALFORMED;
    }
    if (strcmp(path, prefix) == 0) {
        return end_rule(configuration);
    }
    if (strncmp(path, prefix, sizeof(prefix) - 1) != 0 || path[sizeof(prefix) - 1] != '/') {
        return LST_ERR_MALFORMED;
    }
    name = path + sizeof(prefix);
    status = check_element(configuration, name, text);
    if (status == LST_OK) {
        lst_xml_text(&configuration->rule, name, text);
        status = lst_buffer_status(&configuration->rule);
    }
    return status;
}

/* ---- The operations */

/* False, having answered, if it is none. */
static bool read_configuration(struct lst_s3_exchange *exchange, struct lst_slice document,
                               struct configuration *configuration)
{
    int status;

    lst_xml_begin(&configuration->written, "CORSConfiguration");
    status = lst_xml_read(document, TEXT_MAX, visit, configuration);
    lst_xml_close(&configuration->written, "CORSConfiguration");
    if (status == LST_OK) { /* written again it may be longer than it came */
        status = lst_buffer_status(&configuration->written);
    }
    if (status == LST_ERR_INVALID_ARGUMENT) {
        lst_s3_fail_with(exchange, LST_S3_INVALID_REQUEST, configuration->message, NULL, 0);
    } else if (status == LST_ERR_MALFORMED) {
        lst_s3_fail(exchange, LST_S3_MALFORMED_XML);
    } else if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
    }
    return status == LST_OK;
}

/* The same, and write it. */
static bool set_configuration(struct lst_s3_exchange *exchange, struct lst_slice document)
{
    struct configuration configuration = {.rule_count = 0};
    struct lst_slice value;
    bool is_set = false;

    lst_buffer_init(&configuration.written, LST_STORE_SETTING_MAX);
    lst_buffer_init(&configuration.rule, LST_STORE_SETTING_MAX);
    if (read_configuration(exchange, document, &configuration)) {
        value = lst_buffer_slice(&configuration.written);
        is_set = lst_setting_set(exchange, setting_name, &value);
    }
    lst_buffer_release(&configuration.written);
    lst_buffer_release(&configuration.rule);
    return is_set;
}

void lst_put_bucket_cors(struct lst_s3_exchange *exchange)
{
    static const struct lst_document_plan plan = {
        .limit = LST_CORS_DOCUMENT_MAX, .length_required = true, .digest_required = true};
    struct lst_buffer document;

    if (lst_document_read(exchange, &plan, &document) &&
        set_configuration(exchange, lst_buffer_slice(&document))) {
        lst_s3_answer_done(exchange);
    }
    lst_buffer_release(&document);
}

void lst_get_bucket_cors(struct lst_s3_exchange *exchange)
{
    lst_setting_get(exchange, setting_name, LST_S3_NO_SUCH_CORS);
}

void lst_delete_bucket_cors(struct lst_s3_exchange *exchange)
{
    lst_setting_delete(exchange, setting_name);
}

/* ---- Browsers */

static int decode_target(const struct lst_s3 *s3, const struct lst_http_request *request,
                         char *scratch, struct lst_target *ret_target)
{
    struct lst_slice host =
        request->forwarded_host.length > 0 ? request->forwarded_host : request->host;

    return lst_target_decode(request->path, host, s3->options.domains, s3->options.domain_count,
                             scratch, ret_target);
}

/* The rules of the bucket that a request is for. LST_ERR_NOT_FOUND, LST_ERR_BUCKET_NOT_FOUND, or
 * whatever hinders. */
static int find_rules(const struct lst_s3 *s3, const struct lst_http_request *request,
                      struct lst_buffer *rules)
{
    char *scratch = malloc(request->path.length + 1);
    struct lst_target target;
    int status;

    if (scratch == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    /* A path that names nothing has no rules either. */
    status = decode_target(s3, request, scratch, &target) == LST_OK && target.bucket.length > 0
                 ? lst_bucket_setting(s3->options.store, target.bucket, setting_name, rules)
                 : LST_ERR_NOT_FOUND;
    free(scratch);
    return status;
}

const char *lst_s3_cors_resource(const struct lst_s3 *s3, const struct lst_http_request *request)
{
    char *scratch = malloc(request->path.length + 1);
    struct lst_target target = {.level = LST_LEVEL_BUCKET};

    if (s3 != NULL && scratch != NULL && decode_target(s3, request, scratch, &target) != LST_OK) {
        target.level = LST_LEVEL_OBJECT;
    }
    free(scratch);
    return target.level == LST_LEVEL_OBJECT ? "OBJECT" : "BUCKET";
}

/* The requested headers, in lower case and parted by ", ", as S3 lists them. */
static void list_headers(struct lst_slice requested, struct lst_buffer *list)
{
    struct lst_slice name;

    while (lst_slice_split(&requested, ',', &name)) {
        name = lst_slice_trim(name);
        if (name.length > 0 && list->length > 0) {
            lst_buffer_append_string(list, ", ");
        }
        for (size_t i = 0; i < name.length; i++) {
            char byte = name.bytes[i];
            byte = (char)(byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte);
            lst_buffer_append(list, lst_slice_make(&byte, 1));
        }
    }
}

static void add_headers(struct lst_http_response *response,
                        const struct lst_cors_question *question, const struct lst_cors_rule *rule,
                        struct lst_slice allowed)
{
    lst_http_response_add(response, "Access-Control-Allow-Origin",
                          rule->any_origin ? LST_SLICE("*") : question->origin);
    lst_http_response_add(response, "Access-Control-Allow-Methods",
                          lst_buffer_slice(&rule->methods));
    if (allowed.length > 0) {
        lst_http_response_add(response, "Access-Control-Allow-Headers", allowed);
    }
    if (rule->exposed.length > 0) {
        lst_http_response_add(response, "Access-Control-Expose-Headers",
                              lst_buffer_slice(&rule->exposed));
    }
    if (rule->max_age.length > 0) {
        lst_http_response_add(response, "Access-Control-Max-Age", lst_buffer_slice(&rule->max_age));
    }
    if (!rule->any_origin) {
        lst_http_response_add(response, "Access-Control-Allow-Credentials", LST_SLICE("true"));
    }
}

/* What the rules say, as they are kept. What can't be read in them allows nothing. */
static enum lst_cors_verdict ask_rules(const struct lst_s3 *s3, struct lst_slice rules,
                                       const struct lst_cors_question *question,
                                       struct lst_http_response *response)
{
    struct lst_cors_rule rule;
    struct lst_buffer allowed;
    int status = lst_cors_cache_match(s3->cors, rules, question, &rule);

    lst_buffer_init(&allowed, 2 * question->headers.length + 2);
    if (status == LST_OK) {
        list_headers(question->headers, &allowed);
        status = lst_buffer_status(&allowed);
    }
    if (status == LST_OK) {
        add_headers(response, question, &rule, lst_buffer_slice(&allowed));
    }
    lst_buffer_release(&allowed);
    lst_cors_rule_release(&rule);
    if (status == LST_ERR_NO_MEMORY) {
        return LST_CORS_UNKNOWN;
    }
    return status == LST_OK ? LST_CORS_ALLOWED : LST_CORS_FORBIDDEN;
}

enum lst_cors_verdict lst_s3_cors(const struct lst_s3 *s3, const struct lst_http_request *request,
                                  struct lst_http_response *response)
{
    struct lst_cors_question question = {
        .origin = lst_http_header(request, LST_HEADER_ORIGIN),
        .method = lst_http_header(request, LST_HEADER_ACCESS_CONTROL_REQUEST_METHOD),
        .headers = lst_http_header(request, LST_HEADER_ACCESS_CONTROL_REQUEST_HEADERS),
    };
    enum lst_cors_verdict verdict = LST_CORS_UNKNOWN;
    struct lst_buffer rules;
    int status = LST_ERR_NOT_FOUND;

    if (question.method.length == 0) {
        question.method =
            request->message.method; /* OPTIONS, which no rule allows, or an actual one */
    }
    lst_buffer_init(&rules, LST_STORE_SETTING_MAX);
    if (s3 != NULL) {
        status = find_rules(s3, request, &rules);
    }
    if (status == LST_OK) {
        verdict = ask_rules(s3, lst_buffer_slice(&rules), &question, response);
    } else if (status == LST_ERR_NOT_FOUND) {
        verdict = LST_CORS_NO_RULES;
    } else if (status == LST_ERR_BUCKET_NOT_FOUND) {
        verdict = LST_CORS_NO_BUCKET;
    }
    lst_buffer_release(&rules);
    return verdict;
}
