"""Nobody but Milepost writes a placement."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.ingest.accept import accept_line
from services.ingest.protocols.all import PROTOCOLS
from shared.events import PLACEMENT, Record, decode
from tests.support.front import NOW, front

PATHS = sorted({path for protocol in PROTOCOLS for path in protocol.paths if "{" not in path})
PATHS += ["/v1/pixel/track", "/v1/placement", "/api/s/placement", "/api/s/s2s/placement", "/v1/pixel/placement"]

SAID = {"journey": "lifecycle", "stage": "retention", "by": "me", "why": "I want to"}

#: As an SDK of each kind sends an event.
EVENT: dict[str, Any] = {
    "type": PLACEMENT,
    "event": PLACEMENT,
    "event_type": PLACEMENT,
    "userId": "u",
    "user_id": "u",
    "distinct_id": "u",
    "messageId": "m",
    "uuid": "0197e2d0-1111-7000-8000-000000000001",
    "timestamp": "2026-03-31T12:00:00Z",
    "properties": SAID,
}


@pytest.mark.parametrize("path", PATHS)
async def test_no_door_takes_one(path: str, tmp_path: Path) -> None:
    """Whatever says that it is a placement, alone or in a batch, is refused or is something else."""
    async with front(tmp_path) as door:
        for sent in (EVENT, {"batch": [EVENT]}, [EVENT], {"api_key": "wk_test", **EVENT}):
            await door.post(path, json.dumps(sent).encode())
        assert PLACEMENT not in {decode(value).type for value in await door.values()}


async def test_a_path_says_the_type(tmp_path: Path) -> None:
    """What is sent to the path of tracks is a track, whatever it calls itself."""
    async with front(tmp_path) as door:
        await door.post("/v1/track", json.dumps(EVENT).encode())
        assert [(record.type, record.name) for record in await door.records()] == [("track", PLACEMENT)]


def test_no_file_brings_one_in() -> None:
    """A line of an import is refused as of no known type."""
    outcome = accept_line(json.dumps(EVENT).encode(), 1, 7, NOW)
    assert not isinstance(outcome, Record)
    assert outcome.code == "unknown_type"
