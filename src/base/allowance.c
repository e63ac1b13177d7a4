/* allowance.c - a token bucket. */
#include "base/allowance.h"

enum {
    WHOLE = 1000,      /* thousandths */
    BURST = 2,         /* seconds' worth */
    CLOCK_JUMP = 5000, /* ms: requests of one moment are never so far apart */
};

bool lst_allowance_take(struct lst_allowance *allowance, uint64_t rate, int64_t now_ms)
{
    uint64_t full = BURST * WHOLE * rate;
    uint64_t gained = 0;

    if (allowance->at_ms - now_ms > CLOCK_JUMP) {
        allowance->at_ms = now_ms; /* the clock was set back: else nothing is gained until then */
    }
    if (now_ms > allowance->at_ms) {
        uint64_t waited = (uint64_t)now_ms - (uint64_t)allowance->at_ms;

        gained = waited >= BURST * WHOLE ? full : waited * rate;
        allowance->at_ms = now_ms;
    }
    allowance->left = gained >= full - allowance->left ? full : allowance->left + gained;
    if (allowance->left < WHOLE) {
        return false;
    }
    allowance->left -= WHOLE;
    return true;
}
