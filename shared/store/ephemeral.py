"""What a store that is thrown away can do beside all others: be emptied in place, take keys that others chose.

For `milepost up --ephemeral`. The same on both databases.
"""

from collections.abc import Mapping

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.events import Record, unpack
from shared.store import tables
from shared.store.admin import hashed

#: What outlives an emptying: who may send and ask, the journeys, and where the log is.
STAY = frozenset({"projects", "write_keys", "query_tokens", "journeys", "catalog", "positions"})


async def empty(db: AsyncConnection, ends: Mapping[int, int]) -> None:
    """Forgets everything that happened; staging goes on at these ends of the log, by partition.

    No stager may hold a partition meanwhile. What the log held until then counts as lost.
    """
    for table in tables.metadata.sorted_tables:
        if table.name not in STAY:
            await db.execute(delete(table))
    rows = tables.positions
    moved = update(rows).where(rows.c.partition == bindparam("held"))
    moved = moved.values(position=bindparam("end"), lost=bindparam("end"), staged=0, duplicates=0)
    await db.execute(moved, [{"held": partition, "end": end} for partition, end in ends.items()])


async def choose_secrets(db: AsyncConnection, key: str | None, token: str | None) -> None:
    """Gives every write key this text, every query token that one; None: leaves them. There must be one of each."""
    for table, secret in ((tables.write_keys, key), (tables.query_tokens, token)):
        if secret is not None:
            await db.execute(update(table).values(hash=hashed(secret)))


async def touchpoints(db: AsyncConnection, project: int) -> list[tuple[int, Record]]:
    """(recorded time, record) of every touchpoint of a project, in order of their times and ids."""
    rows = tables.touchpoints.c
    bodies = await db.scalars(select(rows.body).where(rows.project == project))
    return sorted((one for body in bodies for one in unpack(body)), key=lambda one: (one[1].at, one[1].id.encode()))
