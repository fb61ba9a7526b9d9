"""Segment's own SDKs, unmodified, against a running server: every event arrives once, with every field."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from selenium.webdriver import Chrome

from shared.events import Record
from tests.contract.log_backends import SqliteBackend
from tests.support.front import KEY
from tests.support.node import Node
from tests.support.sdks import CALLS, Moody, arrived, check, context, site, without_nulls
from tests.support.senders import Sender, go, java, node_js, python
from tests.support.server import Served, ingest_server


@pytest.fixture
def backend(tmp_path: Path) -> SqliteBackend:
    """The server's log."""
    return SqliteBackend(tmp_path / "log.db")


@pytest.fixture
def server(backend: SqliteBackend) -> Iterator[Served]:
    """A running server."""
    with ingest_server(backend.address) as running:
        yield running


class Server(NamedTuple):
    """A server SDK: how to get its program, the name that it sends of itself, and the calls that it can make."""

    sender: Callable[[], Sender]
    library: str
    calls: list[dict[str, Any]] = CALLS


SERVERS = {
    "python 2.4": Server(lambda: python("segment.analytics"), "analytics-python"),
    "python 2.4 gzip": Server(lambda: python("segment.analytics", packed=True), "analytics-python"),
    "python 2.3 gzip": Server(lambda: python("segment.analytics", lock="segment-2.3", packed=True), "analytics-python"),
    "python 1.4": Server(lambda: python("analytics", lock="segment-1.4"), "analytics-python"),
    "node 3.1": Server(lambda: node_js("@segment/analytics-node"), "@segment/analytics-node"),
    "node 1.3": Server(lambda: node_js("analytics-node-1"), "@segment/analytics-node"),
    "analytics-node 6.2": Server(lambda: node_js("analytics-node-6"), "analytics-node"),
    "go 3.3": Server(go, "analytics-go"),
    "java 3.5": Server(java, "analytics-java", without_nulls(CALLS)),
}


@pytest.mark.timeout(600)  # the first run builds the SDK
@pytest.mark.parametrize("sdk", SERVERS)
async def test_a_server_sdk_sends_every_event_once(server: Served, backend: SqliteBackend, sdk: str) -> None:
    """Each call arrives once with every field."""
    sender, library, calls = SERVERS[sdk]
    sender().send(server.url, KEY, calls)
    check(await arrived(backend, len(calls)), library, calls=calls)


@pytest.mark.parametrize("sdk", SERVERS)
async def test_a_server_sdk_tries_again(backend: SqliteBackend, sdk: str) -> None:
    """What was answered 503 or 429 is sent again, and arrives once."""
    sender, library, calls = SERVERS[sdk]
    moody = Moody(lambda path: path.startswith("/v1/"), [503, 429])
    with ingest_server(backend.address, moody.around) as server:
        sender().send(server.url, KEY, calls)
    assert moody.seen[:2] == [503, 429]
    check(await arrived(backend, len(calls)), library, calls=calls)


@pytest.fixture
def page(node: Node) -> Iterator[str]:
    """The address of a page on another origin that loads the browser SDK."""
    with site(PAGE, {"/sdk.js": node.browser_sdk("segment").read_bytes()}) as address:
        yield address


PAGE = (
    b"<!doctype html><meta charset=utf-8><link rel=icon href='data:,'><title>Shop</title><script src=/sdk.js></script>"
)

#: Runs the calls one after the other; the SDK's signatures differ from call to call.
RUN = """
const [sdk, host, key, integration, calls, done] = arguments;
(async () => {
  const [analytics] = await window[sdk].AnalyticsBrowser.load(
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


#: Which SDK of the page, and the settings of its Segment.io integration. The older one has batches on https only.
BROWSERS: dict[str, tuple[str, dict[str, Any]]] = {
    "1.84": ("Segment", {}),
    "1.84 batches": ("Segment", {"deliveryStrategy": {"strategy": "batching", "config": {"size": 4, "timeout": 200}}}),
    "1.81": ("SegmentOlder", {}),
}


async def browse(browser: Chrome, page: str, sdk: str, host: str, backend: SqliteBackend) -> list[Record]:
    """Makes the calls on the page; the records of all that the SDK sent of them."""
    name, integration = BROWSERS[sdk]
    browser.get(page)
    browser.set_script_timeout(30)
    assert browser.execute_async_script(RUN, name, host, KEY, integration, CALLS) == "done"
    await arrived(backend, len(CALLS))
    # One more, and leaving the page: whatever the SDK still holds, an event sent twice too, has gone out with it.
    browser.execute_script("window.analytics.track('last')")
    browser.get("about:blank")
    records = await arrived(backend, len(CALLS) + 1)
    assert records.pop(next(n for n, record in enumerate(records) if record.name == "last")).type == "track"
    # The browser keeps its own ids, and adds the page's address to the properties of a page.
    check(records, "analytics.js", added=("userId", "anonymousId", "properties"))
    return records


@pytest.mark.parametrize("sdk", BROWSERS)
async def test_a_browser_sdk_sends_every_event_once(
    server: Served, backend: SqliteBackend, page: str, browser: Chrome, sdk: str
) -> None:
    """analytics-next in Chromium, from a page of another origin: it finds the server by itself, and no error shows."""
    records = await browse(browser, page, sdk, server.url, backend)
    assert {record.anonymous for record in records} - {None} == {records[0].anonymous}
    sent = [call["properties"] for call in CALLS if "properties" in call]
    for properties in sent:
        assert any(properties.items() <= msgspec.json.decode(record.properties).items() for record in records)
    contexts = [context(record) for record in records]
    assert {found["page"]["url"] for found in contexts} == {page}
    assert {found["campaign"]["source"] for found in contexts} == {"x"}
    assert browser.get_log("browser") == []  # type: ignore[no-untyped-call] # selenium leaves this one bare


@pytest.mark.parametrize("sdk", BROWSERS)
async def test_a_browser_sdk_tries_again(backend: SqliteBackend, page: str, browser: Chrome, sdk: str) -> None:
    """What was answered 503 or 429 is sent again, and arrives once; Chromium alone complains of it."""
    moody = Moody(lambda path: path.startswith("/v1/"), [503, 429])
    with ingest_server(backend.address, moody.around) as server:
        await browse(browser, page, sdk, server.url, backend)
    assert moody.seen[:2] == [503, 429]
    complaints = browser.get_log("browser")  # type: ignore[no-untyped-call] # as above
    assert [complaint["source"] for complaint in complaints] == ["network", "network"]
