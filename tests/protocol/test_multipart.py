"""Multipart uploads as S3 does them: parts in any order, their sizes and checksums, and what becomes of them."""
import concurrent.futures
import hashlib
import json
import os
import signal
import threading

import pytest
import requests
from botocore.exceptions import ClientError
from harness import sign_and_send

BUCKET = "pictures"
MEBIBYTE = 1024 * 1024
PART = 5 * MEBIBYTE


def body_of(size, seed=1):
    return (hashlib.shake_128(str(seed).encode()).digest(65536) * (size // 65536 + 1))[:size]


def etag_of(*parts):
    return f'"{hashlib.md5(b"".join(hashlib.md5(part).digest() for part in parts)).hexdigest()}-{len(parts)}"'


def upload(s3, key, *parts, create=None, complete=None, **part_options):
    """Parts numbered from 1, all at once; the answer to the completion."""
    upload_id = s3.create_multipart_upload(Bucket=BUCKET, Key=key, **(create or {}))["UploadId"]
    listed = []
    for number, part in enumerate(parts, 1):
        done = s3.upload_part(Bucket=BUCKET, Key=key, UploadId=upload_id, PartNumber=number, Body=part,
                              **part_options)
        listed.append({"PartNumber": number, **{name: value for name, value in done.items()
                                                if name == "ETag" or name.startswith("Checksum")}})
    return s3.complete_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload_id,
                                        MultipartUpload={"Parts": listed}, **(complete or {}))


def error_of(call, *arguments, **options):
    with pytest.raises(ClientError) as raised:
        call(*arguments, **options)
    return raised.value.response["Error"]["Code"], raised.value.response


@pytest.fixture(scope="module")
def parts():
    return [body_of(PART, 1), body_of(PART + 1, 2), body_of(1000, 3)]


def test_an_object_in_parts(s3, parts):
    done = upload(s3, "in parts", *parts, create={"ContentType": "image/x", "Metadata": {"a": "b"},
                                                  "Tagging": "one=1&two=2"})
    assert done["ETag"] == etag_of(*parts)
    assert done["Location"].endswith("/pictures/in%20parts") and done["Key"] == "in parts"
    got = s3.get_object(Bucket=BUCKET, Key="in parts")
    assert got["Body"].read() == b"".join(parts)
    assert got["ContentType"] == "image/x" and got["Metadata"] == {"a": "b"} and got["ETag"] == etag_of(*parts)
    assert got["ResponseMetadata"]["HTTPHeaders"]["x-amz-tagging-count"] == "2"
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix="in parts")["Contents"][0]
    assert listed["ETag"] == etag_of(*parts) and listed["Size"] == sum(map(len, parts))


def test_ranges_across_parts(s3, parts):
    upload(s3, "ranges", *parts)
    whole = b"".join(parts)
    for first, last in ((0, 0), (PART - 1, PART), (PART, PART), (10, len(whole) - 10), (2 * PART, len(whole) - 1),
                        (2 * PART + 1, 2 * PART + 500), (len(whole) - 1, len(whole) + 100)):
        got = s3.get_object(Bucket=BUCKET, Key="ranges", Range=f"bytes={first}-{last}")
        assert got["Body"].read() == whole[first:last + 1], (first, last)
        assert got["ContentRange"] == f"bytes {first}-{min(last, len(whole) - 1)}/{len(whole)}"
    assert s3.get_object(Bucket=BUCKET, Key="ranges", Range="bytes=-1001")["Body"].read() == whole[-1001:]


def test_parts_by_number(s3, parts):
    upload(s3, "by number", *parts)
    whole = b"".join(parts)
    at = 0
    for number, part in enumerate(parts, 1):
        for call in (s3.get_object, s3.head_object):
            got = call(Bucket=BUCKET, Key="by number", PartNumber=number)
            assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
            assert got["PartsCount"] == 3 and got["ContentLength"] == len(part)
            assert got["ContentRange"] == f"bytes {at}-{at + len(part) - 1}/{len(whole)}"
            if call == s3.get_object:
                assert got["Body"].read() == part
        at += len(part)
    assert "PartsCount" not in s3.head_object(Bucket=BUCKET, Key="by number"), "only if a part is asked for"
    code, response = error_of(s3.get_object, Bucket=BUCKET, Key="by number", PartNumber=4)
    assert code == "InvalidPartNumber" and response["ResponseMetadata"]["HTTPStatusCode"] == 416
    assert response["Error"]["ActualPartCount"] == "3" and response["Error"]["PartNumberRequested"] == "4"
    assert error_of(s3.get_object, Bucket=BUCKET, Key="by number", PartNumber=0)[0] == "InvalidArgument"
    assert error_of(s3.get_object, Bucket=BUCKET, Key="by number", PartNumber=1, Range="bytes=0-1")[0] == \
        "InvalidRequest"


