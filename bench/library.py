"""The signing library: against the SHA-256 that it can't avoid (bench/sign.c), and against botocore."""
import os
import re
import statistics
import subprocess
import sys
import time

import boto3
from botocore.config import Config

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "bench"))

from table import Table  # noqa: E402


def botocore_seconds():
    """One generate_presigned_url, with all that boto3 caches in place."""
    s3 = boto3.client("s3", region_name="eu-west-1", aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
                      aws_secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                      config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))
    parameters = {"Bucket": "examplebucket", "Key": "photos/2013/05/24/IMG_4711.jpg"}
    rounds = []
    for _ in range(10):
        started = time.process_time()
        for _ in range(100):
            s3.generate_presigned_url("get_object", Params=parameters)
        rounds.append((time.process_time() - started) / 100)
    return statistics.median(rounds[1:])


def main():
    table = Table("the library")
    done = subprocess.run([os.path.join(ROOT, "build", "release", "bench", "sign")], text=True, capture_output=True, check=False)
    blocks = re.search(r"blocks of SHA-256 take ([\d.]+) ns", done.stdout)
    assert blocks, done.stdout + done.stderr
    presign, check = (float(re.search(rf"{name}\s+([\d.]+) times", done.stdout).group(1)) for name in ("presign", "check"))
    nanoseconds = float(blocks.group(1))
    table.add("presign with a cached key, against its blocks of SHA-256", presign, 1.5, f"{presign * nanoseconds:,.0f} ns", at_most=True)
    table.add("a full check of a raw request, against its blocks", check, 2, f"{check * nanoseconds:,.0f} ns", at_most=True)
    theirs = botocore_seconds()
    table.add("presign, times as fast as botocore", theirs / (presign * nanoseconds / 1e9), 200, f"botocore: {theirs * 1e6:,.0f} us")
    return table.status()


if __name__ == "__main__":
    sys.exit(main())
