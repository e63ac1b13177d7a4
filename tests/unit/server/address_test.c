/* address_test.c - what --listen takes, and how addresses are written. */
#include "server/address.h"

#include "tap.h"

#include <arpa/inet.h>

static void check_listen(const char *text, const char *host, unsigned port)
{
    char got_host[LST_HOST_TEXT_MAX] = "untouched";
    uint16_t got_port = 1;
    bool ok = lst_listen_parse(lst_slice_of(text), got_host, &got_port);

    if (host == NULL) {
        CHECK(!ok && strcmp(got_host, "untouched") == 0, "--listen '%s' is refused", text);
        return;
    }
    CHECK(ok && strcmp(got_host, host) == 0 && got_port == port,
          "--listen %s is port %u of '%s' (got %u of '%s')", text, port, host, got_port, got_host);
}

static void test_listen(void)
{
    check_listen("127.0.0.1:9000", "127.0.0.1", 9000);
    check_listen("[::1]:9000", "::1", 9000);
    check_listen("[::]:0", "::", 0);
    check_listen(":80", "", 80);
    check_listen("*:80", "", 80);
    check_listen("9001", "127.0.0.1", 9001);
    check_listen("localhost:65535", "localhost", 65535);
    check_listen("localhost:65536", NULL, 0);
    check_listen("localhost", NULL, 0);
    check_listen("::1:9000", NULL, 0);
    check_listen("localhost:", NULL, 0);
    check_listen("localhost:-1", NULL, 0);
    check_listen("", NULL, 0);
}

static void test_format(void)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(80)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(81)};
    struct sockaddr other = {.sa_family = AF_UNIX};
    char text[LST_ADDRESS_TEXT_MAX];

    v4.sin_addr.s_addr = htonl(0xC0000207);
    lst_address_format((const struct sockaddr *)&v4, text);
    CHECK(strcmp(text, "192.0.2.7") == 0, "an IPv4 address as text");
    CHECK(lst_address_port((const struct sockaddr *)&v4) == 80, "its port");
    (void)inet_pton(AF_INET6, "2001:db8::7", &v6.sin6_addr);
    lst_address_format((const struct sockaddr *)&v6, text);
    CHECK(strcmp(text, "2001:db8::7") == 0, "an IPv6 address as text");
    (void)inet_pton(AF_INET6, "::ffff:192.0.2.7", &v6.sin6_addr);
    lst_address_format((const struct sockaddr *)&v6, text);
    CHECK(strcmp(text, "192.0.2.7") == 0, "IPv4 on an IPv6 socket is shown as IPv4");
    lst_address_format(&other, text);
    CHECK(strcmp(text, "-") == 0, "what has no address is '-'");
}

int main(void)
{
    test_listen();
    test_format();
    return tap_done();
}
