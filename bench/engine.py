"""The HTTP engine: small requests beside large ones, idle connections, and how a request's cost grows with connections.

    build/venv/bin/python bench/engine.py      (or all benches: make bench)

Draws docs/engine.svg. The server has one core and the load the other; where it has two workers they share both cores with
the load. What a request costs is the processor's time of the whole server process, so other programs hardly count; what is
late (the 99th percentile) can only be read from the clock, and on a busy machine says little.
"""
import contextlib
import multiprocessing
import os
import resource
import socket
import ssl
import statistics
import subprocess
import sys
import time

from chart import WIDTH, Chart, write
from server import (BUCKET, LOAD_CORE, PUT_LOAD, ROOT, ROUNDS, SECONDS, SERVER_CORE, Server, cost, nginx, presign, resident,
                    target_of, write_targets)
from table import measuring

PICTURE = os.path.join(ROOT, "docs", "engine.svg")
SIZE, NAMES = 4096, 64
COLD_SIZE, COLD_NAMES = 16 << 20, 8
CONNECTIONS = (1, 10, 100, 1_000, 10_000)
IDLE = ((10_000, False, 20), (2_500, True, 62.5))  # connections, TLS, MB that they may take
COLOURS = ("#0072b2", "#d55e00", "#888888")


def put_objects(server, prefix, count, size):
    """Presigned targets to read them by, and those of nginx."""
    s3 = server.client(verify=False)
    body = os.urandom(size)
    for number in range(count):
        s3.put_object(Bucket=BUCKET, Key=f"{prefix}-{number}", Body=body)
    return [target_of(presign(s3, "get_object", BUCKET, f"{prefix}-{number}", 86400)) for number in range(count)]


def write_lines(path, lines):
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)
    return path


# ---- Small requests beside large ones

@contextlib.contextmanager
def uploads(server, targets):
    """Eight clients that put 64 MiB again and again; for the load's core the last in the row."""
    command = ["nice", "-n", "19", "taskset", "-c", LOAD_CORE, PUT_LOAD, str(server.port), "3600", "8", str(64 << 20), targets]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    time.sleep(0.5)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def forget(folder):
    """Have the kernel drop what it remembers of the files."""
    for where, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                file = os.open(os.path.join(where, name), os.O_RDONLY)
                os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(file)


