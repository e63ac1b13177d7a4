/* canonical.c - the canonical request, string to sign and signature of a request received. */
#include "canonical.h"
#include "hash.h"
#include "query.h"
#include "signed_headers.h"

#include <nettle/sha2.h>

static const struct lst_internal_variation no_variation;

static void put_path(struct lst_internal_writer *writer, struct lst_slice path,
                     enum lst_internal_path_form form)
{
    switch (form) {
    case LST_INTERNAL_PATH_ENCODED:
        lst_internal_put_encoded(writer, path, LST_INTERNAL_WIRE, true);
        break;
    case LST_INTERNAL_PATH_ENCODED_TWICE:
        while (path.length > 0) {
            char byte = (char)lst_internal_next_byte(&path, LST_INTERNAL_WIRE);
            char encoded[3];
            struct lst_internal_writer once = lst_internal_writer_to(encoded, sizeof(encoded));

            lst_internal_put_encoded(&once, (struct lst_slice){&byte, 1}, LST_INTERNAL_RAW, true);
            lst_internal_put_encoded(writer, (struct lst_slice){encoded, once.length},
                                     LST_INTERNAL_RAW, true);
        }
        break;
    case LST_INTERNAL_PATH_DECODED:
        lst_internal_put_decoded(writer, path, LST_INTERNAL_WIRE);
        break;
    case LST_INTERNAL_PATH_AS_SENT:
        lst_internal_put(writer, path);
        break;
    }
}

/* Leave out the signature, and change what the variation changes. Gives the new count. */
static size_t adjust_parameters(struct lst_internal_parameter *parameters, size_t count,
                                enum lst_auth_kind kind,
                                const struct lst_internal_variation *variation)
{
    enum lst_internal_change change = variation->parameter_change;
    struct lst_internal_parameter changed = {.name = variation->parameter.name,
                                             .value = variation->parameter.value};
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        bool is_changed =
            (change == LST_INTERNAL_CHANGE_REMOVE || change == LST_INTERNAL_CHANGE_REPLACE) &&
            lst_internal_equal(parameters[i].name, changed.name);

        if ((is_changed && change == LST_INTERNAL_CHANGE_REMOVE) ||
            (kind == LST_AUTH_QUERY &&
             lst_internal_query_text_is(parameters[i].name, LST_SLICE("X-Amz-Signature")))) {
            continue;
        }
        parameters[kept++] = is_changed ? changed : parameters[i];
    }
    if (change == LST_INTERNAL_CHANGE_ADD) {
        parameters[kept++] = changed;
    }
    return kept;
}

/*
 * Write the query as it was sent, without the signature, if lst_parse() found that canonical. False
 * if it did not.
 */
static bool put_query_as_sent(struct lst_internal_writer *writer, struct lst_slice query,
                              const struct lst_auth *auth)
{
    struct lst_slice name = LST_SLICE("&X-Amz-Signature=");
    size_t length = auth->canonical_query_length;
    struct lst_slice rest;

    if (auth->kind != LST_AUTH_QUERY || length == 0 || length > query.length) {
        return false;
    }
    rest = lst_internal_skip(query, length);
    if (!lst_internal_starts_with(rest, name) ||
        rest.length < name.length + auth->signature.length) {
        return false;
    }
    lst_internal_put(writer, lst_internal_first(query, length));
    lst_internal_put(writer, lst_internal_skip(rest, name.length + auth->signature.length));
    return true;
}

static int put_query(struct lst_internal_writer *writer, struct lst_slice query,
                     const struct lst_auth *auth, const struct lst_internal_variation *variation)
{
    struct lst_internal_parameter parameters[LST_PARAMETERS_MAX + 1]; /* one may be added */
    uint8_t order[LST_PARAMETERS_MAX + 1];
    size_t count = 0;
    enum lst_internal_origin origin =
        variation->plus_is_plus ? LST_INTERNAL_WIRE : LST_INTERNAL_WIRE_QUERY;

    if (variation == &no_variation && put_query_as_sent(writer, query, auth)) {
        return LST_OK;
    }
    if (lst_internal_split_query(query, parameters, &count) == LST_REFUSED_TOO_MANY_PARAMETERS) {
        return LST_REFUSED_TOO_MANY_PARAMETERS;
    }
    count = adjust_parameters(parameters, count, auth->kind, variation);
    lst_internal_sort_query(parameters, count, 0, origin, order);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            lst_internal_put_char(writer, '&');
        }
        lst_internal_put_parameter(writer, &parameters[order[i]], origin);
    }
    return LST_OK;
}

