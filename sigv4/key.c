/* key.c - the signing key of one secret, for one day, region and service. */
#include "key.h"
#include "hash.h"
#include "writer.h"

static const struct lst_slice terminator = {"aws4_request", sizeof("aws4_request") - 1};

bool lst_internal_scope_part_is_valid(struct lst_slice part, size_t length_max)
{
    return part.length > 0 && part.length <= length_max &&
           lst_internal_all_of(part, LST_INTERNAL_SCOPE);
}

bool lst_internal_day_is_valid(struct lst_slice day)
{
    for (size_t i = 0; i < day.length; i++) {
        if (day.bytes[i] < '0' || day.bytes[i] > '9') {
            return false;
        }
    }
    return day.length == 8;
}

static void put_scope(struct lst_key *key, struct lst_slice day, struct lst_slice region,
                      struct lst_slice service)
{
    struct lst_internal_writer writer = lst_internal_writer_to(key->scope, sizeof(key->scope));

    lst_internal_put(&writer, day);
    lst_internal_put_char(&writer, '/');
    lst_internal_put(&writer, region);
    lst_internal_put_char(&writer, '/');
    lst_internal_put(&writer, service);
    lst_internal_put_char(&writer, '/');
    lst_internal_put(&writer, terminator);
    key->scope_length = (uint8_t)writer.length;
    key->region_length = (uint8_t)region.length;
    key->service_length = (uint8_t)service.length;
    lst_internal_put_char(&writer, '\0');
}

/* The chain of HMACs of "Calculating a Signature": each digest is the key of the next. */
static void derive(struct lst_key *key, struct lst_slice secret, const struct lst_slice parts[4])
{
    char first[4 + LST_SECRET_MAX];
    uint8_t digest[LST_INTERNAL_SHA256_SIZE];
    struct lst_slice link = {(const char *)digest, sizeof(digest)};
    struct lst_internal_writer writer = lst_internal_writer_to(first, sizeof(first));

    lst_internal_put(&writer, LST_SLICE("AWS4"));
    lst_internal_put(&writer, secret);
    lst_internal_hmac_key(key->inner, key->outer, (struct lst_slice){first, writer.length});
    for (size_t i = 0; i < 4; i++) {
        lst_internal_hmac(key, parts[i], digest);
        lst_internal_hmac_key(key->inner, key->outer, link);
    }
    lst_wipe(first, sizeof(first));
    lst_wipe(digest, sizeof(digest));
}

int lst_internal_key_derive(struct lst_key *key, struct lst_slice secret, struct lst_slice day,
                            struct lst_slice region, struct lst_slice service)
{
    if (secret.length == 0 || secret.length > LST_SECRET_MAX || !lst_internal_day_is_valid(day) ||
        !lst_internal_scope_part_is_valid(region, LST_REGION_MAX) ||
        !lst_internal_scope_part_is_valid(service, LST_SERVICE_MAX)) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    derive(key, secret, (const struct lst_slice[]){day, region, service, terminator});
    put_scope(key, day, region, service);
    return LST_OK;
}

LST_PUBLIC int lst_key_init(struct lst_key *key, struct lst_slice secret, int64_t time,
                            struct lst_slice region, struct lst_slice service)
{
    char text[16];
    int error = lst_format_time(time, text);

    if (error != LST_OK) {
        return error;
    }
    return lst_internal_key_derive(key, secret, (struct lst_slice){text, 8}, region, service);
}

struct lst_slice lst_internal_key_scope(const struct lst_key *key)
{
    return (struct lst_slice){key->scope, key->scope_length};
}

LST_PUBLIC bool lst_key_fits(const struct lst_key *key, struct lst_slice day,
                             struct lst_slice region, struct lst_slice service)
{
    struct lst_slice key_day = {key->scope, 8};
    struct lst_slice key_region = {key->scope + 9, key->region_length};
    struct lst_slice key_service = {key->scope + 10 + key->region_length, key->service_length};

    return lst_internal_equal(day, key_day) && lst_internal_equal(region, key_region) &&
           lst_internal_equal(service, key_service);
}

LST_PUBLIC void lst_sign_string(const struct lst_key *key, struct lst_slice string_to_sign,
                                char ret_signature[LST_SIGNATURE_LENGTH])
{
    lst_internal_hmac_hex(key, string_to_sign, ret_signature);
}

LST_PUBLIC int lst_credential(struct lst_slice access_key_id, const struct lst_key *key, char *out,
                              size_t capacity, size_t *ret_length)
{
    struct lst_internal_writer writer = lst_internal_writer_to(out, capacity);

    if (!lst_internal_scope_part_is_valid(access_key_id, LST_ACCESS_KEY_ID_MAX)) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    lst_internal_put(&writer, access_key_id);
    lst_internal_put_char(&writer, '/');
    lst_internal_put(&writer, lst_internal_key_scope(key));
    return lst_internal_writer_finish(&writer, ret_length);
}
