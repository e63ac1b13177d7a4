// Large and streamed uploads with the AWS SDK for JavaScript's Upload, as web servers do them.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { after, test } from "node:test";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
  PutObjectCommand,
  paginateListParts,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { startServer } from "./server.mjs";

const Bucket = "transfers";
const MIB = 1 << 20;
const large = randomBytes((process.env.LST_FULL === "1" ? 100 : 12) * MIB + 1);

const server = await startServer();
const client = server.client();
await client.send(new CreateBucketCommand({ Bucket }));
const folder = mkdtempSync(join(tmpdir(), "transfers-"));

after(async () => {
  client.destroy();
  rmSync(folder, { recursive: true });
  assert.equal(await server.stop(), 0);
});

const md5 = (bytes) => createHash("md5").update(bytes).digest();
const etagOfParts = (bytes, size) => {
  const parts = [];
  for (let at = 0; at < bytes.length; at += size) parts.push(md5(bytes.subarray(at, at + size)));
  return `"${md5(Buffer.concat(parts)).toString("hex")}-${parts.length}"`;
};
const read = async (Key, more = {}) =>
  Buffer.from(
    await (await client.send(new GetObjectCommand({ Bucket, Key, ...more }))).Body.transformToByteArray(),
  );
const uploads = async () =>
  (await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads?.map((upload) => upload.Key) ?? [];

test("a file goes up in parallel parts", async () => {
  const path = join(folder, "large.bin");
  writeFileSync(path, large);
  const progress = [];
  const upload = new Upload({
    client,
    params: {
      Bucket,
      Key: "large.bin",
      Body: createReadStream(path),
      ContentType: "video/mp4",
      Metadata: { from: "disk" },
    },
    partSize: 5 * MIB,
    queueSize: 3,
  });
  upload.on("httpUploadProgress", ({ loaded }) => progress.push(loaded));
  const done = await upload.done();
  assert.equal(done.ETag, etagOfParts(large, 5 * MIB));
  assert.equal(done.Key, "large.bin");
  assert.equal(done.Bucket, Bucket);
  assert.equal(Math.max(...progress), large.length);
  const head = await client.send(new HeadObjectCommand({ Bucket, Key: "large.bin" }));
  assert.deepEqual(
    [head.ContentLength, head.ContentType, head.Metadata.from, head.ETag],
    [large.length, "video/mp4", "disk", done.ETag],
  );
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: "large.bin" }));
  await pipeline(Body, createWriteStream(join(folder, "back.bin")));
  assert.ok(readFileSync(join(folder, "back.bin")).equals(large));
  assert.deepEqual(await uploads(), []);
});

test("a stream of unknown length", async () => {
  for (const [Key, bytes] of [
    ["unknown-large", large.subarray(0, 6 * MIB)],
    ["unknown-small", large.subarray(0, 1000)],
    ["unknown-empty", Buffer.alloc(0)],
  ]) {
    const through = new PassThrough();
    const upload = new Upload({ client, params: { Bucket, Key, Body: through } });
    through.end(bytes);
    await upload.done();
    assert.ok((await read(Key)).equals(bytes), Key);
  }
});

test("an upload that is aborted leaves nothing", async () => {
  const slow = Readable.from(
    (async function* () {
      for (let i = 0; i < 12; i++) {
        yield large.subarray(i * MIB, (i + 1) * MIB);
        if (i === 8) setTimeout(() => upload.abort());
        await new Promise((resolve) => setTimeout(resolve, i < 8 ? 0 : 50));
      }
    })(),
  );
  const upload = new Upload({ client, params: { Bucket, Key: "aborted", Body: slow }, queueSize: 1 });
  await assert.rejects(upload.done(), { name: "AbortError" });
  // abort() of the SDK gives up at once, and removes what is on the server by itself only on errors.
  const left = await client.send(new ListMultipartUploadsCommand({ Bucket }));
  for (const { Key, UploadId } of left.Uploads ?? []) {
    await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  }
  assert.deepEqual(await uploads(), []);
  await assert.rejects(read("aborted"), { name: "NoSuchKey" });
});

test("a stream that breaks leaves nothing", async () => {
  const broken = Readable.from(
    (async function* () {
      yield large.subarray(0, 6 * MIB);
      throw new Error("the disk is gone");
    })(),
  );
  const upload = new Upload({ client, params: { Bucket, Key: "broken", Body: broken } });
  await assert.rejects(upload.done(), /the disk is gone/);
  assert.deepEqual(await uploads(), []);
  await assert.rejects(read("broken"), { name: "NoSuchKey" });
});

