/* characters.h - which bytes HTTP allows where: RFC 9110 section 5, RFC 9112 sections 2 and 3. */
#ifndef LST_HTTP_CHARACTERS_H
#define LST_HTTP_CHARACTERS_H

#include <stdbool.h>
#include <stdint.h>

enum lst_character {
    LST_CHARACTER_TOKEN = 1,  /* tchar: methods, names of headers */
    LST_CHARACTER_VALUE = 2,  /* HTAB, SP, VCHAR, obs-text: values of headers */
    LST_CHARACTER_TARGET = 4, /* all but controls, SP, DEL and '#': a request target */
    LST_CHARACTER_HOST = 8,   /* unreserved, '%', sub-delims but for the comma: a host name */
    LST_CHARACTER_HEX = 16,   /* 0-9, a-f, A-F */
};

/* For each byte, the classes that it is in. */
extern const uint8_t lst_character_classes[256];

static inline bool lst_character_is(char byte, enum lst_character class)
{
    return (lst_character_classes[(uint8_t)byte] & (unsigned)class) != 0;
}

#endif
