/* explain_other.c - URLs that are signed, but not by Version 4 of AWS. */
#include "access/constraints.h"
#include "api/api.h"
#include "base/clock.h"
#include "base/slice.h"
#include "cli/explain.h"

#include <ctype.h>
#include <stdio.h>

/* How a scheme writes when a URL ends. */
enum end_form {
    END_UNIX,    /* seconds since 1970 */
    END_ISO8601, /* a time */
    END_GOOGLE,  /* X-Goog-Date and X-Goog-Expires, as AWS's own */
};

/* The schemes, by a parameter that only they have. */
static const struct scheme {
    const char *marker;
    const char *text;
    const char *signer; /* the parameter that names who signed */
    const char *end;    /* the one that says until when */
    enum end_form form;
} schemes[] = {
    {"AWSAccessKeyId", "AWS Signature Version 2", "AWSAccessKeyId", "Expires", END_UNIX},
    {"X-Goog-Algorithm", "Google Cloud Storage, V4 signing", "X-Goog-Credential", "X-Goog-Expires",
     END_GOOGLE},
    {"GoogleAccessId", "Google Cloud Storage, V2 signing", "GoogleAccessId", "Expires", END_UNIX},
    {"Key-Pair-Id", "Amazon CloudFront", "Key-Pair-Id", "Expires", END_UNIX},
    {"sig", "Azure shared access signature", "skoid", "se", END_ISO8601},
};
enum { SCHEME_COUNT = sizeof(schemes) / sizeof(schemes[0]) };

/* A parameter, decoded, in a buffer of the caller; empty if it is not there or too long. */
static struct lst_slice decoded(const struct lst_question *question, const char *name, char *out,
                                size_t capacity)
{
    size_t length;

    if (lst_percent_decode(lst_link_parameter(&question->link, name), true, out, capacity,
                           &length) != LST_OK) {
        length = 0;
    }
    return lst_slice_make(out, length);
}

static void find_end(const struct lst_question *question, const struct scheme *scheme,
                     struct lst_answer *answer)
{
    char text[64];
    struct lst_slice end = decoded(question, scheme->end, text, sizeof(text));
    uint64_t number;
    int64_t time_ms;

    if (scheme->form == END_ISO8601) {
        answer->has_end = lst_clock_parse_iso8601(end, &time_ms);
        answer->end = answer->has_end ? time_ms / 1000 : 0;
        return;
    }
    if (!lst_slice_to_number(end, UINT32_MAX, &number)) {
        return;
    }
    answer->end = (int64_t)number;
    if (scheme->form == END_GOOGLE) {
        char start[64];

        if (lst_parse_time(decoded(question, "X-Goog-Date", start, sizeof(start)),
                           &answer->start) != LST_OK) {
            return;
        }
        answer->has_start = true;
        answer->end += answer->start;
    }
    answer->has_end = true;
}

static const struct scheme *find_scheme(const struct lst_link *link)
{
    for (size_t i = 0; i < SCHEME_COUNT; i++) {
        if (lst_link_parameter(link, schemes[i].marker).bytes != NULL) {
            return &schemes[i];
        }
    }
    return NULL;
}

/* Fit to be an id of a link. */
static bool is_plain(struct lst_slice id)
{
    for (size_t i = 0; id.bytes != NULL && i < id.length; i++) {
        if (!isalnum((unsigned char)id.bytes[i]) && strchr("-._~", id.bytes[i]) == NULL) {
            return false;
        }
    }
    return id.length > 0 && id.length <= LST_CONSTRAINT_ID_MAX;
}

/* A short link of a Latchstring server. Nothing of what it opens is in the URL. */
static bool explain_short(const struct lst_question *question, struct lst_answer *answer)
{
    struct lst_slice path = question->link.path;
    size_t at = lst_slice_find_slice(path, LST_SLICE(LST_LINKS_PATH));

    if (at == path.length || question->link.query.length > 0) {
        return false;
    }
    answer->kind = LST_LINK_SHORT;
    answer->kind_text = "short link of a Latchstring server";
    answer->link_id = lst_slice_after(path, at + sizeof(LST_LINKS_PATH) - 1);
    /* Somebody may copy the command. */
    if (!is_plain(answer->link_id)) {
        answer->link_id = LST_SLICE("");
    }
    snprintf(answer->unchecked, sizeof(answer->unchecked),
             "a short link has none; what it opens, for how long and how often, its server knows "
             "alone. Whoever made it can ask there: latchstring link show %.*s",
             answer->link_id.length > 0 ? (int)answer->link_id.length : 2,
             answer->link_id.length > 0 ? answer->link_id.bytes : "ID");
    return true;
}

void lst_explain_other(const struct lst_question *question, struct lst_answer *answer)
{
    const struct scheme *scheme = find_scheme(&question->link);
    struct lst_slice signer;

    if (scheme == NULL && explain_short(question, answer)) {
        return;
    }
    if (scheme == NULL) {
        answer->kind = LST_LINK_UNSIGNED;
        answer->kind_text = "not signed";
        snprintf(answer->unchecked, sizeof(answer->unchecked), "the URL has no signature");
        lst_answer_refuse(answer, question, LST_REFUSED_NOT_SIGNED);
        return;
    }
    answer->kind = scheme == &schemes[0] ? LST_LINK_V2 : LST_LINK_OTHER;
    answer->kind_text = scheme->text;
    signer = decoded(question, scheme->signer, answer->signer, sizeof(answer->signer) - 1);
    answer->signer[signer.length] = '\0';
    find_end(question, scheme, answer);
    if (answer->kind == LST_LINK_V2) {
        snprintf(answer->unchecked, sizeof(answer->unchecked),
                 "signatures of Version 2 are not computed here");
        lst_answer_add(
            answer, lst_refusal(LST_REFUSED_SIGNATURE_V2, LST_AUTH_QUERY)->s3_code,
            lst_refusal(LST_REFUSED_SIGNATURE_V2, LST_AUTH_QUERY)->name,
            "Signature Version 2 is refused by Latchstring unless it runs with "
            "--allow-signature-v2, by the AWS regions opened since 2014 and by newer buckets of "
            "the others.",
            "Sign with Version 4. boto3: Config(signature_version='s3v4'). AWS CLI: aws configure "
            "set default.s3.signature_version s3v4. Or: latchstring presign.");
    } else {
        snprintf(answer->unchecked, sizeof(answer->unchecked),
                 "this is not a signature of S3, and latchstring can't check it");
    }
    if (answer->has_end && answer->end <= question->now) {
        lst_answer_add(answer, "Expired", "expired", "The URL has expired.",
                       "Sign it again where it was signed.");
    }
}
