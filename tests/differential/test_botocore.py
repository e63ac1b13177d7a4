"""Compare every byte that we sign with what botocore signs, its clock frozen.

Needs botocore and boto3 (import), and LST_BUILD: the build directory, which holds
tests/differential/sign_cases. Runs under pytest, or by itself, then printing TAP.
"""

import datetime
import os
import random
import re
import subprocess
import sys
import unittest.mock
from email.utils import formatdate
from urllib.parse import quote, urlsplit

try:
    import boto3
    import botocore.auth
    from botocore.awsrequest import AWSRequest
    from botocore.config import Config
    from botocore.credentials import Credentials
except ImportError:
    if __name__ == "__main__":
        print("1..0 # SKIP boto3 is not installed")
        sys.exit(0)
    import pytest

    pytest.skip("boto3 is not installed", allow_module_level=True)

NOW = datetime.datetime(2013, 5, 24, 13, 37, 9)
SECONDS = int(NOW.replace(tzinfo=datetime.timezone.utc).timestamp())
ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TOKEN = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwA+eMicR=="
REGIONS = ["us-east-1", "eu-west-1", "ap-south-1", "garage", "us-gov-west-1"]
RESERVED = " !\"#$%&'()*+,/:;<=>?@[\\]^`{|}"
UNICODE = ["é", "ß", "漢字", "кириллица", "😀", "e\u0301", "\u200d", "\u00a0", "\uffff", "\x7f", "\x01"]
PIECES = list(RESERVED) + UNICODE + ["//", "/../", "/./", "..", ".", "%2F", "%", "+", "~", "-_.~", "a", "Z9"]


def freeze():
    """Stop botocore's clock, wherever the release keeps it."""
    if hasattr(botocore.auth, "get_current_datetime"):
        botocore.auth.get_current_datetime = lambda remove_tzinfo=True: (
            NOW if remove_tzinfo else NOW.replace(tzinfo=datetime.timezone.utc)
        )
    else:

        class Frozen(datetime.datetime):
            @classmethod
            def utcnow(cls):
                return NOW

        botocore.auth.datetime.datetime = Frozen


freeze()


def hexed(text):
    return (text if isinstance(text, bytes) else str(text).encode()).hex()


def line(verb, query=(), headers=(), **values):
    fields = [verb] + [f"{name}={hexed(value)}" for name, value in values.items()]
    fields += [f"query={hexed(name)}:{hexed(value)}" for name, value in query]
    fields += [f"header={hexed(name)}:{hexed(value)}" for name, value in headers]
    return "\t".join(fields)


def ours(lines):
    program = os.path.join(os.environ["LST_BUILD"], "tests/differential/sign_cases")
    done = subprocess.run([program], input="\n".join(lines) + "\n", capture_output=True, check=True, text=True)
    answers = done.stdout.splitlines()
    assert len(answers) == len(lines), done.stderr
    return answers


def random_text(random_source, longest=12):
    return "".join(random_source.choice(PIECES) for _ in range(random_source.randint(1, longest)))


def random_key(random_source):
    # botocore itself takes a leading '/' of a key for the path's own; urlsplit drops \t \r \n.
    return random_text(random_source).lstrip("/") or "k"


def random_header_value(random_source):
    words = ["".join(random_source.choice("abcXYZ019=;,.\"'*()/+%é漢") for _ in range(4)) for _ in range(3)]
    return random_source.choice(["", " ", "   "]).join(words)


def compare(cases):
    """cases: (line, what botocore says, a check's line or None). All must agree."""
    wrong = []
    answers = ours([case[0] for case in cases])
    for (asked, expected, _), answer in zip(cases, answers):
        if answer != expected:
            wrong.append(f"{asked}\n  botocore {expected}\n  ours     {answer}")
    checks = [case[2] for case in cases if case[2] is not None]
    for asked, verdict in zip(checks, ours(checks)):
        if verdict != "ok":
            wrong.append(f"{asked}\n  botocore's own is refused: {verdict}")
    assert not wrong, f"{len(wrong)} of {len(cases)} differ:\n" + "\n".join(wrong[:5])
    return len(cases)


def check_line(method, url, region, token, headers=(), time=SECONDS):
    parts = urlsplit(url)
    target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
    return line(
        "check",
        method=method,
        target=target,
        region=region,
        secret=SECRET,
        token=token,
        time=time,
        headers=[("Host", parts.netloc)] + list(headers),
    )


# The operations of a client: what boto3 is told, and what that means on the wire.


def get_object(source, params):
    overrides = {
        "ResponseContentType": "response-content-type",
        "ResponseContentLanguage": "response-content-language",
        "ResponseCacheControl": "response-cache-control",
        "ResponseContentDisposition": "response-content-disposition",
        "ResponseContentEncoding": "response-content-encoding",
        "VersionId": "versionId",
    }
    query = []
    for name in source.sample(list(overrides), source.randint(0, 4)):
        params[name] = random_text(source) if source.random() < 0.9 else ""
        query.append((overrides[name], params[name]))
    return "get_object", "GET", query, []


