"""Starting, configuring, watching and stopping the server."""
import json
import os
import re
import signal
import socket
import stat
import subprocess
import threading
import time

import pytest
import requests
from harness import ACCESS_KEY, BINARY, SECRET_KEY, clean_environment, presign, target_of

BUCKET = "pictures"
TWO_URLS = r"X-Amz-Signature(?s:.*)X-Amz-Signature=[0-9a-f]{64}"


def run(*arguments, environment=None, folder=None):
    """The program, expected to end by itself."""
    return subprocess.run([BINARY, *map(str, arguments)], text=True, capture_output=True, check=False,
                          timeout=30, env={**clean_environment(), **(environment or {})}, cwd=folder)


# ---- A command line from elsewhere

@pytest.mark.parametrize(("arguments", "advice"), [
    (["--port", "9001"], "--listen 127.0.0.1:9001"), (["--port=9001"], "--listen 127.0.0.1:9001"), (["-p", "9001"], "--listen 127.0.0.1:9001"),
    (["--host", "0.0.0.0"], "--listen :9001"), (["--address", ":9001"], "--listen :9001"), (["--bind", "::"], "--listen :9001"),
    (["--secret-key", "opensesame"], "LATCHSTRING_SECRET_KEY"), (["--dir", "/srv"], "--data DIR"), (["-d", "/srv"], "--data DIR"),
    (["--cert", "a.pem"], "--tls-cert FILE"), (["-v"], "--access-log"), (["--lisen", ":1"], "did you mean '--listen'?"),
    (["9001"], "--listen 127.0.0.1:9001"), ([":9001"], "--listen :9001"), (["127.0.0.1:9001"], "--listen 127.0.0.1:9001"),
    (["/srv/data"], "--data /srv/data"), (["."], "--data .")])
def test_an_option_of_other_servers_is_translated(arguments, advice):
    done = run("serve", *arguments)
    assert done.returncode == 2
    assert advice in done.stderr
    assert "opensesame" not in done.stderr


def test_a_port_that_is_taken_names_another(server, tmp_path):
    host, port = server.endpoint.removeprefix("http://").split(":")
    done = run("serve", "--listen", f"{host}:{port}", "--data", tmp_path / "data")
    assert done.returncode == 1
    assert f"{host}:{port} is in use" in done.stderr
    assert f"--listen {host}:{int(port) + (1 if port != '65535' else -1)}" in done.stderr


def test_a_port_alone_that_is_taken_names_another(tmp_path):
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as taken:
        port = taken.getsockname()[1]
        done = run("serve", "--listen", port, "--data", tmp_path / "data")
    assert done.returncode == 1
    assert f"such as --listen {port + 1 if port < 65535 else port - 1}\n" in done.stderr


@pytest.mark.parametrize(("option", "kind"), [("--config", "it is a folder"), ("--data", "it is a file")])
def test_a_file_and_a_folder_are_told_apart(tmp_path, option, kind):
    (tmp_path / "file").write_text("")
    path = tmp_path if option == "--config" else tmp_path / "file"
    done = run("serve", "--listen", "127.0.0.1:0", option, path, folder=tmp_path)
    assert done.returncode != 0 and str(path) in done.stderr and kind in done.stderr
    assert not (tmp_path / "data").exists()


# ---- First start

def test_root_keys_are_made_once_and_kept_secret(start, tmp_path):
    data = tmp_path / "data"
    server = start(data=data, keys=False, terminal=True)
    text = server.log()
    secrets = [path for path in data.iterdir() if path.name == "root-credentials"]
    assert secrets, list(data.iterdir())
    for path in data.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, f"{path} can be read by others"
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    kept = secrets[0].read_text()
    access_key = re.search(r"LST[A-Z0-9]{17}", kept).group()
    assert access_key in text
    secret = next(word for word in re.findall(r"[A-Za-z0-9/+]{40}", kept))
    assert secret in text
    s3 = server.client(access_key=access_key, secret_key=secret)
    s3.create_bucket(Bucket=BUCKET)
    server.stop()
    again = start(data=data, keys=False, terminal=True)
    assert secret not in again.log(), "it is printed once"
    assert again.client(access_key=access_key, secret_key=secret).head_bucket(Bucket=BUCKET)


def test_the_urls_printed_at_start_work(start):
    server = start("--buckets", BUCKET, terminal=True)
    assert server.wait_for_log(TWO_URLS)
    urls = re.findall(r"http://[^\s'\"]+X-Amz-Signature=[0-9a-f]{64}", server.log())
    assert requests.put(urls[0], data=b"pasted", timeout=10).status_code == 200
    assert requests.get(urls[1], timeout=10).content == b"pasted"


