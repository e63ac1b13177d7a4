"""HTTPS: versions, certificates by name, renewed certificates, and clients that speak something else."""
import contextlib
import ctypes
import ctypes.util
import datetime
import os
import random
import re
import select
import signal
import socket
import ssl
import subprocess
import time

import pytest
from harness import BINARY, clean_environment, presign, target_of
from hostile import read_answers

BUCKET = "pictures"
HEALTH = b"GET /-/health HTTP/1.1\r\nHost: localhost\r\n\r\n"


def make_certificate(folder, name, *names, days=2):
    """NAME.pem and NAME.key, signed by itself, for these host names."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem", "-days", str(days), "-subj", f"/CN={name}",
                    "-addext", "subjectAltName=" + ",".join(f"DNS:{each}" for each in names)], check=True, capture_output=True)
    return ["--tls-cert", folder / f"{name}.pem", "--tls-key", folder / f"{name}.key"]


def expire(folder, name):
    """The same key, with a certificate that has expired."""
    (folder / "index").touch()
    (folder / "ca.conf").write_text(f"[ca]\ndefault_ca=a\n[a]\ndatabase={folder}/index\nnew_certs_dir={folder}\nrand_serial=yes\n"
                                    "default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n")
    request = subprocess.run(["openssl", "req", "-new", "-key", folder / f"{name}.key", "-subj", f"/CN={name}"], check=True,
                             capture_output=True).stdout
    (folder / "request").write_bytes(request)
    subprocess.run(["openssl", "ca", "-batch", "-selfsign", "-config", folder / "ca.conf", "-keyfile", folder / f"{name}.key",
                    "-in", folder / "request", "-out", folder / f"{name}.pem", "-notext", "-startdate", "20200101000000Z",
                    "-enddate", "20200201000000Z"], check=True, capture_output=True)


def connect(server, name="localhost", **limits):
    """A TLS connection that trusts anybody, and asks for this name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for limit, version in limits.items():
        setattr(context, limit, version)
    return context.wrap_socket(socket.create_connection(("127.0.0.1", server.port), timeout=20), server_hostname=name)


def names_of(sock):
    """The host names of the certificate that the server has shown."""
    shown = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-ext", "subjectAltName"], check=True,
                           input=sock.getpeercert(binary_form=True), capture_output=True).stdout.decode()
    return [part.strip().removeprefix("DNS:") for part in shown.split("\n")[1].split(",")]


def metric(server, name):
    with connect(server) as sock:
        sock.sendall(b"GET /-/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return float(re.search(rf"^latchstring_{name} (\S+)$", read_answers(sock, 1)[0][-1].decode(), re.M).group(1))


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory):
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(name="secure", scope="module")
def _secure(start, folder):
    return start("--buckets", BUCKET, *make_certificate(folder, "first", "localhost", "first.example"),
                 *make_certificate(folder, "second", "second.example", "*.files.example"))


class Updater:
    """A client that is OpenSSL itself, because Python's module never announces new keys. It is not verified."""
    TYPES = {"TLS_client_method": "p", "SSL_CTX_new": "pp", "SSL_CTX_free": "vp", "SSL_new": "pp", "SSL_free": "vp",
             "SSL_set_fd": "ipi", "SSL_connect": "ip", "SSL_key_update": "ipi", "SSL_do_handshake": "ip",
             "SSL_write": "ipsi", "SSL_read": "ipsi", "BIO_s_mem": "p", "BIO_new": "pp", "BIO_read": "ipsi",
             "SSL_set0_wbio": "vpp", "BIO_ctrl_pending": "zp"}
    C = {"p": ctypes.c_void_p, "i": ctypes.c_int, "s": ctypes.c_char_p, "v": None, "z": ctypes.c_size_t}

    def __init__(self, server):
        library = ctypes.CDLL(ctypes.util.find_library("ssl"))
        for name, types in self.TYPES.items():
            function = getattr(library, name)
            function.restype, *function.argtypes = (self.C[kind] for kind in types)
            setattr(self, name, function)
        self.socket = socket.create_connection(("127.0.0.1", server.port))
        self.socket.settimeout(None)
        self.context = self.SSL_CTX_new(self.TLS_client_method())
        self.session = self.SSL_new(self.context)
        assert self.SSL_set_fd(self.session, self.socket.fileno()) == 1
        assert self.SSL_connect(self.session) == 1
        self.records = self.BIO_new(self.BIO_s_mem())  # what it writes is kept, and sent by hand
        self.SSL_set0_wbio(self.session, self.records)

    def updates(self, count, is_answer_wanted=False):
        """That many records, each of which announces new keys."""
        for _ in range(count):
            assert self.SSL_key_update(self.session, is_answer_wanted) == 1
            assert self.SSL_do_handshake(self.session) == 1
        return self.take()

    def write(self, text):
        """Its records."""
        assert self.SSL_write(self.session, text, len(text)) == len(text)
        return self.take()

    def take(self):
        room = ctypes.create_string_buffer(self.BIO_ctrl_pending(self.records) or 1)
        length = self.BIO_read(self.records, room, len(room))
        return room.raw[:max(length, 0)]

    def read(self):
        room = ctypes.create_string_buffer(65536)
        length = self.SSL_read(self.session, room, len(room))
        return room.raw[:max(length, 0)]

    def close(self):
        self.SSL_free(self.session)
        self.SSL_CTX_free(self.context)
        self.socket.close()


