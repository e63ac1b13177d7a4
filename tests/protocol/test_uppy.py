"""What Uppy asks for: a file in one request or in parts, within what a client's token and its profile allow."""
import concurrent.futures
import functools
import http.client
import io
import json
import pathlib
import re
import time
import urllib.parse

import pytest
from harness import ACCESS_KEY, SECRET_KEY
from PIL import Image
from receiver import Receiver

BUCKET = "uppy-bucket"
PART = 5 * 1024 * 1024
PROFILES = {
    "photos": {"bucket": BUCKET, "key": "photos/{user}/{uuid}.{ext}", "types": ["image/*"], "max_size": 12_000_000,
               "min_size": 100, "check_content": True},
    "files": {"bucket": BUCKET, "key": "files/{uuid}/{filename}"},
    "fixed": {"bucket": BUCKET, "key": "fixed/{filename}", "max_size": 20_000_000},
    "named": {"bucket": BUCKET, "key": "named/{name}"},
    "again": {"bucket": BUCKET, "key": "again.bin", "replace": True},
    "kinds": {"bucket": BUCKET, "key": "kinds/{type}/{filename}"},
    "short": {"bucket": BUCKET, "key": "{uuid}", "upload_expires": 1},
    "tight": {"bucket": BUCKET, "key": "tight/{uuid}", "max_size": PART + 1000},
    "remote": {"remote": "elsewhere", "bucket": BUCKET, "key": "remote/{uuid}.{ext}", "types": ["image/*"]},
}


@pytest.fixture(name="server", scope="module")
def _server(start, tmp_path_factory):
    folder = tmp_path_factory.mktemp("profiles")
    for name, profile in PROFILES.items():
        (folder / f"{name}.json").write_text(json.dumps(profile))
    return start("--api-rate", "0", "--profiles", str(folder), environment={"LATCHSTRING_BUCKETS": BUCKET})


@pytest.fixture(name="backend", scope="module")
def _backend(server):
    return make_token(server, "backend", "--role", "backend")


@pytest.fixture(name="s3", scope="module")
def _s3(server):
    return server.client()


def make_token(server, *arguments):
    return server.command("token", "create", *arguments, "--data", server.data).stdout.strip()


def call(method, url, body=None, headers=None):
    place = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(place.netloc, timeout=20)
    connection.request(method, place.path + ("?" + place.query if place.query else ""), body, headers or {})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def client_of(server, backend, profile, **fields):
    answer, content = call("POST", server.endpoint + "/-/api/tokens", json.dumps({"profile": profile, **fields}),
                           {"Authorization": "Bearer " + backend})
    assert answer.status == 201, content
    return json.loads(content)["token"]


def ask(server, token, method, path, body=None, in_path=False):
    """As Uppy 5 does, with a header, or as Uppy 6 does, which can only be told an address."""
    place = f"/-/api/uppy/{token}/" if in_path else "/-/api/uppy/"
    headers = {"Content-Type": "application/json"} if body is not None else {}
    if not in_path and token is not None:
        headers["Authorization"] = "Bearer " + token
    answer, content = call(method, server.endpoint + place + path, None if body is None else json.dumps(body), headers)
    assert answer.headers["Content-Type"] == "application/json"
    return answer.status, json.loads(content)


def refused(server, token, method, path, body=None, **options):
    status, answer = ask(server, token, method, path, body, **options)
    assert status >= 400, answer
    assert isinstance(answer["error"], str) and answer["message"] == answer["error"]
    return status, answer["error"]


def quote(text):
    return urllib.parse.quote(text, safe="")


def create(server, token, filename="a.jpg", kind="image/jpeg", **options):
    status, made = ask(server, token, "POST", "s3/multipart",
                       {"filename": filename, "type": kind, "metadata": {"name": filename, "type": kind}}, **options)
    assert status == 200, made
    return made


def of(made, rest="", **more):
    """The path of an upload in parts."""
    query = urllib.parse.urlencode({"key": made["key"], **more})
    return f"s3/multipart/{quote(made['uploadId'])}{rest}?{query}"


def send_part(server, token, made, number, body, **options):
    status, signed = ask(server, token, "GET", of(made, f"/{number}"), **options)
    assert status == 200, signed
    return call("PUT", signed["url"], body)


def show(server, token, made):
    answer, content = call("GET", f"{server.endpoint}/-/api/uploads/{made['id']}",
                           headers={"Authorization": "Bearer " + token})
    assert answer.status == 200
    return json.loads(content)


def uploads_under_way(s3, key):
    return [upload for upload in s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []) if upload["Key"] == key]


@functools.cache
def photo(size=300, kind="JPEG"):
    file = io.BytesIO()
    Image.effect_noise((64, 64), 50).convert("RGB").save(file, kind)
    return file.getvalue().ljust(size, b"\0")


# ---- In parts

