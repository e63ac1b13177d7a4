"""Elements and headers that S3 gives besides a code, and who may ask: held against recordings of AWS."""
import base64
import hashlib
import json
import re

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from harness import ACCESS_KEY, SECRET_KEY, code_of, sign_and_send
from test_answers_writing import error_of, signed_put

BUCKET = "pictures"


def md5(body):
    return base64.b64encode(hashlib.md5(body).digest()).decode()


# ---- Metadata

@pytest.mark.parametrize("sent,given", [
    ("=?UTF-8?Q?actually-ascii?=", "actually-ascii"), ("=?UTF-8?B?YWJj?=", "abc"),
    ("=?UTF-8?Q?=C3=84M=C3=84Z=C3=95=C3=91_S3?=", "=?UTF-8?Q?=C3=84M=C3=84Z=C3=95=C3=91_S3?="),
    ("=?utf-8?b?w4RNw4Raw5XDkSBTMw==?=", "=?UTF-8?Q?=C3=84M=C3=84Z=C3=95=C3=91_S3?="),
    ("=?UTF-8?B?AAECAw==?=", "=?UTF-8?B?AAECAw==?="), ("=?UTF-8?B?" + "77+9" * 7 + "?=", "=?UTF-8?B?" + "77+9" * 7 + "?="),
    ("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
    ("a =?UTF-8?Q?b?= =?UTF-8?Q?c?= d", "a bc d"), ("=?UTF-8?Q?a=0D=0Ax-other:_b?=", "=?UTF-8?Q?a=0D=0Ax-other:_b?="),
    ("=?UTF-8?B?=GGG?=", "=?UTF-8?B?=GGG?="), ("=?KOI8-R?Q?=C1?=", "=?KOI8-R?Q?=C1?=")])
def test_encoded_words_in_a_header(server, s3, sent, given):
    for method, query in (("PUT", ""), ("POST", "uploads=")):
        answer = sign_and_send(server, method, "/pictures/words", b"", query=query, headers={"x-amz-meta-word": sent})
        assert answer.status == 200, answer
    assert s3.head_object(Bucket=BUCKET, Key="words")["Metadata"] == {"word": given}
    s3.copy_object(Bucket=BUCKET, Key="words2", CopySource=f"{BUCKET}/words", MetadataDirective="REPLACE",
                   Metadata={"word": sent})
    assert s3.head_object(Bucket=BUCKET, Key="words2")["Metadata"] == {"word": given}


class RawSigner(S3SigV4Auth):
    """botocore's, for headers whose characters are sent as single bytes."""

    def string_to_sign(self, request, canonical_request):
        digest = hashlib.sha256(canonical_request.encode("latin-1")).hexdigest()
        return "\n".join(["AWS4-HMAC-SHA256", request.context["timestamp"], self.credential_scope(request), digest])


def word_of(letters, raw):
    """An encoded word of raw bytes, each of which becomes three in UTF-8 and nine in form Q."""
    return "=?UTF-8?Q?" + "a" * letters + "\xff" * raw + "?="


@pytest.mark.parametrize("values", [
    ["=?UTF-8?Q?a?= \xff"], ["=?ISO-8859-1?Q?" + "\xe9" * 1900 + "?="], [word_of(0, 1900)],
    [word_of(376, 374), word_of(262, 260), "=?UTF-8?Q?" + "b" * 690 + "?="]], ids=["not UTF-8", "twice", "thrice", "together"])
def test_encoded_words_that_grow(server, values):
    """What has no room as S3 would give it back stays as it was sent; no byte of it is another's."""
    names = [f"x-amz-meta-{number}" for number in range(len(values))]
    signed = AWSRequest("PUT", f"{server.endpoint}/{BUCKET}/grown", data=b"", headers=dict(zip(names, values)))
    RawSigner(Credentials(ACCESS_KEY, SECRET_KEY), "s3", "us-east-1").add_auth(signed)
    answer = server.send("PUT", f"/{BUCKET}/grown", dict(signed.headers.items()), b"")
    assert answer.status == 200, answer
    answer = sign_and_send(server, "HEAD", "/pictures/grown", b"")
    for name, value in zip(names, values):
        encoded = re.fullmatch(r"=\?UTF-8\?Q\?(a+)((?:=EF=BF=BD)+)\?=", answer.headers[name])
        if encoded:
            assert word_of(len(encoded[1]), len(encoded[2]) // 9) == value
        else:
            assert answer.headers[name] in (value, value.removeprefix("=?UTF-8?Q?").removesuffix("?="))


def test_metadata_in_a_signed_query_that_is_not_ascii(server, s3):
    answer = signed_put(server, "words", "x-amz-meta-foo=non-ascii-%25E2%2580%2594_%E2%80%94_%C3%A9_")
    assert answer.status == 200, answer
    assert s3.head_object(Bucket=BUCKET, Key="words")["Metadata"] == {
        "foo": "=?UTF-8?Q?non-ascii-%E2%80%94=5F=E2=80=94=5F=C3=A9=5F?="}


def test_too_much_metadata_says_how_much(server):
    answer = sign_and_send(server, "PUT", "/pictures/much", b"x", headers={"x-amz-meta-a": "x" * 1500, "x-amz-meta-b": "y" * 1500})
    assert answer.code == "MetadataTooLarge"
    assert (answer.error["Size"], answer.error["MaxSizeAllowed"]) == ("3002", "2048")


# ---- Who may use If-Match

@pytest.fixture(scope="module")
def writer(server, tmp_path_factory):
    """May write and delete, not read."""
    file = tmp_path_factory.mktemp("policy") / "policy.json"
    file.write_text(json.dumps({"Statement": [{"Effect": "Allow", "Action": ["s3:PutObject", "s3:DeleteObject"],
                                            "Resource": f"arn:aws:s3:::{BUCKET}/*"}]}))
    keys = json.loads(server.command("user", "add", "writer", "--policy", file, "--data", server.data, "--json").stdout)
    return server.client(access_key=keys["access_key_id"], secret_key=keys["secret_access_key"])


def test_who_may_only_write_does_not_learn_an_etag(s3, writer):
    etag = s3.put_object(Bucket=BUCKET, Key="secret", Body=b"known?")["ETag"]
    wrong = '"' + "0" * 32 + '"'
    upload = writer.create_multipart_upload(Bucket=BUCKET, Key="secret")["UploadId"]
    part = writer.upload_part(Bucket=BUCKET, Key="secret", UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
    whole = {"UploadId": upload, "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": part}]}}
    for tag in (etag, wrong):
        assert code_of(writer.put_object, Bucket=BUCKET, Key="secret", Body=b"x", IfMatch=tag) == "AccessDenied"
        assert code_of(writer.delete_object, Bucket=BUCKET, Key="secret", IfMatch=tag) == "AccessDenied"
        assert code_of(writer.complete_multipart_upload, Bucket=BUCKET, Key="secret", IfMatch=tag, **whole) == "AccessDenied"
        answer = writer.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "secret", "ETag": tag}]})
        assert [error["Code"] for error in answer["Errors"]] == ["AccessDenied"]
    assert s3.get_object(Bucket=BUCKET, Key="secret")["Body"].read() == b"known?"
    # That there is an object is told.
    assert code_of(writer.put_object, Bucket=BUCKET, Key="secret", Body=b"x", IfNoneMatch="*") == "PreconditionFailed"
    writer.put_object(Bucket=BUCKET, Key="fresh", Body=b"x", IfNoneMatch="*")
    writer.delete_object(Bucket=BUCKET, Key="fresh", IfMatch="*")


