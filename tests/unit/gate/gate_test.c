/* gate_test.c - who is let through the gate, and what for. */
#include "gate_scene.h"

#define ALLOW_ALL                                                                                  \
    "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\","            \
    "\"Resource\":\"*\"}}"

#define ALLOW_IF(condition)                                                                        \
    "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\","            \
    "\"Resource\":\"*\",\"Condition\":" condition "}}"

static void test_authenticate(void)
{
    struct scene_request request;
    struct lst_passage passage;

    scene_presign(&request, &(struct scene_signing){0});
    CHECK(lst_gate_authenticate(scene_gate, &request.http, SCENE_NOW, &passage) == LST_OK,
          "a presigned request of a user passes");
    CHECK(strcmp(lst_passage_user_name(&passage), "alice") == 0 &&
              strcmp(lst_passage_display_name(&passage), "alice") == 0 &&
              strlen(lst_passage_canonical_id(&passage)) == 64,
          "and tells who signed it");
    CHECK(passage.auth.kind == LST_AUTH_QUERY &&
              lst_slice_equal(passage.host, LST_SLICE("localhost:9000")) &&
              lst_key_fits(&passage.key, LST_SLICE("20260131"), LST_SLICE("eu-west-1"),
                           LST_SLICE("s3")),
          "how, for which host, and with which key");
    lst_passage_release(&passage);
    CHECK(scene_try(&request) == LST_OK, "the same request passes again");
    scene_sign_header(&request, &(struct scene_signing){0});
    CHECK(scene_try(&request) == LST_OK, "a request with a signed header passes");
}

static void test_refusals(void)
{
    struct scene_request request;
    struct lst_passage passage;

    CHECK(scene_try_presigned(&(struct scene_signing){.user = "nobody"}) ==
              LST_REFUSED_ACCESS_KEY_UNKNOWN,
          "an unknown access key");
    CHECK(scene_try_presigned(&(struct scene_signing){.secret = "wrong-secret"}) ==
              LST_REFUSED_SIGNATURE,
          "a wrong secret");
    CHECK(scene_try_presigned(&(struct scene_signing){.time = SCENE_NOW - 3601}) ==
              LST_REFUSED_EXPIRED,
          "one second too late");
    CHECK(scene_try_presigned(&(struct scene_signing){.token = "token"}) ==
              LST_REFUSED_TOKEN_INVALID,
          "a session token, since none was ever given out");
    scene_presign(&request, &(struct scene_signing){0});
    request.http.message.method = LST_SLICE("PUT");
    CHECK(scene_try(&request) == LST_REFUSED_SIGNATURE, "another method");
    scene_sign_header(&request, &(struct scene_signing){0});
    request.http.message.header_count = 1;
    CHECK(lst_gate_authenticate(scene_gate, &request.http, SCENE_NOW, &passage) ==
              LST_REFUSED_NOT_SIGNED,
          "no signature at all");
    CHECK(strcmp(lst_passage_user_name(&passage), "") == 0 &&
              strcmp(lst_passage_canonical_id(&passage), "") == 0,
          "which is then nobody's");
    CHECK(lst_gate_authorise(scene_gate, &passage, &(struct lst_access_question){0}) ==
              LST_REFUSED_NOT_ALLOWED,
          "and nobody may do nothing");
    lst_passage_release(&passage);
}

/* What a user may do with a presigned GET of photos/cat.jpg. */
static int authorise(const struct scene_signing *how, bool header, const char *action)
{
    struct scene_request request;
    struct lst_passage passage;
    struct lst_access_question question = {
        .action = lst_slice_of(action), .bucket = LST_SLICE("photos"), .key = LST_SLICE("cat.jpg")};
    int status;

    if (header) {
        scene_sign_header(&request, how);
    } else {
        scene_presign(&request, how);
    }
    status = lst_gate_authenticate(scene_gate, &request.http, SCENE_NOW, &passage);
    if (status == LST_OK) {
        status = lst_gate_authorise(scene_gate, &passage, &question);
    }
    lst_passage_release(&passage);
    return status;
}

