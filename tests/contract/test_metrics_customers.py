"""Questions about one customer over both databases, filled by a real stager."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.metrics import cursor
from tests.support.asking import Site, record, site


@pytest.fixture
async def shop(address: str | Path, tmp_path: Path) -> AsyncIterator[Site]:
    """A shop."""
    async with site(address, tmp_path) as made:
        yield made


async def ada(shop: Site) -> None:
    """Ada comes on a device, signs in, and buys."""
    await shop.receive(
        record("1", "2024-03-01T10:00", anonymous="dev", type="page", name="Home", properties={"path": "/"})
    )
    await shop.receive(
        record("2", "2024-03-02T10:00", anonymous="dev", user="ada", type="identify",
               traits={"email": " Ada@Example.com", "plan": "free", "age": 36}),
        record("3", "2024-03-03T10:00", "2024-03-03T10:00:05", user="ada", name="Order Completed",
               properties={"revenue": 49.9}, context={"campaign": {"source": "news"}}),
        record("4", "2024-03-04T10:00", user="ada", type="identify", traits={"plan": "pro", "age": None}),
    )  # fmt: skip


async def test_a_customer_is_found_by_anything_it_is_known_by(shop: Site) -> None:
    """User id, anonymous id, e-mail address in any case and number lead to the same answer, named or not."""
    await ada(shop)
    found = await shop.get("/v1/customers/ada")
    assert found["identifiers"] == [
        {"by": "user", "id": "ada", "shared": False},
        {"by": "anonymous", "id": "dev", "shared": False},
        {"by": "email", "id": "ada@example.com", "shared": False},
    ]
    assert found["traits"] == {"email": " Ada@Example.com", "plan": "pro"}
    assert (found["first_seen"], found["last_seen"]) == ("2024-03-01T10:00:00Z", "2024-03-04T10:00:00Z")
    assert (found["touchpoints"], found["behind"], found["merged_from"]) == (4, False, None)
    assert found["journeys"] == [
        {"journey": "shop", "version": 1, "stage": "gone", "title": "gone", "since": "2024-04-02T10:00:00Z"}
    ]
    ways = [("dev", "anonymous"), ("ADA@example.com", "email"), ("ada", "user"), (found["customer"], "customer")]
    for id, by in ways:
        other = await shop.get(f"/v1/customers/{id}", by=by)
        assert other | {"freshness": None} == found | {"freshness": None}
    assert (await shop.get("/v1/customers/dev"))["customer"] == found["customer"]
    assert (await shop.get("/v1/customers/ada@example.com"))["customer"] == found["customer"]


async def test_an_id_may_hold_anything(shop: Site) -> None:
    """Slashes, blanks, other scripts and percent signs in an id are found when they are encoded."""
    ids = {
        "a/b": "a%2Fb",
        "سب ب": "%D8%B3%D8%A8%20%D8%A8",
        "50%": "50%25",
        "x/journeys": "x%2Fjourneys",
        "..": "%2E%2E",
    }
    await shop.receive(*(record(id, "2024-03-01T10:00", user=id, type="page") for id in ids))
    for id, encoded in ids.items():
        answer = await shop.get(f"/v1/customers/{encoded}", by="user")
        assert answer["identifiers"][0]["id"] == id
        path = await shop.get(f"/v1/customers/{encoded}/journeys/shop/history")
        assert path["customer"] == answer["customer"]


async def test_nobody_is_told_with_a_remedy(shop: Site) -> None:
    """An id that nobody has is 404; a number is never taken for somebody's unless asked by number."""
    await ada(shop)
    number = (await shop.get("/v1/customers/ada"))["customer"]
    nobody = [("bob", {}), (number, {}), ("dev", {"by": "user"}), ("%00", {}), ("", {}), ("9" * 30, {"by": "customer"})]
    for id, params in nobody:
        answer = await shop.get(f"/v1/customers/{id}", 404, **params)
        assert (answer["code"], answer["field"]) == ("unknown_customer", "id")
        assert "check its spelling" in answer["message"]
    assert (await shop.get("/v1/customers/ada", 400, by="name"))["field"] == "by"


async def test_an_id_of_several_customers_lists_them(shop: Site) -> None:
    """Each candidate comes with an id that means it alone: another kind's, or a name of its own."""
    await shop.receive(
        record("1", "2024-03-01T10:00", user="x", type="page"),
        record("2", "2024-03-01T10:00", anonymous="x", type="page"),
        record("3", "2024-03-01T10:00", anonymous="tablet", user="ada", type="identify"),
        record("4", "2024-03-02T10:00", anonymous="tablet", user="bob", type="identify"),
    )
    kinds = await shop.get("/v1/customers/x", 409)
    assert [(one["by"], one["id"]) for one in kinds["candidates"]] == [("user", "x"), ("anonymous", "x")]
    shared = await shop.get("/v1/customers/tablet", 409, by="anonymous")
    assert [(one["by"], one["id"]) for one in shared["candidates"]] == [("user", "ada"), ("user", "bob")]
    for one in kinds["candidates"] + shared["candidates"]:
        alone = await shop.get(f"/v1/customers/{one['id']}", by=one["by"])
        assert alone["customer"] == one["customer"]
    device = {"by": "anonymous", "id": "tablet", "shared": True}
    assert device in (await shop.get("/v1/customers/ada"))["identifiers"]


