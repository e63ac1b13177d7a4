/* upload.c - an upload on its way: held against its profile. */
#include "api/upload.h"

#include "access/json.h"
#include "base/encoding.h"
#include "http/media_type.h"
#include "s3/content_types.h"

#include <nettle/hmac.h>
#include <stdlib.h>

enum { OWNER = 12 /* bytes of a MAC */ };

void lst_upload_init(struct lst_upload *upload, int64_t now)
{
    memset(upload, 0, sizeof(*upload));
    upload->size = -1;
    upload->created = now;
    lst_buffer_init(&upload->key, LST_TEMPLATE_MAX);
    lst_buffer_init(&upload->id, LST_UPLOAD_ID_MAX);
}

void lst_upload_release(struct lst_upload *upload)
{
    if (upload->remote != NULL) {
        lst_remote_release(upload->remote);
        free(upload->remote);
    }
    lst_profile_unref(upload->profile);
    json_decref(upload->merged);
    lst_buffer_release(&upload->key);
    lst_buffer_release(&upload->id);
}

/* ---- The profile */

static bool find_profile(struct lst_api_exchange *exchange, struct lst_upload *upload)
{
    int status = LST_ERR_NOT_FOUND;

    if (lst_bearer_may_use(&exchange->bearer, upload->profile_name)) {
        status = lst_profiles_find(exchange->api->profiles, upload->profile_name, &upload->profile);
    }
    if (status == LST_ERR_NOT_FOUND) {
        lst_api_fail(exchange, 404, "NoSuchProfile",
                     "profile: no such profile, or this token may not use it: see "
                     "`latchstring profile list`");
    } else if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
    }
    return status == LST_OK;
}

static bool find_remote(struct lst_api_exchange *exchange, struct lst_upload *upload)
{
    const char *name = upload->profile->remote;
    int status;

    if (name[0] == '\0') {
        return true;
    }
    upload->remote = calloc(1, sizeof(*upload->remote));
    status = upload->remote == NULL
                 ? LST_ERR_NO_MEMORY
                 : lst_remotes_find(lst_ledger_index(exchange->api->options.ledger),
                                    lst_slice_of(name), upload->remote);
    if (status == LST_ERR_NOT_FOUND) {
        lst_api_fail(exchange, 503, "NoSuchRemote",
                     "The profile's remote '%s' is not set up: see `latchstring remote add`", name);
    } else if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
    }
    return status == LST_OK;
}

/* "type: it must be image/png or image/jpeg". */
static void fail_type(struct lst_api_exchange *exchange, const struct lst_upload *upload)
{
    struct lst_slice rest = lst_slice_of(upload->profile->types);
    struct lst_slice type;
    struct lst_buffer list;

    lst_buffer_init(&list, LST_PROBLEM_MAX);
    while (lst_slice_split(&rest, ',', &type)) {
        lst_buffer_append_string(&list, list.length == 0 ? "" : rest.bytes == NULL ? " or " : ", ");
        lst_buffer_append(&list, type);
    }
    lst_api_fail(exchange, 400, "TypeNotAllowed", "type: %sit must be %.*s",
                 upload->type.length == 0 ? "it is missing, and " : "", (int)list.length,
                 list.bytes);
    lst_buffer_release(&list);
}

static bool fits_profile(struct lst_api_exchange *exchange, const struct lst_upload *upload)
{
    const struct lst_profile *profile = upload->profile;

    if (upload->type.length > 0 && !lst_media_type_parse(upload->type, NULL)) {
        /* A list or a range would become the list of what the URL allows. */
        lst_api_fail(exchange, 400, "InvalidArgument",
                     "type: it must be one media type, such as image/png");
    } else if ((upload->type.length > 0 || !upload->type_comes_later) &&
               !lst_profile_allows_type(profile, upload->type)) {
        fail_type(exchange, upload);
    } else if (upload->size > profile->max_size) {
        lst_api_fail(exchange, 400, "EntityTooLarge", "size: it must be at most %lld bytes",
                     (long long)profile->max_size);
    } else if (upload->size >= 0 && upload->size < profile->min_size) {
        lst_api_fail(exchange, 400, "EntityTooSmall", "size: it must be at least %lld bytes",
                     (long long)profile->min_size);
    } else {
        return true;
    }
    return false;
}

/* ---- The key */

/* What the backend fixed in a client's token wins over what the client says. */
static int merge_variables(const struct lst_api_exchange *exchange, struct lst_upload *upload)
{
    json_t *fixed;
    int status;

    if (exchange->bearer.variables == NULL) {
        return LST_OK;
    }
    status = lst_json_read(lst_slice_of(exchange->bearer.variables), &fixed);
    if (status != LST_OK) {
        return status;
    }
    upload->merged = json_object();
    if ((upload->variables != NULL && json_object_update(upload->merged, upload->variables) != 0) ||
        json_object_update(upload->merged, fixed) != 0) {
        json_decref(fixed);
        return LST_ERR_NO_MEMORY;
    }
    json_decref(fixed);
    upload->variables = upload->merged;
    return LST_OK;
}

