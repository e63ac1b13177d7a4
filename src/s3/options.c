/* options.c - what a request asks for in its query parameters and x-amz- headers. */
#include "s3/bucket.h"
#include "s3/exchange.h"

#include <stdio.h>

bool lst_s3_parameter(const struct lst_s3_exchange *exchange, enum lst_parameter number,
                      struct lst_slice *ret_value)
{
    const struct lst_http_parameter *parameter = lst_http_parameter(exchange->request, number);

    *ret_value = parameter == NULL ? lst_slice_make(NULL, 0) : parameter->text.value;
    return parameter != NULL;
}

bool lst_s3_option(const struct lst_s3_exchange *exchange, enum lst_header number,
                   struct lst_slice *ret_value)
{
    return lst_http_option(exchange->request, number, ret_value);
}

bool lst_s3_is_allowed(struct lst_s3_exchange *exchange, const char *action, struct lst_slice key)
{
    struct lst_access_question question = {
        .action = lst_slice_of(action),
        .bucket = exchange->target.bucket,
        .key = key,
    };

    return lst_gate_authorise(exchange->s3->options.gate, &exchange->passage, &question) == LST_OK;
}

bool lst_s3_could_be_allowed(struct lst_s3_exchange *exchange, const char *action)
{
    struct lst_access_question question = {
        .action = lst_slice_of(action),
        .bucket = exchange->target.bucket,
        .any_key = true,
    };

    return lst_gate_authorise(exchange->s3->options.gate, &exchange->passage, &question) == LST_OK;
}

/*
 * Options that ask for something which is not implemented. To ignore one would be to do less than
 * the client asked for and to say that it went well: an object that is not encrypted, not locked,
 * not tagged, or not the caller's.
 */
static const struct unsupported {
    const char *name;     /* after "x-amz-" */
    bool is_prefix;       /* all names that begin so */
    const char *harmless; /* a value that asks for nothing, or NULL */
} unsupported[] = {
    {"server-side-encryption", true, NULL},
    {"object-lock-", true, NULL},
    {"grant-", true, NULL},
    {"copy-source-server-side-encryption", true, NULL},
    {"website-redirect-location", false, NULL},
    {"write-offset-bytes", false, NULL},
    {"mfa", false, NULL},
    {"expected-bucket-owner", false, NULL},
    {"source-expected-bucket-owner", false, NULL},
    {"if-match-", true, NULL},
    {"object-if-match", false, NULL},
    {"rename-source", true, NULL},
    {"bucket-namespace", false, "global"},
    {"bucket-object-lock-enabled", false, "false"},
    {"object-ownership", false, "BucketOwnerEnforced"},
    {"checksum-sha512", false, NULL},
    {"checksum-md5", false, NULL},
    {"checksum-xxhash", true, NULL},
};

/* Is it that name, or, if that is a prefix, does it begin so? In any case. */
static bool is_name(struct lst_slice name, const char *wanted, bool is_prefix)
{
    struct lst_slice text = lst_slice_of(wanted);

    return lst_slice_starts_with_ignoring_case(name, text) &&
           (is_prefix || name.length == text.length);
}

/* name: after "x-amz-". */
static bool is_unsupported(struct lst_slice name, struct lst_slice value)
{
    for (size_t i = 0; i < sizeof(unsupported) / sizeof(unsupported[0]); i++) {
        const struct unsupported *option = &unsupported[i];
        /* Most names, those of a signature first of all, differ in their first letter. */
        if (name.length > 0 && (name.bytes[0] | 0x20) != option->name[0]) {
            continue;
        }
        if (is_name(name, option->name, option->is_prefix)) {
            return option->harmless == NULL ||
                   !lst_slice_equal_ignoring_case(lst_slice_trim(value),
                                                  lst_slice_of(option->harmless));
        }
    }
    return false;
}

/*
 * Options that change what is done, and what an operation's row has if it heeds them. Elsewhere to
 * ignore one would be to do something else than was asked for: to delete an object instead of
 * copying it.
 */
static const struct bound {
    const char *name; /* after "x-amz-" */
    bool is_prefix;
    unsigned heeds; /* 0: no operation */
} bound[] = {
    {"copy-source", false, LST_HEEDS_COPY_SOURCE},
    {"copy-source-range", false, LST_HEEDS_COPY_RANGE},
    {"copy-source-if-", true, LST_HEEDS_COPY_CONDITIONS},
    {"copy-source", true, 0},
    {"tagging", false, LST_HEEDS_TAGGING},
    {"mp-object-size", false, LST_HEEDS_OBJECT_SIZE},
};

