/* remote_test.c - remotes: what one may be, and that what is signed for AWS is what AWS documents.
 */
#include "api/remote.h"
#include "api/sign.h"
#include "tap.h"

#include <stdlib.h>

static char problem[LST_PROBLEM_MAX];

static int read(const char *text, struct lst_remote *ret_remote)
{
    json_t *json = json_loads(text, 0, NULL);
    int status = lst_remote_from_json(json, problem, ret_remote);

    json_decref(json);
    return status;
}

/* "Authenticating Requests: Using Query Parameters" of the Amazon S3 API Reference. */
static void test_documented_url(void)
{
    static const char wanted[] =
        "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    struct lst_remote remote;
    struct lst_buffer url;
    int status = read("{\"name\":\"aws\",\"endpoint\":\"https://s3.amazonaws.com/\","
                      "\"style\":\"virtual\",\"access_key_id\":\"AKIAIOSFODNN7EXAMPLE\","
                      "\"secret\":\"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\"}",
                      &remote);

    CHECK(status == LST_OK, "a remote at AWS");
    lst_buffer_init(&url, 4096);
    status = lst_remote_sign(&remote,
                             (struct lst_signing){.method = LST_SLICE("GET"),
                                                  .bucket = LST_SLICE("examplebucket"),
                                                  .key = LST_SLICE("test.txt"),
                                                  .time = 1369353600,
                                                  .expires = 86400},
                             &url);
    CHECK(status == LST_OK, "is signed for");
    CHECK_TEXT(url.bytes, url.length, wanted, "the URL is the one that AWS documents");
    lst_buffer_release(&url);
    lst_remote_release(&remote);
    CHECK(remote.secret[0] == '\0', "the secret is wiped");
}

static void test_refused(const char *field, const char *text)
{
    struct lst_remote remote;

    problem[0] = '\0';
    CHECK(read(text, &remote) == LST_ERR_MALFORMED && strncmp(problem, field, strlen(field)) == 0,
          "refused by name: %s (%s)", text, problem);
}

#define REST "\"access_key_id\":\"a\",\"secret\":\"s3cret\"}"

static void test_malformed(void)
{
    test_refused("name", "{\"endpoint\":\"https://h\"," REST);
    test_refused("name", "{\"name\":\"a/b\",\"endpoint\":\"https://h\"," REST);
    test_refused("endpoint", "{\"name\":\"a\"," REST);
    test_refused("endpoint", "{\"name\":\"a\",\"endpoint\":\"ftp://h\"," REST);
    test_refused("endpoint", "{\"name\":\"a\",\"endpoint\":\"https://h/path\"," REST);
    test_refused("endpoint", "{\"name\":\"a\",\"endpoint\":\"https://user@h\"," REST);
    test_refused("endpoint", "{\"name\":\"a\",\"endpoint\":\"https://h?x\"," REST);
    test_refused("endpoint", "{\"name\":\"a\",\"endpoint\":\"https://\"," REST);
    test_refused("style", "{\"name\":\"a\",\"endpoint\":\"https://h\",\"style\":\"dns\"," REST);
    test_refused("region", "{\"name\":\"a\",\"endpoint\":\"https://h\",\"region\":\"a b\"," REST);
    test_refused("nonsense", "{\"name\":\"a\",\"endpoint\":\"https://h\",\"nonsense\":1," REST);
    test_refused("secret", "{\"name\":\"a\",\"endpoint\":\"https://h\",\"access_key_id\":\"a\","
                           "\"secret\":\"with a blank\"}");
    CHECK(strstr(problem, "blank\"") == NULL && strstr(problem, "with a") == NULL,
          "no problem has a secret in it");
}

static void test_shown(void)
{
    struct lst_remote remote;
    json_t *json;
    char *text;

    CHECK(read("{\"name\":\"a\",\"endpoint\":\"http://h:9000\",\"session_token\":\"t0ken\"," REST,
               &remote) == LST_OK,
          "a remote with a port and a session token");
    json = lst_remote_to_json(&remote, false);
    text = json_dumps(json, 0);
    CHECK(strstr(text, "s3cret") == NULL && strstr(text, "t0ken") == NULL,
          "what is shown has no secret in it");
    free(text);
    json_decref(json);
    json = lst_remote_to_json(&remote, true);
    CHECK(lst_remote_from_json(json, problem, &remote) == LST_OK &&
              strcmp(remote.secret, "s3cret") == 0 && strcmp(remote.session_token, "t0ken") == 0,
          "what is stored is read again");
    json_decref(json);
    lst_remote_release(&remote);
}

int main(void)
{
    test_documented_url();
    test_malformed();
    test_shown();
    return tap_done();
}
