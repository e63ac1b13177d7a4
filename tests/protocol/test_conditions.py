"""Conditional writes: PutObject, CompleteMultipartUpload and CopyObject, alone and a hundred at once."""
import concurrent.futures

import pytest
from botocore.exceptions import ClientError
from harness import sign_and_send

BUCKET = "pictures"


def status_of(call, *arguments, **options):
    try:
        return call(*arguments, **options)["ResponseMetadata"]["HTTPStatusCode"]
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"]


def begun(s3, key, body=b"part"):
    where = {"Bucket": BUCKET, "Key": key}
    where["UploadId"] = s3.create_multipart_upload(**where)["UploadId"]
    etag = s3.upload_part(**where, PartNumber=1, Body=body)["ETag"]
    return {**where, "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": etag}]}}


def put(s3, key, **conditions):
    return s3.put_object(Bucket=BUCKET, Key=key, Body=b"put", **conditions)


def complete(s3, key, **conditions):
    return s3.complete_multipart_upload(**begun(s3, key), **conditions)


def copy(s3, key, **conditions):
    return s3.copy_object(Bucket=BUCKET, Key=key, CopySource=f"{BUCKET}/source", **conditions)


WRITES = pytest.mark.parametrize("write", [put, complete, copy])


@pytest.fixture(scope="module", autouse=True)
def source(s3):
    s3.put_object(Bucket=BUCKET, Key="source", Body=b"source" * 5000)


def error_of(call, *arguments, **options):
    with pytest.raises(ClientError) as raised:
        call(*arguments, **options)
    return raised.value.response


@WRITES
def test_if_none_match(s3, write):
    key = f"absent/{write.__name__}"
    write(s3, key, IfNoneMatch="*")
    got = error_of(write, s3, key, IfNoneMatch="*")
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 412 and got["Error"]["Code"] == "PreconditionFailed"
    assert got["Error"]["Condition"] == "If-None-Match"
    s3.delete_object(Bucket=BUCKET, Key=key)
    write(s3, key, IfNoneMatch="*")


@WRITES
def test_if_match(s3, write):
    key = f"match/{write.__name__}"
    got = error_of(write, s3, key, IfMatch='"0"')
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 404 and got["Error"]["Code"] == "NoSuchKey"
    etag = put(s3, key)["ETag"]
    got = error_of(write, s3, key, IfMatch='"0"')
    assert got["Error"]["Code"] == "PreconditionFailed" and got["Error"]["Condition"] == "If-Match"
    assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"put"
    write(s3, key, IfMatch=etag)
    etag = put(s3, key)["ETag"]
    write(s3, key, IfMatch=etag.strip('"'))


@pytest.mark.parametrize("headers, header, message", [
    ({"If-None-Match": '"0"'}, "If-None-Match",
     "We don't accept the provided value of If-None-Match header for this API"),
    ({"If-Match": "*"}, "If-Match", "We don't accept the provided value of If-Match header for this API"),
    ({"If-None-Match": "*", "If-Match": '"0"'}, "If-Match,If-None-Match",
     "Multiple conditional request headers present in the request")])
def test_what_s3_does_not_do(server, headers, header, message):
    answer = sign_and_send(server, "PUT", "/pictures/unsupported", b"x", headers=headers)
    assert (answer.status, answer.code) == (501, "NotImplemented")
    assert answer.error["Header"] == header and answer.error["additionalMessage"] == message


@WRITES
def test_of_a_hundred_writers_one_wins(server, s3, write):
    key = f"race/{write.__name__}"
    clients = [server.client(max_pool_connections=4) for _ in range(25)]
    uploads = [begun(s3, key, b"%d" % n) for n in range(100)]

    def one(number):
        client = clients[number % len(clients)]
        if write == complete:
            return status_of(client.complete_multipart_upload, **uploads[number], IfNoneMatch="*")
        return status_of(write, client, key, IfNoneMatch="*")
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        statuses = list(pool.map(one, range(100)))
    assert statuses.count(200) == 1 and statuses.count(412) == 99, sorted(statuses)


@WRITES
def test_of_a_hundred_replacers_one_wins(server, s3, write):
    key = f"replace/{write.__name__}"
    etag = s3.put_object(Bucket=BUCKET, Key=key, Body=b"first")["ETag"]
    clients = [server.client(max_pool_connections=4) for _ in range(25)]
    uploads = [begun(s3, key, b"%d" % n) for n in range(100)]

    def one(number):
        client = clients[number % len(clients)]
        if write == complete:
            return status_of(client.complete_multipart_upload, **uploads[number], IfMatch=etag)
        return status_of(write, client, key, IfMatch=etag)
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        statuses = list(pool.map(one, range(100)))
    assert statuses.count(200) == 1 and statuses.count(412) == 99, sorted(statuses)