def put_object(source, params):
    headers = []
    if source.random() < 0.6:
        params["ContentType"] = source.choice(["image/jpeg", "text/plain; charset=utf-8", "a/b+c"])
        headers.append(("Content-Type", params["ContentType"]))
    if source.random() < 0.5:
        params["Metadata"] = {"user": random_header_value(source).encode("ascii", "ignore").decode(), "b": "2"}
        headers += [("x-amz-meta-" + name, value) for name, value in params["Metadata"].items()]
    if source.random() < 0.3:
        params["ContentDisposition"] = "attachment;  filename*=UTF-8''a%20b.jpg"
        headers.append(("Content-Disposition", params["ContentDisposition"]))
    return "put_object", "PUT", [], headers


def head_object(source, params):
    return "head_object", "HEAD", [], []


def delete_object(source, params):
    return "delete_object", "DELETE", [], []


def upload_part(source, params):
    params["PartNumber"] = source.randint(1, 10000)
    params["UploadId"] = random_text(source)
    return "upload_part", "PUT", [("partNumber", params["PartNumber"]), ("uploadId", params["UploadId"])], []


OPERATIONS = [get_object, get_object, get_object, put_object, put_object, head_object, delete_object, upload_part]


def make_clients(source):
    """A client for each way of addressing, with and without a token, in several regions."""
    for endpoint in ["https://s3.example.com", "http://127.0.0.1:9000", "https://storage.example.net:8443"]:
        for style in ["path", "virtual"]:
            for token in ["", TOKEN]:
                if style == "virtual" and "127" in endpoint:
                    continue
                region = source.choice(REGIONS)
                client = boto3.client(
                    "s3",
                    endpoint_url=endpoint,
                    region_name=region,
                    aws_access_key_id=ACCESS_KEY,
                    aws_secret_access_key=SECRET,
                    aws_session_token=token or None,
                    config=Config(
                        signature_version="s3v4",
                        s3={"addressing_style": style},
                        request_checksum_calculation="when_required",
                        response_checksum_validation="when_required",
                    ),
                )
                yield client, endpoint, style, token, region


def client_case(source, client, endpoint, style, token, region):
    params = {"Bucket": source.choice(["examplebucket", "a-b", "photos"]), "Key": random_key(source)}
    operation, method, query, headers = source.choice(OPERATIONS)(source, params)
    expires = source.choice([1, 60, 3600, 604800])
    expected = client.generate_presigned_url(operation, Params=params, ExpiresIn=expires)
    parts = urlsplit(endpoint)
    asked = line(
        "presign",
        method=method,
        scheme=parts.scheme,
        host=parts.netloc,
        bucket=params["Bucket"],
        key=params["Key"],
        style="1" if style == "virtual" else "",
        region=region,
        secret=SECRET,
        access_key=ACCESS_KEY,
        token=token,
        time=SECONDS,
        expires=expires,
        query=query,
        headers=headers,
    )
    return asked, expected, check_line(method, expected, region, token, headers)


def test_urls_of_clients():
    source = random.Random(20130524)
    clients = list(make_clients(source))
    cases = [client_case(source, *clients[i % len(clients)]) for i in range(1500)]
    assert compare(cases) == 1500


# Signature Version 2: only checked here, never signed.


def v2_line(method, url, bucket, headers):
    parts = urlsplit(url)
    target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
    return line("check-v2", method=method, target=target, bucket=bucket, secret=SECRET, time=SECONDS,
                headers=[("Host", parts.netloc), *headers])


def without_ampersand(params):
    """An '&' or a line end may stand for the start of another parameter in what Version 2 signs, so we refuse it there."""
    return {name: re.sub(r"[&\r\n]", "", value) if name in ("VersionId", "UploadId") or name.startswith("Response") else value
            for name, value in params.items()}


def test_signature_v2_urls():
    source = random.Random(2006)
    cases = []
    for style in ["path", "virtual"] * 300:
        client = boto3.client("s3", endpoint_url="https://s3.example.com", region_name="us-east-1",
                              aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET,
                              config=Config(signature_version="s3", s3={"addressing_style": style},
                                            request_checksum_calculation="when_required"))
        params = {"Bucket": "a-b", "Key": random_key(source)}
        operation, method, _, headers = source.choice(OPERATIONS)(source, params)
        with unittest.mock.patch("botocore.auth.time.time", lambda: float(SECONDS)):
            url = client.generate_presigned_url(operation, Params=without_ampersand(params), ExpiresIn=3600)
        headers = [header for header in headers if header[0] == "Content-Type" and source.random() < 0.5]
        cases.append((method, url, "a-b" if style == "virtual" else "", headers))
    verdicts = ours([v2_line(*case) for case in cases])
    wrong = [(case, verdict) for case, verdict in zip(cases, verdicts) if verdict != "ok"]
    assert not wrong, wrong[:3]
    spoilt = [(method, url + "&versionId=1", bucket, headers) for method, url, bucket, headers in cases]
    assert set(ours([v2_line(*case) for case in spoilt])) == {"signature-does-not-match"}


