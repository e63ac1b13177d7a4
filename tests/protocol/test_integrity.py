"""Checksums: what is declared is checked and kept, of objects, parts and whole uploads."""
import base64
import hashlib
import io
import zlib

import pytest
from botocore.exceptions import ClientError
from harness import sign_and_send

BUCKET = "pictures"
PART = 5 * 1024 * 1024
ALGORITHMS = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]
COMPOSITES = ["CRC32", "CRC32C", "SHA1", "SHA256"]


def crc_table(polynomial):
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ polynomial if value & 1 else value >> 1
        table.append(value)
    return table


TABLES = {"CRC32C": (crc_table(0x82F63B78), 4), "CRC64NVME": (crc_table(0x9A6C9329AC4BC9B5), 8)}


def digest(algorithm, body):
    """As S3 has it, computed in another way than the server does."""
    if algorithm == "CRC32":
        return zlib.crc32(body).to_bytes(4, "big")
    if algorithm in TABLES:
        table, size = TABLES[algorithm]
        crc = ones = (1 << 8 * size) - 1
        for byte in body:
            crc = crc >> 8 ^ table[(crc ^ byte) & 255]
        return (crc ^ ones).to_bytes(size, "big")
    return hashlib.new(algorithm.lower(), body).digest()


def text(algorithm, body):
    return base64.b64encode(digest(algorithm, body)).decode()


def header(algorithm):
    return "x-amz-checksum-" + algorithm.lower()


def error_of(call, *arguments, **options):
    with pytest.raises(ClientError) as raised:
        call(*arguments, **options)
    return raised.value.response["Error"]["Code"], raised.value.response["Error"]["Message"]


def checksums(s3, key, **options):
    got = s3.head_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED", **options)
    return {name[8:]: value for name, value in got.items() if name.startswith("Checksum")}


def chunked(body, algorithm, checksum):
    """An unsigned aws-chunked body with a trailer."""
    framed = b"".join(b"%x\r\n%s\r\n" % (len(body[at:at + 8192]), body[at:at + 8192]) for at in range(0, len(body), 8192))
    return framed + b"0\r\n" + header(algorithm).encode() + b":" + checksum.encode() + b"\r\n\r\n"


# ---- Objects

