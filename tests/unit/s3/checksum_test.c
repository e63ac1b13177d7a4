/* checksum_test.c - the checksum of a whole from the checksums of its parts. */
#include "base/encoding.h"
#include "s3/upload_checksum.h"
#include "tap.h"

#include <stdlib.h>

enum { SIZE = 100000 };

static void sum_of(enum lst_checksum_kind kind, struct lst_slice bytes,
                   uint8_t ret_digest[LST_CHECKSUM_SIZE_MAX])
{
    struct lst_checksum checksum;

    lst_checksum_init(&checksum, kind);
    lst_checksum_update(&checksum, bytes);
    lst_checksum_digest(&checksum, ret_digest);
}

/* The published check values: of "123456789". */
static void test_known_values(void)
{
    static const struct {
        enum lst_checksum_kind kind;
        const char *hex;
    } known[] = {
        {LST_CHECKSUM_CRC32, "cbf43926"},
        {LST_CHECKSUM_CRC32C, "e3069283"},
        {LST_CHECKSUM_CRC64NVME, "ae8b14860a799888"},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        uint8_t digest[LST_CHECKSUM_SIZE_MAX];
        char text[2 * LST_CHECKSUM_SIZE_MAX];
        size_t size = lst_checksum_size(known[i].kind);
        sum_of(known[i].kind, LST_SLICE("123456789"), digest);
        lst_hex_encode(digest, size, text);
        CHECK(lst_slice_equal(lst_slice_make(text, 2 * size), lst_slice_of(known[i].hex)),
              "%s of 123456789", lst_checksum_name(known[i].kind));
    }
}

/* However the bytes are read, the sum is the same. */
static void test_pieces(const char *bytes)
{
    for (unsigned kind = LST_CHECKSUM_CRC32; kind <= LST_CHECKSUM_SHA256; kind++) {
        uint8_t whole[LST_CHECKSUM_SIZE_MAX];
        uint8_t pieces[LST_CHECKSUM_SIZE_MAX];
        bool equal = true;
        for (size_t length = 0; length < 2000 && equal; length += 1 + length / 9) {
            for (size_t first = 0; first < 40 && first <= length; first += 3) {
                struct lst_checksum checksum;
                sum_of(kind, lst_slice_make(bytes + first, length), whole);
                lst_checksum_init(&checksum, kind);
                lst_checksum_update(&checksum, lst_slice_make(bytes + first, first));
                lst_checksum_update(&checksum, lst_slice_make(bytes + 2 * first, length - first));
                lst_checksum_digest(&checksum, pieces);
                equal = equal && memcmp(whole, pieces, lst_checksum_size(kind)) == 0;
            }
        }
        CHECK(equal, "%s of pieces of any size and place", lst_checksum_name(kind));
    }
}

static void test_byte_by_byte(const char *bytes)
{
    for (unsigned kind = LST_CHECKSUM_CRC32; kind <= LST_CHECKSUM_SHA256; kind++) {
        uint8_t whole[LST_CHECKSUM_SIZE_MAX];
        uint8_t slow[LST_CHECKSUM_SIZE_MAX];
        struct lst_checksum checksum;
        lst_checksum_init(&checksum, kind);
        for (size_t i = 0; i < SIZE; i++) {
            lst_checksum_update(&checksum, lst_slice_make(bytes + i, 1));
        }
        lst_checksum_digest(&checksum, slow);
        sum_of(kind, lst_slice_make(bytes, SIZE), whole);
        CHECK(memcmp(whole, slow, lst_checksum_size(kind)) == 0, "%s of byte after byte",
              lst_checksum_name(kind));
    }
}

static void test_combine(const char *bytes)
{
    static const size_t splits[] = {0, 1, 7, 8, 4096, 65537, SIZE - 1, SIZE};

    for (unsigned kind = LST_CHECKSUM_CRC32; kind <= LST_CHECKSUM_CRC64NVME; kind++) {
        uint8_t whole[LST_CHECKSUM_SIZE_MAX];
        bool equal = true;
        sum_of(kind, lst_slice_make(bytes, SIZE), whole);
        for (size_t i = 0; i < sizeof(splits) / sizeof(splits[0]); i++) {
            uint8_t first[LST_CHECKSUM_SIZE_MAX];
            uint8_t second[LST_CHECKSUM_SIZE_MAX];
            sum_of(kind, lst_slice_make(bytes, splits[i]), first);
            sum_of(kind, lst_slice_make(bytes + splits[i], SIZE - splits[i]), second);
            lst_checksum_combine(kind, first, second, SIZE - splits[i]);
            equal = equal && memcmp(first, whole, lst_checksum_size(kind)) == 0;
        }
        CHECK(equal, "%s of two pieces is that of the whole", lst_checksum_name(kind));
    }
}

/* ---- The sum of an upload */

static size_t add_all(struct lst_upload_sum *sum, const struct lst_field *fields, size_t count,
                      uint64_t size, char ret_text[LST_CHECKSUM_TEXT_MAX])
{
    for (size_t i = 0; i < count; i++) {
        struct lst_part part = {
            .number = (uint32_t)i + 1, .size = size, .fields = &fields[i], .field_count = 1};
        lst_upload_sum_add(sum, &part);
    }
    return lst_upload_sum_end(sum, ret_text);
}

