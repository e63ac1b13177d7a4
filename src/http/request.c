/* request.c - the headers and the query of a request, read once. */
#include "http/query.h"

static unsigned bit(enum lst_name_family family)
{
    return 1U << family;
}

static void read_headers(struct lst_http_request *request, struct lst_http_room *room,
                         bool has_numbers)
{
    memset(request->header_places, 0, sizeof(request->header_places));
    request->header_families = 0;
    for (size_t i = 0; i < request->message.header_count && i < LST_HEADERS_MAX; i++) {
        struct lst_slice name = request->message.headers[i].name;
        enum lst_name_family family = lst_name_family(name);

        if (!has_numbers) {
            room->header_numbers[i] = (uint8_t)lst_header_number(name);
        }
        room->header_families[i] = (uint8_t)family;
        request->header_families |= (uint8_t)bit(family);
        if (request->header_places[room->header_numbers[i]] == 0) {
            request->header_places[room->header_numbers[i]] = (uint8_t)(i + 1);
        }
    }
    request->header_places[LST_HEADER_OTHER] = 0;
}

void lst_http_request_read(struct lst_http_request *request, struct lst_http_room *room, char *text,
                           bool has_numbers)
{
    request->room = room;
    read_headers(request, room, has_numbers);
    lst_http_query_read(request, room, text);
}

bool lst_http_option(const struct lst_http_request *request, enum lst_header number,
                     struct lst_slice *ret_value)
{
    struct lst_slice header = lst_http_header(request, number);
    unsigned place = request->option_places[number];

    if (header.bytes != NULL) {
        *ret_value = lst_slice_trim(header);
        return true;
    }
    *ret_value =
        place > 0 ? request->room->parameters[place - 1].text.value : lst_slice_make(NULL, 0);
    return place > 0;
}

const struct lst_field *lst_http_next_header(const struct lst_http_request *request,
                                             enum lst_name_family family, size_t *at)
{
    if ((request->header_families & bit(family)) == 0) {
        return NULL;
    }
    while (*at < request->message.header_count) {
        size_t place = (*at)++;

        if (request->room->header_families[place] == family) {
            return &request->message.headers[place];
        }
    }
    return NULL;
}

const struct lst_http_parameter *lst_http_next_option(const struct lst_http_request *request,
                                                      enum lst_name_family family, size_t *at)
{
    if ((request->parameter_families & bit(family)) == 0) {
        return NULL;
    }
    while (*at < request->parameter_count) {
        const struct lst_http_parameter *parameter = &request->room->parameters[(*at)++];

        if (parameter->family == family) {
            return parameter;
        }
    }
    return NULL;
}

bool lst_http_is_header_too(const struct lst_http_request *request,
                            const struct lst_http_parameter *parameter)
{
    size_t at = 0;
    const struct lst_field *header;

    if (parameter->option != LST_HEADER_OTHER) {
        return request->header_places[parameter->option] > 0;
    }
    while ((header = lst_http_next_header(request, parameter->family, &at)) != NULL) {
        if (lst_slice_equal_ignoring_case(header->name, parameter->text.name)) {
            return true;
        }
    }
    return false;
}
