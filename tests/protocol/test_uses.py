"""Links that are counted: x-latch-id and x-latch-uses, exactly, whoever comes at the same time and whatever dies."""
import concurrent.futures
import signal
import socket
import time
import urllib.parse

import pytest
from test_constraints import BUCKET, cat, refused, send, sign  # noqa: F401 - cat is a fixture


def spent(answer, used, limit):
    refused(answer, 403, "AccessDenied", "x-latch-uses", f"used {used} of {limit} times")


def eventually(check):
    for _ in range(200):
        value = check()
        if value is not None:
            return value
        time.sleep(0.05)
    raise AssertionError("it never came true")


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


def test_each_head_is_a_use(server):
    """It tells that the object exists, how large it is, and its metadata: as often as was signed, and no more."""
    url = sign(server, id="looked-at", uses=3, head="1")
    assert [send("HEAD", url).status for _ in range(2)] == [200, 200]
    assert send("GET", url).body == b"a cat"
    assert send("HEAD", url).status == 403
    spent(send("GET", url), 3, 3)


def test_a_url_for_head_is_counted(server):
    url = sign(server, "HEAD", id="head-only", uses=1)
    assert [send("HEAD", url).status for _ in range(3)] == [200, 403, 403]


def test_a_preview_that_sends_head_spends_nothing(server):
    url = sign(server, id="previewed", uses=1)
    assert [send("HEAD", url).status for _ in range(3)] == [403, 403, 403]
    assert send("GET", url).body == b"a cat"


def test_of_64_heads_at_once_one_is_answered(server):
    url = sign(server, "HEAD", id="head-crowd", uses=1)
    head = (f"HEAD {url.removeprefix(server.endpoint)} HTTP/1.1\r\nHost: {urllib.parse.urlsplit(url).netloc}\r\n"
            "Connection: close\r\n\r\n").encode()
    statuses = simultaneous(server, url, 64, head)
    assert statuses.count(200) == 1 and statuses.count(403) == 63


def test_each_range_is_a_use(server):
    url = sign(server, id="ranges", uses=2)
    assert send("GET", url, headers={"Range": "bytes=0-0"}).body == b"a"
    assert send("GET", url, headers={"Range": "bytes=99-"}).status == 416
    assert send("GET", url, headers={"Range": "bytes=2-"}).body == b"cat"
    spent(send("GET", url, headers={"Range": "bytes=0-0"}), 2, 2)


def test_a_condition_that_holds_nothing_back_is_a_use(server):
    url = sign(server, id="conditions", uses=1)
    etag = send("GET", sign(server)).headers["ETag"]
    assert [send("GET", url, headers={"If-None-Match": etag}).status for _ in range(3)] == [304, 304, 304]
    assert send("GET", url, headers={"If-Match": '"other"'}).status == 412
    assert send("GET", url, headers={"If-Match": etag}).status == 200
    assert send("GET", url, headers={"If-None-Match": etag}).status == 403


def test_a_download_that_is_broken_off_is_a_use(server, s3):
    s3.put_object(Bucket=BUCKET, Key="film.bin", Body=bytes(20 << 20))
    url = sign(server, key="film.bin", id="broken-off", uses=1)
    parts = urllib.parse.urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as sock:
        sock.sendall(f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        assert b"200 OK" in sock.recv(100)
    spent(send("GET", url), 1, 1)


@pytest.mark.parametrize("sent", [b"half", b"bytes and more"])
def test_an_upload_whose_client_hangs_up(server, s3, sent):
    """Half a body stores nothing, and spends nothing. A whole body spends the use if it was stored, else not."""
    key = f"hung-up-{len(sent)}.bin"
    url = sign(server, "PUT", key, id=key, uses=1)
    parts = urllib.parse.urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as sock:
        sock.sendall(f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
                     "Content-Length: 14\r\n\r\n".encode() + sent)
    server.wait_for_log(f"PutObject {BUCKET}/{key} ")

    def stored():
        return [s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
                for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix=key).get("Contents", [])]

    def second():
        answer = send("PUT", url, data=b"second")
        return answer if answer.status == 200 or stored() == [sent] else None
    if eventually(second).status == 403:
        assert len(sent) == 14
    else:
        assert stored() == [b"second"]


