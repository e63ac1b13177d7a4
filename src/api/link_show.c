/* link_show.c - GET /-/api/links, GET /-/api/links/ID */
#include "api/link.h"
#include "api/links.h"

#include <stdlib.h>

enum { LIST_USUAL = 100, LIST_MAX = 1000, PREFIX_MAX = 2 + LST_BEARER_ID_MAX + LST_LINK_ID_LENGTH };

static json_t *text_or_null(struct lst_slice text)
{
    return text.length == 0 ? json_null() : lst_api_json_slice(text);
}

static json_t *addresses_of(const struct lst_link *link)
{
    struct lst_slice rest = link->ip;
    struct lst_slice address;
    json_t *list = json_array();

    while (rest.length > 0 && lst_slice_split(&rest, ',', &address)) {
        lst_api_json_append(&list, lst_api_json_slice(address));
    }
    return list;
}

static json_t *make_json(const struct lst_link *link, const char *state,
                         const struct lst_ledger_summary *summary)
{
    json_int_t used = (json_int_t)(link->max_uses > 0 ? summary->used : summary->succeeded);

    return json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
        "s:b, s:b, s:b, s:b}",
        "id", link->id, "state", state, "bucket", lst_api_json_slice(link->bucket), "key",
        lst_api_json_slice(link->key), "method", lst_api_json_slice(link->method), "created_at",
        lst_api_json_time(link->created), "expires_at", lst_api_json_time(link->expires),
        "revoked_at",
        summary->revoked_ms == 0 ? json_null() : lst_api_json_time(summary->revoked_ms / 1000),
        "max_uses", (json_int_t)link->max_uses, "used", used, "uses_left",
        link->max_uses == 0     ? json_null()
        : used > link->max_uses ? json_integer(0)
                                : json_integer((json_int_t)link->max_uses - used),
        "remote", text_or_null(link->remote), "ip", text_or_null(link->ip), "addresses",
        addresses_of(link), "not_before", text_or_null(link->not_before), "filename",
        text_or_null(link->filename), "disposition", text_or_null(link->disposition), "head",
        link->head ? 1 : 0, "folder", link->folder ? 1 : 0, "stable", link->stable > 0 ? 1 : 0,
        "password", link->password.length > 0 ? 1 : 0);
}

static int to_json(const struct lst_api_exchange *exchange, const struct lst_link *link,
                   json_t **ret_json)
{
    struct lst_ledger_summary summary;
    const char *state;
    int status = lst_link_state(exchange->api, link, lst_api_now(exchange), &summary, &state);

    if (status != LST_OK) {
        return status;
    }
    *ret_json = make_json(link, state, &summary);
    return *ret_json == NULL ? LST_ERR_NO_MEMORY : LST_OK;
}

/* Somebody else's link is as if it were not there. */
static bool may_see(const struct lst_api_exchange *exchange, const struct lst_link *link)
{
    return (exchange->bearer.may & LST_MAY_ADMINISTER) != 0 ||
           (lst_slice_equal(link->owner, lst_slice_of(exchange->bearer.id)) &&
            lst_link_is_signed_by(link, &exchange->bearer.passage));
}

bool lst_link_find_own(struct lst_api_exchange *exchange, struct lst_link *ret_link)
{
    int status = lst_link_find(exchange->api, exchange->name, ret_link);

    if (status == LST_OK && !may_see(exchange, ret_link)) {
        lst_link_release(ret_link);
        status = LST_ERR_NOT_FOUND;
    }
    if (status == LST_OK) {
        lst_api_about(exchange, ret_link->bucket, ret_link->key);
    }
    if (status == LST_ERR_NOT_FOUND) {
        lst_api_fail(exchange, 404, "NoSuchLink", "You have no link of this id");
    } else if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
    }
    return status == LST_OK;
}

/* ---- One */

static int add_use(void *context, const struct lst_use_outcome *outcome)
{
    json_t *use = json_pack(
        "{s:o, s:o, s:o, s:i, s:I}", "at", lst_api_json_time(outcome->use.now_ms / 1000), "from",
        lst_api_json_slice(outcome->use.peer), "method", lst_api_json_slice(outcome->use.method),
        "status", outcome->http_status, "bytes", (json_int_t)outcome->size);

    if (outcome->reason.length > 0) {
        lst_api_json_set(&use, "reason", lst_api_json_slice(outcome->reason));
    }
    return json_array_append_new(context, use) == 0 ? LST_OK : LST_ERR_NO_MEMORY;
}

static void show(void *owner)
{
    struct lst_api_exchange *exchange = owner;
    struct lst_link link;
    json_t *json = NULL;
    json_t *uses;
    int status;

    if (!lst_link_find_own(exchange, &link)) {
        return;
    }
    status = to_json(exchange, &link, &json);
    uses = json_array();
    if (status == LST_OK) {
        status = lst_ledger_uses(exchange->api->options.ledger, link.user, lst_slice_of(link.id),
                                 add_use, uses);
    }
    lst_link_release(&link);
    if (status != LST_OK) {
        json_decref(json);
        json_decref(uses);
        lst_api_fail_code(exchange, status);
        return;
    }
    lst_api_json_set(&json, "uses", uses);
    lst_api_answer(exchange, 200, json);
}

