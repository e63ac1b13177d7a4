/* operations_test.c - the rows of the table of operations say nothing that contradicts another row.
 */
#include "s3/operations.h"
#include "s3/routes.h"
#include "tap.h"

static bool is(const char *text, const char *wanted)
{
    return text != NULL && strcmp(text, wanted) == 0;
}

static bool is_of_upload(const struct lst_operation *row)
{
    return row->parameter == LST_PARAMETER_UPLOADS || row->parameter == LST_PARAMETER_UPLOAD_ID;
}

/* What is about to be made has no version yet, nor has an upload. */
static bool may_name_version(const struct lst_operation *row)
{
    return row->level == LST_LEVEL_OBJECT && !is_of_upload(row) &&
           (row->parameter != LST_PARAMETER_OTHER || !is(row->method, "PUT"));
}

static void check_row(const struct lst_operation *row)
{
    bool has_body = is(row->method, "PUT") || is(row->method, "POST");
    bool heeds_source = (row->heeds & LST_HEEDS_COPY_SOURCE) != 0;

    CHECK(row->parameter == LST_PARAMETER_OTHER || lst_route_is_sub_resource(row->parameter),
          "%s's sub-resource is looked for", row->name);
    if (row->run == NULL) {
        CHECK(row->body == LST_TAKES_NOTHING && row->use == LST_CONSTRAINT_USE_OTHER &&
                  row->heeds == 0 && !row->makes_bucket && row->probe == LST_PROBE_NONE,
              "%s is not there, and claims nothing", row->name);
        return;
    }
    CHECK(((row->heeds & LST_HEEDS_VERSION) != 0) == may_name_version(row),
          "%s heeds versionId as it should", row->name);
    CHECK(row->body == LST_TAKES_NOTHING || has_body, "%s takes no body, or has one", row->name);
    CHECK(heeds_source == (row->header == LST_HEADER_AMZ_COPY_SOURCE),
          "%s heeds the header that asks for it", row->name);
    CHECK((row->probe != LST_PROBE_NONE) == (row->run == lst_answer_probe),
          "%s has a probe's answer if it is one", row->name);
    CHECK(row->use != LST_CONSTRAINT_USE_ANY, "%s is known", row->name);
    CHECK((row->body == LST_TAKES_STREAM || row->body == LST_TAKES_FORM) ==
              (row->use == LST_CONSTRAINT_USE_OBJECT || row->use == LST_CONSTRAINT_USE_PART),
          "%s takes an object's bytes if it is used so", row->name);
}

/* Nothing else is taken for a sub-resource. */
static void check_sub_resource(enum lst_parameter number)
{
    bool is_there = false;

    for (size_t i = 0; i < lst_operation_count; i++) {
        is_there = is_there || lst_operations[i].parameter == number;
    }
    CHECK(is_there == (number != LST_PARAMETER_OTHER && lst_route_is_sub_resource(number)),
          "%s is a sub-resource, or not", lst_parameter_name(number).bytes);
}

/* Rows that are carried out alike say the same of it. */
static void check_alike(const struct lst_operation *row, const struct lst_operation *other)
{
    if (row->run != NULL && row->run == other->run) {
        CHECK(row->body == other->body && row->use == other->use &&
                  row->makes_bucket == other->makes_bucket &&
                  (row->level != other->level || row->heeds == other->heeds),
              "%s and %s are carried out alike", row->name, other->name);
    }
}

int main(void)
{
    unsigned asked[LST_PROBES] = {0};

    for (size_t i = 0; i < lst_operation_count; i++) {
        check_row(&lst_operations[i]);
        asked[lst_operations[i].probe]++;
        for (size_t j = 0; j < i; j++) {
            check_alike(&lst_operations[i], &lst_operations[j]);
        }
    }
    for (unsigned i = 1; i < LST_PARAMETERS_KNOWN; i++) {
        check_sub_resource((enum lst_parameter)i);
    }
    for (size_t i = 1; i < LST_PROBES; i++) {
        CHECK(asked[i] == 1, "one operation asks for probe %zu", i);
    }
    return tap_done();
}
