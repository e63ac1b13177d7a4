/*
 * client.h - HTTP requests to a server, by libcurl, for the commands that speak to one.
 *
 * What holds for every request:
 *
 *   - Only http and https. Certificates are verified against the authorities in the file that
 *     AWS_CA_BUNDLE or else SSL_CERT_FILE names, or the system's; that can't be turned off.
 *   - A redirect is never followed, so that what was signed, and a token, goes to the host that was
 *     named and to no other. It is an answer like any other.
 *   - The URL is sent byte for byte: "//" and "/../" are part of an S3 key.
 *   - 15 seconds to connect; 60 for a request without a file; one with a file ends when nothing
 *     has moved for 120 seconds.
 *   - The answer is kept up to a number of bytes that the caller gives; a longer one is a failure.
 *   - Proxies are those of the environment, as for curl: http_proxy, https_proxy, no_proxy.
 *
 * Texts that may be shown (problems) name the host, never a URL's query, a header or a body:
 * signatures and tokens are in those.
 */
#ifndef LST_CLI_CLIENT_H
#define LST_CLI_CLIENT_H

#include "api/fields.h"
#include "base/buffer.h"

/* Keeps its connections for further requests. For one thread. */
struct lst_client;

/* LST_ERR_NO_MEMORY; LST_ERR_NO_LIBRARY: libcurl cannot be loaded, and *ret_reason says why, as in
 * base/library.h. */
LST_MUST_CHECK int lst_client_open(struct lst_client **ret_client, const char **ret_reason);

/* NULL does nothing. */
void lst_client_close(struct lst_client *client);

/* All of it is the caller's until lst_client_send() returns. */
struct lst_client_request {
    const char *method;              /* "POST" */
    const char *url;                 /* http or https, percent-encoded */
    const struct lst_field *headers; /* sent as they are; Host and Content-Length are added */
    size_t header_count;
    struct lst_slice body; /* with POST; else leave it empty */
    int file;              /* of a PUT: a descriptor whose first file_size bytes are the body */
    uint64_t file_size;    /* bytes */
    size_t answer_max;     /* bytes of the answer's body */
    /* NULL, or called as bytes of the file are sent, and once a second at least. False: give up. */
    bool (*progress)(void *context, uint64_t sent);
    void *context;
};

enum lst_client_outcome {
    LST_CLIENT_ANSWERED = 0, /* with whatever status */
    LST_CLIENT_FAILED,       /* the problem says why, and what to do */
    LST_CLIENT_STOPPED,      /* progress() wanted it so */
};

struct lst_client_answer {
    long status;            /* 200 */
    struct lst_buffer body; /* to be released, whatever came of the request */
    char problem[LST_PROBLEM_MAX];
};

/* Send, and wait for the answer. *ret_answer is always written. */
LST_MUST_CHECK enum lst_client_outcome lst_client_send(struct lst_client *client,
                                                       const struct lst_client_request *request,
                                                       struct lst_client_answer *ret_answer);

#endif
