/* zip.c - the records of a ZIP archive. */
#include "base/zip.h"

#include "base/clock.h"
#include "base/encoding.h"

#include <time.h>

enum {
    VERSION_STORE = 20, /* folders */
    VERSION_ZIP64 = 45,
    MADE_ON_UNIX = 3 << 8,
    FLAG_DESCRIPTOR = 1 << 3,
    FLAG_UTF8 = 1 << 11,
    EXTRA_ZIP64 = 0x0001,
    EXTRA_TIME = 0x5455, /* "UT": the extended timestamp of Info-ZIP */
    FOLDER_OF_DOS = 0x10,
};

#define MODE_OF_FILE   0100644U
#define MODE_OF_FOLDER 0040755U

/* ---- Writing */

/* Counts alone if there is nowhere to write to. */
struct record {
    char *out;
    size_t length;
};

static struct record begin(char *out)
{
    struct record record;

    record.out = out;
    record.length = 0;
    return record;
}

static void put(struct record *record, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (record->out != NULL) {
            record->out[record->length] = (char)(value >> (8 * i) & 0xFF);
        }
        record->length++;
    }
}

static void put_text(struct record *record, struct lst_slice text)
{
    if (record->out != NULL && text.length > 0) {
        memcpy(record->out + record->length, text.bytes, text.length);
    }
    record->length += text.length;
}

/* ---- What is known of a file */

static bool is_folder(const struct lst_zip_file *file)
{
    return file->name.length > 0 && file->name.bytes[file->name.length - 1] == '/';
}

static bool has_descriptor(const struct lst_zip_file *file)
{
    return !file->has_crc && !is_folder(file);
}

static bool is_large(uint64_t number)
{
    return number >= UINT32_MAX;
}

static uint64_t short_form(uint64_t number)
{
    return is_large(number) ? UINT32_MAX : number;
}

/* Two seconds are its finest; UTC, since it has no zone; 1980 to 2107. */
static uint32_t dos_time(int64_t seconds)
{
    static const int64_t first = 315532800; /* 1980 */
    static const int64_t last = 4354819198; /* 2107 */
    time_t when = (time_t)(seconds < first ? first : seconds > last ? last : seconds);
    struct tm parts;

    if (gmtime_r(&when, &parts) == NULL) {
        return 0;
    }
    return ((uint32_t)parts.tm_year - 80) << 25 | ((uint32_t)parts.tm_mon + 1) << 21 |
           (uint32_t)parts.tm_mday << 16 | (uint32_t)parts.tm_hour << 11 |
           (uint32_t)parts.tm_min << 5 | (uint32_t)parts.tm_sec / 2;
}

/* The seconds exactly, as long as 32 bits hold them. */
static bool has_time(const struct lst_zip_file *file)
{
    return file->modified >= 0 && file->modified <= INT32_MAX;
}

static void put_time(struct record *record, const struct lst_zip_file *file)
{
    if (has_time(file)) {
        put(record, EXTRA_TIME, 2);
        put(record, 5, 2);
        put(record, 1, 1); /* it is the time of modification */
        put(record, (uint64_t)file->modified, 4);
    }
}

/* What head and entry have in common: from the version that is needed up to the CRC. */
static void put_kind(struct record *record, const struct lst_zip_file *file, bool needs_zip64)
{
    put(record, needs_zip64 ? VERSION_ZIP64 : VERSION_STORE, 2);
    put(record, FLAG_UTF8 | (has_descriptor(file) ? FLAG_DESCRIPTOR : 0), 2);
    put(record, 0, 2); /* stored */
    put(record, dos_time(file->modified), 4);
}

/* ---- The records */

size_t lst_zip_head(const struct lst_zip_file *file, char out[LST_ZIP_RECORD_MAX])
{
    struct record record = begin(out);
    bool is_zip64 = is_large(file->size);
    uint64_t size = has_descriptor(file) && !is_zip64 ? 0 : short_form(file->size);

    put(&record, 0x04034B50, 4);
    put_kind(&record, file, is_zip64);
    put(&record, file->has_crc ? file->crc : 0, 4);
    put(&record, size, 4);
    put(&record, size, 4);
    put(&record, file->name.length, 2);
    put(&record, (has_time(file) ? 9U : 0) + (is_zip64 ? 20U : 0), 2);
    put_text(&record, file->name);
    if (is_zip64) {
        put(&record, EXTRA_ZIP64, 2);
        put(&record, 16, 2);
        put(&record, file->size, 8);
        put(&record, file->size, 8);
    }
    put_time(&record, file);
    return record.length;
}

size_t lst_zip_descriptor(const struct lst_zip_file *file, char out[LST_ZIP_RECORD_MAX])
{
    struct record record = begin(out);
    size_t width = is_large(file->size) ? 8 : 4;

    if (has_descriptor(file)) {
        put(&record, 0x08074B50, 4);
        put(&record, file->crc, 4);
        put(&record, file->size, width);
        put(&record, file->size, width);
    }
    return record.length;
}

