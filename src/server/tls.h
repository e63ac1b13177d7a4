/*
 * tls.h - TLS 1.2 and 1.3 (RFC 5246, 8446), by OpenSSL.
 *
 * One certificate or several, chosen by the server name that a client sends (SNI, RFC 6066). A
 * client that sends none, or an unknown one, gets the first. Sessions are resumed by tickets.
 * Certificates and keys can be read anew: a connection keeps what it began with.
 */
#ifndef LST_SERVER_TLS_H
#define LST_SERVER_TLS_H

#include "server/connection.h"

struct lst_tls;
struct ssl_st;

/* Load OpenSSL, unless it is loaded. False, reported, if it can't be. (tls_load.c) */
LST_MUST_CHECK bool lst_tls_load(void);

/* Load OpenSSL, and read what --tls-cert and --tls-key name. NULL, reported, if they can't be used.
 */
struct lst_tls *lst_tls_open(const struct lst_config *config);
void lst_tls_free(struct lst_tls *tls); /* NULL does nothing */

/* When the first of the certificates expires, in seconds since 1970. Any thread. */
int64_t lst_tls_expires(struct lst_tls *tls);

/* Read the same files anew, and say until when the certificates are valid. False, reported, if they
 * can't be used; what was read before stays in use then. Any thread. */
LST_MUST_CHECK bool lst_tls_reload(struct lst_tls *tls);

/* ---- Sessions (tls_session.c): one worker's thread */

/* A session of the first certificate, which SNI may replace. NULL without memory. */
struct ssl_st *lst_tls_begin(struct lst_tls *tls);

/* The same, on the connection's socket: it reads and writes through the connection, which must
 * outlive it. NULL without memory. */
struct ssl_st *lst_tls_session_new(struct lst_tls *tls, struct lst_connection *connection);

/* says_end: send a close_notify, if there is room for it in the socket. NULL does nothing. */
void lst_tls_session_free(struct ssl_st *session, bool says_end);

/* Go on with the handshake. ON: it is over, and the connection's state is HEAD; or it was no TLS
 * that the client spoke, which was told so, and the state is LINGER. */
enum lst_step lst_tls_handshake(struct lst_connection *connection);

/* Some of a record has come, and waits for the rest. False without TLS. */
bool lst_tls_has_begun_record(const struct lst_connection *connection);

/* As lst_connection_receive() and lst_connection_send(). */
ssize_t lst_tls_receive(struct lst_connection *connection, char *out, size_t size);
ssize_t lst_tls_send(struct lst_connection *connection, const struct iovec *parts, size_t count,
                     bool has_more);

/* Bytes of plain text, LST_WORKER_TLS_PIECE at most, that are worth enciphering now: what the
 * socket has no room for waits in memory, 16 KiB of it at most if no more than this is sent. */
size_t lst_tls_piece(const struct lst_connection *connection);

/* Take all of this, and release it. */
enum lst_step lst_tls_send_all(struct lst_connection *connection, struct lst_unsent *plain);

/* Put a close_notify into what is unsent. ON, also without TLS. */
enum lst_step lst_tls_say_end(struct lst_connection *connection);

#endif
