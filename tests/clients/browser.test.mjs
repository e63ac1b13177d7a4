// What a web application's users do in their browser: files by a form, by fetch of presigned URLs from
// another origin, in parts, and with the AWS SDK in the page itself.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutBucketCorsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { getSignedUrl, S3RequestPresigner } from "@aws-sdk/s3-request-presigner";
import { build } from "esbuild";
import { findBrowser, openBrowser, startSite } from "./browser.mjs";
import { credentials, startServer } from "./server.mjs";

const Bucket = "web";
const MIB = 1 << 20;
const escape = (text) => text.replace(/[&<>"]/g, (found) => `&#${found.codePointAt(0)};`);

// A page as an application would render it: no script, a form with what was signed, and a file to pick.
const formPage = ({ url, fields }) => `<!doctype html><title>A form</title>
<form action="${escape(url)}" method="post" enctype="multipart/form-data">
${Object.entries(fields)
  .map(([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`)
  .join("\n")}
<input type="file" name="file"><button>Send</button></form>`;

suite("in a browser", { skip: findBrowser() ? false : "chromium and chromedriver are not installed" }, () => {
  const pages = { "/": "<!doctype html><title>elsewhere</title>", "/done": "<!doctype html><title>Thanks</title>" };
  let server;
  let client;
  let site;
  let stranger;
  let browser;
  let folder;

  before(async () => {
    // With no origin allowed by the server's own settings, what counts is the bucket's configuration.
    server = await startServer("--cors-origin", "none");
    client = server.client();
    site = await startSite(pages);
    stranger = await startSite(pages);
    folder = mkdtempSync(join(tmpdir(), "picked-"));
    browser = await openBrowser();
    await client.send(new CreateBucketCommand({ Bucket }));
  });

  after(async () => {
    await browser.close();
    site.close();
    stranger.close();
    client.destroy();
    rmSync(folder, { recursive: true });
    assert.equal(await server.stop(), 0);
  });

  const read = async (Key) => {
    const got = await client.send(new GetObjectCommand({ Bucket, Key }));
    return Buffer.from(await got.Body.transformToByteArray());
  };
  const allow = (AllowedOrigins, AllowedMethods = ["PUT", "GET"], ExposeHeaders = ["ETag"]) =>
    client.send(
      new PutBucketCorsCommand({
        Bucket,
        CORSConfiguration: {
          CORSRules: [{ AllowedOrigins, AllowedMethods, AllowedHeaders: ["*"], ExposeHeaders }],
        },
      }),
    );

  async function pickAndSend(form, path) {
    pages["/form"] = formPage(form);
    await browser.open(`${site.url}/form`);
    await browser.type("input[type=file]", path);
    await browser.click("button");
    for (let i = 0; i < 100 && (await browser.url()).endsWith("/form"); i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  test("a form with a picked file, and back to the application", async () => {
    const bytes = Buffer.alloc(3 * MIB, "0123456789abcdef~");
    const path = join(folder, "holiday ü & co.bin");
    writeFileSync(path, bytes);
    const form = await createPresignedPost(client, {
      Bucket,
      Key: "users/7/${filename}",
      Conditions: [["content-length-range", 1, 10 * MIB]],
      Fields: { success_action_redirect: `${site.url}/done`, "Content-Type": "application/x-holiday" },
    });
    await pickAndSend(form, path);
    const back = new URL(await browser.url());
    assert.equal(back.pathname, "/done", back.href);
    assert.equal(await browser.run("return document.title"), "Thanks");
    assert.equal(back.searchParams.get("bucket"), Bucket);
    assert.equal(back.searchParams.get("key"), "users/7/holiday ü & co.bin");
    assert.equal(back.searchParams.get("etag"), `"${createHash("md5").update(bytes).digest("hex")}"`);
    assert.ok((await read("users/7/holiday ü & co.bin")).equals(bytes));
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: "users/7/holiday ü & co.bin" }));
    assert.equal(head.ContentType, "application/x-holiday");
  });

  // A URL for GET with constraints of ours in it.
  async function signed(Key, constraints) {
    const { hostname, port, protocol } = new URL(server.endpoint);
    const url = await new S3RequestPresigner({ ...client.config, sha256: client.config.sha256 }).presign(
      { method: "GET", protocol, hostname, port, path: `/${Bucket}/${Key}`, query: constraints, headers: { host: `${hostname}:${port}` } },
      { expiresIn: 300 },
    );
    const query = Object.entries(url.query).map((pair) => pair.map(encodeURIComponent).join("="));
    return `${server.endpoint}${url.path}?${query.join("&")}`;
  }

  test("no cache of the browser shows again what was used up or revoked", async () => {
    await client.send(
      new PutObjectCommand({ Bucket, Key: "page", Body: "seen", ContentType: "text/plain", CacheControl: "public, max-age=31536000, immutable" }),
    );
    await allow([site.url]);
    await browser.open(site.url);
    const twice = async (url) => {
      const get = () =>
        browser.run("const r = await fetch(a[0], { cache: 'force-cache' }); return [r.status, (await r.text()).slice(0, 4)];", url);
      return [await get(), (await get())[0]];
    };
    // It does keep what has no id: so the answers below are our doing.
    const kept = await signed("page", {});
    await twice(kept);
    await client.send(new DeleteObjectCommand({ Bucket, Key: "page" }));
    assert.deepEqual((await twice(kept))[0], [200, "seen"], "a copy of what may be kept is shown");
    await client.send(
      new PutObjectCommand({ Bucket, Key: "page", Body: "seen", ContentType: "text/plain", CacheControl: "public, max-age=31536000, immutable" }),
    );
    assert.deepEqual(await twice(await signed("page", { "x-latch-id": "chromium", "x-latch-uses": "1" })), [[200, "seen"], 403]);
    const override = { "x-latch-id": "chromium-2", "x-latch-uses": "1", "response-cache-control": "public, max-age=1000" };
    assert.deepEqual(await twice(await signed("page", override)), [[200, "seen"], 403]);
    // Going there, away, and back.
    const once = await signed("page", { "x-latch-id": "chromium-3", "x-latch-uses": "1" });
    await browser.open(once);
    assert.equal(await browser.run("return document.body.textContent"), "seen");
    await browser.open(site.url);
    await browser.open(once);
    assert.match(await browser.run("return document.documentElement.textContent"), /used 1 of 1 times/);
  });

  test("a form with a file that is too large shows why", async () => {
    const path = join(folder, "large.txt");
    writeFileSync(path, "x".repeat(101));
    const form = await createPresignedPost(client, {
      Bucket,
      Key: "large",
      Conditions: [["content-length-range", 0, 100]],
    });
    await pickAndSend(form, path);
    assert.match(await browser.run("return document.documentElement.textContent"), /EntityTooLarge/);
    await assert.rejects(read("large"), { name: "NoSuchKey" });
  });

  test("fetch puts a presigned URL from an origin that the bucket allows, and from no other", async () => {
    await allow([site.url]);
    const put = await getSignedUrl(client, new PutObjectCommand({ Bucket, Key: "fetched" }));
    const script = "const r = await fetch(a[0], {method: 'PUT', body: a[1], headers: {'content-type': 'text/x-note'}});" +
      "return [r.status, r.headers.get('ETag')]"; // prettier-ignore
    await browser.open(site.url);
    assert.deepEqual(await browser.run(script, put, "by fetch"), [
      200,
      `"${createHash("md5").update("by fetch").digest("hex")}"`,
    ]);
    assert.equal(String(await read("fetched")), "by fetch");
    await browser.open(stranger.url);
    assert.equal(await browser.run(`try {${script}} catch (error) {return error.name}`, put, "stolen"), "TypeError");
    assert.equal(String(await read("fetched")), "by fetch");
  });

  test("a page sends a file in parts by presigned URLs", async () => {
    await allow([site.url]);
    const object = { Bucket, Key: "in parts" };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(object));
    const urls = await Promise.all(
      [1, 2, 3].map((PartNumber) =>
        getSignedUrl(client, new UploadPartCommand({ ...object, UploadId, PartNumber })),
      ),
    );
    await browser.open(site.url);
    const etags = await browser.run(
      `const [urls, size, length] = a;
       const file = new Blob([new Uint8Array(length).map((_, i) => i % 251)]);
       return Promise.all(urls.map(async (url, i) => {
         const body = file.slice(i * size, (i + 1) * size);
         return (await fetch(url, {method: "PUT", body})).headers.get("ETag");
       }));`,
      urls,
      5 * MIB,
      11 * MIB,
    );
    const Parts = etags.map((ETag, i) => ({ ETag, PartNumber: i + 1 }));
    await client.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts } }));
    const wanted = new Uint8Array(11 * MIB).map((_, i) => i % 251);
    assert.ok((await read("in parts")).equals(wanted));
  });

  test("the AWS SDK in the page uploads a picked file in parts and reads it", async () => {
    // The SDK needs to see the checksum of each part to complete the upload.
    await allow([site.url], ["GET", "HEAD", "PUT", "POST", "DELETE"], ["ETag", "x-amz-checksum-crc32"]);
    const bundled = await build({
      stdin: {
        contents: `import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
          import { Upload } from "@aws-sdk/lib-storage";
          window.sdk = { GetObjectCommand, S3Client, Upload };`,
        resolveDir: import.meta.dirname,
      },
      bundle: true,
      minify: true,
      platform: "browser",
      write: false,
      logLevel: "error",
    });
    pages["/sdk.js"] = bundled.outputFiles[0].text;
    pages["/sdk"] = '<!doctype html><input type="file"><script src="/sdk.js"></script>';
    const path = join(folder, "picked.bin");
    writeFileSync(path, Buffer.alloc(7 * MIB + 1, "a picked file"));
    await browser.open(`${site.url}/sdk`);
    await browser.type("input[type=file]", path);
    const [etag, length] = await browser.run(
      `const [endpoint, credentials, Bucket] = a;
       const client = new sdk.S3Client({endpoint, region: "us-east-1", forcePathStyle: true, credentials});
       const object = {Bucket, Key: "picked"};
       const [Body] = document.querySelector("input").files;
       const done = await new sdk.Upload({client, params: {...object, Body}}).done();
       const got = await client.send(new sdk.GetObjectCommand(object));
       return [done.ETag, (await got.Body.transformToByteArray()).length];`,
      server.endpoint,
      credentials,
      Bucket,
    );
    assert.match(etag, /-2"$/);
    assert.equal(length, 7 * MIB + 1);
    assert.ok((await read("picked")).equals(readFileSync(path)));
  });
});
