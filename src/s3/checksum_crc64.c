/*
 * checksum_crc64.c - CRC-64/NVME, eight bytes at a time.
 *
 * The checksum that newer AWS SDKs and the AWS CLI send by default; ISA-L has it only from 2.31 on.
 * Reflected polynomial 0x9A6C9329AC4BC9B5, all ones in and out.
 */
#include "s3/checksum.h"

#include <endian.h>
#include <pthread.h>

static const uint64_t polynomial = 0x9A6C9329AC4BC9B5U;

/* tables[k][b]: what byte b does to the CRC when k bytes follow it. Computed once: 16 KiB. */
static uint64_t tables[8][256];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

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
}

uint64_t lst_crc64nvme(uint64_t crc, struct lst_slice bytes)
{
    const char *at = bytes.bytes;
    size_t left = bytes.length;

    (void)pthread_once(&tables_once, compute_tables);
    crc = ~crc;
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
    return ~crc;
}
