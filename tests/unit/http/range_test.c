/* range_test.c - Range headers, against RFC 9110 section 14 and what S3 does with them. */
#include "http/range.h"
#include "tap.h"

static struct lst_slice slice_of(const char *text)
{
    return lst_slice_make(text, strlen(text));
}

static const struct {
    const char *header;
    uint64_t size;
    enum lst_range range;
    uint64_t first;
    uint64_t last;
} cases[] = {
    {"bytes=0-0", 10, LST_RANGE_PART, 0, 0},
    {"bytes=2-5", 10, LST_RANGE_PART, 2, 5},
    {"bytes=2-", 10, LST_RANGE_PART, 2, 9},
    {"bytes=0-99", 10, LST_RANGE_PART, 0, 9},
    {"bytes=9-9", 10, LST_RANGE_PART, 9, 9},
    {"bytes=-3", 10, LST_RANGE_PART, 7, 9},
    {"bytes=-99", 10, LST_RANGE_PART, 0, 9},
    {"Bytes=1-2", 10, LST_RANGE_PART, 1, 2},
    {"bytes=1-2 ", 10, LST_RANGE_PART, 1, 2},
    {"bytes=0-18446744073709551615", 10, LST_RANGE_PART, 0, 9},
    {"bytes=0-99999999999999999999999", 10, LST_RANGE_PART, 0, 9},
    {"bytes=-99999999999999999999999", 10, LST_RANGE_PART, 0, 9},
    {"bytes=10-", 10, LST_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=10-20", 10, LST_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=99999999999999999999999-", 10, LST_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=-0", 10, LST_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=0-", 0, LST_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=-1", 0, LST_RANGE_WHOLE, 0, 0},
    {"bytes= -1", 10, LST_RANGE_WHOLE, 0, 0},
    {"bytes= 0-1", 10, LST_RANGE_WHOLE, 0, 0},
    {"bytes=5-2", 10, LST_RANGE_WHOLE, 0, 0},
    {"bytes=0-1,3-4", 10, LST_RANGE_WHOLE, 0, 0},
    {"bytes=-1,0-1", 10, LST_RANGE_WHOLE, 0, 0},
    {"bytes=", 10, LST_RANGE_WHOLE, 0, 0},
    {"bytes=-", 10, LST_RANGE_WHOLE, 0, 0},
    {"bytes=--1", 10, LST_RANGE_WHOLE, 0, 0},
    {"bytes=1", 10, LST_RANGE_WHOLE, 0, 0},
    {"bytes=a-b", 10, LST_RANGE_WHOLE, 0, 0},
    {"bytes=1-b", 10, LST_RANGE_WHOLE, 0, 0},
    {"bytes=+1-2", 10, LST_RANGE_WHOLE, 0, 0},
    {"bytes 1-2", 10, LST_RANGE_WHOLE, 0, 0},
    {"items=1-2", 10, LST_RANGE_WHOLE, 0, 0},
    {"byte", 10, LST_RANGE_WHOLE, 0, 0},
    {"", 10, LST_RANGE_WHOLE, 0, 0},
};

int main(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t first = 77;
        uint64_t last = 77;
        enum lst_range range =
            lst_range_parse(slice_of(cases[i].header), cases[i].size, &first, &last);
        bool untouched = first == 77 && last == 77;

        CHECK(range == cases[i].range &&
                  (range == LST_RANGE_PART ? first == cases[i].first && last == cases[i].last
                                           : untouched),
              "'%s' of %llu bytes", cases[i].header, (unsigned long long)cases[i].size);
    }
    return tap_done();
}
