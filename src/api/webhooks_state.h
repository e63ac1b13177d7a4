/* webhooks_state.h - what the files that make up webhooks.h share. */
#ifndef LST_API_WEBHOOKS_STATE_H
#define LST_API_WEBHOOKS_STATE_H

#include "api/webhooks.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
    LST_MESSAGE_ID_LENGTH = 20, /* a-z and 0-9 */
    LST_MESSAGE_DUE_LENGTH = 13,
    LST_MESSAGE_KEY_LENGTH = 1 + LST_MESSAGE_DUE_LENGTH + LST_MESSAGE_ID_LENGTH,
    LST_MESSAGES_AT_ONCE = 64,
    LST_MESSAGES_AT_ONCE_FOR_ONE = 8, /* profile, so that a slow receiver holds up nobody else */
};

/* A message on its way. */
struct lst_delivery {
    char key[LST_MESSAGE_KEY_LENGTH]; /* of its row */
    json_t *row;                      /* NULL: this place is free */
    CURL *easy;
    struct curl_slist *headers;
    struct lst_buffer body;
    size_t answered; /* bytes of the answer's body, which nobody reads */
    char problem[CURL_ERROR_SIZE];
};

struct lst_webhooks {
    struct lst_api *api;
    struct lst_index *index;
    CURLM *multi;
    struct lst_delivery deliveries[LST_MESSAGES_AT_ONCE];
    pthread_t thread;
    bool has_thread;
    bool is_stuck; /* the last change could not be written */
    atomic_bool is_closing;
};

/* Write "j", the time and the id as a key. id: LST_MESSAGE_ID_LENGTH bytes. */
void lst_message_key(int64_t due_ms, const char *id, char ret_key[LST_MESSAGE_KEY_LENGTH]);

/* Fill in what comes of a use of an upload's URL, if the profile wants to hear of it. The ledger's
 * hook; context: the webhooks. */
int lst_message_settled(void *context, const struct lst_use_outcome *outcome,
                        struct lst_ledger_changes *more);

/* Settle what was left open by a process that died. */
LST_MUST_CHECK int lst_messages_recover(struct lst_webhooks *webhooks);

/* Write the body to be sent: what the row says, and, if it is there, the object itself. */
LST_MUST_CHECK int lst_message_write(const struct lst_api *api, const char *id, json_t *row,
                                     struct lst_buffer *out);

/* Begin to send the message in this place, whose key and row are set. False: it can't be sent now.
 * *ret_is_unwanted: nor ever, since the profile has no webhook any more. */
bool lst_delivery_begin(struct lst_webhooks *webhooks, struct lst_delivery *delivery,
                        bool *ret_is_unwanted);

/* It has come to its end: was it taken? If not, delivery->problem says why. */
bool lst_delivery_is_taken(struct lst_delivery *delivery, CURLcode result);

void lst_delivery_end(struct lst_webhooks *webhooks, struct lst_delivery *delivery);

#endif
