"""Funnels over both databases, as a marketer asks for them over HTTP."""

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.asking import Site, record, site


@pytest.fixture
async def shop(address: str | Path, tmp_path: Path) -> AsyncIterator[Site]:
    """A shop in which three look, two put something into a cart, and one buys; one came by an advert."""
    async with site(address, tmp_path) as made:
        advert = {"page": {"url": "https://shop.example/?utm_source=google&utm_medium=cpc"}}
        await made.receive(
            record("a1", "2024-03-01T10:00", user="ada", type="page", name="Home", context=advert),
            record("a2", "2024-03-01T10:10", user="ada", name="Product Viewed"),
            record("a3", "2024-03-01T10:20", user="ada", name="Product Added"),
            record("a4", "2024-03-02T10:20", user="ada", name="Order Completed"),
            record("b1", "2024-03-03T09:00", user="bob", name="Product Viewed"),
            record("b2", "2024-03-03T09:30", user="bob", name="Product Added"),
            record("b3", "2024-03-03T09:40", user="bob", type="page", name="Shipping Costs"),
            record("c1", "2024-03-04T09:00", user="cid", name="Product Viewed"),
            record("c2", "2024-03-20T09:00", user="cid", name="Product Added"),
        )
        yield made


STEPS: list[dict[str, Any]] = [
    {"touchpoint": {"role": "product-view"}},
    {"touchpoint": {"name": "product added"}},
    {"touchpoint": {"role": "purchase"}},
]


async def ask(shop: Site, status: int = 200, **question: Any) -> Any:
    """The answer to a funnel."""
    answer = await shop.client.post("/v1/funnels", json={"steps": STEPS, "window": "7d"} | question)
    assert answer.status_code == status, answer.text
    return answer.json()


def reached(answer: Any) -> list[int]:
    """How many reached each step."""
    return [step["customers"] for step in answer["steps"]]


async def test_a_funnel_tells_how_many_went_how_far(shop: Site) -> None:
    """Numbers, shares with their interval, median times, and after what the others stayed away."""
    answer = await ask(shop)
    assert reached(answer) == [3, 2, 1]
    viewed, added, bought = answer["steps"]
    assert (viewed["title"], viewed["of_first"]["share"], viewed["lost"]) == ("product-view", 1.0, 1)
    assert (added["of_first"]["part"], added["of_first"]["whole"]) == (2, 3)
    assert added["of_first"]["low"] == pytest.approx(0.2077, abs=1e-4)
    assert added["median_from_previous"] == 20 * 60
    assert bought["median_from_first"] == 86_400 + 10 * 60
    assert added["lost_after"] == [["Shipping Costs", 1]]
    assert (answer["touchpoints"], answer["customers"], answer["time_zone"]) == (9, 3, "UTC")


async def test_the_window_the_period_and_the_order(shop: Site) -> None:
    """A longer window takes in the late one; the period is of the first step; neighbours are strict."""
    assert reached(await ask(shop, window="30d")) == [3, 3, 1]
    assert reached(await ask(shop, since="2024-03-02", until="2024-03-03")) == [1, 1, 0]
    assert reached(await ask(shop, order="strict")) == [3, 2, 1]
    assert reached(await ask(shop, order="any", steps=STEPS[::-1])) == [3, 2, 1]
    assert reached(await ask(shop, without={"name": "Shipping Costs"}, steps=[STEPS[0], STEPS[2]])) == [3, 1]


async def test_groups_add_up(shop: Site) -> None:
    """By the channel of the first visit that tells one; who has none is unknown."""
    answer = await ask(shop, by="channel")
    groups = {group["value"]: reached(group) for group in answer["groups"]}
    assert groups == {"paid search": [1, 1, 1], "unknown": [2, 1, 0]}
    assert [sum(column) for column in zip(*groups.values(), strict=True)] == reached(answer)


async def test_the_answer_tells_its_time_as_instants(shop: Site) -> None:
    """A date that was asked with is told as the instant that it stands for."""
    answer = await ask(shop, since="2024-03-02", until="2024-03-03")
    assert (answer["since"], answer["until"]) == ("2024-03-02T00:00:00Z", "2024-03-03T23:59:59.999999Z")


