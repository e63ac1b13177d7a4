/* md5.c - MD5 (RFC 1321), of one message or of several side by side. */
#include "base/md5.h"

#include <endian.h>

enum { BLOCK = 64 };

/* One word of each lane. Compilers make of it what the processor has: SSE2, AVX2, NEON. */
typedef uint32_t lanes __attribute__((vector_size(LST_MD5_LANES * sizeof(uint32_t))));

/* ---- The steps (section 3.4), of words or of lanes of words */

// NOLINTBEGIN(bugprone-macro-parentheses): the arguments are names

#define F(a, b, c, d) (a) += (((c) ^ (d)) & (b)) ^ (d)
/* The two have no bit in common, so their sum is as good as their union; and the first does not
 * wait for b, which is the word that was made last. */
#define G(a, b, c, d) (a) += (c) & ~(d), (a) += (b) & (d)
#define H(a, b, c, d) (a) += (b) ^ ((c) ^ (d))
#define I(a, b, c, d) (a) += (c) ^ ((b) | ~(d))

#define STEP(mix, a, b, c, d, word, shift, sine)                                                   \
    (a) += words[word] + (sine);                                                                   \
    mix(a, b, c, d);                                                                               \
    (a) = ((a) << (shift) | (a) >> (32 - (shift))) + (b)

#define FOUR(mix, w0, w1, w2, w3, s0, s1, s2, s3, k0, k1, k2, k3)                                  \
    STEP(mix, a, b, c, d, w0, s0, k0);                                                             \
    STEP(mix, d, a, b, c, w1, s1, k1);                                                             \
    STEP(mix, c, d, a, b, w2, s2, k2);                                                             \
    STEP(mix, b, c, d, a, w3, s3, k3)

// clang-format off
#define ALL_STEPS \
    FOUR(F,  0,  1,  2,  3, 7, 12, 17, 22, 0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee); \
    FOUR(F,  4,  5,  6,  7, 7, 12, 17, 22, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501); \
    FOUR(F,  8,  9, 10, 11, 7, 12, 17, 22, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be); \
    FOUR(F, 12, 13, 14, 15, 7, 12, 17, 22, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821); \
    FOUR(G,  1,  6, 11,  0, 5,  9, 14, 20, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa); \
    FOUR(G,  5, 10, 15,  4, 5,  9, 14, 20, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8); \
    FOUR(G,  9, 14,  3,  8, 5,  9, 14, 20, 0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed); \
    FOUR(G, 13,  2,  7, 12, 5,  9, 14, 20, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a); \
    FOUR(H,  5,  8, 11, 14, 4, 11, 16, 23, 0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c); \
    FOUR(H,  1,  4,  7, 10, 4, 11, 16, 23, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70); \
    FOUR(H, 13,  0,  3,  6, 4, 11, 16, 23, 0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05); \
    FOUR(H,  9, 12, 15,  2, 4, 11, 16, 23, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665); \
    FOUR(I,  0,  7, 14,  5, 6, 10, 15, 21, 0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039); \
    FOUR(I, 12,  3, 10,  1, 6, 10, 15, 21, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1); \
    FOUR(I,  8, 15,  6, 13, 6, 10, 15, 21, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1); \
    FOUR(I,  4, 11,  2,  9, 6, 10, 15, 21, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391)
// clang-format on
// NOLINTEND(bugprone-macro-parentheses)

static uint32_t read_word(const char *bytes)
{
    uint32_t word;

    memcpy(&word, bytes, sizeof(word));
    return le32toh(word);
}

static void hash_blocks(struct lst_md5 *md5, const char *bytes, size_t count)
{
    uint32_t a = md5->state[0];
    uint32_t b = md5->state[1];
    uint32_t c = md5->state[2];
    uint32_t d = md5->state[3];

    for (; count > 0; count--) {
        const uint32_t before[4] = {a, b, c, d};
        uint32_t words[16];

        for (size_t i = 0; i < 16; i++) {
            words[i] = read_word(bytes + 4 * i);
        }
        ALL_STEPS;
        a += before[0];
        b += before[1];
        c += before[2];
        d += before[3];
        bytes += BLOCK;
    }
    md5->state[0] = a;
    md5->state[1] = b;
    md5->state[2] = c;
    md5->state[3] = d;
}

/* So many blocks of each lane. states: word by word, lane by lane. */
static void hash_lanes(uint32_t states[4][LST_MD5_LANES], const char *const bytes[LST_MD5_LANES],
                       size_t count)
{
    lanes state[4];
    lanes a;
    lanes b;
    lanes c;
    lanes d;

    memcpy(state, states, sizeof(state));
    for (size_t at = 0; at < count * BLOCK; at += BLOCK) {
        uint32_t of_lanes[16][LST_MD5_LANES];
        lanes words[16];

        for (size_t i = 0; i < 16; i++) {
            for (size_t lane = 0; lane < LST_MD5_LANES; lane++) {
                of_lanes[i][lane] = read_word(bytes[lane] + at + 4 * i);
            }
        }
        memcpy(words, of_lanes, sizeof(words));
        a = state[0];
        b = state[1];
        c = state[2];
        d = state[3];
        ALL_STEPS;
        state[0] += a;
        state[1] += b;
        state[2] += c;
        state[3] += d;
    }
    memcpy(states, state, sizeof(state));
}

