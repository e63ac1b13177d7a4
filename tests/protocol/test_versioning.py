"""Versioning as people use it: ids, delete markers, null versions, and every operation by version."""
import concurrent.futures
import re

import pytest
from botocore.exceptions import ClientError
from harness import code_of, presign, sign_and_send, target_of


@pytest.fixture
def bucket(s3, request):
    name = "v-" + re.sub("[^a-z0-9]+", "-", request.node.name.lower())[:50].strip("-")
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def enabled(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return bucket


def put(s3, bucket, key, body):
    return s3.put_object(Bucket=bucket, Key=key, Body=body)["VersionId"]


def versions(s3, bucket, **parameters):
    """(key, version id, is latest, is marker) of all, in the order of the answer as far as it has one."""
    page = s3.list_object_versions(Bucket=bucket, **parameters)
    found = [(v["Key"], v["VersionId"], v["IsLatest"], False) for v in page.get("Versions", [])]
    return found + [(m["Key"], m["VersionId"], m["IsLatest"], True) for m in page.get("DeleteMarkers", [])]


def test_the_state_of_a_bucket(s3, bucket):
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    for status in ("Enabled", "Suspended", "Enabled"):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == status


@pytest.mark.parametrize("document,code", [
    (b"<VersioningConfiguration/>", "IllegalVersioningConfigurationException"),
    (b"<VersioningConfiguration><Status>On</Status></VersioningConfiguration>", "MalformedXML"),
    (b"<VersioningConfiguration><Status>Enabled</Status>", "MalformedXML"),
    (b"<VersioningConfiguration><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>"
     b"</VersioningConfiguration>", "NotImplemented")])
def test_what_is_no_state(server, document, code):
    answer = sign_and_send(server, "PUT", "/pictures", document, query="versioning=")
    assert answer.error["Code"] == code
    assert code[:7] != "Illegal" or answer.error["Message"] == "The Versioning element must be specified"
    assert b"Status" not in sign_and_send(server, "GET", "/pictures", query="versioning=").body


def test_each_put_is_a_version(s3, enabled):
    ids = [put(s3, enabled, "k", f"body {i}".encode()) for i in range(4)]
    assert len(set(ids)) == 4 and "null" not in ids
    latest = s3.get_object(Bucket=enabled, Key="k")
    assert latest["Body"].read() == b"body 3" and latest["VersionId"] == ids[3]
    for i, version in enumerate(ids):
        assert s3.get_object(Bucket=enabled, Key="k", VersionId=version)["Body"].read() == f"body {i}".encode()
        assert s3.head_object(Bucket=enabled, Key="k", VersionId=version)["ContentLength"] == 6
    listed = s3.list_object_versions(Bucket=enabled)["Versions"]
    assert [v["VersionId"] for v in listed] == ids[::-1]
    assert [v["IsLatest"] for v in listed] == [True, False, False, False]
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=enabled)["Contents"]] == ["k"]


def test_large_bodies_too(s3, enabled):
    bodies = [bytes([i]) * 300_000 for i in range(3)]
    ids = [put(s3, enabled, "large", body) for body in bodies]
    for version, body in zip(ids, bodies):
        assert s3.get_object(Bucket=enabled, Key="large", VersionId=version)["Body"].read() == body
    s3.delete_object(Bucket=enabled, Key="large", VersionId=ids[1])
    assert s3.get_object(Bucket=enabled, Key="large", VersionId=ids[0])["Body"].read() == bodies[0]


def test_a_delete_leaves_a_marker(server, s3, enabled):
    version = put(s3, enabled, "k", b"kept")
    marker = s3.delete_object(Bucket=enabled, Key="k")
    assert marker["DeleteMarker"] is True and marker["VersionId"] != version
    answer = server.send("GET", target_of(presign(s3, "get_object", Bucket=enabled, Key="k")))
    assert answer.status == 404 and answer.error["Code"] == "NoSuchKey"
    assert answer.headers["x-amz-delete-marker"] == "true"
    assert answer.headers["x-amz-version-id"] == marker["VersionId"]
    url = presign(s3, "get_object", Bucket=enabled, Key="k", VersionId=marker["VersionId"])
    answer = server.send("GET", target_of(url))
    assert answer.status == 405 and answer.headers["x-amz-delete-marker"] == "true"
    assert "DELETE" in answer.headers["Allow"]
    assert s3.get_object(Bucket=enabled, Key="k", VersionId=version)["Body"].read() == b"kept"
    assert "Contents" not in s3.list_objects_v2(Bucket=enabled)
    assert versions(s3, enabled) == [("k", version, False, False), ("k", marker["VersionId"], True, True)]
    undone = s3.delete_object(Bucket=enabled, Key="k", VersionId=marker["VersionId"])
    assert undone["DeleteMarker"] is True and undone["VersionId"] == marker["VersionId"]
    assert s3.get_object(Bucket=enabled, Key="k")["VersionId"] == version