@pytest.mark.parametrize("is_answer_wanted", [False, True])
def test_many_new_keys_and_a_request_behind_them(secure, is_answer_wanted):
    """More than are taken in one turn: the request is answered when its turn comes."""
    with contextlib.closing(Updater(secure)) as client:
        client.socket.sendall(client.updates(3500, is_answer_wanted) + client.write(HEALTH))
        assert client.read().startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions(secure, version):
    with connect(secure, minimum_version=version, maximum_version=version) as sock:
        sock.sendall(HEALTH)
        assert read_answers(sock, 1)[0][0] == 200
        assert sock.version() == version.name.replace("_", ".")


def test_older_versions_are_refused(secure):
    with pytest.raises((ssl.SSLError, ConnectionError)), \
            connect(secure, minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1):
        pass


@pytest.mark.parametrize("asked,shown", [("first.example", "first.example"), ("second.example", "second.example"),
                                         ("a.files.example", "second.example"), ("SECOND.example", "second.example"),
                                         ("unknown.example", "first.example"), (None, "first.example")])
def test_the_name_chooses_the_certificate(secure, asked, shown):
    with connect(secure, asked) as sock:
        assert shown in names_of(sock)


def test_protocols_that_a_client_offers(secure):
    for offered, chosen in ((["h2", "http/1.1"], "http/1.1"), (["h2"], None), (["http/1.1"], "http/1.1")):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(offered)
        with context.wrap_socket(socket.create_connection(("127.0.0.1", secure.port))) as sock:
            assert sock.selected_alpn_protocol() == chosen


def test_a_session_is_resumed(secure):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    session = None
    for _ in range(2):
        with context.wrap_socket(socket.create_connection(("127.0.0.1", secure.port)), session=session) as sock:
            sock.sendall(HEALTH)
            assert read_answers(sock, 1)[0][0] == 200
            was_resumed, session = sock.session_reused, sock.session
    assert was_resumed


def test_bodies_of_every_size(secure):
    """Around the size of a record, and of what is enciphered at once."""
    s3, source = secure.client(verify=False), random.Random(1)
    with connect(secure) as sock:
        for size in (0, 1, 8192, 8193, 16383, 16384, 16385, 131072, 131073, 3_000_001):
            body = source.randbytes(size)
            put = target_of(presign(s3, "put_object", key="sized"))
            sock.sendall(f"PUT {put} HTTP/1.1\r\nHost: {secure.host}\r\nContent-Length: {size}\r\n\r\n".encode() + body)
            assert read_answers(sock, 1)[0][0] == 200
            sock.sendall(f"GET {target_of(presign(s3, 'get_object', key='sized'))} HTTP/1.1\r\nHost: {secure.host}\r\n\r\n".encode())
            assert read_answers(sock, 1) == [(200, body)]


def test_many_requests_in_one_record(secure):
    with connect(secure) as sock:
        sock.sendall(HEALTH * 200)
        assert [status for status, _ in read_answers(sock, 200)] == [200] * 200


