/* routes.c - from a request to the operation that it asks for. */
#include "s3/routes.h"

/* The sub-resources that a query names; more than two are as bad as two. */
struct found {
    enum lst_parameter numbers[3];
    size_t count;
};

enum kind {
    UNKNOWN = 0,
    PLAIN, /* no sub-resource; it may be empty */
    SUB,   /* a row of the table has it as its parameter: operations_test.c */
};

static const uint8_t kinds[LST_PARAMETERS_KNOWN] = {
    [LST_PARAMETER_PREFIX] = PLAIN,
    [LST_PARAMETER_DELIMITER] = PLAIN,
    [LST_PARAMETER_MARKER] = PLAIN,
    [LST_PARAMETER_MAX_KEYS] = PLAIN,
    [LST_PARAMETER_ENCODING_TYPE] = PLAIN,
    [LST_PARAMETER_CONTINUATION_TOKEN] = PLAIN,
    [LST_PARAMETER_START_AFTER] = PLAIN,
    [LST_PARAMETER_VERSION_ID] = PLAIN,
    [LST_PARAMETER_ID] = PLAIN,
    [LST_PARAMETER_FETCH_OWNER] = PLAIN,
    [LST_PARAMETER_MAX_BUCKETS] = PLAIN,
    [LST_PARAMETER_BUCKET_REGION] = PLAIN,
    [LST_PARAMETER_KEY_MARKER] = PLAIN,
    [LST_PARAMETER_VERSION_ID_MARKER] = PLAIN,
    [LST_PARAMETER_UPLOAD_ID_MARKER] = PLAIN,
    [LST_PARAMETER_MAX_UPLOADS] = PLAIN,
    [LST_PARAMETER_PART_NUMBER_MARKER] = PLAIN,
    [LST_PARAMETER_MAX_PARTS] = PLAIN,
    [LST_PARAMETER_ABAC] = SUB,
    [LST_PARAMETER_ACCELERATE] = SUB,
    [LST_PARAMETER_ACL] = SUB,
    [LST_PARAMETER_ANALYTICS] = SUB,
    [LST_PARAMETER_ANNOTATION] = SUB,
    [LST_PARAMETER_ATTRIBUTES] = SUB,
    [LST_PARAMETER_CORS] = SUB,
    [LST_PARAMETER_DELETE] = SUB,
    [LST_PARAMETER_ENCRYPTION] = SUB,
    [LST_PARAMETER_INTELLIGENT_TIERING] = SUB,
    [LST_PARAMETER_INVENTORY] = SUB,
    [LST_PARAMETER_LEGAL_HOLD] = SUB,
    [LST_PARAMETER_LIFECYCLE] = SUB,
    [LST_PARAMETER_LIST_TYPE] = SUB,
    [LST_PARAMETER_LOCATION] = SUB,
    [LST_PARAMETER_LOGGING] = SUB,
    [LST_PARAMETER_METADATA_CONFIGURATION] = SUB,
    [LST_PARAMETER_METADATA_INVENTORY_TABLE] = SUB,
    [LST_PARAMETER_METADATA_JOURNAL_TABLE] = SUB,
    [LST_PARAMETER_METADATA_TABLE] = SUB,
    [LST_PARAMETER_METRICS] = SUB,
    [LST_PARAMETER_NOTIFICATION] = SUB,
    [LST_PARAMETER_OBJECT_LOCK] = SUB,
    [LST_PARAMETER_OWNERSHIP_CONTROLS] = SUB,
    [LST_PARAMETER_PART_NUMBER] = SUB,
    [LST_PARAMETER_POLICY] = SUB,
    [LST_PARAMETER_POLICY_STATUS] = SUB,
    [LST_PARAMETER_PUBLIC_ACCESS_BLOCK] = SUB,
    [LST_PARAMETER_RENAME_OBJECT] = SUB,
    [LST_PARAMETER_REPLICATION] = SUB,
    [LST_PARAMETER_REQUEST_PAYMENT] = SUB,
    [LST_PARAMETER_RESTORE] = SUB,
    [LST_PARAMETER_RETENTION] = SUB,
    [LST_PARAMETER_SELECT] = SUB,
    [LST_PARAMETER_SESSION] = SUB,
    [LST_PARAMETER_TAGGING] = SUB,
    [LST_PARAMETER_TORRENT] = SUB,
    [LST_PARAMETER_UPLOADS] = SUB,
    [LST_PARAMETER_UPLOAD_ID] = SUB,
    [LST_PARAMETER_VERSIONING] = SUB,
    [LST_PARAMETER_VERSIONS] = SUB,
    [LST_PARAMETER_WEBSITE] = SUB,
};

