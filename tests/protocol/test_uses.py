"""Links that are counted: x-latch-id and x-latch-uses, exactly, whoever comes at the same time and whatever dies."""
import concurrent.futures
import signal
import socket
import urllib.parse

import pytest
from test_constraints import BUCKET, cat, refused, send, sign  # noqa: F401 - cat is a fixture


def spent(answer, used, limit):
    refused(answer, 403, "AccessDenied", "x-latch-uses", f"used {used} of {limit} times")


def simultaneous(server, url, count, request=b"", body=b""):
    """The statuses of so many requests, each on a connection of its own, sent when all are connected."""
    target = url.removeprefix(server.endpoint)
    head = request or (f"GET {target} HTTP/1.1\r\nHost: {urllib.parse.urlsplit(url).netloc}\r\n"
                       "Connection: close\r\n\r\n").encode()
    address = urllib.parse.urlsplit(server.endpoint)
    sockets = [socket.create_connection((address.hostname, address.port), timeout=30) for _ in range(count)]
    for sock in sockets:
        sock.sendall(head[:-1])
    for sock in sockets:
        sock.sendall(head[-1:] + body)

    def status(sock):
        with sock:
            return int(sock.makefile("rb").readline().split()[1])
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        return list(pool.map(status, sockets))


@pytest.mark.parametrize("limit", [1, 7])
def test_of_200_at_once_exactly_so_many_are_served(server, limit):
    statuses = simultaneous(server, sign(server, id=f"crowd-{limit}", uses=limit), 200)
    assert statuses.count(200) == limit and statuses.count(403) == 200 - limit


def test_of_50_uploads_at_once_one_is_stored(server, s3):
    url = sign(server, "PUT", "once.bin", id="upload-crowd", uses=1)
    parts = urllib.parse.urlsplit(url)
    head = (f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: 5\r\n"
            "Connection: close\r\n\r\n").encode()
    statuses = simultaneous(server, url, 50, head, b"bytes")
    assert statuses.count(200) == 1 and statuses.count(403) == 49
    assert s3.get_object(Bucket=BUCKET, Key="once.bin")["Body"].read() == b"bytes"


def test_a_spent_link_says_so(server):
    url = sign(server, id="twice", uses=2)
    for _ in range(2):
        assert send("GET", url).body == b"a cat"
    spent(send("GET", url), 2, 2)


def test_an_id_counts_over_all_of_its_urls(server):
    assert send("GET", sign(server, id="shared", uses=2)).status == 200
    assert send("GET", sign(server, id="shared", uses=2, ip="127.0.0.1")).status == 200
    spent(send("GET", sign(server, id="shared", uses=2)), 2, 2)


def test_what_was_not_served_is_not_counted(server):
    url = sign(server, key="not-yet.jpg", id="patient", uses=1)
    for _ in range(3):
        assert send("GET", url).status == 404
    assert send("PUT", sign(server, "PUT", "not-yet.jpg"), data=b"now").status == 200
    assert send("GET", url, headers={"If-None-Match": "*"}).status == 304
    assert send("GET", url).body == b"now"
    spent(send("GET", url), 1, 1)


def test_an_upload_that_failed_is_not_counted(server):
    url = sign(server, "PUT", "retried.bin", id="retried", uses=1)
    answer = send("PUT", url, data=b"bytes", headers={"Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="})
    assert answer.code == "BadDigest"
    assert send("PUT", url, data=b"bytes").status == 200
    spent(send("PUT", url, data=b"bytes"), 1, 1)


def test_an_empty_upload_is_counted(server, s3):
    url = sign(server, "PUT", "empty.bin", id="empty", uses=1)
    assert send("PUT", url, data=b"").status == 200
    assert s3.head_object(Bucket=BUCKET, Key="empty.bin")["ContentLength"] == 0
    spent(send("PUT", url, data=b""), 1, 1)


def test_a_large_upload_goes_on_after_it_was_counted(server, s3):
    body = bytes(range(256)) * 20000
    url = sign(server, "PUT", "large.bin", id="large", uses=1)
    assert send("PUT", url, data=body, headers={"Expect": "100-continue"}).status == 200
    assert s3.get_object(Bucket=BUCKET, Key="large.bin")["Body"].read() == body
    spent(send("PUT", url, data=body), 1, 1)


def test_head_is_not_counted(server):
    url = sign(server, id="looked-at", uses=1, head="1")
    assert [send("HEAD", url).status for _ in range(3)] == [200, 200, 200]
    assert send("GET", url).body == b"a cat"


def test_a_form_is_counted(server, s3):
    fields = {"x-latch-id": "form", "x-latch-uses": "1"}
    form = s3.generate_presigned_post(BUCKET, "form.bin", Fields=dict(fields),
                                      Conditions=[{name: value} for name, value in fields.items()])
    files = {"file": ("name", b"from a form")}
    assert send("POST", form["url"], data=form["fields"], files=files).status == 204
    spent(send("POST", form["url"], data=form["fields"], files=files), 1, 1)
    assert s3.head_object(Bucket=BUCKET, Key="form.bin")["ResponseMetadata"]["HTTPHeaders"]["x-latch-id"] == "form"


def test_an_object_says_by_which_link_it_came(server):
    assert send("PUT", sign(server, "PUT", "by-link.bin", id="A.b_c~d-1"), data=b"x").status == 200
    assert send("GET", sign(server, key="by-link.bin")).headers["x-latch-id"] == "A.b_c~d-1"


@pytest.mark.parametrize("constraints, word", [
    ({"uses": 1}, "x-latch-id"), ({"uses": 0, "id": "a"}, "1 to 1000000"), ({"uses": "many", "id": "a"}, "number"),
    ({"id": ""}, "letters"), ({"id": "a b"}, "letters"), ({"id": "a" * 513}, "512")])
def test_malformed(server, constraints, word):
    answer = send("GET", sign(server, **constraints))
    refused(answer, 400, "InvalidArgument")
    assert word in answer.error["Message"]


def test_counts_outlive_a_server_that_is_killed(start):
    server = start(environment={"LATCHSTRING_BUCKETS": BUCKET}, check=False)
    server.client().put_object(Bucket=BUCKET, Key="cat.jpg", Body=b"a cat")
    assert send("GET", sign(server, id="crash", uses=2)).status == 200
    server.stop(signal.SIGKILL)
    server = start(data=server.data)
    assert send("GET", sign(server, id="crash", uses=2)).status == 200
    spent(send("GET", sign(server, id="crash", uses=2)), 2, 2)
