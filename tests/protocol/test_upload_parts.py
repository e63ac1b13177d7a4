"""Uploads in parts for any client: "method":"MULTIPART", more URLs, what is there, completing, giving up."""
import concurrent.futures
import json
import signal
import urllib.parse

import pytest
import test_uppy
from receiver import Receiver
from test_links import eventually
from test_uploads import ask, ask_with_key, call, create, make_client_token, make_token, picture, show

BUCKET = "parts-bucket"
MIB = 1 << 20
PART = 8 * MIB
PROFILES = {
    "photos": {"bucket": BUCKET, "key": "photos/{user}/{uuid}.{ext}", "types": ["image/*"], "max_size": 20 * MIB,
               "min_size": 100, "check_content": True},
    "files": {"bucket": BUCKET, "key": "files/{uuid}"},
    "small": {"bucket": BUCKET, "key": "small/{uuid}", "max_size": 10 * MIB, "min_size": 10},
    "huge": {"bucket": BUCKET, "key": "huge/{uuid}", "max_size": 5 << 40},
    "fixed": {"bucket": BUCKET, "key": "fixed.bin"},
    "again": {"bucket": BUCKET, "key": "again.bin", "replace": True},
    "short": {"bucket": BUCKET, "key": "short/{uuid}", "upload_expires": 7},
    "remote": {"remote": "elsewhere", "bucket": BUCKET, "key": "{uuid}"},
}


@pytest.fixture(name="server", scope="module")
def _server(start, tmp_path_factory):
    folder = tmp_path_factory.mktemp("profiles")
    for name, profile in PROFILES.items():
        (folder / f"{name}.json").write_text(json.dumps(profile))
    server = start("--api-rate", "0", "--profiles", str(folder), environment={"LATCHSTRING_BUCKETS": BUCKET})
    server.command("remote", "add", "elsewhere", "--endpoint", "http://127.0.0.1:1", "--access-key-id", "AKIAIOSFODNN7EXAMPLE",
                   "--data", server.data, environment={"LATCHSTRING_REMOTE_SECRET": "a-secret-of-a-remote"})
    return server


@pytest.fixture(name="token", scope="module")
def _token(server):
    return make_token(server, "backend", "--role", "backend")


@pytest.fixture(name="s3", scope="module")
def _s3(server):
    return server.client()


def begin(server, token, profile, **fields):
    made = create(server, token, profile, method="MULTIPART", **fields)
    assert made["upload"]["method"] == "MULTIPART" and made["status"] == "pending"
    return made


def request(token, method, url, body=None):
    answer, content = call(method, url, None if body is None else json.dumps(body), {"Authorization": "Bearer " + token})
    return answer.status, json.loads(content) if content else None


def sign(token, made, *numbers):
    status, answer = request(token, "POST", made["upload"]["parts_url"], {"numbers": list(numbers)})
    assert status == 200, answer
    return [part["url"] for part in answer["parts"]]


def send_parts(token, made, bodies, numbers=None):
    """Their list, as completing wants it."""
    numbers = numbers or range(1, len(bodies) + 1)
    parts = []
    for number, body, url in zip(numbers, bodies, sign(token, made, *numbers)):
        answer, text = call("PUT", url, body)
        assert answer.status == 200, text
        parts.append({"number": number, "etag": answer.headers["ETag"]})
    return parts


def complete(token, made, parts):
    return request(token, "POST", made["upload"]["complete_url"], {"parts": parts})


def keys(s3, prefix=""):
    return [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]


def under_way(s3, key):
    return [upload for upload in s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []) if upload["Key"] == key]


# ---- The plan, and what comes of it

