// A running server for the tests of this folder: a data folder and a port of its own.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { S3Client } from "@aws-sdk/client-s3";
import * as minio from "minio";

export const credentials = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};

// Over https if LST_TLS names a folder with cert.pem and key.pem.
export async function startServer(...options) {
  const folder = mkdtempSync(join(tmpdir(), "latchstring-"));
  const tls = process.env.LST_TLS;
  if (tls) options.push("--tls-cert", join(tls, "cert.pem"), "--tls-key", join(tls, "key.pem"));
  const child = spawn(
    process.env.LST_BINARY,
    ["serve", "--data", join(folder, "data"), "--listen", "127.0.0.1:0", ...options],
    {
      env: {
        ...process.env,
        LATCHSTRING_ACCESS_KEY: credentials.accessKeyId,
        LATCHSTRING_SECRET_KEY: credentials.secretAccessKey,
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let output = "";
  const endpoint = await new Promise((resolve, reject) => {
    const read = (text) => {
      output += text;
      const match = output.match(/Listening +(\S+:\d+)\n/);
      if (match) resolve(`http${tls ? "s" : ""}://${match[1]}`);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.on("error", reject);
    child.on("exit", (status) => reject(new Error(`the server ended with ${status}: ${output}`)));
  });
  return {
    endpoint,
    data: join(folder, "data"),
    client: (settings = {}) =>
      // As AWS asks of its users: but for the last one, a chunk of a stream has 8 KiB at least.
      new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials, requestStreamBufferSize: 65_536, ...settings }),
    minio: (settings = {}) => {
      const url = new URL(endpoint);
      return new minio.Client({
        endPoint: url.hostname,
        port: Number(url.port),
        useSSL: Boolean(tls),
        accessKey: credentials.accessKeyId,
        secretKey: credentials.secretAccessKey,
        ...settings,
      });
    },
    // Ends it; gives its exit status.
    stop: () =>
      new Promise((resolve) => {
        child.removeAllListeners("exit");
        child.on("exit", (status) => {
          rmSync(folder, { recursive: true });
          resolve(status);
        });
        child.kill("SIGTERM");
      }),
  };
}
