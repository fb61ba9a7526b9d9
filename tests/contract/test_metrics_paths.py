"""Paths over both databases, as a marketer asks for them over HTTP."""

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.asking import Site, record, site


@pytest.fixture
async def shop(address: str | Path, tmp_path: Path) -> AsyncIterator[Site]:
    """Ada looks, sees an offer, looks again and buys a day later; Bob looks and leaves; Cid only signs in."""
    async with site(address, tmp_path) as made:
        advert = {"page": {"url": "https://shop.example/?utm_source=google&utm_medium=cpc"}}
        await made.receive(
            record("a1", "2024-03-01T10:00", user="ada", type="page", name="Home", context=advert),
            record("a2", "2024-03-01T10:10", user="ada", name="Offer Seen"),
            record("a3", "2024-03-01T10:40", user="ada", type="page", name="home"),
            record("a4", "2024-03-02T10:40", user="ada", name="Order Completed"),
            record("b1", "2024-03-03T10:00", user="bob", type="page", name="Home"),
            record("b2", "2024-03-03T10:30", user="bob", name="Offer Seen"),
            record("c1", "2024-03-04T10:00", user="cid", type="identify"),
        )
        yield made


async def test_what_follows_what(shop: Site) -> None:
    """Neighbours of one customer, names that compare as equal being one; gaps in seconds."""
    answer = await shop.get("/v1/paths/follows")
    told = [(one["from"], one["to"], one["count"], one["median"], one["mean"]) for one in answer["lines"]]
    assert told == [
        ("Home", "Offer Seen", 2, 1200.0, 1200.0),
        ("Home", "Order Completed", 1, 86400.0, 86400.0),
        ("Offer Seen", "Home", 1, 1800.0, 1800.0),
    ]
    assert answer["sequences"] == 3
    visits = await shop.get("/v1/paths/follows", visits="true")
    assert [(one["from"], one["to"], one["count"]) for one in visits["lines"]] == [
        ("Home", "Offer Seen", 2),
        ("Offer Seen", "Home", 1),
    ]
    assert visits["sequences"] == 3  # Ada came twice, Bob once; to sign in is no act
    stages = await shop.get("/v1/paths/follows", of="stages", journey="shop")
    assert [(one["from"], one["to"], one["count"]) for one in stages["lines"]] == [
        ("visitor", "buyer", 1),
        ("buyer", "gone", 1),
    ]


async def test_whole_paths(shop: Site) -> None:
    """Each customer once; a touchpoint without a name is told by its type; groups add up."""
    answer = await shop.get("/v1/paths/variants", by="channel")
    told = {tuple(one["steps"]): one["share"]["part"] for one in answer["lines"]}
    assert told == {
        ("Home", "Offer Seen", "Home", "Order Completed"): 1,
        ("Home", "Offer Seen"): 1,
        ("(identify)",): 1,
    }
    assert {group["value"]: group["sequences"] for group in answer["groups"]} == {"paid search": 1, "unknown": 2}
    cut = await shop.get("/v1/paths/variants", acts="true", until="2024-03-01")
    assert [(one["steps"], one["share"]["whole"]) for one in cut["lines"]] == [(["Home", "Offer Seen", "Home"], 1)]


async def test_what_comes_again(shop: Site) -> None:
    """With something else between, for one of three."""
    answer = await shop.get("/v1/paths/loops")
    assert [(one["name"], one["share"]["part"], one["share"]["whole"]) for one in answer["lines"]] == [("Home", 1, 3)]


async def test_steps_for_a_sankey_diagram(shop: Site) -> None:
    """From the beginning; after the first of a name; before the last; rare names are told together."""
    answer = await shop.get("/v1/paths/steps", after="HOME", steps="2")
    assert answer["counted"] == 2
    assert [(one["step"], one["name"], one["count"]) for one in answer["nodes"]] == [
        (0, "Home", 2),
        (1, "Offer Seen", 2),
        (2, None, 1),
        (2, "Home", 1),
    ]
    assert {(one["step"], one["from"], one["to"], one["count"]) for one in answer["links"]} == {
        (0, "Home", "Offer Seen", 2),
        (1, "Offer Seen", None, 1),
        (1, "Offer Seen", "Home", 1),
    }
    before = await shop.get("/v1/paths/steps", before="Order Completed", steps="4", top="1")
    assert [(one["step"], one["name"]) for one in before["nodes"]] == [
        (-4, None),
        (-3, "Home"),
        (-2, "other"),
        (-1, "Home"),
        (0, "Order Completed"),
    ]
    first = await shop.get("/v1/paths/steps", steps="1", by="channel")
    assert [(one["name"], one["count"]) for one in first["nodes"]] == [("Home", 2), ("(identify)", 1)]
    assert {group["value"]: group["counted"] for group in first["groups"]} == {"paid search": 1, "unknown": 2}
    stages = await shop.get("/v1/paths/steps", of="stages", journey="shop", after="buyer", steps="1")
    assert [(one["from"], one["to"]) for one in stages["links"]] == [("buyer", "gone")]


async def test_csv_and_etag(shop: Site) -> None:
    """The same as lines for a spreadsheet; what has not changed is not sent again."""
    path = "/v1/paths/steps?after=Home&steps=1"
    answer = await shop.client.get(path, headers={"Accept": "text/csv"})
    (line,) = csv.DictReader(io.StringIO(answer.text))
    assert line == {"step": "0", "from": "Home", "to": "Offer Seen", "count": "2"}
    again = {"Accept": "text/csv", "If-None-Match": answer.headers["etag"]}
    assert (await shop.client.get(path, headers=again)).status_code == 304
    for kind, first in (("follows", "channel,from,to"), ("variants", "channel,steps"), ("loops", "channel,name")):
        assert (await shop.client.get(f"/v1/paths/{kind}?format=csv&by=channel")).text.startswith(first)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/paths/follows?of=stages", "journey"),
        ("/v1/paths/follows?of=stages&journey=shop&visits=true", "visits"),
        ("/v1/paths/variants?limit=0", "limit"),
        ("/v1/paths/loops?by=colour", "by"),
        ("/v1/paths/steps?after=Home&before=Home", "before"),
        ("/v1/paths/steps?of=stages&journey=shop&after=byer", "after"),
        ("/v1/paths/steps?since=soon", "since"),
        ("/v1/paths/steps?afetr=Home", "afetr"),
    ],
)
async def test_what_cannot_be_asked_names_the_field(shop: Site, path: str, field: str) -> None:
    """With a message that says what to write."""
    answer: Any = await shop.client.get(path)
    assert (answer.status_code, answer.json()["field"]) == (400, field)
