/* forwarded_test.c - whom X-Forwarded-* and Forwarded are believed about. */
#include "server/forwarded.h"

#include "request.h"
#include "tap.h"

static struct lst_forwarded read_headers(const struct lst_field *headers, size_t count)
{
    struct lst_http_request request = {.message = {.headers = headers, .header_count = count}};
    struct lst_network proxies[2];
    struct lst_forwarded forwarded = {.client = {"untouched", 9}};

    if (!lst_network_parse(LST_SLICE("10.0.0.0/8"), &proxies[0]) ||
        !lst_network_parse(LST_SLICE("fd00::/8"), &proxies[1])) {
        CHECK(false, "the proxies' networks are understood");
    }
    request_read(&request);
    lst_forwarded_read(&request, proxies, 2, &forwarded);
    return forwarded;
}

static void check_client(const char *x_forwarded_for, const char *forwarded, const char *client)
{
    struct lst_field headers[2];
    size_t count = 0;
    char what[256];

    if (x_forwarded_for != NULL) {
        headers[count++] =
            (struct lst_field){LST_SLICE("x-forwarded-for"), lst_slice_of(x_forwarded_for)};
    }
    if (forwarded != NULL) {
        headers[count++] = (struct lst_field){LST_SLICE("FORWARDED"), lst_slice_of(forwarded)};
    }
    struct lst_forwarded got = read_headers(headers, count);
    (void)snprintf(what, sizeof(what), "X-Forwarded-For: %s, Forwarded: %s",
                   x_forwarded_for == NULL ? "-" : x_forwarded_for,
                   forwarded == NULL ? "-" : forwarded);
    CHECK_TEXT(got.client.bytes, got.client.length, client, what);
}

static void test_x_forwarded_for(void)
{
    check_client(NULL, NULL, "");
    check_client("203.0.113.9", NULL, "203.0.113.9");
    check_client("1.1.1.1, 203.0.113.9", NULL, "203.0.113.9");
    check_client("1.1.1.1, 203.0.113.9, 10.1.2.3", NULL, "203.0.113.9");
    check_client("203.0.113.9 ,\t10.1.2.3 , fd00::7", NULL, "203.0.113.9");
    check_client("10.9.9.9,10.1.2.3", NULL, "10.9.9.9");
    check_client("203.0.113.9:4711", NULL, "203.0.113.9");
    check_client("[2001:db8::1]:4711, 10.0.0.1", NULL, "2001:db8::1");
    check_client("[2001:db8::1]", NULL, "2001:db8::1");
    check_client("2001:db8::1", NULL, "2001:db8::1");
    check_client("unknown, 203.0.113.9", NULL, "203.0.113.9");
    /* What can't be read never makes a value further left count, nor the proxy itself. */
    check_client("evil, 10.0.0.1", NULL, "unknown");
    check_client("203.0.113.9, unknown", NULL, "unknown");
    check_client("203.0.113.9, unknown, 10.0.0.1", NULL, "unknown");
    check_client("unknown", NULL, "unknown");
    check_client("203.0.113.9,", NULL, "unknown");
    check_client("203.0.113.9, , 10.0.0.1", NULL, "unknown");
    check_client("[", NULL, "unknown");
    check_client("[]", NULL, "unknown");
    check_client("[2001:db8::1", NULL, "unknown");
    check_client("[2001:db8::1]x", NULL, "unknown");
    check_client("[2001:db8::1]:x", NULL, "unknown");
    check_client("203.0.113.9:http", NULL, "unknown");
    check_client("203.0.113.9:99999", NULL, "unknown");
    check_client("\"203.0.113.9\"", NULL, "unknown");
    check_client("203.0.113.9 10.0.0.1", NULL, "unknown");
    check_client("fe80::1%eth0", NULL, "fe80::1%eth0");
    check_client("203.0.113.9%eth0", NULL, "unknown");
    check_client("203.0.113.9%", NULL, "unknown");
    check_client("203.0.113.9%eth0:80", NULL, "unknown");
    check_client("::ffff:203.0.113.9%eth0", NULL, "unknown");
    check_client("2001:db8::1%eth0", NULL, "unknown");
    check_client("fe80::1%", NULL, "unknown");
    check_client("[203.0.113.9]", NULL, "unknown");
    check_client("[203.0.113.9]:80", NULL, "unknown");
    check_client("[203.0.113.9:80]", NULL, "unknown");
    check_client("", NULL, "unknown");
    check_client(",,", NULL, "unknown");
}

