"""The upload API: uploads created, against /-/health; a GET with four constraints, against one without.

    build/venv/bin/python bench/api.py      (or all benches: make bench)

The server has one core, the load the other; in turns, round by round.
"""
import http.client
import json
import os
import statistics
import sys

from server import BUCKET, ROOT, ROUNDS, SERVER_CORE, Server, presign, target_of, wrk
from table import measuring

CONNECTIONS = 32
LINKS = 256
SIZE = 4096


def ask(server, token, path, body):
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("POST", path, json.dumps(body), {"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    content = json.loads(answer.read())
    connection.close()
    assert answer.status == 201, content
    return content


def write_lines(path, lines):
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)
    return path


def in_turns(server, one, other, one_extra=None, other_extra=None):
    """The rates of both, and their ratio: medians."""
    rates = [(wrk(server.port, one, CONNECTIONS, one_extra)[0], wrk(server.port, other, CONNECTIONS, other_extra)[0])
             for _ in range(ROUNDS)]
    return (statistics.median(rate[0] for rate in rates), statistics.median(rate[1] for rate in rates),
            statistics.median(rate[0] / rate[1] for rate in rates))


def bench_uploads(table, folder, server, token):
    wish = {"profile": "avatars", "filename": "me.jpg", "type": "image/jpeg", "size": 48213, "vars": {"user": "42"}}
    health = write_lines(f"{folder}/health", ["/-/health"])
    uploads = write_lines(f"{folder}/uploads", ["/-/api/uploads"])
    created, answered, ratio = in_turns(server, uploads, health,
                                        {"METHOD": "POST", "BODY": json.dumps(wish), "TOKEN": token})
    table.add("uploads created, against GET /-/health", ratio, 0.5, f"{created:,.0f}/s against {answered:,.0f}/s")


def bench_constraints(table, folder, server, token):
    s3 = server.client()
    limits = {"ip": "127.0.0.0/8", "not_before": "2020-01-01T00:00:00Z", "head": True, "expires": 86400}
    names = [f"limited-{number}" for number in range(LINKS)]
    for name in names:
        s3.put_object(Bucket=BUCKET, Key=name, Body=os.urandom(SIZE))
    limited = write_lines(f"{folder}/limited", (
        target_of(ask(server, token, "/-/api/links", {"bucket": BUCKET, "key": name, **limits})["url"]) for name in names))
    plain = write_lines(f"{folder}/plain", (target_of(presign(s3, "get_object", BUCKET, name, 86400)) for name in names))
    without, with_limits, cost = in_turns(server, plain, limited)
    table.add("GET 4 KiB with four constraints, cost against none", cost, 1.15,
              f"{with_limits:,.0f}/s against {without:,.0f}/s", at_most=True)


def main():
    with measuring("the upload API", "profiles") as (table, folder):
        with open(f"{folder}/profiles/avatars.json", "w", encoding="utf-8") as file:
            json.dump({"bucket": BUCKET, "key": "avatars/{user}/{uuid}.{ext}", "types": ["image/*"],
                       "max_size": 5_000_000, "check_content": True}, file)
        server = Server(f"{folder}/data", "--buckets", BUCKET, "--access-log", "off", "--threads", "1", "--api-rate", "0",
                        "--profiles", f"{folder}/profiles", wrapper=["taskset", "-c", SERVER_CORE])
        with server:
            token = server.command("token", "create", "bench", "--role", "backend", "--data", server.data).stdout.strip()
            bench_uploads(table, folder, server, token)
            bench_constraints(table, folder, server, token)
    return table.status()


if __name__ == "__main__":
    sys.exit(main())
