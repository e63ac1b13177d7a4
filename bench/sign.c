/*
 * sign.c - how close signing and checking come to the SHA-256 that they can't avoid.
 *
 * Each round times the same work three ways in turn, so that a busy machine slows all of them:
 * nettle compressing exactly the blocks that a presigned GET needs (canonical request, string to
 * sign, one more for the outer hash), lst_presign() with a cached key, and lst_parse() with
 * lst_verify() on the raw request. Prints the median of the rounds' ratios, and exits with 1 if one
 * is above its target.
 */
#include "latchstring.h"

#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS      101
#define REPETITIONS 1000

#define PRESIGN_TARGET 1.5
#define CHECK_TARGET   2.0

static const struct lst_signing signing = {
    .method = {"GET", 3},
    .host = {"s3.eu-west-1.amazonaws.com", 26},
    .bucket = {"examplebucket", 13},
    .key = {"photos/2013/05/24/IMG_4711.jpg", 30},
    .access_key_id = {"AKIAIOSFODNN7EXAMPLE", 20},
    .time = 1369353600,
    .expires = 3600,
};

static struct lst_key key;
static char url[2048];
static size_t url_length;
static struct lst_request request;
static struct lst_field headers[] = {
    {{"Host", 4}, {"s3.eu-west-1.amazonaws.com", 26}},
    {{"User-Agent", 10}, {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0", 63}},
    {{"Accept", 6}, {"image/avif,image/webp,image/apng,*/*;q=0.8", 42}},
    {{"Accept-Encoding", 15}, {"gzip, deflate, br, zstd", 23}},
    {{"Accept-Language", 15}, {"en-GB,en;q=0.9", 14}},
    {{"Connection", 10}, {"keep-alive", 10}},
};
static volatile unsigned sink; /* keeps the work from being optimised away */

/* Time on the processor: what other programs do at the same time does not count. */
static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Blocks of SHA-256 that a message of this length takes, padding included. */
static size_t blocks_of(size_t length)
{
    return (length + 1 + 8 + SHA256_BLOCK_SIZE - 1) / SHA256_BLOCK_SIZE;
}

static void fail(const char *what, int error)
{
    fprintf(stderr, "bench/sign: %s: %s\n", what, lst_refusal(error, LST_AUTH_QUERY)->name);
    exit(2);
}

static size_t unavoidable_blocks(void)
{
    char text[4096];
    size_t canonical;
    size_t string;
    int error = lst_signing_canonical_request(&signing, &key, LST_AUTH_QUERY, text, sizeof(text),
                                              &canonical);

    if (error == LST_OK) {
        error =
            lst_signing_string_to_sign(&signing, &key, LST_AUTH_QUERY, text, sizeof(text), &string);
    }
    if (error != LST_OK) {
        fail("canonical request", error);
    }
    return blocks_of(canonical) + blocks_of(string) + 1;
}

static void time_blocks(size_t blocks)
{
    static uint8_t data[64 * SHA256_BLOCK_SIZE];
    struct sha256_ctx context;

    sha256_init(&context);
    for (int i = 0; i < REPETITIONS; i++) {
        sha256_update(&context, blocks * SHA256_BLOCK_SIZE, data);
    }
    sink += context.state[0];
}

static void time_presign(void)
{
    for (int i = 0; i < REPETITIONS; i++) {
        int error = lst_presign(&signing, &key, url, sizeof(url), &url_length);

        if (error != LST_OK) {
            fail("presign", error);
        }
    }
    sink += (unsigned char)url[url_length - 1];
}

static void time_check(void)
{
    static const struct lst_rules rules;

    for (int i = 0; i < REPETITIONS; i++) {
        struct lst_auth auth;
        int error = lst_parse(&request, &rules, signing.time + 60, &auth);

        if (error == LST_OK) {
            error = lst_verify(&request, &auth, &key);
        }
        if (error != LST_OK) {
            fail("check", error);
        }
    }
}

static void make_request(void)
{
    const char *path = strchr(strstr(url, "://") + 3, '/');

    request.method = signing.method;
    request.target = (struct lst_slice){path, url_length - (size_t)(path - url)};
    request.headers = headers;
    request.header_count = sizeof(headers) / sizeof(headers[0]);
}

static int compare(const void *a, const void *b)
{
    double first = *(const double *)a;
    double second = *(const double *)b;

    return (first > second) - (first < second);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof(values[0]), compare);
    return values[ROUNDS / 2];
}

int main(void)
{
    double floor_time[ROUNDS];
    double presign[ROUNDS];
    double check[ROUNDS];
    double presign_ratio;
    double check_ratio;
    size_t blocks;
    int error = lst_key_init(&key, LST_SLICE("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
                             signing.time, LST_SLICE("eu-west-1"), LST_SLICE("s3"));

    if (error != LST_OK) {
        fail("key", error);
    }
    blocks = unavoidable_blocks();
    time_presign();
    make_request();
    time_check();
    for (size_t i = 0; i < ROUNDS; i++) {
        double start = seconds();
        double presigned;
        double compressed;

        time_blocks(blocks);
        compressed = seconds();
        time_presign();
        presigned = seconds();
        time_check();
        floor_time[i] = compressed - start;
        presign[i] = (presigned - compressed) / floor_time[i];
        check[i] = (seconds() - presigned) / floor_time[i];
    }
    presign_ratio = median(presign);
    check_ratio = median(check);
    printf("sign: %zu blocks of SHA-256 take %.0f ns\n", blocks,
           median(floor_time) / REPETITIONS * 1e9);
    printf("sign: presign  %.2f times its blocks (at most %.1f)\n", presign_ratio, PRESIGN_TARGET);
    printf("sign: check    %.2f times its blocks (at most %.1f)\n", check_ratio, CHECK_TARGET);
    return presign_ratio <= PRESIGN_TARGET && check_ratio <= CHECK_TARGET ? 0 : 1;
}
