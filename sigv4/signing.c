/* signing.c - check what is to be signed, and put its parameters and headers in order. */
#include "signing.h"
#include "query.h"

static const struct lst_slice host_name = {"host", 4};

/* A header's value, or another text that stands in one, can't hold what would end it. */
static bool is_one_line(struct lst_slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        if ((unsigned char)text.bytes[i] < ' ' && text.bytes[i] != '\t') {
            return false;
        }
    }
    return true;
}

static bool is_token(struct lst_slice text)
{
    return text.length > 0 && lst_internal_all_of(text, LST_INTERNAL_TOKEN);
}

/* All of it, but for case, may stand in SignedHeaders as it is, in a URL too. */
static bool is_signable_name(struct lst_slice name)
{
    return name.length > 0 && lst_internal_all_of(name, LST_INTERNAL_UNRESERVED);
}

/* What can stand between "https://" and the path without ending the host early. */
static bool is_host(struct lst_slice host)
{
    return lst_internal_all_of(host, LST_INTERNAL_HOST);
}

static bool is_signable(const struct lst_signing *signing, enum lst_auth_kind kind)
{
    return is_token(signing->method) && signing->host.length > 0 && is_host(signing->host) &&
           (signing->style != LST_VIRTUAL_HOST || is_host(signing->bucket)) &&
           lst_internal_scope_part_is_valid(signing->access_key_id, LST_ACCESS_KEY_ID_MAX) &&
           is_one_line(signing->session_token) && is_one_line(signing->payload_hash) &&
           signing->query_count <= LST_PARAMETERS_MAX - LST_INTERNAL_OWN_COUNT - 1 &&
           signing->header_count <= LST_SIGNED_HEADERS_MAX &&
           (kind == LST_AUTH_HEADER || signing->expires > 0);
}

/* The parameters that authenticate, in the order of enum lst_internal_own; last, the signature. */
static const struct lst_slice own_names[LST_INTERNAL_OWN_COUNT + 1] = {
    {"X-Amz-Algorithm", 15}, {"X-Amz-Credential", 16},     {"X-Amz-Date", 10},
    {"X-Amz-Expires", 13},   {"X-Amz-Security-Token", 20}, {"X-Amz-SignedHeaders", 19},
    {"X-Amz-Signature", 15},
};

static bool is_own_parameter(struct lst_slice name)
{
    for (size_t i = 0; i < sizeof(own_names) / sizeof(own_names[0]); i++) {
        if (lst_internal_equal(name, own_names[i])) {
            return true;
        }
    }
    return false;
}

static void add_parameter(struct lst_internal_plan *plan, struct lst_slice name,
                          struct lst_slice value)
{
    plan->parameters[plan->query_count++] =
        (struct lst_internal_parameter){.name = name, .value = value};
}

/* The library's own parameters come first; their values are written by put_own_parameter(). */
static int plan_query(struct lst_internal_plan *plan, enum lst_auth_kind kind)
{
    const struct lst_signing *signing = plan->signing;
    size_t own_count = LST_INTERNAL_OWN_COUNT - (signing->session_token.length > 0 ? 0U : 1U);

    plan->own_count = kind == LST_AUTH_QUERY ? own_count : 0;
    plan->query_count = plan->own_count;
    if (signing->query_count == 0) {
        return LST_OK; /* they are in order already */
    }
    plan->query_count = 0;
    for (size_t i = 0; i < LST_INTERNAL_OWN_COUNT && plan->own_count > 0; i++) {
        if (i != LST_INTERNAL_OWN_TOKEN || signing->session_token.length > 0) {
            add_parameter(plan, own_names[i], LST_SLICE(""));
        }
    }
    for (size_t i = 0; i < signing->query_count; i++) {
        if (is_own_parameter(signing->query[i].name)) {
            return LST_ERR_INVALID_ARGUMENT;
        }
        add_parameter(plan, signing->query[i].name, signing->query[i].value);
    }
    lst_internal_sort_query(plan->parameters, plan->query_count, plan->own_count, LST_INTERNAL_RAW,
                            plan->query_order);
    return LST_OK;
}

/* Put a header where it belongs; headers of one name keep their order. False: no room. */
static bool insert_header(struct lst_internal_plan *plan, struct lst_slice name,
                          struct lst_slice value)
{
    size_t place = plan->header_count;

    if (plan->header_count == LST_SIGNED_HEADERS_MAX) {
        return false;
    }
    while (place > 0 && lst_internal_compare_names(plan->headers[place - 1].name, name) > 0) {
        plan->headers[place] = plan->headers[place - 1];
        place--;
    }
    plan->headers[place] = (struct lst_field){name, value};
    plan->header_count++;
    return true;
}

