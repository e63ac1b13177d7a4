/* forwarded.c - what proxies say of the client. */
#include "server/forwarded.h"

#include "http/media_type.h"

/* What one family of headers says. */
struct word {
    struct lst_slice hops[LST_FORWARDED_HOPS_MAX]; /* from the client to the nearest proxy */
    size_t count;
    bool is_broken; /* the hops can't be told apart */
    struct lst_slice proto;
    struct lst_slice host;
};

static void add_hop(struct word *word, struct lst_slice hop)
{
    if (word->count == LST_FORWARDED_HOPS_MAX) {
        word->is_broken = true;
    } else {
        word->hops[word->count++] = hop;
    }
}

/* ---- X-Forwarded-* */

static struct lst_slice last_item(struct lst_slice list)
{
    size_t start = list.length;

    while (start > 0 && list.bytes[start - 1] != ',') {
        start--;
    }
    return lst_slice_trim(lst_slice_after(list, start));
}

static void read_x_forwarded(const struct lst_http_request *request, struct word *word)
{
    struct lst_slice rest = lst_http_header(request, LST_HEADER_X_FORWARDED_FOR);
    struct lst_slice hop;

    while (lst_slice_split(&rest, ',', &hop)) {
        add_hop(word, lst_slice_trim(hop));
    }
    word->proto = last_item(lst_http_header(request, LST_HEADER_X_FORWARDED_PROTO));
    word->host = last_item(lst_http_header(request, LST_HEADER_X_FORWARDED_HOST));
}

/* ---- Forwarded */

static struct lst_slice skip_blank(struct lst_slice text)
{
    while (text.length > 0 && (text.bytes[0] == ' ' || text.bytes[0] == '\t')) {
        text = lst_slice_after(text, 1);
    }
    return text;
}

/* Take a value off the front: a token, more or less, or what is between quotes. Nothing that is
 * read here needs an escape. False if it has no end. */
static bool take_value(struct lst_slice *rest, struct lst_slice *ret_value)
{
    size_t length = 0;

    if (rest->length > 0 && rest->bytes[0] == '"') {
        *rest = lst_slice_after(*rest, 1);
        *ret_value = lst_slice_first(*rest, lst_slice_find(*rest, '"'));
        *rest = lst_slice_after(*rest, ret_value->length + 1);
        return ret_value->bytes + ret_value->length < rest->bytes &&
               lst_slice_find(*ret_value, '\\') == ret_value->length;
    }
    while (length < rest->length && strchr(",; \t\"", rest->bytes[length]) == NULL) {
        length++;
    }
    *ret_value = lst_slice_first(*rest, length);
    *rest = lst_slice_after(*rest, length);
    return true;
}

/* Keep the value in its place. False if that is taken. */
static bool keep(struct lst_slice *place, struct lst_slice value)
{
    bool is_free = place->bytes == NULL;

    *place = value;
    return is_free;
}

/* Take one element off the front of the list, "for=192.0.2.43;proto=https". False if it is none. */
static bool take_element(struct lst_slice *rest, struct lst_slice *ret_for, struct word *word)
{
    struct lst_slice text = skip_blank(*rest);
    struct lst_slice name;
    struct lst_slice value;
    bool is_well = true;

    *ret_for = word->proto = word->host = lst_slice_make(NULL, 0);
    while (is_well && text.length > 0 && text.bytes[0] != ',') {
        size_t equals = lst_slice_find(text, '=');

        name = lst_slice_first(text, equals);
        text = lst_slice_after(text, equals + 1);
        is_well = lst_http_is_token(name) && take_value(&text, &value);
        if (is_well && lst_slice_equal_ignoring_case(name, LST_SLICE("for"))) {
            is_well = keep(ret_for, value);
        } else if (is_well && lst_slice_equal_ignoring_case(name, LST_SLICE("proto"))) {
            is_well = keep(&word->proto, value);
        } else if (is_well && lst_slice_equal_ignoring_case(name, LST_SLICE("host"))) {
            is_well = keep(&word->host, value);
        }
        text = skip_blank(text);
        if (text.length > 0 && text.bytes[0] == ';') {
            text = skip_blank(lst_slice_after(text, 1));
        } else if (text.length > 0 && text.bytes[0] != ',') {
            is_well = false;
        }
    }
    *rest = text;
    return is_well;
}

/* What the last element says of protocol and host is left in the word. */
static void read_forwarded(const struct lst_http_request *request, struct word *word)
{
    struct lst_slice rest = lst_http_header(request, LST_HEADER_FORWARDED);
    struct lst_slice hop;
    bool is_more = rest.bytes != NULL;

    while (is_more && !word->is_broken) {
        if (take_element(&rest, &hop, word)) {
            add_hop(word, hop);
        } else {
            word->is_broken = true;
        }
        is_more = rest.length > 0;
        rest = lst_slice_after(rest, 1);
    }
    if (word->is_broken) {
        word->proto = LST_SLICE("?");
        word->host = lst_slice_make(NULL, 0);
    }
}

/* ---- Addresses */

