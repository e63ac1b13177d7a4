/* ticket.c - an upload's id. */
#include "api/ticket.h"

#include "base/encoding.h"
#include "base/random.h"
#include "latchstring.h"

#include <nettle/hmac.h>

enum { NONCE = 12, MAC = 16, FIELDS = 5, DIGITS_MAX = 12 };

/* ticket: up to and with the '~' before the MAC. */
static size_t mac_text(const uint8_t secret[LST_TICKET_SECRET_SIZE], struct lst_slice ticket,
                       struct lst_slice place, char ret_text[LST_BASE64URL_LENGTH(MAC)])
{
    struct hmac_sha256_ctx context;
    uint8_t mac[MAC];

    hmac_sha256_set_key(&context, LST_TICKET_SECRET_SIZE, secret);
    hmac_sha256_update(&context, ticket.length, (const uint8_t *)ticket.bytes);
    hmac_sha256_update(&context, place.length, (const uint8_t *)place.bytes);
    hmac_sha256_digest(&context, MAC, mac);
    lst_wipe(&context, sizeof(context));
    return lst_base64url_encode(mac, MAC, ret_text);
}

int lst_ticket_make(const uint8_t secret[LST_TICKET_SECRET_SIZE], struct lst_slice profile,
                    struct lst_slice bucket, struct lst_slice key, int64_t created, int64_t expires,
                    struct lst_buffer *id, size_t *ret_ticket_length)
{
    uint8_t nonce[NONCE];
    char text[LST_BASE64URL_LENGTH(sizeof(((struct lst_ticket *)NULL)->place))];
    struct lst_buffer place;
    size_t length;
    int status;

    lst_random_bytes(nonce, sizeof(nonce));
    length = lst_base64url_encode(nonce, sizeof(nonce), text);
    lst_buffer_append_format(id, "%.*s~%lld~%lld~%.*s~", (int)profile.length, profile.bytes,
                             (long long)created, (long long)expires, (int)length, text);
    lst_buffer_init(&place, sizeof(((struct lst_ticket *)NULL)->place));
    lst_buffer_append(&place, bucket);
    lst_buffer_append_byte(&place, '/');
    lst_buffer_append(&place, key);
    status = lst_buffer_status(&place);
    if (status == LST_OK) {
        length = mac_text(secret, lst_buffer_slice(id), lst_buffer_slice(&place), text);
        lst_buffer_append(id, lst_slice_make(text, length));
        *ret_ticket_length = id->length;
        lst_buffer_append_byte(id, '~');
        length = lst_base64url_encode(place.bytes, place.length, text);
        lst_buffer_append(id, lst_slice_make(text, length));
        status = lst_buffer_status(id);
    }
    lst_buffer_release(&place);
    return status;
}

/* ---- Reading */

static bool read_number(struct lst_slice text, int64_t *ret_number)
{
    int64_t number = 0;

    if (text.length == 0 || text.length > DIGITS_MAX) {
        return false;
    }
    for (size_t i = 0; i < text.length; i++) {
        if (text.bytes[i] < '0' || text.bytes[i] > '9') {
            return false;
        }
        number = number * 10 + (text.bytes[i] - '0');
    }
    *ret_number = number;
    return true;
}

/* The texts before each of the first five '~', and what follows them. */
static bool split(struct lst_slice id, struct lst_slice fields[FIELDS], struct lst_slice *ret_rest)
{
    for (size_t i = 0; i < FIELDS; i++) {
        size_t end = lst_slice_find(id, '~');

        if (end == id.length) {
            return false;
        }
        fields[i] = lst_slice_first(id, end);
        id = lst_slice_after(id, end + 1);
    }
    *ret_rest = id;
    return true;
}

/* The place is set: is the ticket one for it? */
static int check(const uint8_t secret[LST_TICKET_SECRET_SIZE], struct lst_slice text,
                 const struct lst_slice fields[FIELDS], struct lst_slice place,
                 struct lst_ticket *ret_ticket)
{
    struct lst_slice mac = fields[FIELDS - 1];
    char wanted[LST_BASE64URL_LENGTH(MAC)];
    size_t length =
        mac_text(secret, lst_slice_first(text, text.length - mac.length), place, wanted);
    size_t slash = lst_slice_find(place, '/');

    if (!lst_equal_secret(mac, lst_slice_make(wanted, length)) || slash == place.length ||
        !read_number(fields[1], &ret_ticket->created) ||
        !read_number(fields[2], &ret_ticket->expires)) {
        return LST_ERR_NOT_FOUND;
    }
    ret_ticket->text = text;
    ret_ticket->profile = fields[0];
    ret_ticket->bucket = lst_slice_first(place, slash);
    ret_ticket->key = lst_slice_after(place, slash + 1);
    return LST_OK;
}

int lst_ticket_read(const uint8_t secret[LST_TICKET_SECRET_SIZE], struct lst_slice id,
                    struct lst_ticket *ret_ticket)
{
    struct lst_slice fields[FIELDS];
    struct lst_slice rest;
    size_t length;

    if (id.length > LST_UPLOAD_ID_MAX || !split(id, fields, &rest) ||
        LST_BASE64URL_BYTES(rest.length) > sizeof(ret_ticket->place) ||
        !lst_base64url_decode(rest, ret_ticket->place, &length)) {
        return LST_ERR_NOT_FOUND;
    }
    return check(secret, lst_slice_first(id, (size_t)(rest.bytes - id.bytes) - 1), fields,
                 lst_slice_make(ret_ticket->place, length), ret_ticket);
}

int lst_ticket_read_at(const uint8_t secret[LST_TICKET_SECRET_SIZE], struct lst_slice ticket,
                       struct lst_slice bucket, struct lst_slice key, struct lst_ticket *ret_ticket)
{
    struct lst_slice fields[FIELDS];
    struct lst_slice rest = ticket;
    struct lst_slice part;
    size_t count = 0;
    size_t length = bucket.length + 1 + key.length;

    while (count < FIELDS && lst_slice_split(&rest, '~', &part)) {
        fields[count++] = part;
    }
    if (count < FIELDS || rest.length > 0 || bucket.length == 0 || key.length == 0 ||
        length > sizeof(ret_ticket->place)) {
        return LST_ERR_NOT_FOUND;
    }
    memcpy(ret_ticket->place, bucket.bytes, bucket.length);
    ret_ticket->place[bucket.length] = '/';
    memcpy(ret_ticket->place + bucket.length + 1, key.bytes, key.length);
    return check(secret, ticket, fields, lst_slice_make(ret_ticket->place, length), ret_ticket);
}

void lst_ticket_append_id(const struct lst_ticket *ticket, struct lst_buffer *out)
{
    char text[LST_BASE64URL_LENGTH(sizeof(ticket->place))];
    size_t length =
        lst_base64url_encode(ticket->place, ticket->bucket.length + 1 + ticket->key.length, text);

    lst_buffer_append(out, ticket->text);
    lst_buffer_append_byte(out, '~');
    lst_buffer_append(out, lst_slice_make(text, length));
}
