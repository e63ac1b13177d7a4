// Put or get a folder with the AWS SDK for JavaScript; see folder.mjs.
import { createReadStream, createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { GetObjectCommand, S3Client, paginateListObjectsV2 } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { main, settings } from "./folder.mjs";

const { endpoint, bucket: Bucket, prefix: Prefix, accessKeyId, secretAccessKey } = settings;
const client = new S3Client({
  endpoint,
  region: "us-east-1",
  forcePathStyle: true,
  credentials: { accessKeyId, secretAccessKey },
});

await main({
  putFile: (Key, path) => new Upload({ client, params: { Bucket, Key, Body: createReadStream(path) } }).done(),
  getFile: async (Key, path) => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
    await pipeline(Body, createWriteStream(path));
  },
  listKeys: async function* () {
    for await (const page of paginateListObjectsV2({ client }, { Bucket, Prefix })) {
      for (const { Key } of page.Contents ?? []) yield Key;
    }
  },
});
client.destroy();
