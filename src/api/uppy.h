/*
 * uppy.h - what @uppy/aws-s3 asks for: docs/uppy.md. Each function is an lst_api_route's begin().
 *
 * Uppy sends a file in one request, or in parts. It asks for each request's URL (or form) and sends
 * it to the store itself. Two ways of asking: its `endpoint` (since version 6 `companionEndpoint`)
 * has a route for each step; its `signRequest` asks for all by s3/sign.
 *
 * What a client may do is in his token and in its profile. An upload in parts is his if the ticket
 * (api/ticket.h) that it was begun with, which the store keeps with it, is.
 */
#ifndef LST_API_UPPY_H
#define LST_API_UPPY_H

#include "api/upload.h"
#include "store/upload.h"

#define LST_UPPY_BATCH_MAX 1000 /* parts */

void lst_uppy_params(struct lst_api_exchange *exchange);
void lst_uppy_sts(struct lst_api_exchange *exchange);
void lst_uppy_sign(struct lst_api_exchange *exchange);
void lst_uppy_create(struct lst_api_exchange *exchange);
void lst_uppy_list(struct lst_api_exchange *exchange);
void lst_uppy_part(struct lst_api_exchange *exchange);
void lst_uppy_batch(struct lst_api_exchange *exchange);
void lst_uppy_complete(struct lst_api_exchange *exchange);
void lst_uppy_abort(struct lst_api_exchange *exchange);

#define LST_UPPY_LIFE                                                                              \
    (7 * 24 * 60 * 60) /* seconds in which an upload in parts is to be completed */

/* ---- Beginning an upload in parts: uppy_parts.c */

struct lst_uppy_creation {
    struct lst_api_exchange *exchange;
    struct lst_upload upload;
    char id[LST_UPLOAD_ID_LENGTH]; /* the store's, once it is created */
    bool has_id;
    void (*created)(struct lst_api_exchange *exchange, struct lst_uppy_creation *creation);
    /* lst_api_fail() has said why it could not be created. NULL: that is all there is to do */
    void (*failed)(struct lst_api_exchange *exchange, struct lst_uppy_creation *creation);
    void *owner; /* of both */
};

/* A new one, with nothing asked for yet. NULL, having answered, if there is no memory. */
struct lst_uppy_creation *lst_uppy_creation_new(struct lst_api_exchange *exchange);

/* What was created is taken back unless exchange->is_kept. */
void lst_uppy_creation_free(struct lst_uppy_creation *creation);

/* The same as the exchange's work. */
struct lst_uppy_creation *lst_uppy_creation_begin(struct lst_api_exchange *exchange);

/* Create the prepared upload, which must be the exchange's work, at the store. created() then
 * answers, if it could be created, else failed(). */
void lst_uppy_creation_send(struct lst_api_exchange *exchange, struct lst_uppy_creation *creation);

/* Append the id by which callers name the upload from then on: its own, '~', and the store's. */
void lst_uppy_creation_append_id(const struct lst_uppy_creation *creation, struct lst_buffer *out);

/* ---- A new upload: uppy_wish.c */

/* What Uppy tells of a file. Texts and objects are the caller's. */
struct lst_uppy_wish {
    struct lst_slice filename;
    struct lst_slice type;    /* empty: not told */
    struct lst_slice profile; /* empty: the only one that the token is for */
    json_t *metadata;         /* may name the profile, and variables of its key; NULL: none */
};

/*
 * Prepare an upload, initialised and with its other wishes set, as lst_upload_prepare() does. False
 * if the exchange has been answered. The upload and the wish's metadata are to be released last.
 */
bool lst_uppy_prepare(struct lst_api_exchange *exchange, const struct lst_uppy_wish *wish,
                      struct lst_upload *upload);

/* What x-latch-total says when the prepared upload is created at the store. */
#define LST_UPPY_TOTAL_TEXT 24
struct lst_slice lst_uppy_total(const struct lst_upload *upload,
                                char ret_text[LST_UPPY_TOTAL_TEXT]);

/* May it be sent in parts? False, having answered, if not: it goes to a remote. */
bool lst_uppy_has_parts(struct lst_api_exchange *exchange, const struct lst_upload *upload);

/* The profile that is meant, if no metadata name it: empty, having answered, if that is none. */
struct lst_slice lst_uppy_profile(struct lst_api_exchange *exchange, struct lst_slice told);

/* The parameters of the query as an object: "a[b]" is the member b of the object a. NULL, having
 * answered, if they can't be read. */
json_t *lst_uppy_query(struct lst_api_exchange *exchange);

/* ---- An upload in parts that is under way: uppy_upload.c */

struct lst_uppy_upload {
    struct lst_upload_name name; /* set by who looks for it */
    struct lst_ticket ticket;    /* that it was begun with; may not be copied */
    struct lst_ticket named;     /* that the caller named it by, if he did */
    const struct lst_profile *profile;
    char ticket_text[LST_TICKET_MAX];
    char type[LST_UPLOAD_TYPE_MAX + 1]; /* the object's Content-Type to be */
    int64_t size;                       /* that was told of the whole; -1: none */
    int64_t part_size;                  /* of its plan (api/multipart.h); 0: it has none */
    int64_t part_count;
    json_t *query;
    /* Answers when it is complete: of a call that is to complete it, else NULL. */
    void (*completed)(struct lst_api_exchange *exchange, const struct lst_uppy_upload *upload);

    /* For what is answered when the store has answered. */
    int status;
    const char *code;
    char message[LST_PROBLEM_MAX];
};

