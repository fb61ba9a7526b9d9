"""Statements taken back over HTTP, over both databases."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.asking import Site, record, site


@pytest.fixture
async def shop(address: str | Path, tmp_path: Path) -> AsyncIterator[Site]:
    """A shop where an alias has made Ada and Bob one customer, and both use one tablet."""
    async with site(address, tmp_path) as made:
        await made.receive(
            record("1", "2026-01-01T09:00", type="page", anonymous="tablet", user=None),
            record("2", "2026-01-01T10:00", type="page", user="ada"),
            record("3", "2026-01-01T11:00", name="Order Completed", user="bob"),
            record("4", "2026-01-01T12:00", type="identify", user="ada", anonymous="tablet"),
            record("5", "2026-01-01T13:00", type="alias", user="ada", previous="bob"),
        )
        yield made


async def post(shop: Site, path: str, body: Any = None, status: int = 200) -> Any:
    """The JSON that a POST is answered with."""
    answer = await shop.client.post(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def who(shop: Site, id: str) -> tuple[str, set[str], str | None]:
    """A customer's number, ids and stage."""
    found = await shop.get(f"/v1/customers/{id}")
    return found["customer"], {one["id"] for one in found["identifiers"]}, found["journeys"][0]["stage"]


async def test_an_alias_is_taken_back_and_made_again(shop: Site) -> None:
    """Asked for by their ids, both are again who they were before, and later one again."""
    together, ids, _ = await who(shop, "ada")
    assert ids == {"ada", "bob", "tablet"}
    stated = (await shop.get("/v1/customers/bob/statements"))["items"]
    assert [(one["message"], one["type"], one["joins"]) for one in stated] == [
        ("4", "identify", False),
        ("5", "alias", True),
    ]
    order = {"customer": "ada", "messages": ["5"], "why": "Somebody else's id"}
    made = await post(shop, "/v1/retractions", order, 201)
    assert [one["message"] for one in made["statements"]] == ["5"]
    await shop.receive()
    ada, bob = await who(shop, "ada"), await who(shop, "bob")
    assert ada[1] == {"ada", "tablet"}
    assert bob[1] == {"bob"}
    assert ada[0] != bob[0]
    assert ada[2] != bob[2]
    assert together in (ada[0], bob[0])
    (taken,) = (await shop.get("/v1/retractions"))["items"]
    assert (taken["done"], taken["who"], taken["why"]) == (True, "test", "Somebody else's id")
    assert (await shop.get("/v1/customers/ada/statements"))["items"][1]["retraction"] == made["number"]
    assert (await post(shop, "/v1/retractions", order, 409))["code"] == "taken_back"

    await post(shop, f"/v1/retractions/{made['number']}/undo")
    await shop.receive()
    assert (await who(shop, "ada"))[1] == ids
    assert (await who(shop, "bob"))[0] == (await who(shop, "ada"))[0]
    assert (await post(shop, f"/v1/retractions/{made['number']}/undo", status=404))["code"] == "unknown_retraction"


async def test_a_device_is_taken_from_its_user(shop: Site) -> None:
    """What it did without a user id is its own again; a later link holds as ever."""
    await post(shop, "/v1/retractions", {"customer": "tablet", "messages": ["4"], "why": "A shared tablet"}, 201)
    await shop.receive()
    assert (await who(shop, "tablet"))[1] == {"tablet"}
    assert (await who(shop, "ada"))[1] == {"ada", "bob"}
    await shop.receive(record("6", "2026-01-02T12:00", type="identify", user="carol", anonymous="tablet"))
    assert (await who(shop, "tablet"))[1] == {"tablet", "carol"}


async def test_what_is_no_statement_cannot_be_taken_back(shop: Site) -> None:
    """Neither a page, nor another customer's statement, nor nobody's."""
    for customer, messages, code in (
        ("ada", ["2"], "unknown_statement"),
        ("nobody", ["5"], "unknown_customer"),
        ("ada", ["5", "99"], "unknown_statement"),
    ):
        answer = await post(shop, "/v1/retractions", {"customer": customer, "messages": messages, "why": "x"}, 404)
        assert answer["code"] == code
    assert (await shop.get("/v1/retractions"))["items"] == []