static void test_authorise(void)
{
    static const struct {
        const char *user;
        const char *policy;
        int presigned;
        int header;
    } rows[] = {
        {"free", ALLOW_ALL, LST_OK, LST_OK},
        {"bare", NULL, LST_REFUSED_NOT_ALLOWED, LST_REFUSED_NOT_ALLOWED},
        {"self", ALLOW_IF("{\"StringEquals\":{\"aws:username\":\"self\"}}"), LST_OK, LST_OK},
        {"near", ALLOW_IF("{\"IpAddress\":{\"aws:SourceIp\":\"203.0.113.0/24\"}}"), LST_OK, LST_OK},
        {"far", ALLOW_IF("{\"NotIpAddress\":{\"aws:SourceIp\":\"203.0.113.0/24\"}}"),
         LST_REFUSED_NOT_ALLOWED, LST_REFUSED_NOT_ALLOWED},
        {"plain", ALLOW_IF("{\"Bool\":{\"aws:SecureTransport\":\"false\"}}"), LST_OK, LST_OK},
        {"link", ALLOW_IF("{\"StringEquals\":{\"s3:authType\":\"REST-QUERY-STRING\"}}"), LST_OK,
         LST_REFUSED_NOT_ALLOWED},
        {"head", ALLOW_IF("{\"StringEquals\":{\"s3:authType\":\"REST-HEADER\"}}"),
         LST_REFUSED_NOT_ALLOWED, LST_OK},
        {"four", ALLOW_IF("{\"StringEquals\":{\"s3:signatureversion\":\"AWS4-HMAC-SHA256\"}}"),
         LST_OK, LST_OK},
        {"now", ALLOW_IF("{\"DateEquals\":{\"aws:CurrentTime\":\"2026-01-31T12:00:00Z\"}}"), LST_OK,
         LST_OK},
        {"aged", ALLOW_IF("{\"NumericEquals\":{\"s3:signatureAge\":\"60000\"}}"), LST_OK,
         LST_REFUSED_NOT_ALLOWED},
        {"young", ALLOW_IF("{\"NumericLessThan\":{\"s3:signatureAge\":\"60000\"}}"),
         LST_REFUSED_NOT_ALLOWED, LST_REFUSED_NOT_ALLOWED},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct scene_signing how = {.user = rows[i].user, .time = SCENE_NOW - 60};
        if (scene_add(rows[i].user, rows[i].policy) != LST_OK) {
            CHECK(false, "user %s can be added", rows[i].user);
        }
        CHECK(authorise(&how, false, "s3:GetObject") == rows[i].presigned, "%s, presigned: %d",
              rows[i].user, rows[i].presigned);
        CHECK(authorise(&how, true, "s3:GetObject") == rows[i].header, "%s, with a header: %d",
              rows[i].user, rows[i].header);
    }
}

/* What this server does for somebody is decided as if he had presigned it now. */
static void test_pass(void)
{
    struct lst_access_question question = {.action = LST_SLICE("s3:PutObject"),
                                           .bucket = LST_SLICE("photos"),
                                           .key = LST_SLICE("cat.jpg")};
    struct scene_request request;
    struct lst_passage caller;
    struct lst_passage passage;

    CHECK(scene_add("carol", ALLOW_IF("{\"StringEquals\":{\"s3:authType\":\"REST-QUERY-STRING\"},"
                                      "\"NumericLessThan\":{\"s3:signatureAge\":\"1000\"}}")) ==
              LST_OK,
          "a user who may presign, for a second");
    scene_sign_header(&request, &(struct scene_signing){.user = "carol"});
    CHECK(lst_gate_authenticate(scene_gate, &request.http, SCENE_NOW, &caller) == LST_OK &&
              lst_gate_authorise(scene_gate, &caller, &question) == LST_REFUSED_NOT_ALLOWED,
          "who calls with a header");
    CHECK(lst_gate_pass(scene_gate, &caller, &request.http, SCENE_NOW, 60, &passage) == LST_OK &&
              lst_gate_authorise(scene_gate, &passage, &question) == LST_OK &&
              strcmp(lst_passage_user_name(&passage), "carol") == 0 &&
              passage.auth.time == SCENE_NOW && passage.auth.expires == 60,
          "passes as if that were presigned");
    lst_passage_release(&passage);
    CHECK(lst_users_remove(scene_users, LST_SLICE("carol")) == LST_OK &&
              lst_gate_pass(scene_gate, &caller, &request.http, SCENE_NOW, 60, &passage) ==
                  LST_REFUSED_ACCESS_KEY_UNKNOWN,
          "and no more when the user is gone");
    lst_passage_release(&passage);
    lst_passage_release(&caller);
}