/* All values of the headers of this name, joined with commas. */
static void put_values(struct lst_internal_writer *writer, const struct lst_request *request,
                       struct lst_slice name)
{
    bool is_first = true;

    for (size_t i = 0; i < request->header_count; i++) {
        if (lst_internal_equal_ignoring_case(request->headers[i].name, name)) {
            if (!is_first) {
                lst_internal_put_char(writer, ',');
            }
            is_first = false;
            lst_internal_put_folded(writer, request->headers[i].value);
        }
    }
}

static void put_header(struct lst_internal_writer *writer, const struct lst_request *request,
                       struct lst_slice name, const struct lst_internal_variation *variation)
{
    struct lst_slice host = variation->host.length > 0 ? variation->host : request->host;

    lst_internal_put(writer, name);
    lst_internal_put_char(writer, ':');
    if (variation->header.name.length > 0 && lst_internal_equal(name, variation->header.name)) {
        lst_internal_put_folded(writer, variation->header.value);
    } else if (host.length > 0 && lst_internal_equal(name, LST_SLICE("host"))) {
        lst_internal_put_folded(writer, host);
    } else {
        put_values(writer, request, name);
    }
    lst_internal_put_char(writer, '\n');
}

static void put_signed_headers(struct lst_internal_writer *writer, const struct lst_auth *auth)
{
    struct lst_internal_name_walk walk = lst_internal_walk_signed(auth);
    struct lst_slice name;
    bool is_first = true;

    while (lst_internal_next_signed(&walk, &name)) {
        if (!is_first) {
            lst_internal_put_char(writer, ';');
        }
        is_first = false;
        lst_internal_put(writer, name);
    }
}

/* The variation's text if it has one. */
static struct lst_slice either(struct lst_slice variation, struct lst_slice original)
{
    return variation.length > 0 ? variation : original;
}

int lst_internal_canonical_request(const struct lst_request *request, const struct lst_auth *auth,
                                   const struct lst_internal_variation *variation,
                                   struct lst_internal_writer *writer)
{
    struct lst_internal_name_walk walk = lst_internal_walk_signed(auth);
    struct lst_slice path;
    struct lst_slice query;
    struct lst_slice name;
    int error;

    variation = variation == NULL ? &no_variation : variation;
    lst_internal_split_target(request->target, &path, &query);
    lst_internal_put(writer, either(variation->method, request->method));
    lst_internal_put_char(writer, '\n');
    put_path(writer, either(variation->path, path), variation->path_form);
    lst_internal_put_char(writer, '\n');
    error = put_query(writer, query, auth, variation);
    if (error != LST_OK) {
        return error;
    }
    lst_internal_put_char(writer, '\n');
    while (lst_internal_next_signed(&walk, &name)) {
        put_header(writer, request, name, variation);
    }
    lst_internal_put_char(writer, '\n');
    put_signed_headers(writer, auth);
    lst_internal_put_char(writer, '\n');
    lst_internal_put(writer, either(variation->payload_hash, auth->payload_hash));
    return LST_OK;
}

int lst_internal_canonical_hash(const struct lst_request *request, const struct lst_auth *auth,
                                const struct lst_internal_variation *variation, uint8_t out[32])
{
    char scratch[LST_INTERNAL_SCRATCH];
    struct sha256_ctx context;
    struct lst_internal_writer writer =
        lst_internal_writer_hashing(&context, scratch, sizeof(scratch));
    int error;

    sha256_init(&context);
    error = lst_internal_canonical_request(request, auth, variation, &writer);
    if (error != LST_OK) {
        return error;
    }
    lst_internal_writer_digest(&writer, out);
    return LST_OK;
}

