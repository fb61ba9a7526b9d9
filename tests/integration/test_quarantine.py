"""A journey that fails for one customer is set aside for that customer, with the error, and for nobody else."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.commands.counting import count
from services.stager.people import unpack_tracks
from shared.events import Record
from shared.journeys.engine import Journey
from shared.journeys.state import Move, State
from shared.journeys.touchpoint import Touchpoint
from shared.store.engine import engine, reading
from tests.support.ledgers import sqlite_books
from tests.support.small import HOUR, JOURNEY, START
from tests.support.staging import Staging, staging

OTHER = JOURNEY.replace("journey: small", "journey: other")
WHO = {frozenset({("user", "ann")}), frozenset({("user", "ben")})}


def record(number: int, hour: int, user: str, recorded: int | None = None, **more: Any) -> Record:
    """A page view, unless `more` says otherwise, received when it happened or at the hour `recorded`."""
    at, received = (START + n * HOUR for n in (hour, hour if recorded is None else recorded))
    return Record(1, f"{number:03}", more.pop("type", "page"), at, received, user, **more)


BROKEN: dict[str, Any] = {"type": "track", "name": "Broken"}


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> None:
    """The small journey cannot take a touchpoint named Broken, nor make a timer move of whom it has seen buying."""
    touch, advance = Journey.touch, Journey.advance

    def failing_touch(self: Journey, state: State, touchpoint: Touchpoint) -> Move | None:
        if self.name == "small" and touchpoint.name == "Broken":
            raise ZeroDivisionError("no such number")
        return touch(self, state, touchpoint)

    def failing_advance(self: Journey, state: State, until: int) -> list[Move]:
        if self.name == "small" and state.traits.get("plan") and state.due is not None and state.due <= until:
            raise ZeroDivisionError("no such number")
        return advance(self, state, until)

    monkeypatch.setattr(Journey, "touch", failing_touch)
    monkeypatch.setattr(Journey, "advance", failing_advance)


def identified(number: int, hour: int, user: str, recorded: int | None = None) -> Record:
    """What makes the small journey fail at the next timer."""
    return record(number, hour, user, recorded, type="identify", traits=msgspec.Raw(b'{"plan": "pro"}'))


#: What is appended at a time, and what fails of it: Ann's small journey.
HISTORIES: dict[str, Sequence[Sequence[Record]]] = {
    "as it arrives": [[record(1, 0, "ann"), record(2, 1, "ann", **BROKEN), record(3, 2, "ann")]],
    "arriving late": [[record(1, 0, "ann"), record(3, 3, "ann")], [record(2, 1, "ann", 4, **BROKEN)]],
    "imported": [[record(n, n, "ann", imported=True, **(BROKEN if n == 2 else {})) for n in (1, 2, 3)]],
    "by time": [[record(1, 0, "ann"), identified(2, 1, "ann"), record(3, 2, "ann")], []],
    "by time, then late": [[identified(1, 0, "ann"), record(3, 2, "ann")], [record(2, 1, "ann", 60)]],
    "by time, between late ones": [[record(1, 0, "ann"), record(3, 90, "ann")], [identified(2, 1, "ann", 91)]],
    "by time, after a late one": [[record(1, 0, "ann"), record(3, 90, "ann")], [identified(2, 80, "ann", 150)]],
}


async def _staged(world: Staging, batches: Sequence[Sequence[Record]]) -> int:
    stager = await world.stager()
    for batch in batches:
        await world.append(batch)
        await stager.stage_all()
    # Time goes on with what others do.
    await world.append([record(900 + n, hour, "ben") for n, hour in enumerate((0, 100, 100 + 24 * 9))])
    await stager.settle()
    return stager.fired_until


@pytest.mark.usefixtures("faulty")
@pytest.mark.parametrize("when", HISTORIES)
async def test_one_journey_of_one_customer_is_set_aside(when: str, tmp_path: Path) -> None:
    """Every touchpoint is staged, the customer's other journey goes on, and so does everybody else; check tells it."""
    batches = HISTORIES[when]
    (tmp_path / "sound").mkdir()
    async with staging(tmp_path, [JOURNEY, OTHER]) as world:
        now = await _staged(world, batches)
        database = engine(tmp_path / "store.db")
        async with reading(database) as db:
            report = await count(db, world.log)
        await database.dispose()
    with sqlite3.connect(tmp_path / "store.db") as db:
        quarantined = db.execute("SELECT version, error FROM quarantine").fetchall()
        packed = [row[0] for row in db.execute("SELECT states FROM customers")]
    assert quarantined == [(1, "ZeroDivisionError: no such number")]
    assert sorted(sorted(unpack_tracks(one)) for one in packed) == [[1, 2], [2]]
    async with staging(tmp_path / "sound", [OTHER]) as world:
        sound = sqlite_books(tmp_path / "sound" / "store.db", await _staged(world, batches))

    small, other = (sqlite_books(tmp_path / "store.db", now, version) for version in (1, 2))
    assert other.moves == sound.moves
    assert other.moves.keys() == WHO
    assert small.moves[frozenset({("user", "ben")})] == sound.moves[frozenset({("user", "ben")})]
    assert (small.staged, small.queued) == (sum(map(len, batches)) + 3, 0)
    assert report.quarantined == 1
    assert report.faults == []


async def test_who_waits_to_be_derived_is_no_fault(tmp_path: Path) -> None:
    """While a customer has no state, as older touchpoints were imported, check counts it where the ledger left it."""
    async with staging(tmp_path, [JOURNEY]) as world:
        stager = await world.stager()
        await world.append([record(2, 2, "ann")])
        await stager.stage_all()
        await world.append([record(1, 1, "ann", imported=True)])
        await stager.stage_all()
        database = engine(tmp_path / "store.db")
        async with reading(database) as db:
            report = await count(db, world.log)
        await database.dispose()
    assert report.queued == 1
    assert report.faults == []
