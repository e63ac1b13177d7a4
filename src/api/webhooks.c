/* webhooks.c - the thread that sends what is due. */
#include "api/profiles.h"
#include "api/webhook.h"
#include "api/webhooks_state.h"
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>

enum { IDLE_MS = 60 * 1000, STUCK_MS = 1000, PROBLEM_TEXT_MAX = 1024, LOOKED_AT_MAX = 100000 };

/* What one look at the index has found. */
struct look {
    struct lst_delivery *begun[LST_MESSAGES_AT_ONCE];
    size_t count;
    int64_t wait_ms; /* until the next one is due */
};

static void report(const struct lst_webhooks *webhooks, const char *what,
                   const struct lst_delivery *delivery, const char *why)
{
    const struct lst_api_options *options = &webhooks->api->options;
    char text[PROBLEM_TEXT_MAX];

    if (options->report == NULL) {
        return;
    }
    (void)snprintf(text, sizeof(text), "webhook of the profile '%s': %s %.*s: %s",
                   json_string_value(json_object_get(delivery->row, "profile")), what,
                   LST_MESSAGE_ID_LENGTH, delivery->key + 1 + LST_MESSAGE_DUE_LENGTH, why);
    options->report(text);
}

/* ---- Changes of rows */

static void apply(struct lst_webhooks *webhooks, const struct lst_index_change *changes,
                  size_t count)
{
    /* If it can't be written the message is sent again, since it is on the disk still; but not at
     * once. */
    webhooks->is_stuck =
        lst_index_apply(webhooks->index, LST_LEDGER_PARTITION, changes, count) != LST_OK;
}

static void forget(struct lst_webhooks *webhooks, const struct lst_delivery *delivery)
{
    const struct lst_index_change change = {
        LST_INDEX_DELETE, lst_slice_make(delivery->key, sizeof(delivery->key)), LST_SLICE("")};

    apply(webhooks, &change, 1);
}

/* Later again; or never, when it is three days old. */
static void postpone(struct lst_webhooks *webhooks, struct lst_delivery *delivery)
{
    int64_t now = lst_clock_now_ms();
    int64_t created = json_integer_value(json_object_get(delivery->row, "created"));
    int64_t attempts = json_integer_value(json_object_get(delivery->row, "attempts")) + 1;
    int64_t due = now + lst_webhook_delay_ms(attempts);
    char key[LST_MESSAGE_KEY_LENGTH];
    struct lst_index_change changes[2] = {
        {LST_INDEX_DELETE, lst_slice_make(delivery->key, sizeof(delivery->key)), LST_SLICE("")}};
    char *row;

    if (due > created + LST_WEBHOOK_LIFE_MS) {
        report(webhooks, "given up after three days, message", delivery, delivery->problem);
        forget(webhooks, delivery);
        return;
    }
    if (attempts == 1) {
        report(webhooks, "will be tried again, message", delivery, delivery->problem);
    }
    (void)json_object_set_new(delivery->row, "attempts", json_integer(attempts));
    row = json_dumps(delivery->row, JSON_COMPACT);
    if (row == NULL) {
        return; /* it is due still */
    }
    lst_message_key(due, delivery->key + 1 + LST_MESSAGE_DUE_LENGTH, key);
    changes[1] = (struct lst_index_change){LST_INDEX_PUT, lst_slice_make(key, sizeof(key)),
                                           lst_slice_of(row)};
    apply(webhooks, changes, 2);
    free(row);
}

/* ---- What is due */

static const char *profile_of(const struct lst_delivery *delivery)
{
    const char *name = json_string_value(json_object_get(delivery->row, "profile"));

    return name == NULL ? "" : name;
}

static bool is_under_way(const struct lst_webhooks *webhooks, struct lst_slice key)
{
    for (size_t i = 0; i < LST_MESSAGES_AT_ONCE; i++) {
        const struct lst_delivery *delivery = &webhooks->deliveries[i];

        if (delivery->row != NULL &&
            lst_slice_equal(key, lst_slice_make(delivery->key, sizeof(delivery->key)))) {
            return true;
        }
    }
    return false;
}

static bool is_busy(const struct lst_webhooks *webhooks, const char *profile)
{
    size_t count = 0;

    for (size_t i = 0; i < LST_MESSAGES_AT_ONCE; i++) {
        const struct lst_delivery *delivery = &webhooks->deliveries[i];

        count += delivery->row != NULL && strcmp(profile_of(delivery), profile) == 0 ? 1 : 0;
    }
    return count >= LST_MESSAGES_AT_ONCE_FOR_ONE;
}

static struct lst_delivery *free_place(struct lst_webhooks *webhooks)
{
    for (size_t i = 0; i < LST_MESSAGES_AT_ONCE; i++) {
        if (webhooks->deliveries[i].row == NULL) {
            return &webhooks->deliveries[i];
        }
    }
    return NULL;
}

/* Take the row into a place, unless its receiver has enough to do. */
static void take(struct lst_webhooks *webhooks, struct lst_delivery *delivery, struct lst_slice key,
                 struct lst_slice value, struct look *look)
{
    json_t *row = json_loadb(value.bytes, value.length, 0, NULL);
    const char *profile = json_string_value(json_object_get(row, "profile"));

    if (row != NULL && !is_busy(webhooks, profile == NULL ? "" : profile)) {
        delivery->row = row;
        memcpy(delivery->key, key.bytes, sizeof(delivery->key));
        look->begun[look->count++] = delivery;
        return;
    }
    json_decref(row);
}

