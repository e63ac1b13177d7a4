/*
 * share.h - what the files of `latchstring share` have in common.
 *
 * In order: the file is opened and looked at; the server is asked whether it keeps links and knows
 * who calls, before a byte is sent; the file is put there; the link is made, and shown.
 */
#ifndef LST_CLI_SHARE_H
#define LST_CLI_SHARE_H

#include "cli/client_api.h"
#include "cli/links_terms.h"
#include "cli/place.h"

#include <sys/types.h>

#define LST_SHARE_SIZE_MAX (INT64_C(5) << 30) /* bytes: what one PUT can carry */
#define LST_SHARE_URI_MAX  (LST_KEY_MAX + LST_BUCKET_MAX + 8)
#define LST_SHARE_TYPE_MAX 256
#define LST_SHARE_URL_MAX  (32 * 1024)

/* Holds secrets, in the API's part. */
struct lst_share {
    const struct lst_usage *usage;
    struct lst_client_options server;
    struct lst_links_terms terms;
    const char *content_type; /* as given, or NULL */
    bool replace;

    const char *path; /* of the file */
    int file;
    int64_t size;                      /* bytes */
    char name[LST_KEY_MAX + 1];        /* the path's last part */
    char type[LST_SHARE_TYPE_MAX + 1]; /* its Content-Type */
    char uri[LST_SHARE_URI_MAX + 1];   /* where it goes: "s3://bucket/key" */
    struct lst_place place;            /* points into the URI */
    struct lst_client_api api;
    bool is_latchstring; /* the server has the API */
};

/* What is shown in the end. */
struct lst_share_link {
    char id[64]; /* empty: a presigned URL that no server knows of */
    char url[LST_SHARE_URL_MAX + 1];
    char short_url[LST_URL_MAX + 64]; /* empty: there is none */
    char expires_at[32];              /* "2026-11-24T09:00:00Z" */
};

/* All that follow report what is wrong, and give an exit status. */

/* share_file.c: open the file, and find its size, its name and its type. */
LST_MUST_CHECK int lst_share_open(struct lst_share *share);

/* share_file.c: decide on the key. target: "s3://bucket", "s3://bucket/folder/" or
 * "s3://bucket/key"; with one of the first two a folder of a name that can't be guessed is made. */
LST_MUST_CHECK int lst_share_place(struct lst_share *share, const char *target);

/* share_link.c: has the server an API, and does it know who calls? */
LST_MUST_CHECK int lst_share_ask(struct lst_share *share);

/* share_upload.c: put the file there, whole or not at all. Ends the process by the signal when it
 * is interrupted. */
LST_MUST_CHECK int lst_share_upload(struct lst_share *share);

/* share_link.c: make the link to what is there now. */
LST_MUST_CHECK int lst_share_make_link(struct lst_share *share, struct lst_share_link *ret_link);

/* share_link.c: append a presigned URL for the object, signed here. Errors of lst_presign(), and
 * of the buffer. */
LST_MUST_CHECK int lst_share_presign(const struct lst_share *share, struct lst_signing signing,
                                     struct lst_buffer *out);

#endif
