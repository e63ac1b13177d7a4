// MinIO's JavaScript client, with its defaults.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { after, test } from "node:test";
import { PutBucketTaggingCommand } from "@aws-sdk/client-s3";
import { CopyConditions, CopyDestinationOptions, CopySourceOptions } from "minio";
import { startServer } from "./server.mjs";

const bucket = "from-minio";
const MIB = 1 << 20;

const server = await startServer();
const client = server.minio();
await client.makeBucket(bucket);
const folder = mkdtempSync(join(tmpdir(), "minio-"));

after(async () => {
  rmSync(folder, { recursive: true });
  assert.equal(await server.stop(), 0);
});

const read = async (key, ...more) => buffer(await client.getObject(bucket, key, ...more));
const textOf = async (key) => (await read(key)).toString();

test("minio: buckets", async () => {
  assert.equal(await client.bucketExists(bucket), true);
  assert.equal(await client.bucketExists("not-there"), false);
  await client.makeBucket("second", "us-east-1");
  assert.deepEqual((await client.listBuckets()).map(({ name }) => name), [bucket, "second"]);
  await client.removeBucket("second");
});

test("minio: text, a buffer and streams go up and come back", async () => {
  const body = randomBytes(6 * MIB);
  await client.putObject(bucket, "a b/ü+[1]'.txt", "hello", 5, { "Content-Type": "text/x-thing", "X-Amz-Meta-Of": "me" });
  const stat = await client.statObject(bucket, "a b/ü+[1]'.txt");
  assert.deepEqual([stat.size, stat.metaData["content-type"], stat.metaData.of], [5, "text/x-thing", "me"]);
  assert.equal(await textOf("a b/ü+[1]'.txt"), "hello");
  await client.putObject(bucket, "buffer", body);
  assert.ok((await read("buffer")).equals(body));
  await client.putObject(bucket, "empty", "");
  assert.equal(await textOf("empty"), "");
  await client.putObject(bucket, "known", Readable.from([body]), body.length);
  assert.ok((await read("known")).equals(body));
  assert.equal((await buffer(await client.getPartialObject(bucket, "known", 10, 7))).compare(body, 10, 17), 0);
});

test("minio: a stream of unknown length goes up in parts", async () => {
  const body = randomBytes(11 * MIB);
  const done = await server.minio({ partSize: 5 * MIB }).putObject(bucket, "unknown", Readable.from([body.subarray(0, 7), body.subarray(7)]));
  assert.ok(done.etag);
  assert.ok((await read("unknown")).equals(body));
});

test("minio: files", async () => {
  const large = server.minio({ partSize: 5 * MIB });
  const body = randomBytes(12 * MIB + 5);
  const path = join(folder, "up.bin");
  writeFileSync(path, body);
  const done = await large.fPutObject(bucket, "file.bin", path, { "X-Amz-Meta-From": "disk" });
  assert.match(done.etag, /-3$/);
  await large.fGetObject(bucket, "file.bin", join(folder, "down.bin"));
  assert.ok(readFileSync(join(folder, "down.bin")).equals(body));
  assert.equal((await large.statObject(bucket, "file.bin")).metaData.from, "disk");
});

test("minio: listings", async () => {
  const keys = Array.from({ length: 12 }, (_, i) => `list/${String.fromCharCode(97 + (i % 3))} &+/${i}`).sort();
  for (const key of keys) await client.putObject(bucket, key, key);
  const names = async (stream) => (await stream.toArray()).map((one) => one.name ?? one.prefix);
  assert.deepEqual(await names(client.listObjectsV2(bucket, "list/", true)), keys);
  assert.deepEqual(await names(client.listObjects(bucket, "list/", true)), keys);
  assert.deepEqual(await names(client.listObjectsV2(bucket, "list/", false)), ["list/a &+/", "list/b &+/", "list/c &+/"]);
  assert.deepEqual(await client.removeObjects(bucket, keys), []);
  assert.deepEqual(await names(client.listObjectsV2(bucket, "list/", true)), []);
});

test("minio: copies", async () => {
  await client.putObject(bucket, "source ü", "words", 5, { "X-Amz-Meta-Of": "source" });
  const { etag } = await client.statObject(bucket, "source ü");
  const conditions = new CopyConditions();
  conditions.setMatchETag(etag);
  const copied = await client.copyObject(bucket, "copy", `/${bucket}/source ü`, conditions);
  assert.equal(copied.etag.replaceAll('"', ""), etag);
  assert.equal(await textOf("copy"), "words");
  conditions.setMatchETag("0".repeat(32));
  await assert.rejects(client.copyObject(bucket, "copy", `/${bucket}/source ü`, conditions), {
    code: "PreconditionFailed",
  });
});

