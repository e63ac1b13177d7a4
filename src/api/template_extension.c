/* template_extension.c - the usual extension of a file's name, by media type. */
#include "api/template.h"

struct extension {
    struct lst_slice type;
    struct lst_slice extension;
};
#define ROW(type, extension)                                                                       \
    {                                                                                              \
        {(type), sizeof(type) - 1},                                                                \
        {                                                                                          \
            (extension), sizeof(extension) - 1                                                     \
        }                                                                                          \
    }

/* What browsers send for what people upload; names as in the IANA registry, or as browsers say. */
static const struct extension extensions[] = {
    ROW("image/jpeg", "jpg"),
    ROW("image/jpg", "jpg"),
    ROW("image/png", "png"),
    ROW("image/gif", "gif"),
    ROW("image/webp", "webp"),
    ROW("image/avif", "avif"),
    ROW("image/heic", "heic"),
    ROW("image/heif", "heif"),
    ROW("image/svg+xml", "svg"),
    ROW("image/bmp", "bmp"),
    ROW("image/tiff", "tiff"),
    ROW("image/x-icon", "ico"),
    ROW("image/vnd.microsoft.icon", "ico"),
    ROW("video/mp4", "mp4"),
    ROW("video/webm", "webm"),
    ROW("video/quicktime", "mov"),
    ROW("audio/mpeg", "mp3"),
    ROW("audio/mp4", "m4a"),
    ROW("audio/ogg", "ogg"),
    ROW("audio/wav", "wav"),
    ROW("audio/x-wav", "wav"),
    ROW("audio/flac", "flac"),
    ROW("audio/webm", "weba"),
    ROW("text/plain", "txt"),
    ROW("text/csv", "csv"),
    ROW("text/html", "html"),
    ROW("text/css", "css"),
    ROW("text/markdown", "md"),
    ROW("text/calendar", "ics"),
    ROW("text/xml", "xml"),
    ROW("application/xml", "xml"),
    ROW("application/json", "json"),
    ROW("application/pdf", "pdf"),
    ROW("application/zip", "zip"),
    ROW("application/gzip", "gz"),
    ROW("application/x-tar", "tar"),
    ROW("application/rtf", "rtf"),
    ROW("application/epub+zip", "epub"),
    ROW("application/msword", "doc"),
    ROW("application/vnd.ms-excel", "xls"),
    ROW("application/vnd.ms-powerpoint", "ppt"),
    ROW("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    ROW("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    ROW("application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx"),
    ROW("application/vnd.oasis.opendocument.text", "odt"),
    ROW("application/vnd.oasis.opendocument.spreadsheet", "ods"),
};

struct lst_slice lst_template_extension(struct lst_slice type)
{
    for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
        if (lst_slice_equal_ignoring_case(type, extensions[i].type)) {
            return extensions[i].extension;
        }
    }
    return lst_slice_make("", 0);
}

struct lst_slice lst_template_type(struct lst_slice extension)
{
    for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
        if (lst_slice_equal_ignoring_case(extension, extensions[i].extension)) {
            return extensions[i].type;
        }
    }
    return lst_slice_make("", 0);
}
