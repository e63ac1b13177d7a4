"""The commands `latchstring presign` and `latchstring explain`, against botocore and the AWS CLI."""

import base64
import datetime
import hashlib
import hmac
import json
import os
import re
import shlex
import shutil
import subprocess
import time
import urllib.parse

import pytest

boto3 = pytest.importorskip("boto3")
import botocore.auth  # noqa: E402
from botocore.config import Config  # noqa: E402

BINARY = os.environ.get("LST_BINARY")
pytestmark = pytest.mark.skipif(not BINARY, reason="LST_BINARY does not name the program")

KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjE==/+token"
DATE = "20130524T000000Z"
MOMENT = datetime.datetime(2013, 5, 24, tzinfo=datetime.timezone.utc)
AWS_EXAMPLE = (
    "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
    "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
    "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
    "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
)
ACCEPTED, REFUSED, USAGE, UNCHECKED = 0, 1, 2, 3


class Shell:
    """Runs the program in a home folder of its own, with keys in the environment."""

    def __init__(self, home):
        self.home = home
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        for name, value in os.environ.items():  # of sanitizers
            if name.endswith("SAN_OPTIONS"):
                self.environment[name] = value

    def forget_keys(self):
        del self.environment["AWS_ACCESS_KEY_ID"], self.environment["AWS_SECRET_ACCESS_KEY"]

    def write(self, name, text):
        folder = self.home / ".aws"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text)

    def run(self, *arguments, stdin="", **variables):
        done = subprocess.run(
            [BINARY, *arguments],
            input=stdin.encode(),
            capture_output=True,
            env={**self.environment, **variables},
            timeout=60,
        )
        done.out = done.stdout.decode()
        done.err = done.stderr.decode()
        for secret in (SECRET, TOKEN):
            assert secret not in done.err
            assert secret not in done.out or "x-amz-security-token" in done.out
        assert "Sanitizer" not in done.err, done.err
        return done

    def presign(self, *arguments, **more):
        done = self.run("presign", *arguments, **more)
        assert done.returncode == 0, done.err
        return done.out.rstrip("\n")

    def explain(self, *arguments, **more):
        done = self.run("explain", "--json", *arguments, **more)
        answer = json.loads(done.out)
        answer["status"] = done.returncode
        return answer


@pytest.fixture
def shell(tmp_path):
    return Shell(tmp_path)


@pytest.fixture
def frozen(monkeypatch):
    """botocore signs as at DATE."""
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_: MOMENT, raising=False)


def client(region="us-east-1", endpoint=None, style=None, token=None):
    return boto3.client(
        "s3",
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
        aws_session_token=token,
        config=Config(signature_version="s3v4", s3={"addressing_style": style or "auto"}),
    )


def signer_of(url):
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)
    return query["X-Amz-Credential"][0].split("/")[0]


def region_of(url):
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)
    return query["X-Amz-Credential"][0].split("/")[2]


# --------------------------------------------------------------------------------------------------
# presign: the bytes


def test_the_example_of_the_aws_documentation(shell):
    url = shell.presign("s3://examplebucket/test.txt", "--expires-in", "86400", "--date", DATE)
    assert url == AWS_EXAMPLE


@pytest.mark.parametrize("region", ["us-east-1", "ap-south-1", "cn-north-1", "eusc-de-east-1"])
@pytest.mark.parametrize("style", ["path", "virtual"])
def test_aws_hosts_as_botocore_has_them(shell, frozen, region, style):
    expected = client(region, style=style).generate_presigned_url(
        "get_object", Params={"Bucket": "photos", "Key": "cat.jpg"}, ExpiresIn=600
    )
    flag = "--path-style" if style == "path" else "--virtual-host"
    arguments = ["s3://photos/cat.jpg", "--region", region, "--expires-in", "600", "--date", DATE]
    if style == "path" and region == "us-east-1":
        assert "https://s3.amazonaws.com/photos/" in expected
    assert shell.presign(*arguments, flag) == expected
    if style == "virtual":
        assert shell.presign(*arguments) == expected, "and it is the default"


@pytest.mark.parametrize(
    "key",
    [
        "cat.jpg",
        "a b+c/ä€😀.jpg",
        "//a//./../b",
        "%41%2F?x=y&z#~!*'();:@$,[]",
        '"quoted" \\ `back` {brace}|^<>',
        "ends/with/slash/",
        "k" * 1024,
    ],
)
@pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:9000", "https://e.example/gate/way/"])
@pytest.mark.parametrize("token", [None, TOKEN])
def test_keys_are_signed_as_botocore_does(shell, frozen, key, endpoint, token):
    expected = client("eu-west-1", endpoint, "virtual" if not endpoint else None, token)
    expected = expected.generate_presigned_url(
        "get_object", Params={"Bucket": "photos", "Key": key}, ExpiresIn=3600
    )
    arguments = [f"s3://photos/{key}", "--region", "eu-west-1", "--date", DATE]
    if endpoint:
        arguments += ["--endpoint-url", endpoint]
    variables = {"AWS_SESSION_TOKEN": token} if token else {}
    assert shell.presign(*arguments, **variables) == expected