def read_cold(port, folder, targets):
    os.nice(19)
    os.sched_setaffinity(0, {int(LOAD_CORE)})
    os.sync()
    while True:
        for target in targets:
            forget(folder)
            with socket.create_connection(("127.0.0.1", port)) as sock:
                sock.sendall(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
                while sock.recv(1 << 18):
                    pass


@contextlib.contextmanager
def cold_reads(server, targets):
    """A client that reads files of 16 MiB, none of them in memory."""
    process = multiprocessing.get_context("fork").Process(target=read_cold, args=(server.port, f"{server.data}/blobs", targets))
    process.start()
    time.sleep(0.5)
    try:
        yield
    finally:
        process.kill()
        process.join()


def late(server, targets):
    """Microseconds of the 99th percentile of small requests, one each millisecond: few enough that none waits for another."""
    took, deadline = [], time.monotonic() + SECONDS
    with socket.create_connection(("127.0.0.1", server.port)) as sock:
        while time.monotonic() < deadline:
            request = f"GET {targets[len(took) % len(targets)]} HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode()
            begun, received = time.monotonic_ns(), b""
            sock.sendall(request)
            while len(received) < SIZE or len(received) < received.index(b"\r\n\r\n") + 4 + SIZE:
                received += sock.recv(65536)
            took.append(time.monotonic_ns() - begun)
            assert received.startswith(b"HTTP/1.1 200"), received[:200]
            time.sleep(0.001)
    return sorted(took)[len(took) * 99 // 100] / 1e3


def bench_beside(table, folder, server, small):
    large = write_targets(folder, server, [f"beside/{number}" for number in range(16)])
    cold = put_objects(server, "cold", COLD_NAMES, COLD_SIZE)
    alone, beside = [], {"uploads": [], "cold": []}
    for _ in range(ROUNDS):
        alone.append(late(server, small))
        with uploads(server, large):
            beside["uploads"].append(late(server, small))
        with cold_reads(server, cold):
            beside["cold"].append(late(server, small))
    for name, what in (("uploads", "eight uploads of 64 MiB"), ("cold", "reads of files not in memory")):
        table.add(f"p99 of GET 4 KiB beside {what}, against alone",
                  statistics.median(a / b for a, b in zip(beside[name], alone)), 2,
                  f"{statistics.median(beside[name]):,.0f} against {statistics.median(alone):,.0f} us; by the clock", at_most=True)


# ---- Idle connections

def bench_idle(table, folder, certificate):
    for count, is_secure, target in IDLE:
        server = Server(f"{folder}/idle-{count}", "--buckets", BUCKET, "--access-log", "off", "--threads", "1", "--idle-timeout",
                        "3600", "--connections", "20000", *(certificate if is_secure else ()),
                        wrapper=["taskset", "-c", SERVER_CORE])
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        before, sockets = resident(server)[0], []
        for _ in range(count):
            sock = socket.create_connection(("127.0.0.1", server.port))
            sock = context.wrap_socket(sock) if is_secure else sock
            sock.sendall(b"GET /-/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert sock.recv(4096).startswith(b"HTTP/1.1 200")
            sockets.append(sock)
        more = resident(server)[0] - before
        table.add(f"memory of {count:,} idle connections{' with TLS' if is_secure else ''} (MB)", more, target,
                  f"{more * 1024 / count:.1f} KiB each, each has asked once", at_most=True)
        for sock in sockets:
            sock.close()
        server.stop()


# ---- How it grows

def bench_growth(folder, signed, plain, servers, nginx_at):
    """Rows: connections; microseconds of the processor a request, of each server; requests a second, of each."""
    rows = []
    print("\na GET of 4 KiB, by connections: us of the processor, and requests a second"
          "\n  connections     1 worker           2 workers          nginx, 1 worker", flush=True)
    for connections in CONNECTIONS:
        took, rates = [], []
        seconds = SECONDS if connections < 10_000 else max(SECONDS, 10)  # they have to connect first
        for port, pid, targets in [*((server.port, server.process.pid, signed[server.port]) for server in servers),
                                   (*nginx_at, plain)]:
            rounds = [cost(pid, port, targets, connections, seconds=seconds, failing=0.01) for _ in range(max(ROUNDS // 2, 2))]
            took.append(statistics.median(one[1] for one in rounds) / 1e3)
            rates.append(statistics.median(one[0].rate for one in rounds))
        rows.append([connections, *took, *rates])
        print(f"  {connections:11,}" + "".join(f"  {each:7.1f} {rate:9,.0f}" for each, rate in zip(took, rates)), flush=True)
    names = ("1 worker", "2 workers", "nginx, 1 worker")
    write(PICTURE, [Chart(0, "Processor time of a GET of 4 KiB, microseconds", "connections", rows,
                          [(name, 1 + at, 1, COLOURS[at]) for at, name in enumerate(names)]),
                    Chart(WIDTH, "Requests a second, all on two cores", "connections", rows,
                          [(name, 4 + at, 1, COLOURS[at]) for at, name in enumerate(names)])])


def run(table, folder):
    options = ("--buckets", BUCKET, "--access-log", "off", "--connections", "20000", "--idle-timeout", "60")
    with nginx(folder) as (port, _, nginx_pid), \
            Server(f"{folder}/one", *options, "--threads", "1", wrapper=["taskset", "-c", SERVER_CORE]) as one, \
            Server(f"{folder}/two", *options, "--threads", "2", wrapper=["taskset", "-c", f"{SERVER_CORE},{LOAD_CORE}"]) as two:
        targets = {server.port: put_objects(server, "small", NAMES, SIZE) for server in (one, two)}
        signed = {port: write_lines(f"{folder}/signed-{port}", lines) for port, lines in targets.items()}
        for number in range(NAMES):
            with open(f"{folder}/files/small-{number}", "wb") as file:
                file.write(os.urandom(SIZE))
        plain = write_lines(f"{folder}/plain", [f"/small-{number}" for number in range(NAMES)])
        bench_beside(table, folder, one, targets[one.port])
        bench_idle(table, folder, ("--tls-cert", f"{folder}/cert.pem", "--tls-key", f"{folder}/key.pem"))
        bench_growth(folder, signed, plain, (one, two), (port, nginx_pid))


def main():
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    os.sched_setaffinity(0, {int(LOAD_CORE)})
    with measuring("the engine", "files") as (table, folder):
        run(table, folder)
    return table.status()


if __name__ == "__main__":
    sys.exit(main())