def test_a_file_in_parts(server, token, s3):
    bodies = [picture().ljust(PART, b"\0"), b"\1" * 1000]
    made = begin(server, token, "photos", filename="Me.JPG", type="image/jpeg", size=PART + 1000, vars={"user": "7"},
                 metadata={"album": "17"})
    how = made["upload"]
    assert (how["part_size"], how["part_count"]) == (PART, 2)
    assert [part["number"] for part in how["parts"]] == [1, 2]
    assert made["key"].startswith("photos/7/") and made["key"].endswith(".jpg")
    parts = []
    for part, body in zip(how["parts"], bodies):
        answer, text = call("PUT", part["url"], body)
        assert answer.status == 200, text
        parts.append({"number": part["number"], "etag": answer.headers["ETag"]})
    status, listed = request(token, "GET", how["parts_url"])
    assert (status, listed["part_size"]) == (200, PART)
    assert [(part["number"], f'"{part["etag"]}"', part["size"]) for part in listed["parts"]] == \
        [(1, parts[0]["etag"], PART), (2, parts[1]["etag"], 1000)]
    assert show(server, token, made)["status"] == "pending" and keys(s3, made["key"]) == []
    status, done = complete(token, made, parts)
    assert status == 200, done
    assert (done["id"], done["status"], done["size"], done["type"]) == (made["id"], "complete", PART + 1000, "image/jpeg")
    assert done["vars"] == {"user": "7"} and done["metadata"] == {"album": "17"}
    assert call("GET", done["object"]["url"])[1] == b"".join(bodies)
    assert {**show(server, token, made), "object": 0} == {**done, "object": 0}
    assert complete(token, made, parts)[0] == 200, "who lost the answer asks again"
    assert request(token, "GET", how["parts_url"])[0] == 404
    assert request(token, "DELETE", how["abort_url"])[0] == 404
    assert show(server, token, made)["status"] == "complete"


@pytest.mark.parametrize(("profile", "size", "part_size", "count"), [
    ("files", 0, PART, 1), ("files", 1, PART, 1), ("files", PART, PART, 1), ("files", PART + 1, PART, 2),
    ("files", 5 << 30, PART, 640), ("huge", 5 << 40, 525 * MIB, 9987), ("huge", 100 << 30, 11 * MIB, 9310)])
def test_the_plan(server, token, profile, size, part_size, count):
    made = begin(server, token, profile, size=size)["upload"]
    assert (made["part_size"], made["part_count"]) == (part_size, count)
    assert len(made["parts"]) == min(count, 10)


def test_a_file_whose_size_is_not_told(server, token, s3):
    made = begin(server, token, "small")
    assert "part_count" not in made["upload"] and len(made["upload"]["parts"]) == 2
    parts = send_parts(token, made, [b"x" * PART, b"y" * MIB])
    assert complete(token, made, parts)[1]["size"] == 9 * MIB
    assert keys(s3, made["key"]) == [made["key"]]


def test_an_empty_file(server, token):
    made = begin(server, token, "files", size=0)
    status, done = complete(token, made, send_parts(token, made, [b""]))
    assert (status, done["size"]) == (200, 0)


def test_parts_in_any_order_some_again(server, token, s3):
    made = begin(server, token, "files", size=2 * PART + 5)
    send_parts(token, made, [b"w" * PART], [2])
    parts = send_parts(token, made, [b"end..", b"b" * PART, b"a" * PART], [3, 2, 1])
    assert complete(token, made, parts)[0] == 400, "the list is in order"
    status, done = complete(token, made, sorted(parts, key=lambda part: part["number"]))
    assert status == 200, done
    assert s3.get_object(Bucket=BUCKET, Key=made["key"])["Body"].read() == b"a" * PART + b"b" * PART + b"end.."


def test_given_up(server, token, s3):
    made = begin(server, token, "files", size=PART + 1)
    send_parts(token, made, [b"x" * PART])
    assert under_way(s3, made["key"])
    assert request(token, "DELETE", made["upload"]["abort_url"]) == (204, None)
    assert not under_way(s3, made["key"])
    assert request(token, "DELETE", made["upload"]["abort_url"])[0] == 404
    assert show(server, token, made)["status"] == "pending"
    assert call("PUT", made["upload"]["parts"][1]["url"], b"x")[0].status == 404