@pytest.mark.parametrize(
    "operation, parameters, arguments",
    [
        ("put_object", {"ContentType": "image/jpeg"},
         ["--method", "PUT", "--header", "Content-Type: image/jpeg"]),
        ("put_object", {"ContentType": "image/jpeg"},
         ["--method", "put", "--content-type", "image/jpeg"]),
        ("put_object", {"ACL": "public-read", "Metadata": {"who": "me  and   you"}},
         ["--method", "PUT", "--header", "x-amz-acl: public-read",
          "--header", "X-Amz-Meta-Who:  me  and   you"]),
        ("head_object", {}, ["--method", "HEAD"]),
        ("delete_object", {}, ["--method", "DELETE"]),
        ("get_object", {"ResponseContentDisposition": 'attachment; filename="a*ä!.txt"'},
         ["--query", 'response-content-disposition=attachment; filename="a*ä!.txt"']),
        ("get_object", {"VersionId": "a+b/c="}, ["--query", "versionId=a+b/c="]),
    ],
)  # fmt: skip
def test_operations_are_signed_as_botocore_does(shell, frozen, operation, parameters, arguments):
    expected = client(endpoint="http://localhost:9000").generate_presigned_url(
        operation, Params={"Bucket": "photos", "Key": "cat.jpg", **parameters}, ExpiresIn=60
    )
    common = ["--endpoint-url", "http://localhost:9000", "--expires-in", "60", "--date", DATE]
    assert shell.presign("s3://photos/cat.jpg", *arguments, *common) == expected


def test_buckets_that_no_host_name_can_hold_go_into_the_path(shell, frozen):
    for bucket in ("my.photos", "My_Photos"):
        expected = client().generate_presigned_url(
            "get_object", Params={"Bucket": bucket, "Key": "k"}, ExpiresIn=3600
        )
        assert shell.presign(f"s3://{bucket}/k", "--date", DATE) == expected


def test_a_bucket_without_a_key(shell, frozen):
    for endpoint in (None, "http://localhost:9000"):
        expected = client(endpoint=endpoint).generate_presigned_url(
            "list_objects_v2", Params={"Bucket": "photos"}, ExpiresIn=3600
        )
        more = ["--endpoint-url", endpoint] if endpoint else []
        more += ["--query", "list-type=2", "--query", "encoding-type=url", "--date", DATE]
        assert shell.presign("s3://photos", *more) == expected


def test_the_aws_cli_and_latchstring_accept_each_others_words(shell):
    aws = shutil.which("aws")
    if not aws:
        pytest.skip("the AWS CLI is not installed")
    arguments = ["presign", "s3://photos/a b.jpg", "--expires-in", "600", "--region", "eu-west-1",
                 "--endpoint-url", "http://127.0.0.1:9000"]  # fmt: skip
    shell.write("config", "[default]\ns3 =\n    signature_version = s3v4\n")
    # Where awscrt is installed botocore signs in C, with the query in another order.
    environment = {**shell.environment, "PATH": os.environ["PATH"], "BOTO_DISABLE_CRT": "true"}
    environment.update({k: v for k, v in os.environ.items() if k.startswith("PYENV")})
    done = subprocess.run([aws, "s3", *arguments], capture_output=True, env=environment, timeout=90)
    if done.returncode != 0:
        pytest.skip("the AWS CLI does not run here: " + done.stderr.decode()[-200:])
    theirs = done.stdout.decode().strip()
    at = urllib.parse.parse_qs(urllib.parse.urlsplit(theirs).query)["X-Amz-Date"][0]
    assert shell.presign(*arguments[1:], "--date", at) == theirs
    assert shell.explain(theirs)["verdict"] == "accepted"


# --------------------------------------------------------------------------------------------------
# presign: many at once, and for programs


def test_batch_gives_a_url_for_each_line(shell):
    keys = [f"p/{i} ä" for i in range(1000)]
    done = shell.presign("s3://photos/2013/", "--batch", "--date", DATE, stdin="\n".join(keys))
    urls = done.split("\n")
    assert len(urls) == 1000
    for i in (0, 1, 999):
        assert urls[i] == shell.presign(f"s3://photos/2013/{keys[i]}", "--date", DATE)


def test_batch_is_fast(shell):
    keys = "".join(f"object/{i}\n" for i in range(100_000))
    start = time.monotonic()
    done = shell.presign("s3://photos", "--batch", stdin=keys)
    assert done.count("\n") == 99_999
    assert time.monotonic() - start < 30, "a hundred thousand, even under a sanitizer"


def test_batch_stops_at_a_line_without_a_key(shell):
    done = shell.run("presign", "s3://photos", "--batch", stdin="a\n\nb\n")
    assert done.returncode == REFUSED
    assert done.out.count("\n") == 1
    assert "line 2" in done.err


def test_json(shell):
    one = json.loads(shell.presign("s3://photos/ä", "--json", "--date", DATE,
                                   "--header", "Content-Type: image/png", "--method", "PUT"))  # fmt: skip
    assert one["bucket"] == "photos" and one["key"] == "ä" and one["method"] == "PUT"
    assert one["headers"] == {"Content-Type": "image/png"}
    assert one["expires_at"] == "2013-05-24T01:00:00Z"
    lines = shell.presign("s3://photos", "--json", "--batch", stdin="a\nb\n").split("\n")
    assert [json.loads(line)["key"] for line in lines] == ["a", "b"]


# --------------------------------------------------------------------------------------------------
# presign: what is refused, and warnings


