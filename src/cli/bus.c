/* bus.c - say what it means when a mapped file turns out to be shorter than it was, unreadable, or
 * full of nonsense, or a fiber uses up its stack, and the process can't go on. */
#include "cli/bus.h"

#include "base/fiber.h"
#include "index/index.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* Of /proc/self/maps, read in a signal handler. */
enum { MAPS_MAX = 64 * 1024 };

static void say(const char *text, size_t length)
{
    (void)!write(STDERR_FILENO, text, length);
}

static uintptr_t read_number(const char **at, const char *end)
{
    uintptr_t number = 0;

    for (; *at < end; ++*at) {
        char digit = **at;
        if (digit >= '0' && digit <= '9') {
            number = number << 4 | (uintptr_t)(digit - '0');
        } else if (digit >= 'a' && digit <= 'f') {
            number = number << 4 | (uintptr_t)(digit - 'a' + 10);
        } else {
            break;
        }
    }
    return number;
}

/* The name of the file that is mapped at an address: of "BEGIN-END MODE OFFSET DEVICE INODE NAME".
 */
static void say_file(uintptr_t address)
{
    static char maps[MAPS_MAX];
    size_t length = 0;
    ssize_t piece = 1;
    int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);

    while (file >= 0 && piece > 0 && length < sizeof(maps)) {
        piece = read(file, maps + length, sizeof(maps) - length);
        length += piece > 0 ? (size_t)piece : 0;
    }
    for (const char *line = maps; line < maps + length;) {
        const char *end = memchr(line, '\n', (size_t)(maps + length - line));
        const char *at = line;
        const char *name;
        uintptr_t first;
        if (end == NULL) {
            break;
        }
        first = read_number(&at, end);
        at += at < end;
        name = memchr(line, '/', (size_t)(end - line));
        if (name != NULL && address >= first && address < read_number(&at, end)) {
            say(name, (size_t)(end - name));
            return;
        }
        line = end + 1;
    }
    say("a file of the data folder", 25);
}

static void on_bus_error(int number, siginfo_t *info, void *context)
{
    static const char first[] = "latchstring: ";
    static const char last[] =
        " is damaged: it was cut short while it was in use, or the disk could not read it. Look at "
        "the disk (dmesg), and restore the data folder from a backup: see docs/operations.md, "
        "\"A damaged data folder\"\n";

    (void)number;
    (void)context;
    say(first, sizeof(first) - 1);
    say_file((uintptr_t)info->si_addr);
    say(last, sizeof(last) - 1);
    _exit(1);
}

static void on_lost_index(const char *path)
{
    static const char first[] = "latchstring: ";
    static const char last[] =
        " is damaged: a change met a page of it that makes no sense. Nothing of the change was "
        "written. Look at the disk (dmesg), run latchstring fsck, and restore the data folder from "
        "a backup: see docs/operations.md, \"A damaged data folder\"\n";

    say(first, sizeof(first) - 1);
    say(path, strlen(path));
    say(last, sizeof(last) - 1);
    _exit(1);
}

static void on_overflow(const char *name)
{
    static const char first[] = "latchstring: a bug: ";
    static const char last[] =
        " used up its stack, so the server ends here. Nothing that was acknowledged is lost. Start "
        "it again, and report this\n";

    say(first, sizeof(first) - 1);
    say(name, strlen(name));
    say(last, sizeof(last) - 1);
}

void lst_bus_errors_report(void)
{
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};

    sigemptyset(&action.sa_mask);
    (void)sigaction(SIGBUS, &action, NULL);
    lst_index_at_end(on_lost_index);
    lst_fiber_at_overflow(on_overflow);
}
