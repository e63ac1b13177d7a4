// What applications do with the AWS SDK for JavaScript beside transfers: copies, versions, tags,
// conditions, waiters, paginators, retries, and the settings of a bucket.
import assert from "node:assert/strict";
import { createServer, request } from "node:http";
import { after, test } from "node:test";
import * as s3 from "@aws-sdk/client-s3";
import { startServer } from "./server.mjs";

const Bucket = "operations";

const server = await startServer();
const client = server.client();
await client.send(new s3.CreateBucketCommand({ Bucket }));

after(async () => {
  client.destroy();
  assert.equal(await server.stop(), 0);
});

// send("PutObject", { Key, Body }), in the bucket of these tests unless another is named
const send = (name, input = {}) => client.send(new s3[`${name}Command`]({ Bucket, ...input }));
const put = (Key, Body, more = {}) => send("PutObject", { Key, Body, ...more });
const text = async (Key, more = {}) => (await send("GetObject", { Key, ...more })).Body.transformToString();

test("a copy keeps or replaces metadata and tags", async () => {
  const Key = "copy/a b+ü.txt";
  const source = { CopySource: encodeURI(`${Bucket}/${Key}`).replaceAll("+", "%2B") };
  await put(Key, "words", { ContentType: "text/plain", Metadata: { of: "source" }, Tagging: "colour=red&size=xl" });
  const copied = await send("CopyObject", { Key: "copy/kept", ...source });
  const kept = await send("HeadObject", { Key: "copy/kept" });
  assert.equal(kept.ETag, copied.CopyObjectResult.ETag);
  assert.ok(copied.CopyObjectResult.LastModified instanceof Date);
  assert.deepEqual([kept.ContentType, kept.Metadata], ["text/plain", { of: "source" }]);
  const { TagSet } = await send("GetObjectTagging", { Key: "copy/kept" });
  assert.deepEqual(TagSet, [
    { Key: "colour", Value: "red" },
    { Key: "size", Value: "xl" },
  ]);
  await send("CopyObject", {
    Key: "copy/replaced",
    ...source,
    MetadataDirective: "REPLACE",
    Metadata: { of: "copy" },
    ContentType: "text/csv",
    TaggingDirective: "REPLACE",
    Tagging: "new=1",
  });
  const replaced = await send("HeadObject", { Key: "copy/replaced" });
  assert.deepEqual([replaced.ContentType, replaced.Metadata], ["text/csv", { of: "copy" }]);
  assert.deepEqual((await send("GetObjectTagging", { Key: "copy/replaced" })).TagSet, [{ Key: "new", Value: "1" }]);
  await send("DeleteObject", { Key });
  assert.equal(await text("copy/kept"), "words");
});

test("a copy onto itself changes something or is refused", async () => {
  await put("self", "same");
  const self = { Key: "self", CopySource: `${Bucket}/self` };
  await assert.rejects(send("CopyObject", self), { name: "InvalidRequest" });
  await send("CopyObject", { ...self, MetadataDirective: "REPLACE", Metadata: { seen: "yes" } });
  assert.deepEqual((await send("HeadObject", { Key: "self" })).Metadata, { seen: "yes" });
  assert.equal(await text("self"), "same");
});

test("a copy on a condition, and of nothing", async () => {
  const { ETag } = await put("conditional", "first");
  const copy = (more) => send("CopyObject", { Key: "conditional-copy", CopySource: `${Bucket}/conditional`, ...more });
  await copy({ CopySourceIfMatch: ETag });
  await assert.rejects(copy({ CopySourceIfNoneMatch: ETag }), { name: "PreconditionFailed" });
  await assert.rejects(send("CopyObject", { Key: "x", CopySource: `${Bucket}/nothing` }), { name: "NoSuchKey" });
  await assert.rejects(send("CopyObject", { Key: "x", CopySource: "no-such-bucket/k" }), { name: "NoSuchBucket" });
});

