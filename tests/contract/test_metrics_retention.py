"""Retention over both databases, as a marketer asks for it over HTTP."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.asking import Site, record, site


@pytest.fixture
async def shop(address: str | Path, tmp_path: Path) -> AsyncIterator[Site]:
    """Tehran's shop, in which two begin in one week and one in the next."""
    async with site(address, tmp_path, zone="Asia/Tehran") as made:
        advert = {"page": {"url": "https://shop.example/?utm_source=google&utm_medium=cpc"}}
        await made.receive(
            record("a1", "2024-03-04T10:00", user="ada", type="page", name="Home", context=advert),
            record("a2", "2024-03-05T10:00", user="ada", name="Order Completed"),
            # Monday 00:10 in Tehran, Sunday in UTC
            record("a3", "2024-03-10T20:40", user="ada", type="page", name="Home"),
            record("b1", "2024-03-06T10:00", user="bob", type="page", name="Home"),
            record("b2", "2024-03-19T10:00", user="bob", type="page", name="Home"),
            record("c1", "2024-03-12T10:00", user="cid", type="page", name="Home"),
        )
        yield made


async def ask(shop: Site, path: str = "/v1/retention", status: int = 200, **question: Any) -> Any:
    """The answer."""
    answer = await shop.client.post(path, json=question)
    assert answer.status_code == status, answer.text
    return answer.json()


def table(answer: Any) -> dict[str, list[str]]:
    """Each cohort's cells as `came/of`, `-` where nobody's period has ended."""

    def cell(one: Any) -> str:
        return "-" if one["came"]["share"] is None else f"{one['came']['part']}/{one['came']['whole']}"

    return {cohort["cohort"]: [cell(one) for one in cohort["cells"]] for cohort in answer["cohorts"]}


async def test_nobody_came_and_not_reached_yet_are_two_answers(shop: Site) -> None:
    """By local weeks; 0 where nobody came in a week that has ended, null and partial where it has not."""
    answer = await ask(shop, count=3, until="2024-03-17")
    assert table(answer) == {"2024-03-04": ["2/2", "1/2", "1/2"], "2024-03-11": ["1/1", "0/1", "0/1"]}
    assert (answer["members"], answer["time_zone"], answer["period"]) == (3, "Asia/Tehran", "week")
    low, high = 0.0, pytest.approx(0.7935, abs=1e-4)
    nobody = {"part": 0, "whole": 1, "share": 0.0, "low": low, "high": high}
    assert answer["cohorts"][1]["cells"][1] == {"period": 1, "came": nobody, "partial": False}


async def test_a_week_that_has_not_ended_is_not_reached_yet(address: str | Path, tmp_path: Path) -> None:
    """Of two who began, one in this week and one in the last: all together are partial where one can be counted."""
    async with site(address, tmp_path, zone="Asia/Tehran") as shop:
        now = datetime.now(ZoneInfo("Asia/Tehran"))
        last = now - timedelta(days=7)
        await shop.receive(
            record("o", last.isoformat(timespec="seconds"), user="old", type="page"),
            record("n", (now - timedelta(seconds=9)).isoformat(timespec="seconds"), user="new", type="page"),
        )
        answer = await ask(shop, count=2)
        assert list(table(answer).values()) == [["1/1", "-"], ["-", "-"]]
        assert [(cell["came"]["part"], cell["came"]["whole"]) for cell in answer["cells"]] == [(1, 1), (0, 0)]
        assert [cell["partial"] for cell in answer["cells"]] == [True, True]
        active = await ask(shop, "/v1/active", period="week")
        assert [one["ended"] for one in active["periods"]] == [True, False]


async def test_rolling_unbounded_and_brackets(shop: Site) -> None:
    """From each one's own start; then or later; in one of several periods."""
    rolling = await ask(shop, count=2, mode="rolling", until="2024-03-10")
    assert table(rolling) == {"2024-03-04": ["2/2", "1/2"]}
    unbounded = await ask(shop, count=3, measure="unbounded", period="day", until="2024-03-10")
    assert table(unbounded)["2024-03-04"] == ["1/1", "1/1", "1/1"]
    brackets = await ask(shop, measure="bracket", brackets=[1, 3, 14], period="day", until="2024-03-10")
    assert table(brackets) == {"2024-03-04": ["1/1", "1/1"], "2024-03-06": ["0/1", "1/1"]}
    assert [cell["period"] for cell in brackets["cells"]] == [1, 3]


