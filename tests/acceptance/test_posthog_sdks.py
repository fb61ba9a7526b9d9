"""PostHog's own SDKs, unmodified, against a running server: every event arrives once, with every field."""

import functools
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from selenium.webdriver import Chrome

from shared.events import SECOND, Record
from tests.contract.log_backends import SqliteBackend
from tests.support.front import KEY, now
from tests.support.node import SDK, Node
from tests.support.sdks import CALLS, PROPERTIES, TRAITS, WORDS, Moody, arrived, context, parts, site
from tests.support.senders import Sender, older_python
from tests.support.server import Served, ingest_server

EVENTS = ("/e", "/i/", "/batch", "/capture", "/engage")


@pytest.fixture
def backend(tmp_path: Path) -> SqliteBackend:
    """The server's log."""
    return SqliteBackend(tmp_path / "log.db")


@pytest.fixture
def server(backend: SqliteBackend) -> Iterator[Served]:
    """A running server."""
    with ingest_server(backend.address) as running:
        yield running


def check(records: list[Record], calls: list[dict[str, Any]], library: str) -> None:
    """Each call has arrived once with all its fields; the SDK adds properties and traits of its own."""
    assert len({record.id for record in records}) == len(records) == len(calls)
    order = functools.partial(json.dumps, sort_keys=True)
    found = sorted((parts(record) for record in records), key=lambda call: order(named(call)))
    for call, wanted in zip(found, sorted(calls, key=lambda call: order(named(call))), strict=True):
        assert named(call) == named(wanted)
        for free in ("properties", "traits"):
            assert wanted.get(free, {}).items() <= call.get(free, {}).items()
    for record in records:
        assert abs(record.at - now()) < 60 * SECOND
        assert record.received - record.at < 60 * SECOND
        assert context(record)["library"]["name"] == library
        assert KEY not in str(record)


def named(call: dict[str, Any]) -> dict[str, Any]:
    """What a call is without its free parts."""
    return {name: value for name, value in call.items() if name not in ("properties", "traits")}


class Server(NamedTuple):
    """A server SDK: how to get its program, the name that it sends of itself, and whom it tells a group of."""

    sender: Callable[[Node], Sender]
    library: str
    group: dict[str, str] | None = None


def python(lock: str, mode: str) -> Sender:
    """A version of the Python SDK."""
    return Sender([sys.executable, SDK / "python/posthog_send.py", mode], {"PYTHONPATH": str(older_python(lock))})


def node_js(node: Node, package: str) -> Sender:
    """A version of the Node SDK."""
    return Sender(node.command(SDK / "posthog_send.js", package), node.environment)


SERVERS = {
    "python 7.91": Server(lambda _: python("posthog-7.91", "plain"), "posthog-python"),
    "python 7.91 v1": Server(lambda _: python("posthog-7.91", "v1"), "posthog-python"),
    "python 3.6 gzip": Server(
        lambda _: python("posthog-3.6", "gzip"), "posthog-python", {"anonymousId": "$company_g-1"}
    ),
    "node 5.70": Server(lambda node: node_js(node, "posthog-node"), "posthog-node"),
    "node 4.10": Server(lambda node: node_js(node, "posthog-node-4"), "posthog-node"),
}


def expected(group: dict[str, str] | None) -> list[dict[str, Any]]:
    """The calls as a server's SDK can make them: of a user it names no device, and of a group perhaps no user."""
    found = []
    for call in CALLS:
        ids = ("userId", "anonymousId") if call["call"] == "group" and group else ("anonymousId",)
        found.append({k: v for k, v in call.items() if "userId" not in call or k not in ids})
    return [call | (group or {}) if call["call"] == "group" else call for call in found]


@pytest.mark.parametrize("sdk", SERVERS)
async def test_a_server_sdk_sends_every_event_once(
    server: Served, backend: SqliteBackend, node: Node, sdk: str
) -> None:
    """Each call arrives once with every field."""
    sender, library, group = SERVERS[sdk]
    sender(node).send(server.url, KEY, CALLS)
    check(await arrived(backend, len(CALLS)), expected(group), library)


@pytest.mark.parametrize("sdk", SERVERS)
async def test_a_server_sdk_tries_again(backend: SqliteBackend, node: Node, sdk: str) -> None:
    """What was answered 503 or 429 is sent again, and arrives once."""
    sender, library, group = SERVERS[sdk]
    moody = Moody(lambda path: path.startswith(EVENTS), [503, 429])
    with ingest_server(backend.address, moody.around) as server:
        sender(node).send(server.url, KEY, CALLS)
    assert moody.seen[:2] == [503, 429]
    check(await arrived(backend, len(CALLS)), expected(group), library)


PAGE = (
    b"<!doctype html><meta charset=utf-8><link rel=icon href='data:,'><title>Shop</title><script src=/sdk.js></script>"
)

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
});
for (const call of calls) make[call.call](call);
"""
BROWSERS = {"1.449": "PostHog", "1.57": "PostHogOlder"}


@pytest.fixture
def page(node: Node) -> Iterator[str]:
    """The address of a page on another origin that loads the browser SDK."""
    with site(PAGE, {"/sdk.js": node.browser_sdk("posthog").read_bytes()}) as address:
        yield address


async def arrived_last(backend: SqliteBackend, count: int, name: str) -> list[Record]:
    """So many records, but for the last event, which was this one."""
    records = await arrived(backend, count + 1)
    records.remove(next(record for record in records if record.name == name))
    return records


@pytest.mark.parametrize("sdk", BROWSERS)
async def test_a_browser_sdk_sends_every_event_once(
    backend: SqliteBackend, page: str, browser: Chrome, sdk: str
) -> None:
    """posthog-js in Chromium, from a page of another origin: it is configured by the server, and no error shows; what
    was answered 503 is sent again."""
    moody = Moody(lambda path: path.startswith(EVENTS))
    with ingest_server(backend.address, moody.around) as server:
        browser.get(page)
        browser.execute_script(RUN, BROWSERS[sdk], server.url, KEY, VISIT)
        await arrived(backend, len(VISIT))
        assert browser.get_log("browser") == []  # type: ignore[no-untyped-call] # selenium leaves this one bare
        moody.refusals.append(503)
        browser.execute_script("window.posthog.capture('late')")
        records = await arrived_last(backend, len(VISIT), "late")
        assert moody.seen.count(503) == 1
        # One more, and leaving the page: whatever the SDK still holds, an event sent twice too, has gone out with it.
        browser.execute_script("window.posthog.capture('last')")
        browser.get("about:blank")
        assert len(await arrived_last(backend, len(VISIT) + 1, "last")) == len(VISIT) + 1
    device = next(record.anonymous for record in records if record.type == "page")
    ids = {"anonymousId": device}
    check(
        records, [call | ids if call["call"] == "identify" or "userId" not in call else call for call in VISIT], "web"
    )
    contexts = [context(record) for record in records]
    assert {found["page"]["url"] for found in contexts} == {page}
    assert {found["campaign"]["source"] for found in contexts} == {"x"}
    assert {found["os"]["name"] for found in contexts} == {"Linux"}
    complaints = browser.get_log("browser")  # type: ignore[no-untyped-call] # as above
    assert all("503" in complaint["message"] for complaint in complaints if complaint["level"] == "SEVERE")
