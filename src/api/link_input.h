/* link_input.h - what a caller asks for, when a link is to be made. */
#ifndef LST_API_LINK_INPUT_H
#define LST_API_LINK_INPUT_H

#include "api/link.h"

#define LST_LINK_LIMIT_MAX    1024 /* bytes of a limit, as it travels in the URL */
#define LST_LINK_PASSWORD_MIN 4    /* bytes of a password */
#define LST_LINK_PASSWORD_MAX 128

/* What is not part of the link itself. */
struct lst_link_input {
    int64_t life;              /* seconds */
    bool dry_run;              /* only look whether the link could be made */
    struct lst_slice password; /* in the exchange's input; empty: none */
    char ip[LST_LINK_LIMIT_MAX + 1];
};

/*
 * Read exchange->input. Of the link the texts are set, which live as long as the exchange's input
 * and as *ret_input, and max_uses, head, folder, created, expires and stable. False: the input is
 * malformed, and the exchange (or the entry, see batch.h) has failed.
 */
bool lst_link_input_read(struct lst_api_exchange *exchange, struct lst_link *link,
                         struct lst_link_input *ret_input);

#endif