@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_header(server, s3, algorithm):
    body = b"header" * 5000
    sent = {header(algorithm): text(algorithm, body), "x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
    answer = sign_and_send(server, "PUT", "/pictures/header", body, headers=sent)
    assert answer.status == 200 and answer.headers[header(algorithm)] == text(algorithm, body)
    assert answer.headers["x-amz-checksum-type"] == "FULL_OBJECT"
    assert checksums(s3, "header") == {algorithm: text(algorithm, body), "Type": "FULL_OBJECT"}
    assert "x-amz-checksum-type" not in s3.head_object(Bucket=BUCKET, Key="header")["ResponseMetadata"]["HTTPHeaders"]
    sent[header(algorithm)] = text(algorithm, body + b"!")
    answer = sign_and_send(server, "PUT", "/pictures/damaged", body, headers=sent)
    assert (answer.status, answer.code) == (400, "BadDigest")
    assert error_of(s3.head_object, Bucket=BUCKET, Key="damaged")[0] == "404", "nothing is left behind"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("size", [0, 1, 100_001])
def test_a_trailer(server, s3, algorithm, size):
    body = bytes(range(250)) * 401
    body = body[:size]

    def put(key, checksum):
        return sign_and_send(server, "PUT", "/pictures/" + key, chunked(body, algorithm, checksum), headers={
            "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "content-encoding": "aws-chunked",
            "x-amz-trailer": header(algorithm), "x-amz-decoded-content-length": str(size)})
    answer = put("trailer", text(algorithm, body))
    assert answer.status == 200 and answer.headers[header(algorithm)] == text(algorithm, body), answer
    assert checksums(s3, "trailer") == {algorithm: text(algorithm, body), "Type": "FULL_OBJECT"}, "it is kept"
    assert put("bad", text(algorithm, body + b"!")).code == "BadDigest"
    assert error_of(s3.head_object, Bucket=BUCKET, Key="bad")[0] == "404"
    assert put("bad", "!!!").code == "InvalidRequest"


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_boto3_signs_its_trailers_over_http(s3, algorithm):
    body = b"signed trailer" * 10_000
    s3.put_object(Bucket=BUCKET, Key="boto", Body=io.BytesIO(body), ChecksumAlgorithm=algorithm)
    assert checksums(s3, "boto") == {algorithm: text(algorithm, body), "Type": "FULL_OBJECT"}
    assert s3.get_object(Bucket=BUCKET, Key="boto")["Body"].read() == body, "and boto3 checks it"


def test_without_one_s3_computes_a_crc64nvme(server, s3):
    body = b"none" * 3001
    answer = sign_and_send(server, "PUT", "/pictures/none", body)
    assert answer.headers["x-amz-checksum-crc64nvme"] == text("CRC64NVME", body)
    assert checksums(s3, "none") == {"CRC64NVME": text("CRC64NVME", body), "Type": "FULL_OBJECT"}


def test_a_range_has_none(s3):
    s3.put_object(Bucket=BUCKET, Key="ranged", Body=b"x" * 100)
    got = s3.get_object(Bucket=BUCKET, Key="ranged", Range="bytes=0-9", ChecksumMode="ENABLED")
    assert not [name for name in got if name.startswith("Checksum")]
    for whole in ("bytes=0-", "bytes=0-200", "bytes=-200"):
        got = s3.get_object(Bucket=BUCKET, Key="ranged", Range=whole, ChecksumMode="ENABLED")
        assert got["ChecksumType"] == "FULL_OBJECT" and got["ContentRange"] == "bytes 0-99/100"


# ---- Uploads

def begin(s3, key, **options):
    return {"Bucket": BUCKET, "Key": key,
            "UploadId": s3.create_multipart_upload(Bucket=BUCKET, Key=key, **options)["UploadId"]}


def raw_part(server, where, number, body, headers=None):
    return sign_and_send(server, "PUT", f"/pictures/{where['Key']}", body,
                         f"partNumber={number}&uploadId={where['UploadId']}",
                         headers={"x-amz-content-sha256": "UNSIGNED-PAYLOAD", **(headers or {})})


def complete(server, where, parts, headers=None):
    document = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag>{checksum}</Part>"
        for number, etag, checksum in parts)
    return sign_and_send(server, "POST", f"/pictures/{where['Key']}",
                         f"<CompleteMultipartUpload>{document}</CompleteMultipartUpload>".encode(),
                         "uploadId=" + where["UploadId"], headers=headers)


def element(algorithm, value):
    return f"<Checksum{algorithm}>{value}</Checksum{algorithm}>"


@pytest.fixture(scope="module")
def parts():
    return [b"first part " * 476_700, b"second" * 20_000]


