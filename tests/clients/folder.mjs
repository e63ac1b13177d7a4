// What folder-aws.mjs and folder-minio.mjs share: a folder goes up under a prefix, or comes down.
// Usage: node folder-aws.mjs put|get FOLDER, with LST_ENDPOINT, LST_BUCKET, LST_PREFIX (may be empty),
// AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment. Folders are not kept, only files.
import { mkdirSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";

export const settings = {
  endpoint: process.env.LST_ENDPOINT,
  bucket: process.env.LST_BUCKET,
  prefix: process.env.LST_PREFIX ?? "",
  accessKeyId: process.env.AWS_ACCESS_KEY_ID,
  secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY,
};
const AT_ONCE = 8;

// Run work(item) for each item of an iterable, AT_ONCE at a time; fails as soon as one does.
async function each(items, work) {
  const iterator = items[Symbol.asyncIterator]?.() ?? items[Symbol.iterator]();
  const worker = async () => {
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
      await work(next.value);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

// putFile(key, path), getFile(key, path) and listKeys(), an async generator of whole keys.
export async function main({ putFile, getFile, listKeys }) {
  const [verb, folder] = process.argv.slice(2);
  if (!["put", "get"].includes(verb) || !folder) throw new Error("usage: put|get FOLDER");
  if (verb === "put") {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    await each(paths, (path) => putFile(settings.prefix + relative(folder, path), path));
    return;
  }
  await each(listKeys(), async (key) => {
    if (key.endsWith("/")) return; // what s3fs puts for a folder
    const path = `${folder}/${key.slice(settings.prefix.length)}`;
    mkdirSync(dirname(path), { recursive: true });
    await getFile(key, path);
  });
}
