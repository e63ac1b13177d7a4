"""A page of another origin puts and gets a picture with fetch(), as a web application does."""
import shutil

import pytest
from browser import Browser, Site
from harness import clock_shifted, presign

BUCKET = "pictures"


@pytest.fixture(scope="module")
def page(tmp_path_factory, pictures):
    """A browser that shows a page of another origin, which has the pictures beside it."""
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        pytest.skip("chromium and chromedriver are not installed")
    folder = tmp_path_factory.mktemp("site")
    (folder / "index.html").write_text("<!doctype html><title>elsewhere</title>")
    for name, picture in pictures.items():
        (folder / name).write_bytes(picture)
    site = Site(folder)
    browser = Browser()
    browser.open(site.url)
    yield browser
    browser.close()
    site.close()


ROUND_TRIP = """
const [put, get, name, type] = a;
const picture = await (await fetch(name)).blob();
const stored = await fetch(put, {method: "PUT", body: new Blob([picture], {type})});
const got = await fetch(get);
const [sent, back] = [new Uint8Array(await picture.arrayBuffer()), new Uint8Array(await got.arrayBuffer())];
const image = new Image();
image.src = get;
await image.decode();
return {stored: stored.status, got: got.status, etag: stored.headers.get("ETag"), type: got.headers.get("Content-Type"),
        same: sent.length === back.length && sent.every((byte, i) => byte === back[i]), width: image.naturalWidth,
        id: got.headers.get("x-amz-request-id"), meta: got.headers.get("x-amz-meta-owner")};
"""


@pytest.mark.parametrize("name,type", [("cat.jpg", "image/jpeg"), ("cat.png", "image/png")])
def test_a_picture_goes_through_byte_for_byte(page, s3, name, type):
    found = page.run(ROUND_TRIP, presign(s3, "put_object", key=name), presign(s3, "get_object", key=name), name, type)
    assert (found["stored"], found["got"], found["same"]) == (200, 200, True), found
    assert found["etag"] and found["id"], "the page can read ETag and x-amz-request-id"
    assert found["type"] == type and found["width"] == 1024


def test_a_page_can_read_metadata(page, s3):
    s3.put_object(Bucket=BUCKET, Key="meta", Body=b"x", Metadata={"owner": "Ada"})
    found = page.run("const r = await fetch(a[0]); return r.headers.get('x-amz-meta-owner')",
                     presign(s3, "get_object", key="meta"))
    assert found == "Ada"


def test_a_page_sees_why_it_was_refused(page, s3):
    with clock_shifted(-400):
        url = presign(s3, "get_object")
    found = page.run("const r = await fetch(a[0]); return [r.status, r.headers.get('Content-Type'), await r.text()]", url)
    assert found[:2] == [403, "application/xml"] and "Request has expired" in found[2]


def test_a_page_may_send_signed_headers(page, s3):
    url = presign(s3, "put_object", key="typed", ContentType="application/json", Metadata={"owner": "Ada"})
    headers = {"Content-Type": "application/json", "x-amz-meta-owner": "Ada"}
    found = page.run("return (await fetch(a[0], {method: 'PUT', body: '{}', headers: a[1]})).status", url, headers)
    assert found == 200
    assert s3.head_object(Bucket=BUCKET, Key="typed")["Metadata"] == {"owner": "Ada"}


def test_a_page_can_read_parts_and_delete(page, s3):
    s3.put_object(Bucket=BUCKET, Key="part", Body=b"0123456789")
    found = page.run("const r = await fetch(a[0], {headers: {Range: 'bytes=2-4'}});"
                     "return [r.status, await r.text(), r.headers.get('Content-Range')]", presign(s3, "get_object", key="part"))
    assert found == [206, "234", "bytes 2-4/10"]
    found = page.run("return (await fetch(a[0], {method: 'DELETE'})).status", presign(s3, "delete_object", key="part"))
    assert found == 204


def test_an_upload_shows_its_progress(page, s3):
    """XMLHttpRequest with an upload listener makes a preflight of its own."""
    found = page.run("""
return await new Promise((resolve) => {
  const request = new XMLHttpRequest();
  let last = 0;
  request.upload.onprogress = (event) => { last = event.loaded; };
  request.onloadend = () => resolve([request.status, last]);
  request.open("PUT", a[0]);
  request.send(new Blob([new Uint8Array(3000000)]));
});""", presign(s3, "put_object", key="progress"))
    assert found == [200, 3000000]
