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

/* The request that the URL makes, and what is read of its query. */
struct reading {
    struct lst_http_request request;
    struct lst_http_room room;
    struct lst_constraints constraints;
    bool has_any;
    char text[LST_TARGET_MAX];
};

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
static bool read_all(struct reading *reading, struct lst_answer *answer)
{
    const struct lst_http_parameter *parameter;
    struct lst_constraint_fault fault;
    size_t at = 0;

    while ((parameter = lst_http_next_option(&reading->request, LST_FAMILY_LATCH, &at)) != NULL) {
        reading->has_any = true;
        if (!lst_constraints_take(&reading->constraints,
                                  lst_name_after_family(parameter->text.name, LST_FAMILY_LATCH),
                                  parameter->text.value, &fault)) {
            add_fault(answer, &fault, "");
            return false;
        }
    }
    return true;
}

/* Which operation the URL asks for; NULL if the method is not known, or there is none. */
static const struct lst_operation *find_operation(const struct lst_question *question,
                                                  const struct reading *reading,
                                                  const struct lst_answer *answer)
{
    struct lst_reading place;
    struct lst_route route;

    lst_reading_of(&question->link, &place);
    if (answer->method.length == 0 || (!place.certain && place.key.length == 0)) {
        return NULL;
    }
    route = lst_route_find(&reading->request,
                           place.key.length > 0 ? LST_LEVEL_OBJECT : LST_LEVEL_BUCKET);
    return route.kind == LST_ROUTE_FOUND ? route.operation : NULL;
}

static void check_fit(const struct lst_question *question, const struct reading *reading,
                      struct lst_answer *answer)
{
    const struct lst_operation *operation = find_operation(question, reading, answer);
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

/* False if the query is too long to be anybody's. */
static bool read_request(const struct lst_question *question, const struct lst_answer *answer,
                         struct reading *reading)
{
    if (question->link.query.length > sizeof(reading->text)) {
        return false;
    }
    reading->request = (struct lst_http_request){
        .message = {.method = answer->method,
                    .target = question->link.target,
                    .headers = question->headers,
                    .header_count = question->header_count},
        .path = question->link.path,
        .query = question->link.query,
    };
    lst_http_request_read(&reading->request, &reading->room, reading->text, false);
    return true;
}

void lst_explain_constraints(const struct lst_question *question, struct lst_answer *answer)
{
    struct reading reading = {.has_any = false};

    if (lst_host_is_aws(lst_slice_of(question->link.host)) ||
        !read_request(question, answer, &reading)) {
        return;
    }
    if (reading.request.has_repeated) {
        struct lst_slice name = reading.request.repeated.name;
        char message[LST_MESSAGE_MAX];

        (void)snprintf(message, sizeof(message), "A query parameter is given more than once: %.*s",
                       (int)(name.length < 100 ? name.length : 100), name.bytes);
        lst_answer_add(answer, "InvalidArgument", "parameter-repeated", message, advice);
    } else if (read_all(&reading, answer) && reading.has_any) {
        check_fit(question, &reading, answer);
    }
}
