"""What an administrator does with the command line: keys one by one, profiles, settings, first steps."""

import glob
import json
import os
import pty
import re
import subprocess

import pytest
from harness import BINARY, Server, clean_environment, target_of

ROOT = os.environ.get("LST_ROOT")
URL_OF_HOOK = "http://127.0.0.1:9/hook"


# ---- Access keys

def key_list(server, name):
    return json.loads(server.command("user", "key", "list", name, "--data", server.data, "--json").stdout)


def get_url(server, made):
    client = server.client(access_key=made["access_key_id"], secret_key=made["secret_access_key"])
    return client.generate_presigned_url("get_object", Params={"Bucket": "pictures", "Key": "cat.jpg"})


def test_a_key_is_changed_without_an_interruption(server):
    server.client().put_object(Bucket="pictures", Key="cat.jpg", Body=b"cat")
    old = json.loads(server.command("user", "add", "rotator", "--policy", "readonly", "--data", server.data, "--json").stdout)
    new = json.loads(server.command("user", "rotate-key", "rotator", "--keep-old", "--data", server.data, "--json").stdout)
    urls = {name: target_of(get_url(server, key)) for name, key in (("old", old), ("new", new))}

    def statuses():
        return {name: server.send("GET", url).status for name, url in urls.items()}
    assert statuses() == {"old": 200, "new": 200}
    assert [(key["access_key_id"], key["active"]) for key in key_list(server, "rotator")] == [
        (old["access_key_id"], True), (new["access_key_id"], True)]
    server.command("user", "key", "disable", "rotator", old["access_key_id"], "--data", server.data)
    assert statuses() == {"old": 403, "new": 200}
    assert [key["active"] for key in key_list(server, "rotator")] == [False, True]
    server.command("user", "key", "enable", "rotator", old["access_key_id"], "--data", server.data)
    assert statuses() == {"old": 200, "new": 200}
    server.command("user", "key", "remove", "rotator", old["access_key_id"], "--data", server.data)
    assert statuses() == {"old": 403, "new": 200}
    assert [key["access_key_id"] for key in key_list(server, "rotator")] == [new["access_key_id"]]


def test_a_full_set_of_keys_says_how_to_make_room(server):
    server.command("user", "add", "collector", "--data", server.data)
    for _ in range(3):
        server.command("user", "rotate-key", "collector", "--keep-old", "--data", server.data)
    done = server.command("user", "rotate-key", "collector", "--keep-old", "--data", server.data, check=False)
    assert done.returncode == 1
    assert "user key remove" in done.stderr
    server.command("user", "key", "remove", "collector", key_list(server, "collector")[0]["access_key_id"], "--data", server.data)
    server.command("user", "rotate-key", "collector", "--keep-old", "--data", server.data)


@pytest.mark.parametrize(("arguments", "status", "word"), [
    (("remove", "nobody", "LSTX"), 1, "nobody"), (("remove", "rotator2", "LSTX"), 1, "LSTX"),
    (("remove", "root", "LSTX"), 1, "root-credentials"), (("remove", "rotator2"), 2, "id"), (("shuffle",), 2, "shuffle")])
def test_mistakes_about_keys_are_named(server, arguments, status, word):
    server.command("user", "add", "rotator2", "--data", server.data, check=False)
    done = server.command("user", "key", *arguments, "--data", server.data, check=False)
    assert done.returncode == status
    assert word in done.stderr


# ---- The root user's key

def credentials_of(data):
    with open(os.path.join(data, "root-credentials"), encoding="utf-8") as file:
        return dict(re.findall(r"^(aws_\w+) = (\S+)$", file.read(), re.MULTILINE))


def status_as(server, key):
    client = server.client(access_key=key["aws_access_key_id"], secret_key=key["aws_secret_access_key"])
    return server.send("GET", target_of(client.generate_presigned_url("list_buckets"))).status


def test_removing_root_credentials_ends_the_old_key(tmp_path):
    data = tmp_path / "data"
    with Server(data, keys=False) as server:
        old = credentials_of(data)
        assert status_as(server, old) == 200
    with Server(data, keys=False) as server:
        assert credentials_of(data) == old
        assert status_as(server, old) == 200
    (data / "root-credentials").unlink()
    with Server(data, keys=False) as server:
        new = credentials_of(data)
        assert new != old
        assert status_as(server, new) == 200
        assert status_as(server, old) == 403


