/* link.c - a link: its row, its URL, its state. */
#include "api/link.h"

#include "access/constraints.h"
#include "access/json.h"
#include "api/sign.h"
#include "base/random.h"
#include "http/disposition.h"

#include <stdio.h>

enum { TIME_DIGITS = 8, LIMITS_MAX = 7, NUMBER_MAX = 24, DISPOSITION_MAX = 2048 };

static const struct lst_slice alphabet = {"0123456789abcdefghijklmnopqrstuvwxyz", 36};

void lst_link_make_id(int64_t now_ms, char ret_id[LST_LINK_ID_LENGTH + 1])
{
    uint64_t rest = (uint64_t)now_ms;

    for (size_t i = TIME_DIGITS; i > 0; i--) {
        ret_id[i - 1] = alphabet.bytes[rest % alphabet.length];
        rest /= alphabet.length;
    }
    lst_random_text(alphabet, ret_id + TIME_DIGITS, LST_LINK_ID_LENGTH - TIME_DIGITS);
    ret_id[LST_LINK_ID_LENGTH] = '\0';
}

static struct lst_slice text_of(const json_t *json, const char *name)
{
    const json_t *value = json_object_get(json, name);

    return lst_slice_make(json_string_value(value), json_string_length(value));
}

static int64_t number_of(const json_t *json, const char *name)
{
    return json_integer_value(json_object_get(json, name));
}

int lst_link_read(struct lst_link *link, struct lst_slice id, struct lst_slice row)
{
    json_t *json;
    int status = lst_json_read(row, &json);

    memset(link, 0, sizeof(*link));
    if (status != LST_OK) {
        return status;
    }
    link->json = json;
    link->owner = text_of(json, "owner");
    link->user = text_of(json, "user");
    link->user_id = text_of(json, "user_id");
    link->bucket = text_of(json, "bucket");
    link->key = text_of(json, "key");
    link->method = text_of(json, "method");
    link->ip = text_of(json, "ip");
    link->not_before = text_of(json, "not_before");
    link->remote = text_of(json, "remote");
    link->filename = text_of(json, "filename");
    link->disposition = text_of(json, "disposition");
    link->password = text_of(json, "password");
    link->created = number_of(json, "created");
    link->expires = number_of(json, "expires");
    link->max_uses = number_of(json, "max_uses");
    link->stable = number_of(json, "stable");
    link->head = json_is_true(json_object_get(json, "head"));
    link->folder = json_is_true(json_object_get(json, "folder"));
    if (id.length != LST_LINK_ID_LENGTH || link->user.length == 0 || link->method.length == 0) {
        lst_link_release(link);
        return LST_ERR_CORRUPT;
    }
    memcpy(link->id, id.bytes, id.length);
    return LST_OK;
}

void lst_link_release(struct lst_link *link)
{
    json_decref(link->json);
    link->json = NULL;
}

bool lst_link_is_signed_by(const struct lst_link *link, const struct lst_passage *passage)
{
    return lst_slice_equal(link->user, lst_slice_of(lst_passage_user_name(passage))) &&
           (link->user_id.length == 0 ||
            lst_slice_equal(link->user_id, lst_slice_of(lst_passage_canonical_id(passage))));
}

int lst_link_find(const struct lst_api *api, struct lst_slice id, struct lst_link *ret_link)
{
    char key[1 + LST_LINK_ID_LENGTH] = "l";
    struct lst_index_reader *reader;
    struct lst_slice row;
    int status;

    if (id.length != LST_LINK_ID_LENGTH) {
        return LST_ERR_NOT_FOUND;
    }
    memcpy(key + 1, id.bytes, id.length);
    status = lst_index_read_begin(lst_ledger_index(api->options.ledger), &reader);
    if (status != LST_OK) {
        return status;
    }
    status = lst_index_get(reader, LST_LEDGER_PARTITION, lst_slice_make(key, sizeof(key)), &row);
    if (status == LST_OK) {
        status = lst_link_read(ret_link, id, row);
    }
    lst_index_read_end(reader);
    return status;
}

/* ---- Its URL */

struct limits {
    struct lst_field fields[LIMITS_MAX];
    size_t count;
    char uses[NUMBER_MAX];
    struct lst_buffer disposition;
};

static void add_limit(struct limits *limits, struct lst_slice name, struct lst_slice value)
{
    if (value.length > 0) {
        limits->fields[limits->count++] = (struct lst_field){name, value};
    }
}