static void look_for_due(struct lst_webhooks *webhooks, struct look *look)
{
    char now[LST_MESSAGE_KEY_LENGTH];
    struct lst_index_reader *reader;
    struct lst_delivery *place = free_place(webhooks);
    struct lst_slice key;
    struct lst_slice value;
    int64_t now_ms = lst_clock_now_ms();
    int status = lst_index_read_begin(webhooks->index, &reader);

    look->count = 0;
    look->wait_ms = IDLE_MS;
    if (status != LST_OK) {
        look->wait_ms = 1000;
        return;
    }
    lst_message_key(now_ms, "zzzzzzzzzzzzzzzzzzzz", now);
    status = lst_index_seek(reader, LST_LEDGER_PARTITION, LST_SLICE("j"), &key, &value);
    for (size_t i = 0; i < LOOKED_AT_MAX && status == LST_OK && place != NULL &&
                       key.length == sizeof(now) && key.bytes[0] == 'j';
         i++) {
        if (memcmp(key.bytes, now, sizeof(now)) > 0) {
            char digits[LST_MESSAGE_DUE_LENGTH + 1] = "";

            memcpy(digits, key.bytes + 1, LST_MESSAGE_DUE_LENGTH);
            look->wait_ms = strtoll(digits, NULL, 10) - now_ms;
            break;
        }
        if (!is_under_way(webhooks, key)) {
            take(webhooks, place, key, value, look);
            place = free_place(webhooks);
        }
        status = lst_index_next(reader, &key, &value);
    }
    lst_index_read_end(reader);
}

static int64_t start_due(struct lst_webhooks *webhooks)
{
    struct look look;

    look_for_due(webhooks, &look);
    for (size_t i = 0; i < look.count; i++) {
        struct lst_delivery *delivery = look.begun[i];
        bool is_unwanted;

        if (!lst_delivery_begin(webhooks, delivery, &is_unwanted)) {
            if (is_unwanted) {
                report(webhooks, "dropped, since there is no webhook any more, message", delivery,
                       "see `latchstring profile show`");
                forget(webhooks, delivery);
            } else {
                postpone(webhooks, delivery);
            }
            lst_delivery_end(webhooks, delivery);
            look.wait_ms = 0;
        }
    }
    return look.wait_ms < IDLE_MS ? look.wait_ms : IDLE_MS;
}

/* ---- What has come to its end */

static bool collect(struct lst_webhooks *webhooks)
{
    bool any = false;
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(webhooks->multi, &left)) != NULL) {
        struct lst_delivery *delivery = NULL;

        if (message->msg != CURLMSG_DONE ||
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &delivery) != CURLE_OK) {
            continue;
        }
        if (lst_delivery_is_taken(delivery, message->data.result)) {
            forget(webhooks, delivery);
        } else {
            postpone(webhooks, delivery);
        }
        lst_delivery_end(webhooks, delivery);
        any = true;
    }
    return any;
}

static void *run(void *context)
{
    struct lst_webhooks *webhooks = context;

    while (!atomic_load(&webhooks->is_closing)) {
        int64_t wait_ms = start_due(webhooks);
        int running;

        (void)curl_multi_perform(webhooks->multi, &running);
        if (!collect(webhooks) && wait_ms > 0) {
            (void)curl_multi_poll(webhooks->multi, NULL, 0, (int)wait_ms, NULL);
        } else if (webhooks->is_stuck) {
            (void)curl_multi_poll(webhooks->multi, NULL, 0, STUCK_MS, NULL);
        }
    }
    return NULL;
}

/* ---- Opening and closing */

static void wake(void *context)
{
    struct lst_webhooks *webhooks = context;

    (void)curl_multi_wakeup(webhooks->multi);
}

static int start(struct lst_webhooks *webhooks)
{
    const struct lst_ledger_hook hook = {
        .settled = lst_message_settled, .written = wake, .context = webhooks};
    int status;

    webhooks->multi = curl_multi_init();
    if (webhooks->multi == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    lst_ledger_on_settled(webhooks->api->options.ledger, &hook);
    status = lst_messages_recover(webhooks);
    if (status == LST_OK) {
        webhooks->has_thread = pthread_create(&webhooks->thread, NULL, run, webhooks) == 0;
        status = webhooks->has_thread ? LST_OK : LST_ERR_NO_MEMORY;
    }
    return status;
}

int lst_webhooks_open(struct lst_api *api, struct lst_webhooks **ret_webhooks)
{
    struct lst_webhooks *webhooks = calloc(1, sizeof(*webhooks));
    int status;

    if (webhooks == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    webhooks->api = api;
    webhooks->index = lst_ledger_index(api->options.ledger);
    status =
        curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? start(webhooks) : LST_ERR_NO_MEMORY;
    if (status != LST_OK) {
        lst_webhooks_close(webhooks);
        return status;
    }
    *ret_webhooks = webhooks;
    return LST_OK;
}

void lst_webhooks_close(struct lst_webhooks *webhooks)
{
    static const struct lst_ledger_hook nothing;

    if (webhooks == NULL) {
        return;
    }
    /* What was settled becomes messages yet, for the next process to send. */
    lst_ledger_flush(webhooks->api->options.ledger);
    lst_ledger_on_settled(webhooks->api->options.ledger, &nothing);
    atomic_store(&webhooks->is_closing, true);
    if (webhooks->has_thread) {
        (void)curl_multi_wakeup(webhooks->multi);
        (void)pthread_join(webhooks->thread, NULL);
    }
    for (size_t i = 0; i < LST_MESSAGES_AT_ONCE; i++) {
        if (webhooks->deliveries[i].row != NULL) {
            lst_delivery_end(webhooks, &webhooks->deliveries[i]);
        }
    }
    (void)curl_multi_cleanup(webhooks->multi);
    free(webhooks);
}
