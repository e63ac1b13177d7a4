/*
 * exchange.h - one request from its first line to its last byte: the HTTP library's callbacks on
 * one side, routing and S3 on the other.
 *
 * What the library (0.9.75) asks for, and how it is met:
 * - It takes a response either on the first call for a request (the head), and then closes the
 *   connection, or on the last (the body is complete). So a request without a body is looked at on
 *   its last call, which keeps the connection; one with a body on its first, so that nothing of the
 *   body is read before the signer is known.
 * - It takes none in between. An upload that fails half-way is answered past it (reply.h).
 * - A connection that waits for a commit is suspended, and resumed by the thread that commits. That
 *   may happen before it has been suspended: `waiting` decides who resumes.
 */
#ifndef LST_SERVER_EXCHANGE_H
#define LST_SERVER_EXCHANGE_H

#include "server/handler.h"
#include "server/lines.h"
#include "server/pace.h"
#include "server/server.h"

#define LST_HEADER_SECTION_MAX  8192 /* bytes of all headers, as S3; the request line is apart */
#define LST_EXCHANGE_FIELDS     24   /* headers kept without a further allocation */
#define LST_EXCHANGE_METHOD_MAX 16   /* bytes; a longer method is cut, and matches nothing */

/* What is known of a connection. */
struct lst_peer {
    struct lst_paced paced;
    char address[LST_ADDRESS_TEXT_MAX];
    bool is_proxy;      /* its X-Forwarded-* headers are believed */
    bool is_over_limit; /* one more than --connections: answered 503 */
};

enum lst_exchange_stage {
    LST_STAGE_HEAD,    /* the first call has not been dealt with */
    LST_STAGE_BODY,    /* the body, if any, is handed down */
    LST_STAGE_DISCARD, /* it is answered already; what is left of the body is thrown away */
    LST_STAGE_COMMIT,  /* the body is complete, the answer is being made */
    LST_STAGE_DONE,    /* the answer was queued */
};

struct lst_exchange {
    struct lst_server *server;
    struct lst_peer *peer;
    struct MHD_Connection *connection;
    struct lst_http_request request;
    const struct lst_handler *handler;     /* NULL if the server itself answers */
    void *handled;                         /* the handler's exchange */
    struct lst_http_response own_response; /* the answer then */
    const char *operation;                 /* of an own response, for the log; a constant */
    const char *error;                     /* S3's code, "" if it was not one; a constant */
    enum lst_exchange_stage stage;
    bool has_begun;    /* it was decided who answers */
    bool has_own;      /* own_response is the answer */
    bool is_operators; /* it is for operators, and so for no web page: without CORS */
    bool expects_100;  /* the client waits for a word before it sends the body */
    bool must_linger;  /* it may be sending still when the answer goes out */
    bool is_bad_head;  /* own_response says why */
    bool is_suspended; /* by the callback that runs */
    bool was_cut;      /* answered in the middle of the body, or not at all */
    _Atomic int waiting;
    uint64_t began_ns;
    uint64_t received;        /* bytes of body */
    uint64_t sent;            /* bytes of body of the answer */
    int status;               /* of the answer; 0 before it was queued */
    struct lst_buffer joined; /* the values of headers that came in several lines */
    struct lst_field fields[LST_EXCHANGE_FIELDS];
    struct lst_field *more_fields; /* owned; instead of fields, if they are too few */
    char method[LST_EXCHANGE_METHOD_MAX];
    size_t target_length;
    char target[]; /* a copy: the library takes its own apart */
};

/* The library's callbacks (MHD_AccessHandlerCallback, and those of the options of like names). The
 * context is the struct lst_server. */
void *lst_exchange_on_target(void *context, const char *target, struct MHD_Connection *connection);
enum MHD_Result lst_exchange_on_request(void *context, struct MHD_Connection *connection,
                                        const char *url, const char *method, const char *version,
                                        const char *upload_data, size_t *upload_data_size,
                                        void **request_context);
void lst_exchange_on_completed(void *context, struct MHD_Connection *connection,
                               void **request_context, enum MHD_RequestTerminationCode code);
void lst_exchange_on_connection(void *context, struct MHD_Connection *connection,
                                void **connection_context,
                                enum MHD_ConnectionNotificationCode code);

/* ---- Parts (head.c, route.c) */

/* Fill in exchange->request from the library. A head that can't be right, or that another server
 * could understand differently, gets an own response. */
void lst_exchange_read_head(struct lst_exchange *exchange, const struct lst_request_line *line);

/* Decide who answers: this server itself, CORS, or S3. False if there is no memory. */
LST_MUST_CHECK bool lst_exchange_route(struct lst_exchange *exchange);

/* Answer with an error of S3's. code is a constant; message may be NULL. */
void lst_exchange_refuse(struct lst_exchange *exchange, const char *code, const char *message);

/* The S3 exchange says that its state has changed; any thread. context: the exchange. */
void lst_exchange_wake(void *context);

#endif
