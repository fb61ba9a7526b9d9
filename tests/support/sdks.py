"""What every acceptance test of an SDK needs: calls to make, their records, a site on another origin, a server that
refuses for a while."""

import functools
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import quote

import msgspec

from services.ingest.app import App
from services.ingest.body import Receive, Scope
from services.ingest.cors import allowing
from shared.events import SECOND, Record, decode
from tests.contract.log_backends import SqliteBackend, flat
from tests.support.front import now
from tests.support.processes import eventually

WORDS = {"fa": "خرید کفش‌ورزشی ۱۲۳", "ar": "شراء حذاء ـ٤٥٦", "emoji": "😀👩🏽‍🚀", "quote": '"\\/\n\t', "nothing": None}
PROPERTIES = {"total": 49.9, "count": 3, "yes": True, "items": [{"sku": "ک-1"}, {"sku": "ي-2"}], **WORDS}
TRAITS = {"email": "ada@shop.example", "name": "آدا لاولیس", "plan": "pro"}

#: One call of each kind, in the form of Segment's Node SDK.
CALLS: list[dict[str, Any]] = [
    {"call": "identify", "userId": "u-1 آ", "anonymousId": "a-1", "traits": TRAITS},
    {"call": "track", "userId": "u-1 آ", "event": "Order Completed", "properties": PROPERTIES},
    {"call": "track", "anonymousId": "a-2", "event": "خرید 😀", "properties": WORDS},
    {"call": "page", "userId": "u-1 آ", "name": "صفحه", "properties": {"path": "/خانه"}},
    {"call": "screen", "userId": "u-1 آ", "name": "Cart", "properties": {"n": 1}},
    {"call": "group", "userId": "u-1 آ", "groupId": "g-1", "traits": {"seats": 7}},
    {"call": "alias", "userId": "u-1 آ", "previousId": "a-1"},
]


def without_nulls(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is left of calls by an SDK that writes no nulls."""
    return [
        {
            name: {key: word for key, word in part.items() if word is not None} if isinstance(part, dict) else part
            for name, part in call.items()
        }
        for call in calls
    ]


async def arrived(backend: SqliteBackend, count: int) -> list[Record]:
    """The records on the log, once there are so many."""

    async def records() -> list[Record]:
        found = [decode(value) for value in flat(await backend.contents())]
        return found if len(found) >= count else []

    return await eventually(records, within=20)


def parts(record: Record) -> dict[str, Any]:
    """What a call gave, as it arrived."""
    found: dict[str, Any] = {
        "call": record.type,
        "userId": record.user,
        "anonymousId": record.anonymous,
        "previousId": record.previous,
        "groupId": record.group,
        "event" if record.type == "track" else "name": record.name,
        "properties": msgspec.json.decode(record.properties),
        "traits": msgspec.json.decode(record.traits),
    }
    return {name: value for name, value in found.items() if value}


def context(record: Record) -> dict[str, Any]:
    """The record's context."""
    found: dict[str, Any] = msgspec.json.decode(record.context)
    return found


def check(
    records: list[Record], library: str, added: Collection[str] = (), calls: list[dict[str, Any]] | None = None
) -> None:
    """Each call has arrived once with all its fields; `added` are fields that the SDK fills in by itself."""
    calls = CALLS if calls is None else calls
    assert len(records) == len(calls)
    assert len({record.id for record in records}) == len(calls)
    found = [{name: value for name, value in parts(record).items() if name not in added} for record in records]
    wanted = [{name: value for name, value in call.items() if name not in added} for call in calls]
    order = functools.partial(json.dumps, sort_keys=True)
    assert sorted(found, key=order) == sorted(wanted, key=order)
    for record in records:
        assert abs(record.at - now()) < 60 * SECOND
        assert record.received - record.at < 60 * SECOND
        assert context(record)["library"]["name"] == library


@contextmanager
def site(page: bytes, files: Mapping[str, bytes]) -> Iterator[str]:
    """A site on an origin of its own: the scripts by their paths, and the page everywhere else.

    Gives the address of one of its pages, with a campaign in it.
    """

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body, kind = files.get(self.path, page), "text/javascript" if self.path in files else "text/html"
            self.send_response(200)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/shop/{quote('خانه')}?utm_source=x"
        server.shutdown()
        thread.join()


@dataclass
class Moody:
    """Goes around an app, and answers the next POSTs to these paths with the statuses that it is given, as the front
    door does when it can take nothing; then it lets everything through. `seen` are the statuses of all such POSTs."""

    paths: Callable[[str], bool]
    refusals: list[int] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)

    def around(self, app: App) -> App:
        """The app with this around it."""

        async def moody(scope: Scope, receive: Receive, send: Any) -> None:
            if scope["type"] != "http" or scope["method"] != "POST" or not self.paths(scope["path"]):
                await app(scope, receive, send)
                return

            async def noting(message: Any) -> None:
                if message["type"] == "http.response.start":
                    self.seen.append(message["status"])
                await send(message)

            if not self.refusals:
                await app(scope, receive, noting)
                return
            while (await receive()).get("more_body"):
                pass
            origin = dict(scope["headers"]).get(b"origin")
            headers = [*allowing(origin), (b"content-type", b"application/json"), (b"retry-after", b"1")]
            await noting({"type": "http.response.start", "status": self.refusals.pop(0), "headers": headers})
            body = b'{"success":false,"code":"unavailable","message":"Try again."}'
            await send({"type": "http.response.body", "body": body})

        return moody
