"""Who is about to leave, over both databases, asked over HTTP."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.events import Record
from tests.support.asking import SHOP, Site, record, site

NOW = datetime.now(UTC)


def ago(id: str, days: float, user: str, name: str = "Looked") -> Record:
    """What somebody did so many days ago."""
    return record(id, (NOW - timedelta(days=days)).isoformat(timespec="seconds"), user=user, name=name)


@pytest.fixture
async def shop(address: str | Path, tmp_path: Path) -> AsyncIterator[Site]:
    """A shop whose buyers are gone after 30 quiet days: Ada will be in 4, Bob in 2, Cid in 20; Dan is gone already."""
    async with site(address, tmp_path) as made:
        await made.receive(
            ago("a0", 50, "ada"),
            ago("a1", 40, "ada"),
            ago("a2", 26, "ada", "Order Completed"),
            ago("b1", 28, "bob", "Order Completed"),
            ago("c1", 10, "cid", "Order Completed"),
            ago("d1", 90, "dan", "Order Completed"),
            ago("e1", 1, "eve"),
        )
        yield made


async def test_soonest_first_with_what_has_changed(shop: Site) -> None:
    """Whom time leads there, when, why, and how much they did lately against before."""
    answer = await shop.get("/v1/journeys/shop/leaving")
    told = [(one["id"], one["stage"], one["to"], one["means"]) for one in answer["items"]]
    assert told == [("bob", "buyer", "gone", "churned"), ("ada", "buyer", "gone", "churned")]
    bob, ada = answer["items"]
    assert (ada["acts_lately"], ada["acts_before"], ada["last_act"]) == (1, 2, "Order Completed")
    assert bob["due"] < ada["due"]
    due = datetime.fromisoformat(ada["due"]) - datetime.fromisoformat(ada["last_at"])
    assert due == timedelta(days=30)
    assert "no activity for 30 days" in ada["sentence"]
    assert answer["next"] is None
    assert [one["id"] for one in (await shop.get("/v1/journeys/shop/leaving", within="3d"))["items"]] == ["bob"]


async def test_pages(shop: Site) -> None:
    """One by one, everybody once."""
    seen, page = list[str](), {"limit": "1", "within": "30d"}
    while True:
        answer = (await shop.client.get("/v1/journeys/shop/leaving", params=page)).json()
        seen += [one["id"] for one in answer["items"]]
        if answer["next"] is None:
            break
        page["cursor"] = answer["next"]
    assert seen == ["bob", "ada", "cid"]


async def test_csv_and_what_cannot_be_asked(shop: Site) -> None:
    """The same as lines for a spreadsheet; refusals name the field."""
    answer = await shop.client.get("/v1/journeys/shop/leaving?format=csv")
    assert [line["id"] for line in csv.DictReader(io.StringIO(answer.text))] == ["bob", "ada"]
    assert (await shop.get("/v1/journeys/shop/leaving", 400, within="soon"))["field"] == "within"
    assert (await shop.get("/v1/journeys/shop/leaving", 400, cursor="x"))["field"] == "cursor"
    assert (await shop.get("/v1/journeys/shopp/leaving", 404))["code"] == "unknown_journey"


async def test_a_journey_that_loses_nobody(address: str | Path, tmp_path: Path) -> None:
    """It is told what its definition would have to say."""
    async with site(address, tmp_path, [SHOP.replace("means: churned, ", "")]) as shop:
        assert (await shop.get("/v1/journeys/shop/leaving", 400))["field"] == "journey"