@pytest.mark.parametrize(
    "arguments, word",
    [
        ([], "s3://BUCKET/KEY"),
        (["s3://photos/k", "--expire-inn", "3"], "--expires-in"),
        (["s3://photos/k", "--expires-in", "0"], "--expires-in"),
        (["s3://photos/k", "--expires-in", "1x"], "--expires-in"),
        (["s3://photos/k", "--expires-in", "1h30m"], "--expires-in"),
        (["s3://photos/k", "--expires-in", "-1"], "--expires-in"),
        (["s3://photos/k", "--expires-in", "99999999999999999999d"], "--expires-in"),
        (["s3://photos/k", "--post", "--max-size", "5M"], "5MiB"),
        (["s3://photos/k", "--date", "2013-05-24"], "20130524T000000Z"),
        (["s3://p/k"], "bucket"),
        (["s3://arn:aws:s3:x/k"], "access points"),
        (["http://photos/k"], "s3://"),
        (["s3://photos/k", "--header", "no colon"], "Name: value"),
        (["s3://photos/k", "--header", "Host: a"], "--endpoint-url"),
        (["s3://photos/k", "--header", "a: b\r\nc: d"], "--header"),
        (["s3://photos/k", "--query", "X-Amz-Expires=9"], "X-Amz-"),
        (["s3://photos/k", "--endpoint-url", "localhost:9000"], "http://"),
        (["s3://photos/k", "--endpoint-url", "http://a/?b"], "endpoint"),
        (["s3://photos/k", "--endpoint-url", "http://127.0.0.1:9", "--virtual-host"], "path-style"),
        (["s3://photos/k", "--path-style", "--virtual-host"], "one of"),
        (["s3://photos/k", "--region", "EU/west"], "region"),
        (["s3://photos/k", "--max-size", "9"], "--post"),
        (["s3://photos/k", "--post", "--method", "PUT"], "--post"),
        (["s3://photos/k", "--post", "--key-prefix", "p/"], "--key-prefix"),
        (["s3://photos", "--post"], "--key-prefix"),
        (["s3://photos/k", "--post", "--min-size", "9", "--max-size", "8"], "--min-size"),
        (["s3://photos/k", "--post", "--field", "policy=x"], "--field"),
        (["s3://photos/" + "k" * 1025], "1024"),
    ],
)
def test_a_mistake_in_the_command_line_is_named(shell, arguments, word):
    done = shell.run("presign", *arguments)
    assert done.returncode == USAGE
    assert done.out == ""
    assert done.err.startswith("latchstring presign: ")
    assert word in done.err


def test_seven_days_is_the_most_for_aws(shell):
    week = str(7 * 86400)
    more = str(7 * 86400 + 1)
    assert shell.run("presign", "s3://photos/k", "--expires-in", week).err == ""
    for endpoint in ([], ["--endpoint-url", "https://s3.amazonaws.com"]):
        done = shell.run("presign", "s3://photos/k", "--expires-in", more, *endpoint)
        assert done.returncode == REFUSED and done.out == "" and "604800" in done.err
    done = shell.run("presign", "s3://photos/k", "--expires-in", more,
                     "--endpoint-url", "http://localhost:9000")  # fmt: skip
    assert done.returncode == 0 and "X-Amz-Expires=604801" in done.out and "warning" in done.err


@pytest.mark.parametrize("form", ["2013-05-24T00:30:00Z", "2013-05-24T02:30:00+02:00",
                                  "2013-05-24 00:30:00.123456"])  # fmt: skip
def test_a_url_that_outlives_its_credentials_is_warned_of(shell, form):
    variables = {"AWS_SESSION_TOKEN": TOKEN, "AWS_CREDENTIAL_EXPIRATION": form}
    arguments = ["presign", "s3://photos/k", "--date", DATE, "--expires-in"]
    done = shell.run(*arguments, "1801", **variables)
    assert done.returncode == 0 and "after 1800 seconds instead of 1801" in done.err
    assert shell.run(*arguments, "1800", **variables).err == ""
    shell.forget_keys()
    shell.write("credentials", f"[default]\naws_access_key_id=ASIAX\naws_secret_access_key=s\n"
                               f"aws_session_token=t\nx_security_token_expires = {form}\n")  # fmt: skip
    assert "after 1800 seconds" in shell.run(*arguments, "3600").err


def test_a_temporary_key_without_its_token_is_warned_of(shell):
    done = shell.run("presign", "s3://photos/k", AWS_ACCESS_KEY_ID="ASIAX")
    assert done.returncode == 0 and "AWS_SESSION_TOKEN" in done.err


def test_help_and_version_everywhere():
    for command in ([], ["presign"], ["explain"], ["serve"], ["user"], ["policy"], ["fsck"]):
        done = subprocess.run([BINARY, *command, "--help"], capture_output=True, timeout=60)
        assert done.returncode == 0 and done.stderr == b""
        assert done.stdout.startswith(b"Usage: latchstring")
        assert b"  latchstring " in done.stdout, "examples"
        done = subprocess.run([BINARY, *command, "--version"], capture_output=True, timeout=60)
        assert done.returncode == 0 and re.fullmatch(rb"latchstring \d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize("words", [
    "fsck", "fsck --recount", "usage", "user list", "user show joe", "policy get joe", "token list",
    "profile list", "remote list", "remote show r"])
def test_a_folder_without_a_name_is_a_mistake(words, tmp_path):
    """An unset variable of a script, as in --data "$FOLDER", must not become ./data."""
    done = subprocess.run([BINARY, *words.split(), "--data", ""], capture_output=True, text=True, cwd=tmp_path,
                          env={**os.environ, "LATCHSTRING_DATA": str(tmp_path)})
    assert (done.returncode, done.stdout) == (USAGE, "")
    assert "--data: the name of the folder is empty" in done.stderr
    assert not any(tmp_path.iterdir())


