"""Names that try to leave the data directory: a key is a key, and nothing outside changes."""
import contextlib
import os
import urllib.parse

import pytest
from botocore.exceptions import ClientError
from harness import presign, sign_and_send, target_of
from hostile import connect, read_answers

BUCKET = "pictures"
KEYS = ["../escaped", "../../../../../../../../tmp/escaped", "a/../../b", "..", ".", "./x", "a/./b", "a//b", "//etc/passwd",
        "/etc/passwd", "..\\..\\escaped", "C:\\escaped", "%2e%2e%2fescaped", "..%2f..%2fescaped", "....//....//x",
        "a\nb", "a\tb", "a\0b", "\x01\x7f", "users.mdb", "index.mdb", "blobs/00000001", "-rf", "$(touch escaped)", "`id`",
        "\u202etxt.exe", "ü" * 512, "a/" * 512, "x" * 1024, " ", "*", "?", "#", "&", "+", "'\"<>"]


def outside(server):
    """Everything beside the data folder, and the names in the folder itself."""
    above = os.path.dirname(server.data)
    return ({(base, name) for base, folders, names in os.walk(above) if not base.startswith(server.data)
             for name in folders + names if not name.endswith(".log")} |
            {("", name) for name in os.listdir(server.data)} | {("/tmp", os.path.exists("/tmp/escaped"))})


@pytest.mark.parametrize("size", [10, 50_000])
def test_keys_that_look_like_paths(server, s3, size):
    """Each is stored, read, listed and deleted under its very name, in the index and as a blob."""
    before = outside(server)
    for number, key in enumerate(KEYS):
        url = presign(s3, "put_object", key=key)
        assert server.send("PUT", target_of(url), body=bytes([number]) * size).status == 200, key
    listed = s3.list_objects_v2(Bucket=BUCKET, EncodingType="url")["Contents"]
    assert {urllib.parse.unquote_plus(entry["Key"]) for entry in listed} == set(KEYS)
    for number, key in enumerate(KEYS):
        answer = server.send("GET", target_of(presign(s3, "get_object", key=key)))
        assert (answer.status, answer.body) == (200, bytes([number]) * size), key
    assert outside(server) == before
    for key in KEYS:
        assert server.send("DELETE", target_of(presign(s3, "delete_object", key=key))).status == 204, key
    assert outside(server) == before


@pytest.mark.parametrize("target", [
    "/../../etc/passwd", "/pictures/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc%2fpasswd",
    "/pictures/%2e%2e%2f%2e%2e%2fetc/passwd", "/pictures/..%5c..%5cetc", "//etc/passwd", "/./-/metrics/../../x",
    "/pictures/%00", "/pictures/a%00b", "/pic%00tures/a", "/pictures/%ff%fe", "/pictures/%c0%ae%c0%ae%2fetc",
    "/pictures/%ed%a0%80", "/pictures/%f4%90%80%80", "/pictures/%", "/pictures/%2", "/pictures/%zz", "/pictures/\xff",
    "/-/../pictures/k", "/-/%2e%2e/x", "/pictures/" + "a" * 1025, "/pictures/" + "%61" * 1025, "/" + "b" * 5000 + "/k",
    "/..", "/.", "/%2e", "/-", "/pictures/" + "../" * 400 + "etc/passwd", "*", "http://127.0.0.1/../etc/passwd"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_targets_that_lead_nowhere(server, method, target):
    """Unsigned; a path is never normalised, so it fits no signature but its own."""
    before = outside(server)
    with connect(server) as sock:
        sock.sendall(f"{method} {target} HTTP/1.1\r\nHost: {server.host}\r\nContent-Length: 0\r\n\r\n".encode("latin-1"))
        status, body = read_answers(sock, 1)[0]
    assert 400 <= status < 500 and b"root:" not in body, (status, body)
    assert outside(server) == before


@pytest.mark.parametrize("path,status,codes", [
    ("/pictures/%FF%FE", 400, {"InvalidURI", "InvalidArgument"}),
    ("/pictures/" + "k" * 1025, 400, {"KeyTooLongError"}),
    ("/..", 400, {"InvalidBucketName"}),
    ("/../pictures", 400, {"InvalidBucketName"})])
def test_signed_but_impossible_names(server, path, status, codes):
    before = outside(server)
    answer = sign_and_send(server, "PUT", path, b"x" * 20_000)
    assert answer.status == status or (answer.status, answer.code) == (404, "NoSuchBucket"), answer
    assert answer.code in codes | {"NoSuchBucket"}, answer
    assert outside(server) == before


@pytest.mark.parametrize("bucket", ["..", "../x", "a/b", "x" * 64, "A", "ab", "-/-", "users.mdb/..", "xn--a", "10.0.0.1", "a..b"])
def test_names_that_no_bucket_can_have(server, bucket):
    before = outside(server)
    answer = sign_and_send(server, "PUT", "/" + urllib.parse.quote(bucket, safe=""))
    assert 400 <= answer.status < 500, answer
    assert outside(server) == before


def test_copies_from_paths_that_lead_elsewhere(server, s3):
    for source in ("../../etc/passwd", "/etc/passwd", "pictures/../../etc/passwd", "..%2f..%2fetc%2fpasswd", "pictures/%00"):
        with contextlib.suppress(ClientError):
            s3.copy_object(Bucket=BUCKET, Key="copied", CopySource=source)
            raise AssertionError(f"{source} was copied")