def test_a_configured_root_key_stays_when_the_configuration_is_gone(tmp_path):
    data = tmp_path / "data"
    configured = {"aws_access_key_id": "OPERATORSKEY", "aws_secret_access_key": "operators-secret"}
    environment = {"LATCHSTRING_ACCESS_KEY": "OPERATORSKEY", "LATCHSTRING_SECRET_KEY": "operators-secret"}
    with Server(data, keys=False, environment=environment) as server:
        assert status_as(server, configured) == 200
    with Server(data, keys=False) as server:
        assert status_as(server, configured) == 200
        assert not (data / "root-credentials").exists()


def test_a_change_of_the_root_key_that_was_cut_short_is_finished(tmp_path):
    """The file is written first: after a crash it has the new key, and the directory of users the old one."""
    data = tmp_path / "data"
    with Server(data, keys=False):
        old = credentials_of(data)
    text = (data / "root-credentials").read_text().replace(old["aws_access_key_id"], "LST" + "A" * 17)
    (data / "root-credentials").write_text(text)
    with Server(data, keys=False) as server:
        assert status_as(server, old) == 403
        assert status_as(server, {**old, "aws_access_key_id": "LST" + "A" * 17}) == 200


def test_a_secret_that_was_changed_in_root_credentials_is_the_one_that_counts(tmp_path):
    """Not the old one, silently, beside a file that says otherwise."""
    data = tmp_path / "data"
    with Server(data, keys=False):
        old = credentials_of(data)
    new = {**old, "aws_secret_access_key": "changed" + old["aws_secret_access_key"][7:]}
    text = (data / "root-credentials").read_text().replace(old["aws_secret_access_key"], new["aws_secret_access_key"])
    (data / "root-credentials").write_text(text)
    with Server(data, keys=False) as server:
        assert status_as(server, old) == 403
        assert status_as(server, new) == 200
        assert credentials_of(data) == new


def test_an_id_of_ones_own_in_root_credentials_is_refused(tmp_path):
    """It would be taken for a configured one, and outlive the file."""
    data = tmp_path / "data"
    with Server(data, keys=False):
        old = credentials_of(data)
    text = (data / "root-credentials").read_text()
    (data / "root-credentials").write_text(text.replace(old["aws_access_key_id"], "OPERATORSKEY"))
    done = subprocess.run([BINARY, "serve", "--data", data, "--listen", "127.0.0.1:0"], capture_output=True, text=True, check=False,
                          env=clean_environment(), timeout=60)
    assert done.returncode == 1 and "LATCHSTRING_ACCESS_KEY" in done.stderr and old["aws_secret_access_key"] not in done.stderr
    (data / "root-credentials").write_text(text)
    with Server(data, keys=False) as server:
        assert status_as(server, old) == 200


# ---- Profiles

def profile(server, name):
    return json.loads(server.command("profile", "show", name, "--data", server.data, "--json").stdout)


def stored_secret(server, name):
    """What `profile add` was given, as only a message of the webhook shows it: asked of the store itself."""
    with open(os.path.join(server.data, "ledger.mdb"), "rb") as file:
        return re.findall(rb'"name":"%s".*?"secret":"([^"]+)"' % name.encode(), file.read())


def test_profile_set_changes_what_is_named_and_nothing_else(server):
    server.command("profile", "add", "setme", "--bucket", "pictures", "--key", "a/{uuid}", "--type", "image/png", "--max-size", "5MB",
                   "--check-content", "--webhook", URL_OF_HOOK, "--data", server.data,
                   environment={"LATCHSTRING_WEBHOOK_SECRET": "the-first-secret-of-all"})
    before = profile(server, "setme")
    assert before["max_size"] == 5_000_000
    server.command("profile", "set", "setme", "--max-size", "10MiB", "--link-expires", "2d", "--webhook", URL_OF_HOOK + "2", "--data", server.data)
    after = profile(server, "setme")
    assert after == {**before, "max_size": 10 << 20, "link_expires": 172800, "webhook": {**before["webhook"], "url": URL_OF_HOOK + "2"}}
    assert stored_secret(server, "setme")[-1] == b"the-first-secret-of-all"
    server.command("profile", "set", "setme", "--any-type", "--no-check-content", "--replace", "--data", server.data)
    assert profile(server, "setme") == {**after, "types": [], "check_content": False, "replace": True}
    shown = server.command("profile", "set", "setme", "--new-secret", "--data", server.data).stdout
    assert re.search(r"Webhook secret  \w{43}\n", shown)
    server.command("profile", "set", "setme", "--no-webhook", "--data", server.data)
    assert "webhook" not in profile(server, "setme") or profile(server, "setme")["webhook"] is None


