/* network.c - IP addresses and CIDR blocks. */
#include "access/network.h"

#include <arpa/inet.h>

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

/* RFC 4007: a zone tells apart what is local to a link; no other address has one. */
static bool may_have_zone(const struct lst_address *address)
{
    return address->bytes[0] == 0xFE && (address->bytes[1] & 0xC0) == 0x80;
}

static bool parse_address(struct lst_slice text, struct lst_address *ret_address,
                          bool *ret_is_version_4)
{
    char string[INET6_ADDRSTRLEN];
    struct lst_address address;
    size_t percent = lst_slice_find(text, '%');
    struct lst_slice without_zone = lst_slice_first(text, percent);

    if (without_zone.length == 0 || without_zone.length >= sizeof(string) ||
        memchr(without_zone.bytes, '\0', without_zone.length) != NULL) {
        return false;
    }
    memcpy(string, without_zone.bytes, without_zone.length);
    string[without_zone.length] = '\0';
    *ret_is_version_4 = strchr(string, ':') == NULL;
    memcpy(address.bytes, mapped_prefix, sizeof(mapped_prefix));
    if (inet_pton(*ret_is_version_4 ? AF_INET : AF_INET6, string,
                  *ret_is_version_4 ? address.bytes + sizeof(mapped_prefix) : address.bytes) != 1) {
        return false;
    }
    if (percent < text.length && (percent + 1 == text.length || !may_have_zone(&address))) {
        return false;
    }
    *ret_address = address;
    return true;
}

bool lst_address_parse(struct lst_slice text, struct lst_address *ret_address)
{
    bool is_version_4;

    return parse_address(text, ret_address, &is_version_4);
}

bool lst_network_parse(struct lst_slice text, struct lst_network *ret_network)
{
    size_t slash = lst_slice_find(text, '/');
    struct lst_network network;
    bool is_version_4;
    uint64_t bits;

    if (!parse_address(lst_slice_first(text, slash), &network.address, &is_version_4)) {
        return false;
    }
    bits = is_version_4 ? 32 : 128;
    if (slash < text.length &&
        !lst_slice_to_number(lst_slice_after(text, slash + 1), bits, &bits)) {
        return false;
    }
    network.bits = (uint8_t)(is_version_4 ? bits + 8 * sizeof(mapped_prefix) : bits);
    *ret_network = network;
    return true;
}

bool lst_network_contains(const struct lst_network *network, const struct lst_address *address)
{
    size_t whole = network->bits / 8;
    unsigned rest = network->bits % 8;

    if (memcmp(network->address.bytes, address->bytes, whole) != 0) {
        return false;
    }
    return rest == 0 ||
           ((network->address.bytes[whole] ^ address->bytes[whole]) >> (8 - rest)) == 0;
}
