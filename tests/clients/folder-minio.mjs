// Put or get a folder with MinIO's JavaScript client; see folder.mjs.
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import * as minio from "minio";
import { main, settings } from "./folder.mjs";

const { bucket, prefix } = settings;
const url = new URL(settings.endpoint);
const client = new minio.Client({
  endPoint: url.hostname,
  port: Number(url.port),
  useSSL: url.protocol === "https:",
  accessKey: settings.accessKeyId,
  secretKey: settings.secretAccessKey,
});

await main({
  putFile: (key, path) => client.fPutObject(bucket, key, path),
  // Not fGetObject: the name of its temporary file is too long for a file system when the file's own is long.
  getFile: async (key, path) => pipeline(await client.getObject(bucket, key), createWriteStream(path)),
  listKeys: async function* () {
    for await (const { name } of client.listObjectsV2(bucket, prefix, true)) yield name;
  },
});