void lst_links_show(struct lst_api_exchange *exchange)
{
    lst_api_after_uses(exchange, show);
}

/* ---- Many */

struct page {
    char prefix[PREFIX_MAX]; /* of the rows: one owner's, or everybody's */
    size_t prefix_length;
    size_t limit;
    char after[LST_LINK_ID_LENGTH + 1];
};

static bool read_page(struct lst_api_exchange *exchange, struct page *page)
{
    char *limit;
    char *after;
    char *end = NULL;
    bool is_good;

    memset(page, 0, sizeof(*page));
    if (!lst_api_parameter(exchange, LST_PARAMETER_LIMIT, &limit)) {
        return false;
    }
    if (!lst_api_parameter(exchange, LST_PARAMETER_AFTER, &after)) {
        free(limit);
        return false;
    }
    is_good = after == NULL || strlen(after) == LST_LINK_ID_LENGTH;
    page->limit = limit == NULL ? LIST_USUAL : strtoul(limit, &end, 10);
    if (page->limit == 0 || page->limit > LIST_MAX || (limit != NULL && *end != '\0')) {
        is_good = false;
    }
    if (is_good && after != NULL) {
        memcpy(page->after, after, LST_LINK_ID_LENGTH);
    }
    free(limit);
    free(after);
    if (!is_good) {
        lst_api_fail(exchange, 400, "InvalidArgument",
                     "limit must be a number from 1 to %d, and after a link's id", LIST_MAX);
    }
    if ((exchange->bearer.may & LST_MAY_ADMINISTER) != 0) {
        page->prefix[0] = 'l';
        page->prefix_length = 1;
    } else {
        page->prefix[0] = 'o';
        page->prefix_length = strlen(exchange->bearer.id) + 2;
        memcpy(page->prefix + 1, exchange->bearer.id, page->prefix_length - 1);
    }
    return is_good;
}

static int collect_ids(const struct lst_api *api, const struct page *page, json_t *ids)
{
    char first[PREFIX_MAX];
    struct lst_slice prefix = lst_slice_make(page->prefix, page->prefix_length);
    struct lst_index_reader *reader;
    struct lst_slice key;
    struct lst_slice row;
    size_t first_length = page->prefix_length + strlen(page->after);
    int status = lst_index_read_begin(lst_ledger_index(api->options.ledger), &reader);

    if (status != LST_OK) {
        return status;
    }
    memcpy(first, page->prefix, page->prefix_length);
    memcpy(first + page->prefix_length, page->after, strlen(page->after));
    status = lst_index_seek(reader, LST_LEDGER_PARTITION, lst_slice_make(first, first_length), &key,
                            &row);
    while (status == LST_OK && lst_slice_starts_with(key, prefix) &&
           json_array_size(ids) <= page->limit) {
        struct lst_slice id = lst_slice_after(key, page->prefix_length);

        if (!lst_slice_equal(id, lst_slice_of(page->after)) &&
            json_array_append_new(ids, lst_api_json_slice(id)) != 0) {
            status = LST_ERR_NO_MEMORY;
        } else {
            status = lst_index_next(reader, &key, &row);
        }
    }
    lst_index_read_end(reader);
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

static int add_link(const struct lst_api_exchange *exchange, struct lst_slice id, json_t **links)
{
    struct lst_link link;
    json_t *json = NULL;
    int status = lst_link_find(exchange->api, id, &link);

    if (status == LST_ERR_NOT_FOUND) { /* swept since its id was read */
        return LST_OK;
    }
    if (status == LST_OK) {
        status = may_see(exchange, &link) ? to_json(exchange, &link, &json) : LST_OK;
        lst_link_release(&link);
    }
    if (status == LST_OK && json != NULL) {
        lst_api_json_append(links, json);
    }
    return status;
}

void lst_links_list(struct lst_api_exchange *exchange)
{
    struct page page;
    json_t *ids;
    json_t *links;
    json_t *answer;
    int status;

    if (!read_page(exchange, &page)) {
        return;
    }
    ids = json_array();
    links = json_array();
    status = collect_ids(exchange->api, &page, ids);
    for (size_t i = 0; status == LST_OK && i < json_array_size(ids) && i < page.limit; i++) {
        status =
            add_link(exchange, lst_slice_of(json_string_value(json_array_get(ids, i))), &links);
    }
    answer = json_pack("{s:o}", "links", links);
    if (json_array_size(ids) > page.limit) {
        lst_api_json_set(&answer, "next", json_incref(json_array_get(ids, page.limit - 1)));
    }
    json_decref(ids);
    if (status != LST_OK) {
        json_decref(answer);
        lst_api_fail_code(exchange, status);
        return;
    }
    lst_api_answer(exchange, 200, answer);
}
