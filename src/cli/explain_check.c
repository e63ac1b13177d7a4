/* explain_check.c - check a URL as a server would, and find out all that is wrong with it. */
#include "base/slice.h"
#include "cli/explain.h"
#include "cli/provider.h"

#include <stdio.h>

/* Longer than any URL lives: to look beyond a refusal for the expiry alone. */
#define ANY_EXPIRY (INT64_C(1000) * 365 * 86400)

/* What a URL is tried with when the method is not told, the likeliest first. */
static const struct lst_slice methods[] = {
    {"GET", 3}, {"PUT", 3}, {"HEAD", 4}, {"DELETE", 6}, {"POST", 4}};
enum { METHOD_COUNT = sizeof(methods) / sizeof(methods[0]) };

void lst_answer_add(struct lst_answer *answer, const char *s3_code, const char *reason,
                    const char *message, const char *advice)
{
    struct lst_problem *problem = &answer->problems[answer->problem_count];

    if (answer->problem_count == LST_PROBLEMS_MAX) {
        return;
    }
    problem->s3_code = s3_code;
    problem->reason = reason;
    snprintf(problem->message, sizeof(problem->message), "%s", message);
    snprintf(problem->advice, sizeof(problem->advice), "%s", advice);
    answer->problem_count++;
}

/* What to do about a refusal. */
static const char *advice_for(int code)
{
    switch (code) {
    case LST_REFUSED_EXPIRED:
        return "Presign again, with a longer --expires-in if it must live longer.";
    case LST_REFUSED_NOT_YET_VALID:
        return "Wait, or set the clock of the machine that signed it.";
    case LST_REFUSED_EXPIRES_TOO_LARGE:
        return "Presign again with --expires-in 604800 (seven days) or less.";
    case LST_REFUSED_PARAMETER_MISSING:
        return "Was the URL cut off? In a shell it must stand in quotes, for '&' ends a command.";
    case LST_REFUSED_HEADERS_NOT_SIGNED:
        return "Every x-amz-... header that is sent must be signed: presign with the same "
               "--header, or don't send it.";
    case LST_REFUSED_SIGNED_TWICE:
        return "Send the URL as it is, without an Authorization header or a second signature.";
    case LST_REFUSED_TOKEN_INVALID:
        return "Presign again with the access key, the secret and the session token of one "
               "session.";
    case LST_REFUSED_TOKEN_EXPIRED:
        return "Presign again with new temporary credentials, or with a user's own keys, which "
               "don't expire.";
    case LST_REFUSED_NOT_SIGNED:
        return "Sign it: latchstring presign s3://BUCKET/KEY";
    default:
        return "Presign again, and pass the URL on unchanged.";
    }
}

/* What spoilt a URL that is refused for its form, if that is to be seen; else the usual advice. */
static void find_advice(const struct lst_question *question, const struct lst_answer *answer,
                        int code, char ret_advice[LST_MESSAGE_MAX])
{
    const struct lst_rules rules = {0};
    const struct lst_request request = {
        .method = methods[0],
        .target = question->link.target,
        .headers = question->headers,
        .header_count = question->header_count,
    };
    struct lst_explanation explanation;

    if (lst_explain_refusal(&request, &rules, question->now, code, &answer->auth, &explanation) ==
        LST_OK) {
        snprintf(ret_advice, LST_MESSAGE_MAX, "%.*s", (int)explanation.length, explanation.text);
    } else {
        snprintf(ret_advice, LST_MESSAGE_MAX, "%s", advice_for(code));
    }
}

void lst_answer_refuse(struct lst_answer *answer, const struct lst_question *question, int code)
{
    const struct lst_refusal *refusal = lst_refusal(code, LST_AUTH_QUERY);
    const struct lst_rules rules = {0};
    char message[LST_MESSAGE_MAX];
    char advice[LST_MESSAGE_MAX];
    size_t length;

    find_advice(question, answer, code, advice);
    if (lst_refusal_text(code, &answer->auth, &rules, message, sizeof(message) - 1, &length) !=
        LST_OK) {
        length = 0;
    }
    message[length] = '\0';
    lst_answer_add(answer, refusal->s3_code, refusal->name, length > 0 ? message : refusal->text,
                   advice);
}

/* Apply the rules that need no secret, past the expiry and the time if those are what fails. True
 * if all is there that the signature covers. */
static bool check_claims(const struct lst_question *question, const struct lst_request *request,
                         struct lst_answer *answer)
{
    struct lst_rules rules = {0};
    int code = lst_parse(request, &rules, question->now, &answer->auth);

