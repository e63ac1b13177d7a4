"""Fixtures: Ceph's gateway for the whole session, a bucket, and `latchstring presign` for its user."""
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness import ACCESS_KEY, BINARY, SECRET_KEY, clean_environment  # noqa: E402
from radosgw import Gateway, missing_packages  # noqa: E402

BUCKET = "pictures"


@pytest.fixture(scope="session", autouse=True)
def clean():
    """boto3 sees nothing of the developer's own set-up."""
    for name in set(os.environ) - set(clean_environment()):
        del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = "/nonexistent"
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"


@pytest.fixture(scope="session")
def radosgw(clean, tmp_path_factory):
    """A running gateway."""
    missing = missing_packages()
    if missing:
        pytest.skip(f"Ceph's gateway is not installed: apt-get install {' '.join(missing)}")
    gateway = Gateway(tmp_path_factory.mktemp("ceph"))
    yield gateway
    statuses = gateway.stop()
    assert not any(statuses.values()), f"exit statuses on SIGTERM: {statuses}\n{gateway.log()}"


@pytest.fixture(scope="session")
def s3(radosgw):
    """A boto3 client, and with it the bucket."""
    client = radosgw.client()
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture
def presign(radosgw, s3):
    """presign("s3://pictures/cat.jpg", "--method", "PUT"): what the command prints."""
    def run(*arguments, input=None, endpoint=radosgw.endpoint, access_key=ACCESS_KEY, secret_key=SECRET_KEY):
        done = subprocess.run(
            [BINARY, "presign", "--endpoint-url", endpoint, *arguments], input=input, capture_output=True,
            text=True, check=False, timeout=60,
            env={**clean_environment(), "AWS_ACCESS_KEY_ID": access_key, "AWS_SECRET_ACCESS_KEY": secret_key,
                 "AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"})
        assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout.rstrip("\n")
    return run
