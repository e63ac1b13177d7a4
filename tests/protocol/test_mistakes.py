"""Mistakes as users make them: the explanation begins with the true cause, and says what to do."""
import json
import re
import urllib.parse

import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from harness import ACCESS_KEY, SECRET_KEY, HeaderSigner, clock_shifted, presign, target_of

TOKEN = "lst_20fe6huudczolifg_9hdCu27pGMdH1xE7uL2uw68hVJb0kY57aOrTgZMhoYt"


def said(server, answer, beginning, *words):
    """The explanation begins so, holds these words, and stands in the log."""
    assert answer.status in (400, 403, 404), answer
    text = answer.error["Explanation"]
    assert text.startswith(beginning), text
    for word in words:
        assert word in text, text
    assert server.wait_for_log(rf".*{answer.error['RequestId']}.*{re.escape(beginning)}.*")
    assert SECRET_KEY not in text and TOKEN not in text


def url(server, operation="get_object", parameters=None, key="cat.jpg", **client):
    return target_of(presign(server.client(**client), operation, key=key, **(parameters or {})))


def header(server, seconds=0, secret=SECRET_KEY):
    """The headers of a request for the object that is signed with its header."""
    with clock_shifted(seconds):
        request = AWSRequest("GET", server.endpoint + "/pictures/cat.jpg")
        HeaderSigner(Credentials(ACCESS_KEY, secret), "s3", "us-east-1").add_auth(request)
        return dict(request.headers.items())


# ---- What the URL is used with

@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_upload_url_in_a_browser(server, method):
    """Its address bar sends GET, a form POST, and neither the headers that were signed for the PUT."""
    target = url(server, "put_object", {"IfNoneMatch": "*"})
    said(server, server.send(method, target), "The URL was signed for the method 'PUT' with the header 'if-none-match' as '*'",
         f"was used with '{method}' and without that header")


# ---- Keys

@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_wrong_secret_without_a_proxy(server, name):
    """Nobody is sent to look for a proxy that is not there."""
    host = f"{name}:{server.port}"
    answer = server.send("GET", url(server, secret_key="wrong" * 8, endpoint=f"http://{host}"), {"Host": host})
    said(server, answer, "Most likely the secret is wrong", ACCESS_KEY)
    assert "nginx" not in answer.error["Explanation"]
    said(server, server.send("GET", "/pictures/cat.jpg", header(server, secret="wrong" * 8)), "Most likely the secret is wrong", ACCESS_KEY)


@pytest.mark.parametrize("headers", [{"X-Forwarded-For": "192.0.2.1"}, {"X-Real-IP": "192.0.2.1"}, {"Via": "1.1 x"}, {"Connection": "close"}])
def test_a_wrong_secret_behind_a_proxy(server, headers):
    answer = server.send("GET", url(server, secret_key="wrong" * 8), headers)
    said(server, answer, "No known change makes the signature right. The Host that arrived", "nginx", "check the secret access key")


@pytest.mark.parametrize(("secret", "beginning"), [
    (SECRET_KEY + "\n", "The signer's secret access key has white space"), (SECRET_KEY + " ", "The signer's secret access key has white space"),
    (f'"{SECRET_KEY}"', "The signer's secret access key has quotes"), (f"'{SECRET_KEY}'", "The signer's secret access key has quotes"),
    (SECRET_KEY + ";", "The signer's secret access key has quotes or a semicolon"),
    (urllib.parse.quote(SECRET_KEY, safe=""), "The signer's secret access key is percent-encoded")])
def test_a_secret_that_was_copied_badly(server, secret, beginning):
    said(server, server.send("GET", url(server, secret_key=secret)), beginning, "where the signer reads its credentials")


def test_a_key_of_another_server(server):
    said(server, server.send("GET", url(server, access_key="AKIANOBODY00000000", secret_key="x" * 40)), "No user of this server has this access key", "user list")


@pytest.mark.parametrize("secret", [SECRET_KEY, SECRET_KEY.replace("/", "x")])
def test_id_and_secret_exchanged(server, secret):
    said(server, server.send("GET", url(server, access_key=secret, secret_key=ACCESS_KEY)), "The access key id looks like a secret access key", "exchange")


@pytest.mark.parametrize(("secret", "form"), [(SECRET_KEY, "query"), (SECRET_KEY.replace("/", "x"), "query"), (TOKEN, "query"), (TOKEN, "header"),
                                              (SECRET_KEY.replace("/", "x"), "header"), (SECRET_KEY, "header")])
