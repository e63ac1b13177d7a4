/* delete.c - DeleteObject. */
#include "s3/exchange.h"

static void answer_deleted(struct lst_s3_exchange *exchange)
{
    (void)lst_s3_answer_begin(exchange, 204);
    lst_s3_answer_end(exchange);
}

void lst_delete_object(struct lst_s3_exchange *exchange)
{
    int status;

    if (lst_http_header(exchange->request, LST_SLICE("If-Match")).bytes != NULL) {
        lst_s3_fail_not_implemented(exchange, "header", LST_SLICE("If-Match"));
        return;
    }
    if (!lst_s3_check_version(exchange)) {
        return;
    }
    status =
        lst_store_delete(exchange->s3->options.store, exchange->target.bucket,
                         &exchange->target.key, 1, lst_s3_write_begin(exchange, answer_deleted));
    if (status != LST_OK) {
        lst_s3_write_refused(exchange, status);
    }
}
