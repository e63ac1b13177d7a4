/* server.c - the whole server: opened, run until a signal, closed. */
#include "server/server.h"

#include "base/budget.h"
#include "base/random.h"
#include "index/complete.h"
#include "server/damage.h"
#include "server/engine.h"
#include "server/listen.h"
#include "server/startup.h"
#include "server/tls.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    LARGE_ALLOCATION = 1280 * 1024, /* bytes */
    LOOK_EVERY_MS = 200,            /* for a sync that has failed */
};

void lst_server_complain(const char *format, ...)
{
    va_list arguments;

    (void)fputs("latchstring serve: ", stderr);
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
}

/* What the configuration says, in the forms that are used for every request. */
static void derive(struct lst_server *server)
{
    const struct lst_config *config = server->config;

    for (size_t i = 0; i < config->trusted_proxies.count; i++) {
        (void)!lst_network_parse(config->trusted_proxies.values[i], &server->proxies[i]);
    }
    for (size_t i = 0; i < config->public_urls.count && i < LST_GATE_HOSTS_MAX; i++) {
        struct lst_slice url = config->public_urls.values[i];
        struct lst_slice host =
            lst_slice_after(url, lst_slice_find_slice(url, LST_SLICE("://")) + 3);

        server->public_hosts[i] = lst_slice_first(host, lst_slice_find(host, '/'));
        server->public_host_count++;
    }
    server->is_public_secure =
        config->public_urls.count > 0 &&
        lst_slice_starts_with(config->public_urls.values[0], LST_SLICE("https://"));
    server->cors = (struct lst_cors){.origins = config->cors_origins.values,
                                     .origin_count = config->cors_origins.count};
    lst_random_bytes(&server->id_base, sizeof(server->id_base));
    lst_budget_set((size_t)config->request_memory);
}

/* An index file that can't be used; status: as lst_damage_text() takes it. */
static void complain_of_damage(const char *folder, const char *name, int status)
{
    struct lst_buffer text;

    lst_buffer_init(&text, 8192);
    lst_damage_text(folder, name, status, &text);
    lst_server_complain("%.*s", (int)text.length, text.length > 0 ? text.bytes : "");
    lst_buffer_release(&text);
}

/* Whether an index file is damaged, or the bodies are gone: looked at before any is opened, so that
 * nothing changes. */
static bool is_damaged(const struct lst_server *server)
{
    bool found = false;

    for (size_t i = 0; lst_index_files[i] != NULL; i++) {
        if (lst_damage_is_there(server->config->data, lst_index_files[i])) {
            complain_of_damage(server->config->data, lst_index_files[i], LST_ERR_CORRUPT);
            found = true;
        }
    }
    if (!found && lst_damage_lacks_bodies(server->config->data)) {
        complain_of_damage(server->config->data, "blobs", LST_ERR_CORRUPT);
        found = true;
    }
    return found;
}

static void report(const char *text)
{
    lst_server_complain("%s", text);
}

