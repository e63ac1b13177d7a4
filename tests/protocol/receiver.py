"""A receiver of webhooks, for the tests."""
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jsonschema
from test_uploads import call


class Receiver:
    """A receiver of webhooks, which answers what it is told to: a status, a function, or nothing for some seconds."""

    def __init__(self, *answers, port=0):
        self.answers = list(answers)  # for one message each; then 200
        self.messages = []  # (when, headers, body)
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.messages.append((time.time(), dict(self.headers), body, self.path))
                answer = receiver.answers.pop(0) if receiver.answers else 200
                if callable(answer):
                    answer = answer(self)
                if answer is None:
                    return
                self.send_response(answer)
                self.send_header("Location", receiver.url + "elsewhere")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def wait(self, count=1, seconds=30):
        """So many messages, as JSON; fails if there are fewer in time, or more."""
        deadline = time.monotonic() + seconds
        while len(self.messages) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(self.messages) == count, f"{len(self.messages)} messages came: {self.messages}"
        return [json.loads(body) for _, _, body, _ in self.messages]

    def check(self, server):
        """Hold what came against what the API describes."""
        description = json.loads(call("GET", server.endpoint + "/-/api/openapi.json")[1])
        operation = description["webhooks"]["uploadEnded"]["post"]
        jsonschema.validate(self.messages[0][1]["Latchstring-Signature"], operation["parameters"][0]["schema"])
        schema = {"$ref": operation["requestBody"]["content"]["application/json"]["schema"]["$ref"],
                  "components": description["components"]}
        for _, _, body, _ in self.messages:
            jsonschema.validate(json.loads(body), schema, format_checker=jsonschema.FormatChecker())

    def close(self):
        self.server.shutdown()
        self.server.server_close()
