/* content.c - is the content of an upload what its type says? */
#include "s3/content.h"

#include "s3/content_judge.h"
#include "s3/content_svg.h"

#include <stdio.h>
#include <stdlib.h>

enum state { COLLECTING, READING_XML, DECIDED };

struct lst_content_check {
    struct lst_content_pool *pool;
    struct lst_content_plan plan;
    struct lst_slice type; /* the declared one, without parameters */
    enum state state;
    struct lst_content_svg *svg;
    char message[320];
    char detected[LST_CONTENT_DETECTED_MAX];
    size_t length; /* of head */
    char head[LST_CONTENT_WINDOW];
};

static enum lst_content_xml_kind kind_of(struct lst_slice type)
{
    if (lst_content_is_svg(type)) {
        return LST_XML_SVG;
    }
    if (lst_slice_equal_ignoring_case(type, LST_SLICE("application/mathml+xml"))) {
        return LST_XML_MATHML;
    }
    return lst_slice_equal_ignoring_case(type, LST_SLICE("application/xslt+xml")) ||
                   lst_slice_equal_ignoring_case(type, LST_SLICE("text/xsl"))
               ? LST_XML_XSLT
               : LST_XML_OTHER;
}

/* A type whose content has to be read to its end. */
static bool is_read_whole(struct lst_slice type)
{
    return lst_content_is_svg(type) || lst_content_is_xml(type);
}

int lst_content_begin(struct lst_content_pool *pool, const struct lst_content_plan *plan,
                      struct lst_content_check **ret_check)
{
    struct lst_content_check *check = malloc(sizeof(*check));
    int status = LST_OK;

