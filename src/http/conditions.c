/* conditions.c - conditional requests. */
#include "http/conditions.h"

#include "base/clock.h"

/*
 * Take one entity tag off the front of a list, with the comma after it. Between quotes a comma is
 * part of the tag. False at the end of the list, and at what is not a list.
 */
static bool next_tag(struct lst_slice *rest, struct lst_slice *ret_tag, bool *ret_weak)
{
    struct lst_slice text = *rest;

    while (text.length > 0 &&
           (text.bytes[0] == ' ' || text.bytes[0] == '\t' || text.bytes[0] == ',')) {
        text = lst_slice_after(text, 1);
    }
    if (text.length == 0) {
        return false;
    }
    *ret_weak = lst_slice_starts_with(text, LST_SLICE("W/"));
    text = lst_slice_after(text, *ret_weak ? 2 : 0);
    if (text.length > 0 && text.bytes[0] == '"') {
        text = lst_slice_after(text, 1);
        *ret_tag = lst_slice_first(text, lst_slice_find(text, '"'));
        *rest = lst_slice_after(text, ret_tag->length + 1);
        return ret_tag->length < text.length;
    }
    *ret_tag = lst_slice_first(text, lst_slice_find(text, ','));
    *rest = lst_slice_after(text, ret_tag->length + 1);
    *ret_tag = lst_slice_trim(*ret_tag);
    return true;
}

bool lst_etag_list_has(struct lst_slice list, struct lst_slice etag, bool weak)
{
    struct lst_slice tag;
    bool tag_is_weak;

    if (lst_slice_equal(lst_slice_trim(list), LST_SLICE("*"))) {
        return true;
    }
    while (next_tag(&list, &tag, &tag_is_weak)) {
        if (lst_slice_equal(tag, etag) && (weak || !tag_is_weak)) {
            return true;
        }
    }
    return false;
}

/* False if there is no date that can be read. */
static bool read_date(struct lst_slice value, int64_t *ret_time)
{
    return value.length > 0 && lst_clock_parse_http(lst_slice_trim(value), ret_time);
}

bool lst_conditions_modified_since(const struct lst_http_request *request, int64_t date,
                                   int64_t modified)
{
    return modified > date || date > lst_clock_whole_seconds(request->received_ms);
}

struct lst_conditions lst_conditions_of(const struct lst_http_request *request)
{
    return (struct lst_conditions){
        .match = lst_http_header(request, LST_HEADER_IF_MATCH),
        .none_match = lst_http_header(request, LST_HEADER_IF_NONE_MATCH),
        .unmodified_since = lst_http_header(request, LST_HEADER_IF_UNMODIFIED_SINCE),
        .modified_since = lst_http_header(request, LST_HEADER_IF_MODIFIED_SINCE),
    };
}

enum lst_verdict lst_conditions_hold(const struct lst_conditions *conditions,
                                     const struct lst_http_request *request, struct lst_slice etag,
                                     int64_t modified, const char **ret_condition)
{
    int64_t date;

    if (conditions->match.bytes != NULL) {
        if (!lst_etag_list_has(conditions->match, etag, false)) {
            *ret_condition = "If-Match";
            return LST_CONDITIONS_FAILED;
        }
    } else if (read_date(conditions->unmodified_since, &date) && modified > date) {
        *ret_condition = "If-Unmodified-Since";
        return LST_CONDITIONS_FAILED;
    }
    if (conditions->none_match.bytes != NULL) {
        return lst_etag_list_has(conditions->none_match, etag, true) ? LST_CONDITIONS_NOT_MODIFIED
                                                                     : LST_CONDITIONS_HOLD;
    }
    if (read_date(conditions->modified_since, &date) &&
        !lst_conditions_modified_since(request, date, modified)) {
        return LST_CONDITIONS_NOT_MODIFIED;
    }
    return LST_CONDITIONS_HOLD;
}

enum lst_verdict lst_conditions_check(const struct lst_http_request *request, struct lst_slice etag,
                                      int64_t modified, const char **ret_condition)
{
    struct lst_conditions conditions = lst_conditions_of(request);

    return lst_conditions_hold(&conditions, request, etag, modified, ret_condition);
}

bool lst_conditions_range_counts(const struct lst_http_request *request, struct lst_slice etag,
                                 int64_t modified)
{
    struct lst_slice value = lst_http_header(request, LST_HEADER_IF_RANGE);
    int64_t date;

    if (value.bytes == NULL) {
        return true;
    }
    if (read_date(value, &date)) {
        return date == modified;
    }
    return !lst_slice_equal(lst_slice_trim(value), LST_SLICE("*")) &&
           lst_etag_list_has(value, etag, false);
}