def test_a_delete_of_what_is_not_there_leaves_a_marker_too(s3, enabled):
    marker = s3.delete_object(Bucket=enabled, Key="never")
    assert marker["DeleteMarker"] is True
    assert versions(s3, enabled) == [("never", marker["VersionId"], True, True)]


def test_deleting_versions_brings_back_the_one_before(s3, enabled):
    ids = [put(s3, enabled, "k", bytes([65 + i])) for i in range(3)]
    s3.delete_object(Bucket=enabled, Key="k", VersionId=ids[2])
    assert s3.get_object(Bucket=enabled, Key="k")["Body"].read() == b"B"
    s3.delete_object(Bucket=enabled, Key="k", VersionId=ids[0])
    assert s3.get_object(Bucket=enabled, Key="k")["VersionId"] == ids[1]
    s3.delete_object(Bucket=enabled, Key="k", VersionId=ids[1])
    assert code_of(s3.get_object, Bucket=enabled, Key="k") == "NoSuchKey"
    assert versions(s3, enabled) == []
    assert code_of(s3.get_object, Bucket=enabled, Key="k", VersionId=ids[1]) == "NoSuchVersion"


def test_null_versions(s3, bucket):
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"before")
    assert "VersionId" not in first and "VersionId" not in s3.get_object(Bucket=bucket, Key="k")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_object(Bucket=bucket, Key="k")["VersionId"] == "null"
    second = put(s3, bucket, "k", b"enabled")
    assert s3.get_object(Bucket=bucket, Key="k", VersionId="null")["Body"].read() == b"before"
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    assert "VersionId" not in s3.put_object(Bucket=bucket, Key="k", Body=b"suspended"), "as in S3"
    assert s3.get_object(Bucket=bucket, Key="k", VersionId="null")["Body"].read() == b"suspended"
    assert versions(s3, bucket) == [("k", "null", True, False), ("k", second, False, False)]
    marker = s3.delete_object(Bucket=bucket, Key="k")
    assert marker["DeleteMarker"] is True and marker["VersionId"] == "null"
    assert versions(s3, bucket) == [("k", second, False, False), ("k", "null", True, True)]


@pytest.mark.parametrize("version,code", [
    ("", "InvalidArgument"), ("nonsense", "InvalidArgument"), ("null", "NoSuchVersion"),
    ("0123456789abcdef0123456789abcdef", "NoSuchVersion")])
def test_ids_that_name_nothing(server, s3, enabled, version, code):
    put(s3, enabled, "k", b"x")
    answer = sign_and_send(server, "GET", f"/{enabled}/k", query="versionId=" + version)
    assert answer.error["Code"] == code
    if code == "NoSuchVersion":
        assert answer.status == 404 and answer.error["VersionId"] == version
        assert sign_and_send(server, "DELETE", f"/{enabled}/k", query="versionId=" + version).status == 204
    else:
        assert answer.status == 400
        assert sign_and_send(server, "DELETE", f"/{enabled}/k", query="versionId=" + version).status == 400


