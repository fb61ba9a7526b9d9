"""Rejections and dead letters over HTTP, over both databases."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.metrics import cursor
from shared import telemetry
from shared.log.port import Entry
from shared.store import admin, dead_letters, rejections
from shared.store.dead_letters import Place
from shared.store.engine import writing
from shared.store.rejections import WHOLE
from shared.store.rows import Rejection
from tests.support.asking import Site, at, site
from tests.support.prometheus import samples


@pytest.fixture
async def shop(address: str | Path, tmp_path: Path) -> AsyncIterator[Site]:
    """A shop whose days are Tehran's, with two write keys."""
    async with site(address, tmp_path, zone="Asia/Tehran") as made:
        async with writing(made.database) as db:
            for name in ("web", "server"):
                await admin.create_write_key(db, 1, name)
        yield made


async def refuse(shop: Site, *times: str, **fields: Any) -> None:
    """Rejections of the first key, received at these times."""
    rows = [Rejection(1, 1, at(when), 0, "missing_id", "userId", "Send one.")._replace(**fields) for when in times]
    async with writing(shop.database) as db:
        await rejections.add(db, rows)


async def found(shop: Site, **wanted: str) -> list[str]:
    """When those were received that are found."""
    items: list[dict[str, str]] = (await shop.get("/v1/rejections", 200, **wanted))["items"]
    return [item["at"][5:16] for item in items]


async def test_a_rejection_tells_all_that_was_kept(shop: Site) -> None:
    """Reason, key's name and body of an event; of a request nobody could read, that it was all of it."""
    await refuse(shop, "2099-03-01T10:00", index=2, size=9, body=b'{"a":"\xd8\xa8')
    await refuse(shop, "2099-03-01T10:01", key=2, index=WHOLE, code="too_large", field="")
    answer = await shop.get("/v1/rejections")
    assert answer["next"] is None
    second, first = answer["items"]
    assert first == {
        "number": second["number"] - 1,
        "at": "2099-03-01T10:00:00Z",
        "key": "web",
        "index": 2,
        "code": "missing_id",
        "field": "userId",
        "message": "Send one.",
        "size": 9,
        "body": '{"a":"ب',
    }
    nothing = {"key": "server", "index": None, "field": None, "size": None, "body": None}
    assert {name: second[name] for name in nothing} == nothing


async def test_rejections_are_found_by_time_code_and_key(shop: Site) -> None:
    """Days are those of the project's zone; a code or a key that does not exist finds nothing."""
    await refuse(shop, "2099-03-01T20:29:59", "2099-03-01T20:30:00")
    await refuse(shop, "2099-03-05T10:00", key=2, code="too_deep")
    assert await found(shop) == ["03-05T10:00", "03-01T20:30", "03-01T20:29"]
    assert await found(shop, until="2099-03-01") == ["03-01T20:29"]
    assert await found(shop, since="2099-03-02", until="2099-03-02") == ["03-01T20:30"]
    assert await found(shop, code="too_deep") == await found(shop, key="server") == ["03-05T10:00"]
    assert await found(shop, key="1", until="2099-03-01T20:29:59Z") == ["03-01T20:29"]
    assert await found(shop, code="none", key="nobody") == []


async def test_pages_hold_every_rejection_once(shop: Site) -> None:
    """Turning pages gives all of them, the newest first, also when others come meanwhile."""
    await refuse(shop, *(f"2099-03-01T10:{n:02}" for n in range(7)))
    page, seen = await shop.get("/v1/rejections", limit="3"), []
    while True:
        seen += [item["at"][14:16] for item in page["items"]]
        if page["next"] is None:
            break
        await refuse(shop, "2099-03-01T11:59")
        page = await shop.get("/v1/rejections", limit="3", cursor=page["next"])
    assert seen == ["06", "05", "04", "03", "02", "01", "00"]


async def test_dead_letters_are_told_without_what_is_in_them(shop: Site) -> None:
    """Place, reason and size; what waits is told from what was replayed, here and to Prometheus."""
    await shop.log.append([Entry(b"k", b"{secret"), Entry(b"k", b"[]")])
    await shop.receive()
    answer = await shop.get("/v1/dead-letters")
    assert answer["next"] is None
    second, first = answer["items"]
    assert (first["size"], first["repaired_at"], first["replayed_at"]) == (7, None, None)
    assert "JSON" in first["reason"]
    assert "secret" not in str(answer)
    place = Place(*map(int, first["place"].split(":")))
    async with writing(shop.database) as db:
        await dead_letters.repair(db, place, b"{}", at("2024-03-01T10:00"))
        await dead_letters.replayed(db, place, at("2024-03-01T11:00"))
    (done,) = (await shop.get("/v1/dead-letters", replayed="true"))["items"]
    assert done == first | {"repaired_at": "2024-03-01T10:00:00Z", "replayed_at": "2024-03-01T11:00:00Z"}
    assert (await shop.get("/v1/dead-letters", replayed="false"))["items"] == [second]
    page = await shop.get("/v1/dead-letters", limit="1")
    assert page["items"] == [second]
    assert (await shop.get("/v1/dead-letters", limit="1", cursor=page["next"]))["items"] == [done]
    scraped = samples((await shop.client.get("/metrics")).content)
    assert scraped[telemetry.DEAD_LETTERS.name, ()] == 1
    assert scraped[telemetry.EVENTS.name, (("result", "dead_letter"),)] == 2


async def test_a_bad_parameter_is_named(shop: Site) -> None:
    """What cannot be read is refused with the field."""
    for path, field, value in (
        ("rejections", "since", "yesterday"),
        ("rejections", "until", "2024-02-30"),
        ("rejections", "limit", "0"),
        ("rejections", "cursor", cursor.write("1")),
        ("dead-letters", "cursor", cursor.write(1)),
        ("dead-letters", "replayed", "perhaps"),
    ):
        answer = await shop.get(f"/v1/{path}", 400, **{field: value})
        assert (answer["code"], answer["field"]) == ("invalid_parameter", field)