@pytest.mark.parametrize("in_path", [False, True])
def test_a_file_in_parts(server, backend, s3, in_path):
    client = client_of(server, backend, "photos", vars={"user": "7"})
    bodies = [photo(PART), b"\1" * 1000]
    made = create(server, client, "Me.JPG", in_path=in_path)
    assert made["bucket"] == BUCKET and re.fullmatch(r"photos/7/[0-9a-f-]{36}\.jpg", made["key"])
    assert ask(server, client, "GET", of(made), in_path=in_path) == (200, [])
    assert show(server, client, made)["status"] == "pending"
    parts = []
    for number, body in enumerate(bodies, 1):
        answer, text = send_part(server, client, made, number, body, in_path=in_path)
        assert answer.status == 200, text
        parts.append({"PartNumber": number, "ETag": answer.headers["ETag"]})
    assert show(server, client, made)["status"] == "pending", "a part is no object"
    status, listed = ask(server, client, "GET", of(made), in_path=in_path)
    assert (status, listed) == (200, [{**part, "Size": len(body)} for part, body in zip(parts, bodies)])
    status, done = ask(server, client, "POST", of(made, "/complete"), {"parts": parts}, in_path=in_path)
    assert status == 200, done
    assert done == {"location": f"{server.endpoint}/{BUCKET}/{made['key']}", "key": made["key"], "bucket": BUCKET}
    assert ask(server, client, "POST", of(made, "/complete"), {"parts": parts}, in_path=in_path) == (200, done), "the answer was lost"
    got = s3.get_object(Bucket=BUCKET, Key=made["key"])
    assert got["Body"].read() == b"".join(bodies) and got["ContentType"] == "image/jpeg"
    shown = show(server, client, made)
    assert shown["status"] == "complete" and shown["size"] == PART + 1000
    assert call("GET", shown["object"]["url"])[1] == b"".join(bodies)
    s3.delete_object(Bucket=BUCKET, Key=made["key"])
    time.sleep(0.5)
    assert show(server, client, made)["status"] == "complete", "the ledger remembers"
    assert refused(server, client, "GET", of(made), in_path=in_path)[0] == 404


@pytest.mark.parametrize("signed", [False, True])
def test_without_its_first_part_a_checked_file_is_not_complete(server, backend, s3, signed):
    client = client_of(server, backend, "photos", vars={"user": "7"})
    page = b"<!doctype html><script>alert(1)</script>".ljust(PART)
    if signed:
        def sign(**fields):
            status, answer = ask(server, client, "POST", "s3/sign", fields)
            assert status == 200, answer
            return answer

        new = sign(method="POST", key="a.png", contentType="image/png")
        answer, text = call("POST", new["url"], b"", {"Content-Type": "image/png"})
        assert answer.status == 200, text
        where = {"key": new["key"], "uploadId": re.search(rb"<UploadId>(.+)</UploadId>", text)[1].decode()}
        answer, _ = call("PUT", sign(method="PUT", partNumber=2, **where)["url"], page)
        body = f"<CompleteMultipartUpload><Part><PartNumber>2</PartNumber><ETag>{answer.headers['ETag']}</ETag></Part></CompleteMultipartUpload>"
        answer, text = call("POST", sign(method="POST", **where)["url"], body)
        assert answer.status == 403 and b"x-latch-sniff" in text
        key = where["key"]
    else:
        made = create(server, client, "a.png", "image/png")
        answer, _ = send_part(server, client, made, 2, page)
        status, error = refused(server, client, "POST", of(made, "/complete"), {"parts": [{"PartNumber": 2, "ETag": answer.headers["ETag"]}]})
        assert status == 403 and "part 1" in error
        key = made["key"]
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET, Prefix=key)


def test_urls_for_many_parts(server, backend):
    client = client_of(server, backend, "files")
    made = create(server, client, "a.bin", "application/octet-stream")
    status, answer = ask(server, client, "GET", of(made, "/batch", partNumbers="1,2,1024"))
    assert status == 200 and set(answer["presignedUrls"]) == {"1", "2", "1024"}, "of 5 GiB there are no more"
    for url in answer["presignedUrls"].values():
        assert call("PUT", url, b"x")[0].status == 200
    numbers = [part["PartNumber"] for part in ask(server, client, "GET", of(made))[1]]
    assert numbers == [1, 2, 1024]
    status, answer = ask(server, client, "GET", of(made, "/5"))
    assert answer["expires"] == 900


def test_giving_up(server, backend, s3):
    client = client_of(server, backend, "files")
    made = create(server, client, "a.bin", "application/octet-stream")
    assert send_part(server, client, made, 1, b"x" * 10)[0].status == 200
    url = ask(server, client, "GET", of(made, "/2"))[1]["url"]
    assert len(uploads_under_way(s3, made["key"])) == 1
    assert ask(server, client, "DELETE", of(made)) == (200, {})
    assert uploads_under_way(s3, made["key"]) == []
    assert call("PUT", url, b"x")[0].status == 404
    assert refused(server, client, "DELETE", of(made))[0] == 404
    assert refused(server, client, "POST", of(made, "/complete"), {"parts": [{"PartNumber": 1, "ETag": "x"}]})[0] == 404


def test_many_at_the_same_time(server, backend, s3):
    client = client_of(server, backend, "files")

    def whole(number):
        made = create(server, client, f"{number}.bin", "application/octet-stream")
        body = str(number).encode() * 1000
        etag = send_part(server, client, made, 1, body)[0].headers["ETag"]
        if number % 3 == 0:
            return ask(server, client, "DELETE", of(made))[0] == 200 and uploads_under_way(s3, made["key"]) == []
        status, _ = ask(server, client, "POST", of(made, "/complete"), {"parts": [{"PartNumber": 1, "ETag": etag}]})
        return status == 200 and s3.get_object(Bucket=BUCKET, Key=made["key"])["Body"].read() == body

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert all(pool.map(whole, range(60)))


def test_only_one_of_many_that_complete_at_the_same_time(server, backend, s3):
    client = client_of(server, backend, "fixed")
    uploads = [create(server, client, "race.bin") for _ in range(16)]
    etag = [send_part(server, client, made, 1, b"x")[0].headers["ETag"] for made in uploads][0]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda made: ask(server, client, "POST", of(made, "/complete"),
                                                 {"parts": [{"PartNumber": 1, "ETag": etag}]})[0], uploads))
    assert sorted(answers) == [200] + 15 * [412]
    assert uploads_under_way(s3, "fixed/race.bin") == []


