/*
 * profile.h - what may be uploaded, where to and for how long: the server's decision, not the
 * client's.
 *
 * A profile is written as a JSON object:
 *
 *   name            1 to 64 letters, digits, '_', '-' and '.', not beginning with a '.'
 *   remote          the name of a remote; "" or absent: this server's store
 *   bucket          required
 *   key             required: the template of the keys (api/template.h)
 *   types           list of at most 16 media types, such as "image/png"; a '*' may stand for what
 * is after the '/', or for both parts. Empty or absent: any min_size        bytes, 0 to 5 TiB;
 * default 0 max_size        bytes; default 5 GiB, which is also the most that one PUT can have
 *   upload_expires  seconds that an upload URL lives, 1 to 604800; default 900
 *   link_expires    seconds that the link to the object lives, likewise; default 3600
 *   replace         may an object that is there be replaced? default false
 *   check_content   must the content be of the type that was declared? default false
 *   webhook         {"url": "https://...", "secret": 16 to 256 bytes}, both required; default none
 *
 *   approve         {"url", "secret", "seconds"}: who is asked before an upload becomes visible, as
 *                   webhook; seconds that the answer may take, 1 to 60, default 10
 *
 * A webhook and a remote exclude each other, as do approve and a remote.
 */
#ifndef LST_API_PROFILE_H
#define LST_API_PROFILE_H

#include "api/template.h"

#define LST_PROFILE_NAME_MAX     64
#define LST_PROFILE_BUCKET_MAX   255 /* a remote may have older rules than ours */
#define LST_PROFILE_TYPES_MAX    16
#define LST_PROFILE_TYPE_MAX     127 /* bytes */
#define LST_PROFILE_SIZE_MAX     (INT64_C(5) << 40)
#define LST_PROFILE_EXPIRES_MAX  604800
#define LST_PROFILE_URL_MAX      2048
#define LST_PROFILE_APPROVE_MAX  60 /* seconds */
#define LST_PROFILE_SECRET_MIN   16
#define LST_PROFILE_SECRET_MAX   256
#define LST_PROFILE_DOCUMENT_MAX (64 * 1024) /* bytes of JSON */

/* Owns nothing, but has a secret: wipe it with lst_profile_release(). All texts end in NUL. */
struct lst_profile {
    char name[LST_PROFILE_NAME_MAX + 1];
    char remote[LST_PROFILE_NAME_MAX + 1]; /* "": this server's store */
    char bucket[LST_PROFILE_BUCKET_MAX + 1];
    char key[LST_TEMPLATE_MAX + 1];
    char types[LST_PROFILE_TYPES_MAX * (LST_PROFILE_TYPE_MAX + 1)]; /* with commas between them, as
                                                                     * x-latch-type has them */
    int64_t min_size;                                               /* bytes */
    int64_t max_size;
    int64_t upload_expires; /* seconds */
    int64_t link_expires;
    bool replace;
    bool check_content;
    char webhook_url[LST_PROFILE_URL_MAX + 1]; /* "": none; then there is no secret either */
    char webhook_secret[LST_PROFILE_SECRET_MAX + 1];
    char approve_url[LST_PROFILE_URL_MAX + 1]; /* likewise */
    char approve_secret[LST_PROFILE_SECRET_MAX + 1];
    int64_t approve_seconds;
};

bool lst_profile_name_is_valid(struct lst_slice name);

/*
 * Read a profile from JSON text, or from a JSON object. name: what it must be called, because of
 * where it was found; it need not say so then. Empty: it must say. LST_ERR_MALFORMED: the problem
 * names the field, and has no secret in it. LST_ERR_NO_MEMORY.
 */
LST_MUST_CHECK int lst_profile_parse(struct lst_slice text, struct lst_slice name,
                                     char problem[LST_PROBLEM_MAX],
                                     struct lst_profile *ret_profile);
LST_MUST_CHECK int lst_profile_from_json(json_t *object, struct lst_slice name,
                                         char problem[LST_PROBLEM_MAX],
                                         struct lst_profile *ret_profile);

/* The whole profile, defaults too, as a new JSON object. The secrets of webhook and approve only if
 * asked for.
 * NULL: no memory. */
json_t *lst_profile_to_json(const struct lst_profile *profile, bool with_secret);

void lst_profile_release(struct lst_profile *profile);

/* May this media type, with or without parameters, be uploaded? An empty one only where any may. */
bool lst_profile_allows_type(const struct lst_profile *profile, struct lst_slice type);

#endif
