/* parse.c - step one of a check: rules 1 to 6, everything that needs no secret. */
#include "claims.h"
#include "credential.h"
#include "dates.h"
#include "query.h"
#include "rules.h"
#include "signed_headers.h"
#include "v2.h"

struct parsing {
    const struct lst_request *request;
    const struct lst_rules *rules;
    int64_t now;
    struct lst_internal_claims claims;
    struct lst_auth *auth;
    int scope_error; /* rule 3's part that shows while rule 2 is applied */
    char day[8];     /* of auth->time */
};

/* The first error counts, but all parts are read, so that an error can tell as much as possible. */
static void keep_first(int *error, int next)
{
    *error = *error != LST_OK ? *error : next;
}

/* A part that must be there exactly once. */
static int require(struct parsing *parsing, const struct lst_internal_claim *claim,
                   struct lst_slice name)
{
    if (claim->count == 1 && claim->value.length > 0) {
        return LST_OK;
    }
    if (parsing->auth->culprit.length == 0) {
        parsing->auth->culprit = name;
    }
    return claim->count > 1 ? LST_REFUSED_PARAMETER_REPEATED : LST_REFUSED_PARAMETER_MISSING;
}

static int forbid_repetition(struct parsing *parsing, const struct lst_internal_claim *claim,
                             struct lst_slice name)
{
    return claim->count > 1 ? require(parsing, claim, name) : LST_OK;
}

static int parse_signature(const struct lst_auth *auth)
{
    return lst_internal_is_signature(auth->signature) ? LST_OK : LST_REFUSED_SIGNATURE_FORMAT;
}

/*
 * An x-amz-content-sha256 that is not signed does not change what was signed, but the body is held
 * against it all the same: a sender who says what the body is means it. How the body is framed it
 * can't say.
 */
static int parse_unsigned_hash(struct lst_auth *auth, struct lst_slice text)
{
    struct lst_auth said;
    int error;

    lst_wipe(&said, sizeof(said));
    error = lst_internal_parse_payload_hash(&said, text);
    if (error != LST_OK || said.payload == auth->payload) {
        bool differs =
            error == LST_OK && !lst_internal_equal(said.payload_hash, auth->payload_hash);

        return error != LST_OK || !differs ? error : LST_REFUSED_PAYLOAD_HASH;
    }
    if (said.payload == LST_PAYLOAD_UNSIGNED) {
        return LST_OK;
    }
    if (said.payload != LST_PAYLOAD_SHA256 || auth->payload != LST_PAYLOAD_UNSIGNED) {
        return LST_REFUSED_PAYLOAD_HASH;
    }
    auth->payload = LST_PAYLOAD_SHA256;
    auth->body_sha256 = text;
    return LST_OK;
}

/* The payload hash of a presigned request goes into the canonical request only if it is signed: in
 * the query, or as a header. */
static int parse_payload_of_query(struct parsing *parsing)
{
    const struct lst_internal_claim *header = &parsing->claims.amz_content_sha256;
    const struct lst_internal_claim *query =
        &parsing->claims.query[LST_INTERNAL_CLAIM_CONTENT_SHA256];
    struct lst_slice name = LST_SLICE("x-amz-content-sha256");
    struct lst_auth *auth = parsing->auth;
    int error = forbid_repetition(parsing, header, name);

    auth->payload_hash = LST_SLICE("UNSIGNED-PAYLOAD");
    if (error == LST_OK && header->count > 0 && lst_internal_is_signed(auth, name)) {
        return lst_internal_parse_payload_hash(auth, header->value);
    }
    if (error == LST_OK && query->count > 0) {
        error = lst_internal_parse_payload_hash(auth, query->value);
    }
    return error == LST_OK && header->count > 0 ? parse_unsigned_hash(auth, header->value) : error;
}

static bool wants_s3(const struct lst_rules *rules)
{
    return rules->service.length == 0 || lst_internal_equal(rules->service, LST_SLICE("s3"));
}

