/* gate_scene.h - what the tests of the gate share: a folder of users, a gate, and signed requests.
 */
#ifndef LST_TESTS_GATE_SCENE_H
#define LST_TESTS_GATE_SCENE_H

#include "gate/gate.h"

#include "tap.h"

#include <stdlib.h>
#include <unistd.h>

#define SCENE_NOW    INT64_C(1769860800) /* 2026-01-31T12:00:00Z */
#define SCENE_SECRET "correct-horse-battery-staple"

static char scene_folder[64];
static struct lst_users *scene_users;
static struct lst_gate *scene_gate;

static inline void scene_open(const struct lst_slice *public_hosts, size_t public_host_count)
{
    struct lst_gate_options options = {.public_hosts = public_hosts,
                                       .public_host_count = public_host_count};

    if (scene_folder[0] == '\0') {
        snprintf(scene_folder, sizeof(scene_folder), "/tmp/lst-gate-%d", (int)getpid());
    }
    if (lst_users_open(scene_folder, false, &scene_users) != LST_OK) {
        CHECK(false, "the users can be opened");
        exit(1);
    }
    options.users = scene_users;
    if (lst_gate_open(&options, &scene_gate) != LST_OK) {
        CHECK(false, "the gate can be opened");
        exit(1);
    }
}

static inline void scene_close(void)
{
    static const char *const files[] = {"users.mdb", "users.mdb-lock"};
    char path[128];

    lst_gate_close(scene_gate);
    lst_users_close(scene_users);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", scene_folder, files[i]);
        unlink(path);
    }
    rmdir(scene_folder);
}

/* The user's access key id is its name. policy may be NULL. */
static inline int scene_add(const char *name, const char *policy)
{
    struct lst_user user = {.key_count = 1, .keys[0] = {.secret = SCENE_SECRET, .active = true}};
    int status;

    snprintf(user.name, sizeof(user.name), "%s", name);
    snprintf(user.keys[0].access_key_id, sizeof(user.keys[0].access_key_id), "%s", name);
    user.policy = policy == NULL ? NULL : strdup(policy);
    status = lst_users_add(scene_users, &user);
    lst_user_release(&user);
    return status;
}

/* A request with the memory that it points to. Do not move it. */
struct scene_request {
    struct lst_http_request http;
    struct lst_field headers[4];
    char url[4096];
    char authorization[1024];
    char date[16];
    struct lst_http_room room;
    char text[4096]; /* decoded of the query */
};

/* How to sign: everything empty has a default. */
struct scene_signing {
    const char *user;   /* "alice" */
    const char *secret; /* SCENE_SECRET */
    const char *host;   /* "localhost:9000", also sent */
    const char *method; /* "GET" */
    const char *region; /* "eu-west-1" */
    const char *token;  /* none */
    int64_t time;       /* SCENE_NOW */
};

static inline const char *scene_default(const char *given, const char *otherwise)
{
    return given != NULL ? given : otherwise;
}

static inline struct lst_signing scene_fill(const struct scene_signing *how,
                                            struct lst_key *ret_key)
{
    struct lst_signing signing = {
        .method = lst_slice_of(scene_default(how->method, "GET")),
        .scheme = LST_SLICE("http"),
        .host = lst_slice_of(scene_default(how->host, "localhost:9000")),
        .bucket = LST_SLICE("photos"),
        .key = LST_SLICE("2026/a cat.jpg"),
        .access_key_id = lst_slice_of(scene_default(how->user, "alice")),
        .session_token = lst_slice_of(how->token),
        .time = how->time == 0 ? SCENE_NOW : how->time,
        .expires = 3600,
    };

    if (lst_key_init(ret_key, lst_slice_of(scene_default(how->secret, SCENE_SECRET)), signing.time,
                     lst_slice_of(scene_default(how->region, "eu-west-1")),
                     LST_SLICE("s3")) != LST_OK) {
        abort();
    }
    return signing;
}

static inline void scene_finish(struct scene_request *request, const struct lst_signing *signing,
                                struct lst_slice target)
{
    size_t question_mark = lst_slice_find(target, '?');

    request->headers[0] = (struct lst_field){LST_SLICE("Host"), signing->host};
    request->http.message.method = signing->method;
    request->http.message.target = target;
    request->http.message.headers = request->headers;
    request->http.path = lst_slice_first(target, question_mark);
    request->http.query = lst_slice_after(target, question_mark + 1);
    request->http.host = signing->host;
    request->http.peer = LST_SLICE("203.0.113.7");
    request->http.received_ms = SCENE_NOW * 1000;
    lst_http_request_read(&request->http, &request->room, request->text, false);
}

static inline void scene_presign(struct scene_request *request, const struct scene_signing *how)
{
    struct lst_key key;
    struct lst_signing signing = scene_fill(how, &key);
    struct lst_slice url = {request->url, 0};
    size_t start;

    memset(request, 0, sizeof(*request));
    if (lst_presign(&signing, &key, request->url, sizeof(request->url), &url.length) != LST_OK) {
        abort();
    }
    start = strlen("http://") + signing.host.length;
    request->http.message.header_count = 1;
    scene_finish(request, &signing, lst_slice_after(url, start));
}

static inline void scene_sign_header(struct scene_request *request, const struct scene_signing *how)
{
    struct lst_key key;
    struct lst_signing signing = scene_fill(how, &key);
    size_t length;

    memset(request, 0, sizeof(*request));
    if (lst_sign_header(&signing, &key, request->authorization, sizeof(request->authorization),
                        &length) != LST_OK ||
        lst_format_time(signing.time, request->date) != LST_OK) {
        abort();
    }
    request->headers[1] = (struct lst_field){LST_SLICE("Authorization"),
                                             lst_slice_make(request->authorization, length)};
    request->headers[2] =
        (struct lst_field){LST_SLICE("X-Amz-Date"), lst_slice_make(request->date, 16)};
    request->headers[3] =
        (struct lst_field){LST_SLICE("X-Amz-Content-Sha256"), LST_SLICE("UNSIGNED-PAYLOAD")};
    request->http.message.header_count = 4;
    scene_finish(request, &signing, LST_SLICE("/photos/2026/a%20cat.jpg"));
}

/* Authenticate, forget the passage, give the code. */
static inline int scene_try(const struct scene_request *request)
{
    struct lst_passage passage;
    int status = lst_gate_authenticate(scene_gate, &request->http, SCENE_NOW, &passage);

    lst_passage_release(&passage);
    return status;
}

static inline int scene_try_presigned(const struct scene_signing *how)
{
    struct scene_request request;

    scene_presign(&request, how);
    return scene_try(&request);
}

#endif
