"""A folder as one ZIP archive, made while it is sent: what is in it, what is refused, what cuts it off."""
import contextlib
import functools
import http.client
import io
import json
import os
import random
import re
import socket
import subprocess
import urllib.parse
import zipfile

import pytest
from harness import presign
from test_links import ask, create, eventually, get

BROWSER = {"Accept": "text/html"}


@pytest.fixture(name="server", scope="module")
def _server(start):
    return start("--api-rate", "0", "--buckets", "link-bucket")


@pytest.fixture(name="s3", scope="module")
def _s3(server):
    return server.client()


def put(s3, **objects):
    for key, body in objects.items():
        s3.put_object(Bucket="link-bucket", Key=key, Body=body)


def archive(url, headers=None):
    answer, body = get(url, headers=headers or {})
    assert answer.status == 200, body
    assert answer.headers["Content-Length"] == str(len(body))
    return answer, body, zipfile.ZipFile(io.BytesIO(body))


@functools.lru_cache(1)
def plain_client(server):
    return server.client(request_checksum_calculation="when_required")


def plain_put(server, key, body):
    """An upload without any checksum, as curl makes one."""
    url = presign(plain_client(server), "put_object", bucket="link-bucket", key=key)
    assert get(url, "PUT", body)[0].status == 200


def test_a_folder_as_a_zip(server, s3, tmp_path):
    parts = [random.randbytes(5 << 20), b"the end"]
    files = {"a b.txt": b"one", "empty": b"", "large.bin": random.randbytes(300_000), "sub/ü & 日本.txt": b"two" * 5000, "plain.txt": b"p" * 20_000}
    for name in ("a b.txt", "empty", "large.bin", "sub/ü & 日本.txt"):
        put(s3, **{"zip/" + name: files[name]})
    plain_put(server, "zip/plain.txt", files["plain.txt"])
    upload = s3.create_multipart_upload(Bucket="link-bucket", Key="zip/in parts.bin")["UploadId"]
    tags = [s3.upload_part(Bucket="link-bucket", Key="zip/in parts.bin", UploadId=upload, PartNumber=number, Body=part)["ETag"]
            for number, part in enumerate(parts, 1)]
    s3.complete_multipart_upload(Bucket="link-bucket", Key="zip/in parts.bin", UploadId=upload,
                                 MultipartUpload={"Parts": [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, 1)]})
    files["in parts.bin"] = b"".join(parts)
    put(s3, **{"zip/": b"", "zip/folder/": b"", "zipped.txt": b"no"})
    link = create(server, key="zip/", folder=True)
    answer, body, opened = archive(link["short_url"] + "?zip=1")
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="zip.zip"'
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert {entry.filename for entry in opened.infolist()} == {*files, "folder/"}
    assert {name: opened.read(name) for name in files} == files  # reads the checksums, too
    modified = s3.head_object(Bucket="link-bucket", Key="zip/a b.txt")["LastModified"]
    when = opened.getinfo("a b.txt").date_time
    assert when == (*modified.timetuple()[:5], modified.second // 2 * 2)
    (tmp_path / "it.zip").write_bytes(body)
    done = subprocess.run(["unzip", "-t", tmp_path / "it.zip"], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "No errors detected" in done.stdout, done.stdout + done.stderr
    done = subprocess.run(["unzip", "-q", tmp_path / "it.zip", "-d", tmp_path / "out"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "out" / "large.bin").read_bytes() == files["large.bin"]
    assert int((tmp_path / "out" / "large.bin").stat().st_mtime) == int(s3.head_object(Bucket="link-bucket", Key="zip/large.bin")["LastModified"].timestamp())
    assert get(link["short_url"] + "?zip=1")[1] == body, "the same files are the same bytes"
    answer, nothing = get(link["short_url"] + "?zip=1", "HEAD")
    assert (answer.status, answer.headers["Content-Length"], nothing) == (200, str(len(body)), b"")
    uses = eventually(lambda: [use for use in ask(server, "GET", "/-/api/links/" + link["id"])[1]["uses"] if use["status"] == 200])
    assert uses, "each download is one use"
    page = get(link["short_url"], headers=BROWSER)[1].decode()
    assert '<a download href="?zip=1">' in page
    shown = get(link["short_url"], headers={"Accept": "application/json"})[1].decode()
    assert link["short_url"] + "?zip=1" in shown


def test_what_zip_may_be(server, s3):
    put(s3, **{"which/a.txt": b"a"})
    link = create(server, key="which/", folder=True)["short_url"]
    assert get(link + "?zip=1")[0].headers["Content-Type"] == "application/zip"
    for no in ("?zip=0", ""):
        answer, page = get(link + no, headers=BROWSER)
        assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/html") and b"a.txt" in page, no
    assert get(link + "?zip=0&file=a.txt")[0].status == 302
    for odd in ("?zip=", "?zip", "?zip=2", "?zip=true"):
        answer, page = get(link + odd)
        assert answer.status == 400 and b"zip must be 1" in page, odd
        assert answer.headers["Content-Type"] != "application/zip"


def test_names_lead_nowhere_else(server, s3, tmp_path):
    names = {"../up": "%2E%2E/up", "a/../../b": "a/%2E%2E/%2E%2E/b", "/etc/x": "%2F/etc/x", "..\\w": "..%5Cw", "C:d": "C%3Ad", "n\nl": "n%0Al",
             "x//y": "x/%2F/y", "./z": "%2E/z"}
    for name in names:
        plain_put(server, "bad/" + name, name.encode())
    _, body, opened = archive(create(server, key="bad/", folder=True)["short_url"] + "?zip=1")
    assert {entry.filename: opened.read(entry).decode() for entry in opened.infolist()} == {new: old for old, new in names.items()}
    (tmp_path / "it.zip").write_bytes(body)
    (tmp_path / "in").mkdir()
    subprocess.run(["unzip", "-q", tmp_path / "it.zip", "-d", tmp_path / "in" / "deep"], capture_output=True, check=True)
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} == {
        "it.zip", *(f"in/deep/{name}" for name in names.values())}


def test_a_file_beside_a_folder_of_its_name(server, s3, tmp_path):
    """No file system has both; all must be there when it is unpacked."""
    names = {"a": "a%2F", "a b": "a b", "a.txt": "a.txt", "a/b": "a/b%2F", "a/b/c": "a/b/c", "a/b0": "a/b0", "a0": "a0", "a%2F": "a%252F", "A": "A",
             "d": "d%2F", "e": "e%2F", "f/x": "f/x", "..": "%2E%2E%2F", "../x": "%2E%2E/x", "g/": "g/%2F%2F", "g//h": "g/%2F/h", "\u00fc": "\u00fc%2F", "\u00fc/i": "\u00fc/i"}
    for name in [*names, "e/k"]:
        plain_put(server, "beside/" + name, name.encode())
    put(s3, **{"beside/d/": b"", "beside/f/": b""})
    _, body, opened = archive(create(server, key="beside/", folder=True)["short_url"] + "?zip=1")
    found = {entry.filename: opened.read(entry).decode() for entry in opened.infolist()}
    assert found == {**{new: old for old, new in names.items()}, "e/k": "e/k", "d/": "", "f/": ""}
    (tmp_path / "it.zip").write_bytes(body)
    subprocess.run(["unzip", "-q", tmp_path / "it.zip", "-d", tmp_path / "in"], capture_output=True, check=True)
    assert sum(path.is_file() for path in (tmp_path / "in").rglob("*")) == len(names) + 1


def test_many_small_files(server, s3):
    names = [f"{number:03}.txt" for number in range(70)]
    put(s3, **{"small/" + name: name.encode() for name in names})
    _, _, opened = archive(create(server, key="small/", folder=True)["short_url"] + "?zip=1")
    assert opened.namelist() == names
    assert opened.testzip() is None


def test_who_may_have_it(server, s3):
    put(s3, **{"locked/a.txt": b"a"})
    link = create(server, key="locked/", folder=True, password="sesame")
    answer, body = get(link["short_url"] + "?zip=1", headers=BROWSER)
    assert answer.headers["Content-Type"].startswith("text/html")
    assert b'type="password"' in body
    form = {**BROWSER, "Content-Type": "application/x-www-form-urlencoded"}
    page = get(link["short_url"], "POST", "password=sesame", form)[1].decode()
    target = re.search(r'<a download href="(\?zip=1&amp;pass=[^"]+)">', page)[1].replace("&amp;", "&")
    assert archive(link["short_url"] + target)[2].namelist() == ["a.txt"]
    assert get(link["short_url"] + target + "0", headers=BROWSER)[0].headers["Content-Type"].startswith("text/html")
    ask(server, "DELETE", "/-/api/links/" + link["id"])
    assert get(link["short_url"] + target)[0].status == 410
    assert get(create(server, key="locked/", folder=True, ip="203.0.113.0/24")["short_url"] + "?zip=1")[0].status == 403
    assert get(create(server, key="nothing/", folder=True)["short_url"] + "?zip=1")[0].status == 404
    assert get(create(server, key="locked/a.txt", max_uses=1)["short_url"] + "?zip=1")[0].headers["Content-Type"].startswith("text/html")


def test_a_file_that_the_signer_may_not_read(server, s3):
    """All of it or nothing: an archive that lacks a file would not say so."""
    put(s3, **{"mixed/a.txt": b"a", "mixed/secret.txt": b"s"})
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},' \
             '{"Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::link-bucket/mixed/secret.txt"}]}'
    made = json.loads(server.command("user", "add", "zipper", "--policy", "-", "--json", "--data", server.data, input=policy).stdout)
    status, link = ask(server, "POST", "/-/api/links", {"bucket": "link-bucket", "key": "mixed/", "folder": True},
                       made["access_key_id"], made["secret_access_key"])
    assert status == 201
    answer, body = get(link["short_url"] + "?zip=1")
    assert (answer.status, b"may not share all files" in body) == (403, True)


