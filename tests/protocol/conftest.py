"""Fixtures: a server for each test module, with a bucket, checked by fsck when the module is done."""
import io
import os
import random
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness import Server  # noqa: E402

BUCKET = "pictures"


@pytest.fixture(scope="session", autouse=True)
def clean():
    """boto3 and the AWS CLI see nothing of the developer's own set-up."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "LATCHSTRING_")) or name.lower().endswith("_proxy"):
            del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = "/nonexistent"
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """Start further servers: start("--domain", "localhost"). All are stopped, and checked."""
    servers = []

    def start_server(*arguments, data=None, check=True, **options):
        data = data or tmp_path_factory.mktemp("server") / "data"
        server = Server(data, *arguments, **options)
        servers.append((server, check))
        return server

    yield start_server
    for server, check in servers:
        was_running = server.process.poll() is None
        status = server.stop()
        if not check:
            continue
        assert not was_running or status == 0, f"exit status {status} on SIGTERM:\n{server.log()[-4000:]}"
        assert "runtime error" not in server.log() and "Sanitizer" not in server.log(), server.log()[-8000:]
        status, output = server.fsck()
        assert status == 0, output


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """A private certificate authority (ca.pem), and a server's certificate by it (cert.pem, key.pem)."""
    where = tmp_path_factory.mktemp("authority")
    (where / "extensions").write_text("subjectAltName = IP:127.0.0.1, DNS:localhost\n")
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    for command in (
            ["req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
             "-subj", "/CN=A private authority"],
            ["req", *new_key, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=localhost"],
            ["x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
             "-days", "2", "-extfile", "extensions", "-out", "cert.pem"]):
        subprocess.run(["openssl", *command], cwd=where, check=True, capture_output=True)
    return where


@pytest.fixture(scope="module")
def server(start):
    return start(environment={"LATCHSTRING_BUCKETS": BUCKET})


@pytest.fixture(scope="module")
def s3(server):
    return server.client()


@pytest.fixture
def receive():
    """Make receivers of webhooks, which end with the test."""
    from receiver import Receiver
    receivers = []

    def make(*answers, **options):
        receivers.append(Receiver(*answers, **options))
        return receivers[-1]

    yield make
    for receiver in receivers:
        receiver.close()


def photograph(kind, seed=1):
    """A real picture of that kind, as a camera would make one: gradients, shapes and noise."""
    from PIL import Image, ImageDraw, ImageFilter
    chance = random.Random(seed)
    picture = Image.merge("RGB", [Image.linear_gradient("L").rotate(turn).resize((1024, 683))
                                  for turn in (0, 90, 180)])
    draw = ImageDraw.Draw(picture)
    for _ in range(200):
        x, y, size = chance.randrange(1024), chance.randrange(683), chance.randrange(5, 90)
        draw.ellipse((x, y, x + size, y + size),
                     fill=tuple(chance.randrange(256) for _ in range(3)))
    picture = picture.filter(ImageFilter.GaussianBlur(2))
    noise = Image.frombytes("RGB", picture.size, chance.randbytes(1024 * 683 * 3))
    picture = Image.blend(picture, noise, 0.06)
    file = io.BytesIO()
    picture.save(file, kind, **({"quality": 90} if kind == "JPEG" else {}))
    return file.getvalue()


@pytest.fixture(scope="session")
def pictures():
    """{"cat.jpg": bytes, "cat.png": bytes}"""
    found = {"cat.jpg": photograph("JPEG"), "cat.png": photograph("PNG")}
    assert found["cat.jpg"].startswith(b"\xff\xd8\xff") and found["cat.png"].startswith(b"\x89PNG")
    return found
