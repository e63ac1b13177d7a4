/* content_svg.c - an SVG without script, read as it comes in. */
#include "s3/content_svg.h"

#include "base/buffer.h"

#include <expat.h>
#include <stdlib.h>

enum {
    DEPTH_MAX = 256,
    STYLE_MAX = 256 * 1024,  /* bytes of one style element */
    TOKEN_MAX = 1024 * 1024, /* of one tag with its attributes: the XML reader keeps it whole */
    PIECE = 16 * 1024,
};

struct lst_content_svg {
    XML_Parser parser;
    const char *problem; /* NULL as long as there is none */
    int64_t fed;         /* bytes */
    unsigned depth;
    unsigned style_depth;    /* of the style element that is being read; 0: none */
    struct lst_buffer style; /* its text */
};

static void refuse(struct lst_content_svg *svg, const char *problem)
{
    if (svg->problem == NULL) {
        svg->problem = problem;
        (void)XML_StopParser(svg->parser, XML_FALSE);
    }
}

static bool is_word(const char *name, const char *word)
{
    return lst_slice_equal_ignoring_case(lst_slice_of(name), lst_slice_of(word));
}

static bool begins(struct lst_slice text, const char *prefix)
{
    return lst_slice_starts_with_ignoring_case(text, lst_slice_of(prefix));
}

static struct lst_slice skip_space(struct lst_slice text)
{
    while (text.length > 0 && (unsigned char)text.bytes[0] <= ' ') {
        text = lst_slice_after(text, 1);
    }
    return text;
}

/* ---- Attributes */

/* Does the word stand in the text, whatever the case, and with any spaces and control characters
 * between its letters? Browsers take those out of a URL's scheme. */
static bool has_spread_word(struct lst_slice text, const char *word)
{
    for (size_t start = 0; start < text.length; start++) {
        size_t matched = 0;
        for (size_t i = start; i < text.length; i++) {
            if ((unsigned char)text.bytes[i] <= ' ') {
                if (matched == 0) {
                    break;
                }
                continue;
            }
            if ((text.bytes[i] | ('A' <= text.bytes[i] && text.bytes[i] <= 'Z' ? 0x20 : 0)) !=
                word[matched]) {
                break;
            }
            matched++;
            if (word[matched] == '\0') {
                return true;
            }
        }
    }
    return false;
}

/* What a reference may lead to: a fragment of this document, or a picture within it that can't run
 * script. */
static bool is_inner(struct lst_slice reference)
{
    static const char *const inner[] = {"data:image/png;", "data:image/jpeg;", "data:image/jpg;",
                                        "data:image/gif;", "data:image/webp;"};

    reference = skip_space(reference);
    if (reference.length == 0 || reference.bytes[0] == '#') {
        return true;
    }
    for (size_t i = 0; i < sizeof(inner) / sizeof(*inner); i++) {
        if (begins(reference, inner[i])) {
            return true;
        }
    }
    return false;
}

/* CSS that loads nothing. A backslash could hide any word. */
static bool is_inner_style(struct lst_slice css)
{
    for (size_t i = 0; i < css.length; i++) {
        struct lst_slice here = lst_slice_make(css.bytes + i, css.length - i);
        if (strchr("\\@iIeE-sSuU", css.bytes[i]) == NULL) {
            continue;
        }
        if (css.bytes[i] == '\\' || begins(here, "@import") || begins(here, "image-set(") ||
            begins(here, "expression(") || begins(here, "-moz-binding") || begins(here, "src(")) {
            return false;
        }
        if (begins(here, "url(")) {
            here = skip_space(lst_slice_after(here, strlen("url(")));
            if (here.length > 0 && (here.bytes[0] == '"' || here.bytes[0] == '\'')) {
                here = lst_slice_after(here, 1);
            }
            if (!is_inner(here)) {
                return false;
            }
        }
    }
    return true;
}

/* The part after the namespace, which expat sets before it. */
static const char *local_name(const XML_Char *name)
{
    const char *separator = strrchr(name, '\n');

    return separator == NULL ? name : separator + 1;
}

static bool is_reference(const char *name)
{
    static const char *const references[] = {"href",   "src",    "action", "formaction",
                                             "poster", "srcset", "data",   "base"};

    for (size_t i = 0; i < sizeof(references) / sizeof(*references); i++) {
        if (is_word(name, references[i])) {
            return true;
        }
    }
    return false;
}

/* Names that an animation may not change. */
static bool is_active_name(struct lst_slice name)
{
    size_t colon = lst_slice_find(name, ':');
    struct lst_slice local = colon < name.length ? lst_slice_after(name, colon + 1) : name;

    local = lst_slice_trim(local);
    return begins(local, "on") || lst_slice_equal_ignoring_case(local, LST_SLICE("href")) ||
           lst_slice_equal_ignoring_case(local, LST_SLICE("src"));
}

static const char *attribute_problem(const XML_Char *full_name, struct lst_slice value)
{
    const char *name = local_name(full_name);
    bool is_plain = name == full_name; /* of no namespace, as all that styles anything is */

    if (begins(lst_slice_of(name), "on")) {
        return "has an attribute that runs script";
    }
    if (has_spread_word(value, "javascript:") || has_spread_word(value, "vbscript:")) {
        return "has a javascript: address";
    }
    if (is_reference(name) ? !is_inner(value) : has_spread_word(value, "data:text")) {
        return "refers to something outside of itself";
    }
    if (is_word(name, "attributeName") && is_active_name(value)) {
        return "animates an attribute that leads elsewhere or runs script";
    }
    if (is_plain && !is_reference(name) && !is_inner_style(value)) {
        return "has a style that loads something";
    }
    return NULL;
}

