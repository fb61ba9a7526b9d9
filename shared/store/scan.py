"""What the analytical copy is made of: everything of one project, read in one go. The same on both databases.

Every function takes a connection from `engine.reading`: what one block reads is of one moment.
"""

from collections.abc import AsyncIterator
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.identity import Link
from shared.store import tables
from shared.store.rows import mark_of

#: Rows handed on at once.
MANY = 2_000


class Owners(NamedTuple):
    """Whose the streams are: the customer of each that has one, and the links of each device that several share.

    A link's owner is the customer of the user that it leads to.
    """

    sole: dict[int, int]
    links: dict[int, list[Link]]


class Read(NamedTuple):
    """How far everything has been read: by writer, the position of its last batch, and the number after its last entry.

    Read first in a block, it is what the rest of the block is of.
    """

    positions: dict[int, int]
    entries: dict[int, int]


async def now(db: AsyncConnection) -> Read:
    """What is there to be read."""
    rows = tables.positions.c
    found = list(await db.execute(select(rows.partition, rows.position, rows.next_seq)))
    return Read({row[0]: row[1] for row in found}, {row[0]: row[2] for row in found})


async def touchpoints(
    db: AsyncConnection, project: int, before: Read | None, now: Read
) -> AsyncIterator[list[tuple[int, bytes]]]:
    """(stream, body) of every row of touchpoints that has come since `before` (None: ever), many at once."""
    rows = tables.touchpoints.c
    columns = select(rows.stream, rows.body).where(rows.project == project)
    wanted = [columns]
    if before is not None:
        # Batches of a writer are marked by where they ended, and committed one after another.
        wanted = [
            columns.where(
                rows.mark > mark_of(writer, before.positions.get(writer, 0)), rows.mark <= mark_of(writer, end)
            )
            for writer, end in now.positions.items()
            if end > before.positions.get(writer, 0)
        ]
    for one in wanted:
        async for part in (await db.stream(one)).partitions(MANY):
            yield [(stream, body) for stream, body in part]


async def owners(db: AsyncConnection, project: int) -> Owners:
    """Whose every stream of the project is."""
    rows, links = tables.identifiers.c, tables.links.c
    sole = dict[int, int]()
    async for part in (await db.stream(select(rows.stream, rows.customer).where(rows.project == project))).partitions(
        MANY
    ):
        sole.update((stream, customer) for stream, customer in part)
    shared = dict[int, list[Link]]()
    devices = select(rows.stream).where(rows.project == project, rows.customer == 0)
    found = await db.execute(
        select(links.stream, links.at, links.id, links.owner).where(links.project == project, links.stream.in_(devices))
    )
    for stream, at, id, owner in found:
        shared.setdefault(stream, []).append(Link(at, id, sole.get(owner, 0)))
    return Owners({stream: customer for stream, customer in sole.items() if customer}, shared)


async def ledger(
    db: AsyncConnection, project: int, before: Read | None, now: Read
) -> AsyncIterator[list[tuple[int, int, int, int, int, int]]]:
    """(version, customer, at, source, target, sign) of every entry since `before` (None: ever), many at once."""
    rows = tables.ledger.c
    columns = (rows.version, rows.customer, rows.at, rows.source, rows.target, rows.sign)
    entries = select(*columns).where(rows.project == project)
    wanted = [entries]
    if before is not None:
        wanted = [
            entries.where(rows.seq >= before.entries.get(writer, 0), rows.writer == writer)
            for writer, end in now.entries.items()
            if end > before.entries.get(writer, 0)
        ]
    for one in wanted:
        async for part in (await db.stream(one)).partitions(MANY):
            yield [(v, c, at, source, target, sign) for v, c, at, source, target, sign in part]