static void test_forwarded(void)
{
    check_client(NULL, "for=203.0.113.9", "203.0.113.9");
    check_client(NULL, "For=\"203.0.113.9:80\";Proto=https", "203.0.113.9");
    check_client(NULL, "for=1.1.1.1, for=203.0.113.9;by=10.0.0.1 , for=10.1.2.3", "203.0.113.9");
    check_client(NULL, "by=10.0.0.1; for=\"[2001:db8::1]:4711\"", "2001:db8::1");
    check_client(NULL, "for=10.9.9.9, for=10.0.0.1", "10.9.9.9");
    check_client(NULL, "for=\"_a,b\", for=203.0.113.9", "203.0.113.9");
    check_client(NULL, "for=1.1.1.1, for=unknown", "unknown");
    check_client(NULL, "for=1.1.1.1, for=_hidden, for=10.0.0.1", "unknown");
    check_client(NULL, "for=1.1.1.1, proto=http", "unknown");
    check_client(NULL, "for=203.0.113.9%eth0", "unknown");
    check_client(NULL, "for=\"[203.0.113.9]\"", "unknown");
    check_client(NULL, "for=\"[203.0.113.9]:80\"", "unknown");
    check_client(NULL, "for=1.1.1.1;for=203.0.113.9", "unknown");
    check_client(NULL, "for=\"1.1.1.1, for=203.0.113.9", "unknown");
    check_client(NULL, "for=\"1.1.1.1\\\", for=203.0.113.9", "unknown");
    check_client(NULL, "for=1.1.1.1 for=203.0.113.9", "unknown");
    check_client(NULL, "for 1.1.1.1", "unknown");
    check_client(NULL, "for=1.1.1.1,", "unknown");
    check_client(NULL, "", "unknown");
}

static void test_both_families(void)
{
    /* A proxy that knows one of them hands the other on as the client sent it. */
    check_client("203.0.113.9", "for=203.0.113.9", "203.0.113.9");
    check_client("203.0.113.9", "for=\"203.0.113.9:80\"", "203.0.113.9");
    check_client("203.0.113.9", "for=1.1.1.1", "unknown");
    check_client("1.1.1.1", "for=203.0.113.9, for=10.0.0.1", "unknown");
    check_client("203.0.113.9", "for=\"", "unknown");
}

static void test_too_many_hops(void)
{
    char text[16 * (LST_FORWARDED_HOPS_MAX + 2)] = "203.0.113.9";

    for (int i = 1; i < LST_FORWARDED_HOPS_MAX; i++) {
        strcat(text, ", 10.0.0.1");
    }
    check_client(text, NULL, "203.0.113.9");
    strcat(text, ", 10.0.0.1");
    check_client(text, NULL, "unknown");
}

static void test_protocol_and_host(void)
{
    static const struct {
        const char *x_proto;
        const char *x_host;
        const char *forwarded;
        enum lst_forwarded_proto proto;
        const char *host;
    } cases[] = {
        {NULL, NULL, NULL, LST_PROTO_NOT_SAID, ""},
        {"https", "a.example", NULL, LST_PROTO_TLS, "a.example"},
        {"HTTPS", "a.example:8443", NULL, LST_PROTO_TLS, "a.example:8443"},
        {"https,http", "evil.example, a.example", NULL, LST_PROTO_PLAIN, "a.example"},
        {"http, https", "[::1]:9000", NULL, LST_PROTO_TLS, "[::1]:9000"},
        {"https;", "a.example/x", NULL, LST_PROTO_PLAIN, ""},
        {"wss", "a example", NULL, LST_PROTO_PLAIN, ""},
        {NULL, NULL, "for=1.1.1.1;proto=https;host=\"a.example:80\"", LST_PROTO_TLS,
         "a.example:80"},
        {NULL, NULL, "proto=https;host=evil.example, proto=http;host=a.example", LST_PROTO_PLAIN,
         "a.example"},
        {NULL, NULL, "proto=https;proto=https", LST_PROTO_PLAIN, ""},
        {"https", "a.example", "proto=http;host=b.example", LST_PROTO_PLAIN, ""},
        {"http", "a.example", "proto=https", LST_PROTO_PLAIN, "a.example"},
        {"https", "a.example", "proto=\"", LST_PROTO_PLAIN, "a.example"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lst_field headers[3];
        size_t count = 0;

        if (cases[i].x_proto != NULL) {
            headers[count++] =
                (struct lst_field){LST_SLICE("X-Forwarded-Proto"), lst_slice_of(cases[i].x_proto)};
            headers[count++] =
                (struct lst_field){LST_SLICE("X-Forwarded-Host"), lst_slice_of(cases[i].x_host)};
        }
        if (cases[i].forwarded != NULL) {
            headers[count++] =
                (struct lst_field){LST_SLICE("Forwarded"), lst_slice_of(cases[i].forwarded)};
        }
        struct lst_forwarded got = read_headers(headers, count);
        CHECK(got.proto == cases[i].proto, "the protocol of case %zu", i);
        CHECK_TEXT(got.host.bytes, got.host.length, cases[i].host, "the host");
    }
}

int main(void)
{
    test_x_forwarded_for();
    test_forwarded();
    test_both_families();
    test_too_many_hops();
    test_protocol_and_host();
    return tap_done();
}
