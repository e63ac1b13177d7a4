/*
 * gate.h - the latch. Every request passes here once: authenticate, then authorise.
 *
 * Authenticate applies the rules of latchstring.h to the raw request, looks the signer up among the
 * users, and checks the signature, for each host name that this server may have been called by.
 * Authorise asks what the signer may do *now*: policies are evaluated when a URL is used, not when
 * it was made, so a URL dies with the rights of whoever signed it.
 */
#ifndef LST_GATE_GATE_H
#define LST_GATE_GATE_H

#include "access/policy.h"
#include "gate/users.h"
#include "http/request.h"

#define LST_GATE_HOSTS_MAX 8

struct lst_gate;

struct lst_gate_options {
    struct lst_users *users; /* kept by the caller until lst_gate_close() */
    struct lst_rules rules;  /* slices valid until lst_gate_close(), as are the hosts */
    const struct lst_slice *public_hosts; /* host[:port] of each configured public URL: tried when
                                             the Host header does not fit */
    size_t public_host_count;             /* at most LST_GATE_HOSTS_MAX */
    const struct lst_slice *domains; /* of virtual hosts: Signature Version 2 signs the bucket in
                                        the host name, not the host */
    size_t domain_count;
    const char *own_address; /* "127.0.0.1:9000", for explanations alone; NULL: not known. Read
                                when something is explained: it may be filled in later */
    uint64_t api_rate; /* requests a second that a bearer may make of the API; 0: any number */
};

LST_MUST_CHECK int lst_gate_open(const struct lst_gate_options *options,
                                 struct lst_gate **ret_gate);
void lst_gate_close(struct lst_gate *gate);

/* The rules it applies, for the texts of refusals; valid until lst_gate_close(). */
const struct lst_rules *lst_gate_rules(const struct lst_gate *gate);

struct lst_identity; /* a user as the gate keeps it: compiled policy, cached signing keys */

/* A request that was looked at: who, how, since when. Release it when the request has been
 * answered. */
struct lst_passage {
    struct lst_auth auth;          /* slices point into the request */
    struct lst_identity *identity; /* NULL before the access key was found */
    struct lst_identity *earlier;  /* before lst_gate_renew(): its texts may be borrowed; or NULL */
    struct lst_key key;            /* the signing key, for streamed bodies */
    struct lst_slice host;         /* the host name that the signature fits */
    int64_t now;                   /* seconds */
    const struct lst_http_request *request;
};

/*
 * Who is it? 0: the request is signed, by passage->identity. Else a LST_REFUSED_ code:
 * LST_REFUSED_NOT_SIGNED for an anonymous request, LST_REFUSED_ACCESS_KEY_UNKNOWN,
 * _ACCESS_KEY_INACTIVE (the key or its user is disabled), LST_REFUSED_TOKEN_INVALID for any session
 * token, since none is ever given out, and all of lst_parse()'s and lst_verify()'s; or LST_ERR_IO,
 * _CORRUPT, _NO_MEMORY. *ret_passage is always set and always to be released: on a refusal it holds
 * as much as was learned.
 *
 * The signature may fit the request's own host, its forwarded host, or a public host; tried in that
 * order, the others only when the first does not fit. What any process has changed about a user
 * before this call holds for it.
 */
LST_MUST_CHECK int lst_gate_authenticate(struct lst_gate *gate,
                                         const struct lst_http_request *request, int64_t now,
                                         struct lst_passage *ret_passage);

/*
 * Who signed the form? The same for the fields of a POST form, all but the file, where the request
 * itself is not signed; with the codes of lst_parse_form() and lst_verify_form() as well. What its
 * policy allows is for lst_policy_check() to say. ret_passage: not yet released ones must be before
 * it; its slices point into the fields.
 */
LST_MUST_CHECK int lst_gate_authenticate_form(struct lst_gate *gate,
                                              const struct lst_http_request *request,
                                              const struct lst_field *fields, size_t field_count,
                                              int64_t now, struct lst_passage *ret_passage);

/*
 * Somebody who has passed the gate has this server make a request of its own for him. It passes as
 * one would that he presigned at this moment, for so many seconds, without a signature: policies
 * and the ledger see no difference. 0, or the refusals and errors of lst_gate_authenticate() that
 * are about a key. ret_passage: as there.
 */
LST_MUST_CHECK int lst_gate_pass(struct lst_gate *gate, const struct lst_passage *caller,
                                 const struct lst_http_request *request, int64_t now,
                                 int64_t expires, struct lst_passage *ret_passage);
void lst_passage_release(struct lst_passage *passage);

/*
 * A body can take hours. Is the passage's key still active, and its user the same? If the user was
 * changed, the passage has him as he is now, so that what is asked for later is decided by his
 * policy of now. *ret_is_changed says so. 0, or the refusals and errors of lst_gate_authenticate()
 * that are about a key. At most once for a passage.
 */
LST_MUST_CHECK int lst_gate_renew(struct lst_gate *gate, struct lst_passage *passage,
                                  bool *ret_is_changed);

/* Changes with every change of users and tokens. */
uint64_t lst_gate_version(const struct lst_gate *gate);

/*
 * May it do this, now? question: action, bucket, key and, of a listing, prefix, delimiter,
 * max_keys; the rest (user, address, time, age of the signature) the gate fills in. The root user
 * may do everything, a user without a policy nothing, and nobody (a passage without identity)
 * nothing either. 0 or LST_REFUSED_NOT_ALLOWED.
 */
LST_MUST_CHECK int lst_gate_authorise(struct lst_gate *gate, const struct lst_passage *passage,
                                      const struct lst_access_question *question);

/*
 * Why was the signature wrong? After LST_REFUSED_SIGNATURE. Every name that this server is known by
 * is tried, and those in forwarded headers, whoever sent them: to explain, never to accept. bucket:
 * as the request was understood; may be empty. Codes of lst_explain(); LST_ERR_INVALID_ARGUMENT
 * without an identity, and for forms and Signature Version 2, which are not explained;
 * LST_ERR_TOO_LARGE when 200 were explained in this second already: a search costs too much time
 * to be had by anybody, for ever.
 */
LST_MUST_CHECK int lst_gate_explain(struct lst_gate *gate, const struct lst_passage *passage,
                                    struct lst_slice bucket,
                                    struct lst_explanation *ret_explanation);

/* The signer, valid until the passage is released; empty text where there is none. */
const char *lst_passage_user_name(const struct lst_passage *passage);
const char *lst_passage_canonical_id(const struct lst_passage *passage);
const char *lst_passage_display_name(const struct lst_passage *passage);

#endif