test("a PUT that is aborted stores nothing", async () => {
  const controller = new AbortController();
  const endless = Readable.from(
    (async function* () {
      yield large.subarray(0, MIB);
      setTimeout(() => controller.abort(), 50);
      await new Promise((resolve) => setTimeout(resolve, 500));
      yield large.subarray(0, MIB);
    })(),
  );
  const put = client.send(
    new PutObjectCommand({ Bucket, Key: "given-up", Body: endless, ContentLength: 2 * MIB }),
    { abortSignal: controller.signal },
  );
  await assert.rejects(put, { name: "AbortError" });
  await assert.rejects(read("given-up"), { name: "NoSuchKey" });
});

test("a multipart upload by hand: resumed, a part replaced, a part copied, the list paged", async () => {
  await client.send(new PutObjectCommand({ Bucket, Key: "source", Body: large.subarray(0, 6 * MIB) }));
  const object = { Bucket, Key: "by hand/ü" };
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(object));
  const part = async (PartNumber, Body) =>
    (await client.send(new UploadPartCommand({ ...object, UploadId, PartNumber, Body }))).ETag;
  await part(1, "to be replaced");
  const etags = [await part(1, large.subarray(0, 5 * MIB))];
  const copied = await client.send(
    new UploadPartCopyCommand({
      ...object,
      UploadId,
      PartNumber: 2,
      CopySource: `${Bucket}/source`,
      CopySourceRange: `bytes=0-${5 * MIB - 1}`,
    }),
  );
  etags.push(copied.CopyPartResult.ETag, await part(3, "the end"));
  const listed = [];
  for await (const page of paginateListParts({ client, pageSize: 2 }, { ...object, UploadId })) {
    listed.push(...(page.Parts ?? []).map(({ PartNumber, ETag, Size }) => [PartNumber, ETag, Size]));
  }
  assert.deepEqual(
    listed,
    etags.map((etag, i) => [i + 1, etag, [5 * MIB, 5 * MIB, 7][i]]),
  );
  const Parts = etags.map((ETag, i) => ({ ETag, PartNumber: i + 1 }));
  const complete = (parts) =>
    client.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts: parts } }));
  await assert.rejects(complete([Parts[1], Parts[0]]), { name: "InvalidPartOrder" });
  await assert.rejects(complete([{ ...Parts[0], ETag: '"0123"' }]), { name: "InvalidPart" });
  const done = await complete(Parts);
  assert.match(done.ETag, /^"[0-9a-f]{32}-3"$/);
  assert.equal((await complete(Parts)).ETag, done.ETag, "a retried complete answers as the first did");
  const whole = Buffer.concat([large.subarray(0, 5 * MIB), large.subarray(0, 5 * MIB), Buffer.from("the end")]);
  assert.ok((await read(object.Key)).equals(whole));
  assert.equal((await read(object.Key, { PartNumber: 3 })).toString(), "the end");
  const head = await client.send(new HeadObjectCommand({ ...object, PartNumber: 2 }));
  assert.deepEqual([head.PartsCount, head.ContentLength], [3, 5 * MIB]);
  await assert.rejects(part(4, "late"), { name: "NoSuchUpload" });
});

test("a part below 5 MiB that is not the last is EntityTooSmall", async () => {
  const object = { Bucket, Key: "too-small" };
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(object));
  const Parts = [];
  for (const PartNumber of [1, 2]) {
    const { ETag } = await client.send(new UploadPartCommand({ ...object, UploadId, PartNumber, Body: "small" }));
    Parts.push({ ETag, PartNumber });
  }
  await assert.rejects(
    client.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts } })),
    { name: "EntityTooSmall" },
  );
  await client.send(new AbortMultipartUploadCommand({ ...object, UploadId }));
  assert.deepEqual(await uploads(), []);
});

test("ranges, as video players ask for them", async () => {
  await client.send(new PutObjectCommand({ Bucket, Key: "ranged", Body: large.subarray(0, 100_000) }));
  for (const [Range, from, to] of [
    ["bytes=0-0", 0, 1],
    ["bytes=500-", 500, 100_000],
    ["bytes=-7", 99_993, 100_000],
  ]) {
    assert.ok((await read("ranged", { Range })).equals(large.subarray(from, to)), Range);
  }
  await assert.rejects(read("ranged", { Range: "bytes=100000-" }), { name: "InvalidRange" });
});
