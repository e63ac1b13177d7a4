// The manual's client for uploads in parts (docs/uploads.md, "In parts"), as it stands there: in
// Node.js, and in a browser from another origin.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { CreateBucketCommand, GetObjectCommand, ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import { findBrowser, openBrowser, startSite } from "./browser.mjs";
import { startServer } from "./server.mjs";

const Bucket = "parts";
const MIB = 1 << 20;
const PROFILES = {
  files: { bucket: Bucket, key: "files/{user}/{uuid}" },
  images: { bucket: Bucket, key: "images/{uuid}", types: ["image/*"], check_content: true },
};
const manual = readFileSync(join(import.meta.dirname, "../../docs/uploads.md"), "utf8");
const SOURCE = /```js\n(\/\/ Sends a File or Blob in parts.*?)```/s.exec(manual)[1];

// Runs where the client runs, with its text as `source`. Its fetch() counts the parts that are sent;
// if it is to break off, it fails after so many, and the client is called again to go on.
const RUN = `async (source, place, size, type, breakAfter) => {
  const sent = [];
  const onWay = [];
  let most = breakAfter || Infinity;
  const counted = (url, options) => {
    if (options?.method !== "PUT") return fetch(url, options);
    if (sent.length === most) return Promise.reject(Object.assign(new Error("broken off"), { isFinal: true }));
    sent.push(Number(new URL(url).searchParams.get("partNumber")));
    onWay.push(fetch(url, options));
    return onWay.at(-1);
  };
  const uploadInParts = new Function("fetch", source + "; return uploadInParts")(counted);
  const file = new Blob([new Uint8Array(size).map((_, i) => i % 251)], { type });
  const progress = [];
  const options = { ...place, onProgress: (done) => progress.push(done), onBegin: (begun) => { options.upload = begun; } };
  try {
    return { done: await uploadInParts(file, options), sent, progress };
  } catch (error) {
    if (!breakAfter) return { refusal: error.message, sent };
  }
  await Promise.allSettled(onWay);
  most = Infinity;
  const done = await uploadInParts(file, { ...options, upload: JSON.parse(JSON.stringify(options.upload)) });
  return { done, sent, progress, isBroken: true };
}`;

for (const where of ["Node.js", "a browser"]) {
  const skip = where === "a browser" && !findBrowser() ? "chromium and chromedriver are not installed" : false;
  suite(`The manual's client in ${where}`, { skip }, () => {
    let server;
    let client;
    let site;
    let browser;
    let folder;
    let backend;

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), "profiles-"));
      for (const [name, profile] of Object.entries(PROFILES)) {
        writeFileSync(join(folder, `${name}.json`), JSON.stringify(profile));
      }
      server = await startServer("--profiles", folder);
      client = server.client();
      await client.send(new CreateBucketCommand({ Bucket }));
      const command = ["token", "create", "backend", "--role", "backend", "--data", server.data];
      backend = execFileSync(process.env.LST_BINARY, command, { encoding: "utf8" }).trim();
      if (where === "a browser") {
        site = await startSite({ "/": "<!doctype html><title>Parts</title>" });
        browser = await openBrowser();
        await browser.open(site.url);
      }
    });

    after(async () => {
      await browser?.close();
      site?.close();
      client.destroy();
      rmSync(folder, { recursive: true });
      assert.equal(await server.stop(), 0);
    });

    const makeToken = async (profile, vars) => {
      const answer = await fetch(`${server.endpoint}/-/api/tokens`, {
        method: "POST",
        headers: { Authorization: `Bearer ${backend}` },
        body: JSON.stringify({ profile, vars }),
      });
      return (await answer.json()).token;
    };

    const run = async (profile, vars, size, type = "", breakAfter = 0) => {
      const place = { server: server.endpoint, token: await makeToken(profile, vars), wish: { profile } };
      return browser
        ? browser.run(`return (${RUN})(...a)`, SOURCE, place, size, type, breakAfter)
        : new Function(`return ${RUN}`)()(SOURCE, place, size, type, breakAfter);
    };

    const sumOf = async (Key) => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      return createHash("sha256").update(await Body.transformToByteArray()).digest("hex");
    };
    const wanted = (size) => createHash("sha256").update(new Uint8Array(size).map((_, i) => i % 251)).digest("hex");

    test("sends a file in parts", async () => {
      const size = 8 * MIB + 5;
      const { done, sent, progress, refusal } = await run("files", { user: "7" }, size, "video/mp4");
      assert.equal(refusal, undefined);
      assert.deepEqual([done.status, done.size, done.type, done.vars], ["complete", size, "video/mp4", { user: "7" }]);
      assert.deepEqual(sent.toSorted(), [1, 2]);
      assert.equal(progress.at(-1), 1);
      assert.equal(await sumOf(done.key), wanted(size));
    });

    test("goes on with one that was broken off", async () => {
      const size = 24 * MIB + 7;
      const { done, sent, isBroken } = await run("files", { user: "7" }, size, "", 3);
      assert.ok(isBroken);
      assert.deepEqual([done.status, done.size], ["complete", size]);
      assert.deepEqual(sent.toSorted(), [1, 2, 3, 4], "what was there is not sent again");
      assert.equal(await sumOf(done.key), wanted(size));
    });

    test("says why a file is refused", async () => {
      const { refusal, sent } = await run("images", {}, 100_000, "image/png");
      assert.match(refusal, /image\/png/);
      assert.deepEqual(sent, [1], "and does not try again");
      const { refusal: type } = await run("images", {}, 100, "text/html");
      assert.match(type, /image\/\*/);
    });

    test("an empty file", async () => {
      const { done, refusal } = await run("files", { user: "7" }, 0);
      assert.equal(refusal, undefined);
      assert.deepEqual([done.status, done.size], ["complete", 0]);
    });

    test("leaves nothing under way but what was refused", async () => {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
      assert.deepEqual(Uploads.map(({ Key }) => Key.split("/")[0]), ["images"]);
    });
  });
}
