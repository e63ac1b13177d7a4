/* content_types.c - media types: which are synonyms, which are text, which are recognisable. */
#include "s3/content_types.h"

/* What of a group stands for all of it: any member agrees with a report of it, and it agrees with
 * reports of any member. Members that are kinds of their own agree only with themselves. */
enum standing { KIND, GENERIC };

enum group {
    BMP = 1,
    FONT,
    GZIP,
    HEIF,
    ICON,
    ISO_MEDIA,
    JPEG,
    MATROSKA,
    MP3,
    AAC,
    AVI,
    FLAC,
    MIDI,
    OGG,
    OLE,
    PDF,
    PHOTOSHOP,
    PNG,
    RAR,
    RTF,
    TAR,
    TIFF,
    WAV,
    WOFF,
    ZIP,
};

static const struct {
    const char *type;
    enum group group;
    enum standing standing;
} members[] = {
    {"image/jpeg", JPEG, GENERIC},
    {"image/jpg", JPEG, GENERIC},
    {"image/pjpeg", JPEG, GENERIC},
    {"image/png", PNG, GENERIC},
    {"image/apng", PNG, GENERIC},
    {"image/vnd.mozilla.apng", PNG, GENERIC},
    {"image/x-png", PNG, GENERIC},
    {"image/bmp", BMP, GENERIC},
    {"image/x-bmp", BMP, GENERIC},
    {"image/x-ms-bmp", BMP, GENERIC},
    {"image/vnd.microsoft.icon", ICON, GENERIC},
    {"image/x-icon", ICON, GENERIC},
    {"image/heic", HEIF, GENERIC},
    {"image/heif", HEIF, GENERIC},
    {"image/heic-sequence", HEIF, GENERIC},
    {"image/heif-sequence", HEIF, GENERIC},
    {"image/tiff", TIFF, GENERIC},
    {"image/x-adobe-dng", TIFF, KIND},
    {"image/x-canon-cr2", TIFF, KIND},
    {"image/x-nikon-nef", TIFF, KIND},
    {"image/x-sony-arw", TIFF, KIND},
    {"image/vnd.adobe.photoshop", PHOTOSHOP, GENERIC},
    {"image/x-photoshop", PHOTOSHOP, GENERIC},
    {"audio/mpeg", MP3, GENERIC},
    {"audio/mp3", MP3, GENERIC},
    {"audio/x-mp3", MP3, GENERIC},
    {"audio/wav", WAV, GENERIC},
    {"audio/x-wav", WAV, GENERIC},
    {"audio/wave", WAV, GENERIC},
    {"audio/vnd.wave", WAV, GENERIC},
    {"audio/aac", AAC, GENERIC},
    {"audio/aacp", AAC, GENERIC},
    {"audio/x-hx-aac-adts", AAC, GENERIC},
    {"audio/flac", FLAC, GENERIC},
    {"audio/x-flac", FLAC, GENERIC},
    {"audio/midi", MIDI, GENERIC},
    {"audio/x-midi", MIDI, GENERIC},
    {"audio/ogg", OGG, GENERIC},
    {"audio/opus", OGG, GENERIC},
    {"video/ogg", OGG, GENERIC},
    {"application/ogg", OGG, GENERIC},
    {"video/mp4", ISO_MEDIA, GENERIC},
    {"video/x-m4v", ISO_MEDIA, GENERIC},
    {"video/3gpp", ISO_MEDIA, GENERIC},
    {"video/3gpp2", ISO_MEDIA, GENERIC},
    {"audio/mp4", ISO_MEDIA, GENERIC},
    {"audio/m4a", ISO_MEDIA, GENERIC},
    {"audio/x-m4a", ISO_MEDIA, GENERIC},
    {"audio/3gpp", ISO_MEDIA, GENERIC},
    {"video/webm", MATROSKA, GENERIC},
    {"video/x-matroska", MATROSKA, GENERIC},
    {"audio/webm", MATROSKA, GENERIC},
    {"video/x-msvideo", AVI, GENERIC},
    {"video/avi", AVI, GENERIC},
    {"video/msvideo", AVI, GENERIC},
    {"font/sfnt", FONT, GENERIC},
    {"font/ttf", FONT, GENERIC},
    {"font/otf", FONT, GENERIC},
    {"application/font-sfnt", FONT, GENERIC},
    {"application/vnd.ms-opentype", FONT, GENERIC},
    {"application/x-font-ttf", FONT, GENERIC},
    {"application/x-font-otf", FONT, GENERIC},
    {"font/woff", WOFF, GENERIC},
    {"application/font-woff", WOFF, GENERIC},
    {"application/pdf", PDF, GENERIC},
    {"application/x-pdf", PDF, GENERIC},
    {"application/gzip", GZIP, GENERIC},
    {"application/x-gzip", GZIP, GENERIC},
    {"application/x-tgz", GZIP, KIND},
    {"application/x-rar", RAR, GENERIC},
    {"application/vnd.rar", RAR, GENERIC},
    {"application/x-rar-compressed", RAR, GENERIC},
    {"application/x-tar", TAR, GENERIC},
    {"application/x-ustar", TAR, GENERIC},
    {"application/x-gtar", TAR, GENERIC},
    {"text/rtf", RTF, GENERIC},
    {"application/rtf", RTF, GENERIC},
    {"application/x-ole-storage", OLE, GENERIC},
    {"application/CDFV2", OLE, GENERIC},
    {"application/msword", OLE, KIND},
    {"application/vnd.ms-excel", OLE, KIND},
    {"application/vnd.ms-powerpoint", OLE, KIND},
    {"application/vnd.ms-outlook", OLE, KIND},
    {"application/zip", ZIP, GENERIC},
    {"application/x-zip-compressed", ZIP, GENERIC},
    {"application/java-archive", ZIP, KIND},
    {"application/vnd.android.package-archive", ZIP, KIND},
    {"application/epub+zip", ZIP, KIND},
    {"model/3mf", ZIP, KIND},
};

