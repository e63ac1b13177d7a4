"""A rate limit for addresses that send no signature; liveness and readiness."""

import json

import pytest
from harness import Server, target_of

ADDRESSES = iter(f"198.51.100.{number}" for number in range(1, 255))


@pytest.fixture(name="limited", scope="module")
def _limited(tmp_path_factory):
    """Behind a proxy on this machine, so that a test can come from any address; 3 requests a second, 6 at once."""
    with Server(tmp_path_factory.mktemp("limited") / "data", "--anonymous-rate", "3", "--trusted-proxy", "127.0.0.1",
                environment={"LATCHSTRING_BUCKETS": "photos"}) as server:
        yield server


def ask(server, address, target="/photos/k", method="GET", count=30, **headers):
    """The statuses of many requests in a row, of one address."""
    headers = {"X-Forwarded-For": address, **headers}
    return [server.send(method, target, headers=headers).status for _ in range(count)]


@pytest.mark.parametrize(("method", "target", "headers", "refused"), [
    ("GET", "/photos/k", {}, 503), ("GET", "/-/l/guess", {}, 429), ("POST", "/-/api/uploads", {}, 429),
    ("OPTIONS", "/photos/k", {"Origin": "https://a.example", "Access-Control-Request-Method": "PUT"}, 503),
    ("GET", "/-/api/uppy/s3/params", {}, 429), ("GET", "/-/api/uploads/lsc_x", {}, 429), ("GET", "/photos/-/api/uppy/lsc_x/s3/params", {}, 503),
    # What looks like a signature is none where nobody looks at it.
    ("GET", "/-/l/guess?X-Amz-Signature=0", {}, 429), ("GET", "/-/l/guess?Signature=0", {}, 429),
    ("GET", "/-/l/guess", {"Authorization": "Bearer x"}, 429),
    ("POST", "/-/l/guess", {"Content-Type": "multipart/form-data; boundary=x"}, 429),
    ("POST", "/-/api/uploads", {"Content-Type": "multipart/form-data; boundary=x"}, 429),
    ("OPTIONS", "/photos/k?X-Amz-Signature=0", {"Origin": "https://a.example", "Access-Control-Request-Method": "PUT"}, 503)])
def test_a_stranger_is_slowed_down(limited, method, target, headers, refused):
    statuses = ask(limited, next(ADDRESSES), target, method, **headers)
    assert statuses[0] != refused
    assert refused in statuses
    other = ask(limited, next(ADDRESSES), target, method, count=1, **headers)
    assert other[0] != refused, "another address has a rate of its own"


def test_the_refusal_says_when_to_come_back(limited):
    address = next(ADDRESSES)
    ask(limited, address)
    answer = limited.send("GET", "/photos/k", headers={"X-Forwarded-For": address})
    assert answer.code == "SlowDown"
    assert answer.headers["Retry-After"] == "1"
    assert "too many requests" in answer.error["Message"]
    for target, headers in (("/-/api/links", {}), ("/-/l/x", {"Accept": "application/json"})):
        answer = limited.send("GET", target, headers={"X-Forwarded-For": address, **headers})
        assert json.loads(answer.body)["error"]["code"] == "TooManyRequests"
        assert answer.headers["Retry-After"] == "1"
    answer = limited.send("GET", "/-/api/uppy/s3/params", headers={"X-Forwarded-For": address})
    assert "too many requests" in json.loads(answer.body)["error"], "Uppy shows this to the user"
    answer = limited.send("GET", "/-/l/x", headers={"X-Forwarded-For": address, "Accept": "text/html,*/*"})
    assert answer.headers["Content-Type"].startswith("text/plain") and answer.body.startswith(b"This address sends too many requests")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "1")


def test_one_household_of_ipv6_is_one_stranger(limited):
    statuses = [ask(limited, f"2001:db8:1:2::{number}", count=1)[0] for number in range(1, 31)]
    assert 503 in statuses
    assert ask(limited, "2001:db8:1:3::1", count=1) == [403]


def test_whoever_signs_is_not_slowed_down(limited):
    address = next(ADDRESSES)
    ask(limited, address)
    client = limited.client()
    client.put_object(Bucket="photos", Key="k", Body=b"k")
    url = target_of(client.generate_presigned_url("get_object", Params={"Bucket": "photos", "Key": "k"}))
    assert set(ask(limited, address, url)) == {200}


def test_a_token_in_the_path_says_who_it_is(limited):
    assert set(ask(limited, next(ADDRESSES), "/-/api/uppy/lsc_x/s3/params?filename=a")) == {401}


def test_probes_are_not_slowed_down(limited):
    address = next(ADDRESSES)
    for target in ("/-/health", "/-/ready", "/-/metrics"):
        assert set(ask(limited, address, target)) == {200}


def test_health_and_ready(limited):
    answer = limited.send("GET", "/-/health")
    assert (answer.status, json.loads(answer.body)) == (200, {"status": "ok"})
    answer = limited.send("GET", "/-/ready")
    assert (answer.status, json.loads(answer.body)) == (200, {"status": "ready"})
    assert answer.headers["Cache-Control"] == "no-store"