test("versions: kept, listed, read, restored, removed", async () => {
  const versioned = { Bucket: "versions-from-javascript" };
  await send("CreateBucket", versioned);
  assert.equal((await send("GetBucketVersioning", versioned)).Status, undefined);
  await put("doc", "before", versioned);
  await send("PutBucketVersioning", { ...versioned, VersioningConfiguration: { Status: "Enabled" } });
  assert.equal((await send("GetBucketVersioning", versioned)).Status, "Enabled");
  const first = await put("doc", "first", versioned);
  const second = await put("doc", "second", versioned);
  assert.notEqual(first.VersionId, second.VersionId);
  const gone = await send("DeleteObject", { ...versioned, Key: "doc" });
  assert.equal(gone.DeleteMarker, true);
  await assert.rejects(text("doc", versioned), { name: "NoSuchKey" });
  assert.equal(await text("doc", { ...versioned, VersionId: first.VersionId }), "first");
  assert.equal(await text("doc", { ...versioned, VersionId: "null" }), "before");
  const listed = await send("ListObjectVersions", versioned);
  assert.deepEqual(
    listed.Versions.map((one) => [one.VersionId, one.IsLatest]),
    [
      [second.VersionId, false],
      [first.VersionId, false],
      ["null", false],
    ],
  );
  assert.deepEqual(
    listed.DeleteMarkers.map((one) => [one.VersionId, one.IsLatest]),
    [[gone.VersionId, true]],
  );
  await send("DeleteObject", { ...versioned, Key: "doc", VersionId: gone.VersionId });
  assert.equal(await text("doc", versioned), "second");
  const restored = await send("CopyObject", {
    ...versioned,
    Key: "doc",
    CopySource: `${versioned.Bucket}/doc?versionId=${first.VersionId}`,
  });
  assert.equal(restored.CopySourceVersionId, first.VersionId);
  assert.equal(await text("doc", versioned), "first");
  await send("PutBucketVersioning", { ...versioned, VersioningConfiguration: { Status: "Suspended" } });
  assert.equal((await put("doc", "suspended", versioned)).VersionId ?? "null", "null");
  await assert.rejects(send("DeleteBucket", versioned), { name: "BucketNotEmpty" });
  const all = await send("ListObjectVersions", versioned);
  const Objects = [...(all.Versions ?? []), ...(all.DeleteMarkers ?? [])].map(({ Key, VersionId }) => ({ Key, VersionId }));
  const removed = await send("DeleteObjects", { ...versioned, Delete: { Objects } });
  assert.equal(removed.Deleted.length, Objects.length);
  await send("DeleteBucket", versioned);
});

test("tags of an object and of a bucket", async () => {
  await put("tagged", "x");
  assert.deepEqual((await send("GetObjectTagging", { Key: "tagged" })).TagSet, []);
  const TagSet = [
    { Key: "project", Value: "Ünïcode + spaces" },
    { Key: "empty", Value: "" },
  ];
  await send("PutObjectTagging", { Key: "tagged", Tagging: { TagSet } });
  const byKey = (one, other) => (one.Key < other.Key ? -1 : 1);
  const got = (await send("GetObjectTagging", { Key: "tagged" })).TagSet;
  assert.deepEqual(got.toSorted(byKey), TagSet.toSorted(byKey));
  assert.equal((await send("GetObject", { Key: "tagged" })).TagCount, 2);
  await send("DeleteObjectTagging", { Key: "tagged" });
  assert.deepEqual((await send("GetObjectTagging", { Key: "tagged" })).TagSet, []);
  const twice = [TagSet[0], TagSet[0]];
  await assert.rejects(send("PutObjectTagging", { Key: "tagged", Tagging: { TagSet: twice } }), { name: "InvalidTag" });
  await assert.rejects(send("GetBucketTagging"), { name: "NoSuchTagSet" });
  await send("PutBucketTagging", { Tagging: { TagSet: [{ Key: "team", Value: "web" }] } });
  assert.deepEqual((await send("GetBucketTagging")).TagSet, [{ Key: "team", Value: "web" }]);
  await send("DeleteBucketTagging");
  await assert.rejects(send("GetBucketTagging"), { name: "NoSuchTagSet" });
});

test("the CORS configuration of a bucket", async () => {
  await assert.rejects(send("GetBucketCors"), { name: "NoSuchCORSConfiguration" });
  const CORSRules = [
    {
      ID: "uploads",
      AllowedOrigins: ["https://*.example.com"],
      AllowedMethods: ["PUT", "POST"],
      AllowedHeaders: ["*"],
      ExposeHeaders: ["ETag"],
      MaxAgeSeconds: 300,
    },
    { AllowedOrigins: ["*"], AllowedMethods: ["GET"] },
  ];
  await send("PutBucketCors", { CORSConfiguration: { CORSRules } });
  assert.deepEqual((await send("GetBucketCors")).CORSRules, CORSRules);
  const ask = (origin, method) =>
    fetch(`${server.endpoint}/${Bucket}/k`, {
      method: "OPTIONS",
      headers: { Origin: origin, "Access-Control-Request-Method": method },
    });
  const allowed = await ask("https://app.example.com", "PUT");
  assert.equal(allowed.status, 200);
  assert.equal(allowed.headers.get("Access-Control-Allow-Origin"), "https://app.example.com");
  assert.equal(allowed.headers.get("Access-Control-Max-Age"), "300");
  const refused = await ask("https://evil.example", "PUT");
  assert.equal(refused.status, 403);
  assert.match(await refused.text(), /<Code>AccessForbidden<\/Code>/);
  await send("DeleteBucketCors");
  await assert.rejects(send("GetBucketCors"), { name: "NoSuchCORSConfiguration" });
});

