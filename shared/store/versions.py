"""The versions of a journey: published, filled beside live traffic, answering, standing by, retired. On both databases.

A version is *folded* by every batch from its publication until it is retired. The customers there were before are
derived by it one after another (`fills` says how far). Which version of a journey *answers* is not stored: it is the
one last asked for among those that are filled. So a cut-over is the end of the last fill, or one row updated by hand,
and no moment is in between.

Functions that change something take a connection from `engine.writing`, the others one from `engine.reading`.
"""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from sqlalchemy import exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.store import reads, tables
from shared.store.engine import engine, writing
from shared.store.rows import CURRENT, ID_BITS, Fill, JourneyRow

State = Literal["filling", "paused", "held", "current", "standing", "retired"]
"""What a version is: being filled, or that is paused; filled and waiting to be asked for (`held`); answering
(`current`); folded but not answering (`standing`); no longer folded (`retired`)."""


class VersionRefused(Exception):
    """What was asked for cannot be done with this version; the text says why, and what can be done."""


class Progress(NamedTuple):
    """How far a version's back-fill has come: a share from 0 to 1, the customers derived by it, when it ended."""

    share: float
    filled: int
    finished_at: int | None


def answering(rows: Iterable[JourneyRow]) -> list[JourneyRow]:
    """The version that answers, of each journey, in the order in which the journeys were first added.

    Of those folded and filled, the one last asked for; while none is filled, the oldest.
    """
    found = dict[str, JourneyRow]()
    for row in sorted(rows, key=lambda row: row.version):
        best = found.get(row.name)
        if best is None or _answers_before(row, best):
            found[row.name] = row
    return list(found.values())


def _answers_before(row: JourneyRow, older: JourneyRow) -> bool:
    if (row.retired_at is None) != (older.retired_at is None):
        return row.retired_at is None
    if row.filled != older.filled:
        return row.filled
    return row.filled and row.asked_at >= older.asked_at


def state(row: JourneyRow, answers: bool) -> State:
    """What a version is; `answers`: whether it is the one that does."""
    if row.retired_at is not None:
        return "retired"
    if not row.filled:
        return "paused" if row.paused else "filling"
    if answers:
        return "current"
    return "standing" if row.asked_at else "held"


async def progress(db: AsyncConnection, project: int) -> dict[int, Progress]:
    """The back-fills there have been, by version. Shares are of customers' numbers, which rise as customers come."""
    rows = tables.fills.c
    found = dict[int, list[tuple[int, int, int, int | None]]]()
    columns = (rows.version, rows.writer, rows.next, rows.until, rows.filled, rows.finished)
    for version, writer, place, until, filled, finished in await db.execute(
        select(*columns).where(rows.project == project)
    ):
        first = writer << ID_BITS
        found.setdefault(version, []).append((place - first, until - first, filled, finished))
    return {version: _progress(parts) for version, parts in found.items()}


def _progress(parts: Sequence[tuple[int, int, int, int | None]]) -> Progress:
    done, whole = sum(part[0] for part in parts), sum(part[1] for part in parts)
    ends = [part[3] for part in parts if part[3] is not None]
    return Progress(done / whole, sum(part[2] for part in parts), max(ends) if len(ends) == len(parts) else None)


async def left(db: AsyncConnection, row: JourneyRow) -> int:
    """How many customers are not derived by a version yet; those that are behind in every version are not counted."""
    if row.filled or row.retired_at is not None:
        return 0
    fills, customers = tables.fills.c, tables.customers.c
    within = (customers.project == row.project, customers.customer >= fills.next, customers.customer < fills.until)
    of = (fills.project == row.project, fills.version == row.version, fills.finished.is_(None))
    counted = select(func.count()).select_from(tables.fills.join(tables.customers, within[0] & within[1] & within[2]))
    return int(await db.scalar(counted.where(*of, customers.status == CURRENT)) or 0)


# --- Changing them --------------------------------------------------------------------------------------------------


async def add(address: str | Path, project: int, name: str, definition: str, hold: bool) -> JourneyRow:
    """`publish` in a transaction of its own, in the store at this address."""
    database = engine(address)
    try:
        async with writing(database) as db:
            return await publish(db, project, name, definition, hold)
    finally:
        await database.dispose()


async def publish(db: AsyncConnection, project: int, name: str, definition: str, hold: bool = False) -> JourneyRow:
    """Adds a version (number 1 for a new name) and lets its back-fill begin. With `hold`, it waits to be asked for.

    The very text of a folded version is that version: it is asked for again, and nothing is added.
    """
    await _in_turn(db, folding=True)
    rows = await _of(db, project, name)
    for row in reversed(rows):
        if row.definition == definition and row.retired_at is None:
            return row if hold or row.asked_at == max(one.asked_at for one in rows) else await _ask(db, rows, row)
    await db.execute(update(tables.catalog).values(generation=tables.catalog.c.generation + 1))
    known = tables.journeys.c
    version = int(await db.scalar(select(func.coalesce(func.max(known.version), 0) + 1)) or 1)
    number, now = max((row.number for row in rows), default=0) + 1, _now(rows)
    made = JourneyRow(project, version, name, number, definition, now, 0 if hold else now)
    await db.execute(insert(tables.journeys), [dict(zip(known.keys(), made, strict=False))])
    begun = [
        Fill(project, version, writer, writer << ID_BITS, until, 0, None)
        for writer, until in await _customers(db, project)
    ]
    if begun:
        await db.execute(insert(tables.fills), [one._asdict() for one in begun])
    return made._replace(filled=not begun)


