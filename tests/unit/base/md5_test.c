/* md5_test.c - MD5 against RFC 1321 and against nettle's, in pieces and side by side. */
#include "base/md5.h"
#include "tap.h"

#include <nettle/md5.h>

enum { BYTES = 5000, MESSAGES = 21, ROUNDS = 200 };

static char text[BYTES + 64];
static uint32_t dice = 1;

/* 0 to below - 1, the same in each run. */
static size_t roll(size_t below)
{
    dice = dice * 1664525 + 1013904223;
    return (dice >> 8) % below;
}

static bool is_as_nettle(const struct lst_md5 *md5, const char *bytes, size_t length)
{
    struct md5_ctx context;
    uint8_t expected[LST_MD5_SIZE];
    uint8_t digest[LST_MD5_SIZE];

    md5_init(&context);
    md5_update(&context, length, (const uint8_t *)bytes);
    md5_digest(&context, sizeof(expected), expected);
    lst_md5_digest(md5, digest);
    return memcmp(digest, expected, sizeof(digest)) == 0;
}

/* Appendix A.5. */
static void test_suite(void)
{
    static const struct {
        const char *message;
        const char *digest;
    } cases[] = {
        {"", "d41d8cd98f00b204e9800998ecf8427e"},
        {"a", "0cc175b9c0f1b6a831c399e269772661"},
        {"abc", "900150983cd24fb0d6963f7d28e17f72"},
        {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
        {"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
         "d174ab98d277d9f5a5611c2c9f419d9f"},
        {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
         "57edf4a22be3c955ac49da2e2107b67a"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t digest[LST_MD5_SIZE];
        char hex[2 * LST_MD5_SIZE + 1];
        struct lst_md5 md5;

        lst_md5_init(&md5);
        lst_md5_update(&md5, lst_slice_make(cases[i].message, strlen(cases[i].message)));
        lst_md5_digest(&md5, digest);
        for (size_t at = 0; at < sizeof(digest); at++) {
            (void)snprintf(hex + 2 * at, 3, "%02x", digest[at]);
        }
        CHECK_TEXT(hex, 2 * sizeof(digest), cases[i].digest, cases[i].message);
    }
}

static void test_every_length(void)
{
    size_t wrong = 0;

    for (size_t length = 0; length <= 300; length++) {
        struct lst_md5 md5;

        lst_md5_init(&md5);
        lst_md5_update(&md5, lst_slice_make(text + length % 7, length));
        wrong += !is_as_nettle(&md5, text + length % 7, length);
    }
    CHECK(wrong == 0, "every length from 0 to 300 bytes: %zu wrong", wrong);
}

/* Messages that grow by pieces of any length, some of them, several at once, by none at times. */
static void test_side_by_side(void)
{
    struct lst_md5 md5s[MESSAGES];
    size_t lengths[MESSAGES] = {0};
    size_t wrong = 0;

    for (size_t i = 0; i < MESSAGES; i++) {
        lst_md5_init(&md5s[i]);
    }
    for (size_t round = 0; round < ROUNDS; round++) {
        struct lst_md5_piece pieces[MESSAGES];
        size_t count = 0;
        size_t most = round % 3 == 0 ? 30 : 900;

        for (size_t i = roll(3); i < MESSAGES; i += 1 + roll(round % 7 + 1)) {
            size_t length = roll(most);

            length = length < BYTES - lengths[i] ? length : BYTES - lengths[i];
            pieces[count++] =
                (struct lst_md5_piece){&md5s[i], lst_slice_make(text + i + lengths[i], length)};
            lengths[i] += length;
        }
        lst_md5_update_many(pieces, count);
        for (size_t i = 0; i < MESSAGES; i++) {
            wrong += !is_as_nettle(&md5s[i], text + i, lengths[i]);
        }
    }
    CHECK(wrong == 0, "%d messages side by side, after each of %d rounds: %zu wrong", MESSAGES,
          ROUNDS, wrong);
    lst_md5_update_many(NULL, 0);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = (char)roll(256);
    }
    test_suite();
    test_every_length();
    test_side_by_side();
    return tap_done();
}