def test_a_client_that_ends_its_side_gets_the_whole_answer(secure):
    """Also one that says so to TCP alone (RFC 8446, 6.1, wants a close_notify), while most of the answer is still in the server's kernel."""
    s3, body = secure.client(verify=False), random.Random(2).randbytes(600_000)
    s3.put_object(Bucket=BUCKET, Key="ended", Body=body)
    plain = socket.socket()
    plain.settimeout(20)
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.connect(("127.0.0.1", secure.port))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(plain) as sock:
        sock.sendall(f"GET {target_of(presign(s3, 'get_object', key='ended'))} HTTP/1.1\r\nHost: {secure.host}\r\n\r\n".encode())
        socket.socket.shutdown(sock, socket.SHUT_WR)
        assert read_answers(sock, 1) == [(200, body)]


def test_a_stop_waits_for_a_request_whose_record_has_begun(start, folder):
    """It has a second, which this process may not get on a busy machine: then once more."""
    for number in range(5):
        server = start(*make_certificate(folder, f"stopped{number}", "localhost"))
        with contextlib.closing(Updater(server)) as client:
            client.socket.sendall(client.write(HEALTH))
            assert client.read().startswith(b"HTTP/1.1 200")
            record = client.write(HEALTH)
            client.socket.sendall(record[:20])
            begun = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(ConnectionError):
                while True:  # until nobody can connect, all threads have begun to stop
                    socket.create_connection(("127.0.0.1", server.port), timeout=20).close()
            with contextlib.suppress(ConnectionError):
                client.socket.sendall(record[20:])
            was_in_time = time.monotonic() - begun < 0.8
            is_answered = client.read().startswith(b"HTTP/1.1 200")
        assert server.process.wait(20) == 0
        if was_in_time:
            break
    assert is_answered


def test_answers_that_nobody_reads_hold_little(start, folder):
    """What was enciphered and found no room in the socket waits in memory: no more than a record of it."""
    server = start("--buckets", BUCKET, *make_certificate(folder, "held", "localhost"), binary=os.environ.get("LST_RELEASE", BINARY))
    s3 = server.client(verify=False)
    s3.put_object(Bucket=BUCKET, Key="held", Body=bytes(8_000_000))
    get = f"GET {target_of(presign(s3, 'get_object', key='held'))} HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode()

    def resident():
        with open(f"/proc/{server.process.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))
    with contextlib.ExitStack() as held:
        before = resident()
        for _ in range(100):
            held.enter_context(connect(server)).sendall(get)
        time.sleep(0.5)
        each = (resident() - before) / 100
    assert each < 60, f"{each:.1f} KiB for each"


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"\0" * 70000,
                                  b"\x16\x03\x01\0\x05\x01\0\0\x01\0", b"\x15\x03\x03\0\x02\x02\x00", b"\x80\x2e\x01\x00\x02", b"\0" * 1000,
                                  b"\x17\x03\x03\0\x10" + b"a" * 16, b"\x16\x03\x03\0\0" * 1000])
def test_what_is_no_handshake_does_no_harm(secure, sent):
    with socket.create_connection(("127.0.0.1", secure.port), timeout=20) as sock:
        try:
            sock.sendall(sent)
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):
                pass
        except OSError:
            pass
    with connect(secure) as sock:
        sock.sendall(HEALTH)
        assert read_answers(sock, 1)[0][0] == 200


