/* quantity.c - durations and sizes as people write them. */
#include "base/quantity.h"

#include <stdio.h>

struct unit {
    const char *name; /* in lower case */
    uint64_t factor;
};

/* A number and one of the units, "" for none. */
static bool parse(struct lst_slice text, const struct unit *units, size_t unit_count,
                  uint64_t maximum, uint64_t *ret_number)
{
    size_t digits = 0;
    struct lst_slice unit;
    uint64_t number;

    while (digits < text.length && text.bytes[digits] >= '0' && text.bytes[digits] <= '9') {
        digits++;
    }
    unit = lst_slice_after(text, digits);
    for (size_t i = 0; i < unit_count; i++) {
        if (lst_slice_equal_ignoring_case(unit,
                                          lst_slice_make(units[i].name, strlen(units[i].name)))) {
            if (!lst_slice_to_number(lst_slice_first(text, digits), maximum / units[i].factor,
                                     &number)) {
                return false;
            }
            *ret_number = number * units[i].factor;
            return true;
        }
    }
    return false;
}

bool lst_duration_parse(struct lst_slice text, uint64_t maximum, uint64_t *ret_seconds)
{
    static const struct unit units[] = {{"", 1},        {"s", 1},         {"m", 60},
                                        {"h", 60 * 60}, {"d", 24 * 3600}, {"w", 7 * 24 * 3600}};

    return parse(text, units, sizeof(units) / sizeof(units[0]), maximum, ret_seconds);
}

bool lst_size_parse(struct lst_slice text, uint64_t maximum, uint64_t *ret_bytes)
{
    static const struct unit units[] = {
        {"", 1},
        {"b", 1},
        {"kb", 1000},
        {"mb", 1000 * 1000},
        {"gb", 1000 * 1000 * 1000},
        {"tb", 1000ULL * 1000 * 1000 * 1000},
        {"kib", 1024},
        {"mib", 1024 * 1024},
        {"gib", 1024 * 1024 * 1024},
        {"tib", 1024ULL * 1024 * 1024 * 1024},
    };

    return parse(text, units, sizeof(units) / sizeof(units[0]), maximum, ret_bytes);
}

/* ---- Examples */

void lst_duration_examples(uint64_t minimum, uint64_t maximum,
                           char ret_text[LST_DURATION_EXAMPLES_MAX])
{
    static const struct {
        const char *text;
        uint64_t seconds;
    } known[] = {{"10", 10},       {"30s", 30},        {"15m", 900},      {"3600", 3600},
                 {"90m", 90 * 60}, {"12h", 12 * 3600}, {"2d", 2 * 86400}, {"1w", 7 * 86400}};
    enum { KNOWN = sizeof(known) / sizeof(known[0]), SHOWN_MAX = 5 };
    size_t end = KNOWN;
    size_t first = 0;
    size_t length = 0;

    while (end > 0 && known[end - 1].seconds > maximum) {
        end--;
    }
    while (first < end && (known[first].seconds < minimum || end - first > SHOWN_MAX)) {
        first++;
    }
    ret_text[0] = '\0';
    for (size_t i = first; i < end; i++) {
        const char *joint = i == first ? "" : i + 1 == end ? " or " : ", ";

        length += (size_t)snprintf(ret_text + length, LST_DURATION_EXAMPLES_MAX - length, "%s%s",
                                   joint, known[i].text);
    }
}
