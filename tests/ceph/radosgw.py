"""Ceph's S3 gateway on a cluster of one monitor and one OSD in memory, in a folder and on ports of its own."""
import contextlib
import http.client
import os
import shutil
import socket
import subprocess
import time
import urllib.parse
import uuid
import xml.etree.ElementTree as xml

import boto3
from botocore.config import Config
from harness import ACCESS_KEY, SECRET_KEY, Answer, clean_environment, send_on, target_of

PACKAGES = {"ceph-mon": "ceph-mon", "monmaptool": "ceph-base", "ceph-osd": "ceph-osd", "ceph": "ceph-common",
            "ceph-authtool": "ceph-common", "radosgw": "radosgw", "radosgw-admin": "ceph-common"}
START_SECONDS = 60
STOP_SECONDS = 30

# What it may do with its one OSD, without a second copy; that it says so at once, instead of once a second; that it
# listens on loopback only, and writes nowhere but into its folder.
SETTINGS = """\
[global]
fsid = {fsid}
mon_host = v2:127.0.0.1:{monitor_port}
public_network = 127.0.0.0/8
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
auth_allow_insecure_global_id_reclaim = false
keyring = {folder}/keyring
log_file = {folder}/$name.log
run_dir = {folder}
crash_dir = {folder}
admin_socket =
mon_data = {folder}/mon
mon_data_avail_warn = 0
mon_data_avail_crit = 0
mon_allow_pool_size_one = true
paxos_propose_interval = 0.05
paxos_min_wait = 0.01
osd_data = {folder}/osd
osd_objectstore = memstore
osd_crush_chooseleaf_type = 0
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pg_autoscale_mode = off
rgw_data = {folder}/rgw
rgw_dns_name = localhost
rgw_frontends = beast endpoint=127.0.0.1:{port}
"""

KEYS = {
    "mon.": {"mon": "allow *"},
    "client.admin": {"mon": "allow *", "osd": "allow *"},
    "osd.0": {"mon": "allow profile osd", "osd": "allow *"},
    "client.rgw": {"mon": "allow rw", "osd": "allow rwx"},
}


def missing_packages():
    """The Debian packages whose programs are not there."""
    return sorted({package for program, package in PACKAGES.items() if not shutil.which(program)})


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


class Gateway:
    """A radosgw with one user, whose keys are those of the harness. Call stop()."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.daemons = []
        self.environment = {name: value for name, value in clean_environment().items()
                            if not name.startswith("CEPH_")}
        monitor_port, self.port = free_ports(2)
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.fsid = str(uuid.uuid4())
        self.settings = os.path.join(self.folder, "ceph.conf")
        with open(self.settings, "w", encoding="utf-8") as file:
            file.write(SETTINGS.format(folder=self.folder, fsid=self.fsid, port=self.port,
                                       monitor_port=monitor_port))
        try:
            self._start_monitor(monitor_port)
            self._start_osd()
            self._start_gateway()
        except BaseException:
            self.stop()
            raise

    def _start_monitor(self, port):
        keyring = os.path.join(self.folder, "keyring")
        self.run("ceph-authtool", "--create-keyring", keyring)
        for name, rights in KEYS.items():
            rights = [word for service, right in rights.items() for word in ("--cap", service, right)]
            self.run("ceph-authtool", keyring, "--gen-key", "--name", name, *rights)
        monitors = os.path.join(self.folder, "monmap")
        self.run("monmaptool", "--create", "--fsid", self.fsid, "--addv", "a", f"[v2:127.0.0.1:{port}]", monitors)
        self.run("ceph-mon", "--mkfs", "--id", "a", "--monmap", monitors, "--keyring", keyring)
        self.start("ceph-mon", "--id", "a")

    def _start_osd(self):
        identity = str(uuid.uuid4())
        os.mkdir(os.path.join(self.folder, "osd"))
        self.run("ceph", "--connect-timeout", str(START_SECONDS), "osd", "new", identity)
        self.run("ceph-osd", "--mkfs", "--id", "0", "--osd-uuid", identity)
        self.start("ceph-osd", "--id", "0")

    def _start_gateway(self):
        self.run("radosgw-admin", "--name", "client.rgw", "user", "create", "--uid", "tester", "--display-name",
                 "Tester", "--access-key", ACCESS_KEY, "--secret", SECRET_KEY)
        self.start("radosgw", "--name", "client.rgw")
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                if self.send("GET", self.endpoint + "/").status == 200:
                    return
            except OSError:
                pass
            for program, process in self.daemons:
                if process.poll() is not None:
                    raise RuntimeError(f"{program} ended with {process.returncode}:\n{self.log()}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"radosgw does not answer after {START_SECONDS} s:\n{self.log()}")
            time.sleep(0.02)

    def run(self, program, *arguments):
        """Run a command of Ceph's to its end, which must be good."""
        try:
            done = subprocess.run([program, "--conf", self.settings, *arguments], env=self.environment,
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                                  check=False, timeout=START_SECONDS)
        except subprocess.TimeoutExpired as expired:
            raise RuntimeError(f"{program} takes more than {START_SECONDS} s:\n{self.log()}") from expired
        if done.returncode != 0:
            raise RuntimeError(f"{program} {arguments}: {done.returncode}\n{done.stdout}{done.stderr}{self.log()}")

    def start(self, program, *arguments):
        """Start a daemon that ends, at the latest, when we do."""
        with open(os.path.join(self.folder, program + ".out"), "wb") as file:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", program, "--conf", self.settings, "--foreground", *arguments],
                env=self.environment, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)
        self.daemons.append((program, process))

    def stop(self):
        """End the daemons, the last one first: {program: exit status}."""
        statuses = {}
        while self.daemons:
            program, process = self.daemons.pop()
            process.terminate()
            try:
                process.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            statuses[program] = process.returncode
        return statuses

    def log(self):
        """The ends of all that the daemons have written."""
        found = ""
        for name in sorted(os.listdir(self.folder)):
            if name.endswith((".log", ".out")):
                with open(os.path.join(self.folder, name), encoding="utf-8", errors="replace") as file:
                    found += f"--- {name}\n{file.read()[-3000:]}"
        return found

    def client(self):
        """A boto3 client of the user."""
        session = boto3.session.Session(aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY,
                                        region_name="us-east-1")
        return session.client("s3", endpoint_url=self.endpoint,
                              config=Config(signature_version="s3v4", s3={"addressing_style": "path"},
                                            request_checksum_calculation="when_required"))

    def send(self, method, url, headers=None, body=None):
        """A request for that URL, byte for byte, whatever host it names."""
        headers = {"Host": urllib.parse.urlsplit(url).netloc, **(headers or {})}
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)) as connection:
            answer = send_on(connection, method, target_of(url), headers, body)
        return GatewayAnswer(answer.status, answer.headers, answer.body)


class GatewayAnswer(Answer):
    @property
    def code(self):
        """The code of the error document; none after HEAD."""
        return xml.fromstring(self.body).findtext("Code") if self.status >= 400 and self.body else ""
