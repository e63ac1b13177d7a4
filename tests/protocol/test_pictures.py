"""A real JPEG and a real PNG, as a new user would send them: each way to sign, each way to send."""
import json
import os
import subprocess
import urllib.request

import boto3
import pytest
import requests
from harness import ACCESS_KEY, ROOT, SECRET_KEY

BUCKET = "pictures"
CLIENTS = os.environ.get("LST_CLIENTS", os.path.join(ROOT, "build", "clients"))
TYPES = {"cat.jpg": "image/jpeg", "cat.png": "image/png"}


# ---- Signing: each gives (URL to put, URL to get)

def sign_boto3_where_it_chooses_v4(server, key):
    """As the tutorials have it, in a region where boto3 chooses Signature Version 4 by itself."""
    s3 = boto3.client("s3", endpoint_url=server.endpoint, region_name="ap-south-1",
                      aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY)
    return [s3.generate_presigned_url(operation, Params={"Bucket": BUCKET, "Key": key}, ExpiresIn=3600)
            for operation in ("put_object", "get_object")]


def sign_boto3_told_to_use_v4(server, key):
    s3 = boto3.client("s3", endpoint_url=server.endpoint, region_name="us-east-1",
                      aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY,
                      config=boto3.session.Config(signature_version="s3v4"))
    return [s3.generate_presigned_url(operation, Params={"Bucket": BUCKET, "Key": key})
            for operation in ("put_object", "get_object")]


def sign_latchstring(server, key):
    return [server.command("presign", f"s3://{BUCKET}/{key}", "--method", method, "--endpoint-url",
                           server.endpoint, "--expires-in", "3600").stdout.strip()
            for method in ("PUT", "GET")]


def sign_javascript(server, key):
    done = subprocess.run(
        ["node", os.path.join(CLIENTS, "presign.mjs")], text=True, check=True, capture_output=True,
        timeout=60, input=json.dumps({"endpoint": server.endpoint, "accessKeyId": ACCESS_KEY,
                                      "secretAccessKey": SECRET_KEY, "bucket": BUCKET, "key": key}))
    found = json.loads(done.stdout)
    return found["put"], found["get"]


SIGNERS = [sign_boto3_where_it_chooses_v4, sign_boto3_told_to_use_v4, sign_latchstring, sign_javascript]


# ---- Sending: each gives what a GET of the picture gave

def send_requests(put, get, picture, tmp_path):
    answer = requests.put(put, data=picture, timeout=20)
    assert answer.status_code == 200, answer.text
    answer = requests.get(get, timeout=20)
    assert answer.status_code == 200, answer.text
    return answer.content


def send_curl(put, get, picture, tmp_path):
    (tmp_path / "picture").write_bytes(picture)
    curl = ["curl", "--silent", "--show-error", "--fail-with-body", "--noproxy", "*"]
    subprocess.run([*curl, "--upload-file", tmp_path / "picture", put], check=True, timeout=20)
    subprocess.run([*curl, "--output", tmp_path / "copy", get], check=True, timeout=20)
    return (tmp_path / "copy").read_bytes()


def send_urllib(put, get, picture, tmp_path):
    """urllib adds a Content-Type of its own to every PUT."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open(urllib.request.Request(put, data=picture, method="PUT"), timeout=20).read()
    return opener.open(get, timeout=20).read()


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("send", [send_requests, send_curl, send_urllib])
@pytest.mark.parametrize("sign", SIGNERS)
def test_a_picture_goes_through_byte_for_byte(server, pictures, tmp_path, sign, send, name):
    if sign is sign_javascript and not os.path.isdir(os.path.join(CLIENTS, "node_modules")):
        pytest.skip("build/clients is not installed: run tests/run --only clients once")
    put, get = sign(server, f"{sign.__name__}/{send.__name__}/{name}")
    assert send(put, get, pictures[name], tmp_path) == pictures[name]


def test_the_type_of_a_picture_is_kept(server, s3, pictures):
    url = s3.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": "typed.png",
                                                          "ContentType": "image/png"})
    requests.put(url, data=pictures["cat.png"], headers={"Content-Type": "image/png"}, timeout=20)
    url = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "typed.png"})
    answer = requests.get(url, timeout=20)
    assert answer.headers["Content-Type"] == "image/png" and answer.content == pictures["cat.png"]


# ---- The AWS CLI

@pytest.fixture
def aws(server):
    """The AWS CLI, in a region where version 1 of it presigns with Signature Version 4 by itself."""
    def run(*arguments, check=True):
        done = subprocess.run(
            ["aws", "--endpoint-url", server.endpoint, *map(str, arguments)], text=True, timeout=60,
            capture_output=True, check=False,
            env={**os.environ, "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
                 "AWS_DEFAULT_REGION": "ap-south-1", "AWS_PAGER": ""})
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done
    return run


def test_the_aws_cli_copies_lists_presigns_and_removes(server, aws, pictures, tmp_path):
    picture = tmp_path / "my cat.png"
    picture.write_bytes(pictures["cat.png"])
    aws("s3", "mb", "s3://album")
    aws("s3", "cp", picture, "s3://album/2026/my cat.png")
    assert "my cat.png" in aws("s3", "ls", "s3://album/2026/").stdout
    assert "album" in aws("s3", "ls").stdout
    url = aws("s3", "presign", "s3://album/2026/my cat.png", "--expires-in", "600").stdout.strip()
    assert requests.get(url, timeout=20).content == pictures["cat.png"]
    aws("s3", "cp", "s3://album/2026/my cat.png", tmp_path / "copy.png")
    assert (tmp_path / "copy.png").read_bytes() == pictures["cat.png"]
    head = json.loads(aws("s3api", "head-object", "--bucket", "album", "--key", "2026/my cat.png").stdout)
    assert head["ContentType"] == "image/png" and head["ContentLength"] == len(pictures["cat.png"])
    refused = aws("s3", "rb", "s3://album", check=False)
    assert refused.returncode != 0 and "BucketNotEmpty" in refused.stderr
    aws("s3", "rm", "s3://album/2026/", "--recursive")
    assert aws("s3", "ls", "s3://album", "--recursive").stdout == ""
    aws("s3", "rb", "s3://album")
    assert "album" not in aws("s3", "ls").stdout


def test_the_aws_cli_syncs_a_folder(aws, pictures, tmp_path):
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    for name in ("a.jpg", "deep/b+c.jpg", "deep/ü [1].jpg"):
        (folder / name).write_bytes(pictures["cat.jpg"])
    aws("s3", "sync", folder, f"s3://{BUCKET}/synced")
    assert aws("s3", "sync", folder, f"s3://{BUCKET}/synced").stdout == "", "a second time nothing is new"
    aws("s3", "sync", f"s3://{BUCKET}/synced", tmp_path / "back")
    assert (tmp_path / "back/deep/ü [1].jpg").read_bytes() == pictures["cat.jpg"]
