"""Stage counts by what customers differ in, over both databases: they add up to the sums that the store keeps."""

import asyncio
import csv
import io
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from shared.events import DAY, Record
from tests.support.asking import SHOP, Site, at, record, site

STAGES = "/v1/journeys/shop/stages"
PATH = f"{STAGES}/breakdown"

PERSONAS = """
personas:
  - {persona: owner, when: {role: [owner, founder]}}
  - {persona: team, when: {size: {at_least: 10}, role: {exists: true}}}
"""
EMAIL = {"page": {"url": "https://shop.example/?utm_source=news&utm_medium=email&utm_campaign=nowruz"}}
ADVERT = {"page": {"url": "https://shop.example/?utm_source=google&utm_medium=cpc"}}


@pytest.fixture
async def shop(address: str | Path, tmp_path: Path) -> AsyncIterator[Site]:
    """Ada comes by an advert and buys after a mail; Bob comes by mail; of Cid nothing is told."""
    async with site(address, tmp_path, [SHOP + PERSONAS]) as made:
        await made.receive(
            record("a1", "2024-03-01T10:00", user="ada", type="page", name="Home", context=ADVERT),
            record("a2", "2024-03-02T10:00", user="ada", type="identify", traits={"role": "Owner", "size": 3}),
            record("a3", "2024-03-03T10:00", user="ada", type="page", name="Offer", context=EMAIL),
            record("a4", "2024-03-03T11:00", user="ada", name="Order Completed"),
            record("b1", "2024-03-02T12:00", user="bob", type="page", name="Home", context=EMAIL),
            record("b2", "2024-03-02T12:01", user="bob", type="identify", traits={"role": "sales", "size": 12.0}),
            record("b3", "2024-03-10T12:01", user="bob", type="identify", traits={"role": None}),
            record("c1", "2024-03-03T12:00", user="cid", type="page", name="Home"),
        )
        yield made


async def ask(shop: Site, *by: str, **asked: str) -> Any:
    """The answer to a breakdown."""
    answer = await shop.client.get(PATH, params={"by": list(by), **asked})
    assert answer.status_code == 200, answer.text
    return answer.json()


def told(answer: Any, point: int = 0) -> dict[tuple[str, ...], dict[str, int]]:
    """Who stands where by their values; nobody is left out."""
    groups = answer["points"][point]["groups"]
    return {tuple(one["values"]): {name: n for name, n in one["stages"].items() if n} for one in groups}


THEN = "2024-03-05"


async def test_each_moment_tells_another_value(shop: Site) -> None:
    """The first touchpoint's channel, that of the entry into the stage, the last one's; none is unknown."""
    won = await ask(shop, "channel", at=THEN)
    assert told(won) == {("paid search",): {"buyer": 1}, ("email",): {"visitor": 1}, ("unknown",): {"visitor": 1}}
    assert (won["moments"], won["version"], won["points"][0]["total"]) == (["acquired"], 1, 3)
    entered = await ask(shop, "channel", at="2024-03-03T10:30:00Z", moment="entered")
    assert told(entered) == {("paid search",): {"visitor": 1}, ("email",): {"visitor": 1}}
    latest = await ask(shop, "channel", at="2024-03-03T10:30:00Z", moment="latest")
    assert told(latest) == {("email",): {"visitor": 2}}


async def test_two_dimensions_are_a_table(shop: Site) -> None:
    """Each with its own default moment, as JSON and as lines."""
    answer = await ask(shop, "campaign", "trait:role", at=THEN)
    assert told(answer) == {
        ("nowruz", "Owner"): {"buyer": 1},
        ("nowruz", "sales"): {"visitor": 1},
        ("unknown", "unknown"): {"visitor": 1},
    }
    lines = await shop.client.get(PATH, params={"by": ["campaign", "trait:role"], "at": THEN, "format": "csv"})
    found = [line for line in csv.DictReader(io.StringIO(lines.text)) if line["customers"] != "0"]
    assert [(line["campaign"], line["trait:role"], line["stage"]) for line in found] == [
        ("nowruz", "Owner", "buyer"),
        ("nowruz", "sales", "visitor"),
        ("unknown", "unknown", "visitor"),
    ]


async def test_personas_and_traits_are_those_of_the_instant(shop: Site) -> None:
    """Before Ada had said who she is nobody knew; Bob is no team any more since his role was taken away."""
    assert told(await ask(shop, "persona", at="2024-03-02T09:00:00Z")) == {("unknown",): {"visitor": 1}}
    then = {("owner",): {"buyer": 1}, ("team",): {"visitor": 1}, ("unknown",): {"visitor": 1}}
    assert told(await ask(shop, "persona", at=THEN)) == then
    later = await ask(shop, "persona", at="2024-03-11")
    assert told(later) == {("owner",): {"buyer": 1}, ("unknown",): {"visitor": 2}}
    sizes = await ask(shop, "trait:size", at=THEN)
    assert told(sizes) == {("3",): {"buyer": 1}, ("12",): {"visitor": 1}, ("unknown",): {"visitor": 1}}


async def test_who_is_behind_a_count(shop: Site) -> None:
    """By stage alone and by values, whether they are named or not; since when they are there."""
    path = f"{STAGES}/visitor/customers"
    everybody = await shop.get(path, at=THEN)
    assert [(one["id"], one["since"]) for one in everybody["items"]] == [
        ("bob", "2024-03-02T12:00:00Z"),
        ("cid", "2024-03-03T12:00:00Z"),
    ]
    asked: dict[str, Any] = {"at": THEN, "by": ["channel", "trait:size"], "value": ["email", "12"]}
    answer = (await shop.client.get(path, params=asked)).json()
    assert ([one["id"] for one in answer["items"]], answer["total"]) == (["bob"], 1)
    asked["value"] = ["unknown", "unknown"]
    assert [one["id"] for one in (await shop.client.get(path, params=asked)).json()["items"]] == ["cid"]


