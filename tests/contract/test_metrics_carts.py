"""Carts over both databases, asked over HTTP."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.asking import Site, record, site


@pytest.fixture
async def shop(address: str | Path, tmp_path: Path) -> AsyncIterator[Site]:
    """Ada fills a cart twice and buys the second; Bob sees the costs and leaves; Cid has one since yesterday."""
    async with site(address, tmp_path) as made:
        advert = {"page": {"url": "https://shop.example/?utm_source=google&utm_medium=cpc"}}
        yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat(timespec="seconds")
        await made.receive(
            record("a0", "2024-02-20T10:00", user="ada", type="page", name="Home", context=advert),
            record("a1", "2024-02-20T10:05", user="ada", name="Product Added"),
            record("a2", "2024-03-01T10:00", user="ada", name="Product Added"),
            record("a3", "2024-03-01T10:20", user="ada", name="Product Added"),
            record("a4", "2024-03-01T11:20", user="ada", name="Order Completed"),
            record("b1", "2024-03-03T09:00", user="bob", name="Product Added"),
            record("b2", "2024-03-03T09:10", user="bob", type="page", name="Shipping Costs"),
            record("c1", yesterday, user="cid", name="Product Added"),
        )
        yield made


async def ask(shop: Site, status: int = 200, **question: Any) -> Any:
    """The answer."""
    answer = await shop.client.post("/v1/carts", json=question)
    assert answer.status_code == status, answer.text
    return answer.json()


def told(line: Any) -> tuple[int, ...]:
    """Carts, bought, open, abandoned."""
    return line["carts"], line["bought"], line["open"], line["abandoned"]["part"]


async def test_bought_open_and_abandoned(shop: Site) -> None:
    """Two touchpoints of one visit are one cart; the window runs from the last of them."""
    answer = (await ask(shop))["all"]
    assert told(answer) == (4, 1, 1, 2)
    assert (answer["customers"], answer["median_seconds"]) == (3, 3600.0)
    assert (answer["abandoned"]["whole"], answer["abandoned"]["share"]) == (3, pytest.approx(2 / 3))
    assert sorted(answer["lost_after"]) == [["Product Added", 1], ["Shipping Costs", 1]]
    assert told((await ask(shop, window="30d", until="2024-03-31"))["all"]) == (3, 2, 0, 1)
    assert told((await ask(shop, since="2024-03-01", until="2024-03-01"))["all"]) == (1, 1, 0, 0)
    assert told((await ask(shop, cart={"name": "Shipping Costs"}))["all"]) == (1, 0, 0, 1)


async def test_groups_csv_and_etag(shop: Site) -> None:
    """Groups add up; the same as lines for a spreadsheet; what has not changed is not sent again."""
    question: dict[str, Any] = {"by": "channel", "until": "2024-03-31"}
    groups = (await ask(shop, **question))["groups"]
    assert {line["value"]: told(line) for line in groups} == {"paid search": (2, 1, 0, 1), "unknown": (1, 0, 0, 1)}
    answer = await shop.client.post("/v1/carts?format=csv", json=question)
    lines = [(line["channel"], line["carts"]) for line in csv.DictReader(io.StringIO(answer.text))]
    assert lines == [("paid search", "2"), ("unknown", "1")]
    again = {"If-None-Match": answer.headers["etag"]}
    assert (await shop.client.post("/v1/carts?format=csv", json=question, headers=again)).status_code == 304


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ({"window": "a week"}, "window"),
        ({"cart": {"rloe": "cart"}}, "cart"),
        ({"purchase": {"properties": {"a": 1}}}, "purchase"),
        ({"by": "colour"}, "by"),
    ],
)
async def test_what_cannot_be_asked_names_the_field(shop: Site, question: dict[str, Any], field: str) -> None:
    """With a message that says what to write."""
    assert (await ask(shop, 400, **question))["field"] == field