static int parse_payload_of_header(struct parsing *parsing)
{
    const struct lst_internal_claim *claim = &parsing->claims.amz_content_sha256;

    parsing->auth->payload_hash = LST_SLICE("UNSIGNED-PAYLOAD");
    if (claim->count == 0) {
        return wants_s3(parsing->rules) ? LST_REFUSED_PAYLOAD_HASH_MISSING : LST_OK;
    }
    if (claim->count > 1) {
        return require(parsing, claim, LST_SLICE("x-amz-content-sha256"));
    }
    return lst_internal_parse_payload_hash(parsing->auth, claim->value);
}

/* Rule 2 of a presigned URL. */
static int parse_query(struct parsing *parsing)
{
    struct lst_internal_claim *query = parsing->claims.query;
    struct lst_auth *auth = parsing->auth;
    char text[16];
    struct lst_slice date;
    struct lst_slice sent_algorithm;
    int error = LST_OK;

    auth->signature = query[LST_INTERNAL_CLAIM_SIGNATURE].value;
    auth->signed_headers = query[LST_INTERNAL_CLAIM_SIGNED_HEADERS].value;
    auth->session_token = query[LST_INTERNAL_CLAIM_TOKEN].value;
    auth->canonical_query_length = parsing->claims.canonical_query_length;
    for (unsigned i = 0; i <= LST_INTERNAL_CLAIM_SIGNATURE; i++) {
        keep_first(&error, require(parsing, &query[i], lst_internal_parameter_name(i)));
    }
    for (unsigned i = LST_INTERNAL_CLAIM_TOKEN; i <= LST_INTERNAL_CLAIM_CONTENT_SHA256; i++) {
        keep_first(&error, forbid_repetition(parsing, &query[i], lst_internal_parameter_name(i)));
    }
    if (!lst_internal_query_text(query[LST_INTERNAL_CLAIM_ALGORITHM].value, text, sizeof(text),
                                 &sent_algorithm) ||
        !lst_internal_equal(sent_algorithm, LST_SLICE("AWS4-HMAC-SHA256"))) {
        keep_first(&error, LST_REFUSED_ALGORITHM);
    }
    keep_first(&error,
               lst_internal_parse_credential(auth, query[LST_INTERNAL_CLAIM_CREDENTIAL].value,
                                             &parsing->scope_error));
    if (!lst_internal_query_text(query[LST_INTERNAL_CLAIM_DATE].value, text, sizeof(text), &date) ||
        lst_parse_time(date, &auth->time) != LST_OK) {
        keep_first(&error, LST_REFUSED_DATE);
    } else {
        memcpy(parsing->day, date.bytes, sizeof(parsing->day));
    }
    if (!lst_internal_signed_are_valid(auth)) {
        keep_first(&error, LST_REFUSED_SIGNED_HEADERS);
    }
    keep_first(&error, parse_payload_of_query(parsing));
    return error;
}

static int parse_date_of_header(struct parsing *parsing)
{
    struct lst_internal_claims *claims = &parsing->claims;
    int error = forbid_repetition(parsing, &claims->amz_date, LST_SLICE("x-amz-date"));

    if (error != LST_OK) {
        return error;
    }
    if (claims->amz_date.count > 0) {
        return lst_parse_time(claims->amz_date.value, &parsing->auth->time) == LST_OK
                   ? LST_OK
                   : LST_REFUSED_DATE;
    }
    if (lst_parse_time(claims->date.value, &parsing->auth->time) == LST_OK ||
        lst_internal_parse_http_date(claims->date.value, &parsing->auth->time)) {
        return LST_OK;
    }
    return LST_REFUSED_DATE;
}

/* Rule 2 of an Authorization header. */
static int parse_header(struct parsing *parsing)
{
    struct lst_internal_claims *claims = &parsing->claims;
    struct lst_auth *auth = parsing->auth;
    char time[16];
    int error = LST_OK;

    auth->signature = claims->signature.value;
    auth->signed_headers = claims->signed_headers.value;
    auth->session_token = claims->amz_security_token.value;
    keep_first(&error, require(parsing, &claims->credential, LST_SLICE("Credential")));
    keep_first(&error, require(parsing, &claims->signed_headers, LST_SLICE("SignedHeaders")));
    keep_first(&error, require(parsing, &claims->signature, LST_SLICE("Signature")));
    keep_first(&error, forbid_repetition(parsing, &claims->amz_security_token,
                                         LST_SLICE("x-amz-security-token")));
    keep_first(&error, lst_internal_parse_credential(auth, claims->credential.value,
                                                     &parsing->scope_error));
    keep_first(&error, parse_date_of_header(parsing));
    keep_first(&error, lst_format_time(auth->time, time));
    memcpy(parsing->day, time, sizeof(parsing->day));
    if (!lst_internal_signed_are_valid(auth)) {
        keep_first(&error, LST_REFUSED_SIGNED_HEADERS);
    }
    keep_first(&error, parse_signature(auth));
    keep_first(&error, parse_payload_of_header(parsing));
    return error;
}

