// The AWS SDK for JavaScript, with its defaults, against a running server.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, test } from "node:test";
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  paginateListObjectsV2,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { Readable } from "node:stream";
import { startServer } from "./server.mjs";

const Bucket = "from-javascript";

const server = await startServer();
const client = server.client();
await client.send(new CreateBucketCommand({ Bucket }));

after(async () => {
  client.destroy();
  assert.equal(await server.stop(), 0);
});

async function codeOf(answer) {
  return (await answer.text()).match(/<Code>(.*)<\/Code>/)?.[1];
}

test("an object goes up with the default checksum and comes back", async () => {
  const body = randomBytes(300_000);
  const put = await client.send(
    new PutObjectCommand({
      Bucket,
      Key: "a b/ü+[1].bin",
      Body: body,
      ContentType: "application/x-thing",
      Metadata: { owner: "me" },
    }),
  );
  assert.equal(put.ETag, `"${createHash("md5").update(body).digest("hex")}"`);
  const got = await client.send(new GetObjectCommand({ Bucket, Key: "a b/ü+[1].bin" }));
  assert.deepEqual(Buffer.from(await got.Body.transformToByteArray()), body);
  assert.equal(got.ContentType, "application/x-thing");
  assert.deepEqual(got.Metadata, { owner: "me" });
  const head = await client.send(new HeadObjectCommand({ Bucket, Key: "a b/ü+[1].bin" }));
  assert.equal(head.ContentLength, 300_000);
});

test("a stream goes up as aws-chunked, and no framing is stored", async () => {
  const pieces = [randomBytes(70_000), randomBytes(10), randomBytes(200_000)];
  await client.send(
    new PutObjectCommand({
      Bucket,
      Key: "stream",
      Body: Readable.from(pieces),
      ContentLength: 270_010,
    }),
  );
  const got = await client.send(new GetObjectCommand({ Bucket, Key: "stream" }));
  assert.deepEqual(Buffer.from(await got.Body.transformToByteArray()), Buffer.concat(pieces));
  assert.equal(got.ContentEncoding ?? "", "");
});

test("presigned URLs work with fetch", async () => {
  const put = await getSignedUrl(client, new PutObjectCommand({ Bucket, Key: "signed.txt" }));
  const get = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: "signed.txt" }));
  const stored = await fetch(put, { method: "PUT", body: "hello from fetch" });
  assert.equal(stored.status, 200, await stored.clone().text());
  assert.equal(await (await fetch(get)).text(), "hello from fetch");
  assert.equal(await codeOf(await fetch(get, { method: "DELETE" })), "SignatureDoesNotMatch");
  assert.equal(await codeOf(await fetch(get.replace("signed.txt", "other.txt"))), "SignatureDoesNotMatch");
});

test("a presigned URL with a signed content type and metadata", async () => {
  const command = new PutObjectCommand({
    Bucket,
    Key: "typed.json",
    ContentType: "application/json",
    Metadata: { made: "by-hand" },
  });
  const url = await getSignedUrl(client, command, {
    signableHeaders: new Set(["content-type"]),
    unhoistableHeaders: new Set(["x-amz-meta-made"]),
  });
  const headers = { "content-type": "application/json", "x-amz-meta-made": "by-hand" };
  assert.equal((await fetch(url, { method: "PUT", body: "{}", headers })).status, 200);
  const wrong = { ...headers, "content-type": "text/html" };
  assert.equal(
    await codeOf(await fetch(url, { method: "PUT", body: "{}", headers: wrong })),
    "SignatureDoesNotMatch",
  );
  const head = await client.send(new HeadObjectCommand({ Bucket, Key: "typed.json" }));
  assert.deepEqual([head.ContentType, head.Metadata.made], ["application/json", "by-hand"]);
});

test("listing, page by page", async () => {
  const keys = Array.from({ length: 25 }, (_, i) => `page/${String(i).padStart(3, "0")}`);
  for (const Key of keys) {
    await client.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
  }
  const seen = [];
  for await (const page of paginateListObjectsV2({ client, pageSize: 10 }, { Bucket, Prefix: "page/" })) {
    seen.push(...page.Contents.map((entry) => entry.Key));
  }
  assert.deepEqual(seen, keys);
  const removed = await client.send(
    new DeleteObjectsCommand({ Bucket, Delete: { Objects: keys.map((Key) => ({ Key })) } }),
  );
  assert.equal(removed.Deleted.length, keys.length);
});

test("buckets", async () => {
  const second = { Bucket: "second-from-javascript" };
  await client.send(new CreateBucketCommand(second));
  await client.send(new HeadBucketCommand(second));
  await client.send(new GetBucketLocationCommand(second));
  const names = (await client.send(new ListBucketsCommand({}))).Buckets.map((bucket) => bucket.Name);
  assert.deepEqual(names, [Bucket, second.Bucket]);
  await client.send(new DeleteBucketCommand(second));
  await assert.rejects(client.send(new HeadBucketCommand(second)), { name: "NotFound" });
});

test("errors have the names that the SDK knows", async () => {
  await assert.rejects(client.send(new GetObjectCommand({ Bucket, Key: "nothing" })), { name: "NoSuchKey" });
  await assert.rejects(client.send(new GetObjectCommand({ Bucket: "no-such-bucket", Key: "k" })), {
    name: "NoSuchBucket",
  });
  await assert.rejects(client.send(new PutObjectLegalHoldCommand({ Bucket, Key: "k", LegalHold: { Status: "ON" } })), {
    name: "NotImplemented",
  });
  await client.send(new DeleteObjectCommand({ Bucket, Key: "nothing" }));
});

test("If-None-Match keeps what is there", async () => {
  const put = (Body) => client.send(new PutObjectCommand({ Bucket, Key: "once", Body, IfNoneMatch: "*" }));
  await put("first");
  await assert.rejects(put("second"), { name: "PreconditionFailed" });
  const got = await client.send(new GetObjectCommand({ Bucket, Key: "once" }));
  assert.equal(await got.Body.transformToString(), "first");
});

test("it ends on SIGTERM with status 0", async () => {
  const other = await startServer();
  assert.equal(await other.stop(), 0);
});