def test_it_outlives_the_server_and_the_profiles_change(start, tmp_path):
    """And the part that came is there."""
    (tmp_path / "files.json").write_text(json.dumps(PROFILES["files"]))
    server = start("--profiles", str(tmp_path), environment={"LATCHSTRING_BUCKETS": BUCKET})
    token = make_token(server, "backend", "--role", "upload")
    made = begin(server, token, "files", size=PART + 3)
    first = send_parts(token, made, [b"x" * PART])
    server.stop(signal.SIGKILL)
    (tmp_path / "files.json").write_text(json.dumps({**PROFILES["files"], "max_size": 4 << 40}))
    again = start("--profiles", str(tmp_path), data=server.data)
    for name in ("parts_url", "complete_url"):
        made["upload"][name] = made["upload"][name].replace(server.endpoint, again.endpoint)
    assert request(token, "GET", made["upload"]["parts_url"])[1]["part_size"] == PART
    status, done = complete(token, made, first + send_parts(token, made, [b"end"], [2]))
    assert (status, done["size"]) == (200, PART + 3)


# ---- The profile's limits

def test_it_has_exactly_the_size_that_was_told(server, token, s3):
    made = begin(server, token, "files", size=PART + 10)
    send_parts(token, made, [b"x" * PART])
    answer, text = call("PUT", *sign(token, made, 2), b"y" * 11)
    assert answer.status == 400 and b"x-latch-total" in text and show(server, token, made)["status"] == "rejected"
    for bodies in ([b"x" * PART, b"y" * 9], [b"x" * PART]):
        made = begin(server, token, "files", size=PART + 10)
        status, refused = complete(token, made, send_parts(token, made, bodies))
        assert status == 400 and refused["error"]["code"] == "EntityTooSmall", refused
        assert show(server, token, made)["status"] == "rejected" and "given up" in show(server, token, made)["reason"]
        assert not under_way(s3, made["key"]) and not keys(s3, made["key"])


def test_a_list_that_is_wrong_costs_nothing(server, token):
    """Of parts that are not there, or that leaves some out: the parts stay, and the right list completes the upload."""
    made = begin(server, token, "files", size=PART + 1)
    parts = send_parts(token, made, [b"x" * PART, b"y"])
    for wrong, code in ([[*parts, {"number": 3, "etag": "x"}], "InvalidPart"], [[{"number": 9, "etag": "x"}], "InvalidPart"],
                        [[parts[0], parts[0]], "InvalidPart"], [parts[:1], "EntityTooSmall"], [parts[1:], "EntityTooSmall"]):
        status, refused = complete(token, made, wrong)
        assert (status, refused["error"]["code"]) == (400, code), (wrong, refused)
        assert "given up" not in refused["error"]["message"]
    assert show(server, token, made)["status"] == "pending"
    assert complete(token, made, parts)[0] == 200


def test_it_has_a_size_that_the_profile_allows(server, token, s3):
    for fields, status in (({"size": 9}, 400), ({"size": 10 * MIB + 1}, 400), ({"size": 10 * MIB}, 201)):
        assert ask(server, token, "POST", "uploads", {"profile": "small", "method": "MULTIPART", **fields})[0] == status
    made = begin(server, token, "small")
    assert complete(token, made, send_parts(token, made, [b"x" * 9]))[0] == 400
    assert not under_way(s3, made["key"]) and not keys(s3, made["key"])
    made = begin(server, token, "small")
    send_parts(token, made, [b"x" * PART])
    answer, text = call("PUT", *sign(token, made, 2), b"y" * (2 * MIB + 1))
    assert answer.status == 400 and b"x-latch-total" in text


