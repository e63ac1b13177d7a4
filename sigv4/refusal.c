/* refusal.c - what S3 answers for each code: one table, and the texts with their particulars. */
#include "writer.h"

#define QUERY_ERROR  "AuthorizationQueryParametersError"
#define HEADER_ERROR "AuthorizationHeaderMalformed"
#define IN_QUERY     "Error parsing the X-Amz-Credential parameter; "
#define IN_HEADER    "The authorization header is malformed; "
#define BAD_CREDENTIAL                                                                             \
    "the Credential is mal-formed; expecting "                                                     \
    "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\"."
#define SIX_PARAMETERS                                                                             \
    "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "       \
    "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
#define THREE_COMPONENTS                                                                           \
    IN_HEADER "the authorization header requires three components: Credential, SignedHeaders, "    \
              "and Signature."
#define PAYLOAD_HASHES                                                                             \
    "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "          \
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid "   \
    "sha256 value."
#define NOT_SIGNED_HEADERS "There were headers present in the request which were not signed"
#define WRONG_SIGNATURE                                                                            \
    "The request signature we calculated does not match the signature you provided. Check your "   \
    "key and signing method."
#define INCOMPLETE "The request body terminated unexpectedly"
#define TRAILING_DATA                                                                              \
    "The request contained trailing data that was not well-formed or did not conform to our "      \
    "published schema."
#define NO_SPACE     "Authorization header is invalid -- one and only one ' ' (space) required."
#define EMPTY_POLICY "Invalid Policy: Expecting '{' but found End-of-Input"
#define NO_DATE      "AWS authentication requires a valid Date or x-amz-date header"

enum { A_WEEK = 604800 /* seconds */ };

struct row {
    int code;
    struct lst_refusal refusal;
};

/* clang-format off */

/* What an Authorization header is told otherwise than a presigned URL. */
static const struct row header_rows[] = {
    {LST_REFUSED_ALGORITHM, {"algorithm", "InvalidArgument", "Unsupported Authorization Type", 400}},
    {LST_REFUSED_PARAMETER_MISSING, {"parameter-missing", HEADER_ERROR, THREE_COMPONENTS, 400}},
    {LST_REFUSED_PARAMETER_REPEATED, {"parameter-repeated", HEADER_ERROR,
        IN_HEADER "a component or header was given more than once.", 400}},
    {LST_REFUSED_CREDENTIAL, {"credential", HEADER_ERROR, IN_HEADER BAD_CREDENTIAL, 400}},
    {LST_REFUSED_DATE, {"date", "AccessDenied", NO_DATE, 403}},
    {LST_REFUSED_SIGNED_HEADERS, {"signed-headers", HEADER_ERROR,
        IN_HEADER "SignedHeaders must be lower-case header names, each once, joined with ';'.", 400}},
    {LST_REFUSED_SIGNATURE_FORMAT, {"signature-format", HEADER_ERROR,
        IN_HEADER "Signature must be 64 lower-case hexadecimal digits.", 400}},
    {LST_REFUSED_SCOPE_DATE, {"scope-date", HEADER_ERROR,
        IN_HEADER "Invalid credential date. This date is not the same as X-Amz-Date.", 400}},
    {LST_REFUSED_SCOPE_REGION, {"scope-region", HEADER_ERROR, IN_HEADER "the region is wrong.", 400}},
    {LST_REFUSED_SCOPE_SERVICE, {"scope-service", HEADER_ERROR,
        IN_HEADER "incorrect service. This endpoint belongs to \"s3\".", 400}},
    {LST_REFUSED_SCOPE_TERMINATOR, {"scope-terminator", HEADER_ERROR,
        IN_HEADER "incorrect terminal. This endpoint uses \"aws4_request\".", 400}},
};

