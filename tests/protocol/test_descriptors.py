"""Files of bodies stay open between two requests, but never longer than the object that they are of."""
import contextlib
import glob
import os
import socket
import threading
import time

from botocore.exceptions import ClientError
from harness import code_of, presign, target_of

BUCKET = "pictures"
BODY = os.urandom(100_000)  # too large for the index
GONE = " (deleted)"
GRACE = 30


def open_bodies(server):
    """The files of bodies that the server has open, each with its path."""
    found = []
    folder = f"/proc/{server.process.pid}/fd"
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            target = os.readlink(f"{folder}/{name}")
            if f"{server.data}/blobs/" in target and not target.endswith("/lock"):
                found.append(target)
    return sorted(found)


def wait_until(condition, what):
    deadline = time.monotonic() + GRACE
    while not condition():
        assert time.monotonic() < deadline, what() if callable(what) else what
        time.sleep(0.01)


def body_files(server):
    return {path for path in glob.glob(f"{server.data}/blobs/*/*/*") if not path.endswith((".part", "clean"))}


def settle(server, count):
    """All that there are, and so many, are open. Blobs are deleted a moment after the answer."""
    def has_settled():
        return set(open_bodies(server)) == body_files(server) and len(open_bodies(server)) == count
    wait_until(has_settled, lambda: f"{count} bodies were to be open: {open_bodies(server)} of {body_files(server)}")


def get(s3, key, **options):
    return s3.get_object(Bucket=BUCKET, Key=key, **options)["Body"].read()


def put(s3, key, body=BODY, **options):
    return s3.put_object(Bucket=BUCKET, Key=key, Body=body, **options)


def test_a_body_stays_open_until_it_is_deleted(server, s3):
    put(s3, "kept")
    for _ in range(5):
        assert get(s3, "kept") == BODY
        assert get(s3, "kept", Range="bytes=5-99") == BODY[5:100]
    settle(server, 1)
    s3.delete_object(Bucket=BUCKET, Key="kept")
    settle(server, 0)


def test_what_is_overwritten_is_closed(server, s3):
    for number in range(5):
        body = os.urandom(50_000 + number)
        put(s3, "over", body)
        assert get(s3, "over") == body
    settle(server, 1)
    s3.delete_object(Bucket=BUCKET, Key="over")
    settle(server, 0)


def test_parts_and_copies(server, s3):
    """Each part is a body. A copy shares the bytes, and is one of its own."""
    parts = [os.urandom(5 << 20), os.urandom(200_000)]
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"]
    tags = [s3.upload_part(Bucket=BUCKET, Key="parts", UploadId=upload, PartNumber=number + 1, Body=body)["ETag"]
            for number, body in enumerate(parts)]
    s3.complete_multipart_upload(Bucket=BUCKET, Key="parts", UploadId=upload, MultipartUpload={
        "Parts": [{"PartNumber": number + 1, "ETag": tag} for number, tag in enumerate(tags)]})
    assert get(s3, "parts") == b"".join(parts)
    assert get(s3, "parts", Range="bytes=5242870-5242889") == parts[0][-10:] + parts[1][:10]
    settle(server, 2)
    put(s3, "source")
    assert get(s3, "source") == BODY
    s3.copy_object(Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": "source"})
    assert get(s3, "copy") == get(s3, "source") == BODY
    settle(server, 4)
    s3.delete_object(Bucket=BUCKET, Key="source")
    settle(server, 3)
    assert get(s3, "copy") == BODY
    s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "copy"}, {"Key": "parts"}]})
    settle(server, 0)


def test_who_reads_a_deleted_object_reads_it_to_its_end(server, s3):
    """Then, and when a reader goes away, the disk has the room again."""
    body = os.urandom(16 << 20)
    put(s3, "slow", body)
    request = f"GET {target_of(presign(s3, 'get_object', key='slow'))} HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode()
    readers = [socket.create_connection(("127.0.0.1", server.port), 30) for _ in range(3)]
    got = []
    for reader in readers:
        reader.sendall(request)
        got.append(reader.recv(1000))
    assert open_bodies(server) == list(body_files(server)), "all three read from one descriptor"
    s3.delete_object(Bucket=BUCKET, Key="slow")
    wait_until(lambda: not body_files(server), "the body is deleted")
    assert len(open_bodies(server)) == 1 and open_bodies(server)[0].endswith(GONE)
    readers[0].close()
    for reader, begun in zip(readers[1:], got[1:]):
        text = bytearray(begun)
        while len(text) < text.find(b"\r\n\r\n") + 4 + len(body):
            text += reader.recv(1 << 20)
        assert text.endswith(body)
        reader.close()
    settle(server, 0)


def test_a_file_that_others_change_is_looked_at_again(server, s3):
    """Damage is found, and a body that was put back is served, by a server that had it open."""
    put(s3, "damaged")
    assert get(s3, "damaged") == BODY
    path = open_bodies(server)[0]
    os.truncate(path, 70_000)
    assert code_of(s3.get_object, Bucket=BUCKET, Key="damaged") == "InternalError"
    with open(path, "r+b") as file:
        file.write(BODY)
    assert get(s3, "damaged") == BODY
    os.rename(path, f"{server.data}/aside")
    assert code_of(s3.get_object, Bucket=BUCKET, Key="damaged") == "InternalError"
    os.rename(f"{server.data}/aside", path)
    assert get(s3, "damaged") == BODY
    with open(f"{server.data}/aside", "wb") as file:
        file.write(BODY)
    os.rename(f"{server.data}/aside", path)
    assert get(s3, "damaged") == BODY
    settle(server, 1)
    s3.delete_object(Bucket=BUCKET, Key="damaged")
    settle(server, 0)


def test_many_bodies(start):
    """As many stay open as are an eighth of what the process may open; connections that need them get them."""
    server = start("--buckets", BUCKET, "--idle-timeout", "5", wrapper=("prlimit", "--nofile=64:64"))
    s3 = server.client(retries={"max_attempts": 1})
    for number in range(20):
        put(s3, f"many{number}", BODY[number:])
    for number in range(20):
        assert get(s3, f"many{number}") == BODY[number:]
    assert len(open_bodies(server)) == 8
    held = [socket.create_connection(("127.0.0.1", server.port), 30) for _ in range(100)]
    wait_until(lambda: not open_bodies(server), "what is open for nobody is closed for those who come")
    for sock in held:
        sock.close()

    def read_one():
        with contextlib.suppress(ClientError, OSError):  # connections are still being closed
            return get(s3, "many7") == BODY[7:]
        return False
    wait_until(read_one, "it goes on")
    for number in range(20):
        s3.delete_object(Bucket=BUCKET, Key=f"many{number}")
    settle(server, 0)


def test_readers_and_writers_at_once(server):
    """Every answer is one whole body, of those that there were; nothing is open for what is gone."""
    bodies = [bytes([65 + number]) * (20_000 + number) for number in range(6)]
    wrong = []

    def work(seed):
        s3 = server.client()
        for turn in range(12):
            key = f"busy{(turn + seed) % 3}"
            put(s3, key, bodies[(turn * 5 + seed) % 6])
            with contextlib.suppress(s3.exceptions.NoSuchKey):
                body = get(s3, key)
                if body not in bodies:
                    wrong.append(body[:100])
            if turn % 7 == seed:
                s3.delete_object(Bucket=BUCKET, Key=key)
    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    s3 = server.client()
    for number in range(3):
        s3.delete_object(Bucket=BUCKET, Key=f"busy{number}")
    settle(server, 0)
