/* allowance_test.c - so many a second, a burst of twice as many, and a clock that is set back. */
#include "base/allowance.h"

#include "tap.h"

static const int64_t hour_ms = 3600000;

static int taken(struct lst_allowance *allowance, int64_t now_ms)
{
    int granted = 0;

    for (int i = 0; i < 20; i++) {
        granted += lst_allowance_take(allowance, 3, now_ms) ? 1 : 0;
    }
    return granted;
}

int main(void)
{
    struct lst_allowance allowance = {0};
    struct lst_allowance largest = {0};
    int64_t now_ms = 10 * hour_ms;

    CHECK(taken(&allowance, now_ms) == 6, "what two seconds give is granted at once");
    CHECK(taken(&allowance, now_ms + 1000) == 3, "then what a second gives");
    CHECK(taken(&allowance, now_ms + 990) == 0, "a request that comes a moment late gains none");
    now_ms -= hour_ms;
    CHECK(taken(&allowance, now_ms) == 0, "the clock is set back: nothing is gained by that");
    CHECK(taken(&allowance, now_ms + 1000) == 3, "and a second later it goes on");
    CHECK(taken(&allowance, now_ms + 100 * hour_ms) == 6,
          "a long rest gives no more than the burst");
    CHECK(lst_allowance_take(&largest, 1000000000, INT64_MAX), "the largest numbers do no harm");
    CHECK(largest.left == UINT64_C(2000000000000) - 1000, "and leave what is left");
    return tap_done();
}
