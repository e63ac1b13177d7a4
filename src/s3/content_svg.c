/* content_svg.c - an SVG, or other XML, that runs nothing, read as it comes in. */
#include "s3/content_svg.h"

#include "base/budget.h"
#include "base/buffer.h"
#include "s3/content_rules.h"

#include <expat.h>
#include <stdlib.h>

enum {
    DEPTH_MAX = 256,
    STYLE_MAX = 256 * 1024,  /* bytes of one style element */
    TOKEN_MAX = 1024 * 1024, /* of one tag with its attributes: the XML reader keeps it whole */
    /* Bytes that the XML reader is handed at a time: it reads an unfinished tag anew each time. */
    BLOCK = 32 * 1024,
};

struct lst_content_svg {
    XML_Parser parser;
    enum lst_content_xml_kind kind;
    const char *problem;  /* NULL as long as there is none */
    const char *detected; /* what is seen that is not declared; NULL: nothing */
    bool has_no_memory;   /* for what has to be looked at whole */
    bool has_external;    /* a document type that leads elsewhere */
    int64_t fed;          /* bytes */
    unsigned depth;
    unsigned style_depth;    /* of the style element that is being read; 0: none */
    struct lst_buffer style; /* its text */
    size_t gathered;         /* bytes of the block */
    char block[BLOCK];
};

static void refuse(struct lst_content_svg *svg, const char *problem)
{
    if (svg->problem == NULL) {
        svg->problem = problem;
        (void)XML_StopParser(svg->parser, XML_FALSE);
    }
}

/* ---- Elements */

/* Does the tag that is being read refer to an entity that XML itself does not have? expat passes
 * over such a reference in an attribute where the document type leads elsewhere; a browser may know
 * it. */
static bool refers_to_entity(const struct lst_content_svg *svg)
{
    int offset = 0;
    int size = 0;
    const char *context = XML_GetInputContext(svg->parser, &offset, &size);
    struct lst_slice tag;
    size_t at;

    if (context == NULL) {
        return true;
    }
    tag = lst_slice_first(lst_slice_make(context + offset, (size_t)(size - offset)),
                          (size_t)XML_GetCurrentByteCount(svg->parser));
    if (lst_slice_find(tag, '\0') < tag.length) {
        return true; /* UTF-16 */
    }
    for (at = lst_slice_find(tag, '&'); at < tag.length; at = lst_slice_find(tag, '&')) {
        tag = lst_slice_after(tag, at + 1);
        if (!lst_slice_starts_with(tag, LST_SLICE("#")) &&
            !lst_slice_starts_with(tag, LST_SLICE("amp;")) &&
            !lst_slice_starts_with(tag, LST_SLICE("lt;")) &&
            !lst_slice_starts_with(tag, LST_SLICE("gt;")) &&
            !lst_slice_starts_with(tag, LST_SLICE("quot;")) &&
            !lst_slice_starts_with(tag, LST_SLICE("apos;"))) {
            return true;
        }
    }
    return false;
}

