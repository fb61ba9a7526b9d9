"""Segment's own SDKs, unmodified, against a running server: every event arrives once, with every field."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from segment.analytics.client import Client
from selenium.webdriver import Chrome

from tests.contract.log_backends import SqliteBackend
from tests.support.front import KEY
from tests.support.node import Node
from tests.support.sdks import CALLS, arrived, check, context, site
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
    with site(PAGE, {"/sdk.js": node.browser_sdk("segment").read_bytes()}) as address:
        yield address


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
    contexts = [context(record) for record in records]
    assert {found["page"]["url"] for found in contexts} == {page}
    assert {found["campaign"]["source"] for found in contexts} == {"x"}
    assert browser.get_log("browser") == []  # type: ignore[no-untyped-call]
