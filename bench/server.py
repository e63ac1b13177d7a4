"""The server against nginx, the disk, and MD5. Server on one core, load on the other, in turns.

    build/venv/bin/python bench/server.py      (or all benches: make bench)

nginx serves the same bytes from files, unsigned, with sendfile and an open-file cache. Every measure
is taken in rounds, one thing after the other, and the median of the rounds' ratios counts: whatever
else runs on the machine slows both. What is held against nginx and MD5 is the processor's time, so
that it does not count either when something else has the core.
"""
import collections
import contextlib
import hashlib
import http.client
import os
import re
import socket
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, "tests"), os.path.join(ROOT, "bench")]

import urllib3  # noqa: E402
from harness import Server, presign, target_of  # noqa: E402
from table import measuring  # noqa: E402

urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # the server's certificate is its own

BUCKET = "bench"
SERVER_CORE, LOAD_CORE = "0", "1"
PUT_LOAD = os.path.join(ROOT, "build", os.environ.get("BENCH_BUILD","release"), "bench", "put_load")
GROWTH = os.path.join(ROOT, "build", "release", "bench", "growth")
PARTS, PART_SIZE = 8, 128 << 20
SECONDS = float(os.environ.get("BENCH_SECONDS", "2"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
# size, objects, connections, what nginx's processor time for the same is to be divided by ours
GETS = [(4096, 256, 32, 0.97), (1 << 20, 16, 16, 1.0), (64 << 20, 2, 4, 1.0)]
GETS_TLS = [(4096, 256, 32, 0.95), (1 << 20, 16, 16, 0.95)]

NGINX = """
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
worker_rlimit_nofile 16384;
events {{ worker_connections 16000; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    open_file_cache max=4096;
    open_file_cache_valid 600s;
    types {{ }}
    default_type application/octet-stream;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    server {{ listen 127.0.0.1:{port}; root {folder}/files; }}
    server {{
        listen 127.0.0.1:{secure_port} ssl;
        root {folder}/files;
        ssl_certificate {folder}/cert.pem;
        ssl_certificate_key {folder}/key.pem;
        ssl_protocols TLSv1.2 TLSv1.3;
    }}
}}
"""


def size_name(size):
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@contextlib.contextmanager
def nginx(folder):
    """nginx on the server's core, over folder/files; its ports, plain and TLS, and its process."""
    port, secure_port = free_port(), free_port()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                    "/CN=localhost", "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem", "-days", "2"],
                   check=True, capture_output=True)
    with open(f"{folder}/nginx.conf", "w", encoding="utf-8") as file:
        file.write(NGINX.format(folder=folder, port=port, secure_port=secure_port))
    process = subprocess.Popen(["taskset", "-c", SERVER_CORE, "nginx", "-c", f"{folder}/nginx.conf", "-p", folder])
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            break
        time.sleep(0.02)
    try:
        yield port, secure_port, process.pid
    finally:
        process.terminate()
        process.wait()


Load = collections.namedtuple("Load", "rate speed late requests bytes")


def wrk(port, targets, connections, extra=None, scheme="http", seconds=SECONDS, failing=0):
    """Requests a second, bytes of answers a second, microseconds of the 99th percentile, requests, and bytes. Every answer must
    be a good one, but for a share of `failing`. extra: of urls.lua's variables."""
    done = subprocess.run(
        ["taskset", "-c", LOAD_CORE, "wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "30s", "-s",
         os.path.join(ROOT, "bench", "urls.lua"), f"{scheme}://127.0.0.1:{port}"],
        env={**os.environ, "TARGETS": targets, **(extra or {})}, text=True, capture_output=True, check=True)
    requests, received, microseconds, errors, late = map(int, re.search(r"RESULT" + r" (\d+)" * 5, done.stdout).groups())
    assert requests > 0 and errors <= requests * failing, done.stdout
    return Load(requests / (microseconds / 1e6), received / (microseconds / 1e6), late, requests, received)


