/* link.c - a URL taken apart: where it goes, and what its query says. */
#include "cli/link.h"

#include "base/slice.h"
#include "http/request.h"

#include <ctype.h>

bool lst_host_take(struct lst_slice authority, bool https, char ret_host[LST_HOST_MAX + 1])
{
    struct lst_slice usual = https ? LST_SLICE(":443") : LST_SLICE(":80");

    if (authority.length > usual.length &&
        lst_slice_equal(
            lst_slice_make(authority.bytes + authority.length - usual.length, usual.length),
            usual)) {
        authority.length -= usual.length;
    }
    if (authority.length == 0 || authority.length > LST_HOST_MAX || authority.bytes[0] == ':') {
        return false;
    }
    for (size_t i = 0; i < authority.length; i++) {
        unsigned char byte = (unsigned char)authority.bytes[i];

        if (!isalnum(byte) && strchr(".-_:[]", byte) == NULL) {
            return false;
        }
        ret_host[i] = (char)tolower(byte);
    }
    ret_host[authority.length] = '\0';
    return true;
}

bool lst_link_parse(struct lst_slice url, struct lst_link *ret_link)
{
    struct lst_link link = {0};
    struct lst_slice rest;
    size_t authority = 0;
    bool https;

    url = lst_slice_first(url, lst_slice_find(url, '#'));
    link.scheme = lst_slice_first(url, lst_slice_find(url, ':'));
    https = lst_slice_equal_ignoring_case(link.scheme, LST_SLICE("https"));
    rest = lst_slice_make(url.bytes + link.scheme.length, url.length - link.scheme.length);
    if ((!https && !lst_slice_equal_ignoring_case(link.scheme, LST_SLICE("http"))) ||
        !lst_slice_starts_with(rest, LST_SLICE("://"))) {
        return false;
    }
    rest = lst_slice_make(rest.bytes + 3, rest.length - 3);
    while (authority < rest.length && rest.bytes[authority] != '/' &&
           rest.bytes[authority] != '?') {
        authority++;
    }
    if (!lst_host_take(lst_slice_first(rest, authority), https, link.host)) {
        return false;
    }
    link.target = lst_slice_after(rest, authority);
    if (link.target.length == 0) {
        link.target = LST_SLICE("/");
    }
    link.path = lst_slice_first(link.target, lst_slice_find(link.target, '?'));
    link.query = lst_slice_after(link.target, link.path.length + 1);
    *ret_link = link;
    return true;
}

struct lst_slice lst_link_parameter(const struct lst_link *link, const char *name)
{
    struct lst_slice rest = link->query;
    struct lst_field raw;

    while (lst_http_next_parameter(&rest, &raw)) {
        if (lst_http_name_is(raw.name, lst_slice_of(name))) {
            return raw.value.bytes != NULL ? raw.value : LST_SLICE("");
        }
    }
    return (struct lst_slice){0};
}
