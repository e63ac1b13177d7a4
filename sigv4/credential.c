/* credential.c - take a credential apart, and check its scope. */
#include "credential.h"
#include "key.h"
#include "query.h"
#include "scan.h"

/*
 * Take the part that begins at *start, up to the next '/', decoded, with a NUL after it; *start
 * then is where the next one begins, SIZE_MAX after the last. False if the part is empty, does not
 * fit, or holds what no such part may.
 */
static bool take_part(struct lst_internal_walk *walk, size_t *start,
                      enum lst_internal_origin origin, char *out, size_t capacity)
{
    struct lst_internal_writer writer = lst_internal_writer_to(out, capacity - 1);

    while (*start < walk->text.length) {
        size_t at = lst_internal_next_reserved(walk);
        struct lst_slice rest = lst_internal_skip(walk->text, at);
        char byte;

        lst_internal_put(&writer, (struct lst_slice){walk->text.bytes + *start, at - *start});
        if (rest.length == 0) {
            break;
        }
        byte = (char)lst_internal_next_byte(&rest, origin);
        *start = walk->text.length - rest.length;
        if (byte == '/') {
            out[writer.length] = '\0';
            return writer.length > 0 && !writer.overflow;
        }
        if (!lst_internal_is(byte, LST_INTERNAL_SCOPE)) {
            return false;
        }
        lst_internal_put_char(&writer, byte);
    }
    *start = SIZE_MAX;
    out[writer.length] = '\0';
    return writer.length > 0 && !writer.overflow;
}

static bool take_parts(struct lst_auth *auth, struct lst_slice text, int *ret_scope_error)
{
    enum lst_internal_origin origin =
        auth->kind == LST_AUTH_QUERY ? LST_INTERNAL_WIRE_QUERY : LST_INTERNAL_RAW;
    struct lst_internal_walk walk = {.text = text};
    size_t start = 0;
    char terminator[32];

    if (!take_part(&walk, &start, origin, auth->access_key_id, sizeof(auth->access_key_id)) ||
        !take_part(&walk, &start, origin, auth->day, sizeof(auth->day)) ||
        !lst_internal_day_is_valid(lst_slice_of(auth->day)) ||
        !take_part(&walk, &start, origin, auth->region, sizeof(auth->region)) ||
        !take_part(&walk, &start, origin, auth->service, sizeof(auth->service)) ||
        !take_part(&walk, &start, origin, terminator, sizeof(terminator)) || start != SIZE_MAX) {
        return false;
    }
    *ret_scope_error =
        strcmp(terminator, "aws4_request") == 0 ? LST_OK : LST_REFUSED_SCOPE_TERMINATOR;
    return true;
}

int lst_internal_parse_credential(struct lst_auth *auth, struct lst_slice text,
                                  int *ret_scope_error)
{
    auth->credential = text;
    if (take_parts(auth, text, ret_scope_error)) {
        return LST_OK;
    }
    auth->day[0] = '\0';
    auth->region[0] = '\0';
    auth->service[0] = '\0';
    return LST_REFUSED_CREDENTIAL;
}

int lst_internal_check_scope(const struct lst_auth *auth, const char day[8],
                             const struct lst_rules *rules)
{
    struct lst_slice service = rules->service.length > 0 ? rules->service : LST_SLICE("s3");

    if (memcmp(day, auth->day, 8) != 0) {
        return LST_REFUSED_SCOPE_DATE;
    }
    if (rules->region.length > 0 &&
        !lst_internal_equal(rules->region, lst_slice_of(auth->region))) {
        return LST_REFUSED_SCOPE_REGION;
    }
    return lst_internal_equal(service, lst_slice_of(auth->service)) ? LST_OK
                                                                    : LST_REFUSED_SCOPE_SERVICE;
}
