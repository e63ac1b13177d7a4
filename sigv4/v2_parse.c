/* v2_parse.c - step one of a check of Signature Version 2: everything that needs no secret. */
#include "dates.h"
#include "key.h"
#include "rules.h"
#include "v2.h"

/* Keeps sums of times clear of overflow: 300,000 years. */
#define SECONDS_MAX INT64_C(10000000000000)

int lst_internal_take_access_key_id(struct lst_auth *auth, struct lst_slice text,
                                    enum lst_internal_origin origin)
{
    struct lst_internal_writer writer =
        lst_internal_writer_to(auth->access_key_id, sizeof(auth->access_key_id) - 1);
    struct lst_slice id;

    lst_internal_put_decoded(&writer, text, origin);
    id = (struct lst_slice){auth->access_key_id, writer.length};
    if (writer.overflow || !lst_internal_scope_part_is_valid(id, LST_ACCESS_KEY_ID_MAX)) {
        auth->access_key_id[0] = '\0';
        return LST_REFUSED_CREDENTIAL;
    }
    auth->access_key_id[writer.length] = '\0';
    return LST_OK;
}

static bool is_one_of(struct lst_slice name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (lst_internal_equal(name, lst_slice_of(names[i]))) {
            return true;
        }
    }
    return false;
}

enum lst_internal_v2_role lst_internal_v2_role(const struct lst_internal_parameter *parameter,
                                               enum lst_auth_kind kind)
{
    static const char *const own[] = {"AWSAccessKeyId", "Expires", "Signature"};
    static const char *const headers[] = {"content-md5", "content-type"};
    static const char *const listing[] = {
        "prefix",      "delimiter",     "marker",           "max-keys",
        "list-type",   "encoding-type", "start-after",      "continuation-token",
        "fetch-owner", "key-marker",    "upload-id-marker", "version-id-marker",
        "max-uploads", "max-parts",     "max-buckets",      "part-number-marker",
        "x-id",        "bucket-region",
    };
    const struct lst_slice prefix = LST_SLICE("x-amz-");
    struct lst_slice name = parameter->name;

    if (!parameter->name_is_bare) {
        return LST_INTERNAL_V2_RESOURCE;
    }
    if (kind == LST_AUTH_V2_QUERY) {
        if (is_one_of(name, own, sizeof(own) / sizeof(own[0]))) {
            return LST_INTERNAL_V2_UNSIGNED;
        }
        if (is_one_of(name, headers, sizeof(headers) / sizeof(headers[0])) ||
            (name.length > prefix.length &&
             lst_internal_equal_ignoring_case(lst_internal_first(name, prefix.length), prefix))) {
            return LST_INTERNAL_V2_HEADER;
        }
    }
    return is_one_of(name, listing, sizeof(listing) / sizeof(listing[0]))
               ? LST_INTERNAL_V2_UNSIGNED
               : LST_INTERNAL_V2_RESOURCE;
}

static int refuse(struct lst_auth *auth, struct lst_slice culprit, int error)
{
    auth->culprit = culprit;
    return error;
}

/* A session token among the parameters: as every x-amz- header of a presigned URL, in any case. */
static void find_token(const struct lst_request *request, struct lst_auth *auth)
{
    struct lst_internal_parameter parameters[LST_PARAMETERS_MAX];
    struct lst_slice path;
    struct lst_slice query;
    size_t count = 0;

    lst_internal_split_target(request->target, &path, &query);
    if (lst_internal_split_query(query, parameters, &count) != LST_OK) {
        return; /* lst_parse() has looked before */
    }
    for (size_t i = 0; i < count; i++) {
        if (lst_internal_equal_ignoring_case(parameters[i].name,
                                             LST_SLICE("x-amz-security-token"))) {
            auth->session_token = parameters[i].value;
        }
    }
}