def crowd(chance: random.Random) -> list[Record]:
    """People who come by this and that, share devices, sign in, buy, are joined; some are bots, some late."""
    made = []
    for number in range(80):
        when = at("2024-01-01T00:00") + chance.randrange(100) * DAY + chance.randrange(DAY)
        who = {"user": f"u{chance.randrange(8)}"} if chance.random() < 0.6 else {}
        if not who or chance.random() < 0.3:
            who |= {"anonymous": f"d{chance.randrange(5)}"}
        context = chance.choice([{}, EMAIL, ADVERT, {"device": {"type": chance.choice(["desktop", "mobile"])}}])
        kind = chance.choice(["page", "track", "identify"]) if "user" in who else chance.choice(["page", "track"])
        name = {"track": chance.choice(["Order Completed", "Looked"]), "page": "Home"}.get(kind)
        one = record(f"m{number}", "2024-06-01T00:00", type=kind, name=name, context=context, **who)
        made.append(replace(one, at=when, excluded=chance.random() < 0.1))
    made.append(record("alias", "2024-06-02T00:00", type="alias", user="u2", previous="u1"))
    return made


@pytest.mark.parametrize("seed", range(3))
async def test_values_add_up_to_the_sums_that_the_store_keeps(shop: Site, seed: int) -> None:
    """Whatever is asked by, whichever the moment, now and at any instant, and at each point of a series."""
    await shop.receive(*crowd(random.Random(seed)))
    for by in (["channel"], ["device"], ["persona"], ["country", "name"], ["trait:role", "campaign"]):
        for moment in ("acquired", "entered", "latest"):
            answer = await ask(shop, *by, moment=moment, period="month", since="2024-01-01", until="2024-05-15")
            now = await ask(shop, *by, moment=moment)
            series = await shop.get(f"{STAGES}/series", period="month", since="2024-01-01", until="2024-05-15")
            assert [point["at"] for point in answer["points"]] == [point["at"] for point in series["points"]]
            (last,) = now["points"]
            stages = await shop.get(STAGES, at=last["at"])
            stored = {one["stage"]: one["customers"] for one in stages["stages"]}
            then = {"stages": stored, "none": stages["none"], "total": stages["total"]}
            for point, sums in [*zip(answer["points"], series["points"], strict=True), (last, then)]:
                assert point["total"] == sums["total"]
                assert sum(one["none"] for one in point["groups"]) == sums["none"]
                for stage, n in sums["stages"].items():
                    assert sum(one["stages"][stage] for one in point["groups"]) == n
        for one in last["groups"]:
            asked: dict[str, Any] = {"at": last["at"], "by": by, "value": one["values"], "moment": moment}
            behind = (await shop.client.get(f"{STAGES}/visitor/customers", params=asked)).json()
            assert behind["total"] == len(behind["items"]) == one["stages"]["visitor"]


async def test_who_was_placed_and_did_nothing_that_counts_is_counted(shop: Site) -> None:
    """The store counts them, so they are there, unknown."""
    answer = await shop.client.post(
        "/v1/customers/cid/journeys/shop/place", json={"stage": "buyer", "why": "paid in cash"}
    )
    assert answer.status_code == 202
    await shop.receive(record("x", "2024-03-04T10:00", user="bob", name="Looked"))
    exclusion = {"filter": {"messages": ["c1"]}, "why": "a colleague"}
    assert (await shop.client.post("/v1/exclusions", json=exclusion)).status_code == 201
    placed = answer.json()["at"]
    async with asyncio.timeout(20):
        while (await shop.get(STAGES))["freshness"] <= placed:  # until the stager's clock has gone on
            await shop.receive(record("y", "2024-03-04T11:00", user="bob", name="Looked"))
    answer = await ask(shop, "channel", "trait:role")
    assert told(answer)["unknown", "unknown"]["buyer"] == 1
    stages = await shop.get(STAGES, at=answer["points"][0]["at"])
    assert (answer["points"][0]["total"], answer["customers"]) == (stages["total"], 2)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"by": "colour"}, "by"),
        ({"by": ["channel", "channel"]}, "by"),
        ({"by": ["channel", "name", "city"]}, "by"),
        ({}, "by"),
        ({"by": "channel", "moment": "first"}, "moment"),
        ({"by": "channel", "at": "then"}, "at"),
        ({"by": "channel", "since": "2024-01-01"}, "period"),
        ({"by": "channel", "at": "2024-01-01", "period": "day"}, "at"),
        ({"by": "channel", "since": "2023-01-01", "period": "day"}, "since"),
    ],
)
async def test_what_cannot_be_asked_names_the_field(shop: Site, asked: dict[str, Any], field: str) -> None:
    """With a message that says what to write."""
    answer = await shop.client.get(PATH, params=asked)
    assert (answer.status_code, answer.json()["field"], answer.json()["code"]) == (400, field, "invalid_parameter")


async def test_a_journey_without_personas_has_none_to_ask_by(address: str | Path, tmp_path: Path) -> None:
    """The answer says where they are listed; so it does of a value that is missing."""
    async with site(address, tmp_path) as made:
        answer = await made.get(PATH, 400, by="persona")
        assert (answer["field"], "personas:" in answer["message"]) == ("by", True)
        assert (await made.get(f"{STAGES}/visitor/customers", 400, by="channel"))["field"] == "value"