def test_signature_v2_headers():
    source = random.Random(1996)
    lines, wrong = [], []
    for _ in range(600):
        host, key, _, headers = random_request(source)
        headers = {name: value for name, value in headers.items() if not name.startswith("X-Amz-Date")}
        query = [(name, source.choice(["", "1", "a b+c"])) for name in
                 source.sample(["acl", "versionId", "prefix", "uploads", "response-expires", "tagging"], 2)]
        method = source.choice(["GET", "PUT", "DELETE", "POST", "HEAD"])
        request = AWSRequest(method=method, url=f"http://{host}/{quote(key, safe='/~')}?{encoded_query(query)}",
                             headers=headers)
        with unittest.mock.patch("botocore.auth.formatdate", lambda usegmt: formatdate(SECONDS, usegmt=usegmt)):
            botocore.auth.HmacV1Auth(Credentials(ACCESS_KEY, SECRET)).add_auth(request)
        lines.append(v2_line(method, request.url, "", list(request.headers.items())))
    wrong = [(asked, verdict) for asked, verdict in zip(lines, ours(lines)) if verdict != "ok"]
    assert not wrong, wrong[:3]


# The signers themselves, given requests that no operation of the client makes.


def random_request(source):
    host = source.choice(["s3.example.com", "127.0.0.1:9000", "[::1]:9000", "examplebucket.s3.amazonaws.com"])
    key = "bucket/" + random_key(source)
    query = {random_text(source, 4): source.choice(["", random_text(source)]) for _ in range(source.randint(0, 6))}
    headers = {}
    for _ in range(source.randint(0, 4)):
        name = source.choice(["X-Amz-Meta-", "Content-", "range-", "A"]) + source.choice("abcXYZ") + source.choice("01-_.")
        if name.lower() not in [known.lower() for known in headers]:
            headers[name] = random_header_value(source)
    return host, key, list(query.items()), headers


def encoded_query(query):
    return "&".join(quote(name, safe="-_.~") + "=" + quote(value, safe="-_.~") for name, value in query)


def signer_case(source, in_header):
    host, key, query, headers = random_request(source)
    token = source.choice(["", TOKEN])
    region = source.choice(REGIONS)
    method = source.choice(["GET", "PUT", "DELETE", "POST", "HEAD"])
    body = source.choice([b"", b"Welcome to Amazon S3."]) if in_header else b""
    url = f"http://{host}/{quote(key, safe='/~')}" + ("?" + encoded_query(query) if query else "")
    request = AWSRequest(method=method, url=url, headers=headers, data=body)
    credentials = Credentials(ACCESS_KEY, SECRET, token or None)
    values = {
        "method": method,
        "scheme": "http",
        "host": host,
        "key": key,
        "region": region,
        "secret": SECRET,
        "access_key": ACCESS_KEY,
        "token": token,
        "time": SECONDS,
    }
    sent = list(headers.items())
    if in_header:
        botocore.auth.S3SigV4Auth(credentials, "s3", region).add_auth(request)
        names = ["X-Amz-Date", "X-Amz-Content-SHA256", "Authorization"] + ["X-Amz-Security-Token"] * bool(token)
        expected = request.headers["Authorization"]
        values["payload"] = request.headers["X-Amz-Content-SHA256"]
        checked = check_line(method, url, region, token, sent + [(name, request.headers[name]) for name in names])
        return line("header", query=query, headers=sent, **values), expected, checked
    botocore.auth.S3SigV4QueryAuth(credentials, "s3", region, expires=3600).add_auth(request)
    checked = check_line(method, request.url, region, token, sent)
    return line("presign", query=query, headers=sent, expires=3600, **values), request.url, checked


def test_urls_of_the_signer():
    source = random.Random(20150830)
    assert compare([signer_case(source, in_header=False) for _ in range(1000)]) == 1000


def test_authorization_headers():
    source = random.Random(19700101)
    assert compare([signer_case(source, in_header=True) for _ in range(800)]) == 800


def test_a_changed_byte_is_refused():
    """The comparison itself can fail: any other byte in botocore's URL must break it."""
    source = random.Random(7)
    client, endpoint, style, token, region = list(make_clients(source))[0]
    lines = []
    for _ in range(200):
        url = client.generate_presigned_url("get_object", Params={"Bucket": "photos", "Key": "a b/c.jpg"})
        # Not the scheme and host, which are not the target's, and nothing that only hex case tells.
        at = source.randrange(url.index("/photos"), len(url))
        other = source.choice([letter for letter in "abcXYZ019" if letter.lower() != url[at].lower()])
        lines.append(check_line("GET", url[:at] + other + url[at + 1 :], region, token))
    assert "ok" not in ours(lines)


if __name__ == "__main__":
    tests = [value for name, value in sorted(globals().items()) if name.startswith("test_")]
    failures = 0
    for number, test in enumerate(tests, 1):
        try:
            test()
            print(f"ok {number} - {test.__name__}")
        except AssertionError as error:
            failures += 1
            print(f"not ok {number} - {test.__name__}")
            print("\n".join("# " + text for text in str(error).splitlines()))
    print(f"1..{len(tests)}")
    sys.exit(1 if failures else 0)
