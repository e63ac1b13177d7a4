/*
 * exchange.h - one request to the API, as the files of this folder see it.
 *
 * An operation's begin() is called when the caller is known to have the role that it needs, and the
 * body, if it takes one, has been read as JSON. It answers (lst_api_answer(), lst_api_fail()), or
 * begins to wait (exchange->waiting) and answers when that is over.
 */
#ifndef LST_API_EXCHANGE_H
#define LST_API_EXCHANGE_H

#include "api/api.h"
#include "api/ticket.h"
#include "base/buffer.h"
#include "gate/bearer.h"
#include "gate/ledger.h"
#include "s3/waiting.h"

#include <jansson.h>

#define LST_API_BODY_MAX  (64 * 1024)   /* bytes of JSON */
#define LST_API_BATCH_MAX (512 * 1024)  /* the same of 100 links or uploads in one call */
#define LST_API_PARTS_MAX (1024 * 1024) /* the same of what completes 10,000 parts */
#define LST_API_DEPTH_MAX 32            /* of objects and arrays in it */
#define LST_API_FORM_MAX  (4 * 1024)    /* the same of what is sent to a short link */
#define LST_API_URL_MAX   (32 * 1024)   /* bytes of a URL */
#define LST_API_ALLOW_MAX 64
#define LST_API_NAMES_MAX 2

struct lst_approvals;
struct lst_jobs;
struct lst_profiles;

#define LST_NOTE_TIME           12 /* digits of a time in a key */
#define LST_NOTE_EXPIRY_KEY_MAX (1 + LST_NOTE_TIME + LST_TICKET_MAX)

/* How far a sweep of the notes of uploads has come: a key, or nothing. */
struct lst_note_position {
    size_t length;
    char bytes[LST_NOTE_EXPIRY_KEY_MAX];
};

struct lst_api {
    struct lst_api_options options;
    struct lst_profiles *profiles;
    struct lst_jobs *jobs;                  /* for the profiles' webhooks */
    struct lst_approvals *approvals;        /* uploads about which the application is asked */
    uint8_t secret[LST_TICKET_SECRET_SIZE]; /* of the tickets */
    char sweep_position[25];                /* see lst_link_sweep(); of the ledger's thread */
    struct lst_note_position note_position; /* see lst_upload_note_sweep(); the same */
};

struct lst_api_route;
struct lst_call;

/* Each has a table of routes of its own. */
enum lst_api_place {
    LST_API_ROOT,
    LST_API_UPPY, /* what Uppy calls, where an error is a text: {"error": "..."} */
    LST_API_LINKS,
};

struct lst_api_exchange {
    struct lst_api *api;
    const struct lst_http_request *request;
    struct lst_waiting waiting;
    const struct lst_api_route *route; /* NULL: there is none */
    enum lst_api_place place;
    struct lst_slice name;  /* of what the path names: an upload's or a link's id */
    struct lst_slice part;  /* of that, what the path names next; empty if it does not */
    struct lst_slice token; /* a client token that stands in the path; empty if none does */
    struct lst_bearer bearer;
    uint64_t version;       /* of users and tokens, when the bearer was found */
    bool is_known;          /* the bearer is set */
    struct lst_buffer body; /* as it comes in */
    json_t *input;          /* a JSON object; NULL if the operation takes none */
    json_t **entry_failure; /* of a call for many (batch.h): where lst_api_fail() puts the failure
                             * of one entry, instead of answering; else NULL */
    size_t input_charge;    /* bytes of the budget that it has taken */
    struct lst_http_response response;
    const char *error;        /* "" on success */
    struct lst_buffer reason; /* ends in NUL when it is not empty */
    struct lst_buffer about;  /* for the log: a bucket, and behind it a key */
    size_t about_bucket;      /* bytes of it */
    uint64_t bytes_in;
    struct lst_call *call;            /* of the store, under way; NULL: none */
    struct lst_ledger_waiter settled; /* see lst_api_after_uses() */
    void (*after_uses)(void *exchange);
    /* What the operation has made so far stays. Otherwise the operation takes it back when it is
     * over: its answer can't name it, or was given before. */
    bool is_kept;
    void *work; /* the operation's own */
    void (*free_work)(void *work);
    char room[]; /* as many bytes as the path has, for the names */
};

struct lst_api_route {
    const char *method;
    const char *path;      /* after what leads to its table; a '*' between slashes is a name */
    const char *operation; /* for the log and the metrics */
    unsigned needs;        /* bits of enum lst_may, one of which is enough; 0: anybody may */
    size_t body_max;       /* bytes of JSON; 0: it takes no body. Of LST_API_LINKS: bytes of a
                            * body that begin() reads itself */
    void (*begin)(struct lst_api_exchange *exchange);
};

