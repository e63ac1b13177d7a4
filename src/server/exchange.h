/*
 * exchange.h - one request from its first line to its last byte: its connection on one side,
 * routing and S3 on the other.
 *
 * The connection drives it: lst_exchange_begin() when the head is there, lst_exchange_body() for
 * each piece of the body, and lst_exchange_resume() when what it waited for is over. Each says what
 * is next.
 */
#ifndef LST_SERVER_EXCHANGE_H
#define LST_SERVER_EXCHANGE_H

#include "http/chunked.h"
#include "http/head.h"
#include "server/handler.h"
#include "server/server.h"

struct lst_connection;

/* What is known of a connection's other end. */
struct lst_peer {
    char address[LST_ADDRESS_TEXT_MAX];
    bool is_proxy;      /* its X-Forwarded-* headers are believed */
    bool is_over_limit; /* one more than --connections: answered 503 */
};

enum lst_exchange_next {
    LST_NEXT_BODY,   /* hand down what comes of the body */
    LST_NEXT_WAIT,   /* until lst_worker_wake() */
    LST_NEXT_ANSWER, /* what was not read of the body is not wanted */
    LST_NEXT_CLOSE,  /* there is no memory for an answer */
};

#define LST_EXCHANGE_REASON_MAX 256

struct lst_exchange {
    struct lst_server *server;
    struct lst_connection *connection;
    const struct lst_peer *peer;
    struct lst_http_request request;
    const struct lst_handler *handler;     /* NULL if the server itself answers */
    void *handled;                         /* the handler's exchange */
    struct lst_http_response own_response; /* the answer then */
    const char *operation;                 /* of an own response, for the log; a constant */
    const char *error;                     /* S3's code, "" if it was not one; a constant */
    const char *why_cut;                   /* why there is no answer; a constant */
    bool has_begun;                        /* the head was complete */
    bool has_own;                          /* own_response is the answer */
    bool is_operators; /* it is for operators, and so for no web page: without CORS */
    bool is_bad_head;  /* own_response says why */
    bool has_body_ended;
    bool discards; /* it is answered already; what is left of the body is thrown away */
    uint64_t began_ns;
    uint64_t received;        /* bytes of body, on the wire */
    uint64_t sent;            /* bytes of body of the answer */
    int status;               /* of the answer; 0 before it was made */
    struct lst_buffer joined; /* the values of headers that came in several lines */
    struct lst_exchange *next_spare;
    struct lst_http_head head;
    struct lst_field fields[LST_HEAD_FIELDS_MAX];
    struct lst_http_room room;
    char decoded[LST_HEAD_TARGET_MAX];        /* of the query */
    char own_reason[LST_EXCHANGE_REASON_MAX]; /* of an own error, for the log */
};

/* Make one ready for a head. */
void lst_exchange_init(struct lst_exchange *exchange, struct lst_server *server,
                       struct lst_connection *connection, const struct lst_peer *peer,
                       uint64_t now_ns);

/* The head is complete, or is refused: what lst_http_head_read() said of it. */
enum lst_exchange_next lst_exchange_begin(struct lst_exchange *exchange,
                                          enum lst_http_head_verdict verdict);

/* A piece of the body, which may be empty. on_wire: bytes that it took there. is_last: it ends
 * there.
 */
enum lst_exchange_next lst_exchange_body(struct lst_exchange *exchange, struct lst_slice bytes,
                                         uint64_t on_wire, bool is_last);

/* The body is framed wrongly. */
enum lst_exchange_next lst_exchange_refuse_body(struct lst_exchange *exchange,
                                                enum lst_chunked_verdict verdict);

enum lst_exchange_next lst_exchange_resume(struct lst_exchange *exchange);

/* Its client has announced an empty body, and waits for 100 Continue all the same. */
bool lst_exchange_waits_with_nothing(const struct lst_exchange *exchange);

/* The answer as it is now; the exchange's own. */
struct lst_http_response *lst_exchange_response(struct lst_exchange *exchange);

/* Decorate it, and make it ready to be sent. */
struct lst_http_response *lst_exchange_answer(struct lst_exchange *exchange);

/* It is over, one way or another: log it, and give up all that it holds. It must not be waiting. */
void lst_exchange_finish(struct lst_exchange *exchange, uint64_t now_ns);

/* ---- Parts (head.c, route.c) */

/* Fill in exchange->request. A head that was refused, or can't be right, gets an own response. */
void lst_exchange_read_head(struct lst_exchange *exchange, enum lst_http_head_verdict verdict);

/* Decide who answers: this server itself, CORS, or S3. False if there is no memory. */
LST_MUST_CHECK bool lst_exchange_route(struct lst_exchange *exchange);

/* Answer with an error of S3's. code is a constant; message may be NULL. */
void lst_exchange_refuse(struct lst_exchange *exchange, const char *code, const char *message);

/* The handler says that its state has changed; any thread. context: the exchange. In
 * connection.c. */
void lst_exchange_wake(void *context);

#endif
