"""What `latchstring presign` makes, another store accepts and refuses as it says: Ceph's gateway."""
import datetime
import hashlib
import json
import time
import urllib.parse
import xml.etree.ElementTree as xml

import pytest

BODY = b"\xff\xd8\xff a picture \r\n\0" + bytes(range(256))
PICTURES = "s3://pictures"
BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"


def ago(seconds):
    """A time in the past (the future, if negative), as --date wants it."""
    when = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds)
    return when.strftime("%Y%m%dT%H%M%SZ")


@pytest.fixture
def cat(s3):
    """The key of a picture that is there."""
    s3.put_object(Bucket="pictures", Key="cat.jpg", Body=BODY, ContentType="image/jpeg")
    return "cat.jpg"


@pytest.fixture
def absent(s3):
    """absent(KEY): assert that there is no such object."""
    def assert_absent(key):
        assert key not in keys(s3)
    return assert_absent


def keys(s3, prefix=""):
    return [found["Key"] for found in s3.list_objects_v2(Bucket="pictures", Prefix=prefix).get("Contents", [])]


def body_of(s3, key):
    return s3.get_object(Bucket="pictures", Key=key)["Body"].read()


def refused(answer, code="SignatureDoesNotMatch"):
    assert (answer.status, answer.code) == (403, code), answer


# ---- URLs that are accepted

def test_what_a_url_puts_others_get_and_head(radosgw, presign, s3):
    answer = radosgw.send("PUT", presign(f"{PICTURES}/dog.jpg", "--method", "PUT"), body=BODY)
    assert answer.status == 200, answer
    assert answer.headers["ETag"] == f'"{hashlib.md5(BODY).hexdigest()}"'
    assert body_of(s3, "dog.jpg") == BODY

    answer = radosgw.send("GET", presign(f"{PICTURES}/dog.jpg"))
    assert (answer.status, answer.body) == (200, BODY)
    answer = radosgw.send("GET", presign(f"{PICTURES}/dog.jpg"), {"Range": "bytes=3-11"})
    assert (answer.status, answer.body) == (206, BODY[3:12])
    answer = radosgw.send("HEAD", presign(f"{PICTURES}/dog.jpg", "--method", "HEAD"))
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(BODY))


def test_delete(radosgw, presign, cat, absent):
    answer = radosgw.send("DELETE", presign(f"{PICTURES}/{cat}", "--method", "DELETE"))
    assert answer.status == 204, answer
    absent(cat)


def test_a_key_that_is_not_there(radosgw, presign):
    answer = radosgw.send("GET", presign(f"{PICTURES}/nobody.jpg"))
    assert (answer.status, answer.code) == (404, "NoSuchKey")


@pytest.mark.parametrize("key", [
    "a b+c/ä€😀.jpg", "//a//b", "a/./../b", "%41%2F?x=y&z#~!*'();:@$,[]", "\"quoted\" \\ `back` {brace}|^<>",
    "ends/with/slash/", "k" * 1024,
])
def test_every_key(radosgw, presign, s3, key):
    answer = radosgw.send("PUT", presign(f"{PICTURES}/{key}", "--method", "PUT"), body=key.encode())
    assert answer.status == 200, answer
    assert keys(s3, key) == [key]
    answer = radosgw.send("GET", presign(f"{PICTURES}/{key}"))
    assert (answer.status, answer.body) == (200, key.encode())


def test_a_batch_of_urls(radosgw, presign):
    names = [f"{i} + ä.txt" for i in range(20)]
    puts = presign(f"{PICTURES}/batch/", "--batch", "--method", "PUT", input="\n".join(names)).split("\n")
    gets = presign(f"{PICTURES}/batch/", "--batch", "--json", input="\n".join(names)).split("\n")
    assert len(puts) == len(gets) == len(names)
    for name, url in zip(names, puts):
        assert radosgw.send("PUT", url, body=name.encode()).status == 200
    for name, line in zip(names, gets):
        assert radosgw.send("GET", json.loads(line)["url"]).body == name.encode()


