/* listen.c - the socket, and the HTTP library's threads on it. */
#include "server/listen.h"

#include "base/clock.h"
#include "server/exchange.h"

#include <errno.h>
#include <netdb.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG 1024

/*
 * Of one connection: request line and headers, half of a body's buffer, the answer's headers. The
 * library clears one and a half times as much for every request, so it costs time; a link with a
 * session token of 4 KiB and headers of 8 KiB, with the library's own notes on each, must fit.
 */
#define CONNECTION_MEMORY (24UL * 1024)

static int bind_one(const struct addrinfo *candidate)
{
    int one = 1;
    int file = socket(candidate->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (file < 0) {
        return -1;
    }
    (void)setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
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
        int host = colon == NULL ? 0 : (int)(colon - address);
        unsigned long port = colon == NULL ? 0 : strtoul(colon + 1, NULL, 10);

        lst_server_complain("%s is in use: another server listens there. Stop it, or choose "
                            "another port, such as --listen %.*s:%lu",
                            address, host, address, port < UINT16_MAX ? port + 1 : port - 1);
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

    if (getsockname(server->listener, (struct sockaddr *)&bound, &size) != 0) {
        return;
    }
    lst_address_format(address, text);
    (void)snprintf(server->address, sizeof(server->address),
                   strchr(text, ':') != NULL ? "[%s]:%u" : "%s:%u", text,
                   lst_address_port(address));
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

bool lst_listen_open(struct lst_server *server)
{
    char host[LST_HOST_TEXT_MAX];
    uint16_t port;
    bool is_bound;

    server->listener = -1;
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

/* The raw target was taken already; the library's own decoding is of no use to anybody. */
static size_t leave_encoded(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
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

#define OPTION(option, number)                                                                     \
    {                                                                                              \
        (option), (intptr_t)(number), NULL                                                         \
    }
#define CALLBACK(option, function, context)                                                        \
    {                                                                                              \
        (option), (intptr_t)(function), (context)                                                  \
    }
#define POINTER(option, pointer)                                                                   \
    {                                                                                              \
        (option), 0, (pointer)                                                                     \
    }

bool lst_listen_start(struct lst_server *server)
{
    const struct lst_config *config = server->config;
    unsigned threads = thread_count(config);
    /* More than --connections, so that those above it are told to slow down and not left waiting.
     * The library gives each thread its even share. */
    uint64_t limit = config->connections + config->connections / 4 + 64;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC;
    struct MHD_OptionItem tls[] = {
        POINTER(MHD_OPTION_HTTPS_MEM_CERT, server->tls_certificate),
        POINTER(MHD_OPTION_HTTPS_MEM_KEY, server->tls_key),
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem options[] = {
        CALLBACK(MHD_OPTION_URI_LOG_CALLBACK, lst_exchange_on_target, server),
        CALLBACK(MHD_OPTION_UNESCAPE_CALLBACK, leave_encoded, NULL),
        CALLBACK(MHD_OPTION_NOTIFY_COMPLETED, lst_exchange_on_completed, server),
        CALLBACK(MHD_OPTION_NOTIFY_CONNECTION, lst_exchange_on_connection, server),
        OPTION(MHD_OPTION_LISTEN_SOCKET, server->listener),
        OPTION(MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY),
        OPTION(MHD_OPTION_CONNECTION_LIMIT, limit),
        OPTION(MHD_OPTION_CONNECTION_TIMEOUT, config->idle_timeout),
        OPTION(threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, threads),
        {MHD_OPTION_END, 0, NULL},
    };

    if (server->tls_certificate != NULL) {
        flags |= MHD_USE_TLS;
    }
    server->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, lst_exchange_on_request, server, MHD_OPTION_ARRAY, options,
        server->tls_certificate != NULL ? MHD_OPTION_ARRAY : MHD_OPTION_END, tls, MHD_OPTION_END);
    if (server->daemon == NULL) {
        lst_server_complain(server->tls_certificate != NULL
                                ? "can't start HTTPS: does the key of --tls-key belong to the "
                                  "certificate of --tls-cert, and are both PEM?"
                                : "can't start the HTTP threads: out of memory or of threads");
        return false;
    }
    return true;
}

static void sleep_milliseconds(long milliseconds)
{
    struct timespec time = {.tv_sec = milliseconds / 1000,
                            .tv_nsec = milliseconds % 1000 * 1000000};

    (void)nanosleep(&time, NULL);
}

uint64_t lst_listen_stop(struct lst_server *server)
{
    uint64_t deadline = lst_clock_monotonic_ns() + server->config->drain_timeout * 1000000000ULL;
    uint64_t cut;

    server->is_draining = true;
    (void)MHD_quiesce_daemon(server->daemon);
    (void)shutdown(server->listener, SHUT_RDWR); /* new clients are refused, not left waiting */
    while (server->metrics.in_flight > 0 && lst_clock_monotonic_ns() < deadline) {
        sleep_milliseconds(5);
    }
    cut = server->metrics.in_flight;
    /* The library can't stop while a request waits for its commit. From here on none begins, and
     * those that wait are woken: commits always end, and questions to remotes do so now. */
    server->is_stopped = true;
    lst_api_cancel(server->api);
    while (server->busy_count > 0) {
        sleep_milliseconds(1);
    }
    MHD_stop_daemon(server->daemon);
    server->daemon = NULL;
    (void)close(server->listener);
    server->listener = -1;
    return cut;
}