/* name: after "x-amz-". True if another operation heeds it, and this one does not. */
static bool is_misplaced(const struct lst_s3_exchange *exchange, struct lst_slice name)
{
    for (size_t i = 0; i < sizeof(bound) / sizeof(bound[0]); i++) {
        if (is_name(name, bound[i].name, bound[i].is_prefix)) {
            return (exchange->operation->heeds & bound[i].heeds) == 0;
        }
    }
    return false;
}

/* name: after "x-amz-". */
static bool is_unknown_checksum(struct lst_slice name)
{
    static const char *const known[] = {"crc32",  "crc32c",    "crc64nvme", "sha1",
                                        "sha256", "algorithm", "type",      "mode"};
    struct lst_slice after = lst_slice_after(name, sizeof("checksum-") - 1);

    if (!is_name(name, "checksum-", true)) {
        return false;
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (is_name(after, known[i], false)) {
            return false;
        }
    }
    return true;
}

/* Headers of a presigned request that belong to its signature, or, checksums, to its body. */
static bool may_be_in_both(const struct lst_http_parameter *parameter, struct lst_slice name)
{
    return parameter->option == LST_HEADER_AMZ_CONTENT_SHA256 ||
           parameter->option == LST_HEADER_AMZ_DATE ||
           parameter->option == LST_HEADER_AMZ_SECURITY_TOKEN || is_name(name, "checksum-", true);
}

/* May an option stand where it does? False, having answered, if not. name: after "x-amz-". */
static bool check_place(struct lst_s3_exchange *exchange, struct lst_slice name,
                        struct lst_slice whole)
{
    char message[160];

    if (is_misplaced(exchange, name)) {
        (void)snprintf(message, sizeof(message), "%.*s does not apply to %s: leave it out",
                       (int)lst_slice_first(whole, 80).length, whole.bytes,
                       exchange->operation->name);
        lst_s3_fail_about(exchange, LST_S3_INVALID_REQUEST, message, "Header", whole);
        return false;
    }
    if (is_unknown_checksum(name)) {
        lst_s3_fail_with(exchange, LST_S3_INVALID_REQUEST,
                         "The algorithm type you specified in x-amz-checksum- header is invalid.",
                         NULL, 0);
        return false;
    }
    return true;
}

/* What belongs to every signature, and asks for nothing. */
static bool is_header_of_signature(enum lst_header number)
{
    return number == LST_HEADER_AMZ_CONTENT_SHA256 || number == LST_HEADER_AMZ_DATE;
}

static bool is_parameter_of_signature(enum lst_parameter number)
{
    switch (number) {
    case LST_PARAMETER_AMZ_ALGORITHM:
    case LST_PARAMETER_AMZ_CREDENTIAL:
    case LST_PARAMETER_AMZ_DATE:
    case LST_PARAMETER_AMZ_EXPIRES:
    case LST_PARAMETER_AMZ_SIGNED_HEADERS:
    case LST_PARAMETER_AMZ_SIGNATURE:
        return true;
    default:
        return false;
    }
}

static bool check_headers(struct lst_s3_exchange *exchange)
{
    const struct lst_http_request *request = exchange->request;
    const struct lst_field *header;
    size_t at = 0;

    while ((header = lst_http_next_header(request, LST_FAMILY_AMZ, &at)) != NULL) {
        struct lst_slice name = lst_name_after_family(header->name, LST_FAMILY_AMZ);

        if (is_header_of_signature((enum lst_header)request->room->header_numbers[at - 1])) {
            continue;
        }
        if (is_unsupported(name, header->value)) {
            lst_s3_fail_not_implemented(exchange, "header", header->name);
            return false;
        }
        if (!check_place(exchange, name, header->name)) {
            return false;
        }
    }
    return true;
}

/* Is it given as a header, too? True, having answered, if that may not be. */
static bool is_in_both(struct lst_s3_exchange *exchange, const struct lst_http_parameter *parameter,
                       struct lst_slice name)
{
    if (!lst_http_is_header_too(exchange->request, parameter) || may_be_in_both(parameter, name)) {
        return false;
    }
    lst_s3_fail_field(exchange, "It is given twice, as a header and as a query parameter.",
                      &parameter->text);
    return true;
}