/* ---- Messages */

void lst_md5_init(struct lst_md5 *md5)
{
    *md5 = (struct lst_md5){.state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}};
}

/* Complete the block that was begun, if there is one and enough has come. What is left of the bytes
 * begins a block then, or there is nothing left. */
static struct lst_slice complete_block(struct lst_md5 *md5, struct lst_slice bytes)
{
    size_t begun = md5->length % BLOCK;
    struct lst_slice part = lst_slice_first(bytes, BLOCK - begun);

    if (begun == 0) {
        return bytes;
    }
    memcpy(md5->rest + begun, part.bytes, part.length);
    md5->length += part.length;
    if (begun + part.length == BLOCK) {
        hash_blocks(md5, (const char *)md5->rest, 1);
    }
    return lst_slice_after(bytes, part.length);
}

/* All whole blocks, and keep the rest. No block may have been begun. */
static void take_blocks(struct lst_md5 *md5, struct lst_slice bytes)
{
    size_t rest = bytes.length % BLOCK;

    hash_blocks(md5, bytes.bytes, bytes.length / BLOCK);
    if (rest > 0) {
        memcpy(md5->rest, bytes.bytes + (bytes.length - rest), rest);
    }
    md5->length += bytes.length;
}

void lst_md5_update(struct lst_md5 *md5, struct lst_slice bytes)
{
    bytes = complete_block(md5, bytes);
    if (bytes.length > 0) {
        take_blocks(md5, bytes);
    }
}

/* Of so many, LST_MD5_LANES at most, as many blocks as each of them has. */
static void take_side_by_side(struct lst_md5_piece *pieces, size_t count)
{
    uint32_t states[4][LST_MD5_LANES];
    const char *bytes[LST_MD5_LANES];
    size_t blocks = SIZE_MAX;

    for (size_t lane = 0; lane < LST_MD5_LANES; lane++) {
        /* A lane without a message hashes the first one's bytes, for nothing. */
        const struct lst_md5_piece *piece = &pieces[lane < count ? lane : 0];

        blocks = piece->bytes.length / BLOCK < blocks ? piece->bytes.length / BLOCK : blocks;
        bytes[lane] = piece->bytes.bytes;
        for (size_t i = 0; i < 4; i++) {
            states[i][lane] = piece->md5->state[i];
        }
    }
    hash_lanes(states, bytes, blocks);
    for (size_t lane = 0; lane < count; lane++) {
        struct lst_md5_piece *piece = &pieces[lane];

        for (size_t i = 0; i < 4; i++) {
            piece->md5->state[i] = states[i][lane];
        }
        piece->md5->length += blocks * BLOCK;
        piece->bytes = lst_slice_after(piece->bytes, blocks * BLOCK);
    }
}

/* Those that have a block left; the others are done. */
static size_t finish_short(struct lst_md5_piece *pieces, size_t count)
{
    size_t left = 0;

    for (size_t i = 0; i < count; i++) {
        if (pieces[i].bytes.length >= BLOCK) {
            pieces[left++] = pieces[i];
        } else if (pieces[i].bytes.length > 0) {
            take_blocks(pieces[i].md5, pieces[i].bytes);
        }
    }
    return left;
}

void lst_md5_update_many(struct lst_md5_piece *pieces, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        pieces[i].bytes = complete_block(pieces[i].md5, pieces[i].bytes);
    }
    while ((count = finish_short(pieces, count)) > 1) {
        take_side_by_side(pieces, count < LST_MD5_LANES ? count : LST_MD5_LANES);
    }
    if (count == 1) {
        take_blocks(pieces[0].md5, pieces[0].bytes);
    }
}

void lst_md5_digest(const struct lst_md5 *md5, uint8_t ret_digest[LST_MD5_SIZE])
{
    static const char padding[BLOCK] = {(char)0x80};
    struct lst_md5 end = *md5;
    uint64_t bits = htole64(md5->length * 8);
    size_t length = (2 * BLOCK - sizeof(bits) - 1 - md5->length % BLOCK) % BLOCK + 1;

    lst_md5_update(&end, lst_slice_make(padding, length));
    lst_md5_update(&end, lst_slice_make((const char *)&bits, sizeof(bits)));
    for (size_t i = 0; i < 4; i++) {
        uint32_t word = htole32(end.state[i]);
        memcpy(ret_digest + 4 * i, &word, sizeof(word));
    }
}