static void add_constraints(struct limits *limits, const struct lst_link *link)
{
    if (link->stable == 0) {
        add_limit(limits, LST_SLICE("x-latch-id"), lst_slice_of(link->id));
    }
    if (link->max_uses > 0) {
        (void)snprintf(limits->uses, sizeof(limits->uses), "%lld", (long long)link->max_uses);
        add_limit(limits, LST_SLICE("x-latch-uses"), lst_slice_of(limits->uses));
    }
    add_limit(limits, LST_SLICE("x-latch-ip"), link->ip);
    add_limit(limits, LST_SLICE("x-latch-not-before"), link->not_before);
    add_limit(limits, LST_SLICE("x-latch-head"), link->head ? LST_SLICE("1") : LST_SLICE(""));
}

static int add_disposition(struct limits *limits, const struct lst_link *link)
{
    bool is_inline = lst_slice_equal(link->disposition, LST_SLICE("inline"));
    int status = LST_OK;

    if (link->filename.length > 0 || link->disposition.length > 0) {
        status = lst_disposition_format(is_inline ? "inline" : "attachment", link->filename,
                                        &limits->disposition);
        add_limit(limits, LST_SLICE("response-content-disposition"),
                  lst_buffer_slice(&limits->disposition));
    }
    return status == LST_OK ? lst_buffer_status(&limits->disposition) : status;
}

static int find_remote(const struct lst_api *api, const struct lst_link *link,
                       struct lst_remote *ret_remote)
{
    return lst_remotes_find(lst_ledger_index(api->options.ledger), link->remote, ret_remote);
}

int lst_link_is_kept_here(const struct lst_api *api, const struct lst_link *link, bool *ret_is_kept)
{
    struct lst_remote remote;
    int status = LST_OK;

    *ret_is_kept = false;
    if (link->remote.length > 0) {
        status = find_remote(api, link, &remote);
        if (status == LST_OK) {
            *ret_is_kept = !remote.is_latchstring && (link->max_uses > 0 || link->ip.length > 0 ||
                                                      link->not_before.length > 0);
            lst_remote_release(&remote);
        }
    }
    return status;
}

struct lst_access_question lst_link_listing_question(const struct lst_link *link)
{
    return (struct lst_access_question){.action = LST_SLICE("s3:ListBucket"),
                                        .bucket = link->bucket,
                                        .has_prefix = true,
                                        .prefix = link->key};
}

bool lst_link_has_url(const struct lst_link *link, bool is_kept_here)
{
    return !is_kept_here && !link->folder && link->password.length == 0;
}

int lst_link_sign(const struct lst_api_exchange *exchange, const struct lst_bearer *bearer,
                  const struct lst_link *link, int64_t now, int64_t life, struct lst_buffer *out)
{
    bool is_remote = link->remote.length > 0;
    struct lst_remote remote = {0};
    struct limits limits = {0};
    int status = is_remote ? find_remote(exchange->api, link, &remote) : LST_OK;

    lst_buffer_init(&limits.disposition, DISPOSITION_MAX);
    if (!is_remote || remote.is_latchstring) {
        add_constraints(&limits, link);
    }
    if (status == LST_OK) {
        status = add_disposition(&limits, link);
    }
    if (status == LST_OK) {
        status = lst_api_sign_for(exchange, bearer, is_remote ? &remote : NULL,
                                  (struct lst_signing){.method = link->method,
                                                       .bucket = link->bucket,
                                                       .key = link->key,
                                                       .query = limits.fields,
                                                       .query_count = limits.count,
                                                       .time = now,
                                                       .expires = life},
                                  out);
    }
    lst_buffer_release(&limits.disposition);
    lst_remote_release(&remote);
    return status;
}

/* ---- Its state */

/* The text was checked when the link was made. */
static bool is_too_early(const struct lst_link *link, int64_t now)
{
    struct lst_constraints constraints = {0};
    const char *problem;

    return link->not_before.length > 0 &&
           lst_constraints_read(&constraints, LST_SLICE("not-before"), link->not_before,
                                &problem) == LST_OK &&
           now < constraints.not_before;
}

int lst_link_state(const struct lst_api *api, const struct lst_link *link, int64_t now,
                   struct lst_ledger_summary *ret_summary, const char **ret_state)
{
    int status =
        lst_ledger_find(api->options.ledger, link->user, lst_slice_of(link->id), ret_summary);

    if (status == LST_ERR_NOT_FOUND) {
        memset(ret_summary, 0, sizeof(*ret_summary));
        status = LST_OK;
    }
    if (status != LST_OK) {
        return status;
    }
    if (ret_summary->revoked_ms != 0) {
        *ret_state = "revoked";
    } else if (now >= link->expires) {
        *ret_state = "expired";
    } else if (link->max_uses > 0 && ret_summary->used >= (uint64_t)link->max_uses) {
        *ret_state = "used";
    } else {
        *ret_state = is_too_early(link, now) ? "not_yet" : "active";
    }
    return LST_OK;
}
