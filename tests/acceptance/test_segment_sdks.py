"""Segment's own browser SDK, unmodified, against a running server: every event arrives once, with every field."""

from collections.abc import Iterator
from typing import Any

import pytest
from selenium.webdriver import Chrome

from shared.events import Record
from tests.contract.log_backends import SqliteBackend
from tests.support.browser import console
from tests.support.front import KEY
from tests.support.node import Node
from tests.support.sdks import (
    CALLS,
    Moody,
    arrived,
    arrived_beside,
    check,
    check_page,
    check_properties,
    run_on,
    sdk_page,
)
from tests.support.server import Served


@pytest.fixture
def page(node: Node) -> Iterator[str]:
    """The address of a page on another origin that loads the browser SDK."""
    with sdk_page(node, "segment") as address:
        yield address


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
    run_on(page, browser, RUN, name, host, KEY, integration, CALLS)
    await arrived(backend, len(CALLS))
    # One more, and leaving the page: whatever the SDK still holds, an event sent twice too, has gone out with it.
    browser.execute_script("window.analytics.track('last')")
    browser.get("about:blank")
    records = await arrived_beside("last", backend, len(CALLS))
    # The browser keeps its own ids, and adds the page's address to the properties of a page.
    check(records, "analytics.js", CALLS, ("userId", "anonymousId", "properties"))
    return records


@pytest.mark.parametrize("sdk", BROWSERS)
async def test_a_browser_sdk_sends_every_event_once(
    server: Served, backend: SqliteBackend, page: str, browser: Chrome, sdk: str
) -> None:
    """analytics-next in Chromium, from a page of another origin: it finds the server by itself, and no error shows."""
    records = await browse(browser, page, sdk, server.url, backend)
    assert {record.anonymous for record in records} - {None} == {records[0].anonymous}
    check_properties(records, CALLS)
    check_page(records, page)
    assert console(browser) == []


@pytest.mark.parametrize("sdk", BROWSERS)
async def test_a_browser_sdk_tries_again(
    server: Served, moody: Moody, backend: SqliteBackend, page: str, browser: Chrome, sdk: str
) -> None:
    """What was answered 503 or 429 is sent again, and arrives once; Chromium alone complains of it."""
    moody.refuse([503, 429], "/v1/")
    await browse(browser, page, sdk, server.url, backend)
    assert moody.seen[:2] == [503, 429]
    assert [complaint["source"] for complaint in console(browser)] == ["network", "network"]
