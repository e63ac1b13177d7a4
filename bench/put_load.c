/*
 * put_load.c - many clients at once, each putting one object after another, as fast as it is
 * answered.
 *
 * Usage: put_load PORT SECONDS CLIENTS BYTES TARGETS
 * TARGETS is a file with one presigned request target a line; the clients take them in turn, for so
 * many SECONDS; if these are 0, each target once. The body is BYTES long. Prints: answers with
 * status 200, other answers, seconds taken, seconds of the processor. Talks to 127.0.0.1.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_MAX = 8192, ANSWER_MAX = 8192, EVENTS_MAX = 256 };

struct client {
    int socket;
    char head[HEAD_MAX];
    size_t head_length;
    size_t sent; /* of head and body together */
    char answer[ANSWER_MAX];
    size_t received;
};

struct load {
    uint16_t port;
    char *body;
    size_t body_length;
    char **targets;
    size_t target_count;
    size_t next_target;
    bool once; /* each target */
    uint64_t accepted;
    uint64_t refused;
    int events;
};

static void fail(const char *what)
{
    (void)fprintf(stderr, "put_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static uint64_t number(const char *text)
{
    char *end;
    uint64_t value = strtoull(text, &end, 10);

    if (*text == '\0' || *end != '\0') {
        errno = EINVAL;
        fail(text);
    }
    return value;
}

static void read_targets(struct load *load, const char *path)
{
    FILE *file = fopen(path, "re");
    size_t capacity = 0;
    char *line = NULL;
    size_t line_capacity = 0;
    ssize_t length;

    if (file == NULL) {
        fail(path);
    }
    while ((length = getline(&line, &line_capacity, file)) > 0) {
        line[strcspn(line, "\n")] = '\0';
        if (load->target_count == capacity) {
            capacity = capacity == 0 ? 1024 : capacity * 2;
            load->targets = reallocarray(load->targets, capacity, sizeof(*load->targets));
        }
        if (load->targets == NULL || (load->targets[load->target_count] = strdup(line)) == NULL) {
            fail("memory");
        }
        load->target_count++;
    }
    free(line);
    (void)fclose(file);
    if (load->target_count == 0) {
        fail("no targets");
    }
}

static void wait_for(const struct load *load, struct client *client, uint32_t what)
{
    struct epoll_event event = {.events = what, .data.ptr = client};

    if (epoll_ctl(load->events, EPOLL_CTL_MOD, client->socket, &event) != 0) {
        fail("epoll_ctl");
    }
}

/* Send as much of head and body as the socket takes. */
static void send_request(struct load *load, struct client *client)
{
    size_t whole = client->head_length + load->body_length;

    while (client->sent < whole) {
        struct iovec parts[2];
        int count = 0;
        ssize_t sent;

        if (client->sent < client->head_length) {
            parts[count++] =
                (struct iovec){client->head + client->sent, client->head_length - client->sent};
            parts[count++] = (struct iovec){load->body, load->body_length};
        } else {
            size_t at = client->sent - client->head_length;

            parts[count++] = (struct iovec){load->body + at, load->body_length - at};
        }
        sent = writev(client->socket, parts, count);
        if (sent < 0 && errno == EAGAIN) {
            wait_for(load, client, EPOLLIN | EPOLLOUT);
            return;
        }
        if (sent < 0) {
            fail("writev");
        }
        client->sent += (size_t)sent;
    }
    wait_for(load, client, EPOLLIN);
}

static void begin_request(struct load *load, struct client *client)
{
    const char *target = load->targets[load->next_target++ % load->target_count];
    int length = snprintf(client->head, sizeof(client->head),
                          "PUT %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Length: %zu\r\n\r\n",
                          target, load->port, load->body_length);

    if (length < 0 || (size_t)length >= sizeof(client->head)) {
        errno = E2BIG;
        fail("target");
    }
    client->head_length = (size_t)length;
    client->sent = 0;
    client->received = 0;
    send_request(load, client);
}

/* Length of a whole answer, 0 if it is not whole yet. */
static size_t answer_length(struct client *client)
{
    char *end;
    char *field;
    size_t length;

    client->answer[client->received] = '\0';
    end = strstr(client->answer, "\r\n\r\n");
    if (end == NULL) {
        return 0;
    }
    length = (size_t)(end - client->answer) + 4;
    field = strcasestr(client->answer, "\r\nContent-Length:");
    if (field != NULL && field < end) {
        length += strtoull(field + strlen("\r\nContent-Length:"), NULL, 10);
    }
    return client->received >= length ? length : 0;
}

static void receive_answer(struct load *load, struct client *client)
{
    ssize_t got = recv(client->socket, client->answer + client->received,
                       sizeof(client->answer) - 1 - client->received, 0);

    if (got < 0 && errno == EAGAIN) {
        return;
    }
    if (got <= 0) {
        fail("the server closed a connection");
    }
    client->received += (size_t)got;
    if (answer_length(client) == 0) {
        return;
    }
    if (client->sent < client->head_length + load->body_length) {
        errno = EPROTO;
        fail("answered before the body was sent");
    }
    if (strncmp(client->answer, "HTTP/1.1 200", 12) == 0) {
        load->accepted++;
    } else {
        load->refused++;
    }
    if (!load->once || load->next_target < load->target_count) {
        begin_request(load, client);
    }
}

static void connect_client(struct load *load, struct client *client)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(load->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    int on = 1;

    client->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->socket < 0 ||
        connect(client->socket, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        setsockopt(client->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
        fcntl(client->socket, F_SETFL, O_NONBLOCK) != 0 ||
        epoll_ctl(load->events, EPOLL_CTL_ADD, client->socket, &event) != 0) {
        fail("connect");
    }
    begin_request(load, client);
}

static bool is_done(const struct load *load, double started, double seconds)
{
    uint64_t answers = load->accepted + load->refused;

    /* An answer that is due late still counts, with the time that it took. */
    return load->once ? answers == load->target_count : answers > 0 && now() - started >= seconds;
}

static void run(struct load *load, struct client *clients, size_t client_count, double seconds)
{
    double started = now();

    for (size_t i = 0; i < client_count; i++) {
        connect_client(load, &clients[i]);
    }
    while (!is_done(load, started, seconds)) {
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(load->events, events, EVENTS_MAX, 100);

        for (int i = 0; i < count; i++) {
            struct client *client = events[i].data.ptr;

            if ((events[i].events & EPOLLOUT) != 0) {
                send_request(load, client);
            }
            if ((events[i].events & ~(uint32_t)EPOLLOUT) != 0) {
                receive_answer(load, client);
            }
        }
    }
    printf("%llu %llu %.6f %.6f\n", (unsigned long long)load->accepted,
           (unsigned long long)load->refused, now() - started, (double)clock() / CLOCKS_PER_SEC);
}

int main(int argument_count, char **arguments)
{
    struct load load = {0};
    struct client *clients;
    size_t client_count;

    if (argument_count != 6) {
        (void)fprintf(stderr, "usage: put_load PORT SECONDS CLIENTS BYTES TARGETS\n");
        return 2;
    }
    load.port = (uint16_t)number(arguments[1]);
    client_count = (size_t)number(arguments[3]);
    load.body_length = (size_t)number(arguments[4]);
    read_targets(&load, arguments[5]);
    load.body = malloc(load.body_length + 1);
    clients = calloc(client_count, sizeof(*clients));
    load.events = epoll_create1(EPOLL_CLOEXEC);
    if (load.body == NULL || clients == NULL || load.events < 0) {
        fail("start");
    }
    memset(load.body, 'x', load.body_length);
    load.once = number(arguments[2]) == 0;
    if (load.once && client_count > load.target_count) {
        client_count = load.target_count;
    }
    run(&load, clients, client_count, (double)number(arguments[2]));
    free(clients);
    free(load.body);
    return load.refused == 0 ? 0 : 1;
}
