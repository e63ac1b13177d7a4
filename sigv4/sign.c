/* sign.c - presigned URLs, Authorization headers, and the stages of both. */
#include "canonical.h"
#include "hash.h"
#include "signing.h"

#include <nettle/sha2.h>

static void put_canonical_request(struct lst_internal_writer *writer,
                                  const struct lst_internal_plan *plan)
{
    lst_internal_put(writer, plan->signing->method);
    lst_internal_put_char(writer, '\n');
    if (plan->path.length > 0) {
        lst_internal_put(writer, plan->path);
    } else {
        lst_internal_put_path(writer, plan->signing);
    }
    lst_internal_put_char(writer, '\n');
    lst_internal_put_planned_query(writer, plan);
    lst_internal_put_char(writer, '\n');
    lst_internal_put_planned_headers(writer, plan);
    lst_internal_put_char(writer, '\n');
    lst_internal_put_header_names(writer, plan, false);
    lst_internal_put_char(writer, '\n');
    lst_internal_put(writer, plan->payload_hash);
}

static void put_planned_string(struct lst_internal_writer *writer,
                               const struct lst_internal_plan *plan)
{
    char scratch[LST_INTERNAL_SCRATCH];
    uint8_t hash[LST_INTERNAL_SHA256_SIZE];
    struct sha256_ctx context;
    struct lst_internal_writer canonical =
        lst_internal_writer_hashing(&context, scratch, sizeof(scratch));

    sha256_init(&context);
    put_canonical_request(&canonical, plan);
    lst_internal_writer_digest(&canonical, hash);
    lst_internal_put_string_to_sign(writer, plan->time, lst_internal_key_scope(plan->key), hash);
}

static void put_signature(struct lst_internal_writer *writer, const struct lst_internal_plan *plan,
                          const struct lst_key *key)
{
    char text[256 + LST_INTERNAL_PADDING];
    char signature[LST_SIGNATURE_LENGTH];
    struct lst_internal_writer string = lst_internal_writer_to(text, 256);

    put_planned_string(&string, plan);
    lst_internal_hmac_hex_in_place(key, text, string.length, signature);
    lst_internal_put(writer, (struct lst_slice){signature, sizeof(signature)});
}

/* What has been written since a length, unless it did not fit. */
static struct lst_slice written_since(const struct lst_internal_writer *writer, size_t start)
{
    if (writer->overflow) {
        return LST_SLICE("");
    }
    return (struct lst_slice){writer->out + start, writer->length - start};
}

/* As botocore sends them: further parameters first, and the token after X-Amz-SignedHeaders. */
static void put_url_query(struct lst_internal_writer *writer, struct lst_internal_plan *plan)
{
    size_t start;

    for (size_t i = plan->own_count; i < plan->query_count; i++) {
        lst_internal_put_parameter(writer, &plan->parameters[i], LST_INTERNAL_RAW);
        lst_internal_put_char(writer, '&');
    }
    start = writer->length;
    lst_internal_put_own_parameter(writer, plan, LST_INTERNAL_OWN_ALGORITHM);
    lst_internal_put_char(writer, '&');
    lst_internal_put_own_parameter(writer, plan, LST_INTERNAL_OWN_CREDENTIAL);
    lst_internal_put_char(writer, '&');
    lst_internal_put_own_parameter(writer, plan, LST_INTERNAL_OWN_DATE);
    lst_internal_put_char(writer, '&');
    lst_internal_put_own_parameter(writer, plan, LST_INTERNAL_OWN_EXPIRES);
    lst_internal_put_char(writer, '&');
    lst_internal_put_own_parameter(writer, plan, LST_INTERNAL_OWN_SIGNED_HEADERS);
    if (plan->signing->session_token.length > 0) {
        lst_internal_put_char(writer, '&');
        lst_internal_put_own_parameter(writer, plan, LST_INTERNAL_OWN_TOKEN);
    } else {
        plan->own_parameters = written_since(writer, start);
    }
}

