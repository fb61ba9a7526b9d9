"""The server SDKs of Segment and of RudderStack, unmodified: every event arrives once, with every field."""

import pytest

from tests.contract.log_backends import SqliteBackend
from tests.support.sdks import CALLS, Moody, check, without_nulls
from tests.support.senders import ServerSdk, go, java, node_js, python, sent
from tests.support.server import Served


def segment(package: str, packing: str = "plain", lock: str = "") -> ServerSdk:
    """A version of Segment's Python SDK."""
    return ServerSdk(lambda: python("segment", package, packing, lock=lock), "analytics-python")


SERVERS = {
    "segment python 2.4": segment("segment.analytics"),
    "segment python 2.4 gzip": segment("segment.analytics", "gzip"),
    "segment python 2.3 gzip": segment("segment.analytics", "gzip", "segment-2.3"),
    "segment python 1.4": segment("analytics", lock="segment-1.4"),
    "segment node 3.1": ServerSdk(lambda: node_js("segment", "@segment/analytics-node"), "@segment/analytics-node"),
    "segment node 1.3": ServerSdk(lambda: node_js("segment", "analytics-node-1"), "@segment/analytics-node"),
    "segment analytics-node 6.2": ServerSdk(lambda: node_js("segment", "analytics-node-6"), "analytics-node"),
    "segment go 3.3": ServerSdk(go, "analytics-go"),
    "segment java 3.5": ServerSdk(java, "analytics-java", without_nulls(CALLS)),
    "rudder python 2.1": ServerSdk(
        lambda: python("rudder", "rudderstack.analytics", lock="rudder-2.1"), "analytics-python"
    ),
    "rudder python 1.0": ServerSdk(
        lambda: python("rudder", "rudder_analytics", lock="rudder-1.0"), "rudder-analytics-python"
    ),
    "rudder node 3.0": ServerSdk(lambda: node_js("rudder", "@rudderstack/rudder-sdk-node"), "analytics-node"),
    "rudder node 2.1": ServerSdk(lambda: node_js("rudder", "rudder-node-2"), "analytics-node"),
}


@pytest.mark.timeout(600)  # the first run builds the SDK
@pytest.mark.parametrize("sdk", SERVERS)
async def test_a_server_sdk_sends_every_event_once(server: Served, backend: SqliteBackend, sdk: str) -> None:
    """Each call arrives once with every field."""
    check(await sent(SERVERS[sdk], server, backend), SERVERS[sdk].library, SERVERS[sdk].calls)


@pytest.mark.parametrize("sdk", SERVERS)
async def test_a_server_sdk_tries_again(server: Served, moody: Moody, backend: SqliteBackend, sdk: str) -> None:
    """What was answered 503 or 429 is sent again, and arrives once."""
    moody.refuse([503, 429], "/v1/")
    check(await sent(SERVERS[sdk], server, backend), SERVERS[sdk].library, SERVERS[sdk].calls)
    assert moody.seen[:2] == [503, 429]
