/* allocation_test.c - a run through the library with every allocating function replaced by one that
 * fails the test. Linked with -Wl,--wrap for each of them. */
#include "latchstring.h"
#include "tap.h"

#include <stdlib.h>

#define NOW INT64_C(1369353600)

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
int __wrap_posix_memalign(void **ret_memory, size_t alignment, size_t size);
char *__wrap_strdup(const char *text);
void __wrap_free(void *memory);

static int allocations;

static void *count_allocation(void)
{
    allocations++;
    return NULL;
}

void *__wrap_malloc(size_t size)
{
    (void)size;
    return count_allocation();
}

void *__wrap_calloc(size_t count, size_t size)
{
    (void)count;
    (void)size;
    return count_allocation();
}

void *__wrap_realloc(void *memory, size_t size)
{
    (void)memory;
    (void)size;
    return count_allocation();
}

void *__wrap_reallocarray(void *memory, size_t count, size_t size)
{
    (void)memory;
    (void)count;
    (void)size;
    return count_allocation();
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    (void)alignment;
    (void)size;
    return count_allocation();
}

int __wrap_posix_memalign(void **ret_memory, size_t alignment, size_t size)
{
    (void)alignment;
    (void)size;
    *ret_memory = count_allocation();
    return 0;
}

char *__wrap_strdup(const char *text)
{
    (void)text;
    return count_allocation();
}

void __wrap_free(void *memory)
{
    (void)memory;
    count_allocation();
}

static struct lst_signing signing = {.method = {"PUT", 3},
                                     .host = {"h:9000", 6},
                                     .bucket = {"photos", 6},
                                     .key = {"a b.jpg", 7},
                                     .access_key_id = {"AKID", 4},
                                     .session_token = {"token", 5},
                                     .time = NOW,
                                     .expires = 60};
static const struct lst_field host = {{"Host", 4}, {"h:9000", 6}};
static const struct lst_rules rules;
static struct lst_key key;
static char text[8192];

static bool presign_and_check(void)
{
    struct lst_request request = {.method = signing.method, .headers = &host, .header_count = 1};
    struct lst_hints hints = {0};
    struct lst_explanation explanation;
    struct lst_auth auth;
    char other[8192];
    size_t length;

    if (lst_presign(&signing, &key, text, sizeof(text), &length) != LST_OK) {
        return false;
    }
    request.target = (struct lst_slice){text + 14, length - 14};
    if (lst_parse(&request, &rules, NOW, &auth) != LST_OK ||
        lst_verify(&request, &auth, &key) != LST_OK) {
        return false;
    }
    request.method = LST_SLICE("GET");
    return lst_verify(&request, &auth, &key) == LST_REFUSED_SIGNATURE &&
           lst_canonical_request(&request, &auth, other, sizeof(other), &length) == LST_OK &&
           lst_explain(&request, &auth, LST_SLICE("secret"), &hints, &explanation) == LST_OK &&
           explanation.miss == LST_MISS_METHOD &&
           lst_refusal_text(LST_REFUSED_SIGNATURE, &auth, &rules, other, sizeof(other), &length) ==
               LST_OK;
}

static bool sign_and_check_a_form(void)
{
    static const struct lst_condition condition = {{"key", 3}, {"a", 1}, LST_MATCH_STARTS_WITH};
    struct lst_form form = {.bucket = LST_SLICE("photos"),
                            .conditions = &condition,
                            .condition_count = 1,
                            .length_max = 1000,
                            .access_key_id = LST_SLICE("AKID"),
                            .time = NOW,
                            .expires = 60};
    struct lst_field fields[6] = {
        {LST_SLICE("key"), LST_SLICE("a.jpg")},
        {LST_SLICE("x-amz-algorithm"), LST_SLICE("AWS4-HMAC-SHA256")},
        {LST_SLICE("x-amz-credential"), LST_SLICE("AKID/20130524/us-east-1/s3/aws4_request")},
        {LST_SLICE("x-amz-date"), LST_SLICE("20130524T000000Z")},
    };
    struct lst_policy_limits limits;
    struct lst_slice broken;
    struct lst_auth auth;
    char signature[LST_SIGNATURE_LENGTH];
    char scratch[8192];
    size_t length;

    if (lst_sign_form(&form, &key, text, sizeof(text), &length, signature) != LST_OK) {
        return false;
    }
    fields[4] = (struct lst_field){LST_SLICE("policy"), {text, length}};
    fields[5] = (struct lst_field){LST_SLICE("x-amz-signature"), {signature, 64}};
    return lst_parse_form(fields, 6, &rules, NOW, &auth) == LST_OK &&
           lst_verify_form(&auth, &key) == LST_OK &&
           lst_policy_check(&auth, fields, 6, LST_SLICE("photos"), NOW, scratch, sizeof(scratch),
                            &limits, &broken) == LST_OK &&
           limits.length_max == 1000;
}

static bool decode_a_stream(void)
{
    static const char signature[LST_SIGNATURE_LENGTH];
    struct lst_auth auth = {.kind = LST_AUTH_HEADER,
                            .payload = LST_PAYLOAD_STREAM_UNSIGNED_TRAILER,
                            .signature = {signature, sizeof(signature)},
                            .time = NOW};
    struct lst_slice input = LST_SLICE("4\r\nabcd\r\n0\r\n\r\n");
    enum lst_stream_event event = LST_STREAM_NEED_MORE;
    struct lst_stream stream;
    struct lst_slice data;
    size_t consumed;

    if (lst_stream_init(&stream, &auth, &key, 4, LST_SLICE("")) != LST_OK) {
        return false;
    }
    while (event != LST_STREAM_END && input.length > 0) {
        if (lst_stream_decode(&stream, input, &consumed, &event, &data) != LST_OK) {
            return false;
        }
        input.bytes += consumed;
        input.length -= consumed;
    }
    return lst_stream_finish(&stream) == LST_OK;
}

int main(void)
{
    bool has_key;
    bool has_url;
    bool has_form;
    bool has_stream;
    int counted;

    has_key = lst_key_init(&key, LST_SLICE("secret"), NOW, LST_SLICE("us-east-1"),
                           LST_SLICE("s3")) == LST_OK;
    has_url = presign_and_check();
    has_form = sign_and_check_a_form();
    has_stream = decode_a_stream();
    counted = allocations; /* printing may allocate */
    CHECK(has_key && has_url, "a URL is signed, checked and explained");
    CHECK(has_form, "a form is signed and checked");
    CHECK(has_stream, "a streamed body is decoded");
    CHECK(counted == 0, "without allocating: %d calls", counted);
    /* The count itself works. */
    CHECK(malloc(1) == NULL && allocations > counted, "an allocation would have been counted");
    return tap_done();
}