static bool check_parameter(struct lst_s3_exchange *exchange,
                            const struct lst_http_parameter *parameter)
{
    struct lst_slice name = lst_name_after_family(parameter->text.name, LST_FAMILY_AMZ);
    bool is_known = !is_unsupported(name, parameter->text.value);

    /* A checksum in the query is for show: see read_checksum_header() of body_prepare.c. */
    if (!is_known && !is_name(name, "checksum-", true)) {
        lst_s3_fail_not_implemented(exchange, "query parameter", parameter->text.name);
        return false;
    }
    return !is_in_both(exchange, parameter, name) &&
           (!is_known || check_place(exchange, name, parameter->text.name));
}

static bool check_query(struct lst_s3_exchange *exchange)
{
    const struct lst_http_request *request = exchange->request;
    const struct lst_http_parameter *parameter;
    struct lst_slice name;
    size_t at = 0;

    while ((parameter = lst_http_next_option(request, LST_FAMILY_AMZ, &at)) != NULL) {
        if (!is_parameter_of_signature((enum lst_parameter)parameter->number) &&
            !check_parameter(exchange, parameter)) {
            return false;
        }
    }
    at = 0;
    while ((parameter = lst_http_next_option(request, LST_FAMILY_META, &at)) != NULL) {
        name = lst_name_after_family(parameter->text.name, LST_FAMILY_AMZ);
        if (is_in_both(exchange, parameter, name)) {
            return false;
        }
    }
    return true;
}

/* A trailer comes with an object or a part, and with nothing else. False, having answered, if one
 * is announced elsewhere. */
static bool check_trailer(struct lst_s3_exchange *exchange)
{
    const struct lst_operation *operation = exchange->operation;
    enum lst_payload payload = exchange->passage.auth.payload;
    struct lst_bucket_sight sight;

    if (operation->body == LST_TAKES_STREAM || (payload != LST_PAYLOAD_STREAM_SIGNED_TRAILER &&
                                                payload != LST_PAYLOAD_STREAM_UNSIGNED_TRAILER)) {
        return true;
    }
    if (exchange->target.level != LST_LEVEL_SERVICE && !operation->makes_bucket &&
        lst_bucket_see(exchange, &sight) == LST_ERR_BUCKET_NOT_FOUND) {
        lst_s3_fail_code(exchange, LST_ERR_BUCKET_NOT_FOUND);
    } else {
        lst_s3_fail_with(exchange, LST_S3_INVALID_REQUEST,
                         "The value of x-amz-content-sha256 header is invalid.", NULL, 0);
    }
    return false;
}

bool lst_s3_check_options(struct lst_s3_exchange *exchange)
{
    return check_headers(exchange) && check_query(exchange) && check_trailer(exchange);
}

struct lst_slice lst_s3_unquote(struct lst_slice etag)
{
    struct lst_slice text = lst_slice_trim(etag);

    if (text.length >= 2 && text.bytes[0] == '"' && text.bytes[text.length - 1] == '"') {
        return lst_slice_make(text.bytes + 1, text.length - 2);
    }
    return text;
}

bool lst_s3_check_acl_name(struct lst_s3_exchange *exchange)
{
    static const char *const names[] = {
        "private",
        "public-read",
        "public-read-write",
        "aws-exec-read",
        "authenticated-read",
        "bucket-owner-read",
        "bucket-owner-full-control",
        "log-delivery-write",
    };
    struct lst_slice value;

    if (!lst_s3_option(exchange, LST_HEADER_AMZ_ACL, &value)) {
        return true;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (lst_slice_equal(value, lst_slice_of(names[i]))) {
            return true;
        }
    }
    lst_s3_fail_argument(exchange, NULL, "x-amz-acl", value);
    return false;
}

bool lst_s3_check_bypass(struct lst_s3_exchange *exchange)
{
    static const char name[] = "x-amz-bypass-governance-retention";
    struct lst_slice value;

    if (!lst_s3_option(exchange, LST_HEADER_AMZ_BYPASS_GOVERNANCE_RETENTION, &value)) {
        return true;
    }
    lst_s3_fail_about(exchange, LST_S3_INVALID_ARGUMENT,
                      "x-amz-bypass-governance-retention is only applicable to Object Lock enabled "
                      "buckets.",
                      "ArgumentName", lst_slice_of(name));
    return false;
}

bool lst_s3_check_version(struct lst_s3_exchange *exchange)
{
    if (exchange->has_version && exchange->version.length == 0) {
        lst_s3_fail_argument(exchange, "Version id cannot be the empty string", "versionId",
                             exchange->version);
        return false;
    }
    return true;
}
