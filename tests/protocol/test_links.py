"""Links of the API: made, listed, opened, counted, revoked; refused with a reason."""
import concurrent.futures
import http.client
import json
import time
import urllib.parse

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from harness import ACCESS_KEY, SECRET_KEY


@pytest.fixture(name="server")
def _server(start):
    """Each test its own, so that it has no links but its own."""
    server = start()
    yield server
    server.stop()


@pytest.fixture(name="s3")
def _s3(server):
    return server.client()


@pytest.fixture(name="bucket")
def _bucket(s3):
    s3.create_bucket(Bucket="link-bucket")
    s3.put_object(Bucket="link-bucket", Key="a b.jpg", Body=b"picture")
    return "link-bucket"


def ask(server, method, path, body=None, key=None, secret=None, headers=None):
    """One request to the API, signed by a user (the root user)."""
    url = server.endpoint + path
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    request = AWSRequest(method, url, data=data, headers={"Content-Type": "application/json"} if data else {})
    S3SigV4Auth(Credentials(key or ACCESS_KEY, secret or SECRET_KEY), "s3", "us-east-1").add_auth(request)
    place = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(place.netloc, timeout=20)
    connection.request(method, place.path + ("?" + place.query if place.query else ""), data,
                       {**dict(request.headers), **(headers or {})})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text) if text else None


def get(url, method="GET", body=None, headers=None):
    place = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(place.netloc, timeout=20)
    connection.request(method, place.path + ("?" + place.query if place.query else ""), body, headers or {})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def follow(url):
    """As a person does: a page's button is pressed."""
    answer, body = get(url)
    if answer.status == 200 and b"<form" in body:
        answer, body = get(url, "POST")
    while answer.status in (302, 303):
        answer, body = get(answer.headers["Location"])
    return answer, body


def create(server, **fields):
    status, link = ask(server, "POST", "/-/api/links", {"bucket": "link-bucket", "key": "a b.jpg", **fields})
    assert status == 201, link
    return link


def eventually(check):
    for _ in range(100):
        value = check()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("it never came true")


def test_a_link_opens_its_object(server, bucket):
    link = create(server, filename="für dich.jpg")
    for url in (link["url"], link["short_url"]):
        answer, body = follow(url)
        assert (answer.status, body) == (200, b"picture")
        assert "f%C3%BCr%20dich.jpg" in answer.headers["Content-Disposition"]
    answer, _ = get(link["short_url"])
    assert answer.status == 302
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "X-Amz-Expires=60" in answer.headers["Location"]
    # What was signed can't be turned into something else.
    assert get(link["url"].replace("a%20b.jpg", "other"))[0].status == 403
    assert get(link["url"], "DELETE")[0].status == 403


def test_uses_are_recorded(server, bucket):
    link = create(server)
    assert get(link["url"])[0].status == 200

    def uses():
        status, shown = ask(server, "GET", "/-/api/links/" + link["id"])
        assert status == 200
        return shown["uses"] and shown
    shown = eventually(uses)
    assert shown["state"] == "active"
    assert shown["uses"][0]["from"] == "127.0.0.1"
    assert shown["uses"][0]["status"] == 200
    assert shown["uses"][0]["bytes"] == len(b"picture")


def test_a_link_for_one_use(server, bucket):
    link = create(server, max_uses=1)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: follow(link["short_url"])[0].status, range(60)))
    assert answers.count(200) == 1
    assert set(answers) <= {200, 403, 410}
    answer, body = get(link["short_url"])
    assert (answer.status, body) == (410, b"This link has been used as often as it may be.\n")
    assert get(link["url"])[0].status == 403
    assert ask(server, "GET", "/-/api/links/" + link["id"])[1]["state"] == "used"


def test_a_revoked_link_is_dead_at_once(server, bucket):
    link = create(server)
    assert get(link["url"])[0].status == 200
    assert ask(server, "DELETE", "/-/api/links/" + link["id"]) == (204, None)
    assert get(link["url"])[0].status == 403
    assert get(link["short_url"])[0].status == 410
    shown = ask(server, "GET", "/-/api/links/" + link["id"])[1]
    assert shown["state"] == "revoked"
    assert "revoked_at" in shown
    assert ask(server, "DELETE", "/-/api/links/" + link["id"])[0] == 204


def test_limits_of_time_and_place(server, bucket):
    elsewhere = create(server, ip="203.0.113.0/24")
    later = create(server, not_before="2099-01-01T00:00:00Z")
    for link in (elsewhere, later):
        assert get(link["url"])[0].status == 403
        assert get(link["short_url"])[0].status == 403
    assert ask(server, "GET", "/-/api/links/" + later["id"])[1]["state"] == "not_yet"
    short = create(server, expires=1)
    time.sleep(2.1)
    assert get(short["url"])[0].status == 403
    assert get(short["short_url"])[0].status == 410
    assert ask(server, "GET", "/-/api/links/" + short["id"])[1]["state"] == "expired"