    if (code == LST_REFUSED_EXPIRES_TOO_LARGE) {
        lst_answer_refuse(answer, question, code);
        rules.expires_max = ANY_EXPIRY;
        code = lst_parse(request, &rules, question->now, &answer->auth);
    }
    if (code == LST_REFUSED_EXPIRED || code == LST_REFUSED_NOT_YET_VALID) {
        lst_answer_refuse(answer, question, code);
        code = lst_parse(request, &rules, answer->auth.time, &answer->auth);
        if (code == LST_REFUSED_EXPIRED) { /* of a URL that lives for 0 seconds: said already */
            return false;
        }
    }
    if (code != LST_OK) {
        lst_answer_refuse(answer, question, code);
    }
    return code == LST_OK;
}

static bool has_header(const struct lst_question *question, struct lst_slice name)
{
    for (size_t i = 0; i < question->header_count; i++) {
        if (lst_slice_equal_ignoring_case(question->headers[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* The signature covers headers whose values the URL does not tell. True if they were all given. */
static bool check_headers_given(const struct lst_question *question, struct lst_answer *answer)
{
    char names[LST_TARGET_MAX];
    struct lst_slice rest;
    struct lst_slice name;
    size_t length;

    if (lst_percent_decode(answer->auth.signed_headers, true, names, sizeof(names), &length) !=
        LST_OK) {
        return true;
    }
    rest = lst_slice_make(names, length);
    while (lst_slice_split(&rest, ';', &name)) {
        if (!has_header(question, name)) {
            snprintf(answer->unchecked, sizeof(answer->unchecked),
                     "the header '%.*s' is signed, and its value is not part of the URL; give it "
                     "as the client will send it: --header '%.*s: ...'",
                     (int)name.length, name.bytes, (int)name.length, name.bytes);
            return false;
        }
    }
    return true;
}

static int make_key(const struct lst_auth *auth, struct lst_slice secret, struct lst_key *key)
{
    char midnight[] = "YYYYMMDDT000000Z";
    int64_t time;
    int status;

    memcpy(midnight, auth->day, 8);
    status = lst_parse_time(lst_slice_of(midnight), &time);
    if (status != LST_OK) {
        return status;
    }
    return lst_key_init(key, secret, time, lst_slice_of(auth->region), lst_slice_of(auth->service));
}

/* Verify with the method that is told, or with each of them. */
static int verify(const struct lst_question *question, struct lst_request *request,
                  const struct lst_key *key, struct lst_answer *answer)
{
    int status = lst_verify(request, &answer->auth, key);

    for (size_t i = 0;
         status == LST_REFUSED_SIGNATURE && question->method.length == 0 && i < METHOD_COUNT; i++) {
        request->method = methods[i];
        status = lst_verify(request, &answer->auth, key);
    }
    if (status == LST_OK) {
        answer->method = request->method;
    } else if (question->method.length == 0) {
        request->method = methods[0];
    }
    return status;
}

/*
 * lst_explain() with the method that is told. A URL does not tell one: then with that method for
 * which something else is the only thing wrong.
 */
static int explain_some_method(const struct lst_question *question, struct lst_request *request,
                               const struct lst_auth *auth, struct lst_slice secret,
                               const struct lst_hints *hints,
                               struct lst_explanation *ret_explanation)
{
    int status = lst_explain(request, auth, secret, hints, ret_explanation);

    if (question->method.length > 0) {
        return status;
    }
    for (size_t i = 0; i < METHOD_COUNT &&
                       (status == LST_ERR_NO_NEAR_MISS || ret_explanation->miss == LST_MISS_METHOD);
         i++) {
        request->method = methods[i];
        status = lst_explain(request, auth, secret, hints, ret_explanation);
    }
    return status;
}

/* The signature is wrong: say what would have made it right. */
static void explain_signature(struct lst_request *request, const struct lst_question *question,
                              struct lst_slice secret, struct lst_answer *answer)
{
    const struct lst_refusal *refusal = lst_refusal(LST_REFUSED_SIGNATURE, LST_AUTH_QUERY);
    struct lst_hints hints = {.host_is_right = true}; /* no proxy stands in between */
    struct lst_reading place;
    struct lst_explanation explanation = {0};
    char advice[LST_MESSAGE_MAX];
    int status;

    lst_reading_of(&question->link, &place);
    hints.bucket = place.bucket;
    status = explain_some_method(question, request, &answer->auth, secret, &hints, &explanation);
    if (status == LST_OK || (status == LST_ERR_NO_NEAR_MISS && explanation.length > 0)) {
        snprintf(advice, sizeof(advice), "%.*s", (int)explanation.length, explanation.text);
    } else {
        snprintf(advice, sizeof(advice), "%s", advice_for(LST_REFUSED_SIGNATURE));
    }
    lst_answer_add(answer, refusal->s3_code, refusal->name, refusal->text, advice);
}

static void check_signature(const struct lst_question *question, struct lst_request *request,
                            struct lst_slice secret, struct lst_answer *answer)
{
    struct lst_key key;
    int status = make_key(&answer->auth, secret, &key);

    if (status == LST_OK) {
        status = verify(question, request, &key, answer);
    }
    if (status == LST_OK) {
        answer->signature = LST_SIGNATURE_RIGHT;
    } else if (status == LST_REFUSED_SIGNATURE) {
        answer->signature = LST_SIGNATURE_WRONG;
        explain_signature(request, question, secret, answer);
    } else {
        snprintf(answer->unchecked, sizeof(answer->unchecked),
                 "the secret access key is empty or too long to be one");
    }
    lst_wipe(&key, sizeof(key));
}

/* Rule 7 as far as the credentials at hand tell: the session token. */
static void check_token(const struct lst_question *question,
                        const struct lst_credentials *credentials, struct lst_answer *answer)
{
    struct lst_slice token = lst_slice_of(credentials->session_token);
    int64_t end;

    if (token.length == 0 && answer->auth.session_token.length == 0) {
        return;
    }
    if (!lst_auth_token_equals(&answer->auth, token)) {
        lst_answer_refuse(answer, question, LST_REFUSED_TOKEN_INVALID);
    } else if (lst_credentials_expiry(credentials, &end) && end <= question->now) {
        lst_answer_refuse(answer, question, LST_REFUSED_TOKEN_EXPIRED);
    }
}

/* Find the secret and use it. False if a file of credentials is not usable. */
static bool check_with_secret(const struct lst_question *question, struct lst_request *request,
                              struct lst_answer *answer)
{
    struct lst_credentials credentials = {0};
    bool found = false;

    if (question->secret.length > 0) {
        check_signature(question, request, question->secret, answer);
        return true;
    }
    if (!lst_aws_credentials_find(question->usage->command, question->profile,
                                  answer->auth.access_key_id, &credentials, &found)) {
        return false;
    }
    if (found) {
        check_signature(question, request, lst_slice_of(credentials.secret), answer);
        check_token(question, &credentials, answer);
    } else {
        snprintf(answer->unchecked, sizeof(answer->unchecked),
                 "the secret of %s is not at hand: give it with --secret-key-stdin, or put it "
                 "into the environment or ~/.aws/credentials",
                 answer->auth.access_key_id);
    }
    lst_wipe(&credentials, sizeof(credentials));
    return true;
}

static void take_claims(struct lst_answer *answer)
{
    answer->kind = LST_LINK_V4;
    answer->kind_text = "AWS Signature Version 4";
    snprintf(answer->signer, sizeof(answer->signer), "%s", answer->auth.access_key_id);
    answer->has_start = answer->auth.time > 0;
    answer->has_end = answer->auth.time > 0 && answer->auth.expires > 0;
    answer->start = answer->auth.time;
    answer->end = answer->auth.time + answer->auth.expires;
}

bool lst_explain_link(const struct lst_question *question, struct lst_answer *ret_answer)
{
    struct lst_request request = {
        .method = question->method.length > 0 ? question->method : methods[0],
        .target = question->link.target,
        .headers = question->headers,
        .header_count = question->header_count,
    };
    bool whole;
    bool ok = true;

    *ret_answer = (struct lst_answer){.method = question->method};
    if (lst_link_parameter(&question->link, "X-Amz-Algorithm").bytes == NULL &&
        lst_link_parameter(&question->link, "X-Amz-Signature").bytes == NULL) {
        lst_explain_other(question, ret_answer);
        return true;
    }
    whole = check_claims(question, &request, ret_answer);
    if (!whole) {
        snprintf(ret_answer->unchecked, sizeof(ret_answer->unchecked),
                 "the URL is refused before its signature is looked at");
    } else if (check_headers_given(question, ret_answer)) {
        ok = check_with_secret(question, &request, ret_answer);
    }
    take_claims(ret_answer);
    lst_explain_constraints(question, ret_answer);
    return ok;
}

int lst_answer_status(const struct lst_answer *answer)
{
    if (answer->problem_count > 0) {
        return LST_EXIT_FAILED;
    }
    return answer->signature == LST_SIGNATURE_RIGHT ? LST_EXIT_OK : LST_EXIT_UNCHECKED;
}
