"""Who came and who left, and the customers behind the numbers, over both databases."""

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.asking import Site, record, site

PATH = "/v1/journeys/shop/movements"


@pytest.fixture
async def shop(address: str | Path, tmp_path: Path) -> AsyncIterator[Site]:
    """Ada buys, goes, comes back, goes and comes back again; Bob buys at once; Cid only looks."""
    async with site(address, tmp_path) as made:
        await made.receive(
            record("a1", "2024-01-10T10:00", user="ada", type="page", name="Home"),
            record("a2", "2024-01-10T11:00", user="ada", name="Order Completed"),
            record("a3", "2024-03-01T10:00", user="ada", type="page", name="Home"),
            record("a4", "2024-05-01T10:00", user="ada", type="page", name="Home"),
            record("b1", "2024-03-02T10:00", user="bob", name="Order Completed"),
            record("c1", "2024-03-03T10:00", anonymous="cid", type="page", name="Home"),
        )
        yield made


def told(answer: Any, stage: str) -> list[tuple[int, ...]]:
    """new, leaving, back, skipped and looped of a stage, period by period."""
    kinds = ("new", "leaving", "back", "skipped", "looped")
    return [
        tuple(one[kind] for kind in kinds)
        for span in answer["periods"]
        for one in span["stages"]
        if one["stage"] == stage
    ]


async def test_movements_of_the_whole_time(shop: Site) -> None:
    """Ada was twice back among the buyers, and gone thrice; Bob skipped being a visitor."""
    answer = await shop.get(PATH)
    assert told(answer, "visitor") == [(2, 1, 0, 0, 0)]
    assert told(answer, "buyer") == [(2, 2, 2, 1, 1)]
    assert told(answer, "gone") == [(2, 1, 2, 0, 1)]
    assert [(span["period"], span["joined"]) for span in answer["periods"]] == [(None, 3)]
    assert (answer["journey"], answer["version"], answer["touchpoints"], answer["time_zone"]) == ("shop", 1, 6, "UTC")


async def test_movements_month_by_month(shop: Site) -> None:
    """From the first month asked for to the last, those without any too; the sum of new is that of the whole time."""
    answer = await shop.get(PATH, since="2024-01-01", until="2024-05-31", period="month")
    assert [(span["period"], span["joined"]) for span in answer["periods"]] == [
        ("2024-01", 1),
        ("2024-02", 0),
        ("2024-03", 2),
        ("2024-04", 0),
        ("2024-05", 0),
    ]
    assert told(answer, "buyer") == [
        (1, 0, 0, 0, 0),
        (0, 1, 0, 0, 0),
        (1, 1, 1, 1, 0),
        (0, 1, 0, 0, 0),
        (0, 1, 1, 0, 0),
    ]
    jalali = await shop.get(PATH, since="2024-03-01", until="2024-03-31", period="month", calendar="jalali")
    assert [(span["period"], span["joined"]) for span in jalali["periods"]] == [("1402-12", 2), ("1403-01", 0)]
    assert (await shop.get(PATH, since="2025-01-01", period="week"))["periods"] == []


async def test_who_is_behind_a_movement(shop: Site) -> None:
    """As many as the number says, by their ids, with the last time and how often; as CSV, too."""
    answer = await shop.get(f"{PATH}/customers", kind="back", stage="buyer")
    assert [(one["by"], one["id"], one["since"], one["times"]) for one in answer["items"]] == [
        ("user", "ada", "2024-05-01T10:00:00Z", 2)
    ]
    assert answer["total"] == 1
    assert (await shop.get(f"{PATH}/customers", kind="looped", stage="buyer", until="2024-04-30"))["total"] == 0
    lines = (await shop.client.get(f"{PATH}/customers?kind=new&stage=visitor&format=csv")).text
    assert [(line["by"], line["id"]) for line in csv.DictReader(io.StringIO(lines))] == [
        ("user", "ada"),
        ("anonymous", "cid"),
    ]


@pytest.mark.parametrize("kind", ["new", "leaving", "looped"])
@pytest.mark.parametrize("stage", ["visitor", "buyer", "gone"])
async def test_as_many_customers_as_the_number_says(shop: Site, kind: str, stage: str) -> None:
    """Page by page, each once."""
    (span,) = (await shop.get(PATH))["periods"]
    number = next(one[kind] for one in span["stages"] if one["stage"] == stage)
    found, cursor = list[str](), dict[str, str]()
    while True:
        page = await shop.get(f"{PATH}/customers", 200, kind=kind, stage=stage, limit="1", **cursor)
        found += [one["customer"] for one in page["items"]]
        assert page["total"] == number
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert len(found) == len(set(found)) == number


async def test_who_is_behind_a_transition(shop: Site) -> None:
    """Those that GET …/transitions counts by from and to; who came from nowhere is absent."""
    path = "/v1/journeys/shop/transitions"
    answer = await shop.client.get(f"{path}/customers", params={"from": "buyer", "to": "gone"})
    assert [(one["id"], one["times"]) for one in answer.json()["items"]] == [("ada", 3), ("bob", 1)]
    for flow in (await shop.get(path))["counts"]:
        asked = {"from": flow["from"] or "absent", "to": flow["to"]}
        behind = (await shop.client.get(f"{path}/customers", params=asked)).json()
        assert sum(one["times"] for one in behind["items"]) == flow["n"]


@pytest.mark.parametrize(
    ("path", "asked", "field"),
    [
        (PATH, {"period": "year"}, "period"),
        (PATH, {"since": "1990-01-01", "until": "2024-01-01", "period": "day"}, "since"),
        (PATH, {"since": "then"}, "since"),
        (f"{PATH}/customers", {"kind": "old", "stage": "buyer"}, "kind"),
        (f"{PATH}/customers", {"kind": "new", "stage": "byer"}, "stage"),
        (f"{PATH}/customers", {"kind": "new", "stage": "none"}, "stage"),
        (f"{PATH}/customers", {"kind": "new", "stage": "buyer", "cursor": "x"}, "cursor"),
        ("/v1/journeys/shop/transitions/customers", {"from": "buyer"}, "to"),
        ("/v1/journeys/shop/transitions/customers", {"from": "byer", "to": "gone"}, "from"),
    ],
)
async def test_what_cannot_be_asked_names_the_field(shop: Site, path: str, asked: dict[str, str], field: str) -> None:
    """With a message that says what to write."""
    answer = await shop.client.get(path, params=asked)
    assert (answer.status_code, answer.json()["field"], answer.json()["code"]) == (400, field, "invalid_parameter")
