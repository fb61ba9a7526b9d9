"""Dead letters: log values that the stager could not decode, and what people make of them. The same on both databases.

The stager's rows are never changed, and never go: they account for positions of the log (`milepost check`). A repair,
and that a letter was replayed, is noted beside them.
"""

from typing import Any, NamedTuple

from sqlalchemy import Select, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.store import tables


class Place(NamedTuple):
    """Where on the log a dead letter lies."""

    partition: int
    position: int


class DeadLetter(NamedTuple):
    """A log value that could not be decoded, and why; times in microseconds.

    `repaired` is what somebody made of it at `repaired_at`; `replayed_at` is when it was put on the log again.
    """

    place: Place
    at: int
    reason: str
    value: bytes
    repaired: bytes | None
    repaired_at: int | None
    replayed_at: int | None


async def find(
    db: AsyncConnection, *, replayed: bool | None = None, before: Place | None = None, limit: int = 100
) -> list[DeadLetter]:
    """Dead letters, of all projects, as nobody can tell whose they are: the last place first.

    `replayed`: only those that were, or were not, replayed; `before`: only those at an earlier place.
    """
    row, repair = tables.dead_letters.c, tables.repairs.c
    query = _all()
    if replayed is not None:
        query = query.where(repair.replayed_at.is_not(None) if replayed else repair.replayed_at.is_(None))
    if before is not None:
        earlier = (row.partition == before.partition) & (row.position < before.position)
        query = query.where(or_(row.partition < before.partition, earlier))
    order = (row.partition.desc(), row.position.desc())
    return [_letter(found) for found in await db.execute(query.order_by(*order).limit(limit))]


async def get(db: AsyncConnection, place: Place) -> DeadLetter | None:
    """The dead letter that lies there; None if none does."""
    row = tables.dead_letters.c
    found = (await db.execute(_all().where(row.partition == place.partition, row.position == place.position))).first()
    return None if found is None else _letter(found)


async def waiting(db: AsyncConnection) -> int:
    """How many have not been replayed."""
    replayed = select(func.count()).where(tables.repairs.c.replayed_at.is_not(None))
    every = select(func.count()).select_from(tables.dead_letters)
    return int(await db.scalar(select(every.scalar_subquery() - replayed.scalar_subquery())) or 0)


async def positions(db: AsyncConnection, partition: int) -> set[int]:
    """Where on a partition all its dead letters lie."""
    row = tables.dead_letters.c
    return set(await db.scalars(select(row.position).where(row.partition == partition)))


async def repair(db: AsyncConnection, place: Place, value: bytes, at: int) -> None:
    """Notes what is to be replayed instead; a later repair takes the place of an earlier one."""
    await _note(db, place, at=at, value=value)


async def replayed(db: AsyncConnection, place: Place, at: int) -> None:
    """Notes that it was put on the log again."""
    await _note(db, place, replayed_at=at)


async def _note(db: AsyncConnection, place: Place, **values: Any) -> None:
    dialect: Any = postgresql if db.dialect.name == "postgresql" else sqlite
    row = {"project": 0, **place._asdict(), "at": 0, **values}
    made = dialect.insert(tables.repairs).values(row)
    await db.execute(made.on_conflict_do_update(index_elements=["partition", "position"], set_=values))


def _all() -> Select[Any]:
    rows, repairs = tables.dead_letters, tables.repairs
    same = (repairs.c.partition == rows.c.partition) & (repairs.c.position == rows.c.position)
    columns = (rows.c.partition, rows.c.position, rows.c.at, rows.c.reason, rows.c.value)
    noted = (repairs.c.value, repairs.c.at, repairs.c.replayed_at)
    return select(*columns, *noted).join_from(rows, repairs, same, isouter=True)


def _letter(row: Any) -> DeadLetter:
    partition, position, at, reason, value, repaired, repaired_at, replayed_at = row
    return DeadLetter(Place(partition, position), at, reason, value, repaired, repaired_at or None, replayed_at)
