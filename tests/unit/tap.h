/*
 * tap.h - what a unit test needs: checks that print TAP lines (Test Anything Protocol, version 12).
 *
 * A test is a program: it calls CHECK for each thing that it asserts, and ends with `return
 * tap_done();`. A failed check prints where and what, and the program goes on, so that one run
 * shows every failure.
 */
#ifndef LST_TESTS_TAP_H
#define LST_TESTS_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_count;
static int tap_failures;

__attribute__((format(printf, 4, 5))) static inline bool tap_check(bool ok, const char *file,
                                                                   int line, const char *format,
                                                                   ...)
{
    va_list arguments;

    printf("%s %d - ", ok ? "ok" : "not ok", ++tap_count);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    if (!ok) {
        tap_failures++;
        printf("# failed at %s:%d\n", file, line);
    }
    fflush(stdout);
    return ok;
}

/* CHECK(condition, "what a user sees, printf-style"): true if it holds. */
#define CHECK(condition, ...) tap_check((condition), __FILE__, __LINE__, __VA_ARGS__)

/* Two byte strings are equal; both are shown if not. */
static inline bool tap_equal(const char *file, int line, const char *got, size_t got_length,
                             const char *want, size_t want_length, const char *what)
{
    bool ok = got_length == want_length && (got_length == 0 || memcmp(got, want, got_length) == 0);

    tap_check(ok, file, line, "%s", what);
    if (!ok) {
        printf("#  got: %.*s\n# want: %.*s\n", (int)got_length, got, (int)want_length, want);
    }
    return ok;
}
#define CHECK_TEXT(got, got_length, want, what)                                                    \
    tap_equal(__FILE__, __LINE__, (got), (got_length), (want), strlen(want), (what))

/* A check that can't be made here, and why. */
static inline void tap_skip(const char *what, const char *why)
{
    printf("ok %d - %s # SKIP %s\n", ++tap_count, what, why);
}

static inline int tap_done(void)
{
    printf("1..%d\n", tap_count);
    return tap_failures == 0 ? 0 : 1;
}

#endif
