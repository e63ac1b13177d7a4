"""Short links as a person and a program open them: pages, passwords, folders, stable URLs, many in one call."""
import base64
import concurrent.futures
import hashlib
import html
import json
import os
import pathlib
import re
import time
import urllib.parse

import pytest
from test_links import ask, create, eventually, follow, get

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PROGRAM = {"Accept": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
HOSTILE = "a\"'><script>alert(1)</script>&\u202egpj.exe"


@pytest.fixture(name="server", scope="module")
def _server(start):
    return start("--api-rate", "0", "--buckets", "link-bucket")


@pytest.fixture(name="s3")
def _s3(server):
    client = server.client()
    client.put_object(Bucket="link-bucket", Key="a b.jpg", Body=b"picture")
    return client


@pytest.fixture(name="bucket")
def _bucket(s3):
    return "link-bucket"


def state(server, link):
    return ask(server, "GET", "/-/api/links/" + link["id"])[1]


def press(url, headers=BROWSER, body=None):
    return get(url, "POST", body, {**headers, **(FORM if body else {})})


# ---- Counted links

def test_fetching_a_counted_link_spends_nothing(server, bucket):
    link = create(server, max_uses=1)
    for method in ("GET", "HEAD"):
        for headers in ({}, BROWSER, PROGRAM, {"User-Agent": "Slackbot-LinkExpanding 1.0"}):
            answer, body = get(link["short_url"], method, headers=headers)
            assert answer.status == 200
            assert "Location" not in answer.headers
    assert state(server, link)["used"] == 0
    answer, body = get(link["short_url"])
    page = body.decode()
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    for fact in ("a b.jpg", "7 bytes", "can be opened once", " UTC", '<form method="post">', "<button>"):
        assert fact in page
    answer, _ = press(link["short_url"])
    assert answer.status == 303
    answer, body = get(answer.headers["Location"])
    assert (answer.status, body) == (200, b"picture")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="a b.jpg"'
    assert state(server, link)["state"] == "used"
    assert press(link["short_url"])[0].status == 410


def test_what_a_page_may_do(server, bucket):
    answer, body = get(create(server, max_uses=3)["short_url"], headers=BROWSER)
    style = re.search(rb"<style>(.*)</style>", body, re.DOTALL)[1]
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "style-src 'sha256-%s'" % base64.b64encode(hashlib.sha256(style).digest()).decode() in policy
    assert f"form-action 'self' {server.endpoint}" in policy
    assert {"base-uri 'none'", "frame-ancestors 'none'"} < set(policy)
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Vary"] == "Accept"
    assert b"can be opened 3 more times" in body
    assert not re.search(rb"<script|<img|<link|\bon\w+=|url\(|https?:", body)


@pytest.mark.parametrize("name", [HOSTILE, "</title><h1>x", "日本語 & ü.png", "\u009bx\u200f.txt"])
def test_a_name_is_only_a_name(server, s3, bucket, name):
    s3.put_object(Bucket=bucket, Key="h/" + name.replace("/", "_"), Body=b"x")
    name = name.replace("/", "_")
    for link in (create(server, key="h/" + name, max_uses=1), create(server, key="h/", folder=True)):
        page = get(link["short_url"], headers=BROWSER)[1].decode()
        assert "<script" not in page
        assert "</title><h1>x" not in page
        shown = re.sub("[\u0080-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]", "\ufffd", name)
        assert html.escape(shown).replace("&#x27;", "&#39;") in page
        assert "\u202e" not in page


def test_programs_use_the_file_url_or_json(server, bucket):
    link = create(server, max_uses=2)
    assert link["file_url"] == link["url"]
    answer, body = get(link["short_url"], headers=PROGRAM)
    about = json.loads(body)
    assert about.pop("expires_at") == link["expires_at"]
    assert about == {"id": link["id"], "password": False, "uses_left": 2, "filename": "a b.jpg", "size": 7}
    answer, body = press(link["short_url"], PROGRAM)
    assert answer.status == 200
    assert get(json.loads(body)["url"])[1] == b"picture"
    assert get(link["file_url"])[1] == b"picture"
    answer, body = get(link["short_url"], headers=PROGRAM)
    assert (answer.status, json.loads(body)["error"]["code"]) == (410, "LinkUsed")


def test_the_button_pressed_by_many_at_once(server, bucket):
    link = create(server, max_uses=3)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: follow(link["short_url"])[0].status, range(24)))
    assert answers.count(200) == 3
    assert state(server, link)["uses_left"] == 0


