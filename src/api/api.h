/*
 * api.h - the API for backends: JSON over HTTP under /-/api/, and the short links under /-/l/.
 *
 * docs/links.md and docs/uploads.md are its manual. The caller (the server) drives one exchange for
 * each request, exactly as it does those of s3.h: begin, body, end, response, free, and the states
 * between them mean the same.
 *
 * It signs, it keeps records, and it asks the store; no byte of an object goes through it.
 */
#ifndef LST_API_API_H
#define LST_API_API_H

#include "s3/s3.h"

#define LST_API_PATH   "/-/api/"
#define LST_LINKS_PATH "/-/l/"

struct lst_api;
struct lst_api_exchange;

struct lst_api_options {
    struct lst_store *store; /* all kept by the caller until lst_api_close() */
    struct lst_gate *gate;
    struct lst_ledger *ledger;
    struct lst_s3 *s3; /* through which it changes the store */
    struct lst_slice region;
    struct lst_slice public_url;      /* "https://files.example.com"; empty: as the request came */
    struct lst_slice own_url;         /* "http://127.0.0.1:9000": how this machine reaches it */
    int64_t expires_max;              /* seconds that a signed URL may live */
    const char *profile_folder;       /* of NAME.json files; NULL or "": none */
    void (*report)(const char *text); /* what an operator should know; from any thread; or NULL */
};

#define LST_API_PROBLEM_MAX 512 /* bytes of a problem's text, its NUL included */

/* Open. Errors of the ledger's index, and of the folder of profiles (LST_ERR_MALFORMED: one is
 * wrong); the problem says what it is. Waits for the disk. */
LST_MUST_CHECK int lst_api_open(const struct lst_api_options *options,
                                char problem[LST_API_PROBLEM_MAX], struct lst_api **ret_api);

/* All exchanges must be freed, those of S3 too. Waits until what became of uploads is recorded, and
 * up to a second for the webhooks that are under way. NULL does nothing. */
void lst_api_close(struct lst_api *api);

/* The server stops: requests that wait for a remote are answered within a second. */
void lst_api_cancel(struct lst_api *api);

/* Report each profile whose bucket is not there: its uploads will be refused. Of many, the first
 * ones. */
void lst_api_check_profiles(const struct lst_api *api);

/* What the webhooks have done since it was opened, for metrics. */
struct lst_jobs_statistics;
void lst_api_statistics(struct lst_api *api, struct lst_jobs_statistics *ret_statistics);

/* True if a request with this path is the API's. */
bool lst_api_handles(struct lst_slice path);

/*
 * Make the answer to a request with such a path that is refused before anybody begins it, in the
 * shape of its place: JSON as the API's or as Uppy's; of a short link a sentence, unless JSON is
 * asked for. status 0 and message NULL: S3's of that code. Initialises the response.
 */
void lst_api_error_response(const struct lst_http_request *request, int status, const char *code,
                            const char *message, struct lst_http_response *ret_response);

/* True if this path has a client's token in it, right or wrong: clients such as Uppy's can be told
 * an address and nothing else (docs/uppy.md). */
bool lst_api_has_token(struct lst_slice path);

/* As their namesakes of s3.h. */
struct lst_api_exchange *lst_api_begin(struct lst_api *api, const struct lst_http_request *request,
                                       void (*wake)(void *context), void *context);
enum lst_s3_state lst_api_state(struct lst_api_exchange *exchange);
void lst_api_body(struct lst_api_exchange *exchange, struct lst_slice bytes);
void lst_api_end(struct lst_api_exchange *exchange);
struct lst_http_response *lst_api_response(struct lst_api_exchange *exchange);
void lst_api_record(const struct lst_api_exchange *exchange, struct lst_s3_record *ret_record);
void lst_api_free(struct lst_api_exchange *exchange);

#endif
