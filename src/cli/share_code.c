/* share_code.c - a QR code on a terminal. */
#include "cli/share_code.h"

#include "base/library.h"

#include <stdio.h>

/* Loaded when there is a code to print: base/library.h. */
#pragma GCC visibility push(hidden)
#include <qrencode.h>
#pragma GCC visibility pop

// clang-format off
#define FUNCTIONS(FUNCTION) \
    FUNCTION(QRcode *, QRcode_encodeString, \
             (const char *text, int version, QRecLevel level, QRencodeMode hint, int is_exact), \
             (text, version, level, hint, is_exact)) \
    FUNCTION(void, QRcode_free, (QRcode *code), (code))
// clang-format on

FUNCTIONS(LST_LIBRARY_DEFINE)

static const struct lst_library_function functions[] = {FUNCTIONS(LST_LIBRARY_ENTRY)};

static struct lst_library library = {
    .file = "libqrencode.so.4",
    .functions = functions,
    .count = sizeof(functions) / sizeof(functions[0]),
    .mutex = PTHREAD_MUTEX_INITIALIZER,
};

int lst_share_code_load(const char **ret_reason)
{
    return lst_library_load(&library, ret_reason);
}

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
