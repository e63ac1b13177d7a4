// A backend that lets its users upload an avatar straight to private storage, and shows it to them.
import { randomUUID } from "node:crypto";
import express from "express";

const API = process.env.LATCHSTRING_URL.replace(/\/$/, "") + "/-/api/";
const TOKEN = process.env.LATCHSTRING_TOKEN; // stays here: the browser never sees it
const PROFILE = "avatars"; // what may be uploaded is decided here, not in the browser

const app = express();
app.use(express.json());

// A call of Latchstring: its answer and status, as they can be passed on to the page.
async function ask(method, path, body, headers = {}) {
  try {
    const answer = await fetch(API + path, {
      method,
      headers: { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json", ...headers },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    });
    return { status: answer.status, body: await answer.json() };
  } catch (error) {
    console.error("Latchstring did not answer:", error.message);
    const message = "The storage can't be reached: try again later";
    return { status: 503, body: { error: { code: "Unavailable", message } } };
  }
}

// A real application has its users log in; here every browser is one.
const sessions = new Map();
app.use((request, response, next) => {
  const id = /(?:^|; )session=([0-9a-f-]{36})(?:;|$)/.exec(request.headers.cookie ?? "")?.[1];
  request.session = sessions.get(id);
  if (!request.session) {
    const fresh = randomUUID();
    request.session = { user: randomUUID() };
    sessions.set(fresh, request.session);
    response.cookie("session", fresh, { httpOnly: true, sameSite: "lax" });
  }
  next();
});

app.use(express.static(new URL("public", import.meta.url).pathname));

// The page tells what it has; what is allowed, the profile says.
app.post("/uploads", async (request, response) => {
  const { attempt, filename, type, size } = request.body;
  const { status, body } = await ask(
    "POST",
    "uploads",
    { profile: PROFILE, filename, type, size, vars: { user: request.session.user } },
    // The page's id of this wish: a call made again for it gets the same upload.
    { "Idempotency-Key": `${request.session.user}-${String(attempt).slice(0, 64)}` },
  );
  if (status === 201) request.session.upload = body.id;
  response.status(status).json(status === 201 ? { upload: body.upload } : body);
});

// What came of the user's last upload, with a fresh link if it is there.
app.get("/uploads/mine", async (request, response) => {
  if (!request.session.upload) return response.json({ status: "none" });
  const { status, body } = await ask("GET", `uploads/${request.session.upload}`);
  const { status: state, reason, object, error } = body;
  return response.status(status).json({ status: state, reason, object, error });
});

const server = app.listen(Number(process.env.PORT ?? 8000), "127.0.0.1", () => {
  console.log(`Running on http://127.0.0.1:${server.address().port}`);
});
