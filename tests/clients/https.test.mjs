// The tests of this folder that differ over https, over https: its server has a certificate of a
// private authority, which node is told of as users do it, by NODE_EXTRA_CA_CERTS.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";


const folder = mkdtempSync(join(tmpdir(), "authority-"));
const openssl = (...options) => execFileSync("openssl", options, { cwd: folder, stdio: "pipe" });
const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
writeFileSync(join(folder, "extensions"), "subjectAltName = IP:127.0.0.1\n");
openssl("req", "-x509", ...newKey, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Private");
openssl("req", ...newKey, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=localhost");
openssl("x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
  "-days", "2", "-extfile", "extensions", "-out", "cert.pem"); // prettier-ignore

after(() => rmSync(folder, { recursive: true }));

for (const file of ["checksums", "transfer", "forms", "minio", "sdk"]) {
  test(`${file}, over https`, () => {
    const environment = { ...process.env, LST_TLS: folder, NODE_EXTRA_CA_CERTS: join(folder, "ca.pem") };
    delete environment.NODE_TEST_CONTEXT;
    const done = spawnSync(process.execPath, ["--test", "--test-reporter=tap", `${file}.test.mjs`], {
      cwd: import.meta.dirname,
      env: environment,
      encoding: "utf8",
    });
    assert.equal(done.status, 0, done.stdout + done.stderr);
  });
}