def test_as_many_parts_as_there_can_be(server, backend):
    """Read and listed whole, and refused because all of them but one have not arrived."""
    client = client_of(server, backend, "files")
    made = create(server, client, "a.bin", "application/octet-stream")
    etag = send_part(server, client, made, 1, b"x")[0].headers["ETag"]
    parts = [{"PartNumber": number, "ETag": etag} for number in range(1, 10001)]
    assert "part 2 has not arrived" in refused(server, client, "POST", of(made, "/complete"), {"parts": parts})[1]
    parts.append({"PartNumber": 10001, "ETag": etag})
    assert refused(server, client, "POST", of(made, "/complete"), {"parts": parts})[0] == 400


# ---- What the profile says

def test_no_more_than_the_profile_allows(server, backend, s3):
    client = client_of(server, backend, "photos", vars={"user": "7"})
    made = create(server, client)
    urls = [ask(server, client, "GET", of(made, f"/{number}"))[1]["url"] for number in (1, 2, 3)]
    answer, text = call("PUT", urls[0], photo(12_000_001))
    assert (answer.status, b"<Code>EntityTooLarge</Code>" in text) == (400, True)
    etags = [call("PUT", url, photo(6_000_000))[0].headers["ETag"] for url in urls[:2]]
    answer, text = call("PUT", urls[2], b"x")
    assert (answer.status, b"<MaxSizeAllowed>12000000<" in text, b"x-latch-total" in text) == (400, True, True), text
    assert show_until(server, client, made, "rejected", "x-latch-total")
    parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]
    assert ask(server, client, "POST", of(made, "/complete"), {"parts": parts})[0] == 200, "what there is may be completed"


