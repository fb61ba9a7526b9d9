"""A merge that is committed between two reads of another stager: whose an identifier is, and that customer's row."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from shared.events import DAY, Record
from shared.log.port import partition_of
from shared.store.port import Session
from shared.store.rows import CustomerRow
from tests.support.staging import PARTITIONS
from tests.support.worlds import ask, world

START = 1_700_000_000_000_000


class Interrupted:
    """A session before whose first read of customers something else happens."""

    def __init__(self, session: Session, event: Callable[[], Awaitable[None]]) -> None:
        self._session, self._event = session, event

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    async def customers(self, ids: Sequence[tuple[int, int]]) -> dict[int, CustomerRow]:
        """Reads after the event."""
        event, self._event = self._event, _nothing
        await event()
        return await self._session.customers(ids)


async def _nothing() -> None:
    pass


def _name(letter: str, partition: int) -> str:
    """An identifier whose records lie in this partition."""
    names = (f"{letter}{number}" for number in range(99))
    return next(name for name in names if partition_of(name.encode(), PARTITIONS) == partition)


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_customer_that_was_merged_meanwhile_takes_nothing(
    kind: str, forward: bool, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The touchpoint is the joined customer's, whichever of the two went into the other."""
    database = request.getfixturevalue("database") if kind == "postgres" else ""
    late, early = (_name("u", 0), _name("u", 1)) if forward else (_name("u", 1), _name("u", 0))
    mine = partition_of(late.encode(), PARTITIONS)

    def record(id: str, day: int, user: str, **more: Any) -> Record:
        at = START + day * DAY
        return Record(1, id, more.pop("type", "track"), at, at, user, name="Order Completed", **more)

    async def run() -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        async with world(kind, tmp_path, database) as made:
            await made.append([record("1", 1, late), record("2", 2, early), record("3", 3, early)])
            first = await made.stager()
            await first.stage_all()
            other = await made.stager()
            other.owned = frozenset({1 - mine})
            await made.append([record("a", 4, early, type="alias", previous=late), record("4", 5, late)])
            stager = await made.stager(wrap=lambda session: Interrupted(session, other.stage_all))
            stager.owned = frozenset({mine})
            await stager.stage_all()
            last = await made.stager()
            await last.settle()
            counts = await ask(kind, tmp_path, database, "SELECT count, status FROM customers ORDER BY status")
            waiting = await ask(kind, tmp_path, database, "SELECT customer FROM queue")
            return counts, waiting

    counts, waiting = asyncio.run(run())
    assert [count for count, status in counts if status == 0] == [5]  # the alias is a touchpoint, too
    assert waiting == []


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_device_that_somebody_else_signed_in_on_meanwhile_is_theirs(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Whose the device was is read again: what happened on it afterwards is the new user's."""
    database = request.getfixturevalue("database") if kind == "postgres" else ""
    device, one, two = _name("d", 0), _name("u", 0), _name("u", 1)

    def record(id: str, day: int, **more: Any) -> Record:
        at = START + day * DAY
        return Record(1, id, more.pop("type", "page"), at, at, **more)

    async def run() -> list[tuple[Any, ...]]:
        async with world(kind, tmp_path, database) as made:
            await made.append(
                [record("1", 1, type="identify", user=one, anonymous=device), record("2", 2, anonymous=device)]
            )
            first = await made.stager()
            await first.stage_all()
            other = await made.stager()
            other.owned = frozenset({1})
            await made.append(
                [record("3", 3, type="identify", user=two, anonymous=device), record("4", 5, anonymous=device)]
            )
            stager = await made.stager(wrap=lambda session: Interrupted(session, other.stage_all))
            stager.owned = frozenset({0})
            await stager.stage_all()
            last = await made.stager()
            await last.settle()
            return await ask(
                kind,
                tmp_path,
                database,
                "SELECT value, count FROM customers JOIN identifiers ON identifiers.customer = customers.customer"
                " WHERE kind = 0 AND status = 0 ORDER BY value",
            )

    assert sorted(map(tuple, asyncio.run(run()))) == sorted([(one, 2), (two, 2)])
