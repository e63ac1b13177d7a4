/* zip_test.c - names that lead nowhere else, and records at the limits of 32 and 16 bits. */
#include "base/zip.h"

#include "tap.h"

static void check_name(struct lst_slice path, bool is_folder, const char *name)
{
    char got[LST_ZIP_NAME_MAX];
    size_t length = lst_zip_name(path, is_folder ? LST_ZIP_FOLDER : LST_ZIP_FILE, got);

    CHECK_TEXT(got, length, name, name);
}

static void test_names(void)
{
    check_name(LST_SLICE("a b/\xc3\xbc.txt"), false, "a b/\xc3\xbc.txt");
    check_name(LST_SLICE("../a"), false, "%2E%2E/a");
    check_name(LST_SLICE("a/../../b"), false, "a/%2E%2E/%2E%2E/b");
    check_name(LST_SLICE("a/./b"), false, "a/%2E/b");
    check_name(LST_SLICE(".."), false, "%2E%2E");
    check_name(LST_SLICE("..."), false, "...");
    check_name(LST_SLICE(".a/..b"), false, ".a/..b");
    check_name(LST_SLICE("/etc/passwd"), false, "%2F/etc/passwd");
    check_name(LST_SLICE("a//b"), false, "a/%2F/b");
    check_name(LST_SLICE("a/"), false, "a/%2F");
    check_name(LST_SLICE("a/"), true, "a/");
    check_name(LST_SLICE("a//"), true, "a/%2F/");
    check_name(LST_SLICE("/"), true, "%2F/");
    check_name(LST_SLICE("../"), true, "%2E%2E/");
    check_name(LST_SLICE("..\\..\\a"), false, "..%5C..%5Ca");
    check_name(LST_SLICE("C:a"), false, "C%3Aa");
    check_name(LST_SLICE("a/C:b 12:30"), false, "a/C:b 12:30");
    check_name(LST_SLICE("12:30"), false, "12:30");
    check_name(LST_SLICE("a\nb\x7f\0c"), false, "a%0Ab%7F%00c");
    check_name(LST_SLICE("..%5C..%5ca"), false, "..%255C..%255ca"); /* not that of "..\\..\\a" */
    check_name(LST_SLICE("%2E%2E/%2F/%0A%7F%3a%25"), false,
               "%252E%252E/%252F/%250A%257F%253a%2525");
    check_name(LST_SLICE("my%20file 100% %41 %"), false, "my%20file 100% %41 %");
    check_name(LST_SLICE("\xff\xc3\xbc"), false, "%FF%C3%BC");
}

static void test_longest(void)
{
    char path[LST_ZIP_PATH_MAX];
    char name[LST_ZIP_NAME_MAX];
    char record[LST_ZIP_RECORD_MAX];
    struct lst_zip_file file = {.size = UINT64_MAX, .offset = UINT64_MAX, .modified = 1};

    memset(path, '/', sizeof(path));
    CHECK(lst_zip_name(lst_slice_make(path, sizeof(path)), LST_ZIP_FILE_BESIDE, name) <=
              sizeof(name),
          "nothing but slashes fits");
    memset(path, '\xff', sizeof(path));
    file.name = lst_slice_make(
        name, lst_zip_name(lst_slice_make(path, sizeof(path)), LST_ZIP_FOLDER, name));
    CHECK(file.name.length == 3 * sizeof(path) + 1, "each byte as three");
    CHECK(lst_zip_head(&file, record) <= sizeof(record) &&
              lst_zip_entry(&file, record) <= sizeof(record) &&
              lst_zip_descriptor(&file, record) <= sizeof(record) &&
              lst_zip_end(UINT64_MAX, 1, 1, record) <= sizeof(record),
          "its records fit");
}

static uint64_t number_at(const char *record, size_t at, size_t bytes)
{
    uint64_t number = 0;

    for (size_t i = bytes; i > 0; i--) {
        number = number << 8 | (uint8_t)record[at + i - 1];
    }
    return number;
}

/* A file just below and at the size that 32 bits do not hold. */
static void test_large(void)
{
    char record[LST_ZIP_RECORD_MAX];
    struct lst_zip_file file = {
        .name = LST_SLICE("a"), .size = UINT32_MAX - 1, .has_crc = true, .modified = 1795503601};
    size_t small = lst_zip_head(&file, record);

    CHECK(number_at(record, 4, 2) == 20 && number_at(record, 18, 4) == UINT32_MAX - 1,
          "a size below 4 GiB stands in the head");
    CHECK(lst_zip_head(&file, NULL) == small, "the length is the same without writing");
    CHECK(lst_zip_descriptor(&file, record) == 0, "no descriptor where the CRC is known");
    file.size = UINT32_MAX;
    CHECK(lst_zip_head(&file, record) == small + 20 && number_at(record, 4, 2) == 45 &&
              number_at(record, 18, 4) == UINT32_MAX && number_at(record, 35, 8) == UINT32_MAX,
          "one above it in ZIP64");
    file.has_crc = false;
    CHECK(lst_zip_descriptor(&file, record) == 24 && number_at(record, 8, 8) == UINT32_MAX,
          "and its descriptor has 64 bits");
    CHECK(lst_zip_entry(&file, record) == 46 + 1 + 9 + 20, "an entry with both sizes");
    file.offset = UINT64_C(1) << 33;
    CHECK(lst_zip_entry(&file, record) == 46 + 1 + 9 + 28 &&
              number_at(record, 46 + 1 + 4 + 16, 8) == UINT64_C(1) << 33,
          "and with the offset");
    file.size = 1;
    CHECK(lst_zip_entry(&file, record) == 46 + 1 + 9 + 12 && number_at(record, 24, 4) == 1 &&
              number_at(record, 51, 8) == UINT64_C(1) << 33,
          "with the offset alone");
}

static void test_end(void)
{
    char record[LST_ZIP_RECORD_MAX];

    CHECK(lst_zip_end(UINT16_MAX - 1, 7, 9, record) == 22 &&
              number_at(record, 10, 2) == UINT16_MAX - 1 && number_at(record, 16, 4) == 7,
          "65,534 files in the plain end");
    CHECK(lst_zip_end(UINT16_MAX, 7, 9, record) == 98 && number_at(record, 32, 8) == UINT16_MAX &&
              number_at(record, 56 + 8, 8) == 16 && number_at(record, 76 + 10, 2) == UINT16_MAX,
          "65,535 in that of ZIP64");
    CHECK(lst_zip_end(1, UINT64_C(1) << 32, 9, record) == 98, "a directory behind 4 GiB, too");
}

static void test_times(void)
{
    char record[LST_ZIP_RECORD_MAX];
    struct lst_zip_file file = {.name = LST_SLICE("a"), .modified = 1795503601};

    (void)lst_zip_head(&file, record);
    CHECK(number_at(record, 10, 4) == 0x5D783800U, "a time of DOS: %llx",
          (unsigned long long)number_at(record, 10, 4));
    CHECK(number_at(record, 36, 4) == 1795503601, "and the exact one");
    file.modified = -1;
    CHECK(lst_zip_head(&file, record) == 31 && number_at(record, 10, 4) == 0x00210000U,
          "before 1980 it is 1980");
    file.modified = INT64_MAX;
    CHECK(lst_zip_head(&file, record) == 31, "and there is an end");
}

int main(void)
{
    test_names();
    test_longest();
    test_large();
    test_end();
    test_times();
    return tap_done();
}
