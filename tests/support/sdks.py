"""What every acceptance test of an SDK needs: calls to make, their records, a page on another origin, a server that
refuses for a while."""

import functools
import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import quote

import msgspec
from selenium.webdriver import Chrome

from services.ingest.app import App
from services.ingest.body import Receive, Scope
from services.ingest.cors import allowing
from shared.events import SECOND, Record, decode
from tests.contract.log_backends import SqliteBackend, flat
from tests.support.front import KEY, now
from tests.support.node import Node
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

PAGE = "<!doctype html><meta charset=utf-8><link rel=icon href='data:,'><title>Shop</title>"


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


async def arrived_beside(name: str, backend: SqliteBackend, count: int) -> list[Record]:
    """So many records, once there is one more: a track of this name."""
    records = await arrived(backend, count + 1)
    (extra,) = (record for record in records if record.name == name)
    assert extra.type == "track"
    records.remove(extra)
    return records


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


def check(records: list[Record], library: str, calls: list[dict[str, Any]], added: Collection[str] = ()) -> None:
    """Each call has arrived once with all its fields; `added` are fields that the SDK fills in by itself."""
    check_common(records, library, calls)
    found = [{name: value for name, value in parts(record).items() if name not in added} for record in records]
    wanted = [{name: value for name, value in call.items() if name not in added} for call in calls]
    order = functools.partial(json.dumps, sort_keys=True)
    assert sorted(found, key=order) == sorted(wanted, key=order)


def check_common(records: list[Record], library: str, calls: list[dict[str, Any]]) -> None:
    """There is a record for each call, made just now by this library, and none has the write key in it."""
    assert len({record.id for record in records}) == len(records) == len(calls)
    for record in records:
        assert abs(record.at - now()) < 60 * SECOND
        assert record.received - record.at < 60 * SECOND
        assert context(record)["library"]["name"] == library
        assert KEY not in str(record)


def check_page(records: list[Record], page: str) -> None:
    """Each tells the address of the page that it is from, and the campaign there."""
    contexts = [context(record) for record in records]
    assert {found["page"]["url"] for found in contexts} == {page}
    assert {found["campaign"]["source"] for found in contexts} == {"x"}


def check_properties(records: list[Record], calls: list[dict[str, Any]], but: Collection[str] = ()) -> None:
    """The properties of each call are in a record, but for those that the SDK has a value of its own for."""
    for given in [call["properties"] for call in calls if "properties" in call]:
        sent = {name: value for name, value in given.items() if name not in but}
        assert any(sent.items() <= msgspec.json.decode(record.properties).items() for record in records)


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
        try:
            yield f"http://127.0.0.1:{server.server_port}/shop/{quote('خانه')}?utm_source=x"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def sdk_page(node: Node, protocol: str) -> Iterator[str]:
    """The address of a page that loads a protocol's browser SDKs."""
    with site(
        f"{PAGE}<script src=/sdk.js></script>".encode(), {"/sdk.js": node.browser_sdk(protocol).read_bytes()}
    ) as page:
        yield page


def run_on(page: str, browser: Chrome, script: str, *arguments: object) -> None:
    """Opens the page and runs a script there, until it calls its last argument with "done"."""
    browser.get(page)
    browser.set_script_timeout(30)
    assert browser.execute_async_script(script, *arguments) == "done"


@dataclass
class Moody:
    """Goes around an app, and lets everything through but what it was told to refuse.

    `seen` are the statuses of all POSTs to the paths that begin with one of `paths`.
    """

    paths: tuple[str, ...] = ()
    refusals: list[int] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)

    def refuse(self, statuses: list[int], *paths: str) -> None:
        """Answers the next POSTs to paths that begin so with these statuses, as the front door does when it can take
        nothing."""
        self.paths = paths
        self.refusals += statuses

    def around(self, app: App) -> App:
        """The app with this around it."""

        async def moody(scope: Scope, receive: Receive, send: Any) -> None:
            if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].startswith(self.paths):
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
