"""SIGKILL amid thousands of requests for URLs that may be used once: none is served twice, by the two servers together."""
import collections
import concurrent.futures
import http.client
import json
import time
import urllib.parse

from harness import Server, target_of

BUCKET = "crash-bucket"
LINKS = 400
ROUNDS = 4


def make_links(server):
    token = server.command("token", "create", "crash", "--role", "link", "--data", server.data).stdout.strip()
    connection = server.connection()
    links = []
    for _ in range(LINKS):
        connection.request("POST", "/-/api/links", json.dumps({"bucket": BUCKET, "key": "once", "max_uses": 1}),
                           {"Authorization": "Bearer " + token})
        answer = connection.getresponse()
        content = json.loads(answer.read())
        assert answer.status == 201, content
        links.append(content)
    connection.close()
    return links


def fetch(server, host, link, served):
    """Ask once, of the server that runs now, under the name that was signed."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request("GET", target_of(link["url"]), headers={"Host": host})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status == 200 and content == b"content":
            served.append(link["id"])
        return answer.status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def test_nothing_is_served_twice(tmp_path):
    server = Server(tmp_path / "data", "--buckets", BUCKET, "--api-rate", "0")
    server.client().put_object(Bucket=BUCKET, Key="once", Body=b"content")
    links = make_links(server)
    host = urllib.parse.urlsplit(links[0]["url"]).netloc
    served = []
    for _ in range(ROUNDS):
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            waiting = [pool.submit(fetch, server, host, link, served) for link in links for _ in range(2)]
            while sum(one.done() for one in waiting) < len(waiting) // 8:
                time.sleep(0.002)
            server.process.kill()
            server.process.wait()
            concurrent.futures.wait(waiting)
        server = Server(tmp_path / "data", "--buckets", BUCKET, "--api-rate", "0")
    with server, concurrent.futures.ThreadPoolExecutor(16) as pool:
        last = list(pool.map(lambda link: fetch(server, host, link, served), links))
        assert set(last) <= {200, 403}
        assert set(pool.map(lambda link: fetch(server, host, link, served), links)) == {403}
    twice = [link for link, times in collections.Counter(served).items() if times > 1]
    assert not twice
    assert len(served) > LINKS // 2, "most were served, by one server or the other"
    assert last.count(200) > 0, "some were left for the last one"
