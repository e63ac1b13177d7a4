/* post_form.h - the fields of a form before its file: for the post*.c files alone. */
#ifndef LST_S3_POST_FORM_H
#define LST_S3_POST_FORM_H

#include "http/form.h"
#include "s3/post.h"

#define LST_POST_FIELDS_MAX LST_PARAMETERS_MAX

struct lst_post {
    struct lst_form_reader reader;
    uint64_t received; /* bytes of the body */

    bool has_file; /* it has begun: nothing after it counts but its own bytes */
    bool in_file;
    uint64_t size; /* bytes of the file so far */
    uint64_t size_min;
    uint64_t size_max;
    uint64_t size_proposed; /* if it is the last of the form, and that ends as it should */

    struct lst_field fields[LST_POST_FIELDS_MAX]; /* of text and of expanded */
    size_t field_count;
    size_t text_length;
    struct lst_buffer expanded; /* values in which ${filename} was replaced */

    struct lst_http_request request; /* as PutObject sees it: the fields are its headers */
    struct lst_http_room room;
    struct lst_field headers[LST_POST_FIELDS_MAX];

    char text[LST_POST_FORM_MAX]; /* names and values as sent; last and large: not initialised */
};

/* The value of a field, its name in any case; empty with a NULL pointer if there is none. */
struct lst_slice lst_post_field(const struct lst_post *post, const char *name);

/* A field begins, or goes on. False if there are too many of them, or too long ones. */
bool lst_post_add_field(struct lst_post *post, struct lst_slice name);
bool lst_post_add_value(struct lst_post *post, struct lst_slice bytes);

/* Replace ${filename} in every field by a file's name: what stands after its last slash or
 * backslash. LST_ERR_TOO_LARGE, _NO_MEMORY. */
LST_MUST_CHECK int lst_post_expand(struct lst_post *post, struct lst_slice filename);

/* Hold the fields against the policy, and take its limits. False if the exchange has been answered.
 */
bool lst_post_check_policy(struct lst_s3_exchange *exchange);

/* Make the exchange's request one of PutObject. False if the exchange has been answered. */
bool lst_post_make_put(struct lst_s3_exchange *exchange);

#endif
