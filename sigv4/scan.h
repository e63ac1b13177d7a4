/*
 * scan.h - find the bytes that are not bare, many at a time: it is on the path of every request.
 *
 * Uses the wide registers of x86-64 where there are any; elsewhere a table, byte after byte.
 */
#ifndef LST_SIGV4_SCAN_H
#define LST_SIGV4_SCAN_H

#include "text.h"

#ifdef __SSE2__
#include <emmintrin.h>

/* One bit for each of sixteen bytes, the lowest for the first: set if it is not bare. */
static inline unsigned lst_internal_scan_sixteen(const char *bytes, enum lst_internal_class bare)
{
    __m128i text = _mm_loadu_si128((const __m128i *)(const void *)bytes);
    __m128i letter = _mm_sub_epi8(_mm_or_si128(text, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
    __m128i digit = _mm_sub_epi8(text, _mm_set1_epi8('-')); /* - . / 0 to 9 */
    __m128i good = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(25)), letter);

    good = _mm_or_si128(good, _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(12)), digit));
    good = _mm_or_si128(good, _mm_cmpeq_epi8(text, _mm_set1_epi8('_')));
    good = _mm_or_si128(good, _mm_cmpeq_epi8(text, _mm_set1_epi8('~')));
    if (bare == LST_INTERNAL_UNRESERVED) {
        good = _mm_andnot_si128(_mm_cmpeq_epi8(text, _mm_set1_epi8('/')), good);
    }
    return (unsigned)_mm_movemask_epi8(good) ^ 0xffff;
}
#else
static inline unsigned lst_internal_scan_sixteen(const char *bytes, enum lst_internal_class bare)
{
    unsigned encoded = 0;

    for (unsigned i = 0; i < 16; i++) {
        encoded |= (lst_internal_is(bytes[i], bare) ? 0U : 1U) << i;
    }
    return encoded;
}
#endif

/* How many bytes at the front need no encoding. bare: LST_INTERNAL_UNRESERVED or _PATH. */
static inline size_t lst_internal_bare_run(struct lst_slice text, enum lst_internal_class bare)
{
    size_t run = 0;

    while (text.length - run >= 16) {
        unsigned encoded = lst_internal_scan_sixteen(text.bytes + run, bare);

        if (encoded != 0) {
            return run + (size_t)__builtin_ctz(encoded);
        }
        run += 16;
    }
    if (text.length - run >= 8 && lst_internal_eight_are(text.bytes + run, bare)) {
        run += 8;
    }
    while (run < text.length && lst_internal_is(text.bytes[run], bare)) {
        run++;
    }
    return run;
}

/* A walk over a text, from one byte that is not unreserved to the next. */
struct lst_internal_walk {
    struct lst_slice text;
    size_t block;      /* where the 64 bytes after the current ones begin */
    uint64_t reserved; /* a bit for each such byte before that, that is still to come */
};

static inline uint64_t lst_internal_scan_block(const char *bytes, size_t count)
{
    char padded[64];

    if (count < sizeof(padded)) {
        memset(padded, 'a', sizeof(padded));
        memcpy(padded, bytes, count);
        bytes = padded;
    }
    return (uint64_t)lst_internal_scan_sixteen(bytes, LST_INTERNAL_UNRESERVED) |
           (uint64_t)lst_internal_scan_sixteen(bytes + 16, LST_INTERNAL_UNRESERVED) << 16 |
           (uint64_t)lst_internal_scan_sixteen(bytes + 32, LST_INTERNAL_UNRESERVED) << 32 |
           (uint64_t)lst_internal_scan_sixteen(bytes + 48, LST_INTERNAL_UNRESERVED) << 48;
}

/* The place of the next such byte; the text's length after the last. Begin with a walk {text}. */
static inline size_t lst_internal_next_reserved(struct lst_internal_walk *walk)
{
    size_t at;

    while (walk->reserved == 0) {
        if (walk->block >= walk->text.length) {
            return walk->text.length;
        }
        walk->reserved = lst_internal_scan_block(walk->text.bytes + walk->block,
                                                 walk->text.length - walk->block);
        walk->block += 64;
    }
    at = walk->block - 64 + (size_t)__builtin_ctzll(walk->reserved);
    walk->reserved &= walk->reserved - 1;
    return at;
}

#endif