/* Rules 2 to 6, in their order. */
static int apply_rules(struct parsing *parsing)
{
    bool is_query = parsing->auth->kind == LST_AUTH_QUERY;
    int error;

    if (!is_query && parsing->auth->kind != LST_AUTH_HEADER) {
        return lst_internal_parse_v2(parsing->request, parsing->rules, parsing->now,
                                     &parsing->claims, parsing->auth);
    }
    error = is_query ? parse_query(parsing) : parse_header(parsing);
    keep_first(&error, lst_internal_check_scope(parsing->auth, parsing->day, parsing->rules));
    keep_first(&error, parsing->scope_error);
    if (is_query) {
        keep_first(&error, lst_internal_parse_expires(
                               parsing->auth, parsing->rules,
                               parsing->claims.query[LST_INTERNAL_CLAIM_EXPIRES].value));
    }
    if (error == LST_OK) {
        error = lst_internal_check_time(parsing->auth, parsing->rules, parsing->now);
    }
    return error != LST_OK ? error : lst_internal_check_signed(parsing->request, parsing->auth);
}

/* Rule 1, and the ways of signing that are known but not accepted. */
static int find_kind(struct parsing *parsing)
{
    struct lst_internal_claims *claims = &parsing->claims;
    bool in_header = claims->authorization.count > 0;
    bool in_query = false;
    bool in_query_v2 = claims->query[LST_INTERNAL_CLAIM_V2_ACCESS_KEY_ID].count > 0 &&
                       claims->query[LST_INTERNAL_CLAIM_V2_SIGNATURE].count > 0;
    struct lst_slice scheme = LST_SLICE("AWS4-HMAC-SHA256");
    struct lst_slice authorization = claims->authorization.value;

    for (unsigned i = 0; i <= LST_INTERNAL_CLAIM_SIGNATURE; i++) {
        in_query = in_query || claims->query[i].count > 0;
    }
    if (in_header + in_query + in_query_v2 > 1 || claims->authorization.count > 1) {
        return LST_REFUSED_SIGNED_TWICE;
    }
    if (in_query) {
        parsing->auth->kind = LST_AUTH_QUERY;
        return LST_OK;
    }
    if (in_query_v2 || lst_internal_starts_with(authorization, LST_SLICE("AWS "))) {
        parsing->auth->kind = in_query_v2 ? LST_AUTH_V2_QUERY : LST_AUTH_V2_HEADER;
        return parsing->rules->allow_v2 ? LST_OK : LST_REFUSED_SIGNATURE_V2;
    }
    if (!in_header) {
        return LST_REFUSED_NOT_SIGNED;
    }
    if (lst_internal_find(authorization, ' ') == authorization.length) {
        parsing->auth->culprit = LST_SLICE(" ");
        return LST_REFUSED_UNKNOWN_SCHEME;
    }
    if (!lst_internal_starts_with(authorization, scheme) ||
        (authorization.length > scheme.length &&
         !lst_internal_is(authorization.bytes[scheme.length], LST_INTERNAL_SPACE))) {
        return LST_REFUSED_UNKNOWN_SCHEME;
    }
    parsing->auth->kind = LST_AUTH_HEADER;
    lst_internal_claims_of_authorization(lst_internal_skip(authorization, scheme.length), claims);
    return LST_OK;
}