static bool is_number(struct lst_slice text)
{
    uint64_t port;

    return lst_slice_to_number(text, UINT16_MAX, &port);
}

/* An address that may have a port: "192.0.2.7", "192.0.2.7:80", "2001:db8::7", "[2001:db8::7]:80".
 */
static bool parse_hop(struct lst_slice hop, struct lst_slice *ret_text, struct lst_address *ret_ip)
{
    size_t colon = lst_slice_find(hop, ':');
    struct lst_slice text = hop;
    struct lst_slice rest = {NULL, 0};

    if (hop.length > 0 && hop.bytes[0] == '[') {
        text = lst_slice_after(hop, 1);
        text = lst_slice_first(text, lst_slice_find(text, ']'));
        /* Brackets are for IPv6 (RFC 7239, section 6). */
        if (text.length + 2 > hop.length || lst_slice_find(text, ':') == text.length) {
            return false;
        }
        rest = lst_slice_after(hop, text.length + 2);
    } else if (lst_slice_find(lst_slice_after(hop, colon + 1), ':') ==
               lst_slice_after(hop, colon + 1).length) {
        text = lst_slice_first(hop, colon);
        rest = lst_slice_after(hop, colon);
    }
    if (rest.length > 0 && (rest.bytes[0] != ':' || !is_number(lst_slice_after(rest, 1)))) {
        return false;
    }
    *ret_text = text;
    return lst_address_parse(text, ret_ip);
}

static bool is_proxy(const struct lst_address *address, const struct lst_network *proxies,
                     size_t proxy_count)
{
    for (size_t i = 0; i < proxy_count; i++) {
        if (lst_network_contains(&proxies[i], address)) {
            return true;
        }
    }
    return false;
}

/* Empty if nothing is said. */
static struct lst_slice find_client(const struct word *word, const struct lst_network *proxies,
                                    size_t proxy_count, struct lst_address *ret_address)
{
    struct lst_slice client = {NULL, 0};

    if (word->is_broken) {
        return LST_SLICE(LST_PEER_UNKNOWN);
    }
    for (size_t i = word->count; i > 0; i--) {
        if (!parse_hop(word->hops[i - 1], &client, ret_address)) {
            return LST_SLICE(LST_PEER_UNKNOWN);
        }
        if (!is_proxy(ret_address, proxies, proxy_count)) {
            break;
        }
    }
    return client;
}

/* ---- Both */

static struct lst_slice agree_on_client(const struct word words[2],
                                        const struct lst_network *proxies, size_t proxy_count)
{
    struct lst_address addresses[2] = {{{0}}, {{0}}};
    struct lst_slice first = find_client(&words[0], proxies, proxy_count, &addresses[0]);
    struct lst_slice second = find_client(&words[1], proxies, proxy_count, &addresses[1]);

    if (first.length == 0 || second.length == 0) {
        return first.length == 0 ? second : first;
    }
    return lst_slice_equal(first, second) ||
                   memcmp(&addresses[0], &addresses[1], sizeof(addresses[0])) == 0
               ? first
               : LST_SLICE(LST_PEER_UNKNOWN);
}

static enum lst_forwarded_proto proto_of(struct lst_slice text)
{
    if (text.length == 0) {
        return LST_PROTO_NOT_SAID;
    }
    return lst_slice_equal_ignoring_case(text, LST_SLICE("https")) ? LST_PROTO_TLS
                                                                   : LST_PROTO_PLAIN;
}

static enum lst_forwarded_proto agree_on_proto(enum lst_forwarded_proto first,
                                               enum lst_forwarded_proto second)
{
    if (first == LST_PROTO_NOT_SAID || second == LST_PROTO_NOT_SAID) {
        return first == LST_PROTO_NOT_SAID ? second : first;
    }
    return first == second ? first : LST_PROTO_PLAIN;
}

/* What can stand in a Host header. */
static bool is_host(struct lst_slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        char byte = text.bytes[i];

        if (!(byte >= 'a' && byte <= 'z') && !(byte >= 'A' && byte <= 'Z') &&
            !(byte >= '0' && byte <= '9') && memchr(".-_:[]", byte, 6) == NULL) {
            return false;
        }
    }
    return text.length > 0;
}

static struct lst_slice agree_on_host(struct lst_slice first, struct lst_slice second)
{
    struct lst_slice host = first.length == 0 ? second : first;
    bool differ =
        first.length > 0 && second.length > 0 && !lst_slice_equal_ignoring_case(first, second);

    return differ || !is_host(host) ? lst_slice_make(NULL, 0) : host;
}

void lst_forwarded_read(const struct lst_http_request *request, const struct lst_network *proxies,
                        size_t proxy_count, struct lst_forwarded *ret_forwarded)
{
    struct word words[2] = {{.count = 0}, {.count = 0}};

    read_x_forwarded(request, &words[0]);
    read_forwarded(request, &words[1]);
    *ret_forwarded = (struct lst_forwarded){
        .client = agree_on_client(words, proxies, proxy_count),
        .proto = agree_on_proto(proto_of(words[0].proto), proto_of(words[1].proto)),
        .host = agree_on_host(words[0].host, words[1].host),
    };
}
