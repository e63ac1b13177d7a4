/*
 * link_revoke.c - DELETE /-/api/links/ID and DELETE /-/api/ids/ID
 *
 * Waits for the disk, so each revocation has a thread of its own.
 */
#include "access/constraints.h"
#include "api/link.h"
#include "api/links.h"

#include <pthread.h>
#include <stdlib.h>

struct revocation {
    struct lst_api_exchange *exchange;
    struct lst_slice user; /* into link or name */
    struct lst_slice id;   /* into link or the exchange */
    int64_t expires_ms;
    int status;
    struct lst_link link; /* all zero: the id of no link */
    char name[LST_USER_NAME_MAX + 1];
};

static void free_revocation(void *work)
{
    struct revocation *revocation = work;

    lst_link_release(&revocation->link);
    free(revocation);
}

static void answer_revoked(void *owner)
{
    struct lst_api_exchange *exchange = owner;
    struct revocation *revocation = exchange->work;

    if (revocation->status == LST_OK) {
        lst_api_answer_nothing(exchange);
    } else {
        lst_api_fail_code(exchange, revocation->status);
    }
}

static void *revoke(void *context)
{
    struct revocation *revocation = context;
    struct lst_api_exchange *exchange = revocation->exchange;

    revocation->status = lst_ledger_revoke(exchange->api->options.ledger, revocation->user,
                                           revocation->id, revocation->expires_ms);
    lst_waiting_end(&exchange->waiting, answer_revoked);
    return NULL;
}

static void begin(struct revocation *revocation)
{
    struct lst_api_exchange *exchange = revocation->exchange;
    pthread_t thread;

    lst_waiting_begin(&exchange->waiting);
    if (pthread_create(&thread, NULL, revoke, revocation) != 0) {
        lst_waiting_cancel(&exchange->waiting);
        lst_api_fail_code(exchange, LST_ERR_NO_MEMORY);
        return;
    }
    (void)pthread_detach(thread);
}

static struct revocation *make_revocation(struct lst_api_exchange *exchange)
{
    struct revocation *revocation = calloc(1, sizeof(*revocation));

    if (revocation == NULL) {
        lst_api_fail_code(exchange, LST_ERR_NO_MEMORY);
        return NULL;
    }
    revocation->exchange = exchange;
    exchange->work = revocation;
    exchange->free_work = free_revocation;
    return revocation;
}

void lst_links_revoke(struct lst_api_exchange *exchange)
{
    struct revocation *revocation = make_revocation(exchange);

    if (revocation == NULL || !lst_link_find_own(exchange, &revocation->link)) {
        return;
    }
    revocation->user = revocation->link.user;
    revocation->id = lst_slice_of(revocation->link.id);
    revocation->expires_ms = revocation->link.expires * 1000;
    begin(revocation);
}

/* ---- An id that somebody chose */

static bool check_id(struct lst_api_exchange *exchange)
{
    struct lst_constraints constraints = {0};
    const char *problem = "";

    if (lst_constraints_read(&constraints, LST_SLICE("id"), exchange->name, &problem) == LST_OK) {
        return true;
    }
    lst_api_fail(exchange, 400, "InvalidArgument", "id: %s", problem);
    return false;
}

/* Whose id it is: the caller's, or that of the user whose access key signed the URL. */
static bool find_user(struct lst_api_exchange *exchange, char ret_name[LST_USER_NAME_MAX + 1])
{
    const char *own = lst_passage_user_name(&exchange->bearer.passage);
    char *access_key_id;
    int status = LST_OK;

    if (!lst_api_parameter(exchange, LST_PARAMETER_ACCESS_KEY_ID, &access_key_id)) {
        return false;
    }
    memcpy(ret_name, own, strlen(own) + 1);
    if (access_key_id != NULL) {
        status =
            lst_gate_key_owner(exchange->api->options.gate, lst_slice_of(access_key_id), ret_name);
        free(access_key_id);
    }
    if (status == LST_OK && strcmp(own, ret_name) != 0 &&
        (exchange->bearer.may & LST_MAY_ADMINISTER) == 0) {
        status = LST_ERR_USER_NOT_FOUND;
    }
    if (status == LST_ERR_USER_NOT_FOUND) {
        lst_api_fail(exchange, 404, "NoSuchAccessKey",
                     "access_key_id: this is none of your access keys. Only the user who signed a "
                     "URL, or an administrator, can revoke its id");
    } else if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
    }
    return status == LST_OK;
}

void lst_links_revoke_id(struct lst_api_exchange *exchange)
{
    struct revocation *revocation = make_revocation(exchange);

    if (revocation == NULL || !check_id(exchange) || !find_user(exchange, revocation->name)) {
        return;
    }
    revocation->user = lst_slice_of(revocation->name);
    revocation->id = exchange->name;
    revocation->expires_ms = 0; /* nobody knows what was signed with it, or will be */
    begin(revocation);
}