/* What a refusal is about, where the code alone says it. */
static struct lst_slice culprit_of(int error, enum lst_auth_kind kind)
{
    static const struct {
        int error;
        enum lst_internal_claim_name name;
        struct lst_slice in_header;
    } culprits[] = {
        {LST_REFUSED_ALGORITHM, LST_INTERNAL_CLAIM_ALGORITHM, {"Authorization", 13}},
        {LST_REFUSED_CREDENTIAL, LST_INTERNAL_CLAIM_CREDENTIAL, {"Credential", 10}},
        {LST_REFUSED_DATE, LST_INTERNAL_CLAIM_DATE, {"x-amz-date", 10}},
        {LST_REFUSED_SIGNED_HEADERS, LST_INTERNAL_CLAIM_SIGNED_HEADERS, {"SignedHeaders", 13}},
        {LST_REFUSED_SIGNATURE_FORMAT, LST_INTERNAL_CLAIM_SIGNATURE, {"Signature", 9}},
        {LST_REFUSED_PAYLOAD_HASH, LST_INTERNAL_CLAIM_CONTENT_SHA256, {"x-amz-content-sha256", 20}},
        {LST_REFUSED_PAYLOAD_HASH_MISSING,
         LST_INTERNAL_CLAIM_CONTENT_SHA256,
         {"x-amz-content-sha256", 20}},
        {LST_REFUSED_SCOPE_DATE, LST_INTERNAL_CLAIM_CREDENTIAL, {"Credential", 10}},
        {LST_REFUSED_SCOPE_REGION, LST_INTERNAL_CLAIM_CREDENTIAL, {"Credential", 10}},
        {LST_REFUSED_SCOPE_SERVICE, LST_INTERNAL_CLAIM_CREDENTIAL, {"Credential", 10}},
        {LST_REFUSED_SCOPE_TERMINATOR, LST_INTERNAL_CLAIM_CREDENTIAL, {"Credential", 10}},
        {LST_REFUSED_EXPIRES_FORMAT, LST_INTERNAL_CLAIM_EXPIRES, {NULL, 0}},
        {LST_REFUSED_EXPIRES_NEGATIVE, LST_INTERNAL_CLAIM_EXPIRES, {NULL, 0}},
        {LST_REFUSED_EXPIRES_TOO_LARGE, LST_INTERNAL_CLAIM_EXPIRES, {NULL, 0}},
    };

    for (size_t i = 0; i < sizeof(culprits) / sizeof(culprits[0]); i++) {
        if (culprits[i].error == error) {
            return kind == LST_AUTH_QUERY ? lst_internal_parameter_name(culprits[i].name)
                                          : culprits[i].in_header;
        }
    }
    return LST_SLICE("");
}

static int collect_claims(struct parsing *parsing)
{
    struct lst_slice target = parsing->request->target;
    struct lst_slice path;
    struct lst_slice query;

    if (parsing->request->header_count > LST_HEADERS_MAX) {
        return LST_REFUSED_TOO_MANY_HEADERS;
    }
    if (target.length > LST_TARGET_MAX) {
        return LST_REFUSED_TARGET_TOO_LONG;
    }
    lst_internal_split_target(target, &path, &query);
    if (path.length == 0 || path.bytes[0] != '/' || !lst_internal_escapes_are_valid(path)) {
        return LST_REFUSED_TARGET_MALFORMED;
    }
    lst_internal_claims_of_headers(parsing->request, &parsing->claims);
    return lst_internal_claims_of_query(query, &parsing->claims);
}

LST_PUBLIC int lst_parse(const struct lst_request *request, const struct lst_rules *rules,
                         int64_t now, struct lst_auth *ret_auth)
{
    struct parsing parsing;
    int error;

    /* Not initialisers: compilers make slow string instructions of those for structs of this size.
     */
    lst_wipe(ret_auth, sizeof(*ret_auth));
    lst_wipe(&parsing, sizeof(parsing));
    parsing.request = request;
    parsing.rules = rules;
    parsing.now = now;
    parsing.auth = ret_auth;
    error = collect_claims(&parsing);
    if (error == LST_OK) {
        error = find_kind(&parsing);
    }
    if (error == LST_OK) {
        error = apply_rules(&parsing);
    }
    if (error != LST_OK && ret_auth->culprit.length == 0) {
        ret_auth->culprit = culprit_of(error, ret_auth->kind);
    }
    return error;
}