void lst_internal_put_string_to_sign(struct lst_internal_writer *writer, const char time[16],
                                     struct lst_slice scope, const uint8_t canonical_hash[32])
{
    char hash[64];

    lst_internal_put(writer, LST_SLICE("AWS4-HMAC-SHA256\n"));
    lst_internal_put(writer, (struct lst_slice){time, 16});
    lst_internal_put_char(writer, '\n');
    lst_internal_put(writer, scope);
    lst_internal_put_char(writer, '\n');
    lst_internal_hex_encode(canonical_hash, 32, hash);
    lst_internal_put(writer, (struct lst_slice){hash, sizeof(hash)});
}

void lst_internal_put_scope(struct lst_internal_writer *writer, const struct lst_auth *auth)
{
    lst_internal_put(writer, lst_slice_of(auth->day));
    lst_internal_put_char(writer, '/');
    lst_internal_put(writer, lst_slice_of(auth->region));
    lst_internal_put_char(writer, '/');
    lst_internal_put(writer, lst_slice_of(auth->service));
    lst_internal_put(writer, LST_SLICE("/aws4_request"));
}

static int put_string_to_sign(struct lst_internal_writer *writer, const struct lst_request *request,
                              const struct lst_auth *auth,
                              const struct lst_internal_variation *variation)
{
    char time[16];
    char scope[sizeof(((struct lst_key *)0)->scope)];
    uint8_t hash[32];
    struct lst_internal_writer scope_writer = lst_internal_writer_to(scope, sizeof(scope));
    int error = lst_format_time(auth->time, time);

    if (error == LST_OK) {
        error = lst_internal_canonical_hash(request, auth, variation, hash);
    }
    if (error != LST_OK) {
        return error;
    }
    lst_internal_put_scope(&scope_writer, auth);
    lst_internal_put_string_to_sign(writer, time, (struct lst_slice){scope, scope_writer.length},
                                    hash);
    return LST_OK;
}

int lst_internal_signature(const struct lst_request *request, const struct lst_auth *auth,
                           const struct lst_internal_variation *variation,
                           const struct lst_key *key, char out[LST_SIGNATURE_LENGTH])
{
    char text[256 + LST_INTERNAL_PADDING];
    struct lst_internal_writer writer = lst_internal_writer_to(text, 256);
    int error = put_string_to_sign(&writer, request, auth, variation);

    if (error != LST_OK) {
        return error;
    }
    lst_internal_hmac_hex_in_place(key, text, writer.length, out);
    return LST_OK;
}

LST_PUBLIC int lst_canonical_request(const struct lst_request *request, const struct lst_auth *auth,
                                     char *out, size_t capacity, size_t *ret_length)
{
    struct lst_internal_writer writer = lst_internal_writer_to(out, capacity);
    int error = lst_internal_canonical_request(request, auth, NULL, &writer);

    return error != LST_OK ? error : lst_internal_writer_finish(&writer, ret_length);
}

LST_PUBLIC int lst_string_to_sign(const struct lst_request *request, const struct lst_auth *auth,
                                  char *out, size_t capacity, size_t *ret_length)
{
    struct lst_internal_writer writer = lst_internal_writer_to(out, capacity);
    int error = put_string_to_sign(&writer, request, auth, NULL);

    return error != LST_OK ? error : lst_internal_writer_finish(&writer, ret_length);
}

LST_PUBLIC size_t lst_canonical_request_bound(const struct lst_request *request)
{
    /* The target: encoded, and the names it may hold in SignedHeaders, twice. 512: the rest. */
    size_t bound = 512 + request->method.length + request->host.length + 6 * request->target.length;

    for (size_t i = 0; i < request->header_count; i++) {
        bound += request->headers[i].name.length + 4 * request->headers[i].value.length + 1;
    }
    return bound;
}
