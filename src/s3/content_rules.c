/* content_rules.c - which elements and attributes of XML run something in a browser. */
#include "s3/content_rules.h"

bool lst_xml_is_word(const char *name, const char *word)
{
    return lst_slice_equal_ignoring_case(lst_slice_of(name), lst_slice_of(word));
}

bool lst_xml_begins(struct lst_slice text, const char *prefix)
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
        if (lst_xml_begins(reference, inner[i])) {
            return true;
        }
    }
    return false;
}

/* CSS that loads nothing. A backslash could hide any word. */
bool lst_xml_is_inner_style(struct lst_slice css)
{
    for (size_t i = 0; i < css.length; i++) {
        struct lst_slice here = lst_slice_make(css.bytes + i, css.length - i);
        if (strchr("\\@iIeE-sSuU", css.bytes[i]) == NULL) {
            continue;
        }
        if (css.bytes[i] == '\\' || lst_xml_begins(here, "@import") ||
            lst_xml_begins(here, "image-set(") || lst_xml_begins(here, "expression(") ||
            lst_xml_begins(here, "-moz-binding") || lst_xml_begins(here, "src(")) {
            return false;
        }
        if (lst_xml_begins(here, "url(")) {
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
const char *lst_xml_local_name(const char *name)
{
    const char *separator = strrchr(name, '\n');

    return separator == NULL ? name : separator + 1;
}

static bool is_reference(const char *name)
{
    static const char *const references[] = {"href",   "src",    "action", "formaction",
                                             "poster", "srcset", "data",   "base"};

    for (size_t i = 0; i < sizeof(references) / sizeof(*references); i++) {
        if (lst_xml_is_word(name, references[i])) {
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
    return lst_xml_begins(local, "on") || lst_slice_equal_ignoring_case(local, LST_SLICE("href")) ||
           lst_slice_equal_ignoring_case(local, LST_SLICE("src"));
}

const char *lst_svg_attribute_problem(const char *full_name, struct lst_slice value)
{
    const char *name = lst_xml_local_name(full_name);
    bool is_plain = name == full_name; /* of no namespace, as all that styles anything is */

    if (lst_xml_begins(lst_slice_of(name), "on")) {
        return "has an attribute that runs script";
    }
    if (has_spread_word(value, "javascript:") || has_spread_word(value, "vbscript:")) {
        return "has a javascript: address";
    }
    if (is_reference(name) ? !is_inner(value) : has_spread_word(value, "data:text")) {
        return "refers to something outside of itself";
    }
    if (lst_xml_is_word(name, "attributeName") && is_active_name(value)) {
        return "animates an attribute that leads elsewhere or runs script";
    }
    if (is_plain && !is_reference(name) && !lst_xml_is_inner_style(value)) {
        return "has a style that loads something";
    }
    return NULL;
}

/* ---- Elements of other XML */

/* Is a name, as expat gives it, in the namespace? */
bool lst_xml_is_in(const char *name, const char *namespace)
{
    size_t length = strlen(namespace);

    return lst_xml_begins(lst_slice_of(name), namespace) && name[length] == '\n';
}

#define XML_EVENTS "http://www.w3.org/2001/xml-events"

/* What a browser would take the element for. */
const char *lst_xml_element_problem(enum lst_content_xml_kind kind, const char *name, bool is_first,
                                    const char **ret_detected)
{
    static const struct {
        const char *namespace;
        const char *root; /* by which libraries take it for one, in whatever namespace; or NULL */
        const char *detected;
        const char *problem;
        enum lst_content_xml_kind kind; /* unless it is declared */
    } active[] = {
        {"http://www.w3.org/1999/xhtml", "html", "text/html", "contains HTML", LST_XML_SVG},
        {"http://www.w3.org/2000/svg", "svg", "image/svg+xml",
         "contains an SVG, which can be checked only when it is declared as image/svg+xml",
         LST_XML_SVG},
        {"http://www.w3.org/1998/Math/MathML", NULL, "application/mathml+xml", "contains MathML",
         LST_XML_MATHML},
        {"http://www.w3.org/1999/XSL/Transform", NULL, "application/xslt+xml", "contains XSLT",
         LST_XML_XSLT},
        {XML_EVENTS, NULL, "text/xml", "contains an element that may run script", LST_XML_SVG},
    };

    for (size_t i = 0; i < sizeof(active) / sizeof(*active); i++) {
        bool is_root = is_first && active[i].root != NULL &&
                       lst_xml_is_word(lst_xml_local_name(name), active[i].root);

        if (kind != active[i].kind && (is_root || lst_xml_is_in(name, active[i].namespace))) {
            *ret_detected = active[i].detected;
            return active[i].problem;
        }
    }
    return NULL;
}

/* Elements of MathML have the attributes on...; links by XLink may be of any element. */
const char *lst_xml_attribute_problem(const char *name, struct lst_slice value, bool is_math)
{
    if ((is_math && lst_xml_begins(lst_slice_of(lst_xml_local_name(name)), "on")) ||
        lst_xml_is_in(name, XML_EVENTS)) {
        return "has an attribute that runs script";
    }
    if ((is_math || lst_xml_is_in(name, "http://www.w3.org/1999/xlink")) &&
        (has_spread_word(value, "javascript:") || has_spread_word(value, "vbscript:") ||
         has_spread_word(value, "data:"))) {
        return "has a javascript: address";
    }
    return NULL;
}

/* ---- Elements of an SVG */

const char *lst_svg_element_problem(const char *name)
{
    static const char *const active[] = {
        "script", "foreignObject", "iframe",   "frame",   "embed", "object", "applet", "meta",
        "link",   "base",          "listener", "handler", "form",  "audio",  "video",
    };
    const char *local = lst_xml_local_name(name);

    if (lst_xml_begins(lst_slice_of(name), "http://www.w3.org/1999/xhtml\n")) {
        return "contains HTML";
    }
    for (size_t i = 0; i < sizeof(active) / sizeof(*active); i++) {
        if (lst_xml_is_word(local, active[i])) {
            return i == 0 ? "contains a script" : "contains an element that may run script";
        }
    }
    return NULL;
}
