/*
 * client_api.h - the API of a running Latchstring server (docs/links.md), as a command calls it.
 *
 * Where the server is: --endpoint-url, or what AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL or the profile
 * say, as for `latchstring presign`. Who calls: the token in LATCHSTRING_TOKEN, or else whose keys
 * `presign` would sign with; the request is then signed in its Authorization header, its body's
 * SHA-256 included.
 */
#ifndef LST_CLI_CLIENT_API_H
#define LST_CLI_CLIENT_API_H

#include "cli/aws_settings.h"
#include "cli/client.h"
#include "cli/link.h"
#include "cli/options.h"

#include <jansson.h>

#define LST_CLIENT_TOKEN        "LATCHSTRING_TOKEN" /* the variable */
#define LST_CLIENT_TOKEN_MAX    512                 /* bytes */
#define LST_CLIENT_API_PATH_MAX 1024
#define LST_CLIENT_API_CODE_MAX 64

/* Options of a command that calls a server; NULL when not given. They are rows of its table. */
struct lst_client_options {
    const char *endpoint_url;
    const char *region;
    const char *profile;
};
#define LST_CLIENT_OPTIONS(given)                                                                  \
    {.help = "Server and credentials"},                                                            \
        {"endpoint-url", "URL",                                                                    \
         "the server, such as https://files.example.com (default: $AWS_ENDPOINT_URL, or the "      \
         "profile's)",                                                                             \
         .text = &(given).endpoint_url},                                                           \
        {"region", "REGION", "region to sign for (default: the profile's, or us-east-1)",          \
         .text = &(given).region},                                                                 \
    {                                                                                              \
        "profile", "NAME", "profile in ~/.aws; overrides keys in the environment",                 \
            .text = &(given).profile                                                               \
    }

/* Holds secrets: close it. */
struct lst_client_api {
    const struct lst_usage *usage;
    const struct lst_client_options *options;
    struct lst_client *client;
    struct lst_aws_settings settings; /* no credentials in it while there is a token */
    char token[LST_CLIENT_TOKEN_MAX + 1];
    char host[LST_HOST_MAX + 1]; /* empty: there is no API, the endpoint is AWS or none was given */
    char base[LST_URL_MAX + 16]; /* "https://host/prefix", without a slash at its end */
    size_t path_at;              /* where in the base the path begins */
};

/* Find all of it; nothing is sent. Reports what is wrong and gives an exit status. */
LST_MUST_CHECK int lst_client_api_open(const struct lst_usage *usage,
                                       const struct lst_client_options *options,
                                       struct lst_client_api *ret_api);

/* The same for a command that can't do without a server: reports if there is none to call. */
LST_MUST_CHECK int lst_client_api_connect(const struct lst_usage *usage,
                                          const struct lst_client_options *options,
                                          struct lst_client_api *ret_api);

/* Also after opening it has failed. */
void lst_client_api_close(struct lst_client_api *api);

/* Forget the token; go on with keys. Reports if there are none, and gives an exit status. */
LST_MUST_CHECK int lst_client_api_take_keys(struct lst_client_api *api);

enum lst_client_api_outcome {
    LST_CLIENT_API_DONE = 0, /* a 2xx status */
    LST_CLIENT_API_REFUSED,  /* by a Latchstring server: code says why */
    LST_CLIENT_API_FOREIGN,  /* what answers is no Latchstring server */
    LST_CLIENT_API_FAILED,   /* nothing answers, or there is no memory */
};

struct lst_client_api_answer {
    enum lst_client_api_outcome outcome;
    long status;                        /* of HTTP; 0 if nothing answers */
    char code[LST_CLIENT_API_CODE_MAX]; /* of a refusal, as "InvalidArgument" */
    char problem[LST_PROBLEM_MAX];      /* if it is not done: a sentence, fit to be shown */
    json_t *json;                       /* if it is: what it says, the caller's; NULL if nothing */
};

/*
 * Call. path: after "/-/api/", with its query ("links?limit=10"), of letters, digits and
 * "-._~/?&=" only. body: its reference is taken; NULL for none. *ret_answer is always written.
 */
void lst_client_api_call(struct lst_client_api *api, const char *method, const char *path,
                         json_t *body, struct lst_client_api_answer *ret_answer);

/* Report what came of a call that was not done. Gives LST_EXIT_FAILED. */
int lst_client_api_report(const struct lst_client_api *api,
                          const struct lst_client_api_answer *answer);

/*
 * Print all of a list, page by page as it comes: as a JSON array, or under a heading with
 * print_row(). path: as above, with a query, and of some 400 bytes at most; member: what the list
 * is called in the answer. Reports what goes wrong, and gives an exit status.
 */
LST_MUST_CHECK int lst_client_api_list(struct lst_client_api *api, const char *path,
                                       const char *member, const char *heading,
                                       void (*print_row)(const json_t *row), bool json);

/* Are these 1 to `most` characters that stand for themselves in a path: letters, digits, "-._~"? */
bool lst_client_is_name(struct lst_slice text, size_t most);

/* A text member of what a server said; empty if it is none. Valid as long as the object. */
const char *lst_client_text(const json_t *object, const char *name);

/* Print what a server said, on standard output: what controls a terminal becomes '?'. Gives the
 * number of bytes printed. */
size_t lst_client_print(const char *text);

/* The same in a column of at least so many characters; a space follows. */
void lst_client_print_column(const char *text, size_t width);

#endif
