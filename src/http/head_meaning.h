/* head_meaning.h - what the lines of a head mean: for head.c alone. */
#ifndef LST_HTTP_HEAD_MEANING_H
#define LST_HTTP_HEAD_MEANING_H

#include "http/head.h"

/* Take the target apart by its form. COMPLETE, or a refusal. target: all of it, as it arrived. */
enum lst_http_head_verdict lst_http_head_take_target(struct lst_http_head *head, char *target,
                                                     size_t length);

/* Take a header line, which stands behind the last of head->fields. COMPLETE, or a refusal: its
 * value makes no sense. */
enum lst_http_head_verdict lst_http_head_take_field(struct lst_http_head *head,
                                                    const struct lst_field *field);

/* All lines are there: do they make sense together? COMPLETE, or not. */
enum lst_http_head_verdict lst_http_head_settle(struct lst_http_head *head);

#endif