/* Who may write in the folder may put other files into the place of these. */
static void warn_of_writers(const char *folder)
{
    struct stat information;

    if (stat(folder, &information) == 0 && (information.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        lst_server_complain("warning: other users of this machine may write in %s, and so replace "
                            "its users and keys: chmod 700 it",
                            folder);
    }
}

/* Until what is done at a start is over, and for good in a test that takes seconds. */
enum { SCRUB_DELAY_MS = 10 * 60 * 1000 };

static bool begin_scrubbing(struct lst_server *server)
{
    int status = lst_store_scrub(server->store, server->config->scrub_rate, SCRUB_DELAY_MS);

    if (status != LST_OK) {
        lst_server_complain("can't begin to scrub the stored data: %s", lst_error_text(status));
    }
    return status == LST_OK;
}

static bool open_store(struct lst_server *server)
{
    const char *folder = server->config->data;
    struct lst_store_options options = {.path = folder, .report = report};
    int status = lst_store_open(&options, &server->recovery, &server->store);

    if (status == LST_ERR_LOCKED) {
        lst_server_complain("%s is in use by another latchstring serve: stop it, or choose another "
                            "folder with --data",
                            folder);
    } else if (status == LST_ERR_PERMISSION) {
        lst_server_complain("not allowed to write in %s: give it to the user who runs the server, "
                            "or choose another folder with --data",
                            folder);
    } else if (status == LST_ERR_NOT_FOUND) {
        lst_server_complain("%s can't be made: the folder above it is not there", folder);
    } else if (lst_damage_is_meant(status)) {
        complain_of_damage(folder, "index.mdb", status);
    } else if (status != LST_OK) {
        lst_server_complain("can't open %s: %s", folder, lst_error_text(status));
    } else {
        warn_of_writers(folder);
        return begin_scrubbing(server);
    }
    return false;
}

static bool open_gate(struct lst_server *server)
{
    const struct lst_config *config = server->config;
    struct lst_gate_options options = {
        .rules = {.region = lst_slice_of(config->region),
                  .expires_max = (int64_t)config->expires_max,
                  .allow_v2 = config->allow_signature_v2},
        .public_hosts = server->public_hosts,
        .public_host_count = server->public_host_count,
        .own_address = server->address,
        .api_rate = config->api_rate,
        .domains = config->domains.values,
        .domain_count = config->domains.count,
    };
    int status = lst_users_open(config->data, false, &server->users);

    if (status == LST_OK) {
        options.users = server->users;
        status = lst_gate_open(&options, &server->gate);
    }
    if (lst_damage_is_meant(status)) {
        complain_of_damage(config->data, "users.mdb", status);
    } else if (status != LST_OK) {
        lst_server_complain("can't open the user directory in %s: %s", config->data,
                            lst_error_text(status));
    }
    return status == LST_OK;
}

static bool open_s3(struct lst_server *server)
{
    const struct lst_config *config = server->config;
    struct lst_s3_options options = {
        .store = server->store,
        .gate = server->gate,
        .region = lst_slice_of(config->region),
        .domains = config->domains.values,
        .domain_count = config->domains.count,
        .body_max = config->body_max,
    };
    int status = lst_ledger_open(config->data, false, &server->ledger);

    if (lst_damage_is_meant(status)) {
        complain_of_damage(config->data, "ledger.mdb", status);
        return false;
    }
    if (status != LST_OK) {
        lst_server_complain("can't open the record of links in %s: %s", config->data,
                            lst_error_text(status));
        return false;
    }
    lst_ledger_set_life(server->ledger, (int64_t)config->expires_max * 1000);
    options.ledger = server->ledger;
    status = lst_s3_open(&options, &server->s3);
    if (status == LST_OK) {
        server->strangers = lst_strangers_new(config->anonymous_rate);
        status = server->strangers == NULL ? LST_ERR_NO_MEMORY : LST_OK;
    }
    if (status != LST_OK) {
        lst_server_complain("can't start: %s", lst_error_text(status));
    }
    return status == LST_OK;
}

/* From now on a missing file is a loss, and is not made anew. */
static bool mark_complete(const struct lst_server *server)
{
    int status = lst_store_mark_complete(server->store);

    if (status == LST_OK) {
        status = lst_users_mark_complete(server->users);
    }
    if (status == LST_OK) {
        status = lst_index_mark_complete(lst_ledger_index(server->ledger));
    }
    if (status != LST_OK) {
        lst_server_complain("can't write in %s: %s", server->config->data, lst_error_text(status));
    }
    return status == LST_OK;
}

static bool open_api(struct lst_server *server)
{
    const struct lst_config *config = server->config;
    struct lst_api_options options = {
        .store = server->store,
        .gate = server->gate,
        .ledger = server->ledger,
        .s3 = server->s3,
        .own_url = lst_slice_of(server->own_url),
        .region = config->region[0] == '\0' ? LST_SLICE("us-east-1") : lst_slice_of(config->region),
        .expires_max = (int64_t)config->expires_max,
        .profile_folder = config->profiles,
        .report = report,
    };
    char problem[LST_API_PROBLEM_MAX];
    int status;

    if (config->public_urls.count > 0) {
        options.public_url = config->public_urls.values[0];
    }
    status = lst_api_open(&options, problem, &server->api);
    if (status != LST_OK) {
        lst_server_complain("can't start: %s", problem);
    }
    return status == LST_OK;
}

static bool open_log(struct lst_server *server)
{
    struct lst_log_options options = {.path = server->config->access_log,
                                      .json = strcmp(server->config->log_format, "json") == 0};
    int status = lst_log_open(&options, &server->log);

    if (status != LST_OK) {
        lst_server_complain("can't write the access log %s: %s. Choose another file with "
                            "--access-log, '-' for standard output, or 'off'",
                            options.path, lst_error_text(status));
    }
    return status == LST_OK;
}

static bool open_tls(struct lst_server *server)
{
    if (server->config->tls_certificates.count == 0) {
        return true;
    }
    server->tls = lst_tls_open(server->config);
    return server->tls != NULL;
}

bool lst_server_open(struct lst_server *server, const struct lst_config *config)
{
    server->config = config;
    server->listener = -1;
    derive(server);
    return open_tls(server) && lst_listen_open(server) && !is_damaged(server) &&
           open_store(server) && open_gate(server) && open_s3(server) && mark_complete(server) &&
           open_api(server) && open_log(server);
}

void lst_server_close(struct lst_server *server)
{
    if (server->listener >= 0) {
        (void)close(server->listener);
    }
    lst_strangers_free(server->strangers);
    lst_api_close(server->api);
    if (server->s3 != NULL) {
        lst_s3_close(server->s3);
    }
    lst_ledger_close(server->ledger); /* after the exchanges, which settle in it */
    if (server->gate != NULL) {
        lst_gate_close(server->gate);
    }
    if (server->users != NULL) {
        lst_users_close(server->users);
    }
    lst_store_close(server->store);
    lst_log_close(server->log);
    lst_engine_free(server->engine); /* after all that could wake a connection */
    lst_tls_free(server->tls);
}

/* A connection takes a descriptor, and an upload another. */
static void raise_file_limit(const struct lst_config *config)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return;
    }
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 && getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return;
    }
    if (limit.rlim_cur < config->connections * 2 + 64) {
        lst_server_complain("warning: %llu connections may need %llu open files, and %llu are "
                            "allowed: raise the limit (LimitNOFILE of the unit, ulimit -n) or "
                            "lower --connections",
                            (unsigned long long)config->connections,
                            (unsigned long long)config->connections * 2 + 64,
                            (unsigned long long)limit.rlim_cur);
    }
}

