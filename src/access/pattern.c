/* pattern.c - text with wildcards and policy variables, compiled and matched. */
#include "access/pattern.h"

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte + ('a' - 'A')) : byte;
}

/* The symbol for the variable at the front of text, which begins with "${"; 0 if there is no such
 * variable. */
static char variable_symbol(struct lst_slice text, size_t *ret_length)
{
    static const struct {
        struct lst_slice source;
        char symbol;
    } variables[] = {
        {{"${*}", 4}, '*'},
        {{"${?}", 4}, '?'},
        {{"${$}", 4}, '$'},
        {{"${aws:username}", 15}, (char)LST_PATTERN_USER_NAME},
    };

    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        if (lst_slice_starts_with_ignoring_case(text, variables[i].source)) {
            *ret_length = variables[i].source.length;
            return variables[i].symbol;
        }
    }
    return 0;
}

int lst_pattern_compile(struct lst_slice source, unsigned syntax, struct lst_buffer *compiled,
                        struct lst_slice *ret_variable)
{
    for (size_t i = 0; i < source.length;) {
        struct lst_slice rest = lst_slice_after(source, i);
        char symbol = source.bytes[i];
        size_t length = 1;

        if ((syntax & LST_PATTERN_VARIABLES) != 0 && lst_slice_starts_with(rest, LST_SLICE("${"))) {
            symbol = variable_symbol(rest, &length);
            if (symbol == 0) {
                *ret_variable = rest;
                return LST_ERR_POLICY;
            }
        } else if ((syntax & LST_PATTERN_WILDCARDS) != 0 && symbol == '*') {
            symbol = (char)LST_PATTERN_ANY_RUN;
        } else if ((syntax & LST_PATTERN_WILDCARDS) != 0 && symbol == '?') {
            symbol = (char)LST_PATTERN_ANY_ONE;
        } else if ((syntax & LST_PATTERN_LOWER_CASE) != 0) {
            symbol = lower(symbol);
        }
        lst_buffer_append_byte(compiled, symbol);
        i += length;
    }
    return lst_buffer_status(compiled);
}

/* A place in a pattern; inside: how much of the user's name has been matched there. */
struct cursor {
    size_t position;
    size_t inside;
};

/* What symbol_at() gives besides the values of bytes. */
enum {
    SYMBOL_END = -1,
    SYMBOL_ANY_RUN = 256,
    SYMBOL_ANY_ONE = 257,
};

/* What has to be matched next. A byte of the user's name is never a wildcard. */
static int symbol_at(struct lst_slice pattern, struct lst_slice user_name, struct cursor *cursor)
{
    while (cursor->position < pattern.length) {
        uint8_t byte = (uint8_t)pattern.bytes[cursor->position];

        if (byte < LST_PATTERN_USER_NAME) {
            return byte;
        }
        if (byte != LST_PATTERN_USER_NAME) {
            return byte == LST_PATTERN_ANY_RUN ? SYMBOL_ANY_RUN : SYMBOL_ANY_ONE;
        }
        if (cursor->inside < user_name.length) {
            return (uint8_t)user_name.bytes[cursor->inside];
        }
        cursor->position++;
        cursor->inside = 0;
    }
    return SYMBOL_END;
}

static void step(struct lst_slice pattern, struct cursor *cursor)
{
    if ((uint8_t)pattern.bytes[cursor->position] == LST_PATTERN_USER_NAME) {
        cursor->inside++;
    } else {
        cursor->position++;
    }
}

/* The bytes of the UTF-8 character that begins at offset. */
static size_t character_length(struct lst_slice text, size_t offset)
{
    size_t length = 1;

    while (offset + length < text.length && ((uint8_t)text.bytes[offset + length] & 0xC0) == 0x80) {
        length++;
    }
    return length;
}

static bool is_byte(int symbol, char byte, bool ignore_case)
{
    if (ignore_case) {
        return symbol < SYMBOL_ANY_RUN && lower((char)symbol) == lower(byte);
    }
    return symbol == (uint8_t)byte;
}

bool lst_pattern_matches(struct lst_slice pattern, struct lst_slice text,
                         struct lst_slice user_name, bool ignore_case)
{
    struct cursor cursor = {0, 0};
    struct cursor after_run = {0, 0}; /* where to go on if what follows the last '*' did not fit */
    size_t run_end = 0;               /* the text that the last '*' has taken so far */
    bool has_run = false;
    size_t i = 0;

    for (;;) {
        int symbol = symbol_at(pattern, user_name, &cursor);

        if (symbol == SYMBOL_ANY_RUN) {
            cursor.position++;
            after_run = cursor;
            run_end = i;
            has_run = true;
            if (cursor.position == pattern.length) {
                return true;
            }
        } else if (symbol == SYMBOL_END && i == text.length) {
            return true;
        } else if (symbol == SYMBOL_ANY_ONE && i < text.length) {
            i += character_length(text, i);
            cursor.position++;
        } else if (symbol != SYMBOL_END && i < text.length &&
                   is_byte(symbol, text.bytes[i], ignore_case)) {
            i++;
            step(pattern, &cursor);
        } else if (has_run && run_end < text.length) {
            /* The last '*' takes one character more. Earlier ones need not be tried again: what
             * lies between them and it fits as early as it can. */
            run_end += character_length(text, run_end);
            i = run_end;
            cursor = after_run;
        } else {
            return false;
        }
    }
}

bool lst_pattern_may_begin(struct lst_slice pattern, struct lst_slice beginning)
{
    for (size_t i = 0; i < beginning.length; i++) {
        if (i == pattern.length) {
            return false;
        }
        if ((uint8_t)pattern.bytes[i] >= LST_PATTERN_USER_NAME) {
            return true;
        }
        if (pattern.bytes[i] != beginning.bytes[i]) {
            return false;
        }
    }
    return true;
}
