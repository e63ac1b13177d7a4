/*
 * link_create.c - POST /-/api/links: a link, or many of them.
 *
 * Each is checked, and gets its row. If any has a password the exchange waits while they are
 * hashed; then all are written in one batch, and the answer is given once that is durable.
 */
#include "access/json.h"
#include "api/batch.h"
#include "api/link_input.h"
#include "api/links.h"
#include "api/password.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    OWNER_ROW_MAX = 2 + LST_BEARER_ID_MAX + LST_LINK_ID_LENGTH,
    PASSWORDS_MAX = 8, /* of one call */
};

/* A link on its way into the index. */
struct entry {
    json_t *row;
    char *text; /* of the row */
    char password[LST_LINK_PASSWORD_MAX];
    size_t password_length;
    char link_key[1 + LST_LINK_ID_LENGTH];
    char owner_key[OWNER_ROW_MAX];
    size_t owner_length;
};

struct creation {
    struct lst_api_exchange *exchange;
    struct entry *entries;
    size_t count;
    size_t passwords;
    struct lst_index_change *changes;
    struct lst_index_batch batch;
    json_t *answer;
    int answer_status;
    int status;
};

static void free_creation(void *work)
{
    struct creation *creation = work;

    for (size_t i = 0; i < creation->count; i++) {
        lst_wipe(creation->entries[i].password, sizeof(creation->entries[i].password));
        json_decref(creation->entries[i].row);
        free(creation->entries[i].text);
    }
    free(creation->entries);
    free(creation->changes);
    json_decref(creation->answer);
    free(creation);
}

/* ---- May it be made? */

