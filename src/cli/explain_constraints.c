/*
 * explain_constraints.c - what a Latchstring server would refuse of a URL's query, with the
 * server's own code: x-latch- parameters that it can't hold, and parameters that stand twice.
 */
#include "base/clock.h"
#include "base/slice.h"
#include "cli/explain.h"
#include "cli/place.h"
#include "cli/provider.h"
#include "s3/constraints.h"
#include "s3/routes.h"

#include <stdio.h>

static const char advice[] = "Sign the URL again with this put right: a parameter that the "
                             "signature covers can't be changed afterwards.";

/* What is read of the query. The values are decoded into the text. */
struct reading {
    struct lst_constraints constraints;
    bool has_any;
    char text[LST_TARGET_MAX];
    size_t length;
};

static struct lst_slice decode(struct reading *reading, struct lst_slice encoded)
{
    char *room = reading->text + reading->length;
    size_t length;

    if (lst_percent_decode(encoded, true, room, sizeof(reading->text) - reading->length, &length) !=
        LST_OK) {
        return encoded;
    }
    reading->length += length;
    return lst_slice_make(room, length);
}

static void add_fault(struct lst_answer *answer, const struct lst_constraint_fault *fault,
                      const char *operation)
{
    char message[LST_MESSAGE_MAX];
    char problem[LST_MESSAGE_MAX / 2];

    (void)snprintf(problem, sizeof(problem), "does not apply to %s: leave it out when signing",
                   operation);
    (void)snprintf(message, sizeof(message), LST_CONSTRAINT_PREFIX "%.*s %s",
                   (int)(fault->name.length < 40 ? fault->name.length : 40),
                   fault->name.length > 0 ? fault->name.bytes : "",
                   fault->problem != NULL ? fault->problem : problem);
    lst_answer_add(answer, "InvalidArgument", "constraint", message, advice);
}

/* False if one can't be held, which has been added. */
static bool read_all(const struct lst_question *question, struct reading *reading,
                     struct lst_answer *answer)
{
    struct lst_slice rest = question->link.query;
    struct lst_constraint_fault fault;
    struct lst_slice name;
    struct lst_field raw;

    while (lst_http_next_parameter(&rest, &raw)) {
        if (!lst_http_name_starts_with(raw.name, LST_SLICE(LST_CONSTRAINT_PREFIX), &name)) {
            continue;
        }
        reading->has_any = true;
        if (!lst_constraints_take(&reading->constraints, decode(reading, name),
                                  decode(reading, raw.value), &fault)) {
            add_fault(answer, &fault, "");
            return false;
        }
    }
    return true;
}

/* Which operation the URL asks for; NULL if the method is not known, or there is none. */
static const struct lst_operation *find_operation(const struct lst_question *question,
                                                  const struct lst_answer *answer)
{
    struct lst_http_request request = {
        .message = {.method = answer->method,
                    .target = question->link.target,
                    .headers = question->headers,
                    .header_count = question->header_count},
        .path = question->link.path,
        .query = question->link.query,
    };
    struct lst_reading place;
    struct lst_route route;

    lst_reading_of(&question->link, &place);
    if (answer->method.length == 0 || (!place.certain && place.key.length == 0)) {
        return NULL;
    }
    route = lst_route_find(&request, place.key.length > 0 ? LST_LEVEL_OBJECT : LST_LEVEL_BUCKET);
    return route.kind == LST_ROUTE_FOUND ? route.operation : NULL;
}

static void check_fit(const struct lst_question *question, const struct reading *reading,
                      struct lst_answer *answer)
{
    const struct lst_operation *operation = find_operation(question, answer);
    enum lst_constraint_use use = operation == NULL ? LST_CONSTRAINT_USE_ANY : operation->use;
    struct lst_constraint_fault fault;
    char time[LST_ISO8601_LENGTH];
    char message[LST_MESSAGE_MAX];

    if (!lst_constraints_fit(&reading->constraints, use, &fault)) {
        add_fault(answer, &fault, operation == NULL ? "" : operation->name);
    } else if (reading->constraints.has_not_before &&
               question->now < reading->constraints.not_before) {
        lst_clock_format_iso8601(reading->constraints.not_before * 1000, time);
        (void)snprintf(message, sizeof(message), "Request is not valid before %.*s",
                       LST_ISO8601_LENGTH, time);
        lst_answer_add(answer, "AccessDenied", "constraint", message,
                       "Wait until then: the URL says so itself, in x-latch-not-before.");
    }
}

void lst_explain_constraints(const struct lst_question *question, struct lst_answer *answer)
{
    struct lst_http_request request = {.query = question->link.query};
    struct reading reading = {.length = 0};
    struct lst_slice repeated;

    if (lst_host_is_aws(lst_slice_of(question->link.host))) {
        return;
    }
    if (lst_http_find_repeated_parameter(&request, &repeated)) {
        char message[LST_MESSAGE_MAX];

        (void)snprintf(message, sizeof(message), "A query parameter is given more than once: %.*s",
                       (int)(repeated.length < 100 ? repeated.length : 100), repeated.bytes);
        lst_answer_add(answer, "InvalidArgument", "parameter-repeated", message, advice);
    } else if (read_all(question, &reading, answer) && reading.has_any) {
        check_fit(question, &reading, answer);
    }
}