/* What a request of Signature Version 2 is told otherwise. */
static const struct row v2_rows[] = {
    {LST_REFUSED_PARAMETER_MISSING, {"parameter-missing", "AccessDenied",
        "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters",
        403}},
    {LST_REFUSED_PARAMETER_REPEATED, {"parameter-repeated", "InvalidArgument",
        "A part of the signature was given more than once.", 400}},
    {LST_REFUSED_CREDENTIAL, {"credential", "InvalidArgument",
        "AWS authorization header is invalid.  Expected AwsAccessKeyId:signature", 400}},
    {LST_REFUSED_DATE, {"date", "AccessDenied", NO_DATE, 403}},
    {LST_REFUSED_EXPIRES_FORMAT, {"expires-format", "AccessDenied",
        "Invalid date (should be seconds since epoch)", 403}},
    {LST_REFUSED_EXPIRES_TOO_LARGE, {"expires-too-large", "AccessDenied",
        "Expires is further ahead than this server allows", 403}},
};

/* The library's own errors come out as a server's: a server that passes them on made a mistake. */
static const struct row rows[] = {
    {LST_OK, {"ok", "OK", "The request is signed and its signature is right.", 200}},
    {LST_ERR_BUFFER_TOO_SMALL, {"buffer-too-small", "InternalError",
        "We encountered an internal error. Please try again.", 500}},
    {LST_ERR_INVALID_ARGUMENT, {"invalid-argument", "InternalError",
        "We encountered an internal error. Please try again.", 500}},
    {LST_ERR_NO_NEAR_MISS, {"no-near-miss", "InternalError",
        "We encountered an internal error. Please try again.", 500}},

    {LST_REFUSED_TOO_MANY_HEADERS, {"too-many-headers", "RequestHeaderSectionTooLarge",
        "Your request header section exceeds the maximum allowed request header size.", 400}},
    {LST_REFUSED_TOO_MANY_PARAMETERS, {"too-many-parameters", "InvalidURI",
        "Your request has more query parameters than are allowed.", 400}},
    {LST_REFUSED_TARGET_TOO_LONG, {"target-too-long", "InvalidURI",
        "Your request URI is longer than is allowed.", 414}},
    {LST_REFUSED_TARGET_MALFORMED, {"target-malformed", "InvalidURI",
        "Couldn't parse the specified URI.", 400}},

    {LST_REFUSED_NOT_SIGNED, {"not-signed", "AccessDenied", "Access Denied", 403}},
    {LST_REFUSED_SIGNED_TWICE, {"signed-twice", "InvalidArgument",
        "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query "
        "string parameter or the Authorization header should be specified", 400}},
    {LST_REFUSED_UNKNOWN_SCHEME, {"unknown-scheme", "InvalidArgument",
        "Unsupported Authorization Type", 400}},

    {LST_REFUSED_SIGNATURE_V2, {"signature-v2", "InvalidRequest",
        "The authorization mechanism you have provided is not supported. Please use "
        "AWS4-HMAC-SHA256. In boto3 set Config(signature_version='s3v4'); for the AWS CLI run 'aws "
        "configure set default.s3.signature_version s3v4'; in other tools choose Signature Version "
        "4.", 400}},
    {LST_REFUSED_ALGORITHM, {"algorithm", QUERY_ERROR,
        "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"", 400}},
    {LST_REFUSED_PARAMETER_MISSING, {"parameter-missing", QUERY_ERROR, SIX_PARAMETERS, 400}},
    {LST_REFUSED_PARAMETER_REPEATED, {"parameter-repeated", QUERY_ERROR,
        "A query parameter of the signature was given more than once.", 400}},
    {LST_REFUSED_CREDENTIAL, {"credential", QUERY_ERROR, IN_QUERY BAD_CREDENTIAL, 400}},
    {LST_REFUSED_DATE, {"date", QUERY_ERROR,
        "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"", 400}},
    {LST_REFUSED_SIGNED_HEADERS, {"signed-headers", QUERY_ERROR,
        "X-Amz-SignedHeaders must be lower-case header names, each once, joined with ';'.", 400}},
    {LST_REFUSED_SIGNATURE_FORMAT, {"signature-format", QUERY_ERROR,
        "X-Amz-Signature must be 64 lower-case hexadecimal digits.", 400}},
    {LST_REFUSED_PAYLOAD_HASH_MISSING, {"payload-hash-missing", "InvalidRequest",
        "Missing required header for this request: x-amz-content-sha256", 400}},
    {LST_REFUSED_PAYLOAD_HASH, {"payload-hash", "InvalidArgument", PAYLOAD_HASHES, 400}},

    {LST_REFUSED_SCOPE_DATE, {"scope-date", QUERY_ERROR,
        "Invalid credential date. This date is not the same as X-Amz-Date.", 400}},
    {LST_REFUSED_SCOPE_REGION, {"scope-region", QUERY_ERROR, IN_QUERY "the region is wrong.", 400}},
    {LST_REFUSED_SCOPE_SERVICE, {"scope-service", QUERY_ERROR,
        IN_QUERY "incorrect service. This endpoint belongs to \"s3\".", 400}},
    {LST_REFUSED_SCOPE_TERMINATOR, {"scope-terminator", QUERY_ERROR,
        IN_QUERY "incorrect terminal. This endpoint uses \"aws4_request\".", 400}},

    {LST_REFUSED_EXPIRES_FORMAT, {"expires-format", QUERY_ERROR,
        "X-Amz-Expires should be a number", 400}},
    {LST_REFUSED_EXPIRES_NEGATIVE, {"expires-negative", QUERY_ERROR,
        "X-Amz-Expires must be non-negative", 400}},
    {LST_REFUSED_EXPIRES_TOO_LARGE, {"expires-too-large", QUERY_ERROR,
        "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must "
        "be less than 604800 seconds", 400}},

    {LST_REFUSED_EXPIRED, {"expired", "AccessDenied", "Request has expired", 403}},
    {LST_REFUSED_NOT_YET_VALID, {"not-yet-valid", "AccessDenied", "Request is not yet valid", 403}},
    {LST_REFUSED_TIME_TOO_SKEWED, {"time-too-skewed", "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large.", 403}},

    {LST_REFUSED_HOST_NOT_SIGNED, {"host-not-signed", "AccessDenied", NOT_SIGNED_HEADERS, 403}},
    {LST_REFUSED_HEADERS_NOT_SIGNED, {"headers-not-signed", "AccessDenied", NOT_SIGNED_HEADERS, 403}},

    {LST_REFUSED_ACCESS_KEY_UNKNOWN, {"access-key-unknown", "InvalidAccessKeyId",
        "The AWS Access Key Id you provided does not exist in our records.", 403}},
    {LST_REFUSED_ACCESS_KEY_INACTIVE, {"access-key-inactive", "InvalidAccessKeyId",
        "The AWS Access Key Id you provided is not active.", 403}},
    {LST_REFUSED_TOKEN_INVALID, {"token-invalid", "InvalidToken",
        "The provided token is malformed or otherwise invalid.", 400}},
    {LST_REFUSED_TOKEN_EXPIRED, {"token-expired", "ExpiredToken",
        "The provided token has expired.", 400}},

    {LST_REFUSED_V2_AMBIGUOUS, {"v2-ambiguous", "InvalidArgument",
        "The value of a query parameter has an '&' or a line end, which Signature Version 2 can't "
        "tell from two parameters. Use Signature Version 4.", 400}},
    {LST_REFUSED_SIGNATURE, {"signature-does-not-match", "SignatureDoesNotMatch",
        WRONG_SIGNATURE, 403}},
    {LST_REFUSED_NOT_ALLOWED, {"not-allowed", "AccessDenied", "Access Denied", 403}},

    {LST_REFUSED_CHUNK_MALFORMED, {"chunk-malformed", "IncompleteBody",
        INCOMPLETE, 400}},
    {LST_REFUSED_CHUNK_SIGNATURE, {"chunk-signature", "SignatureDoesNotMatch", WRONG_SIGNATURE, 403}},
    {LST_REFUSED_CHUNK_TOO_SMALL, {"chunk-too-small", "InvalidChunkSizeError",
        "Only the last chunk is allowed to have a size less than 8192 bytes", 403}},
    {LST_REFUSED_BODY_TOO_LONG, {"body-too-long", "IncompleteBody",
        INCOMPLETE ". It is longer than x-amz-decoded-content-length says.", 400}},
    {LST_REFUSED_BODY_TOO_SHORT, {"body-too-short", "IncompleteBody", INCOMPLETE, 400}},
    {LST_REFUSED_TRAILER_MALFORMED, {"trailer-malformed", "MalformedTrailerError",
        TRAILING_DATA, 400}},
    {LST_REFUSED_TRAILER_SIGNATURE, {"trailer-signature", "SignatureDoesNotMatch",
        WRONG_SIGNATURE, 403}},
    {LST_REFUSED_TRAILER_UNEXPECTED, {"trailer-unexpected", "MalformedTrailerError",
        TRAILING_DATA, 400}},

    {LST_REFUSED_FORM_FIELD_MISSING, {"form-field-missing", "InvalidArgument",
        "Bucket POST must contain a field that is missing.  If it is specified, please check the "
        "order of the fields.", 400}},
    {LST_REFUSED_POLICY_MALFORMED, {"policy-malformed", "InvalidPolicyDocument",
        "Invalid Policy: the document is not base64 of JSON with expiration and conditions.", 400}},
    {LST_REFUSED_POLICY_EXPIRED, {"policy-expired", "AccessDenied",
        "Invalid according to Policy: Policy expired.", 403}},
    {LST_REFUSED_POLICY_CONDITION, {"policy-condition", "AccessDenied",
        "Invalid according to Policy: Policy Condition failed", 403}},
    {LST_REFUSED_POLICY_EXTRA_FIELD, {"policy-extra-field", "AccessDenied",
        "Invalid according to Policy: Extra input fields", 403}},
    {LST_REFUSED_POLICY_TOO_SMALL, {"policy-too-small", "EntityTooSmall",
        "Your proposed upload is smaller than the minimum allowed size", 400}},
    {LST_REFUSED_POLICY_TOO_LARGE, {"policy-too-large", "EntityTooLarge",
        "Your proposed upload exceeds the maximum allowed size", 400}},
};
/* clang-format on */

/* What a form has otherwise than a query; from public reports of AWS's answers. */
/* clang-format off */
static const struct row form_rows[] = {
    {LST_REFUSED_ALGORITHM, {"algorithm", "InvalidArgument",
        "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"", 400}},
    {LST_REFUSED_PARAMETER_REPEATED, {"parameter-repeated", "InvalidArgument",
        "A form field of the signature was given more than once.", 400}},
    {LST_REFUSED_CREDENTIAL, {"credential", "InvalidArgument", BAD_CREDENTIAL, 400}},
    {LST_REFUSED_DATE, {"date", "InvalidArgument",
        "X-Amz-Date must be formated via ISO8601 Long format", 400}}, /* so AWS spells it */
    {LST_REFUSED_SCOPE_DATE, {"scope-date", "InvalidArgument",
        "Invalid credential date. This date is not the same as X-Amz-Date.", 400}},
    {LST_REFUSED_SCOPE_REGION, {"scope-region", "InvalidArgument", "the region is wrong.", 400}},
    {LST_REFUSED_SCOPE_SERVICE, {"scope-service", "InvalidArgument",
        "incorrect service. This endpoint belongs to \"s3\".", 400}},
    {LST_REFUSED_SCOPE_TERMINATOR, {"scope-terminator", "InvalidArgument",
        "incorrect terminal. This endpoint uses \"aws4_request\".", 400}},
};
/* clang-format on */

static const struct lst_refusal unknown = {
    "unknown", "InternalError", "We encountered an internal error. Please try again.", 500};

static const struct lst_refusal *find_row(const struct row *table, size_t count, int code)
{
    for (size_t i = 0; i < count; i++) {
        if (table[i].code == code) {
            return &table[i].refusal;
        }
    }
    return NULL;
}

LST_PUBLIC const struct lst_refusal *lst_refusal(int code, enum lst_auth_kind kind)
{
    const struct lst_refusal *refusal = NULL;

    if (kind == LST_AUTH_HEADER) {
        refusal = find_row(header_rows, sizeof(header_rows) / sizeof(header_rows[0]), code);
    }
    if (kind == LST_AUTH_FORM) {
        refusal = find_row(form_rows, sizeof(form_rows) / sizeof(form_rows[0]), code);
    }
    if (kind >= LST_AUTH_V2_QUERY) {
        refusal = find_row(v2_rows, sizeof(v2_rows) / sizeof(v2_rows[0]), code);
    }
    if (refusal == NULL) {
        refusal = find_row(rows, sizeof(rows) / sizeof(rows[0]), code);
    }
    return refusal == NULL ? &unknown : refusal;
}

static void put_text(struct lst_internal_writer *writer, const char *text)
{
    lst_internal_put(writer, lst_slice_of(text));
}

static void put_in_quotes(struct lst_internal_writer *writer, char quote, struct lst_slice text)
{
    lst_internal_put_char(writer, quote);
    lst_internal_put(writer, text);
    lst_internal_put_char(writer, quote);
}

/* Where the credential stands, as AWS's texts begin. */
static void put_place(struct lst_internal_writer *writer, const struct lst_auth *auth)
{
    if (auth->kind != LST_AUTH_FORM) {
        put_text(writer, auth->kind == LST_AUTH_HEADER ? IN_HEADER : IN_QUERY);
    }
}

static void put_scope_date(struct lst_internal_writer *writer, const struct lst_auth *auth)
{
    char time[16];

    if (auth->kind == LST_AUTH_HEADER) {
        put_text(writer, IN_HEADER);
    }
    put_text(writer, "Invalid credential date ");
    put_in_quotes(writer, '"', lst_slice_of(auth->day));
    put_text(writer, ". This date is not the same as X-Amz-Date: ");
    if (lst_format_time(auth->time, time) == LST_OK) {
        put_in_quotes(writer, '"', (struct lst_slice){time, 8});
    }
    put_text(writer, ".");
}

static void put_scope_region(struct lst_internal_writer *writer, const struct lst_auth *auth,
                             const struct lst_rules *rules)
{
    put_place(writer, auth);
    put_text(writer, "the region ");
    put_in_quotes(writer, '\'', lst_slice_of(auth->region));
    put_text(writer, " is wrong; expecting ");
    put_in_quotes(writer, '\'', rules->region);
}

static void put_scope_service(struct lst_internal_writer *writer, const struct lst_auth *auth,
                              const struct lst_rules *rules)
{
    put_place(writer, auth);
    put_text(writer, "incorrect service ");
    put_in_quotes(writer, '"', lst_slice_of(auth->service));
    put_text(writer, ". This endpoint belongs to ");
    put_in_quotes(writer, '"', rules->service.length > 0 ? rules->service : LST_SLICE("s3"));
    put_text(writer, ".");
}

/* The part of a credential with that number, as it was sent: what stands between its slashes, which
 * a URL may have encoded. ret_count: how many there are. */
static struct lst_slice credential_part(const struct lst_auth *auth, size_t number,
                                        size_t *ret_count)
{
    struct lst_slice rest = auth->credential;
    struct lst_slice part = {NULL, 0};

    for (size_t i = 0;; i++) {
        size_t at = 0;
        size_t width = 0;

        for (; at < rest.length && width == 0; at += width == 0 ? 1 : 0) {
            struct lst_slice here = lst_internal_skip(rest, at);
            bool is_encoded =
                auth->kind == LST_AUTH_QUERY && (lst_internal_starts_with(here, LST_SLICE("%2F")) ||
                                                 lst_internal_starts_with(here, LST_SLICE("%2f")));
            width = here.bytes[0] == '/' ? 1 : is_encoded ? 3 : 0;
        }
        if (i == number) {
            part = lst_internal_first(rest, at);
        }
        *ret_count = i + 1;
        if (width == 0) {
            return part;
        }
        rest = lst_internal_skip(rest, at + width);
    }
}

/* Which of a credential's faults it is, in AWS's sentences. */
static void put_credential(struct lst_internal_writer *writer, const struct lst_auth *auth)
{
    size_t count;
    struct lst_slice id = credential_part(auth, 0, &count);
    struct lst_slice day = credential_part(auth, 1, &count);

    put_place(writer, auth);
    if (count == 5 && id.length == 0) {
        put_text(writer, "a non-empty Access Key (AKID) must be provided in the credential.");
    } else if (count == 5 && (auth->day[0] == '\0') && day.length > 0) {
        put_text(writer, "incorrect date format ");
        put_in_quotes(writer, '"', lst_internal_first(day, 64));
        put_text(writer, ". This date in the credential must be in the format \"yyyyMMdd\".");
    } else {
        put_text(writer, BAD_CREDENTIAL);
    }
}

static void put_terminator(struct lst_internal_writer *writer, const struct lst_auth *auth)
{
    size_t count;

    put_place(writer, auth);
    put_text(writer, "incorrect terminal ");
    put_in_quotes(writer, '"', lst_internal_first(credential_part(auth, 4, &count), 64));
    put_text(writer, ". This endpoint uses \"aws4_request\".");
}

static void put_expires_too_large(struct lst_internal_writer *writer, const struct lst_rules *rules)
{
    put_text(writer, "X-Amz-Expires must be less than ");
    lst_internal_put_decimal(writer, (uint64_t)rules->expires_max);
    put_text(writer, " seconds");
}

LST_PUBLIC int lst_refusal_text(int code, const struct lst_auth *auth,
                                const struct lst_rules *rules, char *out, size_t capacity,
                                size_t *ret_length)
{
    struct lst_internal_writer writer = lst_internal_writer_to(out, capacity);
    const char *text = lst_refusal(code, auth->kind)->text;

    if (code == LST_REFUSED_SCOPE_DATE) {
        put_scope_date(&writer, auth);
    } else if (code == LST_REFUSED_SCOPE_REGION) {
        put_scope_region(&writer, auth, rules);
    } else if (code == LST_REFUSED_SCOPE_SERVICE) {
        put_scope_service(&writer, auth, rules);
    } else if (code == LST_REFUSED_CREDENTIAL && auth->kind < LST_AUTH_V2_QUERY) {
        put_credential(&writer, auth);
    } else if (code == LST_REFUSED_SCOPE_TERMINATOR) {
        put_terminator(&writer, auth);
    } else if (code == LST_REFUSED_UNKNOWN_SCHEME &&
               lst_internal_equal(auth->culprit, LST_SLICE(" "))) {
        put_text(&writer, NO_SPACE);
    } else if (code == LST_REFUSED_POLICY_MALFORMED &&
               lst_internal_equal(auth->culprit, LST_SLICE("policy"))) {
        put_text(&writer, EMPTY_POLICY);
    } else if (code == LST_REFUSED_EXPIRES_TOO_LARGE && rules->expires_max > 0 &&
               rules->expires_max != A_WEEK && auth->kind == LST_AUTH_QUERY) {
        put_expires_too_large(&writer, rules);
    } else if (code == LST_REFUSED_FORM_FIELD_MISSING) {
        put_text(&writer, "Bucket POST must contain a field named ");
        put_in_quotes(&writer, '\'', auth->culprit);
        put_text(&writer, ".  If it is specified, please check the order of the fields.");
    } else if (code == LST_REFUSED_PARAMETER_MISSING) {
        put_text(&writer, text);
        put_text(&writer, " Missing: ");
        lst_internal_put(&writer, auth->culprit);
    } else if (code == LST_REFUSED_PARAMETER_REPEATED) {
        put_text(&writer, text);
        put_text(&writer, " Repeated: ");
        lst_internal_put(&writer, auth->culprit);
    } else {
        put_text(&writer, text);
    }
    return lst_internal_writer_finish(&writer, ret_length);
}
