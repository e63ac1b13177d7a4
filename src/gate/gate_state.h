/* gate_state.h - the gate, whole. Internal to this folder. */
#ifndef LST_GATE_GATE_STATE_H
#define LST_GATE_GATE_STATE_H

#include "base/allowance.h"
#include "gate/identity.h"
#include "gate/tokens.h"

#define LST_KNOWN_TOKENS 256
#define LST_ALLOWANCES   1024

/* A token as it was found, true as long as the users' version is this one. */
struct lst_known_token {
    uint64_t version;
    struct lst_token token;
    char access_key_id[LST_ACCESS_KEY_ID_MAX + 1]; /* of its user */
};

struct lst_gate {
    struct lst_gate_options options;
    struct lst_identity_cache identities;
    _Atomic int64_t explained_second; /* the last second in which something was explained */
    _Atomic unsigned explained_count; /* how often in it */
    pthread_mutex_t tokens_mutex;     /* of what follows */
    struct lst_known_token tokens[LST_KNOWN_TOKENS];
    struct lst_allowance allowances[LST_ALLOWANCES];
};

#endif
