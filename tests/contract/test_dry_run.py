"""A dry run tells what publishing would come to, on both databases, and writes nothing."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.metrics import dry_run
from services.metrics.dry_run import batches
from shared.store import recount, walking
from shared.store.engine import reading
from shared.store.walking import Walked
from tests.support.asking import Site, record, served, site

#: Two pages make a regular; whoever buys is a buyer at once, and never gone.
NEW = """
journey: shop
stages:
  - {stage: visitor, enter: {touchpoint: {type: page}}}
  - {stage: regular, enter: {count: {of: {type: page}, at_least: 2}}}
  - {stage: buyer, enter: {touchpoint: {name: [Order Completed, Paid]}}}
"""


@pytest.fixture
async def shop(address: str | Path, tmp_path: Path) -> AsyncIterator[Site]:
    """A shop with customers of every kind: two of one device, two that became one, one that came late."""
    async with site(address, tmp_path) as made:
        pages = [
            record(f"p{n}{i}", f"2024-03-0{1 + i}T10:00", user=f"u{n}", type="page", name="Home")
            for n in range(40)
            for i in range(1 + n % 3)
        ]
        await made.receive(*pages)
        await made.receive(
            record("b1", "2024-03-05T10:00", user="u1", name="Order Completed"),
            record("b2", "2024-03-05T10:00", user="u2", name="Paid"),
            record("d1", "2024-03-05T10:00", user=None, anonymous="tablet", type="page"),
            record("d2", "2024-03-05T11:00", user="u3", anonymous="tablet", type="identify"),
            record("d3", "2024-03-06T10:00", user=None, anonymous="tablet", name="Paid"),
            record("d4", "2024-03-06T11:00", user="u4", anonymous="tablet", type="identify"),
            record("m1", "2024-03-06T12:00", user="u5", type="alias", previous="u6"),
            record("l1", "2024-02-01T10:00", "2024-03-07T10:00", user="u7", type="page"),
            record("x1", "2024-03-06T12:00", user="u8", name="Paid", excluded=True),
        )
        yield made


async def told(shop: Site, text: str = NEW, status: int = 200, **params: Any) -> Any:
    """What a dry run is answered with."""
    answer = await shop.client.post("/v1/journeys/dry-run", content=text, params=params)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_it_tells_what_publishing_then_comes_to(shop: Site) -> None:
    """By stage before and after, as the stages are before the definition is published and after."""
    before = await shop.get("/v1/journeys/shop/stages")
    ran = await told(shop)
    now = {one["stage"]: one["now"] for one in ran["stages"]}
    then = {one["stage"]: one["then"] for one in ran["stages"]}
    assert (ran["journey"], ran["against"], ran["customers"], ran["looked"]) == ("shop", 1, 39, 39)
    assert {one["stage"]: one["customers"] for one in before["stages"]} | {"none": before["none"]} == {
        stage: n for stage, n in now.items() if stage not in (None, "regular")
    }
    assert (await shop.client.post("/v1/journeys", content=NEW)).status_code == 201
    await shop.receive()
    after = await shop.get("/v1/journeys/shop/stages")
    assert {one["stage"]: one["customers"] for one in after["stages"]} | {"none": after["none"]} == {
        stage: n for stage, n in then.items() if stage not in (None, "gone")
    }


async def test_who_moves_and_why(shop: Site) -> None:
    """Moves add up to what stages gain and lose; each shows customers by an id that people know, with the reason."""
    ran = await told(shop)
    assert ran["moved"] == sum(move["customers"] for move in ran["moves"]) > 0
    for one in ran["stages"]:
        gained = sum(move["customers"] for move in ran["moves"] if move["to"] == one["stage"])
        lost = sum(move["customers"] for move in ran["moves"] if move["from"] == one["stage"])
        assert one["then"] - one["now"] == gained - lost
    gone = next(move for move in ran["moves"] if (move["from"], move["to"]) == ("gone", "buyer"))
    assert [(one["id"], "Order Completed" in one["reason"]) for one in gone["examples"]] == [("u1", True)]
    assert all(0 < len(move["examples"]) <= 3 for move in ran["moves"])


async def test_nothing_is_written(shop: Site) -> None:
    """No table has a row more or less, and the journeys are those of before."""
    async with reading(shop.database) as db:
        before = await recount.sizes(db)
    await told(shop)
    async with reading(shop.database) as db:
        assert await recount.sizes(db) == before
    assert [one["version"] for one in (await shop.get("/v1/journeys"))["journeys"]] == [1]


async def test_a_sample_is_the_same_each_time(shop: Site) -> None:
    """Of so many customers, drawn by hash; a larger one holds the smaller one."""
    small, again, large = [await told(shop, sample=n) for n in (10, 10, 30)]
    assert small["looked"] == 10
    assert {**small, "at": "", "freshness": ""} == {**again, "at": "", "freshness": ""}
    assert large["moved"] >= small["moved"]


async def test_a_journey_that_is_new(shop: Site) -> None:
    """It is compared with nothing: everybody whom it knows comes from outside."""
    ran = await told(shop, NEW.replace("journey: shop", "journey: fresh"))
    assert ran["against"] is None
    assert {move["from"] for move in ran["moves"]} == {None}
    assert ran["moved"] == sum(one["then"] for one in ran["stages"] if one["stage"] is not None)


async def test_what_cannot_be_run_is_refused(shop: Site) -> None:
    """A definition with faults, and a sample that is too large."""
    assert (await told(shop, "journey: x", 422))["code"] == "invalid_definition"
    assert (await told(shop, NEW, 400, sample=0))["field"] == "sample"
    assert (await told(shop, NEW, 400, sample=1_000_000))["field"] == "sample"


async def test_it_is_bounded_in_time_and_size(shop: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """When its time is over it tells what it has; whoever did more than can be held is skipped and counted."""
    monkeypatch.setattr("services.metrics.api.dry_run.SECONDS", 0.0)
    late = await told(shop)
    assert (late["whole"], late["looked"]) == (False, 0)
    monkeypatch.undo()
    monkeypatch.setattr(dry_run, "LONGEST", 1)
    ran = await told(shop)
    assert (ran["whole"], ran["looked"] + ran["skipped"]) == (True, 39)
    assert ran["skipped"] > 0


async def test_it_ends_when_the_client_leaves(shop: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two batches it looks whether anybody waits for it; only so many run at once, one more is refused."""
    monkeypatch.setattr(dry_run, "CUSTOMERS", 1)
    begun, ended, looked = asyncio.Event(), asyncio.Event(), 0
    look = dry_run._look

    async def slowly(*given: Any) -> None:
        nonlocal looked
        looked += 1
        begun.set()
        await asyncio.sleep(0.05)
        await look(*given)

    run = dry_run.dry_run

    async def watched(*given: Any) -> Any:
        try:
            return await run(*given)
        finally:
            ended.set()

    monkeypatch.setattr(dry_run, "_look", slowly)
    monkeypatch.setattr("services.metrics.api.dry_run.dry_run", watched)
    monkeypatch.setattr("services.metrics.api.dry_run.AT_ONCE", 1)
    head = {"Authorization": f"Bearer {shop.token}"}
    async with served(shop.app()) as address:
        host, port = address.split(":")
        _, writer = await asyncio.open_connection(host, int(port), family=socket.AF_INET)
        lines = ["POST /v1/journeys/dry-run HTTP/1.1", f"Host: {address}", f"Authorization: {head['Authorization']}"]
        lines += [f"Content-Length: {len(NEW)}", "", NEW]
        writer.write("\r\n".join(lines).encode())
        await asyncio.wait_for(begun.wait(), 10)
        async with httpx.AsyncClient(base_url=f"http://{address}", headers=head) as client:
            other = await client.post("/v1/journeys/dry-run", content=NEW)
        assert (other.status_code, other.json()["code"]) == (429, "busy")
        writer.close()
        await asyncio.wait_for(ended.wait(), 10)
    assert 0 < looked < 39


async def test_a_walk_meets_every_customer_once(shop: Site) -> None:
    """In order of their numbers, in pages of any size, with all that each did and nothing of others."""
    async with reading(shop.database) as db:
        whole = await walking.following(db, 1, 0, 1000)
        paged, after = list[Walked](), 0
        while page := await walking.following(db, 1, after, 7):
            paged += page
            after = page[-1].customer
        histories = await walking.histories(db, 1, [one.customer for one in whole])
        assert paged == whole
        assert await walking.count(db, 1) == len(whole) == 39
        for one in whole:
            counted = {record.id for _, record in histories[one.customer]}
            assert len(counted) == one.touchpoints


def test_batches_are_bounded() -> None:
    """By touchpoints; a customer with more than a batch may hold is alone in one."""
    members = [Walked(n, size, False) for n, size in enumerate([4_000, 900, 200, 9_000, 1, 4_999])]
    found = [[one.customer for one in batch] for batch in batches(members)]
    assert found == [[0, 1], [2], [3], [4, 5]]
    assert batches([]) == []