def processor(pid):
    """Nanoseconds that a process has had the processor, all threads together."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total


def cost(pid, *arguments, **options):
    """Of a load: what wrk() says, and nanoseconds of the processor a request and a byte."""
    before = processor(pid)
    load = wrk(*arguments, **options)
    taken = processor(pid) - before
    return load, taken / load.requests, taken / load.bytes


def bench_get(table, folder, server, nginx_at, scheme="http", sizes=GETS):
    port, nginx_pid = nginx_at
    s3 = server.client(verify=False)
    for size, count, connections, target in sizes:
        names = [f"{size}-{number}" for number in range(count)]
        for name in names:
            body = os.urandom(size)
            with open(f"{folder}/files/{name}", "wb") as file:
                file.write(body)
            s3.put_object(Bucket=BUCKET, Key=name, Body=body)
        with open(f"{folder}/signed", "w", encoding="utf-8") as file:
            file.writelines(target_of(presign(s3, "get_object", BUCKET, name, 86400)) + "\n" for name in names)
        with open(f"{folder}/plain", "w", encoding="utf-8") as file:
            file.writelines(f"/{name}\n" for name in names)
        ours, theirs = [], []
        for _ in range(ROUNDS):
            ours.append(cost(server.process.pid, server.port, f"{folder}/signed", connections, scheme=scheme))
            theirs.append(cost(nginx_pid, port, f"{folder}/plain", connections, scheme=scheme))
        # By bytes for large bodies: the last ones are not whole when the time is up.
        which, scale, unit = (1, 1e3, "us each") if size < 1 << 20 else (2, 1, "ns a byte")
        each = [statistics.median(one[which] for one in rounds) / scale for rounds in (ours, theirs)]
        rates = [statistics.median(one[0].rate if size < 1 << 20 else one[0].speed / 1e6 for one in rounds)
                 for rounds in (ours, theirs)]
        table.add(f"GET {size_name(size)}, presigned{', TLS' if scheme == 'https' else ''}, against nginx",
                  statistics.median(b[which] / a[which] for a, b in zip(ours, theirs)), target,
                  f"{each[0]:,.2f} against {each[1]:,.2f} {unit}; by the clock {rates[0]:,.0f}{'/s' if size < 1 << 20 else ' MB/s'} "
                  f"against {rates[1]:,.0f}")
        for name in names:
            os.remove(f"{folder}/files/{name}")
            s3.delete_object(Bucket=BUCKET, Key=name)


def put_load(server, clients, size, targets):
    """Durable puts, and how many a second."""
    done = subprocess.run(["taskset", "-c", LOAD_CORE, PUT_LOAD, str(server.port), str(max(int(SECONDS), 1)), str(clients),
                           str(size), targets], text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    accepted, _, seconds, _ = done.stdout.split()
    return int(accepted), int(accepted) / float(seconds)


def one_after_another(folder):
    """4 KiB written and synced, one after another on the same disk: writes a second."""
    file = os.open(f"{folder}/sync", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    block, count, started = os.urandom(4096), 0, time.monotonic()
    while time.monotonic() - started < SECONDS:
        os.write(file, block)
        os.fdatasync(file)
        count += 1
    rate = count / (time.monotonic() - started)
    os.close(file)
    return rate


def write_targets(folder, server, names):
    s3 = server.client()
    with open(f"{folder}/puts", "w", encoding="utf-8") as file:
        file.writelines(target_of(presign(s3, "put_object", BUCKET, name, 86400)) + "\n" for name in names)
    return f"{folder}/puts"


def bench_small_put(table, folder, server):
    targets = write_targets(folder, server, [f"small/{number:05d}" for number in range(5000)])
    ours, disk = [], []
    for _ in range(ROUNDS):
        ours.append(put_load(server, 64, 4096, targets)[1])
        disk.append(one_after_another(folder))
    table.add("PUT 4 KiB, durable, 64 clients, against write + fdatasync",
              statistics.median(a / b for a, b in zip(ours, disk)), 5,
              f"{statistics.median(ours):,.0f}/s against {statistics.median(disk):,.0f}/s")


def md5_cost(body):
    """Nanoseconds of the processor a byte."""
    started = time.thread_time_ns()
    hashlib.md5(body).digest()
    return (time.thread_time_ns() - started) / len(body)


def md5_rate(body):
    started = time.monotonic()
    hashlib.md5(body).digest()
    return len(body) / (time.monotonic() - started)


def bench_large_put(table, folder, server):
    size = 64 << 20
    targets = write_targets(folder, server, [f"large/{number}" for number in range(400)])
    body, ours, rates, md5 = os.urandom(size), [], [], []
    for _ in range(ROUNDS):
        before = processor(server.process.pid)
        puts, rate = put_load(server, 1, size, targets)
        ours.append((processor(server.process.pid) - before) / (puts * size))
        rates.append(rate)
        md5.append(statistics.median(md5_cost(body) for _ in range(5)))
    table.add("PUT 64 MiB, durable, against MD5 alone", statistics.median(b / a for a, b in zip(ours, md5)), 0.6,
              f"{statistics.median(ours):.2f} against {statistics.median(md5):.2f} ns a byte; by the clock "
              f"{statistics.median(rates) * size / 1e6:,.0f} MB/s")


def bench_parts(table, folder, server):
    """A multipart upload, its parts at once, from create to complete."""
    s3, name = server.client(), {"Bucket": BUCKET, "Key": "parts"}
    body, ours, md5, load = os.urandom(PART_SIZE), [], [], []
    for _ in range(max(ROUNDS // 2, 2)):
        started = time.monotonic()
        upload = {**name, "UploadId": s3.create_multipart_upload(**name)["UploadId"]}
        with open(f"{folder}/parts", "w", encoding="utf-8") as file:
            file.writelines(target_of(presign(s3, "upload_part", BUCKET, "parts", PartNumber=number,
                                              UploadId=upload["UploadId"])) + "\n" for number in range(1, PARTS + 1))
        done = subprocess.run(["taskset", "-c", LOAD_CORE, PUT_LOAD, str(server.port), "0", str(PARTS), str(PART_SIZE),
                               f"{folder}/parts"], text=True, capture_output=True, check=True)
        parts = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in s3.list_parts(**upload)["Parts"]]
        s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        ours.append(PARTS * PART_SIZE / (time.monotonic() - started))
        load.append(float(done.stdout.split()[3]) / float(done.stdout.split()[2]))
        md5.append(statistics.median(md5_rate(body) for _ in range(3)))
    s3.delete_object(**name)
    table.add(f"multipart upload of 1 GiB, {PARTS} parts at once, against MD5",
              statistics.median(a / b for a, b in zip(ours, md5)), 0.7,
              f"{statistics.median(ours) / 1e6:,.0f} MB/s against {statistics.median(md5) / 1e6:,.0f} MB/s; "
              f"the load takes {statistics.median(load):.0%} of its own core")


def grown(folder, bucket, objects):
    """Fill a bucket without a server: what bench/growth says, by its first words."""
    done = subprocess.run([GROWTH, folder, bucket, str(objects)], text=True, capture_output=True, check=True)
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    return {(line[0], line[1] if line[0] == "grown" else ""): [float(number) for number in line[1:]] for line in lines}


def fetch_seconds(connection, target):
    started = time.monotonic()
    connection.request("GET", target)
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200 and body.count(b"<Key>") == 1000, body[:500]
    return time.monotonic() - started


def bench_keys(table, folder):
    """Listings out of many keys and out of few; deletions."""
    data = f"{folder}/keys"
    grown(data, "few", 1000)
    many = grown(data, "many", 1_000_000)
    of_few, of_many = (many["grown", objects][3] for objects in ("1000", "1000000"))
    anywhere = many["grown", "1000000"][2]
    table.add("LIST of the first 1,000 keys, of 1,000,000 against of 1,000", of_many / of_few, 1.5,
              f"{of_many:,.0f} us against {of_few:,.0f} us", at_most=True)
    stats = many["stat", ""][0]
    table.add("LIST of 1,000 keys anywhere, times as fast as a stat of each", stats / anywhere, 10,
              f"{anywhere:,.0f} us; stat: {stats:,.0f} us")
    together, commits, alone, _ = many["delete", ""]
    table.add("deletion of 1,000 keys at once: commits", commits, 1, at_most=True)
    table.add("deletion of 1,000 keys, times as fast as one by one", alone / together, 10,
              f"{together / 1e3:,.1f} ms against {alone / 1e3:,.0f} ms")
    with Server(data, "--access-log", "off", "--threads", "1", wrapper=["taskset", "-c", SERVER_CORE]) as server:
        s3 = server.client()
        targets = [target_of(s3.generate_presigned_url("list_objects_v2", Params={"Bucket": bucket}, ExpiresIn=3600))
                   for bucket in ("many", "few")]
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        rounds = [[fetch_seconds(connection, target) for target in targets] for _ in range(50)]
        of_many, of_few = (statistics.median(times) * 1e6 for times in zip(*rounds))
        table.add("the same listings over HTTP, against each other", of_many / of_few, 1.5,
                  f"{of_many:,.0f} us against {of_few:,.0f} us", at_most=True)


def resident(server):
    """Megabytes: now, and at most so far."""
    with open(f"/proc/{server.process.pid}/status", encoding="utf-8") as file:
        text = file.read()
    return [int(re.search(name + r":\s+(\d+) kB", text).group(1)) / 1024 for name in ("VmRSS", "VmHWM")]


def bench_memory(table, folder):
    server = Server(f"{folder}/memory", "--buckets", BUCKET, "--access-log", "off")
    target = target_of(presign(server.client(), "put_object", BUCKET, "held"))
    time.sleep(0.5)
    table.add("memory, idle (MB)", resident(server)[0], 8, "resident", at_most=True)
    head = f"PUT {target} HTTP/1.1\r\nHost: {server.host}\r\nContent-Length: 1000000\r\n\r\n".encode()
    sockets = []
    for _ in range(1000):
        sock = socket.create_connection(("127.0.0.1", server.port))
        sock.sendall(head + bytes(100_000))
        sockets.append(sock)
    for _ in range(4):
        for sock in sockets:
            sock.sendall(bytes(50_000))
    time.sleep(1)
    table.add("memory, 1,000 connections uploading (MB)", resident(server)[1], 64, "resident, at most", at_most=True)
    for sock in sockets:
        sock.close()
    server.stop()


def main():
    with measuring("the server", "files") as (table, folder):
        with nginx(folder) as (port, secure_port, nginx_pid):
            with Server(f"{folder}/secure", "--buckets", BUCKET, "--access-log", "off", "--threads", "1", "--tls-cert",
                        f"{folder}/cert.pem", "--tls-key", f"{folder}/key.pem",
                        wrapper=["taskset", "-c", SERVER_CORE]) as server:
                bench_get(table, folder, server, (secure_port, nginx_pid), "https", GETS_TLS)
            server = Server(f"{folder}/data", "--buckets", BUCKET, "--access-log", "off", "--threads", "1",
                            wrapper=["taskset", "-c", SERVER_CORE])
            with server:
                bench_get(table, folder, server, (port, nginx_pid))
                bench_small_put(table, folder, server)
                bench_large_put(table, folder, server)
                bench_parts(table, folder, server)
        bench_memory(table, folder)
        bench_keys(table, folder)
    return table.status()


if __name__ == "__main__":
    sys.exit(main())
