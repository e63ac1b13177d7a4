/* explain_json.c - tell a program what was found out about a URL. */
#include "base/slice.h"
#include "cli/explain.h"
#include "cli/json.h"
#include "cli/provider.h"
#include "http/request.h"

#include <stdlib.h>

/* What came from the URL, decoded; as it stands where it is not well encoded. */
static json_t *decoded_text(struct lst_slice encoded, bool plus_is_space)
{
    char text[LST_TARGET_MAX];
    size_t length;

    if (lst_percent_decode(encoded, plus_is_space, text, sizeof(text), &length) != LST_OK) {
        return lst_json_text(encoded);
    }
    return lst_json_text(lst_slice_make(text, length));
}

static json_t *signed_headers(struct lst_slice encoded)
{
    char text[LST_TARGET_MAX];
    json_t *list = json_array();
    struct lst_slice rest;
    struct lst_slice name;
    size_t length;

    if (lst_percent_decode(encoded, true, text, sizeof(text), &length) != LST_OK) {
        return list;
    }
    rest = lst_slice_make(text, length);
    while (length > 0 && lst_slice_split(&rest, ';', &name)) {
        json_array_append_new(list, lst_json_text(name));
    }
    return list;
}

/* All parameters that are not the signature's own, in order. */
static json_t *parameters(const struct lst_question *question)
{
    struct lst_slice rest = question->link.query;
    struct lst_slice ignored;
    struct lst_field raw;
    json_t *list = json_array();

    while (lst_http_next_parameter(&rest, &raw)) {
        if (!lst_http_name_starts_with(raw.name, LST_SLICE("X-Amz-"), &ignored)) {
            json_array_append_new(list, json_pack("{so so}", "name", decoded_text(raw.name, true),
                                                  "value", decoded_text(raw.value, true)));
        }
    }
    return list;
}

static json_t *problems(const struct lst_answer *answer)
{
    json_t *list = json_array();

    for (size_t i = 0; i < answer->problem_count; i++) {
        const struct lst_problem *problem = &answer->problems[i];

        json_array_append_new(
            list, json_pack("{ss ss so so}", "code", problem->s3_code, "reason", problem->reason,
                            "message", lst_json_text(lst_slice_of(problem->message)), "advice",
                            lst_json_text(lst_slice_of(problem->advice))));
    }
    return list;
}

static void set(json_t *object, const char *name, json_t *value)
{
    json_object_set_new(object, name, value);
}

static void set_place(json_t *object, struct lst_slice bucket, struct lst_slice key,
                      bool virtual_host)
{
    set(object, "bucket", decoded_text(bucket, false));
    set(object, "key", decoded_text(key, false));
    set(object, "addressing", json_string(virtual_host ? "virtual-host" : "path"));
}

static void set_object(json_t *object, const struct lst_question *question)
{
    struct lst_reading place;
    json_t *other;

    lst_reading_of(&question->link, &place);
    set(object, "host", lst_json_text(lst_slice_of(question->link.host)));
    set(object, "provider", place.provider != NULL ? json_string(place.provider) : json_null());
    set_place(object, place.bucket, place.key, place.virtual_host);
    set(object, "addressing_known", json_boolean(place.certain));
    if (!place.certain) {
        other = json_object();
        set_place(other, place.other_bucket, place.other_key, true);
        set(object, "or", other);
    }
}

static void set_times(json_t *object, const struct lst_answer *answer,
                      const struct lst_question *question)
{
    if (answer->has_start) {
        set(object, "valid_from", lst_json_time(answer->start));
    }
    if (answer->has_end) {
        set(object, "valid_until", lst_json_time(answer->end));
        set(object, "seconds_left", json_integer(answer->end - question->now));
    }
}

bool lst_answer_print_json(const struct lst_answer *answer, const struct lst_question *question)
{
    static const char *const kinds[] = {"unsigned", "aws-v4", "aws-v2", "short-link", "other"};
    static const char *const signatures[] = {"unchecked", "right", "wrong"};
    json_t *object = json_object();
    int status = lst_answer_status(answer);

    set(object, "verdict",
        json_string(status == LST_EXIT_OK       ? "accepted"
                    : status == LST_EXIT_FAILED ? "refused"
                                                : "unchecked"));
    set(object, "signature", json_string(signatures[answer->signature]));
    if (answer->signature == LST_SIGNATURE_UNCHECKED) {
        set(object, "unchecked_because", lst_json_text(lst_slice_of(answer->unchecked)));
    }
    set(object, "problems", problems(answer));
    set(object, "kind", json_string(kinds[answer->kind]));
    set(object, "kind_text", json_string(answer->kind_text));
    set(object, "signer",
        answer->signer[0] != '\0' ? lst_json_text(lst_slice_of(answer->signer)) : json_null());
    set(object, "method", answer->method.length > 0 ? lst_json_text(answer->method) : json_null());
    if (answer->kind == LST_LINK_SHORT) {
        set(object, "host", lst_json_text(lst_slice_of(question->link.host)));
        set(object, "link_id", lst_json_text(answer->link_id));
    } else {
        set_object(object, question);
    }
    set_times(object, answer, question);
    if (answer->kind == LST_LINK_V4) {
        set(object, "region", lst_json_text(lst_slice_of(answer->auth.region)));
        set(object, "temporary_credentials", json_boolean(answer->auth.session_token.length > 0));
        set(object, "signed_headers", signed_headers(answer->auth.signed_headers));
        set(object, "parameters", parameters(question));
    }
    return lst_json_print(object, false);
}
