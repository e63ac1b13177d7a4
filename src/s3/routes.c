/* routes.c - from a request to the operation that it asks for. */
#include "s3/routes.h"

/* The sub-resources that a query names; more than two are as bad as two. */
struct found {
    const char *names[3];
    size_t count;
};

/* Query parameters of S3 that are not sub-resources, and may be empty. */
static const char *const plain_parameters[] = {
    "prefix",      "delimiter",          "marker",
    "max-keys",    "encoding-type",      "continuation-token",
    "start-after", "versionId",          "id",
    "fetch-owner", "max-buckets",        "bucket-region",
    "key-marker",  "version-id-marker",  "upload-id-marker",
    "max-uploads", "part-number-marker", "max-parts",
};

static bool is_plain(struct lst_slice raw_name)
{
    struct lst_slice rest;

    for (size_t i = 0; i < sizeof(plain_parameters) / sizeof(plain_parameters[0]); i++) {
        if (lst_http_name_is(raw_name, lst_slice_of(plain_parameters[i]))) {
            return true;
        }
    }
    return lst_http_name_starts_with(raw_name, LST_SLICE("response-"), &rest);
}

/* The table's own string for a sub-resource, so that names can be compared as pointers; NULL if it
 * is none. */
static const char *sub_resource(struct lst_slice raw_name)
{
    const char *previous = "";

    for (size_t i = 0; i < lst_operation_count; i++) {
        const char *name = lst_operations[i].parameter;
        if (name == NULL || strcmp(name, previous) == 0) {
            continue;
        }
        if (lst_http_name_is(raw_name, lst_slice_of(name))) {
            return name;
        }
        previous = name;
    }
    return NULL;
}

static void remember(struct found *found, const char *name)
{
    for (size_t i = 0; i < found->count; i++) {
        if (strcmp(found->names[i], name) == 0) {
            return;
        }
    }
    if (found->count < sizeof(found->names) / sizeof(found->names[0])) {
        found->names[found->count++] = name;
    }
}

/* S3 names them in this order, whatever order they were sent in. */
static void sort(struct found *found)
{
    for (size_t i = 1; i < found->count; i++) {
        for (size_t j = i; j > 0 && strcmp(found->names[j - 1], found->names[j]) > 0; j--) {
            const char *name = found->names[j];
            found->names[j] = found->names[j - 1];
            found->names[j - 1] = name;
        }
    }
}

/* The two that make a part, which do not contradict each other. found is sorted. */
static bool is_part(const struct found *found)
{
    return found->count == 2 && strcmp(found->names[0], "partNumber") == 0 &&
           strcmp(found->names[1], "uploadId") == 0;
}

bool lst_option_find(const struct lst_http_request *request, struct lst_slice query,
                     struct lst_slice name, struct lst_slice *ret_value, bool *ret_is_encoded)
{
    struct lst_slice header = lst_http_header(request, name);
    struct lst_slice rest = query;
    struct lst_slice after;
    struct lst_field raw;

    if (header.bytes != NULL) {
        *ret_value = lst_slice_trim(header);
        *ret_is_encoded = false;
        return true;
    }
    while (lst_http_next_parameter(&rest, &raw)) {
        if (lst_http_name_starts_with(raw.name, name, &after) && after.length == 0) {
            *ret_value = raw.value;
            *ret_is_encoded = true;
            return true;
        }
    }
    return false;
}

/* True if the row's sub-resources are exactly those found. */
static bool covers(const struct lst_operation *row, const struct found *found)
{
    size_t covered = 0;

    if (row->parameter == NULL) {
        return found->count == 0;
    }
    for (size_t i = 0; i < found->count; i++) {
        bool is_parameter = strcmp(found->names[i], row->parameter) == 0;
        bool is_second = row->second != NULL && strcmp(found->names[i], row->second) == 0;
        if (!is_parameter && !is_second) {
            return false;
        }
        covered += is_parameter ? 1 : 0;
    }
    return covered == 1;
}

static bool row_fits(const struct lst_operation *row, const struct lst_http_request *request,
                     enum lst_level level, const struct found *found)
{
    struct lst_slice value;
    bool is_encoded;

    return row->level == level &&
           lst_slice_equal(request->message.method, lst_slice_of(row->method)) &&
           covers(row, found) &&
           (row->second == NULL ||
            lst_http_find_parameter(request, lst_slice_of(row->second), NULL)) &&
           (row->header == NULL || lst_option_find(request, request->query,
                                                   lst_slice_of(row->header), &value, &is_encoded));
}

/* Look at every parameter. False, with *ret_route set, if there is one that can't be passed over.
 */
static bool find_sub_resources(const struct lst_http_request *request, struct found *ret_found,
                               struct lst_route *ret_route)
{
    struct lst_slice rest = request->query;
    struct lst_slice after;
    struct lst_field raw;

    while (lst_http_next_parameter(&rest, &raw)) {
        ret_route->parameter_count++;
        if (lst_http_name_starts_with(raw.name, LST_SLICE("x-"), &after)) {
            continue;
        }
        const char *name = sub_resource(raw.name);
        if (name != NULL) {
            remember(ret_found, name);
        } else if (raw.value.length == 0 && !is_plain(raw.name)) {
            ret_route->kind = LST_ROUTE_UNKNOWN;
            ret_route->culprits[0] = raw.name;
            return false;
        }
    }
    return true;
}

struct lst_route lst_route_find(const struct lst_http_request *request, enum lst_level level)
{
    struct lst_route route = {.kind = LST_ROUTE_FOUND};
    struct found found = {.count = 0};

    if (lst_http_find_repeated_parameter(request, &route.culprits[0])) {
        route.kind = LST_ROUTE_REPEATED;
        return route;
    }
    if (!find_sub_resources(request, &found, &route)) {
        return route;
    }
    for (size_t i = 0; i < lst_operation_count; i++) {
        if (row_fits(&lst_operations[i], request, level, &found)) {
            route.operation = &lst_operations[i];
            return route;
        }
    }
    sort(&found);
    route.kind = found.count > 1 && !is_part(&found) ? LST_ROUTE_CONFLICT : LST_ROUTE_METHOD;
    route.culprits[0] = lst_slice_of(found.count > 0 ? found.names[0] : NULL);
    route.culprits[1] = lst_slice_of(found.count > 1 ? found.names[1] : NULL);
    return route;
}
