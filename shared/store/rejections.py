"""Rejections: what was refused, with the reason, for whoever sends it to find. The same on both databases.

They are bounded by age and by number, so that no flood of refused events fills the disk; Prometheus counts them all.
"""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Select, delete, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.events import DAY
from shared.store import tables
from shared.store.rows import REJECTIONS_OF_A_CODE, Rejection

#: How long rejections are kept.
KEPT = 30 * DAY

#: The index of a request of which nothing could be taken.
WHOLE = -1


class Kept(NamedTuple):
    """A rejection with its number, which rises, and the name of the write key that it was sent with."""

    number: int
    key_name: str
    rejection: Rejection


async def add(db: AsyncConnection, rejections: Sequence[Rejection]) -> None:
    """Keeps these, and forgets of their projects and codes what is too much."""
    if not rejections:
        return
    storable = {"field", "message"}
    rows = [
        {name: tables.storable(value) if name in storable else value for name, value in row._asdict().items()}
        for row in rejections
    ]
    await db.execute(insert(tables.rejections), rows)
    kept = tables.rejections.c
    for project, code in {(row.project, row.code) for row in rejections}:
        of = (kept.project == project, kept.code == code)
        surplus = select(kept.number).where(*of).order_by(kept.number.desc()).offset(REJECTIONS_OF_A_CODE).limit(1)
        await db.execute(delete(tables.rejections).where(*of, kept.number <= surplus.scalar_subquery()))


async def forget(db: AsyncConnection) -> None:
    """Forgets those that are too old."""
    await db.execute(delete(tables.rejections).where(tables.rejections.c.at < time.time_ns() // 1000 - KEPT))


async def find(
    db: AsyncConnection,
    project: int,
    *,
    since: int | None = None,
    until: int | None = None,
    code: str | None = None,
    key: str | None = None,
    before: int | None = None,
    after: int | None = None,
    limit: int = 100,
) -> list[Kept]:
    """The newest rejections of a project that were received from `since` until `until`, both inclusive.

    `key` is the name or the number of a write key. `before` and `after` are numbers, exclusive.
    """
    row, keys = tables.rejections.c, tables.write_keys.c
    wanted = [row.project == project]
    if since is not None:
        wanted.append(row.at >= since)
    if until is not None:
        wanted.append(row.at <= until)
    if code is not None:
        wanted.append(row.code == tables.storable(code))
    if key is not None:
        number = int(key) if key.isascii() and key.isdigit() and len(key) < 10 else -1
        wanted.append(or_(keys.name == tables.storable(key), row.key == number))
    if before is not None:
        wanted.append(row.number < before)
    if after is not None:
        wanted.append(row.number > after)
    return [_kept(found) for found in await db.execute(_all().where(*wanted).order_by(row.number.desc()).limit(limit))]


async def get(db: AsyncConnection, project: int, number: int) -> Kept | None:
    """The rejection of this number; None if there is none, or no longer."""
    row = tables.rejections.c
    found = (await db.execute(_all().where(row.project == project, row.number == number))).first()
    return None if found is None else _kept(found)


async def newest(db: AsyncConnection, project: int) -> int:
    """The number of the newest, 0 if there is none."""
    row = tables.rejections.c
    return int(await db.scalar(select(func.max(row.number)).where(row.project == project)) or 0)


def _all() -> Select[Any]:
    rows, keys = tables.rejections, tables.write_keys
    key = (keys.c.project == rows.c.project) & (keys.c.key == rows.c.key)
    columns = (rows.c[name] for name in Rejection._fields)
    return select(rows.c.number, func.coalesce(keys.c.name, ""), *columns).join_from(rows, keys, key, isouter=True)


def _kept(row: Any) -> Kept:
    return Kept(row[0], row[1], Rejection(*row[2:]))
