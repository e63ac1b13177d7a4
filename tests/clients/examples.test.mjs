// The examples, as their README says, in a browser: ask, send the image, see it, watch its link expire.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { CreateBucketCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { findBrowser, openBrowser } from "./browser.mjs";
import { startServer } from "./server.mjs";

const ROOT = process.env.LST_ROOT;
const latchstring = (...words) => execFileSync(process.env.LST_BINARY, words, {
  encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();

async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

// A program that says on which port it runs.
function start(command, words, options) {
  const child = spawn(command, words, { stdio: ["ignore", "pipe", "pipe"], ...options });
  let said = "";
  return new Promise((resolve, reject) => {
    const read = (text) => {
      said += text;
      if (/Running on http:\/\/127\.0\.0\.1:\d+/.test(said)) resolve(child);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.on("exit", (status) => reject(new Error(`ended with ${status}: ${said}`)));
  });
}

const BACKENDS = {
  "python-flask": (environment) => start("python", [join(ROOT, "examples/python-flask/app.py")], { env: environment }),
  "node-express": (environment, folder) => {
    // Where its packages are installed: beside those of the tests.
    cpSync(join(ROOT, "examples/node-express"), folder, { recursive: true, filter: (path) => !path.includes("node_modules") });
    return start(process.execPath, [join(folder, "server.mjs")], { env: environment });
  },
};

for (const [name, startBackend] of Object.entries(BACKENDS)) {
  suite(`the example ${name}`, { skip: findBrowser() ? false : "chromium and chromedriver are not installed" }, () => {
    let server, client, backend, browser, folder, copy, url;

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), "example-"));
      copy = mkdtempSync(join(process.cwd(), "example-"));
      const port = await freePort();
      url = `http://127.0.0.1:${port}`;
      server = await startServer("--cors-origin", url);
      client = server.client();
      await client.send(new CreateBucketCommand({ Bucket: "photos" }));
      // The commands of examples/README.md, with a shorter life of the link.
      const readme = readFileSync(join(ROOT, "examples/README.md"), "utf8").replace(/\\\n/g, " ");
      const [, profile] = /latchstring (profile add .*)\n/.exec(readme);
      const [, token] = /\$\(latchstring (token create .*)\)/.exec(readme);
      const words = (line) => line.split(/\s+/).map((word) => word.replaceAll("'", "").replace("./data", server.data));
      latchstring(...words(profile).map((word) => (word === "60" ? "3" : word)));
      backend = await startBackend(
        { ...process.env, PORT: String(port), LATCHSTRING_URL: server.endpoint, LATCHSTRING_TOKEN: latchstring(...words(token)) },
        copy,
      );
      browser = await openBrowser();
    });

    after(async () => {
      await browser?.close();
      backend?.removeAllListeners("exit");
      backend?.kill();
      client?.destroy();
      rmSync(folder, { recursive: true });
      rmSync(copy, { recursive: true });
      assert.equal(await server?.stop(), 0);
    });

    const text = (id) => browser.run(`return document.getElementById(a[0]).textContent`, id);
    async function until(what, holds) {
      const deadline = Date.now() + 20_000;
      for (;;) {
        const value = await holds();
        if (value) return value;
        assert.ok(Date.now() < deadline, `${what}; the page says: ${await text("message")} ${await text("expiry")}`);
        await sleep(100);
      }
    }

    async function upload(file, content) {
      const path = join(folder, file);
      writeFileSync(path, content);
      await browser.open(url);
      await browser.type("#file", path);
      await browser.click("#form button");
    }

    // A real one, drawn by the browser.
    async function picture(width) {
      await browser.open(url);
      const bytes = await browser.run(`
        const canvas = new OffscreenCanvas(a[0], 100);
        const context = canvas.getContext("2d");
        for (let x = 0; x < a[0]; x++) { context.fillStyle = "hsl(" + x + " 80% 50%)"; context.fillRect(x, 0, 1, 100); }
        const blob = await canvas.convertToBlob({ type: "image/jpeg" });
        return [...new Uint8Array(await blob.arrayBuffer())];`, width);
      return Buffer.from(bytes);
    }

    const keys = async () => ((await client.send(new ListObjectsV2Command({ Bucket: "photos" }))).Contents ?? []).map(({ Key }) => Key);

    test("an image goes up, is shown, and its link expires", async () => {
      await upload("me.jpg", await picture(120));
      await until("the image is shown", () => browser.run(`return document.getElementById("image").naturalWidth === 120`));
      assert.equal(await text("message"), "There it is.");
      assert.equal(await browser.run(`return document.getElementById("progress").value`), 1);
      const [key] = await keys();
      assert.match(key, /^avatars\/[0-9a-f-]+\/[0-9a-f-]+\.jpg$/);
      const first = await browser.run(`return document.getElementById("image").src`);
      assert.ok(!first.includes("lst_"));
      await until("the link expires", async () => (await text("expiry")) === "The link has expired.");
      assert.equal((await fetch(first)).status, 403);
      await browser.click("#again");
      const fresh = await until("there is a fresh link", async () => {
        const src = await browser.run(`return document.getElementById("image").src`);
        return src !== first && src;
      });
      assert.equal((await fetch(fresh)).status, 200);
    });

    test("a link that another one replaces stops its clock", async () => {
      await browser.open(url);
      await browser.run(`
        window.timers = new Set();
        const [set, clear] = [window.setInterval, window.clearInterval];
        window.setInterval = (...given) => { const id = set(...given); window.timers.add(id); return id; };
        window.clearInterval = (id) => { window.timers.delete(id); clear(id); };`);
      for (const width of [90, 91]) {
        const path = join(folder, `${width}.jpg`);
        writeFileSync(path, Buffer.from(await browser.run(`
          const blob = await new OffscreenCanvas(a[0], 50).getContext("2d").canvas.convertToBlob({ type: "image/jpeg" });
          return [...new Uint8Array(await blob.arrayBuffer())];`, width)));
        await browser.type("#file", path);
        await browser.click("#form button");
        await until("the image is shown", () => browser.run(`return document.getElementById("image").naturalWidth === a[0]`, width));
        assert.ok((await browser.run(`return window.timers.size`)) <= 1);
      }
    });

    test("a call that is made again gets the same upload", async () => {
      const first = await fetch(url);
      const headers = { "Content-Type": "application/json", Cookie: first.headers.get("set-cookie").split(";")[0] };
      const ask = async (attempt, cookie = headers.Cookie) => {
        const answer = await fetch(`${url}/uploads`, {
          method: "POST",
          headers: { ...headers, Cookie: cookie },
          body: JSON.stringify({ attempt, filename: "me.jpg", type: "image/jpeg", size: 1000 }),
        });
        assert.equal(answer.status, 201);
        return (await answer.json()).upload.url;
      };
      const wish = await ask("wish-1");
      assert.equal(await ask("wish-1"), wish);
      assert.notEqual(await ask("wish-2"), wish);
      const other = (await fetch(url)).headers.get("set-cookie").split(";")[0];
      assert.notEqual(await ask("wish-1", other), wish);
    });

    test("what is no image is refused, and the page says why", async () => {
      const before = await keys();
      await upload("page.jpg", "<html><script>alert(1)</script></html>".repeat(50));
      await until("it is refused", async () => (await text("message")).includes("text/html"));
      await upload("program.exe", Buffer.from("MZ" + "\0".repeat(500)));
      await until("its type is refused", async () => (await text("message")).includes("type: it must be"));
      await upload("large.jpg", Buffer.alloc(5_000_001, 0xff));
      await until("its size is refused", async () => (await text("message")).includes("size: it must be at most 5000000 bytes"));
      assert.deepEqual(await keys(), before);
    });
  });
}
