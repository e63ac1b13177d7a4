"""The clients as people install them, each set up as its manual says for a store of one's own.

Every client can put a folder into a bucket (`up`) and get a bucket into a folder (`down`); its `run` is its command
line. Nothing of the developer's own settings is seen: each has a home of its own.
"""
import contextlib
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import folder as folders  # noqa: E402
from harness import ACCESS_KEY, ROOT, SECRET_KEY  # noqa: E402

FULL = os.environ.get("LST_FULL") == "1"
RELEASE = os.environ.get("LST_RELEASE", os.path.join(ROOT, "build", "latchstring"))
BUILT = os.environ.get("LST_CLIENTS", os.path.join(ROOT, "build", "clients"))  # of JavaScript and Go
MINUTES = 30 if FULL else 3  # that one command may take


class Done:
    """What a command said and how it ended."""

    def __init__(self, process):
        self.status = process.returncode
        self.bytes = process.stdout
        self.out = process.stdout.decode(errors="replace")
        self.err = process.stderr.decode(errors="replace")

    def __repr__(self):
        return f"<{self.status}\n{self.out[-3000:]}\n{self.err[-3000:]}>"


class Client:
    program = ()       # the command, and options that each of its commands has
    unfit = ()         # names of the mixed folder that it can't carry

    def __init__(self, server, home, authority=None):
        """home: an empty folder. authority: the certificate of the server's private CA."""
        self.server, self.home, self.authority = server, str(home), authority and str(authority)
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": self.home, "TMPDIR": self.home, "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8", "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
        }
        self.set_up()

    @staticmethod
    def why_not():
        """Why it can't run here, or None."""
        return None

    def set_up(self):
        pass

    def write(self, name, text):
        path = os.path.join(self.home, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o600)
        return path

    def run(self, *arguments, status=0, input=b"", cwd=None, **environment):
        """One command; it must end with that status (None: with any)."""
        process = subprocess.run([*self.program, *map(str, arguments)], input=input, cwd=cwd or self.home,
                                 capture_output=True, timeout=MINUTES * 60, check=False,
                                 env={**self.environment, **environment})
        done = Done(process)
        assert status is None or done.status == status, f"{arguments}: {done!r}"
        return done


class Boto3(Client):
    """upload_file and download_file, four files at a time, as scripts do."""

    def s3(self, **config):
        return self.server.client(verify=self.authority, signature_version=None, **config)

    def up(self, folder, bucket):
        s3 = self.s3(max_pool_connections=20)
        with ThreadPoolExecutor(4) as pool:
            for name in pool.map(lambda name: self._put(s3, folder, bucket, name), folders.names_in(folder)):
                assert name

    @staticmethod
    def _put(s3, folder, bucket, name):
        s3.upload_file(os.path.join(folder, name), bucket, name)
        return name

    def down(self, bucket, folder):
        s3 = self.s3(max_pool_connections=20)
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", ()) if entry["Key"][-1] != "/"]
        for key in keys:
            os.makedirs(os.path.dirname(os.path.join(folder, key)), exist_ok=True)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda key: s3.download_file(bucket, key, os.path.join(folder, key)), keys))


class AwsCli(Client):
    """The first generation, from PyPI."""
    name = "aws"

    def set_up(self):
        self.program = (self.name, "--endpoint-url", self.server.endpoint)
        if self.authority:
            self.environment["AWS_CA_BUNDLE"] = self.authority

    def s3(self, *arguments, **options):
        return self.run("s3", *arguments, **options)

    def api(self, *arguments, **options):
        return self.run("s3api", "--output", "json", *arguments, **options)

    def up(self, folder, bucket):
        self.s3("sync", "--only-show-errors", f"{folder}/", f"s3://{bucket}/")

    def down(self, bucket, folder):
        self.s3("sync", "--only-show-errors", f"s3://{bucket}/", f"{folder}/")


class AwsCli2(AwsCli):
    """The second generation, from Debian."""
    name = "/usr/bin/aws"


class S3cmd(Client):
    unfit = (folders.NEWLINE, folders.TAB)  # it asks for ^J and ^I instead, so it is told to leave these out

    def set_up(self):
        self.program = ("/usr/bin/s3cmd", "--config", self.write("s3cfg", f"""[default]
access_key = {ACCESS_KEY}
secret_key = {SECRET_KEY}
host_base = {self.server.host}
host_bucket = {self.server.host}
use_https = {self.authority is not None}
"""))
        if self.authority:
            self.program += ("--ca-certs", self.authority)

    def up(self, folder, bucket):
        self._sync(f"{folder}/", f"s3://{bucket}/")

    def down(self, bucket, folder):
        self._sync(f"s3://{bucket}/", f"{folder}/")

    def _sync(self, source, target):
        self.run("sync", "--no-progress", "--quiet", "--rexclude", r"[\t\n]|\^[IJ]", source, target)


