"""What is read about journeys: who stands where, what moved, how fresh it is. The same on both databases.

Every function takes a connection from `engine.reading`: what one block reads is of one moment.
"""

import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, exists, func, select, tuple_, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.events import DAY
from shared.store import tables
from shared.store.rows import BY_DAY, BY_HOUR, DONE, EXCLUDES, HOUR, TOTAL, FlowKey, JourneyRow, LedgerRow

ABSENT = -2

Condition = ColumnElement[bool]


class Project(NamedTuple):
    """A project; its days and months are those of its IANA time zone.

    `devices` is `split` or `join`: whether the users of one device are one customer (semantics 39, 43).
    """

    project: int
    name: str
    time_zone: str
    devices: str
    made_at: int


async def projects(db: AsyncConnection) -> list[Project]:
    """All projects."""
    return [Project(*row) for row in await db.execute(select(tables.projects).order_by("project"))]


async def journeys(db: AsyncConnection, project: int) -> list[JourneyRow]:
    """Every version of every journey of the project, the oldest first."""
    rows, fills = tables.journeys, tables.fills.c
    same = (fills.project == rows.c.project, fills.version == rows.c.version)
    filled = ~exists().where(*same, fills.finished.is_(None))
    found = await db.execute(select(rows, filled).where(rows.c.project == project).order_by(rows.c.version))
    return [JourneyRow(*row) for row in found]


async def freshness(db: AsyncConnection) -> int:
    """The store's clock: what was received before this instant is in every answer. 0 until every partition ran."""
    return int(await db.scalar(select(func.min(tables.positions.c.clock))) or 0)


# --- Who stood where, by what was known ---------------------------------------------------------------------------


def _rolled_up(project: int, version: int, level: int, *where: Condition) -> Select[Any]:
    rows = tables.populations.c
    of = (rows.project == project, rows.version == version, rows.level == level)
    return select(rows.stage, func.sum(rows.customers)).where(*of, *where).group_by(rows.stage)


def _entered(project: int, version: int, *where: Condition, sign: int = 1) -> list[Select[Any]]:
    """What ledger entries add to the stages they lead to, and take from those they come from."""
    rows = tables.ledger.c
    of = (rows.project == project, rows.version == version, *where)
    return [
        select(stage, n * func.sum(rows.sign)).where(*of, stage != ABSENT).group_by(stage)
        for stage, n in ((rows.target, sign), (rows.source, -sign))
    ]


