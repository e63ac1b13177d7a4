"""A disk that hangs, as that of a network does: who reads from it waits, and nobody else."""
import concurrent.futures
import os
import subprocess
import time

import pytest
from harness import Server, presign

BUCKET = "crash-bucket"
HERE = os.path.dirname(os.path.abspath(__file__))
BODY = os.urandom(1_500_000)


@pytest.fixture(name="library", scope="module")
def _library(tmp_path_factory):
    path = tmp_path_factory.mktemp("slow") / "slow_disk.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-D_GNU_SOURCE", "-o", path, os.path.join(HERE, "slow_disk.c"), "-ldl"], check=True)
    return str(path)


def test_nobody_waits_with_those_who_wait_for_the_disk(library, tmp_path):
    rule, log = tmp_path / "slow", tmp_path / "slow.log"
    environment = {"LD_PRELOAD": library, "SLOW_DISK": str(rule)}
    with Server(tmp_path / "data", "--buckets", BUCKET, environment=environment) as server:
        s3 = server.client()
        s3.put_object(Bucket=BUCKET, Key="large", Body=BODY)
        s3.put_object(Bucket=BUCKET, Key="small", Body=b"small")
        large, small = (presign(s3, "get_object", bucket=BUCKET, key=key) for key in ("large", "small"))
        get = lambda url: server.send("GET", url[len(server.endpoint):]).body
        assert get(large) == BODY
        rule.touch()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            waiting = [pool.submit(get, large) for _ in range(8)]
            try:
                deadline = time.monotonic() + 20
                while time.monotonic() < deadline and (not log.exists() or log.stat().st_size < 4):
                    time.sleep(0.01)
                for _ in range(8):
                    assert get(small) == b"small"
                    assert get(server.endpoint + "/-/health")
                s3.put_object(Bucket=BUCKET, Key="another", Body=BODY)
                assert not any(one.done() for one in waiting)
            finally:
                rule.unlink()
            assert all(one.result() == BODY for one in waiting)
        assert server.stop() == 0


@pytest.mark.skipif(not os.environ.get("LST_FULL"), reason="20 seconds: with the full sizes only")
def test_a_stop_ends_though_the_disk_never_answers(library, tmp_path):
    """--drain-timeout, and twenty seconds; then the process says what it is, and ends."""
    rule, log = tmp_path / "slow", tmp_path / "slow.log"
    environment = {"LD_PRELOAD": library, "SLOW_DISK": str(rule)}
    with Server(tmp_path / "data", "--buckets", BUCKET, "--drain-timeout", "1", environment=environment) as server:
        s3 = server.client()
        s3.put_object(Bucket=BUCKET, Key="large", Body=BODY)
        target = presign(s3, "get_object", bucket=BUCKET, key="large")[len(server.endpoint):]
        rule.touch()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(server.send, "GET", target)
            while not log.exists():
                assert not waiting.done()
                time.sleep(0.01)
            server.process.terminate()
            assert server.process.wait(40) == 1
            assert waiting.exception(10) is not None
        assert "something hangs, most likely the disk" in server.log()
