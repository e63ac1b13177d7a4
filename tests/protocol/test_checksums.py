"""Bodies as clients send them: checksums in headers and trailers, aws-chunked, TLS; and damaged ones."""
import base64
import hashlib
import http.client
import io
import subprocess
import zlib

import pytest
import requests
from botocore.exceptions import ClientError
from harness import presign, sign_and_send, target_of

BUCKET = "pictures"


class Stream(io.RawIOBase):
    """A body that can't be rewound, so that botocore sends it as aws-chunked."""

    def __init__(self, body):
        self.body, self.at = body, 0

    def readable(self):
        return True

    def read(self, size=-1):
        piece = self.body[self.at:] if size < 0 else self.body[self.at:self.at + size]
        self.at += len(piece)
        return piece

    def tell(self):
        return self.at

    def seek(self, at, whence=0):
        self.at = at if whence == 0 else len(self.body) + at if whence == 2 else self.at + at
        return self.at


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-nodes", "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                   check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def secure(start, certificate):
    server = start("--tls-cert", certificate / "cert.pem", "--tls-key", certificate / "key.pem",
                   "--buckets", BUCKET)
    assert server.endpoint.startswith("https://")
    return server


@pytest.mark.parametrize("size", [0, 1, 65536, 1_048_577, 9_000_000])
@pytest.mark.parametrize("where", ["http", "https"])
def test_boto3_streams_with_its_default_checksum(server, secure, certificate, where, size):
    s3 = (server.client() if where == "http" else secure.client(verify=str(certificate / "cert.pem")))
    body = bytes(i % 253 for i in range(1000)) * (size // 1000 + 1)
    body = body[:size]
    s3.put_object(Bucket=BUCKET, Key="streamed", Body=Stream(body), ContentLength=size)
    got = s3.get_object(Bucket=BUCKET, Key="streamed")
    assert got["Body"].read() == body, "no framing is stored"
    assert "aws-chunked" not in got.get("ContentEncoding", "")
    assert got["ETag"].strip('"') == hashlib.md5(body).hexdigest()


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
@pytest.mark.parametrize("where", ["http", "https"])
def test_a_chosen_checksum(server, secure, certificate, where, algorithm):
    s3 = (server.client() if where == "http" else secure.client(verify=str(certificate / "cert.pem")))
    s3.put_object(Bucket=BUCKET, Key="summed", Body=Stream(b"x" * 100_000), ContentLength=100_000,
                  ChecksumAlgorithm=algorithm)
    assert s3.get_object(Bucket=BUCKET, Key="summed")["Body"].read() == b"x" * 100_000


def checksum(name, body):
    if name == "crc32":
        return base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
    return base64.b64encode(hashlib.new(name, body).digest()).decode()


@pytest.mark.parametrize("name", ["crc32", "sha1", "sha256"])
def test_a_checksum_in_a_header(server, s3, name):
    header = f"x-amz-checksum-{name}"
    right = sign_and_send(server, "PUT", f"/{BUCKET}/declared", b"good body", "", {header: checksum(name, b"good body")})
    assert right.status == 200, right
    assert right.headers[header] == checksum(name, b"good body")
    wrong = sign_and_send(server, "PUT", f"/{BUCKET}/declared", b"evil body", "", {header: checksum(name, b"good body")})
    assert (wrong.status, wrong.code) == (400, "BadDigest"), wrong
    assert s3.get_object(Bucket=BUCKET, Key="declared")["Body"].read() == b"good body"
    bad = sign_and_send(server, "PUT", f"/{BUCKET}/declared", b"good body", "", {header: "!!"})
    assert (bad.status, bad.code) == (400, "InvalidRequest"), bad


@pytest.mark.parametrize("algorithm,value", [("crc32c", "4waSgw=="), ("crc64nvme", "rosUhgp5mIg=")])
def test_checksums_that_python_has_not(server, algorithm, value):
    """The check values of the algorithms, for "123456789"."""
    header = f"x-amz-checksum-{algorithm}"
    answer = sign_and_send(server, "PUT", f"/{BUCKET}/check", b"123456789", "", {header: value})
    assert answer.status == 200, answer
    answer = sign_and_send(server, "PUT", f"/{BUCKET}/check", b"123456780", "", {header: value})
    assert (answer.status, answer.code) == (400, "BadDigest"), answer


def test_content_md5(server, s3):
    url = target_of(presign(s3, "put_object", key="md5"))
    right = base64.b64encode(hashlib.md5(b"right").digest()).decode()
    assert server.send("PUT", url, {"Content-MD5": right}, b"right").status == 200
    answer = server.send("PUT", url, {"Content-MD5": right}, b"wrong")
    assert (answer.status, answer.code) == (400, "BadDigest"), answer
    answer = server.send("PUT", url, {"Content-MD5": "not base64 of 16 bytes"}, b"right")
    assert (answer.status, answer.code) == (400, "InvalidDigest"), answer
    assert s3.get_object(Bucket=BUCKET, Key="md5")["Body"].read() == b"right", "the old object is untouched"


def trailer_request(server, body, trailer):
    """A presigned PUT can't stream; a header-signed one with an unsigned trailer can."""
    headers = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "Content-Encoding": "aws-chunked",
               "x-amz-decoded-content-length": "5", "x-amz-trailer": "x-amz-checksum-crc32"}
    framed = b"5\r\n" + body + b"\r\n0\r\nx-amz-checksum-crc32:" + trailer.encode() + b"\r\n\r\n"
    return sign_and_send(server, "PUT", f"/{BUCKET}/trailer", framed, "", headers)


