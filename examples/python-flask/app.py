"""A backend that lets its users upload an avatar straight to private storage, and shows it to them."""
import os
import secrets

import requests
from flask import Flask, jsonify, request, session

API = os.environ["LATCHSTRING_URL"].rstrip("/") + "/-/api/"
TOKEN = os.environ["LATCHSTRING_TOKEN"]  # stays here: the browser never sees it
PROFILE = "avatars"  # what may be uploaded is decided here, not in the browser

app = Flask(__name__)
app.secret_key = os.environ.get("SESSION_SECRET") or secrets.token_hex(32)


def ask(method, path, **options):
    """A call of Latchstring: its answer and status, as they can be passed on to the page."""
    headers = {"Authorization": f"Bearer {TOKEN}", **options.pop("headers", {})}
    try:
        answer = requests.request(method, API + path, headers=headers, timeout=10, **options)
        return answer.json(), answer.status_code
    except requests.RequestException:
        app.logger.exception("Latchstring did not answer")
        return {"error": {"code": "Unavailable", "message": "The storage can't be reached: try again later"}}, 503


@app.before_request
def know_the_user():
    """A real application has its users log in; here every browser is one."""
    session.setdefault("user", secrets.token_hex(8))


@app.get("/")
def page():
    return app.send_static_file("index.html")


@app.post("/uploads")
def create_upload():
    """The page tells what it has; what is allowed, the profile says."""
    wish = request.get_json()
    answer, status = ask(
        "POST", "uploads",
        json={"profile": PROFILE, "filename": wish.get("filename"), "type": wish.get("type"), "size": wish.get("size"),
              "vars": {"user": session["user"]}},
        # The page's id of this wish: a call made again for it gets the same upload.
        headers={"Idempotency-Key": f"{session['user']}-{str(wish.get('attempt'))[:64]}"})
    if status == 201:
        session["upload"] = answer["id"]
        answer = {"upload": answer["upload"]}
    return jsonify(answer), status


@app.get("/uploads/mine")
def show_upload():
    """What came of the user's last upload, with a fresh link if it is there."""
    if "upload" not in session:
        return jsonify(status="none")
    answer, status = ask("GET", "uploads/" + session["upload"])
    return jsonify({name: answer[name] for name in ("status", "reason", "object", "error") if name in answer}), status


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ.get("PORT", "8000")))
