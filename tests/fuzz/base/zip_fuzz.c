/*
 * zip_fuzz.c - any bytes as a path: its name in an archive leads nowhere else, and its records are
 * as long as was said before they were written.
 *
 * Input: the path, as that of a file and as that of a folder.
 */
#include "base/zip.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_part(struct lst_slice part)
{
    require(part.length > 0 && !lst_slice_equal(part, LST_SLICE(".")) &&
            !lst_slice_equal(part, LST_SLICE("..")));
    for (size_t i = 0; i < part.length; i++) {
        unsigned char byte = (unsigned char)part.bytes[i];

        require(byte >= 0x20 && byte != 0x7F && byte != '\\');
    }
}

static void check(struct lst_slice path, bool is_folder)
{
    char text[LST_ZIP_NAME_MAX];
    char record[LST_ZIP_RECORD_MAX];
    struct lst_slice name = {text,
                             lst_zip_name(path, is_folder ? LST_ZIP_FOLDER : LST_ZIP_FILE, text)};
    struct lst_zip_file file = {
        .name = name, .size = path.length, .modified = (int64_t)path.length};
    struct lst_slice rest = name;
    struct lst_slice part;

    require(name.length > 0 && name.length <= sizeof(text) && lst_slice_is_utf8(name));
    require((name.bytes[name.length - 1] == '/') == is_folder);
    rest.length -= is_folder ? 1 : 0;
    require(rest.length < 2 || rest.bytes[1] != ':' || (rest.bytes[0] | 0x20) < 'a' ||
            (rest.bytes[0] | 0x20) > 'z');
    while (lst_slice_split(&rest, '/', &part)) {
        check_part(part);
    }
    require(lst_zip_head(&file, NULL) == lst_zip_head(&file, record));
    require(lst_zip_descriptor(&file, NULL) == lst_zip_descriptor(&file, record));
    require(lst_zip_entry(&file, NULL) == lst_zip_entry(&file, record));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lst_slice path = lst_slice_make(data, size < LST_ZIP_PATH_MAX ? size : LST_ZIP_PATH_MAX);

    if (path.length > 0) {
        check(path, false);
        check(path, true);
    }
    return 0;
}