bool lst_route_is_sub_resource(enum lst_parameter number)
{
    return kinds[number] == SUB;
}

static void remember(struct found *found, enum lst_parameter number)
{
    for (size_t i = 0; i < found->count; i++) {
        if (found->numbers[i] == number) {
            return;
        }
    }
    if (found->count < sizeof(found->numbers) / sizeof(found->numbers[0])) {
        found->numbers[found->count++] = number;
    }
}

/* S3 names them in this order, whatever order they were sent in. */
static void sort(struct found *found)
{
    for (size_t i = 1; i < found->count; i++) {
        for (size_t j = i; j > 0 && lst_slice_compare(lst_parameter_name(found->numbers[j - 1]),
                                                      lst_parameter_name(found->numbers[j])) > 0;
             j--) {
            enum lst_parameter number = found->numbers[j];
            found->numbers[j] = found->numbers[j - 1];
            found->numbers[j - 1] = number;
        }
    }
}

/* The two that make a part, which do not contradict each other. found is sorted. */
static bool is_part(const struct found *found)
{
    return found->count == 2 && found->numbers[0] == LST_PARAMETER_PART_NUMBER &&
           found->numbers[1] == LST_PARAMETER_UPLOAD_ID;
}

/* True if the row's sub-resources are exactly those found. */
static bool covers(const struct lst_operation *row, const struct found *found)
{
    size_t covered = 0;

    if (row->parameter == LST_PARAMETER_OTHER) {
        return found->count == 0;
    }
    for (size_t i = 0; i < found->count; i++) {
        bool is_parameter = found->numbers[i] == row->parameter;
        if (!is_parameter && found->numbers[i] != row->second) {
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

    return row->level == level && covers(row, found) &&
           lst_slice_equal(request->message.method, lst_slice_of(row->method)) &&
           (row->second == LST_PARAMETER_OTHER ||
            lst_http_parameter(request, row->second) != NULL) &&
           (row->header == LST_HEADER_OTHER || lst_http_option(request, row->header, &value));
}

/* Look at every parameter. False, with *ret_route set, if there is one that can't be passed over.
 */
static bool find_sub_resources(const struct lst_http_request *request, struct found *ret_found,
                               struct lst_route *ret_route)
{
    for (size_t i = 0; i < request->parameter_count; i++) {
        const struct lst_http_parameter *parameter = &request->room->parameters[i];

        if (parameter->family != LST_FAMILY_NONE) {
            continue; /* "response-", and what S3 ignores */
        }
        if (kinds[parameter->number] == SUB) {
            remember(ret_found, (enum lst_parameter)parameter->number);
        } else if (kinds[parameter->number] == UNKNOWN && parameter->raw.value.length == 0) {
            ret_route->kind = LST_ROUTE_UNKNOWN;
            ret_route->unknown = parameter->text.name;
            return false;
        }
    }
    return true;
}

struct lst_route lst_route_find(const struct lst_http_request *request, enum lst_level level)
{
    struct lst_route route = {.kind = LST_ROUTE_FOUND};
    struct found found = {.count = 0};

    if (request->has_repeated) {
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
    route.sub_resources[0] = found.count > 0 ? found.numbers[0] : LST_PARAMETER_OTHER;
    route.sub_resources[1] = found.count > 1 ? found.numbers[1] : LST_PARAMETER_OTHER;
    return route;
}