def test_a_secret_in_the_wrong_place_is_neither_logged_nor_repeated(server, secret, form):
    if form == "query":
        answer = server.send("GET", url(server, access_key=secret, secret_key=ACCESS_KEY))
    else:
        request = AWSRequest("GET", server.endpoint + "/pictures/cat.jpg")
        HeaderSigner(Credentials(secret, ACCESS_KEY), "s3", "us-east-1").add_auth(request)
        answer = server.send("GET", "/pictures/cat.jpg", dict(request.headers.items()))
    assert answer.status in (400, 403)
    part = secret[:12]
    assert part not in answer.body.decode()
    assert server.wait_for_log(rf".*{answer.error['RequestId']}.*")
    assert part not in server.log()


@pytest.mark.parametrize("space", [" ", "\n", "\r\n", "\t"])
def test_an_id_with_white_space(server, space):
    said(server, server.send("GET", url(server, access_key=ACCESS_KEY + space)), "The access key id has white space", "remove it")


def test_a_session_token(server):
    said(server, server.send("GET", url(server, token="FwoGZXIvYXdzEXAMPLE")), "The URL has a session token", "AWS_SESSION_TOKEN")


@pytest.mark.parametrize("value", ["Bearer " + TOKEN, TOKEN, "bearer  " + TOKEN, "Bearer lsc_abc.def"])
def test_a_token_where_a_signature_belongs(server, value):
    said(server, server.send("GET", "/pictures/cat.jpg", {"Authorization": value}), "An API token was sent.", "/-/api/")


def test_a_token_as_a_key(server):
    said(server, server.send("GET", url(server, access_key=TOKEN, secret_key=TOKEN)), "An API token was sent.", "user add")


@pytest.mark.parametrize(("value", "beginning"), [
    ("Basic YWJjOmRlZg==", "A user name and a password were sent."), ("Bearer eyJhbGciOiJIUzI1NiJ9.e30.abc", "A bearer token was sent."),
    ("Digest username=x", "The Authorization header must begin with AWS4-HMAC-SHA256")])
def test_another_scheme(server, value, beginning):
    said(server, server.send("GET", "/pictures/cat.jpg", {"Authorization": value}), beginning, "presigned URL")


def test_a_url_and_a_header(server):
    answer = server.send("GET", url(server), {"Authorization": "Bearer " + TOKEN})
    said(server, answer, "A presigned URL is all the authorization", "without the Authorization header")


def test_nothing_signed(server):
    said(server, server.send("GET", "/pictures/cat.jpg"), "The request is not signed", "presigned URL")


def test_a_presigned_url_for_the_api(server):
    answer = server.send("GET", "/-/api/links?" + url(server).split("?")[1])
    assert answer.status == 403
    assert "can't be called with a presigned URL" in json.loads(answer.body)["error"]["message"]


# ---- Clocks and regions

@pytest.mark.parametrize(("seconds", "words"), [(7200, ["2 hours ahead of"]), (-3600, ["1 hour behind"]), (19800, ["ahead of", "local time"]),
                                                (-1500, ["25 minutes behind", "NTP"]), (3600, ["local time for UTC"])])
def test_a_clock_that_is_off(server, seconds, words):
    answer = server.send("GET", "/pictures/cat.jpg", header(server, seconds))
    assert answer.code == "RequestTimeTooSkewed"
    said(server, answer, "By its date the request was signed at 20", *words)


def test_a_url_of_tomorrow(server):
    with clock_shifted(3 * 3600):
        target = url(server)
    said(server, server.send("GET", target), "By its date the request was signed at 20", "3 hours ahead of")


@pytest.mark.parametrize(("age", "ago"), [(400, "100 seconds ago"), (400 * 86400, "400 days ago")])
def test_an_expired_url(server, age, ago):
    with clock_shifted(-age):
        target = url(server)
    answer = server.send("GET", target)
    assert answer.error["Message"] == "Request has expired"
    said(server, answer, "The URL was valid for 5 minutes, until 20", ago if age > 1000 else "seconds ago", "sign a new one")


def test_another_region(start):
    server = start("--region", "eu-west-1", "--buckets", "pictures")
    said(server, server.send("GET", url(server, region="us-east-1")), "Sign for the region 'eu-west-1'", "region_name", "AWS_REGION")


# ---- Endpoints

@pytest.mark.parametrize(("endpoint", "style"), [
    ("https://s3.us-east-1.amazonaws.com", "path"), ("https://s3.amazonaws.com", "path"), ("https://s3.amazonaws.com", "virtual"),
    ("https://s3.us-east-1.amazonaws.com", "virtual")])
def test_signed_for_aws(server, endpoint, style):
    target = url(server, endpoint=endpoint, s3={"addressing_style": style})
    if style == "virtual":
        target = "/pictures" + target
    said(server, server.send("GET", target), "The URL was signed for AWS, the host ", "endpoint_url", "AWS_ENDPOINT_URL")


