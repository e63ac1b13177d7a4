/*
 * share_bar.h - a progress bar on standard error: one line, drawn over and over, and gone in the
 * end.
 */
#ifndef LST_CLI_SHARE_BAR_H
#define LST_CLI_SHARE_BAR_H

#include <stdbool.h>
#include <stdint.h>

/* Owns nothing. */
struct lst_share_bar {
    bool is_shown;     /* standard error is a terminal that can move its cursor */
    bool is_drawn;     /* it stands on the screen */
    uint64_t total;    /* bytes */
    uint64_t start_ns; /* of lst_clock_monotonic_ns() */
    uint64_t drawn_ns;
};

/* Nothing is shown if not wanted, nor where standard error is no terminal. */
void lst_share_bar_begin(struct lst_share_bar *bar, uint64_t total, bool wanted);

/* So many bytes are done. Draws ten times a second at most. */
void lst_share_bar_show(struct lst_share_bar *bar, uint64_t done);

/* Remove it, before anything else is printed. */
void lst_share_bar_end(struct lst_share_bar *bar);

/* "12.3 MB", of thousands. */
#define LST_SHARE_AMOUNT_MAX 32
void lst_share_amount(uint64_t bytes, char ret_text[LST_SHARE_AMOUNT_MAX]);

#endif
