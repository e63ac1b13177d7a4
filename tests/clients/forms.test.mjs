// POST forms and presigned part URLs made by the AWS SDK for JavaScript, used with fetch.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { startServer } from "./server.mjs";

const Bucket = "forms";

const server = await startServer();
const client = server.client();
await client.send(new CreateBucketCommand({ Bucket }));

after(async () => {
  client.destroy();
  assert.equal(await server.stop(), 0);
});

const read = async (Key) => client.send(new GetObjectCommand({ Bucket, Key }));

async function post({ url, fields }, file, more = {}) {
  const form = new FormData();
  for (const [name, value] of Object.entries({ ...fields, ...more })) form.append(name, value);
  form.append("file", file);
  const answer = await fetch(url, { method: "POST", body: form, redirect: "manual" });
  const body = await answer.text();
  return { status: answer.status, headers: answer.headers, body, code: body.match(/<Code>(.*)<\/Code>/)?.[1] };
}

test("a form stores a file", async () => {
  const form = await createPresignedPost(client, {
    Bucket,
    Key: "users/7/${filename}",
    Conditions: [
      ["starts-with", "$key", "users/7/"],
      ["content-length-range", 1, 1000],
      ["starts-with", "$Content-Type", "image/"],
    ],
    Fields: { "x-amz-meta-owner": "7", success_action_status: "201" },
    Expires: 600,
  });
  const stored = await post(form, new File(["a picture"], "cät photo.png"), { "Content-Type": "image/png" });
  assert.equal(stored.status, 201, stored.body);
  assert.match(stored.body, /<PostResponse>.*<Bucket>forms<\/Bucket><Key>users\/7\/cät photo.png<\/Key>/s);
  const got = await read("users/7/cät photo.png");
  assert.equal(await got.Body.transformToString(), "a picture");
  assert.deepEqual([got.ContentType, got.Metadata], ["image/png", { owner: "7" }]);
  const long = await post(form, new File(["x".repeat(1001)], "long"), { "Content-Type": "image/png" });
  assert.deepEqual([long.status, long.code], [400, "EntityTooLarge"]);
  const empty = await post(form, new File([], "empty"), { "Content-Type": "image/png" });
  assert.deepEqual([empty.status, empty.code], [400, "EntityTooSmall"]);
  const page = await post(form, new File(["<html>"], "page"), { "Content-Type": "text/html" });
  assert.deepEqual([page.status, page.code], [403, "AccessDenied"]);
  const elsewhere = await post(form, new File(["x"], "x"), { "Content-Type": "image/png", key: "users/8/x" });
  assert.deepEqual([elsewhere.status, elsewhere.code], [403, "AccessDenied"]);
});

test("a form without a wish for an answer gets 204, and one with a redirect gets 303", async () => {
  const plain = await post(await createPresignedPost(client, { Bucket, Key: "plain" }), new Blob(["x"]));
  assert.deepEqual([plain.status, plain.body], [204, ""]);
  const redirect = "https://app.example.com/done?session=1";
  const form = await createPresignedPost(client, {
    Bucket,
    Key: "redirected",
    Fields: { success_action_redirect: redirect },
  });
  const sent = await post(form, new Blob(["x"]));
  assert.equal(sent.status, 303, sent.body);
  const where = new URL(sent.headers.get("location"));
  assert.ok(where.href.startsWith(`${redirect}&`));
  assert.deepEqual([where.searchParams.get("bucket"), where.searchParams.get("key")], [Bucket, "redirected"]);
  assert.match(where.searchParams.get("etag"), /^"[0-9a-f]{32}"$/);
});

test("a form that was changed or has expired is refused", async () => {
  const form = await createPresignedPost(client, { Bucket, Key: "k", Expires: -5 });
  const late = await post(form, new Blob(["x"]));
  assert.deepEqual([late.status, late.code], [403, "AccessDenied"]);
  const other = await createPresignedPost(client, { Bucket, Key: "k" });
  other.fields["X-Amz-Signature"] = other.fields["X-Amz-Signature"].replace(/.$/, (last) => (last === "0" ? "1" : "0"));
  const forged = await post(other, new Blob(["x"]));
  assert.deepEqual([forged.status, forged.code], [403, "SignatureDoesNotMatch"]);
});

test("parts by presigned URLs, as a page without keys sends them", async () => {
  const object = { Bucket, Key: "by-parts" };
  const pieces = [randomBytes(5 << 20), randomBytes(10)];
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(object));
  const Parts = [];
  for (const [i, body] of pieces.entries()) {
    const part = { PartNumber: i + 1 };
    const url = await getSignedUrl(client, new UploadPartCommand({ ...object, ...part, UploadId }));
    const answer = await fetch(url, { method: "PUT", body });
    assert.equal(answer.status, 200, await answer.clone().text());
    Parts.push({ ...part, ETag: answer.headers.get("etag") });
    const otherPart = await fetch(url.replace(/partNumber=\d+/, "partNumber=9"), { method: "PUT", body: "x" });
    assert.equal(otherPart.status, 403);
  }
  await client.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts } }));
  const got = await read("by-parts");
  assert.ok(Buffer.from(await got.Body.transformToByteArray()).equals(Buffer.concat(pieces)));
});
