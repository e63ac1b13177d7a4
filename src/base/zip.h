/*
 * zip.h - the records of a ZIP archive whose files are stored as they are (APPNOTE.TXT 6.3.10).
 *
 * An archive is: for each file its head, its bytes and, unless the CRC-32 was known at the head, a
 * descriptor; then the directory, an entry for each file; then the end. Everything but the CRCs
 * follows from names, sizes and times, so the length of an archive can be told beforehand. Sizes,
 * offsets and numbers that need it are written as ZIP64. Names are UTF-8 and say so (bit 11).
 *
 * libarchive writes ZIP, too, but it does not tell the length beforehand, writes a descriptor even
 * if the CRC is known (Java's reader of streams refuses that for stored files), and its bytes
 * differ from version to version.
 */
#ifndef LST_BASE_ZIP_H
#define LST_BASE_ZIP_H

#include "base/slice.h"

#define LST_ZIP_PATH_MAX   1024                       /* bytes */
#define LST_ZIP_NAME_MAX   (4 * LST_ZIP_PATH_MAX + 6) /* of nothing but slashes */
#define LST_ZIP_RECORD_MAX (LST_ZIP_NAME_MAX + 128)   /* bytes of one record */

struct lst_zip_file {
    struct lst_slice name; /* as lst_zip_name() makes it; that of a folder ends in '/' */
    uint64_t size;         /* bytes */
    int64_t modified;      /* seconds since 1970 */
    uint64_t offset;       /* of its head in the archive */
    uint32_t crc;          /* for the head if has_crc; for descriptor and directory always */
    bool has_crc;          /* it was known at the head: there is no descriptor */
};

enum lst_zip_kind {
    LST_ZIP_FILE,
    LST_ZIP_FILE_BESIDE, /* a file whose path is also that of a folder: "a", where "a/b" is */
    LST_ZIP_FOLDER,
};

/*
 * The name of a file in an archive, from any path. Whoever unpacks it must get what the path says,
 * below the folder where it is unpacked: the bytes that would lead elsewhere, or that some system
 * takes for a separator, are written as %XX: control characters, '\', the dots of "." and "..",
 * the ':' of a drive, and what is not UTF-8. An empty part, as between two slashes, becomes "%2F",
 * apart from the last one of a folder. A file beside a folder ends in "%2F", since a file system
 * can't have both. A '%' that would look like one of these is written as %25, so no two paths of
 * UTF-8 have the same name. path: at most LST_ZIP_PATH_MAX bytes. Gives the length.
 */
size_t lst_zip_name(struct lst_slice path, enum lst_zip_kind kind, char ret_name[LST_ZIP_NAME_MAX]);

/* The records. Each gives its length, and writes it unless out is NULL. Lengths do not depend on
 * the CRC. */
size_t lst_zip_head(const struct lst_zip_file *file, char out[LST_ZIP_RECORD_MAX]);
size_t lst_zip_descriptor(const struct lst_zip_file *file, char out[LST_ZIP_RECORD_MAX]);
size_t lst_zip_entry(const struct lst_zip_file *file, char out[LST_ZIP_RECORD_MAX]);

/* count: files. start: the offset of the directory; size: its bytes. */
size_t lst_zip_end(uint64_t count, uint64_t start, uint64_t size, char out[LST_ZIP_RECORD_MAX]);

#endif
