"""Records that retention took before they were staged: the partition stops, loudly, until somebody accepts the loss."""

import sqlite3
from pathlib import Path

import pytest

from shared.events import Record
from shared.store import admin, reads
from shared.store.engine import engine, reading, writing
from tests.support.small import JOURNEY, START
from tests.support.staging import staging


def page(number: int) -> Record:
    """A page view of one customer; all of them lie in one partition."""
    return Record(project=1, id=str(number), type="page", at=START + number, received=START + number, user="ann")


async def test_a_gap_stops_the_partition_until_the_loss_is_accepted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing behind the gap is staged before; afterwards everything is, and what was lost stays counted."""
    async with staging(tmp_path, [JOURNEY]) as world:
        for number in range(3):
            await world.append([page(number)])
        with sqlite3.connect(tmp_path / "log.db") as log:
            assert log.execute("DELETE FROM chunks WHERE first < 2").rowcount == 2
        stager = await world.stager()
        await stager.stage_all()
        (lost,) = stager.stopped.values()
        assert (lost.position, lost.start) == (0, 2)
        assert "2 records are gone" in caplog.text
        database = engine(tmp_path / "store.db")
        async with writing(database) as db:
            assert await admin.accept_lost(db, lost.partition, lost.start) == 2
            assert await admin.accept_lost(db, lost.partition, lost.start) == 0
        await stager.settle()
        assert not stager.stopped
        async with reading(database) as db:
            (position,) = [one for one in await reads.positions(db) if one.partition == lost.partition]
        await database.dispose()
        assert (position.staged, position.lost, position.position) == (1, 2, 3)