/* Signals come to the main thread alone: every thread that is made later has them blocked. */
static void block_signals(sigset_t *signals)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    (void)sigaction(SIGPIPE, &ignore, NULL);
    (void)sigaction(SIGXFSZ, &ignore, NULL); /* RLIMIT_FSIZE: an error of write() is enough */
    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, signals, NULL);
}

const char *lst_server_failed_part(const struct lst_server *server)
{
    if (lst_store_has_failed(server->store)) {
        return "objects";
    }
    if (lst_index_has_failed(lst_ledger_index(server->ledger))) {
        return "links";
    }
    return lst_users_have_failed(server->users) ? "users" : NULL;
}

/*
 * After a failed sync the page cache is not to be believed, and this process can write nothing more
 * (docs/durability.md). What waits is answered, and the next start goes by what is on the disk.
 */
static bool has_failed(const struct lst_server *server)
{
    const char *part = lst_server_failed_part(server);

    if (part != NULL) {
        lst_server_complain("the disk failed to sync the data of the %s in %s: the server ends, "
                            "because it can't know what is on the disk. Look at the disk (dmesg), "
                            "then start the server again; it recovers by itself",
                            part, server->config->data);
    }
    return part != NULL;
}

/* SIGHUP. */
static void read_anew(struct lst_server *server)
{
    int status = lst_log_reopen(server->log);

    if (status != LST_OK) {
        lst_server_complain("can't reopen the access log %s: %s; going on with the old one",
                            server->config->access_log, lst_error_text(status));
    }
    if (server->tls != NULL && !lst_tls_reload(server->tls)) {
        lst_server_complain("going on with the certificates as they were");
    }
}

/* False: the server has to end, and not because somebody asked. */
static bool wait_for_end(struct lst_server *server, const sigset_t *signals)
{
    const struct timespec moment = {.tv_nsec = LOOK_EVERY_MS * 1000000L};
    int number = 0;

    while (number != SIGTERM && number != SIGINT) {
        number = sigtimedwait(signals, NULL, &moment);
        if (has_failed(server)) {
            return false;
        }
        if (number == SIGHUP) {
            read_anew(server);
        }
    }
    return true;
}

static bool run_opened(struct lst_server *server, const sigset_t *signals)
{
    bool root_is_new = false;
    bool was_asked;

    if (!lst_startup_root(server, &root_is_new) || !lst_startup_buckets(server) ||
        !lst_listen_start(server)) {
        return false;
    }
    lst_api_check_profiles(server->api);
    lst_startup_greet(server, root_is_new);
    was_asked = wait_for_end(server, signals);
    lst_listen_stop(server, signals);
    return was_asked && !has_failed(server);
}

/*
 * A few arenas are enough for a few threads, and give memory back sooner. Without a fixed bound the
 * first megabytes that are given back move it up: then LMDB's lists (2 MB for each index, zero
 * until they are used) come from the heap and are cleared there, 6 MB that an idle server never
 * looks at. Blocks of bodies are smaller than the bound, so that using them again stays cheap.
 */
static void shape_heap(void)
{
    (void)mallopt(M_ARENA_MAX, 2);
    (void)mallopt(M_MMAP_THRESHOLD, LARGE_ALLOCATION);
    (void)mallopt(M_TRIM_THRESHOLD, 2 * LARGE_ALLOCATION);
}

int lst_server_run(const struct lst_config *config)
{
    struct lst_server *server = calloc(1, sizeof(*server));
    sigset_t signals;
    bool done = false;

    if (server == NULL) {
        lst_server_complain("out of memory");
        return 1;
    }
    shape_heap();
    block_signals(&signals);
    raise_file_limit(config);
    if (lst_server_open(server, config)) {
        done = run_opened(server, &signals);
    }
    lst_server_close(server);
    free(server);
    return done ? 0 : 1;
}
