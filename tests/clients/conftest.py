"""Fixtures: servers over http and https, and the folder of mixed files."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import folder as folders  # noqa: E402
from protocol.conftest import authority, clean, s3, server, start  # noqa: E402, F401
from tools import FULL, RELEASE  # noqa: E402


@pytest.fixture(scope="module")
def secure(start, authority):
    return start("--tls-cert", authority / "cert.pem", "--tls-key", authority / "key.pem",
                 "--buckets", "pictures")


@pytest.fixture(scope="module")
def fast(start):
    """The release build: for much data."""
    return start("--buckets", "pictures", binary=RELEASE)


@pytest.fixture
def bucket(server, request):
    """A new bucket, named after the test."""
    name = "".join(c if c.isalnum() else "-" for c in request.node.name.lower())[:50].strip("-")
    server.client().create_bucket(Bucket=name)
    return name


@pytest.fixture(scope="session")
def mixed(tmp_path_factory):
    """The folder of mixed files. Not to be changed."""
    where = tmp_path_factory.mktemp("mixed") / "files"
    folders.make(where, "full" if FULL else "small")
    return str(where)
