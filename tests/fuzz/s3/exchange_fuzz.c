/*
 * exchange_fuzz.c - whole requests by a known signer, below the signature: every operation that is
 * implemented, with any options and any body.
 *
 * Lines: method, target, headers ("name: value"), an empty line, the body. The request is signed
 * here, so that the fuzzer reaches what lies behind the gate. The store is in /tmp and kept small.
 */
#include "s3/s3.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define NOW 1795000000

static struct {
    char folder[64];
    struct lst_store *store;
    struct lst_users *users;
    struct lst_gate *gate;
    struct lst_s3 *s3;
} world;

static void must(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static void close_world(void)
{
    char command[128];

    lst_s3_close(world.s3);
    lst_gate_close(world.gate);
    lst_users_close(world.users);
    lst_store_close(world.store);
    snprintf(command, sizeof(command), "rm -rf %s", world.folder);
    must(system(command) == 0, "remove"); /* NOLINT(cert-env33-c) */
}

static void open_world(void)
{
    struct lst_user_key key = {
        .access_key_id = "AKIDEXAMPLE", .secret = "a-long-secret", .active = true};
    struct lst_store_recovery recovery;
    struct lst_s3_options options = {.store = NULL};

    snprintf(world.folder, sizeof(world.folder), "/tmp/latchstring-fuzz-XXXXXX");
    must(mkdtemp(world.folder) != NULL, "mkdtemp");
    must(lst_store_open(&(struct lst_store_options){.path = world.folder}, &recovery,
                        &world.store) == LST_OK,
         "store");
    must(lst_users_open(world.folder, false, &world.users) == LST_OK, "users");
    must(lst_users_set_root(world.users, &key) == LST_OK, "root");
    must(lst_gate_open(&(struct lst_gate_options){.users = world.users}, &world.gate) == LST_OK,
         "gate");
    options.store = world.store;
    options.gate = world.gate;
    options.body_max = 100000;
    must(lst_s3_open(&options, &world.s3) == LST_OK, "s3");
    must(atexit(close_world) == 0, "atexit");
}

static struct lst_slice take_line(struct lst_slice *rest)
{
    struct lst_slice line = lst_slice_first(*rest, lst_slice_find(*rest, '\n'));

    *rest = lst_slice_after(*rest, line.length + 1);
    return line;
}

static void wake(void *context)
{
    sem_post(context);
}

struct attempt {
    struct lst_http_request request;
    struct lst_field headers[40];
    struct lst_slice body;
    char target[LST_TARGET_MAX + 2048];
    size_t target_length;
    struct lst_http_room room;
    char text[LST_TARGET_MAX + 2048]; /* decoded of the query */
};

static void add(struct attempt *attempt, struct lst_slice name, struct lst_slice value)
{
    attempt->headers[attempt->request.message.header_count++] = (struct lst_field){name, value};
}

static bool is_lower_case(struct lst_slice name)
{
    for (size_t i = 0; i < name.length; i++) {
        if (!(name.bytes[i] >= 'a' && name.bytes[i] <= 'z') &&
            !(name.bytes[i] >= '0' && name.bytes[i] <= '9') && name.bytes[i] != '-') {
            return false;
        }
    }
    return name.length > 0;
}

/* Take the input apart. Headers that must be signed come after "host" by their names, in order and
 * once: what is not so is passed over. */
static bool read_attempt(struct lst_slice input, struct attempt *attempt)
{
    struct lst_http_request *request = &attempt->request;
    struct lst_slice previous = LST_SLICE("host");
    struct lst_slice target;
    struct lst_slice line;

    memset(request, 0, sizeof(*request));
    request->message.headers = attempt->headers;
    request->message.method = take_line(&input);
    target = take_line(&input);
    add(attempt, LST_SLICE("host"), LST_SLICE("localhost"));
    for (line = take_line(&input); line.length > 0; line = take_line(&input)) {
        struct lst_slice name = lst_slice_first(line, lst_slice_find(line, ':'));
        bool is_signed = lst_slice_starts_with(name, LST_SLICE("x-amz-"));
        if (request->message.header_count == 30 || !is_lower_case(name) ||
            (is_signed && lst_slice_compare(previous, name) >= 0)) {
            continue;
        }
        add(attempt, name, lst_slice_trim(lst_slice_after(line, name.length + 1)));
        previous = is_signed ? name : previous;
    }
    attempt->body = input;
    if (target.length == 0 || target.length >= LST_TARGET_MAX - 2048) {
        return false;
    }
    memcpy(attempt->target, target.bytes, target.length);
    attempt->target_length = target.length;
    request->host = LST_SLICE("localhost");
    request->has_content_length = true;
    request->content_length = input.length;
    request->received_ms = (int64_t)NOW * 1000;
    memcpy(request->id, "0123456789ABCDEF", sizeof(request->id));
    return true;
}

static void append(struct attempt *attempt, struct lst_slice text)
{
    must(attempt->target_length + text.length <= sizeof(attempt->target), "room for the target");
    memcpy(attempt->target + attempt->target_length, text.bytes, text.length);
    attempt->target_length += text.length;
}

/* Presign the raw target as it is: what is signed is what the checker makes of the request. */
static bool sign(struct attempt *attempt)
{
    struct lst_http_request *request = &attempt->request;
    struct lst_auth auth;
    struct lst_key key;
    char text[256];
    size_t length;

    bool has_query = memchr(attempt->target, '?', attempt->target_length) != NULL;
    append(attempt, has_query ? LST_SLICE("&") : LST_SLICE("?"));
    append(attempt, LST_SLICE("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F"
                              "20261118%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date="
                              "20261118T110640Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host"));
    for (size_t i = 1; i < request->message.header_count; i++) {
        if (lst_slice_starts_with(attempt->headers[i].name, LST_SLICE("x-amz-"))) {
            append(attempt, LST_SLICE("%3B"));
            append(attempt, lst_slice_first(attempt->headers[i].name, 40));
        }
    }
    append(attempt, LST_SLICE("&X-Amz-Signature="));
    size_t signature = attempt->target_length;
    append(attempt, LST_SLICE("0000000000000000000000000000000000000000000000000000000000000000"));
    request->message.target = lst_slice_make(attempt->target, attempt->target_length);
    request->path =
        lst_slice_first(request->message.target, lst_slice_find(request->message.target, '?'));
    request->query = lst_slice_after(request->message.target, request->path.length + 1);
    lst_http_request_read(request, &attempt->room, attempt->text, false);
    must(lst_key_init(&key, LST_SLICE("a-long-secret"), NOW, LST_SLICE("us-east-1"),
                      LST_SLICE("s3")) == LST_OK,
         "key");
    if (lst_parse(&request->message, &(struct lst_rules){.expires_max = 0}, NOW, &auth) != LST_OK ||
        lst_string_to_sign(&request->message, &auth, text, sizeof(text), &length) != LST_OK) {
        return false;
    }
    lst_sign_string(&key, lst_slice_make(text, length), attempt->target + signature);
    return true;
}

static void run(struct attempt *attempt)
{
    struct lst_slice rest = attempt->body;
    struct lst_s3_record record;
    struct lst_s3_exchange *exchange;
    sem_t woken;

    must(sem_init(&woken, 0, 0) == 0, "semaphore");
    exchange = lst_s3_begin(world.s3, &attempt->request, wake, &woken);
    while (rest.length > 0 && lst_s3_state(exchange) == LST_S3_BODY) {
        struct lst_slice piece = lst_slice_first(rest, 100);
        lst_s3_body(exchange, piece);
        rest = lst_slice_after(rest, piece.length);
    }
    if (lst_s3_state(exchange) == LST_S3_BODY) {
        lst_s3_end(exchange);
    }
    if (lst_s3_state(exchange) == LST_S3_PENDING) {
        (void)sem_wait(&woken);
    }
    must(lst_s3_state(exchange) == LST_S3_RESPOND, "there is an answer");
    lst_s3_record(exchange, &record);
    int status = lst_s3_response(exchange)->status;
    must((status >= 400) == (record.error[0] != '\0'), "errors have a code, success has none");
    must(status != 500, "nothing that a client sends is an internal error");
    lst_s3_free(exchange);
    (void)sem_destroy(&woken);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct attempt attempt;

    if (world.s3 == NULL) {
        open_world();
    }
    memset(attempt.target, 0, sizeof(attempt.target));
    if (read_attempt(lst_slice_make(bytes, size), &attempt) && sign(&attempt)) {
        run(&attempt);
    }
    return 0;
}