async def _customers(db: AsyncConnection, project: int) -> list[tuple[int, int]]:
    """The home partitions in which the project has customers, each with the number that its next one will have."""
    places, rows = tables.positions.c, tables.customers.c
    found = list[tuple[int, int]]()
    for partition, until in await db.execute(select(places.partition, places.next_id).order_by(places.partition)):
        within = (rows.project == project, rows.customer >= partition << ID_BITS, rows.customer < until)
        if await db.scalar(select(exists().where(*within))):
            found.append((partition, until))
    return found


async def cut_over(db: AsyncConnection, project: int, name: str, number: int | None = None) -> JourneyRow:
    """Asks for a version, by default the newest that does not answer: it answers at once, or as soon as it is filled.

    Raises VersionRefused.
    """
    await _in_turn(db)
    rows = await _known(db, project, name)
    return await _ask(db, rows, _chosen(rows, number, "to answer instead"))


async def roll_back(db: AsyncConnection, project: int, name: str, number: int | None = None) -> JourneyRow:
    """Asks for a version that answered before, by default the last one that did. Raises VersionRefused."""
    await _in_turn(db)
    rows = await _known(db, project, name)
    current = _answering(rows)
    former = [row for row in rows if row.filled and row.asked_at and row.retired_at is None and row != current]
    if number is None and not former:
        raise VersionRefused(f"{name} has no former version that could answer at once: `milepost journeys status`")
    row = _chosen(rows, number, "") if number is not None else max(former, key=lambda row: row.asked_at)
    if not row.filled:
        raise VersionRefused(f"{name} version {row.number} is still being filled: it cannot answer yet")
    return await _ask(db, rows, row)


async def retire(db: AsyncConnection, project: int, name: str, number: int) -> JourneyRow:
    """Ends the folding of a version, for good. Its ledger stays as it is. Raises VersionRefused for the current one."""
    await _in_turn(db, folding=True)
    rows = await _known(db, project, name)
    row = _chosen(rows, number, "")
    if row == _answering(rows):
        raise VersionRefused(f"{name} version {number} answers now: let another answer before it is retired")
    await db.execute(update(tables.catalog).values(generation=tables.catalog.c.generation + 1))
    return await _set(db, row, retired_at=_now(rows))


async def pause(db: AsyncConnection, project: int, name: str, number: int | None = None) -> JourneyRow:
    """Stops the back-fill of a version, by default of the newest that has one. Raises VersionRefused."""
    return await _pause(db, project, name, number, 1)


async def resume(db: AsyncConnection, project: int, name: str, number: int | None = None) -> JourneyRow:
    """Lets the back-fill of a version go on. Raises VersionRefused."""
    return await _pause(db, project, name, number, 0)


async def _pause(db: AsyncConnection, project: int, name: str, number: int | None, paused: int) -> JourneyRow:
    await _in_turn(db)
    rows = await _known(db, project, name)
    filling = [row for row in rows if not row.filled and row.retired_at is None]
    if number is None and not filling:
        raise VersionRefused(f"no version of {name} is being filled")
    row = filling[-1] if number is None else _chosen(rows, number, "")
    if row.filled:
        raise VersionRefused(f"{name} version {row.number} is filled already")
    return await _set(db, row, paused=paused)


async def _in_turn(db: AsyncConnection, folding: bool = False) -> None:
    """Waits until nobody else changes versions; with `folding`, until no batch is being written.

    The writers hold the catalog's row in share mode by turns and could keep an update waiting for ever; a table's lock
    is given in the order of asking. SQLite's transactions that write come one after another anyway.
    """
    if db.dialect.name == "postgresql":
        if folding:
            await db.exec_driver_sql("LOCK TABLE catalog IN EXCLUSIVE MODE")
        await db.exec_driver_sql("LOCK TABLE journeys IN SHARE ROW EXCLUSIVE MODE")


async def _of(db: AsyncConnection, project: int, name: str) -> list[JourneyRow]:
    return [row for row in await reads.journeys(db, project) if row.name == name]


async def _known(db: AsyncConnection, project: int, name: str) -> list[JourneyRow]:
    rows = await _of(db, project, name)
    if not rows:
        raise VersionRefused("there is no journey of this name: `milepost journeys list` shows those there are")
    return rows


def _answering(rows: Iterable[JourneyRow]) -> JourneyRow | None:
    return next(iter(answering(rows)), None)


def _chosen(rows: Sequence[JourneyRow], number: int | None, purpose: str) -> JourneyRow:
    """The version of this number; None: the newest that is folded and does not answer."""
    name, current = rows[0].name, _answering(rows)
    if number is None:
        others = [row for row in rows if row.retired_at is None and row != current]
        if not others:
            raise VersionRefused(f"{name} has no other version {purpose}")
        return others[-1]
    for row in rows:
        if row.number == number:
            if row.retired_at is not None:
                raise VersionRefused(f"{name} version {number} is retired, for good: publish its text as a new version")
            return row
    raise VersionRefused(f"{name} has no version {number}; it has {', '.join(str(row.number) for row in rows)}")


def _now(rows: Iterable[JourneyRow]) -> int:
    """The time, but later than anything was asked for: clocks of several machines may differ."""
    return max([time.time_ns() // 1000, *(row.asked_at + 1 for row in rows)])


async def _ask(db: AsyncConnection, rows: Iterable[JourneyRow], row: JourneyRow) -> JourneyRow:
    return await _set(db, row, asked_at=_now(rows))


async def _set(db: AsyncConnection, row: JourneyRow, **values: int) -> JourneyRow:
    known = tables.journeys.c
    await db.execute(
        update(tables.journeys).where(known.project == row.project, known.version == row.version).values(**values)
    )
    return row._replace(**values)  # type: ignore[arg-type]  # each value is of the field of its name
