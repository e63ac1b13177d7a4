/* setting.c - keep, give back and drop a bucket's setting. */
#include "s3/setting.h"

bool lst_setting_set(struct lst_s3_exchange *exchange, struct lst_slice name,
                     const struct lst_slice *value)
{
    return lst_s3_has_written(exchange, lst_bucket_set_setting(exchange->s3->options.store,
                                                               exchange->target.bucket, name, value,
                                                               lst_s3_write(exchange)));
}

void lst_setting_get(struct lst_s3_exchange *exchange, struct lst_slice name,
                     enum lst_s3_error absent)
{
    struct lst_buffer *body = &lst_s3_answer_begin(exchange, 200)->body;
    int status =
        lst_bucket_setting(exchange->s3->options.store, exchange->target.bucket, name, body);

    if (status == LST_ERR_NOT_FOUND) {
        lst_s3_fail_about(exchange, absent, NULL, "BucketName", exchange->target.bucket);
    } else if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
    } else {
        lst_s3_answer_xml(exchange);
    }
}

void lst_setting_delete(struct lst_s3_exchange *exchange, struct lst_slice name)
{
    if (lst_setting_set(exchange, name, NULL)) {
        lst_s3_answer_gone(exchange);
    }
}
