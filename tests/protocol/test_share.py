"""`latchstring share`: a file becomes an object and a link, on a terminal with a progress bar and a QR code."""
import contextlib
import fcntl
import http.client
import http.server
import io
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time
import urllib.parse
import zipfile

import pytest
from harness import ACCESS_KEY, BINARY, SECRET_KEY, clean_environment

FAILED, USAGE = 1, 2
KEYS = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
RANDOM = "[a-z2-7]{26}"


@pytest.fixture(name="server", scope="module")
def _server(start):
    return start("--buckets", "photos", "--api-rate", "0")


@pytest.fixture(name="share")
def _share(server):
    """Run `latchstring share ...` against the server: share(path, "s3://photos")."""
    def run(*arguments, at=server.endpoint, **environment):
        done = server.command("share", *arguments, check=False,
                              environment={"AWS_ENDPOINT_URL": at, **environment})
        assert SECRET_KEY not in done.stdout + done.stderr
        assert "Sanitizer" not in done.stderr and "runtime error" not in done.stderr, done.stderr
        return done
    return run


@pytest.fixture(name="hello")
def _hello(tmp_path):
    path = tmp_path / "hello.txt"
    path.write_text("hello")
    return path


def fetch(url):
    """Follow the link, as a browser does."""
    while True:
        place = urllib.parse.urlsplit(url)
        with contextlib.closing(http.client.HTTPConnection(place.netloc, timeout=20)) as connection:
            connection.request("GET", place.path + ("?" + place.query if place.query else ""))
            answer = connection.getresponse()
            body = answer.read()
        if answer.status != 302:
            return answer.status, body, answer.headers
        url = answer.headers["Location"]


def keys_of(server, bucket="photos", prefix=""):
    listed = server.client().list_objects_v2(Bucket=bucket, Prefix=prefix)
    return [one["Key"] for one in listed.get("Contents", [])]


class Between(http.server.ThreadingHTTPServer):
    """Stands between the command and a server. What it lets through is a store without our API; it can
    hold a PUT up after its first megabyte."""

    def __init__(self, server, has_api=False, status=403):
        self.server, self.has_api, self.status = server, has_api, status
        self.held, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()
        self.methods = []
        super().__init__(("127.0.0.1", 0), BetweenHandler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_):
        pass  # the command hung up: that is what is tested


class BetweenHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def pieces(self, length):
        sent = 0
        while sent < length:
            piece = self.rfile.read(min(1 << 20, length - sent))
            if not piece:
                return
            sent += len(piece)
            yield piece
            if self.command == "PUT":
                self.server.held.set()
                self.server.go_on.wait(30)

    def forward(self):
        self.server.methods.append(self.command)
        if self.path.startswith("/-/") and not self.server.has_api:
            self.answer(self.server.status, b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', {})
            return
        length = int(self.headers.get("Content-Length", 0))
        with contextlib.closing(self.server.server.connection()) as connection:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name != "Expect":
                    connection.putheader(name, value)
            connection.endheaders()
            for piece in self.pieces(length):
                connection.send(piece)
            answer = connection.getresponse()
            self.answer(answer.status, answer.read(), answer.headers)

    def answer(self, status, body, headers):
        self.send_response(status)
        for name in ("Content-Type", "Location"):
            if name in headers:
                self.send_header(name, headers[name])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = forward

    def log_message(self, *_):
        pass


@pytest.fixture(name="between")
def _between(server):
    between = []

    def make(**options):
        between.append(Between(server, **options))
        return between[-1]
    yield make
    for one in between:
        one.go_on.set()
        one.shutdown()
        one.server_close()


# ---- What becomes of the file

def test_a_link_to_what_was_shared(server, share, tmp_path, pictures):
    path = tmp_path / "grüße + ü.jpg"
    path.write_bytes(pictures["cat.jpg"])
    done = share(path, "s3://photos")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(server.endpoint + "/-/l/[a-z0-9]{24}\n", done.stdout)
    status, body, headers = fetch(done.stdout.strip())
    assert (status, body) == (200, pictures["cat.jpg"])
    assert headers["Content-Type"] == "image/jpeg"
    assert any(re.fullmatch(RANDOM + r"/grüße \+ ü\.jpg", key) for key in keys_of(server))


@pytest.mark.parametrize(("target", "pattern"), [
    ("s3://photos", RANDOM + "/hello.txt"), ("s3://photos/", RANDOM + "/hello.txt"), ("photos", RANDOM + "/hello.txt"),
    ("s3://photos/a/b/", "a/b/" + RANDOM + "/hello.txt"), ("s3://photos/exactly/this", "exactly/this")])
def test_where_it_goes(server, share, hello, target, pattern):
    done = share(hello, target, "--json", "--replace")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert re.fullmatch(pattern, told["key"])
    assert told["key"] in keys_of(server)
    assert fetch(told["url"])[:2] == fetch(told["short_url"])[:2] == (200, b"hello")
    assert told["size"] == 5
    assert share(hello, LATCHSTRING_SHARE=target).returncode == (0 if told["key"] != "exactly/this" else FAILED)


def test_nothing_is_replaced_unless_asked_for(server, share, hello, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text("other")
    assert share(hello, "s3://photos/same.txt").returncode == 0
    done = share(other, "s3://photos/same.txt")
    assert (done.returncode, done.stdout) == (FAILED, "")
    assert "--replace" in done.stderr
    assert server.client().get_object(Bucket="photos", Key="same.txt")["Body"].read() == b"hello"
    assert share(other, "s3://photos/same.txt", "--replace").returncode == 0
    assert server.client().get_object(Bucket="photos", Key="same.txt")["Body"].read() == b"other"


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", "<x/>")
    return file.getvalue()


@pytest.mark.parametrize(("name", "content", "kind"), [
    ("a.md", b"# Title\n", "text/markdown; charset=utf-8"), ("a.css", b"p { color: red }\n", "text/css; charset=utf-8"),
    ("a.txt", "grüß".encode(), "text/plain; charset=utf-8"), ("a.txt", "grüß".encode("latin-1"), "text/plain"),
    ("a.json", b'{"a": 1}\n', "application/json"), ("a.csv", b"a,b\n1,2\n", "text/csv; charset=utf-8"),
    ("a.html", b"<!DOCTYPE html><p>hi\n", "text/html; charset=utf-8"), ("a.txt", "cat.png", "image/png"),
    ("a", "cat.jpg", "image/jpeg"), ("a.JPG", "cat.jpg", "image/jpeg"), ("a.pdf", b"%PDF-1.7\n%\xe2\xe3\n", "application/pdf"),
    ("a.docx", zipped(), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("a.bin", bytes(range(1, 9)), "application/octet-stream"), ("a.txt", b"", "text/plain; charset=utf-8"), ("a", b"", "application/octet-stream"),
    ("a.txt", b"a" * 8191 + "ü".encode(), "text/plain; charset=utf-8")])
def test_its_type(server, share, tmp_path, pictures, name, content, kind):
    path = tmp_path / name
    path.write_bytes(pictures[content] if isinstance(content, str) else content)
    told = json.loads(share(path, "s3://photos/types/", "--json").stdout)
    assert told["type"] == kind
    assert server.client().head_object(Bucket="photos", Key=told["key"])["ContentType"] == kind


def test_its_type_as_told(server, share, hello):
    told = json.loads(share(hello, "s3://photos", "--json", "--content-type", "text/x-mine").stdout)
    assert server.client().head_object(Bucket="photos", Key=told["key"])["ContentType"] == "text/x-mine"


def test_a_large_file(server, share, tmp_path):
    path = tmp_path / "large.bin"
    path.write_bytes(os.urandom(40_000_000))
    told = json.loads(share(path, "s3://photos", "--json").stdout)
    assert fetch(told["url"])[1] == path.read_bytes()


# ---- The link

def test_limits_of_the_link(server, share, hello):
    told = json.loads(share(hello, "s3://photos", "--max-uses", "1", "--expires", "2h", "--ip", "127.0.0.0/8",
                            "--filename", "für dich.txt", "--json").stdout)
    status, body, headers = fetch(told["url"])
    assert (status, body) == (200, b"hello")
    assert "f%C3%BCr%20dich.txt" in headers["Content-Disposition"]
    assert fetch(told["url"])[0] == 403
    assert fetch(told["short_url"])[0] == 410
    assert "X-Amz-Expires=7200" in told["url"]
    shown = server.command("link", "show", told["id"], environment={"AWS_ENDPOINT_URL": server.endpoint}).stdout
    assert "127.0.0.0/8" in shown
    full = share(hello, "s3://photos", "--full").stdout
    assert "X-Amz-Signature=" in full
    assert fetch(full.strip())[0] == 200


def test_a_token_is_enough(server, share, hello):
    token = server.command("token", "create", "sharer", "--role", "link", "--data", server.data).stdout.strip()
    alone = {"LATCHSTRING_TOKEN": token, "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    done = share(hello, "s3://photos", **alone)
    assert done.returncode == 0, done.stderr
    assert token not in done.stdout + done.stderr
    assert fetch(done.stdout.strip())[:2] == (200, b"hello")
    assert share(hello, "s3://photos/by-token", **alone).returncode == 0
    assert "--replace" in share(hello, "s3://photos/by-token", **alone).stderr
    done = share(hello, "s3://photos", **{**alone, "LATCHSTRING_TOKEN": "lst_" + "x" * 30})
    assert done.returncode == FAILED
    assert "LATCHSTRING_TOKEN" in done.stderr


def test_over_https(start, share, hello, authority):
    secure = start("--tls-cert", authority / "cert.pem", "--tls-key", authority / "key.pem", "--buckets", "photos")
    done = share(hello, "s3://photos", at=secure.endpoint, AWS_CA_BUNDLE=str(authority / "ca.pem"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("https://")
    s3 = secure.client(verify=str(authority / "ca.pem"))
    assert len(s3.list_objects_v2(Bucket="photos")["Contents"]) == 1
    done = share(hello, "s3://photos", at=secure.endpoint)
    assert done.returncode == FAILED
    assert "AWS_CA_BUNDLE" in done.stderr
    assert len(s3.list_objects_v2(Bucket="photos")["Contents"]) == 1


def test_a_store_that_keeps_no_links(server, share, hello, between):
    other = between()
    done = share(hello, "s3://photos", "--filename", "a b.txt", "--expires", "60", at=other.endpoint)
    assert done.returncode == 0, done.stderr
    url = done.stdout.strip()
    assert "X-Amz-Expires=60&" in url
    assert "x-latch" not in url
    status, body, headers = fetch(url)
    assert (status, body) == (200, b"hello")
    assert headers["Content-Type"].startswith("text/plain")
    told = json.loads(share(hello, "s3://photos", "--json", at=other.endpoint).stdout)
    assert not {"id", "short_url"} & set(told)
    # A token that such a store does not know is of no use there; the keys are.
    done = share(hello, "s3://photos", at=other.endpoint, LATCHSTRING_TOKEN="lst_x")
    assert done.returncode == 0
    assert "token" in done.stderr


@pytest.mark.parametrize("status", [301, 502, 503])
def test_a_server_that_is_hidden(server, share, hello, between, status):
    """It may be one of ours: not to be taken for another store."""
    other = between(status=status)
    done = share(hello, "s3://photos", at=other.endpoint)
    assert (done.returncode, done.stdout) == (FAILED, "")
    assert str(status) in done.stderr
    assert "PUT" not in other.methods


@pytest.mark.parametrize("limit", [("--max-uses", "1"), ("--ip", "127.0.0.1"), ("--not-before", "2099-01-01T00:00:00Z"),
                                   ("--head",), ("--expires", "8d")])
def test_a_limit_that_nobody_would_enforce(server, share, hello, between, limit):
    other = between()
    before = keys_of(server)
    done = share(hello, "s3://photos", *limit, at=other.endpoint)
    assert done.returncode != 0
    assert done.stdout == ""
    assert limit[0] in done.stderr
    assert "PUT" not in other.methods
    assert keys_of(server) == before


# ---- What goes wrong

def test_files_that_can_not_be_shared(share, tmp_path, hello):
    huge = tmp_path / "huge"
    with open(huge, "wb") as file:
        file.truncate((5 << 30) + 1)
    os.mkfifo(tmp_path / "fifo")
    unreadable = os.fsencode(tmp_path) + b"/\xff.txt"
    with open(unreadable, "wb"):
        pass
    for path, status, word in ((huge, FAILED, "link create"), (tmp_path, FAILED, "tar"), (tmp_path / "fifo", FAILED, "regular"),
                               (tmp_path / "nothing", FAILED, "No such file"), ("-", USAGE, "standard input"),
                               (os.fsdecode(unreadable), USAGE, "s3://BUCKET/KEY")):
        done = share(path, "s3://photos")
        assert (done.returncode, done.stdout) == (status, ""), path
        assert word in done.stderr


@pytest.mark.parametrize(("arguments", "status", "word"), [
    ((), USAGE, "s3://photos"), (("s3://photos", "x"), USAGE, "one file"), (("http://photos/",), USAGE, "s3://BUCKET/KEY"),
    (("s3://no-such-bucket",), FAILED, "no-such-bucket"), (("s3://photos", "--qr", "--no-qr"), USAGE, "--no-qr"),
    (("s3://photos", "--expires", "never"), USAGE, "--expires"), (("s3://photos/" + "k" * 1025,), USAGE, "1024"),
    (("s3://photos", "--content-type", "text"), USAGE, "--content-type"), (("s3://photos", "--expires", "900d"), FAILED, "expires"),
    (("s3://x",), USAGE, "bucket")])
def test_mistakes_are_named(share, hello, arguments, status, word):
    done = share(hello, *arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert word in done.stderr


def test_refusals_before_anything_is_sent(server, share, hello, between):
    other = between(has_api=True)
    assert share(hello, "s3://photos", at=other.endpoint, AWS_SECRET_ACCESS_KEY="x" * 40).returncode == FAILED
    assert share(hello, "s3://photos", at="http://127.0.0.1:1").returncode == FAILED
    too_long = share(hello, "s3://photos", "--expires", "900d", at=other.endpoint)
    assert (too_long.returncode, too_long.stdout) == (FAILED, "")
    assert "expires" in too_long.stderr
    assert "PUT" not in other.methods
    # Of a store that keeps no links a presigned URL is all there is.
    plain = between()
    too_long = share(hello, "s3://photos", "--expires", "8d", at=plain.endpoint)
    assert (too_long.returncode, too_long.stdout) == (USAGE, "")
    assert "--expires: a presigned URL lives 7 days at most" in too_long.stderr
    assert "PUT" not in plain.methods


def test_who_may_not_write(server, share, hello):
    keys = server.command("user", "add", "reader", "--policy", "readonly", "--json", "--data", server.data).stdout
    keys = json.loads(keys)
    key = keys.get("access_key_id") or keys["keys"][0]["access_key_id"]
    secret = keys.get("secret_access_key") or keys["keys"][0]["secret_access_key"]
    done = share(hello, "s3://photos/by-reader", AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY=secret)
    assert done.returncode == FAILED
    assert "AccessDenied" in done.stderr
    assert secret not in done.stderr
    assert "by-reader" not in keys_of(server)


# ---- Held up in the middle

def begin_held(between, path):
    """A share that hangs after its first megabyte."""
    other = between(has_api=True)
    other.go_on.clear()
    process = subprocess.Popen([BINARY, "share", path, "s3://photos/held.bin"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True,
                               env={**clean_environment(), **KEYS, "AWS_ENDPOINT_URL": other.endpoint})
    assert other.held.wait(20)
    return other, process


@pytest.fixture(name="large")
def _large(tmp_path):
    path = tmp_path / "large.bin"
    path.write_bytes(bytes(50_000_000))
    return path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_share_leaves_nothing(server, between, large, number):
    other, process = begin_held(between, large)
    process.send_signal(number)
    out, errors = process.communicate(timeout=20)
    assert process.returncode == -number
    assert out == ""
    assert "interrupted: nothing is stored" in errors
    other.go_on.set()
    time.sleep(0.5)
    assert "held.bin" not in keys_of(server)


def test_a_file_that_shrinks(server, between, large):
    other, process = begin_held(between, large)
    os.truncate(large, 2_000_000)
    other.go_on.set()
    out, errors = process.communicate(timeout=60)
    assert process.returncode == FAILED
    assert out == ""
    assert "shorter" in errors
    assert "held.bin" not in keys_of(server)


# ---- On a terminal

def on_terminal(server, *arguments, columns=100, term="xterm"):
    """Run on a pseudo-terminal: (exit status, all that came to the screen)."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = subprocess.Popen([BINARY, "share", *map(str, arguments)], stdin=terminal, stdout=terminal, stderr=terminal,
                               env={**clean_environment(), **KEYS, "AWS_ENDPOINT_URL": server.endpoint, "TERM": term})
    os.close(terminal)
    screen = b""
    while select.select([controller], [], [], 30)[0]:
        try:
            piece = os.read(controller, 65536)
        except OSError:
            break
        screen += piece
    os.close(controller)
    return process.wait(timeout=20), screen.decode().replace("\r\n", "\n")


def picture_of(lines):
    """Each half block as a square of pixels: of what the terminal shows."""
    from PIL import Image
    dark = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}
    rows = []
    for line in lines:
        rows += [[dark[c][half] for c in line] for half in (0, 1)]
    picture = Image.new("L", (len(rows[0]), len(rows)))
    picture.putdata([0 if bit else 255 for row in rows for bit in row])
    picture = picture.resize((picture.width * 6, picture.height * 6), Image.NEAREST)
    return picture


CODE_LINE = re.compile(r"^\033\[38;5;16;48;5;231m([ ▀▄█]+)\033\[0m$", re.MULTILINE)


def read_code(text):
    """What the QR code says, without any margin but its own on a dark terminal."""
    zxing = pytest.importorskip("zxingcpp")
    from PIL import Image
    picture = picture_of(CODE_LINE.findall(text))
    terminal = Image.new("L", (picture.width + 200, picture.height + 200), 0)
    terminal.paste(picture, (100, 100))
    found = zxing.read_barcodes(terminal)
    assert len(found) == 1
    assert str(found[0].format).endswith(("QRCode", "QR Code"))
    return found[0].text


def test_the_code_is_the_link(server, hello):
    status, screen = on_terminal(server, hello, "s3://photos")
    assert status == 0
    url = re.search(r"http://\S+/-/l/[a-z0-9]{24}\n", screen).group().strip()
    lines = CODE_LINE.findall(screen)
    assert len({len(line) for line in lines}) == 1
    # The quiet zone, on all four sides, is light.
    assert all(line.startswith("    ") and line.endswith("    ") for line in lines)
    assert lines[0].strip() == lines[1].strip() == lines[-1].strip() == lines[-2].strip() == ""
    assert read_code(screen) == url
    assert fetch(url)[:2] == (200, b"hello")


def test_the_code_of_a_long_link(share, hello):
    done = share(hello, "s3://photos", "--full", "--qr")
    url = done.stdout.split("\n", 1)[0]
    assert "X-Amz-Signature" in url
    assert read_code(done.stdout) == url


def test_without_a_code(server, share, hello):
    assert not CODE_LINE.findall(share(hello, "s3://photos").stdout)
    assert not CODE_LINE.findall(on_terminal(server, hello, "s3://photos", "--no-qr")[1])
    status, screen = on_terminal(server, hello, "s3://photos", columns=30)
    assert status == 0
    assert not CODE_LINE.findall(screen)
    assert "columns" in screen


def test_the_bar(server, large):
    status, screen = on_terminal(server, large, "s3://photos", "--no-qr")
    assert status == 0
    bars = re.findall(r"\r\[([= ]+)\] +(\d+)%  (\S+ \S+) of 50\.0 MB[^\r]*\033\[K", screen)
    assert bars, screen
    percents = [int(percent) for _, percent, _ in bars]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert set(bars[-1][0]) == {"="}
    assert len({len(bar) for bar, _, _ in bars}) == 1
    # It is gone when the link comes.
    assert re.search(r"\r\033\[Khttp://\S+\n", screen)
    for line in re.findall(r"[^\r\n]*\033\[K", screen):
        assert len(line) <= 100 + len("\033[K")


def test_a_terminal_that_can_draw_nothing(server, share, large):
    screen = on_terminal(server, large, "s3://photos", "--no-qr", term="dumb")[1]
    assert "%" not in screen.replace("%2", "")
    assert "\033" not in screen
    assert share(large, "s3://photos").stderr == ""


def test_a_password(server, share, hello):
    done = server.command("share", hello, "s3://photos", "--password-stdin", "--json", check=False, input="open sesame\n",
                          environment={"AWS_ENDPOINT_URL": server.endpoint})
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert "url" not in made
    status, body, _ = fetch(made["short_url"])
    assert status == 200 and b'type="password"' in body
    assert share(hello, "s3://photos", "--password-stdin", "--full").returncode == USAGE