# ---- A link that is over

def over(server, how):
    limits = {"used": {"max_uses": 1}, "revoked": {"max_uses": 1}, "expired": {"expires": 1, "max_uses": 1},
              "too early": {"not_before": "2099-01-01T00:00:00Z"}, "elsewhere": {"ip": "203.0.113.0/24"},
              "missing": {"key": "nothing.txt"}, "wrong id": {}}
    link = create(server, **limits[how])
    if how == "used":
        assert get(link["url"])[0].status == 200
        eventually(lambda: state(server, link)["state"] == "used")
    if how == "revoked":
        ask(server, "DELETE", "/-/api/links/" + link["id"])
    if how == "expired":
        eventually(lambda: state(server, link)["state"] == "expired")
    return link["short_url"] + ("x" if how == "wrong id" else "")


@pytest.mark.parametrize(("how", "status", "text"), [
    ("used", 410, "has been used"), ("revoked", 410, "was revoked"), ("expired", 410, "has expired"),
    ("too early", 403, "be used yet"), ("elsewhere", 403, "from your address"),
    ("missing", 404, "The file is not there"), ("wrong id", 404, "no such link")])
def test_what_is_over_says_so(server, bucket, how, status, text):
    url = over(server, how)
    for method in ("GET", "POST", "HEAD"):
        answer, body = get(url, method, headers=BROWSER)
        assert answer.status == status
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "private, no-store"
        if method != "HEAD":
            assert text in html.unescape(body.decode())
            assert "<form" not in body.decode()
        if how == "missing":
            continue  # programs are sent on, and hear of it from the store
        answer, body = get(url, method)
        assert (answer.status, answer.headers["Content-Type"]) == (status, "text/plain; charset=utf-8")
        answer, body = get(url, method, headers=PROGRAM)
        assert answer.status == status
        if method != "HEAD":
            assert text in json.loads(body)["error"]["message"]


def test_what_can_not_be_done_is_said_in_the_readers_language(server, bucket):
    """All refusals of a link, those too that are not about the link itself."""
    url = create(server)["short_url"]
    for method, body, headers, status in (
            ("PUT", None, {}, 405), ("DELETE", None, {}, 405), ("GET", None, {}, 400),
            ("POST", b"password=" + b"x" * 100_000, FORM, 413)):
        asked = url + "?page=1&page=2" if status == 400 else url
        answer, text = get(asked, method, body, {**BROWSER, **headers})
        assert (answer.status, answer.headers["Content-Type"]) == (status, "text/html; charset=utf-8"), method
        assert "Ask the person" not in text.decode()  # a new link would change nothing
        answer, text = get(asked, method, body, headers)
        assert (answer.status, answer.headers["Content-Type"]) == (status, "text/plain; charset=utf-8"), method
        answer, text = get(asked, method, body, {**PROGRAM, **headers})
        assert answer.status == status
        assert json.loads(text)["error"]["message"]


def test_a_signer_without_the_right(server, bucket):
    """A link dies with the rights of whoever made it, in plain words."""
    made = json.loads(server.command("user", "add", "sharer", "--policy", "readwrite", "--json", "--data", server.data).stdout)
    status, link = ask(server, "POST", "/-/api/links", {"bucket": bucket, "key": "a b.jpg", "max_uses": 1},
                       made["access_key_id"], made["secret_access_key"])
    assert status == 201
    assert get(link["short_url"], headers=BROWSER)[0].status == 200
    server.command("user", "disable", "sharer", "--data", server.data)
    for method in ("GET", "POST"):
        answer, body = get(link["short_url"], method, headers=BROWSER)
        assert answer.status == 410
        assert b"may not share the file any more" in body


# ---- Passwords