static bool make_key(struct lst_api_exchange *exchange, struct lst_upload *upload)
{
    char problem[LST_PROBLEM_MAX];
    int status = merge_variables(exchange, upload);

    if (status == LST_OK) {
        const struct lst_template_facts facts = {
            .filename = upload->filename,
            .type = upload->type,
            .variables = upload->variables,
            .now = upload->created,
        };
        status =
            lst_template_expand(lst_slice_of(upload->profile->key), &facts, &upload->key, problem);
    }
    if (status == LST_ERR_MALFORMED) {
        lst_api_fail(exchange, 400, "InvalidArgument", "%s", problem);
    } else if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
    }
    return status == LST_OK;
}

static bool is_allowed(struct lst_api_exchange *exchange, const struct lst_upload *upload)
{
    const struct lst_access_question question = {
        .action = LST_SLICE("s3:PutObject"),
        .bucket = lst_slice_of(upload->profile->bucket),
        .key = lst_buffer_slice(&upload->key),
    };
    int status =
        lst_gate_authorise(exchange->api->options.gate, &exchange->bearer.passage, &question);

    lst_api_about(exchange, question.bucket, question.key);
    if (status != LST_OK) {
        lst_api_fail(exchange, 403, "AccessDenied",
                     "The user '%s', who would sign this upload, may not do s3:PutObject there",
                     lst_passage_user_name(&exchange->bearer.passage));
    }
    return status == LST_OK;
}

/* Refused now, and not in the client's browser later. */
static bool has_bucket(struct lst_api_exchange *exchange, const struct lst_upload *upload)
{
    return upload->remote != NULL ||
           lst_api_check_bucket(exchange, lst_slice_of(upload->profile->bucket));
}

/* ---- The id */

int64_t lst_upload_url_life(const struct lst_api_exchange *exchange,
                            const struct lst_profile *profile)
{
    int64_t most = exchange->api->options.expires_max;

    return profile->upload_expires < most ? profile->upload_expires : most;
}

/* Whose the uploads are that are made with the caller's token: empty if that is no client's. A
 * client who gets a new token, with the same variables, may go on with what he began. */
static struct lst_slice make_owner(const struct lst_api_exchange *exchange,
                                   char ret_text[LST_BASE64URL_LENGTH(OWNER)])
{
    const struct lst_bearer *bearer = &exchange->bearer;
    const char *user = lst_passage_user_name(&bearer->passage);
    struct hmac_sha256_ctx context;
    uint8_t mac[OWNER];

    if (!bearer->is_client) {
        return LST_SLICE("");
    }
    hmac_sha256_set_key(&context, sizeof(exchange->api->secret), exchange->api->secret);
    hmac_sha256_update(&context, strlen(user) + 1, (const uint8_t *)user);
    hmac_sha256_update(&context, strlen(bearer->variables), (const uint8_t *)bearer->variables);
    hmac_sha256_digest(&context, sizeof(mac), mac);
    lst_wipe(&context, sizeof(context));
    return lst_slice_make(ret_text, lst_base64url_encode(mac, sizeof(mac), ret_text));
}

bool lst_upload_is_own(const struct lst_api_exchange *exchange, const struct lst_ticket *ticket)
{
    char text[LST_BASE64URL_LENGTH(OWNER)];

    return lst_bearer_may_use(&exchange->bearer, ticket->profile) &&
           (!exchange->bearer.is_client ||
            lst_slice_equal(ticket->owner, make_owner(exchange, text)));
}

static bool make_id(struct lst_api_exchange *exchange, struct lst_upload *upload)
{
    char owner[LST_BASE64URL_LENGTH(OWNER)];
    struct lst_ticket ticket = {
        .profile = upload->profile_name,
        .owner = make_owner(exchange, owner),
        .user = lst_api_user(exchange),
        .created = upload->created,
        .bucket = lst_slice_of(upload->profile->bucket),
        .key = lst_buffer_slice(&upload->key),
    };
    int status;

    if (upload->life == 0) {
        upload->life = lst_upload_url_life(exchange, upload->profile);
    }
    upload->expires = upload->created + upload->life;
    ticket.expires = upload->expires;
    status = lst_ticket_make(exchange->api->secret, &ticket, &upload->id, &upload->ticket_length);
    if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
    }
    return status == LST_OK;
}

bool lst_upload_prepare(struct lst_api_exchange *exchange, struct lst_upload *upload)
{
    return find_profile(exchange, upload) && find_remote(exchange, upload) &&
           fits_profile(exchange, upload) && make_key(exchange, upload) &&
           is_allowed(exchange, upload) && has_bucket(exchange, upload) &&
           make_id(exchange, upload);
}
