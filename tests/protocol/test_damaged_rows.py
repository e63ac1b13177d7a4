"""Rows of index.mdb that changed on the disk: the object is 500, all others are as before; fsck names it and what to do."""
import hashlib
import json
import os
import random
import re

import pytest
from botocore.exceptions import ClientError
from harness import Server
from test_constraints import send, sign
from test_damaged import fake

BUCKET = "pictures"


def damage(data, text, name="index.mdb"):
    """Change one bit of every copy of the text in the file."""
    path = data / name
    content = bytearray(path.read_bytes())
    at = content.find(text)
    assert at >= 0, text
    while at >= 0:
        content[at + len(text) // 2] ^= 0x04
        at = content.find(text, at + 1)
    path.write_bytes(content)


def marker(name):
    return f"<the body of {name}, and no other one>".encode()


@pytest.fixture
def data(tmp_path):
    """A folder in which objects stand in every way: inline, in files, as versions, in parts; the server has stopped."""
    data = tmp_path / "data"
    with Server(data, "--buckets", f"{BUCKET},versions,parts") as server:
        s3 = server.client()
        s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
        for name in "abcde":
            s3.put_object(Bucket=BUCKET, Key=f"photo-{name}", Body=marker(name), ContentType=f"x/{name}-of-its-own")
        s3.put_object(Bucket=BUCKET, Key="photo-large", Body=os.urandom(50_000), ContentType="x/large-of-its-own")
        for name in ("old", "new"):
            s3.put_object(Bucket="versions", Key="key", Body=marker(name))
        upload = s3.create_multipart_upload(Bucket="parts", Key="whole")["UploadId"]
        part = s3.upload_part(Bucket="parts", Key="whole", UploadId=upload, PartNumber=1, Body=marker("part"))
        s3.complete_multipart_upload(Bucket="parts", Key="whole", UploadId=upload,
                                     MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    return data


def refused(call, **arguments):
    with pytest.raises(ClientError) as caught:
        answer = call(**arguments)
        answer["Body"].read()
    return caught.value.response["ResponseMetadata"]["HTTPStatusCode"], caught.value.response["Error"]["Code"]


def fsck(server):
    done = server.command("fsck", "--data", server.data, check=False)
    assert "Sanitizer" not in done.stderr, done.stderr
    return done.returncode, done.stdout




@pytest.mark.parametrize("name, text", [("photo-c", marker("c")), ("photo-d", b"x/d-of-its-own"),
                                        ("photo-large", b"x/large-of-its-own")],
                         ids=["a body", "a header", "the row of a file"])
def test_one_object(data, name, text):
    damage(data, text)
    with Server(data) as server:
        s3 = server.client()
        assert refused(s3.get_object, Bucket=BUCKET, Key=name) == (500, "InternalError")
        for other in "abcde":
            if f"photo-{other}" != name:
                assert s3.get_object(Bucket=BUCKET, Key=f"photo-{other}")["Body"].read() == marker(other)
        if text == marker(name[-1]):
            # A list shows nothing of a body, and reads none. What it shows is right.
            entry = next(entry for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"] if entry["Key"] == name)
            assert (entry["Size"], entry["ETag"]) == (len(text), f'"{hashlib.md5(text).hexdigest()}"')
        else:
            # A list that leaves it out would be wrong: who mirrors the bucket by it would delete the copy.
            assert refused(s3.list_objects_v2, Bucket=BUCKET) == (500, "InternalError")
        assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix="photo-a")["Contents"]] == ["photo-a"]
        code, said = fsck(server)
        assert code == 1, said
        assert f"{BUCKET}/{name}: its row is damaged: write the object again, or delete it\n" in said, said
        s3.put_object(Bucket=BUCKET, Key=name, Body=b"again")
        assert s3.get_object(Bucket=BUCKET, Key=name)["Body"].read() == b"again"
        assert len(s3.list_objects_v2(Bucket=BUCKET)["Contents"]) == 6
        if name != "photo-large":
            assert fsck(server)[0] == 0, "all is well again"
        else:
            # Which file was its body, nobody knows: it is kept.
            s3.delete_object(Bucket=BUCKET, Key=name)
            code, said = fsck(server)
            assert code == 1 and f"{BUCKET}/{name}: a blob's row names an object that does not have it" in said, said
            assert "stop the server and run 'latchstring fsck --reclaim'" in said, said
            assert "is in use by a server" in server.command("fsck", "--reclaim", "--data", data, check=False).stderr
    if name == "photo-large":
        assert len(bodies(data)) == 1
        said = fake().command("fsck", "--reclaim", "--data", data).stdout
        assert said.startswith("1 body of no object deleted\n"), said
        assert bodies(data) == []
        assert fake().command("fsck", "--data", data).stdout.endswith(": clean\n")


def test_what_a_terminal_is_shown_of_a_name(tmp_path):
    """fsck shows names that strangers chose: none begins a line of its own, or acts on the terminal."""
    data = tmp_path / "data"
    with Server(data, "--buckets", BUCKET) as server:
        server.client().put_object(Bucket=BUCKET, Key="a\x1b[2J\nall: clean\n\x7f\u009b1m\u00e4", Body=marker("evil"))
    damage(data, marker("evil"))
    said = fake().command("fsck", "--data", data, check=False).stdout
    assert f"{BUCKET}/a%1B[2J%0Aall: clean%0A%7F%C2%9B1m\u00e4: its row is damaged" in said, said


def bodies(data):
    return [path for path in (data / "blobs").rglob("*") if path.is_file() and re.fullmatch("[0-9a-f]{8}", path.name)]


def test_nothing_is_reclaimed_beside_damage(data):
    """A file that no row names may be the body of an object whose row can't be read; so may one whose object is another."""
    blob, = bodies(data)
    orphan = blob.with_name(f"{int(blob.name, 16) + 100:08x}")
    orphan.write_bytes(b"a body that an unclean end left")
    damage(data, b"x/large-of-its-own")
    done = fake().command("fsck", "--reclaim", "--json", "--data", data, check=False)
    assert done.returncode == 1 and json.loads(done.stdout)["clean"] is False and json.loads(done.stdout)["faults"], done
    done = fake().command("fsck", "--recount", "--reclaim", "--data", data, check=False)
    assert done.returncode == 2 and "can't be given together" in done.stderr, done
    done = fake().command("fsck", "--reclaim", "--data", data, check=False)
    assert done.returncode == 1 and "nothing was deleted: something else is wrong" in done.stderr, done
    assert f"{BUCKET}/photo-large: its row is damaged" in done.stdout, done
    assert sorted(bodies(data)) == sorted([blob, orphan])
    with Server(data) as server:
        server.client().delete_object(Bucket=BUCKET, Key="photo-large")
    orphan.write_bytes(b"a body that an unclean end left")  # if the server has not deleted it
    assert fake().command("fsck", "--reclaim", "--data", data).stdout.startswith("2 bodies of no object deleted\n")
    assert bodies(data) == []
    with Server(data) as server:
        assert len(server.client().list_objects_v2(Bucket=BUCKET)["Contents"]) == 5
    fake().command("fsck", "--data", data)


def test_deleting_one(data):
    damage(data, marker("c"))
    with Server(data) as server:
        s3 = server.client()
        s3.delete_object(Bucket=BUCKET, Key="photo-c")
        assert refused(s3.get_object, Bucket=BUCKET, Key="photo-c") == (404, "NoSuchKey")
        assert len(s3.list_objects_v2(Bucket=BUCKET)["Contents"]) == 5


@pytest.mark.parametrize("name, other", [("new", "old"), ("old", "new")])
def test_a_version(data, name, other):
    with Server(data) as server:
        s3 = server.client()
        new, old = [version["VersionId"] for version in s3.list_object_versions(Bucket="versions")["Versions"]]
    ids = {"new": new, "old": old}
    damage(data, marker(name))
    with Server(data) as server:
        s3 = server.client()
        assert refused(s3.get_object, Bucket="versions", Key="key", VersionId=ids[name]) == (500, "InternalError")
        assert s3.get_object(Bucket="versions", Key="key", VersionId=ids[other])["Body"].read() == marker(other)
        assert {entry["ETag"] for entry in s3.list_object_versions(Bucket="versions")["Versions"]} == {
            f'"{hashlib.md5(marker(each)).hexdigest()}"' for each in ids}, "of a body a list shows nothing"
        code, said = fsck(server)
        assert code == 1 and "versions/key: " in said and "is damaged: " in said, said
        s3.delete_object(Bucket="versions", Key="key", VersionId=ids[name])
        versions = s3.list_object_versions(Bucket="versions")["Versions"]
        assert [version["VersionId"] for version in versions] == [ids[other]]
        assert s3.get_object(Bucket="versions", Key="key")["Body"].read() == marker(other)
        assert fsck(server)[0] == 0


def test_a_part(data):
    damage(data, marker("part"))
    with Server(data) as server:
        s3 = server.client()
        code, said = fsck(server)
        assert code == 1 and "parts/whole: a part is missing or damaged" in said, said
        assert s3.head_object(Bucket="parts", Key="whole")["ContentLength"] == len(marker("part"))
        try:
            body = s3.get_object(Bucket="parts", Key="whole")["Body"].read()
        except Exception:  # 500, or an answer that is cut off
            body = None
        assert body is None, "damaged bytes are never given out"
        s3.delete_object(Bucket="parts", Key="whole")
        assert "Contents" not in s3.list_objects_v2(Bucket="parts")


def test_a_bucket(data):
    """Its own row: the bucket is 500, and the others are as before. The bodies in it stay, whatever nobody can tell of them."""
    files = {path for path in (data / "blobs").rglob("*") if path.is_file()}
    content = (data / "index.mdb").read_bytes()
    at = content.index(b"bpictures")
    damage(data, content[at:at + 20])
    for path in (data / "blobs").rglob("clean"):
        path.unlink()  # as after a crash: what no row names is deleted at the start
    with Server(data) as server:
        s3 = server.client()
        assert refused(s3.list_objects_v2, Bucket="pictures")[0] in (404, 500)
        assert s3.get_object(Bucket="versions", Key="key")["Body"].read() == marker("new")
        assert refused(s3.list_buckets) == (500, "InternalError")
        code, said = fsck(server)
        assert code == 1 and "the bucket's own row is damaged" in said, said
    assert {path for path in files if path.name not in ("clean", "lock")} <= set((data / "blobs").rglob("*"))


def usage(server, bucket):
    rows = json.loads(server.command("usage", "--json", "--data", server.data).stdout)
    return next([row[name] for name in ("objects", "versions", "bytes", "uploads")] for row in rows if row["bucket"] == bucket)


def test_counts(data):
    """A bucket whose counts are damaged can be used; they are counted anew when somebody asks for it."""
    size = sum(len(marker(name)) for name in "abcde") + 50_000
    damage(data, b"".join(number.to_bytes(8, "big") for number in (6, 6, size, 0)))
    with Server(data) as server:
        server.client().put_object(Bucket=BUCKET, Key="one more", Body=b"1234")
        done = server.command("usage", "--data", data, check=False)
        assert done.returncode == 1 and "the counts of the bucket 'pictures' are damaged" in done.stderr, done
        assert [BUCKET, "-", "-", "-", "-"] in [line.split() for line in done.stdout.splitlines()]
        done = server.command("usage", "--json", "--data", data, check=False)
        assert [row["objects"] for row in json.loads(done.stdout) if row["bucket"] == BUCKET] == [None]
        assert "latchstring_objects " not in server.send("GET", "/-/metrics").body.decode()
        code, said = fsck(server)
        assert code == 1 and "pictures/: the bucket's counts are damaged: stop the server and run 'latchstring fsck --recount'" in said
        assert "is in use by a server" in server.command("fsck", "--recount", "--data", data, check=False).stderr
    done = server.command("fsck", "--recount", "--data", data)
    assert "clean" in done.stdout
    assert usage(server, BUCKET) == [7, 7, size + 4, 0]
    assert "counts say" not in done.stdout
    missing = data.parent / "missing"
    assert server.command("fsck", "--recount", "--data", missing, check=False).returncode == 1 and not missing.exists()


def test_counts_are_kept(tmp_path):
    """Each way to write, one after the other. (That they equal a count, fsck tells after every other test, too.)"""
    with Server(tmp_path / "data", "--buckets", BUCKET) as server:
        s3 = server.client()
        assert usage(server, BUCKET) == [0, 0, 0, 0]
        s3.put_object(Bucket=BUCKET, Key="a", Body=b"12345")
        s3.put_object(Bucket=BUCKET, Key="a", Body=b"123")
        s3.put_object(Bucket=BUCKET, Key="b", Body=bytes(10_000))
        assert usage(server, BUCKET) == [2, 2, 10_003, 0]
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        old = s3.put_object(Bucket=BUCKET, Key="a", Body=b"1234567")["VersionId"]
        s3.delete_object(Bucket=BUCKET, Key="a")
        assert usage(server, BUCKET) == [1, 4, 10_010, 0]
        s3.delete_object(Bucket=BUCKET, Key="a", VersionId=old)
        marker_id = s3.list_object_versions(Bucket=BUCKET)["DeleteMarkers"][0]["VersionId"]
        s3.delete_object(Bucket=BUCKET, Key="a", VersionId=marker_id)
        assert usage(server, BUCKET) == [2, 2, 10_003, 0]
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
        s3.delete_object(Bucket=BUCKET, Key="a")
        assert usage(server, BUCKET) == [1, 2, 10_000, 0]
        upload = s3.create_multipart_upload(Bucket=BUCKET, Key="c")["UploadId"]
        given_up = s3.create_multipart_upload(Bucket=BUCKET, Key="c")["UploadId"]
        part = s3.upload_part(Bucket=BUCKET, Key="c", UploadId=upload, PartNumber=1, Body=bytes(20_000))
        assert usage(server, BUCKET) == [1, 2, 10_000, 2]
        s3.abort_multipart_upload(Bucket=BUCKET, Key="c", UploadId=given_up)
        s3.complete_multipart_upload(Bucket=BUCKET, Key="c", UploadId=upload,
                                     MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
        s3.copy_object(Bucket=BUCKET, Key="d", CopySource=f"{BUCKET}/c")
        s3.put_object_tagging(Bucket=BUCKET, Key="d", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
        assert usage(server, BUCKET) == [3, 4, 50_000, 0]
        body = server.send("GET", "/-/metrics").body.decode()
        for line in ("objects 3", "object_versions 4", "object_bytes 50000", "multipart_uploads 0"):
            assert f"\nlatchstring_{line}\n" in body, body
        assert fsck(server)[0] == 0
        lines = server.command("usage", "--data", server.data).stdout.splitlines()
        assert lines[1].split() == [BUCKET, "3", "4", "50000", "0"]


@pytest.mark.parametrize("number", [b"1", b"2", b"3", b"5"])
def test_the_format_of_another_version(data, number):
    for name, commands in {"index.mdb": [("fsck",), ("serve", "--listen", "127.0.0.1:0")],
                           "users.mdb": [("user", "list"), ("serve", "--listen", "127.0.0.1:0")],
                           "ledger.mdb": [("profile", "list"), ("remote", "list"),
                                          ("serve", "--listen", "127.0.0.1:0")]}.items():
        path = data / name
        whole = path.read_bytes()
        other = whole.replace(b"latchstring index 4", b"latchstring index " + number)
        assert other != whole
        path.write_bytes(other)
        for command in commands:
            done = Server.command(fake(), *command, "--data", data, check=False)
            assert done.returncode == 1 and "Sanitizer" not in done.stderr, done
            assert f"{path} was written by another version of Latchstring" in done.stderr, (command, done.stderr)
            assert path.read_bytes() == other, "something was changed"
        path.write_bytes(whole)
    Server.command(fake(), "fsck", "--data", data)


@pytest.mark.parametrize("name, command", [("users.mdb", ("user", "add", "anastasia")),
                                           ("ledger.mdb", ("profile", "add", "anastasia", "--bucket", BUCKET, "--key", "{uuid}"))])
def test_rows_of_the_other_files(data, name, command):
    """fsck reads them, too."""
    Server.command(fake(), *command, "--data", data)
    assert Server.command(fake(), "fsck", "--data", data).returncode == 0
    path = data / name
    content = path.read_bytes()
    assert b"anastasia" in content
    path.write_bytes(content.replace(b"anastasia", b"anastasja"))
    done = Server.command(fake(), "fsck", "--data", data, check=False)
    assert done.returncode == 1 and "Sanitizer" not in done.stderr, done
    assert f"{path} is damaged: restore" in done.stderr and "the row is damaged" in done.stderr, done.stderr
    assert done.stdout.endswith(": damaged\n"), done.stdout
    done = Server.command(fake(), "fsck", "--json", "--data", data, check=False)
    said = json.loads(done.stdout)
    assert done.returncode == 1 and said["clean"] is False and {fault["file"] for fault in said["faults"]} == {name}, said


def names(count=200):
    return [f"small{number:03}.txt" for number in range(count)]


def body_of(name):
    return name.replace("small", "body ").encode()


@pytest.fixture
def many(tmp_path):
    """A folder whose rows fill some pages."""
    data = tmp_path / "data"
    with Server(data, "--buckets", BUCKET) as server:
        s3 = server.client()
        for name in names():
            s3.put_object(Bucket=BUCKET, Key=name, Body=body_of(name))
    return data


def rename(path, old, new):
    """Of an object's row, in every copy of it: not where the name says between which pages a key is."""
    content = bytearray(path.read_bytes())
    places = [found.start() for found in re.finditer(re.escape(old), content)]
    places = [at for at in places if body_of(old.decode()) in content[at:at + 300]]
    assert places and len(old) == len(new)
    for at in places:
        content[at:at + len(old)] = new
    path.write_bytes(content)


@pytest.mark.parametrize("new", [b"small160.txt", b"small020.txt", b"Small120.txt", b"small120.tzt"])
def test_a_name_out_of_order(many, new):
    """LMDB no longer finds some rows of the page. Each change comes to an end: done, or 500."""
    rename(many / "index.mdb", b"small120.txt", new)
    with Server(many) as server:
        s3 = server.client(retries={"total_max_attempts": 1}, read_timeout=30)
        around = [name for name in names() if name != "small120.txt"][100:140]
        for name in around:
            assert s3.get_object(Bucket=BUCKET, Key=name)["Body"].read() == body_of(name)
        ends = []
        for name in around:
            for call in (lambda: s3.put_object(Bucket=BUCKET, Key=name, Body=body_of(name)),
                         lambda: s3.delete_object(Bucket=BUCKET, Key=name),
                         lambda: s3.put_object(Bucket=BUCKET, Key=name, Body=body_of(name))):
                try:
                    ends.append(call()["ResponseMetadata"]["HTTPStatusCode"])
                except ClientError as error:
                    ends.append(error.response["ResponseMetadata"]["HTTPStatusCode"])
        assert set(ends) <= {200, 204, 500}, ends
        for name in around:
            assert s3.get_object(Bucket=BUCKET, Key=name)["Body"].read() == body_of(name)
        code, said = fsck(server)
        assert code == 1 and f"{BUCKET}/{new.decode()}: its row is damaged" not in said, said


@pytest.mark.parametrize("new", [b"small160.txt", b"small020.txt", b"Small120.txt", b"small120.tzt"])
@pytest.mark.parametrize("mending", ["writing", "deleting"])
def test_the_name_that_it_had(many, new, mending):
    """fsck finds it out; what it says to do works, and mends the page."""
    rename(many / "index.mdb", b"small120.txt", new)
    with Server(many) as server:
        s3 = server.client()
        around = [name for name in names() if name != "small120.txt"][100:140]
        assert refused(s3.get_object, Bucket=BUCKET, Key="small120.txt") == (500, "InternalError")
        code, said = fsck(server)
        assert code == 1 and f"{BUCKET}/small120.txt: its row is damaged: write the object again, or delete it\n" in said, said
        assert f"{BUCKET}/{new.decode()}: " not in said, said
        if mending == "writing":
            s3.put_object(Bucket=BUCKET, Key="small120.txt", Body=body_of("small120.txt"))
        else:
            s3.delete_object(Bucket=BUCKET, Key="small120.txt")
        for name in around:
            s3.put_object(Bucket=BUCKET, Key=name, Body=b"again")
        listed = [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
        assert listed == [name for name in names() if name != "small120.txt" or mending == "writing"]
        code, said = fsck(server)
        assert code == 0, said


def test_a_page(many):
    """One that makes no sense: what can still be read is copied to a new server, as docs/operations.md says."""
    path = many / "index.mdb"
    content = bytearray(path.read_bytes())
    for start in range(0, len(content), 4096):  # the page, and what is left of it from earlier times
        if body_of("small120.txt") in content[start:start + 4096]:
            content[start:start + 4096] = random.Random(start).randbytes(4096)
    path.write_bytes(content)
    with Server(many) as server, Server(many.parent / "new", "--buckets", BUCKET) as other:
        s3 = server.client()
        code, said = fsck(server)
        found = re.findall(rf"^{BUCKET}/(\S+): a page of the index is damaged \(.*\): objects from this key up to, "
                           r"but not including, '(\S+)' may be lost\.", said, re.MULTILINE)
        assert code == 1 and found, said
        lost = [name for name in names() if any(first <= name < end for first, end in found)]
        assert "small120.txt" in lost and len(lost) < 50
        for name in (lost[0], "small120.txt"):
            assert refused(s3.put_object, Bucket=BUCKET, Key=name, Body=b"again") == (500, "InternalError")
        end = names()[names().index(lost[-1]) + 1]
        keys = [end]
        for after in ("", end):
            pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, StartAfter=after, PaginationConfig={"PageSize": 1})
            try:
                for page in pages:
                    keys += [entry["Key"] for entry in page.get("Contents", [])]
            except ClientError as error:
                assert after == "" and error.response["Error"]["Code"] == "InternalError"
        # The last one before the damage can't be listed: whether more comes behind it, nobody knows. It can be read.
        before = names()[names().index(lost[0]) - 1]
        assert sorted(keys) == [name for name in names() if name not in lost and name != before]
        for name in (*keys[:3], before):
            other.client().put_object(Bucket=BUCKET, Key=name, Body=s3.get_object(Bucket=BUCKET, Key=name)["Body"].read())


def listed(data, what, status):
    """How a list ends, as people and as programs see it."""
    done = Server.command(fake(), what, "list", "--data", data, check=False)
    as_json = Server.command(fake(), what, "list", "--json", "--data", data, check=False)
    assert (done.returncode, as_json.returncode) == (status, status), done
    assert "Sanitizer" not in done.stderr + as_json.stderr
    assert ("are damaged" in done.stderr) == (status == 1), done.stderr
    return done.stdout, json.loads(as_json.stdout)


def test_a_user(data):
    """One whose row is damaged hides no other one, and can be removed and added again."""
    made = {name: json.loads(Server.command(fake(), "user", "add", name, "--json", "--data", data).stdout) for name in ("ana", "bob")}
    keys = {name: re.search(r'"secret_access_key": *"([^"]+)"', json.dumps(made[name])).group(1) for name in made}
    damage(data, keys["bob"].encode(), "users.mdb")
    text, users = listed(data, "user", 1)
    assert re.search(r"(?m)^ana +enabled", text) and re.search(r"(?m)^bob +damaged$", text), text
    assert {"name": "bob", "damaged": True} in users and "ana" in {user["name"] for user in users}
    Server.command(fake(), "user", "disable", "ana", "--data", data)
    Server.command(fake(), "user", "add", "carol", "--data", data)
    done = Server.command(fake(), "user", "show", "bob", "--data", data, check=False)
    assert done.returncode == 1 and "remove the user and add it again" in done.stderr, done.stderr
    Server.command(fake(), "user", "remove", "bob", "--data", data)
    Server.command(fake(), "user", "add", "bob", "--data", data)
    assert "bob" in {user["name"] for user in listed(data, "user", 0)[1]}
    assert Server.command(fake(), "fsck", "--data", data).returncode == 0


@pytest.mark.parametrize("name, by_name", [("two", False), ("two", True), ("sixteen-letters-", True)])
def test_a_token(data, name, by_name):
    """The same of a token. That it is damaged keeps nobody from adding users, whose old tokens are looked for."""
    with Server(data):  # the user root
        pass
    made = [Server.command(fake(), "token", "create", each, "--role", "link", "--data", data).stdout for each in ("one", name)]
    token = re.search(r"lst_([a-z0-9]{16})_([A-Za-z0-9]+)", made[1])
    damage(data, hashlib.sha256(token.group(2).encode()).hexdigest().encode(), "users.mdb")
    text, tokens = listed(data, "token", 1)
    assert re.search(r"(?m)^one ", text) and re.search(rf"(?m)^\? +{token.group(1)} +damaged$", text), text
    assert {"id": token.group(1), "damaged": True} in tokens
    Server.command(fake(), "user", "add", "ana", "--data", data)
    Server.command(fake(), "token", "revoke", name if by_name else token.group(1), "--data", data)
    Server.command(fake(), "token", "create", name, "--role", "link", "--data", data)
    assert {each["name"] for each in listed(data, "token", 0)[1]} == {"one", name}
    assert Server.command(fake(), "fsck", "--data", data).returncode == 0


def test_an_id_that_is_no_text(data):
    """What stands in the row's name now is shown as far as it can be."""
    with Server(data):  # the user root
        pass
    made = Server.command(fake(), "token", "create", "one", "--role", "link", "--data", data).stdout
    token = re.search(r"lst_([a-z0-9]{16})_", made).group(1)
    path = data / "users.mdb"
    path.write_bytes(path.read_bytes().replace(b"t" + token.encode(), b"t" + token[:-1].encode() + b"\xff"))
    text, tokens = listed(data, "token", 1)
    assert {"id": token[:-1] + "?", "damaged": True} in tokens and f"{token[:-1]}? damaged\n" in text, text


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_revocation(data, number):
    """Nobody knows whose it was. Each link is looked up then: the revoked ones are refused, all others go on."""
    with Server(data) as server:
        server.client().put_object(Bucket="pictures", Key="cat.jpg", Body=b"a cat")
        for name in ("one", "two", "three"):
            server.command("link", "revoke", "--endpoint-url", server.endpoint, sign(server, id=name))
    path = data / "ledger.mdb"
    content = bytearray(path.read_bytes())
    row, at = b"L" + number.to_bytes(8, "big"), 0
    while (at := content.find(row, at + 1)) >= 0:
        content[at + len(row) + 6] ^= 0x04
    path.write_bytes(content)
    with Server(data) as server:
        for _ in range(2):
            for name in ("one", "two", "three"):
                assert send("GET", sign(server, id=name)).status in (403, 500), name
            for name in ("unknown", "zulu"):
                assert send("GET", sign(server, id=name, uses=2)).status == 200, name
        assert fsck(server)[0] == 1