def test_the_curl_lines_printed_at_start_work_as_they_stand(start, tmp_path):
    server = start("--buckets", BUCKET, terminal=True)
    assert server.wait_for_log(TWO_URLS)
    lines = [line.strip() for line in server.log().split("\n") if line.strip().startswith("curl ")]
    assert len(lines) == 2, server.log()
    (tmp_path / "FILE").write_text("pasted")
    for line in lines:
        done = subprocess.run(["sh", "-ec", line.replace("curl ", "curl --fail --silent --show-error ", 1)],
                              cwd=tmp_path, text=True, capture_output=True, check=False, timeout=20)
        assert done.returncode == 0, (line, done.stderr)
    assert done.stdout == "pasted"


def test_buckets_from_the_environment(start):
    server = start(environment={"LATCHSTRING_BUCKETS": "one-bucket,two-bucket"})
    assert [one["Name"] for one in server.client().list_buckets()["Buckets"]] == ["one-bucket", "two-bucket"]


@pytest.mark.parametrize("name", ["Photos", "ab", "a_b", "-photos", "photos.", "1.2.3.4", "xn--a"])
def test_a_name_that_no_bucket_can_have_is_refused_before_anything_is_made(tmp_path, name):
    for arguments, environment in ((["--buckets", "good,," + name], {}), ([], {"LATCHSTRING_BUCKETS": "good," + name})):
        done = run("serve", "--listen", "127.0.0.1:0", "--data", tmp_path / "data", *arguments, environment=environment)
        assert (done.returncode, f"buckets: '{name}' can't be" in done.stderr) == (2, True), done.stderr
        assert not (tmp_path / "data").exists()


def test_durations_that_are_proposed_are_within_the_limits(tmp_path):
    done = run("serve", "--data", tmp_path / "data", "--idle-timeout", "2d")
    assert done.returncode == 2 and "from 1 to 3600 seconds, such as 10, 30s, 15m or 3600" in done.stderr


def test_everything_is_there_after_a_restart(start, tmp_path):
    server = start("--buckets", BUCKET, data=tmp_path / "data")
    bodies = {f"key-{size}": os.urandom(size) for size in (0, 10, 8192, 8193, 200_000)}
    for key, body in bodies.items():
        server.client().put_object(Bucket=BUCKET, Key=key, Body=body, Metadata={"size": str(len(body))})
    assert server.stop() == 0
    again = start(data=tmp_path / "data")
    for key, body in bodies.items():
        got = again.client().get_object(Bucket=BUCKET, Key=key)
        assert got["Body"].read() == body and got["Metadata"] == {"size": str(len(body))}


def test_two_servers_on_one_folder(start, tmp_path):
    server = start(data=tmp_path / "data")
    done = run("serve", "--data", tmp_path / "data", "--listen", "127.0.0.1:0")
    assert done.returncode != 0 and done.stderr, "the second one says that the folder is in use"
    assert server.send("GET", "/-/health").status == 200


def test_a_port_that_is_taken(start, tmp_path):
    server = start()
    done = run("serve", "--data", tmp_path / "other", "--listen", f"127.0.0.1:{server.port}")
    assert done.returncode != 0 and str(server.port) in done.stderr


# ---- Configuration

def test_a_configuration_file(start, tmp_path):
    config = tmp_path / "latchstring.conf"
    config.write_text("# the store\nbuckets = from-file\nregion = eu-north-1\nlog-format = json\n")
    server = start("--config", config)
    s3 = server.client(region="eu-north-1")
    assert [one["Name"] for one in s3.list_buckets()["Buckets"]] == ["from-file"]
    assert server.wait_for_log(r'\{.*"ListBuckets"')


def test_the_flag_wins_over_the_environment_and_that_over_the_file(start, tmp_path):
    config = tmp_path / "latchstring.conf"
    config.write_text("buckets = from-file\nregion = from-file-1\n")
    server = start("--config", config, "--region", "from-flag-1",
                   environment={"LATCHSTRING_BUCKETS": "from-environment", "LATCHSTRING_REGION": "from-env-1"})
    s3 = server.client(region="from-flag-1")
    assert [one["Name"] for one in s3.list_buckets()["Buckets"]] == ["from-environment"]


SETTINGS = {
    "buckets": "abc,def", "region": "eu-west-1", "content-domain": "files.example", "domain": "s3.example.com", "public-url": "https://f.example.com",
    "trusted-proxy": "10.0.0.0/8", "cors-origin": "https://app.example.com", "expires-max": "1000000",
    "allow-signature-v2": "yes",
    "body-max": "1000", "threads": "1", "connections": "100", "idle-timeout": "5", "drain-timeout": "5",
    "access-log": "off", "log-format": "json", "api-rate": "7", "anonymous-rate": "7",
    "request-memory": "8MiB", "scrub-rate": "2MiB"}