/* Set exchange->work, which free_work() will free, in place of what it was. */
static inline void lst_api_set_work(struct lst_api_exchange *exchange, void *work,
                                    void (*free_work)(void *work))
{
    if (exchange->free_work != NULL) {
        exchange->free_work(exchange->work);
    }
    exchange->work = work;
    exchange->free_work = free_work;
}

/* Note, for the access log, which object the call is about, as soon as that is known. Of a call for
 * many nothing is noted. The texts are copied. */
void lst_api_about(struct lst_api_exchange *exchange, struct lst_slice bucket,
                   struct lst_slice key);

/* All those of a place. */
const struct lst_api_route *lst_api_routes(enum lst_api_place place, size_t *ret_count);

/* The operation that is about the API itself. */
void lst_api_describe(struct lst_api_exchange *exchange);

/* The route for a method and a path behind what leads to the place. NULL: none; *ret_allow then
 * says which methods there are for the path, as an Allow header does (HEAD goes with GET), or is
 * empty. */
const struct lst_api_route *lst_api_route_find(enum lst_api_place place, struct lst_slice method,
                                               struct lst_slice path,
                                               struct lst_slice ret_names[LST_API_NAMES_MAX],
                                               char ret_allow[LST_API_ALLOW_MAX]);

/* ---- Looking */

/*
 * A query parameter, decoded into a new text that free() frees; *ret_text is NULL if it is not
 * there. False, having answered, if it is malformed or there is no memory for it: what a caller
 * said must not count as not said.
 */
LST_MUST_CHECK bool lst_api_parameter(struct lst_api_exchange *exchange, enum lst_parameter number,
                                      char **ret_text);
/* The same without an answer: LST_ERR_MALFORMED, _NO_MEMORY. */
LST_MUST_CHECK int lst_api_parameter_read(const struct lst_api_exchange *exchange,
                                          enum lst_parameter number, char **ret_text);

/* Is there a bucket of this name in the store? False: no (404 NoSuchBucket), or it can't be told;
 * the exchange has been answered. */
bool lst_api_check_bucket(struct lst_api_exchange *exchange, struct lst_slice bucket);

/* "https://host": the public URL, or what the request came to. */
void lst_api_base_url(const struct lst_api_exchange *exchange, struct lst_buffer *out);

static inline int64_t lst_api_now(const struct lst_api_exchange *exchange)
{
    return exchange->request->received_ms / 1000;
}

/*
 * Go on with then() when every use that was settled before now is written, so that who was answered
 * sees in the ledger what the answer was. At once, on this thread, if they all are.
 */
void lst_api_after_uses(struct lst_api_exchange *exchange, void (*then)(void *exchange));

/* The user whose rights the caller has, and whose key signs. */
static inline struct lst_slice lst_api_user(const struct lst_api_exchange *exchange)
{
    return lst_slice_of(lst_passage_user_name(&exchange->bearer.passage));
}

/* Count a request of the caller, or an entry of one: false, answered with 429, if it is one too
 * many. */
LST_MUST_CHECK bool lst_api_take(struct lst_api_exchange *exchange);

/* ---- Answering */

/* With JSON, whose reference it takes. NULL stands for no memory. */
void lst_api_answer(struct lst_api_exchange *exchange, int status, json_t *json);

/* With what is in exchange->response already: its status, kind, body and type. */
void lst_api_answer_end(struct lst_api_exchange *exchange);

/* With no body: 204. */
void lst_api_answer_nothing(struct lst_api_exchange *exchange);

/* With an error. code: a constant, "InvalidArgument". */
void lst_api_fail(struct lst_api_exchange *exchange, int status, const char *code,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Note an error and its reason for the log, of an answer that is not made by lst_api_fail(): a
 * page. code: a constant. */
void lst_api_note_error(struct lst_api_exchange *exchange, const char *code, const char *message);

/* 503: too much of it is under way, the caller should come again in a second. */
void lst_api_fail_busy(struct lst_api_exchange *exchange);

/* For a code of base/error.h or latchstring.h that says that something went wrong here. */
void lst_api_fail_code(struct lst_api_exchange *exchange, int code);

/* ---- JSON */

/* "2026-11-24T08:00:00Z" */
json_t *lst_api_json_time(int64_t seconds);

/* A header that a client sent, or a text that was cut, may be no UTF-8: then '?' stands for each
 * byte above 127. NULL without memory. */
json_t *lst_api_json_slice(struct lst_slice text);

/*
 * Add to an object, or to an array, and take the value. If that can't be done, or the value is NULL
 * because there was no memory for it, *json is released and becomes NULL, and stays so: an answer
 * is whole, or lst_api_answer() makes an error of it.
 */
void lst_api_json_set(json_t **json, const char *name, json_t *value);
void lst_api_json_append(json_t **json, json_t *value);

#endif
