/* query.c - the parameters of a query: taken apart, compared and put in canonical order. */
#include "query.h"
#include "scan.h"

void lst_internal_split_target(struct lst_slice target, struct lst_slice *ret_path,
                               struct lst_slice *ret_query)
{
    size_t mark = lst_internal_find(target, '?');

    *ret_path = lst_internal_first(target, mark);
    *ret_query = lst_internal_skip(target, mark < target.length ? mark + 1 : mark);
}

/* The byte that an escape at the front of the text stands for; -1 if there is none. */
static int escaped_byte(struct lst_slice text)
{
    int high = text.length < 3 ? -1 : lst_internal_hex_digit(text.bytes[1]);
    int low = text.length < 3 ? -1 : lst_internal_hex_digit(text.bytes[2]);

    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* True if the escape is what encoding its byte would give. */
static bool is_canonical_escape(const char *text, int byte)
{
    return byte >= 0 && text[1] < 'a' && text[2] < 'a' &&
           !lst_internal_is((char)byte, LST_INTERNAL_UNRESERVED);
}

/*
 * Walk to the end of the parameter that begins at start, and give where it ends. is_malformed is
 * set if there is a '%' that two hex digits do not follow.
 */
static inline size_t take_parameter(struct lst_internal_walk *walk, size_t start,
                                    struct lst_internal_parameter *ret_parameter,
                                    bool *is_malformed)
{
    struct lst_slice query = walk->text;
    size_t first = lst_internal_next_reserved(walk);
    size_t equals = SIZE_MAX;
    bool is_canonical = true;
    size_t end;

    for (end = first; end < query.length && query.bytes[end] != '&';
         end = lst_internal_next_reserved(walk)) {
        if (query.bytes[end] == '%') {
            int byte = escaped_byte(lst_internal_skip(query, end));

            *is_malformed = *is_malformed || byte < 0;
            is_canonical = is_canonical && is_canonical_escape(query.bytes + end, byte);
        } else if (query.bytes[end] == '=' && equals == SIZE_MAX) {
            equals = end;
        } else {
            is_canonical = false;
        }
    }
    ret_parameter->is_canonical = is_canonical && equals < end;
    ret_parameter->text = (struct lst_slice){query.bytes + start, end - start};
    if (equals >= end) {
        ret_parameter->name = ret_parameter->text;
        ret_parameter->value = (struct lst_slice){query.bytes + end, 0};
    } else {
        ret_parameter->name = (struct lst_slice){query.bytes + start, equals - start};
        ret_parameter->value = (struct lst_slice){query.bytes + equals + 1, end - equals - 1};
    }
    ret_parameter->name_is_bare = first == end || first == equals;
    return end;
}

int lst_internal_split_query(struct lst_slice query,
                             struct lst_internal_parameter parameters[LST_PARAMETERS_MAX],
                             size_t *ret_count)
{
    struct lst_internal_walk walk = {.text = query};
    struct lst_internal_parameter parameter;
    bool is_malformed = false;
    size_t count = 0;

    for (size_t start = 0; start < query.length; start++) {
        size_t end = take_parameter(&walk, start, &parameter, &is_malformed);

        if (end > start) {
            if (count == LST_PARAMETERS_MAX) {
                return LST_REFUSED_TOO_MANY_PARAMETERS;
            }
            parameters[count++] = parameter;
        }
        start = end;
    }
    *ret_count = count;
    return is_malformed ? LST_REFUSED_TARGET_MALFORMED : LST_OK;
}

bool lst_internal_query_text_is(struct lst_slice text, struct lst_slice decoded)
{
    /* Names are hardly ever encoded; an encoded one is longer. */
    if (text.length <= decoded.length || lst_internal_find(text, '%') == text.length) {
        return lst_internal_equal(text, decoded);
    }
    while (text.length > 0 && decoded.length > 0) {
        if (lst_internal_next_byte(&text, LST_INTERNAL_WIRE_QUERY) !=
            (unsigned char)decoded.bytes[0]) {
            return false;
        }
        decoded = lst_internal_skip(decoded, 1);
    }
    return text.length == 0 && decoded.length == 0;
}

bool lst_internal_query_text(struct lst_slice text, char *scratch, size_t capacity,
                             struct lst_slice *ret_decoded)
{
    struct lst_internal_writer writer = lst_internal_writer_to(scratch, capacity);

    if (lst_internal_bare_run(text, LST_INTERNAL_UNRESERVED) == text.length) {
        *ret_decoded = text;
        return true;
    }
    lst_internal_put_decoded(&writer, text, LST_INTERNAL_WIRE_QUERY);
    *ret_decoded = lst_internal_first((struct lst_slice){scratch, capacity}, writer.length);
    return !writer.overflow;
}

/*
 * Where a byte's encoding sorts. '%' comes before every unreserved byte, and among the encoded ones
 * the order of the hexadecimal digits is that of the bytes.
 */
static unsigned rank(unsigned char byte)
{
    return byte + (lst_internal_is((char)byte, LST_INTERNAL_UNRESERVED) ? 256U : 0U);
}

/* Compare what the encodings would be, without making them. */
static int compare_encoded(struct lst_slice a, struct lst_slice b, enum lst_internal_origin origin)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    size_t same = 0;

    while (same < shorter && a.bytes[same] == b.bytes[same] && a.bytes[same] != '%') {
        same++;
    }
    while (same < a.length && same < b.length) {
        struct lst_slice rest_a = lst_internal_skip(a, same);
        struct lst_slice rest_b = lst_internal_skip(b, same);
        unsigned rank_a = rank(lst_internal_next_byte(&rest_a, origin));
        unsigned rank_b = rank(lst_internal_next_byte(&rest_b, origin));

        if (rank_a != rank_b) {
            return rank_a < rank_b ? -1 : 1;
        }
        a = rest_a;
        b = rest_b;
        same = 0;
    }
    return (a.length > same) - (b.length > same);
}