class Rclone(Client):
    # Without the last option names in NFC and NFD are one to it.
    program = ("/usr/bin/rclone", "--retries", "1", "--no-unicode-normalization")

    def set_up(self):
        self.environment.update(
            RCLONE_CONFIG=os.path.join(self.home, "rclone.conf"), RCLONE_CONFIG_STORE_TYPE="s3",
            RCLONE_CONFIG_STORE_PROVIDER="Other", RCLONE_CONFIG_STORE_ENV_AUTH="true",
            RCLONE_CONFIG_STORE_REGION="us-east-1", RCLONE_CONFIG_STORE_ENDPOINT=self.server.endpoint,
            RCLONE_CONFIG_STORE_LIST_URL_ENCODE="true")
        if self.authority:
            self.environment["RCLONE_CA_CERT"] = self.authority

    def up(self, folder, bucket):
        self.run("sync", "--checksum", folder, f"store:{bucket}")

    def down(self, bucket, folder):
        self.run("sync", "--checksum", f"store:{bucket}", folder)


class Restic(Client):
    program = ("/usr/bin/restic", "--quiet")

    def set_up(self):
        self.environment.update(RESTIC_PASSWORD="a password", RESTIC_REPOSITORY=f"s3:{self.server.endpoint}/backups/one",
                                RESTIC_CACHE_DIR=os.path.join(self.home, "cache"))
        if self.authority:
            self.program += ("--cacert", self.authority)


class S3fs(Client):
    program = ("/usr/bin/s3fs",)

    def set_up(self):
        self.passwords = self.write("passwords", f"{ACCESS_KEY}:{SECRET_KEY}\n")
        if self.authority:
            self.environment["CURL_CA_BUNDLE"] = self.authority

    @staticmethod
    def why_not():
        if not os.access("/dev/fuse", os.R_OK | os.W_OK):
            return "there is no /dev/fuse that can be opened here"
        return None

    @contextlib.contextmanager
    def mounted(self, bucket, *options):
        where = os.path.join(self.home, f"mount-{bucket}")
        os.makedirs(where, exist_ok=True)
        settings = [f"url={self.server.endpoint}", "use_path_request_style", f"passwd_file={self.passwords}",
                    *options]
        self.run(bucket, where, "-o", ",".join(settings))
        try:
            yield where
        finally:
            for _ in range(50):
                if subprocess.run(["fusermount", "-u", where], capture_output=True, check=False).returncode == 0:
                    break
                time.sleep(0.1)

    def up(self, folder, bucket):
        with self.mounted(bucket) as where:
            self._copy(folder, where)

    def down(self, bucket, folder):
        with self.mounted(bucket) as where:
            self._copy(where, folder)

    def _copy(self, source, target):
        done = subprocess.run(["cp", "--recursive", f"{source}/.", target], capture_output=True, check=False,
                              timeout=MINUTES * 60, env=self.environment)
        assert done.returncode == 0, done.stderr.decode(errors="replace")[-3000:]


class FolderProgram(Client):
    """One of this folder's own programs around a client library: VERBput and VERBget."""
    verb = ""

    def set_up(self):
        self.environment["LST_ENDPOINT"] = self.server.endpoint

    def up(self, folder, bucket):
        self.run(f"{self.verb}put", folder, LST_BUCKET=bucket)

    def down(self, bucket, folder):
        self.run(f"{self.verb}get", folder, LST_BUCKET=bucket)


class JavaScriptAws(FolderProgram):
    program = ("node", os.path.join(BUILT, "folder-aws.mjs"))


class JavaScriptMinio(FolderProgram):
    program = ("node", os.path.join(BUILT, "folder-minio.mjs"))


class GoAws(FolderProgram):
    program = (os.path.join(BUILT, "folder"),)
    verb = "aws-"


class GoMinio(FolderProgram):
    program = (os.path.join(BUILT, "folder"),)
    verb = "minio-"


class Curl(Client):
    def set_up(self):
        self.program = ("curl", "--silent", "--show-error", "--fail-with-body", "--aws-sigv4",
                        "aws:amz:us-east-1:s3", "--user", f"{ACCESS_KEY}:{SECRET_KEY}")
        if self.authority:
            self.program += ("--cacert", self.authority)
