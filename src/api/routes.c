/* routes.c - the one table of what the API can do. */
#include "api/approval.h"
#include "api/delivery.h"
#include "api/exchange.h"
#include "api/links.h"
#include "api/multipart.h"
#include "api/uploads.h"
#include "api/uppy.h"

#include <stdio.h>

static const struct lst_api_route routes[] = {
    {"GET", "openapi.json", "GetDescription", 0, 0, lst_api_describe},
    {"POST", "uploads", "CreateUpload", LST_MAY_UPLOAD, LST_API_BATCH_MAX, lst_uploads_create},
    {"GET", "uploads/*", "GetUpload", LST_MAY_UPLOAD, 0, lst_uploads_show},
    {"DELETE", "uploads/*", "AbortUpload", LST_MAY_UPLOAD, 0, lst_multipart_abort},
    {"GET", "uploads/*/parts", "ListUploadParts", LST_MAY_UPLOAD, 0, lst_multipart_list},
    {"POST", "uploads/*/parts", "SignUploadParts", LST_MAY_UPLOAD, LST_API_BODY_MAX,
     lst_multipart_sign},
    {"POST", "uploads/*/complete", "CompleteUpload", LST_MAY_UPLOAD, LST_API_PARTS_MAX,
     lst_multipart_complete},
    {"GET", "staged/*", "GetStaged", 0, 0, lst_approval_fetch},
    {"POST", "tokens", "CreateClientToken", LST_MAY_DELEGATE, LST_API_BATCH_MAX,
     lst_client_tokens_create},
    {"GET", "deliveries", "ListDeliveries", LST_MAY_DELEGATE | LST_MAY_ADMINISTER, 0,
     lst_deliveries_list},
    {"POST", "deliveries/*/retry", "RetryDelivery", LST_MAY_DELEGATE | LST_MAY_ADMINISTER, 0,
     lst_deliveries_retry},
    {"POST", "profiles/*/test-webhook", "TestWebhook", LST_MAY_DELEGATE | LST_MAY_ADMINISTER, 0,
     lst_webhooks_test},
    {"POST", "links", "CreateLink", LST_MAY_LINK, LST_API_BATCH_MAX, lst_links_create},
    {"GET", "links", "ListLinks", LST_MAY_LINK, 0, lst_links_list},
    {"GET", "links/*", "GetLink", LST_MAY_LINK, 0, lst_links_show},
    {"DELETE", "links/*", "RevokeLink", LST_MAY_LINK, 0, lst_links_revoke},
    {"DELETE", "ids/*", "RevokeId", LST_MAY_LINK, 0, lst_links_revoke_id},
};

/* Behind "uppy/", or "uppy/" and a client token. */
static const struct lst_api_route uppy_routes[] = {
    {"GET", "s3/params", "UppyParams", LST_MAY_UPLOAD, 0, lst_uppy_params},
    {"GET", "s3/sts", "UppySts", LST_MAY_UPLOAD, 0, lst_uppy_sts},
    {"POST", "s3/sign", "UppySign", LST_MAY_UPLOAD, LST_API_BODY_MAX, lst_uppy_sign},
    {"POST", "s3/multipart", "UppyCreate", LST_MAY_UPLOAD, LST_API_BODY_MAX, lst_uppy_create},
    {"POST", "s3/multipart/*/complete", "UppyComplete", LST_MAY_UPLOAD, LST_API_PARTS_MAX,
     lst_uppy_complete},
    {"GET", "s3/multipart/*/batch", "UppyBatch", LST_MAY_UPLOAD, 0, lst_uppy_batch},
    {"GET", "s3/multipart/*/*", "UppyPart", LST_MAY_UPLOAD, 0, lst_uppy_part},
    {"GET", "s3/multipart/*", "UppyList", LST_MAY_UPLOAD, 0, lst_uppy_list},
    {"DELETE", "s3/multipart/*", "UppyAbort", LST_MAY_UPLOAD, 0, lst_uppy_abort},
};

static const struct lst_api_route short_links[] = {
    {"GET", "l/*", "OpenLink", 0, 0, lst_links_open},
    {"POST", "l/*", "UseLink", 0, LST_API_FORM_MAX, lst_links_use},
};

/* Segment by segment; what stands for each '*' is a name. */
static bool fits(const struct lst_api_route *route, struct lst_slice path,
                 struct lst_slice ret_names[LST_API_NAMES_MAX])
{
    struct lst_slice pattern = lst_slice_of(route->path);
    struct lst_slice wanted;
    struct lst_slice segment;
    size_t count = 0;

    memset(ret_names, 0, LST_API_NAMES_MAX * sizeof(ret_names[0]));
    while (lst_slice_split(&pattern, '/', &wanted)) {
        if (!lst_slice_split(&path, '/', &segment)) {
            return false;
        }
        if (lst_slice_equal(wanted, LST_SLICE("*")) && segment.length > 0) {
            ret_names[count++] = segment;
        } else if (!lst_slice_equal(wanted, segment)) {
            return false;
        }
    }
    return !lst_slice_split(&path, '/', &segment);
}

static const struct lst_api_route *find(const struct lst_api_route *table, size_t count,
                                        struct lst_slice method, struct lst_slice path,
                                        struct lst_slice ret_names[LST_API_NAMES_MAX],
                                        char ret_allow[LST_API_ALLOW_MAX])
{
    size_t length = 0;

    ret_allow[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        if (!fits(&table[i], path, ret_names)) {
            continue;
        }
        if (lst_slice_equal(method, lst_slice_of(table[i].method))) {
            return &table[i];
        }
        length += (size_t)snprintf(ret_allow + length, LST_API_ALLOW_MAX - length, "%s%s%s",
                                   length == 0 ? "" : ", ", table[i].method,
                                   strcmp(table[i].method, "GET") == 0 ? ", HEAD" : "");
    }
    return NULL;
}

const struct lst_api_route *lst_api_routes(enum lst_api_place place, size_t *ret_count)
{
    switch (place) {
    case LST_API_UPPY:
        *ret_count = sizeof(uppy_routes) / sizeof(uppy_routes[0]);
        return uppy_routes;
    case LST_API_LINKS:
        *ret_count = sizeof(short_links) / sizeof(short_links[0]);
        return short_links;
    default:
        *ret_count = sizeof(routes) / sizeof(routes[0]);
        return routes;
    }
}

const struct lst_api_route *lst_api_route_find(enum lst_api_place place, struct lst_slice method,
                                               struct lst_slice path,
                                               struct lst_slice ret_names[LST_API_NAMES_MAX],
                                               char ret_allow[LST_API_ALLOW_MAX])
{
    size_t count;
    const struct lst_api_route *table = lst_api_routes(place, &count);

    return find(table, count, method, path, ret_names, ret_allow);
}