def test_a_secret_given_by_mistake_is_not_shown(tmp_path):
    for mistake in (["--secret-key", "TheSecretItself"], ["--secret-key=TheSecretItself"]):
        done = subprocess.run([BINARY, "user", "add", "ann", "--data", tmp_path, *mistake],
                              capture_output=True, timeout=60, text=True)
        assert done.returncode == 2
        assert "--secret-key" in done.stderr and "TheSecretItself" not in done.stderr + done.stdout


def test_an_unknown_command_and_a_full_disk(shell):
    done = shell.run("presing")
    assert done.returncode == USAGE and "'presign'" in done.err
    with open("/dev/full", "wb") as full:
        done = subprocess.run([BINARY, "presign", "s3://photos/k"], stdout=full, timeout=60,
                              stderr=subprocess.PIPE, env=shell.environment)  # fmt: skip
    assert done.returncode == 1 and b"standard output" in done.stderr


# --------------------------------------------------------------------------------------------------
# presign: where credentials and settings come from

FILES = {
    "credentials": """
# a comment
[default]
aws_access_key_id = DEFAULTKEY
aws_secret_access_key = s#e;c=r:e t ; and all of this
[work]
  aws_access_key_id = WORKKEY
  aws_secret_access_key = worksecret
  region = eu-central-1
[token]
aws_access_key_id: TOKENKEY
aws_secret_access_key: tokensecret
aws_session_token: %s
[half]
aws_access_key_id = HALFKEY
""" % ("t" * 4000),
    "config": """
[default]
region = eu-west-2
s3 =
    addressing_style = path
[profile work]
region = eu-west-3
aws_access_key_id = OTHERKEY
aws_secret_access_key = othersecret
endpoint_url = https://work.example
[profile "two words"]
aws_access_key_id = TWOKEY
aws_secret_access_key = twosecret
s3 =
  max_bandwidth = 1MB/s
  addressing_style = virtual
endpoint_url = http://two.example
services = local
[services local]
dynamodb =
  endpoint_url = http://dynamo.example
s3 =
  endpoint_url = http://local.example:9000
[profile role]
role_arn = arn:aws:iam::1:role/x
source_profile = default
[bare]
aws_access_key_id = BAREKEY
aws_secret_access_key = baresecret
""",
}


