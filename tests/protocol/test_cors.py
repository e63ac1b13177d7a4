"""CORS: preflights answered before any signature check, headers on errors too."""
import pytest
from harness import presign, target_of

BUCKET = "pictures"
ORIGIN = {"Origin": "https://app.example.com"}


def preflight(server, target, method="PUT", headers="content-type,x-amz-meta-owner", origin="https://app.example.com"):
    return server.send("OPTIONS", target, {"Origin": origin, "Access-Control-Request-Method": method,
                                           "Access-Control-Request-Headers": headers})


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "POST", "DELETE"])
@pytest.mark.parametrize("target", ["/pictures/cat.jpg", "/", "/pictures/cat.jpg?X-Amz-Signature=bad"])
def test_a_preflight_needs_no_signature(server, target, method):
    answer = preflight(server, target, method)
    assert answer.status in (200, 204)
    assert answer.headers["Access-Control-Allow-Origin"] in ("*", ORIGIN["Origin"])
    assert method in answer.headers["Access-Control-Allow-Methods"]
    allowed = answer.headers["Access-Control-Allow-Headers"].lower()
    assert "x-amz-meta-owner" in allowed and "content-type" in allowed
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert int(answer.headers["Access-Control-Max-Age"]) > 0


def test_what_a_page_may_read(server, s3):
    s3.put_object(Bucket=BUCKET, Key="cat.jpg", Body=b"x", Metadata={"owner": "Ada"})
    answer = server.send("GET", target_of(presign(s3, "get_object")), ORIGIN)
    exposed = {name.strip().lower() for name in answer.headers["Access-Control-Expose-Headers"].split(",")}
    assert {"etag", "location", "x-amz-request-id", "x-amz-meta-owner"} <= exposed
    assert answer.headers["Access-Control-Allow-Origin"] in ("*", ORIGIN["Origin"])


@pytest.mark.parametrize("method,target", [
    ("GET", "/pictures/cat.jpg"), ("PUT", "/pictures/cat.jpg"), ("GET", "/%zz"), ("GET", "/-/api/nothing"),
    ("GET", "/pictures/cat.jpg?X-Amz-Algorithm=AWS4-HMAC-SHA256"), ("PATCH", "/pictures/x")])
def test_errors_can_be_read_by_a_page(server, method, target):
    answer = server.send(method, target, ORIGIN)
    assert answer.status >= 400 and answer.headers["Access-Control-Allow-Origin"] in ("*", ORIGIN["Origin"]), answer


def test_caches_are_told(server, s3):
    """The same URL as a plain image and by fetch() must not be mixed up by a cache."""
    s3.put_object(Bucket=BUCKET, Key="cat.jpg", Body=b"x")
    answer = server.send("GET", target_of(presign(s3, "get_object")))
    assert "Access-Control-Allow-Origin" in answer.headers or "Origin" in answer.headers.get("Vary", "")


def test_configured_origins(start):
    server = start("--cors-origin", "https://app.example.com", "--cors-origin", "https://b.example", "--buckets", BUCKET)
    allowed = preflight(server, "/pictures/x")
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    refused = preflight(server, "/pictures/x", origin="https://evil.example")
    assert refused.status == 403 and "Access-Control-Allow-Origin" not in refused.headers
    answer = server.send("GET", "/pictures/x", {"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in answer.headers
    answer = server.send("GET", "/pictures/x", {"Origin": "https://b.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "https://b.example"


def test_an_options_without_an_origin(server):
    answer = server.send("OPTIONS", "/pictures/x")
    assert answer.status == 400 and answer.code == "BadRequest"
