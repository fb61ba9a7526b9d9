"""RudderStack's own SDKs, unmodified, against a running server: every event arrives once, with every field."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from selenium.webdriver import Chrome

from shared.events import Record
from tests.contract.log_backends import SqliteBackend
from tests.support.front import KEY
from tests.support.node import SDK, Node
from tests.support.sdks import CALLS, Moody, arrived, check, context, site, without_nulls
from tests.support.senders import Sender, older_python
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
    """A server SDK: how to get its program, and the name that it sends of itself."""

    sender: Callable[[Node], Sender]
    library: str


def python(package: str, lock: str) -> Sender:
    """A version of the Python SDK."""
    return Sender([sys.executable, SDK / "python/rudder_send.py", package], {"PYTHONPATH": str(older_python(lock))})


def node_js(node: Node, package: str) -> Sender:
    """A version of the Node SDK."""
    return Sender(node.command(SDK / "rudder_send.js", package), node.environment)


SERVERS = {
    "python 2.1": Server(lambda _: python("rudderstack.analytics", "rudder-2.1"), "analytics-python"),
    "python 1.0": Server(lambda _: python("rudder_analytics", "rudder-1.0"), "rudder-analytics-python"),
    "node 3.0": Server(lambda node: node_js(node, "@rudderstack/rudder-sdk-node"), "analytics-node"),
    "node 2.1": Server(lambda node: node_js(node, "rudder-node-2"), "analytics-node"),
}


@pytest.mark.parametrize("sdk", SERVERS)
async def test_a_server_sdk_sends_every_event_once(
    server: Served, backend: SqliteBackend, node: Node, sdk: str
) -> None:
    """Each call arrives once with every field."""
    sender, library = SERVERS[sdk]
    sender(node).send(server.url, KEY, CALLS)
    check(await arrived(backend, len(CALLS)), library)


@pytest.mark.parametrize("sdk", SERVERS)
async def test_a_server_sdk_tries_again(backend: SqliteBackend, node: Node, sdk: str) -> None:
    """What was answered 503 or 429 is sent again, and arrives once."""
    sender, library = SERVERS[sdk]
    moody = Moody(lambda path: path.startswith("/v1/"), [503, 429])
    with ingest_server(backend.address, moody.around) as server:
        sender(node).send(server.url, KEY, CALLS)
    assert moody.seen[:2] == [503, 429]
    check(await arrived(backend, len(CALLS)), library)


@pytest.fixture
def page(node: Node) -> Iterator[str]:
    """The address of a page on another origin that loads the browser SDK."""
    with site(PAGE, {"/sdk.js": node.browser_sdk("rudderstack").read_bytes()}) as address:
        yield address


PAGE = (
    b"<!doctype html><meta charset=utf-8><link rel=icon href='data:,'><title>Shop</title><script src=/sdk.js></script>"
)

#: Runs the calls one after the other once the SDK is ready; its signatures differ from call to call.
RUN = """
const [sdk, host, key, options, calls, done] = arguments;
const analytics = new window[sdk].RudderAnalytics();
const make = {
  identify: (c) => analytics.identify(c.userId, c.traits),
  track: (c) => analytics.track(c.event, c.properties),
  page: (c) => analytics.page(c.name, c.properties),
  group: (c) => analytics.group(c.groupId, c.traits),
  alias: (c) => analytics.alias(c.userId, c.previousId),
};
window.analytics = analytics;
analytics.ready(() => {
  for (const call of calls) make[call.call](call);
  done("done");
});
analytics.load(key, host, { configUrl: host, ...options });
"""

#: It knows no screens, and writes no nulls.
ON_A_PAGE = [call for call in without_nulls(CALLS) if call["call"] != "screen"]

#: Which SDK of the page, and what it is loaded with.
BROWSERS: dict[str, tuple[str, dict[str, Any]]] = {
    "3.34": ("Rudder", {}),
    "3.34 batches": ("Rudder", {"queueOptions": {"batch": {"enabled": True, "maxItems": 4, "flushInterval": 500}}}),
    "3.34 beacons": ("Rudder", {"useBeacon": True, "beaconQueueOptions": {"maxItems": 4, "flushQueueInterval": 500}}),
    "3.7": ("RudderOlder", {}),
}


async def browse(browser: Chrome, page: str, sdk: str, host: str, backend: SqliteBackend) -> list[Record]:
    """Makes the calls on the page; the records of all that the SDK sent of them."""
    name, options = BROWSERS[sdk]
    browser.get(page)
    browser.set_script_timeout(30)
    assert browser.execute_async_script(RUN, name, host, KEY, options, ON_A_PAGE) == "done"
    # One more, and leaving the page: whatever the SDK still holds, an event sent twice too, has gone out with it.
    if "beacons" not in sdk:
        await arrived(backend, len(ON_A_PAGE))
    browser.execute_script("window.analytics.track('last')")
    if "beacons" not in sdk:
        await arrived(backend, len(ON_A_PAGE) + 1)
    browser.get("about:blank")
    records = await arrived(backend, len(ON_A_PAGE) + 1)
    assert records.pop(next(n for n, record in enumerate(records) if record.name == "last")).type == "track"
    # The browser keeps its own ids, and adds the page's address to the properties of a page.
    check(records, "RudderLabs JavaScript SDK", ("userId", "anonymousId", "properties"), ON_A_PAGE)
    return records


@pytest.mark.parametrize("sdk", BROWSERS)
async def test_a_browser_sdk_sends_every_event_once(
    server: Served, backend: SqliteBackend, page: str, browser: Chrome, sdk: str
) -> None:
    """In Chromium, from a page of another origin: it is content with its configuration, and no error shows."""
    records = await browse(browser, page, sdk, server.url, backend)
    assert {record.anonymous for record in records} == {records[0].anonymous}
    assert records[0].anonymous
    assert {record.user for record in records} <= {None, "u-1 آ"}
    for properties in [call["properties"] for call in ON_A_PAGE if "properties" in call]:
        assert any(properties.items() <= msgspec.json.decode(record.properties).items() for record in records)
    contexts = [context(record) for record in records]
    assert {found["page"]["url"] for found in contexts} == {page}
    assert {found["campaign"]["source"] for found in contexts} == {"x"}
    assert browser.get_log("browser") == []  # type: ignore[no-untyped-call] # selenium leaves this one bare


@pytest.mark.parametrize("sdk", ["3.34", "3.34 batches", "3.7"])
async def test_a_browser_sdk_tries_again(backend: SqliteBackend, page: str, browser: Chrome, sdk: str) -> None:
    """What was answered 503 or 429 is sent again, and arrives once; Chromium complains of it, and the older SDK."""
    moody = Moody(lambda path: path.startswith("/v1/"), [503, 429])
    with ingest_server(backend.address, moody.around) as server:
        await browse(browser, page, sdk, server.url, backend)
    assert moody.seen[:2] == [503, 429]
    complaints = browser.get_log("browser")  # type: ignore[no-untyped-call] # as above
    sources = Counter(complaint["source"] for complaint in complaints)
    assert sources["network"] == 2
    assert sdk == "3.7" or sources.total() == 2


async def test_a_beacon_is_not_sent_again(backend: SqliteBackend, page: str, browser: Chrome) -> None:
    """Nobody hears what a beacon is answered: those that met a 503 are lost, the others arrive."""
    moody = Moody(lambda path: path.startswith("/beacon/"), [503])
    with ingest_server(backend.address, moody.around) as server:
        browser.get(page)
        name, options = BROWSERS["3.34 beacons"]
        browser.set_script_timeout(30)
        assert browser.execute_async_script(RUN, name, server.url, KEY, options, ON_A_PAGE) == "done"
        browser.get("about:blank")
        records = await arrived(backend, len(ON_A_PAGE) - 4)
    assert moody.seen == [503, 200]
    assert [record.type for record in records] == [call["call"] for call in ON_A_PAGE[4:]]