def test_no_part_is_larger_than_planned(server, token):
    """So that what all parts can have together is bounded, before anybody completes anything."""
    made = begin(server, token, "files", size=3 * PART)
    for url in (made["upload"]["parts"][0]["url"], *sign(token, made, 3)):
        answer, text = call("PUT", url, b"x" * (PART + 1))
        assert answer.status == 400 and b"x-latch-length" in text
    status, refused = request(token, "POST", made["upload"]["parts_url"], {"numbers": [4]})
    assert status == 400 and "1 to 3" in refused["error"]["message"]
    client = make_client_token(server, token, profile="files")
    made = begin(server, client, "files", size=3 * PART)
    uppy = {"key": made["key"], "uploadId": made["upload"]["parts_url"].split("/uploads/")[1].split("/")[0]}
    for path in (test_uppy.of(uppy, "/4"), test_uppy.of(uppy, "/batch", partNumbers="4")):
        status, refused = test_uppy.ask(server, client, "GET", path)
        assert status == 400 and "above 3" in refused["error"] and "plan" in refused["error"], "by Uppy's ways neither"
    tiny = begin(server, token, "small", size=10)
    assert call("PUT", tiny["upload"]["parts"][0]["url"], b"x" * 11)[0].status == 400
    assert request(token, "GET", made["upload"]["parts_url"])[1]["parts"] == []


def test_the_checked_first_part(server, token, s3):
    page = b"<!doctype html><script>alert(1)</script>".ljust(PART)
    wish = {"filename": "a.png", "type": "image/png", "vars": {"user": "1"}}
    made = begin(server, token, "photos", size=PART + 200, **wish)
    for url in (made["upload"]["parts"][0]["url"], *sign(token, made, 1)):
        answer, text = call("PUT", url, page)
        assert answer.status == 403 and b"x-latch-sniff" in text
    assert show(server, token, made)["status"] == "rejected"
    second = send_parts(token, made, [b"x" * PART], [2])
    made = begin(server, token, "photos", **wish)
    second = send_parts(token, made, [page], [2])
    status, refused = complete(token, made, second)
    assert status == 403 and "part 1" in refused["error"]["message"]
    assert keys(s3, made["key"]) == []
    for fields in ({"type": "text/html"}, {}):
        status, refused = ask(server, token, "POST", "uploads",
                              {"profile": "photos", "method": "MULTIPART", "vars": {"user": "1"}, **fields})
        assert (status, refused["error"]["code"]) == (400, "TypeNotAllowed")


def test_nothing_is_replaced_unless_the_profile_says_so(server, token, s3):
    s3.put_object(Bucket=BUCKET, Key="fixed.bin", Body=b"there")
    made = begin(server, token, "fixed", size=1)
    status, refused = complete(token, made, send_parts(token, made, [b"x"]))
    assert (status, refused["error"]["code"]) == (412, "PreconditionFailed")
    assert s3.get_object(Bucket=BUCKET, Key="fixed.bin")["Body"].read() == b"there"
    assert show(server, token, made)["status"] == "rejected" and not under_way(s3, "fixed.bin")
    for body in (b"x", b"y"):
        made = begin(server, token, "again", size=1)
        assert complete(token, made, send_parts(token, made, [body]))[0] == 200
        assert s3.get_object(Bucket=BUCKET, Key="again.bin")["Body"].read() == body


def test_it_is_told_of_once(server, token, tmp_path):
    receiver = Receiver()
    (tmp_path / "told.json").write_text(json.dumps({"bucket": BUCKET, "key": "told/{user}/{uuid}", "webhook":
                                                    {"url": receiver.url, "secret": "0123456789abcdef"}}))
    server.command("profile", "add", "told", "--file", tmp_path / "told.json", "--data", server.data)
    made = begin(server, token, "told", size=5, type="text/plain", vars={"user": "7"}, metadata={"a": "b"})
    parts = send_parts(token, made, [b"hello"])
    assert [complete(token, made, parts)[0] for _ in range(2)] == [200, 200]
    [message] = receiver.wait()
    told = message["upload"]
    assert (told["id"], told["size"], told["vars"], told["metadata"]) == (made["id"], 5, {"user": "7"}, {"a": "b"})
    receiver.check(server)
    receiver.close()


