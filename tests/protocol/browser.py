"""A headless Chromium, driven by the W3C WebDriver protocol (https://www.w3.org/TR/webdriver2/)."""
import functools
import http.server
import re
import shutil
import subprocess
import tempfile
import threading
import time

import requests

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", "--no-proxy-server"]


class Browser:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="chromium-")
        self.log = open(f"{self.folder}/driver.log", "w+b")
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=self.log,
                                       stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        self.base = f"http://127.0.0.1:{self._port()}"
        options = {"binary": shutil.which("chromium"),
                   "args": [*FLAGS, f"--user-data-dir={self.folder}/profile"]}
        self.session = self._call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": options, "timeouts": {"script": 30000}}}})["sessionId"]

    def _port(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with open(self.log.name, encoding="utf-8") as file:
                match = re.search(r"started successfully on port (\d+)", file.read())
            if match:
                return match.group(1)
            time.sleep(0.05)
        raise AssertionError("chromedriver did not start")

    def _call(self, method, path, body=None):
        answer = requests.request(method, self.base + path, json=body, timeout=60,
                                  proxies={"http": None}).json()["value"]
        assert not (isinstance(answer, dict) and "error" in answer), answer
        return answer

    def open(self, url):
        self._call("POST", f"/session/{self.session}/url", {"url": url})

    def run(self, script, *arguments):
        """The value of an async function's body, run in the page."""
        return self._call("POST", f"/session/{self.session}/execute/sync",
                          {"script": "return (async (...a) => {" + script + "})(...arguments)",
                           "args": list(arguments)})

    def close(self):
        try:
            self._call("DELETE", f"/session/{self.session}")
        finally:
            self.driver.terminate()
            self.driver.wait(timeout=20)
            self.log.close()
            shutil.rmtree(self.folder, ignore_errors=True)


class Site:
    """A web site of another origin: it serves one folder."""

    def __init__(self, folder):
        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *arguments):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      functools.partial(Handler, directory=str(folder)))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
