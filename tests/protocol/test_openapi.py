"""The description at /-/api/openapi.json, held against what the server does."""
import http.client
import json
import time
import urllib.parse

import jsonschema
import openapi_spec_validator
import pytest
import test_approval

BUCKET = "described-bucket"
PROFILES = {"any": {"bucket": BUCKET, "key": "{uuid}", "upload_expires": 60},
            "named": {"bucket": BUCKET, "key": "{a}/{uuid}"},
            "same": {"bucket": BUCKET, "key": "same"},
            "wide": {"bucket": BUCKET, "key": "{uuid}/{a}/{b}/{c}/{d}/{e}/{f}"},
            "picture": {"bucket": BUCKET, "key": "{uuid}", "types": ["image/png"], "check_content": True},
            "told": {"bucket": BUCKET, "key": "{uuid}",
                     "webhook": {"url": "http://127.0.0.1:1/", "secret": "0123456789abcdef"}}}


class Api:
    """A caller who holds each answer against the description, and remembers which ones there were."""

    def __init__(self, server, token):
        self.server, self.token = server, token
        self.seen = set()
        self.text = self.call("GET", "/-/api/openapi.json")
        self.description = json.loads(self.text[2])

    def call(self, method, target, body=None, headers=None):
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.server.endpoint).netloc, timeout=20)
        connection.request(method, target, body, headers or {})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, answer.headers, content

    def operation(self, name):
        for path, methods in self.description["paths"].items():
            for method, operation in methods.items():
                if operation["operationId"] == name:
                    return path, method.upper(), operation
        raise KeyError(name)

    def resolve(self, part):
        while "$ref" in part:
            found = self.description
            for step in part["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            part = found
        return part

    def check(self, schema, value):
        schema = {**schema, "components": self.description["components"]}
        jsonschema.validate(value, schema, jsonschema.Draft202012Validator,
                            format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)

    def ask(self, name, body=None, token=None, query="", headers=None, **parameters):
        """Call an operation; its status and content."""
        path, method, operation = self.operation(name)
        headers = {**({"Authorization": "Bearer " + (token or self.token)} if token != "" else {}), **(headers or {})}
        status, got, content = self.call(method, path.format(**parameters) + query,
                                         None if body is None else json.dumps(body), headers)
        self.seen.add((name, status))
        assert str(status) in operation["responses"], f"{name} answered {status}: {content}"
        described = self.resolve(operation["responses"][str(status)])
        for header, about in described.get("headers", {}).items():
            if header in got:
                value = got[header]
                self.check(about["schema"], int(value) if about["schema"]["type"] == "integer" else value)
        kind = got["Content-Type"].split(";")[0] if "Content-Type" in got else None
        if "content" not in described:
            assert not content
            return status, None
        assert kind in described["content"]
        value = json.loads(content) if kind == "application/json" else content.decode()
        self.check(described["content"][kind]["schema"], value)
        return status, value

    def request_schema(self, name):
        schema = self.resolve(self.operation(name)[2]["requestBody"]["content"]["application/json"]["schema"])
        return self.resolve(schema["oneOf"][0]) if "oneOf" in schema else schema  # the other one is for many


@pytest.fixture(name="server", scope="module")
def _server(start, tmp_path_factory):
    folder = tmp_path_factory.mktemp("profiles")
    for name, profile in PROFILES.items():
        (folder / f"{name}.json").write_text(json.dumps(profile))
    return start("--api-rate", "40", "--profiles", str(folder), environment={"LATCHSTRING_BUCKETS": BUCKET})


@pytest.fixture(name="api")
def _api(server, request):
    return Api(server, make_token(server, request.node.name[:60].replace("[", "-").replace("]", ""), "--role", "backend"))


def make_token(server, *arguments):
    return server.command("token", "create", *arguments, "--data", server.data).stdout.strip()


def test_it_is_valid_and_anybody_may_read_it(api):
    assert api.text[0] == 200
    assert api.text[1]["Content-Type"] == "application/json"
    assert api.description["openapi"].startswith("3.1")
    openapi_spec_validator.validate(api.description)


GOOD = {"CreateUpload": {"profile": "named", "filename": "a.png", "type": "image/png", "size": 5, "vars": {"a": "b"},
                         "metadata": {"c": "d"}, "method": "POST"},
        "CreateClientToken": {"profile": "named", "vars": {"a": "b"}, "expires": 60},
        "CreateLink": {"bucket": BUCKET, "key": "k", "method": "GET", "expires": 60, "max_uses": 3, "ip": "127.0.0.1",
                       "not_before": "2020-01-01T00:00:00Z", "head": True, "filename": "a b.png", "dry_run": False,
                       "disposition": "inline", "password": "sesame", "folder": False, "stable": False}}


@pytest.mark.parametrize("name", GOOD)
def test_what_may_be_sent_is_what_is_described(server, api, name):
    schema = api.request_schema(name)
    assert set(schema["properties"]) - {"remote"} == set(GOOD[name]), "every field is tried; remotes have their own tests"
    api.check(schema, GOOD[name])
    assert api.ask(name, GOOD[name])[0] == 201
    wrong = [({**GOOD[name], "nonsense": 1}, "nonsense")]
    for field, about in schema["properties"].items():
        if field in schema["required"]:
            wrong.append(({key: value for key, value in GOOD[name].items() if key != field}, field))
        wrong.append(({**GOOD[name], field: [1]}, field))
        if "enum" in about:
            wrong.append(({**GOOD[name], field: "PATCH"}, field))
        for limit, beyond in (("minimum", -1), ("maximum", 1)):
            if limit in about:
                wrong.append(({**GOOD[name], field: about[limit] + beyond}, field))
        if "maxLength" in about:
            wrong.append(({**GOOD[name], field: "x" * (about["maxLength"] + 1)}, field))
    for number, (body, field) in enumerate(wrong):
        with pytest.raises(jsonschema.ValidationError):
            api.check(schema, body)
        token = make_token(server, f"{name}-{number}", "--role", "backend")
        status, refused = api.ask(name, body, token=token)
        assert status == 400, body
        assert field in refused["error"]["message"], "the message names the field"


def go_through_uppy(api, put_part):
    """Each of Uppy's calls, with each of its answers."""
    profile = {"metadata": {"profile": "any"}}
    assert api.ask("UppyParams", query="?filename=a&metadata%5Bprofile%5D=any")[0] == 200
    assert api.ask("UppyParams", query="?nonsense=1&metadata%5Bprofile%5D=any")[0] == 400
    assert api.ask("UppyParams", query="?metadata%5Bprofile%5D=nothing")[0] == 404
    assert api.ask("UppySts")[0] == 400
    _, begun = api.ask("UppyCreate", {"filename": "a", "type": "image/png", **profile})
    assert api.ask("UppyCreate", {"nonsense": 1, **profile})[0] == 400
    assert api.ask("UppyCreate", {"metadata": {"profile": "nothing"}})[0] == 404
    key = "?key=" + urllib.parse.quote(begun["key"])
    upload = {"uploadId": begun["uploadId"], "query": key}
    _, part = api.ask("UppyPart", partNumber=1, **upload)
    status, headers, _ = put_part(part["url"], b"x")
    assert status == 200
    assert list(api.ask("UppyBatch", uploadId=begun["uploadId"], query=key + "&partNumbers=2,3")[1]["presignedUrls"]) == \
        ["2", "3"]
    assert api.ask("UppyList", **upload)[1] == [{"PartNumber": 1, "ETag": headers["ETag"], "Size": 1}]
    assert api.ask("UppySign", {"method": "PUT", "key": "a", "profile": "any"})[0] == 200
    assert api.ask("UppySign", {"method": "PUT", "profile": "any"})[0] == 400
    assert api.ask("UppySign", {"method": "PUT", "key": "a", "profile": "nothing"})[0] == 404
    for name in ("UppyList", "UppyAbort", "UppyPart", "UppyBatch", "UppyComplete"):
        body = {"parts": [{"PartNumber": 1, "ETag": "a"}]} if name == "UppyComplete" else None
        more = "&partNumbers=1" if name == "UppyBatch" else ""
        assert api.ask(name, body, uploadId=begun["uploadId"], partNumber=1)[0] == 400, name
        assert api.ask(name, body, uploadId="nothing", partNumber=1, query=key + more)[0] == 404, name
    parts = {"parts": [{"PartNumber": 1, "ETag": headers["ETag"]}]}
    assert api.ask("UppyComplete", parts, **upload)[0] == 200
    _, begun = api.ask("UppyCreate", profile)
    assert api.ask("UppyAbort", uploadId=begun["uploadId"], query="?key=" + urllib.parse.quote(begun["key"]))[0] == 200


def go_through_parts(api, put_part):
    """Each call of an upload in parts, with each of its answers."""
    def begin(profile="any"):
        made = api.ask("CreateUpload", {"profile": profile, "method": "MULTIPART", "size": 1})[1]["upload"]
        return {name: made["abort_url"].split("/uploads/")[1] for name in ("id", "uploadId")}, made["parts"][0]["url"]

    upload, url = begin()
    status, headers, _ = put_part(url, b"x")
    assert status == 200
    listed = api.ask("ListUploadParts", **upload)[1]["parts"]
    assert [part["size"] for part in listed] == [1]
    assert api.ask("SignUploadParts", {"numbers": [1]}, **upload)[0] == 200
    assert api.ask("SignUploadParts", {"numbers": [2]}, **upload)[0] == 400
    assert api.ask("CompleteUpload", {"parts": []}, **upload)[0] == 400
    parts = {"parts": [{"number": 1, "etag": headers["ETag"]}]}
    assert api.ask("CompleteUpload", parts, **upload)[1]["status"] == "complete"
    assert api.ask("AbortUpload", **begin()[0])[0] == 204
    for name, body in (("ListUploadParts", None), ("SignUploadParts", {"numbers": [1]}), ("CompleteUpload", parts), ("AbortUpload", None)):
        assert api.ask(name, body, id="nothing", uploadId="nothing")[0] == 404
    ends = [begin("same") for _ in range(2)]
    for (upload, url), wanted in zip(ends, (200, 412)):
        _, headers, _ = put_part(url, b"x")
        assert api.ask("CompleteUpload", {"parts": [{"number": 1, "etag": headers["ETag"]}]}, **upload)[0] == wanted


def go_through_approval(server, api, put, folder):
    """The application fetches what it is asked about."""
    application = test_approval.Application()
    test_approval.add_profile(server, "asked", application, folder, bucket=BUCKET)
    seen = []
    application.answers = [lambda question: seen.append(api.ask("GetStaged", token="", staged=question["url"].rsplit("/", 1)[1])[1])
                           or {"approve": True}]
    assert put(api.ask("CreateUpload", {"profile": "asked"})[1], b"hello") == 200
    assert seen == ["hello"]
    assert api.ask("GetStaged", token="", staged="nothing")[0] == 404
    application.close()


def go_through_deliveries(api, put):
    """Nobody listens there."""
    assert api.ask("TestWebhook", profile="told")[1]["delivered"] is False
    assert api.ask("TestWebhook", profile="any")[0] == 409
    assert api.ask("TestWebhook", profile="nothing")[0] == 404
    assert api.ask("ListDeliveries")[0] == 400
    assert api.ask("ListDeliveries", query="?profile=nothing")[0] == 404
    assert api.ask("ListDeliveries", query="?profile=told")[1] == {"deliveries": []}
    assert put(api.ask("CreateUpload", {"profile": "told"})[1], b"x") == 200
    deadline = time.monotonic() + 30
    while True:
        waiting = api.ask("ListDeliveries", query="?profile=told")[1]["deliveries"]
        if waiting and waiting[0]["attempts"] >= 3:
            break
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert api.ask("RetryDelivery", id=waiting[0]["id"])[1]["state"] == "waiting"
    assert api.ask("RetryDelivery", id="nothing")[0] == 404


def test_every_answer_that_is_described_is_given(server, api, tmp_path):
    png = b"\x89PNG\r\n\x1a\n"

    def put(upload, body):
        place = urllib.parse.urlsplit(upload["upload"]["url"])
        return api.call("PUT", f"{place.path}?{place.query}", body, upload["upload"]["headers"])[0]

    def put_part(url, body):
        place = urllib.parse.urlsplit(url)
        return api.call("PUT", f"{place.path}?{place.query}", body)

    # Uploads, in each of their states
    rich = make_token(server, "rich", "--role", "backend")
    key = {"Idempotency-Key": "one"}
    _, upload = api.ask("CreateUpload", {"profile": "any"}, headers=key)
    assert api.ask("CreateUpload", {"profile": "any"}, headers=key) == (201, upload)
    assert api.ask("CreateUpload", {"profile": "any", "size": 1}, headers=key)[0] == 422
    assert api.ask("GetUpload", id=upload["id"])[1]["status"] == "pending"
    assert put(upload, png) == 200
    assert api.ask("GetUpload", id=upload["id"])[1]["status"] == "complete"
    _, upload = api.ask("CreateUpload", {"profile": "picture", "type": "image/png"})
    assert put(upload, b"<html>" * 100) == 403
    deadline = time.monotonic() + 20
    while api.ask("GetUpload", id=upload["id"])[1]["status"] != "rejected":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    api.ask("CreateUpload", {"profile": "nothing"})
    api.ask("CreateUpload", {})
    assert api.ask("CreateUpload", {"uploads": [{"profile": "any", "metadata": {"a": "b"}}, {}]})[0] == 200
    wide = {"profile": "wide", "vars": {name: name * 128 for name in "abcdef"}}
    assert api.ask("CreateUpload", {"uploads": [wide] * 80}, headers={"Idempotency-Key": "wide"}, token=rich)[0] == 413
    api.ask("GetUpload", id="nothing")
    # Tokens
    _, client = api.ask("CreateClientToken", {"profile": "any"})
    api.ask("CreateClientToken", {})
    api.ask("CreateClientToken", {"profile": "nothing"})
    # Links
    api.ask("CreateLink", {})
    assert api.ask("CreateLink", {"bucket": BUCKET, "key": "a", "dry_run": True})[0] == 200
    assert api.ask("ListLinks")[1]["links"] == []
    links = [api.ask("CreateLink", {"bucket": BUCKET, "key": "a", **more})[1]
             for more in ({}, {"not_before": "2099-01-01T00:00:00Z"}, {"max_uses": 1}, {"expires": 1})]
    _, page = api.ask("ListLinks", query="?limit=2")
    assert api.ask("ListLinks", query="?limit=2&after=" + page["next"])[1]["links"] == page["links"][:0] + \
        api.ask("ListLinks")[1]["links"][2:]
    api.ask("ListLinks", query="?limit=0")
    assert api.ask("CreateLink", {"links": [{"bucket": BUCKET, "key": "a"}, {"bucket": BUCKET, "key": ""}]})[0] == 200
    assert api.ask("CreateLink", {"bucket": "no-such-bucket", "key": "a"})[0] == 404
    json_please = {"Accept": "application/json"}
    assert api.ask("OpenLink", token="", id=links[0]["id"])[0] == 302
    assert api.ask("OpenLink", token="", id=links[2]["id"])[0] == 200
    assert api.ask("OpenLink", token="", id=links[2]["id"], headers=json_please)[0] == 200
    assert api.ask("OpenLink", token="", id=links[1]["id"], headers={"Accept": "text/html"})[0] == 403
    assert api.ask("OpenLink", token="", id=links[1]["id"], headers=json_please)[0] == 403
    _, folder = api.ask("CreateLink", {"bucket": BUCKET, "key": "f/", "folder": True})
    assert api.ask("OpenLink", token="", id=folder["id"], headers=json_please)[0] == 200
    _, locked = api.ask("CreateLink", {"bucket": BUCKET, "key": "a", "password": "sesame"})
    typed = {"Content-Type": "application/json"}
    assert api.ask("UseLink", {"password": "sesame"}, token="", id=locked["id"], headers=typed)[0] == 303
    assert api.ask("UseLink", {"password": "sesame"}, token="", id=locked["id"], headers={**typed, **json_please})[0] == 200
    assert api.ask("UseLink", {"pass": "sesame"}, token="", id=locked["id"], headers=typed)[0] == 400
    assert api.ask("UseLink", token="", id="nothing")[0] == 404
    # Ten in a window of 15 minutes, which may end amid them.
    answers = [api.ask("UseLink", {"password": "wrong"}, token="", id=locked["id"], headers=typed)[0] for _ in range(21)]
    assert set(answers) == {403, 429}
    assert api.ask("OpenLink", token="", id=links[1]["id"])[0] == 403
    assert api.ask("OpenLink", token="", id="nothing")[0] == 404
    assert api.ask("RevokeLink", id=links[0]["id"])[0] == 204
    assert api.ask("OpenLink", token="", id=links[0]["id"])[0] == 410
    assert api.ask("UseLink", token="", id=links[0]["id"])[0] == 410
    assert [api.ask("GetLink", id=link["id"])[1]["state"] for link in links[:3]] == ["revoked", "not_yet", "active"]
    api.ask("GetLink", id="nothing")
    api.ask("RevokeLink", id="nothing")
    assert api.ask("RevokeId", id="never-seen")[0] == 204
    assert api.ask("RevokeId", id="no@id")[0] == 400
    assert api.ask("RevokeId", id="never-seen", query="?access_key_id=NOBODYSKEY")[0] == 404
    api.ask("GetDescription", token="")
    go_through_uppy(api, put_part)
    go_through_parts(api, put_part)
    go_through_approval(server, api, put, tmp_path)
    go_through_deliveries(api, put)
    # Those who may not
    nobody = "lst_" + "a" * 16 + "_" + "b" * 43
    link_only = make_token(server, "link-only", "--role", "link")
    busy = make_token(server, "busy", "--role", "backend")
    bodies = {"CreateUpload": {"profile": "any"}, "CreateClientToken": {"profile": "any"},
              "CreateLink": {"bucket": BUCKET, "key": "k"}, "UppySign": {}, "UppyCreate": {}, "UppyComplete": {},
              "SignUploadParts": {}, "CompleteUpload": {}}
    operations = [operation["operationId"] for methods in api.description["paths"].values()
                  for operation in methods.values() if operation.get("security") != []]
    for name in operations:
        arguments = {"body": bodies.get(name), "id": links[0]["id"], "uploadId": "none", "partNumber": 1,
                     "profile": "any"}
        assert api.ask(name, token=nobody, **arguments)[0] == 401
        assert api.ask(name, token=client["token"] if "Link" in name or name == "RevokeId" else link_only, **arguments)[0] == 403
    for name in operations:
        deadline = time.monotonic() + 20
        while api.ask(name, token=busy, body=bodies.get(name), id=links[0]["id"], uploadId="none",
                      partNumber=1, profile="any")[0] != 429:
            assert time.monotonic() < deadline
    described = {(operation["operationId"], int(status)) for methods in api.description["paths"].values()
                 for operation in methods.values() for status in operation["responses"] if status != "default"}
    assert api.seen == described