# ---- Who may go on with it

def test_it_is_its_clients(server, token):
    mine, other = (make_client_token(server, token, profile="photos", vars={"user": user}) for user in "78")
    files = make_client_token(server, token, profile="files")
    stranger = make_token(server, "stranger", "--role", "link")
    server.command("user", "add", "nadia", "--policy", "readwrite", "--data", server.data)
    nadia = make_token(server, "nadias", "--role", "upload", "--user", "nadia")
    body = picture()
    made = begin(server, mine, "photos", filename="a.jpg", type="image/jpeg", size=len(body))
    assert made["key"].startswith("photos/7/")
    parts = send_parts(mine, made, [body])
    calls = (("GET", "parts_url", None), ("POST", "parts_url", {"numbers": [1]}), ("POST", "complete_url", {"parts": parts}),
             ("DELETE", "abort_url", None))
    for method, name, body in calls:
        for who in (other, files, nadia):
            assert request(who, method, made["upload"][name], body)[0] == 404, (method, name)
        assert request(stranger, method, made["upload"][name], body)[0] == 403
        assert call(method, made["upload"][name], json.dumps(body))[0].status == 401
    again = make_client_token(server, token, profile="photos", vars={"user": "7"})
    assert request(again, "GET", made["upload"]["parts_url"])[0] == 200, "a page that is loaded again goes on"
    assert complete(again, made, parts)[0] == 200
    for who in (other, files, nadia):
        assert complete(who, made, parts)[0] == 404, "nor is it told to others that it is complete"


def test_a_client_can_not_go_on_with_its_backends_uploads(server, token):
    made = begin(server, token, "files", size=5)
    client = make_client_token(server, token, profile="files")
    assert request(client, "GET", made["upload"]["parts_url"])[0] == 404
    assert complete(token, made, send_parts(token, made, [b"hello"]))[0] == 200


def test_an_id_that_was_made_up(server, token):
    made, other = begin(server, token, "files", size=5), begin(server, token, "files", size=5)
    url = made["upload"]["parts_url"]
    path = url.split("/uploads/")[1].split("/")[0]
    store = other["upload"]["parts_url"].split("/uploads/")[1].split("/")[0].rsplit("~", 1)[1]
    for forged in (made["id"], path[:-1], path + "a", path.rsplit("~", 1)[0] + "~" + store, "a", "~" * 40,
                   path.replace("files", "again", 1), made["id"] + "~" + "0" * 32, path + "%00", "%ff" * 40):
        for method, rest, body in (("GET", "/parts", None), ("POST", "/parts", {"numbers": [1]}), ("DELETE", "", None),
                                   ("POST", "/complete", {"parts": [{"number": 1, "etag": "x"}]})):
            status, refused = request(token, method, url.replace(path + "/parts", forged + rest), body)
            assert (status, refused["error"]["code"]) in ((404, "NoSuchUpload"), (404, "NotFound")), (forged, method, rest)


