"""The marketers' API over both databases, filled by a real stager: journeys, stages, transitions."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.metrics import cursor
from tests.support.asking import SHOP, Site, record, site


@pytest.fixture
async def shop(address: str | Path, tmp_path: Path) -> AsyncIterator[Site]:
    """A shop whose days are Tehran's."""
    async with site(address, tmp_path, zone="Asia/Tehran") as made:
        yield made


async def counts(shop: Site, **params: str) -> dict[str, int]:
    """Customers by stage, those in none and all of them."""
    answer = await shop.get("/v1/journeys/shop/stages", 200, **params)
    stages = {stage["stage"]: stage["customers"] for stage in answer["stages"]}
    return {**stages, "none": answer["none"], "total": answer["total"]}


async def test_journeys_are_listed_in_the_language_asked_for(shop: Site) -> None:
    """A journey is its name, title, version and stages; titles follow Accept-Language."""
    answer = await shop.client.get("/v1/journeys", headers={"Accept-Language": "fa-IR"})
    assert answer.headers["vary"] == "Accept-Language, Authorization, Cookie"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "freshness": None,
        "journeys": [
            {
                "name": "shop",
                "title": "فروشگاه",
                "version": 1,
                "stages": [
                    {"stage": "visitor", "title": "بازدیدکننده", "means": None, "side": False},
                    {"stage": "buyer", "title": "خریدار", "means": "converted", "side": False},
                    {"stage": "gone", "title": "gone", "means": "churned", "side": True},
                ],
            }
        ],
    }


async def test_stages_now_then_and_as_known_then(shop: Site) -> None:
    """Where customers stand now, stood on a past day, and were known to stand on it, are three answers."""
    await shop.receive(
        record("1", "2024-03-01T10:00", type="page"),
        record("2", "2024-03-02T10:00", name="Order Completed"),
        record("3", "2024-03-01T10:00", user="u2", name="Clicked"),
    )
    # u3 came before all others, but was heard of a week later: 20:29:59 UTC is the last second of a day in Tehran.
    await shop.receive(record("4", "2024-02-29T20:29:59", "2024-03-08T12:00", user="u3", type="page"))
    assert await counts(shop) == {"visitor": 1, "buyer": 0, "gone": 1, "none": 1, "total": 3}
    assert await counts(shop, at="2024-03-02") == {"visitor": 1, "buyer": 1, "gone": 0, "none": 1, "total": 3}
    assert await counts(shop, at="2024-03-01") == {"visitor": 2, "buyer": 0, "gone": 0, "none": 1, "total": 3}
    assert await counts(shop, at="2024-02-29") == {"visitor": 1, "buyer": 0, "gone": 0, "none": 0, "total": 1}
    assert (await counts(shop, at="2024-02-29T20:29:58Z"))["total"] == 0
    assert (await counts(shop, at="2024-03-02", known_at="2024-03-07"))["visitor"] == 0
    assert (await counts(shop, at="2024-03-02", known_at="2024-03-08T15:30:00+03:30"))["visitor"] == 1


async def test_an_answer_says_what_it_is_of(shop: Site) -> None:
    """A population carries its journey, version, instants, freshness, and what each stage means."""
    await shop.receive(record("1", "2024-03-01T10:00", type="page"))
    answer = await shop.get("/v1/journeys/shop/stages", at="2024-03-01", known_at="2024-03-02T00:00:00.5Z")
    assert answer["journey"] == "shop"
    assert (answer["title"], answer["version"], answer["behind"]) == ("Shop", 1, 0)
    assert (answer["at"], answer["known_at"]) == ("2024-03-01T20:29:59.999999Z", "2024-03-02T00:00:00.500000Z")
    assert answer["freshness"] > "2024-03-01T10:00:00Z"
    assert answer["stages"][1] == {
        "stage": "buyer", "title": "Buyer", "means": "converted", "side": False, "customers": 0,
    }  # fmt: skip
    now = await shop.get("/v1/journeys/shop/stages")
    assert answer["at"] < now["freshness"] < now["at"] <= now["known_at"]


