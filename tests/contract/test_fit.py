"""How a journey fits, over HTTP and as a metric, on both databases."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.journeys import templates
from tests.support.asking import Site, record, site

LIFECYCLE = templates.text("lifecycle")


@pytest.fixture
async def shop(address: str | Path, tmp_path: Path) -> AsyncIterator[Site]:
    """A shop with names of its own, in the built-in journey."""
    async with site(address, tmp_path, [LIFECYCLE]) as made:
        names = ["orderComplete"] * 3 + ["Zebra"] * 5 + ["Signup"] * 2 + ["Order Completed"]
        await made.receive(
            *(record(f"m{i}", f"2024-03-{1 + i:02}T10:00", name=name) for i, name in enumerate(names)),
            record("p", "2024-03-01T10:00", type="page", name="Home"),
        )
        yield made


async def test_what_no_rule_reads_and_what_to_bind(shop: Site) -> None:
    """Unread names with counts and times, what each probably means, silent roles and rules, and YAML to paste."""
    told = await shop.get("/v1/journeys/lifecycle/fit")
    assert (told["journey"], told["version"], told["touchpoints"], told["unread"]) == ("lifecycle", 1, 12, 3)
    names = {one["name"]: one for one in told["names"]}
    assert list(names) == ["Zebra", "orderComplete", "Signup"]
    assert (names["orderComplete"]["touchpoints"], names["orderComplete"]["probably"]["role"]) == (3, "purchase")
    assert (names["orderComplete"]["first_at"], names["Zebra"]["last_at"]) == (
        "2024-03-01T10:00:00Z",
        "2024-03-08T10:00:00Z",
    )
    assert names["Zebra"]["probably"] is None
    roles = {one["said"]: one["last_at"] for one in told["roles"]}
    assert (roles["purchase"], roles["sign-up"]) == ("2024-03-11T10:00:00Z", None)  # long ago, and never
    assert any(one["last_at"] is None for one in told["rules"])
    later = await shop.get("/v1/journeys/lifecycle/fit", days="36500", limit="1")
    assert "purchase" not in {one["said"] for one in later["roles"]}
    assert (len(later["names"]), later["unread"]) == (1, 3)


async def test_what_is_suggested_fits_once_it_is_pasted(shop: Site) -> None:
    """A draft with the suggested lines leaves only the name that nobody could guess; nothing was applied by itself."""
    before = await shop.get("/v1/journeys/lifecycle/fit")
    draft = LIFECYCLE + before["bindings"]
    told = (await shop.client.post("/v1/journeys/fit", content=draft)).json()
    assert ([one["name"] for one in told["names"]], told["version"]) == (["Zebra"], None)
    assert told["bindings"] == ""
    assert (await shop.get("/v1/journeys/lifecycle/fit")) == before


async def test_unread_names_are_a_metric(shop: Site) -> None:
    """By project and journey."""
    page = (await shop.client.get("/metrics")).text
    assert 'milepost_unread_names{journey="lifecycle",project="default"} 3.0' in page


async def test_what_cannot_be_asked(shop: Site) -> None:
    """A journey that there is not, a definition with faults, a number out of range."""
    assert (await shop.get("/v1/journeys/lifecicle/fit", 404))["code"] == "unknown_journey"
    assert (await shop.get("/v1/journeys/lifecycle/fit", 400, days="0"))["field"] == "days"
    assert (await shop.client.post("/v1/journeys/fit", content="journey: x")).status_code == 422