def test_a_link_to_put(server, bucket, s3):
    link = create(server, key="new.txt", method="PUT")
    assert "short_url" not in link
    place = urllib.parse.urlsplit(link["url"])
    connection = http.client.HTTPConnection(place.netloc, timeout=20)
    connection.request("PUT", place.path + "?" + place.query, b"hello")
    assert connection.getresponse().status == 200
    connection.close()
    assert s3.get_object(Bucket=bucket, Key="new.txt")["Body"].read() == b"hello"


def test_lists_go_on(server, bucket):
    # The oldest first, by the millisecond that an id begins with.
    ids = sorted(create(server)["id"] for _ in range(5))
    status, first = ask(server, "GET", "/-/api/links?limit=3")
    assert status == 200
    assert [link["id"] for link in first["links"]] == ids[:3]
    second = ask(server, "GET", "/-/api/links?limit=3&after=" + first["next"])[1]
    assert [link["id"] for link in second["links"]] == ids[3:]
    assert "next" not in second
    assert ask(server, "GET", "/-/api/links?limit=0")[0] == 400


@pytest.mark.parametrize(("change", "word"), [
    ({"bukket": "x"}, "bukket"), ({"key": None}, "key"), ({"key": 5}, "key"), ({"expires": 0}, "expires"),
    ({"expires": "1h"}, "expires"), ({"expires": 10**9}, "expires"), ({"max_uses": -1}, "max_uses"),
    ({"ip": "here"}, "ip"), ({"not_before": "soon"}, "not_before"), ({"method": "DELETE"}, "method"),
    ({"method": "PUT", "head": True}, "head"), ({"filename": "../x"}, "filename"), ({"head": "yes"}, "head"),
])
def test_bad_input_is_named(server, bucket, change, word):
    status, answer = ask(server, "POST", "/-/api/links", {"bucket": bucket, "key": "k", **change})
    assert status == 400
    assert answer["error"]["code"] == "InvalidArgument"
    assert word in answer["error"]["message"]
    assert ask(server, "GET", "/-/api/links")[1] == {"links": []}


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"bucket":"a","bucket":"b"}', b"\xff"])
def test_what_is_no_json(server, body):
    status, answer = ask(server, "POST", "/-/api/links", body)
    assert (status, answer["error"]["code"]) == (400, "InvalidJson")


def test_a_body_that_is_too_large(server):
    assert ask(server, "POST", "/-/api/links", b"{" + b" " * 600_000 + b"}")[0] == 413


def test_whoever_is_not_known_learns_nothing(server):
    for path in ("/-/api/links", "/-/api/links/abc"):
        place = server.endpoint + path
        answer, body = get(place)
        assert answer.status == 401
        assert json.loads(body)["error"]["code"] == "Unauthorized"
    status, answer = ask(server, "GET", "/-/api/links", headers={"Authorization": "Bearer lst_nobody"})
    assert (status, answer["error"]["code"]) == (401, "InvalidToken")
    assert ask(server, "GET", "/-/api/elsewhere")[0] == 404
    assert ask(server, "PUT", "/-/api/links", {})[0] == 405
    assert ask(server, "GET", "/-/api/links/" + "0" * 24)[0] == 404
    assert get(server.endpoint + "/-/l/nothing")[0].status == 404


def test_a_body_that_was_not_signed(server, bucket):
    request = AWSRequest("POST", server.endpoint + "/-/api/links", data=b'{"bucket":"mine","key":"k"}')
    S3SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "s3", "us-east-1").add_auth(request)
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.endpoint).netloc, timeout=20)
    connection.request("POST", "/-/api/links", b'{"bucket":"your","key":"k"}', dict(request.headers))
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["error"]["code"]) == (400, "XAmzContentSHA256Mismatch")
    connection.close()
    assert ask(server, "GET", "/-/api/links", secret="x" * 40)[1]["error"]["code"] == "SignatureDoesNotMatch"
    assert ask(server, "GET", "/-/api/links", key="AKIANOBODYNOBODYNOBO")[1]["error"]["code"] == "InvalidAccessKeyId"


def test_a_page_of_another_origin_may_ask(server):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.endpoint).netloc, timeout=20)
    connection.request("OPTIONS", "/-/api/links", headers={
        "Origin": "https://app.example", "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status in (200, 204)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "authorization" in answer.headers["Access-Control-Allow-Headers"].lower()


def test_links_survive_a_restart(server, bucket, start):
    link = create(server, max_uses=1)
    assert follow(link["short_url"])[0].status == 200
    server.stop()
    again = start(data=server.data)
    path = urllib.parse.urlsplit(link["short_url"]).path
    assert get(again.endpoint + path)[0].status == 410
