/* gate.c - the latch: authenticate, then authorise. */
#include "gate/gate_state.h"

#include "http/host.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* A search for the near miss takes up to half a millisecond: whoever knows an access key id could
 * keep a processor busy with wrong signatures. This many a second cost a tenth of one. */
#define EXPLANATIONS_PER_SECOND 200

int lst_gate_open(const struct lst_gate_options *options, struct lst_gate **ret_gate)
{
    struct lst_gate *gate;
    int status;

    if (options->public_host_count > LST_GATE_HOSTS_MAX) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    gate = calloc(1, sizeof(*gate));
    if (gate == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    gate->options = *options;
    status = lst_identity_cache_init(&gate->identities, options->users);
    if (status != LST_OK) {
        free(gate);
        return status;
    }
    (void)pthread_mutex_init(&gate->tokens_mutex, NULL);
    *ret_gate = gate;
    return LST_OK;
}

void lst_gate_close(struct lst_gate *gate)
{
    if (gate != NULL) {
        lst_identity_cache_release(&gate->identities);
        (void)pthread_mutex_destroy(&gate->tokens_mutex);
        lst_wipe(gate->tokens, sizeof(gate->tokens));
        free(gate);
    }
}

const struct lst_rules *lst_gate_rules(const struct lst_gate *gate)
{
    return &gate->options.rules;
}

static bool is_v2(const struct lst_passage *passage)
{
    return passage->auth.kind >= LST_AUTH_V2_QUERY;
}

/* Does the signature fit, if the client called this server by that name? */
static int verify_host(const struct lst_gate *gate, struct lst_passage *passage,
                       struct lst_slice method, struct lst_slice host)
{
    const struct lst_gate_options *options = &gate->options;
    struct lst_request message = passage->request->message;
    int status;

    message.method = method;
    if (host.length == 0 && !is_v2(passage)) {
        return LST_REFUSED_SIGNATURE;
    }
    if (is_v2(passage)) {
        status = lst_verify_v2(&message, &passage->auth,
                               lst_host_bucket(host, options->domains, options->domain_count),
                               lst_slice_of(passage->identity->user.keys[0].secret));
    } else {
        message.host = host;
        status = lst_verify(&message, &passage->auth, &passage->key);
    }
    if (status == LST_OK) {
        passage->host = host;
    }
    return status;
}

/* By the name in the request; else by the name that the proxy got; else by the public names. */
static int verify(const struct lst_gate *gate, struct lst_passage *passage, struct lst_slice method)
{
    const struct lst_http_request *request = passage->request;
    int status;

    switch (passage->auth.kind) {
    case LST_AUTH_FORM:
        return lst_verify_form(&passage->auth, &passage->key);
    case LST_AUTH_V2_FORM:
        return lst_verify_form_v2(&passage->auth,
                                  lst_slice_of(passage->identity->user.keys[0].secret));
    default:
        break;
    }
    status = verify_host(gate, passage, method, request->host);
    if (status != LST_REFUSED_SIGNATURE) {
        return status;
    }
    status = request->forwarded_host.length == 0
                 ? status
                 : verify_host(gate, passage, method, request->forwarded_host);
    for (size_t i = 0; status == LST_REFUSED_SIGNATURE && i < gate->options.public_host_count;
         i++) {
        status = verify_host(gate, passage, method, gate->options.public_hosts[i]);
    }
    return status;
}

/* A URL that was signed for GET, and to which HEAD may be sent: x-latch-head=1, which is signed. */
static bool may_be_head(const struct lst_passage *passage)
{
    const struct lst_http_request *request = passage->request;
    const struct lst_http_parameter *parameter =
        lst_http_parameter(request, LST_PARAMETER_LATCH_HEAD);

    return passage->auth.kind == LST_AUTH_QUERY &&
           lst_slice_equal(request->message.method, LST_SLICE("HEAD")) && parameter != NULL &&
           lst_slice_equal(parameter->text.value, LST_SLICE("1"));
}

/* As it was sent; or, where that is asked for, as the GET that it stands for. */
static int verify_method(const struct lst_gate *gate, struct lst_passage *passage)
{
    int status = verify(gate, passage, passage->request->message.method);

    return status == LST_REFUSED_SIGNATURE && may_be_head(passage)
               ? verify(gate, passage, LST_SLICE("GET"))
               : status;
}

static bool is_active(const struct lst_identity *identity)
{
    return identity->user.enabled && identity->user.keys[0].active;
}

static int identify(struct lst_gate *gate, struct lst_passage *passage)
{
    const struct lst_auth *auth = &passage->auth;
    const struct lst_user *user;
    bool has_key = false;
    int status;

    status =
        lst_identity_find(&gate->identities, auth, &passage->identity, &passage->key, &has_key);
    if (status != LST_OK) {
        return status;
    }
    user = &passage->identity->user;
    if (!is_active(passage->identity)) {
        return LST_REFUSED_ACCESS_KEY_INACTIVE;
    }
    if (is_v2(passage)) {
        return verify_method(gate, passage);
    }
    if (!has_key) {
        status = lst_key_init(&passage->key, lst_slice_of(user->keys[0].secret), auth->time,
                              lst_slice_of(auth->region), lst_slice_of(auth->service));
        if (status != LST_OK) {
            return status;
        }
    }
    status = verify_method(gate, passage);
    /* Not before: else anybody could fill the few places with regions of his invention. */
    if (status == LST_OK && !has_key) {
        lst_identity_keep_key(&gate->identities, passage->identity, &passage->key);
    }
    return status;
}

static void passage_init(struct lst_passage *passage, const struct lst_http_request *request,
                         int64_t now)
{
    passage->identity = NULL;
    passage->earlier = NULL;
    passage->host = request->host;
    passage->now = now;
    passage->request = request;
    memset(&passage->key, 0, sizeof(passage->key));
}

/* What was claimed is well formed: is it true? */
static int prove(struct lst_gate *gate, struct lst_passage *passage)
{
    /* Temporary credentials are not given out here, so no token can be right. */
    return passage->auth.session_token.length > 0 ? LST_REFUSED_TOKEN_INVALID
                                                  : identify(gate, passage);
}

int lst_gate_authenticate(struct lst_gate *gate, const struct lst_http_request *request,
                          int64_t now, struct lst_passage *ret_passage)
{
    int status;

    passage_init(ret_passage, request, now);
    status = lst_parse(&request->message, &gate->options.rules, now, &ret_passage->auth);
    return status != LST_OK ? status : prove(gate, ret_passage);
}

int lst_gate_authenticate_form(struct lst_gate *gate, const struct lst_http_request *request,
                               const struct lst_field *fields, size_t field_count, int64_t now,
                               struct lst_passage *ret_passage)
{
    int status;

    passage_init(ret_passage, request, now);
    status = lst_parse_form(fields, field_count, &gate->options.rules, now, &ret_passage->auth);
    return status != LST_OK ? status : prove(gate, ret_passage);
}

/* Of the user that was known before, and not of another one who has a key of the same id now. */
static int still_is(const struct lst_identity *identity, const struct lst_identity *before)
{
    return is_active(identity) &&
                   strcmp(before->user.canonical_id, identity->user.canonical_id) == 0
               ? LST_OK
               : LST_REFUSED_ACCESS_KEY_INACTIVE;
}

int lst_gate_pass(struct lst_gate *gate, const struct lst_passage *caller,
                  const struct lst_http_request *request, int64_t now, int64_t expires,
                  struct lst_passage *ret_passage)
{
    struct lst_auth *auth = &ret_passage->auth;
    struct lst_identity *identity;
    bool has_key;
    int status;

    passage_init(ret_passage, request, now);
    memset(auth, 0, sizeof(*auth));
    auth->kind = LST_AUTH_QUERY;
    auth->time = now;
    auth->expires = expires;
    memcpy(auth->access_key_id, caller->auth.access_key_id, sizeof(auth->access_key_id));
    status = lst_identity_find(&gate->identities, auth, &identity, &ret_passage->key, &has_key);
    if (status != LST_OK) {
        return status;
    }
    ret_passage->identity = identity;
    return still_is(identity, caller->identity);
}

int lst_gate_renew(struct lst_gate *gate, struct lst_passage *passage, bool *ret_is_changed)
{
    struct lst_identity *identity = NULL;
    struct lst_key key;
    bool has_key;
    int status;

    *ret_is_changed = false;
    status = lst_identity_find(&gate->identities, &passage->auth, &identity, &key, &has_key);
    lst_wipe(&key, sizeof(key));
    if (status != LST_OK) {
        return status;
    }
    if (identity == passage->identity || passage->earlier != NULL) {
        lst_identity_release(identity);
        return LST_OK;
    }
    *ret_is_changed = true;
    passage->earlier = passage->identity;
    passage->identity = identity;
    return still_is(identity, passage->earlier);
}

uint64_t lst_gate_version(const struct lst_gate *gate)
{
    return lst_users_version(gate->options.users);
}

void lst_passage_release(struct lst_passage *passage)
{
    lst_identity_release(passage->earlier);
    passage->earlier = NULL;
    lst_identity_release(passage->identity);
    passage->identity = NULL;
    lst_wipe(&passage->key, sizeof(passage->key));
}

/* The facts that the gate knows better than whoever asks. */
static void fill_question(const struct lst_passage *passage, struct lst_access_question *question)
{
    static const struct lst_slice auth_types[] = {
        [LST_AUTH_NONE] = {"", 0},
        [LST_AUTH_QUERY] = {"REST-QUERY-STRING", 17},
        [LST_AUTH_HEADER] = {"REST-HEADER", 11},
        [LST_AUTH_FORM] = {"POST", 4},
        [LST_AUTH_V2_QUERY] = {"REST-QUERY-STRING", 17},
        [LST_AUTH_V2_HEADER] = {"REST-HEADER", 11},
        [LST_AUTH_V2_FORM] = {"POST", 4},
    };
    const struct lst_auth *auth = &passage->auth;

    question->user_name = lst_slice_of(passage->identity->user.name);
    question->source_ip = passage->request->peer;
    question->now = passage->now;
    question->secure = passage->request->secure;
    question->auth_type = auth_types[auth->kind];
    question->signature_version = is_v2(passage) ? LST_SLICE("AWS") : LST_SLICE("AWS4-HMAC-SHA256");
    /* Of presigned requests, as S3 has it: a signed header is old after fifteen minutes anyway. */
    question->has_signature_age = auth->kind == LST_AUTH_QUERY || auth->kind == LST_AUTH_FORM;
    question->signature_age_ms = (passage->now - auth->time) * 1000;
}

int lst_gate_authorise(struct lst_gate *gate, const struct lst_passage *passage,
                       const struct lst_access_question *question)
{
    const struct lst_identity *identity = passage->identity;
    struct lst_access_question whole = *question;

    (void)gate;
    if (identity == NULL) {
        return LST_REFUSED_NOT_ALLOWED;
    }
    if (identity->user.is_root) {
        return LST_OK;
    }
    if (identity->policy == NULL) {
        return LST_REFUSED_NOT_ALLOWED;
    }
    fill_question(passage, &whole);
    return lst_access_policy_decide(identity->policy, &whole) == LST_ACCESS_ALLOW
               ? LST_OK
               : LST_REFUSED_NOT_ALLOWED;
}

const char *lst_passage_user_name(const struct lst_passage *passage)
{
    return passage->identity == NULL ? "" : passage->identity->user.name;
}

const char *lst_passage_canonical_id(const struct lst_passage *passage)
{
    return passage->identity == NULL ? "" : passage->identity->user.canonical_id;
}

const char *lst_passage_display_name(const struct lst_passage *passage)
{
    return passage->identity == NULL ? "" : passage->identity->user.display_name;
}

enum { HINTS_MAX = 12, LOOPBACK_MAX = 32 };

/* Host names to try in an explanation, without repeats. */
struct host_list {
    struct lst_slice hosts[HINTS_MAX];
    size_t count;
};

static void add_host(struct host_list *list, struct lst_slice host, struct lst_slice asked)
{
    if (host.length == 0 || list->count == HINTS_MAX || lst_slice_equal(host, asked)) {
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (lst_slice_equal(list->hosts[i], host)) {
            return;
        }
    }
    list->hosts[list->count++] = host;
}

/* Before the last ':', unless that stands inside an IPv6 address. */
static struct lst_slice without_port(struct lst_slice host)
{
    size_t length = host.length;

    while (length > 0 && host.bytes[length - 1] >= '0' && host.bytes[length - 1] <= '9') {
        length--;
    }
    return length > 0 && host.bytes[length - 1] == ':' ? lst_slice_first(host, length - 1) : host;
}

static bool may_explain(struct lst_gate *gate, int64_t now)
{
    /* Two threads at the turn of a second may both begin the count anew: a few more do no harm. */
    if (atomic_exchange(&gate->explained_second, now) != now) {
        atomic_store(&gate->explained_count, 0);
    }
    return atomic_fetch_add(&gate->explained_count, 1) < EXPLANATIONS_PER_SECOND;
}

/* What this server may be called by; what clients call it by comes first. */
static void list_hosts(const struct lst_gate *gate, const struct lst_http_request *request,
                       char loopback[2][LOOPBACK_MAX], struct host_list *list)
{
    static const char *const names[] = {"localhost", "127.0.0.1"};
    const struct lst_gate_options *options = &gate->options;
    struct lst_slice own = lst_slice_of(options->own_address);
    struct lst_slice port = lst_slice_after(own, without_port(own).length);

    for (size_t i = 0; i < options->public_host_count; i++) {
        add_host(list, options->public_hosts[i], request->host);
    }
    for (size_t i = 0; i < options->domain_count; i++) {
        add_host(list, options->domains[i], request->host);
    }
    add_host(list, request->forwarded_host, request->host);
    add_host(list, own, request->host);
    for (size_t i = 0; i < 2; i++) {
        int length = snprintf(loopback[i], LOOPBACK_MAX, "%s%.*s", names[i], (int)port.length,
                              port.length > 0 ? port.bytes : "");

        if (port.length > 0 && length < LOOPBACK_MAX) {
            add_host(list, lst_slice_of(loopback[i]), request->host);
        }
    }
    add_host(list, without_port(request->host), request->host);
    add_host(list, without_port(request->forwarded_host), request->host);
    for (size_t i = 0; i < options->public_host_count; i++) {
        add_host(list, without_port(options->public_hosts[i]), request->host);
    }
}

/* Has a proxy touched the request? nginx by itself says no more than that it closes. */
static bool came_through_a_proxy(const struct lst_http_request *request)
{
    static const enum lst_header headers[] = {LST_HEADER_X_FORWARDED_FOR,
                                              LST_HEADER_X_FORWARDED_HOST,
                                              LST_HEADER_X_FORWARDED_PROTO,
                                              LST_HEADER_FORWARDED,
                                              LST_HEADER_VIA,
                                              LST_HEADER_X_REAL_IP,
                                              LST_HEADER_X_ORIGINAL_HOST};

    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        if (lst_http_header(request, headers[i]).bytes != NULL) {
            return true;
        }
    }
    return lst_slice_equal_ignoring_case(lst_http_header(request, LST_HEADER_CONNECTION),
                                         LST_SLICE("close"));
}

