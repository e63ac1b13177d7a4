"""A folder of mixed files goes up with one client and comes down byte-equal with each other one.

What boto3 put is got by each client, what each put is got by boto3 and by its neighbour in the list.
"""
import pytest
from folder import compare
from tools import (
    AwsCli, AwsCli2, Boto3, GoAws, GoMinio, JavaScriptAws, JavaScriptMinio, Rclone, S3cmd, S3fs,
)

CLIENTS = {client.__name__: client for client in
           (Boto3, AwsCli, AwsCli2, S3cmd, Rclone, S3fs, JavaScriptAws, JavaScriptMinio, GoAws, GoMinio)}
NAMES = list(CLIENTS)
# By who put it: a bucket is filled once.
PAIRS = [("Boto3", name) for name in NAMES]
PAIRS += [(name, down) for i, name in enumerate(NAMES[1:], 1)
          for down in dict.fromkeys(("Boto3", NAMES[(i + 1) % len(NAMES)]))]


def skip_unless_it_runs(name):
    reason = CLIENTS[name].why_not()
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="module")
def stored(fast, mixed, tmp_path_factory):
    """The bucket that holds what a client put there."""
    buckets = {}

    def put(name):
        if name not in buckets:
            bucket = f"from-{name.lower()}"
            fast.client().create_bucket(Bucket=bucket)
            CLIENTS[name](fast, tmp_path_factory.mktemp("home")).up(mixed, bucket)
            buckets[name] = bucket
        return buckets[name]
    return put


@pytest.mark.parametrize(("up", "down"), PAIRS)
def test_a_folder_goes_up_and_comes_down(fast, stored, mixed, tmp_path, up, down):
    skip_unless_it_runs(up)
    skip_unless_it_runs(down)
    bucket = stored(up)
    got = tmp_path / "got"
    got.mkdir()
    CLIENTS[down](fast, tmp_path).down(bucket, str(got))
    unfit = {*CLIENTS[up].unfit, *CLIENTS[down].unfit}
    assert compare(mixed, got, without=unfit) == []


@pytest.mark.parametrize(("client", "times"), [(Rclone, 0), (S3cmd, 10**9)], ids=["Rclone", "S3cmd"])
def test_times_come_back(fast, stored, mixed, tmp_path, client, times):
    """With the clients that keep them: to the nanosecond, or the second. (A file "-" is a pipe to s3cmd: it has none.)"""
    bucket = stored(client.__name__)
    got = tmp_path / "got"
    got.mkdir()
    client(fast, tmp_path).down(bucket, str(got))
    assert [fault for fault in compare(mixed, got, without={*client.unfit, "-"}, times=times)
            if fault != "too many: '-'"] == []
