"""Secrets, and URLs that open something, reach no log: what a server prints, and what it writes down."""
import json
import os
import pty
import re
import select
import signal
import subprocess
import time

import pytest
import requests
from harness import ACCESS_KEY, BINARY, SECRET_KEY, clean_environment
from test_constraints import sign


def read_some(descriptor):
    """What is there within 0.1 s. A terminal without a writer is an error to read, and there is nothing."""
    try:
        return os.read(descriptor, 65536) if select.select([descriptor], [], [], 0.1)[0] else b""
    except OSError:
        return b""


def greeting(tmp_path, on_terminal, **environment):
    """What `serve` prints at its first start, to a terminal or to a pipe."""
    read, write = pty.openpty() if on_terminal else os.pipe()
    process = subprocess.Popen([BINARY, "serve", "--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0"],
                               stdin=subprocess.DEVNULL, stdout=write, stderr=write,
                               env={**clean_environment(), "LATCHSTRING_BUCKETS": "photos", **environment})
    os.close(write)
    text = b""
    deadline = time.monotonic() + 20
    try:
        while b"Access key" not in text:
            assert time.monotonic() < deadline, text
            text += read_some(read)
        process.send_signal(signal.SIGTERM)  # it ends after it has said everything
        while (more := read_some(read)) or process.poll() is None:
            assert time.monotonic() < deadline, text
            text += more
    finally:
        process.kill()
        process.wait(20)
        os.close(read)
    return text.decode()


def secret_of(tmp_path):
    return re.search(r"aws_secret_access_key = (\S+)", (tmp_path / "data" / "root-credentials").read_text()).group(1)


def test_a_terminal_is_shown_the_new_key_and_urls_to_try(tmp_path):
    text = greeting(tmp_path, True)
    assert secret_of(tmp_path) in text
    assert text.count("X-Amz-Signature=") == 2


def test_a_log_is_shown_neither(tmp_path):
    text = greeting(tmp_path, False)
    assert "Listening" in text and "root-credentials" in text
    assert secret_of(tmp_path) not in text
    assert "X-Amz-" not in text and "http" not in text.replace("Endpoint    http", "")


def test_nor_are_keys_that_were_given(tmp_path):
    text = greeting(tmp_path, False, LATCHSTRING_ACCESS_KEY=ACCESS_KEY, LATCHSTRING_SECRET_KEY=SECRET_KEY)
    assert SECRET_KEY not in text and "X-Amz-" not in text


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_access_log_opens_nothing(start, form):
    """Of served and of refused requests, with secrets in every place where one can be."""
    server = start("--log-format", form, "--buckets", "pictures")
    server.client().put_object(Bucket="pictures", Key="cat.jpg", Body=b"a cat")
    token = server.command("token", "create", "links", "--user", "root", "--role", "admin", "--data", server.data,
                           "--json").stdout
    token = json.loads(token)["token"]
    bearer = {"Authorization": "Bearer " + token}
    base = server.endpoint
    link = requests.post(base + "/-/api/links", json={"bucket": "pictures", "key": "cat.jpg"}, headers=bearer,
                         timeout=20).json()
    good = sign(server)
    signature = good.rsplit("X-Amz-Signature=", 1)[1]
    session = "c2Vzc2lvbi10b2tlbi1vZi1hLXVzZXI"
    client_token = "lsc_Zm9yLWEtYnJvd3Nlci1hbG9uZS1hbmQtc2VjcmV0"
    urls = [good, good + "&x=1", good.replace("cat.jpg", "dog.jpg"), good + "&X-Amz-Security-Token=" + session,
            good.replace("X-Amz-Expires=300", "X-Amz-Expires=9999999"), link["url"], link["short_url"],
            f"{base}/-/api/uppy/{client_token}/s3/params", f"{base}/-/api/uppy/{client_token}/none",
            f"{base}/-/l/{link['id']}/x", f"{base}/-/api/links/{link['id']}", f"{base}/-/nothing/{client_token}"]
    # Behind a prefix that a proxy should have taken off, two slashes, or escapes, they are names of objects.
    ours = (f"-/api/uppy/{client_token}/s3/params", f"-/l/{link['id']}", f"-/api/links/{link['id']}", token, f"x/{client_token}")
    urls += [base + prefix + path for path in ours for prefix in ("//", "/files/", "/files/a/")]
    urls += [base + path for path in (f"/l/{link['id']}", f"/%2D/l/{link['id']}", f"/-%2Fl/{link['id']}", f"/-/L/{link['id']}")]
    for url in urls:
        for method in ("GET", "PUT", "DELETE", "OPTIONS"):
            requests.request(method, url, timeout=20, allow_redirects=False)
    requests.get(base + "/-/api/links", headers={"Authorization": "Bearer " + token + "x"}, timeout=20)
    requests.get(base + "/-/api/links", headers=bearer, timeout=20)
    server.stop()
    log = server.log()
    assert log.count("OpenLink") > 0 and log.count("GetObject") > 0
    for secret in (SECRET_KEY, token, signature, session, client_token, link["id"],
                   link["url"].rsplit("X-Amz-Signature=", 1)[1]):
        assert secret not in log
    assert "X-Amz-Signature" not in log
    # What was refused is explained, without the signature that would have been right.
    assert not re.search(r"\b[0-9a-f]{64}\b", log)
