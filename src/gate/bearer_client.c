/* bearer_client.c - the text of client tokens: lsc_<claims>.<mac>, both in base64url. */
#include "gate/bearer_client.h"

#include "access/json.h"
#include "base/encoding.h"

#include <nettle/hmac.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAC = 32, ID_HASH = 8, PREFIX = sizeof(LST_CLIENT_PREFIX) - 1 };

/* The key is the hash that is stored of the parent: who knows the parent's text could make it too,
 * and he may do all that a client may. */
static void mac_of(const struct lst_token *parent, struct lst_slice claims, uint8_t ret_mac[MAC])
{
    struct hmac_sha256_ctx context;

    hmac_sha256_set_key(&context, sizeof(parent->hash), parent->hash);
    hmac_sha256_update(&context, claims.length, (const uint8_t *)claims.bytes);
    hmac_sha256_digest(&context, MAC, ret_mac);
    lst_wipe(&context, sizeof(context));
}

/* Both halves of the text. */
static bool split(struct lst_slice text, struct lst_slice *ret_claims, struct lst_slice *ret_mac)
{
    size_t dot = lst_slice_find(text, '.');

    if (text.length > LST_CLIENT_TOKEN_MAX || dot == text.length || dot < PREFIX) {
        return false;
    }
    *ret_claims = lst_slice_after(lst_slice_first(text, dot), PREFIX);
    *ret_mac = lst_slice_after(text, dot + 1);
    return true;
}

static bool copy(const char *text, char *ret_text, size_t size)
{
    size_t length = strlen(text);

    if (length >= size) {
        return false;
    }
    memcpy(ret_text, text, length + 1);
    return true;
}

static int read_json(json_t *json, struct lst_client_claims *ret_claims)
{
    const char *parent;
    const char *profile;
    json_int_t expires;
    json_t *variables;

    if (json_unpack(json, "{s:s, s:s, s:I, s:o}", "t", &parent, "p", &profile, "e", &expires, "v",
                    &variables) != 0) {
        return lst_json_ran_out() ? LST_ERR_NO_MEMORY : LST_REFUSED_TOKEN_INVALID;
    }
    if (!json_is_object(variables) ||
        !copy(parent, ret_claims->parent, sizeof(ret_claims->parent)) ||
        !copy(profile, ret_claims->profile, sizeof(ret_claims->profile))) {
        return LST_REFUSED_TOKEN_INVALID;
    }
    ret_claims->expires = expires;
    ret_claims->variables = lst_json_dump(variables, JSON_COMPACT | JSON_SORT_KEYS);
    return ret_claims->variables == NULL ? LST_ERR_NO_MEMORY : LST_OK;
}

int lst_client_claims_read(struct lst_slice text, struct lst_client_claims *ret_claims)
{
    char bytes[LST_BASE64URL_BYTES(LST_CLIENT_TOKEN_MAX)];
    struct lst_slice claims;
    struct lst_slice mac;
    size_t length;
    json_error_t error;
    json_t *json;
    int status;

    ret_claims->variables = NULL;
    if (!split(text, &claims, &mac) || !lst_base64url_decode(claims, bytes, &length)) {
        return LST_REFUSED_TOKEN_INVALID;
    }
    status = lst_json_load(lst_slice_make(bytes, length), JSON_REJECT_DUPLICATES, &json, &error);
    if (status != LST_OK) {
        return status == LST_ERR_MALFORMED ? LST_REFUSED_TOKEN_INVALID : status;
    }
    status = read_json(json, ret_claims);
    json_decref(json);
    return status;
}

void lst_client_id(struct lst_slice text, const char *parent, char ret_id[LST_BEARER_ID_MAX + 1])
{
    struct sha256_ctx context;
    uint8_t digest[SHA256_DIGEST_SIZE];
    char hex[2 * ID_HASH];

    sha256_init(&context);
    sha256_update(&context, text.length, (const uint8_t *)text.bytes);
    sha256_digest(&context, sizeof(digest), digest);
    lst_hex_encode(digest, ID_HASH, hex);
    (void)snprintf(ret_id, LST_BEARER_ID_MAX + 1, "%s/%.*s", parent, 2 * ID_HASH, hex);
}

bool lst_client_claims_fit(struct lst_slice text, const struct lst_token *parent)
{
    uint8_t wanted[MAC];
    char wanted_text[LST_BASE64URL_LENGTH(MAC)];
    struct lst_slice claims;
    struct lst_slice mac;
    size_t length;

    if (!split(text, &claims, &mac)) {
        return false;
    }
    mac_of(parent, claims, wanted);
    length = lst_base64url_encode(wanted, MAC, wanted_text);
    return lst_equal_secret(mac, lst_slice_make(wanted_text, length));
}

int lst_bearer_delegate(const struct lst_bearer *bearer, struct lst_slice profile,
                        const char *variables, int64_t expires, struct lst_buffer *out)
{
    uint8_t mac[MAC];
    char text[LST_CLIENT_TOKEN_MAX];
    size_t length;
    json_error_t error;
    json_t *parsed;
    json_t *json;
    char *claims;
    int status;

    if (bearer->is_client || bearer->token.id[0] == '\0') {
        return LST_ERR_INVALID_ARGUMENT;
    }
    if (strlen(variables) > LST_CLIENT_VARIABLES_MAX || profile.length > LST_CLIENT_PROFILE_MAX) {
        return LST_ERR_TOO_LARGE;
    }
    status = lst_json_load(lst_slice_of(variables), 0, &parsed, &error);
    if (status != LST_OK) {
        return status == LST_ERR_MALFORMED ? LST_ERR_INVALID_ARGUMENT : status;
    }
    json = json_pack("{s:s, s:s%, s:I, s:o}", "t", bearer->token.id, "p", profile.bytes,
                     profile.length, "e", (json_int_t)expires, "v", parsed);
    claims = lst_json_dump(json, JSON_COMPACT);
    json_decref(json);
    if (claims == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    length = lst_base64url_encode(claims, strlen(claims), text);
    free(claims);
    mac_of(&bearer->token, lst_slice_make(text, length), mac);
    lst_buffer_append_string(out, LST_CLIENT_PREFIX);
    lst_buffer_append(out, lst_slice_make(text, length));
    lst_buffer_append_byte(out, '.');
    length = lst_base64url_encode(mac, MAC, text);
    lst_buffer_append(out, lst_slice_make(text, length));
    return lst_buffer_status(out);
}