static void test_root(void)
{
    struct lst_user_key key = {.access_key_id = "ROOT", .secret = SCENE_SECRET};

    CHECK(lst_users_set_root(scene_users, &key) == LST_OK &&
              authorise(&(struct scene_signing){.user = "ROOT"}, false, "s3:DeleteBucket") ==
                  LST_OK,
          "the root user may do everything");
}

static void test_hosts(void)
{
    struct scene_request request;
    struct lst_passage passage;

    scene_presign(&request, &(struct scene_signing){.host = "files.example.com"});
    request.headers[0].value = request.http.host = LST_SLICE("minio:9000");
    CHECK(lst_gate_authenticate(scene_gate, &request.http, SCENE_NOW, &passage) == LST_OK &&
              lst_slice_equal(passage.host, LST_SLICE("files.example.com")),
          "a URL signed for a public host passes, whatever the proxy calls this server");
    lst_passage_release(&passage);
    scene_presign(&request, &(struct scene_signing){.host = "other.example.com"});
    request.headers[0].value = request.http.host = LST_SLICE("minio:9000");
    CHECK(scene_try(&request) == LST_REFUSED_SIGNATURE, "one for an unknown host does not");
    request.http.forwarded_host = LST_SLICE("other.example.com");
    CHECK(lst_gate_authenticate(scene_gate, &request.http, SCENE_NOW, &passage) == LST_OK &&
              lst_slice_equal(passage.host, LST_SLICE("other.example.com")),
          "unless a trusted proxy says that the client called that one");
    lst_passage_release(&passage);
}

static enum lst_near_miss explain(const struct scene_request *request, char text[512])
{
    struct lst_passage passage;
    struct lst_explanation explanation = {0};
    int status = lst_gate_authenticate(scene_gate, &request->http, SCENE_NOW, &passage);

    if (status == LST_REFUSED_SIGNATURE) {
        status = lst_gate_explain(scene_gate, &passage, LST_SLICE("photos"), &explanation);
    }
    lst_passage_release(&passage);
    memcpy(text, explanation.text, explanation.length);
    text[explanation.length] = '\0';
    return status == LST_OK ? explanation.miss : LST_MISS_NONE;
}

static void test_explain(void)
{
    struct scene_request request;
    char text[513];

    scene_presign(&request, &(struct scene_signing){.method = "PUT"});
    request.http.message.method = LST_SLICE("GET");
    CHECK(explain(&request, text) == LST_MISS_METHOD, "another method is explained: %s", text);
    scene_presign(&request, &(struct scene_signing){.host = "localhost"});
    request.headers[0].value = request.http.host = LST_SLICE("localhost:9000");
    CHECK(explain(&request, text) == LST_MISS_HOST, "a missing port is explained: %s", text);
    CHECK(strstr(text, SCENE_SECRET) == NULL, "without the secret");
}

/* More days and regions than the gate keeps signing keys for. */
static void test_many_scopes(void)
{
    bool all_pass = true;

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 40; i++) {
            char region[24];
            snprintf(region, sizeof(region), "region-%d", i);
            all_pass = scene_try_presigned(&(struct scene_signing){.region = region}) == LST_OK &&
                       all_pass;
        }
    }
    CHECK(all_pass, "signatures for 40 regions pass, again and again");
    CHECK(scene_try_presigned(&(struct scene_signing){
              .region = "region-0", .secret = "wrong-secret"}) == LST_REFUSED_SIGNATURE,
          "and only right ones");
}