@pytest.mark.parametrize("body", [b"", b"x", b"y" * 100_000])
def test_an_object_at_once_is_its_only_part(s3, body):
    s3.put_object(Bucket=BUCKET, Key="at once", Body=body)
    got = s3.get_object(Bucket=BUCKET, Key="at once", PartNumber=1)
    assert got["Body"].read() == body and "PartsCount" not in got
    assert error_of(s3.get_object, Bucket=BUCKET, Key="at once", PartNumber=2)[0] == "InvalidPartNumber"


def test_one_part_is_enough_and_gaps_do_not_matter(s3):
    assert upload(s3, "one", b"tiny")["ETag"] == etag_of(b"tiny")
    assert s3.get_object(Bucket=BUCKET, Key="one")["Body"].read() == b"tiny"
    upload_id = s3.create_multipart_upload(Bucket=BUCKET, Key="gaps")["UploadId"]
    made = {}
    for number in (10000, 7, 9):  # in any order
        made[number] = (body_of(PART, number), None)
        etag = s3.upload_part(Bucket=BUCKET, Key="gaps", UploadId=upload_id, PartNumber=number,
                              Body=made[number][0])["ETag"]
        assert etag.strip('"') == hashlib.md5(made[number][0]).hexdigest()
        made[number] = (made[number][0], etag)
    s3.complete_multipart_upload(Bucket=BUCKET, Key="gaps", UploadId=upload_id, MultipartUpload={
        "Parts": [{"PartNumber": number, "ETag": made[number][1]} for number in (7, 9, 10000)]})
    assert s3.get_object(Bucket=BUCKET, Key="gaps")["Body"].read() == b"".join(made[n][0] for n in (7, 9, 10000))
    assert s3.get_object(Bucket=BUCKET, Key="gaps", PartNumber=2)["Body"].read() == made[9][0]


def test_a_part_replaces_the_one_before_and_unlisted_ones_go(s3):
    upload_id = s3.create_multipart_upload(Bucket=BUCKET, Key="again")["UploadId"]
    where = {"Bucket": BUCKET, "Key": "again", "UploadId": upload_id}
    s3.upload_part(**where, PartNumber=1, Body=b"old" * 100)
    etag = s3.upload_part(**where, PartNumber=1, Body=b"new")["ETag"]
    s3.upload_part(**where, PartNumber=2, Body=b"not listed")
    assert [(p["PartNumber"], p["Size"]) for p in s3.list_parts(**where)["Parts"]] == [(1, 3), (2, 10)]
    s3.complete_multipart_upload(**where, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
    assert s3.get_object(Bucket=BUCKET, Key="again")["Body"].read() == b"new"


# ---- Completing

def begun(s3, key, *parts):
    where = {"Bucket": BUCKET, "Key": key,
             "UploadId": s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]}
    return where, [{"PartNumber": number,
                    "ETag": s3.upload_part(**where, PartNumber=number, Body=part)["ETag"]}
                   for number, part in enumerate(parts, 1)]


def complete(s3, where, parts, **options):
    return s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts}, **options)


