/* explain_print.c - tell a person what was found out about a URL. */
#include "base/clock.h"
#include "base/slice.h"
#include "cli/explain.h"
#include "cli/provider.h"
#include "http/request.h"

#include <ctype.h>
#include <stdio.h>

/* Print a part of the URL, decoded; as it stands where it is not well encoded. */
static void print_encoded(struct lst_slice encoded, bool plus_is_space)
{
    char text[LST_TARGET_MAX];
    size_t length;

    if (lst_percent_decode(encoded, plus_is_space, text, sizeof(text), &length) == LST_OK) {
        encoded = lst_slice_make(text, length);
    }
    lst_print_safely(encoded);
}

static void print_label(const char *label)
{
    printf("  %-15s", label);
}

static void print_row(const char *label, struct lst_slice text)
{
    if (text.length > 0) {
        print_label(label);
        lst_print_safely(text);
        printf("\n");
    }
}

static void print_encoded_row(const char *label, struct lst_slice encoded)
{
    if (encoded.length > 0) {
        print_label(label);
        print_encoded(encoded, false);
        printf("\n");
    }
}

/* "2 days 3 hours": the two largest units. */
static void format_duration(int64_t seconds, char *text, size_t capacity)
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {{31557600, "year"}, {86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
    size_t length = 0;
    int shown = 0;

    snprintf(text, capacity, "0 seconds");
    for (size_t i = 0; i < 5 && shown < 2 && length < capacity; i++) {
        int64_t count = seconds / units[i].seconds;

        if (count > 0) {
            length += (size_t)snprintf(text + length, capacity - length, "%s%lld %s%s",
                                       shown > 0 ? " " : "", (long long)count, units[i].name,
                                       count == 1 ? "" : "s");
            shown++;
            seconds -= count * units[i].seconds;
        } else if (shown > 0) {
            return;
        }
    }
}

static void print_time(const char *label, int64_t time, int64_t now)
{
    char text[LST_ISO8601_LENGTH];
    char duration[64];

    if (time < 0 || time >= INT64_C(253402300800)) { /* the year 10000 */
        printf("  %-15sbeyond the year 9999\n", label);
        return;
    }
    lst_clock_format_iso8601(time * 1000, text);
    format_duration(time > now ? time - now : now - time, duration, sizeof(duration));
    printf("  %-15s%.10s %.8s UTC (", label, text, text + 11);
    printf(time > now ? "in %s)\n" : "%s ago)\n", duration);
}

/* All parameters that are not the signature's own: response-* overrides and others. */
static void print_parameters(const struct lst_question *question, const struct lst_answer *answer)
{
    struct lst_slice rest = question->link.query;
    struct lst_slice ignored;
    struct lst_field raw;

    while (answer->kind == LST_LINK_V4 && lst_http_next_parameter(&rest, &raw)) {
        if (lst_http_name_starts_with(raw.name, LST_SLICE("X-Amz-"), &ignored)) {
            continue;
        }
        printf("  %-15s", lst_http_name_starts_with(raw.name, LST_SLICE("response-"), &ignored)
                              ? "override"
                              : "parameter");
        print_encoded(raw.name, true);
        printf(" = ");
        print_encoded(raw.value, true);
        printf("\n");
    }
}

/* Bucket and key, both ways where it can't be known which one is right. */
static void print_place(const struct lst_question *question)
{
    struct lst_reading place;

    lst_reading_of(&question->link, &place);
    if (place.provider != NULL) {
        print_row("provider", lst_slice_of(place.provider));
    }
    print_encoded_row("bucket", place.bucket);
    print_encoded_row("key", place.key);
    if (!place.certain) {
        print_label("or bucket");
        print_encoded(place.other_bucket, false);
        printf(", if it stands in the host: that is not known of this host\n");
        print_encoded_row("  with key", place.other_key);
    }
}

static void print_object(const struct lst_question *question, const struct lst_answer *answer)
{
    if (answer->kind != LST_LINK_SHORT) {
        print_row("method", answer->method.length > 0
                                ? answer->method
                                : LST_SLICE("not known: a URL does not tell; give --method"));
    }
    print_row("host", lst_slice_of(question->link.host));
    if (answer->kind == LST_LINK_SHORT) {
        print_row("link", answer->link_id);
    } else if (answer->kind == LST_LINK_OTHER) {
        print_encoded_row("path", question->link.path);
    } else {
        print_place(question);
    }
}

static void print_claims(const struct lst_question *question, const struct lst_answer *answer)
{
    print_row("signed by", lst_slice_of(answer->signer));
    print_object(question, answer);
    if (answer->kind == LST_LINK_V4) {
        print_row("region", lst_slice_of(answer->auth.region));
        print_encoded_row("signed headers", answer->auth.signed_headers);
        if (answer->auth.session_token.length > 0) {
            print_row("credentials", LST_SLICE("temporary: the URL ends when they do, or before"));
        }
    }
    print_parameters(question, answer);
    if (answer->has_start) {
        print_time("from", answer->start, question->now);
    }
    if (answer->has_end) {
        print_time("until", answer->end, question->now);
    }
}

static void print_problem(const struct lst_problem *problem)
{
    printf("  %s: ", problem->s3_code);
    lst_print_safely(lst_slice_of(problem->message));
    printf("\n    ");
    lst_print_safely(lst_slice_of(problem->advice));
    printf("\n");
}

static void print_verdict(const struct lst_answer *answer)
{
    print_label("signature");
    if (answer->signature == LST_SIGNATURE_UNCHECKED) {
        printf("not checked: ");
        lst_print_safely(lst_slice_of(answer->unchecked));
    } else {
        printf(answer->signature == LST_SIGNATURE_RIGHT ? "right" : "wrong");
    }
    if (answer->problem_count > 0) {
        printf("\n\nIt would be refused:\n");
    } else if (answer->signature == LST_SIGNATURE_RIGHT) {
        printf("\n\nIt would be accepted, unless its signer may not do this, or it was revoked or "
               "used up:"
               "\nonly the server knows.\n");
    } else {
        printf("\n\nNothing is wrong with it, as far as can be seen.\n");
    }
    for (size_t i = 0; i < answer->problem_count; i++) {
        print_problem(&answer->problems[i]);
    }
}

void lst_answer_print(const struct lst_answer *answer, const struct lst_question *question)
{
    printf("%c%s\n\n", toupper((unsigned char)answer->kind_text[0]), answer->kind_text + 1);
    print_claims(question, answer);
    print_verdict(answer);
}