def test_a_password(server, bucket):
    link = create(server, password="correct horse")
    assert set(link) == {"id", "expires_at", "short_url"}
    answer, body = get(link["short_url"], headers=BROWSER)
    page = body.decode()
    assert answer.status == 200
    assert 'type="password"' in page
    assert "a b.jpg" not in page
    assert "7 bytes" not in page
    assert "Location" not in get(link["short_url"])[0].headers
    for body, status in ((None, 403), ("password=wrong+horse", 403), ("password=correct+hors", 403),
                         ("password=", 403), ("password=a&password=b", 400), ("password=%", 400),
                         ("password=%00", 403), ("password=" + "x" * 300, 403), ("password=" + "x" * 9000, 413)):
        answer, page = press(link["short_url"], body=body)
        assert answer.status == status, body
        assert "Location" not in answer.headers
        assert b"horse" not in page
    assert b"wrong" in press(link["short_url"], body="password=nonsense")[1]
    answer, _ = press(link["short_url"], body="password=correct+horse")
    assert answer.status == 303
    assert get(answer.headers["Location"])[1] == b"picture"
    answer, body = get(link["short_url"], "POST", json.dumps({"password": "correct horse"}),
                       {**PROGRAM, "Content-Type": "application/json"})
    assert get(json.loads(body)["url"])[1] == b"picture"
    shown = state(server, link)
    assert shown["password"] is True
    assert "horse" not in json.dumps(shown)


def test_a_locked_link_tells_nothing_of_its_file(server, bucket):
    link = create(server, key="nothing.txt", password="sesame")
    assert get(link["short_url"], headers=BROWSER)[0].status == 200
    assert press(link["short_url"], body="password=wrong")[0].status == 403
    answer, body = press(link["short_url"], body="password=sesame")
    assert answer.status == 404
    assert b"The file is not there" in body


def test_a_password_and_a_count(server, bucket):
    link = create(server, password="sesame!", max_uses=1)
    for _ in range(3):
        assert press(link["short_url"], body="password=wrong")[0].status == 403
    assert state(server, link)["used"] == 0
    assert get(press(link["short_url"], body="password=sesame!")[0].headers["Location"])[1] == b"picture"
    assert press(link["short_url"], body="password=sesame!")[0].status == 410


def settled_window():
    """Tries are counted in windows of 15 minutes of the clock: not across the end of one."""
    left = 900 - time.time() % 900
    if left < 60:
        time.sleep(left + 1)


def test_wrong_passwords_are_limited(server, bucket):
    settled_window()
    link = create(server, password="open sesame")
    other = create(server, password="open sesame")
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda n: press(link["short_url"], body=f"password=guess{n}")[0].status, range(24)))
    assert answers.count(403) <= 10
    assert answers.count(429) >= 10
    answer, body = press(link["short_url"], body="password=open+sesame")
    assert answer.status == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 900
    assert b"Too many wrong passwords" in body
    # It is that link's alone, and the page is still there.
    assert get(link["short_url"], headers=BROWSER)[0].status == 200
    assert press(other["short_url"], body="password=open+sesame")[0].status == 303


@pytest.fixture(name="proxied", scope="module")
def _proxied(start):
    """Behind a proxy on this machine, so that a visitor can come from any address."""
    server = start("--api-rate", "0", "--anonymous-rate", "0", "--buckets", "link-bucket", "--trusted-proxy", "127.0.0.1")
    server.client().put_object(Bucket="link-bucket", Key="a b.jpg", Body=b"picture")
    return server


def press_from(link, address, password):
    return press(link["short_url"], {**BROWSER, "X-Forwarded-For": address}, "password=" + password)[0].status


@pytest.mark.parametrize(("site", "provider", "neighbour", "elsewhere"), [
    ("2001:db8:7:{}::1", "2001:db8:{}::1", "2001:db8:ffff::1", "2001:db9::1"),
    pytest.param("203.0.7.{}", "203.0.{}.1", "203.0.200.7", "198.51.100.7",
                 marks=pytest.mark.skipif(not os.environ.get("LST_FULL"), reason="LST_FULL is not set"))], ids=["IPv6", "IPv4"])
def test_many_addresses_of_one_network_do_not_shut_out_everybody(proxied, site, provider, neighbour, elsewhere):
    settled_window()
    link = create(proxied, password="open sesame")

    def guess(addresses):
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            answers = list(pool.map(lambda address: press_from(link, address, "guess"), addresses))
        assert set(answers) == {403, 429}
        return answers.count(403)

    assert guess([site.format(n % 5) for n in range(30)]) == 20
    assert guess([provider.format(10 + n) for n in range(30)]) == 20
    assert press_from(link, neighbour, "open+sesame") == 429
    assert press_from(link, elsewhere, "wrong") == 403
    assert press_from(link, elsewhere, "open+sesame") == 303


