"""What must be refused, each with its own error; nothing refused may have an effect."""
import base64
import re
import time
import urllib.parse

import pytest
import requests
from harness import ACCESS_KEY, clock_shifted, presign, send_on, sign_and_send, target_of

BUCKET = "pictures"
BODY = b"the object that was there before"


@pytest.fixture(scope="module", autouse=True)
def objects(s3):
    s3.create_bucket(Bucket="other-pictures")
    for bucket in (BUCKET, "other-pictures"):
        for key in ("cat.jpg", "dog.jpg"):
            s3.put_object(Bucket=bucket, Key=key, Body=BODY)
    yield
    for bucket in (BUCKET, "other-pictures"):
        names = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]
        assert names == ["cat.jpg", "dog.jpg"], "a refused request left something"
        for key in names:
            assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == BODY


@pytest.fixture
def get(s3):
    return target_of(presign(s3, "get_object"))


@pytest.fixture
def put(s3):
    return target_of(presign(s3, "put_object"))


def refused(answer, status, code, *words):
    assert (answer.status, answer.code) == (status, code), answer
    for word in words:
        assert word in answer.error["Message"], answer.error
    return answer.error


def test_the_same_urls_unaltered_are_accepted(server, get, put):
    assert server.send("GET", get).body == BODY
    assert server.send("PUT", put, body=BODY).status == 200


@pytest.mark.parametrize("method,target", [
    ("GET", "/"), ("GET", "/pictures"), ("GET", "/pictures/cat.jpg"), ("HEAD", "/pictures/cat.jpg"),
    ("PUT", "/pictures/cat.jpg"), ("DELETE", "/pictures/cat.jpg"), ("PUT", "/new-bucket"),
    ("POST", "/pictures?delete"), ("GET", "/pictures/no-such-key")])
def test_without_a_signature(server, method, target):
    answer = server.send(method, target, body=b"x" if method in ("PUT", "POST") else None)
    assert answer.status == 403
    if method != "HEAD":
        refused(answer, 403, "AccessDenied")


# ---- Time

def test_one_second_too_late(s3, server):
    with clock_shifted(-301):
        target = target_of(presign(s3, "get_object", expires=300))
    error = refused(server.send("GET", target), 403, "AccessDenied")
    assert error["Message"] == "Request has expired"
    assert error["X-Amz-Expires"] == "300"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", error["Expires"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", error["ServerTime"])
    assert error["Expires"] < error["ServerTime"]


def test_in_its_last_seconds_it_is_accepted(s3, server):
    with clock_shifted(-290):
        target = target_of(presign(s3, "get_object", expires=300))
    assert server.send("GET", target).status == 200


def test_a_presigned_url_may_be_old(s3, server):
    """The 15 minutes of skew are not for presigned URLs."""
    with clock_shifted(-604000):
        target = target_of(presign(s3, "get_object", expires=604800))
    assert server.send("GET", target).status == 200


def test_not_yet_valid(s3, server):
    with clock_shifted(20 * 60):
        target = target_of(presign(s3, "get_object"))
    error = refused(server.send("GET", target), 403, "AccessDenied")
    assert error["Message"] == "Request is not yet valid"
    assert abs(int(error["X-Amz-Date"]) / 1000 - time.time() - 20 * 60) < 60
    assert {"Expires", "ServerTime"} <= set(error) and "X-Amz-Expires" not in error


def test_a_clock_that_is_somewhat_fast_is_accepted(s3, server):
    with clock_shifted(10 * 60):
        target = target_of(presign(s3, "get_object"))
    assert server.send("GET", target).status == 200


@pytest.mark.parametrize("shift", [-20 * 60, 20 * 60])
def test_a_header_signature_with_a_skewed_clock(s3, server, shift):
    with clock_shifted(shift), pytest.raises(s3.exceptions.ClientError) as caught:
        s3.get_object(Bucket=BUCKET, Key="cat.jpg")
    assert caught.value.response["Error"]["Code"] == "RequestTimeTooSkewed"


