/*
 * strange_server.c - latchstring on the strange engine: tests/protocol/test_strange_engine.py, and
 * `tests/run --only strange`.
 *
 * LST_STRANGE says what it does, each as in strange.h: "yields=4 delays=50 unknown=20". All that is
 * not named keeps to what is below. Outcomes are unknown while the file LST_STRANGE_ARMED is there.
 */
#include "strange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void set(const char *text, const char *name, unsigned *number)
{
    const char *found = strstr(text, name);

    if (found != NULL) {
        *number = (unsigned)strtoul(found + strlen(name), NULL, 10);
    }
}

/* Before main(), since the server's own start reads its indexes. */
__attribute__((constructor)) static void make_strange(void)
{
    const char *text = getenv("LST_STRANGE");

    text = text == NULL ? "" : text;
    strange.keeps_logs = true;
    strange.delays = 100;
    set(text, "yields=", &strange.yields);
    set(text, "delays=", &strange.delays);
    set(text, "unknown=", &strange.unknown_outcomes);
    set(text, "loses=", &strange.loses_notifications);
    set(text, "reorders=", &strange.reorders);
    strange_seed((uint64_t)getpid());
    strange.armed_by = getenv("LST_STRANGE_ARMED");
}
