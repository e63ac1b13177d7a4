"""A running server for tests and benches: its own data folder, a port of its own, its own keys."""
import contextlib
import datetime
import http.client
import os
import pty
import re
import signal
import subprocess
import threading
import time
import unittest.mock
import urllib.parse
import xml.etree.ElementTree as xml

import boto3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BINARY = os.environ.get("LST_BINARY", os.path.join(ROOT, "build", "latchstring"))

# AWS's documented example, '/' and all.
ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


def clean_environment():
    """No AWS or Latchstring setting of the developer's own, and no proxy."""
    return {name: value for name, value in os.environ.items()
            if not name.startswith(("AWS_", "LATCHSTRING_")) and not name.lower().endswith("_proxy")}


class Server:
    """`latchstring serve`. Use it with `with`, or call stop()."""

    def __init__(self, data, *arguments, environment=None, keys=True, binary=BINARY, wrapper=(),
                 listen="127.0.0.1:0", log=None, terminal=False):
        self.data = str(data)
        self.binary = binary
        self.log_path = str(log or data) + ".log"
        self.environment = clean_environment()
        if keys:
            self.environment.update(LATCHSTRING_ACCESS_KEY=ACCESS_KEY, LATCHSTRING_SECRET_KEY=SECRET_KEY)
        self.environment.update(environment or {})
        command = [*wrapper, binary, "serve", "--data", self.data]
        if listen:
            command += ["--listen", listen]
        with open(self.log_path, "wb") as file:
            output = self._terminal(file) if terminal else file
            self.process = subprocess.Popen([*command, *map(str, arguments)], env=self.environment,
                                            stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=subprocess.STDOUT)
            if terminal:
                os.close(output)
        scheme = "https" if "--tls-cert" in arguments else "http"
        self.endpoint = f"{scheme}://{self._wait_for_address()}"

    @staticmethod
    def _terminal(file):
        """A terminal, for what is shown to people alone. All that it shows goes to the log too."""
        ours, theirs = pty.openpty()

        def copy(log):
            with contextlib.suppress(OSError), open(log, "wb", buffering=0) as copied:
                while text := os.read(ours, 65536):
                    copied.write(text.replace(b"\r\n", b"\n"))
            os.close(ours)
        threading.Thread(target=copy, args=(os.dup(file.fileno()),), daemon=True).start()
        return theirs

    def _wait_for_address(self):
        """What it listens on, as it says when all is ready."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            match = re.search(r"Listening +(\S+:\d+)\n", self.log())
            if match:
                return match.group(1)
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        self.process.kill()
        self.process.wait()
        raise AssertionError(f"the server did not start (status {self.process.returncode}):\n{self.log()}")

    def log(self):
        """All that it has printed so far, access log included."""
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_for_log(self, pattern, seconds=20):
        """The first match of pattern in the log, which may lag behind the answer; or None."""
        deadline = time.monotonic() + seconds
        while True:
            match = re.search(pattern, self.log())
            if match or time.monotonic() > deadline:
                return match
            time.sleep(0.02)

    @property
    def host(self):
        return urllib.parse.urlsplit(self.endpoint).netloc

    @property
    def port(self):
        return urllib.parse.urlsplit(self.endpoint).port

    def client(self, region="us-east-1", access_key=ACCESS_KEY, secret_key=SECRET_KEY, token=None,
               endpoint=None, service="client", verify=None, **config):
        """A boto3 client as people make them, with Signature Version 4 unless told otherwise."""
        config.setdefault("signature_version", "s3v4")
        config.setdefault("retries", {"max_attempts": 0})
        if config["signature_version"] is None:
            del config["signature_version"]
        session = boto3.session.Session(aws_access_key_id=access_key, aws_secret_access_key=secret_key,
                                        aws_session_token=token, region_name=region)
        return getattr(session, service)("s3", endpoint_url=endpoint or self.endpoint, verify=verify,
                                         config=Config(**config))

    def connection(self, timeout=20):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def send(self, method, target, headers=None, body=None):
        """One request, byte for byte as given: nothing is encoded, normalised or added but Host."""
        with contextlib.closing(self.connection()) as connection:
            return send_on(connection, method, target, headers, body)

    def command(self, *arguments, input=None, check=True, environment=None):
        """Run a subcommand of the program, with the root user's keys in the environment."""
        done = subprocess.run(
            [self.binary, *map(str, arguments)], input=input, text=True, capture_output=True,
            check=False, timeout=60,
            env={**clean_environment(), "AWS_ACCESS_KEY_ID": ACCESS_KEY,
                 "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_REGION": "us-east-1",
                 "AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
                 **(environment or {})})
        if check:
            assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def stop(self, number=signal.SIGTERM):
        """Ask it to end; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode

    def fsck(self):
        """`latchstring fsck` of the data folder (stop the server first): (exit status, output)."""
        done = subprocess.run([self.binary, "fsck", "--data", self.data], text=True, check=False,
                              capture_output=True, timeout=300, env=clean_environment())
        return done.returncode, done.stdout + done.stderr

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def send_on(connection, method, target, headers=None, body=None):
    connection.putrequest(method, target, skip_host="Host" in (headers or {}), skip_accept_encoding=True)
    names = {name.lower() for name in headers or {}}
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        connection.putheader("Content-Length", str(len(body)))
    elif body is None and method in ("PUT", "POST") and "content-length" not in names:
        connection.putheader("Content-Length", "0")
    for name, value in (headers or {}).items():
        connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    return Answer(response.status, response.headers, response.read())


class HeaderSigner(S3SigV4Auth):
    """botocore's, with the payload hash that the request names."""

    def payload(self, request):
        return self.hash or super().payload(request)

    def add_auth(self, request):
        self.hash = request.headers.get("x-amz-content-sha256")
        super().add_auth(request)


