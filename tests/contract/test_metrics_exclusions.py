"""Exclusions over HTTP, over both databases: looked at, made, shown, undone."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.store import admin
from shared.store.engine import writing
from tests.support.asking import Site, record, site

OFFICE = {"ips": ["203.0.113.0/24"]}


@pytest.fixture
async def shop(address: str | Path, tmp_path: Path) -> AsyncIterator[Site]:
    """A shop that one customer and one of the staff have visited."""
    async with site(address, tmp_path) as made:
        office: Any = {"context": {"ip": "203.0.113.7"}}
        await made.receive(
            record("1", "2026-01-01T10:00", type="page", user="ada"),
            record("2", "2026-01-01T11:00", type="page", user="staff", **office),
            record("3", "2026-01-01T12:00", name="Order Completed", user="staff", key=1, **office),
        )
        yield made


async def post(shop: Site, path: str, body: Any = None, status: int = 200) -> Any:
    """The JSON that a POST is answered with."""
    answer = await shop.client.post(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def stages(shop: Site) -> dict[str, int]:
    """Customers by stage."""
    answer = await shop.get("/v1/journeys/shop/stages")
    return {one["stage"]: one["customers"] for one in answer["stages"] if one["customers"]}


async def test_a_body_that_is_not_called_json(shop: Site) -> None:
    """What curl sends by itself is refused with the header that is missing; so is a body that is none."""
    for path in ("/v1/exclusions", "/v1/exclusions/preview", "/v1/retractions"):
        for kind, body in (("text/plain", b"{}"), ("application/json", b"filter"), ("application/json", b"[]")):
            answer = await shop.client.post(path, content=body, headers={"Content-Type": kind})
            assert answer.status_code == 400
            assert answer.json()["field"] == "body"
            assert answer.json()["message"] == "the body: send it as a JSON object, with Content-Type: application/json"


async def test_an_exclusion_is_looked_at_made_and_undone(shop: Site) -> None:
    """Those excluded leave the counts, stay in the history, and come back."""
    before = await stages(shop)
    looked = await post(shop, "/v1/exclusions/preview", OFFICE)
    assert (looked["touchpoints"], looked["customers"], looked["whole"]) == (2, 1, True)
    assert [one["id"] for one in looked["shown"]] == ["2", "3"]
    await shop.receive()
    assert await stages(shop) == before

    made = await post(shop, "/v1/exclusions", {"filter": OFFICE, "why": "Our office"}, 201)
    assert (made["number"], made["who"], made["done"], made["undone_at"]) == (1, "test", False, None)
    await shop.receive(record("4", "2026-01-02T12:00", type="page", user="new", context={"ip": "203.0.113.9"}))
    now = await stages(shop)
    assert sum(now.values()) == sum(before.values()) - 1
    history = await shop.get("/v1/customers/staff/journeys/shop/history")
    assert [one["excluded"] for one in history["touchpoints"]] == [True, True]
    assert history["moves"] == []
    assert (await shop.get("/v1/customers/new"))["journeys"][0]["stage"] is None
    (listed,) = (await shop.get("/v1/exclusions"))["items"]
    assert listed["filter"]["ips"] == OFFICE["ips"]
    assert (listed["why"], listed["done"]) == ("Our office", True)
    assert (await post(shop, "/v1/exclusions/preview", OFFICE))["touchpoints"] == 0

    assert (await post(shop, "/v1/exclusions/1/undo"))["undone_at"]
    await shop.receive()
    assert sum((await stages(shop)).values()) == sum(before.values()) + 1
    history = await shop.get("/v1/customers/staff/journeys/shop/history")
    assert [one["excluded"] for one in history["touchpoints"]] == [False, False]
    assert "exclusion" in {one["cause"] for one in history["moves"]}
    assert (await post(shop, "/v1/exclusions/1/undo", status=404))["code"] == "unknown_exclusion"


async def test_what_was_known_before_stays(shop: Site) -> None:
    """As known before the exclusion, its customers stood where they stood."""
    await post(shop, "/v1/exclusions", {"filter": {"ids": ["staff"]}, "why": "Staff"}, 201)
    await shop.receive()
    then: Any = {"at": "2026-01-02", "known_at": "2026-01-02"}
    answer = await shop.get("/v1/journeys/shop/stages", **then)
    assert sum(one["customers"] for one in answer["stages"]) == 2
    answer = await shop.get("/v1/journeys/shop/stages", at="2026-01-02")
    assert sum(one["customers"] for one in answer["stages"]) == 1


async def test_a_key_is_excluded_by_its_name(shop: Site) -> None:
    """The name stands for the numbers of all keys called so."""
    async with writing(shop.database) as db:
        await admin.create_write_key(db, 1, "staging")
    looked = await post(shop, "/v1/exclusions/preview", {"keys": ["staging"]})
    assert looked["touchpoints"] == 1
    made = await post(shop, "/v1/exclusions", {"filter": {"keys": ["staging"]}, "why": "Staging"}, 201)
    assert made["filter"]["keys"] == ["staging"]


@pytest.mark.parametrize(
    ("filter", "field"),
    [
        ({}, "filter"),
        ({"ips": ["nowhere"]}, "ips"),
        ({"keys": ["nobody's"]}, "keys"),
        ({"since": "yesterday"}, "since"),
        ({"colour": ["red"]}, "filter.colour"),
        ({"properties": {"n": 1 << 70}}, "properties"),
    ],
)
async def test_a_filter_that_cannot_be_is_refused(shop: Site, filter: Any, field: str) -> None:
    """With the field that is wrong, and nothing is made."""
    answer = await post(shop, "/v1/exclusions", {"filter": filter, "why": "Why"}, 400)
    assert answer["field"] == field
    assert (await shop.get("/v1/exclusions"))["items"] == []


async def test_a_browser_is_marked_by_a_link(shop: Site) -> None:
    """Opened with it, the browser's page views count for nothing; opened with `off`, all of them do again."""

    def page(id: str, day: str, query: str = "", **who: Any) -> Any:
        url = f"https://shop.example/{query}"
        return record(id, f"2026-01-{day}T10:00", type="page", anonymous="b1", context={"page": {"url": url}}, **who)

    await shop.receive(page("10", "03"), page("11", "04", user="boss"))
    before = await stages(shop)
    await shop.receive(page("12", "05", "?milepost_internal=on"))
    await shop.receive(page("13", "06", user="boss"))
    history = await shop.get("/v1/customers/boss/journeys/shop/history")
    assert [one["excluded"] for one in history["touchpoints"]] == [True, True]
    assert sum((await stages(shop)).values()) == sum(before.values()) - 2
    (listed,) = (await shop.get("/v1/exclusions"))["items"]
    assert (listed["filter"]["devices"], listed["who"], listed["done"]) == (["b1"], "the browser itself", True)

    await shop.receive(page("14", "07", "?milepost_internal=off"))
    assert await stages(shop) == before
    (listed,) = (await shop.get("/v1/exclusions"))["items"]
    assert listed["undone_at"] == "2026-01-07T10:00:00Z"
