/* bearer.c - who calls the API. */
#include "gate/bearer.h"

#include "gate/bearer_client.h"
#include "gate/gate_state.h"

#include <stdio.h>
#include <stdlib.h>

/* The first key of a user that may sign; NULL if there is none. */
static const struct lst_user_key *active_key(const struct lst_user *user)
{
    for (size_t i = 0; user->enabled && i < user->key_count; i++) {
        if (user->keys[i].active) {
            return &user->keys[i];
        }
    }
    return NULL;
}

static int find_access_key(struct lst_gate *gate, const struct lst_token *token,
                           char ret_id[LST_ACCESS_KEY_ID_MAX + 1])
{
    struct lst_user user;
    const struct lst_user_key *key;
    int status = lst_users_find(gate->options.users, lst_slice_of(token->user), &user);

    if (status != LST_OK) {
        return status == LST_ERR_USER_NOT_FOUND ? LST_REFUSED_ACCESS_KEY_INACTIVE : status;
    }
    key = active_key(&user);
    if (key != NULL) {
        memcpy(ret_id, key->access_key_id, LST_ACCESS_KEY_ID_MAX + 1);
    }
    lst_user_release(&user);
    return key == NULL ? LST_REFUSED_ACCESS_KEY_INACTIVE : LST_OK;
}

/* ---- What is known of a token, kept while nothing changes among users and tokens */

static size_t slot_of(struct lst_slice id, size_t slots)
{
    uint32_t hash = 2166136261U; /* FNV-1a */

    for (size_t i = 0; i < id.length; i++) {
        hash = (hash ^ (uint8_t)id.bytes[i]) * 16777619U;
    }
    return hash % slots;
}

static bool find_kept(struct lst_gate *gate, struct lst_slice id, uint64_t version,
                      struct lst_known_token *ret_known)
{
    struct lst_known_token *known = &gate->tokens[slot_of(id, LST_KNOWN_TOKENS)];
    bool is_there;

    (void)pthread_mutex_lock(&gate->tokens_mutex);
    is_there = known->version == version && lst_slice_equal(lst_slice_of(known->token.id), id);
    if (is_there) {
        *ret_known = *known;
    }
    (void)pthread_mutex_unlock(&gate->tokens_mutex);
    return is_there;
}

/* The token of that id. LST_REFUSED_TOKEN_INVALID: there is none, or it was revoked. */
static int find_token(struct lst_gate *gate, struct lst_slice id, struct lst_known_token *ret_known)
{
    uint64_t version = lst_users_version(gate->options.users);
    int status;

    if (find_kept(gate, id, version, ret_known)) {
        return LST_OK;
    }
    ret_known->version = version;
    status = lst_tokens_find(gate->options.users, id, &ret_known->token);
    if (status == LST_ERR_NOT_FOUND ||
        (status == LST_OK && (!lst_slice_equal(id, lst_slice_of(ret_known->token.id)) ||
                              ret_known->token.revoked != 0))) {
        return LST_REFUSED_TOKEN_INVALID;
    }
    if (status == LST_OK) {
        status = find_access_key(gate, &ret_known->token, ret_known->access_key_id);
    }
    if (status == LST_OK) {
        (void)pthread_mutex_lock(&gate->tokens_mutex);
        gate->tokens[slot_of(id, LST_KNOWN_TOKENS)] = *ret_known;
        (void)pthread_mutex_unlock(&gate->tokens_mutex);
    }
    return status;
}

/* ---- Tokens */

/* The bearer of this token, which has been proved. */
static int admit(struct lst_gate *gate, const struct lst_known_token *known,
                 const struct lst_http_request *request, int64_t now, struct lst_bearer *bearer)
{
    struct lst_passage *passage = &bearer->passage;
    bool has_key;
    int status;

    bearer->token = known->token;
    bearer->may = known->token.may;
    (void)snprintf(bearer->id, sizeof(bearer->id), "%s", known->token.id);
    memcpy(bearer->profiles, known->token.profiles, sizeof(bearer->profiles));
    if (known->token.expires != 0 && now >= known->token.expires) {
        return LST_REFUSED_TOKEN_EXPIRED;
    }
    passage->request = request;
    passage->now = now;
    passage->host = request->host;
    passage->auth.time = now;
    memcpy(passage->auth.access_key_id, known->access_key_id, sizeof(known->access_key_id));
    status = lst_identity_find(&gate->identities, &passage->auth, &passage->identity, &passage->key,
                               &has_key);
    return status == LST_REFUSED_ACCESS_KEY_UNKNOWN ? LST_REFUSED_ACCESS_KEY_INACTIVE : status;
}

