"""What an exclusion would hide, before it is made: counted over all stored touchpoints, nothing is written."""

import time
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.events import Record, unpack
from shared.exclusion import Filter, compiled
from shared.identity import FOREVER, owner_at
from shared.store import amendments, tables
from shared.store.people import device_slices

#: Streams asked for at once.
CHUNK = 500


class Preview(NamedTuple):
    """So many touchpoints of so many customers would be hidden that are not yet; `shown` are some, with recorded times.

    Unless it is `whole`, there was no time to look at all touchpoints: it is that many at least.
    """

    touchpoints: int
    customers: int
    shown: list[tuple[int, Record]]
    whole: bool


async def preview(
    db: AsyncConnection, project: int, filter: Filter, show: int = 10, seconds: float | None = None
) -> Preview:
    """Looks at every touchpoint of the project, for that many seconds at most. Raises ValueError as `exclude` does."""
    filter = await amendments.with_keys(db, project, filter)
    standing, meets = await amendments.exclusions(db, project), compiled(filter)
    rows, until = tables.touchpoints.c, None if seconds is None else time.monotonic() + seconds
    query = select(rows.stream, rows.body).where(
        rows.project == project,
        rows.hi >= (-FOREVER if filter.since is None else filter.since),
        rows.lo <= (FOREVER if filter.until is None else filter.until),
    )
    met: dict[int, set[int]] = {}
    count, shown, whole = 0, list[tuple[int, Record]](), True
    async for stream, body in await db.stream(query):
        for recorded, record in unpack(body):
            if not record.excluded and meets(record) and not standing.hidden(record):
                count += 1
                met.setdefault(stream, set()).add(record.at)
                if len(shown) < show:
                    shown.append((recorded, record))
        if until is not None and time.monotonic() > until:
            whole = False
            break
    return Preview(count, len(await _owners(db, project, met)), shown, whole)


async def _owners(db: AsyncConnection, project: int, met: dict[int, set[int]]) -> set[int]:
    """The customers that touchpoints of these streams and times belong to."""
    rows, found, streams = tables.identifiers.c, set[int](), sorted(met)
    for start in range(0, len(streams), CHUNK):
        chunk = streams[start : start + CHUNK]
        query = select(rows.stream, rows.customer).where(rows.project == project, rows.stream.in_(chunk))
        for stream, customer in (await db.execute(query)).all():
            if customer:
                found.add(customer)
            else:
                parts = await device_slices(db, project, stream)
                found |= {owner_at(parts, at) for at in met[stream]}
    return found
