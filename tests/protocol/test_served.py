"""Objects are strangers' bytes: whatever a browser could run is served so that it can't act on this origin."""
import re
import shutil
import subprocess

import pytest
from browser import Browser
from harness import BINARY, clean_environment, presign, sign_and_send, target_of

BUCKET = "pictures"
APART = "content.localhost"
HTML = b"<!doctype html><script>new Image().src='/canary-%s'</script><p>page"
SVG = (b'<svg xmlns="http://www.w3.org/2000/svg"><script>var i=document.createElementNS("http://www.w3.org/1999/xhtml","img");'
       b"i.src='/canary-%s'</script></svg>")
XHTML = b'<html xmlns="http://www.w3.org/1999/xhtml"><head><script>new Image().src="/canary-%s"</script></head></html>'
PREFIXED = b'<r xmlns:x="http://www.w3.org/1999/xhtml"><x:script>new Image().src="/canary-%s"</x:script></r>'
PAGES = {
    "html": ("text/html", HTML), "html-charset": ("text/html; charset=utf-8", HTML), "upper": ("TEXT/HTML", HTML),
    "xhtml": ("application/xhtml+xml", XHTML), "svg": ("image/svg+xml", SVG), "xml": ("application/xml", PREFIXED),
    "text-xml": ("text/xml", XHTML), "rss": ("application/rss+xml", PREFIXED), "any-xml": ("application/x+xml", XHTML),
    "two-types": ("image/png,text/html", HTML), "two-types-parameter": ("image/png;,text/html", HTML),
}
# What a browser sniffs, unless it is told not to.
SNIFFED = {"unknown": "application/unknown", "unknown-unknown": "unknown/unknown", "any": "*/*"}
INERT = ["image/png", "image/jpeg; a=b", "image/webp", "audio/mpeg", "video/mp4", "font/woff2", "text/plain", "text/plain; charset=utf-8",
         "application/json"]
ACTIVE = [*(kind for kind, _ in PAGES.values()), *SNIFFED.values(), "application/pdf", "text/xsl", "text/javascript",
          "application/octet-stream", "multipart/x-mixed-replace", "image/svg", "image/svg-xml", "text/css", "nonsense", "image/", "/png",
          "image/png x", "message/rfc822", "application/mathml+xml", "application/x-shockwave-flash", "text/vtt",
          "audio/x+xml", "video/x+XML", "font/x+xml; charset=utf-8", "image/x+XML", "audio/xml", "font/svg"]

# They are refused: see test_hostile_headers.py. The refusal is held as the object would be.
NO_TYPES = ["image/png,text/html", "image/png;,text/html", "*/*", "nonsense", "image/", "/png", "image/png x"]


@pytest.fixture(scope="module")
def server(start):
    return start("--buckets", BUCKET, "--content-domain", APART, "--content-domain", "files.example")


@pytest.fixture(scope="module")
def s3(server):
    return server.client()


def held(answer):
    """(sandboxed, not sniffed)"""
    assert answer.headers.get_all("X-Content-Type-Options") == ["nosniff"], answer.headers
    policies = answer.headers.get_all("Content-Security-Policy", [])
    assert policies in ([], ["sandbox"])
    return bool(policies)


@pytest.mark.parametrize("kind", ACTIVE)
def test_what_could_run_is_sandboxed_however_it_is_asked_for(server, s3, kind):
    url = presign(s3, "put_object", key="active")
    answer = server.send("PUT", target_of(url), {"Content-Type": "image/png"}, body=b"0123456789")
    assert answer.status == 200 and not held(answer)
    by_override = presign(s3, "get_object", key="active", ResponseContentType=kind)
    head = presign(s3, "head_object", key="active", ResponseContentType=kind)
    for method, url, headers, status in (("GET", by_override, {}, 200), ("HEAD", head, {}, 200),
                                         ("GET", by_override, {"Range": "bytes=1-2"}, 206)):
        answer = server.send(method, target_of(url), headers)
        assert answer.status == (400 if kind in NO_TYPES else status) and held(answer), (kind, method, headers)
    download = presign(s3, "get_object", key="active", ResponseContentType=kind, ResponseContentDisposition="inline")
    assert held(server.send("GET", target_of(download)))


@pytest.mark.parametrize("kind", INERT)
def test_what_runs_nothing_is_left_as_it_is(server, s3, kind):
    s3.put_object(Bucket=BUCKET, Key="inert", Body=b"x", ContentType=kind)
    for name in ("get_object", "head_object"):
        answer = server.send(name[:-7].upper(), target_of(presign(s3, name, key="inert")))
        assert answer.status == 200 and not held(answer)


