/*
 * fixture.h - a whole S3 below the server: a store and users in a temporary folder, a gate, and
 * requests signed as a client signs them.
 */
#ifndef LST_TESTS_S3_FIXTURE_H
#define LST_TESTS_S3_FIXTURE_H

#include "base/clock.h"
#include "s3/s3.h"
#include "tap.h"

#include <ftw.h>
#include <nettle/sha2.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>

#define HOST "127.0.0.1:9000"

struct world {
    char folder[64];
    struct lst_store *store;
    struct lst_users *users;
    struct lst_gate *gate;
    struct lst_s3 *s3;
};

enum how { PRESIGNED, SIGNED_HEADER, UNSIGNED };

/* One request, as a person would put it. */
struct call {
    const char *method;
    const char *bucket;
    const char *key;
    struct lst_field query[8];
    struct lst_field headers[16]; /* signed */
    struct lst_field unsigned_headers[4];
    struct lst_slice body;
    bool has_body;
    enum how how;
    const char *user;          /* "root" if NULL; the secret is "the-secret-of-" and the user */
    const char *region;        /* "eu-central-1" if NULL */
    const char *payload_hash;  /* for SIGNED_HEADER; UNSIGNED-PAYLOAD if NULL */
    const char *target_suffix; /* appended to the signed target: tampering */
    const char *wire_method;   /* sent instead of the signed method */
    const char *host;
    enum lst_style style;
    int64_t age;     /* seconds since it was signed */
    int64_t expires; /* 3600 if 0 */
    size_t piece;    /* bytes of the body handed over at once; all if 0 */
    bool no_length;
    bool sign_chunks; /* frame the body as STREAMING-AWS4-HMAC-SHA256-PAYLOAD does */
    bool spoil_chunk; /* and change it after it was signed */
};

struct reply {
    int status;
    char *headers; /* "Name: value\n" each; ends in NUL */
    char *body;
    size_t body_length;
    enum lst_body_kind kind;
    uint64_t length;
    struct lst_s3_record record; /* strings copied */
    char error[64];
    char reason[1024];
    bool body_wanted; /* the state after the head was LST_S3_BODY */
};

#define FIELD(name, value)                                                                         \
    {                                                                                              \
        LST_SLICE(name), LST_SLICE(value)                                                          \
    }

static int64_t fixture_now = 1795000000; /* when it is, for every test: in November 2026 */