static bool has_header(const struct lst_internal_plan *plan, struct lst_slice name)
{
    for (size_t i = 0; i < plan->header_count; i++) {
        if (lst_internal_equal_ignoring_case(plan->headers[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* Add a header of the library's own; false if the caller gave it as well, or there is no room. */
static bool add_own_header(struct lst_internal_plan *plan, struct lst_slice name,
                           struct lst_slice value)
{
    return !has_header(plan, name) && insert_header(plan, name, value);
}

static bool add_date_and_token(struct lst_internal_plan *plan, bool is_s3)
{
    struct lst_slice token = plan->signing->session_token;

    return !has_header(plan, LST_SLICE("authorization")) &&
           add_own_header(plan, LST_SLICE("x-amz-date"), (struct lst_slice){plan->time, 16}) &&
           (!is_s3 ||
            add_own_header(plan, LST_SLICE("x-amz-content-sha256"), plan->payload_hash)) &&
           (token.length == 0 || add_own_header(plan, LST_SLICE("x-amz-security-token"), token));
}

static int plan_headers(struct lst_internal_plan *plan, enum lst_auth_kind kind, bool is_s3)
{
    const struct lst_signing *signing = plan->signing;

    plan->header_count = 0;
    for (size_t i = 0; i < signing->header_count; i++) {
        if (!is_signable_name(signing->headers[i].name) ||
            !is_one_line(signing->headers[i].value) ||
            !insert_header(plan, signing->headers[i].name, signing->headers[i].value)) {
            return LST_ERR_INVALID_ARGUMENT;
        }
    }
    if (!add_own_header(plan, host_name, LST_SLICE("")) ||
        (kind == LST_AUTH_HEADER && !add_date_and_token(plan, is_s3))) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    return LST_OK;
}

int lst_internal_plan_init(struct lst_internal_plan *plan, const struct lst_signing *signing,
                           const struct lst_key *key, enum lst_auth_kind kind)
{
    struct lst_slice service = {key->scope + 10 + key->region_length, key->service_length};
    int error;

    if ((kind != LST_AUTH_QUERY && kind != LST_AUTH_HEADER) || !is_signable(signing, kind)) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    plan->signing = signing;
    plan->key = key;
    plan->path = LST_SLICE("");
    plan->own_parameters = LST_SLICE("");
    plan->payload_hash =
        signing->payload_hash.length > 0 ? signing->payload_hash : LST_SLICE("UNSIGNED-PAYLOAD");
    error = lst_format_time(signing->time, plan->time);
    if (error == LST_OK && memcmp(plan->time, key->scope, 8) != 0) {
        error = LST_ERR_INVALID_ARGUMENT;
    }
    if (error == LST_OK) {
        error = plan_query(plan, kind);
    }
    if (error == LST_OK) {
        error = plan_headers(plan, kind, lst_internal_equal(service, LST_SLICE("s3")));
    }
    return error;
}

void lst_internal_put_host(struct lst_internal_writer *writer, const struct lst_signing *signing)
{
    if (signing->style == LST_VIRTUAL_HOST && signing->bucket.length > 0) {
        lst_internal_put(writer, signing->bucket);
        lst_internal_put_char(writer, '.');
    }
    lst_internal_put(writer, signing->host);
}

void lst_internal_put_path(struct lst_internal_writer *writer, const struct lst_signing *signing)
{
    bool names_bucket = signing->style == LST_PATH_STYLE && signing->bucket.length > 0;

    lst_internal_put_char(writer, '/');
    if (names_bucket) {
        lst_internal_put_encoded(writer, signing->bucket, LST_INTERNAL_RAW, true);
    }
    if (names_bucket && signing->key.length > 0) {
        lst_internal_put_char(writer, '/');
    }
    lst_internal_put_encoded(writer, signing->key, LST_INTERNAL_RAW, true);
}

/* The name of the library's own header, which is on the path of every request, is lower-case. */
static void put_name(struct lst_internal_writer *writer, struct lst_slice name)
{
    if (name.bytes == host_name.bytes) {
        lst_internal_put(writer, LST_SLICE("host"));
    } else {
        lst_internal_put_lower(writer, name);
    }
}

/* True if the header before has the same name, so that this one's value joins it. */
static bool continues_header(const struct lst_internal_plan *plan, size_t index)
{
    const struct lst_field *header = &plan->headers[index];

    return index > 0 && lst_internal_equal_ignoring_case(header[0].name, header[-1].name);
}

void lst_internal_put_header_names(struct lst_internal_writer *writer,
                                   const struct lst_internal_plan *plan, bool encoded)
{
    for (size_t i = 0; i < plan->header_count; i++) {
        if (continues_header(plan, i)) {
            continue;
        }
        if (i > 0) {
            lst_internal_put(writer, encoded ? LST_SLICE("%3B") : LST_SLICE(";"));
        }
        put_name(writer, plan->headers[i].name);
    }
}

static void put_credential(struct lst_internal_writer *writer, const struct lst_internal_plan *plan)
{
    const struct lst_key *key = plan->key;
    struct lst_slice region = {key->scope + 9, key->region_length};
    struct lst_slice service = {key->scope + 10 + key->region_length, key->service_length};

    lst_internal_put_encoded(writer, plan->signing->access_key_id, LST_INTERNAL_RAW, false);
    lst_internal_put(writer, LST_SLICE("%2F"));
    lst_internal_put(writer, (struct lst_slice){key->scope, 8});
    lst_internal_put(writer, LST_SLICE("%2F"));
    lst_internal_put_encoded(writer, region, LST_INTERNAL_RAW, false);
    lst_internal_put(writer, LST_SLICE("%2F"));
    lst_internal_put_encoded(writer, service, LST_INTERNAL_RAW, false);
    lst_internal_put(writer, LST_SLICE("%2Faws4_request"));
}

void lst_internal_put_own_parameter(struct lst_internal_writer *writer,
                                    const struct lst_internal_plan *plan,
                                    enum lst_internal_own which)
{
    switch (which) {
    case LST_INTERNAL_OWN_ALGORITHM:
        lst_internal_put(writer, LST_SLICE("X-Amz-Algorithm=AWS4-HMAC-SHA256"));
        break;
    case LST_INTERNAL_OWN_CREDENTIAL:
        lst_internal_put(writer, LST_SLICE("X-Amz-Credential="));
        put_credential(writer, plan);
        break;
    case LST_INTERNAL_OWN_DATE:
        lst_internal_put(writer, LST_SLICE("X-Amz-Date="));
        lst_internal_put(writer, (struct lst_slice){plan->time, sizeof(plan->time)});
        break;
    case LST_INTERNAL_OWN_EXPIRES:
        lst_internal_put(writer, LST_SLICE("X-Amz-Expires="));
        lst_internal_put_decimal(writer, (uint64_t)plan->signing->expires);
        break;
    case LST_INTERNAL_OWN_TOKEN:
        lst_internal_put(writer, LST_SLICE("X-Amz-Security-Token="));
        lst_internal_put_encoded(writer, plan->signing->session_token, LST_INTERNAL_RAW, false);
        break;
    case LST_INTERNAL_OWN_SIGNED_HEADERS:
        lst_internal_put(writer, LST_SLICE("X-Amz-SignedHeaders="));
        lst_internal_put_header_names(writer, plan, true);
        break;
    case LST_INTERNAL_OWN_COUNT:
        break;
    }
}

/* The parameter at this place of the canonical order. */
static size_t parameter_at(const struct lst_internal_plan *plan, size_t place)
{
    return plan->signing->query_count == 0 ? place : plan->query_order[place];
}

void lst_internal_put_planned_query(struct lst_internal_writer *writer,
                                    const struct lst_internal_plan *plan)
{
    bool has_token = plan->signing->session_token.length > 0;
    size_t done = 0;

    if (plan->own_parameters.length > 0 &&
        parameter_at(plan, plan->own_count - 1) == plan->own_count - 1) {
        lst_internal_put(writer, plan->own_parameters);
        done = plan->own_count;
    }
    for (size_t i = done; i < plan->query_count; i++) {
        size_t index = parameter_at(plan, i);

        if (i > 0) {
            lst_internal_put_char(writer, '&');
        }
        if (index < plan->own_count) {
            /* Without a token the one after it moves up. */
            index += !has_token && index >= LST_INTERNAL_OWN_TOKEN ? 1 : 0;
            lst_internal_put_own_parameter(writer, plan, (enum lst_internal_own)index);
        } else {
            lst_internal_put_parameter(writer, &plan->parameters[index], LST_INTERNAL_RAW);
        }
    }
}

void lst_internal_put_planned_headers(struct lst_internal_writer *writer,
                                      const struct lst_internal_plan *plan)
{
    for (size_t i = 0; i < plan->header_count; i++) {
        if (continues_header(plan, i)) {
            lst_internal_put_char(writer, ',');
        } else {
            lst_internal_put(writer, i > 0 ? LST_SLICE("\n") : LST_SLICE(""));
            put_name(writer, plan->headers[i].name);
            lst_internal_put_char(writer, ':');
        }
        if (plan->headers[i].name.bytes == host_name.bytes) {
            lst_internal_put_host(writer, plan->signing);
        } else {
            lst_internal_put_folded(writer, plan->headers[i].value);
        }
    }
    lst_internal_put_char(writer, '\n');
}