async def test_transitions_are_counted_and_listed(shop: Site) -> None:
    """Moves of a period: how many of each kind, and each with its customer, cause and times, the newest first."""
    await shop.receive(
        record("1", "2024-03-01T10:00", "2024-03-01T10:00:03", type="page"),
        record("2", "2024-03-02T10:00", name="Order Completed"),
        record("3", "2024-03-02T11:00", anonymous="dev", type="page"),
    )
    answer = await shop.get("/v1/journeys/shop/transitions")
    assert answer["counts"] == [
        {"from": None, "to": "visitor", "n": 2},
        {"from": "visitor", "to": "buyer", "n": 1},
        {"from": "buyer", "to": "gone", "n": 1},
    ]
    told = [(item["by"], item["id"], item["from"], item["to"], item["at"], item["cause"]) for item in answer["items"]]
    assert told == [
        ("user", "u1", "buyer", "gone", "2024-04-01T10:00:00Z", "timer"),
        ("anonymous", "dev", None, "visitor", "2024-03-02T11:00:00Z", "live"),
        ("user", "u1", "visitor", "buyer", "2024-03-02T10:00:00Z", "live"),
        ("user", "u1", None, "visitor", "2024-03-01T10:00:00Z", "live"),
    ]
    assert answer["items"][3]["recorded_at"] == "2024-03-01T10:00:03Z"
    assert answer["next"] is None
    period = await shop.get("/v1/journeys/shop/transitions", since="2024-03-02", until="2024-03-02")
    assert [item["to"] for item in period["items"]] == ["visitor", "buyer"]
    assert sum(flow["n"] for flow in period["counts"]) == 2
    assert (period["since"], period["until"]) == ("2024-03-01T20:30:00Z", "2024-03-02T20:29:59.999999Z")


async def test_a_move_that_did_not_happen_is_nowhere(shop: Site) -> None:
    """A late touchpoint takes a timer back: neither counts nor items show it, nor its reversal."""
    await shop.receive(record("1", "2024-03-01T10:00", name="Order Completed"))
    assert (await counts(shop))["gone"] == 1
    await shop.receive(record("2", "2024-03-20T10:00", "2024-05-01T10:00"))
    answer = await shop.get("/v1/journeys/shop/transitions")
    assert [(item["to"], item["at"], item["cause"]) for item in answer["items"]] == [
        ("gone", "2024-04-19T10:00:00Z", "late"),
        ("buyer", "2024-03-01T10:00:00Z", "live"),
    ]
    assert [flow["n"] for flow in answer["counts"]] == [1, 1]


async def test_pages_hold_every_move_once(shop: Site) -> None:
    """Turning pages of any size gives every move of the period once, the newest first, and then ends."""
    await shop.receive(
        *(record(f"{n}", f"2024-03-{n:02}T10:00", user=f"u{n % 7}", type="page") for n in range(1, 31)),
        *(record(f"o{n}", "2024-03-05T10:00", user=f"u{n}", name="Order Completed") for n in range(7)),
    )
    whole = await shop.get("/v1/journeys/shop/transitions", limit="1000")
    assert whole["next"] is None
    assert len(whole["items"]) == sum(flow["n"] for flow in whole["counts"]) == 19
    for limit in ("1", "4"):
        items, page = list[object](), await shop.get("/v1/journeys/shop/transitions", limit=limit)
        while True:
            items += page["items"]
            if page["next"] is None:
                break
            page = await shop.get("/v1/journeys/shop/transitions", limit=limit, cursor=page["next"])
        assert items == whole["items"]


