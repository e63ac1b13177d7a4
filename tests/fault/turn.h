/*
 * turn.h - run an operation again and again, each time with another of its calls failing, until
 * none is left that could fail.
 */
#ifndef LST_TESTS_TURN_H
#define LST_TESTS_TURN_H

#include "fault.h"

#include "base/error.h"
#include "tap.h"

#include <dirent.h>
#include <stdlib.h>

static const int turn_codes[] = {LST_ERR_NO_SPACE, LST_ERR_TOO_MANY_FILES, LST_ERR_IO,
                                 LST_ERR_NO_MEMORY};
enum { TURN_CODES = sizeof(turn_codes) / sizeof(turn_codes[0]) };

/* Which calls fail: one, or, as on a full disk, all from it on, so that what would undo a failed
 * operation fails, too. */
struct turn_way {
    const char *name;
    uint32_t kinds;
    bool stays;
};

static const struct turn_way turn_ways[] = {
    {"each of its %u calls of index and blob failing", FAULT_STORE, false},
    {"each of its %u calls of the system failing", FAULT_SYSTEM, false},
    {"each of its %u calls for memory failing", FAULT_MEMORY, false},
    {"all from each of its %u calls of index and blob on failing", FAULT_STORE, true},
    {"all from each of its %u calls of the system on failing", FAULT_SYSTEM, true},
};
enum { TURN_WAYS = sizeof(turn_ways) / sizeof(turn_ways[0]), TURN_MAX = 5000 };

/* Whether it is the code of a failing call, and not one that says something false of what is
 * stored. */
static inline bool turn_is_trouble(int status)
{
    return status == LST_ERR_IO || status == LST_ERR_NO_SPACE || status == LST_ERR_NO_MEMORY ||
           status == LST_ERR_TOO_MANY_FILES || status == LST_ERR_UNKNOWN ||
           status == LST_ERR_ENDING;
}

/* With each of the codes, instead of one for each call. */
static inline bool turn_is_long(void)
{
    const char *text = getenv("LST_FULL");

    return text != NULL && strcmp(text, "1") == 0;
}

static inline int turn_open_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

struct turn {
    const char *name;
    bool (*prepare)(void); /* false: it can't be done */
    int (*run)(void);
    bool (*is_right)(bool worked); /* afterwards, with nothing failing */
};

/* Open again what writes nothing more because a sync failed. NULL: there is nothing like that. */
static void (*turn_revive)(void);

/* Close files that are open for the next reader alone. NULL: there are none. */
static void (*turn_spare)(void);

/* Threads of their own open and close files meanwhile: these are not counted. */
static bool turn_has_threads;

/* False: no call was left to fail, or something was wrong. */
static inline bool turn_once(const struct turn *turn, const struct turn_way *way, uint32_t number,
                             int code, bool *ok)
{
    bool fired;
    int status;

    if (turn->prepare != NULL && !turn->prepare()) {
        printf("# %s, %u: it can't be prepared\n", turn->name, (unsigned)number);
        *ok = false;
        return false;
    }
    fault_arm(way->kinds, number, way->stays, code);
    status = turn->run();
    fired = fault_disarm();
    if (turn_revive != NULL) {
        turn_revive();
    }
    if (status != 0 && (!fired || !turn_is_trouble(status))) {
        printf("# %s: call %u, %s, fails with %d: the operation gives %d\n", turn->name,
               (unsigned)number, fired ? fault_last() : "none", code, status);
        *ok = false;
    }
    if (!turn->is_right(status == 0)) {
        printf("# %s: call %u, %s, fails with %d, the operation gives %d: what is there is wrong\n",
               turn->name, (unsigned)number, fired ? fault_last() : "none", code, status);
        *ok = false;
    }
    return fired && *ok;
}

static inline void turn_test(const struct turn *turn)
{
    for (size_t i = 0; i < TURN_WAYS; i++) {
        bool ok = true;
        int files = turn_open_files();
        uint32_t number = 1;
        char what[100];

        for (int first = 0; first < (turn_is_long() ? TURN_CODES : 1) && ok; first++) {
            for (number = 1; number < TURN_MAX; number++) {
                int code = turn_codes[((uint32_t)first + number) % TURN_CODES];
                if (!turn_once(turn, &turn_ways[i], number, code, &ok)) {
                    break;
                }
            }
        }
        (void)snprintf(what, sizeof(what), turn_ways[i].name, (unsigned)number - 1);
        CHECK(ok && number < TURN_MAX, "%s, %s", turn->name, what);
        if (turn_spare != NULL) {
            turn_spare();
        }
        CHECK(turn_has_threads || turn_open_files() == files, "%s: no file stays open", turn->name);
    }
}

#endif
