/* query.c - the parameters of a query: taken apart, compared and put in canonical order. */
#include "query.h"

void lst_internal_split_target(struct lst_slice target, struct lst_slice *ret_path,
                               struct lst_slice *ret_query)
{
    size_t mark = lst_internal_find(target, '?');

    *ret_path = lst_internal_first(target, mark);
    *ret_query = lst_internal_skip(target, mark < target.length ? mark + 1 : mark);
}

/* True if an escape stands here that encoding would write the same way. */
static bool is_canonical_escape(struct lst_slice text)
{
    int high;
    int low;

    if (text.length < 3 || text.bytes[0] != '%' || text.bytes[1] >= 'a' || text.bytes[2] >= 'a') {
        return false;
    }
    high = lst_internal_hex_digit(text.bytes[1]);
    low = lst_internal_hex_digit(text.bytes[2]);
    return high >= 0 && low >= 0 &&
           !lst_internal_is((char)(high * 16 + low), LST_INTERNAL_UNRESERVED);
}

/* A walk over a query, from one byte that is not unreserved to the next. */
struct walk {
    struct lst_slice query;
    size_t block;      /* where the current 64 bytes begin */
    uint64_t reserved; /* bits of those in the block that are still to come */
};

/* The place of the next such byte; the query's length after the last. */
static size_t next_reserved(struct walk *walk)
{
    size_t at;

    while (walk->reserved == 0) {
        size_t left;

        walk->block += 64;
        if (walk->block >= walk->query.length) {
            return walk->query.length;
        }
        left = walk->query.length - walk->block;
        walk->reserved = lst_internal_reserved_bits(walk->query.bytes + walk->block, left);
    }
    at = walk->block + (size_t)__builtin_ctzll(walk->reserved);
    walk->reserved &= walk->reserved - 1;
    return at;
}

/* Walk to the end of the parameter that begins at start. Gives where it ends. */
static size_t take_parameter(struct walk *walk, size_t start,
                             struct lst_internal_parameter *ret_parameter)
{
    struct lst_slice query = walk->query;
    size_t equals = SIZE_MAX;
    bool is_canonical = true;
    size_t end;

    for (end = next_reserved(walk); end < query.length && query.bytes[end] != '&';
         end = next_reserved(walk)) {
        if (query.bytes[end] == '=' && equals == SIZE_MAX) {
            equals = end;
        } else if (!is_canonical_escape(lst_internal_skip(query, end))) {
            is_canonical = false;
        }
    }
    ret_parameter->is_canonical = is_canonical && equals != SIZE_MAX;
    ret_parameter->text = (struct lst_slice){query.bytes + start, end - start};
    equals = equals < end ? equals : end;
    ret_parameter->name = (struct lst_slice){query.bytes + start, equals - start};
    equals += equals < end ? 1 : 0;
    ret_parameter->value = (struct lst_slice){query.bytes + equals, end - equals};
    return end;
}

bool lst_internal_split_query(struct lst_slice query,
                              struct lst_internal_parameter parameters[LST_PARAMETERS_MAX],
                              size_t *ret_count)
{
    struct walk walk = {query, 0, lst_internal_reserved_bits(query.bytes, query.length)};
    struct lst_internal_parameter parameter;
    size_t count = 0;

    for (size_t start = 0; start < query.length; start++) {
        size_t end = take_parameter(&walk, start, &parameter);

        if (end > start) {
            if (count == LST_PARAMETERS_MAX) {
                return false;
            }
            parameters[count++] = parameter;
        }
        start = end;
    }
    *ret_count = count;
    return true;
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
    const struct lst_internal_parameter *last = &parameters[count - 1];
    size_t length = 0;

    if (count < 2 || !last->is_canonical ||
        !lst_internal_equal(last->name, LST_SLICE("X-Amz-Signature"))) {
        return 0;
    }
    for (size_t i = 0; i + 1 < count; i++) {
        if (!parameters[i].is_canonical ||
            (i > 0 && compare_parameters(&parameters[i - 1], &parameters[i],
                                         LST_INTERNAL_WIRE_QUERY) > 0)) {
            return 0;
        }
        length += parameters[i].text.length + 1;
    }
    /* Empty parts would be in between. */
    return length + last->text.length == query.length ? length - 1 : 0;
}

/* After how many of the first `count` in order the parameter belongs. */
static size_t place_of(const struct lst_internal_parameter *parameters, size_t count,
                       const struct lst_internal_parameter *parameter,
                       enum lst_internal_origin origin, const uint8_t *order)
{
    size_t low = 0;
    size_t high = count;

    /* Most queries arrive in order: the last place first. */
    if (count == 0 ||
        compare_parameters(&parameters[order[count - 1]], parameter, origin) <= 0) {
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