test("writers on a condition: one of many wins", async () => {
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, (_, i) => put("one-wins", `writer ${i}`, { IfNoneMatch: "*" })),
  );
  const won = results.filter((result) => result.status === "fulfilled");
  assert.equal(won.length, 1);
  for (const { reason } of results.filter((result) => result.status === "rejected")) {
    assert.ok(["PreconditionFailed", "ConditionalRequestConflict"].includes(reason.name), reason.name);
  }
  const { ETag } = await put("edited", "one");
  await put("edited", "two", { IfMatch: ETag });
  await assert.rejects(put("edited", "three", { IfMatch: ETag }), { name: "PreconditionFailed" });
  await assert.rejects(put("never-there", "x", { IfMatch: ETag }), { name: "NoSuchKey" });
  await assert.rejects(send("DeleteObject", { Key: "edited", IfMatch: ETag }), { name: "PreconditionFailed" });
  const { ETag: now } = await send("HeadObject", { Key: "edited" });
  await send("DeleteObject", { Key: "edited", IfMatch: now });
});

test("waiters", async () => {
  const waiting = { client, maxWaitTime: 20, minDelay: 1, maxDelay: 1 };
  const later = { Bucket: "made-later" };
  const exists = s3.waitUntilBucketExists(waiting, later);
  await send("CreateBucket", later);
  assert.equal((await exists).state, "SUCCESS");
  const object = { ...later, Key: "k" };
  const there = s3.waitUntilObjectExists(waiting, object);
  await send("PutObject", { ...object, Body: "x" });
  assert.equal((await there).state, "SUCCESS");
  await send("DeleteObject", object);
  assert.equal((await s3.waitUntilObjectNotExists(waiting, object)).state, "SUCCESS");
  await send("DeleteBucket", later);
  assert.equal((await s3.waitUntilBucketNotExists(waiting, later)).state, "SUCCESS");
});

test("folders, page by page, with odd names", async () => {
  const names = ["a b", "a+b", "a&b", "a<b", "é", "日本"];
  for (const name of names) {
    await put(`folders/${name}/x`, "");
    await put(`folders/${name}/y`, "");
  }
  const seen = [];
  const input = { Bucket, Prefix: "folders/", Delimiter: "/" };
  for await (const page of s3.paginateListObjectsV2({ client, pageSize: 4 }, input)) {
    seen.push(...page.CommonPrefixes.map(({ Prefix }) => Prefix));
  }
  const ordered = names.map((name) => Buffer.from(`folders/${name}/`)).sort(Buffer.compare);
  assert.deepEqual(seen, ordered.map(String));
});

test("the SDK retries what a proxy on the way spoils", async () => {
  const spoilt = [];
  const proxy = createServer((incoming, answer) => {
    if (spoilt.length < 2) {
      spoilt.push(incoming.method);
      incoming.resume();
      if (spoilt.length === 1) return incoming.socket.destroy();
      return incoming.on("end", () => answer.writeHead(503).end());
    }
    const { hostname, port } = new URL(server.endpoint);
    const onward = request(
      { hostname, port, method: incoming.method, path: incoming.url, headers: incoming.headers },
      (got) => got.pipe(answer.writeHead(got.statusCode, got.headers)),
    );
    incoming.pipe(onward);
  });
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const through = server.client({ endpoint: `http://127.0.0.1:${proxy.address().port}` });
  const { $metadata } = await through.send(new s3.PutObjectCommand({ Bucket, Key: "retried", Body: "kept" }));
  assert.deepEqual([spoilt, $metadata.attempts], [["PUT", "PUT"], 3]);
  assert.equal(await text("retried"), "kept");
  through.destroy();
  proxy.closeAllConnections();
  proxy.close();
});

test("what a bucket has none of, as AWS says it", async () => {
  await assert.rejects(send("GetBucketPolicy"), { name: "NoSuchBucketPolicy" });
  await assert.rejects(send("GetBucketLifecycleConfiguration"), { name: "NoSuchLifecycleConfiguration" });
  await assert.rejects(send("GetObjectLockConfiguration"), { name: "ObjectLockConfigurationNotFoundError" });
  assert.equal((await send("GetBucketAcl")).Grants[0].Permission, "FULL_CONTROL");
});
