/* strangers_test.c - an allowance survives a clock that is set back. */
#include "server/strangers.h"

#include "tap.h"

static const int64_t hour_ms = 3600000;

static int taken(struct lst_strangers *strangers, int64_t now_ms, int count)
{
    int granted = 0;

    for (int i = 0; i < count; i++) {
        granted += lst_strangers_take(strangers, LST_SLICE("192.0.2.1"), now_ms) ? 1 : 0;
    }
    return granted;
}

int main(void)
{
    struct lst_strangers *strangers = lst_strangers_new(3);
    int64_t now_ms = 10 * hour_ms;

    if (strangers == NULL) {
        CHECK(false, "it is made");
        return tap_done();
    }
    CHECK(taken(strangers, now_ms, 20) == 6, "what two seconds give is granted at once");
    CHECK(taken(strangers, now_ms + 1000, 20) == 3, "then what a second gives");
    CHECK(taken(strangers, now_ms + 990, 20) == 0, "a request that comes a moment late gains none");
    now_ms -= hour_ms;
    CHECK(taken(strangers, now_ms, 20) == 0, "the clock is set back: nothing is gained by that");
    CHECK(taken(strangers, now_ms + 1000, 20) == 3, "and a second later it goes on");
    lst_strangers_free(strangers);
    return tap_done();
}