LST_PUBLIC int lst_presign(const struct lst_signing *signing, const struct lst_key *key, char *out,
                           size_t capacity, size_t *ret_length)
{
    struct lst_internal_writer writer = lst_internal_writer_to(out, capacity);
    struct lst_internal_plan plan;
    size_t start;
    int error = lst_internal_plan_init(&plan, signing, key, LST_AUTH_QUERY);

    if (error != LST_OK) {
        return error;
    }
    lst_internal_put(&writer, signing->scheme.length > 0 ? signing->scheme : LST_SLICE("https"));
    lst_internal_put(&writer, LST_SLICE("://"));
    lst_internal_put_host(&writer, signing);
    start = writer.length;
    lst_internal_put_path(&writer, signing);
    plan.path = written_since(&writer, start);
    lst_internal_put_char(&writer, '?');
    put_url_query(&writer, &plan);
    lst_internal_put(&writer, LST_SLICE("&X-Amz-Signature="));
    put_signature(&writer, &plan, key);
    return lst_internal_writer_finish(&writer, ret_length);
}

LST_PUBLIC size_t lst_presign_bound(const struct lst_signing *signing, const struct lst_key *key)
{
    /* 1024: names, separators, date, expiry and signature, some 350 in all. */
    size_t bound = 1024 + signing->scheme.length + signing->host.length +
                   4 * signing->bucket.length + 3 * signing->key.length +
                   3 * signing->access_key_id.length + 3 * (size_t)key->scope_length +
                   3 * signing->session_token.length;

    for (size_t i = 0; i < signing->query_count; i++) {
        bound += 3 * (signing->query[i].name.length + signing->query[i].value.length) + 2;
    }
    for (size_t i = 0; i < signing->header_count; i++) {
        bound += 3 * (signing->headers[i].name.length + 1);
    }
    return bound;
}

LST_PUBLIC int lst_sign_header(const struct lst_signing *signing, const struct lst_key *key,
                               char *out, size_t capacity, size_t *ret_length)
{
    struct lst_internal_writer writer = lst_internal_writer_to(out, capacity);
    struct lst_internal_plan plan;
    int error = lst_internal_plan_init(&plan, signing, key, LST_AUTH_HEADER);

    if (error != LST_OK) {
        return error;
    }
    lst_internal_put(&writer, LST_SLICE("AWS4-HMAC-SHA256 Credential="));
    lst_internal_put(&writer, signing->access_key_id);
    lst_internal_put_char(&writer, '/');
    lst_internal_put(&writer, lst_internal_key_scope(key));
    lst_internal_put(&writer, LST_SLICE(", SignedHeaders="));
    lst_internal_put_header_names(&writer, &plan, false);
    lst_internal_put(&writer, LST_SLICE(", Signature="));
    put_signature(&writer, &plan, key);
    return lst_internal_writer_finish(&writer, ret_length);
}

LST_PUBLIC int lst_signing_canonical_request(const struct lst_signing *signing,
                                             const struct lst_key *key, enum lst_auth_kind kind,
                                             char *out, size_t capacity, size_t *ret_length)
{
    struct lst_internal_writer writer = lst_internal_writer_to(out, capacity);
    struct lst_internal_plan plan;
    int error = lst_internal_plan_init(&plan, signing, key, kind);

    if (error != LST_OK) {
        return error;
    }
    put_canonical_request(&writer, &plan);
    return lst_internal_writer_finish(&writer, ret_length);
}

LST_PUBLIC int lst_signing_string_to_sign(const struct lst_signing *signing,
                                          const struct lst_key *key, enum lst_auth_kind kind,
                                          char *out, size_t capacity, size_t *ret_length)
{
    struct lst_internal_writer writer = lst_internal_writer_to(out, capacity);
    struct lst_internal_plan plan;
    int error = lst_internal_plan_init(&plan, signing, key, kind);

    if (error != LST_OK) {
        return error;
    }
    put_planned_string(&writer, &plan);
    return lst_internal_writer_finish(&writer, ret_length);
}