def test_overwriting_a_profile_keeps_the_webhooks_secret(server):
    arguments = ("--bucket", "pictures", "--key", "a/{uuid}", "--webhook", URL_OF_HOOK, "--data", server.data)
    server.command("profile", "add", "over", *arguments, environment={"LATCHSTRING_WEBHOOK_SECRET": "known-to-the-receiver"})
    done = server.command("profile", "add", "over", *arguments, "--max-size", "7", "--overwrite")
    assert "secret" not in done.stdout
    assert set(stored_secret(server, "over")) == {b"known-to-the-receiver"}


@pytest.mark.parametrize(("arguments", "status", "word"), [
    (("set", "p1"), 2, "what is to change"), (("set", "nothing", "--max-size", "1"), 1, "nothing"),
    (("set", "p1", "--replace", "--no-replace"), 2, "contradict"), (("set", "p1", "--max-size", "5M"), 2, "5MiB"),
    (("set", "p1", "--new-secret"), 2, "webhook"), (("set", "p1", "--remote", "nowhere"), 1, "remote add"),
    (("add", "p2", "--bucket", "Pictures", "--key", "{uuid}"), 2, "bucket"),
    (("add", "p2", "--bucket", "pictures", "--key", "{uuid}", "--remote", "nowhere"), 1, "remote add nowhere"),
    (("add", "p1", "--bucket", "pictures", "--key", "{uuid}"), 1, "profile set p1")])
def test_mistakes_about_profiles_are_named(server, arguments, status, word):
    server.command("profile", "add", "p1", "--bucket", "pictures", "--key", "{uuid}", "--data", server.data, check=False)
    done = server.command("profile", *arguments, "--data", server.data, check=False)
    assert done.returncode == status
    assert word in done.stderr


def test_a_profile_for_a_bucket_that_is_not_there_yet_warns(server):
    done = server.command("profile", "add", "early", "--bucket", "not-made-yet", "--key", "{uuid}", "--data", server.data)
    assert "warning" in done.stderr and "not-made-yet" in done.stderr
    done = server.command("profile", "add", "timely", "--bucket", "pictures", "--key", "{uuid}", "--data", server.data)
    assert done.stderr == ""


@pytest.mark.parametrize("command", [("user", "add", "ada", "--policy", "readonly"), ("policy", "set", "bob", "readwrite")], ids=" ".join)
def test_a_policy_for_a_bucket_that_is_not_there_yet_warns(server, command):
    server.command("user", "add", "bob", "--data", server.data, check=False)
    done = server.command(*command, "--bucket", "pictuers", "--data", server.data)
    assert "warning" in done.stderr and "'pictuers'" in done.stderr
    if command[0] == "user":
        command = ("user", "add", "eve", *command[3:])
    done = server.command(*command, "--bucket", "pictures", "--data", server.data)
    assert done.stderr == ""


@pytest.mark.parametrize("command", [("user", "add", "slip", "--policy", "-"), ("policy", "set", "bob", "-")], ids=["user add", "policy set"])
def test_an_action_that_nothing_asks_for_warns(server, command):
    """The policy is set, as IAM would: AWS has actions that this server does not. But a slip in a Deny must not pass unseen."""
    server.command("user", "add", "bob", "--data", server.data, check=False)
    statements = [{"Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObjekt", "s3:ListBucket", "s3:Get*", "S3:putobject"], "Resource": "*"},
                  {"Effect": "Deny", "Action": "s3:DeleteObjectsVersion", "Resource": "*"},
                  {"Effect": "Allow", "NotAction": ["s3:Frobnicate", "s3:Frob*"], "Resource": "*"}]
    done = server.command(*command, "--data", server.data, input=json.dumps({"Version": "2012-10-17", "Statement": statements}))
    warnings = done.stderr.splitlines()
    assert len(warnings) == 4 and all("warning: " in line for line in warnings), done.stderr
    assert 'statement 1 (Sid "Read")' in warnings[0] and '"s3:GetObjekt"' in warnings[0] and "did you mean s3:GetObject?" in warnings[0]
    assert "statement 2" in warnings[1] and '"s3:DeleteObjectsVersion"' in warnings[1] and "did you mean s3:DeleteObjectVersion?" in warnings[1]
    assert '"s3:Frobnicate"' in warnings[2] and "did you mean" not in warnings[2]
    assert '"s3:Frob*"' in warnings[3]
    server.command("user", "remove", "slip", "--data", server.data, check=False)


