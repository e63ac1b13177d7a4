/* bearer_client.h - the text of client tokens. Internal to this folder. */
#ifndef LST_GATE_BEARER_CLIENT_H
#define LST_GATE_BEARER_CLIENT_H

#include "gate/bearer.h"

#define LST_CLIENT_PROFILE_MAX 64

struct lst_client_claims {
    char parent[LST_TOKEN_ID_LENGTH + 1];
    char profile[LST_CLIENT_PROFILE_MAX + 1];
    int64_t expires;
    char *variables; /* JSON; owned by the caller */
};

/* What it says, not yet proved. LST_REFUSED_TOKEN_INVALID, LST_ERR_NO_MEMORY. */
LST_MUST_CHECK int lst_client_claims_read(struct lst_slice text,
                                          struct lst_client_claims *ret_claims);

/* What tells a client's token from others of its parent: PARENT/HEX. */
void lst_client_id(struct lst_slice text, const char *parent, char ret_id[LST_BEARER_ID_MAX + 1]);

/* Was it made with this token? */
bool lst_client_claims_fit(struct lst_slice text, const struct lst_token *parent);

#endif