static inline int fixture_remove(const char *path, const struct stat *info, int type,
                                 struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

/* policy: NULL for the root user. */
static inline void world_add_user(struct world *world, const char *name, const char *policy)
{
    struct lst_user user = {.enabled = true, .key_count = 1};
    struct lst_user_key *key = &user.keys[0];
    int status;

    snprintf(user.name, sizeof(user.name), "%s", name);
    snprintf(key->access_key_id, sizeof(key->access_key_id), "KEYIDOFTHEUSER%s", name);
    snprintf(key->secret, sizeof(key->secret), "the-secret-of-%s", name);
    key->active = true;
    user.policy = policy == NULL ? NULL : strdup(policy);
    status =
        policy == NULL ? lst_users_set_root(world->users, key) : lst_users_add(world->users, &user);
    if (status != LST_OK) {
        printf("Bail out! can't add user %s\n", name);
        exit(1);
    }
    lst_user_release(&user);
}

static inline void world_open(struct world *world, const struct lst_slice *domains,
                              size_t domain_count)
{
    struct lst_store_recovery recovery;
    struct lst_gate_options gate = {.users = NULL};
    struct lst_s3_options options = {.domains = domains, .domain_count = domain_count};

    memset(world, 0, sizeof(*world));
    snprintf(world->folder, sizeof(world->folder), "/tmp/latchstring-s3-XXXXXX");
    if (mkdtemp(world->folder) == NULL ||
        lst_store_open(&(struct lst_store_options){.path = world->folder}, &recovery,
                       &world->store) != LST_OK ||
        lst_users_open(world->folder, false, &world->users) != LST_OK) {
        printf("Bail out! can't open a store\n");
        exit(1);
    }
    world_add_user(world, "root", NULL);
    gate.users = world->users;
    options.store = world->store;
    if (lst_gate_open(&gate, &world->gate) != LST_OK) {
        printf("Bail out! can't open a gate\n");
        exit(1);
    }
    options.gate = world->gate;
    if (lst_s3_open(&options, &world->s3) != LST_OK) {
        printf("Bail out! can't open S3\n");
        exit(1);
    }
}

static inline void world_close(struct world *world)
{
    lst_s3_close(world->s3);
    lst_gate_close(world->gate);
    lst_users_close(world->users);
    lst_store_close(world->store);
    nftw(world->folder, fixture_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- One exchange */

struct fixture_request {
    struct lst_http_request http;
    char target[LST_TARGET_MAX + 1024];
    char authorization[2048];
    char date[16];
    struct lst_field headers[32];
    struct lst_http_room room;
    char text[LST_TARGET_MAX + 1024]; /* decoded of the query */
};

static inline size_t fixture_count(const struct lst_field *fields, size_t most)
{
    size_t count = 0;

    while (count < most && fields[count].name.length > 0) {
        count++;
    }
    return count;
}

static inline void fixture_add(struct fixture_request *request, struct lst_field header)
{
    request->headers[request->http.message.header_count++] = header;
}

static inline void fixture_sign(const struct call *call, struct fixture_request *request)
{
    const char *user = call->user == NULL ? "root" : call->user;
    const char *host = call->host == NULL ? HOST : call->host;
    char secret[80];
    char id[80];
    char url[sizeof(request->target)];
    struct lst_key key;
    size_t length = 0;
    struct lst_signing signing = {
        .method = lst_slice_of(call->method),
        .scheme = LST_SLICE("http"),
        .host = lst_slice_of(host),
        .bucket = lst_slice_of(call->bucket),
        .key = lst_slice_of(call->key),
        .style = call->style,
        .query = call->query,
        .query_count = fixture_count(call->query, 8),
        .headers = call->headers,
        .header_count = fixture_count(call->headers, 16),
        .payload_hash = lst_slice_of(call->payload_hash),
        .time = fixture_now - call->age,
        .expires = call->expires == 0 ? 3600 : call->expires,
    };

    snprintf(secret, sizeof(secret), "the-secret-of-%s", user);
    snprintf(id, sizeof(id), "KEYIDOFTHEUSER%s", user);
    signing.access_key_id = lst_slice_of(id);
    if (signing.payload_hash.length == 0 && call->how == SIGNED_HEADER) {
        signing.payload_hash = LST_SLICE("UNSIGNED-PAYLOAD");
    }
    if (lst_key_init(&key, lst_slice_of(secret), signing.time,
                     lst_slice_of(call->region == NULL ? "eu-central-1" : call->region),
                     LST_SLICE("s3")) != LST_OK ||
        lst_presign(&signing, &key, url, sizeof(url) - 1, &length) != LST_OK) {
        printf("Bail out! can't sign\n");
        exit(1);
    }
    url[length] = '\0';
    char *target = strchr(url + strlen("http://"), '/');
    char *query = strchr(target, '?');
    if (call->how != PRESIGNED) {
        /* The query without what presigning added to it. */
        char *added = strstr(query, "X-Amz-Algorithm");
        *(added > query ? added - 1 : query) = '\0';
    }
    snprintf(request->target, sizeof(request->target), "%s%s", target,
             call->target_suffix == NULL ? "" : call->target_suffix);
    fixture_add(request, (struct lst_field){LST_SLICE("Host"),
                                            lst_slice_make(url + 7, (size_t)(target - url - 7))});
    /* The Host header must outlive url. */
    static char host_text[300];
    snprintf(host_text, sizeof(host_text), "%.*s", (int)(target - url - 7), url + 7);
    request->headers[0].value = lst_slice_of(host_text);
    if (call->how == SIGNED_HEADER) {
        if (lst_sign_header(&signing, &key, request->authorization, sizeof(request->authorization),
                            &length) != LST_OK ||
            lst_format_time(signing.time, request->date) != LST_OK) {
            printf("Bail out! can't sign\n");
            exit(1);
        }
        fixture_add(request, (struct lst_field){LST_SLICE("Authorization"),
                                                lst_slice_make(request->authorization, length)});
        fixture_add(request,
                    (struct lst_field){LST_SLICE("X-Amz-Date"), lst_slice_make(request->date, 16)});
        fixture_add(request, (struct lst_field){LST_SLICE("x-amz-content-sha256"),
                                                lst_slice_of(call->payload_hash == NULL
                                                                 ? "UNSIGNED-PAYLOAD"
                                                                 : call->payload_hash)});
    }
}

static inline void fixture_make(const struct call *call, struct fixture_request *request)
{
    memset(request, 0, sizeof(*request));
    fixture_sign(call, request);
    for (size_t i = 0; i < fixture_count(call->headers, 16); i++) {
        fixture_add(request, call->headers[i]);
    }
    for (size_t i = 0; i < fixture_count(call->unsigned_headers, 4); i++) {
        fixture_add(request, call->unsigned_headers[i]);
    }
    struct lst_http_request *http = &request->http;
    struct lst_slice target = lst_slice_of(request->target);
    size_t path = lst_slice_find(target, '?');
    http->message.method =
        lst_slice_of(call->wire_method == NULL ? call->method : call->wire_method);
    http->message.target = target;
    http->message.headers = request->headers;
    http->path = lst_slice_first(target, path);
    http->query = lst_slice_after(target, path + 1);
    lst_http_request_read(http, &request->room, request->text, false);
    http->host = lst_http_header(http, LST_HEADER_HOST);
    http->peer = LST_SLICE("192.0.2.1");
    http->has_content_length = call->has_body && !call->no_length;
    http->content_length = call->body.length;
    http->received_ms = fixture_now * 1000;
    memcpy(http->id, "0123456789ABCDEF", LST_REQUEST_ID_LENGTH);
}

static inline void fixture_wake(void *context)
{
    sem_post(context);
}

/* In pieces of an odd size. */
static inline void fixture_read(const struct lst_http_stream *stream, struct reply *reply)
{
    size_t used = 0;
    size_t got = 1;

    while (got > 0 && used <= reply->body_length) {
        char piece[4099];
        if (stream->read(stream->context, piece, sizeof(piece), &got) != LST_OK ||
            got > reply->body_length - used) {
            break;
        }
        memcpy(reply->body + used, piece, got);
        used += got;
    }
    CHECK(used == reply->body_length && got == 0, "the stream has the bytes that were promised");
}

static inline void fixture_collect(struct lst_s3_exchange *exchange, struct reply *reply)
{
    struct lst_http_response *response = lst_s3_response(exchange);
    const char *name;
    const char *value;
    size_t at = 0;
    size_t used = 0;

    reply->status = response->status;
    reply->kind = response->kind;
    reply->length = response->length;
    reply->headers = calloc(1, 65536);
    while (lst_http_response_next(response, &at, &name, &value)) {
        used += (size_t)snprintf(reply->headers + used, 65536 - used, "%s: %s\n", name, value);
    }
    reply->body_length = response->kind == LST_BODY_BYTES ? response->body.length
                         : response->kind == LST_BODY_FILE || response->kind == LST_BODY_STREAM
                             ? response->length
                             : 0;
    reply->body = calloc(1, reply->body_length + 1);
    if (response->kind == LST_BODY_BYTES && response->body.length > 0) {
        memcpy(reply->body, response->body.bytes, response->body.length);
    } else if (response->kind == LST_BODY_FILE) {
        ssize_t got = pread(response->file, reply->body, response->length, (off_t)response->offset);
        CHECK(got == (ssize_t)response->length, "the file has the bytes that were promised");
    } else if (response->kind == LST_BODY_STREAM) {
        fixture_read(&response->stream, reply);
    }
    lst_s3_record(exchange, &reply->record);
    snprintf(reply->error, sizeof(reply->error), "%s", reply->record.error);
    snprintf(reply->reason, sizeof(reply->reason), "%s", reply->record.reason);
}

/* One chunk with all of the body and the empty one that ends it; to be freed. */
static inline struct lst_slice fixture_frame(const struct call *call,
                                             const struct fixture_request *request)
{
    struct lst_slice parts[] = {call->body, {"", 0}};
    const char *signature = strstr(request->authorization, "Signature=") + 10;
    char *framed = calloc(1, call->body.length + 512);
    char seal[LST_SIGNATURE_LENGTH];
    struct lst_key key;
    size_t used = 0;

    memcpy(seal, signature, sizeof(seal));
    if (lst_key_init(&key, LST_SLICE("the-secret-of-root"), fixture_now, LST_SLICE("eu-central-1"),
                     LST_SLICE("s3")) != LST_OK) {
        printf("Bail out! no key\n");
        exit(1);
    }
    for (size_t i = 0; i < 2; i++) {
        struct sha256_ctx context;
        uint8_t digest[SHA256_DIGEST_SIZE];
        sha256_init(&context);
        sha256_update(&context, parts[i].length, (const uint8_t *)parts[i].bytes);
        sha256_digest(&context, sizeof(digest), digest);
        if (lst_stream_sign_chunk(&key, fixture_now, lst_slice_make(seal, sizeof(seal)), digest,
                                  seal) != LST_OK) {
            printf("Bail out! no chunk\n");
            exit(1);
        }
        used += (size_t)sprintf(framed + used, "%zx;chunk-signature=%.*s\r\n", parts[i].length,
                                (int)sizeof(seal), seal);
        memcpy(framed + used, parts[i].bytes, parts[i].length);
        if (call->spoil_chunk && i == 0) {
            framed[used] ^= 1;
        }
        used += parts[i].length;
        memcpy(framed + used, "\r\n", 2);
        used += 2;
    }
    return lst_slice_make(framed, used);
}

/* Send it and wait for the answer. */
static inline struct reply send_call(struct world *world, const struct call *call)
{
    struct fixture_request *request = malloc(sizeof(*request));
    struct reply reply = {.status = 0};
    struct lst_slice framed = {NULL, 0};
    struct lst_slice rest = call->body;
    struct lst_s3_exchange *exchange;
    sem_t woken;

    sem_init(&woken, 0, 0);
    fixture_make(call, request);
    if (call->sign_chunks) {
        framed = fixture_frame(call, request);
        rest = framed;
        request->http.content_length = framed.length;
    }
    exchange = lst_s3_begin(world->s3, &request->http, fixture_wake, &woken);
    reply.body_wanted = lst_s3_state(exchange) == LST_S3_BODY;
    while (rest.length > 0 && lst_s3_state(exchange) == LST_S3_BODY) {
        struct lst_slice piece = lst_slice_first(rest, call->piece > 0 ? call->piece : rest.length);
        /* In memory of its own, so that a read past its end is seen. */
        char *copy = malloc(piece.length);
        memcpy(copy, piece.bytes, piece.length);
        lst_s3_body(exchange, lst_slice_make(copy, piece.length));
        free(copy);
        rest = lst_slice_after(rest, piece.length);
    }
    if (lst_s3_state(exchange) == LST_S3_BODY) {
        lst_s3_end(exchange);
    }
    if (lst_s3_state(exchange) == LST_S3_PENDING) {
        sem_wait(&woken);
    }
    CHECK(lst_s3_state(exchange) == LST_S3_RESPOND, "the exchange has an answer");
    fixture_collect(exchange, &reply);
    lst_s3_free(exchange);
    sem_destroy(&woken);
    free((char *)framed.bytes);
    free(request);
    return reply;
}

static inline void reply_release(struct reply *reply)
{
    free(reply->headers);
    free(reply->body);
}

/* Send, and check the status and the error's code ("" on success). */
static inline struct reply expect(struct world *world, const struct call *call, int status,
                                  const char *error, const char *what)
{
    struct reply reply = send_call(world, call);

    CHECK(reply.status == status && strcmp(reply.error, error) == 0, "%s", what);
    if (reply.status != status || strcmp(reply.error, error) != 0) {
        printf("#  got: %d %s (%s)\n# want: %d %s\n", reply.status, reply.error, reply.reason,
               status, error);
    }
    return reply;
}

/* The same, when nothing else is asked of the reply. */
static inline void expect_only(struct world *world, const struct call *call, int status,
                               const char *error, const char *what)
{
    struct reply reply = expect(world, call, status, error, what);

    reply_release(&reply);
}

static inline bool reply_has(const struct reply *reply, const char *text)
{
    bool has = strstr(reply->body, text) != NULL || strstr(reply->headers, text) != NULL;

    if (!has) {
        printf("# no '%s' in:\n# %s\n# %s\n", text, reply->headers, reply->body);
    }
    return has;
}

static inline void make_bucket(struct world *world, const char *name)
{
    struct call call = {.method = "PUT", .bucket = name};

    expect_only(world, &call, 200, "", "the bucket is made");
}

static inline void put_text(struct world *world, const char *bucket, const char *key,
                            const char *text)
{
    struct call call = {.method = "PUT",
                        .bucket = bucket,
                        .key = key,
                        .body = lst_slice_of(text),
                        .has_body = true};
    struct reply reply = send_call(world, &call);

    if (reply.status != 200) {
        CHECK(false, "%s is put: %d %s", key, reply.status, reply.error);
    }
    reply_release(&reply);
}

#endif
