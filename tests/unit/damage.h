/*
 * damage.h - what a disk does to a file: bits flip, pieces are overwritten, pages stand elsewhere
 * or are cut away. A seed does the same each time.
 */
#ifndef LST_TESTS_DAMAGE_H
#define LST_TESTS_DAMAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAMAGE_PAGE = 4096, DAMAGE_FILE_MAX = 8 << 20 };

static uint64_t damage_state;

static inline void damage_seed(uint64_t seed)
{
    damage_state = seed * UINT64_C(0x9E3779B97F4A7C15) + 7;
}

static inline uint32_t random_below(uint32_t end)
{
    damage_state = damage_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return end == 0 ? 0 : (uint32_t)(damage_state >> 33) % end;
}

static inline char *damage_read(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    char *bytes = malloc(DAMAGE_FILE_MAX);

    *ret_size = file == NULL || bytes == NULL ? 0 : fread(bytes, 1, DAMAGE_FILE_MAX, file);
    if (file != NULL) {
        (void)fclose(file);
    }
    return bytes;
}

static inline void damage_write(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");

    if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) {
        perror(path);
        abort();
    }
}

static inline void damage_overwrite(char *bytes, size_t size, size_t length)
{
    size_t at = random_below((uint32_t)size);
    bool is_zero = random_below(2) == 0;

    for (size_t i = at; i < at + length && i < size; i++) {
        bytes[i] = (char)(is_zero ? 0 : random_below(256));
    }
}

/* One page stands where another belongs, as after a write that went astray. */
static inline void damage_misplace(char *bytes, size_t size)
{
    uint32_t pages = (uint32_t)(size / DAMAGE_PAGE);
    uint32_t from = random_below(pages);
    uint32_t to = random_below(pages);

    memmove(bytes + (size_t)to * DAMAGE_PAGE, bytes + (size_t)from * DAMAGE_PAGE, DAMAGE_PAGE);
}

static inline void damage_bytes(char *bytes, size_t *size)
{
    uint32_t count = 1 + random_below(3);

    switch (random_below(8)) {
    case 0:
    case 1:
    case 2: /* bits anywhere */
        for (uint32_t i = 0; i < count; i++) {
            bytes[random_below((uint32_t)*size)] ^= (char)(1 << random_below(8));
        }
        break;
    case 3: /* bits in what pages say of themselves and their rows */
        for (uint32_t i = 0; i < count; i++) {
            bytes[random_below((uint32_t)(*size / DAMAGE_PAGE)) * DAMAGE_PAGE + random_below(64)] ^=
                (char)(1 << random_below(8));
        }
        break;
    case 4:
        damage_overwrite(bytes, *size, 1 + random_below(64));
        break;
    case 5:
        damage_overwrite(bytes, *size, (size_t)512 << random_below(4));
        break;
    case 6:
        damage_misplace(bytes, *size);
        break;
    default:
        *size = random_below(2) == 0 ? random_below((uint32_t)*size)
                                     : *size - (size_t)random_below(8) * DAMAGE_PAGE;
    }
}

/* Damage a file. */
static inline void damage_file(const char *path)
{
    size_t size;
    char *bytes = damage_read(path, &size);

    damage_bytes(bytes, &size);
    damage_write(path, bytes, size);
    free(bytes);
}

#endif
