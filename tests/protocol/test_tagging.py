"""Tags of objects and of buckets."""
import pytest
from botocore.exceptions import ClientError
from harness import code_of, sign_and_send

BUCKET = "pictures"
TWO = [{"Key": "project", "Value": "moon"}, {"Key": "état", "Value": "prêt à 100"}]


def tag_document(*tags):
    return ("<Tagging><TagSet>" + "".join(f"<Tag><Key>{k}</Key><Value>{v}</Value></Tag>" for k, v in tags) +
            "</TagSet></Tagging>").encode()


def test_the_tags_of_an_object(s3):
    s3.put_object(Bucket=BUCKET, Key="tagged", Body=b"x", Metadata={"a": "b"})
    before = s3.head_object(Bucket=BUCKET, Key="tagged")
    assert s3.get_object_tagging(Bucket=BUCKET, Key="tagged")["TagSet"] == []
    assert "TagCount" not in s3.get_object(Bucket=BUCKET, Key="tagged")
    s3.put_object_tagging(Bucket=BUCKET, Key="tagged", Tagging={"TagSet": TWO})
    assert s3.get_object_tagging(Bucket=BUCKET, Key="tagged")["TagSet"] == TWO
    got = s3.get_object(Bucket=BUCKET, Key="tagged")
    assert got["TagCount"] == 2 and got["Body"].read() == b"x" and got["Metadata"] == {"a": "b"}
    assert got["LastModified"] == before["LastModified"] and got["ETag"] == before["ETag"]
    s3.put_object_tagging(Bucket=BUCKET, Key="tagged", Tagging={"TagSet": TWO[:1]})
    assert s3.get_object_tagging(Bucket=BUCKET, Key="tagged")["TagSet"] == TWO[:1]
    s3.delete_object_tagging(Bucket=BUCKET, Key="tagged")
    assert s3.get_object_tagging(Bucket=BUCKET, Key="tagged")["TagSet"] == []


@pytest.mark.parametrize("size", [3, 20_000])
def test_tags_that_come_with_the_object(s3, size):
    s3.put_object(Bucket=BUCKET, Key="born", Body=b"x" * size, Tagging="project=moon&empty=&%C3%A9tat=a+b%2Fc")
    tags = {t["Key"]: t["Value"] for t in s3.get_object_tagging(Bucket=BUCKET, Key="born")["TagSet"]}
    assert tags == {"project": "moon", "empty": "", "état": "a b/c"}
    assert s3.head_object(Bucket=BUCKET, Key="born")["ContentLength"] == size
    s3.put_object(Bucket=BUCKET, Key="born", Body=b"y")
    assert s3.get_object_tagging(Bucket=BUCKET, Key="born")["TagSet"] == []


@pytest.mark.parametrize("header,code", [
    ("a=1&a=2", "InvalidArgument"), ("a=%zz", "InvalidArgument"), ("=v", "InvalidTag"), ("k=a%26b", "InvalidArgument"),
    ("k=a,l=b", "InvalidArgument"),
    ("aws:x=1", "InvalidTag"), ("k" * 129 + "=1", "InvalidTag"), ("k=" + "v" * 257, "InvalidTag"),
    ("&".join(f"k{i}=v" for i in range(11)), "BadRequest")])
def test_tags_that_may_not_be(s3, header, code):
    assert code_of(s3.put_object, Bucket=BUCKET, Key="refused", Body=b"x", Tagging=header) == code
    assert code_of(s3.head_object, Bucket=BUCKET, Key="refused") == "404"


@pytest.mark.parametrize("document,code", [
    (tag_document(("a", "1"), ("a", "2")), "InvalidTag"),
    (tag_document(*[(f"k{i}", "v") for i in range(11)]), "BadRequest"),
    (tag_document(("k" * 129, "v")), "InvalidTag"), (tag_document(("k", "é" * 257)), "InvalidTag"),
    (tag_document(("aws:k", "v")), "InvalidTag"), (tag_document(("", "v")), "InvalidTag"),
    (b"<Tagging><TagSet><Tag><Key>k</Key></Tag></TagSet></Tagging>", "MalformedXML"),
    (b"<Tagging><TagSet/></Tagging", "MalformedXML"), (b"", "MalformedXML")])
def test_documents_that_may_not_be(server, s3, document, code):
    s3.put_object(Bucket=BUCKET, Key="kept", Body=b"x", Tagging="a=b")
    answer = sign_and_send(server, "PUT", f"/{BUCKET}/kept", document, query="tagging=")
    assert answer.error["Code"] == code
    assert s3.get_object_tagging(Bucket=BUCKET, Key="kept")["TagSet"] == [{"Key": "a", "Value": "b"}]