test("minio: an object composed of others", async () => {
  const pieces = [randomBytes(5 * MIB), randomBytes(5 * MIB), randomBytes(9)];
  for (const [i, piece] of pieces.entries()) await client.putObject(bucket, `piece ${i}`, piece);
  await client.composeObject(
    new CopyDestinationOptions({ Bucket: bucket, Object: "composed" }),
    pieces.map((_, i) => new CopySourceOptions({ Bucket: bucket, Object: `piece ${i}` })),
  );
  assert.ok((await read("composed")).equals(Buffer.concat(pieces)));
});

test("minio: presigned URLs", async () => {
  const put = await client.presignedPutObject(bucket, "signed/a b", 60);
  assert.equal((await fetch(put, { method: "PUT", body: "by fetch" })).status, 200);
  const get = await client.presignedGetObject(bucket, "signed/a b", 60, { "response-content-type": "text/x-other" });
  const got = await fetch(get);
  assert.deepEqual([await got.text(), got.headers.get("content-type")], ["by fetch", "text/x-other"]);
});

test("minio: a form", async () => {
  const policy = client.newPostPolicy();
  policy.setBucket(bucket);
  policy.setKeyStartsWith("forms/");
  policy.setExpires(new Date(Date.now() + 60_000));
  policy.setContentLengthRange(1, 100);
  policy.setContentType("text/plain");
  policy.setUserMetaData({ owner: "me" });
  const { postURL, formData } = await client.presignedPostPolicy(policy);
  const post = async (text) => {
    const form = new FormData();
    for (const [name, value] of Object.entries({ ...formData, key: "forms/${filename}" })) form.append(name, value);
    form.append("file", new File([text], "note.txt", { type: "text/plain" }));
    return fetch(postURL, { method: "POST", body: form });
  };
  const stored = await post("from a form");
  assert.equal(stored.status, 204, await stored.text());
  assert.equal(await textOf("forms/note.txt"), "from a form");
  assert.equal((await client.statObject(bucket, "forms/note.txt")).metaData.owner, "me");
  assert.equal((await post("x".repeat(101))).status, 400);
});

test("minio: tags", async () => {
  await client.putObject(bucket, "tagged", "x");
  await client.setObjectTagging(bucket, "tagged", { colour: "red", size: "x l" });
  const byKey = (one, other) => (one.Key < other.Key ? -1 : 1);
  assert.deepEqual((await client.getObjectTagging(bucket, "tagged")).toSorted(byKey), [
    { Key: "colour", Value: "red" },
    { Key: "size", Value: "x l" },
  ]);
  await client.removeObjectTagging(bucket, "tagged");
  // Its setBucketTagging takes S3's answer, 204, for an error.
  const aws = server.client();
  await aws.send(new PutBucketTaggingCommand({ Bucket: bucket, Tagging: { TagSet: [{ Key: "team", Value: "web" }] } }));
  aws.destroy();
  assert.deepEqual([await client.getBucketTagging(bucket)].flat(), [{ Key: "team", Value: "web" }]);
  await client.removeBucketTagging(bucket);
});

test("minio: versions", async () => {
  await client.makeBucket("minio-versions");
  await client.setBucketVersioning("minio-versions", { Status: "Enabled" });
  assert.equal((await client.getBucketVersioning("minio-versions")).Status, "Enabled");
  const first = await client.putObject("minio-versions", "k", "one");
  await client.putObject("minio-versions", "k", "two");
  const { versionId } = first;
  assert.equal((await buffer(await client.getObject("minio-versions", "k", { versionId }))).toString(), "one");
  const listed = await client.listObjects("minio-versions", "", true, { IncludeVersion: true }).toArray();
  assert.equal(listed.length, 2);
  await client.removeObject("minio-versions", "k");
  await assert.rejects(client.getObject("minio-versions", "k"), { code: "NoSuchKey" });
  await client.removeObject("minio-versions", "k", { versionId });
  await assert.rejects(client.getObject("minio-versions", "k", { versionId }), { code: "NoSuchVersion" });
});

test("minio: an upload that was left is listed and removed", async () => {
  await client.initiateNewMultipartUpload(bucket, "left/behind", {});
  const left = await client.listIncompleteUploads(bucket, "left/", true).toArray();
  assert.deepEqual(left.map(({ key }) => key), ["left/behind"]);
  await client.removeIncompleteUpload(bucket, "left/behind");
  assert.deepEqual(await client.listIncompleteUploads(bucket, "left/", true).toArray(), []);
});
