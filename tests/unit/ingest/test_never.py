"""Ids that name nobody count as absent."""

from pathlib import Path
from typing import Any

import pytest

from services.ingest.accept import accept_line
from services.ingest.door import open_door
from services.ingest.never import never_ids
from services.ingest.refusals import Refusal
from shared.settings import Settings
from tests.support.front import Front, front

NEVER = [
    "null", "NULL", "Null", "undefined", "UNDEFINED", "None", "nil", "NaN", "nan", "0", 0, "-1", -1, "0.0", "guest",
    "Guest", "anonymous", "ANONYMOUS", "unknown", "[object Object]", "[object object]", '"null"', "'undefined'",
    "(null)", "{}", "00000000-0000-0000-0000-000000000000", "not_authenticated", "{{user_id}}", "مهمان", "ضيف",
]  # fmt: skip
SOMEBODY = ["nulla", "1", "00", "guest-1", "noneofyour", "anonymous@shop.example", "کاربر", "-2", "NA", "o"]


@pytest.mark.parametrize("given", NEVER)
async def test_such_an_id_is_none(tmp_path: Path, given: Any) -> None:
    """The event is its other id's; without another it is refused, and told which id it was."""
    async with front(tmp_path) as door:
        await door.post("/v1/track", {"userId": given, "anonymousId": "phone", "event": "Searched"})
        await door.post("/v1/track", {"userId": "ann", "anonymousId": given, "event": "Searched"})
        assert [(one.user, one.anonymous) for one in await door.records()] == [(None, "phone"), ("ann", None)]
        for ids in ({"userId": given}, {"anonymousId": given}, {"userId": given, "anonymousId": given}):
            answer = await door.post("/v1/track", {**ids, "event": "Searched"})
            assert (answer.status, answer.body["code"], answer.body["field"]) == (400, "missing_id", "userId")
            assert repr(str(given)) in answer.body["message"] or not given


@pytest.mark.parametrize("given", SOMEBODY)
async def test_others_are_ids(tmp_path: Path, given: str) -> None:
    """What only looks like one of them is somebody's."""
    async with front(tmp_path) as door:
        assert (await door.post("/v1/track", {"userId": given, "event": "Searched"})).status == 200
        assert [one.user for one in await door.records()] == [given]


async def said(door: Front, **event: str) -> tuple[str, str]:
    """The code and the field of what is wrong with an alias."""
    answer = await door.post("/v1/alias", event)
    return answer.body["code"], answer.body["field"]


async def test_an_alias_needs_two_ids_that_are_some(tmp_path: Path) -> None:
    """Nobody is joined to null, whichever of the two it is."""
    async with front(tmp_path) as door:
        assert await said(door, userId="ann", previousId="null") == ("missing_id", "previousId")
        assert await said(door, userId="null", previousId="ann", anonymousId="phone") == ("missing_id", "userId")
        assert await door.values() == []


async def test_an_identify_with_one_links_nothing(tmp_path: Path) -> None:
    """It becomes one with its device alone."""
    async with front(tmp_path) as door:
        await door.post("/v1/identify", {"userId": "undefined", "anonymousId": "phone", "traits": {"plan": "pro"}})
        ((record),) = await door.records()
        assert (record.type, record.user, record.anonymous) == ("identify", None, "phone")


async def test_settings_add_to_them(tmp_path: Path) -> None:
    """With commas between; capitals as in the others."""
    async with front(tmp_path, never_ids="demo, test@shop.example,") as door:
        for given in ("demo", "DEMO", "test@shop.example", "null"):
            assert (await door.post("/v1/track", {"userId": given, "event": "Searched"})).status == 400
        assert (await door.post("/v1/track", {"userId": "demo2", "event": "Searched"})).status == 200


def test_imports_keep_to_them() -> None:
    """A line of an import is read by the same rule."""
    door = open_door(Settings())
    refused = accept_line(b'{"type":"track","event":"A","userId":"null"}', 1, 0, 1, door=door)
    assert isinstance(refused, Refusal)
    assert refused.code == "missing_id"


def test_the_empty_text_is_not_among_them() -> None:
    """It is absent already; a setting of commas alone adds nothing."""
    assert "" not in never_ids(" , ,")
    assert never_ids() == never_ids(",")
