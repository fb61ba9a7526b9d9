"""A journey's versions over HTTP: one is published beside the other, each can be asked, one of them answers."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.asking import SHOP, Site, record, site

GUESTS = SHOP.replace("visitor", "guest")
URL = "/v1/journeys/shop"


@pytest.fixture
async def shop(address: str | Path, tmp_path: Path) -> AsyncIterator[Site]:
    """A shop with a visitor and a buyer."""
    async with site(address, tmp_path) as made:
        await made.receive(
            record("1", "2024-03-01T10:00", type="page"),
            record("2", "2024-03-01T11:00", name="Order Completed", user="u2"),
        )
        yield made


async def post(shop: Site, path: str, status: int = 200, text: str = "", **params: str) -> Any:
    """The JSON that a POST is answered with."""
    answer = await shop.client.post(f"{URL}/{path}", params=params, content=text.encode())
    assert answer.status_code == status, answer.text
    return answer.json()


async def standings(shop: Site) -> dict[int, tuple[str, bool]]:
    """What each version is, and whether it answers."""
    found = await shop.get(f"{URL}/versions")
    return {one["version"]: (one["state"], one["answers"]) for one in found["versions"]}


async def stages(shop: Site, **params: str) -> tuple[int, dict[str, int]]:
    """The version that answered, and its stages with somebody in them."""
    found = await shop.get(f"{URL}/stages", 200, **params)
    return found["version"], {one["stage"]: one["customers"] for one in found["stages"] if one["customers"]}


async def test_the_former_version_answers_until_all_are_filled(shop: Site) -> None:
    """Both can be asked meanwhile; how many are left is told; the new one takes over by itself."""
    told = await post(shop, "publish", 201, GUESTS)
    assert [(one["state"], one["left"]) for one in told["versions"]] == [("current", 0), ("filling", 2)]
    assert told["versions"][1]["progress"] == 0
    assert await stages(shop) == (1, {"visitor": 1, "gone": 1})
    assert await stages(shop, version="2") == (2, {})
    assert (await shop.get(f"{URL}/stages", version="2"))["behind"] == 2
    assert (await shop.get(f"{URL}/stages"))["behind"] == 0
    await shop.receive()
    assert await standings(shop) == {1: ("standing", False), 2: ("current", True)}
    (_, filled) = (await shop.get(f"{URL}/versions"))["versions"]
    assert (filled["progress"], filled["filled"], filled["left"]) == (1, 2, 0)
    assert await stages(shop) == (2, {"guest": 1, "gone": 1})
    assert await stages(shop, version="1") == (1, {"visitor": 1, "gone": 1})


async def test_a_version_that_does_not_answer_is_kept_up_to_date(shop: Site) -> None:
    """After a rollback, which writes nothing, it is as if it had answered all the time."""
    await post(shop, "publish", 201, GUESTS)
    await shop.receive(record("3", "2024-03-02T10:00", name="Order Completed"))
    entries = (await shop.get(f"{URL}/transitions", version="1"))["items"]
    await post(shop, "rollback")
    assert await standings(shop) == {1: ("current", True), 2: ("standing", False)}
    assert await stages(shop) == (1, {"gone": 2})
    assert (await shop.get(f"{URL}/transitions"))["items"] == entries
    assert {one["cause"] for one in entries} == {"live", "timer"}
    published = (await shop.get(f"{URL}/transitions", version="2"))["items"]
    assert {one["cause"] for one in published} == {"backfill"}
    await post(shop, "rollback", version="2")
    assert (await stages(shop))[0] == 2


async def test_one_customer_in_both_versions(shop: Site) -> None:
    """History and why are told of the version asked."""
    await post(shop, "publish", 201, GUESTS)
    await shop.receive()
    for number, stage in (("1", "visitor"), ("2", "guest")):
        history = await shop.get("/v1/customers/u1/journeys/shop/history", version=number)
        why = await shop.get("/v1/customers/u1/journeys/shop/why", version=number, at="2024-03-02")
        assert [move["to"] for move in history["moves"]] == [stage]
        assert (why["version"], why["stage"]) == (int(number), stage)
    assert (await shop.get("/v1/customers/u1"))["journeys"][0]["stage"] == "guest"
    missing = await shop.get(f"{URL}/stages", 404, version="7")
    assert (missing["code"], missing["field"]) == ("unknown_version", "version")


async def test_a_held_version_waits(shop: Site) -> None:
    """It is filled, and answers when it is told to."""
    await post(shop, "publish", 201, GUESTS, hold="true")
    await shop.receive()
    assert await standings(shop) == {1: ("current", True), 2: ("held", False)}
    await post(shop, "cut-over")
    assert await standings(shop) == {1: ("standing", False), 2: ("current", True)}


async def test_filling_is_paused_and_resumed(shop: Site) -> None:
    """Meanwhile the former version answers, and new customers are in both."""
    await post(shop, "publish", 201, GUESTS)
    await post(shop, "pause")
    await shop.receive(record("3", "2024-03-02T10:00", type="page", user="u3"))
    assert await standings(shop) == {1: ("current", True), 2: ("paused", False)}
    assert await stages(shop, version="2") == (2, {"guest": 1})
    await post(shop, "resume")
    await shop.receive()
    assert await stages(shop) == (2, {"guest": 2, "gone": 1})


async def test_a_retired_version_is_as_it_was(shop: Site) -> None:
    """What it knew is answered as of its end; later instants are refused with a reason; nothing comes after."""
    await post(shop, "publish", 201, GUESTS)
    await shop.receive()
    await post(shop, "retire", version="1")
    await shop.receive(
        record("3", "2024-03-02T10:00", name="Order Completed"),
        record("4", "2024-03-03T10:00", type="alias", user="u1", previous="u2"),
    )
    assert await stages(shop) == (2, {"gone": 1})
    assert await stages(shop, version="1") == (1, {"visitor": 1, "gone": 1})
    assert await stages(shop, version="1", at="2024-03-01T10:30:00Z") == (1, {"visitor": 1})
    assert len((await shop.get(f"{URL}/transitions", version="1"))["items"]) == 3
    for path, field in (("stages", "at"), ("transitions", "until")):
        refused = await shop.get(f"{URL}/{path}", 409, version="1", **{field: "2999-01-01"})
        assert (refused["code"], refused["field"]) == ("version_retired", field)
    refused = await post(shop, "rollback", 409, version="1")
    assert refused["code"] == "version_refused"
    assert "for good" in refused["message"]


async def test_what_is_refused_changes_nothing(shop: Site) -> None:
    """The version that answers is not retired; a name is that of its path; a fault is listed."""
    before = await standings(shop)
    assert "answers now" in (await post(shop, "retire", 409, version="1"))["message"]
    assert "no former version" in (await post(shop, "rollback", 409))["message"]
    assert (await post(shop, "retire", 404, version="9"))["code"] == "unknown_version"
    other = await post(shop, "publish", 422, SHOP.replace("journey: shop", "journey: other"))
    assert "it is called other" in other["message"]
    assert (await post(shop, "publish", 422, "journey: ["))["problems"]
    unknown = await shop.client.post("/v1/journeys/none/pause")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_journey")
    assert await standings(shop) == before


async def test_what_a_version_left_out_means_is_said(shop: Site) -> None:
    """The document does not call the version that answers what a POST without one would change."""
    paths = (await shop.client.get("/openapi.json")).json()["paths"]
    for change in ("cut-over", "rollback", "pause", "resume"):
        parameters = paths[f"/v1/journeys/{{journey}}/{change}"]["post"]["parameters"]
        said = [one for one in parameters if one["in"] == "query"]
        assert [(one["name"], one["description"]) for one in said] == [
            ("version", "the version's number; left out: as said above")
        ]


async def test_the_same_text_adds_nothing(shop: Site) -> None:
    """Published again it is the version it was; as a former one it answers again."""
    await post(shop, "publish", 200, SHOP)
    await post(shop, "publish", 201, GUESTS)
    await shop.receive()
    await post(shop, "publish", 200, SHOP)
    assert await standings(shop) == {1: ("current", True), 2: ("standing", False)}
