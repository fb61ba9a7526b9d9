"""What the analytical copy is made of: everything of one project, read in one go. The same on both databases.

Every function takes a connection from `engine.reading`: what one block reads is of one moment.
"""

from collections.abc import AsyncIterator
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.identity import Link
from shared.store import tables

#: Rows handed on at once.
MANY = 2_000


class Owners(NamedTuple):
    """Whose the streams are: the customer of each that has one, and the links of each device that several share.

    A link's owner is the customer of the user that it leads to.
    """

    sole: dict[int, int]
    links: dict[int, list[Link]]


async def touchpoints(db: AsyncConnection, project: int) -> AsyncIterator[list[tuple[int, bytes]]]:
    """(stream, body) of every row of touchpoints, many at once."""
    rows = tables.touchpoints.c
    found = await db.stream(select(rows.stream, rows.body).where(rows.project == project))
    async for part in found.partitions(MANY):
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


async def ledger(db: AsyncConnection, project: int) -> AsyncIterator[list[tuple[int, int, int, int, int, int]]]:
    """(version, customer, at, source, target, sign) of every entry, many at once."""
    rows = tables.ledger.c
    columns = (rows.version, rows.customer, rows.at, rows.source, rows.target, rows.sign)
    found = await db.stream(select(*columns).where(rows.project == project))
    async for part in found.partitions(MANY):
        yield [(v, c, at, source, target, sign) for v, c, at, source, target, sign in part]
