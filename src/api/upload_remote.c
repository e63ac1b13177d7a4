/* upload_remote.c - what came of an upload to a remote: the object there knows its ticket. */
#include "api/remote_head.h"
#include "api/upload.h"

#include <stdlib.h>

struct question {
    struct lst_ticket ticket; /* may not be copied */
    struct lst_remote remote;
    struct lst_remote_head head;
};

static void free_question(void *work)
{
    struct question *question = work;

    lst_remote_head_release(&question->head);
    lst_remote_release(&question->remote);
    free(question);
}

static void is_answered(void *owner)
{
    struct lst_api_exchange *exchange = owner;
    struct question *question = exchange->work;
    const struct lst_remote_head *head = &question->head;
    bool is_there = head->http_status == 200;

    if (is_there || head->http_status == 404) {
        is_there = is_there && lst_slice_equal(lst_slice_of(head->ticket), question->ticket.text);
        lst_uploads_answer(exchange, &question->ticket,
                           is_there ? "complete"
                                    : lst_uploads_open_state(exchange, &question->ticket),
                           &head->uploaded, is_there, "", &question->remote);
    } else if (head->http_status == 0) {
        lst_api_fail(exchange, 502, "RemoteNotReached", "The remote '%s' can't be reached: %s",
                     question->remote.name, head->problem);
    } else {
        lst_api_fail(exchange, 502, "RemoteRefused",
                     "The remote '%s' answered a HEAD of the object with %d: its key must be "
                     "allowed s3:GetObject and s3:ListBucket there",
                     question->remote.name, head->http_status);
    }
}

void lst_uploads_ask_remote(struct lst_api_exchange *exchange, struct lst_slice name)
{
    struct question *question = calloc(1, sizeof(*question));
    int status;

    if (question == NULL) {
        lst_api_fail_code(exchange, LST_ERR_NO_MEMORY);
        return;
    }
    lst_api_set_work(exchange, question, free_question);
    status = lst_ticket_read(exchange->api->secret, lst_api_user(exchange), exchange->name,
                             &question->ticket);
    if (status == LST_OK) {
        status = lst_remotes_find(lst_ledger_index(exchange->api->options.ledger), name,
                                  &question->remote);
    }
    if (status == LST_ERR_NOT_FOUND) {
        lst_api_fail(exchange, 503, "NoSuchRemote", "The upload's remote is not set up any more");
    } else if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
    } else {
        (void)lst_remote_head(exchange, &question->remote, question->ticket.bucket,
                              question->ticket.key, &question->head, is_answered);
    }
}
