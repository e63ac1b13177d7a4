"""The CORS rules of a bucket: kept as they are, and matched exactly."""
import hashlib
import base64

import pytest
from harness import code_of, presign, sign_and_send, target_of

BUCKET = "pictures"
RULES = [
    {"ID": "app", "AllowedOrigins": ["https://app.example.com", "https://*.example.org"], "AllowedMethods": ["PUT", "GET"],
     "AllowedHeaders": ["content-type", "x-amz-*"], "ExposeHeaders": ["ETag", "x-amz-version-id"], "MaxAgeSeconds": 600},
    {"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]},
]


@pytest.fixture(scope="module")
def ruled(s3):
    s3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": RULES})
    s3.put_object(Bucket=BUCKET, Key="cat.jpg", Body=b"x")
    return BUCKET


def preflight(server, origin, method, headers=None, target="/pictures/cat.jpg"):
    fields = {"Origin": origin, "Access-Control-Request-Method": method}
    if headers:
        fields["Access-Control-Request-Headers"] = headers
    return server.send("OPTIONS", target, fields)


def test_rules_come_back_as_they_were(s3, ruled):
    assert s3.get_bucket_cors(Bucket=ruled)["CORSRules"] == RULES


@pytest.mark.parametrize("origin,method,headers,rule", [
    ("https://app.example.com", "PUT", "content-type", 0),
    ("https://app.example.com", "PUT", "Content-Type, X-Amz-Meta-Owner", 0),
    ("https://a.b.example.org", "GET", None, 0),
    ("https://elsewhere.example", "GET", None, 1),
    ("https://elsewhere.example", "PUT", None, None),
    ("https://elsewhere.example", "GET", "x-other", None),
    ("https://app.example.com", "PUT", "content-type, authorization", None),
    ("https://app.example.com", "DELETE", None, None),
    ("https://app.example.com.evil.example", "PUT", None, None),
    ("http://app.example.com", "PUT", None, None),
    ("HTTPS://APP.EXAMPLE.COM", "PUT", None, None),
    ("https://.example.org", "PUT", None, 0),
    ("https://example.org", "PUT", None, None)])
def test_which_rule_fits(server, ruled, origin, method, headers, rule):
    answer = preflight(server, origin, method, headers)
    if rule is None:
        assert answer.status == 403 and answer.error["Code"] == "AccessForbidden"
        assert answer.error["Message"].startswith("CORSResponse: This CORS request is not allowed.")
        assert "Access-Control-Allow-Origin" not in answer.headers
        return
    assert answer.status == 200 and answer.headers["x-amz-request-id"] and answer.headers["x-amz-id-2"]
    assert answer.headers["Access-Control-Allow-Origin"] == (origin if rule == 0 else "*")
    assert answer.headers["Access-Control-Allow-Methods"] == ("PUT, GET" if rule == 0 else "GET")
    assert answer.headers.get("Access-Control-Allow-Headers") == (headers.lower() if headers else None)
    assert answer.headers.get("Access-Control-Max-Age") == ("600" if rule == 0 else None)
    assert answer.headers.get("Access-Control-Expose-Headers") == ("ETag, x-amz-version-id" if rule == 0 else None)
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize("fields", [{}, {"Origin": "https://app.example.com"},
                                    {"Origin": "https://app.example.com", "Access-Control-Request-Method": "TRACE"}])
def test_what_is_no_preflight(server, ruled, fields):
    assert server.send("OPTIONS", "/pictures/cat.jpg", fields).error["Code"] == "BadRequest"


def test_actual_requests(server, s3, ruled):
    target = target_of(presign(s3, "get_object", Bucket=ruled, Key="cat.jpg"))
    answer = server.send("GET", target, {"Origin": "https://app.example.com"})
    assert answer.status == 200 and answer.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert answer.headers["Access-Control-Expose-Headers"] == "ETag, x-amz-version-id"
    answer = server.send("GET", target, {"Origin": "https://elsewhere.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    put = target_of(presign(s3, "put_object", Bucket=ruled, Key="new.jpg"))
    answer = server.send("PUT", put, {"Origin": "https://elsewhere.example"}, b"y")
    assert answer.status == 200 and "Access-Control-Allow-Origin" not in answer.headers
    assert "Access-Control-Allow-Origin" not in server.send("GET", target).headers


@pytest.mark.parametrize("asked,allowed", [
    ({"Access-Control-Request-Method": "GET"}, True), ({"Access-Control-Request-Method": "DELETE"}, False),
    ({"Access-Control-Request-Headers": "x-amz-a"}, True), ({"Access-Control-Request-Headers": "x-other"}, False),
    ({"x-other": "y"}, True)])
def test_what_a_preflight_asks_counts_of_an_actual_request_too(server, s3, ruled, asked, allowed):
    target = target_of(presign(s3, "get_object", Bucket=ruled, Key="cat.jpg"))
    answer = server.send("GET", target, {"Origin": "https://app.example.com", **asked})
    assert answer.status == 200 and ("Access-Control-Allow-Origin" in answer.headers) == allowed


def test_allowed_headers_are_listed_alike(server, ruled):
    answer = preflight(server, "https://app.example.com", "PUT", "x-AMZ-expected-BUCKET-owner,Content-Type ,,x-amz-b")
    assert answer.headers["Access-Control-Allow-Headers"] == "x-amz-expected-bucket-owner, content-type, x-amz-b"


@pytest.mark.parametrize("target", ["/pictures/none", "/pictures/cat.jpg?X-Amz-Algorithm=AWS4-HMAC-SHA256",
                                    "/pictures/cat.jpg?nonsense"])
def test_errors_too(server, ruled, target):
    answer = server.send("GET", target, {"Origin": "https://app.example.com"})
    assert answer.status >= 400 and answer.headers["Access-Control-Allow-Origin"] == "https://app.example.com"


def test_a_bucket_without_rules_leaves_it_to_the_server(server, s3):
    s3.create_bucket(Bucket="no-rules")
    assert code_of(s3.get_bucket_cors, Bucket="no-rules") == "NoSuchCORSConfiguration"
    assert preflight(server, "https://elsewhere.example", "PUT", "x-other", "/no-rules/k").status == 200
    s3.put_bucket_cors(Bucket="no-rules", CORSConfiguration={"CORSRules": RULES[:1]})
    assert preflight(server, "https://elsewhere.example", "PUT", None, "/no-rules/k").status == 403
    s3.delete_bucket_cors(Bucket="no-rules")
    assert preflight(server, "https://elsewhere.example", "PUT", None, "/no-rules/k").status == 200


def rule(inner):
    return f"<CORSConfiguration><CORSRule>{inner}</CORSRule></CORSConfiguration>"


BASE = "<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"


@pytest.mark.parametrize("document,code", [
    ("<CORSConfiguration/>", "MalformedXML"), (rule(""), "MalformedXML"), ("nonsense", "MalformedXML"),
    (rule("<AllowedOrigin>*</AllowedOrigin>"), "MalformedXML"), (rule("<AllowedMethod>GET</AllowedMethod>"), "MalformedXML"),
    (rule(BASE + "<Unknown>x</Unknown>"), "MalformedXML"), (rule(BASE + "<MaxAgeSeconds>soon</MaxAgeSeconds>"), "MalformedXML"),
    (rule(BASE + "<AllowedMethod>PATCH</AllowedMethod>"), "InvalidRequest"),
    (rule(BASE + "<AllowedOrigin>https://*.a.*</AllowedOrigin>"), "InvalidRequest"),
    (rule(BASE + "<AllowedHeader>x-*-*</AllowedHeader>"), "InvalidRequest"),
    (rule(BASE + "<ExposeHeader>x-*</ExposeHeader>"), "InvalidRequest"),
    ("<CORSConfiguration>" + 101 * f"<CORSRule>{BASE}</CORSRule>" + "</CORSConfiguration>", "MalformedXML")])
def test_configurations_that_may_not_be(server, s3, ruled, document, code):
    body = document.encode()
    digest = {"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()}
    answer = sign_and_send(server, "PUT", f"/{ruled}", body, query="cors=", headers=digest)
    assert answer.error["Code"] == code
    assert s3.get_bucket_cors(Bucket=ruled)["CORSRules"] == RULES


def test_a_digest_is_required(server, ruled):
    answer = sign_and_send(server, "PUT", f"/{ruled}", rule(BASE).encode(), query="cors=")
    assert answer.error["Code"] == "InvalidRequest" and "Content-MD5" in answer.error["Message"]


def test_a_configuration_is_kept_whole_or_refused(server, s3):
    """As it is kept, each quote takes six bytes: what would not fit is not cut off."""
    most = 128 * 1024
    s3.create_bucket(Bucket="large-rules")

    def send(fill):
        origins = 21 * ['"' * 1000] + [fill[:4000], fill[4000:]]
        body = rule("".join(f"<AllowedOrigin>{origin}</AllowedOrigin>" for origin in origins) +
                    "<AllowedMethod>GET</AllowedMethod>").encode()
        digest = {"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()}
        return sign_and_send(server, "PUT", "/large-rules", body, query="cors=", headers=digest)

    def kept():
        return sign_and_send(server, "GET", "/large-rules", query="cors=").body
    assert send("a").status == 200
    room = most - len(kept())
    assert send("a" * (1 + room)).status == 200 and len(kept()) == most
    whole = kept()
    for more in (1, 5, 19, 20, 21):
        assert send("a" * (1 + room + more)).error["Code"] == "EntityTooLarge" and kept() == whole


def test_the_first_of_two_ages_counts(server, s3):
    s3.create_bucket(Bucket="two-ages")
    body = rule(BASE + "<ID>a</ID><ID>b</ID><MaxAgeSeconds>10</MaxAgeSeconds><MaxAgeSeconds>20</MaxAgeSeconds>").encode()
    digest = {"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()}
    assert sign_and_send(server, "PUT", "/two-ages", body, query="cors=", headers=digest).status == 200
    answer = preflight(server, "https://app.example", "GET", target="/two-ages/x")
    assert (answer.status, answer.headers["Access-Control-Max-Age"]) == (200, "10")
