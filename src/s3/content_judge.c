/* content_judge.c - does the beginning of some content agree with a media type? */
#include "s3/content_judge.h"

/* Types that a program runs, a browser shows as a page, or an archive tool opens: not to be found
 * in anything else. */
static const char *const intruders[] = {
    "text/html",
    "application/xhtml+xml",
    "image/svg+xml",
    "text/x-php",
    "text/x-shellscript",
    "application/javascript",
    "application/pdf",
    "application/zip",
    "application/java-archive",
    "application/x-rar",
    "application/x-7z-compressed",
    "application/x-dosexec",
    "application/vnd.microsoft.portable-executable",
    "application/x-executable",
    "application/x-pie-executable",
    "application/x-sharedlib",
    "application/x-object",
    "application/x-mach-binary",
    "application/wasm",
};

/* Signs of something else at places that libmagic does not look at: in the comments and metadata
 * of pictures. In lower case; none of them comes about by chance in 8 KiB of compressed bytes. */
static const struct {
    const char *text;
    const char *type;
} signs[] = {
    {"<script", "text/html"}, {"<html", "text/html"},       {"<!doctype html", "text/html"},
    {"<?php", "text/x-php"},  {"%pdf-", "application/pdf"}, {"<iframe", "text/html"},
};

static bool begins(struct lst_slice text, const char *prefix)
{
    return lst_slice_starts_with_ignoring_case(text, lst_slice_of(prefix));
}

static bool is_intruder(struct lst_slice type)
{
    for (size_t i = 0; i < sizeof(intruders) / sizeof(*intruders); i++) {
        if (lst_slice_equal_ignoring_case(type, lst_slice_of(intruders[i]))) {
            return true;
        }
    }
    return false;
}

/* Does it begin as a page, by the table with which browsers look for HTML in what has no type
 * ("MIME Sniffing", section 7.1)? libmagic looks less far behind white space, and for fewer tags.
 */
static bool begins_as_page(struct lst_slice head)
{
    static const char *const starts[] = {
        "<!doctype html", "<html", "<head",  "<script", "<iframe", "<h1",   "<div", "<font",
        "<table",         "<a",    "<style", "<title",  "<b",      "<body", "<br",  "<p",
        "<!--",           "<svg",  "<meta",  "<link",
    };

    if (lst_slice_starts_with(head, LST_SLICE("\xEF\xBB\xBF"))) {
        head = lst_slice_after(head, 3);
    }
    while (head.length > 0 && strchr(" \t\r\n\f", head.bytes[0]) != NULL && head.bytes[0] != '\0') {
        head = lst_slice_after(head, 1);
    }
    for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++) {
        struct lst_slice rest = lst_slice_after(head, strlen(starts[i]));

        if (begins(head, starts[i]) && (starts[i][1] == '!' || rest.length == 0 ||
                                        strchr(" \t\r\n\f/>", rest.bytes[0]) != NULL)) {
            return true;
        }
    }
    return false;
}

/* ---- Text */

/* Without control characters that no text has; UTF-16 only with its mark. */
static bool is_text(struct lst_slice head)
{
    if (lst_slice_starts_with(head, LST_SLICE("\xFF\xFE")) ||
        lst_slice_starts_with(head, LST_SLICE("\xFE\xFF"))) {
        return true;
    }
    for (size_t i = 0; i < head.length; i++) {
        unsigned char byte = (unsigned char)head.bytes[i];
        bool is_space = (byte >= '\a' && byte <= '\r') || byte == '\x1B';
        if ((byte < ' ' && !is_space) || byte == 0x7F) {
            return false;
        }
    }
    return true;
}

/* May a text of the type be what is reported? libmagic takes text for scripts, sources and mails of
 * many kinds, by a word or two: what matters is that it is nothing that a browser shows. */
static bool text_may_be(struct lst_slice type, struct lst_slice report)
{
    if (lst_content_is_html(report)) {
        return lst_content_is_html(type);
    }
    return !lst_content_is_svg(report) && !begins(report, "image/") && !begins(report, "audio/") &&
           !begins(report, "video/") && !lst_slice_equal(report, LST_SLICE("application/pdf"));
}

static bool text_agrees(const struct lst_content_sight *sight, struct lst_slice type,
                        struct lst_slice *ret_culprit)
{
    const struct lst_content_reports *reports = sight->reports;