static void start_element(void *user, const XML_Char *name, const XML_Char **attributes)
{
    struct lst_content_svg *svg = user;
    bool is_svg = svg->kind == LST_XML_SVG;
    bool is_math = lst_xml_is_in(name, "http://www.w3.org/1998/Math/MathML");
    const char *problem;

    if (svg->problem != NULL) {
        return;
    }
    problem = is_svg ? lst_svg_element_problem(name)
                     : lst_xml_element_problem(svg->kind, name, svg->depth == 0, &svg->detected);
    if (svg->depth == 0 && is_svg && !lst_xml_is_word(lst_xml_local_name(name), "svg")) {
        problem = "is other XML";
    } else if (++svg->depth > DEPTH_MAX) {
        problem = "is nested too deeply";
    } else if (svg->style_depth > 0) {
        /* A browser reads the style around it: of "@im<g>x</g>port" it sees an @import. */
        problem = "has an element within a style";
    } else if (svg->has_external && refers_to_entity(svg)) {
        problem = "refers to an entity that it does not declare";
    }
    for (size_t i = 0; problem == NULL && attributes[i] != NULL; i += 2) {
        struct lst_slice value = lst_slice_of(attributes[i + 1]);
        problem = is_svg ? lst_svg_attribute_problem(attributes[i], value)
                         : lst_xml_attribute_problem(attributes[i], value, is_math);
    }
    if (problem != NULL) {
        refuse(svg, problem);
    } else if (is_svg && lst_xml_is_word(lst_xml_local_name(name), "style")) {
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
        if (lst_buffer_status(&svg->style) == LST_ERR_NO_MEMORY) {
            svg->has_no_memory = true; /* that says nothing against the content */
            (void)XML_StopParser(svg->parser, XML_FALSE);
        } else if (lst_buffer_status(&svg->style) != LST_OK) {
            refuse(svg, "has a style that is too long to be checked");
        } else if (!lst_xml_is_inner_style(lst_buffer_slice(&svg->style))) {
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

/* The document types of SVG itself, with which a browser knows no entities. */
static bool is_svg_doctype(const XML_Char *system_id, const XML_Char *public_id)
{
    struct lst_slice system = lst_slice_of(system_id == NULL ? "" : system_id);

    return system_id != NULL &&
           (lst_xml_begins(system, "http://www.w3.org/Graphics/SVG/") ||
            lst_xml_begins(system, "http://www.w3.org/TR/")) &&
           (public_id == NULL || lst_xml_begins(lst_slice_of(public_id), "-//W3C//DTD SVG "));
}

static void start_doctype(void *user, const XML_Char *name, const XML_Char *system_id,
                          const XML_Char *public_id, int has_internal_subset)
{
    struct lst_content_svg *svg = user;

    (void)name;
    svg->has_external = system_id != NULL || public_id != NULL;
    if (has_internal_subset != 0) {
        refuse(svg, "declares entities or attributes");
    } else if (svg->has_external &&
               (svg->kind != LST_XML_SVG || !is_svg_doctype(system_id, public_id))) {
        refuse(svg, "has a document type that refers to something outside of itself");
    }
}

static void skip_entity(void *user, const XML_Char *name, int is_parameter)
{
    (void)name;
    (void)is_parameter;
    refuse(user, "refers to an entity that it does not declare");
}

/* Of XML 1.1 it is not known how browsers read it. */
static void start_xml(void *user, const XML_Char *version, const XML_Char *encoding, int standalone)
{
    (void)encoding; /* expat refuses what it can't read */
    (void)standalone;
    if (version != NULL && strcmp(version, "1.0") != 0) {
        refuse(user, "is of another version of XML than 1.0");
    }
}

/* In an SVG only those that XMP metadata stand between. */
static void take_instruction(void *user, const XML_Char *target, const XML_Char *data)
{
    struct lst_content_svg *svg = user;

    (void)data;
    if (svg->kind == LST_XML_SVG ? !lst_xml_is_word(target, "xpacket")
                                 : lst_xml_begins(lst_slice_of(target), "xml-stylesheet") ||
                                       lst_xml_begins(lst_slice_of(target), "php")) {
        refuse(svg, "has a processing instruction");
    }
}

int lst_content_svg_begin(enum lst_content_xml_kind kind, struct lst_content_svg **ret_svg)
{
    static const XML_Memory_Handling_Suite memory = {lst_budget_malloc, lst_budget_realloc,
                                                     lst_budget_free};
    struct lst_content_svg *svg = lst_budget_malloc(sizeof(*svg));

    if (svg == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    memset(svg, 0, offsetof(struct lst_content_svg, block));
    svg->parser = XML_ParserCreate_MM(NULL, &memory, "\n");
    if (svg->parser == NULL) {
        lst_budget_free(svg);
        return LST_ERR_NO_MEMORY;
    }
    svg->kind = kind;
    lst_buffer_init_charged(&svg->style, STYLE_MAX);
    XML_SetXmlDeclHandler(svg->parser, start_xml);
    XML_SetSkippedEntityHandler(svg->parser, skip_entity);
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
    if (svg->has_no_memory || XML_GetErrorCode(svg->parser) == XML_ERROR_NO_MEMORY) {
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

    while (bytes.length > 0 && status == LST_OK) {
        struct lst_slice piece = lst_slice_first(bytes, BLOCK - svg->gathered);

        memcpy(svg->block + svg->gathered, piece.bytes, piece.length);
        svg->gathered += piece.length;
        bytes = lst_slice_after(bytes, piece.length);
        if (svg->gathered == BLOCK) {
            status = feed(svg, lst_slice_make(svg->block, BLOCK), false);
            svg->gathered = 0;
        }
    }
    return is_last && status == LST_OK ? feed(svg, lst_slice_make(svg->block, svg->gathered), true)
                                       : status;
}

const char *lst_content_svg_detected(const struct lst_content_svg *svg)
{
    if (svg->detected != NULL) {
        return svg->detected;
    }
    if (svg->depth == 0) {
        return "application/octet-stream";
    }
    return svg->kind == LST_XML_SVG ? "image/svg+xml" : "text/xml";
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
        lst_budget_free(svg);
    }
}
