// What users of Uppy do in their browser, from another origin: @uppy/aws-s3 as it is now, by its two
// ways of asking, and as it was in version 5, which many pages still have.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { CreateBucketCommand, GetObjectCommand, ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import { build } from "esbuild";
import { findBrowser, openBrowser, startSite } from "./browser.mjs";
import { startServer } from "./server.mjs";

const Bucket = "uppy";
const MIB = 1 << 20;
const PROFILES = {
  photos: { bucket: Bucket, key: "photos/{user}/{uuid}.{ext}", types: ["image/*"], check_content: true },
  files: { bucket: Bucket, key: "files/{filename}", max_size: 40 * MIB },
  short: { bucket: Bucket, key: "short/{uuid}", upload_expires: 2 },
};

// Runs in the page. It uploads a file, and tells all that Uppy said of it.
const PAGE = `
  const makers = {
    // Since version 6 Uppy's own way can be told an address and nothing else: the token is in it.
    6: ({ endpoint, token }) => new uppy6.Uppy().use(uppy6.AwsS3, {
      companionEndpoint: endpoint + "/" + token, shouldUseMultipart: (file) => file.size > 5e6 }),
    sign: ({ endpoint, token }) => new uppy6.Uppy().use(uppy6.AwsS3, {
      shouldUseMultipart: (file) => file.size > 5e6,
      signRequest: async (request) => {
        const answer = await fetch(endpoint + "/s3/sign", {
          method: "POST", headers: { Authorization: "Bearer " + token }, body: JSON.stringify(request) });
        const signed = await answer.json();
        if (!answer.ok) throw new Error(signed.error);
        return signed;
      } }),
    5: ({ endpoint, token }) => new Uppy.Uppy().use(Uppy.AwsS3, {
      endpoint, headers: { Authorization: "Bearer " + token }, shouldUseMultipart: (file) => file.size > 5e6 }),
  };

  const photo = () => new Promise((resolve) => {
    const canvas = new OffscreenCanvas(640, 480);
    const context = canvas.getContext("2d");
    for (let i = 0; i < 480; i++) {
      context.fillStyle = "hsl(" + i + " 80% 50%)";
      context.fillRect(0, i, 640, 1);
    }
    resolve(canvas.convertToBlob({ type: "image/jpeg" }));
  });

  window.upload = async (way, place, file, { dropAfter, retry, pauseAfter } = {}) => {
    const uppy = makers[way](place);
    const seen = { progress: [], parts: [], errors: [] };
    const data = file.size === undefined ? file.text === undefined ? await photo() : new Blob([file.text])
      : new Blob([new Uint8Array(file.size).map((_, i) => i % 251)]);
    uppy.on("upload-progress", (_, { bytesUploaded, bytesTotal }) => seen.progress.push([bytesUploaded, bytesTotal]));
    uppy.on("upload-error", (_, error) => {
      const text = error.body ?? error.request?.responseText ?? error.source?.responseText ?? "";
      seen.errors.push({ message: error.message, text });
    });
    uppy.on("upload-success", (_, { uploadURL, body }) => Object.assign(seen, { url: uploadURL, key: body.key }));
    const id = uppy.addFile({ name: file.name, type: file.type, data });
    uppy.on("s3-multipart:part-uploaded", (_, { PartNumber }) => {
      seen.parts.push(PartNumber);
      if (seen.parts.length === dropAfter) uppy.removeFile(id);
      if (seen.parts.length === pauseAfter) {
        uppy.pauseAll();
        setTimeout(() => uppy.resumeAll(), 200);
      }
    });
    const finished = dropAfter === undefined ? undefined
      : new Promise((resolve) => uppy.on("file-removed", () => setTimeout(resolve, 500)));
    await Promise.race([uppy.upload(), finished].filter(Boolean));
    if (retry && seen.errors.length > 0) await uppy.retryUpload(id);
    seen.sum = [...new Uint8Array(await crypto.subtle.digest("SHA-256", await data.arrayBuffer()))]
      .map((byte) => byte.toString(16).padStart(2, "0")).join("");
    seen.size = data.size;
    uppy.destroy();
    return seen;
  };`;