@pytest.mark.parametrize("algorithm", COMPOSITES)
def test_composite(server, s3, parts, algorithm):
    created = s3.create_multipart_upload(Bucket=BUCKET, Key="composite", ChecksumAlgorithm=algorithm)
    assert (created["ChecksumAlgorithm"], created["ChecksumType"]) == (algorithm, "COMPOSITE")
    where = {"Bucket": BUCKET, "Key": "composite", "UploadId": created["UploadId"]}
    listed = []
    for number, part in enumerate(parts, 1):
        answer = raw_part(server, where, number, part, {header(algorithm): text(algorithm, part)})
        assert answer.headers[header(algorithm)] == text(algorithm, part)
        listed.append((number, answer.headers["ETag"], element(algorithm, text(algorithm, part))))
    seen = s3.list_parts(**where)
    assert (seen["ChecksumAlgorithm"], seen["ChecksumType"]) == (algorithm, "COMPOSITE")
    assert [part["Checksum" + algorithm] for part in seen["Parts"]] == [text(algorithm, part) for part in parts]
    upload = s3.list_multipart_uploads(Bucket=BUCKET, Prefix="composite")["Uploads"][0]
    assert (upload["ChecksumAlgorithm"], upload["ChecksumType"]) == (algorithm, "COMPOSITE")
    whole = text(algorithm, b"".join(digest(algorithm, part) for part in parts)) + "-2"

    wrong = complete(server, where, [(n, etag, "") for n, etag, _ in listed])
    assert wrong.code == "InvalidRequest" and wrong.error["Message"] == (
        f"The upload was created using a {algorithm.lower()} checksum. The complete request must include the "
        "checksum for each part. It was missing for part 1 in the request.")
    assert complete(server, where, [listed[0], (2, listed[1][1], listed[0][2])]).code == "InvalidPart"
    wrong = complete(server, where, listed, {header(algorithm): text(algorithm, b"other") + "-2"})
    assert wrong.code == "BadDigest" and wrong.error["Message"] == \
        f"The {algorithm.lower()} you specified did not match the calculated checksum."
    assert complete(server, where, listed, {"x-amz-checksum-type": "FULL_OBJECT"}).code == "InvalidRequest"
    assert error_of(s3.head_object, Bucket=BUCKET, Key="composite")[0] == "404"

    answer = complete(server, where, listed, {header(algorithm): whole, "x-amz-checksum-type": "COMPOSITE"})
    assert answer.status == 200, answer
    assert element(algorithm, whole).encode() in answer.body
    assert b"<ChecksumType>COMPOSITE</ChecksumType>" in answer.body
    assert checksums(s3, "composite") == {algorithm: whole, "Type": "COMPOSITE"}
    for number, part in enumerate(parts, 1):
        assert checksums(s3, "composite", PartNumber=number) == {algorithm: text(algorithm, part), "Type": "COMPOSITE"}
    got = s3.get_object_attributes(Bucket=BUCKET, Key="composite", ObjectAttributes=["Checksum", "ObjectParts"])
    assert got["Checksum"] == {"Checksum" + algorithm: whole[:-2], "ChecksumType": "COMPOSITE"}
    assert [(p["PartNumber"], p["Size"], p["Checksum" + algorithm]) for p in got["ObjectParts"]["Parts"]] == \
        [(n, len(part), text(algorithm, part)) for n, part in enumerate(parts, 1)]
    s3.delete_object(Bucket=BUCKET, Key="composite")


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME"])
def test_full_object(server, s3, parts, algorithm):
    where = begin(s3, "full", ChecksumAlgorithm=algorithm, ChecksumType="FULL_OBJECT")
    listed = []
    for number, part in enumerate(parts, 1):  # the server computes what is not sent
        sent = {header(algorithm): text(algorithm, part)} if number == 1 else {}
        answer = raw_part(server, where, number, part, sent)
        assert answer.headers[header(algorithm)] == text(algorithm, part)
        listed.append((number, answer.headers["ETag"], ""))
    whole = text(algorithm, b"".join(parts))
    assert complete(server, where, listed, {header(algorithm): text(algorithm, b"")}).code == "BadDigest"
    answer = complete(server, where, listed, {header(algorithm): whole, "x-amz-checksum-type": "FULL_OBJECT"})
    assert element(algorithm, whole).encode() in answer.body, answer
    assert b"<ChecksumType>FULL_OBJECT</ChecksumType>" in answer.body
    assert checksums(s3, "full") == {algorithm: whole, "Type": "FULL_OBJECT"}
    assert checksums(s3, "full", PartNumber=2) == {}
    got = s3.get_object_attributes(Bucket=BUCKET, Key="full", ObjectAttributes=["Checksum", "ObjectParts"])
    assert got["ObjectParts"] == {"TotalPartsCount": 2}


@pytest.mark.parametrize("sent", [None, "CRC32", "SHA256"])
def test_without_a_word_it_is_a_crc64nvme(server, s3, parts, sent):
    where = begin(s3, "silent")
    listed = []
    for number, part in enumerate(parts, 1):
        answer = raw_part(server, where, number, part, {header(sent): text(sent, part)} if sent else {})
        listed.append((number, answer.headers["ETag"], element(sent, text(sent, part)) if sent else ""))
    answer = complete(server, where, listed)
    assert element("CRC64NVME", text("CRC64NVME", b"".join(parts))).encode() in answer.body, answer
    assert checksums(s3, "silent") == {"CRC64NVME": text("CRC64NVME", b"".join(parts)), "Type": "FULL_OBJECT"}