def test_a_condition_of_a_delete_that_says_nothing(server, s3):
    s3.put_object(Bucket=BUCKET, Key="stays", Body=b"x")
    for value in ("", '""'):
        assert sign_and_send(server, "DELETE", "/pictures/stays", headers={"If-Match": value}).code == "NotImplemented"
    s3.head_object(Bucket=BUCKET, Key="stays")


# ---- Conditions in a signed query

def signed_get(server, query, method="GET"):
    from botocore.auth import S3SigV4QueryAuth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    from harness import ACCESS_KEY, SECRET_KEY, target_of
    request = AWSRequest(method, f"{server.endpoint}/{BUCKET}/conditional?{query}")
    S3SigV4QueryAuth(Credentials(ACCESS_KEY, SECRET_KEY), "s3", "us-east-1", expires=300).add_auth(request)
    return server.send(method, target_of(request.url))


@pytest.mark.parametrize("query,status", [
    ("If-Match=%22{}%22", 200), ("If-Match=%22no%22", 412), ("If-None-Match={}", 304), ("If-None-Match=%2A", 304),
    ("If-None-Match=no", 200), ("If-Modified-Since=Fri%2C%2001%20Jan%202021%2000%3A00%3A00%20GMT", 200),
    ("If-Unmodified-Since=Fri%2C%2001%20Jan%202021%2000%3A00%3A00%20GMT", 412)])