def test_all_tries_of_a_link_are_bounded(proxied):
    """However many networks somebody has. (With the full sizes only: it takes half a minute.)"""
    if not os.environ.get("LST_FULL"):
        pytest.skip("LST_FULL is not set")
    settled_window()
    link = create(proxied, password="open sesame")
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda n: press_from(link, f"{n // 5 + 11}.0.{n % 5}.1", f"guess{n}"), range(450)))
    assert answers.count(403) == 400
    assert press_from(link, "9.9.9.9", "open+sesame") == 429


def test_many_right_passwords_at_once_are_not_called_wrong(server, bucket):
    """They are counted until they have been checked; who comes too soon is told to come again at once."""
    link = create(server, password="open sesame")
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda _: press(link["short_url"], body="password=open+sesame"), range(24)))
    assert {answer.status for answer, _ in answers} <= {303, 429}
    for answer, page in answers:
        if answer.status == 429:
            assert answer.headers["Retry-After"] == "1" and b"wrong" not in page


def test_the_right_password_uses_no_tries(server, bucket):
    link = create(server, password="open sesame")
    for _ in range(12):
        eventually(lambda: press(link["short_url"], body="password=open+sesame")[0].status == 303)


def test_wrong_passwords_are_remembered(start):
    server = start("--buckets", "link-bucket")
    server.client().put_object(Bucket="link-bucket", Key="a b.jpg", Body=b"picture")
    settled_window()
    link = create(server, password="open sesame")
    for _ in range(10):
        assert press(link["short_url"], body="password=guess")[0].status == 403
    server.stop()
    again = start(data=server.data)
    url = again.endpoint + urllib.parse.urlsplit(link["short_url"]).path
    assert press(url, body="password=open+sesame")[0].status == 429
    again.stop()
    stored = b"".join(path.read_bytes() for path in pathlib.Path(server.data).rglob("*") if path.is_file())
    assert b"open sesame" not in stored
    assert b"$y$" in stored


# ---- Folders

def test_a_folder(server, s3, bucket):
    for name in ("one.txt", "two & three.txt", "sub/four.txt"):
        s3.put_object(Bucket=bucket, Key="album/" + name, Body=name.encode())
    s3.put_object(Bucket=bucket, Key="album/", Body=b"")
    s3.put_object(Bucket=bucket, Key="albums.txt", Body=b"other")
    link = create(server, key="album/", folder=True)
    assert "url" not in link
    answer, body = get(link["short_url"], headers=BROWSER)
    assert answer.status == 200
    page = body.decode()
    targets = [html.unescape(target) for target in re.findall(r'<a href="([^"]*)"', page)]
    assert targets == ["?file=one.txt", "?file=sub%2Ffour.txt", "?file=two%20%26%20three.txt"]
    for target, content in zip(targets, (b"one.txt", b"sub/four.txt", b"two & three.txt")):
        answer, _ = get(link["short_url"] + target, headers=BROWSER)
        assert answer.status == 302
        assert get(answer.headers["Location"])[1] == content
    for target in ("?file=nothing", "?file=..%2Falbums.txt", "?file=../albums.txt", "?file="):
        assert get(link["short_url"] + target, headers=BROWSER)[0].status == 404
    files = json.loads(get(link["short_url"], headers=PROGRAM)[1])
    assert [file["name"] for file in files["files"]] == ["one.txt", "sub/four.txt", "two & three.txt"]
    assert files["next"] is None
    assert get(get(files["files"][2]["url"])[0].headers["Location"])[1] == b"two & three.txt"
    ask(server, "DELETE", "/-/api/links/" + link["id"])
    assert get(link["short_url"] + targets[0])[0].status == 410


def test_a_large_folder_has_pages(server, s3, bucket):
    names = [f"{number:03}.txt" for number in range(205)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: s3.put_object(Bucket=bucket, Key="many/" + name, Body=b"x"), names))
    url = create(server, key="many/", folder=True)["short_url"]
    seen = []
    target = ""
    while target is not None:
        page = get(url + target, headers=BROWSER)[1].decode()
        seen += re.findall(r'href="\?file=([^"]*)"', page)
        more = re.search(r'rel="next" href="([^"]*)"', page)
        target = html.unescape(more[1]) if more else None
    assert seen == names


