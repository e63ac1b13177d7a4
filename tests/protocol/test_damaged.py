"""Index files that are cut short, empty or something else: said before they are used, by every command; nothing changes."""
import json
import os
import shutil
import signal

import pytest
from botocore.exceptions import ClientError
from harness import Server

BUCKET = "pictures"
FILES = ["index.mdb", "users.mdb", "ledger.mdb"]


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A data folder with some of everything, of a server that stopped."""
    data = tmp_path_factory.mktemp("filled") / "data"
    with Server(data, "--buckets", BUCKET) as server:
        s3 = server.client()
        for number in range(60):
            s3.put_object(Bucket=BUCKET, Key=f"{number:03d}", Body=os.urandom(6000))
        s3.put_object(Bucket=BUCKET, Key="large", Body=os.urandom(100_000))
        server.command("user", "add", "ana", "--data", data)
        server.command("profile", "add", "any", "--bucket", BUCKET, "--key", "{uuid}", "--data", data)
    return data


@pytest.fixture
def data(filled, tmp_path):
    shutil.copytree(filled, tmp_path / "data")
    return tmp_path / "data"


def cuts(size):
    return [0, 1, 15, 100, 4095, 4096, 4096 + 100, 8191, 8192, 12288, size // 8192 * 4096, size - 4097]


def listing(data):
    return {(path.relative_to(data), path.stat().st_size, path.read_bytes()) for path in data.rglob("*")
            if path.is_file() and not path.name.endswith("-lock") and path.name not in ("lock", "clean")}


def refusal(data, *arguments):
    """What the command says of the damage. It neither crashes nor hangs."""
    server = Server.__new__(Server)
    server.binary = os.environ["LST_BINARY"]
    done = server.command(*arguments, "--data", data, check=False)
    assert done.returncode == 1, (arguments, done)
    assert "Sanitizer" not in done.stderr and "Traceback" not in done.stderr, done.stderr
    return done.stderr


COMMANDS = {
    "index.mdb": [("serve", "--listen", "127.0.0.1:0"), ("fsck",)],
    "users.mdb": [("serve", "--listen", "127.0.0.1:0"), ("fsck",), ("user", "list"), ("user", "add", "bob"),
                  ("token", "list")],
    "ledger.mdb": [("serve", "--listen", "127.0.0.1:0"), ("fsck",), ("profile", "list"), ("remote", "list")],
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_was_cut(data, name):
    path = data / name
    whole = path.read_bytes()
    for size in sorted({cut for cut in cuts(len(whole)) if 0 <= cut < len(whole)}):
        path.write_bytes(whole[:size])
        before = listing(data)
        if size >= 12288 and fake().command("fsck", "--data", data, check=False).returncode == 0:
            # Only pages that are not in use were cut away: all is there.
            assert "ana" in fake().command("user", "list", "--data", data).stdout
            assert "any" in fake().command("profile", "list", "--data", data).stdout
            continue
        for command in COMMANDS[name]:
            said = refusal(data, *command)
            assert f"{path} is damaged: it " in said and "docs/operations.md" in said, (size, command, said)
            assert (f"{size} bytes" in said) == (size > 0), said
        assert listing(data) == before, "something was changed"
    path.write_bytes(whole)
    Server.command(fake(), "fsck", "--data", data)


def fake():
    server = Server.__new__(Server)
    server.binary = os.environ["LST_BINARY"]
    return server


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [b"\0" * 65536, b"not an index " * 5000, os.urandom(40_000)],
                         ids=["zeros", "text", "random"])
def test_a_file_that_is_something_else(data, name, content):
    (data / name).write_bytes(content)
    for command in COMMANDS[name][:2]:
        said = refusal(data, *command)
        assert f"{data / name} is damaged: it has {len(content)} bytes, and does not have the header of an index" in said


def test_an_index_that_is_gone_does_not_take_the_bodies_with_it(data):
    (data / "index.mdb").unlink()
    before = listing(data)
    for command in COMMANDS["index.mdb"][:1]:
        said = refusal(data, *command)
        assert f"{data / 'index.mdb'} is missing, and it was there before" in said, said
    for name in ("users.mdb", "ledger.mdb"):
        (data / name).unlink()
    said = refusal(data, *COMMANDS["index.mdb"][0])
    assert "index.mdb is damaged: it is missing, and there are bodies in" in said, said
    assert {entry for entry in before if not str(entry[0]).endswith(".mdb")} <= listing(data)


ADD_PROFILE = ("profile", "add", "new", "--bucket", BUCKET, "--key", "{uuid}", "--make")
OPENERS = {
    "index.mdb": [],
    "users.mdb": [("user", "add", "bob", "--make"), ("token", "create", "bob", "--role", "link")],
    "ledger.mdb": [ADD_PROFILE, ("remote", "list"), ("remote", "remove", "x")],
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_missing_is_not_made_anew(data, name):
    """It would be empty: counts of uses would begin again, and revoked links would work."""
    (data / name).rename(data.parent / name)
    before = listing(data)
    for command in COMMANDS[name] + OPENERS[name]:
        said = refusal(data, *command)
        assert f"{data / name} is missing, and it was there before" in said and "docs/operations.md" in said, (command, said)
    assert listing(data) == before and not (data / name).exists(), "something was changed"
    (data.parent / name).rename(data / name)
    Server.command(fake(), "fsck", "--data", data)


def test_bodies_that_are_gone_are_not_begun_anew(data):
    """A disk that was not mounted, a backup of the index alone: every object would be listed, and none could be read."""
    (data / "blobs").rename(data.parent / "blobs")
    before = listing(data)
    for command in COMMANDS["index.mdb"]:
        said = refusal(data, *command)
        assert f"{data / 'blobs'} is missing, and it was there before" in said and "docs/operations.md" in said, (command, said)
    assert listing(data) == before and not (data / "blobs").exists(), "something was changed"
    (data.parent / "blobs").rename(data / "blobs")
    Server.command(fake(), "fsck", "--data", data)


def test_what_was_lost_can_be_given_up(data, tmp_path):
    """As docs/operations.md says: by hand."""
    for name, command in (("users.mdb", ("user", "add", "ana", "--make")), ("ledger.mdb", ADD_PROFILE)):
        (data / name).unlink()
        fake().command(*command, "--data", tmp_path / name)
        os.rename(tmp_path / name / name, data / name)
    with Server(data) as server:
        assert len(server.client().list_objects_v2(Bucket=BUCKET)["Contents"]) == 61


def test_a_folder_that_no_server_has_had_is_filled_in_any_order(start, tmp_path):
    fake().command(*ADD_PROFILE, "--data", tmp_path / "data")
    fake().command("user", "add", "ana", "--make", "--data", tmp_path / "data")
    start("--buckets", BUCKET, data=tmp_path / "data")


def answers(server, keys):
    """The status of a GET of each."""
    s3 = server.client()
    found = []
    for key in keys:
        try:
            found.append(s3.get_object(Bucket=BUCKET, Key=key)["ResponseMetadata"]["HTTPStatusCode"])
        except ClientError as error:
            found.append(error.response["ResponseMetadata"]["HTTPStatusCode"])
    return found


def test_a_file_that_is_cut_under_a_server(data):
    """What is there is answered, what is not is 500, and the server goes on. A change that can't be made ends it, and it says why."""
    path = data / "index.mdb"
    server = Server(data)
    keys = [f"{number:03d}" for number in range(60)]
    assert answers(server, keys) == [200] * 60
    whole = path.read_bytes()
    os.truncate(path, len(whole) // 8192 * 4096)
    found = answers(server, keys)
    assert set(found) <= {200, 500} and 500 in found, found
    os.truncate(path, 8192)
    assert answers(server, keys) == [500] * 60
    assert server.process.poll() is None, server.log()
    os.truncate(path, 0)
    assert answers(server, keys[:3]) == [500] * 3
    assert server.process.poll() is None, server.log()
    with open(path, "r+b") as file:  # all is there again: nothing that the server knows has been lost
        file.write(whole)
    assert answers(server, keys) == [200] * 60
    # The pages that a change looks for room in, and no read does: their tree is named by the later of both headers.
    headers = [whole[at + 16:at + 4096] for at in (0, 4096)]
    free = int.from_bytes(max(headers, key=lambda header: header[128:136][::-1])[64:72], "little")
    with open(path, "r+b") as file:
        file.seek(free * 4096)
        file.write(b"\xff" * 4096)
    try:
        server.client().put_object(Bucket=BUCKET, Key="new", Body=b"new")
        assert False, "it can't be written"
    except Exception:  # noqa: BLE001 - 500, or the connection is cut
        pass
    if server.process.poll() is None:
        assert answers(server, keys) == [200] * 60
        server.process.kill()
        server.process.wait()
    else:
        assert server.process.returncode == 1 and f"{path} is damaged: " in server.log(), server.log()


def test_last_pages_that_were_never_written(start):
    """A file may be shorter than its header says, and be whole. After many changes of large rows all opens again."""
    server = start("--buckets", BUCKET)
    s3 = server.client()
    for turn in range(10):
        for number in range(12):
            s3.put_object(Bucket=BUCKET, Key=f"{number}", Body=os.urandom(8000 - 600 * number))
        s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": f"{number}"} for number in range(turn, 12)]})
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        server = start(data=server.data, log=f"{server.data}.{turn}.log")
        s3 = server.client()


def test_unfinished_uploads_are_counted(start):
    server = start("--buckets", BUCKET)
    s3 = server.client()
    done = s3.create_multipart_upload(Bucket=BUCKET, Key="done")["UploadId"]
    tag = s3.upload_part(Bucket=BUCKET, Key="done", UploadId=done, PartNumber=1, Body=b"d" * 20_000)["ETag"]
    s3.complete_multipart_upload(Bucket=BUCKET, Key="done", UploadId=done,
                                 MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]})
    for key in ("a", "b"):
        upload = s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
        for number in (1, 2, 3):
            s3.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=number, Body=b"x" * 10_000)
    s3.create_multipart_upload(Bucket=BUCKET, Key="empty")
    census = json.loads(server.command("fsck", "--json", "--data", server.data).stdout)
    assert (census["unfinished_uploads"], census["unfinished_parts"], census["unfinished_bytes"]) == (3, 6, 60_000)
    assert "3 unfinished multipart uploads; 6 parts" in server.command("fsck", "--data", server.data).stdout
    s3.abort_multipart_upload(Bucket=BUCKET, Key="b", UploadId=upload)
    census = json.loads(server.command("fsck", "--json", "--data", server.data).stdout)
    assert census["unfinished_uploads"] == 2 and census["clean"]
