/* link_create.c - POST /-/api/links */
#include "access/constraints.h"
#include "api/fields.h"
#include "api/link.h"
#include "api/links.h"
#include "api/profile.h"
#include "http/disposition.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    BUCKET_MIN = 3,
    BUCKET_MAX = 63,
    KEY_MAX = 1024,
    LIMIT_TEXT_MAX = 1024,
    EXPIRES_USUAL = 3600,
    OWNER_ROW_MAX = 2 + LST_BEARER_ID_MAX + LST_LINK_ID_LENGTH,
};

/* A link on its way into the index. */
struct creation {
    struct lst_api_exchange *exchange;
    char *row;
    char link_key[1 + LST_LINK_ID_LENGTH];
    char owner_key[OWNER_ROW_MAX];
    struct lst_index_change changes[2];
    struct lst_index_batch batch;
    json_t *answer;
    int status;
};

static void free_creation(void *work)
{
    struct creation *creation = work;

    free(creation->row);
    json_decref(creation->answer);
    free(creation);
}

/* ---- What is asked for */

/* A limit that is written as in a URL: would it be understood there? */
static void check_limit(struct lst_fields *fields, const char *field, const char *constraint,
                        struct lst_slice value)
{
    struct lst_constraints constraints = {0};
    const char *problem = "it was given twice";

    if (value.length > 0 &&
        lst_constraints_read(&constraints, lst_slice_of(constraint), value, &problem) != LST_OK) {
        lst_fields_refuse(fields, field, "%s", problem);
    }
}

static bool is_method(struct lst_slice method)
{
    return lst_slice_equal(method, LST_SLICE("GET")) ||
           lst_slice_equal(method, LST_SLICE("HEAD")) || lst_slice_equal(method, LST_SLICE("PUT"));
}

static void check_download(struct lst_fields *fields, const struct lst_link *link)
{
    bool is_get = lst_slice_equal(link->method, LST_SLICE("GET"));

    if (!is_method(link->method)) {
        lst_fields_refuse(fields, "method", "it must be GET, HEAD or PUT");
    }
    if (link->head && !is_get) {
        lst_fields_refuse(fields, "head", "only a link for GET can let HEAD through");
    }
    if (link->filename.length > 0 && !is_get) {
        lst_fields_refuse(fields, "filename", "only what is fetched by GET can be given a name");
    }
    if (link->filename.length > 0 && !lst_filename_is_valid(link->filename)) {
        lst_fields_refuse(fields, "filename",
                          "it must be a file's name, without slashes and control characters");
    }
}

static bool read_input(struct lst_api_exchange *exchange, struct lst_link *link, int64_t *ret_life,
                       bool *ret_dry_run)
{
    struct lst_fields fields;

    link->method = LST_SLICE("GET");
    *ret_life = EXPIRES_USUAL;
    if (*ret_life > exchange->api->options.expires_max) {
        *ret_life = exchange->api->options.expires_max;
    }
    lst_fields_begin(&fields, exchange->input, NULL);
    lst_fields_text(&fields, "bucket", LST_FIELD_REQUIRED, BUCKET_MIN, BUCKET_MAX, &link->bucket);
    lst_fields_text(&fields, "key", LST_FIELD_REQUIRED, 1, KEY_MAX, &link->key);
    lst_fields_text(&fields, "remote", LST_FIELD_OPTIONAL, 1, LST_PROFILE_NAME_MAX, &link->remote);
    lst_fields_text(&fields, "method", LST_FIELD_OPTIONAL, 1, 4, &link->method);
    lst_fields_integer(&fields, "expires", LST_FIELD_OPTIONAL, 1,
                       exchange->api->options.expires_max, ret_life);
    lst_fields_integer(&fields, "max_uses", LST_FIELD_OPTIONAL, 0, LST_CONSTRAINT_USES_MAX,
                       &link->max_uses);
    lst_fields_text(&fields, "ip", LST_FIELD_OPTIONAL, 1, LIMIT_TEXT_MAX, &link->ip);
    lst_fields_text(&fields, "not_before", LST_FIELD_OPTIONAL, 1, LIMIT_TEXT_MAX,
                    &link->not_before);
    lst_fields_boolean(&fields, "head", LST_FIELD_OPTIONAL, &link->head);
    lst_fields_text(&fields, "filename", LST_FIELD_OPTIONAL, 1, LST_FILENAME_MAX, &link->filename);
    lst_fields_boolean(&fields, "dry_run", LST_FIELD_OPTIONAL, ret_dry_run);
    check_limit(&fields, "ip", "ip", link->ip);
    check_limit(&fields, "not_before", "not-before", link->not_before);
    check_download(&fields, link);
    if (lst_fields_end(&fields) != LST_OK) {
        lst_api_fail(exchange, 400, "InvalidArgument", "%s", fields.problem);
        return false;
    }
    return true;
}