@pytest.mark.parametrize("value,status,code,words", [
    ("-1", 400, "AuthorizationQueryParametersError", "X-Amz-Expires"),
    ("604801", 400, "AuthorizationQueryParametersError", "X-Amz-Expires"),
    ("99999999999999999999", 400, "AuthorizationQueryParametersError", "X-Amz-Expires"),
    ("abc", 400, "AuthorizationQueryParametersError", "X-Amz-Expires"),
    ("", 400, "AuthorizationQueryParametersError", "X-Amz-Expires"),
    ("0", 403, "AccessDenied", "Request has expired")])
def test_bad_expiry(server, get, value, status, code, words):
    refused(server.send("GET", get.replace("X-Amz-Expires=300", "X-Amz-Expires=" + value)),
            status, code, words)


# ---- Something was changed after signing

def test_another_key(server, get):
    refused(server.send("GET", get.replace("cat.jpg", "dog.jpg")), 403, "SignatureDoesNotMatch")


def test_another_bucket(server, get):
    refused(server.send("GET", get.replace("/pictures/", "/other-pictures/")),
            403, "SignatureDoesNotMatch")


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "POST"])
def test_a_put_url_used_otherwise(server, put, method):
    answer = server.send(method, put)
    assert answer.status == 403
    if method != "HEAD":
        error = refused(answer, 403, "SignatureDoesNotMatch")
        assert "PUT" in str(error), "it is explained: signed for PUT"


def test_a_get_url_used_to_put(server, get):
    refused(server.send("PUT", get, body=b"mine now"), 403, "SignatureDoesNotMatch")


def test_a_longer_life(server, get):
    refused(server.send("GET", get.replace("X-Amz-Expires=300", "X-Amz-Expires=3000")),
            403, "SignatureDoesNotMatch")


def test_another_host(server, get):
    refused(server.send("GET", get, {"Host": "files.example.com"}), 403, "SignatureDoesNotMatch")


def test_a_signed_header_changed_or_absent(s3, server):
    target = target_of(presign(s3, "put_object", ContentType="image/jpeg"))
    refused(server.send("PUT", target, {"Content-Type": "text/html"}, b"x"), 403, "SignatureDoesNotMatch")
    refused(server.send("PUT", target, {}, b"x"), 403, "SignatureDoesNotMatch")
    assert server.send("PUT", target, {"Content-Type": "image/jpeg"}, BODY).status == 200


def test_a_parameter_added(server, get):
    refused(server.send("GET", get + "&response-content-type=text/html"), 403, "SignatureDoesNotMatch")


def test_a_signed_override_changed(s3, server):
    target = target_of(presign(s3, "get_object", ResponseContentType="image/jpeg"))
    assert server.send("GET", target).headers["Content-Type"] == "image/jpeg"
    refused(server.send("GET", target.replace("image%2Fjpeg", "text%2Fhtml")),
            403, "SignatureDoesNotMatch")


def test_a_constraint_of_ours_cannot_be_taken_out(s3, server, get):
    """x-... parameters are nothing to S3, but the signature covers them."""
    refused(server.send("GET", get + "&x-latch-use=1"), 403, "SignatureDoesNotMatch")


# ---- Every byte

def flipped(target, at, mask):
    return target[:at] + chr(ord(target[at]) ^ mask) + target[at + 1:]


def is_sendable(target):
    return all(33 <= ord(character) < 127 for character in target)


def in_escape(target, at):
    return "%" in target[max(at - 2, 0):at]


