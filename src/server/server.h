/*
 * server.h - the whole server: everything that a request needs, opened at start and closed at the
 * end.
 */
#ifndef LST_SERVER_SERVER_H
#define LST_SERVER_SERVER_H

#include "api/api.h"
#include "gate/gate.h"
#include "s3/s3.h"
#include "server/address.h"
#include "server/config.h"
#include "server/cors.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/strangers.h"

struct lst_engine;
struct lst_tls;

struct lst_server {
    const struct lst_config *config; /* the caller's */
    struct lst_store *store;
    struct lst_store_recovery recovery;
    struct lst_users *users;
    struct lst_gate *gate;
    struct lst_ledger *ledger;
    struct lst_s3 *s3;
    struct lst_api *api;
    struct lst_log *log;
    struct lst_strangers *strangers;
    struct lst_cors cors;
    struct lst_metrics metrics;
    struct lst_network proxies[LST_CONFIG_LIST_MAX];
    struct lst_slice public_hosts[LST_GATE_HOSTS_MAX]; /* point into the configuration */
    bool is_public_secure;                             /* the first public URL begins with https */
    size_t public_host_count;

    struct lst_tls *tls; /* NULL without */
    struct lst_engine *engine;
    int listener;                            /* -1 if there is none */
    bool listener_is_lent;                   /* by systemd, which goes on listening */
    char address[LST_ADDRESS_TEXT_MAX + 16]; /* that it listens on, "127.0.0.1:9000" */
    char own_url[LST_ADDRESS_TEXT_MAX + 40]; /* for this machine: "http://127.0.0.1:9000" */

    uint64_t id_base; /* of request ids: random */
    _Atomic uint64_t id_count;
    _Atomic bool is_draining;
};

/*
 * Run until SIGTERM or SIGINT, or until a sync of the data fails. Prints what a person at the
 * terminal wants to know on standard output, and on standard error what went wrong and what to do.
 * 0, or 1 if it could not start or had to end.
 */
LST_MUST_CHECK int lst_server_run(const struct lst_config *config);

/* ---- Parts of it (server.c); each reports its own failure on standard error. */

/* Open store, users, gate and S3, and whatever else a request needs. False, reported, on failure;
 * lst_server_close() then closes what was opened. */
LST_MUST_CHECK bool lst_server_open(struct lst_server *server, const struct lst_config *config);
void lst_server_close(struct lst_server *server);

/* Whose data a sync has failed of ("objects"), so that the server ends soon; NULL: none. */
const char *lst_server_failed_part(const struct lst_server *server);

/* A line on standard error, "latchstring serve: ...". */
void lst_server_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
