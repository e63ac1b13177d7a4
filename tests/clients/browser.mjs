// A headless Chromium, driven by the W3C WebDriver protocol (https://www.w3.org/TR/webdriver2/), and
// web sites for it to show.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
  "--no-proxy-server",
];
const ELEMENT = "element-6066-11e4-a52e-4f735466cecf"; // the key of an element's id, by the standard

// Its path, or undefined where there is none.
export function findBrowser() {
  try {
    execFileSync("which", ["chromedriver"]);
    return execFileSync("which", ["chromium"], { encoding: "utf8" }).trim();
  } catch {
    return undefined;
  }
}

export async function openBrowser() {
  const profile = mkdtempSync(join(tmpdir(), "chromium-"));
  const driver = spawn("chromedriver", ["--port=0"], { stdio: ["ignore", "pipe", "inherit"] });
  const port = await new Promise((resolve, reject) => {
    let said = "";
    driver.stdout.on("data", (text) => {
      said += text;
      const match = said.match(/started successfully on port (\d+)/);
      if (match) resolve(match[1]);
    });
    driver.on("exit", () => reject(new Error(`chromedriver did not start: ${said}`)));
  });
  const call = async (method, path, body) => {
    const answer = await fetch(`http://127.0.0.1:${port}/session${path}`, {
      method,
      body: body && JSON.stringify(body),
    });
    const { value } = await answer.json();
    if (value?.error) throw new Error(`${value.error}: ${value.message}`);
    return value;
  };
  const options = { binary: findBrowser(), args: [...FLAGS, `--user-data-dir=${profile}`] };
  const { sessionId } = await call("POST", "", {
    capabilities: { alwaysMatch: { "goog:chromeOptions": options, timeouts: { script: 30_000 } } },
  });
  const find = async (selector) =>
    (await call("POST", `/${sessionId}/element`, { using: "css selector", value: selector }))[ELEMENT];
  return {
    open: (url) => call("POST", `/${sessionId}/url`, { url }),
    url: () => call("GET", `/${sessionId}/url`),
    // As on a telephone: no window of a desktop is as narrow.
    resize: (width, height) =>
      call("POST", `/${sessionId}/goog/cdp/execute`, {
        cmd: "Emulation.setDeviceMetricsOverride",
        params: { width, height, deviceScaleFactor: 1, mobile: true },
      }),
    screenshot: () => call("GET", `/${sessionId}/screenshot`),
    // The value of an async function's body, run in the page; its arguments are in `a`.
    run: (script, ...args) =>
      call("POST", `/${sessionId}/execute/sync`, {
        script: `return (async (...a) => {${script}})(...arguments)`,
        args,
      }),
    type: async (selector, text) => call("POST", `/${sessionId}/element/${await find(selector)}/value`, { text }),
    click: async (selector) => call("POST", `/${sessionId}/element/${await find(selector)}/click`, {}),
    close: async () => {
      await call("DELETE", `/${sessionId}`);
      driver.removeAllListeners("exit");
      await new Promise((resolve) => driver.on("exit", resolve).kill());
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

// A web site of an origin of its own; pages: {"/path": text}, which may grow.
export async function startSite(pages) {
  const site = createServer(({ url }, answer) => {
    const { pathname } = new URL(url, "http://site");
    const kind = pathname.endsWith(".js") ? "text/javascript" : "text/html; charset=utf-8";
    answer.writeHead(pages[pathname] === undefined ? 404 : 200, { "content-type": kind });
    answer.end(pages[pathname]);
  });
  await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${site.address().port}`,
    close: () => {
      site.closeAllConnections();
      site.close();
    },
  };
}