static int take_token(struct lst_gate *gate, struct lst_slice text,
                      const struct lst_http_request *request, int64_t now,
                      struct lst_bearer *bearer)
{
    struct lst_known_token known;
    struct lst_slice id;
    int status;

    if (!lst_token_id(text, &id)) {
        return LST_REFUSED_TOKEN_INVALID;
    }
    status = find_token(gate, id, &known);
    if (status != LST_OK) {
        return status;
    }
    return lst_token_fits(&known.token, text) ? admit(gate, &known, request, now, bearer)
                                              : LST_REFUSED_TOKEN_INVALID;
}

static int take_client(struct lst_gate *gate, struct lst_slice text,
                       const struct lst_http_request *request, int64_t now,
                       struct lst_bearer *bearer)
{
    struct lst_client_claims claims;
    struct lst_known_token known;
    int status = lst_client_claims_read(text, &claims);

    if (status != LST_OK) {
        return status;
    }
    status = find_token(gate, lst_slice_of(claims.parent), &known);
    if (status == LST_OK && !lst_client_claims_fit(text, &known.token)) {
        status = LST_REFUSED_TOKEN_INVALID;
    }
    if (status == LST_OK && now >= claims.expires) {
        status = LST_REFUSED_TOKEN_EXPIRED;
    }
    if (status == LST_OK) {
        status = admit(gate, &known, request, now, bearer);
    }
    if (status == LST_OK && !lst_bearer_may_use(bearer, lst_slice_of(claims.profile))) {
        status = LST_REFUSED_TOKEN_INVALID;
    }
    if (status == LST_OK) {
        bearer->is_client = true;
        lst_client_id(text, known.token.id, bearer->id);
        bearer->may = LST_MAY_UPLOAD;
        memcpy(bearer->profiles, claims.profile, sizeof(claims.profile));
        bearer->variables = claims.variables;
        claims.variables = NULL;
    }
    free(claims.variables);
    return status;
}

static int take_signature(struct lst_gate *gate, const struct lst_http_request *request,
                          int64_t now, struct lst_bearer *bearer)
{
    int status = lst_gate_authenticate(gate, request, now, &bearer->passage);

    if (status == LST_OK) {
        bearer->may = LST_MAY_UPLOAD | LST_MAY_LINK;
        if (bearer->passage.identity->user.is_root) {
            bearer->may |= LST_MAY_DELEGATE | LST_MAY_ADMINISTER;
        }
        (void)snprintf(bearer->id, sizeof(bearer->id), "user:%s",
                       lst_passage_user_name(&bearer->passage));
    }
    return status;
}

int lst_gate_bearer(struct lst_gate *gate, const struct lst_http_request *request, int64_t now,
                    struct lst_bearer *ret_bearer)
{
    struct lst_slice header = lst_http_header(request, LST_HEADER_AUTHORIZATION);
    struct lst_slice text;
    int status;

    memset(ret_bearer, 0, sizeof(*ret_bearer));
    if (!lst_slice_starts_with_ignoring_case(header, LST_SLICE("Bearer "))) {
        status = take_signature(gate, request, now, ret_bearer);
    } else {
        text = lst_slice_trim(lst_slice_after(header, sizeof("Bearer ") - 1));
        status = lst_slice_starts_with(text, LST_SLICE(LST_CLIENT_PREFIX))
                     ? take_client(gate, text, request, now, ret_bearer)
                     : take_token(gate, text, request, now, ret_bearer);
    }
    if (status != LST_OK) {
        lst_bearer_release(ret_bearer);
    }
    return status;
}

int lst_gate_bearer_client(struct lst_gate *gate, struct lst_slice token,
                           const struct lst_http_request *request, int64_t now,
                           struct lst_bearer *ret_bearer)
{
    int status;

