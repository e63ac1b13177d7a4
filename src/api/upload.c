/* upload.c - an upload on its way: held against its profile. */
#include "api/upload.h"

#include "access/constraints.h"
#include "api/sign.h"
#include "base/encoding.h"
#include "s3/content_types.h"

#include <nettle/hmac.h>
#include <stdio.h>

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
                     "profile: there is none of this name for you: see `latchstring profile list`");
    } else if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
    } else if (upload->profile->remote[0] != '\0') {
        lst_api_fail(exchange, 501, "NotImplemented",
                     "The profile has a remote, for which this version can't do what it says: "
                     "nothing was created");
        status = LST_ERR_NOT_FOUND;
    }
    return status == LST_OK;
}

/* Can it be an x-latch-type? */
static bool is_media_type(struct lst_slice type)
{
    struct lst_constraints constraints = {0};
    const char *problem;

    return lst_constraints_read(&constraints, LST_SLICE("type"), lst_content_essence(type),
                                &problem) == LST_OK;
}

static bool fits_profile(struct lst_api_exchange *exchange, const struct lst_upload *upload)
{
    const struct lst_profile *profile = upload->profile;

    if (upload->type.length > 0 && !is_media_type(upload->type)) {
        lst_api_fail(exchange, 400, "InvalidArgument",
                     "type: it must be a media type, such as image/png");
    } else if ((upload->type.length > 0 || !upload->type_comes_later) &&
               !lst_profile_allows_type(profile, upload->type)) {
        lst_api_fail(exchange, 400, "TypeNotAllowed", "type: it must be one of %s", profile->types);
    } else if (upload->size > profile->max_size) {
        lst_api_fail(exchange, 400, "EntityTooLarge", "size: it may be %lld bytes at most",
                     (long long)profile->max_size);
    } else if (upload->size >= 0 && upload->size < profile->min_size) {
        lst_api_fail(exchange, 400, "EntityTooSmall", "size: it must be %lld bytes at least",
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

    if (exchange->bearer.variables == NULL) {
        return LST_OK;
    }
    fixed = json_loads(exchange->bearer.variables, 0, NULL);
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

    if (status != LST_OK) {
        lst_api_fail(exchange, 403, "AccessDenied",
                     "The user '%s', who would sign this upload, may not do s3:PutObject there",
                     lst_passage_user_name(&exchange->bearer.passage));
    }
    return status == LST_OK;
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
    return find_profile(exchange, upload) && fits_profile(exchange, upload) &&
           make_key(exchange, upload) && is_allowed(exchange, upload) && make_id(exchange, upload);
}

/* ---- The URL */

void lst_upload_limit(const struct lst_upload *upload, struct lst_upload_limits *ret_limits)
{
    const struct lst_profile *profile = upload->profile;
    struct lst_field *fields = ret_limits->fields;
    size_t count = 0;

    (void)snprintf(ret_limits->length, sizeof(ret_limits->length), "%lld-%lld",
                   (long long)(upload->size < 0 ? profile->min_size : upload->size),
                   (long long)(upload->size < 0 ? profile->max_size : upload->size));
    fields[count++] =
        (struct lst_field){LST_SLICE("x-latch-id"),
                           lst_slice_first(lst_buffer_slice(&upload->id), upload->ticket_length)};
    fields[count++] =
        (struct lst_field){LST_SLICE("x-latch-length"), lst_slice_of(ret_limits->length)};
    if (upload->type.length > 0) {
        fields[count++] =
            (struct lst_field){LST_SLICE("x-latch-type"), lst_content_essence(upload->type)};
    } else if (profile->types[0] != '\0') {
        fields[count++] =
            (struct lst_field){LST_SLICE("x-latch-type"), lst_slice_of(profile->types)};
    }
    if (profile->check_content) {
        fields[count++] = (struct lst_field){LST_SLICE("x-latch-sniff"), LST_SLICE("1")};
    }
    ret_limits->count = count;
}

static int sign(const struct lst_api_exchange *exchange, const struct lst_upload *upload,
                struct lst_buffer *url)
{
    static const struct lst_field new_only = {{"If-None-Match", 13}, {"*", 1}};
    struct lst_upload_limits limits;

    lst_upload_limit(upload, &limits);
    return lst_api_sign(exchange, &exchange->bearer,
                        (struct lst_signing){.method = LST_SLICE("PUT"),
                                             .bucket = lst_slice_of(upload->profile->bucket),
                                             .key = lst_buffer_slice(&upload->key),
                                             .query = limits.fields,
                                             .query_count = limits.count,
                                             .headers = &new_only,
                                             .header_count = upload->profile->replace ? 0 : 1,
                                             .time = upload->created,
                                             .expires = upload->expires - upload->created},
                        url);
}

json_t *lst_upload_put(const struct lst_api_exchange *exchange, const struct lst_upload *upload)
{
    struct lst_buffer url;
    json_t *headers = json_object();
    json_t *json = NULL;

    if (upload->type.length > 0) {
        (void)json_object_set_new(headers, "Content-Type", lst_api_json_slice(upload->type));
    }
    if (!upload->profile->replace) {
        (void)json_object_set_new(headers, "If-None-Match", json_string("*"));
    }
    lst_buffer_init(&url, LST_API_URL_MAX);
    if (sign(exchange, upload, &url) == LST_OK) {
        json = json_pack("{s:s, s:s%, s:O, s:o}", "method", "PUT", "url", url.bytes, url.length,
                         "headers", headers, "expires_at", lst_api_json_time(upload->expires));
    }
    json_decref(headers);
    lst_buffer_release(&url);
    return json;
}
