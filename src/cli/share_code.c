/* share_code.c - a QR code on a terminal. */
#include "cli/share_code.h"

#include <qrencode.h>
#include <stdio.h>

enum { QUIET = 4 }; /* light modules around it, as the standard asks for */

/* Level L: on a screen nothing is smudged, and fewer modules are easier to read. */
static QRcode *encode(const char *text)
{
    return QRcode_encodeString(text, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
}

static bool is_dark(const QRcode *code, int row, int column)
{
    row -= QUIET;
    column -= QUIET;
    return row >= 0 && column >= 0 && row < code->width && column < code->width &&
           (code->data[row * code->width + column] & 1) != 0;
}

unsigned lst_share_code_width(const char *text)
{
    QRcode *code = encode(text);
    unsigned width = code == NULL ? 0 : (unsigned)code->width + 2 * QUIET;

    QRcode_free(code);
    return width;
}

bool lst_share_code_print(const char *text)
{
    static const char *const halves[2][2] = {{" ", "\u2584"}, {"\u2580", "\u2588"}};
    QRcode *code = encode(text);
    int width;

    if (code == NULL) {
        return false;
    }
    width = code->width + 2 * QUIET;
    for (int row = 0; row < width; row += 2) {
        printf("\033[38;5;16;48;5;231m"); /* black on white: these two no theme changes */
        for (int column = 0; column < width; column++) {
            printf("%s", halves[is_dark(code, row, column)][is_dark(code, row + 1, column)]);
        }
        printf("\033[0m\n");
    }
    QRcode_free(code);
    return true;
}
