/* address.c - network addresses. */
#include "server/address.h"

#include <arpa/inet.h>
#include <stdio.h>

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

void lst_address_format(const struct sockaddr *address, char ret_text[LST_ADDRESS_TEXT_MAX])
{
    const void *bytes = NULL;
    int family = address->sa_family;

    if (family == AF_INET) {
        bytes = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
    } else if (family == AF_INET6) {
        const struct in6_addr *v6 =
            &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;

        bytes = v6;
        if (memcmp(v6, mapped_prefix, sizeof(mapped_prefix)) == 0) {
            bytes = v6->s6_addr + sizeof(mapped_prefix);
            family = AF_INET;
        }
    }
    if (bytes == NULL || inet_ntop(family, bytes, ret_text, LST_ADDRESS_TEXT_MAX) == NULL) {
        memcpy(ret_text, "-", 2);
    }
}

unsigned lst_address_port(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        return ntohs(((const struct sockaddr_in *)(const void *)address)->sin_port);
    }
    if (address->sa_family == AF_INET6) {
        return ntohs(((const struct sockaddr_in6 *)(const void *)address)->sin6_port);
    }
    return 0;
}

/* Where the ':' before the port stands; the length if there is none. */
static size_t find_last_colon(struct lst_slice text)
{
    for (size_t i = text.length; i > 0; i--) {
        if (text.bytes[i - 1] == ':') {
            return i - 1;
        }
    }
    return text.length;
}

bool lst_listen_parse(struct lst_slice text, char ret_host[LST_HOST_TEXT_MAX], uint16_t *ret_port)
{
    size_t colon = find_last_colon(text);
    struct lst_slice host = LST_SLICE("127.0.0.1");
    struct lst_slice port = text;
    uint64_t number;

    if (colon < text.length) {
        host = lst_slice_first(text, colon);
        port = lst_slice_after(text, colon + 1);
    }
    if (host.length >= 2 && host.bytes[0] == '[' && host.bytes[host.length - 1] == ']') {
        host = lst_slice_make(host.bytes + 1, host.length - 2);
    } else if (lst_slice_find(host, ':') < host.length) {
        return false; /* an IPv6 address needs its brackets, or the port could be part of it */
    }
    if (lst_slice_equal(host, LST_SLICE("*"))) {
        host.length = 0;
    }
    if (host.length >= LST_HOST_TEXT_MAX || !lst_slice_to_number(port, UINT16_MAX, &number)) {
        return false;
    }
    if (host.length > 0) {
        memcpy(ret_host, host.bytes, host.length);
    }
    ret_host[host.length] = '\0';
    *ret_port = (uint16_t)number;
    return true;
}
