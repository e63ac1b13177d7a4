"""What clients ask of a bucket before they use it, answered as AWS does for a bucket that has none."""
import pytest
from harness import code_of, sign_and_send

BUCKET = "pictures"


@pytest.mark.parametrize("call,code", [
    ("get_bucket_policy", "NoSuchBucketPolicy"), ("get_bucket_policy_status", "NoSuchBucketPolicy"),
    ("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration"),
    ("get_bucket_encryption", "ServerSideEncryptionConfigurationNotFoundError"),
    ("get_bucket_website", "NoSuchWebsiteConfiguration"),
    ("get_bucket_replication", "ReplicationConfigurationNotFoundError"),
    ("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError"),
    ("get_bucket_cors", "NoSuchCORSConfiguration"), ("get_bucket_tagging", "NoSuchTagSet")])
def test_there_is_none(s3, call, code):
    assert code_of(getattr(s3, call), Bucket=BUCKET) == code
    assert code_of(getattr(s3, call), Bucket="no-such-bucket") == "NoSuchBucket"


@pytest.mark.parametrize("call,field,value", [
    ("get_bucket_accelerate_configuration", "Status", None), ("get_bucket_logging", "LoggingEnabled", None),
    ("get_bucket_notification_configuration", "QueueConfigurations", None), ("get_bucket_versioning", "Status", None),
    ("get_bucket_request_payment", "Payer", "BucketOwner"),
    ("get_bucket_ownership_controls", "OwnershipControls", {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}),
    ("get_public_access_block", "PublicAccessBlockConfiguration",
     dict.fromkeys(["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"], True))])
def test_there_is_the_default(s3, call, field, value):
    assert getattr(s3, call)(Bucket=BUCKET).get(field) == value


def test_acls_are_the_owners(s3):
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"x")
    owner = s3.list_buckets()["Owner"]["ID"]
    for acl in (s3.get_bucket_acl(Bucket=BUCKET), s3.get_object_acl(Bucket=BUCKET, Key="k")):
        assert acl["Owner"]["ID"] == owner
        assert [(g["Grantee"]["ID"], g["Permission"]) for g in acl["Grants"]] == [(owner, "FULL_CONTROL")]
    s3.put_bucket_acl(Bucket=BUCKET, ACL="private")
    s3.put_object_acl(Bucket=BUCKET, Key="k", ACL="bucket-owner-full-control")
    assert code_of(s3.put_bucket_acl, Bucket=BUCKET, ACL="public-read") == "AccessControlListNotSupported"
    assert code_of(s3.put_object_acl, Bucket=BUCKET, Key="k", ACL="public-read") == "AccessControlListNotSupported"
    assert code_of(s3.get_object_acl, Bucket=BUCKET, Key="none") == "NoSuchKey"


def test_an_acl_may_be_set_to_what_it_is(server, s3):
    """s3cmd copies the ACL of an object along with it."""
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"x")
    acl = sign_and_send(server, "GET", f"/{BUCKET}/k", query="acl=").body
    assert sign_and_send(server, "PUT", f"/{BUCKET}/k", acl, query="acl=").status == 200
    for other in (acl.replace(b"FULL_CONTROL", b"READ"), acl.replace(b"<Grant>", b"<Grant><Grantee><URI>x</URI></Grantee>"),
                  acl.replace(s3.list_buckets()["Owner"]["ID"].encode(), b"0" * 64)):
        answer = sign_and_send(server, "PUT", f"/{BUCKET}/k", other, query="acl=")
        assert answer.error["Code"] == "AccessControlListNotSupported"
    assert sign_and_send(server, "PUT", f"/{BUCKET}/k", b"<AccessControl", query="acl=").error["Code"] == "MalformedACLError"


def test_objects_have_no_lock(s3):
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"x")
    assert code_of(s3.get_object_retention, Bucket=BUCKET, Key="k") == "InvalidRequest"
    assert code_of(s3.get_object_legal_hold, Bucket=BUCKET, Key="k") == "InvalidRequest"


@pytest.mark.parametrize("method,query", [
    ("PUT", "policy="), ("PUT", "lifecycle="), ("PUT", "encryption="), ("PUT", "object-lock="), ("PUT", "notification="),
    ("PUT", "replication="), ("PUT", "website="), ("PUT", "logging="), ("PUT", "publicAccessBlock=")])
def test_what_can_not_be_set_says_so(server, method, query):
    answer = sign_and_send(server, method, f"/{BUCKET}", b"<x/>" if method == "PUT" else b"", query=query)
    assert answer.status == 501 and answer.error["Code"] == "NotImplemented" and "Latchstring" in answer.error["Message"]
