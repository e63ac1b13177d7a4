/*
 * checksum_crc64.c - CRC-64/NVME: 64 bytes at a time with carry-less multiplication where the
 * processor has it, else eight at a time.
 *
 * The checksum that newer AWS SDKs and the AWS CLI send by default, and that S3 computes where none
 * is sent; ISA-L has it only from 2.31 on. Reflected polynomial 0x9A6C9329AC4BC9B5, all ones in and
 * out.
 */
#include "s3/checksum.h"

#include <endian.h>
#include <pthread.h>
#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

static const uint64_t polynomial = 0x9A6C9329AC4BC9B5U;

/* tables[k][b]: what byte b does to the CRC when k bytes follow it. Computed once: 16 KiB. */
static uint64_t tables[8][256];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

#if defined(__x86_64__)
/* What the two halves of 16 bytes are multiplied by to stand 64, or 16, bytes further on. */
static uint64_t far_factors[2];
static uint64_t near_factors[2];
static bool can_multiply;

/* x to that power, modulo the polynomial; reflected, x^0 is the highest bit. */
static uint64_t power_of_x(unsigned power)
{
    uint64_t result = UINT64_C(1) << 63;

    while (power-- > 0) {
        result = (result & 1) != 0 ? result >> 1 ^ polynomial : result >> 1;
    }
    return result;
}

/* A product of reflected polynomials comes out multiplied by x, hence one less in each power. */
static void compute_factors(void)
{
    unsigned ignored[3];
    unsigned features;

    far_factors[0] = power_of_x(512 + 64 - 1);
    far_factors[1] = power_of_x(512 - 1);
    near_factors[0] = power_of_x(128 + 64 - 1);
    near_factors[1] = power_of_x(128 - 1);
    /* Not __builtin_cpu_supports(): what that brings along asks the processor at every start. */
    can_multiply = __get_cpuid(1, &ignored[0], &ignored[1], &features, &ignored[2]) != 0 &&
                   (features & bit_PCLMUL) != 0;
}
#endif

static void compute_tables(void)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        uint64_t crc = byte;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 1) != 0 ? crc >> 1 ^ polynomial : crc >> 1;
        }
        tables[0][byte] = crc;
    }
    for (unsigned byte = 0; byte < 256; byte++) {
        for (unsigned k = 1; k < 8; k++) {
            uint64_t previous = tables[k - 1][byte];
            tables[k][byte] = previous >> 8 ^ tables[0][previous & 255];
        }
    }
#if defined(__x86_64__)
    compute_factors();
#endif
}

static uint64_t by_tables(uint64_t crc, const char *at, size_t left)
{
    for (; left >= 8; at += 8, left -= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        word = le64toh(word) ^ crc;
        crc = tables[7][word & 255] ^ tables[6][word >> 8 & 255] ^ tables[5][word >> 16 & 255] ^
              tables[4][word >> 24 & 255] ^ tables[3][word >> 32 & 255] ^
              tables[2][word >> 40 & 255] ^ tables[1][word >> 48 & 255] ^ tables[0][word >> 56];
    }
    for (; left > 0; at++, left--) {
        crc = crc >> 8 ^ tables[0][(crc ^ (unsigned char)*at) & 255];
    }
    return crc;
}

#if defined(__x86_64__)
enum { LANES = 4, LANE = 16, STEP = LANES * LANE };

/* Move 16 bytes on, and add what stands there. */
__attribute__((target("pclmul"))) static inline __m128i fold(__m128i bytes, __m128i factors,
                                                             __m128i there)
{
    __m128i low = _mm_clmulepi64_si128(bytes, factors, 0x00);
    __m128i high = _mm_clmulepi64_si128(bytes, factors, 0x11);

    return _mm_xor_si128(_mm_xor_si128(low, high), there);
}

/* "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel, 2009: reduce
 * bytes (a multiple of STEP) to 16 that have the same CRC. */
__attribute__((target("pclmul"))) static uint64_t by_multiplying(uint64_t crc, const char *at,
                                                                 size_t length)
{
    const __m128i far = _mm_loadu_si128((const __m128i *)(const void *)far_factors);
    const __m128i near = _mm_loadu_si128((const __m128i *)(const void *)near_factors);
    __m128i lanes[LANES];
    char rest[LANE];

    for (int i = 0; i < LANES; i++) {
        lanes[i] = _mm_loadu_si128((const __m128i *)(const void *)(at + (size_t)i * LANE));
    }
    lanes[0] = _mm_xor_si128(lanes[0], _mm_cvtsi64_si128((long long)crc));
    for (size_t done = STEP; done < length; done += STEP) {
        for (int i = 0; i < LANES; i++) {
            const char *there = at + done + (size_t)i * LANE;
            lanes[i] = fold(lanes[i], far, _mm_loadu_si128((const __m128i *)(const void *)there));
        }
    }
    for (int i = 1; i < LANES; i++) {
        lanes[i] = fold(lanes[i - 1], near, lanes[i]);
    }
    _mm_storeu_si128((__m128i *)(void *)rest, lanes[LANES - 1]);
    return by_tables(0, rest, sizeof(rest));
}
#endif

uint64_t lst_crc64nvme(uint64_t crc, struct lst_slice bytes)
{
    size_t folded = 0;

    (void)pthread_once(&tables_once, compute_tables);
    crc = ~crc;
#if defined(__x86_64__)
    if (can_multiply && bytes.length >= STEP) {
        folded = bytes.length - bytes.length % STEP;
        crc = by_multiplying(crc, bytes.bytes, folded);
    }
#endif
    return ~by_tables(crc, bytes.bytes + folded, bytes.length - folded);
}