def test_the_bucket_in_the_host(radosgw, presign, cat):
    url = presign(f"{PICTURES}/{cat}", "--virtual-host", endpoint=f"http://localhost:{radosgw.port}")
    assert url.startswith(f"http://pictures.localhost:{radosgw.port}/cat.jpg?")
    answer = radosgw.send("GET", url)
    assert (answer.status, answer.body) == (200, BODY)


def test_another_region(radosgw, presign, cat):
    answer = radosgw.send("GET", presign(f"{PICTURES}/{cat}", "--region", "eu-west-1"))
    assert (answer.status, answer.body) == (200, BODY)


def test_a_list_of_keys(radosgw, presign, s3):
    for key in ("list/a b", "list/ä&b"):
        s3.put_object(Bucket="pictures", Key=key, Body=b"")
    url = presign(PICTURES, "--query", "list-type=2", "--query", "prefix=list/", "--query", "encoding-type=url")
    answer = radosgw.send("GET", url)
    assert answer.status == 200, answer
    found = [each.text for each in xml.fromstring(answer.body).iter("{http://s3.amazonaws.com/doc/2006-03-01/}Key")]
    assert [urllib.parse.unquote_plus(key) for key in found] == ["list/a b", "list/ä&b"]


def test_the_answer_s_headers_are_those_of_the_query(radosgw, presign, cat):
    disposition = "attachment; filename=\"a + b.jpg\"; filename*=UTF-8''%C3%A4.jpg"
    url = presign(f"{PICTURES}/{cat}", "--query", "response-content-type=text/plain; charset=utf-8",
                  "--query", f"response-content-disposition={disposition}")
    answer = radosgw.send("GET", url)
    assert (answer.status, answer.body) == (200, BODY)
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Content-Disposition"] == disposition
    refused(radosgw.send("GET", url.replace("text%2Fplain", "text%2Fhtml")))


# ---- Headers that the client must send so

@pytest.mark.parametrize("headers", [
    {"Content-Type": "image/png"},
    {"Content-Type": "image/png", "x-amz-meta-who": "me  and   you", "x-amz-acl": "public-read"},
    {"Content-MD5": "XrY7u+Ae7tCTyyK7j1rNww=="},
])
def test_signed_headers_must_be_sent(radosgw, presign, s3, headers, absent):
    given = [word for name, value in headers.items() for word in ("--header", f"{name}: {value}")]
    url = presign(f"{PICTURES}/signed", "--method", "PUT", *given)
    body = b"hello world"
    for name in headers:
        others = {each: value for each, value in headers.items() if each != name}
        refused(radosgw.send("PUT", url, others, body))
        refused(radosgw.send("PUT", url, {**others, name: "another"}, body))
    absent("signed")
    assert radosgw.send("PUT", url, headers, body).status == 200
    head = s3.head_object(Bucket="pictures", Key="signed")
    if "Content-Type" in headers:
        assert head["ContentType"] == "image/png"
    if "x-amz-acl" in headers:
        assert head["Metadata"] == {"who": "me  and   you"}
        assert radosgw.send("GET", f"{radosgw.endpoint}/pictures/signed").body == body, "for everyone to read"
    if "Content-MD5" in headers:
        answer = radosgw.send("PUT", url, headers, b"other bytes")
        assert (answer.status, answer.code) == (400, "BadDigest"), answer
    s3.delete_object(Bucket="pictures", Key="signed")


def test_a_signed_length(radosgw, presign, s3, absent):
    url = presign(f"{PICTURES}/length", "--method", "PUT", "--header", f"Content-Length: {len(BODY)}")
    for body in (BODY + b"!", BODY[1:], b""):
        refused(radosgw.send("PUT", url, body=body))
    absent("length")
    assert radosgw.send("PUT", url, body=BODY).status == 200
    assert body_of(s3, "length") == BODY


# ---- URLs that are refused

