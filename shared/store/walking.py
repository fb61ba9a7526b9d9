"""Many customers one after another, with all that they did: for what is tried on history. The same on both databases.

Every function takes a connection from `engine.reading`. A walk over a large project takes one for each batch, so that
no transaction stays open for long: customers who come or merge meanwhile may be missed or met twice.
"""

import heapq
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection
from xxhash import xxh3_64_intdigest

from shared.events import Record, unpack
from shared.identity import ALWAYS, FOREVER
from shared.store import tables
from shared.store.people import device_slices
from shared.store.rows import BEHIND, MERGED, USER

#: Streams that are asked for in one statement.
CHUNK = 500

History = list[tuple[int, Record]]
"""(recorded time, record) of a customer's touchpoints, in no order, each id perhaps more than once."""


class Walked(NamedTuple):
    """A customer: how many touchpoints it has, and whether it waits to be derived anew."""

    customer: int
    touchpoints: int
    behind: bool


async def count(db: AsyncConnection, project: int) -> int:
    """The project's customers, without those merged into others."""
    rows = tables.customers.c
    return int(await db.scalar(select(func.count()).where(rows.project == project, rows.status != MERGED)) or 0)


async def following(db: AsyncConnection, project: int, after: int, limit: int) -> list[Walked]:
    """The customers of the next numbers after this one, 0 for the first."""
    rows = tables.customers.c
    query = select(rows.customer, rows.count, rows.status).where(
        rows.project == project, rows.customer > after, rows.status != MERGED
    )
    found = await db.execute(query.order_by(rows.customer).limit(limit))
    return [Walked(customer, n, status == BEHIND) for customer, n, status in found]


async def those(db: AsyncConnection, project: int, customers: Sequence[int]) -> list[Walked]:
    """These customers in this order, as far as there are such."""
    rows = tables.customers.c
    query = select(rows.customer, rows.count, rows.status).where(
        rows.project == project, rows.customer.in_(customers), rows.status != MERGED
    )
    found = {customer: Walked(customer, n, status == BEHIND) for customer, n, status in await db.execute(query)}
    return [found[customer] for customer in customers if customer in found]


async def waiting(
    db: AsyncConnection, project: int, until: int, after: tuple[int, int], limit: int
) -> list[tuple[int, int]]:
    """(due, customer) of the timers due at or before an instant, the soonest first, beyond the place `after`.

    A timer is never due later than the customer's next move by time alone, and may be sooner.
    """
    rows = tables.timers.c
    writers = select(tables.positions.c.partition)  # each has its timers in order of time
    query = select(rows.due, rows.customer).where(
        rows.project == project, rows.writer.in_(writers), rows.due <= until, tuple_(rows.due, rows.customer) > after
    )
    found = await db.execute(query.order_by(rows.due, rows.customer).limit(limit))
    return [(due, customer) for due, customer in found]


class Sample:
    """The customers with the smallest hashes: the same ones each time, as long as no others come."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._found: list[tuple[int, int]] = []

    def add(self, customers: Iterable[int]) -> None:
        """Looks at customers."""
        for customer in customers:
            one = -xxh3_64_intdigest(customer.to_bytes(8, "big")), customer
            if len(self._found) < self._size:
                heapq.heappush(self._found, one)
            elif one > self._found[0]:
                heapq.heapreplace(self._found, one)

    def customers(self) -> list[int]:
        """The sample by hash, so that any beginning of it is a sample, too."""
        return [customer for _, customer in sorted(self._found, reverse=True)]


async def histories(db: AsyncConnection, project: int, customers: Sequence[int]) -> dict[int, History]:
    """All that each of these customers did, of each device that it shares what was its own."""
    spans = await _spans(db, project, customers)
    stored = await _stored(db, project, sorted({stream for cut in spans.values() for stream, _, _ in cut}))
    return {
        customer: [one for stream, start, end in cut for one in stored.get(stream, ()) if start <= one[1].at <= end]
        for customer, cut in spans.items()
    }


async def _spans(db: AsyncConnection, project: int, customers: Sequence[int]) -> dict[int, list[tuple[int, int, int]]]:
    rows, links = tables.identifiers.c, tables.links.c
    spans: dict[int, list[tuple[int, int, int]]] = {customer: [] for customer in customers}
    users = list[int]()
    own = select(rows.customer, rows.kind, rows.stream).where(rows.project == project, rows.customer.in_(customers))
    for customer, kind, stream in await db.execute(own):
        spans[customer].append((stream, ALWAYS, FOREVER))
        if kind == USER:
            users.append(stream)
    devices = set[int]()
    for chunk in _chunks(users):
        linked = select(links.stream).where(links.project == project, links.owner.in_(chunk)).distinct()
        shared = select(rows.stream).where(rows.project == project, rows.customer == 0, rows.stream.in_(linked))
        devices |= set(await db.scalars(shared))
    for device in sorted(devices):
        for start, end, owner in await device_slices(db, project, device):
            if owner in spans:
                spans[owner].append((device, start, end))
    return spans


async def _stored(db: AsyncConnection, project: int, streams: Sequence[int]) -> dict[int, History]:
    rows, found = tables.touchpoints.c, dict[int, History]()
    for chunk in _chunks(streams):
        query = select(rows.stream, rows.body).where(rows.project == project, rows.stream.in_(chunk))
        for stream, body in await db.execute(query):
            found.setdefault(stream, []).extend(unpack(body))
    return found


def _chunks(streams: Sequence[int]) -> Iterable[Sequence[int]]:
    return (streams[start : start + CHUNK] for start in range(0, len(streams), CHUNK))