    if (check == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    memset(check, 0, offsetof(struct lst_content_check, head));
    check->pool = pool;
    check->plan = *plan;
    check->type = lst_content_essence(plan->declared);
    check->state = COLLECTING;
    if (is_read_whole(check->type) && !plan->is_part) {
        check->state = READING_XML;
        status = lst_content_svg_begin(kind_of(check->type), &check->svg);
    }
    if (status != LST_OK) {
        free(check);
        return status;
    }
    *ret_check = check;
    return LST_OK;
}

/* ---- Refusals */

static int refuse(struct lst_content_check *check, struct lst_slice detected, const char *message)
{
    (void)snprintf(check->detected, sizeof(check->detected), "%.*s", (int)detected.length,
                   detected.bytes);
    (void)snprintf(check->message, sizeof(check->message), "%s", message);
    return LST_ERR_MALFORMED;
}

static int refuse_as(struct lst_content_check *check, struct lst_slice detected)
{
    struct lst_slice type = lst_slice_first(check->type, 128);
    char message[sizeof(check->message)];

    if (type.length > 0) {
        (void)snprintf(message, sizeof(message),
                       "The content is or contains %.*s, which is not the declared type %.*s",
                       (int)lst_slice_first(detected, 96).length, detected.bytes, (int)type.length,
                       type.bytes);
    } else {
        (void)snprintf(message, sizeof(message),
                       "The content is or contains %.*s, which is none of the types allowed",
                       (int)lst_slice_first(detected, 96).length, detected.bytes);
    }
    return refuse(check, detected, message);
}

struct lst_content_refusal lst_content_refusal(const struct lst_content_check *check)
{
    return (struct lst_content_refusal){.message = check->message, .detected = check->detected};
}

/* ---- Deciding */

/* An SVG or other XML that is not declared as such, or of which only the beginning comes. */
static int refuse_xml(struct lst_content_check *check, struct lst_slice type)
{
    const char *what = lst_content_is_svg(type) ? "an SVG" : "XML";
    char message[sizeof(check->message)];

    (void)snprintf(message, sizeof(message),
                   check->plan.is_part
                       ? "The content is %s, which can be checked only when it is sent whole"
                       : "The content is %s, which can be checked only when it is declared as such",
                   what);
    return refuse(check, type, message);
}

/* Does what is seen fit one item of the list: a type, or one that ends in a star? */
static bool fits_item(const struct lst_content_sight *sight, struct lst_slice item)
{
    struct lst_slice detected = lst_content_detected(sight);
    struct lst_slice culprit;
    size_t star = lst_slice_find(item, '*');

    if (star == item.length) {
        return lst_content_agrees(sight, item, &culprit);
    }
    return lst_slice_starts_with_ignoring_case(detected, lst_slice_first(item, star)) &&
           lst_content_agrees(sight, detected, &culprit);
}

static int decide_undeclared(struct lst_content_check *check, const struct lst_content_sight *sight)
{
    struct lst_slice rest = check->plan.types;
    struct lst_slice item;
    struct lst_slice detected = lst_content_detected(sight);

    if (rest.length == 0) {
        return LST_OK;
    }
    if (is_read_whole(detected)) {
        return refuse_xml(check, detected);
    }
    while (lst_slice_split(&rest, ',', &item)) {
        item = lst_slice_trim(item);
        if (item.length > 0 && fits_item(sight, item)) {
            return LST_OK;
        }
    }
    return refuse_as(check, detected);
}

static int decide(struct lst_content_check *check)
{
    struct lst_content_reports reports;
    struct lst_content_sight sight = {lst_slice_make(check->head, check->length), &reports};
    struct lst_slice culprit;
    int status = lst_content_pool_look(check->pool, sight.head, &reports);

    if (status != LST_OK) {
        return status;
    }
    check->state = DECIDED;
    if (is_read_whole(check->type)) {
        return refuse_xml(check, check->type);
    }
    if (check->plan.declared.length == 0) {
        return decide_undeclared(check, &sight);
    }
    if (!lst_content_is_definite(check->type)) {
        return refuse(check, lst_content_detected(&sight),
                      "The declared type is none that content can be held against: give the media "
                      "type of the file");
    }
    return lst_content_agrees(&sight, check->type, &culprit) ? LST_OK : refuse_as(check, culprit);
}

static int read_xml(struct lst_content_check *check, struct lst_slice bytes, bool is_last)
{
    struct lst_slice type = lst_slice_first(check->type, 96);
    const char *problem = "has a charset other than UTF-8, in which it can't be checked";
    const char *detected = "application/octet-stream";
    char message[256];
    int status = LST_ERR_MALFORMED;

    if (lst_content_charset_is_plain(check->plan.declared)) {
        status = lst_content_svg_take(check->svg, bytes, is_last);
        problem = lst_content_svg_problem(check->svg);
        detected = lst_content_svg_detected(check->svg);
    }
    if (status != LST_ERR_MALFORMED) {
        return status;
    }
    (void)snprintf(message, sizeof(message), "The content declared as %.*s %s", (int)type.length,
                   type.bytes, problem);
    return refuse(check, lst_slice_of(detected), message);
}

int lst_content_take(struct lst_content_check *check, struct lst_slice bytes)
{
    struct lst_slice head = lst_slice_first(bytes, sizeof(check->head) - check->length);

    if (check->state == READING_XML) {
        return bytes.length > 0 ? read_xml(check, bytes, false) : LST_OK;
    }
    if (check->state == DECIDED || bytes.length == 0) {
        return LST_OK;
    }
    memcpy(check->head + check->length, head.bytes, head.length);
    check->length += head.length;
    return check->length == sizeof(check->head) ? decide(check) : LST_OK;
}

int lst_content_end(struct lst_content_check *check)
{
    if (check->state == READING_XML) {
        return read_xml(check, LST_SLICE(""), true);
    }
    return check->state == COLLECTING ? decide(check) : LST_OK;
}

void lst_content_free(struct lst_content_check *check)
{
    if (check != NULL) {
        lst_content_svg_free(check->svg);
        free(check);
    }
}
