/* encoded_word_test.c - encoded words, as recordings of AWS show them, and against RFC 2047. */
#include "http/encoded_word.h"
#include "tap.h"

#include <stdlib.h>

enum { ROOM = 1024 };

static struct lst_slice slice_of(const char *text)
{
    return lst_slice_make(text, strlen(text));
}

static const struct {
    const char *text;
    const char *word;
} written[] = {
    {"\xC3\x84M\xC3\x84Z\xC3\x95\xC3\x91 S3", "=?UTF-8?Q?=C3=84M=C3=84Z=C3=95=C3=91_S3?="},
    {"test_\xE2\x80\x94_file%E2%80%94_\xC3\xA9_2?.pdf",
     "=?UTF-8?Q?test=5F=E2=80=94=5Ffile%E2%80%94=5F=C3=A9=5F2=3F.pdf?="},
    {"\xEF\xBF\xBD\xEF\xBF\xBD", "=?UTF-8?B?77+977+9?="},
    {"\xEF\xBF\xBD"
     "a\xEF\xBF\xBD",
     "=?UTF-8?B?77+9Ye+/vQ==?="},
    {"\x01\x02\x03", "=?UTF-8?B?AQID?="},
    {"a\r\n=", "=?UTF-8?Q?a=0D=0A=3D?="},
    {"ab\xF0\x9F\x91\x91", "=?UTF-8?B?YWLwn5GR?="}, /* two UTF-16 units */
    {"abc\xF0\x9F\x91\x91", "=?UTF-8?Q?abc=F0=9F=91=91?="},
};

/* NULL: no word in it can be decoded. */
static const struct {
    const char *value;
    const char *text;
} read[] = {
    {"=?UTF-8?Q?actually-ascii?=", "actually-ascii"},
    {"=?utf-8?b?YWJj?=", "abc"},
    {"=?UTF-8*en?Q?a_b?=", "a b"},
    {"=?ISO-8859-1?Q?caf=e9?=", "caf\xC3\xA9"},
    {"=?US-ASCII?Q?=FF?=", "\xEF\xBF\xBD"},
    {"=?UTF-8?Q?=C3x=F0=9F=91=91?=", "\xEF\xBF\xBDx\xF0\x9F\x91\x91"},
    {"=?UTF-8?Q?\?=", ""},
    {" a  =?UTF-8?Q?b?= \t =?UTF-8?Q?c?=  d ", " a  bc  d "},
    {"=?UTF-8?Q?a?= =?X?Q?b?=", "a =?X?Q?b?="},
    {"=?UTF-8?Q?a?=b", NULL},
    {"=?UTF-8?Q?=4?=", NULL},
    {"=?UTF-8?Q?=zz?=", NULL},
    {"=?UTF-8?B?=GGG?=", NULL},
    {"=?UTF-8?B?YWJ?=", NULL},
    {"=?UTF-8?X?a?=", NULL},
    {"=?KOI8-R?Q?a?=", NULL},
    {"=?UTF-8?Q?a?b?=", NULL},
    {"=?UTF-8?Q", NULL},
    {"=?\?=", NULL},
    {"=?", NULL},
    {"plain", NULL},
    {"", NULL},
};

int main(void)
{
    char room[ROOM];
    size_t length;

    for (size_t i = 0; i < sizeof written / sizeof written[0]; i++) {
        length = lst_encoded_word_write(slice_of(written[i].text), room);
        CHECK(lst_slice_equal(lst_slice_make(room, length), slice_of(written[i].word)),
              "written: %s", written[i].word);
        CHECK(lst_encoded_words_decode(slice_of(written[i].word), room, &length) &&
                  lst_slice_equal(lst_slice_make(room, length), slice_of(written[i].text)),
              "and read again");
        CHECK(lst_encoded_word_is_needed(slice_of(written[i].text)) &&
                  !lst_encoded_word_is_needed(slice_of(written[i].word)),
              "needed");
    }
    for (size_t i = 0; i < sizeof read / sizeof read[0]; i++) {
        struct lst_slice value = slice_of(read[i].value);
        char *exact = malloc(LST_ENCODED_WORD_BOUND(value.length));
        bool is_word = lst_encoded_words_decode(value, exact, &length);
        CHECK(is_word == (read[i].text != NULL), "%s is a word: %d", read[i].value, is_word);
        CHECK(!is_word || lst_slice_equal(lst_slice_make(exact, length), slice_of(read[i].text)),
              "read: %s", read[i].value);
        free(exact);
    }
    CHECK(!lst_encoded_word_is_needed(LST_SLICE("a\tb ~")), "a tab can be sent");
    CHECK(lst_encoded_word_is_needed(LST_SLICE("\x7F")), "DEL can't");
    return tap_done();
}