@pytest.mark.parametrize("way", ["create", "sign"])
def test_parts_that_come_at_once_are_bound_together(server, backend, s3, way):
    """One after the other or at the same time, for fresh parts and for those that are there: what is kept is never too much."""
    client = client_of(server, backend, "tight")
    if way == "create":
        made = create(server, client)
        urls = ask(server, client, "GET", of(made, "/batch", partNumbers="1,2"))[1]["presignedUrls"]
        urls = [urls["1"], urls["2"]]
        store = urllib.parse.parse_qs(urllib.parse.urlsplit(urls[0]).query)["uploadId"][0]
    else:
        made = sign(server, client, {"method": "POST", "key": "a.bin"})
        store = begin(made)
        urls = [sign(server, client, {"method": "PUT", "key": made["key"], "uploadId": store, "partNumber": number})["url"] for number in (1, 2)]
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda url: call("PUT", url, bytes(PART // 2 + 2000)), 6 * urls))
    assert {answer.status for answer, _ in answers} == {200, 400}, [text for _, text in answers]
    assert all(b"EntityTooLarge" in text for answer, text in answers if answer.status == 400)
    [part] = s3.list_parts(Bucket=BUCKET, Key=made["key"], UploadId=store)["Parts"]
    assert part["Size"] == PART // 2 + 2000
    free = urls[2 - part["PartNumber"]]
    assert call("PUT", free, bytes(PART // 2 - 999))[0].status == 400
    assert call("PUT", free, bytes(PART // 2 - 1000))[0].status == 200
    s3.abort_multipart_upload(Bucket=BUCKET, Key=made["key"], UploadId=store)


def test_no_more_parts_than_the_profile_can_need(server, backend, s3):
    """All but the last have 5 MiB at least."""
    client = client_of(server, backend, "tight")
    made = create(server, client)
    assert ask(server, client, "GET", of(made, "/2"))[0] == 200
    assert "above 2" in refused(server, client, "GET", of(made, "/3"))[1]
    assert uploads_under_way(s3, made["key"]) == [], "it can come to nothing any more"
    made = create(server, client)
    assert "above 2" in refused(server, client, "GET", of(made, "/batch", partNumbers="1,2,3"))[1]
    assert uploads_under_way(s3, made["key"]) == []
    signed = sign(server, client, {"method": "POST", "key": "a.bin"})
    wish = {"method": "PUT", "key": signed["key"], "uploadId": begin(signed)}
    sign(server, client, {**wish, "partNumber": 2})
    assert "above 2" in refused(server, client, "POST", "s3/sign", {**wish, "partNumber": 3})[1]
    assert uploads_under_way(s3, signed["key"]) == []


def test_what_is_signed_is_known_to_the_sweep(server, backend):
    """Whoever signs does not see how often it is begun: the note says where to look, a week later."""
    signed = sign(server, client_of(server, backend, "tight"), {"method": "POST", "key": "a.bin"})
    note = b'"parts":{"bucket":"%s","key":"%s"}' % (BUCKET.encode(), signed["key"].encode())
    files = [path for path in pathlib.Path(server.data).rglob("*") if path.is_file()]
    assert any(note in path.read_bytes() for path in files)


def show_until(server, token, made, status, reason=""):
    for _ in range(50):
        shown = show(server, token, made)
        if shown["status"] == status and reason in shown["reason"]:
            return shown
        time.sleep(0.1)
    raise AssertionError(shown)


def test_what_is_left_for_a_part(server, backend, s3):
    client = client_of(server, backend, "photos", vars={"user": "7"})
    made = create(server, client)
    assert send_part(server, client, made, 1, photo(10_000_000))[0].status == 200
    assert send_part(server, client, made, 2, b"x" * 2_000_001)[0].status == 400
    assert send_part(server, client, made, 2, b"x" * 2_000_000)[0].status == 200
    assert send_part(server, client, made, 2, b"x" * 1_999_999)[0].status == 200, "in place of what is there"
    assert send_part(server, client, made, 2, b"x" * 2_000_000)[0].status == 200
    status, message = refused(server, client, "GET", of(made, "/3"))
    assert (status, "12000000" in message) == (400, True)
    assert uploads_under_way(s3, made["key"]) == [], "it can come to nothing any more"
    assert show_until(server, client, made, "rejected", message)


def test_no_less_than_the_profile_allows(server, backend, s3):
    client = client_of(server, backend, "photos", vars={"user": "7"})
    made = create(server, client, "a.gif", "image/gif")
    etag = send_part(server, client, made, 1, b"GIF89a\1\0\1\0\0\0\0;")[0].headers["ETag"]
    status, message = refused(server, client, "POST", of(made, "/complete"),
                              {"parts": [{"PartNumber": 1, "ETag": etag}]})
    assert (status, "at least" in message) == (400, True)
    assert uploads_under_way(s3, made["key"]) == []


def test_the_content_is_what_it_was_said_to_be(server, backend):
    client = client_of(server, backend, "photos", vars={"user": "7"})
    assert "image/*" in refused(server, client, "POST", "s3/multipart", {"filename": "a.html", "type": "text/html"})[1]
    made = create(server, client)
    answer, text = send_part(server, client, made, 1, b"<html><script>1</script>" + b" " * 1000)
    assert (answer.status, b"<Constraint>x-latch-sniff</Constraint>" in text) == (403, True)
    answer, text = send_part(server, client, made, 1, photo(kind="PNG"))
    assert answer.status == 403, "a PNG is no JPEG"
    assert show_until(server, client, made, "rejected", "image/png")
    answer, text = send_part(server, client, made, 1, photo())
    assert answer.status == 200, text
    ask(server, client, "POST", of(made, "/complete"), {"parts": [{"PartNumber": 1, "ETag": answer.headers["ETag"]}]})
    assert show(server, client, made)["status"] == "complete", "the second try counts"


def test_what_is_there_stays(server, backend, s3):
    client = client_of(server, backend, "fixed")
    first, second = create(server, client, "one.bin"), create(server, client, "one.bin")
    assert first["key"] == second["key"] == "fixed/one.bin" and first["uploadId"] != second["uploadId"]
    etag = send_part(server, client, first, 1, b"first")[0].headers["ETag"]
    send_part(server, client, second, 1, b"first")
    parts = {"parts": [{"PartNumber": 1, "ETag": etag}]}
    assert ask(server, client, "POST", of(first, "/complete"), parts)[0] == 200
    assert refused(server, client, "POST", of(second, "/complete"), parts)[0] == 412
    assert uploads_under_way(s3, first["key"]) == []
    client = client_of(server, backend, "again")
    for _ in range(2):
        made = create(server, client)
        etag = send_part(server, client, made, 1, b"first")[0].headers["ETag"]
        assert ask(server, client, "POST", of(made, "/complete"), parts)[0] == 200


def test_a_part_that_is_replaced_while_the_upload_is_completed(server, backend):
    """The URL that completes it is for as many bytes as there were when it was signed."""
    client = client_of(server, backend, "fixed")
    made = sign(server, client, {"method": "POST", "key": "replaced"})
    upload_id = begin(made)
    part = {"method": "PUT", "key": made["key"], "uploadId": upload_id, "partNumber": 1}
    url = sign(server, client, part)["url"]
    call("PUT", url, b"small")
    complete = sign(server, client, {"method": "POST", "key": made["key"], "uploadId": upload_id})["url"]
    etag = call("PUT", url, b"larger than it was")[0].headers["ETag"]
    answer, text = call("POST", complete, completion(etag))
    assert (answer.status, b"<Code>InvalidRequest</Code>" in text) == (400, True)


# ---- Whose it is

def every_call(made, key=None):
    other = {**made, "key": key or made["key"]}
    return [("GET", of(other), None), ("GET", of(other, "/1"), None), ("DELETE", of(other), None),
            ("GET", of(other, "/batch", partNumbers="1"), None),
            ("POST", of(other, "/complete"), {"parts": [{"PartNumber": 1, "ETag": "e"}]})]


def test_another_token_has_no_part_in_it(server, backend):
    client = client_of(server, backend, "photos", vars={"user": "7"})
    made = create(server, client)
    others = [client_of(server, backend, "photos", vars={"user": "8"}), client_of(server, backend, "files"),
              client_of(server, backend, "photos"),
              make_token(server, "other", "--role", "upload", "--profile", "files")]
    for other in others:
        for method, path, body in every_call(made):
            assert refused(server, other, method, path, body)[0] == 404
        answer, _ = call("GET", f"{server.endpoint}/-/api/uploads/{made['id']}",
                         headers={"Authorization": "Bearer " + other})
        assert answer.status == 404
    again = client_of(server, backend, "photos", vars={"user": "7"}, expires=60)
    assert ask(server, again, "GET", of(made))[0] == 200, "the same client, who has got a new token"
    assert ask(server, backend, "GET", of(made))[0] == 200, "the backend, whose clients they are"


def test_the_key_is_not_the_clients(server, backend, s3):
    client = client_of(server, backend, "files")
    made, other = create(server, client), create(server, client)
    plain = s3.create_multipart_upload(Bucket=BUCKET, Key=made["key"])["UploadId"]
    mixed = made["uploadId"][:-32] + other["uploadId"][-32:]
    foreign = made["uploadId"][:-32] + plain
    changed = made["uploadId"].replace("files~", "photos~")
    assert refused(server, client, "GET", of(made).replace("key=files", "key=filez"))[0] == 404
    for method, path, body in every_call(made, other["key"]):
        assert refused(server, client, method, path, body)[0] == 404
    for wrong in (mixed, foreign, changed, plain, "x", "~" + plain, made["uploadId"] + "0", made["uploadId"].upper()):
        for method, path, body in every_call({**made, "uploadId": wrong}):
            assert refused(server, client, method, path, body)[0] == 404, wrong


def test_who_is_let_in(server, backend):
    assert refused(server, None, "GET", "s3/params?filename=a")[0] == 401
    assert refused(server, "lsc_e30.e30", "GET", "s3/params?filename=a", in_path=True)[0] == 401
    assert refused(server, backend, "GET", "s3/params?filename=a", in_path=True)[0] == 404, "a client's alone"
    links = make_token(server, "links", "--role", "link")
    assert refused(server, links, "GET", "s3/params?filename=a")[0] == 403
    client = client_of(server, backend, "short", expires=1)
    assert ask(server, client, "POST", "s3/multipart", {"filename": "a"}, in_path=True)[0] == 200
    time.sleep(2)
    assert "expired" in refused(server, client, "POST", "s3/multipart", {"filename": "a"}, in_path=True)[1]
    assert "lsc_" not in server.log()


def test_a_token_of_the_backend_names_the_profile(server, backend):
    upload = make_token(server, "several", "--role", "upload", "--profile", "files", "--profile", "named")
    body = {"filename": "a.bin", "type": "application/octet-stream"}
    assert "profile" in refused(server, upload, "POST", "s3/multipart", body)[1]
    assert refused(server, upload, "POST", "s3/multipart", {**body, "metadata": {"profile": "photos"}})[0] == 404
    status, made = ask(server, upload, "POST", "s3/multipart", {**body, "metadata": {"profile": "named", "name": "n"}})
    assert (status, made["key"]) == (200, "named/n")
    assert send_part(server, upload, made, 1, b"x")[0].status == 200
    status, form = ask(server, upload, "GET", "s3/params?filename=b&metadata%5Bprofile%5D=files")
    assert status == 200 and form["fields"]["key"].startswith("files/")
    client = client_of(server, backend, "files")
    status, made = ask(server, client, "POST", "s3/multipart", {**body, "metadata": {"profile": "fixed"}})
    assert made["key"].startswith("files/"), "a client's token says which, and nothing else does"


def test_what_uppy_tells_of_a_file_is_no_variable_of_the_callers(server, backend):
    """{type} and {filename} are filled in; Uppy's metadata of these names say nothing about them."""
    client = client_of(server, backend, "kinds")
    query = urllib.parse.urlencode({"filename": "a.png", "type": "image/png", "metadata[name]": "b.png", "metadata[type]": "text/html",
                                    "metadata[filename]": "c.png", "metadata[uuid]": "d"})
    status, form = ask(server, client, "GET", "s3/params?" + query)
    assert status == 200 and form["fields"]["key"] == "kinds/image/a.png", form


# ---- In one request

def send_form(form, body, **fields):
    boundary = "----uppy"
    text = "".join(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                   for name, value in {**form["fields"], **fields}.items())
    text += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="blob"\r\n\r\n'
    return call("POST", form["url"], text.encode() + body + f"\r\n--{boundary}--\r\n".encode(),
                {"Content-Type": f"multipart/form-data; boundary={boundary}", "Origin": "https://app.example"})


@pytest.mark.parametrize("in_path", [False, True])
def test_a_file_in_one_request(server, backend, s3, in_path):
    client = client_of(server, backend, "photos", vars={"user": "7"})
    query = urllib.parse.urlencode({"filename": "a b.jpg", "type": "image/jpeg", "metadata[name]": "a b.jpg",
                                    "metadata[relativePath]": "null"})
    status, form = ask(server, client, "GET", "s3/params?" + query, in_path=in_path)
    assert status == 200, form
    assert form["method"] == "POST" and form["url"] == f"{server.endpoint}/{BUCKET}/" and form["expires"] == 900
    assert form["fields"]["success_action_status"] == "201" and "file" not in form["fields"]
    answer, text = send_form(form, photo())
    assert answer.status == 201, text
    assert answer.headers["Location"] == f"{server.endpoint}/{BUCKET}/{quote(form['fields']['key'])}"
    assert "ETag" in answer.headers
    exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"ETag", "Location"} <= set(exposed) and answer.headers["Access-Control-Allow-Origin"] == "*"
    assert s3.get_object(Bucket=BUCKET, Key=form["fields"]["key"])["Body"].read() == photo()
    assert show(server, client, form)["status"] == "complete"
    assert send_form(form, photo())[0].status == 412
    assert send_form(form, photo(), key="other")[0].status == 403
    form = ask(server, client, "GET", "s3/params?" + query)[1]
    assert send_form(form, b"<html>" + b" " * 200)[0].status == 403
    assert show_until(server, client, form, "rejected", "text/html")
    form = ask(server, client, "GET", "s3/params?" + query)[1]
    assert send_form(form, b"")[0].status == 400


def test_no_temporary_credentials(server, backend):
    status, message = refused(server, client_of(server, backend, "files"), "GET", "s3/sts")
    assert (status, "credentials" in message) == (400, True)


# ---- A URL for each request

def sign(server, token, body, **options):
    status, signed = ask(server, token, "POST", "s3/sign", body, **options)
    assert status == 200, signed
    return signed


def begin(made, kind="application/octet-stream"):
    answer, text = call("POST", made["url"], None, {"Content-Type": kind})
    assert answer.status == 200, text
    return re.search(r"<UploadId>(.*)</UploadId>", text.decode())[1]


def completion(*etags):
    parts = "".join(f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
                    for number, etag in enumerate(etags, 1))
    return f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>"


@pytest.mark.parametrize("in_path", [False, True])
def test_signing_a_whole_file(server, backend, s3, in_path):
    client = client_of(server, backend, "photos", vars={"user": "7"})
    wish = {"method": "PUT", "key": "1234-me.jpg", "contentType": "image/jpeg"}
    signed = sign(server, client, wish, in_path=in_path)
    assert re.fullmatch(r"photos/7/[0-9a-f-]{36}\.jpg", signed["key"]), "the client's key is the file's name"
    assert call("PUT", signed["url"], photo(), {"Content-Type": "image/png"})[0].status == 403
    assert call("PUT", signed["url"], photo(kind="PNG"), {"Content-Type": "image/jpeg"})[0].status == 403
    assert call("PUT", signed["url"], b"x", {"Content-Type": "image/jpeg"})[0].status == 400
    answer, text = call("PUT", signed["url"], photo(), {"Content-Type": "image/jpeg"})
    assert answer.status == 200, text
    assert s3.get_object(Bucket=BUCKET, Key=signed["key"])["Body"].read() == photo()
    answer, text = call("PUT", signed["url"], photo(), {"Content-Type": "image/jpeg"})
    assert (answer.status, b"PreconditionFailed" in text) == (412, True)
    assert show(server, client, signed)["status"] == "complete"
    del wish["contentType"]
    signed = sign(server, client, wish)
    assert call("PUT", signed["url"], b"<html>" * 100, {"Content-Type": "text/html"})[0].status == 403
    assert call("PUT", signed["url"], photo(), {"Content-Type": "image/jpeg"})[0].status == 200
    wish["contentType"] = "text/html"
    assert "image/*" in refused(server, client, "POST", "s3/sign", wish)[1]


def test_signing_each_step_of_an_upload_in_parts(server, backend, s3):
    client = client_of(server, backend, "photos", vars={"user": "7"})
    made = sign(server, client, {"method": "POST", "key": "me.jpg"})
    assert call("POST", made["url"], None, {"Content-Type": "text/html"})[0].status == 403
    wish = {"key": made["key"], "uploadId": begin(made, "image/jpeg")}
    url = sign(server, client, {**wish, "method": "PUT", "partNumber": 1})["url"]
    assert call("PUT", url, b"<html>" * 100)[0].status == 403
    etags = [call("PUT", url, photo(PART))[0].headers["ETag"]]
    url = sign(server, client, {**wish, "method": "PUT", "partNumber": 2})["url"]
    etags.append(call("PUT", url, b"x")[0].headers["ETag"])
    answer, text = call("GET", sign(server, client, {**wish, "method": "GET"})["url"])
    assert text.count(b"<Part>") == 2
    assert show(server, client, made)["status"] != "complete"
    url = sign(server, client, {**wish, "method": "POST"})["url"]
    answer, text = call("POST", url, completion(*etags), {"Content-Type": "application/xml"})
    assert answer.status == 200, text
    assert s3.get_object(Bucket=BUCKET, Key=made["key"])["ContentLength"] == PART + 1
    assert show(server, client, made)["status"] == "complete"
    assert refused(server, client, "POST", "s3/sign", {**wish, "method": "GET"})[0] == 404


def test_signing_the_end_of_an_upload_in_parts(server, backend, s3):
    client = client_of(server, backend, "photos", vars={"user": "7"})
    made = sign(server, client, {"method": "POST", "key": "me.jpg"})
    wish = {"key": made["key"], "uploadId": begin(made, "image/jpeg")}
    answer, _ = call("DELETE", sign(server, client, {**wish, "method": "DELETE"})["url"])
    assert answer.status == 204 and uploads_under_way(s3, made["key"]) == []
    made = sign(server, client, {"method": "POST", "key": "me.jpg"})
    wish = {"key": made["key"], "uploadId": begin(made, "image/jpeg")}
    urls = [sign(server, client, {**wish, "method": "PUT", "partNumber": number})["url"] for number in (1, 2)]
    assert [call("PUT", url, photo(8_000_000))[0].status for url in urls] == [200, 400]
    answer, _ = call("DELETE", sign(server, client, {**wish, "method": "DELETE"})["url"])
    assert answer.status == 204 and uploads_under_way(s3, made["key"]) == []
    client = client_of(server, backend, "fixed")
    urls = []
    for body in (b"first", b"other"):
        made = sign(server, client, {"method": "POST", "key": "n", "profile": "files"})
        wish = {"key": made["key"], "uploadId": begin(made)}
        url = sign(server, client, {**wish, "method": "PUT", "partNumber": 1})["url"]
        etag = call("PUT", url, body)[0].headers["ETag"]
        urls.append((sign(server, client, {**wish, "method": "POST"})["url"], completion(etag)))
    assert [call("POST", url, document)[0].status for url, document in urls] == [200, 412]


def test_a_token_for_variables_that_its_profile_lacks_is_refused(server, backend):
    """At once, when the backend can see it, and not at each upload of the browser."""
    for profile, given, there in (("files", {"user": "7"}, "none"), ("photos", {"usr": "7"}, "user")):
        answer, content = call("POST", server.endpoint + "/-/api/tokens", json.dumps({"profile": profile, "vars": given}),
                               {"Authorization": "Bearer " + backend})
        assert answer.status == 400
        message = json.loads(content)["error"]["message"]
        assert message == f"vars.{next(iter(given))}: the key has no such variable; it has {there}"


def test_signing_for_others(server, backend, s3):
    client = client_of(server, backend, "files", vars={})
    made = sign(server, client, {"method": "POST", "key": "a"})
    wish = {"method": "GET", "key": made["key"], "uploadId": begin(made)}
    other = client_of(server, backend, "photos", vars={"user": "7"})
    stranger = make_token(server, "stranger", "--role", "upload", "--profile", "photos")
    assert refused(server, other, "POST", "s3/sign", wish)[0] == 404
    assert refused(server, stranger, "POST", "s3/sign", wish)[0] == 404
    assert refused(server, stranger, "POST", "s3/sign", {**wish, "profile": "files"})[0] == 404
    assert "profile" in refused(server, backend, "POST", "s3/sign", wish)[1]
    assert sign(server, backend, {**wish, "profile": "files"})
    assert refused(server, client, "POST", "s3/sign", {**wish, "key": "photos/x"})[0] == 404
    plain = s3.create_multipart_upload(Bucket=BUCKET, Key="plain")["UploadId"]
    for method in ("GET", "DELETE", "POST"):
        wish = {"method": method, "key": "plain", "uploadId": plain}
        assert refused(server, client, "POST", "s3/sign", wish)[0] == 404


@pytest.mark.parametrize("fields, named", [
    ({"method": "PATCH"}, "method"), ({"method": "GET"}, "method"), ({"method": "DELETE"}, "method"),
    ({"method": "PUT", "partNumber": 1}, "partNumber"), ({"method": "PUT", "uploadId": "x"}, "partNumber"),
    ({"method": "PUT", "uploadId": "x", "partNumber": 0}, "partNumber"),
    ({"method": "PUT", "uploadId": "x", "partNumber": 10001}, "partNumber"),
    ({"method": "PUT", "uploadId": "x", "partNumber": "1"}, "partNumber"),
    ({"method": "GET", "uploadId": "x", "partNumber": 1}, "partNumber"),
    ({"method": "PUT", "expiresIn": 0}, "expiresIn"), ({"method": "PUT", "contentType": "no type"}, "type"),
    ({"method": "PUT", "key": ""}, "key"), ({"method": "PUT", "key": "x" * 1025}, "key"),
    ({"method": "PUT", "bucket": "b"}, "bucket"), ({"key": "a"}, "method")])
def test_signing_is_asked_for_rightly(server, backend, fields, named):
    status, message = refused(server, client_of(server, backend, "files"), "POST", "s3/sign", {"key": "k", **fields})
    assert (status, named in message) == (400, True), message


def test_a_url_lives_as_long_as_it_may(server, backend):
    client = client_of(server, backend, "files")
    for asked, given in ((None, 900), (60, 60), (604800, 900)):
        wish = {"method": "PUT", "key": "a", **({} if asked is None else {"expiresIn": asked})}
        assert f"X-Amz-Expires={given}&" in sign(server, client, wish)["url"]
        wish["method"] = "POST"
        assert f"X-Amz-Expires={given}&" in sign(server, client, wish)["url"]


def test_what_uppy_reads_of_a_url_that_has_expired(server, backend):
    client = client_of(server, backend, "short")
    made = create(server, client)
    url = ask(server, client, "GET", of(made, "/1"))[1]["url"]
    time.sleep(2)
    answer, text = call("PUT", url, b"x", {"Origin": "https://app.example"})
    assert answer.status == 403 and b"<Message>Request has expired</Message>" in text
    assert answer.headers["Content-Type"] == "application/xml"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert send_part(server, client, made, 1, b"x")[0].status == 200, "the upload itself has not"


# ---- Asked for wrongly

@pytest.mark.parametrize("method, path, body, named", [
    ("GET", "s3/params?filename=a&size=1", None, "size"), ("GET", "s3/params?filename=a&filename=b", None, "twice"),
    ("GET", "s3/params?filename=%ff", None, "malformed"), ("GET", "s3/params?filename=a&type=nonsense", None, "type"),
    ("GET", "s3/params?filename=a&metadata=1", None, "metadata"),
    ("GET", "s3/params?metadata[a]=1&metadata=2", None, "twice"),
    ("GET", "s3/params?filename=" + "x" * 1025, None, "filename"),
    ("POST", "s3/multipart", {"filename": "a", "size": 1}, "size"),
    ("POST", "s3/multipart", {"filename": 1}, "filename"),
    ("POST", "s3/multipart", {"filename": "a", "metadata": []}, "metadata"), ("POST", "s3/multipart", [], "object"),
    ("POST", "s3/multipart", {"filename": "a", "type": "x" * 256}, "type")])
def test_a_new_upload_is_asked_for_rightly(server, backend, method, path, body, named):
    status, message = refused(server, client_of(server, backend, "files"), method, path, body)
    assert (status, named in message) == (400, True), message


def test_parts_are_asked_for_rightly(server, backend):
    client = client_of(server, backend, "files")
    made = create(server, client)
    for number in ("0", "10001", "-1", "x", "1.5", "99999999999999999999"):
        assert "1 to 10000" in refused(server, client, "GET", of(made, "/" + number))[1]
        assert "1 to 10000" in refused(server, client, "GET", of(made, "/batch", partNumbers="1," + number))[1]
    many = ",".join(str(number) for number in range(1, 1002))
    assert "1000 at most" in refused(server, client, "GET", of(made, "/batch", partNumbers=many))[1]
    assert "partNumbers" in refused(server, client, "GET", of(made, "/batch"))[1]
    assert "key" in refused(server, client, "GET", of(made).split("?")[0])[1]
    assert "extra" in refused(server, client, "GET", of(made, extra="1"))[1]
    for body, named in (({}, "parts"), ({"parts": []}, "parts"), ({"parts": [1]}, "parts"), ({"parts": "x"}, "parts"),
                        ({"parts": [{"PartNumber": 1}]}, "ETag"), ({"parts": [{"ETag": "x"}]}, "PartNumber"),
                        ({"parts": [{"PartNumber": 0, "ETag": "x"}]}, "PartNumber"),
                        ({"parts": [{"PartNumber": 1, "ETag": "x" * 129}]}, "ETag"),
                        ({"parts": [{"PartNumber": 1, "ETag": "x", "Size": 1}]}, "Size"),
                        ({"parts": [{"PartNumber": 1, "ETag": "<&>"}], "key": "k"}, "key")):
        status, message = refused(server, client, "POST", of(made, "/complete"), body)
        assert (status, named in message) == (400, True), message
    for number in (1, 2):
        assert send_part(server, client, made, number, b"x")[0].status == 200
    parts = [{"PartNumber": 2, "ETag": "<&>"}, {"PartNumber": 1, "ETag": "x"}]
    assert "order" in refused(server, client, "POST", of(made, "/complete"), {"parts": parts})[1]
    assert "has not arrived" in refused(server, client, "POST", of(made, "/complete"), {"parts": parts[:1] * 2})[1]
    assert ask(server, client, "GET", of(made))[0] == 200, "it is still there"


def test_places_that_are_not_there(server, backend):
    client = client_of(server, backend, "files")
    for path in ("", "s3", "s3/", "s3/params/", "s3/multipart/", "s3/multipart//1?key=a", "s3/multipart/a/b/c",
                 "S3/params"):
        assert refused(server, client, "GET", path)[0] in (404, 405), path
        assert refused(server, client, "GET", path, in_path=True)[0] in (404, 405), path
    assert refused(server, client, "PUT", "s3/multipart/a?key=b")[0] == 405
    assert refused(server, client, "GET", "s3/sign")[0] == 405
    assert refused(server, client, "POST", "s3/sign", {"key": "k" * 2_000_000})[0] == 413


def test_a_profile_whose_objects_are_elsewhere(server, backend, s3):
    """This server stands for another: it signs for it as for any, and says what that will not see to."""
    client = client_of(server, backend, "remote")
    wish = {"method": "PUT", "key": "a.jpg", "contentType": "image/jpeg", "expiresIn": 60}
    assert refused(server, client, "POST", "s3/sign", wish)[0] == 503, "it is not set up yet"
    server.command("remote", "add", "elsewhere", "--endpoint-url", server.endpoint, "--access-key-id", ACCESS_KEY,
                   "--data", server.data, environment={"LATCHSTRING_REMOTE_SECRET": SECRET_KEY})
    status, form = ask(server, client, "GET", "s3/params?filename=a.jpg&type=image/jpeg")
    assert (status, form["not_enforced"]) == (200, ["replace"])
    assert send_form(form, photo())[0].status == 201
    signed = sign(server, client, wish)
    assert "X-Amz-Expires=60&" in signed["url"] and "x-latch" not in signed["url"]
    assert call("PUT", signed["url"], photo(), signed["headers"])[0].status == 200
    assert s3.get_object(Bucket=BUCKET, Key=signed["key"])["Body"].read() == photo()
    assert show(server, client, signed)["status"] == "complete"
    del wish["contentType"]
    assert "contentType" in refused(server, client, "POST", "s3/sign", wish)[1]
    assert refused(server, client, "POST", "s3/multipart", {"filename": "a", "type": "image/png"})[0] == 501
    assert refused(server, client, "POST", "s3/sign", {"method": "POST", "key": "a"})[0] == 501


def test_a_page_of_another_origin_may_ask(server, backend):
    client = client_of(server, backend, "files")
    for path, method in (("s3/params?filename=a", "GET"), (f"{client}/s3/multipart", "POST"),
                         ("s3/multipart/a?key=b", "DELETE")):
        answer, _ = call("OPTIONS", f"{server.endpoint}/-/api/uppy/{path}", headers={
            "Origin": "https://app.example", "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization,content-type"})
        assert answer.status == 200 and answer.headers["Access-Control-Allow-Origin"] == "*"
        assert method in answer.headers["Access-Control-Allow-Methods"]
        assert "authorization" in answer.headers["Access-Control-Allow-Headers"]
    answer, _ = call("GET", f"{server.endpoint}/-/api/uppy/s3/params", headers={"Origin": "https://app.example"})
    assert answer.status == 401 and answer.headers["Access-Control-Allow-Origin"] == "*"


# ---- The user whose token it is

def test_the_user_has_to_be_allowed(server, s3):
    server.command("user", "add", "limited", "--policy", "readonly", "--data", server.data)
    token = make_token(server, "limited", "--role", "backend", "--user", "limited")
    client = client_of(server, token, "files")
    assert "limited" in refused(server, client, "POST", "s3/multipart", {"filename": "a"})[1]


# ---- What is told of it

def test_a_webhook_is_told_of_the_whole_and_not_of_its_parts(server, backend, tmp_path):
    receiver = Receiver()
    (tmp_path / "told.json").write_text(json.dumps({
        "bucket": BUCKET, "key": "told/{uuid}", "max_size": 2 * PART,
        "webhook": {"url": receiver.url, "secret": "a-secret-of-the-receiver"}}))
    server.command("profile", "add", "told", "--file", tmp_path / "told.json", "--data", server.data)
    client = client_of(server, backend, "told")
    made = create(server, client)
    parts = [{"PartNumber": number, "ETag": send_part(server, client, made, number, body)[0].headers["ETag"]}
             for number, body in ((1, b"x" * PART), (2, b"y"))]
    time.sleep(1)
    assert receiver.messages == [], "a part is no object"
    assert ask(server, client, "POST", of(made, "/complete"), {"parts": parts})[0] == 200
    [message] = receiver.wait()
    assert message["event"] == "upload.complete" and message["upload"]["id"] == made["id"]
    assert message["upload"]["size"] == PART + 1 and message["upload"]["type"] == "image/jpeg"
    made = create(server, client)
    urls = [ask(server, client, "GET", of(made, f"/{number}"))[1]["url"] for number in (1, 2)]
    assert [call("PUT", url, b"x" * (PART + 1))[0].status for url in urls] == [200, 400]
    _, message = receiver.wait(2)
    assert message["event"] == "upload.rejected" and "x-latch-total" in message["upload"]["reason"]
    made = create(server, client)
    assert send_part(server, client, made, 1, b"x")[0].status == 200
    assert ask(server, client, "DELETE", of(made))[0] == 200
    time.sleep(1)
    receiver.wait(2)
    receiver.close()