def test_parts_that_do_not_match(server, s3):
    where = begin(s3, "mismatch", ChecksumAlgorithm="SHA256")
    answer = raw_part(server, where, 1, b"part", {header("CRC32"): text("CRC32", b"part")})
    assert answer.code == "InvalidRequest" and answer.error["Message"] == \
        "Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: crc32"
    answer = raw_part(server, where, 1, b"part")
    assert answer.error["Message"].endswith("actual checksum Type: null")
    answer = raw_part(server, where, 1, b"part", {header("SHA256"): text("SHA256", b"other")})
    assert answer.code == "BadDigest"
    assert "Parts" not in s3.list_parts(**where), "nothing is left behind"


@pytest.mark.parametrize("options, message", [
    ({"x-amz-checksum-algorithm": "SHA256", "x-amz-checksum-type": "FULL_OBJECT"},
     "The FULL_OBJECT checksum type cannot be used with the sha256 checksum algorithm."),
    ({"x-amz-checksum-algorithm": "CRC64NVME", "x-amz-checksum-type": "COMPOSITE"},
     "The COMPOSITE checksum type cannot be used with the crc64nvme checksum algorithm."),
    ({"x-amz-checksum-type": "FULL_OBJECT"},
     "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."),
    ({"x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "HALF"},
     "Value for x-amz-checksum-type header is invalid."),
    ({"x-amz-checksum-algorithm": "ADLER"},
     "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
     "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]"),
])
def test_what_does_not_go_together(server, options, message):
    answer = sign_and_send(server, "POST", "/pictures/no", query="uploads=", headers=options)
    assert answer.code == "InvalidRequest" and answer.error["Message"] == message


def test_a_damaged_list_is_refused(server, s3):
    where = begin(s3, "list digest")
    etag = raw_part(server, {**where, "Key": "list%20digest"}, 1, b"part").headers["ETag"]
    answer = complete(server, {**where, "Key": "list%20digest"}, [(1, etag, "")],
                      {"Content-MD5": base64.b64encode(b"0" * 16).decode()})
    assert answer.code == "BadDigest"


# ---- Attributes

def test_attributes(server, s3):
    s3.put_object(Bucket=BUCKET, Key="attributes", Body=b"body", ChecksumAlgorithm="SHA1")
    got = s3.get_object_attributes(Bucket=BUCKET, Key="attributes", ObjectAttributes=[
        "ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"])
    assert got["ETag"] == hashlib.md5(b"body").hexdigest(), "without quotes"
    assert got["Checksum"] == {"ChecksumSHA1": text("SHA1", b"body"), "ChecksumType": "FULL_OBJECT"}
    assert got["StorageClass"] == "STANDARD" and got["ObjectSize"] == 4 and "ObjectParts" not in got
    assert got["LastModified"]
    got = s3.get_object_attributes(Bucket=BUCKET, Key="attributes", ObjectAttributes=["ObjectSize"])
    assert "ETag" not in got and got["ObjectSize"] == 4
    assert error_of(s3.get_object_attributes, Bucket=BUCKET, Key="attributes", ObjectAttributes=["Size"])[0] == \
        "InvalidArgument"
    assert error_of(s3.get_object_attributes, Bucket=BUCKET, Key="not there", ObjectAttributes=["ETag"])[0] == \
        "NoSuchKey"
    answer = sign_and_send(server, "GET", "/pictures/attributes", query="attributes=")
    assert answer.code == "InvalidRequest"


def test_attributes_page_parts(server, s3):
    where = begin(s3, "many", ChecksumAlgorithm="SHA256")
    listed = []
    for number in range(1, 4):
        part = bytes([number]) * (PART if number < 3 else 1)
        answer = raw_part(server, where, number, part, {header("SHA256"): text("SHA256", part)})
        listed.append((number, answer.headers["ETag"], element("SHA256", text("SHA256", part))))
    assert complete(server, where, listed).status == 200
    got = s3.get_object_attributes(Bucket=BUCKET, Key="many", ObjectAttributes=["ObjectParts"], MaxParts=2)["ObjectParts"]
    assert [p["PartNumber"] for p in got["Parts"]] == [1, 2] and got["IsTruncated"] and got["TotalPartsCount"] == 3
    assert got["NextPartNumberMarker"] == 2
    got = s3.get_object_attributes(Bucket=BUCKET, Key="many", ObjectAttributes=["ObjectParts"], MaxParts=2,
                                   PartNumberMarker=2)["ObjectParts"]
    assert [p["PartNumber"] for p in got["Parts"]] == [3] and not got["IsTruncated"]
