"""curl with its own --aws-sigv4 (Debian's; it hashes bodies itself, and sends no session of chunks)."""
import hashlib

import pytest
from tools import Curl

BODY = bytes(range(256)) * 40


@pytest.mark.parametrize("where", ["http", "https"])
def test_put_get_list_delete(server, secure, authority, tmp_path, where):
    chosen, ca = (secure, authority / "ca.pem") if where == "https" else (server, None)
    curl = Curl(chosen, tmp_path, ca)
    url = f"{chosen.endpoint}/pictures/by-curl/file-1.bin"
    (tmp_path / "up").write_bytes(BODY)
    curl.run("--data-binary", "@up", "--request", "PUT", "--header", "Content-Type: application/x-thing",
             "--header", f"x-amz-content-sha256: {hashlib.sha256(BODY).hexdigest()}", url)
    head = chosen.client(verify=ca and str(ca)).head_object(Bucket="pictures", Key="by-curl/file-1.bin")
    assert (head["ContentLength"], head["ContentType"]) == (len(BODY), "application/x-thing")
    unsigned = ("--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD")
    curl.run("--output", "down", *unsigned, url)
    assert (tmp_path / "down").read_bytes() == BODY
    curl.run("--output", "piece", "--range", "100-199", *unsigned, url)
    assert (tmp_path / "piece").read_bytes() == BODY[100:200]
    assert "<Key>by-curl/file-1.bin</Key>" in curl.run(*unsigned, f"{chosen.endpoint}/pictures?list-type=2&prefix=by-curl%2F").out
    curl.run("--request", "DELETE", *unsigned, url)
    assert "NoSuchKey" in curl.run(*unsigned, url, status=22).out
    assert "SignatureDoesNotMatch" in curl.run(*unsigned, "--user", "AKIAIOSFODNN7EXAMPLE:wrong", url, status=22).out


def test_upload_file(server, tmp_path):
    """--upload-file, as the manual of curl shows it: the body is not signed."""
    (tmp_path / "up").write_bytes(BODY)
    curl = Curl(server, tmp_path)
    curl.run("--upload-file", "up", "--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD",
             f"{server.endpoint}/pictures/uploaded")
    assert server.client().get_object(Bucket="pictures", Key="uploaded")["Body"].read() == BODY
