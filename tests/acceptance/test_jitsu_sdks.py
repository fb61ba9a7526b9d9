"""Jitsu's own SDKs, unmodified, against a running server: every event arrives once, with every field."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from selenium.webdriver import Chrome

from shared.events import Record
from tests.contract.log_backends import SqliteBackend
from tests.support.browser import console
from tests.support.front import KEY
from tests.support.node import SDK, Node
from tests.support.processes import eventually
from tests.support.sdks import CALLS, Moody, arrived, check, check_page, check_properties, run_on, sdk_page
from tests.support.server import Served


def as_jitsu_has_them(calls: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """It knows neither screens nor aliases, and has a page's name among its properties. The visitor without a user id
    comes first: the SDK remembers whom it was told of."""
    for call in sorted(calls, key=lambda call: "userId" in call):
        if call["call"] == "page":
            yield call | {"properties": {"name": call["name"], **call["properties"]}}
        elif call["call"] not in ("screen", "alias"):
            yield call


OURS = list(as_jitsu_has_them(CALLS))
PACKAGES = {"1.11": "@jitsu/js", "1.9": "jitsu-js-1.9"}


@pytest.mark.parametrize("sdk", PACKAGES)
async def test_the_node_sdk_sends_every_event_once(
    server: Served, backend: SqliteBackend, node: Node, sdk: str
) -> None:
    """Each call arrives once with every field; an anonymous id that is not given is the process's own."""
    said = node.run(SDK / "jitsu_send.js", PACKAGES[sdk], server.url, KEY, json.dumps(OURS))
    assert said == ""
    records = await arrived(backend, len(OURS))
    check(records, "@jitsu/js", OURS, ("anonymousId",))
    own = {record.anonymous for record in records} - {"a-1", "a-2"}
    assert len(own) == 1
    # The older one knows no other anonymous ids.
    given = {"a-1", "a-2"} if sdk == "1.11" else own
    assert {record.anonymous for record in records if record.type == "identify" or record.user is None} == given


@pytest.mark.parametrize("sdk", PACKAGES)
async def test_the_node_sdk_does_not_try_again(
    server: Served, moody: Moody, backend: SqliteBackend, node: Node, sdk: str
) -> None:
    """What was answered 503 or 429 is lost, and the SDK says so; what follows arrives."""
    moody.refuse([503, 429], "/api/s/")
    said = node.run(SDK / "jitsu_send.js", PACKAGES[sdk], server.url, KEY, json.dumps(OURS))
    assert [line.partition(" failed with error: ")[2][:3] for line in said.splitlines()] == ["503", "429"]
    assert moody.seen == [503, 429, 200, 200, 200]
    check(await arrived(backend, len(OURS) - 2), "@jitsu/js", OURS[2:], ("anonymousId",))


@pytest.fixture
def page(node: Node) -> Iterator[str]:
    """The address of a page on another origin that loads the SDK."""
    with sdk_page(node, "jitsu") as address:
        yield address


#: Runs the calls one after the other; the SDK's signatures differ from call to call.
RUN = """
const [sdk, host, key, options, calls, done] = arguments;
const jitsu = window[sdk].jitsuAnalytics({ host, writeKey: `${key}:any`, ...options });
const make = {
  identify: (c) => jitsu.identify(c.userId, c.traits),
  track: (c) => jitsu.track(c.event, c.properties),
  page: (c) => jitsu.page(c.properties),
  group: (c) => jitsu.group(c.groupId, c.traits),
};
(async () => {
  for (const call of calls) await make[call.call](call);
  return "done";
})().then(done, (error) => done(String(error)));
"""

#: Which SDK of the page, and what it is made with.
BROWSERS: dict[str, tuple[str, dict[str, Any]]] = {
    "1.11": ("Jitsu", {}),
    "1.11 without addresses": ("Jitsu", {"privacy": {"ipPolicy": "remove"}}),
    "1.9": ("JitsuOlder", {}),
}


async def browse(browser: Chrome, page: str, sdk: str, host: str, backend: SqliteBackend, lost: int) -> list[Record]:
    """Makes the calls on the page, of which so many are lost; the records of all that the SDK sent."""
    name, options = BROWSERS[sdk]
    run_on(page, browser, RUN, name, host, KEY, options, OURS)
    browser.get("about:blank")
    records = await arrived(backend, len(OURS) - lost)
    # The browser keeps its own ids, and adds the page's address to the properties of a page.
    check(records, "@jitsu/js", OURS[lost:], ("userId", "anonymousId", "properties"))
    return records


@pytest.mark.parametrize("sdk", BROWSERS)
async def test_the_browser_sdk_sends_every_event_once(
    server: Served, backend: SqliteBackend, page: str, browser: Chrome, sdk: str
) -> None:
    """In Chromium, from a page of another origin; no error shows."""
    records = await browse(browser, page, sdk, server.url, backend, 0)
    assert len({record.anonymous for record in records}) == 1
    assert records[0].anonymous
    assert [record.user for record in records] == [call.get("userId") for call in OURS]
    check_properties(records, OURS, but=["path"])  # a page has that of its address
    check_page(records, page)
    assert console(browser) == []


@pytest.mark.parametrize("sdk", ["1.11", "1.9"])
async def test_the_browser_sdk_does_not_try_again(
    server: Served, moody: Moody, backend: SqliteBackend, page: str, browser: Chrome, sdk: str
) -> None:
    """What was answered 503 or 429 is lost, and the SDK says so beside Chromium; what follows arrives."""
    moody.refuse([503, 429], "/api/s/")
    await browse(browser, page, sdk, server.url, backend, 2)
    await eventually(lambda: len(moody.seen) > 4)
    assert moody.seen == [503, 429, 200, 200, 200]
    assert [complaint["source"] for complaint in console(browser)] == ["network", "console-api"] * 2
