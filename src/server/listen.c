/* listen.c - the listening socket, and serving on it. */
#include "server/listen.h"

#include "base/clock.h"
#include "server/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BACKLOG      1024
#define END_MAX      20            /* seconds after --drain-timeout */
#define AGAIN_NS     1000000000ULL /* after which a signal is a second one, and not the same */
#define HANDED_FIRST 3             /* SD_LISTEN_FDS_START */

static int bind_one(const struct addrinfo *candidate)
{
    int one = 1;
    int zero = 0;
    int file = socket(candidate->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (file < 0) {
        return -1;
    }
    (void)setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    /* "::" is IPv4 too, whatever net.ipv6.bindv6only says. */
    if (candidate->ai_family == AF_INET6) {
        (void)setsockopt(file, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
    }
    if (bind(file, candidate->ai_addr, candidate->ai_addrlen) != 0 || listen(file, BACKLOG) != 0) {
        int saved = errno;

        (void)close(file);
        errno = saved;
        return -1;
    }
    return file;
}

static void complain_about_bind(const struct lst_server *server, int number)
{
    const char *address = server->config->listen;

    if (number == EADDRINUSE) {
        const char *colon = strrchr(address, ':');
        int before_port = colon == NULL ? 0 : (int)(colon + 1 - address);
        unsigned long port = strtoul(address + before_port, NULL, 10);

        lst_server_complain("%s is in use: another server listens there. Stop it, or choose "
                            "another port, such as --listen %.*s%lu",
                            address, before_port, address, port < UINT16_MAX ? port + 1 : port - 1);
    } else if (number == EACCES) {
        lst_server_complain("not allowed to listen on %s: ports below 1024 need the capability "
                            "CAP_NET_BIND_SERVICE. Choose a port above, with --listen",
                            address);
    } else if (number == EADDRNOTAVAIL) {
        lst_server_complain("%s is not an address of this machine: see `ip address`, or listen on "
                            "every interface with --listen :9000",
                            address);
    } else {
        lst_server_complain("can't listen on %s: %s", address, strerror(number));
    }
}

/* An IPv6 address goes in brackets, so that its port can be told. */
static void describe_listener(struct lst_server *server)
{
    struct sockaddr_storage bound;
    socklen_t size = sizeof(bound);
    char text[LST_ADDRESS_TEXT_MAX];
    const struct sockaddr *address = (const struct sockaddr *)&bound;
    bool is_any;

    if (getsockname(server->listener, (struct sockaddr *)&bound, &size) != 0) {
        return;
    }
    lst_address_format(address, text);
    (void)snprintf(server->address, sizeof(server->address),
                   strchr(text, ':') != NULL ? "[%s]:%u" : "%s:%u", text,
                   lst_address_port(address));
    is_any = strcmp(text, "0.0.0.0") == 0 || strcmp(text, "::") == 0;
    (void)snprintf(server->own_url, sizeof(server->own_url), "%s://%s%s",
                   server->tls != NULL ? "https" : "http", is_any ? "127.0.0.1" : "",
                   is_any ? strrchr(server->address, ':') : server->address);
}

/* Bind to the first address of a host that can be bound to. False, with errno, or reported. */
static bool bind_host(struct lst_server *server, const char *host, uint16_t port)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char service[8];
    int status;

    (void)snprintf(service, sizeof(service), "%u", port);
    status = getaddrinfo(host, service, &hints, &found);
    if (status != 0) {
        lst_server_complain("'%s' is not an address: %s", host, gai_strerror(status));
        errno = 0;
        return false;
    }
    for (const struct addrinfo *each = found; each != NULL && server->listener < 0;
         each = each->ai_next) {
        server->listener = bind_one(each);
    }
    freeaddrinfo(found); /* leaves errno as it is */
    return server->listener >= 0;
}

/* ---- A socket that was handed over */

/* The number that an environment variable says; 0 if it says none. */
static unsigned long number_of(const char *name)
{
    const char *text = getenv(name);
    uint64_t number = 0;

    return text != NULL && lst_slice_to_number(lst_slice_of(text), INT_MAX, &number)
               ? (unsigned long)number
               : 0;
}

/* Whether systemd has handed sockets to this process: sd_listen_fds(3). How many; they begin at
 * HANDED_FIRST. Children are not told of them. */
static unsigned long count_handed(void)
{
    unsigned long count =
        number_of("LISTEN_PID") == (unsigned long)getpid() ? number_of("LISTEN_FDS") : 0;

    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
    return count;
}

static bool take_handed(struct lst_server *server, unsigned long count)
{
    int accepts = 0;
    int type = 0;
    int family = 0;
    socklen_t size = sizeof(accepts);

    if (count > 1) {
        lst_server_complain("systemd hands over %lu sockets, and one is served: leave one "
                            "ListenStream= in the .socket unit",
                            count);
        return false;
    }
    if (getsockopt(HANDED_FIRST, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &size) != 0 ||
        getsockopt(HANDED_FIRST, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || accepts == 0 ||
        type != SOCK_STREAM || fcntl(HANDED_FIRST, F_SETFL, O_NONBLOCK) != 0 ||
        fcntl(HANDED_FIRST, F_SETFD, FD_CLOEXEC) != 0) {
        lst_server_complain("the socket that systemd hands over does not listen: the .socket unit "
                            "needs ListenStream=, and Accept=no");
        return false;
    }
    if (getsockopt(HANDED_FIRST, SOL_SOCKET, SO_DOMAIN, &family, &size) != 0 ||
        (family != AF_INET && family != AF_INET6)) {
        lst_server_complain("the socket that systemd hands over has no address and port, as a Unix "
                            "socket has none: set ListenStream=127.0.0.1:9000 in the .socket unit, "
                            "and have the proxy connect to that");
        return false;
    }
    server->listener = HANDED_FIRST;
    server->listener_is_lent = true;
    describe_listener(server);
    return true;
}

/* ---- */

bool lst_listen_open(struct lst_server *server)
{
    unsigned long handed = count_handed();
    char host[LST_HOST_TEXT_MAX];
    uint16_t port;
    bool is_bound;

    server->listener = -1;
    if (handed > 0) {
        return take_handed(server, handed);
    }
    if (!lst_listen_parse(lst_slice_of(server->config->listen), host, &port)) {
        return false;
    }
    if (host[0] != '\0') {
        is_bound = bind_host(server, host, port);
    } else { /* a socket of IPv6 takes IPv4 as well, where there is IPv6 */
        is_bound = bind_host(server, "::", port) ||
                   (errno == EAFNOSUPPORT && bind_host(server, "0.0.0.0", port));
    }
    if (is_bound) {
        describe_listener(server);
    } else if (errno != 0) {
        complain_about_bind(server, errno);
    }
    return is_bound;
}

static unsigned thread_count(const struct lst_config *config)
{
    cpu_set_t processors;

    if (config->threads > 0) {
        return (unsigned)config->threads;
    }
    if (sched_getaffinity(0, sizeof(processors), &processors) != 0) {
        return 1;
    }
    return (unsigned)CPU_COUNT(&processors);
}

bool lst_listen_start(struct lst_server *server)
{
    int status = lst_engine_start(server, server->listener, server->listener_is_lent,
                                  thread_count(server->config), &server->engine);

    if (status != LST_OK) {
        lst_server_complain("can't start the threads that serve: %s", lst_error_text(status));
    }
    return status == LST_OK;
}

/* Nothing that was answered is lost by this: it is what the next start expects. */
static void end_at_once(int number)
{
    static const char text[] =
        "latchstring serve: something hangs, most likely the disk, and the server can't end in "
        "order: it ends now\n";

    (void)number;
    (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
    _exit(1);
}

/* From here on the end comes, whatever hangs. */
static void limit_end(const struct lst_server *server)
{
    struct sigaction action = {.sa_handler = end_at_once};

    (void)sigaction(SIGALRM, &action, NULL);
    (void)alarm((unsigned)server->config->drain_timeout + END_MAX);
}

struct stopping {
    const sigset_t *signals;
    uint64_t begun_ns;
};

/* Ctrl-C once more, or SIGTERM. Wrappers and supervisors may send one signal twice: what follows
 * at once does not count. */
static bool is_asked_again(void *user)
{
    const struct stopping *stopping = user;
    const struct timespec none = {0};
    int number = sigtimedwait(stopping->signals, NULL, &none);

    return (number == SIGTERM || number == SIGINT) &&
           lst_clock_monotonic_ns() - stopping->begun_ns > AGAIN_NS;
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static void say_what_runs(const struct lst_server *server)
{
    uint64_t running = server->metrics.in_flight;
    uint64_t seconds = server->config->drain_timeout;

    if (running > 0) {
        lst_server_complain("waiting for %llu running request%s, at most %llu second%s "
                            "(Ctrl-C or SIGTERM again: stop now)",
                            (unsigned long long)running, plural(running),
                            (unsigned long long)seconds, plural(seconds));
    }
}

static void say_what_was_cut(uint64_t cut)
{
    if (cut > 0) {
        lst_server_complain("%llu request%s still running and cut short", (unsigned long long)cut,
                            cut == 1 ? " was" : "s were");
    }
}

void lst_listen_stop(struct lst_server *server, const sigset_t *signals)
{
    struct stopping stopping = {signals, lst_clock_monotonic_ns()};
    uint64_t deadline = stopping.begun_ns + server->config->drain_timeout * 1000000000ULL;
    uint64_t cut;

    limit_end(server);
    server->is_draining = true;
    say_what_runs(server);
    cut = lst_engine_drain(server->engine, deadline, is_asked_again, &stopping);
    /* What waits is woken: commits always end, and questions to remotes do so now. */
    lst_api_cancel(server->api);
    lst_engine_stop(server->engine);
    (void)close(server->listener);
    server->listener = -1;
    say_what_was_cut(cut);
}
