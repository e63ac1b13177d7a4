// Each checksum algorithm of the AWS SDK for JavaScript: in a header, as a trailer, of parts, on reads.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { after, test } from "node:test";
import { crc32 } from "node:zlib";
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { startServer } from "./server.mjs";

const Bucket = "checksums";
const ALGORITHMS = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"];
const MIB = 1 << 20;

const server = await startServer();
const client = server.client();
await client.send(new CreateBucketCommand({ Bucket }));

after(async () => {
  client.destroy();
  assert.equal(await server.stop(), 0);
});

const crc32Of = (bytes) => {
  const four = Buffer.alloc(4);
  four.writeUInt32BE(crc32(bytes));
  return four.toString("base64");
};

for (const ChecksumAlgorithm of ALGORITHMS) {
  const field = `Checksum${ChecksumAlgorithm}`;

  test(`${ChecksumAlgorithm} of a buffer, in a header`, async () => {
    const object = { Bucket, Key: `buffer-${ChecksumAlgorithm}` };
    const body = randomBytes(70_000);
    const put = await client.send(new PutObjectCommand({ ...object, Body: body, ChecksumAlgorithm }));
    assert.ok(put[field], "the answer has the checksum");
    assert.equal(put.ChecksumType, "FULL_OBJECT");
    const got = await client.send(new GetObjectCommand({ ...object, ChecksumMode: "ENABLED" }));
    assert.equal(got[field], put[field]);
    assert.deepEqual(Buffer.from(await got.Body.transformToByteArray()), body);
    const attributes = await client.send(
      new GetObjectAttributesCommand({ ...object, ObjectAttributes: ["Checksum", "ETag", "ObjectSize"] }),
    );
    assert.equal(attributes.Checksum[field], put[field]);
    assert.equal(attributes.ObjectSize, body.length);
    assert.equal(attributes.ETag, put.ETag.replaceAll('"', ""));
  });

  test(`${ChecksumAlgorithm} of a stream, as a trailer`, async () => {
    const object = { Bucket, Key: `stream-${ChecksumAlgorithm}` };
    const pieces = [randomBytes(70_000), randomBytes(1), randomBytes(140_000)];
    const put = await client.send(
      new PutObjectCommand({
        ...object,
        Body: Readable.from(pieces),
        ContentLength: 210_001,
        ChecksumAlgorithm,
      }),
    );
    const head = await client.send(new HeadObjectCommand({ ...object, ChecksumMode: "ENABLED" }));
    assert.ok(head[field] && (put[field] === undefined || put[field] === head[field]));
    assert.equal(head.ContentLength, 210_001);
    const got = await client.send(new GetObjectCommand({ ...object, ChecksumMode: "ENABLED" }));
    assert.deepEqual(Buffer.from(await got.Body.transformToByteArray()), Buffer.concat(pieces));
  });

  test(`${ChecksumAlgorithm} of an upload in parts`, async () => {
    const object = { Bucket, Key: `parts-${ChecksumAlgorithm}` };
    const body = randomBytes(5 * MIB + 3);
    const done = await new Upload({ client, params: { ...object, Body: body, ChecksumAlgorithm } }).done();
    const type = ChecksumAlgorithm === "CRC64NVME" ? "FULL_OBJECT" : "COMPOSITE";
    assert.equal(done.ChecksumType, type);
    assert.match(done[field], type === "COMPOSITE" ? /-2$/ : /=$/);
    const got = await client.send(new GetObjectCommand({ ...object, ChecksumMode: "ENABLED" }));
    assert.equal(got[field], done[field]);
    assert.deepEqual(Buffer.from(await got.Body.transformToByteArray()), body);
  });

  test(`a wrong ${ChecksumAlgorithm} leaves nothing`, async () => {
    const object = { Bucket, Key: `wrong-${ChecksumAlgorithm}` };
    const lengths = { CRC32: 4, CRC32C: 4, CRC64NVME: 8, SHA1: 20, SHA256: 32 };
    const wrong = Buffer.alloc(lengths[ChecksumAlgorithm], 7).toString("base64");
    await assert.rejects(client.send(new PutObjectCommand({ ...object, Body: "text", [field]: wrong })), {
      name: "BadDigest",
    });
    await assert.rejects(client.send(new HeadObjectCommand(object)), { name: "NotFound" });
  });
}

test("the SDK's default is CRC32, kept and checked on reads", async () => {
  const object = { Bucket, Key: "default" };
  const put = await client.send(new PutObjectCommand({ ...object, Body: "hello" }));
  assert.equal(put.ChecksumCRC32, crc32Of("hello"));
  const got = await client.send(new GetObjectCommand(object));
  assert.equal(got.ChecksumCRC32, crc32Of("hello"), "the SDK asks for it by default");
  assert.equal(await got.Body.transformToString(), "hello");
});

test("a full-object CRC32 of a multipart upload is put together from those of its parts", async () => {
  const object = { Bucket, Key: "whole-crc32" };
  const pieces = [randomBytes(5 * MIB), randomBytes(5 * MIB), randomBytes(17)];
  const { UploadId } = await client.send(
    new CreateMultipartUploadCommand({ ...object, ChecksumAlgorithm: "CRC32", ChecksumType: "FULL_OBJECT" }),
  );
  const Parts = [];
  for (const [i, Body] of pieces.entries()) {
    const part = { PartNumber: i + 1 };
    const { ETag, ChecksumCRC32 } = await client.send(
      new UploadPartCommand({ ...object, ...part, UploadId, Body, ChecksumAlgorithm: "CRC32" }),
    );
    assert.equal(ChecksumCRC32, crc32Of(Body));
    Parts.push({ ...part, ETag, ChecksumCRC32 });
  }
  const complete = (more) =>
    client.send(
      new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts }, ...more }),
    );
  await assert.rejects(complete({ ChecksumCRC32: crc32Of("other"), ChecksumType: "FULL_OBJECT" }), {
    name: "BadDigest",
  });
  const whole = Buffer.concat(pieces);
  const done = await complete({ ChecksumCRC32: crc32Of(whole), ChecksumType: "FULL_OBJECT" });
  assert.equal(done.ChecksumCRC32, crc32Of(whole));
  const attributes = await client.send(
    new GetObjectAttributesCommand({ ...object, ObjectAttributes: ["Checksum", "ObjectParts"] }),
  );
  assert.deepEqual([attributes.Checksum.ChecksumType, attributes.ObjectParts.TotalPartsCount], ["FULL_OBJECT", 3]);
});

test("Content-MD5 is checked", async () => {
  const object = { Bucket, Key: "md5", Body: "text" };
  const md5 = (text) => createHash("md5").update(text).digest("base64");
  await client.send(new PutObjectCommand({ ...object, ContentMD5: md5("text") }));
  await assert.rejects(client.send(new PutObjectCommand({ ...object, ContentMD5: md5("other") })), {
    name: "BadDigest",
  });
});