@pytest.mark.parametrize(
    "keys, arguments, variables, signer, region, start",
    [
        (True, [], {}, KEY_ID, "eu-west-2", "https://s3.eu-west-2.amazonaws.com/photos/"),
        (False, [], {}, "DEFAULTKEY", "eu-west-2", "https://s3.eu-west-2.amazonaws.com/photos/"),
        # a profile in the environment gives way to keys there, one in the arguments does not
        (True, [], {"AWS_PROFILE": "work"}, KEY_ID, "eu-central-1", "https://work.example/photos/"),
        (True, ["--profile", "work"], {}, "WORKKEY", "eu-central-1", "https://work.example/photos"),
        (False, [], {"AWS_PROFILE": "work"}, "WORKKEY", "eu-central-1", "https://work.example/"),
        (False, [], {"AWS_DEFAULT_PROFILE": "work"}, "WORKKEY", "eu-central-1", "https://work."),
        (False, ["--profile", "two words"], {"AWS_PROFILE": "work"}, "TWOKEY", "us-east-1",
         "http://photos.local.example:9000/"),
        (False, ["--profile", "token"], {}, "TOKENKEY", "us-east-1", "https://photos.s3.amazonaws"),
        # regions
        (True, [], {"AWS_DEFAULT_REGION": "us-west-1"}, KEY_ID, "us-west-1", "https://s3.us-west-1"),
        (True, [], {"AWS_REGION": "us-west-2", "AWS_DEFAULT_REGION": "us-west-1"}, KEY_ID,
         "us-west-2", "https://s3.us-west-2.amazonaws.com/"),
        (True, ["--region", "sa-east-1"], {"AWS_REGION": "us-west-2"}, KEY_ID, "sa-east-1",
         "https://s3.sa-east-1.amazonaws.com/"),
        # endpoints
        (True, [], {"AWS_ENDPOINT_URL": "http://global.example"}, KEY_ID, "eu-west-2",
         "http://global.example/photos/"),
        (True, [], {"AWS_ENDPOINT_URL": "http://global.example",
                    "AWS_ENDPOINT_URL_S3": "http://s3.example:80"}, KEY_ID, "eu-west-2",
         "http://s3.example/photos/"),
        (True, ["--endpoint-url", "https://Given.example:443"],
         {"AWS_ENDPOINT_URL_S3": "http://s3.example"}, KEY_ID, "eu-west-2",
         "https://given.example/photos/"),
        (False, ["--profile", "work"], {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, "WORKKEY",
         "eu-central-1", "https://photos.s3.eu-central-1.amazonaws.com/"),
        (True, ["--virtual-host"], {}, KEY_ID, "eu-west-2", "https://photos.s3.eu-west-2."),
    ],
)  # fmt: skip
def test_settings_are_found_as_every_aws_tool_finds_them(
    shell, keys, arguments, variables, signer, region, start
):
    for name, text in FILES.items():
        shell.write(name, text)
    if not keys:
        shell.forget_keys()
    url = shell.presign("s3://photos/k", *arguments, **variables)
    assert signer_of(url) == signer
    assert region_of(url) == region
    assert url.startswith(start)


@pytest.mark.parametrize("profile", [None, "work", "two words", "token"])
def test_profiles_sign_as_botocore_signs_with_them(shell, frozen, monkeypatch, profile):
    for name, text in FILES.items():
        shell.write(name, text)
    shell.forget_keys()
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(shell.home / ".aws/credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(shell.home / ".aws/config"))
    for name in [name for name in os.environ if name.startswith(("AWS_ACCESS", "AWS_SECRET",
                 "AWS_SESSION", "AWS_REGION", "AWS_DEFAULT", "AWS_ENDPOINT", "AWS_PROFILE"))]:  # fmt: skip
        monkeypatch.delenv(name)
    session = boto3.Session(profile_name=profile)
    s3 = session.client("s3", region_name=session.region_name or "us-east-1",
                        config=Config(signature_version="s3v4"))  # fmt: skip
    expected = s3.generate_presigned_url(
        "get_object", Params={"Bucket": "photos", "Key": "k"}, ExpiresIn=60
    )
    more = ["--profile", profile] if profile else []
    url = shell.presign("s3://photos/k", "--date", DATE, "--expires-in", "60", *more)
    assert url == expected


def test_other_files_by_variable(shell, tmp_path):
    shell.forget_keys()
    (tmp_path / "c").write_text("[default]\naws_access_key_id=ELSEWHERE\naws_secret_access_key=s\n")
    (tmp_path / "f").write_text("[default]\r\nregion = eu-north-1\r\n")
    url = shell.presign("s3://photos/k", AWS_SHARED_CREDENTIALS_FILE=str(tmp_path / "c"),
                        AWS_CONFIG_FILE="~/f")  # fmt: skip
    assert signer_of(url) == "ELSEWHERE" and region_of(url) == "eu-north-1"


@pytest.mark.parametrize(
    "arguments, words",
    [
        ([], ["AWS_ACCESS_KEY_ID", ".aws/credentials"]),
        (["--profile", "nobody"], ["nobody"]),
        (["--profile", "bare"], ["bare"]),
        (["--profile", "half"], ["aws_secret_access_key"]),
        (["--profile", "role"], ["role_arn", "export-credentials"]),
    ],
)
def test_missing_credentials_are_told_what_to_do(shell, arguments, words):
    shell.forget_keys()
    if arguments:
        for name, text in FILES.items():
            shell.write(name, text)
    done = shell.run("presign", "s3://photos/k", *arguments)
    assert done.returncode == REFUSED and done.out == ""
    assert all(word in done.err for word in words), done.err


def test_a_broken_file_is_named_with_its_line(shell):
    shell.forget_keys()
    shell.write("credentials", "[default]\naws_access_key_id = A\nthis is nothing\n")
    done = shell.run("presign", "s3://photos/k")
    assert done.returncode == REFUSED and "credentials: line 3" in done.err
    shell.write("credentials", "[default]\naws_access_key_id = A\naws_secret_access_key = "
                + "s" * 300 + "\n")  # fmt: skip
    done = shell.run("presign", "s3://photos/k")
    assert "aws_secret_access_key is too long" in done.err and "sss" not in done.err


def test_half_of_the_keys_in_the_environment(shell):
    done = shell.run("presign", "s3://photos/k", AWS_SECRET_ACCESS_KEY="")
    assert done.returncode == REFUSED and "AWS_SECRET_ACCESS_KEY" in done.err


# --------------------------------------------------------------------------------------------------
# presign: forms


def hmac_sha256(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def form_signature(policy, day, region):
    key = ("AWS4" + SECRET).encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac_sha256(key, part)
    return hmac.new(key, policy.encode(), hashlib.sha256).hexdigest()


def test_a_form_is_signed_and_complete(shell):
    form = json.loads(
        shell.presign("s3://photos/it's ä.jpg", "--post", "--json", "--content-type", "image/jpeg",
                      "--max-size", "5000", "--min-size", "1", "--date", DATE,
                      "--field", "acl=private", "--starts-with", "x-amz-meta-tag=a",
                      "--endpoint-url", "http://127.0.0.1:9000", AWS_SESSION_TOKEN=TOKEN)
    )  # fmt: skip
    fields = form["fields"]
    policy = json.loads(base64.b64decode(fields["policy"]))
    assert form["url"] == "http://127.0.0.1:9000/photos"
    assert form["expires_at"] == policy["expiration"] == "2013-05-24T01:00:00Z"
    assert fields["x-amz-signature"] == form_signature(fields["policy"], "20130524", "us-east-1")
    assert fields["x-amz-security-token"] == TOKEN
    assert fields["key"] == "it's ä.jpg" and fields["Content-Type"] == "image/jpeg"
    conditions = policy["conditions"]
    for condition in ({"bucket": "photos"}, {"key": "it's ä.jpg"}, {"Content-Type": "image/jpeg"},
                      {"acl": "private"}, ["starts-with", "$x-amz-meta-tag", "a"],
                      ["content-length-range", 1, 5000], {"x-amz-security-token": TOKEN}):  # fmt: skip
        assert condition in conditions
    named = {next(iter(c)) if isinstance(c, dict) else str(c[1]).lstrip("$") for c in conditions}
    assert set(fields) - {"policy", "x-amz-signature"} <= named, "S3 refuses fields without one"


def test_a_form_has_the_url_and_fields_that_boto3_gives(shell, frozen):
    theirs = client("ap-south-1", style="virtual").generate_presigned_post(
        "photos", "k", Conditions=[["content-length-range", 0, 9]], ExpiresIn=60
    )
    ours = json.loads(shell.presign("s3://photos/k", "--post", "--json", "--max-size", "9",
                                    "--region", "ap-south-1"))  # fmt: skip
    assert ours["url"] == theirs["url"]
    assert set(ours["fields"]) == set(theirs["fields"])


def test_a_form_for_a_prefix(shell):
    form = json.loads(shell.presign("s3://photos", "--post", "--key-prefix", "new/", "--json"))
    policy = json.loads(base64.b64decode(form["fields"]["policy"]))
    assert form["fields"]["key"] == "new/${filename}"
    assert ["starts-with", "$key", "new/"] in policy["conditions"]


@pytest.mark.parametrize("begins,shown", [("image/", "Content-Type=image/SUBTYPE'"), ("", "Content-Type=TYPE/SUBTYPE'"),
                                          ("image/p", "Content-Type=image/p'")])
def test_the_curl_line_of_a_form_says_where_a_type_is_to_be_filled_in(shell, begins, shown):
    line = shell.presign("s3://photos/k", "--post", "--starts-with", f"Content-Type={begins}").splitlines()[-1]
    assert shown in line
    fields = json.loads(shell.presign("s3://photos/k", "--post", "--starts-with", f"Content-Type={begins}", "--json"))["fields"]
    assert fields["Content-Type"] == begins


def test_the_curl_line_of_a_form_survives_the_shell(shell):
    out = shell.presign("s3://photos/it's $HOME `x`", "--post", "--field", "x-amz-meta-at=@/etc")
    first, _, line = out.rpartition("\n\n")
    fields = json.loads(first)["fields"]
    words = shlex.split(line)
    assert words[0] == "curl" and words[-1] == "https://photos.s3.amazonaws.com/"
    sent = [words[i + 1].split("=", 1) for i, word in enumerate(words) if word == "--form-string"]
    assert dict(sent) == fields
    assert words[-3:-1] == ["--form", "file=@FILE"], "the file comes last"


# --------------------------------------------------------------------------------------------------
# explain


def test_a_good_url(shell):
    url = shell.presign("s3://photos/a b/ä.jpg", "--query", "response-content-type=image/png",
                        "--region", "eu-west-1")  # fmt: skip
    answer = shell.explain(url)
    assert answer["status"] == ACCEPTED and answer["verdict"] == "accepted"
    assert answer["signature"] == "right" and answer["problems"] == []
    assert answer["signer"] == KEY_ID and answer["method"] == "GET"
    assert answer["bucket"] == "photos" and answer["key"] == "a b/ä.jpg"
    assert answer["region"] == "eu-west-1" and answer["signed_headers"] == ["host"]
    assert answer["parameters"] == [{"name": "response-content-type", "value": "image/png"}]
    assert 3590 <= answer["seconds_left"] <= 3600
    text = shell.run("explain", url)
    assert text.returncode == ACCEPTED and "ä.jpg" in text.out and "right" in text.out


def test_urls_of_botocore_are_accepted(shell):
    for method, operation in (("GET", "get_object"), ("PUT", "put_object")):
        for endpoint in (None, "http://127.0.0.1:9000"):
            url = client(endpoint=endpoint).generate_presigned_url(
                operation, Params={"Bucket": "photos", "Key": "a+b ä"}, ExpiresIn=60
            )
            answer = shell.explain(url)
            assert answer["status"] == ACCEPTED and answer["method"] == method
            assert answer["bucket"] == "photos" and answer["key"] == "a+b ä"


def test_an_expired_url(shell):
    answer = shell.explain(AWS_EXAMPLE)
    assert answer["status"] == REFUSED and answer["signature"] == "right"
    assert [p["reason"] for p in answer["problems"]] == ["expired"]
    assert answer["valid_until"] == "2013-05-25T00:00:00Z" and answer["seconds_left"] < 0
    assert "ago" in shell.run("explain", AWS_EXAMPLE).out
    assert shell.explain(AWS_EXAMPLE, "--date", "20130524T235959Z")["status"] == ACCEPTED
    assert shell.explain(AWS_EXAMPLE, "--date", "20130525T000001Z")["status"] == REFUSED
    early = shell.explain(AWS_EXAMPLE, "--date", "20130523T234000Z")
    assert [p["reason"] for p in early["problems"]] == ["not-yet-valid"]


@pytest.mark.parametrize(
    "change, word",
    [
        (lambda url: url.replace("test.txt", "test.tx"), ""),
        (lambda url: url.replace("Expires=86400", "Expires=90000"), "86400"),
        (lambda url: url.replace("examplebucket.s3", "otherbucket.s3"), ""),
        (lambda url: url.replace("https://examplebucket.s3.amazonaws.com/",
                                 "https://s3.amazonaws.com/examplebucket/"), ""),
        (lambda url: url.replace("?", "?versionId=x&"), "versionId"),
        (lambda url: url[:-1] + "5", ""),
    ],
)  # fmt: skip
def test_an_altered_url(shell, change, word):
    altered = change(AWS_EXAMPLE)
    assert altered != AWS_EXAMPLE
    answer = shell.explain(altered, "--date", DATE)
    assert answer["status"] == REFUSED and answer["signature"] == "wrong"
    (problem,) = answer["problems"]
    assert problem["code"] == "SignatureDoesNotMatch" and word in problem["advice"]


def test_the_wrong_method_is_named(shell):
    answer = shell.explain(AWS_EXAMPLE, "--date", DATE, "--method", "PUT")
    assert answer["status"] == REFUSED
    assert "'GET'" in answer["problems"][0]["advice"]


def test_signed_headers_must_be_given(shell):
    url = shell.presign("s3://photos/k", "--method", "PUT", "--content-type", "image/png")
    answer = shell.explain(url)
    assert answer["status"] == UNCHECKED and "content-type" in answer["unchecked_because"]
    assert shell.explain(url, "--header", "Content-Type: image/png")["status"] == ACCEPTED
    assert shell.explain(url, "--header", "Content-Type: image/gif")["status"] == REFUSED


def test_an_unsigned_amz_header(shell):
    answer = shell.explain(AWS_EXAMPLE, "--date", DATE, "--header", "x-amz-copy-source: /a/b")
    assert answer["status"] == REFUSED
    assert "x-amz-" in answer["problems"][0]["advice"]


def test_version_2_urls_say_what_to_set(shell):
    url = boto3.client("s3", region_name="us-east-1", aws_access_key_id=KEY_ID,
                       aws_secret_access_key=SECRET).generate_presigned_url(
        "get_object", Params={"Bucket": "photos", "Key": "k"})  # fmt: skip
    if "AWSAccessKeyId" not in url:
        pytest.skip("this botocore signs with Version 4 by default")
    answer = shell.explain(url)
    assert answer["status"] == REFUSED and answer["kind"] == "aws-v2"
    assert answer["signer"] == KEY_ID
    assert "s3v4" in answer["problems"][0]["advice"]


@pytest.mark.parametrize(
    "url, kind_text, signer",
    [
        ("https://storage.googleapis.com/b/o?X-Goog-Algorithm=GOOG4-RSA-SHA256"
         "&X-Goog-Credential=me%40x&X-Goog-Date=20200101T000000Z&X-Goog-Expires=%s"
         "&X-Goog-SignedHeaders=host&X-Goog-Signature=00", "Google", "me@x"),
        ("https://d1.cloudfront.net/i.jpg?Expires=%s&Signature=x&Key-Pair-Id=K2", "CloudFront", "K2"),
    ],
)  # fmt: skip
def test_the_urls_of_others_are_recognised(shell, url, kind_text, signer):
    live = shell.explain(url.replace("%s", "4000000000"))
    assert live["status"] == UNCHECKED and live["kind"] == "other"
    assert kind_text in live["kind_text"] and live["signer"] == signer
    assert shell.explain(url.replace("%s", "9"))["status"] == REFUSED


def test_without_the_secret_nothing_is_claimed(shell):
    shell.forget_keys()
    answer = shell.explain(AWS_EXAMPLE, "--date", DATE)
    assert answer["status"] == UNCHECKED and answer["signature"] == "unchecked"
    assert "--secret-key-stdin" in answer["unchecked_because"]
    arguments = ["--date", DATE, "--secret-key-stdin"]
    assert shell.explain(AWS_EXAMPLE, *arguments, stdin=SECRET + "\n")["status"] == ACCEPTED
    both = AWS_EXAMPLE + "\n" + SECRET + "\n"
    assert shell.explain("-", *arguments, stdin=both)["status"] == ACCEPTED
    wrong = shell.explain(AWS_EXAMPLE, *arguments, stdin="not it\n")
    assert wrong["status"] == REFUSED and wrong["signature"] == "wrong"


def test_the_secret_is_found_in_any_profile(shell):
    url = shell.presign("s3://photos/k", AWS_ACCESS_KEY_ID="WORKKEY",
                        AWS_SECRET_ACCESS_KEY="worksecret")  # fmt: skip
    two = shell.presign("s3://photos/k", AWS_ACCESS_KEY_ID="TWOKEY",
                        AWS_SECRET_ACCESS_KEY="twosecret")  # fmt: skip
    assert shell.explain(url)["status"] == UNCHECKED
    for name, text in FILES.items():
        shell.write(name, text)
    assert shell.explain(url)["status"] == ACCEPTED
    assert shell.explain(two)["status"] == ACCEPTED
    assert shell.explain(url, "--profile", "two words")["status"] == UNCHECKED


def test_a_session_token_must_be_the_one_of_the_credentials(shell):
    url = shell.presign("s3://photos/k", AWS_SESSION_TOKEN=TOKEN)
    answer = shell.explain(url, AWS_SESSION_TOKEN=TOKEN)
    assert answer["status"] == ACCEPTED and answer["temporary_credentials"]
    assert TOKEN not in json.dumps(answer)
    answer = shell.explain(url, AWS_SESSION_TOKEN="another")
    assert answer["status"] == REFUSED
    assert answer["problems"][0]["reason"] == "token-invalid"


@pytest.mark.parametrize(
    "url, word",
    [
        (AWS_EXAMPLE.split("&")[0], "quotes"),
        (AWS_EXAMPLE.replace("&", "&amp;"), "&amp;"),
        ("https://examplebucket.s3.amazonaws.com/test.txt", "presign"),
    ],
)
def test_common_accidents_are_recognised(shell, url, word):
    answer = shell.explain(url, "--date", DATE)
    assert answer["status"] == REFUSED and word in answer["problems"][0]["advice"]


@pytest.mark.parametrize(
    "spoil, word",
    [
        (lambda url: url.replace("%", "%25"), "once more"),
        (lambda url: url + ".", "glued"),
        (lambda url: url[:-7], "cut short"),
        (lambda url: url.replace("&", "\\u0026"), "JSON"),
        (lambda url: url.replace("Signature=aeeed9", "Signature=AEEED9"), "capitals"),
        (lambda url: url.replace("test.txt", "test%2Etxt"), None),
        (lambda url: url.replace("%2F", "%2f"), None),
    ],
)
def test_what_spoils_a_url_on_its_way(shell, spoil, word):
    spoilt = spoil(AWS_EXAMPLE)
    assert spoilt != AWS_EXAMPLE
    answer = shell.explain(spoilt, "--date", DATE)
    if word is None:
        assert answer["status"] == ACCEPTED
    else:
        assert answer["status"] == REFUSED and word in answer["problems"][0]["advice"]


PROVIDERS = [
    ("s3.eu-west-1.amazonaws.com", "Amazon S3"),
    ("s3.dualstack.us-west-2.amazonaws.com", "Amazon S3"),
    ("nyc3.digitaloceanspaces.com", "DigitalOcean Spaces"),
    ("0123456789abcdef.r2.cloudflarestorage.com", "Cloudflare R2"),
    ("0123456789abcdef.eu.r2.cloudflarestorage.com", "Cloudflare R2"),
    ("s3.eu-central-003.backblazeb2.com", "Backblaze B2"),
    ("s3.wasabisys.com", "Wasabi"),
    ("s3.eu-central-1.wasabisys.com", "Wasabi"),
    ("s3.fr-par.scw.cloud", "Scaleway"),
    ("eu-central-1.linodeobjects.com", "Akamai (Linode)"),
    ("storage.googleapis.com", "Google Cloud Storage"),
    ("s3.gra.io.cloud.ovh.net", "OVHcloud"),
    ("fsn1.your-objectstorage.com", "Hetzner"),
    ("sos-ch-dk-2.exo.io", "Exoscale"),
]


@pytest.mark.parametrize("host, provider", PROVIDERS)
@pytest.mark.parametrize("bucket", ["photos", "my.photos"])
def test_the_bucket_of_a_known_provider(shell, host, provider, bucket):
    for style, root in (("path", f"https://{host}/{bucket}/"), ("virtual-host", f"https://{bucket}.{host}/")):
        for key in ("a/b.jpg", "b.jpg"):
            answer = shell.explain(AWS_EXAMPLE.replace("https://examplebucket.s3.amazonaws.com/test.txt", root + key))
            assert (answer["provider"], answer["bucket"], answer["key"]) == (provider, bucket, key)
            assert answer["addressing"] == style and answer["addressing_known"] and "or" not in answer


@pytest.mark.parametrize("root, bucket, key, other_bucket, other_key", [
    ("https://photos.example.com/a/b.jpg", "a", "b.jpg", "photos", "a/b.jpg"),
    ("https://photos.minio.example.com:9000/b.jpg", "b.jpg", "", "photos", "b.jpg"),
    ("http://photos.localhost:9000/a/b.jpg", "a", "b.jpg", "photos", "a/b.jpg"),
])
def test_a_host_that_nobody_knows_is_read_both_ways(shell, root, bucket, key, other_bucket, other_key):
    url = AWS_EXAMPLE.replace("https://examplebucket.s3.amazonaws.com/test.txt", root)
    answer = shell.explain(url)
    assert (answer["provider"], answer["bucket"], answer["key"]) == (None, bucket, key)
    assert not answer["addressing_known"]
    assert answer["or"] == {"bucket": other_bucket, "key": other_key, "addressing": "virtual-host"}
    out = shell.run("explain", url).out
    assert re.search(rf"bucket +{bucket}\n", out) and re.search(rf"or bucket +{other_bucket},", out)


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1:9000", "[::1]:9000", "minio:9000", "minio"])
def test_no_bucket_stands_in_an_address(shell, host):
    url = AWS_EXAMPLE.replace("https://examplebucket.s3.amazonaws.com/test.txt", f"http://{host}/photos/a/b.jpg")
    answer = shell.explain(url)
    assert (answer["bucket"], answer["key"], answer["addressing_known"]) == ("photos", "a/b.jpg", True)


def test_a_short_link_is_known(shell):
    done = shell.run("explain", "https://files.example.com/-/l/Abc_d-9")
    assert done.returncode == UNCHECKED
    assert "latchstring link show Abc_d-9" in done.out and "refused" not in done.out
    answer = shell.explain("https://files.example.com/-/l/Abc_d-9")
    assert (answer["kind"], answer["link_id"], answer["status"]) == ("short-link", "Abc_d-9", UNCHECKED)
    assert answer["problems"] == [] and "bucket" not in answer
    hostile = shell.run("explain", "https://files.example.com/-/l/$(reboot)")
    assert "reboot" not in hostile.out and "link show ID" in hostile.out


def test_what_is_no_url(shell):
    for arguments in ([], ["a", "b"], ["photos/k"], ["ftp://a/b"], ["https://"], ["-"]):
        done = shell.run("explain", *arguments)
        assert done.returncode == USAGE and done.out == ""


def test_a_url_can_not_write_to_the_terminal(shell):
    hostile = AWS_EXAMPLE.replace("test.txt", "%1b%5b31m%c2%9b%0d%7f")
    hostile = hostile.replace("AKIAIOSFODNN7EXAMPLE", "A%1b%5bK")
    out = shell.run("explain", hostile).stdout
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]", out)
    assert "\x1b" not in json.dumps(shell.explain(hostile), ensure_ascii=True)