def test_a_folder_with_a_password(server, s3, bucket):
    s3.put_object(Bucket=bucket, Key="locked/a.txt", Body=b"a")
    link = create(server, key="locked/", folder=True, password="sesame")
    assert "a.txt" not in get(link["short_url"], headers=BROWSER)[1].decode()
    assert b'type="password"' in get(link["short_url"] + "?file=a.txt", headers=BROWSER)[1]
    page = press(link["short_url"], body="password=sesame")[1].decode()
    target = html.unescape(re.search(r'<a href="([^"]*)"', page)[1])
    answer, _ = get(link["short_url"] + target)
    assert get(answer.headers["Location"])[1] == b"a"
    other = create(server, key="locked/", folder=True, password="sesame")
    wrong = [other["short_url"] + target, link["short_url"] + target[:-1] + ("0" if target[-1] != "0" else "1"),
             link["short_url"] + target.replace("pass=", "pass=9")]
    for url in wrong:
        assert b'type="password"' in get(url, headers=BROWSER)[1]


# ---- Inline, stable

def test_inline_or_download(server, bucket):
    for fields, expected in (({"disposition": "inline"}, "inline"), ({"disposition": "attachment"}, "attachment"),
                             ({"disposition": "inline", "filename": "x.jpg"}, 'inline; filename="x.jpg"'),
                             ({"disposition": "inline", "max_uses": 2}, "inline")):
        link = create(server, **fields)
        assert get(link["url"])[0].headers["Content-Disposition"] == expected
        assert follow(link["short_url"])[0].headers["Content-Disposition"] == expected


def test_a_stable_url(server, bucket):
    if time.time() % 900 > 880:
        time.sleep(21)
    first, second = (create(server, stable=True, expires=3600) for _ in range(2))
    assert first["url"] == second["url"]
    assert first["id"] != second["id"]
    assert first["expires_at"] == second["expires_at"]
    assert first["not_enforced"] == ["revocation"]
    answer, body = get(first["url"])
    assert body == b"picture"
    assert "no-store" not in answer.headers.get("Cache-Control", "")
    targets = {get(link["short_url"])[0].headers["Location"] for link in (first, second, first)}
    assert len(targets) == 1
    assert get(targets.pop())[1] == b"picture"
    ask(server, "DELETE", "/-/api/links/" + first["id"])
    assert get(first["short_url"])[0].status == 410


@pytest.mark.parametrize(("fields", "word"), [
    ({"stable": True, "max_uses": 1}, "stable"), ({"stable": True, "password": "sesame"}, "stable"),
    ({"stable": True, "expires": 604800}, "expires"), ({"stable": "yes"}, "stable"),
    ({"folder": True}, "key"), ({"folder": True, "key": "a/", "max_uses": 1}, "folder"),
    ({"password": "abc"}, "password"), ({"password": "x" * 129}, "password"), ({"password": 12345}, "password"),
    ({"password": "sesame", "method": "PUT"}, "password"), ({"disposition": "maybe"}, "disposition"),
    ({"ip": []}, "ip"), ({"ip": [1]}, "ip"), ({"ip": ["1.2.3.4,5.6.7.8"]}, "ip"), ({"ip": ["here"]}, "ip"),
    ({"ip": ["10.0.0.1"] * 17}, "ip")])
def test_what_does_not_go_is_named(server, bucket, fields, word):
    status, answer = ask(server, "POST", "/-/api/links", {"bucket": bucket, "key": "k", **fields})
    assert status == 400
    assert word in answer["error"]["message"]
    assert "sesame" not in json.dumps(answer)


# ---- Types, buckets, many in one call

def test_real_types(server, bucket):
    link = create(server, ip=["127.0.0.0/8", "203.0.113.7"], expires=None, max_uses=None, password=None, not_before=None,
                  filename=None, disposition=None, folder=None, stable=None, head=None, remote=None)
    assert get(link["url"])[0].status == 200
    shown = state(server, link)
    assert shown["addresses"] == ["127.0.0.0/8", "203.0.113.7"]
    assert shown["ip"] == "127.0.0.0/8,203.0.113.7"
    for name in ("not_before", "filename", "disposition", "remote", "revoked_at", "uses_left"):
        assert shown[name] is None
    assert get(create(server, ip=["203.0.113.0/24"])["url"])[0].status == 403