/* ---- Elements */

static const char *element_problem(const XML_Char *name)
{
    static const char *const active[] = {
        "script", "foreignObject", "iframe",   "frame",   "embed", "object", "applet", "meta",
        "link",   "base",          "listener", "handler", "form",  "audio",  "video",
    };
    const char *local = local_name(name);

    if (begins(lst_slice_of(name), "http://www.w3.org/1999/xhtml\n")) {
        return "contains HTML";
    }
    for (size_t i = 0; i < sizeof(active) / sizeof(*active); i++) {
        if (is_word(local, active[i])) {
            return i == 0 ? "contains a script" : "contains an element that may run script";
        }
    }
    return NULL;
}

static void start_element(void *user, const XML_Char *name, const XML_Char **attributes)
{
    struct lst_content_svg *svg = user;
    const char *problem = element_problem(name);

    if (svg->problem != NULL) {
        return;
    }
    if (svg->depth == 0 && !is_word(local_name(name), "svg")) {
        problem = "is other XML";
    } else if (++svg->depth > DEPTH_MAX) {
        problem = "is nested too deeply";
    }
    for (size_t i = 0; problem == NULL && attributes[i] != NULL; i += 2) {
        problem = attribute_problem(attributes[i], lst_slice_of(attributes[i + 1]));
    }
    if (problem != NULL) {
        refuse(svg, problem);
    } else if (svg->style_depth == 0 && is_word(local_name(name), "style")) {
        svg->style_depth = svg->depth;
        lst_buffer_clear(&svg->style);
    }
}

static void end_element(void *user, const XML_Char *name)
{
    struct lst_content_svg *svg = user;

    (void)name;
    if (svg->problem != NULL) {
        return;
    }
    if (svg->style_depth == svg->depth) {
        svg->style_depth = 0;
        if (lst_buffer_status(&svg->style) != LST_OK) {
            refuse(svg, "has a style that is too long to be checked");
        } else if (!is_inner_style(lst_buffer_slice(&svg->style))) {
            refuse(svg, "has a style that loads something");
        }
    }
    svg->depth--;
}

static void take_text(void *user, const XML_Char *text, int length)
{
    struct lst_content_svg *svg = user;

    if (svg->style_depth > 0) {
        lst_buffer_append(&svg->style, lst_slice_make(text, (size_t)length));
    }
}

/* ---- The rest of XML */

static void start_doctype(void *user, const XML_Char *name, const XML_Char *system_id,
                          const XML_Char *public_id, int has_internal_subset)
{
    struct lst_content_svg *svg = user;

    (void)name;
    (void)public_id;
    if (has_internal_subset != 0) {
        refuse(svg, "declares entities or attributes");
    } else if (system_id != NULL && !begins(lst_slice_of(system_id), "http://www.w3.org/")) {
        refuse(svg, "refers to something outside of itself");
    }
}

/* XMP metadata stand between two of these. */
static void take_instruction(void *user, const XML_Char *target, const XML_Char *data)
{
    (void)data;
    if (!is_word(target, "xpacket")) {
        refuse(user, "has a processing instruction");
    }
}

int lst_content_svg_begin(struct lst_content_svg **ret_svg)
{
    struct lst_content_svg *svg = calloc(1, sizeof(*svg));

    if (svg == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    svg->parser = XML_ParserCreateNS(NULL, '\n');
    if (svg->parser == NULL) {
        free(svg);
        return LST_ERR_NO_MEMORY;
    }
    lst_buffer_init(&svg->style, STYLE_MAX);
    XML_SetUserData(svg->parser, svg);
    XML_SetElementHandler(svg->parser, start_element, end_element);
    XML_SetCharacterDataHandler(svg->parser, take_text);
    XML_SetStartDoctypeDeclHandler(svg->parser, start_doctype);
    XML_SetProcessingInstructionHandler(svg->parser, take_instruction);
    *ret_svg = svg;
    return LST_OK;
}

static int feed(struct lst_content_svg *svg, struct lst_slice piece, bool is_last)
{
    XML_Index done;

    if (XML_Parse(svg->parser, piece.bytes, (int)piece.length, is_last ? 1 : 0) == XML_STATUS_OK) {
        svg->fed += (int64_t)piece.length;
        done = XML_GetCurrentByteIndex(svg->parser);
        if (!is_last && svg->fed - (done > 0 ? done : 0) > TOKEN_MAX) {
            svg->problem = "has a tag that is too long to be checked";
            return LST_ERR_MALFORMED;
        }
        return LST_OK;
    }
    if (XML_GetErrorCode(svg->parser) == XML_ERROR_NO_MEMORY) {
        return LST_ERR_NO_MEMORY;
    }
    if (svg->problem == NULL) {
        svg->problem = "is not well-formed XML";
    }
    return LST_ERR_MALFORMED;
}

int lst_content_svg_take(struct lst_content_svg *svg, struct lst_slice bytes, bool is_last)
{
    int status = LST_OK;

    do {
        struct lst_slice piece = lst_slice_first(bytes, PIECE);
        bytes = lst_slice_after(bytes, piece.length);
        status = feed(svg, piece, is_last && bytes.length == 0);
    } while (status == LST_OK && bytes.length > 0);
    return status;
}

bool lst_content_svg_was_seen(const struct lst_content_svg *svg)
{
    return svg->depth > 0;
}

const char *lst_content_svg_problem(const struct lst_content_svg *svg)
{
    return svg->problem;
}

void lst_content_svg_free(struct lst_content_svg *svg)
{
    if (svg != NULL) {
        XML_ParserFree(svg->parser);
        lst_buffer_release(&svg->style);
        free(svg);
    }
}
