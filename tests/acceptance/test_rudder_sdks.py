"""RudderStack's own browser SDK, unmodified, against a running server: every event arrives once, with every field."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from selenium.webdriver import Chrome

from shared.events import Record
from tests.contract.log_backends import SqliteBackend
from tests.support.browser import console
from tests.support.front import KEY
from tests.support.node import Node
from tests.support.processes import eventually
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
    without_nulls,
)
from tests.support.server import Served


@pytest.fixture
def page(node: Node) -> Iterator[str]:
    """The address of a page on another origin that loads the browser SDK."""
    with sdk_page(node, "rudderstack") as address:
        yield address


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
    run_on(page, browser, RUN, name, host, KEY, options, ON_A_PAGE)
    # One more, and leaving the page: whatever the SDK still holds, an event sent twice too, has gone out with it.
    if "beacons" not in sdk:
        await arrived(backend, len(ON_A_PAGE))
    browser.execute_script("window.analytics.track('last')")
    if "beacons" not in sdk:
        await arrived(backend, len(ON_A_PAGE) + 1)
    browser.get("about:blank")
    records = await arrived_beside("last", backend, len(ON_A_PAGE))
    # The browser keeps its own ids, and adds the page's address to the properties of a page.
    check(records, "RudderLabs JavaScript SDK", ON_A_PAGE, ("userId", "anonymousId", "properties"))
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
    check_properties(records, ON_A_PAGE)
    check_page(records, page)
    assert console(browser) == []


@pytest.mark.parametrize("sdk", ["3.34", "3.34 batches", "3.7"])
async def test_a_browser_sdk_tries_again(
    server: Served, moody: Moody, backend: SqliteBackend, page: str, browser: Chrome, sdk: str
) -> None:
    """What was answered 503 or 429 is sent again, and arrives once; Chromium complains of it, and the older SDK."""
    moody.refuse([503, 429], "/v1/")
    await browse(browser, page, sdk, server.url, backend)
    assert moody.seen[:2] == [503, 429]
    sources = Counter(complaint["source"] for complaint in console(browser))
    assert sources["network"] == 2
    assert sdk == "3.7" or sources.total() == 2


async def test_a_beacon_is_not_sent_again(
    server: Served, moody: Moody, backend: SqliteBackend, page: str, browser: Chrome
) -> None:
    """Nobody hears what a beacon is answered: those that met a 503 are lost, the others arrive."""
    moody.refuse([503], "/beacon/")
    name, options = BROWSERS["3.34 beacons"]
    run_on(page, browser, RUN, name, server.url, KEY, options, ON_A_PAGE)
    browser.get("about:blank")
    records = await arrived(backend, len(ON_A_PAGE) - 4)
    assert [record.type for record in records] == [call["call"] for call in ON_A_PAGE[4:]]
    await eventually(lambda: len(moody.seen) > 1)
    assert moody.seen == [503, 200]