def test_what_can_not_be_completed(s3):
    where, listed = begun(s3, "wrong", body_of(PART), b"end")
    for parts, code in (([listed[1], listed[0]], "InvalidPartOrder"),
                        ([listed[0], listed[0]], "InvalidPartOrder"),
                        ([listed[0], {"PartNumber": 2, "ETag": listed[0]["ETag"]}], "InvalidPart"),
                        ([listed[0], {"PartNumber": 3, "ETag": listed[1]["ETag"]}], "InvalidPart"),
                        ([{"PartNumber": 0, "ETag": "x"}], "InvalidArgument"),
                        ([{"PartNumber": 10001, "ETag": "x"}], "InvalidArgument"),
                        ([{"PartNumber": 1, "ETag": "x" * 500}], "InvalidPart"),
                        ([], "InvalidRequest")):
        got, response = error_of(complete, s3, where, parts)
        assert got == code and response["ResponseMetadata"]["HTTPStatusCode"] == 400, (parts, response)
    assert response["Error"]["Message"] == "You must specify at least one part"
    code, response = error_of(complete, s3, where, [listed[0], {"PartNumber": 3, "ETag": listed[1]["ETag"]}])
    assert (response["Error"]["PartNumber"], response["Error"]["UploadId"], response["Error"]["ETag"]) == \
        ("3", where["UploadId"], listed[1]["ETag"].strip('"'))
    assert error_of(s3.head_object, Bucket=BUCKET, Key="wrong")[0] == "404", "and nothing is there"
    assert error_of(complete, s3, where, listed, MpuObjectSize=7)[0] == "InvalidRequest"
    complete(s3, where, listed, MpuObjectSize=PART + 3)
    assert s3.head_object(Bucket=BUCKET, Key="wrong")["ContentLength"] == PART + 3


def test_a_part_that_is_too_small(s3):
    where, listed = begun(s3, "small", body_of(PART - 1), b"end")
    code, response = error_of(complete, s3, where, listed)
    error = response["Error"]
    assert code == "EntityTooSmall" and response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert (error["ProposedSize"], error["MinSizeAllowed"], error["PartNumber"]) == \
        (str(PART - 1), str(PART), "1")
    assert error["Message"] == "Your proposed upload is smaller than the minimum allowed size"


@pytest.mark.parametrize("document", [
    b"<CompleteMultipartUpload>", b"<Other><Part/></Other>", b"not XML at all",
    b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>",
    b"<CompleteMultipartUpload><Part><ETag>x</ETag></Part></CompleteMultipartUpload>",
    b"<CompleteMultipartUpload><Part><PartNumber>one</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>",
    b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><PartNumber>1</PartNumber><ETag>x</ETag></Part>"
    b"</CompleteMultipartUpload>",
    b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag><Else/></Part></CompleteMultipartUpload>",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]><CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>&b;</ETag></Part>"
    b"</CompleteMultipartUpload>",
])
def test_malformed_documents(server, s3, document):
    where, _ = begun(s3, "malformed", b"part")
    answer = sign_and_send(server, "POST", "/pictures/malformed", document, "uploadId=" + where["UploadId"])
    assert answer.status == 400 and answer.code == "MalformedXML", answer


def test_completed_again_answers_as_before(s3):
    where, listed = begun(s3, "twice", body_of(PART), b"end")
    first = complete(s3, where, listed)
    second = complete(s3, where, listed)
    for name in ("ETag", "Location", "ChecksumCRC64NVME", "ChecksumType"):
        assert first[name] == second[name]
    s3.put_object(Bucket=BUCKET, Key="twice", Body=b"another")
    assert error_of(complete, s3, where, listed)[0] == "NoSuchUpload"
    code, response = error_of(s3.list_parts, **where)
    assert code == "NoSuchUpload" and response["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert response["Error"]["UploadId"] == where["UploadId"]


def test_what_there_is_no_upload_for(s3):
    for upload_id in ("nonsense", "0" * 32, "x" * 2000):
        where = {"Bucket": BUCKET, "Key": "none", "UploadId": upload_id}
        assert error_of(s3.upload_part, **where, PartNumber=1, Body=b"x")[0] == "NoSuchUpload"
        assert error_of(s3.abort_multipart_upload, **where)[0] == "NoSuchUpload"
        assert error_of(s3.list_parts, **where)[0] == "NoSuchUpload"
        assert error_of(complete, s3, where, [{"PartNumber": 1, "ETag": "x"}])[0] == "NoSuchUpload"
    where, _ = begun(s3, "mine", b"x")
    assert error_of(s3.list_parts, **{**where, "Key": "not mine"})[0] == "NoSuchUpload"
    assert error_of(s3.upload_part, **where, PartNumber=10001, Body=b"x")[0] == "InvalidArgument"
    assert error_of(s3.upload_part, **where, PartNumber=0, Body=b"x")[0] == "InvalidArgument"
    assert error_of(s3.create_multipart_upload, Bucket="nowhere-at-all", Key="k")[0] == "NoSuchBucket"


# ---- Aborting

def blobs(server):
    return sum(len(files) for folder, _, files in os.walk(os.path.join(server.data, "blobs")))


def test_abort_leaves_nothing(start):
    server = start(environment={"LATCHSTRING_BUCKETS": BUCKET})
    s3 = server.client()
    before = blobs(server)
    where, _ = begun(s3, "given up", body_of(PART), body_of(PART, 2))
    assert blobs(server) > before
    s3.abort_multipart_upload(**where)
    assert error_of(s3.list_parts, **where)[0] == "NoSuchUpload"
    assert error_of(s3.upload_part, **where, PartNumber=3, Body=b"late")[0] == "NoSuchUpload"
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)
    deadline = threading.Event()
    for _ in range(100):
        if blobs(server) == before:
            break
        deadline.wait(0.1)
    assert blobs(server) == before


