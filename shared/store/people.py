"""What is read about one customer: who it is, what it did, where it has been. The same on both databases.

Every function takes a connection from `engine.reading`: what one block reads is of one moment.
"""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.events import Record, unpack
from shared.identity import ALWAYS, FOREVER, Link, Slice, slices
from shared.store import amendments, tables
from shared.store.rows import MERGED, USER, CustomerRow, LedgerRow


class Identifier(NamedTuple):
    """A customer's identifier: its kind (USER or ANONYMOUS), and whether others have the device too."""

    kind: int
    value: str
    stream: int
    shared: bool


async def find(db: AsyncConnection, project: int, kind: int, value: str) -> list[int]:
    """The customers that an identifier belongs to: none, one, or (a shared device) several."""
    rows = tables.identifiers.c
    where = (rows.project == project, rows.kind == kind, rows.value == value)
    found = (await db.execute(select(rows.stream, rows.customer).where(*where))).first()
    return await _owners(db, project, [tuple(found)] if found else [])


async def find_by_email(db: AsyncConnection, project: int, email: str) -> list[int]:
    """The customers that have ever given this e-mail address; it is compared as it was stored."""
    emails, rows = tables.emails.c, tables.identifiers.c
    found = await db.execute(
        select(rows.stream, rows.customer).where(
            rows.project == project,
            rows.stream.in_(select(emails.stream).where(emails.project == project, emails.email == email)),
        )
    )
    return await _owners(db, project, [(stream, customer) for stream, customer in found])


async def _owners(db: AsyncConnection, project: int, identities: Sequence[tuple[int, int]]) -> list[int]:
    owners = {customer for _, customer in identities if customer}
    shared = [stream for stream, customer in identities if not customer]
    if shared:
        rows, links = tables.identifiers.c, tables.links.c
        users = select(links.owner).where(links.project == project, links.stream.in_(shared))
        owners |= set(
            await db.scalars(select(rows.customer).where(rows.project == project, rows.stream.in_(users)).distinct())
        )
    return sorted(owners)


async def customer(db: AsyncConnection, project: int, number: int) -> CustomerRow | None:
    """The customer of this number; of one that was merged, the customer it became."""
    rows = tables.customers.c
    while True:
        found = (
            await db.execute(select(tables.customers).where(rows.project == project, rows.customer == number))
        ).first()
        if found is None:
            return None
        row = CustomerRow(*found)
        if row.status != MERGED:
            return row
        number = row.into


async def identifiers(db: AsyncConnection, project: int, customer: int) -> list[Identifier]:
    """All identifiers of a customer: its own, users first, then the devices that it shares."""
    rows, links = tables.identifiers.c, tables.links.c
    columns = (rows.kind, rows.value, rows.stream)
    own = [
        Identifier(*row, shared=False)
        for row in await db.execute(
            select(*columns).where(rows.project == project, rows.customer == customer).order_by(rows.kind, rows.stream)
        )
    ]
    users = [identifier.stream for identifier in own if identifier.kind == USER]
    devices = select(links.stream).where(links.project == project, links.owner.in_(users))
    shared = await db.execute(
        select(*columns)
        .where(rows.project == project, rows.customer == 0, rows.stream.in_(devices))
        .order_by(rows.kind, rows.stream)
    )
    return own + [Identifier(*row, shared=True) for row in shared]


async def names(db: AsyncConnection, project: int, customers: Sequence[int]) -> dict[int, tuple[int, str]]:
    """(kind, value) of one identifier of each of these customers, its first user id if it has one."""
    rows = tables.identifiers.c
    found = await db.execute(
        select(rows.customer, rows.kind, rows.value)
        .where(rows.project == project, rows.customer.in_(set(customers)))
        .order_by(rows.kind.desc(), rows.stream.desc())
    )
    return {customer: (kind, value) for customer, kind, value in found}


async def ledger(db: AsyncConnection, project: int, customer: int, version: int | None = None) -> list[LedgerRow]:
    """All ledger entries of a customer (in one journey version), reversals included, in order of (writer, seq)."""
    rows = tables.ledger.c
    where = [rows.project == project, rows.customer == customer]
    if version is not None:
        where.append(rows.version == version)
    found = await db.execute(select(tables.ledger).where(*where).order_by(rows.writer, rows.seq))
    return [LedgerRow(*row) for row in found]


async def history(db: AsyncConnection, project: int, customer: int) -> list[tuple[int, Record]]:
    """(recorded time, record) of each touchpoint of a customer, in the order of docs/semantics.md (rule 3).

    Whatever the customer's streams hold, and of each device that it shares what was its own. Of touchpoints with one
    id the one recorded first counts (rule 4). What an exclusion hides now (rule 57) is marked as excluded.
    """
    known = await identifiers(db, project, customer)
    spans = [(one.stream, ALWAYS, FOREVER) for one in known if not one.shared]
    for device in (one.stream for one in known if one.shared):
        parts = await device_slices(db, project, device)
        spans += [(device, start, end) for start, end, owner in parts if owner == customer]
    rows = tables.touchpoints.c
    found = dict[str, tuple[int, Record]]()
    for stream, start, end in spans:
        bodies = await db.scalars(
            select(rows.body).where(rows.project == project, rows.stream == stream, rows.lo <= end, rows.hi >= start)
        )
        for recorded, record in (one for body in bodies for one in unpack(body) if start <= one[1].at <= end):
            before = found.get(record.id)
            if before is None or (recorded, record.at) < (before[0], before[1].at):
                found[record.id] = (recorded, record)
    told, exclusions = found.values(), await amendments.exclusions(db, project)
    marked = [(at, replace(one, excluded=True) if exclusions.hidden(one) else one) for at, one in told]
    return sorted(marked, key=lambda one: (one[1].at, one[1].id.encode()))


async def device_slices(db: AsyncConnection, project: int, device: int) -> list[Slice]:
    """The customers that a shared device belongs to over time."""
    rows, links = tables.identifiers.c, tables.links.c
    found = await db.execute(
        select(links.at, links.id, rows.customer)
        .join(tables.identifiers, (rows.project == links.project) & (rows.stream == links.owner))
        .where(links.project == project, links.stream == device)
    )
    return slices(Link(*row) for row in found)
