/* query.c - the parameters of a query, split and decoded. */
#include "http/query.h"

bool lst_http_next_parameter(struct lst_slice *rest, struct lst_field *ret_raw)
{
    while (rest->length > 0) {
        const char *start = rest->bytes;
        const char *end = memchr(start, '&', rest->length);
        size_t length = end == NULL ? rest->length : (size_t)(end - start);
        const char *equals = memchr(start, '=', length);
        size_t name = equals == NULL ? length : (size_t)(equals - start);

        rest->bytes += end == NULL ? length : length + 1;
        rest->length -= end == NULL ? length : length + 1;
        if (length > 0) {
            ret_raw->name = lst_slice_make(start, name);
            ret_raw->value = equals == NULL ? lst_slice_make(NULL, 0)
                                            : lst_slice_make(equals + 1, length - name - 1);
            return true;
        }
    }
    return false;
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    if (digit >= 'a' && digit <= 'f') {
        return digit - 'a' + 10;
    }
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* The byte that stands at *at once it is decoded; *at moves on. A '%' that two hex digits do not
 * follow stands for itself. */
static char take_byte(struct lst_slice text, size_t *at)
{
    char byte = text.bytes[(*at)++];

    if (byte == '%' && text.length - *at >= 2) {
        int high = hex_value(text.bytes[*at]);
        int low = hex_value(text.bytes[*at + 1]);
        if (high >= 0 && low >= 0) {
            *at += 2;
            return (char)(high * 16 + low);
        }
    }
    return byte;
}

static char lower(char letter)
{
    return (char)(letter >= 'A' && letter <= 'Z' ? letter + ('a' - 'A') : letter);
}

bool lst_http_name_starts_with(struct lst_slice raw, struct lst_slice prefix,
                               struct lst_slice *ret_rest)
{
    size_t at = 0;

    for (size_t i = 0; i < prefix.length; i++) {
        if (at == raw.length || lower(take_byte(raw, &at)) != lower(prefix.bytes[i])) {
            return false;
        }
    }
    *ret_rest = lst_slice_after(raw, at);
    return true;
}

bool lst_http_name_is(struct lst_slice raw, struct lst_slice name)
{
    size_t at = 0;

    if (raw.length == name.length) {
        /* A name with an escape in it would have to be longer. */
        return lst_slice_equal(raw, name);
    }
    if (raw.length < name.length || raw.length > 3 * name.length) {
        return false;
    }
    for (size_t i = 0; i < name.length; i++) {
        if (at == raw.length || take_byte(raw, &at) != name.bytes[i]) {
            return false;
        }
    }
    return at == raw.length;
}

/* True if one of eight bytes is this one. */
static inline bool has_byte(uint64_t word, unsigned char byte)
{
    uint64_t other = word ^ (UINT64_C(0x0101010101010101) * byte);

    return ((other - UINT64_C(0x0101010101010101)) & ~other & UINT64_C(0x8080808080808080)) != 0;
}

/* Where the first byte stands that is to be decoded; raw.length if none is. Eight at a time. */
static size_t find_encoded(struct lst_slice raw)
{
    size_t at = 0;
    uint64_t word;

    while (raw.length - at >= sizeof(word)) {
        memcpy(&word, raw.bytes + at, sizeof(word));
        if (has_byte(word, '%') || has_byte(word, '+')) {
            break;
        }
        at += sizeof(word);
    }
    while (at < raw.length && raw.bytes[at] != '%' && raw.bytes[at] != '+') {
        at++;
    }
    return at;
}

/* Decode at *text, which moves on; or point at the raw text, if nothing in it is encoded. */
static struct lst_slice decode(struct lst_slice raw, char **text, bool *ret_is_malformed)
{
    size_t at;
    char *to = *text;

    *ret_is_malformed = false;
    if (raw.bytes == NULL) {
        return lst_slice_make("", 0);
    }
    at = find_encoded(raw);
    if (at == raw.length) {
        return raw;
    }
    if (at > 0) {
        memcpy(to, raw.bytes, at);
        to += at;
    }
    while (at < raw.length) {
        size_t before = at;
        char byte = take_byte(raw, &at);

        *ret_is_malformed |= raw.bytes[before] == '%' && at == before + 1;
        *to++ = raw.bytes[before] == '+' ? ' ' : byte;
    }
    raw = lst_slice_make(*text, (size_t)(to - *text));
    *text = to;
    return raw;
}

/* A bit for a name, of 64; the same for names that differ in nothing but their case. */
static uint64_t bit_of(struct lst_slice name)
{
    unsigned first = name.length == 0 ? 0 : (unsigned char)name.bytes[0] & 0x1FU;
    unsigned last = name.length == 0 ? 0 : (unsigned char)name.bytes[name.length - 1] & 0x1FU;

    return UINT64_C(1) << ((name.length * 7 + first * 3 + last) & 63);
}

/* Note a parameter that stood before. */
static void note_repeated(struct lst_http_request *request, const struct lst_http_room *room,
                          const struct lst_http_parameter *parameter)
{
    for (size_t i = 0; i < request->parameter_count && !request->has_repeated; i++) {
        const struct lst_http_parameter *earlier = &room->parameters[i];

        if (lst_slice_equal_ignoring_case(earlier->text.name, parameter->text.name)) {
            request->has_repeated = true;
            request->repeated = (struct lst_field){parameter->text.name, earlier->text.value};
        }
    }
}

static void note_places(struct lst_http_request *request,
                        const struct lst_http_parameter *parameter)
{
    uint8_t place = (uint8_t)(request->parameter_count + 1);

    if (request->parameter_places[parameter->number] == 0) {
        request->parameter_places[parameter->number] = place;
    }
    if (request->option_places[parameter->option] == 0) {
        request->option_places[parameter->option] = place;
    }
    request->parameter_families |= (uint8_t)(1U << parameter->family);
    request->parameter_places[LST_PARAMETER_OTHER] = 0;
    request->option_places[LST_HEADER_OTHER] = 0;
}

/* The text is known: the rest follows from its name. */
static void number(struct lst_http_parameter *parameter)
{
    struct lst_slice name = parameter->text.name;

    parameter->number = (uint8_t)lst_parameter_number(name);
    parameter->option = (uint8_t)lst_header_number(name);
    parameter->family = (uint8_t)lst_name_family(name);
}

bool lst_http_request_add_parameter(struct lst_http_request *request, struct lst_http_room *room,
                                    struct lst_field text)
{
    struct lst_http_parameter *parameter = &room->parameters[request->parameter_count];

    if (request->parameter_count == LST_PARAMETERS_MAX) {
        return false;
    }
    *parameter = (struct lst_http_parameter){.raw = text, .text = text};
    number(parameter);
    note_repeated(request, room, parameter);
    note_places(request, parameter);
    request->parameter_count++;
    return true;
}

void lst_http_query_read(struct lst_http_request *request, struct lst_http_room *room, char *text)
{
    struct lst_slice rest = request->query;
    struct lst_field raw;
    uint64_t seen = 0;

    memset(request->parameter_places, 0, sizeof(request->parameter_places));
    memset(request->option_places, 0, sizeof(request->option_places));
    request->parameter_count = 0;
    request->parameter_families = 0;
    request->has_repeated = false;
    while (lst_http_next_parameter(&rest, &raw)) {
        struct lst_http_parameter *parameter = &room->parameters[request->parameter_count];
        bool is_malformed;
        uint64_t bit;

        if (request->parameter_count == LST_PARAMETERS_MAX) {
            if (!request->has_repeated) {
                request->has_repeated = true;
                request->repeated = (struct lst_field){raw.name, {"", 0}};
            }
            break;
        }
        parameter->raw = raw;
        parameter->text.name = decode(raw.name, &text, &is_malformed);
        parameter->text.value = decode(raw.value, &text, &parameter->is_malformed);
        parameter->is_malformed |= is_malformed;
        number(parameter);
        bit = bit_of(parameter->text.name);
        if ((seen & bit) != 0) {
            note_repeated(request, room, parameter);
        }
        seen |= bit;
        note_places(request, parameter);
        request->parameter_count++;
    }
}