/* Three parts and what Amazon S3 made of them. */
static void test_composite(void)
{
    static const struct lst_field fields[] = {
        {LST_SLICE("x-amz-checksum-sha256"),
         LST_SLICE("lcKa6Boe7a167tUCN5C4OaFygGSYD8MBnBARTrdL+1w=")},
        {LST_SLICE("x-amz-checksum-sha256"),
         LST_SLICE("gHjhbUT4oo2tSCtSZJdlKi+jeNXJT+VImqdPXsXvkOc=")},
        {LST_SLICE("x-amz-checksum-sha256"),
         LST_SLICE("4l9PQ3zOPZ0oGFvknFX+J4zZwE4WMzO+l3r8XrbWOeM=")},
    };
    struct lst_upload_checksum agreed = lst_upload_checksum_of_note(LST_SLICE("SHA256 COMPOSITE"));
    struct lst_upload_sum sum;
    char text[LST_CHECKSUM_TEXT_MAX];
    size_t length;

    lst_upload_sum_begin(&sum, &agreed);
    length = add_all(&sum, fields, 3, 5242880, text);
    CHECK(lst_slice_equal(lst_slice_make(text, length),
                          LST_SLICE("rVWtNbadtsaKXJAcgWPWjifHzJaXde/iV4jaJAOdivc=-3")),
          "a composite checksum is what S3 gives");
    agreed.kind = LST_CHECKSUM_SHA1;
    lst_upload_sum_begin(&sum, &agreed);
    CHECK(add_all(&sum, fields, 3, 5242880, text) == 0,
          "of parts with checksums of another kind there is none");
    lst_upload_sum_begin(&sum, &agreed);
    CHECK(lst_upload_sum_end(&sum, text) == 0, "nor of no parts");
}

static void test_full_object(const char *bytes)
{
    struct lst_upload_checksum agreed = lst_upload_checksum_of_note(LST_SLICE(""));
    struct lst_upload_sum sum;
    struct lst_field fields[4];
    uint8_t digest[LST_CHECKSUM_SIZE_MAX];
    char texts[4][16];
    char text[LST_CHECKSUM_TEXT_MAX];
    size_t length;

    CHECK(agreed.kind == LST_CHECKSUM_CRC64NVME && !agreed.is_composite && !agreed.is_declared,
          "without a word it is a CRC64NVME of the full object");
    for (size_t i = 0; i < 4; i++) {
        sum_of(LST_CHECKSUM_CRC64NVME, lst_slice_make(bytes + i * 25000, 25000), digest);
        lst_base64_encode(digest, 8, texts[i]);
        fields[i] =
            (struct lst_field){LST_SLICE("x-amz-checksum-crc64nvme"), lst_slice_make(texts[i], 12)};
    }
    lst_upload_sum_begin(&sum, &agreed);
    length = add_all(&sum, fields, 4, 25000, text);
    sum_of(LST_CHECKSUM_CRC64NVME, lst_slice_make(bytes, SIZE), digest);
    lst_base64_encode(digest, 8, texts[0]);
    CHECK(lst_slice_equal(lst_slice_make(text, length), lst_slice_make(texts[0], 12)),
          "four parts combined are the whole");
}

static void test_notes(void)
{
    static const struct {
        enum lst_checksum_kind kind;
        bool is_composite;
        bool is_declared;
    } all[] = {
        {LST_CHECKSUM_CRC32, true, true},      {LST_CHECKSUM_CRC32, false, true},
        {LST_CHECKSUM_CRC32C, true, true},     {LST_CHECKSUM_CRC32C, false, true},
        {LST_CHECKSUM_CRC64NVME, false, true}, {LST_CHECKSUM_SHA1, true, true},
        {LST_CHECKSUM_SHA256, true, true},     {LST_CHECKSUM_CRC64NVME, false, false},
    };

    for (size_t i = 0; i < 4 * (sizeof(all) / sizeof(all[0])); i++) {
        struct lst_upload_checksum agreed = {.kind = all[i / 4].kind,
                                             .is_composite = all[i / 4].is_composite,
                                             .is_declared = all[i / 4].is_declared,
                                             .key_existed = i % 2 == 1,
                                             .is_sniffed = i / 2 % 2 == 1};
        char note[LST_UPLOAD_NOTE_MAX];
        size_t length = lst_upload_checksum_write_note(&agreed, note);
        struct lst_upload_checksum back = lst_upload_checksum_of_note(lst_slice_make(note, length));
        CHECK(back.kind == agreed.kind && back.is_composite == agreed.is_composite &&
                  back.is_declared == agreed.is_declared &&
                  back.key_existed == agreed.key_existed && back.is_sniffed == agreed.is_sniffed,
              "%s %s survives in the note", lst_checksum_name(agreed.kind),
              lst_upload_checksum_type(&agreed));
    }
}

int main(void)
{
    char *bytes = malloc(SIZE);

    for (size_t i = 0; i < SIZE && bytes != NULL; i++) {
        bytes[i] = (char)(i * i + i / 251);
    }
    test_known_values();
    test_pieces(bytes);
    test_byte_by_byte(bytes);
    test_combine(bytes);
    test_composite();
    test_full_object(bytes);
    test_notes();
    free(bytes);
    return tap_done();
}
