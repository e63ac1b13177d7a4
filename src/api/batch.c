/* batch.c - many in one call. */
#include "api/batch.h"

#include "api/fields.h"

bool lst_batch_is_wanted(const struct lst_api_exchange *exchange, const char *name)
{
    const json_t *list = json_object_get(exchange->input, name);

    return list != NULL && !json_is_null(list);
}

/* The list and nothing else: what stands beside it might be meant for each of its entries. */
static json_t *read_list(struct lst_api_exchange *exchange, const char *name)
{
    struct lst_fields fields;
    json_t *list = NULL;

    lst_fields_begin(&fields, exchange->input, NULL);
    if (lst_fields_list(&fields, name, LST_FIELD_REQUIRED, LST_BATCH_MAX, &list) &&
        json_array_size(list) == 0) {
        lst_fields_refuse(&fields, name, "at least one entry is needed");
    }
    if (lst_fields_end(&fields) != LST_OK) {
        lst_api_fail(exchange, 400, "InvalidArgument", "%s", fields.problem);
        return NULL;
    }
    return list;
}

/* The entry's result. NULL: no memory. */
static json_t *run_entry(struct lst_api_exchange *exchange, json_t *entry, bool is_first,
                         lst_batch_make *make, void *context)
{
    json_t *input = exchange->input;
    json_t *failure = NULL;
    json_t *made;
    int status = 201;

    exchange->input = entry;
    exchange->entry_failure = &failure;
    /* The call itself has been counted: as its first entry. */
    made = is_first || lst_api_take(exchange) ? make(exchange, context, &status) : NULL;
    exchange->entry_failure = NULL;
    exchange->input = input;
    if (made == NULL) {
        return failure;
    }
    json_decref(failure);
    return json_pack("{s:i, s:o}", "status", status, "result", made);
}

json_t *lst_batch_run(struct lst_api_exchange *exchange, const char *name, lst_batch_make *make,
                      void *context)
{
    json_t *list = read_list(exchange, name);
    json_t *results;

    if (list == NULL) {
        return NULL;
    }
    results = json_array();
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (json_array_append_new(results, run_entry(exchange, json_array_get(list, i), i == 0,
                                                     make, context)) != 0) {
            json_decref(results);
            lst_api_fail_code(exchange, LST_ERR_NO_MEMORY);
            return NULL;
        }
    }
    return json_pack("{s:o}", "results", results);
}
