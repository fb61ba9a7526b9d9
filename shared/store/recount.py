"""Counting what lies in the store, row by row, without trusting a counter: for `milepost check`.

Every function takes a connection from `engine.reading`. They read whole tables: minutes, on a large store.
"""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from sqlalchemy import Table, case, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.store import tables
from shared.store.reads import ABSENT
from shared.store.rows import BEHIND, BY_DAY, BY_HOUR, MERGED, TOTAL, FlowKey

StageKey = tuple[int, int, int]  # project, version, stage


class Population(NamedTuple):
    """One stage's customers: by the ledger's entries, and by each level of the roll-ups. All four must be equal."""

    ledger: int = 0
    total: int = 0
    by_day: int = 0
    by_hour: int = 0


async def touchpoints(db: AsyncConnection) -> dict[int, int]:
    """Touchpoints stored, by project: together they must be what the positions call staged."""
    rows = tables.touchpoints.c
    found = await db.execute(select(rows.project, func.sum(rows.n)).group_by(rows.project))
    return {project: int(n) for project, n in found}


async def bodies(db: AsyncConnection) -> AsyncIterator[bytes]:
    """The body of every row of touchpoints (`shared.events.unpack`)."""
    async for row in await db.stream(select(tables.touchpoints.c.body)):
        yield row[0]


async def dead_letters(db: AsyncConnection) -> dict[int, int]:
    """Dead letters, by partition."""
    rows = tables.dead_letters.c
    found = await db.execute(select(rows.partition, func.count()).group_by(rows.partition))
    return {row[0]: row[1] for row in found}


async def states(db: AsyncConnection) -> AsyncIterator[tuple[int, int, bytes]]:
    """(project, customer, packed tracks) of every customer that is not merged into another."""
    rows = tables.customers.c
    async for row in await db.stream(select(rows.project, rows.customer, rows.states).where(rows.status != MERGED)):
        yield row[0], row[1], row[2]


async def stateless(db: AsyncConnection) -> dict[tuple[int, int, int], Counter[int]]:
    """How often the ledger has them in a stage, of each (project, customer, version) that may have no state:
    the customer waits to be derived, or was ever quarantined."""
    entries, rows, aside = tables.ledger.c, tables.customers.c, tables.quarantine.c
    waits = select(rows.project, rows.customer).where(rows.status == BEHIND)
    either = tuple_(entries.project, entries.customer).in_(waits.union(select(aside.project, aside.customer)))
    counted = defaultdict[tuple[int, int, int], Counter[int]](Counter)
    for stage, sign in ((entries.target, 1), (entries.source, -1)):
        key = (entries.project, entries.customer, entries.version, stage)
        for row in await db.execute(select(*key, func.sum(entries.sign)).where(either, stage != ABSENT).group_by(*key)):
            counted[row[0], row[1], row[2]][row[3]] += sign * int(row[4])
    return counted


async def customers(db: AsyncConnection) -> dict[int, int]:
    """Customers, by project, without those merged into others."""
    rows = tables.customers.c
    found = await db.execute(select(rows.project, func.count()).where(rows.status != MERGED).group_by(rows.project))
    return {row[0]: row[1] for row in found}


async def populations(db: AsyncConnection) -> dict[StageKey, Population]:
    """Every stage's customers, counted four ways."""
    counted = dict[StageKey, Population]()

    def add(key: StageKey, way: str, n: int) -> None:
        before = counted.get(key, Population())
        counted[key] = before._replace(**{way: getattr(before, way) + n})

    entries, rows = tables.ledger.c, tables.populations.c
    for stage, sign in ((entries.target, 1), (entries.source, -1)):
        key = (entries.project, entries.version, stage)
        found = await db.execute(select(*key, func.sum(entries.sign)).where(stage != ABSENT).group_by(*key))
        for project, version, number, n in found:
            add((project, version, number), "ledger", sign * int(n))
    for level, way in ((TOTAL, "total"), (BY_DAY, "by_day"), (BY_HOUR, "by_hour")):
        key = (rows.project, rows.version, rows.stage)
        found = await db.execute(select(*key, func.sum(rows.customers)).where(rows.level == level).group_by(*key))
        for project, version, number, n in found:
            add((project, version, number), way, int(n))
    return counted


async def flows(db: AsyncConnection) -> dict[FlowKey, int]:
    """Ledger entries by flow; must be what `reads.flows` says."""
    rows = tables.ledger.c
    key = (rows.project, rows.version, rows.source, rows.target, rows.cause, rows.sign)
    found = await db.execute(select(*key, func.count()).group_by(*key))
    return {(row[0], row[1], row[2], row[3], row[4], row[5]): row[6] for row in found}


async def misplaced(db: AsyncConnection, limit: int = 10) -> list[tuple[int, int, int]]:
    """(project, version, customer) whose entries do not come to one place: in a journey twice, less than not at all,
    or in it though the customer is gone. There must be none. Retired versions are left as they were."""
    entries, rows, known = tables.ledger.c, tables.customers.c, tables.journeys.c
    retired = select(known.version).where(known.retired_at.is_not(None))
    key = (entries.project, entries.version, entries.customer)
    entered = func.sum(case((entries.source == ABSENT, entries.sign), else_=0))
    places = select(*key, entered.label("n")).where(entries.version.not_in(retired)).group_by(*key).subquery()
    gone = func.coalesce(rows.status, MERGED) == MERGED
    found = await db.execute(
        select(places.c.project, places.c.version, places.c.customer)
        .join_from(places, tables.customers, _same_customer(places), isouter=True)
        .where((places.c.n < 0) | (places.c.n > 1) | (gone & (places.c.n != 0)))
        .limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in found]


def _same_customer(places: Any) -> Any:
    rows = tables.customers.c
    return (rows.project == places.c.project) & (rows.customer == places.c.customer)


async def sizes(db: AsyncConnection) -> dict[str, int]:
    """Rows of every table."""
    every: list[Table] = tables.metadata.sorted_tables
    return {table.name: int(await db.scalar(select(func.count()).select_from(table)) or 0) for table in every}