/* A form as lst_sign_form() signs it. */
static void test_form(void)
{
    const struct lst_condition conditions[] = {{LST_SLICE("key"), LST_SLICE("a"), LST_MATCH_EXACT}};
    const struct lst_form form = {.bucket = LST_SLICE("photos"),
                                  .conditions = conditions,
                                  .condition_count = 1,
                                  .access_key_id = LST_SLICE("alice"),
                                  .time = SCENE_NOW,
                                  .expires = 60};
    const struct lst_http_request request = {.peer = LST_SLICE("203.0.113.7")};
    struct lst_access_question question = {
        .action = LST_SLICE("s3:PutObject"), .bucket = LST_SLICE("photos"), .key = LST_SLICE("a")};
    struct lst_passage passage;
    struct lst_key key;
    char policy[2048];
    char signature[LST_SIGNATURE_LENGTH];
    char credential[320];
    size_t policy_length = 0;
    size_t credential_length = 0;

    CHECK(lst_key_init(&key, LST_SLICE(SCENE_SECRET), SCENE_NOW, LST_SLICE("eu-west-1"),
                       LST_SLICE("s3")) == LST_OK &&
              lst_sign_form(&form, &key, policy, sizeof(policy), &policy_length, signature) ==
                  LST_OK &&
              lst_credential(LST_SLICE("alice"), &key, credential, sizeof(credential),
                             &credential_length) == LST_OK,
          "a form is signed");
    struct lst_field fields[] = {
        {LST_SLICE("key"), LST_SLICE("a")},
        {LST_SLICE("policy"), {policy, policy_length}},
        {LST_SLICE("x-amz-algorithm"), LST_SLICE("AWS4-HMAC-SHA256")},
        {LST_SLICE("x-amz-credential"), {credential, credential_length}},
        {LST_SLICE("x-amz-date"), LST_SLICE("20260131T120000Z")},
        {LST_SLICE("x-amz-signature"), {signature, sizeof(signature)}},
        {LST_SLICE("x-amz-security-token"), LST_SLICE("token")},
    };
    CHECK(lst_gate_authenticate_form(scene_gate, &request, fields, 6, SCENE_NOW, &passage) ==
                  LST_OK &&
              strcmp(lst_passage_user_name(&passage), "alice") == 0,
          "its signer passes");
    CHECK(lst_gate_authorise(scene_gate, &passage, &question) == LST_OK, "and may upload");
    struct lst_explanation explanation;
    CHECK(lst_gate_explain(scene_gate, &passage, LST_SLICE("photos"), &explanation) ==
              LST_ERR_INVALID_ARGUMENT,
          "forms are not explained");
    lst_passage_release(&passage);
    CHECK(lst_gate_authenticate_form(scene_gate, &request, fields, 7, SCENE_NOW, &passage) ==
              LST_REFUSED_TOKEN_INVALID,
          "no token is right");
    lst_passage_release(&passage);
    policy[0] ^= 1;
    CHECK(lst_gate_authenticate_form(scene_gate, &request, fields, 6, SCENE_NOW, &passage) ==
              LST_REFUSED_SIGNATURE,
          "the policy can't be changed");
    lst_passage_release(&passage);
    CHECK(lst_gate_authenticate_form(scene_gate, &request, fields, 1, SCENE_NOW, &passage) ==
              LST_REFUSED_NOT_SIGNED,
          "a form without a signature is nobody's");
    lst_passage_release(&passage);
}

/* A search costs far more than a refusal, and whoever knows a key's id can ask for it. */
static void test_explanations_are_bounded(void)
{
    enum { PER_SECOND = 200, ASKED = 250 };
    struct scene_request request;
    int explained[2] = {0, 0};
    int refused = 0;

    scene_presign(&request, &(struct scene_signing){.host = "localhost"});
    request.headers[0].value = request.http.host = LST_SLICE("localhost:9000");
    for (int i = 0; i < ASKED + 1; i++) {
        int second = i < ASKED ? 0 : 1;
        struct lst_explanation explanation = {0};
        struct lst_passage passage;
        int status =
            lst_gate_authenticate(scene_gate, &request.http, SCENE_NOW + 1 + second, &passage);

        if (status == LST_REFUSED_SIGNATURE) {
            status = lst_gate_explain(scene_gate, &passage, LST_SLICE("photos"), &explanation);
            explained[second] += status == LST_OK;
            refused += status == LST_ERR_TOO_LARGE;
        }
        lst_passage_release(&passage);
    }
    CHECK(explained[0] == PER_SECOND && refused == ASKED - PER_SECOND,
          "of so many in a second no more are explained (%d explained, %d refused)", explained[0],
          refused);
    CHECK(explained[1] == 1, "the next second it goes on");
}

int main(void)
{
    const struct lst_slice public_hosts[] = {LST_SLICE("cdn.example.com"),
                                             LST_SLICE("files.example.com")};

    scene_open(public_hosts, 2);
    CHECK(scene_add("alice", ALLOW_ALL) == LST_OK, "a user");
    test_authenticate();
    test_refusals();
    test_authorise();
    test_pass();
    test_root();
    test_hosts();
    test_explain();
    test_explanations_are_bounded();
    test_many_scopes();
    test_form();
    scene_close();
    return tap_done();
}