/* Canonical text sorts as its bytes do: '%' comes before every unreserved byte. */
static int compare_canonical(struct lst_slice a, struct lst_slice b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    int order = shorter == 0 ? 0 : memcmp(a.bytes, b.bytes, shorter);

    return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

static int compare_parameters(const struct lst_internal_parameter *a,
                              const struct lst_internal_parameter *b,
                              enum lst_internal_origin origin)
{
    bool is_canonical = a->is_canonical && b->is_canonical;
    int order = is_canonical ? compare_canonical(a->name, b->name)
                             : compare_encoded(a->name, b->name, origin);

    if (order != 0) {
        return order;
    }
    return is_canonical ? compare_canonical(a->value, b->value)
                        : compare_encoded(a->value, b->value, origin);
}

size_t lst_internal_canonical_length(struct lst_slice query,
                                     const struct lst_internal_parameter *parameters, size_t count)
{
    const struct lst_internal_parameter *before = NULL;
    size_t before_signature = 0;
    size_t length = 0;

    for (size_t i = 0; i < count; i++) {
        if (!parameters[i].is_canonical) {
            return 0;
        }
        if (lst_internal_equal(parameters[i].name, LST_SLICE("X-Amz-Signature"))) {
            before_signature = length;
        } else if (before != NULL &&
                   compare_parameters(before, &parameters[i], LST_INTERNAL_WIRE_QUERY) > 0) {
            return 0;
        } else {
            before = &parameters[i];
        }
        length += parameters[i].text.length + 1;
    }
    /* Empty parts would make the query longer. The '&' before the signature is not counted. */
    return length == query.length + 1 && before_signature > 0 ? before_signature - 1 : 0;
}

/* After how many of the first `count` in order the parameter belongs. */
static size_t place_of(const struct lst_internal_parameter *parameters, size_t count,
                       const struct lst_internal_parameter *parameter,
                       enum lst_internal_origin origin, const uint8_t *order)
{
    size_t low = 0;
    size_t high = count;

    /* Most queries arrive in order: the last place first. */
    if (count == 0 || compare_parameters(&parameters[order[count - 1]], parameter, origin) <= 0) {
        return count;
    }
    high--;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_parameters(&parameters[order[middle]], parameter, origin) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void lst_internal_sort_query(const struct lst_internal_parameter *parameters, size_t count,
                             size_t sorted, enum lst_internal_origin origin, uint8_t *order)
{
    for (size_t i = 0; i < count; i++) {
        size_t place = i < sorted ? i : place_of(parameters, i, &parameters[i], origin, order);

        if (place < i) {
            memmove(order + place + 1, order + place, i - place);
        }
        order[place] = (uint8_t)i;
    }
}

void lst_internal_put_parameter(struct lst_internal_writer *writer,
                                const struct lst_internal_parameter *parameter,
                                enum lst_internal_origin origin)
{
    if (parameter->is_canonical) {
        lst_internal_put(writer, parameter->text);
        return;
    }
    lst_internal_put_encoded(writer, parameter->name, origin, false);
    lst_internal_put_char(writer, '=');
    lst_internal_put_encoded(writer, parameter->value, origin, false);
}
