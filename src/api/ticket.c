/* ticket.c - an upload's id. */
#include "api/ticket.h"

#include "base/encoding.h"
#include "base/random.h"
#include "latchstring.h"

#include <nettle/hmac.h>

enum { NONCE = 12, MAC = 16, USER = 8, FIELDS = 7, DIGITS_MAX = 12 };

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

/* A user's name, which need not be known to whoever sees the ticket. */
static size_t user_text(const uint8_t secret[LST_TICKET_SECRET_SIZE], struct lst_slice user,
                        char ret_text[LST_BASE64URL_LENGTH(USER)])
{
    static const char what[] = "the user of a ticket";
    struct hmac_sha256_ctx context;
    uint8_t mac[USER];

    hmac_sha256_set_key(&context, LST_TICKET_SECRET_SIZE, secret);
    hmac_sha256_update(&context, sizeof(what), (const uint8_t *)what);
    hmac_sha256_update(&context, user.length, (const uint8_t *)user.bytes);
    hmac_sha256_digest(&context, USER, mac);
    lst_wipe(&context, sizeof(context));
    return lst_base64url_encode(mac, USER, ret_text);
}

static void append_place(struct lst_buffer *place, struct lst_slice bucket, struct lst_slice key)
{
    lst_buffer_append(place, bucket);
    lst_buffer_append_byte(place, '/');
    lst_buffer_append(place, key);
}

int lst_ticket_make(const uint8_t secret[LST_TICKET_SECRET_SIZE], const struct lst_ticket *upload,
                    struct lst_buffer *id, size_t *ret_ticket_length)
{
    uint8_t nonce[NONCE];
    char text[LST_BASE64URL_LENGTH(sizeof(upload->place))];
    char user[LST_BASE64URL_LENGTH(USER)];
    struct lst_buffer place;
    size_t length;
    int status;

    (void)user_text(secret, upload->user, user);
    lst_random_bytes(nonce, sizeof(nonce));
    length = lst_base64url_encode(nonce, sizeof(nonce), text);
    lst_buffer_append_format(id, "%.*s~%lld~%lld~%.*s~%.*s~%.*s~", (int)upload->profile.length,
                             upload->profile.bytes, (long long)upload->created,
                             (long long)upload->expires, (int)upload->owner.length,
                             upload->owner.length == 0 ? "" : upload->owner.bytes,
                             (int)sizeof(user), user, (int)length, text);
    lst_buffer_init(&place, sizeof(upload->place));
    append_place(&place, upload->bucket, upload->key);
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

/* The texts between the '~' of a ticket. */
static bool split(struct lst_slice ticket, struct lst_slice fields[FIELDS])
{
    for (size_t i = 0; i < FIELDS; i++) {
        size_t end = lst_slice_find(ticket, '~');

        if ((end == ticket.length) != (i == FIELDS - 1)) {
            return false;
        }
        fields[i] = lst_slice_first(ticket, end);
        ticket = lst_slice_after(ticket, end + 1);
    }
    return true;
}

/* place: the ticket's, of so many bytes. */
static int read_ticket(const uint8_t secret[LST_TICKET_SECRET_SIZE], struct lst_slice user,
                       struct lst_slice text, size_t place_length, struct lst_ticket *ticket)
{
    struct lst_slice place = lst_slice_make(ticket->place, place_length);
    size_t slash = lst_slice_find(place, '/');
    struct lst_slice fields[FIELDS];
    char mac[LST_BASE64URL_LENGTH(MAC)];
    char signer[LST_BASE64URL_LENGTH(USER)];
    size_t length;

    if (text.length > LST_TICKET_MAX || slash == place.length || !split(text, fields)) {
        return LST_ERR_NOT_FOUND;
    }
    length = mac_text(secret, lst_slice_first(text, text.length - fields[FIELDS - 1].length), place,
                      mac);
    if (!lst_equal_secret(fields[FIELDS - 1], lst_slice_make(mac, length)) ||
        !read_number(fields[1], &ticket->created) || !read_number(fields[2], &ticket->expires)) {
        return LST_ERR_NOT_FOUND;
    }
    (void)user_text(secret, user, signer);
    if (!lst_slice_equal(fields[4], lst_slice_make(signer, sizeof(signer)))) {
        return LST_ERR_PERMISSION;
    }
    ticket->text = text;
    ticket->user = user;
    ticket->profile = fields[0];
    ticket->owner = fields[3];
    ticket->bucket = lst_slice_first(place, slash);
    ticket->key = lst_slice_after(place, slash + 1);
    return LST_OK;
}

int lst_ticket_read(const uint8_t secret[LST_TICKET_SECRET_SIZE], struct lst_slice user,
                    struct lst_slice id, struct lst_ticket *ret_ticket)
{
    size_t end = id.length;
    struct lst_slice place;
    size_t length;

    while (end > 0 && id.bytes[end - 1] != '~') {
        end--;
    }
    place = lst_slice_after(id, end);
    if (id.length > LST_UPLOAD_ID_MAX || end == 0 ||
        LST_BASE64URL_BYTES(place.length) > sizeof(ret_ticket->place) ||
        !lst_base64url_decode(place, ret_ticket->place, &length)) {
        return LST_ERR_NOT_FOUND;
    }
    return read_ticket(secret, user, lst_slice_first(id, end - 1), length, ret_ticket) == LST_OK
               ? LST_OK
               : LST_ERR_NOT_FOUND;
}

int lst_ticket_read_at(const uint8_t secret[LST_TICKET_SECRET_SIZE], struct lst_slice user,
                       struct lst_slice ticket, struct lst_slice bucket, struct lst_slice key,
                       struct lst_ticket *ret_ticket)
{
    size_t most = sizeof(ret_ticket->place) - 1;
    char *end = ret_ticket->place;

    /* Without memory that could be missing: whose ticket it is decides who is let in. */
    if (bucket.length > most || key.length > most - bucket.length) {
        return LST_ERR_NOT_FOUND;
    }
    if (bucket.length > 0) {
        memcpy(end, bucket.bytes, bucket.length);
        end += bucket.length;
    }
    *end++ = '/';
    if (key.length > 0) {
        memcpy(end, key.bytes, key.length);
        end += key.length;
    }
    return read_ticket(secret, user, ticket, (size_t)(end - ret_ticket->place), ret_ticket);
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
