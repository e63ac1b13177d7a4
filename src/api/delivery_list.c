/* delivery_list.c - GET /-/api/deliveries: the messages that wait, and those that were given up. */
#include "api/delivery.h"
#include "api/profiles.h"

#include "base/encoding.h"

#include <stdlib.h>

enum {
    LIST_USUAL = 100,
    LIST_MAX = 1000,
    TAIL = LST_JOB_TAIL_LENGTH - 1, /* of a key, behind the profile's name and its 00 */
    CURSOR = 1 + 2 * TAIL,          /* "j" or "g", and a tail in hex */
};

struct page {
    struct lst_slice profile;
    size_t limit;
    bool wants_waiting;
    bool wants_given_up;
    char after[1 + TAIL]; /* the row that was shown last; '\0': none */
    json_t *list;
    char next[CURSOR + 1]; /* "": there are no more */
};

/* ---- What is asked for */

static bool read_state(const char *state, struct page *page)
{
    page->wants_waiting = state == NULL || strcmp(state, "waiting") == 0;
    page->wants_given_up = state == NULL || strcmp(state, "given_up") == 0;
    return page->wants_waiting || page->wants_given_up;
}

static bool read_limit(const char *limit, struct page *page)
{
    uint64_t number = LIST_USUAL;
    bool is_good = limit == NULL || lst_slice_to_number(lst_slice_of(limit), LIST_MAX, &number);

    page->limit = (size_t)number;
    return is_good && number > 0;
}

static bool read_after(const char *after, struct page *page)
{
    if (after == NULL) {
        return true;
    }
    page->after[0] = after[0];
    return strlen(after) == CURSOR &&
           (after[0] == LST_JOB_ROW[0] || after[0] == LST_JOB_GIVEN_UP_ROW[0]) &&
           lst_hex_decode(lst_slice_make(after + 1, CURSOR - 1), page->after + 1, TAIL);
}

static bool read_page(struct lst_api_exchange *exchange, struct page *page)
{
    char *state = NULL;
    char *limit = NULL;
    char *after = NULL;
    bool is_read = lst_api_parameter(exchange, LST_PARAMETER_STATE, &state) &&
                   lst_api_parameter(exchange, LST_PARAMETER_LIMIT, &limit) &&
                   lst_api_parameter(exchange, LST_PARAMETER_AFTER, &after);
    bool is_good =
        is_read && read_state(state, page) && read_limit(limit, page) && read_after(after, page);

    free(state);
    free(limit);
    free(after);
    if (is_read && !is_good) {
        lst_api_fail(exchange, 400, "InvalidArgument",
                     "state must be waiting or given_up, limit a number from 1 to %d, and after "
                     "what `next` was",
                     LIST_MAX);
    }
    return is_good;
}

/* ---- The rows */

static void set_next(struct page *page, struct lst_slice key)
{
    page->next[0] = key.bytes[0];
    lst_hex_encode((const uint8_t *)key.bytes + key.length - TAIL, TAIL, page->next + 1);
    page->next[CURSOR] = '\0';
}

/* One that is damaged is passed over: the thread that sends them will drop it. */
static int show_row(struct page *page, struct lst_slice key, struct lst_slice value)
{
    struct lst_job job;

    if (lst_job_read(key, value, &job) == LST_OK &&
        json_array_append_new(page->list, lst_delivery_to_json(&job)) != 0) {
        return LST_ERR_NO_MEMORY;
    }
    return LST_OK;
}

static int list_rows(struct page *page, struct lst_index_reader *reader, bool is_given_up)
{
    char start[LST_JOB_KEY_MAX];
    size_t prefix_length = lst_delivery_prefix(is_given_up, page->profile, start);
    size_t length = prefix_length;
    struct lst_slice key;
    struct lst_slice value;
    int status;

    if (page->after[0] == start[0]) {
        memcpy(start + length, page->after + 1, TAIL);
        length += TAIL;
    }
    status =
        lst_index_seek(reader, LST_LEDGER_PARTITION, lst_slice_make(start, length), &key, &value);
    if (status == LST_OK && length > prefix_length &&
        lst_slice_equal(key, lst_slice_make(start, length))) {
        status = lst_index_next(reader, &key, &value); /* it was shown */
    }
    while (status == LST_OK && lst_slice_starts_with(key, lst_slice_make(start, prefix_length))) {
        status = show_row(page, key, value);
        if (status != LST_OK) {
            return status;
        }
        if (json_array_size(page->list) >= page->limit) {
            set_next(page, key);
            return LST_OK;
        }
        status = lst_index_next(reader, &key, &value);
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

/* Those that wait first, by when they are due; then those that were given up, the oldest first. */
static int list_all(const struct lst_api_exchange *exchange, struct page *page)
{
    struct lst_index_reader *reader;
    int status = lst_index_read_begin(lst_ledger_index(exchange->api->options.ledger), &reader);

    if (status != LST_OK) {
        return status;
    }
    if (page->wants_waiting && page->after[0] != LST_JOB_GIVEN_UP_ROW[0]) {
        status = list_rows(page, reader, false);
    }
    if (status == LST_OK && page->wants_given_up && page->next[0] == '\0') {
        status = list_rows(page, reader, true);
    }
    lst_index_read_end(reader);
    return status;
}

/* ---- The answer */

/* Of a profile that is gone, what was given up is still shown. */
static bool is_profile(struct lst_api_exchange *exchange, const struct page *page)
{
    const struct lst_profile *profile = NULL;
    int status = json_array_size(page->list) > 0
                     ? LST_OK
                     : lst_profiles_find(exchange->api->profiles, page->profile, &profile);

    lst_profile_unref(profile);
    if (status == LST_ERR_NOT_FOUND) {
        lst_api_fail(exchange, 404, "NoSuchProfile",
                     "profile: there is none of this name for you: see `latchstring profile list`");
    } else if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
    }
    return status == LST_OK;
}

static void list(struct lst_api_exchange *exchange, struct page *page)
{
    int status;

    if (!lst_profile_name_is_valid(page->profile) ||
        !lst_bearer_may_use(&exchange->bearer, page->profile)) {
        lst_api_fail(exchange, 404, "NoSuchProfile",
                     "profile: there is none of this name for you: see `latchstring profile list`");
        return;
    }
    page->list = json_array();
    status = list_all(exchange, page);
    if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
    } else if (is_profile(exchange, page)) {
        json_t *answer = json_pack("{s:O}", "deliveries", page->list);

        if (page->next[0] != '\0') {
            lst_api_json_set(&answer, "next", json_string(page->next));
        }
        lst_api_answer(exchange, 200, answer);
    }
    json_decref(page->list);
}

void lst_deliveries_list(struct lst_api_exchange *exchange)
{
    struct page page = {.limit = 0};
    char *profile = NULL;

    if (!lst_api_parameter(exchange, LST_PARAMETER_PROFILE, &profile)) {
        return;
    }
    if (profile == NULL) {
        lst_api_fail(exchange, 400, "InvalidArgument",
                     "profile: say whose messages, as ?profile=NAME");
    } else if (read_page(exchange, &page)) {
        page.profile = lst_slice_of(profile);
        list(exchange, &page);
    }
    free(profile);
}