@pytest.mark.parametrize("tags,told", [
    ([("a", "1"), ("b", "1"), ("b", "2")], ("Cannot provide multiple Tags with the same key", "b", None)),
    ([("k,k", "v")], ("The TagKey you have provided is invalid", "k,k", None)),
    ([("k", "v,v")], ("The TagValue you have provided is invalid", "k", "v,v")),
    ([("aws:k", "v")], ("Your TagKey cannot be prefixed with aws:", "aws:k", None))])
def test_refused_tags_are_named(server, s3, tags, told):
    s3.put_object(Bucket=BUCKET, Key="kept", Body=b"x")
    error = sign_and_send(server, "PUT", f"/{BUCKET}/kept", tag_document(*tags), query="tagging=").error
    assert (error["Message"], error["TagKey"], error.get("TagValue")) == told
    of_bucket = sign_and_send(server, "PUT", f"/{BUCKET}", tag_document(*tags), query="tagging=").error
    assert of_bucket["TagKey"] == told[1] and ("System tags" in of_bucket["Message"]) == ("aws:" in told[0])


def test_limits_are_in_characters(s3):
    tags = [{"Key": "é" * 128, "Value": "ü" * 256}]
    s3.put_object(Bucket=BUCKET, Key="long", Body=b"x")
    s3.put_object_tagging(Bucket=BUCKET, Key="long", Tagging={"TagSet": tags})
    assert s3.get_object_tagging(Bucket=BUCKET, Key="long")["TagSet"] == tags


def test_tags_of_versions(s3):
    s3.create_bucket(Bucket="tagged-versions")
    s3.put_bucket_versioning(Bucket="tagged-versions", VersioningConfiguration={"Status": "Enabled"})
    ids = [s3.put_object(Bucket="tagged-versions", Key="k", Body=b"%d" % i, Tagging=f"n={i}")["VersionId"]
           for i in range(2)]
    answer = s3.put_object_tagging(Bucket="tagged-versions", Key="k", VersionId=ids[0],
                                   Tagging={"TagSet": [{"Key": "n", "Value": "old"}]})
    assert answer["VersionId"] == ids[0]
    got = s3.get_object_tagging(Bucket="tagged-versions", Key="k", VersionId=ids[0])
    assert got["TagSet"][0]["Value"] == "old" and got["VersionId"] == ids[0]
    assert s3.get_object_tagging(Bucket="tagged-versions", Key="k")["TagSet"][0]["Value"] == "1"
    assert s3.get_object(Bucket="tagged-versions", Key="k", VersionId=ids[0])["Body"].read() == b"0"
    s3.delete_object_tagging(Bucket="tagged-versions", Key="k", VersionId=ids[1])
    assert s3.get_object_tagging(Bucket="tagged-versions", Key="k")["TagSet"] == []


@pytest.mark.parametrize("named", [False, True])
def test_a_delete_marker_has_no_tags(s3, named):
    bucket = f"tagged-markers-{named}".lower()
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    marker = s3.delete_object(Bucket=bucket, Key="k")["VersionId"]
    parameters = {"Bucket": bucket, "Key": "k", **({"VersionId": marker} if named else {})}
    for call, method, more in ((s3.get_object_tagging, "GET", {}), (s3.delete_object_tagging, "DELETE", {}),
                               (s3.put_object_tagging, "PUT", {"Tagging": {"TagSet": TWO}})):
        with pytest.raises(ClientError) as caught:
            call(**parameters, **more)
        error = caught.value.response["Error"]
        assert (error["Code"], error["Method"], error["ResourceType"]) == ("MethodNotAllowed", method, "DeleteMarker")


def test_tags_of_what_is_not_there(s3):
    for call in (s3.get_object_tagging, s3.delete_object_tagging):
        assert code_of(call, Bucket=BUCKET, Key="nothing") == "NoSuchKey"
    assert code_of(s3.put_object_tagging, Bucket=BUCKET, Key="nothing", Tagging={"TagSet": TWO}) == "NoSuchKey"


def test_the_tags_of_a_bucket(s3):
    assert code_of(s3.get_bucket_tagging, Bucket=BUCKET) == "NoSuchTagSet"
    many = [{"Key": f"key {i}", "Value": f"value {i}"} for i in range(50)]
    answer = s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": many})
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"] == many
    assert code_of(s3.put_bucket_tagging, Bucket=BUCKET,
                   Tagging={"TagSet": many + [{"Key": "x", "Value": ""}]}) == "BadRequest"
    s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": []})
    assert code_of(s3.get_bucket_tagging, Bucket=BUCKET) == "NoSuchTagSet"
    s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": many})
    s3.delete_bucket_tagging(Bucket=BUCKET)
    assert code_of(s3.get_bucket_tagging, Bucket=BUCKET) == "NoSuchTagSet"
    assert code_of(s3.get_bucket_tagging, Bucket="no-such-bucket") == "NoSuchBucket"
