/* verify.c - step two of a check: the signature, and the session token. */
#include "canonical.h"

LST_PUBLIC int lst_verify(const struct lst_request *request, const struct lst_auth *auth,
                          const struct lst_key *key)
{
    char expected[LST_SIGNATURE_LENGTH];
    bool is_right;
    int error;

    if ((auth->kind != LST_AUTH_QUERY && auth->kind != LST_AUTH_HEADER) ||
        !lst_key_fits(key, lst_slice_of(auth->day), lst_slice_of(auth->region),
                      lst_slice_of(auth->service))) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    error = lst_internal_signature(request, auth, NULL, key, expected);
    if (error != LST_OK) {
        return error;
    }
    is_right = lst_equal_secret((struct lst_slice){expected, sizeof(expected)}, auth->signature);
    lst_wipe(expected, sizeof(expected));
    return is_right ? LST_OK : LST_REFUSED_SIGNATURE;
}

LST_PUBLIC bool lst_auth_token_equals(const struct lst_auth *auth, struct lst_slice token)
{
    enum lst_internal_origin origin =
        auth->kind == LST_AUTH_QUERY || auth->kind == LST_AUTH_V2_QUERY ? LST_INTERNAL_WIRE_QUERY
                                                                        : LST_INTERNAL_RAW;
    struct lst_slice sent = auth->session_token;
    unsigned difference = 0;

    while (sent.length > 0 && token.length > 0) {
        difference |= lst_internal_next_byte(&sent, origin) ^ (unsigned char)token.bytes[0];
        token = lst_internal_skip(token, 1);
    }
    return difference == 0 && sent.length == 0 && token.length == 0;
}