/* Is the Host that arrived one that clients call this server by? Its own address is, if they reach
 * it without a proxy. */
static bool host_is_right(const struct lst_gate *gate, const struct lst_http_request *request)
{
    const struct lst_gate_options *options = &gate->options;
    struct lst_slice own = lst_slice_of(options->own_address);
    struct lst_slice name = without_port(request->host);
    struct lst_slice port = lst_slice_after(request->host, name.length);
    bool is_loopback = lst_slice_equal_ignoring_case(name, LST_SLICE("localhost")) ||
                       lst_slice_equal(name, LST_SLICE("127.0.0.1")) ||
                       lst_slice_equal(name, LST_SLICE("[::1]"));

    for (size_t i = 0; i < options->public_host_count; i++) {
        if (lst_slice_equal_ignoring_case(options->public_hosts[i], request->host)) {
            return true;
        }
    }
    for (size_t i = 0; i < options->domain_count; i++) {
        if (lst_slice_equal_ignoring_case(options->domains[i], name)) {
            return true;
        }
    }
    if (lst_host_bucket(request->host, options->domains, options->domain_count).length > 0) {
        return true;
    }
    return own.length > 0 && !came_through_a_proxy(request) &&
           (lst_slice_equal(own, request->host) ||
            (is_loopback && lst_slice_equal(port, lst_slice_after(own, without_port(own).length))));
}

int lst_gate_explain(struct lst_gate *gate, const struct lst_passage *passage,
                     struct lst_slice bucket, struct lst_explanation *ret_explanation)
{
    const struct lst_http_request *request = passage->request;
    struct host_list list = {.count = 0};
    char loopback[2][LOOPBACK_MAX];
    struct lst_hints hints = {.hosts = list.hosts, .bucket = bucket};

    if (passage->identity == NULL ||
        (passage->auth.kind != LST_AUTH_QUERY && passage->auth.kind != LST_AUTH_HEADER)) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    if (!may_explain(gate, passage->now)) {
        return LST_ERR_TOO_LARGE;
    }
    list_hosts(gate, request, loopback, &list);
    hints.host_count = list.count;
    hints.host_is_right = host_is_right(gate, request);
    return lst_explain(&request->message, &passage->auth,
                       lst_slice_of(passage->identity->user.keys[0].secret), &hints,
                       ret_explanation);
}