    if (!is_text(sight->head)) {
        *ret_culprit = lst_content_detected(sight);
        return false;
    }
    for (size_t i = 0; i < reports->count; i++) {
        if (!text_may_be(type, reports->types[i])) {
            *ret_culprit = reports->types[i];
            return false;
        }
    }
    /* Markdown may begin with a tag, and often does. */
    *ret_culprit = LST_SLICE("text/html");
    return lst_content_is_html(type) ||
           lst_slice_equal_ignoring_case(type, LST_SLICE("text/markdown")) ||
           !begins_as_page(sight->head);
}

/* ---- Everything else */

struct lst_slice lst_content_detected(const struct lst_content_sight *sight)
{
    if (sight->head.length == 0) {
        return LST_SLICE("application/x-empty");
    }
    if (sight->reports->count > 0) {
        return sight->reports->types[0];
    }
    return is_text(sight->head) ? LST_SLICE("text/plain") : LST_SLICE("application/octet-stream");
}

/* Does one of the signs stand somewhere in the head? */
static bool has_sign(struct lst_slice head, struct lst_slice *ret_culprit)
{
    for (size_t i = 0; i < head.length; i++) {
        if (head.bytes[i] != '<' && head.bytes[i] != '%') {
            continue;
        }
        for (size_t j = 0; j < sizeof(signs) / sizeof(*signs); j++) {
            if (begins(lst_slice_after(head, i), signs[j].text)) {
                *ret_culprit = lst_slice_of(signs[j].type);
                return true;
            }
        }
    }
    return false;
}

/* A GIF whose width, or a JPEG whose first length, opens a comment of JavaScript: the usual way to
 * make a picture that is also a script. */
static bool is_script_picture(struct lst_slice head, struct lst_slice *ret_culprit)
{
    struct lst_slice after_gif = lst_slice_after(head, strlen("GIF89a"));
    struct lst_slice after_jpeg = lst_slice_after(head, strlen("\xFF\xD8\xFF\xE0"));
    bool is_gif = lst_slice_starts_with(head, LST_SLICE("GIF8"));
    bool is_jpeg = lst_slice_starts_with(head, LST_SLICE("\xFF\xD8\xFF"));

    *ret_culprit = LST_SLICE("application/javascript");
    return (is_gif && (lst_slice_starts_with(after_gif, LST_SLICE("/*")) ||
                       lst_slice_starts_with(after_gif, LST_SLICE("//")) ||
                       (after_gif.length > 1 && after_gif.bytes[0] == '=' &&
                        after_gif.bytes[1] >= ' ' && after_gif.bytes[1] < 0x7F))) ||
           (is_jpeg && lst_slice_starts_with(after_jpeg, LST_SLICE("/*")));
}

/* Something else within what is, at first sight, of the type? */
static bool has_intruder(const struct lst_content_sight *sight, struct lst_slice type,
                         struct lst_slice *ret_culprit)
{
    const struct lst_content_reports *reports = sight->reports;

    for (size_t i = 0; i < reports->count; i++) {
        if (!lst_content_types_agree(type, reports->types[i]) && is_intruder(reports->types[i])) {
            *ret_culprit = reports->types[i];
            return true;
        }
    }
    if (begins_as_page(sight->head)) {
        *ret_culprit = LST_SLICE("text/html");
        return true;
    }
    if (begins(type, "image/") || begins(type, "audio/") || begins(type, "video/") ||
        begins(type, "font/")) {
        return has_sign(sight->head, ret_culprit) || is_script_picture(sight->head, ret_culprit);
    }
    return false;
}

bool lst_content_agrees(const struct lst_content_sight *sight, struct lst_slice type,
                        struct lst_slice *ret_culprit)
{
    const struct lst_content_reports *reports = sight->reports;
    bool fits;

    if (lst_content_claims_nothing(type)) {
        return true;
    }
    if (lst_content_is_text_type(type)) {
        return text_agrees(sight, type, ret_culprit);
    }
    if (reports->count > 0) {
        fits = lst_content_types_agree(type, reports->types[0]) ||
               (!lst_content_is_recognisable(type) && begins(reports->types[0], "text/"));
    } else {
        fits = !lst_content_is_recognisable(type);
    }
    if (!fits) {
        *ret_culprit = lst_content_detected(sight);
        return false;
    }
    return !has_intruder(sight, type, ret_culprit);
}