@pytest.mark.parametrize("actions,resources,words", [
    ("s3:ListObjects", "*", "did you mean s3:ListBucket?"), ("s3:UploadPart", "*", "did you mean s3:PutObject?"),
    ("s3:DeleteObjects", "*", "did you mean s3:DeleteObject?"),
    ("s3:GetObject", "photos", '"arn:aws:s3:::photos/*"'), (["s3:PutObject", "s3:ListBucket"], "photos", "s3:PutObject is about objects"),
    ("s3:ListBucket", "photos/*", '"arn:aws:s3:::photos"'), ("s3:ListBucket", ["photos/a", "photos/b"], "s3:ListBucket is about a bucket"),
    ("s3:GetObject", "Photos/*", '"Photos"'), ("s3:GetObject", "/photos/*", "no bucket can have that name"),
    ("s3:GetObject", "a\x1b[2J/*", '"a?[2J"'),
    ("s3:GetObject", "photos*", None), ("s3:*", "photos", None), (["s3:GetObject", "s3:ListBucket"], ["photos", "photos/*"], None),
    ("s3:GetObject", "${aws:username}/*", None), ("s3:ListAllMyBuckets", "*", None)])
def test_a_statement_that_can_not_apply_warns(server, actions, resources, words):
    server.command("user", "add", "bob", "--data", server.data, check=False)
    resources = [name if name == "*" else "arn:aws:s3:::" + name for name in ([resources] if isinstance(resources, str) else resources)]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resources}]}
    done = server.command("policy", "set", "bob", "-", "--data", server.data, input=json.dumps(policy))
    if words is None:
        assert done.stderr == ""
    else:
        assert done.stderr.count("\n") == 1 and "warning: statement 1" in done.stderr and words in done.stderr


def test_actions_that_are_asked_for_do_not_warn(server):
    server.command("user", "add", "bob", "--data", server.data, check=False)
    with open(os.path.join(ROOT, "docs", "s3-compatibility.md"), encoding="utf-8") as file:
        manual = file.read()
    conditions = {"s3:ExistingObjectTag", "s3:RequestObjectTag"}
    actions = sorted(set(re.findall(r"\bs3:[A-Z]\w+\b", manual)) - conditions) + ["*", "s3:*", "s3:*Object", "s3:?etObject", "s3:GetObjectVersionTagging"]
    assert "s3:DeleteObject" in actions and len(actions) > 50
    policy = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": actions, "Resource": "*"}}
    assert server.command("policy", "set", "bob", "-", "--data", server.data, input=json.dumps(policy)).stderr == ""


@pytest.mark.parametrize("words, says", [
    (("user", "add", "kim", "--secret-key-stdin", "--access-key", "A B"), "access key id"),
    (("user", "rotate-key", "kim", "--secret-key-stdin", "--access-key", "no"), "access key id"),
    (("remote", "add", "a b", "--endpoint-url", "http://x", "--access-key-id", "AKIA"), "name"),
    (("user", "add", "kim", "--policy", "readonly", "--bucket", "a..b"), "'a..b' is not a bucket name"),
    (("policy", "set", "kim", "full", "--bucket", "192.168.0.1"), "'192.168.0.1' is not a bucket name"),
    (("link", "create", "s3://P/x"), "'P' is not a bucket's name"),
    (("presign", "s3://photos/x", "--region", "a b"), "region 'a b'"),
], ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else "")
def test_a_value_that_can_not_be_is_a_mistake_of_the_command_line(server, words, says):
    """Exit status 2, as the manuals have it, and before anything else is asked for or done."""
    data = () if words[0] in ("link", "presign") else ("--data", server.data)
    done = server.command(*words, *data, input="", check=False)
    assert done.returncode == 2 and says in done.stderr, (done.returncode, done.stderr)


# ---- Tokens

def test_a_token_for_a_profile_that_is_not_there_yet_warns(server):
    server.command("profile", "add", "real", "--bucket", "pictures", "--key", "{uuid}", "--data", server.data, check=False)
    done = server.command("token", "create", "--role", "upload", "--profile", "real", "--profile", "raal", "warned", "--data", server.data)
    assert re.findall(r"warning: .*no profile '(\w+)'", done.stderr) == ["raal"]
    assert done.stdout.startswith("lst_")


