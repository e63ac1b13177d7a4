/* digests_test.c - bodies that come in at the same time have the MD5s that each would have alone.
 */
#include "store/digests.h"
#include "tap.h"

#include <nettle/md5.h>
#include <stdlib.h>

enum { BODIES = 12, TURNS = 2000, TEXT = 400000 };

struct body {
    struct lst_digest digest;
    struct md5_ctx expected;
};

static struct lst_digests digests;
static char text[TEXT];
static uint32_t dice = 1;

/* 0 to below - 1, the same in each run. */
static size_t roll(size_t below)
{
    dice = dice * 1664525 + 1013904223;
    return (dice >> 8) % below;
}

static void begin(struct body *body)
{
    lst_digest_init(&body->digest);
    md5_init(&body->expected);
}

static void add(struct body *body, struct lst_slice bytes)
{
    if (body->digest.queue == NULL) { /* as a body that has become too large for its row */
        lst_digest_join(&body->digest, &digests);
    }
    lst_digest_update(&body->digest, bytes);
    md5_update(&body->expected, bytes.length, (const uint8_t *)bytes.bytes);
}

static bool is_right_at_end(struct body *body)
{
    uint8_t digest[LST_MD5_SIZE];
    uint8_t expected[LST_MD5_SIZE];

    lst_digest_end(&body->digest, digest);
    lst_digest_drop(&body->digest); /* as the put does, which is freed; it must not matter */
    md5_digest(&body->expected, sizeof(expected), expected);
    return memcmp(digest, expected, sizeof(digest)) == 0;
}

static bool holds_nothing(void)
{
    size_t held = 0;

    for (size_t i = 0; i < LST_DIGEST_QUEUES; i++) {
        held += digests.queues[i].bodies + digests.queues[i].waiting_count +
                digests.queues[i].spare_count;
    }
    return held == 0;
}

/* Pieces of any size for any of them; some end, some are dropped, and others begin. */
static void test_any_order(void)
{
    static struct body bodies[BODIES];
    size_t ended = 0;
    size_t wrong = 0;

    for (size_t i = 0; i < BODIES; i++) {
        begin(&bodies[i]);
    }
    for (size_t turn = 0; turn < TURNS; turn++) {
        /* Of few at first, and of more than there are lanes later. */
        struct body *body = &bodies[roll(turn < TURNS / 4 ? 2 : BODIES)];
        size_t what = roll(40);
        size_t most = what < 5 ? TEXT : what < 20 ? 70000 : 3000;

        if (what == 39) {
            lst_digest_drop(&body->digest);
            begin(body);
        } else if (what >= 36) {
            wrong += !is_right_at_end(body);
            ended++;
            begin(body);
        } else {
            size_t length = roll(most);
            add(body, lst_slice_make(text + roll(TEXT - length), length));
        }
    }
    for (size_t i = 0; i < BODIES; i++) {
        wrong += !is_right_at_end(&bodies[i]);
    }
    CHECK(wrong == 0, "%zu bodies in any order of pieces: %zu wrong", ended + BODIES, wrong);
    CHECK(holds_nothing(), "no memory is held when the last has ended");
}

static void *drop_it(void *argument)
{
    struct body *body = argument;

    lst_digest_drop(&body->digest);
    return NULL;
}

/* A put may be freed by another thread than the one that filled it. */
static void test_other_thread(void)
{
    struct body bodies[3];
    pthread_t thread;
    bool is_right = true;

    for (size_t i = 0; i < 3; i++) {
        begin(&bodies[i]);
        add(&bodies[i], lst_slice_make(text, 100));
        add(&bodies[i], lst_slice_make(text + i, 50000));
    }
    CHECK(bodies[1].digest.piece != NULL && bodies[2].digest.piece != NULL,
          "pieces of bodies that come together are kept back");
    CHECK(pthread_create(&thread, NULL, drop_it, &bodies[1]) == 0 &&
              pthread_join(thread, NULL) == 0,
          "another thread drops one");
    is_right = is_right_at_end(&bodies[0]) && is_right_at_end(&bodies[2]);
    CHECK(is_right, "the others come to the same");
    CHECK(holds_nothing(), "and nothing is left of it");
}

static size_t kept(const struct body *bodies, size_t count)
{
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++) {
        bytes += bodies[i].digest.length;
    }
    return bytes;
}

/* However many bodies there are, and whatever was kept back of them: a call does not hash much more
 * than it brings, so that nobody waits for long behind it. */
static void test_slices(void)
{
    enum { PIECE = 32 * 1024, LEAST = LST_MD5_LANES * LST_DIGEST_SLICE };
    struct body bodies[LST_MD5_LANES + 2];
    size_t most = 0;
    bool is_right = true;

    for (size_t count = 2; count <= LST_MD5_LANES + 2; count++) {
        for (size_t i = 0; i < count; i++) {
            begin(&bodies[i]);
            lst_digest_join(&bodies[i].digest, &digests);
        }
        for (size_t turn = 0; turn < 20 * count; turn++) {
            size_t before = kept(bodies, count);
            size_t hashed;

            add(&bodies[turn % count], lst_slice_make(text, PIECE));
            hashed = before + PIECE - kept(bodies, count);
            most = hashed > most ? hashed : most;
        }
        for (size_t i = 0; i < count; i++) {
            is_right = is_right_at_end(&bodies[i]) && is_right;
        }
    }
    CHECK(is_right, "2 to %d bodies in turns have the right digests", LST_MD5_LANES + 2);
    CHECK(most <= PIECE + LEAST, "no call hashes more than what makes up for it: %zu bytes", most);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = (char)roll(256);
    }
    lst_digests_init(&digests);
    test_any_order();
    test_other_thread();
    test_slices();
    lst_digests_release(&digests);
    return tap_done();
}
