// What people see who open short links in their browser: pages with a button, a field for a password, a folder.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, suite, test } from "node:test";
import { CreateBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { findBrowser, openBrowser } from "./browser.mjs";
import { startServer } from "./server.mjs";

const Bucket = "shared";
const HOSTILE = `"'><script>document.title='owned'</script><img src=x onerror="document.title='owned'">&amp;.txt`;

suite("short links in a browser", { skip: findBrowser() ? false : "chromium and chromedriver are not installed" }, () => {
  let server;
  let browser;
  let token;

  before(async () => {
    server = await startServer();
    const client = server.client();
    await client.send(new CreateBucketCommand({ Bucket }));
    for (const Key of ["a.txt", HOSTILE, `f/${HOSTILE}`, "f/second.txt"]) {
      await client.send(new PutObjectCommand({ Bucket, Key, Body: "content", ContentType: "text/plain" }));
    }
    token = execFileSync(process.env.LST_BINARY, ["token", "create", "t", "--role", "link", "--data", server.data], {
      encoding: "utf8",
    }).trim();
    browser = await openBrowser();
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const ask = async (path, body) => {
    const answer = await fetch(`${server.endpoint}/-/api/${path}`, {
      method: body ? "POST" : "GET",
      headers: { Authorization: `Bearer ${token}` },
      body: body && JSON.stringify(body),
    });
    const json = await answer.json();
    assert.ok(answer.ok, JSON.stringify(json));
    return json;
  };
  const link = (fields) => ask("links", { bucket: Bucket, key: "a.txt", ...fields });
  const heading = () => browser.run("return document.querySelector('h1').textContent");
  const text = () => browser.run("return document.body.innerText");
  const until = async (check) => {
    for (let i = 0; i < 100; i++) {
      if (await check()) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.fail("it never came true");
  };

  test("a hostile name is only a name, on a small screen too", async () => {
    await browser.resize(360, 640);
    const made = await link({ key: HOSTILE, max_uses: 1 });
    await browser.open(made.short_url);
    assert.equal(await heading(), HOSTILE.split("/").at(-1));
    const page = await browser.run(`return {
      scripts: document.scripts.length, images: document.images.length, title: document.title,
      scheme: getComputedStyle(document.documentElement).colorScheme,
      width: innerWidth, fits: document.documentElement.scrollWidth <= innerWidth,
      button: document.querySelector("button").getBoundingClientRect().height }`);
    assert.deepEqual(
      { ...page, button: page.button >= 44 },
      { scripts: 0, images: 0, title: HOSTILE.split("/").at(-1), scheme: "light dark", width: 360, fits: true, button: true },
    );
  });

  test("the button spends the use; then the page says that it is over", async () => {
    const made = await link({ max_uses: 1, disposition: "inline" });
    await browser.open(made.short_url);
    await browser.open(made.short_url);
    assert.equal((await ask(`links/${made.id}`)).used, 0);
    await browser.click("button");
    await until(async () => (await browser.url()).includes("X-Amz-Signature"));
    assert.equal(await text(), "content");
    await browser.open(made.short_url);
    assert.equal(await heading(), "This link has been used as often as it may be.");
  });

  test("without more ado a counted link is saved", async () => {
    const made = await link({ max_uses: 1 });
    await browser.open(made.short_url);
    await browser.click("button");
    await until(async () => (await ask(`links/${made.id}`)).state === "used");
    assert.equal(await browser.url(), made.short_url);
  });

  test("a password", async () => {
    const made = await link({ password: "öffne dich & +%", disposition: "inline" });
    await browser.open(made.short_url);
    assert.equal(await heading(), "This link needs a password");
    await browser.type("#password", "wrong");
    await browser.click("button");
    await until(async () => (await text()).includes("This password is wrong."));
    await browser.type("#password", "öffne dich & +%");
    await browser.click("button");
    await until(async () => (await browser.url()).includes("X-Amz-Signature"));
    assert.equal(await text(), "content");
  });

  for (const password of [undefined, "sesame"]) {
    test(`a folder ${password ? "with a password" : ""}`, async () => {
      const made = await link({ key: "f/", folder: true, password, disposition: "inline" });
      await browser.open(made.short_url);
      if (password) {
        await browser.type("#password", password);
        await browser.click("button");
        await until(async () => (await text()).includes("second.txt"));
      }
      assert.equal(await browser.run("return document.title"), "f");
      assert.deepEqual(await browser.run("return [...document.querySelectorAll('li a')].map((a) => a.textContent)"), [
        HOSTILE,
        "second.txt",
      ]);
      await browser.click("li a");
      await until(async () => (await browser.url()).includes("X-Amz-Signature"));
      assert.equal(await text(), "content");
    });
  }
});