def test_an_object_of_no_type_is_sandboxed(server, s3):
    assert sign_and_send(server, "PUT", f"/{BUCKET}/typeless", HTML).status == 200
    assert held(server.send("GET", target_of(presign(s3, "get_object", key="typeless"))))
    empty = sign_and_send(server, "GET", f"/{BUCKET}/typeless", query="response-content-type=")
    assert empty.status == 400 and held(empty)


def test_no_answer_is_sniffed(server, s3):
    s3.put_object(Bucket=BUCKET, Key="etag", Body=b"x", ContentType="text/html")
    etag = s3.head_object(Bucket=BUCKET, Key="etag")["ETag"]
    not_modified = server.send("GET", target_of(presign(s3, "get_object", key="etag")), {"If-None-Match": etag})
    assert not_modified.status == 304
    for answer in (not_modified, server.send("GET", "/"), server.send("GET", f"/{BUCKET}/none"), server.send("GET", "/-/health"),
                   server.send("GET", "/-/none"), server.send("GET", "/-/api/none"), server.send("GET", "/-/l/none"),
                   server.send("OPTIONS", f"/{BUCKET}/x", {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}),
                   server.send("PUT", f"/{BUCKET}/x", body=b"x"), server.send("GET", "/", {"Host": "files.example"})):
        held(answer)


def test_a_host_name_of_its_own_serves_objects_as_they_are_and_nothing_of_ours(server, s3):
    s3.put_object(Bucket=BUCKET, Key="page.html", Body=b"<p>", ContentType="text/html")
    for host in ("files.example", "FILES.example"):
        there = server.client(endpoint=f"http://{host}:{server.port}")
        answer = server.send("GET", target_of(presign(there, "get_object", key="page.html")), {"Host": f"{host}:{server.port}".lower()})
        assert answer.status == 200 and not held(answer)
        for path in ("/-/health", "/-/metrics", "/-/api/openapi.json", "/-/l/x", "/-/api/uploads", "/-/console/"):
            answer = server.send("GET", path, {"Host": host})
            assert (answer.status, answer.error["Code"]) == (404, "NotFound"), path
            assert server.send("POST", path, {"Host": host}, body=b"{}").status == 404
    for host in ("x.files.example", "files.example.", "files.example.com"):
        there = server.client(endpoint=f"http://{host}:{server.port}")
        answer = server.send("GET", target_of(presign(there, "get_object", key="page.html")), {"Host": f"{host}:{server.port}"})
        assert answer.status == 200 and held(answer), host
        assert server.send("GET", "/-/health", {"Host": host}).status == 200


@pytest.mark.parametrize("name,others", [
    ("files.example", ["--public-url", "https://Files.example"]),
    ("files.example", ["--public-url", "https://a.example", "--public-url", "http://files.example:8080/"]),
    ("files.example", ["--domain", "files.example"]),
    ("127.0.0.1", []),
    ("https://files.example", []),
    ("files.example:9000", []),
])
def test_a_name_that_serves_ours_is_refused_at_start(tmp_path, name, others):
    done = subprocess.run([BINARY, "serve", "--data", tmp_path / "data", "--listen", "127.0.0.1:0", "--content-domain", name, *others],
                          env=clean_environment(), text=True, capture_output=True, check=False, timeout=20)
    assert done.returncode != 0 and "content-domain" in done.stderr and name in done.stderr, done


# ---- In Chromium

@pytest.fixture(scope="module")
def browser():
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        pytest.skip("chromium and chromedriver are not installed")
    browser = Browser()
    yield browser
    browser.close()


def opened(server, browser, url, canary):
    """Does the page run script? It then asks this origin for the canary."""
    browser.open(url)
    server.send("GET", f"/after-{canary}")
    assert server.wait_for_log(rf"\bafter-{canary}\b")
    return re.search(rf"\bcanary-{canary}\b", server.log()) is not None


@pytest.mark.parametrize("name", [*PAGES, *SNIFFED])
def test_a_stored_page_runs_no_script_at_this_origin(server, s3, browser, name):
    kind, page = PAGES.get(name) or (SNIFFED[name], HTML)
    s3.put_object(Bucket=BUCKET, Key="page", Body=page % f"{name}-here".encode())
    url = presign(s3, "get_object", key="page", ResponseContentType=kind, ResponseContentDisposition="inline")
    assert not opened(server, browser, url, f"{name}-here")


@pytest.mark.parametrize("name", ["html", "xhtml", "xml", "svg"])
def test_the_same_page_runs_at_a_host_name_of_its_own(server, s3, browser, name):
    kind, page = PAGES[name]
    s3.put_object(Bucket=BUCKET, Key="page", Body=page % f"{name}-apart".encode())
    there = server.client(endpoint=f"http://{APART}:{server.port}")
    url = presign(there, "get_object", key="page", ResponseContentType=kind, ResponseContentDisposition="inline")
    assert opened(server, browser, url, f"{name}-apart"), "else the test above says nothing"