static bool is_allowed(struct lst_api_exchange *exchange, const struct lst_link *link)
{
    bool writes = lst_slice_equal(link->method, LST_SLICE("PUT"));
    struct lst_access_question question = {
        .action = writes ? LST_SLICE("s3:PutObject") : LST_SLICE("s3:GetObject"),
        .bucket = link->bucket,
        .key = link->key,
    };
    int status =
        lst_gate_authorise(exchange->api->options.gate, &exchange->bearer.passage, &question);

    if (status == LST_REFUSED_NOT_ALLOWED) {
        lst_api_fail(exchange, 403, "AccessDenied",
                     "The user '%s', who would sign this link, may not do %.*s there: change the "
                     "policy with `latchstring policy set`",
                     lst_passage_user_name(&exchange->bearer.passage), (int)question.action.length,
                     question.action.bytes);
    } else if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
    }
    return status == LST_OK;
}

/* ---- Writing it down */

/* A remote that does not know our limits has what S3 has. */
static bool check_remote(struct lst_api_exchange *exchange, const struct lst_link *link,
                         bool *ret_is_kept_here)
{
    int status = lst_link_is_kept_here(exchange->api, link, ret_is_kept_here);

    if (status == LST_ERR_NOT_FOUND) {
        lst_api_fail(exchange, 404, "NoSuchRemote",
                     "remote: there is none of this name: see `latchstring remote list`");
    } else if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
    } else if (link->remote.length > 0 && link->head) {
        lst_api_fail(exchange, 400, "InvalidArgument",
                     "head: a remote lets HEAD through on a link for HEAD only");
    } else if (*ret_is_kept_here && !lst_slice_equal(link->method, LST_SLICE("GET"))) {
        lst_api_fail(exchange, 400, "InvalidArgument",
                     "method: the remote does not know max_uses, ip and not_before; they are kept "
                     "by the short link, which is for GET");
    } else {
        return true;
    }
    return false;
}

static json_t *make_row(const struct lst_api_exchange *exchange, const struct lst_link *link)
{
    return json_pack(
        "{s:s, s:s, s:s%, s:s%, s:s%, s:s%, s:s%, s:s%, s:s%, s:I, s:I, s:I, s:b}", "owner",
        exchange->bearer.id, "user", lst_passage_user_name(&exchange->bearer.passage), "bucket",
        link->bucket.bytes, link->bucket.length, "key", link->key.bytes, link->key.length, "method",
        link->method.bytes, link->method.length, "ip", link->ip.length == 0 ? "" : link->ip.bytes,
        link->ip.length, "not_before", link->not_before.length == 0 ? "" : link->not_before.bytes,
        link->not_before.length, "filename", link->filename.length == 0 ? "" : link->filename.bytes,
        link->filename.length, "remote", link->remote.length == 0 ? "" : link->remote.bytes,
        link->remote.length, "created", (json_int_t)link->created, "expires",
        (json_int_t)link->expires, "max_uses", (json_int_t)link->max_uses, "head",
        link->head ? 1 : 0);
}