async def test_a_bad_parameter_is_named(shop: Site) -> None:
    """What cannot be read is refused with the field and what to write instead."""
    for path, field, value in (
        ("stages", "at", "yesterday"),
        ("stages", "at", "2024-03-01T10:00:00"),
        ("stages", "known_at", "2024-02-30"),
        ("transitions", "since", "\0"),
        ("transitions", "until", "12"),
        ("transitions", "limit", "0"),
        ("transitions", "limit", "many"),
        ("transitions", "cursor", "zzz"),
        ("transitions", "cursor", cursor.write((1, "2"))),
        ("transitions", "cursor", cursor.write((1, 1 << 63))),
    ):
        answer = await shop.get(f"/v1/journeys/shop/{path}", 400, **{field: value})
        assert answer.keys() == {"code", "message", "field"}
        assert (answer["code"], answer["field"]) == ("invalid_parameter", field)


async def test_an_unknown_journey_is_told_what_there_is(shop: Site) -> None:
    """A journey that is not there is 404 with the nearest name or where to look."""
    near = await shop.get("/v1/journeys/shopp/stages", 404)
    assert near["message"].endswith("did you mean shop?")
    far = await shop.get("/v1/journeys/%00/transitions", 404)
    assert far["code"] == "unknown_journey"
    assert "GET /v1/journeys" in far["message"]


async def test_a_journey_is_added_by_its_definition(shop: Site) -> None:
    """YAML makes version 1, the same text again nothing, another text version 2; customers are then derived by it."""
    await shop.receive(record("1", "2024-03-01T10:00", type="page"))
    text = "journey: visits\nstages:\n  - {stage: here, enter: {touchpoint: {type: page}}}\n"
    headers = {"Content-Type": "application/yaml"}
    first = await shop.client.post("/v1/journeys", content=text, headers=headers)
    assert (first.status_code, first.json()) == (201, {"journey": "visits", "version": 1})
    before = await shop.get("/v1/journeys/visits/stages")
    assert (before["total"], before["behind"]) == (0, 1)
    await shop.receive()
    after = await shop.get("/v1/journeys/visits/stages")
    assert (after["stages"][0]["customers"], after["behind"]) == (1, 0)
    again = await shop.client.post("/v1/journeys", content=text, headers={"Content-Type": "text/yaml"})
    assert (again.status_code, again.json()) == (200, {"journey": "visits", "version": 1})
    other = await shop.client.post("/v1/journeys", content=text + "title: Visits\n", headers=headers)
    assert (other.status_code, other.json()) == (201, {"journey": "visits", "version": 2})
    await shop.receive()
    listed = (await shop.get("/v1/journeys"))["journeys"]
    assert [(one["name"], one["version"]) for one in listed] == [("shop", 1), ("visits", 2)]


async def test_a_definition_with_problems_is_refused_with_all_of_them(shop: Site) -> None:
    """Every problem has its path, line, message and remedy, and nothing is stored."""
    text = SHOP.replace("journey: shop", "journey: shop2").replace("quiet: 30d", "quite: 30d")
    text = text.replace("means: converted", "means: sold").replace("type: page", "typ: page")
    answer = await shop.client.post("/v1/journeys", content=text)
    assert answer.status_code == 422
    body = answer.json()
    assert body["code"] == "invalid_definition"
    assert [problem["line"] for problem in body["problems"]] == [5, 6, 8]
    assert all(problem["path"] and problem["message"] and problem["remedy"] for problem in body["problems"])
    assert [one["name"] for one in (await shop.get("/v1/journeys"))["journeys"]] == ["shop"]


async def test_what_is_no_definition_is_refused(shop: Site) -> None:
    """Anything else is refused as a definition with problems; a body without end is not even read."""
    for body in (b"", b"\xff\xfe", b"{", b"- 1", b"\0", b"journey: " + b"[" * 1000, b"#" * 300_000):
        answer = await shop.client.post("/v1/journeys", content=body)
        assert answer.status_code == 422
        assert answer.json()["problems"]
    answer = await shop.client.post("/v1/journeys", content=b"#" * 2_000_000)
    assert answer.status_code == 413
    assert answer.json().keys() == {"code", "message"}
