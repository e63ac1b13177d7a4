/*
 * network_fault.c - a server whose N-th call to the network fails, or sends less than it was asked
 * to. Linked in front of the server with --wrap (meson.build), and armed from outside by a struct
 * network_control in the file that LST_NETWORK_FAULT_FILE names: protocol/test_network_faults.py.
 */
#include "control.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { ERRORS_MAX = 6 };

/* Each call, and the errors that it may really end with. EAGAIN is none of them: after it the
 * kernel says when to go on, which nobody would do here. */
#define CALLS(X)                                                                                   \
    X(accept4, EMFILE, ENFILE, ENOBUFS, ENOMEM, ECONNABORTED, EPROTO)                              \
    X(recv, ECONNRESET, ENOMEM, ETIMEDOUT, EINTR)                                                  \
    X(send, EPIPE, ECONNRESET, ENOBUFS, EINTR)                                                     \
    X(sendmsg, EPIPE, ECONNRESET, ENOBUFS, ENOMEM, EINTR)                                          \
    X(sendfile64, EPIPE, EIO, ENOMEM, EINVAL, EINTR)                                               \
    X(epoll_ctl, ENOMEM, ENOSPC)                                                                   \
    X(epoll_wait, EINTR)                                                                           \
    X(epoll_create1, EMFILE, ENFILE, ENOMEM)                                                       \
    X(eventfd, EMFILE, ENFILE, ENOMEM)                                                             \
    X(setsockopt, ENOMEM, EINVAL)                                                                  \
    X(getsockopt, ENOMEM)                                                                          \
    X(shutdown, ENOTCONN)                                                                          \
    X(preadv64v2, EIO, ENOMEM)

enum call {
#define NUMBER(name, ...) CALL_##name,
    CALLS(NUMBER)
#undef NUMBER
};

static const int errors[][ERRORS_MAX] = {
#define ERRORS(name, ...) {__VA_ARGS__},
    CALLS(ERRORS)
#undef ERRORS
};

/* Packed by the test as "=7I". */
struct network_control {
    _Atomic uint32_t armed;  /* a bit for each enum call; 0: none */
    _Atomic uint32_t number; /* of the call that fails, from 1 on; 0: none, they are counted */
    _Atomic uint32_t stays;  /* all after it fail, too */
    _Atomic uint32_t which;  /* of its errors */
    _Atomic uint32_t most;   /* bytes that one call sends; 0: any number */
    _Atomic uint32_t count;  /* of calls since it was armed */
    _Atomic uint32_t fired;  /* of these, failed */
};

static struct network_control own;
static struct network_control *control = &own;

/* Before main(), as eventfd and the like may be made at the start. */
__attribute__((constructor)) static void map_control(void)
{
    control = control_map("LST_NETWORK_FAULT_FILE", &own, sizeof(own));
}

/* Of sendmsg() and sendfile(), which are called until the kernel says that it is full. Who takes a
 * short send() for that is right (epoll(7)), and would wait here until something comes: so only the
 * one that is armed sends less, in place of failing. */
static size_t limited(size_t length)
{
    return control->most != 0 && control->most < length ? control->most : length;
}

/* True, with errno, if this call has to fail. */
static bool fails(enum call call)
{
    uint32_t number;
    uint32_t count = 0;

    if ((control->armed & (1U << call)) == 0) {
        return false;
    }
    number = ++control->count;
    if (control->number == 0 ||
        (control->stays ? number < control->number : number != control->number)) {
        return false;
    }
    control->fired++;
    while (count < ERRORS_MAX && errors[call][count] != 0) {
        count++;
    }
    errno = errors[call][control->which % count];
    return true;
}

#define REAL(type, name, ...)                                                                      \
    type __real_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__)

REAL(int, accept4, int file, struct sockaddr *address, socklen_t *size, int flags)
{
    return fails(CALL_accept4) ? -1 : __real_accept4(file, address, size, flags);
}

REAL(ssize_t, recv, int file, void *bytes, size_t length, int flags)
{
    return fails(CALL_recv) ? -1 : __real_recv(file, bytes, length, flags);
}

REAL(ssize_t, send, int file, const void *bytes, size_t length, int flags)
{
    if (!fails(CALL_send)) {
        return __real_send(file, bytes, length, flags);
    }
    return control->most == 0 ? -1 : __real_send(file, bytes, limited(length), flags);
}

REAL(ssize_t, sendmsg, int file, const struct msghdr *message, int flags)
{
    struct msghdr shorter = *message;
    struct iovec first;

    if (fails(CALL_sendmsg)) {
        return -1;
    }
    if (control->most != 0 && message->msg_iovlen > 0 && message->msg_iov[0].iov_len > 0) {
        first = message->msg_iov[0];
        first.iov_len = limited(first.iov_len);
        shorter.msg_iov = &first;
        shorter.msg_iovlen = 1;
    }
    return __real_sendmsg(file, &shorter, flags);
}

REAL(ssize_t, sendfile64, int to, int from, off64_t *at, size_t length)
{
    return fails(CALL_sendfile64) ? -1 : __real_sendfile64(to, from, at, limited(length));
}

REAL(int, epoll_ctl, int epoll, int operation, int file, struct epoll_event *event)
{
    return fails(CALL_epoll_ctl) ? -1 : __real_epoll_ctl(epoll, operation, file, event);
}

REAL(int, epoll_wait, int epoll, struct epoll_event *events, int count, int milliseconds)
{
    return fails(CALL_epoll_wait) ? -1 : __real_epoll_wait(epoll, events, count, milliseconds);
}

REAL(int, epoll_create1, int flags)
{
    return fails(CALL_epoll_create1) ? -1 : __real_epoll_create1(flags);
}

REAL(int, eventfd, unsigned count, int flags)
{
    return fails(CALL_eventfd) ? -1 : __real_eventfd(count, flags);
}

REAL(int, setsockopt, int file, int level, int name, const void *value, socklen_t size)
{
    return fails(CALL_setsockopt) ? -1 : __real_setsockopt(file, level, name, value, size);
}

REAL(int, getsockopt, int file, int level, int name, void *value, socklen_t *size)
{
    return fails(CALL_getsockopt) ? -1 : __real_getsockopt(file, level, name, value, size);
}

REAL(int, shutdown, int file, int how)
{
    return fails(CALL_shutdown) ? -1 : __real_shutdown(file, how);
}

REAL(ssize_t, preadv64v2, int file, const struct iovec *parts, int count, off64_t at, int flags)
{
    return fails(CALL_preadv64v2) ? -1 : __real_preadv64v2(file, parts, count, at, flags);
}