def test_a_form_is_counted(server, s3):
    fields = {"x-latch-id": "form", "x-latch-uses": "1"}
    form = s3.generate_presigned_post(BUCKET, "form.bin", Fields=dict(fields),
                                      Conditions=[{name: value} for name, value in fields.items()])
    files = {"file": ("name", b"from a form")}
    assert send("POST", form["url"], data=form["fields"], files=files).status == 204
    spent(send("POST", form["url"], data=form["fields"], files=files), 1, 1)
    assert s3.head_object(Bucket=BUCKET, Key="form.bin")["ResponseMetadata"]["HTTPHeaders"]["x-latch-id"] == "form"


def test_a_form_that_is_refused_is_not_counted(start):
    """Too large by some bytes, which is known when they come; too small, which is known at its end; and a spent link."""
    server = start("--body-max", "100000", "--buckets", BUCKET)
    s3 = server.client()
    fields = {"x-latch-id": "large-form", "x-latch-uses": "1", "x-latch-length": "3-1000000"}
    form = s3.generate_presigned_post(BUCKET, "form.bin", Fields=dict(fields),
                                      Conditions=[{name: value} for name, value in fields.items()])

    def post(body):
        return send("POST", form["url"], data=form["fields"], files={"file": ("name", body)})
    for body, code in ((b"x" * 100_010, "EntityTooLarge"), (b"x", "EntityTooSmall"), (b"x" * 100_010, "EntityTooLarge")):
        assert post(body).code == code
    assert post(b"x" * 100_000).status == 204
    spent(post(b"x" * 1000), 1, 1)
    spent(post(b"x"), 1, 1)


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


def test_no_number_is_a_way_around(server):
    for number in ("-1", "0", "1000001", "18446744073709551617", "1e3", "+1", " 1", "0x1", "1.0", ""):
        refused(send("GET", sign(server, id="numbers", uses=number)), 400, "InvalidArgument")
    assert send("GET", sign(server, id="numbers", uses="0001")).status == 200
    spent(send("GET", sign(server, id="numbers", uses="1")), 1, 1)


def test_each_url_is_held_against_its_own_number(server):
    assert [send("GET", sign(server, id="numbered", uses=3)).status for _ in range(2)] == [200, 200]
    spent(send("GET", sign(server, id="numbered", uses=2)), 2, 2)
    assert send("GET", sign(server, id="numbered")).status == 200  # not counted at all
    assert send("GET", sign(server, id="numbered", uses=3)).status == 200
    spent(send("GET", sign(server, id="numbered", uses=3)), 3, 3)


def test_ids_that_differ_in_case_or_by_escapes(server):
    assert send("GET", sign(server, id="Case", uses=1)).status == 200
    assert send("GET", sign(server, id="case", uses=1)).status == 200
    escaped = sign(server, id="%43ase", uses=1)  # a percent sign is no part of an id
    refused(send("GET", escaped), 400, "InvalidArgument")
    longest = "x" * 512
    assert send("GET", sign(server, id=longest, uses=1)).status == 200
    spent(send("GET", sign(server, id=longest, uses=1)), 1, 1)


def form_that_expires_in(server, seconds, **constraints):
    s3 = server.client()
    fields = {"x-latch-" + name: value for name, value in constraints.items()}
    return s3.generate_presigned_post(BUCKET, "form.bin", Fields=dict(fields), ExpiresIn=seconds,
                                      Conditions=[{name: value} for name, value in fields.items()])


