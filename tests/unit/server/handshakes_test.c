/* handshakes_test.c - so many handshakes at a time, and whoever waits gets his turn. */
#include "server/handshakes.h"

#include "tap.h"

#define SECOND UINT64_C(1000000000)
#define FLOOD  200

static struct lst_handshakes handshakes = {.most = 4};
static struct lst_handshake flood[FLOOD];

static void test_bounds(void)
{
    CHECK(lst_handshakes_most(1) * LST_HANDSHAKE_BYTES <= LST_HANDSHAKES_BYTES &&
              lst_handshakes_most(1) > 400,
          "all together have 64 MiB at most");
    CHECK(lst_handshakes_most(8) * 8 <= lst_handshakes_most(1), "however many workers there are");
    CHECK(lst_handshakes_most(1000000) == 1, "and one may always run");
}

static void test_time(void)
{
    struct lst_handshake slow = {0};
    struct lst_handshake others[4] = {{0}};

    CHECK(lst_handshakes_enter(&handshakes, &slow, 3 * SECOND), "the first may begin at once");
    CHECK(lst_handshakes_enter(&handshakes, &slow, 4 * SECOND), "and go on");
    CHECK(lst_handshakes_deadline(&handshakes, &slow, SECOND) == 11 * SECOND,
          "with ten seconds since it connected");
    for (int i = 0; i < 4; i++) {
        CHECK(lst_handshakes_enter(&handshakes, &others[i], 5 * SECOND) == (i < 3),
              "four may run at a time");
    }
    CHECK(!lst_handshakes_enter(&handshakes, &others[3], 5 * SECOND), "the fifth goes on waiting");
    CHECK(lst_handshakes_deadline(&handshakes, &slow, SECOND) == 4 * SECOND &&
              lst_handshakes_deadline(&handshakes, &others[0], 5 * SECOND) == 6 * SECOND,
          "while it waits, each has a second, and the oldest ends first");
    CHECK(lst_handshakes_deadline(&handshakes, &others[3], 5 * SECOND) == 15 * SECOND,
          "whoever waits has ten");
    CHECK(lst_handshakes_leave(&handshakes, &slow, 6 * SECOND) == &others[3] &&
              lst_handshakes_enter(&handshakes, &others[3], 6 * SECOND),
          "when one has ended, the next may begin");
    CHECK(lst_handshakes_deadline(&handshakes, &others[0], 5 * SECOND) == 15 * SECOND,
          "and nobody is in a hurry any more");
    CHECK(lst_handshakes_leave(&handshakes, &slow, 6 * SECOND) == NULL, "it ends once");
    for (int i = 0; i < 4; i++) {
        CHECK(lst_handshakes_leave(&handshakes, &others[i], 7 * SECOND) == NULL, "nobody waits");
    }
    CHECK(handshakes.running.count == 0 && handshakes.running.first == NULL &&
              handshakes.waiting.first == NULL,
          "none is left");
}

/* One network sends far more than there is room for, and begins anew whenever one of its ends. */
static void test_flood(void)
{
    struct lst_handshake honest = {.network = 2};
    struct lst_handshake *next;
    size_t ended = 0;
    bool ok = true;

    for (int i = 0; i < FLOOD; i++) {
        flood[i].network = 1;
        ok = ok && lst_handshakes_enter(&handshakes, &flood[i], SECOND) == (i < 4);
    }
    CHECK(ok && handshakes.running.count == 4 && handshakes.waiting.count == FLOOD - 4,
          "no more run than may");
    CHECK(!lst_handshakes_enter(&handshakes, &honest, SECOND), "another network waits behind them");
    next = lst_handshakes_leave(&handshakes, handshakes.running.first, 2 * SECOND);
    CHECK(next == &honest, "and is the next, since the last one was of the flood");
    CHECK(lst_handshakes_leave(&handshakes, &honest, 2 * SECOND) == &flood[4] &&
              lst_handshakes_leave(&handshakes, &flood[4], 2 * SECOND) == &flood[FLOOD - 1],
          "then the flood's, its first and its last by turns");
    (void)lst_handshakes_leave(&handshakes, &flood[5], 2 * SECOND);
    CHECK(handshakes.waiting.count == FLOOD - 7, "one that waits may give up");
    while (handshakes.running.first != NULL && ended < FLOOD) {
        (void)lst_handshakes_leave(&handshakes, handshakes.running.first, 3 * SECOND);
        ok = ok && handshakes.running.count <= 4;
        ended++;
    }
    CHECK(ok && ended == FLOOD - 3 && handshakes.waiting.count == 0,
          "all get their turn, four at a time");
}

int main(void)
{
    test_bounds();
    test_time();
    test_flood();
    return tap_done();
}