async def test_a_merged_customer_answers_with_the_one_it_became(shop: Site) -> None:
    """A number that was somebody once leads to who they turned out to be, and says so."""
    await shop.receive(
        record("1", "2024-03-01T10:00", user="old", type="page"),
        record("2", "2024-03-02T10:00", user="new", type="page"),
    )
    numbers = {id: (await shop.get(f"/v1/customers/{id}"))["customer"] for id in ("old", "new")}
    await shop.receive(record("3", "2024-03-03T10:00", user="new", previous="old", type="alias"))
    merged = await shop.get("/v1/customers/new")
    (gone,) = set(numbers.values()) - {merged["customer"]}
    asked = await shop.get(f"/v1/customers/{gone}", by="customer")
    assert (asked["customer"], asked["merged_from"]) == (merged["customer"], gone)
    assert (await shop.get("/v1/customers/old"))["customer"] == merged["customer"]
    assert (merged["touchpoints"], merged["journeys"][0]["stage"]) == (3, "visitor")


async def test_a_customer_of_no_journey_is_in_none_of_them(shop: Site) -> None:
    """Who was only identified stands nowhere; who only clicked stands in no stage."""
    await shop.receive(
        record("1", "2024-03-01T10:00", user="a", type="identify"),
        record("2", "2024-03-01T10:00", user="b", name="Click"),
    )
    places = [(await shop.get(f"/v1/customers/{id}"))["journeys"][0] for id in ("a", "b")]
    assert [(place["stage"], place["title"], place["since"]) for place in places] == [
        (None, None, None),
        ("none", None, "2024-03-01T10:00:00Z"),
    ]


async def test_a_history_is_its_moves_and_touchpoints(shop: Site) -> None:
    """The moves that stand, the oldest first, and every touchpoint as it was sent, the newest first."""
    await ada(shop)
    path = await shop.get("/v1/customers/ada/journeys/shop/history")
    assert [(move["from"], move["to"], move["at"], move["cause"]) for move in path["moves"]] == [
        (None, "visitor", "2024-03-01T10:00:00Z", "live"),
        ("visitor", "buyer", "2024-03-03T10:00:00Z", "live"),
        ("buyer", "gone", "2024-04-02T10:00:00Z", "timer"),
    ]
    assert [one["id"] for one in path["touchpoints"]] == ["4", "3", "2", "1"]
    assert path["touchpoints"][1] == {
        "id": "3",
        "excluded": False,
        "at": "2024-03-03T10:00:00Z",
        "recorded_at": "2024-03-03T10:00:05Z",
        "type": "track",
        "name": "Order Completed",
        "by": "user",
        "sent_with": "ada",
        "properties": {"revenue": 49.9},
        "traits": {},
        "context": {"campaign": {"source": "news"}},
    }
    assert (path["touchpoints"][3]["by"], path["touchpoints"][3]["sent_with"]) == ("anonymous", "dev")


async def test_a_history_is_turned_page_by_page(shop: Site) -> None:
    """Pages of any size hold every touchpoint once; ids of one instant are not lost between them."""
    await shop.receive(*(record(f"m{n}", f"2024-03-0{1 + n // 4}T10:00", type="page") for n in range(10)))
    whole = await shop.get("/v1/customers/u1/journeys/shop/history")
    assert [one["id"] for one in whole["touchpoints"]] == [f"m{n}" for n in reversed(range(10))]
    seen, params = list[Any](), {"limit": "3"}
    while True:
        page = await shop.get("/v1/customers/u1/journeys/shop/history", 200, **params)
        assert page["moves"] == whole["moves"]
        seen += page["touchpoints"]
        if page["next"] is None:
            break
        params["cursor"] = page["next"]
    assert seen == whole["touchpoints"]
    bad = await shop.get("/v1/customers/u1/journeys/shop/history", 400, cursor=cursor.write((1, 2)))
    assert bad["field"] == "cursor"


async def test_why_tells_what_decided(shop: Site) -> None:
    """A stage is explained by the clause that was met, its touchpoints, and what time will do next."""
    await ada(shop)
    why = await shop.get("/v1/customers/ada/journeys/shop/why", at="2024-03-03")
    assert (why["stage"], why["title"], why["since"]) == ("buyer", "Buyer", "2024-03-03T10:00:00Z")
    assert (why["came_from"], why["by_time"], why["touchpoint"]["id"]) == ("visitor", False, "3")
    assert "Order Completed" in why["reason"]
    assert [one["id"] for one in why["evidence"]] == ["3"]
    assert why["language"] == "en"
    assert why["next"].pop("sentence").endswith("“gone”: by then there has been no activity for 30 days.")
    assert why["next"] == {"at": "2024-04-02T10:00:00Z", "stage": "gone", "title": "gone"}
    assert why["at"] == "2024-03-03T23:59:59.999999Z"


async def test_why_tells_what_time_did_and_what_never_happened(shop: Site) -> None:
    """A move by time alone names no touchpoint of its own; before the first one there is nothing to explain."""
    await ada(shop)
    now = await shop.get("/v1/customers/ada/journeys/shop/why")
    assert (now["stage"], now["by_time"], now["touchpoint"], now["next"]) == ("gone", True, None, None)
    assert [one["id"] for one in now["evidence"]] == ["3"]
    before = await shop.get("/v1/customers/ada/journeys/shop/why", at="2024-02-01")
    assert (before["stage"], before["since"], before["evidence"]) == (None, None, [])
    assert (await shop.get("/v1/customers/ada/journeys/shop/why", 400, at="then"))["field"] == "at"


async def test_one_customer_in_a_journey_is_asked_for_like_the_customer(shop: Site) -> None:
    """History and why find, refuse and disambiguate as the customer itself does."""
    await ada(shop)
    for question in ("history", "why"):
        assert (await shop.get(f"/v1/customers/bob/journeys/shop/{question}", 404))["field"] == "id"
        assert (await shop.get(f"/v1/customers/ada/journeys/shipping/{question}", 404))["field"] == "journey"
        assert (await shop.get(f"/v1/customers/dev/journeys/shop/{question}", by="anonymous"))["journey"] == "shop"