@pytest.mark.parametrize("sent", [HEALTH, b"PUT /pictures/k HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100000, b"G"])
def test_plain_http_is_told_to_speak_tls(secure, sent):
    with socket.create_connection(("127.0.0.1", secure.port), timeout=20) as sock:
        sock.sendall(sent)
        answer = b""
        while piece := sock.recv(65536):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n") and b"This port speaks TLS: use https://" in answer


def test_handshakes_that_are_begun_and_left_keep_nobody_out(secure):
    """More than may run at a time. Each has announced a message as long as OpenSSL takes it, and sends no more of it."""
    with contextlib.ExitStack() as stack:
        left = [stack.enter_context(socket.create_connection(("127.0.0.1", secure.port), timeout=20)) for _ in range(450)]
        for sock in left:
            sock.sendall(b"\x16\x03\x01\0\x04\x01\x01\xff\0")
        with connect(secure) as sock:
            sock.sendall(HEALTH)
            assert read_answers(sock, 1)[0][0] == 200
        poll = select.poll()
        for sock in left:
            poll.register(sock, select.POLLIN)
        assert poll.poll(20_000), "some had to make room"


# ---- Renewal

def wait_until_shown(server, name):
    for _ in range(200):
        with connect(server) as sock:
            if name in names_of(sock):
                return True
    return False


def test_a_renewed_certificate_is_taken_without_losing_a_connection(start, tmp_path):
    server = start("--buckets", BUCKET, *make_certificate(tmp_path, "site", "localhost", "old.example"))
    with connect(server) as kept:
        kept.sendall(HEALTH)
        assert read_answers(kept, 1)[0][0] == 200
        make_certificate(tmp_path, "site", "localhost", "new.example")
        server.process.send_signal(signal.SIGHUP)
        assert wait_until_shown(server, "new.example")
        kept.sendall(HEALTH)
        assert read_answers(kept, 1)[0][0] == 200


def test_a_certificate_that_cant_be_used_is_named_and_the_old_one_stays(start, tmp_path):
    server = start("--buckets", BUCKET, *make_certificate(tmp_path, "site", "localhost", "old.example"))
    before = (tmp_path / "site.key").read_bytes()
    make_certificate(tmp_path, "site", "localhost", "new.example")
    (tmp_path / "site.key").write_bytes(before)  # of the other certificate
    server.process.send_signal(signal.SIGHUP)
    assert server.wait_for_log(r"site\.key.*\n(.*\n)*.*certificates")
    with connect(server) as sock:
        assert "old.example" in names_of(sock)


def test_until_when_certificates_are_valid_is_said(start, tmp_path):
    """By the server when it reads them, and to those who watch it."""
    server = start("--buckets", BUCKET, *make_certificate(tmp_path, "long", "localhost", days=400),
                   *make_certificate(tmp_path, "short", "short.example", days=20))

    def end(name):
        shown = subprocess.run(["openssl", "x509", "-in", tmp_path / f"{name}.pem", "-noout", "-enddate"], check=True, text=True,
                               capture_output=True).stdout
        return datetime.datetime.strptime(shown.strip(), "notAfter=%b %d %H:%M:%S %Y GMT").replace(tzinfo=datetime.timezone.utc)
    for name in ("long", "short"):
        assert server.wait_for_log(rf"certificate \S*{name}\.pem: valid until {end(name):%Y-%m-%d}")
    assert metric(server, "tls_certificate_expires_time_seconds") == end("short").timestamp()
    expire(tmp_path, "short")
    server.process.send_signal(signal.SIGHUP)
    assert server.wait_for_log(r"warning: the certificate --tls-cert \S*short\.pem has expired on 2020-02-01")
    for _ in range(100):
        if metric(server, "tls_certificate_expires_time_seconds") == end("short").timestamp():
            return
        time.sleep(0.05)
    pytest.fail("the server shows another end")


def test_handshakes_that_fail_are_counted(secure):
    before = metric(secure, "tls_handshakes_failed_total")
    context = ssl.create_default_context()  # which does not trust the server
    with pytest.raises(ssl.SSLError), socket.create_connection(("127.0.0.1", secure.port), timeout=20) as sock:
        context.wrap_socket(sock, server_hostname="localhost")
    for _ in range(100):
        if metric(secure, "tls_handshakes_failed_total") > before:
            return
        time.sleep(0.05)
    pytest.fail("not counted")


@pytest.mark.parametrize("change,named", [("swap", "belongs to the certificate"), ("passphrase", "passphrase"),
                                          ("text", "PEM"), ("count", "one key for each"),
                                          ("issuer", "certificate 2 of it")])
def test_mistakes_are_named_at_start(tmp_path, folder, secure, change, named):
    arguments = make_certificate(tmp_path, "site", "localhost")
    if change == "swap":
        arguments[3] = folder / "first.key"
    elif change == "passphrase":
        subprocess.run(["openssl", "ec", "-aes128", "-passout", "pass:word", "-in", arguments[3], "-out", tmp_path / "locked"],
                       check=True, capture_output=True)
        arguments[3] = tmp_path / "locked"
    elif change == "text":
        (tmp_path / "site.pem").write_text("a certificate")
    elif change == "issuer":  # cut short: without it most clients trust nobody
        issuer = (folder / "first.pem").read_text()
        (tmp_path / "site.pem").write_text((tmp_path / "site.pem").read_text() + issuer[:len(issuer) // 2])
    else:
        arguments += ["--tls-cert", folder / "first.pem"]
    done = subprocess.run([secure.binary, "serve", "--data", tmp_path / "data", "--listen", "127.0.0.1:0", *arguments], text=True,
                          capture_output=True, check=False, timeout=30, stdin=subprocess.DEVNULL, env=clean_environment())
    assert done.returncode != 0 and named in done.stderr, done.stderr
