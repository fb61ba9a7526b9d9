"""What is told in words over HTTP: *why* in the language asked for, and the schema that editors read."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from shared.journeys.schema import schema
from tests.support import asking
from tests.support.asking import Site, record, site


@pytest.fixture
async def shop(address: str | Path, tmp_path: Path) -> AsyncIterator[Site]:
    """A shop whose days are Tehran's."""
    async with site(address, tmp_path, zone="Asia/Tehran") as made:
        yield made


async def test_why_answers_in_the_language_asked_for(shop: Site) -> None:
    """Accept-Language chooses the words, the stages' titles and the calendar; what is not spoken is told in English."""
    await shop.receive(record("1", "2024-03-01T10:00", type="page"))
    path = "/v1/customers/u1/journeys/shop/why"
    persian = (await shop.client.get(path, headers={"Accept-Language": "fa-IR, en;q=0.5"})).json()
    assert persian["language"] == "fa"
    assert persian["reason"] == "به «بازدیدکننده» رسید، چون مشاهده‌ی صفحه رخ می‌دهد (مشاهده‌ی صفحه)."
    assert [(one["stage"], one["title"]) for one in persian["ahead"]] == [("buyer", "خریدار")]
    assert persian["ahead"][0]["missing"] == "«\u2068Order Completed\u2069» رخ می‌دهد."
    arabic = (await shop.client.get(path, headers={"Accept-Language": "ar"})).json()
    assert (arabic["language"], arabic["reason"][-1]) == ("ar", ".")
    other = (await shop.client.get(path, headers={"Accept-Language": "tlh"})).json()
    assert other["language"] == "en"
    assert other["reason"] == "Entered “Visitor”, because a page view happens (a page view)."


async def test_what_is_next_is_told_in_the_projects_zone(shop: Site) -> None:
    """The sentence of the next timer has the day and the hour of the project."""
    await shop.receive(record("1", "2024-03-01T22:00", name="Order Completed"))
    why = await shop.get("/v1/customers/u1/journeys/shop/why", at="2024-03-03")
    assert why["next"]["at"] == "2024-03-31T22:00:00Z"
    assert why["next"]["sentence"].startswith("On Monday, 1 April 2024, 01:30 time alone leads to “gone”")


async def test_the_schema_asks_for_no_token(shop: Site) -> None:
    """An editor gets the schema of definitions without a token, and may keep it for a while."""
    async with asking.client(shop.app()) as editor:
        answer = await editor.get("/v1/journeys/schema.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/schema+json")
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert answer.json() == schema()
    Draft7Validator.check_schema(answer.json())
