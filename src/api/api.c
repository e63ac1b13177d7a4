/* api.c - the upload API: opening and closing it. */
#include "api/exchange.h"

#include <stdlib.h>

int lst_api_open(const struct lst_api_options *options, struct lst_api **ret_api)
{
    struct lst_api *api = calloc(1, sizeof(*api));

    if (api == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    api->options = *options;
    *ret_api = api;
    return LST_OK;
}

void lst_api_close(struct lst_api *api)
{
    free(api);
}