def test_a_trailing_checksum_is_checked(server, s3):
    answer = trailer_request(server, b"hello", checksum("crc32", b"hello"))
    assert answer.status == 200, answer
    answer = trailer_request(server, b"hullo", checksum("crc32", b"hello"))
    assert (answer.status, answer.code) == (400, "BadDigest"), answer
    assert s3.get_object(Bucket=BUCKET, Key="trailer")["Body"].read() == b"hello"


@pytest.mark.parametrize("framed", [
    b"5\r\nhello", b"6\r\nhello\r\n0\r\n\r\n", b"5\r\nhelloXX0\r\n\r\n", b"zz\r\nhello\r\n0\r\n\r\n", b"",
    b"5\r\nhello\r\n0\r\n\r\n", b"5\r\nhello\r\n3\r\nand\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
    b"5\r\nhello\r\n0\r\nx-amz-checksum-sha1:abcd\r\n\r\n", b"ffffffffffffffffff\r\nhello\r\n0\r\n\r\n"])
def test_a_damaged_stream_stores_nothing(server, s3, framed):
    headers = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "Content-Encoding": "aws-chunked",
               "x-amz-decoded-content-length": "5", "x-amz-trailer": "x-amz-checksum-crc32"}
    answer = sign_and_send(server, "PUT", f"/{BUCKET}/damaged", framed, "", headers)
    assert answer.status in (400, 403) and answer.code != "InternalError", answer
    with pytest.raises(ClientError):
        s3.head_object(Bucket=BUCKET, Key="damaged")


def test_transfer_encoding_chunked(server, s3):
    """Without a length: S3 answers 501; if it is taken, it must be whole."""
    def pieces():
        for number in range(100):
            yield bytes([number]) * 1000
    status = requests.put(presign(s3, "put_object", key="chunked"), data=pieces(), timeout=10).status_code
    assert status in (200, 501)
    if status == 200:
        assert s3.get_object(Bucket=BUCKET, Key="chunked")["Body"].read() == b"".join(pieces())


def test_tls(secure, certificate):
    s3 = secure.client(verify=str(certificate / "cert.pem"))
    url = presign(s3, "put_object")
    assert url.startswith("https://")
    assert requests.put(url, data=b"over TLS", verify=str(certificate / "cert.pem"), timeout=10).status_code == 200
    answer = requests.get(presign(s3, "get_object"), verify=str(certificate / "cert.pem"), timeout=10)
    assert answer.content == b"over TLS"


def test_plain_http_on_a_tls_port_does_no_harm(secure, certificate):
    connection = http.client.HTTPConnection("127.0.0.1", secure.port, timeout=5)
    with pytest.raises((http.client.HTTPException, OSError)):
        connection.request("GET", "/-/health")
        answer = connection.getresponse()
        assert answer.status >= 400
        raise http.client.HTTPException
    health = requests.get(f"{secure.endpoint}/-/health", verify=str(certificate / "cert.pem"), timeout=5)
    assert health.status_code == 200


def test_a_certificate_that_is_not_there_is_said_at_start(start, tmp_path):
    with pytest.raises(AssertionError) as caught:
        start("--tls-cert", tmp_path / "nothing.pem", "--tls-key", tmp_path / "nothing.pem", check=False)
    assert "nothing.pem" in str(caught.value)
