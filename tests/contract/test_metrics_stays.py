"""Stays and velocity over both databases, as a marketer asks for them over HTTP."""

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.asking import Site, record, site

DAY = 86_400.0


@pytest.fixture
async def shop(address: str | Path, tmp_path: Path) -> AsyncIterator[Site]:
    """A shop in which one buys after one day, one after three, and one has not bought yet; buyers leave after 30."""
    async with site(address, tmp_path) as made:
        advert = {"page": {"url": "https://shop.example/?utm_source=google&utm_medium=cpc"}}
        await made.receive(
            record("a1", "2024-03-01T10:00", user="ada", type="page", name="Home", context=advert),
            record("a2", "2024-03-02T10:00", user="ada", name="Order Completed"),
            record("b1", "2024-03-03T10:00", user="bob", type="page", name="Home"),
            record("b2", "2024-03-06T10:00", user="bob", name="Order Completed"),
            record("c1", "2024-03-05T10:00", user="cid", type="page", name="Home"),
        )
        yield made


def line(answer: Any, stage: str) -> Any:
    """What is told of a stage."""
    (found,) = [one for one in answer["stages"] if one["stage"] == stage]
    return found


async def test_stays_completed_and_open(shop: Site) -> None:
    """Means and quantiles are of those completed; the curve counts the open one as still there."""
    answer = await shop.get("/v1/journeys/shop/stays")
    visitor = line(answer, "visitor")
    assert (visitor["completed"], visitor["open"], visitor["title"]) == (2, 1, "Visitor")
    assert (visitor["mean"], visitor["median"], visitor["p75"]) == (2 * DAY, 2 * DAY, 2.5 * DAY)
    assert visitor["p90"] == pytest.approx(2.8 * DAY)
    assert (visitor["survival_median"], visitor["curve"]) == (3 * DAY, [])
    assert line(answer, "buyer")["median"] == 30 * DAY
    assert (line(answer, "gone")["completed"], line(answer, "gone")["open"]) == (0, 2)
    assert (answer["journey"], answer["version"]) == ("shop", 1)


async def test_the_curve_is_of_one_stage(shop: Site) -> None:
    """Of three one leaves after one day, one after three; thinned, its first and last points remain."""
    answer = await shop.get("/v1/journeys/shop/stays", stage="visitor", points="2")
    (visitor,) = answer["stages"]
    points = [(one["after"], one["at_risk"], one["left"], one["share"]) for one in visitor["curve"]]
    assert points == [(DAY, 3, 1, pytest.approx(2 / 3)), (3 * DAY, 2, 1, pytest.approx(1 / 3))]
    assert visitor["curve"][0]["low"] < 2 / 3 < visitor["curve"][0]["high"]


async def test_by_what_they_were_at_the_entry(shop: Site) -> None:
    """Groups add up; the time asked about is that of the entry."""
    answer = await shop.get("/v1/journeys/shop/stays", stage="visitor", by="channel")
    groups = {group["value"]: group["stages"][0] for group in answer["groups"]}
    assert {value: (one["completed"], one["open"]) for value, one in groups.items()} == {
        "paid search": (1, 0),
        "unknown": (1, 1),
    }
    assert groups["unknown"]["median"] == 3 * DAY
    later = await shop.get("/v1/journeys/shop/stays", stage="visitor", since="2024-03-03", until="2024-03-03")
    assert later["stages"][0]["completed"] == 1


async def test_velocity_is_by_the_end_of_stays(shop: Site) -> None:
    """One stay of a day ended in the first week of the calendar, one of three in the second."""
    answer = await shop.get("/v1/journeys/shop/velocity", stage="visitor", period="week")
    told = [(one["period"], one["completed"], one["median"], one["ended"]) for one in answer["periods"]]
    assert told == [("2024-02-26", 1, DAY, True), ("2024-03-04", 1, 3 * DAY, True)]
    days = await shop.get("/v1/journeys/shop/velocity", stage="visitor", period="day", by="channel")
    unknown = next(group for group in days["groups"] if group["value"] == "unknown")
    assert [(one["period"], one["completed"]) for one in unknown["periods"]] == [("2024-03-06", 1)]
    whole = [(one["period"], one["completed"], one["median"]) for one in days["periods"]]
    assert whole[1] == ("2024-03-03", 0, None)


async def test_csv_and_etag(shop: Site) -> None:
    """The same as lines for a spreadsheet; what has not changed is not sent again."""
    path = "/v1/journeys/shop/velocity?period=week&stage=visitor"
    answer = await shop.client.get(path, headers={"Accept": "text/csv"})
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(one["stage"], one["period"], one["median"]) for one in lines] == [
        ("visitor", "2024-02-26", "86400.0"),
        ("visitor", "2024-03-04", "259200.0"),
    ]
    again = {"Accept": "text/csv", "If-None-Match": answer.headers["etag"]}
    assert (await shop.client.get(path, headers=again)).status_code == 304
    stays = (await shop.client.get("/v1/journeys/shop/stays?format=csv&by=channel&stage=visitor")).text
    assert [one["channel"] for one in csv.DictReader(io.StringIO(stays))] == ["paid search", "unknown"]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/journeys/shop/stays?stage=byer", "stage"),
        ("/v1/journeys/shop/stays?by=colour", "by"),
        ("/v1/journeys/shop/stays?points=1", "points"),
        ("/v1/journeys/shop/velocity?period=year", "period"),
        ("/v1/journeys/shop/velocity?until=soon", "until"),
    ],
)
async def test_what_cannot_be_asked_names_the_field(shop: Site, path: str, field: str) -> None:
    """With a message that says what to write; a journey that there is not is 404."""
    answer = await shop.client.get(path)
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert (await shop.client.get("/v1/journeys/shopp/stays")).status_code == 404
