"""By which names the server is called: path-style, virtual-host style, a public URL behind a proxy."""
import contextlib
import http.client
import socket

import pytest
from harness import presign, send_on, target_of

BUCKET = "pictures"


@pytest.fixture(scope="module")
def named(start):
    server = start("--domain", "localhost", "--domain", "s3.example.com", "--buckets", f"{BUCKET},with.dots")
    server.client().put_object(Bucket=BUCKET, Key="a b/c.jpg", Body=b"found")
    server.client().put_object(Bucket="with.dots", Key="k", Body=b"dotted")
    return server


def through(server, url, method="GET", headers=None, body=None):
    """Send a URL's request to this server, whatever host the URL names."""
    host = url.split("/")[2]
    return server.send(method, target_of(url), {"Host": host, **(headers or {})}, body)


def virtual(server, host):
    return server.client(endpoint=f"http://{host}:{server.port}", s3={"addressing_style": "virtual"})


@pytest.mark.parametrize("domain", ["localhost", "s3.example.com"])
def test_virtual_host_style(named, domain):
    s3 = virtual(named, domain)
    url = presign(s3, "get_object", key="a b/c.jpg")
    assert url.startswith(f"http://pictures.{domain}:{named.port}/a%20b/c.jpg?")
    assert through(named, url).body == b"found"
    url = presign(s3, "put_object", key="new")
    assert through(named, url, "PUT", body=b"by virtual host").status == 200
    assert named.client().get_object(Bucket=BUCKET, Key="new")["Body"].read() == b"by virtual host"


def test_a_bucket_with_dots_and_names_in_upper_case(named):
    url = presign(virtual(named, "localhost"), "get_object", bucket="with.dots", key="k")
    if "//with.dots.localhost" in url:
        assert through(named, url).body == b"dotted"
    url = presign(virtual(named, "localhost"), "get_object", key="a b/c.jpg")
    answer = named.send("GET", target_of(url), {"Host": f"PICTURES.LOCALHOST:{named.port}"})
    assert answer.status in (200, 403)


def test_path_style_on_the_domain_itself(named):
    s3 = named.client(endpoint=f"http://s3.example.com:{named.port}", s3={"addressing_style": "path"})
    assert through(named, presign(s3, "get_object", key="a b/c.jpg")).body == b"found"


def test_a_domain_that_is_part_of_another_has_the_servers_own_paths(start):
    """By the name of either; a bucket's own host has none."""
    server = start("--domain", "example.com", "--domain", "s3.example.com")
    for host, is_ours in (("example.com", True), ("s3.example.com", True), ("S3.EXAMPLE.COM:9000", True), ("elsewhere", True),
                          ("pictures.example.com", False), ("pictures.s3.example.com:9000", False)):
        assert (server.send("GET", "/-/health", {"Host": host}).status == 200) == is_ours, host


def test_other_hosts_are_path_style(named):
    """Only the configured domains are taken apart: bucket.elsewhere is a host like any other."""
    s3 = named.client(endpoint=f"http://pictures.elsewhere.example:{named.port}", s3={"addressing_style": "path"})
    assert through(named, presign(s3, "get_object", key="a b/c.jpg")).body == b"found"


def test_a_url_for_one_bucket_does_not_open_another_by_its_host(named):
    url = presign(virtual(named, "localhost"), "get_object", key="k")
    answer = named.send("GET", target_of(url), {"Host": f"with.dots.localhost:{named.port}"})
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")


def test_aws_chooses_virtual_hosts_with_a_real_connection(named):
    """bucket.localhost reaches this machine, so boto3 can do it for real."""
    original = socket.getaddrinfo

    def localhost(host, *arguments, **options):
        return original("127.0.0.1" if str(host).endswith("localhost") else host, *arguments, **options)
    socket.getaddrinfo = localhost
    try:
        s3 = virtual(named, "localhost")
        s3.put_object(Bucket=BUCKET, Key="real", Body=b"x" * 100_000)
        assert s3.get_object(Bucket=BUCKET, Key="real")["ContentLength"] == 100_000
        assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix="real")["Contents"]] == ["real"]
        s3.create_bucket(Bucket="made-by-host")
        assert "made-by-host" in [entry["Name"] for entry in s3.list_buckets()["Buckets"]]
        s3.delete_bucket(Bucket="made-by-host")
    finally:
        socket.getaddrinfo = original


# ---- Behind a proxy

@pytest.fixture(scope="module")
def public(start):
    server = start("--public-url", "https://files.example.com", "--public-url", "http://other.example.com:8080",
                   "--buckets", BUCKET)
    server.client().put_object(Bucket=BUCKET, Key="cat.jpg", Body=b"public")
    return server


@pytest.mark.parametrize("endpoint", ["https://files.example.com", "http://other.example.com:8080"])
def test_signed_for_the_public_url_arriving_with_the_inner_host(public, endpoint):
    """The proxy rewrites Host to the upstream's name, as proxies do unless told not to."""
    url = presign(public.client(endpoint=endpoint), "get_object")
    assert url.startswith(endpoint)
    assert public.send("GET", target_of(url), {"Host": "latchstring:9000"}).body == b"public"
    assert public.send("GET", target_of(url), {"Host": url.split("/")[2]}).body == b"public"


def test_a_host_that_is_not_configured_is_refused(public):
    url = presign(public.client(endpoint="https://evil.example.com"), "get_object")
    answer = public.send("GET", target_of(url), {"Host": "latchstring:9000"})
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")


def test_the_ready_made_urls_use_the_public_url(start):
    server = start("--public-url", "https://files.example.com", "--buckets", "photos", terminal=True)
    assert server.wait_for_log(r"https://files\.example\.com/photos/hello\.txt\?X-Amz-")


def forwarded():
    return {"Host": "inner:9000", "X-Forwarded-Host": "files.example.com", "X-Forwarded-Proto": "https",
            "X-Forwarded-For": "203.0.113.9"}


def test_forwarded_headers_of_a_trusted_proxy(start):
    server = start("--trusted-proxy", "127.0.0.0/8", "--buckets", BUCKET)
    server.client().put_object(Bucket=BUCKET, Key="cat.jpg", Body=b"forwarded")
    url = presign(server.client(endpoint="https://files.example.com"), "get_object")
    assert server.send("GET", target_of(url), forwarded()).body == b"forwarded"
    assert server.wait_for_log(r"203\.0\.113\.9"), "the log names the client, not the proxy"


def test_forwarded_headers_of_anybody_else_are_not_believed(start):
    server = start("--trusted-proxy", "10.0.0.0/8", "--buckets", BUCKET)
    server.client().put_object(Bucket=BUCKET, Key="cat.jpg", Body=b"forwarded")
    url = presign(server.client(endpoint="https://files.example.com"), "get_object")
    assert server.send("GET", target_of(url), forwarded()).code == "SignatureDoesNotMatch"
    assert "203.0.113.9" not in server.log()


def test_no_host_at_all(named):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", named.port, timeout=5)) as connection:
        connection.putrequest("GET", "/pictures/x", skip_host=True)
        connection.endheaders()
        assert connection.getresponse().status in (400, 403)


def test_many_requests_on_one_connection(named):
    url = target_of(presign(named.client(), "get_object", key="a b/c.jpg"))
    with contextlib.closing(named.connection()) as connection:
        for _ in range(200):
            assert send_on(connection, "GET", url).body == b"found"
            assert send_on(connection, "GET", url.replace("c.jpg", "d.jpg")).status == 403
