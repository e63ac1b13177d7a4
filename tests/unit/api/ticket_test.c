/* ticket_test.c - the ids of uploads: what was made is read again, and nothing else is. */
#include "api/ticket.h"
#include "tap.h"

static const uint8_t secret[LST_TICKET_SECRET_SIZE] = {1, 2, 3};
static const uint8_t other_secret[LST_TICKET_SECRET_SIZE] = {1, 2, 4};

static const struct lst_ticket wish = {
    .profile = {"my.avatars_1-2", 14},
    .owner = {"b3duZXJvd25lcm8", 15},
    .user = {"alice", 5},
    .created = 1795526400,
    .expires = 1795527300,
    .bucket = {"photos", 6},
    .key = {"avatars/42/a b~c.jpg", 20},
};

static bool same(const struct lst_ticket *ticket, const struct lst_ticket *wanted)
{
    return lst_slice_equal(ticket->profile, wanted->profile) &&
           lst_slice_equal(ticket->owner, wanted->owner) &&
           lst_slice_equal(ticket->bucket, wanted->bucket) &&
           lst_slice_equal(ticket->key, wanted->key) && ticket->created == wanted->created &&
           ticket->expires == wanted->expires;
}

static void check_round(const struct lst_ticket *wanted, const char *what)
{
    struct lst_ticket read;
    struct lst_ticket found;
    struct lst_buffer id;
    struct lst_slice text;
    size_t length = 0;

    lst_buffer_init(&id, LST_UPLOAD_ID_MAX);
    CHECK(lst_ticket_make(secret, wanted, &id, &length) == LST_OK, "%s: made", what);
    text = lst_slice_first(lst_buffer_slice(&id), length);
    CHECK(length <= LST_TICKET_MAX, "%s: %zu bytes", what, length);
    CHECK(lst_ticket_read(secret, wish.user, lst_buffer_slice(&id), &read) == LST_OK &&
              same(&read, wanted),
          "%s: read", what);
    CHECK(lst_slice_equal(read.text, text), "%s: with the ticket in it", what);
    CHECK(lst_ticket_read_at(secret, wish.user, text, wanted->bucket, wanted->key, &found) ==
                  LST_OK &&
              same(&found, wanted),
          "%s: read where it was found", what);
    CHECK(lst_ticket_read_at(secret, wish.user, text, wanted->bucket, LST_SLICE("other"), &found) ==
              LST_ERR_NOT_FOUND,
          "%s: not of another key", what);
    CHECK(lst_ticket_read(secret, LST_SLICE("mallory"), lst_buffer_slice(&id), &read) ==
                  LST_ERR_NOT_FOUND &&
              lst_ticket_read_at(secret, LST_SLICE(""), text, wanted->bucket, wanted->key,
                                 &found) == LST_ERR_PERMISSION,
          "%s: not of another user", what);
    CHECK(lst_ticket_read(other_secret, wish.user, lst_buffer_slice(&id), &read) ==
              LST_ERR_NOT_FOUND,
          "%s: not by another secret", what);
    lst_buffer_release(&id);
}

/* Every byte counts, and so does the length. */
static void check_changes(void)
{
    struct lst_ticket read;
    struct lst_buffer id;
    size_t length;
    size_t accepted = 0;

    lst_buffer_init(&id, LST_UPLOAD_ID_MAX);
    CHECK(lst_ticket_make(secret, &wish, &id, &length) == LST_OK, "made");
    for (size_t i = 0; i < id.length; i++) {
        char byte = id.bytes[i];

        id.bytes[i] = byte == 'A' ? 'B' : 'A';
        accepted += lst_ticket_read(secret, wish.user, lst_buffer_slice(&id), &read) == LST_OK;
        id.bytes[i] = byte == '~' ? '.' : '~';
        accepted += lst_ticket_read(secret, wish.user, lst_buffer_slice(&id), &read) == LST_OK;
        id.bytes[i] = byte;
        accepted += lst_ticket_read(secret, wish.user, lst_slice_first(lst_buffer_slice(&id), i),
                                    &read) == LST_OK;
    }
    CHECK(accepted == 0, "no id that was changed is taken (%zu were)", accepted);
    lst_buffer_append_byte(&id, 'A');
    CHECK(lst_ticket_read(secret, wish.user, lst_buffer_slice(&id), &read) == LST_ERR_NOT_FOUND,
          "nor one with something behind it");
    lst_buffer_release(&id);
}

/* The owner can't be moved into the profile or the nonce. */
static void check_borders(void)
{
    struct lst_ticket plain = wish;

    plain.owner = LST_SLICE("");
    check_round(&wish, "of a client");
    check_round(&plain, "of a backend");
}

static void check_large(void)
{
    char key[1025];
    struct lst_ticket large = wish;
    struct lst_buffer id;
    size_t length;

    memset(key, 'k', sizeof(key));
    large.key = lst_slice_make(key, 1024);
    check_round(&large, "with the longest key");
    lst_buffer_init(&id, 256);
    CHECK(lst_ticket_make(secret, &large, &id, &length) == LST_ERR_TOO_LARGE, "no room");
    lst_buffer_release(&id);
}

int main(void)
{
    check_borders();
    check_changes();
    check_large();
    return tap_done();
}
