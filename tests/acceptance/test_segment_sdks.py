"""Segment's own SDKs, unmodified, against a running server: every event arrives once, with every field."""

import functools
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from segment.analytics.client import Client
from selenium.webdriver import Chrome

from shared.events import SECOND, Record, decode
from tests.contract.log_backends import SqliteBackend, flat
from tests.support.front import KEY, now
from tests.support.node import Node
from tests.support.processes import eventually
from tests.support.server import Served, ingest_server

WORDS = {"fa": "خرید کفش‌ورزشی ۱۲۳", "ar": "شراء حذاء ـ٤٥٦", "emoji": "😀👩🏽‍🚀", "quote": '"\\/\n\t', "nothing": None}
PROPERTIES = {"total": 49.9, "count": 3, "yes": True, "items": [{"sku": "ک-1"}, {"sku": "ي-2"}], **WORDS}
TRAITS = {"email": "ada@shop.example", "name": "آدا لاولیس", "plan": "pro"}

#: One call of each kind, in the form of the Node SDK.
CALLS: list[dict[str, Any]] = [
    {"call": "identify", "userId": "u-1 آ", "anonymousId": "a-1", "traits": TRAITS},
    {"call": "track", "userId": "u-1 آ", "event": "Order Completed", "properties": PROPERTIES},
    {"call": "track", "anonymousId": "a-2", "event": "خرید 😀", "properties": WORDS},
    {"call": "page", "userId": "u-1 آ", "name": "صفحه", "properties": {"path": "/خانه"}},
    {"call": "screen", "userId": "u-1 آ", "name": "Cart", "properties": {"n": 1}},
    {"call": "group", "userId": "u-1 آ", "groupId": "g-1", "traits": {"seats": 7}},
    {"call": "alias", "userId": "u-1 آ", "previousId": "a-1"},
]


@pytest.fixture
def backend(tmp_path: Path) -> SqliteBackend:
    """The server's log."""
    return SqliteBackend(tmp_path / "log.db")


@pytest.fixture
def server(backend: SqliteBackend) -> Iterator[Served]:
    """A running server."""
    with ingest_server(backend.address) as running:
        yield running


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


def check(records: list[Record], library: str, added: tuple[str, ...] = ()) -> None:
    """Each call has arrived once with all its fields; `added` are fields that the SDK fills in by itself."""
    assert len(records) == len(CALLS)
    assert len({record.id for record in records}) == len(CALLS)
    found = [{name: value for name, value in parts(record).items() if name not in added} for record in records]
    wanted = [{name: value for name, value in call.items() if name not in added} for call in CALLS]
    order = functools.partial(json.dumps, sort_keys=True)
    assert sorted(found, key=order) == sorted(wanted, key=order)
    for record in records:
        assert abs(record.at - now()) < 60 * SECOND
        assert record.received - record.at < 60 * SECOND
        assert msgspec.json.decode(record.context)["library"]["name"] == library


@pytest.mark.parametrize("packed", [False, True])
async def test_the_python_sdk(server: Served, backend: SqliteBackend, packed: bool) -> None:
    """analytics-python, with gzip and without."""
    errors: list[object] = []
    client = Client(KEY, host=server.url, gzip=packed, max_retries=0, on_error=lambda error, _: errors.append(error))
    names = {"userId": "user_id", "anonymousId": "anonymous_id", "previousId": "previous_id", "groupId": "group_id"}
    for call in CALLS:
        given = {names.get(name, name): value for name, value in call.items() if name != "call"}
        taken, _ = getattr(client, call["call"])(**given)
        assert taken
    client.shutdown()
    assert errors == []
    check(await arrived(backend, len(CALLS)), "analytics-python")


async def test_the_node_sdk(server: Served, backend: SqliteBackend, node: Node) -> None:
    """@segment/analytics-node, in several batches."""
    script = Path(__file__).parent / "sdk" / "send.js"
    node.run(script, server.url, KEY, json.dumps(CALLS))
    check(await arrived(backend, len(CALLS)), "@segment/analytics-node")


@pytest.fixture
def page(node: Node) -> Iterator[str]:
    """The address of a page on another origin that loads the browser SDK."""
    script = node.browser_sdk.read_bytes()

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body, kind = (script, "text/javascript") if self.path == "/sdk.js" else (PAGE, "text/html; charset=utf-8")
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as site:
        thread = Thread(target=site.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{site.server_port}/shop/{quote('خانه')}?utm_source=x"
        site.shutdown()
        thread.join()


PAGE = (
    b"<!doctype html><meta charset=utf-8><link rel=icon href='data:,'><title>Shop</title><script src=/sdk.js></script>"
)

#: Runs the calls one after the other; the SDK's signatures differ from call to call.
RUN = """
const [host, key, integration, calls, done] = arguments;
(async () => {
  const [analytics] = await Segment.AnalyticsBrowser.load(
    { writeKey: key, cdnURL: host }, { integrations: { "Segment.io": integration } });
  analytics.on("error", (error) => console.error(error));
  const make = {
    identify: (c) => analytics.identify(c.userId, c.traits),
    track: (c) => analytics.track(c.event, c.properties),
    page: (c) => analytics.page(c.name, c.properties),
    screen: (c) => analytics.screen(c.name, c.properties),
    group: (c) => analytics.group(c.groupId, c.traits),
    alias: (c) => analytics.alias(c.userId, c.previousId),
  };
  for (const call of calls) await make[call.call](call);
  window.analytics = analytics;
  return "done";
})().then(done, (error) => done(String(error)));
"""


@pytest.mark.parametrize(
    "delivery",
    [{}, {"deliveryStrategy": {"strategy": "batching", "config": {"size": 4, "timeout": 200}}}],
    ids=["one by one", "batches"],
)
async def test_the_browser_sdk(
    server: Served, backend: SqliteBackend, page: str, browser: Chrome, delivery: dict[str, Any]
) -> None:
    """analytics-next in Chromium, from a page of another origin: it finds the server by itself, and no error shows."""
    browser.get(page)
    browser.set_script_timeout(30)
    assert browser.execute_async_script(RUN, server.url, KEY, delivery, CALLS) == "done"
    await arrived(backend, len(CALLS))
    # One more, and leaving the page: whatever the SDK still holds, an event sent twice too, has gone out with it.
    browser.execute_script("window.analytics.track('last')")
    browser.get("about:blank")
    records = await arrived(backend, len(CALLS) + 1)
    assert records.pop(next(n for n, record in enumerate(records) if record.name == "last")).type == "track"
    # The browser keeps its own ids, and adds the page's address to the properties of a page.
    own = ("userId", "anonymousId", "properties")
    check(records, "analytics.js", added=own)
    assert {record.anonymous for record in records} - {None} == {records[0].anonymous}
    sent = [call["properties"] for call in CALLS if "properties" in call]
    for properties in sent:
        assert any(properties.items() <= msgspec.json.decode(record.properties).items() for record in records)
    contexts = [msgspec.json.decode(record.context) for record in records]
    assert {context["page"]["url"] for context in contexts} == {page}
    assert {context["campaign"]["source"] for context in contexts} == {"x"}
    assert browser.get_log("browser") == []  # type: ignore[no-untyped-call]