SWITCHES = {"allow-signature-v2"}  # as flags, without a value


def test_every_setting_is_a_flag_a_variable_and_a_line(start, tmp_path):
    variables = {"LATCHSTRING_" + name.upper().replace("-", "_"): value for name, value in SETTINGS.items()}
    config = tmp_path / "latchstring.conf"
    config.write_text("".join(f"{name} = {value}\n" for name, value in SETTINGS.items()))
    flags = [word for name, value in SETTINGS.items()
             for word in (["--" + name] if name in SWITCHES else ["--" + name, value])]
    for arguments, environment in ((flags, {}), ([], variables), (["--config", config], {})):
        server = start(*arguments, environment=environment)
        s3 = server.client(region="eu-west-1")
        assert [one["Name"] for one in s3.list_buckets()["Buckets"]] == ["abc", "def"]
        assert server.send("PUT", target_of(presign(s3, "put_object", bucket="abc")), body=b"x" * 1001).code == \
            "EntityTooLarge"
        assert server.send("OPTIONS", "/abc/x", {"Origin": "https://b.example",
                                                "Access-Control-Request-Method": "GET"}).status == 403
        old = presign(server.client(region="eu-west-1", signature_version="s3"), "get_object", bucket="abc")
        assert server.send("GET", target_of(old)).code == "NoSuchKey", "Signature Version 2 is allowed"
        assert "ListBuckets" not in server.log()


def test_the_settings_in_the_test_are_those_of_the_help(tmp_path):
    names = set(re.findall(r"^  --([a-z0-9-]+)", run("serve", "--help").stdout, re.M))
    elsewhere = {"data", "listen", "config", "tls-cert", "tls-key", "access-key", "profiles", "help", "version"}
    assert names == set(SETTINGS) | elsewhere


@pytest.mark.parametrize("arguments,environment,word", [
    (["--no-such-option"], {}, "no-such-option"),
    (["--listen", "nonsense:port"], {}, "nonsense"),
    (["--body-max", "many"], {}, "body-max"),
    (["--tls-cert", "x.pem"], {}, "tls-key"),
    ([], {"LATCHSTRING_NO_SUCH_THING": "1"}, "LATCHSTRING_NO_SUCH_THING"),
    ([], {"LATCHSTRING_ACCESS_KEY": "ONLYONE00000000000AB"}, "SECRET_KEY"),
    (["--buckets", "Not_A_Name"], {}, "Not_A_Name"),
    (["--region", "eu west"], {}, "eu west"),
    (["--domain", "s3.example.com:9000"], {}, "s3.example.com:9000"),
    ([], {"LATCHSTRING_CORS_ORIGIN": "app.example.com"}, "app.example.com"),
    (["--config", "/nonexistent/file"], {}, "/nonexistent/file")])
def test_a_mistake_is_named(tmp_path, arguments, environment, word):
    done = run("serve", "--data", tmp_path / "data", "--listen", "127.0.0.1:0", *arguments, environment=environment)
    assert done.returncode != 0 and word.lower() in (done.stderr + done.stdout).lower(), done


def test_an_unwritable_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    done = run("serve", "--data", tmp_path / "file" / "data", "--listen", "127.0.0.1:0")
    assert done.returncode != 0 and "file" in done.stderr


# ---- Watching

@pytest.mark.parametrize(("mode", "is_warned"), [(0o755, False), (0o777, True), (0o770, True)])
def test_a_folder_that_others_may_write(start, tmp_path, mode, is_warned):
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(mode)
    assert (f"warning: other users of this machine may write in {data}" in start(data=data).log()) == is_warned


def test_health(server):
    answer = server.send("GET", "/-/health")
    assert answer.status == 200 and b"ok" in answer.body


