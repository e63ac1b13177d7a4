/*
 * remote.h - a remote: an S3 endpoint elsewhere (AWS, Ceph, another Latchstring), for which this
 * server signs. No byte of an object flows through here.
 *
 * A row of the ledger's index is 'r' and the name, with a JSON object:
 *
 *   name            as a profile's
 *   endpoint        "https://s3.eu-west-1.amazonaws.com": scheme, host, port if need be; no path
 *   region          default us-east-1
 *   style           "path" or "virtual" (BUCKET.host); default path
 *   access_key_id, secret, session_token
 *   is_latchstring  does it enforce the x-latch- constraints? default false
 */
#ifndef LST_API_REMOTE_H
#define LST_API_REMOTE_H

#include "api/profile.h"
#include "index/index.h"
#include "latchstring.h"

#define LST_REMOTE_ENDPOINT_MAX 300 /* bytes */
#define LST_REMOTE_KEY_MAX      128
#define LST_REMOTE_SECRET_MAX   256
#define LST_REMOTE_TOKEN_MAX    4096

/* Owns nothing, but has secrets: wipe it with lst_remote_release(). All texts end in NUL. */
struct lst_remote {
    char name[LST_PROFILE_NAME_MAX + 1];
    char endpoint[LST_REMOTE_ENDPOINT_MAX + 1];
    char region[LST_REGION_MAX + 1];
    bool is_virtual;
    char access_key_id[LST_REMOTE_KEY_MAX + 1];
    char secret[LST_REMOTE_SECRET_MAX + 1];
    char session_token[LST_REMOTE_TOKEN_MAX + 1]; /* "": none */
    bool is_latchstring;
};

/* Read from a JSON object. LST_ERR_MALFORMED: the problem names the field, and has no secret in it.
 */
LST_MUST_CHECK int lst_remote_from_json(json_t *object, char problem[LST_PROBLEM_MAX],
                                        struct lst_remote *ret_remote);

/* A new JSON object, with the secret and the session token only if asked for. NULL: no memory. */
json_t *lst_remote_to_json(const struct lst_remote *remote, bool with_secret);

void lst_remote_release(struct lst_remote *remote);

/* ---- Kept in the ledger's index */

/* LST_ERR_NOT_FOUND, _CORRUPT, _IO, _NO_MEMORY. */
LST_MUST_CHECK int lst_remotes_find(struct lst_index *index, struct lst_slice name,
                                    struct lst_remote *ret_remote);

/* LST_ERR_EXISTS, unless it may be overwritten. Waits for the disk. */
LST_MUST_CHECK int lst_remotes_add(struct lst_index *index, const struct lst_remote *remote,
                                   bool overwrite);

/* LST_ERR_NOT_FOUND. Waits for the disk. */
LST_MUST_CHECK int lst_remotes_remove(struct lst_index *index, struct lst_slice name);

/* In the order of their names. A code other than 0 from visit() ends it and is the result. */
typedef int lst_remotes_visit(void *context, const struct lst_remote *remote);
LST_MUST_CHECK int lst_remotes_list(struct lst_index *index, lst_remotes_visit *visit,
                                    void *context);

#endif
