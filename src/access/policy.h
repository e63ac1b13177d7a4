/*
 * policy.h - IAM-style JSON policies: parsed once, asked often.
 *
 * The language is IAM's ("IAM JSON policy elements reference" and "Policy evaluation logic" of the
 * IAM User Guide), as far as identity policies of S3 need it: Version, Id, Statement, Sid, Effect,
 * Action, NotAction, Resource, NotResource, Condition. An element or a condition operator or key
 * that this file does not know is refused when the policy is set, never ignored when it is asked.
 * docs/users-and-policies.md has the full list.
 */
#ifndef LST_ACCESS_POLICY_H
#define LST_ACCESS_POLICY_H

#include "base/buffer.h"
#include "base/error.h"

#define LST_ACCESS_POLICY_MAX (20 * 1024) /* bytes of JSON, as IAM allows */

struct lst_access_policy;

/*
 * Parse. Unchangeable once made; any thread may ask it. LST_ERR_POLICY: *ret_problem (if not NULL)
 * then has one sentence that names the statement and what is wrong with it.
 */
LST_MUST_CHECK int lst_access_policy_parse(struct lst_slice json,
                                           struct lst_access_policy **ret_policy,
                                           struct lst_buffer *ret_problem);
void lst_access_policy_free(struct lst_access_policy *policy);

/* What is asked: plain facts about one request and one resource. Empty slices are facts that are
 * absent. */
struct lst_access_question {
    struct lst_slice action;    /* "s3:GetObject" */
    struct lst_slice bucket;    /* empty for ListBuckets */
    struct lst_slice key;       /* decoded; empty for an operation on the bucket */
    struct lst_slice user_name; /* aws:username, and ${aws:username} in resources */
    struct lst_slice source_ip; /* aws:SourceIp, as text. If it is no address, nobody knows whose it
                                 * is: an Allow that asks about it does not apply, a Deny does */
    int64_t now;                /* aws:CurrentTime, aws:EpochTime: seconds */
    bool secure;                /* aws:SecureTransport */
    bool any_key;       /* key is not known yet: could it be allowed for some key of the bucket? */
    bool has_prefix;    /* s3:prefix of a listing */
    bool has_delimiter; /* s3:delimiter */
    struct lst_slice prefix;
    struct lst_slice delimiter;
    bool has_max_keys; /* s3:max-keys */
    int64_t max_keys;
    bool has_signature_age; /* s3:signatureAge */
    int64_t signature_age_ms;
    struct lst_slice auth_type; /* s3:authType: "REST-QUERY-STRING", "REST-HEADER", "POST" */
    struct lst_slice signature_version; /* s3:signatureversion: "AWS4-HMAC-SHA256" */
};

enum lst_access_decision {
    LST_ACCESS_NO_MATCH = 0, /* nothing speaks of it: denied, if nothing else allows it */
    LST_ACCESS_ALLOW = 1,
    LST_ACCESS_DENY = 2, /* a Deny statement speaks of it: final */
};

/* One policy's word. Over several policies: any DENY denies; else any ALLOW allows; else it is
 * denied. */
enum lst_access_decision lst_access_policy_decide(const struct lst_access_policy *policy,
                                                  const struct lst_access_question *question);

#endif
