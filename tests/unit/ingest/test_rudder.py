"""What RudderStack's SDKs ask for before they send: the configuration of their source."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.front import BASIC, KEY, Front, front


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Front]:
    """The app over an empty log."""
    async with front(tmp_path) as made:
        yield made


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (f"/sourceConfig/?p=npm&v=3.34.1&build=modern&writeKey={KEY}&lockPluginsVersion=false", ()),
        (f"/sourceConfig?writeKey={KEY}", (BASIC,)),
        ("/sourceConfig?p=android&v=1.27.1&bv=34", (BASIC,)),
    ],
    ids=["browser", "both", "app"],
)
async def test_a_source_has_what_the_sdks_need(
    door: Front, path: str, headers: tuple[tuple[bytes, bytes], ...]
) -> None:
    """Texts, an empty list of destinations, and nothing that would make an SDK report of itself or send elsewhere."""
    answer = await door.call("GET", path, headers=headers)
    assert answer.status == 200
    source = answer.body["source"]
    assert (source["writeKey"], source["enabled"], source["destinations"], source["dataplanes"]) == (KEY, True, [], {})
    for text in ("id", "name", "workspaceId", "updatedAt"):
        assert source[text]
        assert isinstance(source[text], str)
    for what in ("errors", "metrics"):
        assert source["config"]["statsCollection"][what]["enabled"] is False


@pytest.mark.parametrize("query", ["", "?writeKey=wk_other", "?writeKey="])
async def test_a_source_of_no_key_is_a_wrong_key(door: Front, query: str) -> None:
    """400 tells an app not to ask again; it has a code and a message as everywhere."""
    answer = await door.call("GET", f"/sourceConfig/{query}", headers=((b"origin", b"https://shop.example"),))
    assert (answer.status, answer.body["code"], answer.body["success"]) == (400, "unknown_key", False)
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"


async def test_the_browser_may_ask_from_another_origin(door: Front) -> None:
    """Its question is preflighted, for it carries the key in a header, too; so is a try after another."""
    asked = (
        (b"origin", b"https://shop.example"),
        (b"access-control-request-method", b"GET"),
        (b"access-control-request-headers", b"authorization,rsa-retry-attempt"),
    )
    answer = await door.call("OPTIONS", "/sourceConfig/", headers=asked)
    assert answer.status == 204
    assert {"Authorization", "SentAt", "AnonymousId", "Rsa-Retry-Attempt", "Rsa-Since-Last-Attempt"} <= set(
        answer.headers["access-control-allow-headers"].split(", ")
    )
    assert "GET" in answer.headers["access-control-allow-methods"]
