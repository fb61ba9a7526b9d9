"""Stage counts over time, over both databases; with CSV and ETags for them, for counts and for moves."""

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.asking import Site, record, site

STAGES = "/v1/journeys/shop/stages"
SERIES = f"{STAGES}/series"


@pytest.fixture
async def shop(address: str | Path, tmp_path: Path) -> AsyncIterator[Site]:
    """A shop in Tehran (+3:30), where somebody came half an hour before midnight, another one after it."""
    async with site(address, tmp_path, zone="Asia/Tehran") as made:
        await made.receive(
            record("a1", "2024-03-18T23:30+03:30", user="ada", type="page", name="Home"),
            record("b1", "2024-03-19T00:10+03:30", user="bob", type="page", name="Home"),
            record("a2", "2024-03-20T09:00+03:30", user="ada", name="Order Completed"),
            record("c1", "2024-04-02T09:00+03:30", user="cid", type="page", name="Home"),
        )
        await made.receive(
            record("d1", "2024-03-19T12:00+03:30", "2024-04-03T12:00+03:30", user="dan", type="page", name="Home")
        )
        yield made


async def test_days_end_at_local_midnight(shop: Site) -> None:
    """Each count is what the stages are at the end of that day; one that came late is there as known now."""
    answer = await shop.get(SERIES, since="2024-03-18", until="2024-03-20")
    points = [(point["period"], point["stages"]["visitor"], point["stages"]["buyer"]) for point in answer["points"]]
    assert points == [("2024-03-18", 1, 0), ("2024-03-19", 3, 0), ("2024-03-20", 2, 1)]
    assert answer["points"][0]["at"] == "2024-03-18T20:29:59.999999Z"
    then = await shop.get(SERIES, since="2024-03-18", until="2024-03-20", known_at="2024-04-01")
    assert [point["stages"]["visitor"] for point in then["points"]] == [1, 2, 1]


@pytest.mark.parametrize(
    ("period", "calendar", "week", "names"),
    [
        ("month", "jalali", "monday", ["1402-12", "1403-01"]),
        ("month", "gregorian", "monday", ["2024-03", "2024-04"]),
        ("week", "gregorian", "monday", ["2024-03-18", "2024-03-25", "2024-04-01"]),
        ("week", "jalali", "saturday", ["1402-12-26", "1403-01-04", "1403-01-11"]),
    ],
)
async def test_every_point_is_what_the_stages_are_then(
    shop: Site, period: str, calendar: str, week: str, names: list[str]
) -> None:
    """In weeks and in months of either calendar; the last point is of the instant asked for itself."""
    asked = {"period": period, "calendar": calendar, "week": week}
    answer = await shop.get(SERIES, 200, since="2024-03-18", until="2024-04-02", **asked)
    assert [point["period"] for point in answer["points"]] == names
    assert answer["points"][-1]["at"] == "2024-04-02T20:29:59.999999Z"
    for point in answer["points"]:
        stages = await shop.get(STAGES, at=point["at"])
        assert point["stages"] == {one["stage"]: one["customers"] for one in stages["stages"]}
        assert (point["none"], point["total"]) == (stages["none"], stages["total"])


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"since": "2020-01-01", "until": "2024-03-20"}, "since"),
        ({"since": "2024-03-20", "until": "2024-03-18"}, "since"),
        ({"period": "year"}, "period"),
        ({"calendar": "lunar"}, "calendar"),
        ({"known_at": "then"}, "known_at"),
        ({"until": "0002-01-02", "period": "month"}, "until"),
    ],
)
async def test_what_cannot_be_asked_names_the_field(shop: Site, asked: dict[str, str], field: str) -> None:
    """Too many periods, the end before the beginning, what is no period, no calendar and no instant."""
    assert (await shop.get(SERIES, 400, **asked))["field"] == field


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (STAGES, {"stage": "visitor", "customers": "3"}),
        (f"{SERIES}?since=2024-03-18&until=2024-03-18", {"stage": "visitor", "customers": "1", "period": "2024-03-18"}),
        ("/v1/journeys/shop/transitions?until=2024-03-18", {"to": "visitor", "id": "ada", "cause": "live"}),
    ],
)
async def test_lines_and_answers_that_have_not_changed(shop: Site, path: str, line: dict[str, str]) -> None:
    """The same as CSV; whoever has the answer already is told so, though time goes on, until something changes."""
    answer = await shop.client.get(path, headers={"Accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert any(line.items() <= one.items() for one in lines), lines
    for kind in ("text/csv", "application/json"):
        tag = (await shop.client.get(path, headers={"Accept": kind})).headers["etag"]
        again: dict[str, Any] = {"headers": {"Accept": kind, "If-None-Match": tag}}
        assert (await shop.client.get(path, **again)).status_code == 304
        await shop.receive(record(f"x-{kind}", "2024-03-18T23:40+03:30", user=f"x-{kind}", type="page", name="Home"))
        assert (await shop.client.get(path, **again)).status_code == 200


async def test_a_csv_tells_of_its_next_page(shop: Site) -> None:
    """By a Link header; following it to the end gives every move once."""
    path: str | None = "/v1/journeys/shop/transitions?limit=1&format=csv"
    ids = []
    while path is not None:
        answer = await shop.client.get(path)
        ids += [line["id"] for line in csv.DictReader(io.StringIO(answer.text))]
        link = answer.headers.get("link")
        path = link and link.partition("<")[2].partition(">")[0]
    assert sorted(ids) == sorted(one["id"] for one in (await shop.get("/v1/journeys/shop/transitions"))["items"])
    assert len(ids) > 4