def test_conditions_in_the_query_of_a_url_to_read(server, s3, query, status):
    etag = s3.put_object(Bucket=BUCKET, Key="conditional", Body=b"x")["ETag"].strip('"')
    for method in ("GET", "HEAD"):
        assert signed_get(server, query.format(etag), method).status == status


def test_dates_in_the_query_of_a_url_to_write(server, s3):
    s3.put_object(Bucket=BUCKET, Key="dated", Body=b"old")
    answer = signed_put(server, "dated", "If-Unmodified-Since=Fri%2C%2001%20Jan%202021%2000%3A00%3A00%20GMT")
    assert answer.status == 501 and answer.error["Header"] == "If-Unmodified-Since"
    assert s3.get_object(Bucket=BUCKET, Key="dated")["Body"].read() == b"old"


# ---- Digests and sizes

def test_a_wrong_md5_shows_what_was_expected(server, s3):
    """Recorded: of an object in hex, of a part as it was sent."""
    answer = sign_and_send(server, "PUT", "/pictures/digest", b"x", headers={"Content-MD5": md5(b"y")})
    assert answer.code == "BadDigest" and answer.error["ExpectedDigest"] == hashlib.md5(b"y").hexdigest()
    assert answer.error["CalculatedDigest"] == md5(b"x")
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="digest")["UploadId"]
    answer = sign_and_send(server, "PUT", "/pictures/digest", b"x", query=f"partNumber=1&uploadId={upload}",
                           headers={"Content-MD5": md5(b"y")})
    assert answer.code == "BadDigest" and answer.error["ExpectedDigest"] == md5(b"y")


def test_keys_that_are_too_long_say_how_long(server, s3):
    answer = sign_and_send(server, "PUT", "/pictures/" + "a" * 1025, b"x")
    assert answer.code == "KeyTooLongError" and (answer.error["Size"], answer.error["MaxSizeAllowed"]) == ("1025", "1024")
    s3.put_object(Bucket=BUCKET, Key="beside", Body=b"x")
    body = b"<Delete><Object><Key>beside</Key></Object><Object><Key>" + b"a" * 1030 + b"</Key></Object></Delete>"
    answer = sign_and_send(server, "POST", "/pictures", body, query="delete=", headers={"Content-MD5": md5(body)})
    assert answer.status == 400 and answer.code == "KeyTooLongError" and answer.error["Size"] == "1030"
    s3.head_object(Bucket=BUCKET, Key="beside")


def test_a_small_chunk_in_the_middle(server):
    body = b"5\r\nsmall\r\nd\r\nanother chunk\r\n0\r\n\r\n"
    answer = sign_and_send(server, "PUT", "/pictures/chunks", body, headers={
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "Content-Encoding": "aws-chunked",
        "x-amz-decoded-content-length": "18"})
    assert answer.status == 403 and answer.code == "InvalidChunkSizeError"
    assert (answer.error["Chunk"], answer.error["BadChunkSize"]) == ("2", "5")
    assert answer.error["Message"] == "Only the last chunk is allowed to have a size less than 8192 bytes"


# ---- Buckets

def test_buckets_have_an_arn(server, s3):
    for method, path in (("PUT", "/arn-bucket"), ("HEAD", "/arn-bucket")):
        assert sign_and_send(server, method, path).headers["x-amz-bucket-arn"] == "arn:aws:s3:::arn-bucket"
    listed = {bucket["Name"]: bucket for bucket in s3.list_buckets()["Buckets"]}
    assert listed["arn-bucket"]["BucketArn"] == "arn:aws:s3:::arn-bucket"
    assert "BucketRegion" not in listed["arn-bucket"]
    for asked in ({"MaxBuckets": 100}, {"Prefix": ""}, {"BucketRegion": "us-east-1"}):
        listed = {bucket["Name"]: bucket for bucket in s3.list_buckets(**asked)["Buckets"]}
        assert listed["arn-bucket"]["BucketRegion"] == "us-east-1"


