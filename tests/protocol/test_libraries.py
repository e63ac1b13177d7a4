"""Libraries that few need are loaded when they are first used, and not before; without them all else works."""
import os
import re
import subprocess

import pytest
from harness import ACCESS_KEY, SECRET_KEY, target_of
from receiver import Receiver
from test_content import png, send
from test_uploads import create, make_token, picture, show
from test_uploads import send as send_upload

PROGRAM = os.path.abspath(os.environ.get("LST_RELEASE", "build/latchstring"))
LAZY = ("libcurl", "libmagic", "libssl")
IDLE_MAX = 12_000  # kB; some 6,000 were measured, and 18,000 with the libraries loaded


def mapped(server):
    with open(f"/proc/{server.process.pid}/maps", encoding="utf-8") as file:
        text = file.read()
    return {name for name in LAZY if name + ".so" in text}


def without(tmp_path, library):
    """An environment in which this library cannot be loaded."""
    (tmp_path / library).write_bytes(b"not a library")
    return {"LD_LIBRARY_PATH": str(tmp_path)}


def profile(tmp_path, url):
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "avatars.json").write_text(
        '{"bucket": "pictures", "key": "{uuid}", "types": ["image/*"], "max_size": 5000000, "webhook": {"url": "%s", "secret": '
        '"a-secret-of-32-characters-or-more"}}' % url)
    return ["--profiles", str(folder)]


def test_the_program_does_not_need_them_to_start():
    needed = subprocess.run(["readelf", "--dynamic", PROGRAM], capture_output=True, text=True, check=True).stdout
    assert "libnettle" in needed
    assert not re.search("NEEDED.*(curl|magic|ssl|crypto|qrencode)", needed)


def test_an_idle_server_is_small(start):
    server = start("--threads", "2", binary=PROGRAM, environment={"LATCHSTRING_BUCKETS": "pictures"})
    server.client().put_object(Bucket="pictures", Key="small", Body=b"x" * 5000)
    assert server.client().get_object(Bucket="pictures", Key="small")["Body"].read() == b"x" * 5000
    assert mapped(server) == set()
    with open(f"/proc/{server.process.pid}/status", encoding="utf-8") as file:
        resident = int(re.search(r"VmRSS:\s+(\d+) kB", file.read()).group(1))
    assert resident <= IDLE_MAX


def test_a_content_check_loads_libmagic(start):
    server = start(environment={"LATCHSTRING_BUCKETS": "pictures"})
    assert send(server, "cat.png", "image/png", png()).status == 200
    assert mapped(server) == {"libmagic"}


def test_without_libmagic_only_content_checks_fail(start, tmp_path):
    server = start(environment={"LATCHSTRING_BUCKETS": "pictures", **without(tmp_path, "libmagic.so.1")})
    assert send(server, "cat.png", "image/png", png()).status == 500
    assert server.wait_for_log(r"a library cannot be loaded: install libmagic\.so\.1", seconds=10)
    with pytest.raises(Exception, match="Not Found"):
        server.client().head_object(Bucket="pictures", Key="cat.png")
    server.client().put_object(Bucket="pictures", Key="cat.png", Body=png())


def test_tls_loads_openssl(start, authority):
    server = start("--tls-cert", authority / "cert.pem", "--tls-key", authority / "key.pem")
    assert mapped(server) == {"libssl"}


def test_without_openssl_a_server_with_tls_says_what_to_install(start, tmp_path, authority):
    with pytest.raises(AssertionError, match=r"--tls-cert: cannot load OpenSSL \(.*libssl\.so\.3.*install it"):
        start("--tls-cert", authority / "cert.pem", "--tls-key", authority / "key.pem", check=False,
              environment=without(tmp_path, "libssl.so.3"))


def test_without_libqrencode_a_link_is_printed_all_the_same(server, tmp_path):
    server.client().create_bucket(Bucket="shared")
    (tmp_path / "me.txt").write_bytes(b"hello")
    done = server.command("share", tmp_path / "me.txt", "s3://shared", "--full", "--qr", environment={
        "AWS_ENDPOINT_URL": server.endpoint, "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        **without(tmp_path, "libqrencode.so.4")})
    assert server.endpoint in done.stdout
    assert "no QR code: cannot load libqrencode" in done.stderr and "install it" in done.stderr


def test_without_libcurl_webhooks_wait_and_all_else_works(start, tmp_path):
    receiver = Receiver()
    arguments = profile(tmp_path, receiver.url)
    server = start(*arguments, environment={"LATCHSTRING_BUCKETS": "pictures", **without(tmp_path, "libcurl.so.4")})
    body = picture()
    upload = create(server, make_token(server, "backend", "--role", "backend"), "avatars", filename="me.jpg", type="image/jpeg",
                    size=len(body))
    assert send_upload(upload, body)[0].status == 200
    assert server.wait_for_log(r"libcurl cannot be loaded.*libcurl\.so\.4.*install it", seconds=10)
    assert server.stop() == 0
    again = start(*arguments, data=server.data)
    receiver.wait()
    assert mapped(again) == {"libcurl", "libssl"}  # libcurl brings that
    receiver.close()


def test_without_libcurl_nothing_is_approved_and_nothing_refused_for_good(start, tmp_path):
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "asked.json").write_text('{"bucket": "pictures", "key": "asked", "approve": {"url": "http://127.0.0.1:9/", '
                                       '"secret": "a-secret-of-32-characters-or-more"}}')
    server = start("--profiles", str(folder),
                   environment={"LATCHSTRING_BUCKETS": "pictures", **without(tmp_path, "libcurl.so.4")})
    token = make_token(server, "backend", "--role", "backend")
    upload = create(server, token, "asked", size=5)
    assert send_upload(upload, b"12345")[0].status == 500
    assert show(server, token, upload)["status"] == "pending"
    with pytest.raises(Exception, match="Not Found"):
        server.client().head_object(Bucket="pictures", Key="asked")


def test_without_libcurl_a_command_says_what_to_install(server, tmp_path):
    done = server.command("link", "create", "s3://pictures/cat.jpg", "--endpoint-url", server.endpoint, check=False,
                          environment={"LATCHSTRING_TOKEN": "lst_" + "x" * 40, **without(tmp_path, "libcurl.so.4")})
    assert done.returncode == 1
    assert "cannot load libcurl" in done.stderr and "install it" in done.stderr
    assert server.send("GET", target_of(server.endpoint + "/-/health"), {}).status == 200