size_t lst_zip_entry(const struct lst_zip_file *file, char out[LST_ZIP_RECORD_MAX])
{
    struct record record = begin(out);
    size_t large = (is_large(file->size) ? 16U : 0) + (is_large(file->offset) ? 8U : 0);
    uint32_t mode = is_folder(file) ? MODE_OF_FOLDER << 16 | FOLDER_OF_DOS : MODE_OF_FILE << 16;

    put(&record, 0x02014B50, 4);
    put(&record, MADE_ON_UNIX | VERSION_ZIP64, 2);
    put_kind(&record, file, large > 0);
    put(&record, file->crc, 4);
    put(&record, short_form(file->size), 4);
    put(&record, short_form(file->size), 4);
    put(&record, file->name.length, 2);
    put(&record, (has_time(file) ? 9U : 0) + (large > 0 ? 4 + large : 0), 2);
    put(&record, 0, 2); /* no comment */
    put(&record, 0, 2); /* on this disk */
    put(&record, 0, 2);
    put(&record, mode, 4);
    put(&record, short_form(file->offset), 4);
    put_text(&record, file->name);
    if (large > 0) {
        put(&record, EXTRA_ZIP64, 2);
        put(&record, large, 2);
        if (is_large(file->size)) {
            put(&record, file->size, 8);
            put(&record, file->size, 8);
        }
        if (is_large(file->offset)) {
            put(&record, file->offset, 8);
        }
    }
    put_time(&record, file);
    return record.length;
}

size_t lst_zip_end(uint64_t count, uint64_t start, uint64_t size, char out[LST_ZIP_RECORD_MAX])
{
    struct record record = begin(out);

    if (count >= UINT16_MAX || is_large(start) || is_large(size)) {
        put(&record, 0x06064B50, 4);
        put(&record, 44, 8); /* bytes that follow in this record */
        put(&record, MADE_ON_UNIX | VERSION_ZIP64, 2);
        put(&record, VERSION_ZIP64, 2);
        put(&record, 0, 4);
        put(&record, 0, 4);
        put(&record, count, 8);
        put(&record, count, 8);
        put(&record, size, 8);
        put(&record, start, 8);
        put(&record, 0x07064B50, 4); /* where that record is */
        put(&record, 0, 4);
        put(&record, start + size, 8);
        put(&record, 1, 4);
    }
    count = count >= UINT16_MAX ? UINT16_MAX : count;
    put(&record, 0x06054B50, 4);
    put(&record, 0, 2);
    put(&record, 0, 2);
    put(&record, count, 2);
    put(&record, count, 2);
    put(&record, short_form(size), 4);
    put(&record, short_form(start), 4);
    put(&record, 0, 2); /* no comment */
    return record.length;
}

/* ---- Names */

static void put_escaped(struct record *record, char byte)
{
    static const char digits[] = "0123456789ABCDEF";

    put(record, '%', 1);
    put(record, (uint8_t)digits[(uint8_t)byte >> 4], 1);
    put(record, (uint8_t)digits[(uint8_t)byte & 15], 1);
}

static bool is_letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* Does the text begin with what put_escaped() writes for one of the bytes that are escaped? Then
 * that stands in the path itself, and must not become the name of another path. */
static bool is_escape(struct lst_slice text)
{
    unsigned char byte;

    return text.length >= 3 && text.bytes[0] == '%' &&
           lst_hex_decode(lst_slice_make(text.bytes + 1, 2), &byte, 1) &&
           (byte < 0x20 || byte == 0x7F || strchr("%./:\\", byte) != NULL);
}

/* What stands between two slashes. */
static void put_part(struct record *record, struct lst_slice part, bool is_utf8, bool is_first)
{
    bool is_dots = lst_slice_equal(part, LST_SLICE(".")) || lst_slice_equal(part, LST_SLICE(".."));
    bool is_drive;

    if (part.length == 0 || part.bytes == NULL) {
        put_escaped(record, '/');
        return;
    }
    is_drive = is_first && part.length >= 2 && is_letter(part.bytes[0]);
    for (size_t i = 0; i < part.length; i++) {
        unsigned char byte = (unsigned char)part.bytes[i];

        if (byte < 0x20 || byte == 0x7F || byte == '\\' || is_dots || (byte > 0x7F && !is_utf8) ||
            (byte == ':' && i == 1 && is_drive) || is_escape(lst_slice_after(part, i))) {
            put_escaped(record, part.bytes[i]);
        } else {
            put(record, byte, 1);
        }
    }
}

size_t lst_zip_name(struct lst_slice path, enum lst_zip_kind kind, char ret_name[LST_ZIP_NAME_MAX])
{
    struct record record = begin(ret_name);
    bool is_utf8 = lst_slice_is_utf8(path);
    bool ends = kind == LST_ZIP_FOLDER && path.length > 0 && path.bytes[path.length - 1] == '/';
    size_t at = 0;

    path.length -= ends ? 1 : 0;
    for (;;) {
        struct lst_slice rest = lst_slice_after(path, at);
        struct lst_slice part = lst_slice_first(rest, lst_slice_find(rest, '/'));

        put_part(&record, part, is_utf8, at == 0);
        at += part.length + 1;
        if (at > path.length) {
            break;
        }
        put(&record, '/', 1);
    }
    if (kind == LST_ZIP_FOLDER) {
        put(&record, '/', 1);
    } else if (kind == LST_ZIP_FILE_BESIDE) {
        put_escaped(&record, '/');
    }
    return record.length;
}
