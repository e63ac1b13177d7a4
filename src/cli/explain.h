/* explain.h - what `latchstring explain` finds out about a URL, and how it tells. */
#ifndef LST_CLI_EXPLAIN_H
#define LST_CLI_EXPLAIN_H

#include "cli/aws_settings.h"
#include "cli/link.h"
#include "cli/options.h"

enum {
    LST_EXIT_UNCHECKED = 3, /* nothing is wrong as far as can be seen, but the signature could not
                             * be checked */
    LST_PROBLEMS_MAX = 4,
    LST_MESSAGE_MAX = 512,
};

/* How a URL is signed. */
enum lst_link_kind {
    LST_LINK_UNSIGNED,
    LST_LINK_V4,
    LST_LINK_V2,
    LST_LINK_SHORT, /* of a Latchstring server: it has no signature, the server knows all of it */
    LST_LINK_OTHER, /* by somebody else's rules: Google, CloudFront, Azure */
};

/* One reason for which the URL would be refused. */
struct lst_problem {
    const char *s3_code;
    const char *reason; /* lst_refusal.name: "expired" */
    char message[LST_MESSAGE_MAX];
    char advice[LST_MESSAGE_MAX];
};

enum lst_signature_state {
    LST_SIGNATURE_UNCHECKED,
    LST_SIGNATURE_RIGHT,
    LST_SIGNATURE_WRONG,
};

/* What is asked: a URL, as some client will send it. */
struct lst_question {
    const struct lst_usage *usage;
    struct lst_slice url;
    struct lst_link link;
    struct lst_slice method; /* empty: not told */
    struct lst_field headers[LST_OPTION_REPEATS_MAX + 1];
    size_t header_count;
    const char *profile;     /* NULL: any */
    struct lst_slice secret; /* read from standard input; empty: look for it */
    int64_t now;
};

/* What is answered. Slices point into the question. */
struct lst_answer {
    enum lst_link_kind kind;
    const char *kind_text;        /* "AWS Signature Version 4" */
    struct lst_slice link_id;     /* of LST_LINK_SHORT */
    char signer[LST_MESSAGE_MAX]; /* access key id or its like; empty: not told */
    struct lst_auth auth;         /* of LST_LINK_V4 */
    bool has_start;
    bool has_end;
    int64_t start; /* seconds since 1970 */
    int64_t end;
    struct lst_slice method; /* as told, or as found by trying; empty: not known */
    enum lst_signature_state signature;
    char unchecked[LST_MESSAGE_MAX]; /* why the signature could not be checked, and what to do */
    struct lst_problem problems[LST_PROBLEMS_MAX];
    size_t problem_count;
};

/* Find out about a URL. False if a file of credentials is not usable, which has been reported. */
LST_MUST_CHECK bool lst_explain_link(const struct lst_question *question,
                                     struct lst_answer *ret_answer);

/* Find out about a URL that is not signed by Version 4: its kind, signer, end and problems. */
void lst_explain_other(const struct lst_question *question, struct lst_answer *answer);

/* Add what a Latchstring server would refuse of the query: constraints that it can't hold,
 * parameters that stand twice. Of a URL that is AWS's: nothing. */
void lst_explain_constraints(const struct lst_question *question, struct lst_answer *answer);

/* Add a problem: the refusal's own text, and the advice that belongs to it. */
void lst_answer_refuse(struct lst_answer *answer, const struct lst_question *question, int code);

/* Add a problem in one's own words. */
void lst_answer_add(struct lst_answer *answer, const char *s3_code, const char *reason,
                    const char *message, const char *advice);

/* The exit status that belongs to an answer. */
LST_MUST_CHECK int lst_answer_status(const struct lst_answer *answer);

/* Tell a person. */
void lst_answer_print(const struct lst_answer *answer, const struct lst_question *question);

/* Tell a program. False if there is no memory. */
LST_MUST_CHECK bool lst_answer_print_json(const struct lst_answer *answer,
                                          const struct lst_question *question);

#endif