def test_a_form_with_an_id_lives_no_longer_than_a_url(server):
    """Else its count would be swept before it ends."""
    files = {"file": ("name", b"from a form")}
    long = form_that_expires_in(server, 700000, id="long-form", uses="1")
    answer = send("POST", long["url"], data=long["fields"], files=files)
    refused(answer, 400, "InvalidArgument")
    assert answer.error["ArgumentName"] == "x-latch-id" and "604800 seconds" in answer.error["Message"]
    week = form_that_expires_in(server, 604800, id="long-form", uses="1")
    assert send("POST", week["url"], data=week["fields"], files=files).status == 204
    plain = form_that_expires_in(server, 700000)
    assert send("POST", plain["url"], data=plain["fields"], files=files).status == 204


# ---- Caches

PRIVATE = "private, no-store"


def test_no_cache_keeps_what_is_counted(server, s3):
    s3.put_object(Bucket=BUCKET, Key="public.jpg", Body=b"a cat", CacheControl="public, max-age=31536000, immutable",
                  Expires="Thu, 01 Jan 2099 00:00:00 GMT")
    more = "&response-cache-control=public%2Cmax-age%3D1000&response-expires=Thu%2C%2001%20Jan%202099%2000%3A00%3A00%20GMT"
    etag = send("GET", sign(server, key="public.jpg")).headers["ETag"]
    for constraints in ({"id": "cached", "uses": 20, "head": 1}, {"id": "cached", "head": 1}):
        for signed in ("", more):
            url = sign(server, key="public.jpg", more=signed, **constraints)
            answers = [send("GET", url), send("HEAD", url), send("GET", url, headers={"Range": "bytes=0-1"}),
                       send("GET", url, headers={"If-None-Match": etag}), send("GET", url, headers={"If-Match": '"x"'}),
                       send("GET", url, headers={"Range": "bytes=99-"}), send("GET", url[:-4] + "0000"),
                       send("DELETE", url)]
            assert [answer.status for answer in answers] == [200, 200, 206, 304, 412, 416, 403, 403]
            for answer in answers:
                assert answer.headers["Cache-Control"] == PRIVATE, answer
                assert "Expires" not in answer.headers, answer
    spent_url = sign(server, key="public.jpg", id="cached-once", uses=1)
    for status in (200, 403):
        answer = send("GET", spent_url)
        assert (answer.status, answer.headers["Cache-Control"]) == (status, PRIVATE)
    missing = send("GET", sign(server, key="none", id="cached"))
    assert (missing.status, missing.headers["Cache-Control"]) == (404, PRIVATE)
    wrong = send("GET", sign(server, id="a b"))
    assert (wrong.status, wrong.headers["Cache-Control"]) == (400, PRIVATE)


def test_a_counted_upload_is_kept_by_no_cache(server, s3):
    url = sign(server, "PUT", "uncached.bin", id="uncached", uses=1)
    assert [send("PUT", url, data=b"x").headers["Cache-Control"] for _ in range(2)] == [PRIVATE, PRIVATE]
    fields = {"x-latch-id": "uncached-form", "success_action_redirect": "http://127.0.0.1:1/"}
    form = s3.generate_presigned_post(BUCKET, "form.bin", Fields=dict(fields),
                                      Conditions=[{name: value} for name, value in fields.items()])
    answer = send("POST", form["url"], data=form["fields"], files={"file": ("n", b"x")}, allow_redirects=False)
    assert (answer.status, answer.headers["Cache-Control"]) == (303, PRIVATE)


def test_what_has_no_id_is_cached_as_its_owner_says(server, s3):
    s3.put_object(Bucket=BUCKET, Key="public.jpg", Body=b"a cat", CacheControl="public, max-age=60")
    assert send("GET", sign(server, key="public.jpg")).headers["Cache-Control"] == "public, max-age=60"
    assert send("GET", sign(server, key="public.jpg", head=1)).headers["Cache-Control"] == "public, max-age=60"
