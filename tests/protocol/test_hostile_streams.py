"""Streams of bytes that begin as the rows of conformance.py and end as anything: cut, joined, repeated, with other
bytes in between. Whatever comes, every answer is whole and in order, the connection ends, and the server goes on.

LST_STREAMS is how many (2,000), LST_SEED which: what failed says both."""
import os
import random

import pytest
from conformance import ROWS
from test_http_conformance import Conversation, check_answer, converse, fill_in, places, read_answer, server  # noqa: F401

COUNT = int(os.environ.get("LST_STREAMS", "2000"))
SEED = int(os.environ.get("LST_SEED", "1"))
AT_A_TIME = 1000
PIECES = [b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b";", b",", b"0", b"5", b"f", b"\xff", b"HTTP/1.1", b"GET ", b"chunked",
          b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Host: h\r\n", b"0\r\n\r\n", b"\r\n\r\n", b"Expect: 100-continue\r\n",
          b"Connection: close\r\n", b"HEAD /-/health HTTP/1.1\r\nHost: h\r\n\r\n"]


def mutate(stream, chance):
    """One change."""
    at, to = sorted((chance.randrange(len(stream) + 1), chance.randrange(len(stream) + 1)))
    to = min(to, at + 200)
    kind = chance.randrange(6)
    if kind == 0:
        return stream[:at] + stream[to:]
    if kind == 1:
        return stream[:to] + stream[at:]
    if kind == 2:
        return stream[:at] + chance.choice(PIECES) + stream[at:]
    if kind == 3:
        return stream[:at] + chance.choice(PIECES) + stream[to:]
    if kind == 4:
        return stream[:at] + bytes([chance.randrange(256)]) + stream[at + 1:]
    return stream[:at] + chance.randbytes(chance.randrange(30)) + stream[at:]


def cut(stream, chance):
    """The pieces in which it is sent."""
    places = sorted(chance.randrange(len(stream) + 1) for _ in range(chance.randrange(6)))
    pieces = [stream[at:to] for at, to in zip([0, *places], [*places, len(stream)])]
    return [piece for piece in pieces if piece]


def make(number, requests):
    chance = random.Random(f"{SEED}/{number}")
    stream = b"".join(chance.choice(requests) for _ in range(chance.choice((1, 1, 2, 3))))
    for _ in range(chance.randrange(5)):
        stream = mutate(stream, chance)
    return cut(stream, chance)


def check(stream, received):
    """Answers, one behind the other. Which of them are to HEAD nobody can tell, but those have no body."""
    may_be_head = b"HEAD" in stream
    while received:
        heads = [False, True] if may_be_head else [False]
        for is_head in heads:
            try:
                answer, rest = read_answer(received, is_head)
                assert not rest or rest.startswith(b"HTTP/1.1 "), rest[:100]
                break
            except AssertionError:
                if is_head == heads[-1]:
                    raise
        check_answer(answer, False)
        assert answer.status != 500, answer
        received = rest


@pytest.mark.parametrize("begin", range(0, COUNT, AT_A_TIME))
def test_streams(server, places, begin):
    requests = [fill_in(row.request, places) for row in ROWS if len(row.request) < 2000]
    streams = [make(number, requests) for number in range(begin, begin + AT_A_TIME)]
    conversations = [Conversation(pieces, ends=True) for pieces in streams]
    converse(server.port, conversations)
    for number, each in enumerate(conversations):
        stream = b"".join(streams[number])
        try:
            assert each.ended in ("closed", "reset"), "it does not end"
            if each.ended == "closed":
                check(stream, each.received)
        except AssertionError as error:
            raise AssertionError(f"LST_SEED={SEED}, number {begin + number}: {stream!r}: {each.received!r}") from error
    assert sum(each.ended == "closed" for each in conversations) > AT_A_TIME * 0.9
    assert server.send("GET", "/-/health").status == 200
