"""Touchpoints per stage and journey over both databases, asked over HTTP."""

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.asking import SHOP, Site, record, site


@pytest.fixture
async def shop(address: str | Path, tmp_path: Path) -> AsyncIterator[Site]:
    """Two or three touchpoints are expected of a visitor; Ada buys after three, Bob after one, Cid has had five."""
    expecting = SHOP.replace(
        "{touchpoint: {type: page}}}", "{touchpoint: {type: page}}, expected: {touchpoints: [2, 3]}}"
    )
    async with site(address, tmp_path, [expecting]) as made:
        await made.receive(
            record("a1", "2024-03-01T10:00", user="ada", type="page", name="Home"),
            record("a2", "2024-03-01T10:10", user="ada", name="Looked"),
            record("a3", "2024-03-01T10:20", user="ada", name="Looked"),
            record("a4", "2024-03-02T10:20", user="ada", name="Order Completed"),
            record("b1", "2024-03-03T10:00", user="bob", type="page", name="Home"),
            record("b2", "2024-03-04T10:00", user="bob", name="Order Completed"),
            *(record(f"c{n}", f"2024-03-05T10:0{n}", user="cid", type="page", name="Home") for n in range(5)),
        )
        yield made


def told(lines: list[Any]) -> dict[str | None, tuple[Any, ...]]:
    """The numbers of each stage."""
    keys = ("moved_on", "median", "low", "high", "band", "below", "within", "above")
    return {line["stage"]: tuple(line[key] for key in keys) for line in lines}


async def test_against_what_the_definition_expects(shop: Site) -> None:
    """Those who moved on had three and one; Cid has more than expected. The journey counts the purchase, too."""
    answer = await shop.get("/v1/journeys/shop/touchpoints")
    lines = told(answer["stages"])
    assert lines["visitor"] == (2, 2.0, 2.0, 3.0, "definition", 0, 0, 1)
    assert lines["buyer"] == (0, None, None, None, None, 0, 0, 0)
    assert lines[None] == (2, 3.0, pytest.approx(2.2), pytest.approx(3.8), "moved on", 0, 0, 1)
    assert (answer["journey"], answer["version"]) == ("shop", 1)


async def test_groups_add_up(shop: Site) -> None:
    """By what they had been seen with at the entry; the time asked about is that of the entry."""
    answer = await shop.get("/v1/journeys/shop/touchpoints", by="cohort", since="2024-03-02")
    (group,) = answer["groups"]
    assert (group["value"], told(group["stages"])["visitor"][0]) == ("2024-03", 1)
    assert told(answer["stages"]) == told(group["stages"])


async def test_csv_and_what_cannot_be_asked(shop: Site) -> None:
    """The same as lines for a spreadsheet; a parameter that cannot be read is named."""
    answer = await shop.client.get("/v1/journeys/shop/touchpoints?format=csv")
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert [line["stage"] for line in lines] == ["visitor", "buyer", "gone", ""]
    assert (await shop.get("/v1/journeys/shop/touchpoints", 400, by="colour"))["field"] == "by"
    assert (await shop.get("/v1/journeys/shopp/touchpoints", 404))["code"] == "unknown_journey"