def test_a_bucket_that_is_not_there(server, bucket):
    status, answer = ask(server, "POST", "/-/api/links", {"bucket": "no-such-bucket", "key": "k"})
    assert (status, answer["error"]["code"]) == (404, "NoSuchBucket")
    assert create(server, key="later.txt")
    for name in ("no such", "../x", "a..b", "192.168.0.1", "ends-", "Capitals"):
        status, answer = ask(server, "POST", "/-/api/links", {"bucket": name, "key": "k"})
        assert (status, answer["error"]["code"]) == (400, "InvalidArgument"), name
        assert "create it" not in answer["error"]["message"], "nobody could"


def test_many_in_one_call(server, bucket):
    good = {"bucket": bucket, "key": "a b.jpg"}
    status, answer = ask(server, "POST", "/-/api/links", {"links": [
        good, {**good, "expires": 0}, {**good, "password": "sesame"}, {**good, "bucket": "no-such-bucket"}, 5,
        {**good, "dry_run": True}, {**good, "links": [good]}]})
    assert status == 200
    results = answer["results"]
    assert [result["status"] for result in results] == [201, 400, 201, 404, 400, 200, 400]
    assert get(results[0]["result"]["url"])[1] == b"picture"
    assert "expires" in results[1]["error"]["message"]
    assert press(results[2]["result"]["short_url"], body="password=sesame")[0].status == 303
    assert results[3]["error"]["code"] == "NoSuchBucket"
    assert results[5]["result"]["dry_run"] is True
    assert "links" in results[6]["error"]["message"]


@pytest.mark.parametrize("body", [{"links": []}, {"links": {}}, {"links": [{}] * 101}, {"links": [{}], "expires": 5}])
def test_a_call_for_many_that_is_wrong(server, bucket, body):
    before = ask(server, "GET", "/-/api/links?limit=1000")[1]
    status, answer = ask(server, "POST", "/-/api/links", body)
    assert (status, answer["error"]["code"]) == (400, "InvalidArgument")
    assert ask(server, "GET", "/-/api/links?limit=1000")[1] == before


def test_a_hundred_links(server, bucket):
    wanted = [{"bucket": bucket, "key": "x" * 900 + str(number), "filename": "y" * 200} for number in range(100)]
    status, answer = ask(server, "POST", "/-/api/links", {"links": wanted})
    assert status == 200
    assert len({result["result"]["id"] for result in answer["results"]}) == 100


def test_the_log_says_which_object_a_link_is_about(server, bucket):
    link = create(server, max_uses=1)
    get(link["short_url"])
    press(link["short_url"])
    ask(server, "GET", "/-/api/links/" + link["id"])
    ask(server, "DELETE", "/-/api/links/" + link["id"])
    get(link["short_url"])
    for operation, status in (("CreateLink", 201), ("OpenLink", 200), ("UseLink", 303), ("GetLink", 200), ("RevokeLink", 204),
                              ("OpenLink", 410)):
        assert server.wait_for_log(rf" {operation} {bucket}/a\\x20b\.jpg {status} "), operation
    assert link["id"] not in server.log()


@pytest.mark.parametrize(("key", "headers"), [("page.jpg", BROWSER), ("sentence.jpg", {}), ("json.jpg", PROGRAM)])
def test_the_log_says_why_a_link_was_refused(server, bucket, key, headers):
    link, locked = create(server, key=key), create(server, key=key, password="right-enough")
    ask(server, "DELETE", "/-/api/links/" + link["id"])
    assert get(link["short_url"], headers=headers)[0].status == 410
    assert press(locked["short_url"], headers, "password=wrong")[0].status == 403
    for why in (r"410 LinkRevoked .*\"This link was revoked\.\"", r"403 WrongPassword .*\"This password is wrong\.\""):
        assert server.wait_for_log(rf" {bucket}/{key} {why}"), why


def test_no_secret_is_logged(server, bucket):
    link = create(server, password="logged-never")
    press(link["short_url"], body="password=logged-wrong")
    press(link["short_url"], body="password=logged-never")
    server.wait_for_log("UseLink")
    assert "logged-" not in server.log()


def test_one_call_can_not_fill_the_place_where_passwords_are_hashed(server, bucket):
    entry = {"bucket": bucket, "key": "a b.jpg", "password": "open sesame"}
    status, answer = ask(server, "POST", "/-/api/links", {"links": [entry] * 12})
    assert status == 200
    assert [result["status"] for result in answer["results"]] == [201] * 8 + [400] * 4
    assert "8 links with a password" in answer["results"][8]["error"]["message"]
