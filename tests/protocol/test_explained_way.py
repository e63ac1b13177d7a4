"""What happens to a URL on its way: signed by botocore, spoilt as proxies and clients do, explained by the server."""
import datetime
import hashlib
import hmac
import json
import re

import pytest
from harness import ACCESS_KEY, SECRET_KEY, presign, target_of

PROXY = "proxy_set_header Host $http_host"


def explained(server, answer, *words):
    """The explanation is in the error, in the log, and holds these words."""
    explanation = answer.error["Explanation"]
    for word in words:
        assert word in explanation, explanation
    line = server.wait_for_log(rf".*{answer.error['RequestId']}.*").group()
    assert words[0] in line, line
    assert not re.search("[0-9a-f]{64}", line), "no signature in the log"
    return explanation


@pytest.fixture
def public(server):
    """Signs for the name that clients call."""
    return server.client(endpoint="https://files.example.com")


@pytest.mark.parametrize("headers", [
    {"X-Forwarded-Host": "files.example.com"},
    {"X-Forwarded-Host": "files.example.com, inner:8080"},
    {"Forwarded": 'for=192.0.2.1;host="files.example.com";proto=https'},
    {"X-Original-Host": "files.example.com"},
])
def test_a_proxy_that_drops_host_and_says_so(server, public, headers):
    """It is not trusted, so nothing is believed; but what fits its word was signed for that name."""
    answer = server.send("GET", target_of(presign(public, "get_object")), {"Host": "minio:9000", **headers})
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")
    explained(server, answer, "'files.example.com'", "'minio:9000'", PROXY, "--public-url")


@pytest.mark.parametrize("host", [None, "minio:9000", "localhost", "store_backend", "10.0.0.7:9000", "s3.svc.cluster.local"])
def test_a_proxy_that_drops_host_and_says_nothing(server, public, host):
    """None: the server's own address, as nginx has it if nothing is set; and nginx closes each connection."""
    answer = server.send("GET", target_of(presign(public, "get_object")), {"Host": host} if host else {"Connection": "close"})
    text = explained(server, answer, host or server.host, "inner name", PROXY, "--public-url", ACCESS_KEY)
    assert text.index(PROXY) < text.index("check the secret"), "the likelier comes first"
    assert "files.example.com" not in text, "which nobody but the signer can know"


def test_another_name_outside(server, public):
    answer = server.send("GET", target_of(presign(public, "get_object")), {"Host": "files.example.net"})
    text = explained(server, answer, "'files.example.net'", PROXY, "check the secret")
    assert "inner" not in text


@pytest.mark.parametrize("endpoint", ["http://localhost:PORT", "http://minio:9000", "http://127.0.0.1:PORT"])
def test_signed_inside_used_outside(server, endpoint):
    inside = server.client(endpoint=endpoint.replace("PORT", str(server.port)))
    answer = server.send("GET", target_of(presign(inside, "get_object")), {"Host": "files.example.com"})
    explained(server, answer, endpoint.split("/")[2].replace("PORT", str(server.port)), "inner name", "signer's endpoint")


def test_a_domain_of_the_server(start):
    server = start("--domain", "s3.example.com")
    client = server.client(endpoint="http://s3.example.com")
    explained(server, server.send("GET", target_of(presign(client, "get_object"))), "'s3.example.com'", PROXY)


def test_the_path_encoded_again(server, s3):
    target = target_of(presign(s3, "get_object", key="a b+c.jpg"))
    assert "a%20b%2Bc.jpg?" in target
    path, query = target.split("?")
    text = explained(server, server.send("GET", path.replace("%", "%25") + "?" + query), "path", "'%2520'", "once more")
    assert "igner" not in text, "the signer is not to blame"


def test_the_query_encoded_again(server, s3):
    target = target_of(presign(s3, "get_object", ResponseContentType="text/plain"))
    answer = server.send("GET", target.replace("text%2Fplain", "text%252Fplain"))
    assert answer.code == "SignatureDoesNotMatch"
    explained(server, answer, "query", "'%252F'", "once more")


def whole(target):
    return target.replace("%", "%25")


@pytest.mark.parametrize("spoil, words", [
    (whole, ["percent-encoded once more", "'%252F'"]),
    (lambda target: "?".join(re.sub("[%&=]", lambda sign: f"%{ord(sign.group()):02X}", part)
                             for part in target.split("?")), ["'&' and '='"]),
    (lambda target: whole(target).replace("&", "%26").replace("=", "%3D").replace("?", "%3F"), ["'%3F'"]),
    (lambda target: target.replace("&", "&amp;"), ["'&amp;'", "HTML"]),
    (lambda target: target.replace("&", "%5Cu0026"), ["u0026", "JSON"]),
    (lambda target: target + ".", ["'.'", "glued"]),
    (lambda target: target + "%20", ["'%20'", "glued"]),
    (lambda target: target + ").", ["').'", "glued"]),
    (lambda target: target + "%3E", ["'%3E'", "glued"]),
    (lambda target: target + "%E2%80%9D%0A", ["glued"]),
    (lambda target: target[:-20], ["cut short", "64"]),
    (lambda target: target.split("&")[0], ["cut short", "quotes"]),
    (lambda target: target.split("&X-Amz-Signature")[0], ["cut short", "X-Amz-Signature"]),
    (str.lower, ["lower case"]),
    (lambda target: re.sub("[0-9a-f]{64}$", lambda hexadecimal: hexadecimal.group().upper(), target), ["capitals"]),
])
def test_a_url_that_does_not_even_parse(server, s3, spoil, words):
    target = target_of(presign(s3, "get_object", key="a.jpg"))
    spoilt = spoil(target)
    assert spoilt != target
    answer = server.send("GET", spoilt)
    assert answer.status in (400, 403), answer
    explained(server, answer, *words)