async def test_groups_may_be_of_the_start_or_the_cohort(shop: Site) -> None:
    """What holds when the funnel begins, and the period first seen in, group as in every other question."""
    entered = await ask(shop, by="channel", moment="entered")
    assert {group["value"]: reached(group)[0] for group in entered["groups"]} == {"paid search": 1, "unknown": 2}
    cohorts = await ask(shop, by="cohort")
    assert {group["value"]: reached(group) for group in cohorts["groups"]} == {"2024-03": [3, 2, 1]}


async def test_stages_are_steps(shop: Site) -> None:
    """The entry into a stage is a step, alone or between touchpoints."""
    answer = await ask(shop, journey="shop", steps=[{"stage": "visitor"}, {"stage": "buyer"}], window=None)
    assert reached(answer) == [2, 1]
    mixed = [{"stage": "visitor"}, {"touchpoint": {"role": "product-view"}}, {"stage": "buyer"}]
    assert reached(await ask(shop, journey="shop", steps=mixed)) == [2, 1, 1]
    assert (answer["journey"], answer["version"]) == ("shop", 1)


async def behind(shop: Site, status: int = 200, **question: Any) -> Any:
    """The answer to who is behind a funnel's number."""
    asked = {"steps": STEPS, "window": "7d"} | question
    answer = await shop.client.post("/v1/funnels/customers", json=asked)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_who_is_behind_a_step(shop: Site) -> None:
    """As many as the funnel says, of each group, and of those lost; since when they were there; page by page."""
    for more in ({}, {"order": "strict"}, {"order": "any"}, {"by": "channel"}, {"start": "first", "window": None}):
        told = await ask(shop, **more)
        groups = [(None, told), *((group["value"], group) for group in told["groups"])]
        for group, steps in groups:
            for number, step in enumerate(steps["steps"], 1):
                found = await behind(shop, step=number, group=group, **more)
                assert found["total"] == len({one["customer"] for one in found["items"]}) == step["customers"]
                assert (await behind(shop, step=number, group=group, lost=True, **more))["total"] == step["lost"]
    (bob,) = (await behind(shop, step=2, lost=True))["items"]
    assert (bob["by"], bob["id"], bob["since"]) == ("user", "bob", "2024-03-03T09:30:00Z")
    asked = {"steps": STEPS, "step": 1}
    path, ids = "/v1/funnels/customers?limit=1&format=csv", list[str]()
    while path:
        answer = await shop.client.post(path, json=asked)
        ids += [line["id"] for line in csv.DictReader(io.StringIO(answer.text))]
        path = answer.headers.get("link", "").partition("<")[2].partition(">")[0]
    assert sorted(ids) == ["ada", "bob", "cid"]
    assert (await behind(shop, 400, step=4))["field"] == "step"
    assert (await behind(shop, 400, step=1, group="email"))["field"] == "group"


async def test_csv_and_etag(shop: Site) -> None:
    """The same as lines for a spreadsheet; an answer that has not changed is not sent again."""
    question = {"steps": STEPS, "by": "channel"}
    answer = await shop.client.post("/v1/funnels", json=question, headers={"Accept": "text/csv"})
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert [line["customers"] for line in lines if line["channel"] == "paid search"] == ["1", "1", "1"]
    again = {"Accept": "text/csv", "If-None-Match": answer.headers["etag"]}
    assert (await shop.client.post("/v1/funnels", json=question, headers=again)).status_code == 304


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ({"window": "a week"}, "window"),
        ({"steps": [{}]}, "steps[0]"),
        ({"steps": [{"stage": "buyer"}]}, "journey"),
        ({"journey": "shop", "steps": [{"stage": "byer"}]}, "steps[0].stage"),
        ({"steps": [{"touchpoint": {"nam": "x"}}]}, "steps[0].touchpoint"),
        ({"steps": [{"touchpoint": {"properties": {"a": 1}}}]}, "steps[0].touchpoint"),
        ({"by": "colour"}, "by"),
        ({"order": "any", "open": True}, "order"),
        ({"since": "yesterday"}, "since"),
    ],
)
async def test_what_cannot_be_asked_names_the_field(shop: Site, question: dict[str, Any], field: str) -> None:
    """With a message that says what to write."""
    answer = await ask(shop, 400, **question)
    assert (answer["field"], answer["code"]) == (field, "invalid_parameter")
