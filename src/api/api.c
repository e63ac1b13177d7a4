/* api.c - the upload API: opening and closing it. */
#include "api/approval.h"
#include "api/exchange.h"
#include "api/jobs.h"
#include "api/profiles.h"
#include "api/remote_head.h"
#include "api/upload_events.h"
#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>

/* The secret of the tickets: made once, for all who have the ledger. */
static int read_secret(struct lst_api *api)
{
    struct lst_index_reader *reader;
    struct lst_slice row;
    int status = lst_index_read_begin(lst_ledger_index(api->options.ledger), &reader);

    if (status != LST_OK) {
        return status;
    }
    status = lst_index_get(reader, LST_LEDGER_PARTITION, LST_SLICE("k"), &row);
    if (status == LST_OK && row.length != sizeof(api->secret)) {
        status = LST_ERR_CORRUPT;
    }
    if (status == LST_OK) {
        memcpy(api->secret, row.bytes, row.length);
    }
    lst_index_read_end(reader);
    return status;
}

static int ensure_secret(struct lst_api *api)
{
    struct lst_index_change changes[] = {
        {.kind = LST_INDEX_REQUIRE_ABSENT, .key = LST_SLICE("k"), .value = LST_SLICE("")},
        {.kind = LST_INDEX_PUT,
         .key = LST_SLICE("k"),
         .value = lst_slice_make((const char *)api->secret, sizeof(api->secret))},
    };
    int status = read_secret(api);

    if (status != LST_ERR_NOT_FOUND) {
        return status;
    }
    lst_random_bytes(api->secret, sizeof(api->secret));
    status = lst_index_apply(lst_ledger_index(api->options.ledger), LST_LEDGER_PARTITION, changes,
                             sizeof(changes) / sizeof(changes[0]));
    return status == LST_ERR_EXISTS ? read_secret(api) : status;
}

static int open_webhooks(struct lst_api *api)
{
    const struct lst_jobs_options options = {
        .index = lst_ledger_index(api->options.ledger),
        .profiles = api->profiles,
        .report = api->options.report,
    };
    int status = lst_jobs_open(&options, &api->jobs);

    if (status == LST_OK) {
        status = lst_approvals_open(api, &api->approvals);
    }
    return status == LST_OK ? lst_upload_events_begin(api) : status;
}

int lst_api_open(const struct lst_api_options *options, char problem[LST_API_PROBLEM_MAX],
                 struct lst_api **ret_api)
{
    struct lst_api *api = calloc(1, sizeof(*api));
    int status = LST_ERR_NO_MEMORY;

    problem[0] = '\0';
    lst_remote_heads_cancel(false);
    if (api != NULL) {
        api->options = *options;
        status = ensure_secret(api);
    }
    if (status == LST_OK) {
        status = lst_profiles_open(lst_ledger_index(options->ledger), options->profile_folder,
                                   problem, &api->profiles);
    }
    if (status == LST_OK) {
        status = open_webhooks(api);
    }
    if (status != LST_OK) {
        if (problem[0] == '\0') {
            (void)snprintf(problem, LST_API_PROBLEM_MAX, "%s", lst_error_text(status));
        }
        lst_api_close(api);
        return status;
    }
    *ret_api = api;
    return LST_OK;
}

void lst_api_close(struct lst_api *api)
{
    if (api != NULL) {
        lst_upload_events_end(api);
        lst_approvals_close(api->approvals);
        lst_jobs_close(api->jobs);
        lst_profiles_close(api->profiles);
        lst_wipe(api->secret, sizeof(api->secret));
        free(api);
    }
}

void lst_api_cancel(struct lst_api *api)
{
    lst_remote_heads_cancel(true);
    lst_jobs_cancel_questions(api->jobs);
}

void lst_api_statistics(struct lst_api *api, struct lst_jobs_statistics *ret_statistics)
{
    lst_jobs_statistics(api->jobs, ret_statistics);
}
