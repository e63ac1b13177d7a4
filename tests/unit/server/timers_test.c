/* timers_test.c - a deadline comes when it is over: never early, late by a tick at most, and once.
 */
#include "server/timers.h"

#include "tap.h"

#include <stdlib.h>

#define SECOND UINT64_C(1000000000)
#define COUNT  2000

struct watched {
    struct lst_timer timer;
    uint64_t deadline_ns; /* 0: none */
    unsigned fired;
};

static struct lst_timers timers;
static uint64_t now;
static unsigned early;
static unsigned late;
static uint64_t step; /* how far the clock went before it was looked at */

static void fire(void *owner)
{
    struct watched *watched = owner;

    watched->fired++;
    early += watched->deadline_ns == 0 || watched->deadline_ns > now;
    late += watched->deadline_ns != 0 && now - watched->deadline_ns > LST_TIMERS_TICK_NS + step;
    watched->deadline_ns = 0;
}

static void set(struct watched *watched, uint64_t after)
{
    watched->deadline_ns = now + after;
    watched->timer.owner = watched;
    lst_timers_set(&timers, &watched->timer, watched->deadline_ns);
}

static void go(uint64_t nanoseconds)
{
    now += nanoseconds;
    step = nanoseconds;
    lst_timers_run(&timers, now, fire);
}

static void test_one(void)
{
    struct watched one = {.fired = 0};

    now = 12345 * SECOND;
    lst_timers_init(&timers, now);
    CHECK(lst_timers_wait_ms(&timers, now) == -1, "without a timer there is nothing to wait for");
    set(&one, 2 * SECOND);
    CHECK(lst_timers_wait_ms(&timers, now) >= 2000 && lst_timers_wait_ms(&timers, now) <= 2200,
          "the wait is until the deadline (%d ms)", lst_timers_wait_ms(&timers, now));
    go(SECOND);
    set(&one, 5 * SECOND); /* put off */
    go(3 * SECOND);
    CHECK(one.fired == 0, "a deadline that was put off does not come at its old time");
    set(&one, SECOND / 2); /* and brought forward */
    go(SECOND);
    CHECK(one.fired == 1, "one that was brought forward comes at the new time");
    go(100 * SECOND);
    CHECK(one.fired == 1 && lst_timers_wait_ms(&timers, now) == -1, "once");
    set(&one, SECOND);
    lst_timers_cancel(&one.timer);
    one.deadline_ns = 0;
    lst_timers_cancel(&one.timer);
    go(100 * SECOND);
    CHECK(one.fired == 1, "one that was cancelled does not come");
    set(&one, 3600 * SECOND);
    go(3599 * SECOND);
    CHECK(one.fired == 1, "an hour is longer than a turn of the wheel");
    go(2 * SECOND);
    CHECK(one.fired == 2, "and comes all the same");
}

static void test_many(void)
{
    static struct watched many[COUNT];
    unsigned set_count = 0;
    unsigned fired = 0;
    unsigned left = 0;

    lst_timers_init(&timers, now);
    srand(1);
    for (int round = 0; round < 20000; round++) {
        struct watched *watched = &many[rand() % COUNT];

        if (rand() % 10 == 0) {
            lst_timers_cancel(&watched->timer);
            set_count -= watched->deadline_ns != 0;
            watched->deadline_ns = 0;
        } else {
            set_count += watched->deadline_ns == 0;
            set(watched, (uint64_t)rand() % (rand() % 50 == 0 ? 300 * SECOND : 10 * SECOND));
        }
        if (rand() % 3 == 0) {
            go((uint64_t)rand() % (rand() % 500 == 0 ? 90 * SECOND : SECOND / 50));
        }
    }
    go(1000 * SECOND);
    for (int i = 0; i < COUNT; i++) {
        fired += many[i].fired;
        left += many[i].deadline_ns != 0;
    }
    CHECK(early == 0 && late == 0, "of %u deadlines none came early (%u) or late (%u)", fired,
          early, late);
    CHECK(left == 0 && fired == set_count, "and each came once (%u set, %u came, %u left)",
          set_count, fired, left);
}

int main(void)
{
    test_one();
    test_many();
    return tap_done();
}
