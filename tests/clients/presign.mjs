// Presign a PUT and a GET with the AWS SDK for JavaScript: JSON in, {"put": URL, "get": URL} out.
import { readFileSync } from "node:fs";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

const { endpoint, accessKeyId, secretAccessKey, bucket, key } = JSON.parse(readFileSync(0, "utf8"));
const client = new S3Client({
  endpoint,
  region: "us-east-1",
  forcePathStyle: true,
  credentials: { accessKeyId, secretAccessKey },
});
const object = { Bucket: bucket, Key: key };
console.log(
  JSON.stringify({
    put: await getSignedUrl(client, new PutObjectCommand(object), { expiresIn: 3600 }),
    get: await getSignedUrl(client, new GetObjectCommand(object), { expiresIn: 3600 }),
  }),
);
