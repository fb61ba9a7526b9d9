"""One HTTP connection, bounded where uvicorn leaves it open: heads in size and time, bodies in time, connections in
number. Nobody holds memory by sending slowly, or by not reading what is answered.

A deadline is a number that is looked at once a second, not a timer of its own for each request.
"""

import asyncio
import json
import time
from collections.abc import Iterable
from http import HTTPStatus
from math import inf
from typing import Any, NamedTuple

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

#: Seconds between two looks at the deadlines.
LOOK = 1.0
CONTINUE = b"HTTP/1.1 100"
TOO_LARGE = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "head_too_large", "The headers are too large."


class Bounds(NamedTuple):
    """Connections at once; the largest head in bytes; seconds for a head, and for a body or for reading an answer."""

    connections: int
    head_bytes: int
    head_seconds: float
    body_seconds: float


class Joined:
    """Writes the head of one answer together with its body: one system call and one packet instead of two."""

    __slots__ = ("_head", "_headed", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport, self._head, self._headed = transport, b"", False

    def write(self, data: bytes) -> None:
        """Keeps a head until its body comes, as ASGI asks for; everything else goes out."""
        if self._headed:
            self._transport.write(self._head + data)
            self._head = b""
        elif data.startswith(CONTINUE):
            self._transport.write(data)
        else:
            self._head, self._headed = data, True

    def close(self) -> None:
        """As of the transport; a head whose body failed is not sent."""
        self._transport.close()

    def is_closing(self) -> bool:
        """As of the transport."""
        return self._transport.is_closing()


class Connection(HttpToolsProtocol):
    """A connection within bounds."""

    def __init__(self, *args: Any, bounds: Bounds, **options: Any) -> None:
        super().__init__(*args, **options)
        self._bounds = bounds
        self._head = 0  # bytes that came since the last head was complete; a body's are among them, until it is
        self._in_head = True
        self._due = self._unread = inf
        self._fault = (HTTPStatus.BAD_REQUEST, "invalid_http", "This is not HTTP.")

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn's own
        super().connection_made(transport)
        self._due = time.monotonic() + self._bounds.head_seconds
        if len(self.connections) > self._bounds.connections:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "overloaded", "There are too many connections. Try again.")

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._head += len(data)
        super().data_received(data)
        if self._in_head and self._head > self._bounds.head_bytes:
            self._refuse(*TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._due = time.monotonic() + self._bounds.head_seconds

    def on_headers_complete(self) -> None:
        most = self._bounds.head_bytes
        # A body may have come with it, so that is only a first look.
        if self._head > most and len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > most:
            self._fault = TOO_LARGE
            raise ValueError("the head is too large")  # the parser passes it on to send_400_response
        self._in_head, self._head = False, 0
        self._due = time.monotonic() + self._bounds.body_seconds
        super().on_headers_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        if cycle.scope["method"] != "HEAD":  # whose answer has no body to wait for
            cycle.transport = Joined(self.transport)  # type: ignore[assignment] # all that is asked of it there
        super()._start_asgi_task(cycle, app)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._due, self._head = inf, 0

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = time.monotonic() + self._bounds.body_seconds

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unread = inf

    def send_400_response(self, msg: str) -> None:
        self._refuse(*self._fault)

    def look(self, now: float) -> None:
        """Ends what is overdue; `now` is the system's monotonic time."""
        if now > self._unread:
            self.transport.abort()
        elif now > self._due:
            if self.scope is None or (not self._in_head and self.cycle.response_started):
                self.transport.close()
            else:
                self._refuse(HTTPStatus.REQUEST_TIMEOUT, "too_slow", "The request did not come in time. Try again.")

    def _refuse(self, status: HTTPStatus, code: str, message: str) -> None:
        """Answers by itself, without an app, and hangs up."""
        body = json.dumps({"success": False, "code": code, "message": message}).encode()
        lines = [
            f"HTTP/1.1 {status} {status.phrase}",
            "content-type: application/json",
            f"content-length: {len(body)}",
            "access-control-allow-origin: *",
            "connection: close",
        ]
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            lines.append("retry-after: 2")
        self.transport.write("\r\n".join([*lines, "", ""]).encode() + body)
        self.transport.close()


async def watch(connections: Iterable[object]) -> None:
    """Looks at all connections once a second, until it is cancelled."""
    while True:
        await asyncio.sleep(LOOK)
        now = time.monotonic()
        for connection in list(connections):
            if isinstance(connection, Connection):
                connection.look(now)
