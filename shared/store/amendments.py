"""What people rule about the data: exclusions of touchpoints (semantics 57) and retractions of statements (58).

Here they are recorded, undone, and read; the stager carries them out. The same on both databases. Functions that
change something take a connection from `engine.writing`, the others one from `engine.reading`.
"""

import time
from collections.abc import Sequence

import msgspec
from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.exclusion import Exclusion, Exclusions, Filter, check, compiled
from shared.statement import Said
from shared.store import tables
from shared.store.rows import EXCLUDES, MARKS, RETRACTS, Amendment

#: Exclusions of a project, those undone too: each is looked at for every touchpoint.
MOST = 1_000
#: The kinds that hide touchpoints.
EXCLUDING = (EXCLUDES, MARKS)


class Retraction(msgspec.Struct, frozen=True):
    """These statements are as if they had not been made."""

    statements: tuple[Said, ...]


_filter = msgspec.json.Decoder(Filter).decode
_retraction = msgspec.json.Decoder(Retraction).decode
_encode = msgspec.json.Encoder().encode


def filter_of(row: Amendment) -> Filter:
    """What an exclusion is to meet."""
    return _filter(row.body)


def retraction_of(row: Amendment) -> Retraction:
    """What a retraction takes back."""
    return _retraction(row.body)


def exclusions_of(rows: Sequence[Amendment]) -> Exclusions:
    """The exclusions among amendments, marks too, ready to be asked."""
    found = [(row, filter_of(row)) for row in rows if row.kind in EXCLUDING]
    plain = (Exclusion(compiled(filter), row.made_at, row.undone_at) for row, filter in found if row.kind == EXCLUDES)
    marks = (
        (device, row.made_at, row.undone_at) for row, filter in found if row.kind == MARKS for device in filter.devices
    )
    return Exclusions(plain, marks)


async def with_keys(db: AsyncConnection, project: int, filter: Filter) -> Filter:
    """The filter with the numbers of the write keys that it names. Raises ValueError if it cannot be."""
    check(filter)
    rows = tables.write_keys.c
    numbers = list[int]()
    for name in filter.keys:
        called = (rows.project == project, rows.name == tables.storable(name))
        found = list(await db.scalars(select(rows.key).where(*called)))
        if not found:
            raise ValueError(f"keys: there is no write key {name!r}: `milepost keys list` shows them")
        numbers += found
    return msgspec.structs.replace(filter, numbers=tuple(sorted({*filter.numbers, *numbers})))


async def exclude(db: AsyncConnection, project: int, filter: Filter, who: str, why: str) -> Amendment:
    """Hides what the filter meets, from now on and of any time. Raises ValueError if the filter cannot be."""
    filter = await with_keys(db, project, filter)
    rows = tables.amendments.c
    made = select(func.count()).where(rows.project == project, rows.kind == EXCLUDES)
    await _raise_generation(db)
    if int(await db.scalar(made) or 0) >= MOST:
        raise ValueError(f"this project has {MOST:,} exclusions already: put several into one")
    return await _add(db, project, EXCLUDES, _encode(filter).decode(), who, why)


async def retract(db: AsyncConnection, project: int, retraction: Retraction, who: str, why: str) -> Amendment:
    """Takes statements back."""
    await _raise_generation(db)
    return await _add(db, project, RETRACTS, _encode(retraction).decode(), who, why)


async def undo(db: AsyncConnection, project: int, number: int, *kinds: int) -> bool:
    """Undoes an amendment; False if none of these kinds and this number stands."""
    rows = tables.amendments.c
    await _raise_generation(db)
    standing = update(tables.amendments).where(
        rows.project == project, rows.number == number, rows.kind.in_(kinds), rows.undone_at.is_(None)
    )
    return (await db.execute(standing.values(undone_at=_now(), place=0))).rowcount == 1


async def listed(db: AsyncConnection, project: int, *kinds: int) -> list[Amendment]:
    """All of a project of these kinds, undone ones too, the oldest first."""
    rows = tables.amendments.c
    of = select(tables.amendments).where(rows.project == project, rows.kind.in_(kinds))
    return [Amendment(*row) for row in await db.execute(of.order_by(rows.number))]


async def exclusions(db: AsyncConnection, project: int) -> Exclusions:
    """All exclusions of a project, ready to be asked."""
    return exclusions_of(await listed(db, project, *EXCLUDING))


async def _add(db: AsyncConnection, project: int, kind: int, body: str, who: str, why: str) -> Amendment:
    if not await db.scalar(select(func.count()).where(tables.projects.c.project == project)):
        raise ValueError(f"there is no project {project}")
    last = select(func.coalesce(func.max(tables.amendments.c.number), 0)).where(tables.amendments.c.project == project)
    number = int(await db.scalar(last) or 0) + 1
    said = tables.storable(who)[:200], tables.storable(why)[:1000]
    row = Amendment(project, number, kind, body, *said, made_at=_now(), undone_at=None, place=0)
    await db.execute(insert(tables.amendments), [row._asdict()])
    return row


async def _raise_generation(db: AsyncConnection) -> None:
    """Every stager reads the amendments before it writes again. Whoever asks first goes first."""
    if db.dialect.name == "postgresql":
        await db.exec_driver_sql("LOCK TABLE catalog IN EXCLUSIVE MODE")
    await db.execute(update(tables.catalog).values(generation=tables.catalog.c.generation + 1))


def _now() -> int:
    return time.time_ns() // 1000