def test_uppy_and_plain_clients_keep_to_the_same_limits(server, token, s3):
    """An upload in parts that was begun here, asked for by Uppy's ways: its size holds there too."""
    client = make_client_token(server, token, profile="files")
    made = begin(server, client, "files", size=10)
    uppy = {"key": made["key"], "uploadId": made["upload"]["parts_url"].split("/uploads/")[1].split("/")[0]}
    status, signed = test_uppy.ask(server, client, "GET", test_uppy.of(uppy, "/1"))
    assert status == 200
    assert call("PUT", signed["url"], b"x" * 11)[0].status == 400
    answer, _ = call("PUT", signed["url"], b"x" * 9)
    listed = [{"PartNumber": 1, "ETag": answer.headers["ETag"]}]
    status, refused = test_uppy.ask(server, client, "POST", test_uppy.of(uppy, "/complete"), {"parts": listed})
    assert status == 400 and "at least 10" in refused["error"]
    made = begin(server, client, "files", size=2 * PART)
    uppy = {"key": made["key"], "uploadId": made["upload"]["parts_url"].split("/uploads/")[1].split("/")[0]}
    for rest, more in (("/1", {}), ("/batch", {"partNumbers": "1"})):
        status, signed = test_uppy.ask(server, client, "GET", test_uppy.of(uppy, rest, **more))
        url = signed.get("url") or signed["presignedUrls"]["1"]
        assert call("PUT", url, b"x" * (PART + 1))[0].status == 400, "no part is larger than the plan says"
    made = begin(server, client, "files", size=10)
    [url] = sign(client, made, 1)
    answer, _ = call("PUT", url, b"x" * 9)
    store = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["uploadId"][0]
    status, refused = test_uppy.ask(server, client, "POST", "s3/sign", {"method": "POST", "key": made["key"], "uploadId": store})
    assert status == 400 and not under_way(s3, made["key"])
    uppys = test_uppy.create(server, client, "a.bin", "application/octet-stream")
    path = f"{server.endpoint}/-/api/uploads/{uppys['uploadId']}"
    assert request(client, "GET", path + "/parts")[0] == 404, "it has no plan"
    assert request(client, "POST", path + "/complete", {"parts": [{"number": 1, "etag": "x"}]})[0] == 404


# ---- What is refused

@pytest.mark.parametrize(("name", "body", "word"), [
    ("parts_url", {}, "numbers"), ("parts_url", {"numbers": []}, "numbers"), ("parts_url", {"numbers": [0]}, "numbers"),
    ("parts_url", {"numbers": ["1"]}, "numbers"), ("parts_url", {"numbers": [1.5]}, "numbers"), ("parts_url", {"numbers": 1}, "numbers"),
    ("parts_url", {"numbers": [1] * 101}, "numbers"), ("parts_url", {"numbers": [1], "size": 5}, "size"),
    ("parts_url", {"numbers": [-1]}, "numbers"), ("parts_url", {"numbers": [2 ** 62]}, "numbers"),
    ("complete_url", {}, "parts"), ("complete_url", {"parts": []}, "parts"), ("complete_url", {"parts": [{"number": 1}]}, "etag"),
    ("complete_url", {"parts": [{"PartNumber": 1, "ETag": "x"}]}, "number"),
    ("complete_url", {"parts": [{"number": 0, "etag": "x"}]}, "number"), ("complete_url", {"parts": [5]}, "parts"),
    ("complete_url", {"parts": [{"number": 1, "etag": "x", "size": 1}]}, "size"),
    ("complete_url", {"parts": [{"number": 1, "etag": "0" * 32}]}, "parts"),
])
def test_what_is_refused(server, token, name, body, word):
    made = begin(server, token, "files")
    status, refused = request(token, "POST", made["upload"][name], body)
    assert status == 400, refused
    assert word in refused["error"]["message"]
    assert request(token, "GET", made["upload"]["parts_url"])[0] == 200, "it goes on"


def test_where_there_are_no_parts(server, token):
    status, refused = ask(server, token, "POST", "uploads", {"profile": "remote", "method": "MULTIPART"})
    assert (status, refused["error"]["code"]) == (501, "NotImplemented") and "PUT or POST" in refused["error"]["message"]


def open_uploads(s3):
    return {upload["UploadId"] for upload in s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])}