def test_token_json_has_real_types(server):
    server.command("profile", "add", "tok", "--bucket", "pictures", "--key", "{uuid}", "--data", server.data, check=False)
    made = json.loads(server.command("token", "create", "--role", "upload", "--profile", "tok", "forever", "--data", server.data, "--json").stdout)
    assert made["expires"] is None
    assert made["profiles"] == ["tok"]
    made = json.loads(server.command("token", "create", "--role", "link", "--expires", "2d", "passing", "--data", server.data, "--json").stdout)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", made["expires"])
    assert made["profiles"] == []


# ---- A folder that is no store

def test_user_add_does_not_make_a_store_by_accident(tmp_path):
    for command in (("user", "add", "ann"), ("profile", "add", "p", "--bucket", "pictures", "--key", "{uuid}")):
        done = subprocess.run([BINARY, *command, "--data", tmp_path / "dta"], capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, env=clean_environment())
        assert done.returncode == 1
        assert "--make" in done.stderr
        assert not (tmp_path / "dta").exists()
    done = subprocess.run([BINARY, "user", "add", "ann", "--make", "--data", tmp_path / "dta"], capture_output=True, text=True,
                          check=False, stdin=subprocess.DEVNULL, env=clean_environment())
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "dta" / "users.mdb").exists()


@pytest.mark.parametrize(("answer", "is_made"), [(b"y\n", True), (b"yes\n", True), (b"n\n", False), (b"\n", False)])
def test_user_add_asks_at_a_terminal(tmp_path, answer, is_made):
    ours, theirs = pty.openpty()
    process = subprocess.Popen([BINARY, "user", "add", "ann", "--data", tmp_path / "new"], stdin=theirs, stdout=subprocess.PIPE,
                               stderr=theirs, env=clean_environment())
    asked = b""
    while b"[y/N]" not in asked:
        asked += os.read(ours, 1000)
    os.write(ours, answer)
    process.stdout.read()
    assert process.wait(60) == (0 if is_made else 1)
    assert (tmp_path / "new" / "users.mdb").exists() == is_made
    os.close(ours)
    os.close(theirs)


# ---- Settings

def test_variables_of_other_commands_and_examples_do_not_stop_the_server(tmp_path):
    names = set()
    for pattern in ("README.md", "docs/**/*", "examples/**/*", "src/cli/*.c"):
        for path in glob.glob(os.path.join(ROOT, pattern), recursive=True):
            if os.path.isfile(path) and "node_modules" not in path:
                with open(path, encoding="utf-8", errors="replace") as file:
                    names |= set(re.findall(r"\bLATCHSTRING_[A-Z0-9_]*[A-Z0-9]\b", file.read()))
    settings = subprocess.run([BINARY, "serve", "--help"], capture_output=True, text=True, check=True, env=clean_environment()).stdout
    known = {"LATCHSTRING_" + name.upper().replace("-", "_") for name in re.findall(r"^  --([a-z0-9-]+)", settings, re.MULTILINE)}
    others = names - known - {"LATCHSTRING_SECRET_KEY"}
    assert {"LATCHSTRING_URL", "LATCHSTRING_REMOTE_SECRET", "LATCHSTRING_TOKEN"} <= others
    with Server(tmp_path / "data", environment=dict.fromkeys(others, "http://127.0.0.1:9000")) as server:
        assert server.send("GET", "/-/health").status == 200


@pytest.mark.parametrize(("arguments", "word"), [
    (("--idle-timeout", "1y"), "idle-timeout"), (("--idle-timeout", "2h"), "3600"), (("--body-max", "5M"), "5MiB"),
    (("--expires-max", "0"), "expires-max")])
def test_a_setting_that_is_no_duration_or_size_is_named(tmp_path, arguments, word):
    done = subprocess.run([BINARY, "serve", "--data", tmp_path / "data", *arguments], capture_output=True, text=True, check=False,
                          env=clean_environment(), timeout=60)
    assert done.returncode != 0
    assert word in done.stderr


def test_settings_take_durations_and_sizes(tmp_path):
    with Server(tmp_path / "data", "--body-max", "1KiB", "--idle-timeout", "1m", "--expires-max", "2w") as server:
        client = server.client()
        client.create_bucket(Bucket="small")
        put = target_of(client.generate_presigned_url("put_object", Params={"Bucket": "small", "Key": "k"}, ExpiresIn=14 * 86400))
        assert server.send("PUT", put, body=b"x" * 1024).status == 200
        assert server.send("PUT", put, body=b"x" * 1025).status == 400