    memset(ret_bearer, 0, sizeof(*ret_bearer));
    status = take_client(gate, token, request, now, ret_bearer);
    if (status != LST_OK) {
        lst_bearer_release(ret_bearer);
    }
    return status;
}

int lst_gate_bearer_of_user(struct lst_gate *gate, struct lst_slice user,
                            const struct lst_http_request *request, int64_t now,
                            struct lst_bearer *ret_bearer)
{
    struct lst_known_token known = {0};
    int status;

    memset(ret_bearer, 0, sizeof(*ret_bearer));
    if (user.length > LST_USER_NAME_MAX) {
        return LST_REFUSED_ACCESS_KEY_INACTIVE;
    }
    memcpy(known.token.user, user.bytes, user.length);
    status = find_access_key(gate, &known.token, known.access_key_id);
    if (status == LST_OK) {
        status = admit(gate, &known, request, now, ret_bearer);
    }
    if (status != LST_OK) {
        lst_bearer_release(ret_bearer);
    }
    return status;
}

int lst_gate_key_owner(struct lst_gate *gate, struct lst_slice access_key_id,
                       char ret_name[LST_USER_NAME_MAX + 1])
{
    struct lst_user user;
    int status = lst_users_find_key(gate->options.users, access_key_id, &user);

    if (status == LST_OK) {
        memcpy(ret_name, user.name, strlen(user.name) + 1);
        lst_user_release(&user);
    }
    return status;
}

void lst_bearer_release(struct lst_bearer *bearer)
{
    free(bearer->variables);
    bearer->variables = NULL;
    lst_passage_release(&bearer->passage);
    lst_wipe(&bearer->token, sizeof(bearer->token));
}

bool lst_bearer_may_use(const struct lst_bearer *bearer, struct lst_slice profile)
{
    struct lst_slice rest = lst_slice_of(bearer->profiles);
    struct lst_slice part;

    if (rest.length == 0) {
        return true;
    }
    while (lst_slice_split(&rest, ',', &part)) {
        if (lst_slice_equal(part, profile)) {
            return true;
        }
    }
    return false;
}

int lst_gate_bearer_key(struct lst_gate *gate, const struct lst_bearer *bearer,
                        struct lst_slice region, int64_t now, struct lst_key *ret_key,
                        struct lst_slice *ret_access_key_id)
{
    struct lst_auth auth = bearer->passage.auth;
    struct lst_identity *identity;
    char time[16];
    bool has_key;
    int status;

    if (region.length > LST_REGION_MAX || lst_format_time(now, time) != LST_OK) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    memcpy(auth.day, time, 8);
    auth.day[8] = '\0';
    memcpy(auth.region, region.bytes, region.length);
    auth.region[region.length] = '\0';
    memcpy(auth.service, "s3", sizeof("s3"));
    status = lst_identity_find(&gate->identities, &auth, &identity, ret_key, &has_key);
    if (status != LST_OK) {
        return status;
    }
    if (!has_key) {
        status = lst_key_init(ret_key, lst_slice_of(identity->user.keys[0].secret), now, region,
                              LST_SLICE("s3"));
        if (status == LST_OK) {
            lst_identity_keep_key(&gate->identities, identity, ret_key);
        }
    }
    lst_identity_release(identity);
    *ret_access_key_id = lst_slice_of(bearer->passage.auth.access_key_id);
    return status;
}

/* ---- How often */

int lst_gate_bearer_take(struct lst_gate *gate, const struct lst_bearer *bearer, int64_t now_ms,
                         unsigned *ret_seconds)
{
    uint64_t rate = gate->options.api_rate;
    struct lst_allowance *allowance =
        &gate->allowances[slot_of(lst_slice_of(bearer->id), LST_ALLOWANCES)];
    int status;

    if (rate == 0) {
        return LST_OK;
    }
    (void)pthread_mutex_lock(&gate->tokens_mutex);
    status = lst_allowance_take(allowance, rate, now_ms) ? LST_OK : LST_ERR_TOO_LARGE;
    *ret_seconds = 1; /* the rate is one a second at least */
    (void)pthread_mutex_unlock(&gate->tokens_mutex);
    return status;
}