@pytest.mark.parametrize("key", ["cat.jpg", "2026/cat.jpg", "A_B/cat.jpg"])
def test_the_bucket_in_a_host_that_the_server_does_not_know(server, key):
    target = url(server, endpoint="http://s3.example.com", key=key, s3={"addressing_style": "virtual"})
    answer = server.send("GET", target, {"Host": "pictures.s3.example.com"})
    said(server, answer, "The bucket was looked for in the path, but stands in the host: 'pictures.s3.example.com'",
         "'addressing_style': 'path'", "--domain s3.example.com")


def test_a_bucket_that_is_nowhere(server):
    answer = server.send("GET", url(server, endpoint="http://www.example.com").replace("/pictures/", "/pictures/"), {"Host": "www.example.com"})
    assert answer.status == 404 and "Explanation" not in answer.error  # a key that is not there
    target = target_of(presign(server.client(endpoint="http://www.example.com"), "get_object", bucket="nowhere"))
    assert "Explanation" not in server.send("GET", target, {"Host": "www.example.com"}).error


# ---- On the way

@pytest.mark.parametrize(("spoil", "beginning"), [
    (lambda target: target[:-20] + "%20" + target[-20:], "White space stands in the middle of the URL"),
    (lambda target: target[:-20] + "%0D%0A" + target[-20:], "White space stands in the middle of the URL"),
    (lambda target: target[:-20] + "%0D%0A%20%20" + target[-20:], "White space stands in the middle of the URL"),
    (lambda target: target[:-20] + "=%0A" + target[-20:], "White space stands in the middle of the URL"),
    (lambda target: target.replace("Date=2", "Date=%0A2"), "White space stands in the middle of the URL"),
    (lambda target: target.replace("cat", "c%0Aat"), "White space stands in the middle of the URL"),
    (lambda target: target.replace("=", "=3D"), "The URL has '=3D' for '='"),
    (lambda target: target.replace("&", "&amp;"), "The URL has '&amp;' for '&'"),
    (lambda target: target.replace("?", "?t=123&"), "The query parameter 't' was added"),
    (lambda target: target + "&fbclid=abc", "What follows the signature, 'fbclid=abc', was added"),
    (lambda target: target.replace("Expires=300", "Expires=300000"), "X-Amz-Expires was '300' when the URL was signed"),
    (lambda target: "/" + target, "The URL was signed for the path '/pictures/cat.jpg' but '//pictures/cat.jpg' arrived"),
    (lambda target: target.replace("cat.jpg?", "cat.jpg/?"), "The URL was signed for the path '/pictures/cat.jpg'"),
    (lambda target: target[:-30], "The URL was cut short"),
    (lambda target: target + ")", "')' was glued to the end of the URL")])
def test_a_url_that_was_spoilt(server, spoil, beginning):
    target = url(server)
    assert spoil(target) != target
    said(server, server.send("GET", spoil(target)), beginning)


@pytest.mark.parametrize("spoilt", ["%20", "%0A"])
def test_white_space_that_was_signed_is_not_called_a_wrapped_line(server, spoilt):
    target = url(server, key="a\nb c.jpg", parameters={"ResponseContentDisposition": "attachment; filename=a b"})
    assert server.send("GET", target).code == "NoSuchKey"
    answer = server.send("GET", target.replace("Signature=", "Signature=" + spoilt))
    assert "White space" not in answer.error["Explanation"]


@pytest.mark.parametrize("headers", [{"x-amz-acl": "private"}, {"x-amz-meta-a": "b"}, {"x-amz-checksum-crc32": "AAAAAA=="}])
def test_a_header_that_was_not_signed(server, headers):
    answer = server.send("PUT", url(server, "put_object"), headers, b"x")
    said(server, answer, f"The client sent '{next(iter(headers))}', which is not signed", "leave it out")


@pytest.mark.parametrize(("operation", "method"), [
    ("get_object", "PUT"), ("get_object", "DELETE"), ("put_object", "GET"), ("put_object", "POST"), ("head_object", "GET")])
def test_another_method(server, operation, method):
    answer = server.send(method, url(server, operation), body=b"x" if method in ("PUT", "POST") else None)
    said(server, answer, "The URL was signed for the method '", f"'{method}'")


def test_head_has_no_body_to_say_it_in(server):
    answer = server.send("HEAD", url(server))
    assert (answer.status, answer.body) == (403, b"")
    assert answer.headers["x-latch-explanation"].startswith("The URL was signed for the method 'GET' but was used with 'HEAD'")
    assert "x-latch-explanation" not in server.send("GET", url(server, "head_object")).headers
    with clock_shifted(-400):
        target = url(server, "head_object")
    assert server.send("HEAD", target).headers["x-latch-explanation"].startswith("The URL was valid for 5 minutes")
