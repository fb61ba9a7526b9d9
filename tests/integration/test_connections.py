"""Connections to a served process: slow ones, large ones, too many of them, and ones that nobody reads from."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.front import KEY
from tests.support.server import ingest_server

PAGE = {"anonymousId": "a"}
HEAD = b"POST /v1/page HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A server with little patience."""
    address = f"sqlite:{tmp_path / 'log.db'}"
    seconds = {"head_seconds": 1, "body_seconds": 1.5, "keep_alive": 1}
    bounds: dict[str, Any] = seconds | {"connections": 8, "head_bytes": 4096}
    with ingest_server(address, **bounds) as server:
        yield int(server.url.rpartition(":")[2])


def connect(port: int) -> socket.socket:
    """A connection that waits for ten seconds for what it reads."""
    return socket.create_connection(("127.0.0.1", port), 10)


def answered(connection: socket.socket) -> tuple[int, dict[str, object]]:
    """The status and JSON that come before the connection is closed."""
    got = b""
    while piece := connection.recv(65_536):
        got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def taken(port: int) -> None:
    """An event is taken."""
    answer = httpx.post(f"http://127.0.0.1:{port}/v1/page", json=PAGE, auth=(KEY, ""))
    assert answer.status_code == 200


def test_a_head_that_does_not_come_is_not_waited_for(port: int) -> None:
    """408 however it trickles, after an answer on the same connection, too; one that says nothing is hung up on."""
    with connect(port) as silent, connect(port) as slow, connect(port) as second:
        slow.sendall(HEAD)
        second.sendall(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
        assert second.recv(65_536).startswith(b"HTTP/1.1 404")
        second.sendall(HEAD)
        began = time.monotonic()
        for _ in range(4):
            slow.sendall(b"X-More: 1\r\n")
            time.sleep(0.1)
        assert answered(slow)[0] == answered(second)[0] == 408
        assert silent.recv(1) == b""
        assert time.monotonic() - began < 5
    taken(port)


def test_a_body_that_does_not_come_is_not_waited_for(port: int) -> None:
    """408, whether it is announced by its length or comes in chunks."""
    with connect(port) as sized, connect(port) as chunked:
        sized.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
        chunked.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n")
        for connection in (sized, chunked):
            status, body = answered(connection)
            assert (status, body["code"], body["success"]) == (408, "too_slow", False)
    taken(port)


@pytest.mark.parametrize("head", [HEAD + b"X: " + b"x" * 100_000, HEAD + b"X: 1\r\n" * 20_000, b"GET /" + b"x" * 9999])
@pytest.mark.parametrize("ended", [b"", b"\r\n\r\n"])
def test_a_head_that_is_too_large_is_431(port: int, head: bytes, ended: bytes) -> None:
    """Whether it ends or not."""
    with connect(port) as connection:
        connection.sendall(head[:3000])
        connection.sendall(head[3000:] + (b" HTTP/1.1" if head.startswith(b"GET") and ended else b"") + ended)
        assert answered(connection)[0] == 431
    taken(port)


def test_a_large_body_does_not_count_as_head(port: int) -> None:
    """Though it comes with the head in one piece."""
    body = json.dumps(PAGE | {"writeKey": KEY, "properties": {"x": "x" * 20_000}}).encode()
    with connect(port) as connection:
        connection.sendall(HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        assert answered(connection)[0] == 200


def test_what_is_not_http_is_told_in_json(port: int) -> None:
    """400 with a code, like everything else."""
    with connect(port) as connection:
        connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        status, body = answered(connection)
        assert (status, body["code"]) == (400, "invalid_http")


def test_too_many_connections_are_answered_and_closed(port: int) -> None:
    """503 with Retry-After at once; when one of the others ends there is room again."""
    with ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(connect(port))
        with connect(port) as more:
            status, body = answered(more)
            assert (status, body["code"]) == (503, "overloaded")
    deadline = time.monotonic() + 5
    while True:
        try:
            return taken(port)
        except (AssertionError, httpx.HTTPError):
            assert time.monotonic() < deadline


def test_a_body_beyond_the_limit_is_not_read_to_its_end(port: int) -> None:
    """The answer comes before the sender has sent it all."""
    with connect(port) as connection:
        connection.sendall(HEAD + b"Content-Length: 900000000\r\n\r\n")
        connection.sendall(b"x" * 600_000)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413")
    taken(port)