def sign_and_send(server, method, path, body=b"", query="", headers=None, sent=None):
    """A request that no operation of boto3 makes, signed with a header; sent: another body."""
    target = path + ("?" + query if query else "")
    request = AWSRequest(method, server.endpoint + target, data=body, headers=headers or {})
    HeaderSigner(Credentials(ACCESS_KEY, SECRET_KEY), "s3", "us-east-1").add_auth(request)
    return server.send(method, target, dict(request.headers.items()),
                       body if sent is None else sent)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def error(self):
        """The fields of an S3 error document, by name. Asserts its shape."""
        kind = self.headers["Content-Type"]
        assert kind == "application/xml", f"an error's content type is {kind}: {self.body!r}"
        assert self.body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>'), self.body
        root = xml.fromstring(self.body)
        assert root.tag == "Error", self.body
        fields = {child.tag: child.text or "" for child in root}
        assert {"Code", "Message", "RequestId"} <= set(fields), fields
        assert fields["RequestId"] == self.headers["x-amz-request-id"]
        return fields

    @property
    def code(self):
        return self.error["Code"] if self.status >= 400 else ""

    def __repr__(self):
        return f"<{self.status} {self.body[:600]!r}>"


def target_of(url):
    """The path and query of a URL, as they stand."""
    return url[url.index("/", url.index("://") + 3):]


def presign(client, operation, bucket="pictures", key="cat.jpg", expires=300, **parameters):
    return client.generate_presigned_url(operation, Params={"Bucket": bucket, "Key": key, **parameters},
                                         ExpiresIn=expires)


def code_of(call, **parameters):
    """The code of the error that a call of boto3 meets, which it must."""
    try:
        call(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]
    raise AssertionError(f"{call.__name__} went well")


@contextlib.contextmanager
def clock_shifted(seconds):
    """Sign as if it were so many seconds later (earlier, if negative)."""
    def shifted(remove_tzinfo=True):
        now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
        return now.replace(tzinfo=None) if remove_tzinfo else now
    with unittest.mock.patch("botocore.auth.get_current_datetime", shifted):
        yield
