"""Whatever else lies on the log becomes a dead letter, and its neighbours are staged."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from shared.events import encode
from shared.log.port import Entry
from tests.integration.test_lost import page
from tests.support.ledgers import sqlite_books
from tests.support.small import JOURNEY
from tests.support.staging import staging

GOOD: dict[str, Any] = json.loads(encode(page(7)))

BAD = {
    "bytes": b"\xff\xfe",
    "not an object": b"[1, 2]",
    "a field missing": b'{"type": "page"}',
    "nobody's": json.dumps({**GOOD, "userId": None}).encode(),
    "a type of its own": json.dumps({**GOOD, "type": "click"}).encode(),
    "a time that no store keeps": json.dumps({**GOOD, "at": 1 << 63}).encode(),
    "a project that no store keeps": json.dumps({**GOOD, "project": 1 << 40}).encode(),
    "NUL in the user id": json.dumps({**GOOD, "userId": "a\0b"}).encode(),
    "NUL in the message id": json.dumps({**GOOD, "messageId": "a\0b"}).encode(),
    "NUL in the device's id": json.dumps({**GOOD, "type": "identify", "anonymousId": "a\0b"}).encode(),
    "half a surrogate pair": json.dumps({**GOOD, "userId": "\ud800"}).encode(),
    "deep nesting": b'{"properties":' + b"[" * 200_000,
}


@pytest.mark.parametrize("kind", BAD)
async def test_a_value_that_is_no_record_is_a_dead_letter(kind: str, tmp_path: Path) -> None:
    """It is kept with the reason, and nothing else is held up."""
    async with staging(tmp_path, [JOURNEY]) as world:
        await world.append([page(1)])
        await world.log.append([Entry(b"ann", BAD[kind])])
        await world.append([page(2)])
        stager = await world.stager()
        await stager.settle()
        books = sqlite_books(tmp_path / "store.db", stager.fired_until)
    assert (books.staged, books.duplicates, books.quarantined) == (2, 0, 0)
    with sqlite3.connect(tmp_path / "store.db") as store:
        ((value, reason),) = store.execute("SELECT value, reason FROM dead_letters").fetchall()
    assert value == BAD[kind]
    assert len(reason) > 10
