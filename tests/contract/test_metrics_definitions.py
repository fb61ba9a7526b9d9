"""What definitions say, asked over HTTP on both databases: YAML, faults, words, examples, differences."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.asking import SHOP, Site, site

NEW = SHOP.replace("{name: Order Completed}", "{name: [Order Completed, Paid]}").replace("buyer", "customer")
EXAMPLES = """
examples:
  - example: who buys is a buyer
    given: [{at: 2026-03-01 12:00, page: Home}, {at: +1h, track: Order Completed}]
    expect: [{at: 2026-03-01 12:30, stage: visitor}, {at: +1h, stage: %s}]
"""


@pytest.fixture
async def shop(address: str | Path, tmp_path: Path) -> AsyncIterator[Site]:
    """A shop whose days are Tehran's."""
    async with site(address, tmp_path, zone="Asia/Tehran") as made:
        yield made


async def post(shop: Site, path: str, text: str | bytes, status: int = 200, language: str = "en") -> Any:
    """The JSON that a POST of YAML is answered with."""
    answer = await shop.client.post(path, content=text, headers={"Accept-Language": language})
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_definition_is_given_back_to_the_letter(shop: Site) -> None:
    """Every version as it was published; a version or a journey that there is not is 404 with those there are."""
    await post(shop, "/v1/journeys", SHOP + "# a remark\n", 201)
    for params, text in (({}, SHOP + "# a remark\n"), ({"version": "1"}, SHOP)):
        answer = await shop.client.get("/v1/journeys/shop/definition", params=params)
        assert (answer.text, answer.headers["content-type"]) == (text, "application/yaml")
    missing = await shop.get("/v1/journeys/shop/definition", 404, version="3")
    assert (missing["code"], missing["field"]) == ("unknown_version", "version")
    assert missing["message"].endswith("there are 1, 2")
    assert (await shop.get("/v1/journeys/shopp/definition", 404))["code"] == "unknown_journey"


async def test_validate_lists_every_fault(shop: Site) -> None:
    """A valid definition has none, a wrong one all of its own; nothing is published."""
    assert await post(shop, "/v1/journeys/validate", NEW) == {"journey": "shop", "problems": []}
    told = await post(shop, "/v1/journeys/validate", SHOP.replace("touchpoint", "touchpiont").replace("30d", "30"))
    assert told["journey"] is None
    assert [(problem["line"], problem["column"]) for problem in told["problems"]] == [(5, 69), (6, 78), (8, 56)]
    assert "did you mean touchpoint?" in told["problems"][0]["remedy"]
    (bytes_,) = (await post(shop, "/v1/journeys/validate", b"\xff"))["problems"]
    assert bytes_["message"] == "the text is not UTF-8"
    assert len((await shop.get("/v1/journeys"))["journeys"]) == 1


async def test_a_journey_in_words(shop: Site) -> None:
    """A sentence for each stage, in the language asked for; a published and a sent one are told alike."""
    answer = await shop.client.get("/v1/journeys/shop/explanation", headers={"Accept-Language": "fa"})
    told = answer.json()
    assert (told["journey"], told["title"], told["language"]) == ("shop", "فروشگاه", "fa")
    assert [stage["stage"] for stage in told["stages"]] == ["visitor", "buyer", "gone"]
    assert all(stage["enter"] for stage in told["stages"])
    assert told == await post(shop, "/v1/journeys/explain", SHOP, language="fa")
    (problem, *_) = (await post(shop, "/v1/journeys/explain", "journey: x", 422))["problems"]
    assert problem["message"] == "'stages' is missing"


async def test_examples_are_tried_in_the_projects_zone(shop: Site) -> None:
    """What was expected, what came and why; one that fails is told, and keeps the definition from being published."""
    good, bad = SHOP + EXAMPLES % "buyer", SHOP + EXAMPLES % "gone"
    told = await post(shop, "/v1/journeys/test", good)
    assert (told["holds"], [one["came"] for one in told["examples"][0]["expected"]]) == (True, ["visitor", "buyer"])
    assert told["examples"][0]["expected"][1]["at"] == "2026-03-01T09:30:00Z"
    told = await post(shop, "/v1/journeys/test", bad)
    first, second = told["examples"][0]["expected"]
    assert (told["holds"], first["reason"], second["holds"], second["came"]) == (False, None, False, "buyer")
    assert "Order Completed" in second["reason"]
    persian = await post(shop, "/v1/journeys/test", bad, language="fa")
    assert second["reason"] != persian["examples"][0]["expected"][1]["reason"] != ""
    refused = await post(shop, "/v1/journeys", bad, 422)
    assert (refused["code"], refused["problems"][0]["path"]) == ("failing_examples", "examples[0].expect[1]")
    assert refused["problems"][0]["line"] == second["line"] == 13
    await post(shop, "/v1/journeys", good, 201)
    assert (await shop.get("/v1/journeys/shop/test"))["holds"] is True
    assert (await shop.get("/v1/journeys/shop/test", version="1"))["examples"] == []


async def test_differences_in_words(shop: Site) -> None:
    """Between a definition and the version in force, and between two versions: renamed, not removed and added."""
    told = await post(shop, "/v1/journeys/diff", NEW)
    assert (told["journey"], told["before"], told["after"]) == ("shop", 1, None)
    kinds = {(one["kind"], one["stage"], one["what"]) for one in told["differences"]}
    assert ("added", "customer", "stage") in kinds
    await post(shop, "/v1/journeys", SHOP.replace("stage: visitor", "stage: guest"), 201)
    told = await shop.get("/v1/journeys/shop/diff", before="1")
    assert [(one["kind"], one["before"], one["after"]) for one in told["differences"]] == [
        ("renamed", "visitor", "guest")
    ]
    assert (await shop.get("/v1/journeys/shop/diff", before="2"))["differences"] == []
    assert (await shop.get("/v1/journeys/shop/diff", 404, before="9"))["field"] == "version"
    assert (await shop.get("/v1/journeys/shop/diff", 400))["field"] == "before"
    assert (await post(shop, "/v1/journeys/diff", NEW.replace("journey: shop", "journey: other"), 404))["field"]