@pytest.mark.parametrize("operation", ["get_object", "put_object"])
def test_every_byte_of_the_target(s3, server, operation):
    target = target_of(presign(s3, operation, **({"ResponseContentDisposition": "attachment; a=b"}
                                                 if operation == "get_object" else {})))
    method = operation.split("_")[0].upper()
    signature = target.index("X-Amz-Signature=")
    connection = server.connection()
    codes = {}
    for at in range(1, len(target)):
        for mask in (1, 2, 0x20):
            other = flipped(target, at, mask)
            same_hex = mask == 0x20 and (in_escape(target, at) or at > signature)
            if not is_sendable(other) or "?" not in other or same_hex or other[at] == "#":
                continue
            if target[at] not in "+" and other[at] == "+" and target[at] == " ":
                continue
            answer = send_on(connection, method, other, body=b"evil" if method == "PUT" else None)
            assert answer.status in (400, 403), (other, answer)
            codes[answer.code] = codes.get(answer.code, 0) + 1
            if answer.headers.get("Connection", "").lower() == "close":
                connection.close()
    connection.close()
    assert codes["SignatureDoesNotMatch"] > 100 and codes["AuthorizationQueryParametersError"] > 100, codes


# ---- Headers that were not signed

@pytest.mark.parametrize("name,value", [
    ("x-amz-copy-source", "/pictures/dog.jpg"), ("X-Amz-Copy-Source", "/pictures/dog.jpg"),
    ("x-amz-meta-owner", "mallory"), ("x-amz-acl", "public-read"), ("x-amz-tagging", "a=b"),
    ("x-amz-storage-class", "GLACIER"), ("x-amz-website-redirect-location", "https://evil.example/"),
    ("x-amz-decoded-content-length", "3"), ("x-amz-security-token", "token"), ("x-amz-anything", "")])
def test_an_unsigned_amz_header(server, put, name, value):
    error = refused(server.send("PUT", put, {name: value}, b"evil"), 403, "AccessDenied")
    assert error["HeadersNotSigned"] == name.lower(), error


def test_all_unsigned_headers_are_named(server, put):
    error = refused(server.send("PUT", put, {"x-amz-acl": "private", "x-amz-meta-b": "2"}, b"x"),
                    403, "AccessDenied")
    assert set(error["HeadersNotSigned"].split(", ")) == {"x-amz-acl", "x-amz-meta-b"}


def test_plain_headers_need_no_signature(server, put):
    assert server.send("PUT", put, {"Content-Type": "image/jpeg", "X-Custom": "1",
                                    "Accept-Encoding": "br"}, BODY).status == 200


def test_an_unsigned_payload_hash_is_no_reason(server, get):
    assert server.send("GET", get, {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}).status == 200


def test_host_must_be_signed(server, get):
    answer = server.send("GET", get.replace("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=range"))
    assert answer.status in (400, 403) and "host" in str(answer.error).lower(), answer


# ---- The ways to sign, and their parts

PARTS = ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders",
         "X-Amz-Signature"]


@pytest.mark.parametrize("name", PARTS)
def test_a_part_is_missing(server, get, name):
    target = re.sub(rf"[&?]{name}=[^&]*", "", get)
    target = target if "?" in target else target.replace("&", "?", 1)
    refused(server.send("GET", target), 400, "AuthorizationQueryParametersError", name)


@pytest.mark.parametrize("name", PARTS)
def test_a_part_is_repeated(server, get, name):
    value = re.search(rf"{name}=[^&]*", get).group()
    refused(server.send("GET", get + "&" + value), 400, "AuthorizationQueryParametersError", name)


@pytest.mark.parametrize("old,new,words", [
    ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1", "X-Amz-Algorithm"),
    ("X-Amz-Date=2", "X-Amz-Date=yesterday2", "X-Amz-Date"),
    ("aws4_request", "aws5_request", "X-Amz-Credential"),
    ("%2Fs3%2F", "%2Fec2%2F", "X-Amz-Credential"),
    (ACCESS_KEY + "%2F", ACCESS_KEY + "%2F1", "X-Amz-Credential")])
def test_a_part_is_malformed(server, get, old, new, words):
    refused(server.send("GET", get.replace(old, new)), 400, "AuthorizationQueryParametersError", words)


