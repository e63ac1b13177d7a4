/* share_bar.c - a progress bar on standard error. */
#include "cli/share_bar.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    WIDTH_USUAL = 80,
    BAR_MAX = 40,
    BAR_MIN = 5,
    FIGURES_WIDTH = 60, /* what stands behind the bar, at its longest */
    DRAW_NS = 100 * 1000 * 1000,
};
#define SECOND_NS UINT64_C(1000000000)

void lst_share_amount(uint64_t bytes, char ret_text[LST_SHARE_AMOUNT_MAX])
{
    static const char *const units[] = {"kB", "MB", "GB", "TB"};
    uint64_t tenths = bytes / 100; /* of a kB */
    size_t unit = 0;

    if (bytes < 1000) {
        (void)snprintf(ret_text, LST_SHARE_AMOUNT_MAX, "%llu B", (unsigned long long)bytes);
        return;
    }
    while (tenths >= 10000 && unit < 3) {
        tenths /= 1000;
        unit++;
    }
    (void)snprintf(ret_text, LST_SHARE_AMOUNT_MAX, "%llu.%llu %s",
                   (unsigned long long)(tenths / 10), (unsigned long long)(tenths % 10),
                   units[unit]);
}

void lst_share_bar_begin(struct lst_share_bar *bar, uint64_t total, bool wanted)
{
    const char *terminal = getenv("TERM");
    bool can_draw = terminal != NULL && terminal[0] != '\0' && strcmp(terminal, "dumb") != 0;

    *bar = (struct lst_share_bar){.is_shown = wanted && can_draw && isatty(STDERR_FILENO) == 1,
                                  .total = total,
                                  .start_ns = lst_clock_monotonic_ns()};
}

static unsigned width(void)
{
    struct winsize size = {0};

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
                                                                           : WIDTH_USUAL;
}

/* "  3.1 MB/s  8 s left" */
static void draw_speed(const struct lst_share_bar *bar, uint64_t done, uint64_t now)
{
    uint64_t passed = now - bar->start_ns;
    uint64_t speed = (uint64_t)((double)done / ((double)passed / (double)SECOND_NS + 1e-9));
    char text[LST_SHARE_AMOUNT_MAX];

    if (done == bar->total) {
        (void)fprintf(stderr, "  storing");
    } else if (passed > SECOND_NS && speed > 0) {
        uint64_t left = (bar->total - done) / speed + 1;

        lst_share_amount(speed, text);
        (void)fprintf(stderr, "  %s/s  %llu:%02llu left", text, (unsigned long long)(left / 60),
                      (unsigned long long)(left % 60));
    }
}

static void draw(const struct lst_share_bar *bar, uint64_t done, uint64_t now)
{
    unsigned columns = width();
    unsigned length = columns > FIGURES_WIDTH + BAR_MIN ? columns - FIGURES_WIDTH : 0;
    double share = bar->total == 0 ? 1.0 : (double)done / (double)bar->total;
    char done_text[LST_SHARE_AMOUNT_MAX];
    char total_text[LST_SHARE_AMOUNT_MAX];

    (void)fprintf(stderr, "\r");
    length = length < BAR_MAX ? length : BAR_MAX;
    for (unsigned i = 0; i < length; i++) {
        (void)fprintf(stderr, "%s%s%s", i == 0 ? "[" : "",
                      i < (unsigned)(share * (double)length) ? "=" : " ",
                      i + 1 == length ? "] " : "");
    }
    lst_share_amount(done, done_text);
    lst_share_amount(bar->total, total_text);
    (void)fprintf(stderr, "%3d%%", (int)(share * 100));
    if (columns >= FIGURES_WIDTH) {
        (void)fprintf(stderr, "  %s of %s", done_text, total_text);
        draw_speed(bar, done, now);
    }
    (void)fprintf(stderr, "\033[K");
    (void)fflush(stderr);
}

void lst_share_bar_show(struct lst_share_bar *bar, uint64_t done)
{
    uint64_t now = lst_clock_monotonic_ns();

    done = done < bar->total ? done : bar->total;
    if (bar->is_shown && (!bar->is_drawn || now - bar->drawn_ns >= DRAW_NS || done == bar->total)) {
        draw(bar, done, now);
        bar->is_drawn = true;
        bar->drawn_ns = now;
    }
}

void lst_share_bar_end(struct lst_share_bar *bar)
{
    if (bar->is_drawn) {
        (void)fprintf(stderr, "\r\033[K");
        (void)fflush(stderr);
        bar->is_drawn = false;
    }
}