async def test_cohorts_begin_with_a_purchase_or_a_stage(shop: Site) -> None:
    """The first touchpoint that matches, or the first entry; what came before it is no return."""
    pages: dict[str, Any] = {"return": {"type": "page"}, "count": 2}
    bought = await ask(shop, start={"touchpoint": {"role": "purchase"}}, **pages)
    assert table(bought) == {"2024-03-04": ["0/1", "1/1"]}
    entered = await ask(shop, journey="shop", start={"stage": "visitor"}, count=1)
    assert table(entered) == {"2024-03-04": ["2/2"], "2024-03-11": ["1/1"]}
    assert (entered["journey"], entered["version"]) == ("shop", 1)


async def test_jalali_months_and_other_weeks(shop: Site) -> None:
    """Nowruz is on 20 March 2024: whoever came on the 19th came in the last month of the year before."""
    jalali = await ask(shop, period="month", calendar="jalali", count=1, until="2024-03-17")
    assert table(jalali) == {"1402-12": ["3/3"]}
    saturdays = await ask(shop, week="saturday", count=2, until="2024-03-10")
    assert table(saturdays) == {"2024-03-02": ["2/2", "1/2"]}


async def test_groups_add_up(shop: Site) -> None:
    """By the channel of the first visit; and by the period first seen in."""
    answer = await ask(shop, count=1, by="channel", until="2024-03-17")
    assert {group["value"]: group["customers"] for group in answer["groups"]} == {"paid search": 1, "unknown": 2}
    cohorts = await ask(shop, count=1, by="cohort", until="2024-03-17")
    assert {group["value"]: group["customers"] for group in cohorts["groups"]} == {"2024-03-04": 2, "2024-03-11": 1}


async def test_who_is_active(shop: Site) -> None:
    """New, kept and resurrected add up; days are local ones."""
    answer = await ask(shop, "/v1/active", period="week", until="2024-03-21")
    told = [
        (one["period"], one["active"], one["new"], one["kept"], one["resurrected"], one["ended"])
        for one in answer["periods"]
    ]
    assert told == [
        ("2024-03-04", 2, 2, 0, 0, True),
        ("2024-03-11", 2, 1, 1, 0, True),
        ("2024-03-18", 1, 0, 0, 1, True),
    ]
    first, _, last = answer["periods"]
    assert (first["days_active"], first["daily"], first["stickiness"]) == (1.5, 3 / 7, 3 / 14)
    assert last["daily"] == 1 / 7
    groups = await ask(shop, "/v1/active", period="week", by="channel", until="2024-03-21")
    assert {group["value"]: [line["active"] for line in group["periods"]] for group in groups["groups"]} == {
        "paid search": [1, 1, 0],
        "unknown": [1, 1, 1],
    }


async def test_csv_and_etag(shop: Site) -> None:
    """The same as lines for a spreadsheet; what has not changed is not sent again."""
    question = {"count": 2, "until": "2024-03-17"}
    answer = await shop.client.post("/v1/retention?format=csv", json=question)
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(line["cohort"], line["period"], line["came"]) for line in lines] == [
        ("2024-03-04", "0", "2"),
        ("2024-03-04", "1", "1"),
        ("2024-03-11", "0", "1"),
        ("2024-03-11", "1", "0"),
    ]
    again = {"If-None-Match": answer.headers["etag"]}
    assert (await shop.client.post("/v1/retention?format=csv", json=question, headers=again)).status_code == 304


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ({"start": {}}, "start"),
        ({"start": {"stage": "buyer"}}, "journey"),
        ({"journey": "shop", "start": {"stage": "byer"}}, "start.stage"),
        ({"return": {"properties": {"a": 1}}}, "return"),
        ({"by": "colour"}, "by"),
        ({"measure": "bracket"}, "brackets"),
        ({"brackets": [0, 1]}, "brackets"),
        ({"measure": "bracket", "brackets": [3, 1]}, "brackets"),
        ({"since": "yesterday"}, "since"),
    ],
)
async def test_what_cannot_be_asked_names_the_field(shop: Site, question: dict[str, Any], field: str) -> None:
    """With a message that says what to write."""
    answer = await ask(shop, status=400, **question)
    assert (answer["field"], answer["code"]) == (field, "invalid_parameter")