def test_many_in_one_call(server, token, s3):
    """Each entry as if it were asked for alone, in their order."""
    before = open_uploads(s3)
    parts = {"profile": "files", "method": "MULTIPART", "size": 5, "metadata": {"album": "17"}}
    entries = [parts, {"profile": "files", "size": 5}, {**parts, "profile": "remote"}, {**parts, "profile": "nobody"}, parts,
               {**parts, "size": -1}, {"profile": "files", "method": "POST"}, {**parts, "size": 3 * PART}, 5]
    answer, many = ask_with_key(server, token, "many-parts", {"uploads": entries})
    assert answer.status == 200, many
    results = many["results"]
    assert [result["status"] for result in results] == [201, 201, 501, 404, 201, 400, 201, 201, 400]
    assert [result["error"]["code"] for result in results if "error" in result] == \
        ["NotImplemented", "NoSuchProfile", "InvalidArgument", "InvalidArgument"]
    made = [result["result"] for result in results if result["status"] == 201]
    assert [upload["upload"]["method"] for upload in made] == ["MULTIPART", "PUT", "MULTIPART", "POST", "MULTIPART"]
    assert len({upload["id"] for upload in made}) == 5 and made[4]["upload"]["part_count"] == 3
    assert len(open_uploads(s3) - before) == 3
    assert ask_with_key(server, token, "many-parts", {"uploads": entries})[1] == many
    assert len(open_uploads(s3) - before) == 3
    for upload in made[0], made[2]:
        status, done = complete(token, upload, send_parts(token, upload, [b"hello"]))
        assert (status, done["status"], done["metadata"]) == (200, "complete", {"album": "17"})
    assert request(token, "DELETE", made[4]["upload"]["abort_url"])[0] == 204
    assert open_uploads(s3) == before


def test_a_call_for_many_that_is_not_answered_begins_nothing(server, token, s3):
    before = open_uploads(s3)
    parts = {"profile": "files", "method": "MULTIPART", "size": 20 * PART}
    answer, refused = ask_with_key(server, token, "too-many", {"uploads": [parts] * 100})
    assert answer.status == 413, "the answer can't be kept"
    assert "fewer" in refused["error"]["message"]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: ask_with_key(server, token, "many-at-once", {"uploads": [parts] * 3}), range(4)))
    assert len({json.dumps(many) for _, many in answers}) == 1
    eventually(lambda: len(open_uploads(s3) - before) == 3)
    for result in answers[0][1]["results"]:
        assert request(token, "DELETE", result["result"]["upload"]["abort_url"])[0] == 204


def test_the_same_call_again_begins_nothing_new(server, token, s3):
    wish = {"profile": "files", "method": "MULTIPART", "size": 3 * PART}
    answer, made = ask_with_key(server, token, "parts", wish)
    assert answer.status == 201
    answer, again = ask_with_key(server, token, "parts", wish)
    assert (answer.headers["Idempotent-Replayed"], again) == ("true", made)
    assert len(under_way(s3, made["key"])) == 1
    send_parts(token, again, [b"x"], [3])


def test_the_same_call_by_many_at_once_begins_one(server, token, s3):
    wish = {"profile": "files", "method": "MULTIPART", "size": 3}
    before = {upload["UploadId"] for upload in s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])}
    for number in range(3):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _, key=f"at-once-{number}": ask_with_key(server, token, key, wish), range(8)))
        assert {answer.status for answer, _ in answers} == {201}
        assert len({made["id"] for _, made in answers}) == 1
        assert complete(token, answers[0][1], send_parts(token, answers[0][1], [b"abc"]))[0] == 200

    def left():
        return {upload["UploadId"] for upload in s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])} - before

    eventually(lambda: left() == set())


def test_completed_by_many_at_once(server, token, s3):
    made = begin(server, token, "files", size=5)
    parts = send_parts(token, made, [b"hello"])
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: complete(token, made, parts), range(8)))
    assert {(status, answer.get("status")) for status, answer in answers} == {(200, "complete")}
    assert s3.get_object(Bucket=BUCKET, Key=made["key"])["Body"].read() == b"hello"
    assert complete(token, made, parts)[0] == 200
