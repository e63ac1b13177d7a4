/* openapi_test.c - the description has just the operations that there are. */
#include "api/exchange.h"
#include "api/openapi.h"
#include "tap.h"

#include <stdio.h>

static json_t *read_description(void)
{
    return json_loadb(lst_openapi_text, lst_openapi_length, JSON_REJECT_DUPLICATES, NULL);
}

/* The operation of that name: its path and method. */
static const char *find_operation(json_t *paths, const char *wanted, const char **ret_method)
{
    const char *path;
    json_t *methods;

    json_object_foreach(paths, path, methods)
    {
        const char *method;
        json_t *operation;

        json_object_foreach(methods, method, operation)
        {
            const char *name = json_string_value(json_object_get(operation, "operationId"));

            if (name != NULL && strcmp(name, wanted) == 0) {
                *ret_method = method;
                return path;
            }
        }
    }
    return NULL;
}

static const struct {
    enum lst_api_place place;
    const char *path;
} places[] = {{LST_API_ROOT, "/-/api/"}, {LST_API_UPPY, "/-/api/uppy/"}, {LST_API_LINKS, "/-/"}};

/* "links/{id}" as "links/x" */
static struct lst_slice as_requested(const char *path, char out[256])
{
    bool inside = false;
    size_t length = 0;

    for (const char *at = path; *at != '\0' && length < 255; at++) {
        if (*at == '{') {
            out[length++] = 'x';
        }
        inside = *at == '{' || (inside && *at != '}');
        if (!inside && *at != '}') {
            out[length++] = *at;
        }
    }
    return lst_slice_make(out, length);
}

static bool is_described(json_t *paths, size_t place, const struct lst_api_route *route)
{
    const char *method = "";
    const char *path = find_operation(paths, route->operation, &method);
    size_t prefix = strlen(places[place].path);
    char text[256];
    struct lst_slice names[LST_API_NAMES_MAX];
    char allow[LST_API_ALLOW_MAX];

    return path != NULL && strncmp(path, places[place].path, prefix) == 0 &&
           lst_slice_equal_ignoring_case(lst_slice_of(method), lst_slice_of(route->method)) &&
           lst_api_route_find(places[place].place, lst_slice_of(route->method),
                              as_requested(path + prefix, text), names, allow) == route;
}

static size_t count_operations(json_t *paths)
{
    const char *path;
    json_t *methods;
    size_t count = 0;

    json_object_foreach(paths, path, methods)
    {
        count += json_object_size(methods);
    }
    return count;
}

int main(void)
{
    json_t *description = read_description();
    json_t *paths = json_object_get(description, "paths");
    size_t all = 0;

    CHECK(json_is_object(paths), "the description is JSON, and has paths");
    for (size_t place = 0; place < sizeof(places) / sizeof(places[0]); place++) {
        size_t count;
        const struct lst_api_route *routes = lst_api_routes(places[place].place, &count);

        for (size_t i = 0; i < count; i++) {
            CHECK(is_described(paths, place, &routes[i]), "%s is described, where it is",
                  routes[i].operation);
        }
        all += count;
    }
    CHECK(count_operations(paths) == all, "nothing is described that is not there");
    json_decref(description);
    return tap_done();
}