// A proxy that passes everything on as it is, the Host too, and keeps a list; delay(request) is how
// many milliseconds a request waits there, late(request) how many its answer does.
async function startProxy(endpoint) {
  const { hostname, port } = new URL(endpoint);
  const proxy = { seen: [], delay: () => 0, late: () => 0 };
  const server = createServer(async (incoming, answer) => {
    proxy.seen.push(`${incoming.method} ${incoming.url}`);
    await sleep(proxy.delay(incoming));
    const { method, url: path, headers } = incoming;
    const outgoing = request({ hostname, port, method, path, headers, setHost: false }, async (response) => {
      await sleep(proxy.late(incoming));
      answer.writeHead(response.statusCode, response.headers);
      response.pipe(answer);
    });
    outgoing.on("error", () => answer.destroy());
    incoming.pipe(outgoing);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(proxy, {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
}

const bundle = async () => {
  const bundled = await build({
    stdin: {
      contents: `import Uppy from "@uppy/core"; import AwsS3 from "@uppy/aws-s3"; window.uppy6 = { Uppy, AwsS3 };`,
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    platform: "browser",
    write: false,
    logLevel: "error",
  });
  return bundled.outputFiles[0].text;
};

suite("Uppy", { skip: findBrowser() ? false : "chromium and chromedriver are not installed" }, () => {
  let server;
  let client;
  let site;
  let proxy;
  let browser;
  let folder;
  let backend;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "profiles-"));
    for (const [name, profile] of Object.entries(PROFILES)) {
      writeFileSync(join(folder, `${name}.json`), JSON.stringify(profile));
    }
    const uppy5 = createRequire(import.meta.url).resolve("uppy-5").replace(/[^/]*\/[^/]*$/, "dist/uppy.min.js");
    site = await startSite({
      "/": '<!doctype html><script src="/6.js"></script><script src="/5.js"></script><script src="/page.js"></script>',
      "/6.js": await bundle(),
      "/5.js": readFileSync(uppy5, "utf8"),
      "/page.js": PAGE,
    });
    server = await startServer("--cors-origin", site.url, "--profiles", folder);
    proxy = await startProxy(server.endpoint);
    client = server.client();
    await client.send(new CreateBucketCommand({ Bucket }));
    const create = ["token", "create", "backend", "--role", "backend", "--data", server.data];
    backend = execFileSync(process.env.LST_BINARY, create, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    browser = await openBrowser();
  });

  after(async () => {
    await browser?.close();
    site?.close();
    proxy?.close();
    client?.destroy();
    rmSync(folder, { recursive: true });
    assert.equal(await server?.stop(), 0);
  });

  beforeEach(async () => {
    proxy.seen.length = 0;
    proxy.delay = proxy.late = () => 0;
    await browser.open(site.url);
  });

  // What the application's backend does.
  async function place(profile, vars = {}) {
    const answer = await fetch(`${server.endpoint}/-/api/tokens`, {
      method: "POST",
      headers: { Authorization: `Bearer ${backend}` },
      body: JSON.stringify({ profile, vars, expires: 600 }),
    });
    return { endpoint: `${proxy.url}/-/api/uppy`, token: (await answer.json()).token };
  }
  const upload = (...what) => browser.run("return upload(...a)", ...what);
  const partsSent = () =>
    proxy.seen.filter((line) => /^PUT .*partNumber=/.test(line)).map((line) => Number(line.match(/partNumber=(\d+)/)[1]));

  // Now, or soon: nobody waits for an upload to be given up.
  async function checkNoUpload(name) {
    let left;
    for (let i = 0; i < 50 && left?.length !== 0; i++) {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
      left = Uploads.filter(({ Key }) => Key.endsWith(name));
      if (left.length > 0) await sleep(100);
    }
    assert.deepEqual(left, []);
  }

  async function check(seen) {
    assert.deepEqual(seen.errors, []);
    const got = await client.send(new GetObjectCommand({ Bucket, Key: seen.key }));
    const bytes = Buffer.from(await got.Body.transformToByteArray());
    assert.equal(createHash("sha256").update(bytes).digest("hex"), seen.sum);
    assert.equal(decodeURIComponent(new URL(seen.url).pathname), `/${Bucket}/${seen.key}`);
    return got;
  }

  for (const way of ["6", "sign", "5"]) {
    const title = { 6: "version 6", sign: "version 6 with signRequest", 5: "version 5" }[way];

    test(`${title}: a photo in one request`, async () => {
      const seen = await upload(way, await place("photos", { user: "7" }), { name: "Mé & you.JPG", type: "image/jpeg" });
      const got = await check(seen);
      assert.deepEqual(seen.progress.at(-1), [seen.size, seen.size]);
      assert.match(seen.key, /^photos\/7\/[0-9a-f-]{36}\.jpg$/);
      assert.equal(got.ContentType, "image/jpeg");
      assert.deepEqual(partsSent(), []);
    });

    test(`${title}: 30 MB in parts, with progress`, async () => {
      const name = `thirty ${way}.bin`;
      const seen = await upload(way, await place("files"), { name, type: "application/x-thirty", size: 30 * MIB });
      const got = await check(seen);
      assert.ok(seen.key.endsWith(name), seen.key);
      assert.equal(got.ContentType, "application/x-thirty");
      assert.deepEqual(seen.parts.toSorted(), [1, 2, 3, 4, 5, 6]);
      assert.deepEqual(partsSent().toSorted(), [1, 2, 3, 4, 5, 6]);
      assert.ok(new Set(seen.progress.map(([bytes]) => bytes)).size >= 6);
      assert.deepEqual(seen.progress.at(-1), [30 * MIB, 30 * MIB]);
      await checkNoUpload(name);
    });

    test(`${title}: a pause, and on from there`, async () => {
      const file = { name: `paused ${way}.bin`, type: "application/x-thirty", size: 12 * MIB };
      const seen = await upload(way, await place("files"), file, { pauseAfter: 1 });
      await check(seen);
    });

    test(`${title}: a URL that has expired`, async () => {
      let held = 0;
      // Version 5 ends what it sends when the URL does, so its URL has to be too old when it comes.
      const isSlow = way === "5" ? /^GET .*\/2\?key=/ : /^PUT .*partNumber=2&/;
      const hold = ({ method, url }) => (isSlow.test(`${method} ${url}`) && held++ === 0 ? 3500 : 0);
      Object.assign(proxy, way === "5" ? { late: hold } : { delay: hold });
      const file = { name: "slow.bin", type: "application/x-slow", size: 12 * MIB };
      const seen = await upload(way, await place("short"), file, { retry: true });
      // Version 5 asks for another by itself; version 6 leaves that to the user, and goes on where it was.
      assert.equal(seen.errors.length, way === "5" ? 0 : 1);
      if (way !== "5") assert.match(seen.errors.pop().text, /<Message>Request has expired<\/Message>/);
      await check(seen);
      assert.deepEqual(partsSent().toSorted(), [1, 2, 2, 3], "only what had not come was sent again");
    });

    test(`${title}: an upload that is cancelled leaves nothing behind`, async () => {
      const file = { name: `dropped ${way}.bin`, type: "application/x-dropped", size: 15 * MIB };
      proxy.delay = ({ url }) => (url.includes("partNumber=3&") ? 1000 : 0);
      const seen = await upload(way, await place("files"), file, { dropAfter: 1 });
      assert.ok(seen.parts.length >= 1 && seen.url === undefined);
      await checkNoUpload(file.name);
      await assert.rejects(client.send(new GetObjectCommand({ Bucket, Key: `files/${file.name}` })), { name: "NoSuchKey" });
    });

    test(`${title}: what is no photo is refused, and says why`, async () => {
      const fake = { name: "photo.jpg", type: "image/jpeg", text: "<html><script>alert(1)</script></html>".padEnd(2000) };
      const { errors } = await upload(way, await place("photos", { user: "7" }), fake);
      assert.equal(errors.length, 1);
      assert.match(errors[0].text, /<Constraint>x-latch-sniff<\/Constraint>/);
      assert.match(errors[0].text, /text\/html/);
    });

    test(`${title}: what the profile does not have is refused`, async () => {
      const page = { name: "page.html", type: "text/html", text: "<html>" };
      const { errors } = await upload(way, await place("photos", { user: "7" }), page);
      assert.equal(errors.length, 1);
      // Version 6 shows no more than the words of the status, unless signRequest throws better ones.
      assert.match(errors[0].message, way === "6" ? /Bad Request/ : /type: it must be image\/\*/);
      const large = { name: "large.bin", type: "application/x-large", size: 45 * MIB };
      const seen = await upload(way, await place("files"), large);
      assert.equal(seen.errors.length, 1);
      await checkNoUpload(large.name);
    });
  }
});