def test_a_deleted_object_takes_its_parts_along(start):
    server = start(environment={"LATCHSTRING_BUCKETS": BUCKET})
    s3 = server.client()
    before = blobs(server)
    upload(s3, "gone", body_of(PART), body_of(PART, 2))
    s3.delete_object(Bucket=BUCKET, Key="gone")
    pause = threading.Event()
    for _ in range(100):
        if blobs(server) == before:
            break
        pause.wait(0.1)
    assert blobs(server) == before


# ---- Listing

def test_list_parts(s3):
    empty, _ = begun(s3, "list/nothing")
    assert "NextPartNumberMarker" not in s3.list_parts(**empty)
    s3.abort_multipart_upload(**empty)
    where, listed = begun(s3, "list/these parts", *[b"x" * n for n in range(1, 8)])
    got = s3.list_parts(**where)
    assert [(p["PartNumber"], p["Size"], p["ETag"]) for p in got["Parts"]] == \
        [(n, n, listed[n - 1]["ETag"]) for n in range(1, 8)]
    assert not got["IsTruncated"] and got["MaxParts"] == 1000 and got["StorageClass"] == "STANDARD"
    page = s3.list_parts(**where, MaxParts=3)
    assert page["IsTruncated"] and page["NextPartNumberMarker"] == 3 and len(page["Parts"]) == 3
    page = s3.list_parts(**where, MaxParts=3, PartNumberMarker=6)
    assert not page["IsTruncated"] and [p["PartNumber"] for p in page["Parts"]] == [7]
    pages = s3.get_paginator("list_parts").paginate(**where, PaginationConfig={"PageSize": 2})
    assert [p["PartNumber"] for page in pages for p in page.get("Parts", [])] == list(range(1, 8))
    assert s3.list_parts(**where, MaxParts=5000)["MaxParts"] == 1000
    assert error_of(s3.list_parts, **where, MaxParts=-1)[0] == "InvalidArgument"
    s3.abort_multipart_upload(**where)


def test_list_uploads(start):
    server = start(environment={"LATCHSTRING_BUCKETS": BUCKET})
    s3 = server.client()
    keys = ["a", "a", "b/1", "b/2", "b/2", "c d", "é"]
    made = [(key, s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]) for key in keys]
    got = s3.list_multipart_uploads(Bucket=BUCKET)
    assert [(u["Key"], u["UploadId"]) for u in got["Uploads"]] == made, "by key, then by age"
    assert not got["IsTruncated"] and got["MaxUploads"] == 1000
    assert (got["NextKeyMarker"], got["NextUploadIdMarker"]) == made[-1], "S3 tells it on the last page too"
    got = s3.list_multipart_uploads(Bucket=BUCKET, Delimiter="/")
    assert [u["Key"] for u in got["Uploads"]] == ["a", "a", "c d", "é"]
    assert [p["Prefix"] for p in got["CommonPrefixes"]] == ["b/"]
    got = s3.list_multipart_uploads(Bucket=BUCKET, Prefix="b/")
    assert [(u["Key"], u["UploadId"]) for u in got["Uploads"]] == made[2:5]
    for size in (1, 2, 3):
        pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=BUCKET,
                                                                    PaginationConfig={"PageSize": size})
        assert [(u["Key"], u["UploadId"]) for page in pages for u in page.get("Uploads", [])] == made, size
    got = s3.list_multipart_uploads(Bucket=BUCKET, KeyMarker="a")
    assert [(u["Key"], u["UploadId"]) for u in got["Uploads"]] == made[2:], "all of that key are passed"
    got = s3.list_multipart_uploads(Bucket=BUCKET, KeyMarker="a", UploadIdMarker=made[0][1])
    assert [(u["Key"], u["UploadId"]) for u in got["Uploads"]] == made[1:]
    assert error_of(s3.list_multipart_uploads, Bucket=BUCKET, KeyMarker="a", UploadIdMarker="x")[0] == \
        "InvalidArgument"
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET), "an upload is no object"
    for key, upload_id in made:
        s3.abort_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload_id)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)