def test_metrics(server, s3):
    s3.put_object(Bucket=BUCKET, Key="counted", Body=b"12345")
    server.send("GET", "/pictures/counted")
    answer = server.send("GET", "/-/metrics")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    text = answer.body.decode()
    for line in text.strip().split("\n"):
        assert re.fullmatch(r"# (HELP|TYPE) [a-z_]+ .*|[a-z_]+(\{[^}]*\})? [-+.e\d]+|[a-z_]+(\{.*\})? \+?Inf", line), line
    assert re.search(r'PutObject[^\n]*\} [1-9]', text) and "AccessDenied" in text
    assert BUCKET not in text and "counted" not in text and ACCESS_KEY not in text


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_the_access_log_names_who_what_how_and_no_secret(start, log_format):
    server = start("--log-format", log_format, "--buckets", BUCKET)
    s3 = server.client()
    s3.put_object(Bucket=BUCKET, Key="a b\n\"quoted\".jpg", Body=b"12345", Metadata={"m": "v"})
    printed = len(server.log())
    url = presign(s3, "get_object", key="a b\n\"quoted\".jpg")
    assert server.send("GET", target_of(url)).body == b"12345"
    signature = re.search("X-Amz-Signature=([0-9a-f]+)", url).group(1)
    tampered = url.replace("Expires=300", "Expires=301")
    server.send("GET", target_of(tampered))
    token = "FwoGZXIvYXdzEXAMPLETOKEN"
    server.send("GET", target_of(presign(server.client(token=token), "get_object")))
    assert server.wait_for_log("SignatureDoesNotMatch")
    assert server.wait_for_log("InvalidToken")
    log = server.log()[max(printed - 2000, 0):]
    assert signature not in log and token not in log and SECRET_KEY not in log
    assert "X-Amz-Signature" not in server.log()[server.log().index("SignatureDoesNotMatch") - 300:]
    line = next(line for line in server.log().split("\n") if "GetObject" in line and "200" in line)
    for word in (ACCESS_KEY, "root", "query", "127.0.0.1", BUCKET, "quoted"):
        assert word in line, line
    if log_format == "json":
        assert "a b\n\"quoted\".jpg" in json.loads(line).values()


def test_the_log_can_go_to_a_file_and_be_moved_away(start, tmp_path):
    path = tmp_path / "access.log"
    server = start("--access-log", path)
    server.send("GET", "/pictures/first")
    deadline = time.monotonic() + 30
    while "first" not in path.read_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    path.rename(tmp_path / "access.log.1")
    server.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 30
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    server.send("GET", "/pictures/second")
    deadline = time.monotonic() + 30
    while "second" not in path.read_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "second" in path.read_text() and "second" not in (tmp_path / "access.log.1").read_text()


# ---- Stopping

def test_sigterm_lets_a_running_upload_finish(start, tmp_path):
    server = start("--buckets", BUCKET, data=tmp_path / "data")
    body = os.urandom(600_000)
    connection = server.connection()
    connection.putrequest("PUT", target_of(presign(server.client(), "put_object", key="late")))
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body[:300_000])
    time.sleep(0.3)
    statuses = []
    stopper = threading.Thread(target=lambda: statuses.append(server.stop()))
    stopper.start()
    time.sleep(0.5)
    assert server.process.poll() is None, "it waits for the upload"
    connection.send(body[300_000:])
    assert connection.getresponse().status == 200
    connection.close()
    stopper.join(timeout=30)
    assert statuses == [0]
    again = start(data=tmp_path / "data")
    assert again.client().get_object(Bucket=BUCKET, Key="late")["Body"].read() == body


def test_an_idle_connection_does_not_keep_it(start):
    server = start()
    connection = server.connection()
    connection.request("GET", "/-/health")
    connection.getresponse().read()
    begun = time.monotonic()
    assert server.stop() == 0 and time.monotonic() - begun < 30
    connection.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_with_status_0(start, number):
    assert start().stop(number) == 0


def begin_upload(server):
    """An upload whose client sends no more, once the server waits for its body."""
    connection = server.connection()
    connection.putrequest("PUT", target_of(presign(server.client(), "put_object", key="stuck")))
    connection.putheader("Content-Length", "1000000")
    connection.putheader("Expect", "100-continue")
    connection.endheaders()
    assert b"100" in connection.sock.recv(100)
    connection.send(b"x" * 1000)
    return connection


def test_the_limit_ends_a_stuck_upload(start):
    server = start("--buckets", BUCKET, "--drain-timeout", "1")
    connection = begin_upload(server)
    begun = time.monotonic()
    assert server.stop() == 0 and time.monotonic() - begun < 30
    assert "waiting for 1 running request, at most 1 second " in server.log()
    assert "1 request was still running and cut short" in server.log()
    connection.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_a_stuck_upload(start, number):
    server = start("--buckets", BUCKET, "--drain-timeout", "300")
    connection = begin_upload(server)
    server.process.send_signal(number)
    assert server.wait_for_log("waiting for 1 running request, at most 300 seconds")
    for _ in range(100):  # in the first second they are taken for the same one
        server.process.send_signal(number)
        try:
            server.process.wait(timeout=0.3)
            break
        except subprocess.TimeoutExpired:
            pass
    assert server.process.returncode == 0
    assert server.wait_for_log("1 request was still running and cut short")
    connection.close()
