/*
 * forwarded_fuzz.c - any headers of proxies: what comes out stands in them, a client is an address
 * or unknown, and a hop that the client wrote in front changes nothing.
 *
 * Input: the lines X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host and Forwarded; an empty
 * line is no header.
 */
#include "server/forwarded.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINES = 4, LONGER_MAX = 4096 };

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void read_lines(const struct lst_slice lines[LINES], struct lst_forwarded *ret_forwarded)
{
    static const char *const names[LINES] = {"X-Forwarded-For", "X-Forwarded-Proto",
                                             "X-Forwarded-Host", "Forwarded"};
    struct lst_network proxies[2];
    struct lst_field headers[LINES];
    struct lst_http_request request = {.message = {.headers = headers}};
    struct lst_http_room room;

    for (size_t i = 0; i < LINES; i++) {
        if (lines[i].length > 0) {
            headers[request.message.header_count++] =
                (struct lst_field){lst_slice_of(names[i]), lines[i]};
        }
    }
    require(lst_network_parse(LST_SLICE("10.0.0.0/8"), &proxies[0]) &&
            lst_network_parse(LST_SLICE("fd00::/8"), &proxies[1]));
    lst_http_request_read(&request, &room, NULL, false);
    lst_forwarded_read(&request, proxies, 2, ret_forwarded);
}

/* A text points into one of the lines, or is empty. */
static void require_inside(const struct lst_slice lines[LINES], struct lst_slice text)
{
    bool is_inside = text.length == 0;

    for (size_t i = 0; i < LINES; i++) {
        is_inside = is_inside || (text.bytes >= lines[i].bytes &&
                                  text.bytes + text.length <= lines[i].bytes + lines[i].length);
    }
    require(is_inside);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lst_slice rest = lst_slice_make(data, size);
    struct lst_slice unknown = LST_SLICE(LST_PEER_UNKNOWN);
    struct lst_slice lines[LINES] = {{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
    char longer[LONGER_MAX];
    struct lst_forwarded first;
    struct lst_forwarded second;
    struct lst_address address;
    size_t i = 0;

    while (i < LINES && lst_slice_split(&rest, '\n', &lines[i])) {
        i++;
    }
    read_lines(lines, &first);
    require_inside(lines, first.host);
    if (first.client.length > 0 && !lst_slice_equal(first.client, unknown)) {
        require_inside(lines, first.client);
        require(lst_address_parse(first.client, &address));
        /* One shape for each: what a proxy wrote of an IPv4 address has no zone, and no brackets.
         */
        require(lst_slice_find(first.client, '%') == first.client.length ||
                lst_slice_find(first.client, ':') < first.client.length);
    }
    /* The client's own word stands in front of what the proxies append. Where they appended nothing
     * but proxies, and where it is too long to be read, it counts; else it does not. */
    if (lines[0].length > 0 && lines[0].length < LONGER_MAX - 32) {
        int length = snprintf(longer, sizeof(longer), "198.51.100.77, %.*s", (int)lines[0].length,
                              lines[0].bytes);

        if ((size_t)length != strlen(longer) ||
            memchr(lines[0].bytes, '\0', lines[0].length) != NULL) {
            return 0;
        }
        lines[0] = lst_slice_of(longer);
        read_lines(lines, &second);
        require(lst_slice_equal(first.client, second.client) ||
                lst_slice_equal(second.client, unknown) ||
                lst_slice_equal(second.client, LST_SLICE("198.51.100.77")));
        require(first.proto == second.proto && lst_slice_equal(first.host, second.host));
    }
    return 0;
}