static int parse_query(const struct lst_request *request, const struct lst_rules *rules,
                       int64_t now, const struct lst_internal_claims *claims, struct lst_auth *auth)
{
    static const enum lst_internal_claim_name names[] = {LST_INTERNAL_CLAIM_V2_ACCESS_KEY_ID,
                                                         LST_INTERNAL_CLAIM_V2_SIGNATURE,
                                                         LST_INTERNAL_CLAIM_V2_EXPIRES};
    int64_t limit = rules->expires_max > 0 ? rules->expires_max : LST_EXPIRES_MAX;
    struct lst_slice expires = claims->query[LST_INTERNAL_CLAIM_V2_EXPIRES].value;
    uint64_t seconds;
    int error;

    auth->signature = claims->query[LST_INTERNAL_CLAIM_V2_SIGNATURE].value;
    error = lst_internal_take_access_key_id(
        auth, claims->query[LST_INTERNAL_CLAIM_V2_ACCESS_KEY_ID].value, LST_INTERNAL_WIRE_QUERY);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct lst_internal_claim *claim = &claims->query[names[i]];
        if (claim->count != 1 || claim->value.length == 0) {
            return refuse(auth, lst_internal_parameter_name(names[i]),
                          claim->count > 1 ? LST_REFUSED_PARAMETER_REPEATED
                                           : LST_REFUSED_PARAMETER_MISSING);
        }
    }
    if (error != LST_OK) {
        return refuse(auth, LST_SLICE("AWSAccessKeyId"), error);
    }
    if (!lst_internal_parse_decimal(expires, &seconds) || seconds > SECONDS_MAX) {
        return refuse(auth, LST_SLICE("Expires"), LST_REFUSED_EXPIRES_FORMAT);
    }
    auth->time = (int64_t)seconds;
    find_token(request, auth);
    if (now > auth->time) {
        return LST_REFUSED_EXPIRED;
    }
    return auth->time - now > limit
               ? refuse(auth, LST_SLICE("Expires"), LST_REFUSED_EXPIRES_TOO_LARGE)
               : LST_OK;
}

static int parse_header(const struct lst_rules *rules, int64_t now,
                        const struct lst_internal_claims *claims, struct lst_auth *auth)
{
    int64_t skew = rules->clock_skew > 0 ? rules->clock_skew : LST_CLOCK_SKEW;
    const struct lst_internal_claim *date =
        claims->amz_date.count > 0 ? &claims->amz_date : &claims->date;
    struct lst_slice text =
        lst_internal_trim(lst_internal_skip(claims->authorization.value, sizeof("AWS")));
    size_t colon = lst_internal_find(text, ':');

    auth->session_token = claims->amz_security_token.value;
    if (lst_internal_take_access_key_id(auth, lst_internal_first(text, colon), LST_INTERNAL_RAW) !=
            LST_OK ||
        colon == text.length) {
        return refuse(auth, LST_SLICE("Authorization"), LST_REFUSED_CREDENTIAL);
    }
    auth->signature = lst_internal_skip(text, colon + 1);
    if (date->count != 1 || (!lst_internal_parse_http_date(date->value, &auth->time) &&
                             lst_parse_time(date->value, &auth->time) != LST_OK)) {
        return refuse(auth, LST_SLICE("Date"), LST_REFUSED_DATE);
    }
    skew = skew < SECONDS_MAX ? skew : SECONDS_MAX;
    return now < auth->time - skew || now > auth->time + skew ? LST_REFUSED_TIME_TOO_SKEWED
                                                              : LST_OK;
}

int lst_internal_parse_v2(const struct lst_request *request, const struct lst_rules *rules,
                          int64_t now, const struct lst_internal_claims *claims,
                          struct lst_auth *auth)
{
    const struct lst_internal_claim *hash = &claims->amz_content_sha256;
    int error = auth->kind == LST_AUTH_V2_QUERY ? parse_query(request, rules, now, claims, auth)
                                                : parse_header(rules, now, claims, auth);

    if (error != LST_OK || hash->count == 0) {
        return error;
    }
    /* Version 2 knows no body in signed chunks. */
    error = lst_internal_parse_payload_hash(auth, hash->value);
    if (error == LST_OK && (auth->payload > LST_PAYLOAD_SHA256 || hash->count > 1)) {
        error = LST_REFUSED_PAYLOAD_HASH;
    }
    return error == LST_OK ? LST_OK : refuse(auth, LST_SLICE("x-amz-content-sha256"), error);
}
