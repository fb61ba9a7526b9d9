"""Visits over both databases, as a marketer asks for them over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.events import Record
from tests.support.asking import Site, record, site

HOME = {"page": {"url": "https://shop.example/home?utm_source=google&utm_medium=cpc"}}


def page(id: str, when: str, user: str, path: str = "/home", **more: Any) -> Record:
    """A page that somebody sees."""
    return record(id, when, user=user, type="page", context={"page": {"path": path}}, **more)


@pytest.fixture
async def shop(address: str | Path, tmp_path: Path) -> AsyncIterator[Site]:
    """Ada comes twice, Bob leaves at once, Cid stays on one page for a while, and a mail to Dan is no visit."""
    async with site(address, tmp_path, zone="Asia/Tehran") as made:
        await made.receive(
            record("a1", "2024-03-01T10:00", user="ada", type="page", context=HOME),
            page("a2", "2024-03-01T10:30", "ada", "/shoes"),
            record("a3", "2024-03-01T10:40", user="ada", name="Product Added"),
            page("a4", "2024-03-01T11:10:01", "ada"),
            page("b1", "2024-03-01T20:29:59", "bob", "/shoes"),
            page("c1", "2024-03-01T20:30", "cid", "/shoes", properties={"engagement_time_msec": 10_000}),
            record("d1", "2024-03-01T12:00", user="dan", name="Email Delivered"),
        )
        yield made


async def test_visits_are_counted(shop: Site) -> None:
    """A gap of exactly half an hour does not end a visit, a second more does; engagement is no bounce."""
    all_ = (await shop.get("/v1/visits"))["all"]
    assert (all_["visits"], all_["visitors"], all_["new"], all_["returning"]) == (4, 3, 3, 1)
    assert (all_["bounces"]["part"], all_["bounces"]["whole"]) == (2, 4)  # ada's second, and bob's
    assert (all_["mean_seconds"], all_["pages_per_visit"]) == (40 * 60 / 4, 5 / 4)


async def test_visits_by_landing_page_and_channel_add_up(shop: Site) -> None:
    """The first page of a visit, and how it came; what is not told is unknown."""
    by_landing = {line["value"]: line["visits"] for line in (await shop.get("/v1/visits", by="landing"))["lines"]}
    assert by_landing == {"/home": 2, "/shoes": 2}
    by_channel = (await shop.get("/v1/visits", by="channel"))["lines"]
    assert sum(line["visits"] for line in by_channel) == 4
    assert next(line for line in by_channel if line["value"] == "paid search")["visits"] == 1


async def test_visits_by_local_day(shop: Site) -> None:
    """20:30 in UTC is midnight in Tehran: the next day's."""
    lines = (await shop.get("/v1/visits", period="day"))["lines"]
    assert [(line["period"], line["visits"]) for line in lines] == [("2024-03-01", 3), ("2024-03-02", 1)]
    weeks = (await shop.get("/v1/visits", period="week", week="saturday"))["lines"]
    assert [(line["period"], line["visits"]) for line in weeks] == [("2024-02-24", 3), ("2024-03-02", 1)]
    assert (await shop.get("/v1/visits", since="2024-03-02"))["all"]["visits"] == 1


async def test_what_cannot_be_asked_names_the_field(shop: Site) -> None:
    """With what to write instead."""
    assert (await shop.get("/v1/visits", 400, by="colour"))["field"] == "by"
    assert (await shop.get("/v1/visits", 400, by="landing", period="day"))["field"] == "period"
    lines = await shop.client.get("/v1/visits", params={"by": "landing", "format": "csv"})
    assert lines.text.splitlines()[0].startswith("value,period,visits,visitors")
