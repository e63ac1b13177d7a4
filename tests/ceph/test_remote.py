"""The upload API in front of Ceph's gateway: it signs, the gateway stores, and one asks the other what came of it."""
import concurrent.futures
import hashlib
import http.client
import json
import time
import urllib.parse

import pytest
from harness import ACCESS_KEY, SECRET_KEY, Server

PICTURE = b"\xff\xd8\xff\xe0 a picture " + bytes(range(256))


@pytest.fixture(scope="module")
def server(radosgw, s3, tmp_path_factory):
    folder = tmp_path_factory.mktemp("latchstring")
    (folder / "profiles").mkdir()
    for name, more in (("photos", {"max_size": 1000}), ("short", {"upload_expires": 1, "link_expires": 1})):
        (folder / "profiles" / f"{name}.json").write_text(json.dumps(
            {"remote": "ceph", "bucket": "pictures", "key": name + "/{uuid}", **more}))
    server = Server(folder / "data", "--api-rate", "0", "--profiles", str(folder / "profiles"))
    server.command("remote", "add", "ceph", "--endpoint-url", radosgw.endpoint, "--access-key-id", ACCESS_KEY,
                   "--data", server.data, environment={"LATCHSTRING_REMOTE_SECRET": SECRET_KEY})
    yield server
    assert server.stop() == 0, server.log()


@pytest.fixture(scope="module")
def ask(server):
    token = server.command("token", "create", "backend", "--role", "backend", "--data", server.data).stdout.strip()

    def call(method, path, body=None, wanted=None):
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.endpoint).netloc, timeout=30)
        connection.request(method, path, None if body is None else json.dumps(body), {"Authorization": "Bearer " + token})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        assert wanted is None or answer.status == wanted, content
        return answer, json.loads(content) if content.startswith(b"{") else content
    return call


def put(radosgw, upload, body, **headers):
    return radosgw.send("PUT", upload["upload"]["url"], {**upload["upload"]["headers"], **headers}, body)


def test_an_upload(radosgw, ask):
    _, upload = ask("POST", "/-/api/uploads", {"profile": "photos", "type": "image/jpeg", "size": len(PICTURE)}, 201)
    status = "/-/api/uploads/" + upload["id"]
    assert ask("GET", status, wanted=200)[1]["status"] == "pending"
    assert put(radosgw, upload, PICTURE + b"x").status == 403, "the size is signed"
    assert put(radosgw, upload, PICTURE, **{"Content-Type": "text/html"}).status == 403
    assert put(radosgw, upload, PICTURE).status == 200
    assert put(radosgw, upload, PICTURE).status == 412, "it is for one object"
    shown = ask("GET", status, wanted=200)[1]
    assert (shown["status"], shown["size"], shown["type"]) == ("complete", len(PICTURE), "image/jpeg")
    assert shown["etag"] == hashlib.md5(PICTURE).hexdigest()
    answer = radosgw.send("GET", shown["object"]["url"])
    assert (answer.status, answer.body) == (200, PICTURE)


def test_a_form(radosgw, ask):
    _, upload = ask("POST", "/-/api/uploads", {"profile": "photos", "type": "image/jpeg", "method": "POST"}, 201)
    boundary = "a-boundary"

    def send(body):
        parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
                 for name, value in upload["upload"]["fields"].items()]
        parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'.encode())
        return radosgw.send("POST", upload["upload"]["url"],
                            {"Content-Type": f"multipart/form-data; boundary={boundary}"},
                            b"".join(parts) + body + f"\r\n--{boundary}--\r\n".encode())

    assert send(b"x" * 1001).status == 400, "larger than the profile has it"
    assert send(PICTURE).status == 201
    assert ask("GET", "/-/api/uploads/" + upload["id"], wanted=200)[1]["status"] == "complete"


def test_what_expires(radosgw, ask):
    _, upload = ask("POST", "/-/api/uploads", {"profile": "short"}, 201)
    assert put(radosgw, upload, b"x").status == 200
    _, late = ask("POST", "/-/api/uploads", {"profile": "short"}, 201)
    time.sleep(2.1)
    assert put(radosgw, late, b"x").status == 403
    assert ask("GET", "/-/api/uploads/" + late["id"], wanted=200)[1]["status"] == "expired"
    assert ask("GET", "/-/api/uploads/" + upload["id"], wanted=200)[1]["status"] == "complete"


def test_links(radosgw, s3, ask):
    s3.put_object(Bucket="pictures", Key="linked.jpg", Body=PICTURE)
    place = {"remote": "ceph", "bucket": "pictures", "key": "linked.jpg"}
    _, link = ask("POST", "/-/api/links", {**place, "expires": 2, "filename": "a b.jpg"}, 201)
    answer = radosgw.send("GET", link["url"])
    assert (answer.status, answer.body) == (200, PICTURE)
    assert "a b.jpg" in answer.headers["Content-Disposition"]
    time.sleep(3)
    assert radosgw.send("GET", link["url"]).status == 403
    _, counted = ask("POST", "/-/api/links", {**place, "max_uses": 1}, 201)
    assert "url" not in counted
    short = urllib.parse.urlsplit(counted["short_url"]).path
    with concurrent.futures.ThreadPoolExecutor(30) as pool:
        answers = [answer for answer, _ in pool.map(lambda _: ask("POST", short), range(30))]
    redirects = [answer for answer in answers if answer.status == 303]
    assert len(redirects) == 1
    assert radosgw.send("GET", redirects[0].headers["Location"]).body == PICTURE