/* What is text by other names. */
static const char *const text_types[] = {
    "application/ecmascript",   "application/graphql",  "application/javascript",
    "application/json",         "application/jsonl",    "application/ndjson",
    "application/sql",          "application/toml",     "application/x-httpd-php",
    "application/x-javascript", "application/x-ndjson", "application/x-sh",
    "application/x-yaml",       "application/xml",      "application/yaml",
};

struct lst_slice lst_content_essence(struct lst_slice content_type)
{
    return lst_slice_trim(lst_slice_first(content_type, lst_slice_find(content_type, ';')));
}

static bool is(struct lst_slice type, const char *name)
{
    return lst_slice_equal_ignoring_case(type, lst_slice_of(name));
}

static bool begins(struct lst_slice type, const char *prefix)
{
    return lst_slice_starts_with_ignoring_case(type, lst_slice_of(prefix));
}

static bool ends(struct lst_slice type, const char *suffix)
{
    struct lst_slice end = lst_slice_of(suffix);

    return type.length > end.length &&
           lst_slice_equal_ignoring_case(lst_slice_after(type, type.length - end.length), end);
}

bool lst_content_claims_nothing(struct lst_slice type)
{
    return type.length == 0 || is(type, "application/octet-stream") ||
           is(type, "binary/octet-stream");
}

bool lst_content_is_svg(struct lst_slice type)
{
    return is(type, "image/svg+xml") || is(type, "image/svg");
}

/* 0: in none. */
static enum group group_of(struct lst_slice type, enum standing *ret_standing)
{
    *ret_standing = KIND;
    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
        if (is(type, members[i].type)) {
            *ret_standing = members[i].standing;
            return members[i].group;
        }
    }
    if (begins(type, "application/vnd.openxmlformats-") ||
        begins(type, "application/vnd.oasis.opendocument.") || ends(type, "+zip")) {
        return ZIP;
    }
    return 0;
}

bool lst_content_types_agree(struct lst_slice type, struct lst_slice report)
{
    enum standing type_standing;
    enum standing report_standing;
    enum group group = group_of(type, &type_standing);

    if (lst_slice_equal_ignoring_case(type, report)) {
        return true;
    }
    return group != 0 && group == group_of(report, &report_standing) &&
           (type_standing == GENERIC || report_standing == GENERIC);
}

bool lst_content_is_text_type(struct lst_slice type)
{
    for (size_t i = 0; i < sizeof(text_types) / sizeof(*text_types); i++) {
        if (is(type, text_types[i])) {
            return true;
        }
    }
    return (begins(type, "text/") && !is(type, "text/rtf")) || begins(type, "message/") ||
           ends(type, "+json") || ends(type, "+xml") || ends(type, "+yaml");
}

bool lst_content_is_html(struct lst_slice type)
{
    return is(type, "text/html") || is(type, "application/xhtml+xml");
}

bool lst_content_is_recognisable(struct lst_slice type)
{
    enum standing standing;

    return begins(type, "image/") || begins(type, "audio/") || begins(type, "video/") ||
           begins(type, "font/") || group_of(type, &standing) != 0;
}

bool lst_content_is_xml(struct lst_slice type)
{
    /* text/rdf: Firefox reads it as XML. The x- names are old ones of the same. */
    return is(type, "application/xml") || is(type, "text/xml") || is(type, "text/xsl") ||
           is(type, "text/rdf") || is(type, "application/x-xml") || is(type, "text/x-xml") ||
           (ends(type, "+xml") && !lst_content_is_svg(type) && !lst_content_is_html(type));
}

static bool is_token(struct lst_slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        char c = text.bytes[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c != '\0' && c != '*' && strchr("!#$%&'+-.^_`|~", c) != NULL))) {
            return false;
        }
    }
    return text.length > 0;
}

bool lst_content_is_definite(struct lst_slice type)
{
    size_t slash = lst_slice_find(type, '/');

    return is_token(lst_slice_first(type, slash)) && is_token(lst_slice_after(type, slash + 1)) &&
           !begins(type, "unknown/") && !is(type, "application/unknown") &&
           !begins(type, "multipart/");
}

/* One in which every byte below 0x80 is that letter of ASCII, whatever stands before it. */
static bool is_plain_charset(struct lst_slice name)
{
    static const char *const plain[] = {"utf-8",      "utf8",   "us-ascii",    "ascii",
                                        "iso-8859-1", "latin1", "windows-1252"};

    for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++) {
        if (is(name, plain[i])) {
            return true;
        }
    }
    return false;
}

bool lst_content_charset_is_plain(struct lst_slice content_type)
{
    struct lst_slice part;

    /* Also what only looks like a parameter, within quotes: too much is refused, never too little.
     */
    while (lst_slice_split(&content_type, ';', &part)) {
        struct lst_slice value =
            lst_slice_trim(lst_slice_after(part, lst_slice_find(part, '=') + 1));

        if (value.length > 1 && value.bytes[0] == '"') {
            value = lst_slice_after(value, 1);
            value = lst_slice_first(value, lst_slice_find(value, '"'));
        }
        if (begins(lst_slice_trim(part), "charset") && !is_plain_charset(value)) {
            return false;
        }
    }
    return true;
}