/* A new one, all zero, as the exchange's work. NULL, having answered, if there is no memory. */
struct lst_uppy_upload *lst_uppy_begin(struct lst_api_exchange *exchange);

/* Find the one of upload->name, which the caller has to own. False, having answered, if he has no
 * such upload. */
bool lst_uppy_find(struct lst_api_exchange *exchange, struct lst_uppy_upload *upload);

/* Take exchange->name, an id as lst_uppy_creation_append_id() makes it, apart: sets upload->name
 * and upload->named. False, without an answer, if it is none of the caller's user. */
bool lst_uppy_read_id(const struct lst_api_exchange *exchange, struct lst_uppy_upload *upload);

/* As lst_uppy_find(), for one that lst_uppy_read_id() has named. */
bool lst_uppy_find_read(struct lst_api_exchange *exchange, struct lst_uppy_upload *upload);

/* Answer that there is no such upload: the same to all who may not, so that nobody learns what
 * others have. Gives false. */
bool lst_uppy_fail_unknown(struct lst_api_exchange *exchange);

/* Answer with what the store said of an upload. It may have been completed, or given up, since it
 * was found: that is no fault of the server. */
void lst_uppy_fail_code(struct lst_api_exchange *exchange, int status);

/* Find the one that the path and the parameter `key` name. extra: another parameter that must be
 * there, valid as long as the upload; NULL: none. NULL, having answered, as above. */
struct lst_uppy_upload *lst_uppy_find_named(struct lst_api_exchange *exchange, const char *extra,
                                            struct lst_slice *ret_extra);

/* As lst_uppy_find_named(), for a call that is to complete the upload. If that is done already,
 * completed() answers, and this gives NULL. */
struct lst_uppy_upload *lst_uppy_find_to_complete(
    struct lst_api_exchange *exchange,
    void (*completed)(struct lst_api_exchange *exchange, const struct lst_uppy_upload *upload));

/* Was the named upload, which this call is to complete, completed before? Then completed() has
 * answered: a client that lost the answer, or did not wait for it, calls again. LST_ERR_NOT_FOUND:
 * it was not; any other code: that can't be said now. Then nothing is answered yet. */
LST_MUST_CHECK int lst_uppy_answer_complete(struct lst_api_exchange *exchange,
                                            const struct lst_uppy_upload *upload);

/* Bytes of the parts that are there, but for one (0: of all). Errors of lst_upload_parts(). */
LST_MUST_CHECK int lst_uppy_size(const struct lst_api_exchange *exchange,
                                 const struct lst_uppy_upload *upload, uint32_t but_for,
                                 uint64_t *ret_size);

/* The parts that have come, as a list to which add() adds each: see lst_upload_parts(). NULL,
 * having answered, if it can't be made. */
json_t *lst_uppy_parts(struct lst_api_exchange *exchange, const struct lst_uppy_upload *upload,
                       int (*add)(void *list, const struct lst_part *part));

/* ---- URLs: uppy_urls.c */

/* Seconds that a URL of this upload lives; asked_for: so many at most, 0 if that is all the same.
 */
int64_t lst_uppy_url_life(const struct lst_api_exchange *exchange,
                          const struct lst_uppy_upload *upload, int64_t asked_for);

/* A URL for what the upload is of, and signing says how. NULL: it can't be made. */
json_t *lst_uppy_url(const struct lst_api_exchange *exchange, struct lst_signing signing);

/* The URL for a part, which may have so many bytes, and no more than its plan says. NULL: it can't
 * be made. */
json_t *lst_uppy_part_url(const struct lst_api_exchange *exchange,
                          const struct lst_uppy_upload *upload, uint32_t number, uint64_t left,
                          int64_t life);

/* The most bytes that the whole may have. */
uint64_t lst_uppy_size_max(const struct lst_uppy_upload *upload);

/* The highest number that a part of it can need: its plan says so, or else that all parts but the
 * last have LST_PART_SIZE_MIN bytes at least. */
uint32_t lst_uppy_number_max(const struct lst_uppy_upload *upload);

/* False if the number is above that. Without a plan the file is too large then, and the upload is
 * given up: the exchange is, or will be, answered. */
bool lst_uppy_check_number(struct lst_api_exchange *exchange, struct lst_uppy_upload *upload,
                           uint32_t number);

/* Bytes that this part may have, beside the others. False if there are none left: then the upload
 * is given up, and the exchange is, or will be, answered. */
bool lst_uppy_part_left(struct lst_api_exchange *exchange, struct lst_uppy_upload *upload,
                        uint32_t number, uint64_t *ret_left);

/* Append where the object is, or will be: https://HOST/BUCKET/KEY. */
void lst_uppy_location(const struct lst_api_exchange *exchange,
                       const struct lst_uppy_upload *upload, struct lst_buffer *out);

/* ---- The end: uppy_complete.c */

/* Give the upload up, and answer that. code: a constant. */
void lst_uppy_refuse(struct lst_api_exchange *exchange, struct lst_uppy_upload *upload, int status,
                     const char *code, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Make the object of the parts that exchange->input lists; upload->completed() then answers. */
void lst_uppy_complete_parts(struct lst_api_exchange *exchange, struct lst_uppy_upload *upload);

/* Give it up because the caller asks for that. */
void lst_uppy_give_up(struct lst_api_exchange *exchange, const struct lst_uppy_upload *upload);

/* Is this a size that the object may have? False if not: then the upload is given up, and the
 * exchange is, or will be, answered. */
bool lst_uppy_check_size(struct lst_api_exchange *exchange, struct lst_uppy_upload *upload,
                         uint64_t size);

#endif
