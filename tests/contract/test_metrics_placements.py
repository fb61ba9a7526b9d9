"""Placing by hand over both databases: what a placement becomes with all else that is known of the customer."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.metrics.app import build_metrics
from shared.settings import Settings
from tests.support.asking import Site, client, record, site
from tests.support.journeys import teller

PLACE = {"stage": "buyer", "why": "Paid in the store"}


@pytest.fixture
async def shop(address: str | Path, tmp_path: Path) -> AsyncIterator[Site]:
    """A shop where somebody has just looked at a page, on a device."""
    async with site(address, tmp_path) as made:
        await made.receive(record("1", ago(60), anonymous="dev", type="page"))
        yield made


def ago(seconds: float) -> str:
    """So long before now."""
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


async def place(shop: Site, customer: str, status: int = 202, **body: str) -> Any:
    """Places in the shop's journey, and stages it."""
    answer = await shop.client.post(f"/v1/customers/{customer}/journeys/shop/place", json=body or PLACE)
    assert answer.status_code == status, answer.text
    await shop.receive()
    return answer.json()


async def moves(shop: Site, customer: str) -> list[tuple[str | None, str, str]]:
    """From where, to where and why the customer has moved."""
    history = await shop.get(f"/v1/customers/{customer}/journeys/shop/history")
    return [(move["from"], move["to"], move["cause"]) for move in history["moves"]]


async def test_it_belongs_to_whom_the_customer_turns_out_to_be(shop: Site) -> None:
    """A device is placed; when its user is known, the user stands there, and the device is nobody of its own."""
    await place(shop, "dev")
    assert await moves(shop, "dev") == [(None, "visitor", "live"), ("visitor", "buyer", "manual")]
    await shop.receive(record("2", ago(0), anonymous="dev", user="ada", type="identify"))
    assert [(source, target) for source, target, _ in await moves(shop, "ada")] == [
        (None, "visitor"),
        ("visitor", "buyer"),
    ]
    assert (await shop.get("/v1/customers/dev"))["customer"] == (await shop.get("/v1/customers/ada"))["customer"]


async def test_what_comes_late_is_set_before_it(shop: Site) -> None:
    """A purchase of before leads to where the customer was placed then: the placement moves nobody any more."""
    await place(shop, "dev")
    await shop.receive(record("2", ago(30), ago(0), anonymous="dev", name="Order Completed"))
    assert await moves(shop, "dev") == [(None, "visitor", "live"), ("visitor", "buyer", "late")]


async def test_where_somebody_stands_already(shop: Site) -> None:
    """It is kept, and nobody moves; to be placed in none is to leave."""
    await place(shop, "dev", stage="visitor", why="Met at the fair")
    assert await moves(shop, "dev") == [(None, "visitor", "live")]
    assert (await shop.get("/v1/customers/dev"))["touchpoints"] == 2
    await place(shop, "dev", stage="none", why="Asked to be left alone")
    assert (await moves(shop, "dev"))[-1] == ("visitor", "none", "manual")


async def test_in_the_language_of_who_asks(shop: Site) -> None:
    """Why names who placed and the reason, as they were written."""
    await place(shop, "dev", why="در فروشگاه خرید", stage="buyer")
    for language in ("en", "fa", "ar"):
        path = "/v1/customers/dev/journeys/shop/why"
        why = (await shop.client.get(path, headers={"Accept-Language": language})).json()
        assert "در فروشگاه خرید" in why["reason"]
        assert "test" in why["reason"]


async def test_without_a_log(shop: Site) -> None:
    """A service that has no log says so, and nothing is placed."""
    app = build_metrics(shop.store, shop.database, None, Settings(), teller())
    async with client(app, shop.token) as asker:
        answer = await asker.post("/v1/customers/dev/journeys/shop/place", json=PLACE)
    assert (answer.status_code, answer.json()["code"]) == (503, "log_unavailable")
