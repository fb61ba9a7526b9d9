"""PostHog's own SDKs, unmodified, against a running server: every event arrives once, with every field."""

import functools
import json
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
    PROPERTIES,
    TRAITS,
    WORDS,
    Moody,
    arrived,
    arrived_beside,
    check_common,
    check_page,
    context,
    parts,
    sdk_page,
)
from tests.support.senders import ServerSdk, node_js, python, sent
from tests.support.server import Served

EVENTS = ("/e", "/i/", "/batch", "/capture", "/engage")


def check(records: list[Record], library: str, calls: list[dict[str, Any]]) -> None:
    """Each call has arrived once with all its fields; the SDK adds properties and traits of its own."""
    check_common(records, library, calls)
    order = functools.partial(json.dumps, sort_keys=True)
    found = sorted((parts(record) for record in records), key=lambda call: order(named(call)))
    for call, wanted in zip(found, sorted(calls, key=lambda call: order(named(call))), strict=True):
        assert named(call) == named(wanted)
        for free in ("properties", "traits"):
            assert wanted.get(free, {}).items() <= call.get(free, {}).items()


def named(call: dict[str, Any]) -> dict[str, Any]:
    """What a call is without its free parts."""
    return {name: value for name, value in call.items() if name not in ("properties", "traits")}


def as_a_server(**group: str) -> list[dict[str, Any]]:
    """The calls as a server's SDK has them: of a user it names no device, and of a group perhaps no user."""
    found = [{k: v for k, v in call.items() if "userId" not in call or k != "anonymousId"} for call in CALLS]
    ids = "userId" if group else ""
    return [{k: v for k, v in call.items() if k != ids} | group if call["call"] == "group" else call for call in found]


SERVERS = {
    "python 7.91": ServerSdk(lambda: python("posthog", "plain", lock="posthog-7.91"), "posthog-python", as_a_server()),
    "python 7.91 v1": ServerSdk(lambda: python("posthog", "v1", lock="posthog-7.91"), "posthog-python", as_a_server()),
    "python 3.6 gzip": ServerSdk(
        lambda: python("posthog", "gzip", lock="posthog-3.6"),
        "posthog-python",
        as_a_server(anonymousId="$company_g-1"),
    ),
    "node 5.70": ServerSdk(lambda: node_js("posthog", "posthog-node"), "posthog-node", as_a_server()),
    "node 4.10": ServerSdk(lambda: node_js("posthog", "posthog-node-4"), "posthog-node", as_a_server()),
}


@pytest.mark.parametrize("sdk", SERVERS)
async def test_a_server_sdk_sends_every_event_once(server: Served, backend: SqliteBackend, sdk: str) -> None:
    """Each call arrives once with every field."""
    check(await sent(SERVERS[sdk], server, backend), SERVERS[sdk].library, SERVERS[sdk].calls)


@pytest.mark.parametrize("sdk", SERVERS)
async def test_a_server_sdk_tries_again(server: Served, moody: Moody, backend: SqliteBackend, sdk: str) -> None:
    """What was answered 503 or 429 is sent again, and arrives once."""
    moody.refuse([503, 429], *EVENTS)
    check(await sent(SERVERS[sdk], server, backend), SERVERS[sdk].library, SERVERS[sdk].calls)
    assert moody.seen[:2] == [503, 429]


#: A visitor looks around, says who it is, and buys. Chromium without a window looks like a bot to the SDK.
VISIT: list[dict[str, Any]] = [
    {"call": "track", "event": "خرید 😀", "properties": WORDS},
    {"call": "page", "name": "صفحه", "properties": {"path": "/خانه"}},
    {"call": "identify", "userId": "u-1 آ", "traits": TRAITS},
    {"call": "track", "userId": "u-1 آ", "event": "Order Completed", "properties": PROPERTIES},
    {"call": "screen", "userId": "u-1 آ", "name": "Cart", "properties": {"n": 1}},
    {"call": "group", "userId": "u-1 آ", "groupId": "g-1", "traits": {"seats": 7}},
    {"call": "alias", "userId": "u-2", "previousId": "u-1 آ"},
]
RUN = """
const [sdk, host, key, calls] = arguments;
const posthog = window.posthog = window[sdk];
const make = {
  track: (c) => posthog.capture(c.event, c.properties),
  page: (c) => posthog.capture("$pageview", { name: c.name, ...c.properties }),
  identify: (c) => posthog.identify(c.userId, c.traits),
  screen: (c) => posthog.capture("$screen", { $screen_name: c.name, ...c.properties }),
  group: (c) => posthog.group("company", c.groupId, c.traits),
  alias: (c) => posthog.alias(c.userId),
};
posthog.init(key, {
  api_host: host,
  capture_pageview: false,
  capture_pageleave: false,
  opt_out_useragent_filter: true,
  request_queue_config: { flush_interval_ms: 250 }, // the older one keeps its three seconds
});
for (const call of calls) make[call.call](call);
"""
BROWSERS = {"1.449": "PostHog", "1.57": "PostHogOlder"}


@pytest.fixture
def page(node: Node) -> Iterator[str]:
    """The address of a page on another origin that loads the browser SDK."""
    with sdk_page(node, "posthog") as address:
        yield address


@pytest.mark.parametrize("sdk", BROWSERS)
async def test_a_browser_sdk_sends_every_event_once(
    server: Served, moody: Moody, backend: SqliteBackend, page: str, browser: Chrome, sdk: str
) -> None:
    """posthog-js in Chromium, from a page of another origin: it is configured by the server, and no error shows; what
    was answered 503 is sent again."""
    browser.get(page)
    browser.execute_script(RUN, BROWSERS[sdk], server.url, KEY, VISIT)
    await arrived(backend, len(VISIT))
    assert console(browser) == []
    moody.refuse([503], *EVENTS)
    browser.execute_script("window.posthog.capture('late')")
    records = await arrived_beside("late", backend, len(VISIT))
    assert moody.seen.count(503) == 1
    # One more, and leaving the page: whatever the SDK still holds, an event sent twice too, has gone out with it.
    browser.execute_script("window.posthog.capture('last')")
    browser.get("about:blank")
    assert len(await arrived_beside("last", backend, len(VISIT) + 1)) == len(VISIT) + 1
    device = next(record.anonymous for record in records if record.type == "page")
    ids = {"anonymousId": device}
    known = [call | ids if call["call"] == "identify" or "userId" not in call else call for call in VISIT]
    check(records, "web", known)
    check_page(records, page)
    assert {context(record)["os"]["name"] for record in records} == {"Linux"}
    assert all("503" in complaint["message"] for complaint in console(browser) if complaint["level"] == "SEVERE")