async def population(
    db: AsyncConnection, project: int, version: int, at: int | None = None, known_at: int | None = None
) -> dict[int, int]:
    """Customers by stage number: the sum of entries effective at or before `at` and recorded at or before `known_at`.

    Left out, `at` is now and `known_at` is everything recorded. Stages that sum to nothing are left out.
    """
    if at is None and known_at is None:
        ahead = _entered(project, version, tables.ledger.c.at > time.time_ns() // 1000, sign=-1)
        return await _sum(db, [_rolled_up(project, version, TOTAL), *ahead])
    end = (time.time_ns() // 1000 if at is None else at) + 1
    return await _sum(db, _as_of(project, version, end, None if known_at is None else known_at + 1))


def _as_of(project: int, version: int, end: int, known: int | None) -> list[Select[Any]]:
    """The sums that make up `at` < end and `recorded` < known (None: without end), each over few rows.

    Whole days before the days of both ends come from the daily rows; what is left of whole hours before the hours of
    both ends from the hourly rows; the rest from the ledger's own entries.
    """
    days, hours = end - end % DAY, end - end % HOUR
    rows, entries = tables.populations.c, tables.ledger.c
    if known is None:
        return [
            _rolled_up(project, version, BY_DAY, rows.at < days),
            _rolled_up(project, version, BY_HOUR, rows.at >= days, rows.at < hours),
            *_entered(project, version, entries.at >= hours, entries.at < end),
        ]
    known_days, known_hours = known - known % DAY, known - known % HOUR
    return [
        _rolled_up(project, version, BY_DAY, rows.at < days, rows.recorded < known_days),
        _rolled_up(project, version, BY_HOUR, rows.at >= days, rows.at < hours, rows.recorded < known_hours),
        _rolled_up(project, version, BY_HOUR, rows.at < days, rows.recorded >= known_days, rows.recorded < known_hours),
        *_entered(project, version, entries.at >= hours, entries.at < end, entries.recorded < known),
        *_entered(project, version, entries.at < hours, entries.recorded >= known_hours, entries.recorded < known),
    ]


async def _sum(db: AsyncConnection, parts: Sequence[Select[Any]]) -> dict[int, int]:
    total = dict[int, int]()
    for stage, n in await db.execute(union_all(*parts)):
        total[stage] = total.get(stage, 0) + int(n)
    return {stage: n for stage, n in total.items() if n}


async def behind(db: AsyncConnection, project: int) -> int:
    """Customers being derived anew; they are counted where they stood until then."""
    return await _count(db, tables.queue, tables.queue.c.project == project)


# --- What moved ---------------------------------------------------------------------------------------------------


def _period(project: int, version: int, since: int | None, until: int | None) -> list[Condition]:
    rows = tables.ledger.c
    where = [rows.project == project, rows.version == version]
    if since is not None:
        where.append(rows.at >= since)
    where.append(rows.at <= (time.time_ns() // 1000 if until is None else until))
    return where


async def moves(
    db: AsyncConnection, project: int, version: int, since: int | None = None, until: int | None = None
) -> dict[tuple[int, int], int]:
    """How many moves of the period (both ends included; until now) stand, by (source, target)."""
    rows, rolled = tables.ledger.c, tables.flows.c
    period = _period(project, version, since, until)
    parts = [select(rows.source, rows.target, func.sum(rows.sign)).where(*period).group_by(rows.source, rows.target)]
    if since is None and until is None:  # everything but what lies ahead
        ahead = (rows.project == project, rows.version == version, rows.at > time.time_ns() // 1000)
        parts = [
            select(rolled.source, rolled.target, func.sum(rolled.sign * rolled.n))
            .where(rolled.project == project, rolled.version == version)
            .group_by(rolled.source, rolled.target),
            select(rows.source, rows.target, -func.sum(rows.sign)).where(*ahead).group_by(rows.source, rows.target),
        ]
    total = dict[tuple[int, int], int]()
    for source, target, n in await db.execute(union_all(*parts)):
        total[source, target] = total.get((source, target), 0) + int(n)
    return {move: n for move, n in total.items() if n}


async def transitions(
    db: AsyncConnection,
    project: int,
    version: int,
    since: int | None = None,
    until: int | None = None,
    before: tuple[int, int] | None = None,
    limit: int = 100,
) -> tuple[list[LedgerRow], tuple[int, int] | None]:
    """Moves of the period that stand, the newest first, and where the next page begins (`before`), None at the end.

    A page holds about `limit` moves: what one customer did at one instant is never torn apart.
    """
    rows = tables.ledger.c
    where = _period(project, version, since, until)
    standing = list[LedgerRow]()
    while len(standing) < limit:
        place = [] if before is None else [tuple_(rows.at, rows.customer) < before]
        instants = (
            select(rows.at, rows.customer)
            .where(*where, *place)
            .group_by(rows.at, rows.customer)
            .order_by(rows.at.desc(), rows.customer.desc())
            .limit(limit)
        )
        groups = (await db.execute(instants)).all()
        if not groups:
            return standing, None
        last = groups[-1]
        found = await db.execute(
            select(tables.ledger).where(*where, *place, tuple_(rows.at, rows.customer) >= tuple(last))
        )
        standing += net(LedgerRow(*row) for row in found)
        before = (last[0], last[1])
        if len(groups) < limit:
            return standing, None
    return standing, before


def net(entries: Iterable[LedgerRow]) -> list[LedgerRow]:
    """The moves that stand, the newest first. Of one entered more often than it stands, the last entries stand."""
    entered = dict[tuple[int, int, int, int], list[LedgerRow]]()
    reversals = dict[tuple[int, int, int, int], int]()
    for row in entries:
        fact = (row.at, row.customer, row.source, row.target)
        if row.sign > 0:
            entered.setdefault(fact, []).append(row)
        else:
            reversals[fact] = reversals.get(fact, 0) + 1
    standing = [
        row
        for fact, rows in entered.items()
        for row in sorted(rows, key=lambda row: (row.recorded, row.writer, row.seq))[reversals.get(fact, 0) :]
    ]
    standing.sort(key=lambda row: (row.at, row.customer, row.recorded, row.writer, row.seq), reverse=True)
    return standing


async def flows(db: AsyncConnection) -> dict[FlowKey, int]:
    """How many ledger entries there are in all, by project, version, source, target, cause and sign."""
    rows = tables.flows.c
    key = (rows.project, rows.version, rows.source, rows.target, rows.cause, rows.sign)
    found = await db.execute(select(*key, func.sum(rows.n)).group_by(*key))
    return {(row[0], row[1], row[2], row[3], row[4], row[5]): int(row[6]) for row in found}


# --- What is to be done, and what went wrong ------------------------------------------------------------------------


class Position(NamedTuple):
    """A partition as its owner last left it; times in microseconds, the rest counts and log positions."""

    partition: int
    owner: str
    position: int
    clock: int
    staged: int
    duplicates: int
    lost: int


class Backlog(NamedTuple):
    """Of one project: customers in the deriver's queue, with a timer due, and quarantined; rejections kept; exclusions
    that stand; amendments, or their undoing, that are not carried out."""

    queued: int
    due: int
    quarantined: int
    rejections: int
    exclusions: int
    amending: int


async def positions(db: AsyncConnection) -> list[Position]:
    """Every partition."""
    rows = tables.positions.c
    found = await db.execute(select(*(rows[name] for name in Position._fields)).order_by(rows.partition))
    return [Position(*row) for row in found]


async def dead_letter_count(db: AsyncConnection) -> int:
    """How many dead letters there are; nobody can tell whose they are."""
    return await _count(db, tables.dead_letters)


async def backlog(db: AsyncConnection, project: int) -> Backlog:
    """What a project waits for."""
    timers, amended = tables.timers.c, tables.amendments.c
    of = (amended.project == project,)
    writers = select(tables.positions.c.partition)  # each has its timers in order of time
    due = and_(timers.project == project, timers.writer.in_(writers), timers.due < await freshness(db))
    return Backlog(
        await _count(db, tables.queue, tables.queue.c.project == project),
        await _count(db, tables.timers, due),
        await _count(db, tables.quarantine, tables.quarantine.c.project == project),
        await _count(db, tables.rejections, tables.rejections.c.project == project),
        await _count(db, tables.amendments, and_(*of, amended.kind == EXCLUDES, amended.undone_at.is_(None))),
        await _count(db, tables.amendments, and_(*of, amended.place < DONE)),
    )


async def _count(db: AsyncConnection, table: Any, where: Condition | None = None) -> int:
    counted = select(func.count()).select_from(table)
    return int(await db.scalar(counted if where is None else counted.where(where)) or 0)