def test_regions_that_are_nowhere(server, s3):
    for region in ("eu-east-1", "nonsense"):
        status, error = error_of(s3.list_buckets, BucketRegion=region)
        assert (status, error["Code"], error["ArgumentName"]) == (400, "InvalidArgument", "bucket-region")
        assert error["Message"] == f"Argument value {region} is not a valid AWS Region" and "ArgumentValue" not in error
    assert s3.list_buckets(BucketRegion="ap-southeast-7")["Buckets"] == []
    s3.create_bucket(Bucket="far-away", CreateBucketConfiguration={"LocationConstraint": "xx-new-3"})
    assert [b["Name"] for b in s3.list_buckets(BucketRegion="xx-new-3")["Buckets"]] == ["far-away"]


@pytest.mark.parametrize("path", ["/pictures", "/pictures/acl"])
def test_acls_that_are_none_or_two(server, s3, path):
    s3.put_object(Bucket=BUCKET, Key="acl", Body=b"x")
    answer = sign_and_send(server, "PUT", path, b"", query="acl=")
    assert answer.code == "MissingSecurityHeader" and answer.error["MissingHeaderName"] == "x-amz-acl"
    answer = sign_and_send(server, "PUT", path, b"<AccessControlPolicy/>", query="acl=", headers={"x-amz-acl": "private"})
    assert answer.code == "UnexpectedContent"
    assert sign_and_send(server, "PUT", path, b"<Access", query="acl=").code == "MalformedACLError"


def test_what_a_lock_would_say_of_an_object(server, s3):
    s3.put_object(Bucket=BUCKET, Key="unlocked", Body=b"x")
    for query in ("retention=", "legal-hold="):
        answer = sign_and_send(server, "GET", "/pictures/unlocked", query=query)
        assert answer.code == "InvalidRequest" and "BucketName" not in answer.error


def test_tags_in_a_header_that_are_no_text(server):
    answer = sign_and_send(server, "PUT", "/pictures/tagged", b"x", headers={"x-amz-tagging": "foo=%FF"})
    assert answer.code == "InvalidTag" and answer.error["Message"] == "The TagValue you have provided is invalid"
    assert (answer.error["TagKey"], answer.error["TagValue"]) == ("foo", "\ufffd")


# ---- Arguments

def test_arguments_are_named(server):
    answer = sign_and_send(server, "GET", "/pictures", query="prefix=a&prefix=b")
    assert (answer.error["ArgumentName"], answer.error["ArgumentValue"]) == ("prefix", "a")
    answer = signed_put(server, "named", "x-amz-meta-a%20b=c")
    assert (answer.error["ArgumentName"], answer.error["ArgumentValue"]) == ("x-amz-meta-a b", "c")
    answer = signed_put(server, "named", "x-amz-meta-a=b%0D%0Ac")
    assert answer.error["ArgumentName"] == "x-amz-meta-a" and "ArgumentValue" not in answer.error
    answer = sign_and_send(server, "DELETE", "/pictures/named", headers={"x-amz-bypass-governance-retention": "true"})
    assert answer.error["ArgumentName"] == "x-amz-bypass-governance-retention" and "ArgumentValue" not in answer.error


@pytest.mark.parametrize("method,path,query,kind", [
    ("POST", "/", "", "SERVICE"), ("PATCH", "/pictures", "", "BUCKET"), ("POST", "/pictures/k", "", "OBJECT"),
    ("PUT", "/pictures/k", "uploadId=x", "UPLOAD"), ("DELETE", "/pictures", "uploads=", "UPLOADS"),
    ("PUT", "/pictures", "location=", "LOCATION"), ("POST", "/pictures", "tagging=", "TAGGING"),
    ("POST", "/pictures/k", "tagging=", "OBJECT_TAGGING"), ("PUT", "/pictures", "versions=", "BUCKETVERSIONS"),
    ("GET", "/pictures", "delete=", "MULTI_OBJECT_DELETE")])
def test_resources_have_the_names_of_access_logs(server, method, path, query, kind):
    answer = sign_and_send(server, method, path, query=query)
    assert answer.status == 405 and (answer.error["Method"], answer.error["ResourceType"]) == (method, kind)