@pytest.mark.parametrize("old,new", [("X-Amz-Signature=", "X-Amz-Signature=zz"), ("X-Amz-Signature=", "X-Amz-Signature=%00")])
def test_a_malformed_signature_is_a_wrong_one(server, get, old, new):
    assert old in get
    refused(server.send("GET", get.replace(old, new)), 403, "SignatureDoesNotMatch")


CREDENTIALS = [
    ("AKIA", 'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'),
    ("/20260101/us-east-1/s3/aws4_request", "a non-empty Access Key (AKID) must be provided in the credential."),
    (f"{ACCESS_KEY}/2026/us-east-1/s3/aws4_request", 'incorrect date format "2026". This date in the credential must be '
     'in the format "yyyyMMdd".'),
    (f"{ACCESS_KEY}/{{day}}/us-east-1/s3/aws5", 'incorrect terminal "aws5". This endpoint uses "aws4_request".')]


@pytest.mark.parametrize("credential,message", CREDENTIALS)
def test_the_faults_of_a_credential_each_with_a_sentence(server, get, credential, message):
    """And what it quotes ends where the part ends: nothing else of the request, or of memory, is told."""
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    credential = credential.replace("{day}", now[:8])
    header = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=" + "0" * 64
    answer = server.send("GET", "/pictures/cat.jpg", {"Authorization": header, "x-amz-date": now,
                                                      "x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
    refused(answer, 400, "AuthorizationHeaderMalformed")
    assert answer.error["Message"] == "The authorization header is malformed; " + message
    query = "&".join(f"X-Amz-Credential={urllib.parse.quote(credential, safe='')}" if pair.startswith("X-Amz-Credential=") else pair
                     for pair in get.split("?")[1].split("&"))
    answer = server.send("GET", get.split("?")[0] + "?" + query)
    refused(answer, 400, "AuthorizationQueryParametersError")
    assert answer.error["Message"] == "Error parsing the X-Amz-Credential parameter; " + message


def test_an_authorization_without_a_space(server):
    answer = server.send("GET", "/pictures/cat.jpg", {"Authorization": "AWS4-HMAC-SHA256"})
    refused(answer, 400, "InvalidArgument")
    assert answer.error["Message"] == "Authorization header is invalid -- one and only one ' ' (space) required."
    assert answer.error["ArgumentName"] == "Authorization"


def test_more_than_a_week(server, get):
    answer = server.send("GET", re.sub("X-Amz-Expires=[0-9]+", "X-Amz-Expires=604801", get))
    refused(answer, 400, "AuthorizationQueryParametersError")
    assert answer.error["Message"] == "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be " \
        "less than 604800 seconds"


def test_two_ways_at_once(server, get):
    header = (f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20260101/us-east-1/s3/aws4_request, "
              "SignedHeaders=host, Signature=" + "0" * 64)
    refused(server.send("GET", get, {"Authorization": header}), 400, "InvalidArgument")


@pytest.mark.parametrize("header", ["Basic dXNlcjpwYXNz", "Bearer abc", "AWS4-ECDSA-P256-SHA256 x", ""])
def test_another_scheme(server, header):
    answer = server.send("GET", "/pictures/cat.jpg", {"Authorization": header})
    assert answer.status in (400, 403), answer
    assert answer.code in ("InvalidArgument", "InvalidRequest", "AccessDenied", "AuthorizationHeaderMalformed")


def test_boto3_signs_with_version_2_unless_told(server):
    client = server.client(signature_version=None)
    target = target_of(presign(client, "get_object"))
    assert "AWSAccessKeyId=" in target, "boto3 has changed its default"
    answer = server.send("GET", target)
    assert answer.status in (400, 403) and answer.code == "InvalidRequest", answer
    assert "signature_version='s3v4'" in answer.error["Message"], answer.error


def test_a_version_2_header(server):
    signature = base64.b64encode(b"x" * 20).decode()
    answer = server.send("GET", "/pictures/cat.jpg",
                         {"Authorization": f"AWS {ACCESS_KEY}:{signature}",
                          "Date": "Mon, 01 Jan 2026 00:00:00 GMT"})
    assert answer.status in (400, 403) and answer.code == "InvalidRequest", answer
    assert "AWS4-HMAC-SHA256" in answer.error["Message"]


def test_an_unknown_access_key(server):
    stranger = server.client(access_key="AKIANOBODYKNOWSTHIS1")
    error = refused(server.send("GET", target_of(presign(stranger, "get_object"))),
                    403, "InvalidAccessKeyId")
    assert error["AWSAccessKeyId"] == "AKIANOBODYKNOWSTHIS1"


def test_a_wrong_secret(server):
    forger = server.client(secret_key="not the secret")
    refused(server.send("GET", target_of(presign(forger, "get_object"))), 403, "SignatureDoesNotMatch")
    with pytest.raises(forger.exceptions.ClientError) as caught:
        forger.list_buckets()
    assert caught.value.response["Error"]["Code"] == "SignatureDoesNotMatch"


def test_a_session_token_that_nobody_gave(server):
    client = server.client(token="FwoGZXIvYXdzEXAMPLETOKEN")
    answer = server.send("GET", target_of(presign(client, "get_object")))
    assert answer.status in (400, 403) and answer.code == "InvalidToken", answer


def test_a_body_that_is_not_what_was_signed(server):
    """With a signed SHA-256, another body of the same length is refused and not stored."""
    answer = sign_and_send(server, "PUT", f"/{BUCKET}/cat.jpg", BODY, sent=b"evil" + BODY[4:])
    assert (answer.status, answer.code) == (400, "XAmzContentSHA256Mismatch"), answer
    assert sign_and_send(server, "PUT", f"/{BUCKET}/cat.jpg", BODY).status == 200


def test_a_header_signature_without_its_payload_hash(server, s3):
    signed = {}

    def capture(request, **_):
        signed.update(request.headers)
        return None
    s3.meta.events.register_last("before-send.s3.HeadObject", capture)
    s3.head_object(Bucket=BUCKET, Key="cat.jpg")
    s3.meta.events.unregister("before-send.s3.HeadObject", capture)
    headers = {name: value.decode() if isinstance(value, bytes) else value
               for name, value in signed.items() if name in ("Authorization", "X-Amz-Date")}
    refused(server.send("GET", "/pictures/cat.jpg", headers), 400, "InvalidRequest", "x-amz-content-sha256")


def test_the_region_is_checked_when_one_is_configured(start):
    server = start("--region", "eu-central-1", "--buckets", BUCKET)
    right = server.client(region="eu-central-1")
    right.put_object(Bucket=BUCKET, Key="cat.jpg", Body=BODY)
    assert requests.get(presign(right, "get_object"), timeout=10).content == BODY
    wrong = target_of(presign(server.client(region="us-west-2"), "get_object"))
    error = refused(server.send("GET", wrong), 400, "AuthorizationQueryParametersError",
                    "us-west-2", "eu-central-1")
    assert error["Region"] == "eu-central-1"


def test_a_longer_life_can_be_allowed(start):
    server = start("--expires-max", "31536000", "--buckets", BUCKET)
    s3 = server.client()
    s3.put_object(Bucket=BUCKET, Key="cat.jpg", Body=BODY)
    sign = server.command("presign", "s3://pictures/cat.jpg", "--endpoint-url", server.endpoint,
                          "--expires-in", "2592000")
    assert requests.get(sign.stdout.strip(), timeout=10).content == BODY


def test_keys_are_not_confused_by_encoding(s3, server):
    """A URL for "a%2Fb" is none for "a/b", nor the other way round."""
    target = target_of(presign(s3, "get_object", key="cat%2Ejpg"))
    assert urllib.parse.quote("cat%2Ejpg") in target
    assert server.send("GET", target.replace("%252E", "%2E")).code == "SignatureDoesNotMatch"