def test_what_was_not_spoilt_is_not_called_so(server, s3):
    """Lower-case escapes and a last '&' are the same URL; an anonymous request was not cut."""
    target = target_of(presign(s3, "get_object", key="no+such key.jpg"))
    lower = re.sub("%[0-9A-F]{2}", lambda escape: escape.group().lower(), target)
    assert lower != target
    for same in (target, lower, target + "&"):
        assert server.send("GET", same).code == "NoSuchKey"
    answer = server.send("GET", "/pictures/a%3Fb.?a&amp;b=%2520")
    assert answer.code == "AccessDenied" and answer.error["Explanation"].startswith("The request is not signed")


@pytest.mark.parametrize("was_signed, sent, word", [
    ("München".encode(), "München".encode("latin-1"), "signed as UTF-8 but arrived as ISO-8859-1"),
    ("München".encode("latin-1"), "München".encode(), "signed as ISO-8859-1 but arrived as UTF-8"),
    ("München".encode(), "München".encode().decode("latin-1").encode(), "encoded once more"),
])
def test_a_header_in_another_encoding(server, was_signed, sent, word):
    """botocore refuses metadata that is not ASCII; others sign the bytes that they send."""
    answer = send_with_header(server, "x-amz-meta-city", was_signed, sent)
    assert answer.code == "SignatureDoesNotMatch", answer
    explained(server, answer, "'x-amz-meta-city'", word)
    assert send_with_header(server, "x-amz-meta-city", was_signed, was_signed).status == 200


def send_with_header(server, name, was_signed, sent):
    """Sign by botocore's steps a header of any bytes, and send it with others."""
    stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    body = b"x"
    sha256 = hashlib.sha256(body).hexdigest()
    names = f"host;x-amz-content-sha256;x-amz-date;{name}"
    canonical = (f"PUT\n/pictures/city.txt\n\nhost:{server.host}\nx-amz-content-sha256:{sha256}\nx-amz-date:{stamp}\n"
                 f"{name}:").encode() + was_signed + f"\n\n{names}\n{sha256}".encode()
    scope = f"{stamp[:8]}/us-east-1/s3/aws4_request"
    string = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical).hexdigest()}"
    key = b"AWS4" + SECRET_KEY.encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, string.encode(), hashlib.sha256).hexdigest()
    return server.send("PUT", "/pictures/city.txt", {
        "x-amz-date": stamp, "x-amz-content-sha256": sha256, name: sent,
        "Authorization": f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope}, SignedHeaders={names}, "
                         f"Signature={signature}"}, body)


# ---- `latchstring explain` says what the server says

def presign_with(server, *parameters, method="GET", key="cat.jpg"):
    queries = [word for parameter in parameters for word in ("--query", parameter)]
    return server.command("presign", "--endpoint-url", server.endpoint, "--method", method,
                          *queries, f"s3://pictures/{key}").stdout.strip()


@pytest.mark.parametrize("method, parameters", [
    ("GET", ["x-latch-uses=3"]),
    ("GET", ["x-latch-uses=0", "x-latch-id=a"]),
    ("GET", ["x-latch-id=a b"]),
    ("GET", ["x-latch-ids=a"]),
    ("GET", ["x-latch-head=yes"]),
    ("GET", ["x-latch-length=1-5"]),
    ("GET", ["x-latch-type=image/png"]),
    ("PUT", ["x-latch-length=5-1"]),
    ("PUT", ["x-latch-lenght=1-5"]),
    ("PUT", ["x-latch-type=image"]),
    ("PUT", ["x-latch-ip=1.2.3"]),
    ("PUT", ["x-latch-not-before=tomorrow"]),
    ("PUT", ["x-latch-head=1"]),
    ("DELETE", ["x-latch-new=1"]),
    ("GET", ["x-latch-not-before=2099-01-01T00:00:00Z"]),
    ("PUT", ["partNumber=1", "uploadId=u", "x-latch-sniff=1"]),
    ("POST", ["uploads=", "x-latch-length=1-5"]),
])
def test_a_constraint_that_can_not_be_held(server, method, parameters):
    url = presign_with(server, *parameters, method=method)
    answer = server.send(method, target_of(url), body=b"x" if method == "PUT" else None)
    assert answer.code in ("InvalidArgument", "AccessDenied"), answer
    for more in ([], ["--method", method]):
        done = server.command("explain", "--json", *more, url, check=False)
        said = json.loads(done.stdout)
        assert done.returncode == 1 and said["signature"] == "right", done.stdout
        (problem,) = said["problems"]
        assert (problem["code"], problem["message"]) == (answer.code, answer.error["Message"])


def test_a_parameter_that_stands_twice(server):
    url = presign_with(server, "x-latch-id=a", "X-Latch-Id=b")
    assert server.send("GET", target_of(url)).code == "InvalidArgument"
    done = server.command("explain", "--json", url, check=False)
    assert done.returncode == 1
    assert [problem["code"] for problem in json.loads(done.stdout)["problems"]] == ["InvalidArgument"]


@pytest.mark.parametrize("method, parameters", [
    ("GET", []), ("GET", ["x-latch-head=1", "x-latch-id=a", "x-latch-uses=3"]),
    ("PUT", ["x-latch-length=1-5", "x-latch-type=image/*", "x-latch-sniff=1", "x-latch-new=1"]),
    ("POST", ["uploads=", "x-latch-type=image/png"]),
])
def test_a_constraint_that_can_be_held(server, method, parameters):
    url = presign_with(server, *parameters, method=method)
    done = server.command("explain", "--json", url, check=False)
    assert done.returncode == 0, done.stdout