def test_without_a_url_nobody_gets_in(radosgw, cat):
    refused(radosgw.send("GET", f"{radosgw.endpoint}/pictures/{cat}"), "AccessDenied")
    refused(radosgw.send("PUT", f"{radosgw.endpoint}/pictures/{cat}", body=b""), "AccessDenied")


@pytest.mark.parametrize("method, used", [("GET", "PUT"), ("GET", "DELETE"), ("GET", "HEAD"), ("PUT", "GET"),
                                          ("HEAD", "GET"), ("PUT", "DELETE")])
def test_a_url_is_for_one_method(radosgw, presign, s3, cat, method, used):
    answer = radosgw.send(used, presign(f"{PICTURES}/{cat}", "--method", method))
    assert answer.status == 403 and answer.code in ("SignatureDoesNotMatch", ""), answer
    assert body_of(s3, cat) == BODY


@pytest.mark.parametrize("old, new", [
    ("/cat.jpg?", "/dog.jpg?"), ("/cat.jpg?", "/cat.jpg?acl&"), ("X-Amz-Expires=600", "X-Amz-Expires=6000"),
    ("us-east-1", "us-east-2"), ("Signature=", "Signature=0"), ("SignedHeaders=host", "SignedHeaders=host%3Bdate"),
    ("http://127.0.0.1", "http://localhost"),
])
def test_a_changed_url(radosgw, presign, cat, old, new):
    url = presign(f"{PICTURES}/{cat}", "--expires-in", "600")
    assert radosgw.send("GET", url).status == 200 and old in url
    refused(radosgw.send("GET", url.replace(old, new, 1)))


def test_the_keys_of_somebody_else(radosgw, presign, cat):
    refused(radosgw.send("GET", presign(f"{PICTURES}/{cat}", secret_key="another/secret")))
    refused(radosgw.send("GET", presign(f"{PICTURES}/{cat}", access_key="AKIANOBODY")), "InvalidAccessKeyId")


# ---- Time

@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD"])
def test_a_url_ends(radosgw, presign, s3, cat, method):
    body = b"too late" if method == "PUT" else None
    url = presign(f"{PICTURES}/{cat}", "--method", method, "--expires-in", "60", "--date", ago(62))
    answer = radosgw.send(method, url, body=body)
    assert answer.status == 403 and answer.code == ("" if method == "HEAD" else "AccessDenied"), answer
    assert body_of(s3, cat) == BODY
    url = presign(f"{PICTURES}/{cat}", "--method", method, "--expires-in", "90", "--date", ago(62))
    assert radosgw.send(method, url, body=BODY if body else None).status == 200


def test_a_url_ends_while_one_waits(radosgw, presign, cat):
    url = presign(f"{PICTURES}/{cat}", "--expires-in", "2")
    assert radosgw.send("GET", url).status == 200
    time.sleep(2.1)
    refused(radosgw.send("GET", url), "AccessDenied")


def test_seven_days_at_most(radosgw, presign, cat):
    week = 7 * 86400
    url = presign(f"{PICTURES}/{cat}", "--expires-in", str(week), "--date", ago(week - 60))
    assert radosgw.send("GET", url).status == 200, "on its last day"
    refused(radosgw.send("GET", presign(f"{PICTURES}/{cat}", "--expires-in", str(week + 1))), "AccessDenied")


# ---- Forms

def encode(fields, file, name="cat.jpg"):
    body = b""
    for field, value in fields.items():
        body += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
    body += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    return body + file + f"\r\n--{BOUNDARY}--\r\n".encode()