static json_t *make_answer(const struct lst_api_exchange *exchange, const struct lst_link *link,
                           bool is_kept_here)
{
    struct lst_buffer url;
    struct lst_buffer base;
    json_t *json = NULL;

    lst_buffer_init(&url, LST_API_URL_MAX);
    lst_buffer_init(&base, LST_API_URL_MAX);
    lst_api_base_url(exchange, &base);
    lst_buffer_append_string(&base, LST_LINKS_PATH);
    lst_buffer_append_string(&base, link->id);
    if (lst_link_sign(exchange, &exchange->bearer, link, link->created,
                      link->expires - link->created, &url) == LST_OK &&
        lst_buffer_status(&base) == LST_OK) {
        json =
            json_pack("{s:s, s:o}", "id", link->id, "expires_at", lst_api_json_time(link->expires));
        if (!is_kept_here) {
            (void)json_object_set_new(json, "url", lst_api_json_slice(lst_buffer_slice(&url)));
        }
        if (!is_kept_here && link->remote.length > 0) {
            (void)json_object_set_new(json, "not_enforced", json_pack("[s]", "revocation"));
        }
        if (!lst_slice_equal(link->method, LST_SLICE("PUT"))) {
            (void)json_object_set_new(json, "short_url",
                                      lst_api_json_slice(lst_buffer_slice(&base)));
        }
    }
    lst_buffer_release(&url);
    lst_buffer_release(&base);
    return json;
}

static void answer_created(void *owner)
{
    struct lst_api_exchange *exchange = owner;
    struct creation *creation = exchange->work;

    if (creation->status != LST_OK) {
        lst_api_fail_code(exchange, creation->status);
        return;
    }
    lst_api_answer(exchange, 201, creation->answer);
    creation->answer = NULL;
}

static void is_written(struct lst_index_batch *batch, int status, size_t failed_change)
{
    struct creation *creation = batch->context;

    (void)failed_change;
    creation->status = status;
    lst_waiting_end(&creation->exchange->waiting, answer_created);
}

static void write_link(struct creation *creation, const struct lst_link *link)
{
    struct lst_api_exchange *exchange = creation->exchange;
    size_t owner_length = strlen(exchange->bearer.id);

    creation->link_key[0] = 'l';
    memcpy(creation->link_key + 1, link->id, LST_LINK_ID_LENGTH);
    creation->owner_key[0] = 'o';
    memcpy(creation->owner_key + 1, exchange->bearer.id, owner_length + 1);
    memcpy(creation->owner_key + 2 + owner_length, link->id, LST_LINK_ID_LENGTH);
    creation->changes[0] = (struct lst_index_change){
        LST_INDEX_PUT, lst_slice_make(creation->link_key, sizeof(creation->link_key)),
        lst_slice_of(creation->row)};
    creation->changes[1] = (struct lst_index_change){
        LST_INDEX_PUT, lst_slice_make(creation->owner_key, 2 + owner_length + LST_LINK_ID_LENGTH),
        LST_SLICE("")};
    creation->batch = (struct lst_index_batch){.partition = LST_LEDGER_PARTITION,
                                               .changes = creation->changes,
                                               .change_count = 2,
                                               .done = is_written,
                                               .context = creation};
    lst_waiting_begin(&exchange->waiting);
    lst_index_submit(lst_ledger_index(exchange->api->options.ledger), &creation->batch);
}

void lst_links_create(struct lst_api_exchange *exchange)
{
    struct lst_link link = {.created = lst_api_now(exchange)};
    struct creation *creation;
    json_t *row;
    bool is_kept_here;
    bool dry_run = false;
    int64_t life;

    if (!read_input(exchange, &link, &life, &dry_run) || !is_allowed(exchange, &link) ||
        !check_remote(exchange, &link, &is_kept_here)) {
        return;
    }
    link.expires = link.created + life;
    if (dry_run) {
        lst_api_answer(
            exchange, 200,
            json_pack("{s:b, s:o}", "dry_run", 1, "expires_at", lst_api_json_time(link.expires)));
        return;
    }
    lst_link_make_id(exchange->request->received_ms, link.id);
    creation = calloc(1, sizeof(*creation));
    if (creation == NULL) {
        lst_api_fail_code(exchange, LST_ERR_NO_MEMORY);
        return;
    }
    exchange->work = creation;
    exchange->free_work = free_creation;
    creation->exchange = exchange;
    row = make_row(exchange, &link);
    creation->row = row == NULL ? NULL : json_dumps(row, JSON_COMPACT);
    json_decref(row);
    creation->answer = make_answer(exchange, &link, is_kept_here);
    if (creation->row == NULL || creation->answer == NULL) {
        lst_api_fail_code(exchange, LST_ERR_NO_MEMORY);
        return;
    }
    write_link(creation, &link);
}
