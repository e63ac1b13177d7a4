/* routes.c - the one table of what the API can do. */
#include "api/exchange.h"
#include "api/links.h"
#include "api/uploads.h"

#include <stdio.h>

static const struct lst_api_route routes[] = {
    {"GET", "openapi.json", "GetDescription", 0, false, lst_api_describe},
    {"POST", "uploads", "CreateUpload", LST_MAY_UPLOAD, true, lst_uploads_create},
    {"GET", "uploads/*", "GetUpload", LST_MAY_UPLOAD, false, lst_uploads_show},
    {"POST", "tokens", "CreateClientToken", LST_MAY_DELEGATE, true, lst_client_tokens_create},
    {"POST", "links", "CreateLink", LST_MAY_LINK, true, lst_links_create},
    {"GET", "links", "ListLinks", LST_MAY_LINK, false, lst_links_list},
    {"GET", "links/*", "GetLink", LST_MAY_LINK, false, lst_links_show},
    {"DELETE", "links/*", "RevokeLink", LST_MAY_LINK, false, lst_links_revoke},
};

static const struct lst_api_route short_link = {"GET", "l/*", "OpenLink", 0, false, lst_links_open};

const struct lst_api_route *lst_api_routes(size_t *ret_count)
{
    *ret_count = sizeof(routes) / sizeof(routes[0]);
    return routes;
}

static bool fits(const struct lst_api_route *route, struct lst_slice path,
                 struct lst_slice *ret_name)
{
    size_t length = strlen(route->path);

    if (route->path[length - 1] != '*') {
        *ret_name = LST_SLICE("");
        return lst_slice_equal(path, lst_slice_of(route->path));
    }
    if (!lst_slice_starts_with(path, lst_slice_make(route->path, length - 1))) {
        return false;
    }
    *ret_name = lst_slice_after(path, length - 1);
    return ret_name->length > 0 && lst_slice_find(*ret_name, '/') == ret_name->length;
}

const struct lst_api_route *lst_api_route_find(struct lst_slice method, struct lst_slice path,
                                               struct lst_slice *ret_name,
                                               char ret_allow[LST_API_ALLOW_MAX])
{
    size_t length = 0;

    ret_allow[0] = '\0';
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (!fits(&routes[i], path, ret_name)) {
            continue;
        }
        if (lst_slice_equal(method, lst_slice_of(routes[i].method))) {
            return &routes[i];
        }
        length += (size_t)snprintf(ret_allow + length, LST_API_ALLOW_MAX - length, "%s%s",
                                   length == 0 ? "" : ", ", routes[i].method);
    }
    return NULL;
}

const struct lst_api_route *lst_api_short_link(struct lst_slice method, struct lst_slice path,
                                               struct lst_slice *ret_name,
                                               char ret_allow[LST_API_ALLOW_MAX])
{
    bool is_there = fits(&short_link, path, ret_name);
    bool is_get = lst_slice_equal(method, lst_slice_of(short_link.method));

    (void)snprintf(ret_allow, LST_API_ALLOW_MAX, "%s", is_there && !is_get ? "GET" : "");
    return is_there && is_get ? &short_link : NULL;
}