# ---- Other ways in

def test_presigned_parts(server, s3):
    upload_id = s3.create_multipart_upload(Bucket=BUCKET, Key="presigned parts")["UploadId"]
    where = {"Bucket": BUCKET, "Key": "presigned parts", "UploadId": upload_id}
    etags = []
    for number, part in ((1, body_of(PART)), (2, b"end")):
        url = s3.generate_presigned_url("upload_part", Params={**where, "PartNumber": number})
        answer = requests.put(url, data=part)
        assert answer.status_code == 200, answer.text
        etags.append({"PartNumber": number, "ETag": answer.headers["ETag"]})
    complete(s3, where, etags)
    url = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "presigned parts"})
    assert requests.get(url).content == body_of(PART) + b"end"


def test_boto3_transfers_a_large_file(s3, tmp_path):
    source = tmp_path / "large"
    source.write_bytes(body_of(21 * MEBIBYTE + 17))
    s3.upload_file(str(source), BUCKET, "large")
    s3.download_file(BUCKET, "large", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == source.read_bytes()
    assert s3.head_object(Bucket=BUCKET, Key="large")["ETag"].endswith('-3"')


def test_parts_at_the_same_time(server, s3):
    where, _ = begun(s3, "parallel")
    bodies = [body_of(PART, n) for n in range(1, 9)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        etags = list(pool.map(lambda n: server.client().upload_part(**where, PartNumber=n,
                                                                    Body=bodies[n - 1])["ETag"], range(1, 9)))
    complete(s3, where, [{"PartNumber": n, "ETag": etag} for n, etag in enumerate(etags, 1)])
    assert s3.get_object(Bucket=BUCKET, Key="parallel")["Body"].read() == b"".join(bodies)


def test_of_two_completions_at_once_both_tell_the_same(server, s3):
    where, listed = begun(s3, "raced", body_of(PART), b"end")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: complete(server.client(), where, listed)["ETag"], range(8)))
    assert answers == [etag_of(body_of(PART), b"end")] * 8


def test_parts_survive_a_crash(start, tmp_path):
    data = tmp_path / "data"
    server = start(data=data, environment={"LATCHSTRING_BUCKETS": BUCKET}, check=False)
    where, listed = begun(server.client(), "survivor", body_of(PART), b"end")
    done = upload(server.client(), "done", body_of(PART), b"end")
    server.stop(signal.SIGKILL)
    s3 = start(data=data).client()
    assert [p["ETag"] for p in s3.list_parts(**where)["Parts"]] == [p["ETag"] for p in listed]
    complete(s3, where, listed)
    assert s3.get_object(Bucket=BUCKET, Key="survivor")["Body"].read() == body_of(PART) + b"end"
    assert s3.get_object(Bucket=BUCKET, Key="done")["ETag"] == done["ETag"]


def test_permissions(start):
    server = start(environment={"LATCHSTRING_BUCKETS": BUCKET})
    s3 = server.client()
    where, listed = begun(s3, "whose", b"part")
    policy = ('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["%s"],'
              '"Resource":["arn:aws:s3:::pictures","arn:aws:s3:::pictures/*"]}]}')
    calls = {"s3:PutObject": lambda c: c.create_multipart_upload(Bucket=BUCKET, Key="whose"),
             "s3:ListMultipartUploadParts": lambda c: c.list_parts(**where),
             "s3:ListBucketMultipartUploads": lambda c: c.list_multipart_uploads(Bucket=BUCKET),
             "s3:AbortMultipartUpload": lambda c: c.abort_multipart_upload(**where)}
    for number, action in enumerate(calls):
        made = json.loads(server.command("user", "add", f"user{number}", "--data", server.data, "--policy", "-",
                                         "--json", input=policy % action).stdout)
        keys = made["access_key_id"], made["secret_access_key"]
        for other, call in calls.items():
            client = server.client(access_key=keys[0], secret_key=keys[1])
            if other == action:
                call(client)
            else:
                assert error_of(call, client)[0] == "AccessDenied", (action, other)