static bool may(struct lst_api_exchange *exchange, struct lst_access_question question)
{
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

static bool is_allowed(struct lst_api_exchange *exchange, const struct lst_link *link)
{
    bool writes = lst_slice_equal(link->method, LST_SLICE("PUT"));

    lst_api_about(exchange, link->bucket, link->key);
    return may(exchange,
               (struct lst_access_question){
                   .action = writes ? LST_SLICE("s3:PutObject") : LST_SLICE("s3:GetObject"),
                   .bucket = link->bucket,
                   .key = link->key,
               }) &&
           (!link->folder || may(exchange, lst_link_listing_question(link)));
}

/* The object may come later; a bucket that is missing is a mistake. */
static bool check_bucket(struct lst_api_exchange *exchange, const struct lst_link *link)
{
    return link->remote.length > 0 || lst_api_check_bucket(exchange, link->bucket);
}

/* A remote that does not know our limits has what S3 has. */
static bool check_remote(struct lst_api_exchange *exchange, const struct lst_link *link,
                         bool *ret_is_kept_here)
{
    int status = lst_link_is_kept_here(exchange->api, link, ret_is_kept_here);

    if (status == LST_ERR_NOT_FOUND) {
        lst_api_fail(exchange, 404, "NoSuchRemote",
                     "remote: no such remote: see `latchstring remote list`");
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

/* ---- Its row and its answer */

static void set_text(json_t **row, const char *name, struct lst_slice text)
{
    if (text.length > 0) {
        lst_api_json_set(row, name, lst_api_json_slice(text));
    }
}

static json_t *make_row(const struct lst_api_exchange *exchange, const struct lst_link *link)
{
    json_t *row = json_pack(
        "{s:s, s:s, s:I, s:I, s:I, s:I, s:b, s:b}", "owner", exchange->bearer.id, "user",
        lst_passage_user_name(&exchange->bearer.passage), "created", (json_int_t)link->created,
        "expires", (json_int_t)link->expires, "max_uses", (json_int_t)link->max_uses, "stable",
        (json_int_t)link->stable, "head", link->head ? 1 : 0, "folder", link->folder ? 1 : 0);

    /* Root is always the same, also when its record was made anew. */
    if (strcmp(lst_passage_user_name(&exchange->bearer.passage), LST_ROOT_USER) != 0) {
        set_text(&row, "user_id",
                 lst_slice_of(lst_passage_canonical_id(&exchange->bearer.passage)));
    }
    set_text(&row, "bucket", link->bucket);
    set_text(&row, "key", link->key);
    set_text(&row, "method", link->method);
    set_text(&row, "ip", link->ip);
    set_text(&row, "not_before", link->not_before);
    set_text(&row, "filename", link->filename);
    set_text(&row, "disposition", link->disposition);
    set_text(&row, "remote", link->remote);
    return row;
}

static void add_urls(const struct lst_api_exchange *exchange, const struct lst_link *link,
                     json_t **answer)
{
    int64_t start = link->stable > 0 ? link->created - link->created % link->stable : link->created;
    struct lst_buffer url;
    json_t *text = NULL;

    lst_buffer_init(&url, LST_API_URL_MAX);
    if (lst_link_sign(exchange, &exchange->bearer, link, start, link->expires - start, &url) ==
        LST_OK) {
        text = lst_api_json_slice(lst_buffer_slice(&url));
    }
    lst_buffer_release(&url);
    if (lst_slice_equal(link->method, LST_SLICE("GET"))) {
        lst_api_json_set(answer, "file_url", json_incref(text));
    }
    lst_api_json_set(answer, "url", text);
}

static json_t *make_answer(const struct lst_api_exchange *exchange, const struct lst_link *link,
                           bool is_kept_here)
{
    json_t *json =
        json_pack("{s:s, s:o}", "id", link->id, "expires_at", lst_api_json_time(link->expires));
    bool has_url = lst_link_has_url(link, is_kept_here);
    struct lst_buffer base;

    if (has_url) {
        add_urls(exchange, link, &json);
    }
    if (has_url && (link->remote.length > 0 || link->stable > 0)) {
        lst_api_json_set(&json, "not_enforced", json_pack("[s]", "revocation"));
    }
    if (!lst_slice_equal(link->method, LST_SLICE("PUT"))) {
        lst_buffer_init(&base, LST_API_URL_MAX);
        lst_api_base_url(exchange, &base);
        lst_buffer_append_string(&base, LST_LINKS_PATH);
        lst_buffer_append_string(&base, link->id);
        lst_api_json_set(&json, "short_url",
                         lst_buffer_status(&base) == LST_OK
                             ? lst_api_json_slice(lst_buffer_slice(&base))
                             : NULL);
        lst_buffer_release(&base);
    }
    return json;
}

/* ---- One link */

static void set_keys(struct entry *entry, const char *owner, const struct lst_link *link)
{
    size_t length = strlen(owner);

    entry->link_key[0] = 'l';
    memcpy(entry->link_key + 1, link->id, LST_LINK_ID_LENGTH);
    entry->owner_key[0] = 'o';
    memcpy(entry->owner_key + 1, owner, length + 1);
    memcpy(entry->owner_key + 2 + length, link->id, LST_LINK_ID_LENGTH);
    entry->owner_length = 2 + length + LST_LINK_ID_LENGTH;
}

/* Put the link into the creation. */
static json_t *add_entry(struct creation *creation, const struct lst_link *link,
                         struct lst_slice password, bool is_kept_here)
{
    struct lst_api_exchange *exchange = creation->exchange;
    struct entry *entry = &creation->entries[creation->count];
    json_t *answer = make_answer(exchange, link, is_kept_here);

    entry->row = make_row(exchange, link);
    if (answer == NULL || entry->row == NULL) {
        json_decref(answer);
        json_decref(entry->row);
        entry->row = NULL;
        lst_api_fail_code(exchange, LST_ERR_NO_MEMORY);
        return NULL;
    }
    if (password.length > 0) {
        memcpy(entry->password, password.bytes, password.length);
        entry->password_length = password.length;
        creation->passwords++;
    }
    set_keys(entry, exchange->bearer.id, link);
    creation->count++;
    return answer;
}

/* An lst_batch_make. */
static json_t *make_link(struct lst_api_exchange *exchange, void *context, int *ret_status)
{
    struct lst_link_input input;
    struct lst_link link = {0};
    bool is_kept_here;

    if (!lst_link_input_read(exchange, &link, &input) || !is_allowed(exchange, &link) ||
        !check_remote(exchange, &link, &is_kept_here) || !check_bucket(exchange, &link)) {
        return NULL;
    }
    if (input.dry_run) {
        *ret_status = 200;
        return json_pack("{s:b, s:o}", "dry_run", 1, "expires_at", lst_api_json_time(link.expires));
    }
    if (input.password.length > 0 &&
        ((const struct creation *)context)->passwords == PASSWORDS_MAX) {
        lst_api_fail(exchange, 400, "InvalidArgument",
                     "password: one call may make at most %d links with a password, because each "
                     "takes long to hash; make another call",
                     PASSWORDS_MAX);
        return NULL;
    }
    link.password = input.password; /* not yet hashed: only whether there is one counts */
    lst_link_make_id(exchange->request->received_ms, link.id);
    return add_entry(context, &link, input.password, is_kept_here);
}

/* ---- Writing them down */

static void answer_created(void *owner)
{
    struct lst_api_exchange *exchange = owner;
    struct creation *creation = exchange->work;

    if (creation->status != LST_OK) {
        lst_api_fail_code(exchange, creation->status);
        return;
    }
    lst_api_answer(exchange, creation->answer_status, creation->answer);
    creation->answer = NULL;
}

static void is_written(struct lst_index_batch *batch, int status, size_t failed_change)
{
    struct creation *creation = batch->context;

    (void)failed_change;
    creation->status = status;
    lst_waiting_end(&creation->exchange->waiting, answer_created);
}

static bool set_changes(struct creation *creation)
{
    creation->changes = calloc(2 * creation->count, sizeof(creation->changes[0]));
    if (creation->changes == NULL) {
        return false;
    }
    for (size_t i = 0; i < creation->count; i++) {
        struct entry *entry = &creation->entries[i];

        entry->text = lst_json_dump(entry->row, JSON_COMPACT);
        if (entry->text == NULL) {
            return false;
        }
        creation->changes[2 * i] = (struct lst_index_change){
            .kind = LST_INDEX_PUT,
            .key = lst_slice_make(entry->link_key, sizeof(entry->link_key)),
            .value = lst_slice_of(entry->text)};
        creation->changes[2 * i + 1] =
            (struct lst_index_change){.kind = LST_INDEX_PUT,
                                      .key = lst_slice_make(entry->owner_key, entry->owner_length),
                                      .value = LST_SLICE("")};
    }
    return true;
}

static void write_links(void *owner)
{
    struct lst_api_exchange *exchange = owner;
    struct creation *creation = exchange->work;

    if (creation->status != LST_OK || !set_changes(creation)) {
        lst_api_fail_code(exchange,
                          creation->status != LST_OK ? creation->status : LST_ERR_NO_MEMORY);
        return;
    }
    creation->batch = (struct lst_index_batch){.partition = LST_LEDGER_PARTITION,
                                               .changes = creation->changes,
                                               .change_count = 2 * creation->count,
                                               .done = is_written,
                                               .context = creation};
    lst_waiting_begin(&exchange->waiting);
    lst_index_submit(lst_ledger_index(exchange->api->options.ledger), &creation->batch);
}

/* On a thread of its own: it takes long on purpose. */
static void *hash_passwords(void *context)
{
    struct creation *creation = context;

    for (size_t i = 0; creation->status == LST_OK && i < creation->count; i++) {
        struct entry *entry = &creation->entries[i];
        char hash[LST_PASSWORD_HASH_MAX + 1];

        if (entry->password_length > 0) {
            creation->status =
                lst_password_hash(lst_slice_make(entry->password, entry->password_length), hash);
        }
        if (entry->password_length > 0 && creation->status == LST_OK &&
            json_object_set_new(entry->row, "password", json_string(hash)) != 0) {
            creation->status = LST_ERR_NO_MEMORY;
        }
    }
    lst_password_leave();
    lst_waiting_end(&creation->exchange->waiting, write_links);
    return NULL;
}

static void begin_hashing(struct creation *creation)
{
    struct lst_api_exchange *exchange = creation->exchange;
    pthread_t thread;

    if (!lst_password_enter(LST_PASSWORD_MAKING_MAX)) {
        lst_api_fail_busy(exchange);
        return;
    }
    lst_waiting_begin(&exchange->waiting);
    if (pthread_create(&thread, NULL, hash_passwords, creation) != 0) {
        lst_password_leave();
        lst_waiting_cancel(&exchange->waiting);
        lst_api_fail_code(exchange, LST_ERR_NO_MEMORY);
        return;
    }
    (void)pthread_detach(thread);
}

/* ---- The operation */

static struct creation *make_creation(struct lst_api_exchange *exchange, size_t count)
{
    struct creation *creation = calloc(1, sizeof(*creation));

    if (creation != NULL) {
        creation->exchange = exchange;
        creation->answer_status = 201;
        creation->entries = calloc(count, sizeof(creation->entries[0]));
        exchange->work = creation;
        exchange->free_work = free_creation;
    }
    if (creation == NULL || creation->entries == NULL) {
        lst_api_fail_code(exchange, LST_ERR_NO_MEMORY);
        return NULL;
    }
    return creation;
}

void lst_links_create(struct lst_api_exchange *exchange)
{
    bool is_batch = lst_batch_is_wanted(exchange, "links");
    struct creation *creation = make_creation(exchange, is_batch ? LST_BATCH_MAX : 1);

    if (creation == NULL) {
        return;
    }
    if (is_batch) {
        creation->answer_status = 200;
        creation->answer = lst_batch_run(exchange, "links", make_link, creation);
    } else {
        creation->answer = make_link(exchange, creation, &creation->answer_status);
    }
    if (creation->answer == NULL) {
        if (!lst_waiting_is_answered(&exchange->waiting)) { /* else it was refused */
            lst_api_fail_code(exchange, LST_ERR_NO_MEMORY);
        }
        return;
    }
    if (creation->count == 0) {
        answer_created(exchange);
    } else if (creation->passwords > 0) {
        begin_hashing(creation);
    } else {
        write_links(exchange);
    }
}
