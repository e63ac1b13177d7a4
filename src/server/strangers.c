/* strangers.c - a rate limit for addresses. */
#include "server/strangers.h"

#include "base/allowance.h"
#include "base/random.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>

enum {
    SETS = 512,
    SET_SIZE = 8,
    ADDRESS_TEXT_MAX = 64,
};

struct stranger {
    uint64_t network; /* 0: the place is free */
    struct lst_allowance allowance;
};

struct lst_strangers {
    pthread_mutex_t mutex;
    uint64_t rate;
    uint64_t seed; /* nobody outside can choose addresses of one set */
    struct stranger sets[SETS][SET_SIZE];
};

struct lst_strangers *lst_strangers_new(uint64_t rate)
{
    struct lst_strangers *strangers = calloc(1, sizeof(*strangers));

    if (strangers != NULL) {
        strangers->rate = rate;
        (void)pthread_mutex_init(&strangers->mutex, NULL);
        lst_random_bytes(&strangers->seed, sizeof(strangers->seed));
    }
    return strangers;
}

void lst_strangers_free(struct lst_strangers *strangers)
{
    if (strangers != NULL) {
        (void)pthread_mutex_destroy(&strangers->mutex);
        free(strangers);
    }
}

bool lst_strangers_is_signed(const struct lst_http_request *request)
{
    return lst_http_parameter(request, LST_PARAMETER_AMZ_SIGNATURE) != NULL ||
           lst_http_parameter(request, LST_PARAMETER_SIGNATURE) != NULL ||
           lst_http_header(request, LST_HEADER_AUTHORIZATION).bytes != NULL;
}

bool lst_strangers_is_form(const struct lst_http_request *request)
{
    struct lst_slice type = lst_http_header(request, LST_HEADER_CONTENT_TYPE);

    return lst_slice_equal(request->message.method, LST_SLICE("POST")) &&
           lst_slice_starts_with_ignoring_case(type, LST_SLICE("multipart/form-data"));
}

/* The address as a number that is not 0: all of IPv4, half of IPv6. 0: it is not to be counted. */
uint64_t lst_strangers_network(struct lst_slice peer)
{
    char text[ADDRESS_TEXT_MAX];
    struct in6_addr six;
    struct in_addr four;
    uint64_t half;

    if (peer.length == 0 || peer.length >= sizeof(text)) {
        return 1; /* an address that is not known: all of these together */
    }
    memcpy(text, peer.bytes, peer.length);
    text[peer.length] = '\0';
    if (inet_pton(AF_INET, text, &four) == 1) {
        uint32_t number = ntohl(four.s_addr);

        return number >> 24 == 127 ? 0 : UINT64_C(1) << 32 | number;
    }
    if (inet_pton(AF_INET6, text, &six) != 1) {
        return 1;
    }
    memcpy(&half, six.s6_addr, sizeof(half));
    return IN6_IS_ADDR_LOOPBACK(&six) ? 0 : half == 0 ? 1 : half;
}

static struct stranger *find(struct lst_strangers *strangers, uint64_t network)
{
    uint64_t mixed = (network ^ strangers->seed) * UINT64_C(0x9e3779b97f4a7c15);
    struct stranger *set = strangers->sets[(mixed >> 32) % SETS];
    struct stranger *oldest = set;

    for (size_t i = 0; i < SET_SIZE; i++) {
        if (set[i].network == network) {
            return &set[i];
        }
        if (set[i].network == 0 ||
            (oldest->network != 0 && set[i].allowance.at_ms < oldest->allowance.at_ms)) {
            oldest = &set[i];
        }
    }
    *oldest = (struct stranger){.network = network};
    return oldest;
}

bool lst_strangers_take(struct lst_strangers *strangers, struct lst_slice peer, int64_t now_ms)
{
    uint64_t network = lst_strangers_network(peer);
    bool may;

    if (strangers->rate == 0 || network == 0) {
        return true;
    }
    (void)pthread_mutex_lock(&strangers->mutex);
    may = lst_allowance_take(&find(strangers, network)->allowance, strangers->rate, now_ms);
    (void)pthread_mutex_unlock(&strangers->mutex);
    return may;
}
