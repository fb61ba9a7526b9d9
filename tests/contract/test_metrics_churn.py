"""Churn over both databases, asked over HTTP."""

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.asking import SHOP, Site, record, site


@pytest.fixture
async def shop(address: str | Path, tmp_path: Path) -> AsyncIterator[Site]:
    """A shop whose buyers are gone after 30 days: Ada and Bob buy in January; Ada is back in April, Bob stays away."""
    async with site(address, tmp_path) as made:
        advert = {"page": {"url": "https://shop.example/?utm_source=google&utm_medium=cpc"}}
        await made.receive(
            record("a1", "2024-01-10T10:00", user="ada", type="page", name="Home", context=advert),
            record("a2", "2024-01-10T11:00", user="ada", name="Order Completed"),
            record("b1", "2024-01-20T10:00", user="bob", name="Order Completed"),
            record("c1", "2024-02-01T10:00", user="cid", type="page", name="Home"),
            record("a3", "2024-04-09T11:00", user="ada", type="page", name="Home"),
        )
        yield made


def told(lines: list[Any]) -> list[tuple[Any, ...]]:
    """Period, entered, rate, won back."""
    return [
        (one["period"], one["entered"], one["rate"]["part"], one["rate"]["whole"], one["won_back"]) for one in lines
    ]


async def test_who_is_lost_and_who_comes_back(shop: Site) -> None:
    """Of two buyers at the beginning of February both are gone in it; Ada comes back after 60 days, and goes again."""
    answer = await shop.get("/v1/journeys/shop/churn", since="2024-01-01", until="2024-05-31")
    assert told(answer["lines"]) == [
        ("2024-01", 0, 0, 0, 0),
        ("2024-02", 2, 2, 2, 0),
        ("2024-03", 0, 0, 0, 0),
        ("2024-04", 0, 0, 0, 1),
        ("2024-05", 1, 1, 1, 0),
    ]
    february, april = answer["lines"][1], answer["lines"][3]
    assert (february["stage"], february["means"], february["ended"]) == ("gone", "churned", True)
    assert february["rate"]["low"] < 1.0 == february["rate"]["share"]
    assert april["rate"]["share"] is None
    assert april["away"] == 60 * 86_400


async def test_by_channel_and_cohort(shop: Site) -> None:
    """Groups add up to all."""
    answer = await shop.get("/v1/journeys/shop/churn", by="channel", since="2024-02-01", until="2024-02-29")
    assert {group["value"]: told(group["lines"]) for group in answer["groups"]} == {
        "paid search": [("2024-02", 1, 1, 1, 0)],
        "unknown": [("2024-02", 1, 1, 1, 0)],
    }
    cohorts = await shop.get("/v1/journeys/shop/churn", by="cohort", since="2024-02-01", until="2024-02-29")
    assert {group["value"]: told(group["lines"]) for group in cohorts["groups"]} == {
        "2024-01": [("2024-02", 2, 2, 2, 0)],
        "2024-02": [("2024-02", 0, 0, 0, 0)],
    }


async def test_csv_and_etag(shop: Site) -> None:
    """The same as lines for a spreadsheet; what has not changed is not sent again."""
    path = "/v1/journeys/shop/churn?format=csv&since=2024-02-01&until=2024-02-29"
    answer = await shop.client.get(path)
    (line,) = csv.DictReader(io.StringIO(answer.text))
    assert (line["period"], line["left"], line["of"], line["rate"]) == ("2024-02", "2", "2", "1.0")
    again = {"If-None-Match": answer.headers["etag"]}
    assert (await shop.client.get(path, headers=again)).status_code == 304


async def test_what_cannot_be_asked_names_the_field(address: str | Path, tmp_path: Path) -> None:
    """A journey of which no stage means that somebody is lost has no churn: the message says what to write."""
    async with site(address, tmp_path, [SHOP.replace("means: churned, ", "")]) as shop:
        refused = await shop.get("/v1/journeys/shop/churn", 400)
        assert refused["field"] == "journey"
        assert "say so of one in its definition" in refused["message"]
        assert (await shop.get("/v1/journeys/shop/churn", 400, period="year"))["field"] == "period"