@contextlib.contextmanager
def half_read(url):
    """A download of which the head is read, and little more is under way."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    connection.sock = socket.socket()
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    connection.sock.settimeout(20)
    connection.sock.connect((parts.hostname, parts.port))
    connection.request("GET", f"{parts.path}?{parts.query}")
    with contextlib.closing(connection):
        yield connection.getresponse()


@pytest.mark.parametrize("change", ["deleted", "replaced", "revoked", "nothing"])
def test_what_changes_meanwhile_cuts_it_off(server, s3, change):
    plain_put(server, f"{change}/a.bin", os.urandom(1 << 20) * 12)
    put(s3, **{f"{change}/b.txt": b"bb"})
    link = create(server, key=change + "/", folder=True)
    with half_read(link["short_url"] + "?zip=1") as answer:
        assert answer.status == 200
        if change == "deleted":
            s3.delete_object(Bucket="link-bucket", Key="deleted/b.txt")
        elif change == "replaced":
            put(s3, **{"replaced/b.txt": b"BB"})
        elif change == "revoked":
            ask(server, "DELETE", "/-/api/links/" + link["id"])
        if change == "nothing":
            assert zipfile.ZipFile(io.BytesIO(answer.read())).testzip() is None
        else:
            with pytest.raises(http.client.IncompleteRead):
                answer.read()
    uses = eventually(lambda: ask(server, "GET", "/-/api/links/" + link["id"])[1]["uses"])
    assert uses[-1]["status"] == (200 if change == "nothing" else 499)


def test_too_many_files(server, s3):
    if not os.environ.get("LST_FULL"):
        pytest.skip("LST_FULL is not set: it makes 10,001 objects")
    put(s3, **{f"crowd/{number}": b"" for number in range(10_001)})
    answer, body = get(create(server, key="crowd/", folder=True)["short_url"] + "?zip=1")
    assert (answer.status, b"too many files" in body) == (403, True)
    s3.delete_object(Bucket="link-bucket", Key="crowd/0")
    assert len(archive(create(server, key="crowd/", folder=True)["short_url"] + "?zip=1")[2].namelist()) == 10_000
