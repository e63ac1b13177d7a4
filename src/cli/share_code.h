/* share_code.h - a QR code on a terminal. */
#ifndef LST_CLI_SHARE_CODE_H
#define LST_CLI_SHARE_CODE_H

#include "latchstring.h"

/* Load libqrencode; before all else here. LST_ERR_NO_LIBRARY, and *ret_reason says why: as
 * lst_library_load(). */
LST_MUST_CHECK int lst_share_code_load(const char **ret_reason);

/*
 * Print the QR code of a text (ISO/IEC 18004, by libqrencode) on standard output, in half blocks of
 * UTF-8: two rows of it in each line, dark on light with its quiet zone, whatever the terminal's
 * own colours are. False if the text is too long for one (2953 bytes).
 */
LST_MUST_CHECK bool lst_share_code_print(const char *text);

/* Columns that it takes; 0 if there is none. */
unsigned lst_share_code_width(const char *text);

#endif