def test_many_versions_at_once(s3, enabled):
    ids = [put(s3, enabled, "k", bytes([i])) for i in range(5)]
    other = put(s3, enabled, "other", b"o")
    answer = s3.delete_objects(Bucket=enabled, Delete={"Objects": [
        {"Key": "k", "VersionId": ids[4]}, {"Key": "k", "VersionId": ids[2]}, {"Key": "other"},
        {"Key": "k", "VersionId": ids[3]}, {"Key": "none"}, {"Key": "k", "VersionId": "bad"}]})
    assert [e["Code"] for e in answer["Errors"]] == ["NoSuchVersion"] and answer["Errors"][0]["VersionId"] == "bad"
    by_key = {(d["Key"], d.get("VersionId")): d for d in answer["Deleted"]}
    assert by_key["other", None]["DeleteMarker"] is True and by_key["other", None]["DeleteMarkerVersionId"] != other
    assert by_key["none", None]["DeleteMarker"] is True
    assert "DeleteMarker" not in by_key["k", ids[4]]
    assert s3.get_object(Bucket=enabled, Key="k")["VersionId"] == ids[1]
    rest = [{"Key": v[0], "VersionId": v[1]} for v in versions(s3, enabled)]
    answer = s3.delete_objects(Bucket=enabled, Delete={"Objects": rest})
    assert len(answer["Deleted"]) == len(rest) and "Errors" not in answer
    assert versions(s3, enabled) == []
    s3.delete_bucket(Bucket=enabled)


def test_a_bucket_with_versions_is_not_empty(s3, enabled):
    put(s3, enabled, "k", b"x")
    s3.delete_object(Bucket=enabled, Key="k")
    with pytest.raises(ClientError, match="You must delete all versions in the bucket"):
        s3.delete_bucket(Bucket=enabled)


def test_pages_of_versions(s3, enabled):
    for i in range(3):
        for key in ("a", "b/1", "b/2", "c"):
            put(s3, enabled, key, bytes([i]))
    s3.delete_object(Bucket=enabled, Key="c")
    whole = s3.list_object_versions(Bucket=enabled)
    everything = [(v["Key"], v["VersionId"]) for v in whole["Versions"]]
    assert len(everything) == 12 and [k for k, _ in everything] == sorted(k for k, _ in everything)
    for size in (1, 2, 5):
        got, markers = [], 0
        for page in s3.get_paginator("list_object_versions").paginate(
                Bucket=enabled, PaginationConfig={"PageSize": size}):
            assert len(page.get("Versions", [])) + len(page.get("DeleteMarkers", [])) <= size
            got += [(v["Key"], v["VersionId"]) for v in page.get("Versions", [])]
            markers += len(page.get("DeleteMarkers", []))
        assert got == everything and markers == 1
    page = s3.list_object_versions(Bucket=enabled, Delimiter="/")
    assert [p["Prefix"] for p in page["CommonPrefixes"]] == ["b/"]
    assert {v["Key"] for v in page["Versions"]} == {"a", "c"}
    assert {v[0] for v in versions(s3, enabled, Prefix="b/")} == {"b/1", "b/2"}


def test_markers_that_are_not_right(server):
    for query in ("versions=&version-id-marker=abc", "versions=&key-marker=k&version-id-marker="):
        assert sign_and_send(server, "GET", "/pictures", query=query).error["Code"] == "InvalidArgument"


def test_writers_at_the_same_time_lose_nothing(server, enabled):
    clients = [server.client() for _ in range(4)]

    def write(number):
        return put(clients[number % 4], enabled, "hot", b"%d" % number)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(write, range(40)))
    s3 = clients[0]
    listed = s3.list_object_versions(Bucket=enabled)["Versions"]
    assert {v["VersionId"] for v in listed} == set(ids) and len(ids) == 40
    assert [v["IsLatest"] for v in listed] == [True] + 39 * [False]
    assert s3.get_object(Bucket=enabled, Key="hot")["VersionId"] == listed[0]["VersionId"]


def test_what_a_version_needs_permission_for(server, s3, enabled):
    version = put(s3, enabled, "k", b"x")
    policy = '{"Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:DeleteObject"],"Resource":"arn:aws:s3:::*/*"}]}'
    made = server.command("user", "add", "reader", "--data", server.data)
    server.command("policy", "set", "reader", "-", "--data", server.data, input=policy)
    words = made.stdout.split()
    key_id = next(w for w in words if w.startswith("LST"))
    secret = next(w for w in words if len(w) == 40)
    reader = server.client(access_key=key_id, secret_key=secret)
    assert reader.get_object(Bucket=enabled, Key="k")["Body"].read() == b"x"
    assert code_of(reader.get_object, Bucket=enabled, Key="k", VersionId=version) == "AccessDenied"
    assert code_of(reader.delete_object, Bucket=enabled, Key="k", VersionId=version) == "AccessDenied"
