"""Listings, held against a model that is written from S3's documentation and nothing else."""
import random
import urllib.parse

import pytest
from botocore.exceptions import ClientError

BUCKET = "pictures"


def make_keys():
    chance = random.Random(7)
    keys = {"a", "a/", "a//", "a/b", "a/b/c", "a//b", "b/../c", "./d", "//", "/", "é/ü", "é/", "日本/語", "A", "a b",
            "a+b", "a%2Fb", "😀", "\uffff", "\ue000", "𐀀", "[x]", "x&y", "x<y>", "tab\there", "z" * 1024}
    for stem in ("p" * 500, "p" * 511, "p" * 512, "q" * 800):
        for _ in range(12):
            keys.add(stem + "".join(chance.choice("ab/é") for _ in range(chance.randrange(1, 60))))
    for _ in range(150):
        keys.add("/".join(chance.choice(["dir", "sub", "x", "", "é", "a-b", "a.b"])
                          for _ in range(chance.randrange(1, 6))) + str(chance.randrange(9)))
    return sorted((key for key in keys if len(key.encode()) <= 1024), key=str.encode)


@pytest.fixture(scope="module")
def keys(s3):
    found = make_keys()
    for key in random.Random(1).sample(found, len(found)):
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    return found


def model(keys, prefix="", delimiter="", after=""):
    """(kind, text) in order: every key, and every common prefix once."""
    entries, seen = [], set()
    for key in keys:
        if not key.startswith(prefix) or key.encode() <= after.encode():
            continue
        rest = key[len(prefix):]
        if delimiter and delimiter in rest:
            common = prefix + rest[:rest.index(delimiter) + len(delimiter)]
            if common not in seen and common.encode() > after.encode():
                seen.add(common)
                entries.append(("prefix", common))
        else:
            entries.append(("key", key))
    return entries


def entries_of(page):
    found = [("key", entry["Key"]) for entry in page.get("Contents", [])]
    found += [("prefix", entry["Prefix"]) for entry in page.get("CommonPrefixes", [])]
    return sorted(found, key=lambda entry: entry[1].encode())


PREFIXES = ["", "a", "a/", "a//", "/", "é", "p" * 500, "p" * 511, "p" * 512 + "a", "q" * 800, "dir", "dir/", "nothing"]
DELIMITERS = ["", "/", "//", "b", "é", "p"]


@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize("prefix", PREFIXES, ids=lambda text: ascii(text[:6]) + str(len(text)))
@pytest.mark.parametrize("version", ["list_objects_v2", "list_objects"])
def test_listing_is_as_the_model_says(s3, keys, version, prefix, delimiter):
    want = model(keys, prefix, delimiter)
    for size in (1000, 7):
        parameters = {"Bucket": BUCKET, "Prefix": prefix, "PaginationConfig": {"PageSize": size}}
        if delimiter:
            parameters["Delimiter"] = delimiter
        found = []
        for page in s3.get_paginator(version).paginate(**parameters):
            entries = entries_of(page)
            assert len(entries) <= size
            assert page.get("KeyCount", len(entries)) == len(entries)
            found += entries
        assert found == want


def test_entries_tell_what_head_tells(s3, keys):
    for entry in s3.list_objects_v2(Bucket=BUCKET, MaxKeys=20)["Contents"]:
        head = s3.head_object(Bucket=BUCKET, Key=entry["Key"])
        assert (entry["ETag"], entry["Size"]) == (head["ETag"], head["ContentLength"])
        assert entry["LastModified"].replace(microsecond=0) == head["LastModified"]
        assert entry["StorageClass"] == "STANDARD"


@pytest.mark.parametrize("after", ["a", "a/", "b", "p" * 511, "é", "\U0010ffff", "never there"])
def test_start_after(s3, keys, after):
    page = s3.list_objects_v2(Bucket=BUCKET, StartAfter=after)
    assert entries_of(page) == model(keys, after=after)[:1000] and page["StartAfter"] == after
    page = s3.list_objects(Bucket=BUCKET, Marker=after)
    assert entries_of(page) == model(keys, after=after)[:1000] and page["Marker"] == after


def test_start_after_within_a_common_prefix(s3, keys):
    page = s3.list_objects_v2(Bucket=BUCKET, StartAfter="dir/", Delimiter="/")
    assert ("prefix", "dir/") not in entries_of(page)


def test_what_a_page_says_of_itself(s3, keys):
    page = s3.list_objects_v2(Bucket=BUCKET, Prefix="dir/", Delimiter="/", MaxKeys=2)
    assert (page["Name"], page["Prefix"], page["Delimiter"], page["MaxKeys"]) == (BUCKET, "dir/", "/", 2)
    assert page["IsTruncated"] and page["NextContinuationToken"]
    following = s3.list_objects_v2(Bucket=BUCKET, Prefix="dir/", Delimiter="/",
                                   ContinuationToken=page["NextContinuationToken"])
    assert following["ContinuationToken"] == page["NextContinuationToken"]
    assert entries_of(page) + entries_of(following) == model(keys, "dir/", "/")


def test_max_keys(s3, keys):
    none = s3.list_objects_v2(Bucket=BUCKET, MaxKeys=0)
    assert none["KeyCount"] == 0 and not none["IsTruncated"]
    assert s3.list_objects_v2(Bucket=BUCKET, MaxKeys=5000)["MaxKeys"] in (1000, 5000)
    for bad in (-1,):
        with pytest.raises(ClientError) as caught:
            s3.list_objects_v2(Bucket=BUCKET, MaxKeys=bad)
        assert caught.value.response["Error"]["Code"] == "InvalidArgument"


def test_exactly_one_page_is_not_truncated(s3, keys):
    want = model(keys, "a")
    page = s3.list_objects_v2(Bucket=BUCKET, Prefix="a", MaxKeys=len(want))
    assert not page["IsTruncated"] and "NextContinuationToken" not in page and entries_of(page) == want


def test_a_token_that_is_none(s3, keys):
    with pytest.raises(ClientError) as caught:
        s3.list_objects_v2(Bucket=BUCKET, ContinuationToken="no such token!")
    assert caught.value.response["Error"]["Code"] == "InvalidArgument"


def test_url_encoding_is_what_was_asked_for(server, keys):
    """boto3 asks for encoding-type=url and decodes; here the raw answer."""
    s3 = server.client()
    s3.meta.events.unregister("after-call.s3.ListObjectsV2")
    page = s3.list_objects_v2(Bucket=BUCKET, Prefix="a b", EncodingType="url")
    assert page["EncodingType"] == "url"
    assert [urllib.parse.unquote_plus(entry["Key"]) for entry in page["Contents"]] == ["a b"]


def test_a_listing_while_it_is_written(s3, keys):
    """A page is a moment: keys that are there all along are all seen, in order."""
    import threading
    stop = threading.Event()

    def churn():
        number = 0
        while not stop.is_set():
            number += 1
            s3.put_object(Bucket=BUCKET, Key=f"zz-churn-{number % 17}", Body=b"x" * (number % 20000))
            s3.delete_object(Bucket=BUCKET, Key=f"zz-churn-{(number + 8) % 17}")
    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(5):
            pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, PaginationConfig={"PageSize": 50})
            seen = [entry["Key"] for page in pages for entry in page["Contents"]]
            assert [key for key in seen if not key.startswith("zz-churn-")] == keys
            assert seen == sorted(seen, key=str.encode)
    finally:
        stop.set()
        thread.join()
