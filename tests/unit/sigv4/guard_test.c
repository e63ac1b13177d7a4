/* guard_test.c - every input of signing and checking, cut at every length, right against a page
 * that can't be read; every output into a buffer of every size, against the same page. */
#include "guard_page.h"
#include "latchstring.h"
#include "tap.h"

#define NOW INT64_C(1369353600)

#define SIGNATURE "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
#define TARGET                                                                                     \
    "/a%20b/+x?q=a+b&%C3%A9=1&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20130524"   \
    "%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=60&X-Amz-"         \
    "Security-Token=a%2Bb&X-Amz-SignedHeaders=host%3Bx-amz-meta-a&X-Amz-Signature=" SIGNATURE
#define AUTHORIZATION                                                                              \
    "AWS4-HMAC-SHA256 Credential=AKID/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;"     \
    "x-amz-content-sha256;x-amz-date, Signature=" SIGNATURE

static const struct lst_slice target = {TARGET, sizeof(TARGET) - 1};
static const struct lst_slice authorization = {AUTHORIZATION, sizeof(AUTHORIZATION) - 1};

static struct guard guard;
static struct guard output;
static struct lst_key key;
static unsigned long runs;

/* Everything that a server calls for a request, whatever the verdicts are. */
static void run_check(const struct lst_request *request)
{
    struct lst_rules rules = {0};
    struct lst_auth auth;
    char *out = guard_room(output, 16384);
    size_t length = 0;
    int code = lst_parse(request, &rules, NOW, &auth);

    (void)!lst_refusal_text(code, &auth, &rules, out, 16384, &length);
    (void)!lst_canonical_request(request, &auth, out, 16384, &length);
    (void)!lst_string_to_sign(request, &auth, out, 16384, &length);
    (void)!lst_verify(request, &auth, &key);
    (void)lst_auth_token_equals(&auth, LST_SLICE("a+b"));
    lst_headers_not_signed(request, &auth, out, 16384, &length);
    runs++;
}

static void cut_target(void)
{
    struct lst_field header = {LST_SLICE("host"), LST_SLICE("h")};
    struct lst_request request = {
        .method = LST_SLICE("GET"), .headers = &header, .header_count = 1};

    for (size_t length = 0; length <= target.length; length++) {
        request.target = guard_text(guard, (struct lst_slice){target.bytes, length});
        run_check(&request);
        request.target =
            guard_text(guard, (struct lst_slice){target.bytes + target.length - length, length});
        run_check(&request);
    }
}

static void cut_header(struct lst_slice name, struct lst_slice value)
{
    struct lst_field headers[4] = {
        {LST_SLICE("host"), LST_SLICE("h")},
        {LST_SLICE("x-amz-date"), LST_SLICE("20130524T000000Z")},
        {LST_SLICE("x-amz-content-sha256"), LST_SLICE("UNSIGNED-PAYLOAD")},
    };
    struct lst_request request = {.method = LST_SLICE("GET"),
                                  .target = LST_SLICE("/k"),
                                  .headers = headers,
                                  .header_count = 4};

    for (size_t length = 0; length <= value.length; length++) {
        headers[3] =
            (struct lst_field){name, guard_text(guard, (struct lst_slice){value.bytes, length})};
        run_check(&request);
        headers[3] = (struct lst_field){guard_text(guard, (struct lst_slice){value.bytes, length}),
                                        authorization};
        run_check(&request);
    }
    for (size_t length = 0; length <= name.length; length++) {
        headers[3].name = guard_text(guard, (struct lst_slice){name.bytes, length});
        run_check(&request);
    }
}

static void cut_text(struct lst_slice whole)
{
    int64_t time;
    size_t length;

    for (size_t cut = 0; cut <= whole.length; cut++) {
        struct lst_slice text = guard_text(guard, (struct lst_slice){whole.bytes, cut});
        char *exact;

        (void)!lst_parse_time(text, &time);
        (void)lst_equal_secret(text, text);
        if (lst_percent_encode(text, false, guard_room(output, 3 * cut), 3 * cut, &length) ==
            LST_OK) {
            exact = guard_room(output, length);
            CHECK(lst_percent_encode(text, false, exact, length, &length) == LST_OK,
                  "%zu bytes encode into exactly the room they need", cut);
        }
        (void)!lst_percent_decode(text, true, guard_room(output, cut), cut, &length);
        runs++;
    }
}

static struct lst_signing signing_of(size_t cut)
{
    static struct lst_field query = {{"response-content-type", 21}, {NULL, 0}};
    struct lst_slice text = guard_text(guard, (struct lst_slice){target.bytes + 1, cut});

    query.value = text;
    return (struct lst_signing){.method = LST_SLICE("GET"),
                                .host = LST_SLICE("h"),
                                .key = text,
                                .query = &query,
                                .query_count = 1,
                                .access_key_id = LST_SLICE("AKID"),
                                .session_token = text,
                                .time = NOW,
                                .expires = 60};
}

static void cut_signing(void)
{
    size_t length = 0;
    bool right = true;

    for (size_t cut = 0; cut < target.length; cut++) {
        struct lst_signing signing = signing_of(cut);
        size_t bound = lst_presign_bound(&signing, &key);
        char *out = guard_room(output, bound);

        right = right && lst_presign(&signing, &key, out, bound, &length) == LST_OK &&
                lst_presign(&signing, &key, guard_room(output, length), length, &length) == LST_OK;
        runs++;
    }
    CHECK(right, "requests of every size are signed, into exactly the room they need");
}

static void cut_output(void)
{
    struct lst_signing signing = signing_of(100);
    size_t whole = 0;
    size_t length;
    bool right = true;

    CHECK(lst_presign(&signing, &key, guard_room(output, 8192), 8192, &whole) == LST_OK,
          "a URL is written");
    for (size_t room = 0; room < whole; room++) {
        char *out = guard_room(output, room);

        right =
            right && lst_presign(&signing, &key, out, room, &length) == LST_ERR_BUFFER_TOO_SMALL;
        (void)!lst_sign_header(&signing, &key, out, room, &length);
        (void)!lst_signing_canonical_request(&signing, &key, LST_AUTH_QUERY, out, room, &length);
        (void)!lst_signing_string_to_sign(&signing, &key, LST_AUTH_QUERY, out, room, &length);
        runs++;
    }
    CHECK(right, "a buffer that is too small is never overrun, and said to be too small");
}

int main(void)
{
    guard = guard_open();
    output = guard_open();
    if (lst_key_init(&key, LST_SLICE("secret"), NOW, LST_SLICE("us-east-1"), LST_SLICE("s3")) !=
        LST_OK) {
        CHECK(false, "the key can be made");
    }
    cut_target();
    cut_header(LST_SLICE("Authorization"), authorization);
    cut_header(LST_SLICE("x-amz-security-token"), LST_SLICE("a token that is some bytes long"));
    cut_header(LST_SLICE("Date"), LST_SLICE("Fri, 24 May 2013 00:00:00 +0000"));
    cut_text(target);
    cut_text(LST_SLICE("20130524T000000Z"));
    cut_signing();
    cut_output();
    CHECK(runs > 2000, "%lu inputs against an unreadable page", runs);
    guard_close(guard);
    guard_close(output);
    return tap_done();
}