@pytest.fixture
def post(radosgw, presign):
    """post(FORM, BODY, key="...", ...): send a form, with other values in its fields."""
    def send(form, file=BODY, name="cat.jpg", **changed):
        fields = {**form["fields"], **{field.replace("_", "-"): value for field, value in changed.items()}}
        return radosgw.send("POST", form["url"], {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"},
                            encode(fields, file, name))
    return send


@pytest.fixture
def form(presign):
    """form(URI, OPTION, ...): a form's URL and fields."""
    def make(uri, *arguments, **more):
        return json.loads(presign(uri, "--post", "--json", *arguments, **more))
    return make


def test_a_form_puts_its_key(post, form, s3):
    key = "form/a b+ä.jpg"
    answer = post(form(f"{PICTURES}/{key}", "--content-type", "image/jpeg", "--field", "x-amz-meta-who=me & you"))
    assert answer.status == 204, answer
    assert body_of(s3, key) == BODY
    head = s3.head_object(Bucket="pictures", Key=key)
    assert (head["ContentType"], head["Metadata"]) == ("image/jpeg", {"who": "me & you"})


def test_a_form_s_status(post, form):
    answer = post(form(f"{PICTURES}/form/created", "--field", "success_action_status=201"))
    assert answer.status == 201 and xml.fromstring(answer.body).findtext("Key") == "form/created", answer


def test_a_form_in_the_bucket_s_host(post, form, s3, radosgw):
    given = form(f"{PICTURES}/form/host", "--virtual-host", endpoint=f"http://localhost:{radosgw.port}")
    assert given["url"].startswith(f"http://pictures.localhost:{radosgw.port}")
    assert post(given).status == 204
    assert body_of(s3, "form/host") == BODY


def test_a_form_limits_the_size(post, form, s3, absent):
    given = form(f"{PICTURES}/form/size", "--min-size", "10", "--max-size", "20")
    for size, code in ((9, "EntityTooSmall"), (21, "EntityTooLarge"), (100_000, "EntityTooLarge")):
        answer = post(given, b"x" * size)
        assert (answer.status, answer.code) == (400, code), answer
        absent("form/size")
    for size in (10, 20):
        assert post(given, b"x" * size).status == 204
        assert body_of(s3, "form/size") == b"x" * size


def test_a_form_for_a_prefix(post, form, s3, absent):
    given = form(PICTURES, "--key-prefix", "form/new/", "--starts-with", "Content-Type=image/")
    assert post(given, name="dog ä.png", Content_Type="image/png").status == 204
    assert body_of(s3, "form/new/dog ä.png") == BODY
    assert post(given, key="form/new/of/mine", Content_Type="image/gif").status == 204
    assert s3.head_object(Bucket="pictures", Key="form/new/of/mine")["ContentType"] == "image/gif"
    refused(post(given, key="form/old", Content_Type="image/png"), "AccessDenied")
    refused(post(given, key="form/new/page", Content_Type="text/html"), "AccessDenied")
    absent("form/old")
    absent("form/new/page")


@pytest.mark.parametrize("changed", [
    {"key": "form/another"}, {"x-amz-meta-who": "you"}, {"x-amz-meta-more": "an extra field"},
    {"acl": "public-read"}, {"x-amz-signature": "0" * 64}, {"policy": "e30="},
])
def test_a_changed_form(post, form, s3, changed, absent):
    given = form(f"{PICTURES}/form/changed", "--field", "x-amz-meta-who=me")
    refused(post(given, **changed), "AccessDenied")  # radosgw's word for a form's wrong signature, too
    absent("form/changed")
    absent("form/another")
    assert post(given).status == 204, "as it was given"
    s3.delete_object(Bucket="pictures", Key="form/changed")


def test_a_form_ends(post, form, s3, absent):
    refused(post(form(f"{PICTURES}/form/late", "--expires-in", "60", "--date", ago(62))), "AccessDenied")
    absent("form/late")
    assert post(form(f"{PICTURES}/form/late", "--expires-in", "90", "--date", ago(62))).status == 204


def test_a_form_with_the_keys_of_somebody_else(post, form, absent):
    refused(post(form(f"{PICTURES}/form/else", secret_key="another/secret")), "AccessDenied")
    refused(post(form(f"{PICTURES}/form/else", access_key="AKIANOBODY")), "AccessDenied")
    absent("form/else")
    assert post(form(f"{PICTURES}/form/else")).status == 204, "with the user's own"
